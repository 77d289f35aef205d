package dataset

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"corinfo/golden"
)

// Limits of a set of images.
const (
	maxClasses    = 256      // labels are bytes
	maxImageFile  = 16 << 20 // bytes; an image that fits a layer takes less
	maxImageBytes = 1 << 32  // pixels of a set
)

// imageFile is one image of a set and its label.
type imageFile struct {
	path  string
	label uint8
}

// loadImages reads dir/train/CLASS/* and dir/test/CLASS/*, PNG and JPEG files of one size; other files are passed over, and so are
// names with a leading dot. Labels number the sorted classes. A sample is the plane of grey values where all images are grey,
// else the planes of red, green and blue, as CIFAR-10's; pixels are 8 bits, the upper ones of 16, and lie on
// black where they are transparent.
func loadImages(dir string) (*Data, error) {
	var names [2][]string
	for i, part := range imageParts {
		var err error
		if names[i], err = classFolders(filepath.Join(dir, part)); err != nil {
			return nil, err
		}
	}
	if err := sameClasses(dir, names); err != nil {
		return nil, err
	}
	var files [2][]imageFile
	for i, part := range imageParts {
		var err error
		if files[i], err = imagesOf(filepath.Join(dir, part), names[i]); err != nil {
			return nil, err
		}
	}
	size, err := commonSize(slices.Concat(files[0], files[1]))
	if err != nil {
		return nil, err
	}
	data := &Data{Name: "images", Classes: names[0]}
	for i, set := range []*Set{&data.Train, &data.Test} {
		if *set, err = decodeImages(files[i], size); err != nil {
			return nil, err
		}
	}
	data.Checksum = data.contentSum()
	return data, nil
}

var imageParts = [2]string{"train", "test"}

// classFolders are the names of the folders in a folder, in the order of their labels: that of the numbers where
// all are numbers, else that of the names.
func classFolders(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, golden.Usagef("dataset images: no folder %s: %s", dir, dataRemedy["images"])
	}
	if err != nil {
		return nil, fmt.Errorf("%w: dataset images: %w", golden.ErrUsage, err)
	}
	var names []string
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		// A link to a folder is as good as the folder.
		if info, err := os.Stat(filepath.Join(dir, e.Name())); err == nil && info.IsDir() {
			names = append(names, e.Name())
		}
	}
	if len(names) == 0 || len(names) > maxClasses {
		return nil, golden.Usagef("dataset images: %s has %d class folders; want 1 to %d: %s", dir, len(names), maxClasses,
			dataRemedy["images"])
	}
	numbers := map[string]int{}
	for _, name := range names {
		if number, err := strconv.Atoi(name); err == nil {
			numbers[name] = number
		}
	}
	slices.Sort(names)
	if len(numbers) == len(names) {
		slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(numbers[a], numbers[b]) })
	}
	return names, nil
}

// sameClasses tells of a class that has training or test images only: its label would mean another class to the other set.
func sameClasses(dir string, names [2][]string) error {
	for i := range names {
		for _, name := range names[i] {
			if !slices.Contains(names[1-i], name) {
				return golden.Usagef("dataset images: class %s is in %s, not in %s; want the same class folders in both", name,
					filepath.Join(dir, imageParts[i]), filepath.Join(dir, imageParts[1-i]))
			}
		}
	}
	return nil
}

// imagesOf lists the images of all classes: the first one of every class, then the second ones, and so on, so that the first
// samples of a set are of all classes.
func imagesOf(dir string, classes []string) ([]imageFile, error) {
	lists := make([][]imageFile, len(classes))
	longest := 0
	for label, class := range classes {
		folder := filepath.Join(dir, class)
		entries, err := os.ReadDir(folder) // sorted by name
		if err != nil {
			return nil, fmt.Errorf("%w: dataset images: %w", golden.ErrUsage, err)
		}
		for _, e := range entries {
			switch strings.ToLower(filepath.Ext(e.Name())) {
			case ".png", ".jpg", ".jpeg":
				if !strings.HasPrefix(e.Name(), ".") {
					lists[label] = append(lists[label], imageFile{filepath.Join(folder, e.Name()), uint8(label)})
				}
			}
		}
		if len(lists[label]) == 0 {
			return nil, golden.Usagef("dataset images: no image in %s: %s", folder, dataRemedy["images"])
		}
		longest = max(longest, len(lists[label]))
	}
	var files []imageFile
	for i := range longest {
		for _, list := range lists {
			if i < len(list) {
				files = append(files, list[i])
			}
		}
	}
	return files, nil
}

// commonSize reads the start of every file: all images must have one size, which a layer can take.
func commonSize(files []imageFile) (imageSize, error) {
	sizes := make([]imageSize, len(files))
	err := inParallel(len(files), func(i int) error {
		text, err := readImageFile(files[i].path)
		if err != nil {
			return err
		}
		if sizes[i], err = imageHeader(text); err != nil {
			return damagedFile(files[i].path, err)
		}
		return nil
	})
	if err != nil {
		return imageSize{}, err
	}
	common := sizes[0]
	for i, s := range sizes {
		if s.width != common.width || s.height != common.height {
			return imageSize{}, golden.Usagef("dataset images: %s is %d x %d pixels, but %s is %d x %d: scale them to one size",
				files[i].path, s.width, s.height, files[0].path, common.width, common.height)
		}
		common.planes = max(common.planes, s.planes)
	}
	// Width and height are below 2^31.
	if pixels := int64(common.width) * int64(common.height); pixels > golden.MaxNeurons || pixels*int64(common.planes) > golden.MaxNeurons {
		return imageSize{}, golden.Usagef("dataset images: %s is %d x %d pixels x %d planes; a layer has at most %d neurons: scale the images down",
			files[0].path, common.width, common.height, common.planes, golden.MaxNeurons)
	}
	if total := int64(len(files)) * int64(common.bytes()); total > maxImageBytes {
		return imageSize{}, golden.Usagef("dataset images: %d images of %d bytes are more than %d bytes: scale them down or take fewer",
			len(files), common.bytes(), int64(maxImageBytes))
	}
	return common, nil
}

// decodeImages reads the pixels of a set.
func decodeImages(files []imageFile, size imageSize) (Set, error) {
	set := Set{Pixels: make([]uint8, len(files)*size.bytes()), Labels: make([]uint8, len(files)), Size: size.bytes()}
	err := inParallel(len(files), func(i int) error {
		set.Labels[i] = files[i].label
		text, err := readImageFile(files[i].path)
		if err != nil {
			return err
		}
		if err := imagePlanes(text, size, set.Sample(i)); err != nil {
			return damagedFile(files[i].path, err)
		}
		return nil
	})
	return set, err
}

func readImageFile(path string) ([]byte, error) {
	text, err := golden.ReadFile(path, maxImageFile)
	if err != nil {
		return nil, fmt.Errorf("%w: dataset images: %w", golden.ErrUsage, err)
	}
	return text, nil
}

// inParallel calls work(i) for i < n on all processors until one fails. The error is that of the smallest i that fails: smaller
// ones have begun before it and are waited for.
func inParallel(n int, work func(i int) error) error {
	var wait sync.WaitGroup
	var next atomic.Int64
	var failed atomic.Bool
	errs := make([]error, n)
	for range min(runtime.GOMAXPROCS(0), n) {
		wait.Go(func() {
			for !failed.Load() {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if errs[i] = work(i); errs[i] != nil {
					failed.Store(true)
				}
			}
		})
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

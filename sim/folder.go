package sim

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"corinfo/golden"
)

// simFolder is where a co-simulation works, in a design's folder.
const simFolder = "sim"

// openRoot opens a design's folder, its Name absolute. A design may come from elsewhere: through a root, no link in it leads out.
func openRoot(dir string) (*os.Root, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	return os.OpenRoot(dir)
}

// checkFolder refuses what stands in a design where a folder of ours is to be, and is none: a file, or a link, whose end we would
// fill, and sweep, in its place. Nothing standing there is well.
func checkFolder(root *os.Root, name string) error {
	info, err := root.Lstat(name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err == nil && !info.IsDir():
		err = errors.New("not a folder")
	}
	if err != nil {
		return fmt.Errorf("%w: %s: %w; remove it", golden.ErrUsage, filepath.Join(root.Name(), name), err)
	}
	return nil
}

// read reads a file of a design that is no longer than limit, and where it seems to be: no link leads out.
func read(root *os.Root, file string, limit int64) ([]byte, error) {
	if _, err := root.Stat(file); err != nil {
		return nil, err
	}
	return golden.ReadFile(filepath.Join(root.Name(), file), limit)
}

// CheckWorkFolder refuses a design in which something stands where the folder is to be that a co-simulation works in.
func CheckWorkFolder(dir string) error {
	root, err := openRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return checkFolder(root, simFolder)
}

// WorkFolder makes that folder, and removes what killed runs have left in it.
func WorkFolder(dir string) (string, error) {
	if err := CheckWorkFolder(dir); err != nil {
		return "", err
	}
	folder, err := filepath.Abs(filepath.Join(dir, simFolder))
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return "", err
	}
	sweep(folder)
	return folder, nil
}

// sweep removes what killed runs have left in the folder: files of nobody, once they are old.
func sweep(folder string) {
	golden.RemoveLeftovers(folder)
	entries, _ := os.ReadDir(folder)
	for _, e := range entries {
		info, err := e.Info()
		for _, prefix := range []string{"stimulus-", "resume-"} {
			if err == nil && strings.HasPrefix(e.Name(), prefix) && time.Since(info.ModTime()) > staleBuild {
				os.RemoveAll(filepath.Join(folder, e.Name()))
			}
		}
	}
}

// SeenFrom is a path as a program in the folder dir may name it: relative, for Icarus opens no file whose name is not plain ASCII or is
// long, and what the folders above a design are called is the user's choice.
func SeenFrom(dir, path string) string {
	if dir, err := filepath.Abs(dir); err == nil {
		if relative, err := filepath.Rel(dir, path); err == nil {
			return relative
		}
	}
	return path
}

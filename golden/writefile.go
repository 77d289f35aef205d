package golden

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// WriteFile writes a file under a temporary name, syncs it and renames it, so that a reader sees the old
// or the new content and a full disk leaves the old.
func WriteFile(path string, data []byte) error {
	return writeFile(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// writeFile is WriteFile of what write writes, which may be long.
func writeFile(path string, write func(w io.Writer) error) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, temporaryPrefix+"*")
	if err != nil {
		return writeError(path, err)
	}
	defer os.Remove(f.Name())
	if err = write(f); err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Chmod(f.Name(), 0o644)
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err == nil {
		err = syncDir(dir)
	}
	return writeError(path, err)
}

// temporaryPrefix begins the names that WriteFile writes under.
const temporaryPrefix = ".corinfo-"

// leftover tells whether a file of a folder was being written when its process was killed, or is being written.
func leftover(e os.DirEntry) bool {
	return e.Type().IsRegular() && strings.HasPrefix(e.Name(), temporaryPrefix)
}

// RemoveLeftovers clears a folder, that no other process writes into, of what WriteFile left when its process was
// killed. It is a matter of space only: errors are left to who writes next.
func RemoveLeftovers(dir string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if leftover(e) {
			os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// syncDir makes a rename survive a loss of power.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if e := d.Close(); err == nil {
		err = e
	}
	return err
}

// writeError names the file, not the temporary one.
func writeError(path string, err error) error {
	if err == nil {
		return nil
	}
	var at *os.PathError
	if errors.As(err, &at) {
		err = at.Err
	}
	return fmt.Errorf("write %s: %w", path, err)
}

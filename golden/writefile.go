package golden

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
)

// WriteFile writes a file under a temporary name, syncs it and renames it, so that a reader sees the old
// or the new content and a full disk leaves the old.
func WriteFile(path string, data []byte) error {
	return WriteFileBy(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// WriteFileBy is WriteFile of what write writes, which may be long.
func WriteFileBy(path string, write func(w io.Writer) error) error {
	dir := filepath.Dir(path)
	f, err := temporary(dir, func(path string) (*os.File, error) {
		return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	})
	if err != nil {
		return writeError(path, err)
	}
	defer os.Remove(f.Name())
	defer f.Close() // only now: as long as it is locked no one takes it for a leftover
	if err = write(f); err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err == nil {
		err = syncDir(dir)
	}
	return writeError(path, err)
}

// temporaryName is under which things are made beside their place.
var temporaryName = regexp.MustCompile(`^\.corinfo-[A-Z2-7]{26}$`)

// temporary makes something under a temporary name of its own in a folder, with the permissions that make asks for as the
// umask has them, and locks it: so a leftover of a process that was killed can be told from it.
func temporary(dir string, make func(path string) (*os.File, error)) (*os.File, error) {
	for {
		f, err := make(filepath.Join(dir, ".corinfo-"+rand.Text()))
		if err != nil {
			return nil, err
		}
		// Where there are no locks, RemoveLeftovers removes nothing.
		if held, _ := flock(f); !held && samePath(f, f.Name()) {
			return f, nil
		}
		f.Close() // it was swept before it was locked
	}
}

// Leftover tells whether an entry of a folder was being written when its process was killed, or is being written.
func Leftover(e os.DirEntry) bool {
	return temporaryName.MatchString(e.Name()) && (e.IsDir() || e.Type().IsRegular())
}

// Passing tells whether an entry of a folder is there while a process works in it, or was left by one that was killed: it is no
// content of the folder.
func Passing(e os.DirEntry) bool { return Leftover(e) || e.Name() == LockFile && e.Type().IsRegular() }

// RemoveLeftovers clears a folder of files and folders that were being written when their process was killed; what other
// processes are writing now stays. It is a matter of space only: errors are left to who writes next.
func RemoveLeftovers(dir string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if !Leftover(e) {
			continue
		}
		path := filepath.Join(dir, e.Name())
		f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
		if err != nil {
			continue
		}
		if held, err := flock(f); err == nil && !held {
			os.RemoveAll(path)
		}
		f.Close()
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
	var link *os.LinkError
	if errors.As(err, &link) {
		err = link.Err
	}
	return fmt.Errorf("write %s: %w", path, err)
}

package golden

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// WriteFolder makes a folder, whole or not at all: fill writes into a temporary one beside it, which then takes its place in
// one step where the system can do that, with the lock of the process that holds it. What was there goes only when the new
// one is in place. A file of that name is refused (ErrUsage).
func WriteFolder(dir string, fill func(temporary string) error) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	Restore(dir)
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o777); err != nil {
		return err
	}
	if info, err := os.Lstat(dir); err == nil && !info.IsDir() {
		return Usagef("%s is %s; want a folder", dir, typeOf(info.Mode()))
	}
	RemoveLeftovers(parent)
	f, err := temporary(parent, func(path string) (*os.File, error) {
		if err := os.Mkdir(path, 0o777); err != nil {
			return nil, err
		}
		return os.Open(path)
	})
	if err != nil {
		return err
	}
	made := f.Name()
	defer func() {
		os.RemoveAll(made)
		f.Close()
	}()
	if err := fill(made); err != nil {
		return err
	}
	// The same file in both: whoever holds the folder holds the new one. Where there are no such links it is free a moment sooner.
	_ = os.Link(filepath.Join(dir, LockFile), filepath.Join(made, LockFile))
	err = exchange(made, dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		err = os.Rename(made, dir)
	case err != nil:
		err = replace(made, dir)
	}
	if err != nil {
		return fmt.Errorf("folder %s: %w", dir, err)
	}
	return syncDir(parent)
}

// exchange lets two paths change places in one step; an error that is not os.ErrNotExist says that the system cannot.
var exchange = exchangePaths

// aside is where a folder waits until another has its name, where the two cannot change places.
func aside(dir string) string {
	return filepath.Join(filepath.Dir(dir), ".corinfo-old-"+filepath.Base(dir))
}

// replace lets a folder take the place of another in two steps. restore mends what a process leaves that is killed between them.
func replace(made, dir string) error {
	old := aside(dir)
	if err := os.Rename(dir, old); err != nil {
		return err
	}
	if err := os.Rename(made, dir); err != nil {
		return errors.Join(err, os.Rename(old, dir))
	}
	return os.RemoveAll(old)
}

// Restore puts a folder back that was put aside by a process that was killed before the new one had its name, and removes it if
// the new one has. It tells whether it has put one back.
func Restore(dir string) bool {
	old := aside(dir)
	if _, err := os.Lstat(old); err != nil {
		return false
	}
	if _, err := os.Lstat(dir); errors.Is(err, os.ErrNotExist) {
		return os.Rename(old, dir) == nil
	}
	os.RemoveAll(old)
	return false
}

package golden

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// WriteFolder makes a folder, whole or not at all: fill writes into a temporary one beside it, which then takes
// its place. What was there goes only when the new one is in place.
func WriteFolder(dir string, fill func(temporary string) error) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	temporary, err := os.MkdirTemp(filepath.Dir(dir), ".corinfo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temporary)
	if err := os.Chmod(temporary, 0o755); err != nil {
		return err
	}
	if err := fill(temporary); err != nil {
		return err
	}
	old := temporary + "-old"
	switch err := os.Rename(dir, old); {
	case errors.Is(err, os.ErrNotExist):
		return os.Rename(temporary, dir)
	case err != nil:
		return err
	}
	if err := os.Rename(temporary, dir); err != nil {
		return errors.Join(err, os.Rename(old, dir))
	}
	return os.RemoveAll(old)
}

// CheckNewRun refuses a folder for a new run that holds a run or anything else but what is left of a run that was
// killed before its first checkpoint.
func CheckNewRun(dir string) error {
	entries, err := os.ReadDir(dir)
	entries = slices.DeleteFunc(entries, leftover)
	switch {
	case errors.Is(err, os.ErrNotExist), err == nil && len(entries) == 0:
		return nil
	case err != nil:
		return fmt.Errorf("%w: run folder: %w; name another folder", ErrUsage, err)
	case IsRun(dir):
		return usagef("%s holds a run already; continue it with `corinfo train --resume` or name another folder", dir)
	}
	return usagef("%s exists and is no run of corinfo; name another folder", dir)
}

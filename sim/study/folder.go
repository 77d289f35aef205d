package study

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"corinfo/golden"
)

// Files of a study's folder: markFile makes it one, and trainingsFolder holds the runs of trainings under way, by their keys.
const (
	markFile        = "corinfo-study.txt"
	trainingsFolder = "trainings"
)

const markText = "A study's folder: `corinfo study` writes here, and overwrites its own files.\n"

// Claim makes a folder a study's, or finds that it is one. A folder that holds anything else is refused untouched (ErrUsage).
func Claim(folder string) error {
	mark := filepath.Join(folder, markFile)
	if text, err := golden.ReadFile(mark, int64(len(markText))); err == nil && string(text) == markText {
		return nil
	}
	entries, err := os.ReadDir(folder)
	entries = slices.DeleteFunc(entries, golden.Passing)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := os.MkdirAll(folder, 0o777); err != nil {
			return fmt.Errorf("%w: study folder: %w", golden.ErrUsage, err)
		}
	case err != nil:
		return fmt.Errorf("%w: study folder: %w; name another folder", golden.ErrUsage, err)
	case slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() != markFile }):
		return usagef("%s exists and is no study's folder; name another by -o", folder)
	}
	return golden.WriteFile(mark, []byte(markText))
}

// trainingName is the name of a folder in trainingsFolder.
var trainingName = regexp.MustCompile(`^[0-9a-f]{64}$`)

// removeTrainings removes the trainings in a study's folder that no process holds: their checkpoints serve no one any more.
// Whatever else is there stays.
func removeTrainings(folder string) error {
	all := filepath.Join(folder, trainingsFolder)
	entries, err := os.ReadDir(all)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.IsDir() || !trainingName.MatchString(e.Name()) {
			continue
		}
		dir := filepath.Join(all, e.Name())
		lock, err := golden.LockFolder(dir)
		if errors.Is(err, golden.ErrHeld) {
			continue
		}
		if err == nil {
			err = os.RemoveAll(dir)
			lock.Unlock()
		}
		if err != nil {
			return err
		}
	}
	_ = os.Remove(all) // if it is empty
	return nil
}

// clearTraining removes what is in a training's folder, but for the lock of this process.
func clearTraining(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if e.Name() != golden.LockFile {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
		}
	}
	return err
}

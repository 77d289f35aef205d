package hdlgen

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"corinfo/golden"
	"corinfo/golden/calibrate"
	"corinfo/golden/training"
)

// Edited says what becomes of files of a design that were changed by hand when the design is generated again.
type Edited int

const (
	RefuseEdited    Edited = iota // they are named, and nothing is written
	OverwriteEdited               // they go
)

// foreign is what stays in a design's folder when the design is replaced: what is no part of it.
type foreign struct {
	dir   string
	names []string // within dir: files and links, and folders before what is in them
}

// foreignIn finds what stays when a design of the given files takes the place of what is in dir. A folder that is in
// use, one that is no design, and a file that would be lost are ErrUsage.
func foreignIn(dir string, files map[string][]byte, edited Edited) (*foreign, error) {
	if inUse(dir) {
		return nil, fmt.Errorf("%w: a design cannot replace the folder that you are in; name another one", golden.ErrUsage)
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real // what a link leads to is replaced, not the link
	}
	f := &foreign{dir: dir}
	entries, err := os.ReadDir(dir)
	entries = slices.DeleteFunc(entries, golden.Passing)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && len(entries) == 0:
		return f, nil
	case err != nil:
		return nil, fmt.Errorf("%w: %w; name another folder", golden.ErrUsage, err)
	}
	m, err := ReadManifest(dir)
	if err != nil || m.Tool != toolName {
		return nil, fmt.Errorf("%w: %s exists and is no design of corinfo; name another folder", golden.ErrUsage, dir)
	}
	folders, taken := foldersOf(m.Checksums), foldersOf(files)
	folders[simFolder], folders[buildFolder] = true, true
	var changed []string
	err = filepath.WalkDir(dir, func(file string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, file)
		if err != nil || name == "." {
			return err
		}
		name = filepath.ToSlash(name)
		_, new := files[name]
		sum, own := m.Checksums[name]
		switch {
		case name == manifestFile || name == training.CheckpointFile || name == golden.LockFile || golden.Leftover(e) ||
			m.left(name, e.IsDir()):
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		case own && !e.IsDir():
			same, err := hasChecksum(file, e, sum)
			if err == nil && !same {
				changed = append(changed, file)
			}
			return err
		case e.IsDir() && folders[name]:
			return nil
		case new || !e.IsDir() && taken[name]:
			return fmt.Errorf("%s is no part of the design that stands there, and in the place of a file of the new one: move it or name another folder", file)
		}
		f.names = append(f.names, name)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", golden.ErrUsage, err)
	}
	if len(changed) > 0 && edited == RefuseEdited {
		return nil, fmt.Errorf("%w: changed by hand since it was generated: %s; --force overwrites that, another folder spares it",
			golden.ErrUsage, strings.Join(changed, ", "))
	}
	return f, nil
}

// inUse tells whether the process stands in a folder or in one within it.
func inUse(dir string) bool {
	folder, err := os.Stat(dir)
	if err != nil {
		return false
	}
	for here, above := ".", ""; ; here = above {
		at, err := os.Stat(here)
		if err != nil {
			return false
		}
		if os.SameFile(at, folder) {
			return true
		}
		above = filepath.Join(here, "..")
		if up, err := os.Stat(above); err != nil || os.SameFile(up, at) { // the root
			return false
		}
	}
}

// foldersOf are the folders that files of the given paths lie in.
func foldersOf[V any](files map[string]V) map[string]bool {
	folders := map[string]bool{}
	for name := range files {
		for dir := path.Dir(name); dir != path.Dir(dir); dir = path.Dir(dir) { // of a manifest's paths some may be absolute
			folders[dir] = true
		}
	}
	return folders
}

// left tells whether a tool of ours left a file or folder in a design's folder: it is of the design that goes, and goes too.
func (m *Manifest) left(name string, folder bool) bool {
	patterns := []string{calibrate.RangeFile, simFolder + "/checkpoint", simFolder + "/mismatch.*", simFolder + "/stimulus-*"}
	if folder {
		patterns = []string{simFolder + "/board", simFolder + "/" + vectorsFolder, simFolder + "/resume-*"}
	}
	if m.Board != nil && !folder {
		patterns = append(patterns, buildFolder+"/"+m.Board.Top+".*", buildFolder+"/*.log", buildFolder+"/*.done")
	}
	for _, p := range patterns {
		if match, err := path.Match(p, name); err == nil && match {
			return true
		}
	}
	return false
}

// hasChecksum tells whether a file is a regular one of that checksum.
func hasChecksum(file string, e fs.DirEntry, sum string) (bool, error) {
	if !e.Type().IsRegular() {
		return false, nil
	}
	r, err := os.Open(file)
	if err != nil {
		return false, err
	}
	defer r.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, r); err != nil {
		return false, err
	}
	return fmt.Sprintf("%x", hash.Sum(nil)) == sum, nil
}

// keep gives the folder that takes the place of the old one what stays. Files get a second name there: whenever the process
// ends, one of the folders has all of them.
func (f *foreign) keep(to string) error {
	type folder struct {
		path string
		mode fs.FileMode
	}
	var folders []folder
	for _, name := range f.names {
		from, to := filepath.Join(f.dir, filepath.FromSlash(name)), filepath.Join(to, filepath.FromSlash(name))
		info, err := os.Lstat(from)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
			return err
		}
		if !info.IsDir() {
			if err := link(from, to, info); err != nil {
				return err
			}
			continue
		}
		if err := os.Mkdir(to, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		folders = append(folders, folder{to, info.Mode()})
	}
	for i := len(folders) - 1; i >= 0; i-- { // those without leave to write are closed when all is in them
		if err := os.Chmod(folders[i].path, folders[i].mode); err != nil {
			return err
		}
	}
	return nil
}

// link gives a file a second name. Where the system has none for it, a regular file is copied and a link made anew.
func link(from, to string, info fs.FileInfo) error {
	err := os.Link(from, to)
	switch {
	case err == nil:
		return nil
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(from)
		if err != nil {
			return err
		}
		return os.Symlink(target, to)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%w: move it", err)
	}
	return copyFile(from, to, info)
}

// copyFile copies a file with its mode and its time.
func copyFile(from, to string, info fs.FileInfo) error {
	r, err := os.Open(from)
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, info.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	if e := w.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return os.Chtimes(to, info.ModTime(), info.ModTime())
}

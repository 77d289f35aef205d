package golden

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// writes fills a folder with a file that says which it is.
func writes(which string) func(dir string) error {
	return func(dir string) error { return WriteFile(filepath.Join(dir, "which"), []byte(which)) }
}

func whichIs(t *testing.T, dir string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "which"))
	require.NoError(t, err)
	return string(text)
}

// names are the entries of a folder.
func entryNames(t *testing.T, dir string) (list []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

// cannotExchange stands for a system that has no such step.
func cannotExchange(t *testing.T) {
	before := exchange
	exchange = func(a, b string) error {
		if _, err := os.Lstat(b); err != nil {
			return err
		}
		return syscall.ENOSYS
	}
	t.Cleanup(func() { exchange = before })
}

// TestWriteFile: who has the old file open goes on reading the old content.
func TestWriteFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	require.NoError(t, WriteFile(path, []byte("old")))
	reader, err := os.Open(path)
	require.NoError(t, err)
	defer reader.Close()
	require.NoError(t, WriteFile(path, []byte("new, longer")))
	old, err := io.ReadAll(reader)
	require.NoError(t, err)
	require.Equal(t, "old", string(old))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "new, longer", string(text))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o644), info.Mode())
	err = WriteFile(filepath.Join(path, "below"), nil)
	require.EqualError(t, err, "write "+filepath.Join(path, "below")+": not a directory")
}

// TestWriteFolder: a folder is the old one or the new one, and its holder holds the new one, in one step or in two.
func TestWriteFolder(t *testing.T) {
	for name, with := range map[string]func(*testing.T){"one step": func(*testing.T) {}, "two steps": cannotExchange} {
		t.Run(name, func(t *testing.T) {
			with(t)
			top := t.TempDir()
			dir := filepath.Join(top, "deep", "dir")
			require.NoError(t, WriteFolder(dir, writes("first")))
			require.Equal(t, "first", whichIs(t, dir))
			l, err := LockFolder(dir)
			require.NoError(t, err)
			require.NoError(t, WriteFolder(dir, func(temporary string) error {
				require.Equal(t, "first", whichIs(t, dir), "until the new one is whole")
				RemoveLeftovers(filepath.Dir(dir)) // another process sweeps here
				return writes("second")(temporary)
			}))
			require.Equal(t, "second", whichIs(t, dir))
			_, err = LockFolder(dir)
			require.ErrorIs(t, err, ErrHeld)
			l.Unlock()
			require.Equal(t, []string{"which"}, entryNames(t, dir))
			require.Equal(t, []string{"dir"}, entryNames(t, filepath.Dir(dir)))

			failure := errors.New("disk full")
			require.ErrorIs(t, WriteFolder(dir, func(temporary string) error {
				require.NoError(t, writes("third")(temporary))
				return failure
			}), failure)
			require.Equal(t, "second", whichIs(t, dir))
			require.Equal(t, []string{"dir"}, entryNames(t, filepath.Dir(dir)))

			// A link stays one.
			link := filepath.Join(top, "link")
			require.NoError(t, os.Symlink(dir, link))
			require.NoError(t, WriteFolder(link, writes("fourth")))
			require.Equal(t, "fourth", whichIs(t, dir))
			info, err := os.Lstat(link)
			require.NoError(t, err)
			require.Equal(t, fs.ModeSymlink, info.Mode().Type())

			file := filepath.Join(top, "file")
			require.NoError(t, os.WriteFile(file, []byte("years of work"), 0o644))
			require.ErrorIs(t, WriteFolder(file, writes("fifth")), ErrUsage)
			require.FileExists(t, file)
		})
	}
}

// TestKilledBetweenSteps: a folder that has lost its name comes back with the next command; what a kill leaves goes.
func TestKilledBetweenSteps(t *testing.T) {
	top := t.TempDir()
	dir, old := filepath.Join(top, "dir"), filepath.Join(top, ".corinfo-old-dir")
	for name, use := range map[string]func() (string, error){
		"lock":  func() (string, error) { l, err := LockFolder(dir); l.Unlock(); return "old", err },
		"write": func() (string, error) { return "new", WriteFolder(dir, writes("new")) },
	} {
		require.NoError(t, os.RemoveAll(dir))
		require.NoError(t, os.Mkdir(old, 0o755))
		require.NoError(t, writes("old")(old))
		want, err := use()
		require.NoError(t, err, name)
		require.Equal(t, want, whichIs(t, dir), name)
		require.Equal(t, []string{"dir"}, entryNames(t, top), name)
	}
	// Killed after the second step: the old one goes.
	require.NoError(t, os.Mkdir(old, 0o755))
	require.NoError(t, WriteFolder(dir, writes("newer")))
	require.Equal(t, []string{"dir"}, entryNames(t, top))
}

// halfName is a name under which something was being written.
const halfName = ".corinfo-ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// TestLeftovers: files and folders that were being written go, those that are being written stay, and so do those of others.
func TestLeftovers(t *testing.T) {
	top := t.TempDir()
	at := func(name string) string { return filepath.Join(top, name) }
	require.NoError(t, os.WriteFile(at(halfName), []byte("half"), 0o600))
	folder := halfName[:len(halfName)-1] + "2"
	require.NoError(t, os.MkdirAll(filepath.Join(at(folder), "rtl"), 0o700))
	others := []string{".corinfo-cache", ".corinfo-1234", "x" + halfName}
	for _, name := range others {
		require.NoError(t, os.Mkdir(at(name), 0o755))
	}
	live, err := temporary(top, func(path string) (*os.File, error) { return os.Create(path) })
	require.NoError(t, err)
	defer live.Close()
	require.NoError(t, WriteFolder(at("dir"), writes("first")))
	require.ElementsMatch(t, append(others, "dir", filepath.Base(live.Name())), entryNames(t, top))
}

// TestUmask: files and folders have the permissions that the umask leaves.
func TestUmask(t *testing.T) {
	for mask, want := range map[int][2]fs.FileMode{0o022: {0o755, 0o644}, 0o027: {0o750, 0o640}, 0o002: {0o775, 0o664}, 0o077: {0o700, 0o600}} {
		before := syscall.Umask(mask)
		dir := filepath.Join(t.TempDir(), "a", "dir")
		err := WriteFolder(dir, writes("first"))
		syscall.Umask(before)
		require.NoError(t, err)
		for path, mode := range map[string]fs.FileMode{dir: want[0], filepath.Dir(dir): want[0], filepath.Join(dir, "which"): want[1]} {
			info, err := os.Stat(path)
			require.NoError(t, err)
			require.Equal(t, mode, info.Mode().Perm(), "%s under %o", path, mask)
		}
	}
}

// TestExchange: this system can do it in one step, so that the other tests have tried that.
func TestExchange(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has it")
	}
	top := t.TempDir()
	for _, name := range []string{"a", "b"} {
		require.NoError(t, os.Mkdir(filepath.Join(top, name), 0o755))
		require.NoError(t, writes(name)(filepath.Join(top, name)))
	}
	if err := exchangePaths(filepath.Join(top, "a"), filepath.Join(top, "b")); errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOSYS) {
		t.Skipf("the file system cannot: %v", err)
	} else {
		require.NoError(t, err)
	}
	require.Equal(t, "b", whichIs(t, filepath.Join(top, "a")))
	require.ErrorIs(t, exchangePaths(filepath.Join(top, "a"), filepath.Join(top, "none")), os.ErrNotExist)
}

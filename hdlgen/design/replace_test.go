package design

import (
	"encoding/json"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden"
	"corinfo/golden/calibrate"
	"corinfo/hdlgen"
)

// regenerate writes a design of other sizes and weights over one.
func regenerate(t *testing.T, dir string, edited hdlgen.Edited) error {
	t.Helper()
	n := testNetwork(t, []int{6, 4, 3}, 1, "")
	_, err := Generate(planned(t, n, 1), start(t, n), nil, nil, dir, edited)
	return err
}

// write makes a file and its folders.
func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
}

// Files that are no part of a design stay where they are, the same files, when it is generated again; what our tools left of
// the design before goes with it.
func TestForeignFilesStay(t *testing.T) {
	dir := testDesign(t, testNetwork(t, []int{5, 3, 2}, 1, ""), 2)
	own := []string{"notes.txt", "sim/mine.v", "sim/deep/er/mine.v", "rtl/my_testbench.v", "build/tester_1.0/Makefile", "images/more.hex", ".git/HEAD"}
	left := []string{calibrate.RangeFile, "sim/checkpoint", "sim/mismatch.fst", "sim/resume-12/images/tester_lane_0000.hex", "sim/board/icarus.vvp", "rtl/.corinfo-ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
	before := map[string]os.FileInfo{}
	for _, name := range own {
		write(t, dir, name, "mine: "+name)
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		before[name] = info
	}
	for _, name := range left {
		write(t, dir, name, "of the design that goes")
	}
	require.NoError(t, os.Symlink("nowhere", filepath.Join(dir, "link")))
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "empty"), 0o750))
	require.NoError(t, os.Chmod(filepath.Join(dir, "build/tester_1.0"), 0o555))
	t.Cleanup(func() { os.Chmod(filepath.Join(dir, "build/tester_1.0"), 0o755) })
	if os.Geteuid() != 0 { // who is not root cannot take it away again
		require.NoError(t, os.Chmod(filepath.Join(dir, "build/tester_1.0"), 0o755))
	}

	require.NoError(t, regenerate(t, dir, hdlgen.RefuseEdited))
	d, err := Open(dir)
	require.NoError(t, err)
	require.Equal(t, []int{6, 4, 3}, d.Plan.Network.Layers)
	for _, name := range own {
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err, name)
		require.True(t, os.SameFile(before[name], info), name)
	}
	for _, name := range append(left, "images/tester_lane_0001.hex") { // one lane now
		require.NoFileExists(t, filepath.Join(dir, name))
	}
	to, err := os.Readlink(filepath.Join(dir, "link"))
	require.NoError(t, err)
	require.Equal(t, "nowhere", to)
	pipe, err := os.Lstat(filepath.Join(dir, "pipe"))
	require.NoError(t, err)
	require.Equal(t, os.ModeNamedPipe|0o600, pipe.Mode())
	empty, err := os.Stat(filepath.Join(dir, "empty"))
	require.NoError(t, err)
	require.Equal(t, os.ModeDir|0o750, empty.Mode())
	entries, err := os.ReadDir(filepath.Dir(dir))
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing is left beside the design")
}

// Files of a design that were changed by hand are all named and stay, until they are to be overwritten.
func TestEditedFilesAreNamed(t *testing.T) {
	dir := testDesign(t, testNetwork(t, []int{5, 3, 2}, 1, ""), 2)
	for _, name := range []string{"rtl/tester_unit.v", "library/corinfo_ram.v", "tester.f"} {
		write(t, dir, name, "changed")
	}
	require.NoError(t, os.Remove(filepath.Join(dir, "network.yaml"))) // a missing one loses nothing
	err := regenerate(t, dir, hdlgen.RefuseEdited)
	require.ErrorIs(t, err, golden.ErrUsage)
	for _, name := range []string{"rtl/tester_unit.v", "library/corinfo_ram.v", "tester.f"} {
		require.ErrorContains(t, err, filepath.Join(dir, name))
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, "changed", string(text))
	}
	require.ErrorContains(t, err, "--force")
	require.NotContains(t, err.Error(), "tester.v")
	require.NoError(t, regenerate(t, dir, hdlgen.OverwriteEdited))
	_, err = Open(dir)
	require.NoError(t, err)
	require.NoError(t, regenerate(t, dir, hdlgen.RefuseEdited))

	// A file of ours that became something else is changed too, and is not read.
	fifo := filepath.Join(dir, "tester.f")
	require.NoError(t, os.Remove(fifo))
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	require.ErrorContains(t, regenerate(t, dir, hdlgen.RefuseEdited), fifo)
	require.NoError(t, os.Remove(fifo))
	write(t, dir, "tester.f/mine", "a folder in its place")
	require.ErrorContains(t, regenerate(t, dir, hdlgen.OverwriteEdited), fifo+" is no part of the design")
}

// A link to a design's folder leads to it, and what is not the design's stays there too; the folder that one is in is refused
// under any name.
func TestLinkedDesign(t *testing.T) {
	dir := testDesign(t, testNetwork(t, []int{5, 3, 2}, 1, ""), 2)
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(dir, link))
	write(t, dir, "build/mine", "mine")
	require.NoError(t, regenerate(t, link, hdlgen.RefuseEdited))
	require.FileExists(t, filepath.Join(dir, "build/mine"))
	to, err := os.Readlink(link)
	require.NoError(t, err)
	require.Equal(t, dir, to)
	d, err := Open(dir)
	require.NoError(t, err)
	require.Equal(t, []int{6, 4, 3}, d.Plan.Network.Layers)

	t.Chdir(filepath.Join(dir, "build"))
	for _, name := range []string{dir, link, ".."} {
		require.ErrorContains(t, regenerate(t, name, hdlgen.RefuseEdited), "the folder that you are in")
	}
}

// A manifest from elsewhere may name any path: nothing outside the folder is looked at, and the search for folders ends.
func TestManifestOfAnyPaths(t *testing.T) {
	dir := testDesign(t, testNetwork(t, []int{5, 3, 2}, 1, ""), 2)
	m, err := hdlgen.ReadManifest(dir)
	require.NoError(t, err)
	outside := filepath.Join(filepath.Dir(dir), "mine")
	require.NoError(t, os.WriteFile(outside, nil, 0o644))
	for _, name := range []string{"/etc/passwd", "/", "", ".", "..", "../mine", "a//b/", outside} {
		m.Checksums[name] = "none"
	}
	text, err := json.Marshal(m)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "corinfo.json"), sealed(t, text), 0o644))
	require.NoError(t, regenerate(t, dir, hdlgen.OverwriteEdited))
	require.FileExists(t, outside)
}

// A foreign file, link or folder in the place of what a new design writes is refused, with --force too.
func TestForeignFileInTheWay(t *testing.T) {
	for name, make := range map[string]func(path string) error{
		"board/pins.lpf":       func(path string) error { return os.WriteFile(path, nil, 0o644) },
		"board/images":         func(path string) error { return os.Symlink(".", path) },
		"board/tester_board.v": func(path string) error { return os.Mkdir(path, 0o755) },
	} {
		n := testNetwork(t, []int{3, 2, 2}, 1, "")
		dir := testDesign(t, n, 2)
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, make(path))
		_, err := Generate(planned(t, n, 2), start(t, n), testBoard(t), nil, dir, hdlgen.OverwriteEdited)
		require.ErrorIs(t, err, golden.ErrUsage, name)
		require.ErrorContains(t, err, path+" is no part of the design")
		_, err = os.Lstat(path)
		require.NoError(t, err)
	}
}

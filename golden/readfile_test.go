package golden_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"corinfo/golden"
	"corinfo/golden/dataset"
	"corinfo/golden/goldentest"
	"corinfo/golden/network"
	"corinfo/golden/training"
	"corinfo/golden/weights"
)

// sparseFile makes a file of a length that takes no room on the disk.
func sparseFile(t *testing.T, path, start string, length int64) string {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(start), 0o644))
	require.NoError(t, os.Truncate(path, length))
	return path
}

// within fails a test whose work waits for something or reads gigabytes.
func within(t *testing.T, limit time.Duration, work func()) {
	t.Helper()
	done := make(chan bool)
	go func() { work(); close(done) }()
	select {
	case <-done:
	case <-time.After(limit):
		t.Fatalf("not done in %v", limit)
	}
}

func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, os.WriteFile(at("ten"), []byte("0123456789"), 0o644))
	require.NoError(t, os.Symlink("ten", at("link")))
	require.NoError(t, syscall.Mkfifo(at("pipe"), 0o644))
	for _, name := range []string{"ten", "link"} {
		text, err := golden.ReadFile(at(name), 10)
		require.NoError(t, err)
		require.Equal(t, "0123456789", string(text))
	}
	_, err := golden.ReadFile(at("none"), 10)
	require.ErrorIs(t, err, os.ErrNotExist)
	for _, c := range []struct{ path, words string }{
		{at("ten"), "is 10 bytes long; no file of its kind is longer than 9"},
		{sparseFile(t, at("huge"), "", 1<<40), "is 1099511627776 bytes long"},
		{at("pipe"), "is a pipe; want a regular file"},
		{dir, "is a folder; want a regular file"},
		{"/dev/zero", "/dev/zero is a device; want a regular file"},
		{"/proc/self/status", "no file of its kind is longer than 9"}, // which says that it is empty
	} {
		within(t, 5*time.Second, func() {
			_, err := golden.ReadFile(c.path, 9)
			require.ErrorContains(t, err, c.words)
		})
	}
}

// TestBoundedReads: files that are too long for their kind, or no files at all, are refused at once.
func TestBoundedReads(t *testing.T) {
	kinds := []struct {
		name  string // in a folder
		start string
		read  func(dir string) error
	}{
		{"net.yaml", "name: x\n", func(dir string) error { _, err := network.Load(filepath.Join(dir, "net.yaml")); return err }},
		{training.CheckpointFile, "", func(dir string) error { _, err := training.LoadCheckpoint(dir); return err }},
		{training.CheckpointFile, "corinfo checkpoint 1\n", func(dir string) error { _, err := training.LoadCheckpoint(dir); return err }},
		{training.MetricsLines, "{}\n", func(dir string) error { _, err := training.ReadTimes(dir); return err }},
		{"train-images-idx3-ubyte", "\x00\x00\x08\x03", func(dir string) error { _, err := dataset.Load(dataset.Source{Name: "idx", Path: dir}); return err }},
		{"train-images-idx3-ubyte.gz", "\x1f\x8b", func(dir string) error { _, err := dataset.Load(dataset.Source{Name: "idx", Path: dir}); return err }},
		{"data_batch_1.bin", "", func(dir string) error { _, err := dataset.Load(dataset.Source{Name: "cifar10", Path: dir}); return err }},
		{"w.npz", "PK\x03\x04", func(dir string) error {
			_, _, err := weights.Read(filepath.Join(dir, "w.npz"), goldentest.Run().Describe(), nil)
			return err
		}},
		{"w.safetensors", "\x08\x00\x00\x00\x00\x00\x00\x00{}      ", func(dir string) error {
			_, _, err := weights.Read(filepath.Join(dir, "w.safetensors"), goldentest.Run().Describe(), nil)
			return err
		}},
	}
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			for what, make := range map[string]func(path string){
				"long": func(path string) { sparseFile(t, path, k.start, 9<<30) },
				"pipe": func(path string) { require.NoError(t, syscall.Mkfifo(path, 0o644)) },
			} {
				dir := t.TempDir()
				make(filepath.Join(dir, k.name))
				within(t, 5*time.Second, func() { require.Error(t, k.read(dir), what) })
			}
		})
	}
}

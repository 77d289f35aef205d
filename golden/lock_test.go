package golden

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLockFolder(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "a", "b")
	l, err := LockFolder(dir)
	require.NoError(t, err)
	text, err := os.ReadFile(filepath.Join(dir, LockFile))
	require.NoError(t, err)
	host, err := os.Hostname()
	require.NoError(t, err)
	require.Regexp(t, fmt.Sprintf(`^process %d on %s since 20..-..-..T..:..:..Z\n$`, os.Getpid(), host), string(text))
	_, err = LockFolder(dir)
	require.ErrorIs(t, err, ErrHeld)
	require.ErrorContains(t, err, fmt.Sprintf("%s: held by process %d on %s since 20", dir, os.Getpid(), host))
	l.Unlock()
	require.NoFileExists(t, filepath.Join(top, "a"), "it was made for the lock")

	// A folder that was there stays, and so does what has been put into one that was made.
	l, err = LockFolder(top)
	require.NoError(t, err)
	l.Unlock()
	l, err = LockFolder(dir)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "x"), nil, 0o644))
	l.Unlock()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1)
	(*Lock)(nil).Unlock()
}

// TestFoundLock: what a killed process has left is no obstacle; what is no lock is left alone.
func TestFoundLock(t *testing.T) {
	for name, c := range map[string]struct {
		make  func(path string) error
		words string // of the refusal
	}{
		"killed": {func(path string) error {
			return os.WriteFile(path, []byte("process 1 on host since 2026-01-01T00:00:00Z\n"), 0o644)
		}, ""},
		"killed at birth": {func(path string) error { return os.WriteFile(path, nil, 0o644) }, ""},
		"someone's":       {func(path string) error { return os.WriteFile(path, []byte("years of work"), 0o644) }, "is no lock of corinfo"},
		"link": {func(path string) error {
			target := filepath.Join(t.TempDir(), "target")
			require.NoError(t, os.WriteFile(target, nil, 0o644))
			return os.Symlink(target, path)
		}, "lock"},
		"folder": {func(path string) error { return os.Mkdir(path, 0o755) }, "lock"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, LockFile)
			require.NoError(t, c.make(path))
			l, err := LockFolder(dir)
			if c.words == "" {
				require.NoError(t, err)
				l.Unlock()
				require.NoFileExists(t, path)
				return
			}
			require.ErrorContains(t, err, c.words)
			_, err = os.Lstat(path)
			require.NoError(t, err)
		})
	}
}

// A holder's text that is no lock's text is not repeated.
func TestLockText(t *testing.T) {
	dir := t.TempDir()
	l, err := LockFolder(dir)
	require.NoError(t, err)
	defer l.Unlock()
	require.NoError(t, os.WriteFile(filepath.Join(dir, LockFile), []byte("\x1b[2J process 1 on x since y"), 0o644))
	_, err = LockFolder(dir)
	require.ErrorIs(t, err, ErrHeld)
	require.ErrorContains(t, err, "held by another process;")
}

// TestLockRace: of many that lock, unlock and remove the lock's file at once, no two hold it at a time.
func TestLockRace(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "dir")
	var holders, held atomic.Int64
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 300 {
				l, err := LockFolder(dir)
				if err != nil {
					continue // held, or removed with its folder at this moment
				}
				if holders.Add(1) != 1 {
					t.Error("two hold the lock")
				}
				held.Add(1)
				holders.Add(-1)
				l.Unlock()
			}
		})
	}
	wait.Wait()
	require.Greater(t, held.Load(), int64(100))
	require.NoFileExists(t, dir)
}

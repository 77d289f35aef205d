package golden

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// LockFile is the file by which a process holds a folder: a run, a design or a study.
const LockFile = "corinfo.lock"

// ErrHeld marks what another process holds.
var ErrHeld = errors.New("in use")

// Lock is what this process holds. The lock is the operating system's, on an open file, and ends with the process in
// whatever way that ends; the text of the file tells others who holds it.
type Lock struct {
	file *os.File
	path string
	made []string // folders that were made for it, the innermost first
}

// lockText is what the file of a lock says; a host's name may be anything.
var lockText = regexp.MustCompile(`^process [0-9]+ on [^\s]{1,255} since [0-9TZ:.+-]{1,40}\n$`)

// LockFolder holds a folder, which it makes if it is not there, for this process alone. ErrHeld names the process that
// holds it, and since when.
func LockFolder(dir string) (*Lock, error) {
	Restore(dir)
	made, err := makeFolder(dir)
	if err != nil {
		return nil, fmt.Errorf("%w: folder: %w", ErrUsage, err)
	}
	l, err := LockPath(filepath.Join(dir, LockFile))
	if err != nil {
		removeEmpty(made)
		return nil, err
	}
	l.made = made
	return l, nil
}

// LockPath holds a file of a lock's text, which it makes if it is not there, as LockFolder holds a folder.
func LockPath(path string) (*Lock, error) {
	for {
		l, err := tryLock(path)
		if l != nil || err != nil {
			return l, err
		}
	}
}

// tryLock gives neither lock nor error when the file that it has locked was removed by its last holder meanwhile.
func tryLock(path string) (*Lock, error) {
	// A link could lead to any file.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0o666)
	if err != nil {
		return nil, fmt.Errorf("lock: %w", err)
	}
	held, err := flock(f)
	if err == nil && !held && !samePath(f, path) {
		f.Close()
		return nil, nil
	}
	text, _ := io.ReadAll(io.LimitReader(f, 512))
	switch {
	case err != nil:
		err = fmt.Errorf("lock: %s: %w; put it on a file system that has locks", path, err)
	case held:
		err = heldError(path, string(text))
	case len(text) > 0 && !lockText.Match(text):
		err = Usagef("%s is no lock of corinfo; move it away", path)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	host, _ := os.Hostname()
	host = strings.Join(strings.Fields(host), "-")
	if host == "" {
		host = "unknown"
	}
	// A full disk has no room for the text; the lock holds all the same.
	_ = f.Truncate(0)
	_, _ = fmt.Fprintf(io.NewOffsetWriter(f, 0), "process %d on %s since %s\n", os.Getpid(), host, time.Now().UTC().Format(time.RFC3339))
	return &Lock{file: f, path: path}, nil
}

func heldError(path, text string) error {
	who := "another process"
	if lockText.MatchString(text) {
		who = strings.TrimSuffix(text, "\n")
	}
	return fmt.Errorf("%w: %s: held by %s; wait until it ends, or end it", ErrHeld, strings.TrimSuffix(path,
		string(filepath.Separator)+LockFile), who)
}

// Unlock gives up what the process holds; a folder that was made for the lock goes if nothing is in it. A lock that is nil
// is none.
func (l *Lock) Unlock() {
	if l == nil {
		return
	}
	if samePath(l.file, l.path) { // not that of another folder which has taken the place of this one
		os.Remove(l.path)
	}
	l.file.Close()
	removeEmpty(l.made)
}

// flock takes the lock of an open file; held: another process has it.
func flock(f *os.File) (held bool, err error) {
	raw, err := f.SyscallConn()
	if err != nil {
		return false, err
	}
	var locked error
	if err := raw.Control(func(fd uintptr) { locked = unix.Flock(int(fd), unix.LOCK_EX|unix.LOCK_NB) }); err != nil {
		return false, err
	}
	if errors.Is(locked, unix.EWOULDBLOCK) {
		return true, nil
	}
	return false, locked
}

// samePath tells whether a path still leads to an open file.
func samePath(f *os.File, path string) bool {
	open, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Lstat(path)
	return err == nil && os.SameFile(open, there)
}

// makeFolder makes a folder with those above it, and names what it has made, the innermost first.
func makeFolder(dir string) (made []string, err error) {
	for at := filepath.Clean(dir); ; at = filepath.Dir(at) {
		if _, err := os.Stat(at); !errors.Is(err, os.ErrNotExist) || at == filepath.Dir(at) {
			break
		}
		made = append(made, at)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		removeEmpty(made)
		return nil, err
	}
	return made, nil
}

// removeEmpty removes folders, the innermost first, as far as nothing is in them.
func removeEmpty(dirs []string) {
	for _, dir := range dirs {
		os.Remove(dir)
	}
}

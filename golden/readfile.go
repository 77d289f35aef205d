package golden

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// ReadFile reads a regular file of at most limit bytes; a link to one is as good. Anything else is refused before its
// first byte is read: a pipe waits for its writer, a device may never end, and a file that is longer than any of its
// kind would fill the memory only to be refused then. Errors name the file; one that is not there is os.ErrNotExist.
func ReadFile(path string, limit int64) ([]byte, error) {
	f, size, err := OpenFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if size > limit {
		return nil, tooLong(path, size, limit)
	}
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(text)) > limit { // it grows, or does not know its size
		err = tooLong(path, int64(len(text)), limit)
	}
	return text, err
}

// OpenFile opens a regular file and tells its size. Nothing else is waited for: the name of a pipe is opened without
// its writer.
func OpenFile(path string) (*os.File, int64, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is %s; want a regular file", path, typeOf(info.Mode()))
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

func tooLong(path string, size, limit int64) error {
	return fmt.Errorf("%s is %d bytes long; no file of its kind is longer than %d", path, size, limit)
}

// typeOf names what is no regular file.
func typeOf(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a folder"
	case mode&fs.ModeNamedPipe != 0:
		return "a pipe"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return fmt.Sprintf("of kind %v", mode.Type())
}

package golden

import (
	"os"

	"golang.org/x/sys/unix"
)

// exchangePaths lets two paths of one file system change places in one step, where it can.
func exchangePaths(a, b string) error {
	if err := unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE); err != nil {
		return &os.LinkError{Op: "exchange", Old: a, New: b, Err: err}
	}
	return nil
}

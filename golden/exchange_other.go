//go:build !linux

package golden

import (
	"errors"
	"os"
)

// exchangePaths is what this system cannot do.
func exchangePaths(a, b string) error {
	if _, err := os.Lstat(b); err != nil {
		return err
	}
	return errors.ErrUnsupported
}

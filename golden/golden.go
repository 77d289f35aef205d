// Package golden is the reference: what a network computes, in real numbers and to the last bit. Its packages are the parts of it:
// network (the network file), rule (what a network is), arithmetic, machine and float (its readings), dataset, weights, training
// (and what it leaves on the disk), calibrate (formats from ranges) and plots. Here is what all of them
// share: kinds of errors, and files that are read with care and written whole or not at all.
package golden

import (
	"errors"
	"fmt"
)

// ErrUsage marks an error of the user's settings or arguments.
var ErrUsage = errors.New("wrong input")

// ErrDamaged marks a file whose content is not what was written.
var ErrDamaged = errors.New("damaged data")

// Usagef is an ErrUsage.
func Usagef(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrUsage}, args...)...)
}

// MaxNeurons is the largest layer: the generator of random words indexes rows and columns by 16 bits.
const MaxNeurons = 1 << 16

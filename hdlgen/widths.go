package hdlgen

import (
	"math/bits"

	fx "corinfo/fixedpoint"
)

// AddressBits are the bits that count n things, at least 1.
func AddressBits(n int) int { return max(1, bits.Len(uint(n-1))) }

// SignedWidth is the width of a format's values as signed words.
func SignedWidth(f fx.Format) int {
	if !f.Signed {
		return f.Width + 1
	}
	return max(f.Width, 2)
}

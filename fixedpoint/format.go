// Package fixedpoint is exact fixed-point arithmetic: number formats, rounding and overflow as ap_fixed
// defines them, exact operations with derived formats, and graphs of operations that Go evaluates here
// and hdlgen prints as pipelines. It knows nothing of networks.
package fixedpoint

import (
	"fmt"
	"math"
	"math/bits"
)

// MaxWord is the largest width of a stored word, MaxWidth that of an intermediate value.
const (
	MaxWord  = 64
	MaxWidth = 256
)

// Format is the set of values raw * 2^-Frac, raw an integer of Width bits, two's complement when Signed.
// Frac may be negative or larger than Width. A word of up to MaxWord bits travels as an int64; an
// unsigned word of 64 bits as the int64 of the same bits.
type Format struct {
	Width, Frac int
	Signed      bool
}

// S is a signed format.
func S(width, frac int) Format { return Format{width, frac, true} }

// U is an unsigned format.
func U(width, frac int) Format { return Format{width, frac, false} }

// String prints s16f12 for 16 signed bits of which 12 are fraction, u8f8 for unsigned.
func (f Format) String() string {
	sign := "u"
	if f.Signed {
		sign = "s"
	}
	return fmt.Sprintf("%s%df%d", sign, f.Width, f.Frac)
}

// Check tells whether the width is one that this package computes with.
func (f Format) Check() error {
	limit := MaxWidth
	if !f.Signed {
		limit-- // an Int has a sign bit
	}
	if f.Width < 1 || f.Width > limit {
		return fmt.Errorf("format %v: width %d is outside 1 to %d bits", f, f.Width, limit)
	}
	return nil
}

// Min is the smallest raw value.
func (f Format) Min() Int {
	if !f.Signed {
		return Int{}
	}
	return NewInt(-1).Shl(f.Width - 1)
}

// Max is the largest raw value.
func (f Format) Max() Int {
	width := f.Width
	if f.Signed {
		width--
	}
	return NewInt(1).Shl(width).Sub(NewInt(1))
}

// Contains tells whether v is a raw value of the format.
func (f Format) Contains(v Int) bool { return v.Cmp(f.Min()) >= 0 && v.Cmp(f.Max()) <= 0 }

// FitsInt64 tells whether every raw value is an int64 numerically.
func (f Format) FitsInt64() bool { return f.Width <= 63 || f.Signed && f.Width == 64 }

// FitsInt32 tells whether every raw value is an int32.
func (f Format) FitsInt32() bool { return f.Width <= 31 || f.Signed && f.Width == 32 }

// FitsInt16 tells whether every raw value is an int16.
func (f Format) FitsInt16() bool { return f.Width <= 15 || f.Signed && f.Width == 16 }

// fitsFloat64 tells whether every raw value is below 2^52 in magnitude, -2^52 at least: a float64 holds these with their halves.
func (f Format) fitsFloat64() bool { return f.Width <= 52 || f.Signed && f.Width == 53 }

// Int is the raw value of a stored word.
func (f Format) Int(word int64) Int {
	if !f.Signed && f.Width == 64 {
		return NewUint(uint64(word))
	}
	return NewInt(word)
}

// Word is the stored word of a raw value of at most 64 bits.
func (f Format) Word(v Int) int64 { return int64(v.low64()) }

// Float is the value of a stored word, rounded to a float64.
func (f Format) Float(word int64) float64 {
	if !f.Signed && f.Width == 64 {
		return math.Ldexp(float64(uint64(word)), -f.Frac)
	}
	return math.Ldexp(float64(word), -f.Frac)
}

// integer is the number of bits in front of the binary point, without the sign.
func (f Format) integer() int {
	if f.Signed {
		return f.Width - 1 - f.Frac
	}
	return f.Width - f.Frac
}

// build is the format with the given integer bits (without sign) and fraction.
func build(integer, frac int, signed bool) Format {
	width := integer + frac
	if signed {
		width++
	}
	return Format{max(width, 1), frac, signed}
}

// Union is the narrowest format that holds every value of both exactly.
func Union(a, b Format) Format {
	return build(max(a.integer(), b.integer()), max(a.Frac, b.Frac), a.Signed || b.Signed)
}

// AddFormat is the format of an exact sum.
func AddFormat(a, b Format) Format {
	u := Union(a, b)
	u.Width++
	return u
}

// SubFormat is the format of an exact difference, always signed.
func SubFormat(a, b Format) Format {
	u := Union(a, b)
	if !u.Signed {
		// Of two unsigned values the difference is within plus or minus the larger range.
		return Format{u.Width + 1, u.Frac, true}
	}
	u.Width++
	return u
}

// MulFormat is the format of an exact product.
func MulFormat(a, b Format) Format {
	return Format{a.Width + b.Width, a.Frac + b.Frac, a.Signed || b.Signed}
}

// NegFormat is the format of an exact negative.
func NegFormat(a Format) Format { return Format{a.Width + 1, a.Frac, true} }

// ShiftFormat is the format of a value times 2^n: only the binary point moves.
func ShiftFormat(a Format, n int) Format { return Format{a.Width, a.Frac - n, a.Signed} }

// SumFormat is the format of an exact sum of up to terms values.
func SumFormat(a Format, terms int) Format {
	if terms > 1 {
		a.Width += bits.Len(uint(terms - 1))
	}
	return a
}

package fixedpoint

import (
	"math"
	"math/big"
	"math/bits"
)

// Int is an exact 256-bit two's complement integer, wide enough for every intermediate value of a graph
// (MaxWidth). The zero value is 0; values compare with ==.
type Int struct{ w [4]uint64 } // least significant word first

// NewInt is x as an Int.
func NewInt(x int64) Int {
	s := uint64(x >> 63)
	return Int{[4]uint64{uint64(x), s, s, s}}
}

// NewUint is x as an Int.
func NewUint(x uint64) Int { return Int{[4]uint64{x}} }

// Add is x + y modulo 2^256.
func (x Int) Add(y Int) (z Int) {
	var c uint64
	for i := range z.w {
		z.w[i], c = bits.Add64(x.w[i], y.w[i], c)
	}
	return z
}

// Sub is x - y modulo 2^256.
func (x Int) Sub(y Int) (z Int) {
	var b uint64
	for i := range z.w {
		z.w[i], b = bits.Sub64(x.w[i], y.w[i], b)
	}
	return z
}

// Neg is -x.
func (x Int) Neg() Int { return Int{}.Sub(x) }

// Mul is x * y modulo 2^256.
func (x Int) Mul(y Int) (z Int) {
	for i, a := range x.w {
		var carry uint64
		for j := 0; i+j < len(z.w); j++ {
			hi, lo := bits.Mul64(a, y.w[j])
			var c uint64
			lo, c = bits.Add64(lo, carry, 0)
			hi += c
			z.w[i+j], c = bits.Add64(z.w[i+j], lo, 0)
			carry = hi + c
		}
	}
	return z
}

// Shl is x * 2^n modulo 2^256, n >= 0.
func (x Int) Shl(n int) (z Int) {
	if n >= MaxWidth {
		return Int{}
	}
	words, rest := n/64, uint(n%64)
	for i := 3; i >= words; i-- {
		z.w[i] = x.w[i-words] << rest
		if rest > 0 && i > words {
			z.w[i] |= x.w[i-words-1] >> (64 - rest)
		}
	}
	return z
}

// Shr is floor(x / 2^n), n >= 0.
func (x Int) Shr(n int) (z Int) {
	sign := uint64(int64(x.w[3]) >> 63)
	if n >= MaxWidth {
		return Int{[4]uint64{sign, sign, sign, sign}}
	}
	words, rest := n/64, uint(n%64)
	at := func(i int) uint64 {
		if i > 3 {
			return sign
		}
		return x.w[i]
	}
	for i := range z.w {
		z.w[i] = at(i+words) >> rest
		if rest > 0 {
			z.w[i] |= at(i+words+1) << (64 - rest)
		}
	}
	return z
}

// Div is floor(x / y), y > 0.
func (x Int) Div(y Int) Int {
	if x.Sign() < 0 { // with ^x = -x - 1, which is not negative
		return x.not().Div(y).not()
	}
	if y.w[1]|y.w[2]|y.w[3] == 0 {
		var rest uint64
		for i := (x.length() - 1) / 64; i >= 0; i-- {
			x.w[i], rest = bits.Div64(rest, x.w[i], y.w[0])
		}
		return x
	}
	var q, rest Int
	for i := x.length() - 1; i >= 0; i-- {
		rest = rest.Shl(1)
		rest.w[0] |= uint64(x.Bit(i))
		if rest.Cmp(y) >= 0 {
			rest = rest.Sub(y)
			q.w[i/64] |= 1 << (i % 64)
		}
	}
	return q
}

// Sqrt is floor(sqrt(x)), 0 where x is negative.
func (x Int) Sqrt() Int {
	if x.Sign() <= 0 {
		return Int{}
	}
	// Newton's iteration from above, where it falls until it is there. It begins with the root of the highest bits, plus one.
	low := (max(x.length()-52, 0) + 1) &^ 1
	z := NewInt(int64(math.Sqrt(float64(x.Shr(low).w[0]))) + 1).Shl(low / 2)
	for {
		next := z.Add(x.Div(z)).Shr(1)
		if next.Cmp(z) >= 0 {
			return z
		}
		z = next
	}
}

func (x Int) not() Int {
	for i := range x.w {
		x.w[i] = ^x.w[i]
	}
	return x
}

// length is the number of bits of x, which is not negative.
func (x Int) length() int {
	for i := 3; i > 0; i-- {
		if x.w[i] != 0 {
			return 64*i + bits.Len64(x.w[i])
		}
	}
	return bits.Len64(x.w[0])
}

// Sign is -1, 0 or 1.
func (x Int) Sign() int {
	switch {
	case int64(x.w[3]) < 0:
		return -1
	case x == Int{}:
		return 0
	}
	return 1
}

// Cmp is -1, 0 or 1 as x is below, equal to or above y.
func (x Int) Cmp(y Int) int {
	if x.w[3] != y.w[3] {
		if int64(x.w[3]) < int64(y.w[3]) {
			return -1
		}
		return 1
	}
	for i := 2; i >= 0; i-- {
		if x.w[i] != y.w[i] {
			if x.w[i] < y.w[i] {
				return -1
			}
			return 1
		}
	}
	return 0
}

// Bit is bit n of the two's complement, n >= 0.
func (x Int) Bit(n int) uint {
	if n >= MaxWidth {
		n = MaxWidth - 1
	}
	return uint(x.w[n/64]>>(n%64)) & 1
}

// Int64 is x and whether it is an int64.
func (x Int) Int64() (v int64, ok bool) {
	v = int64(x.w[0])
	return v, NewInt(v) == x
}

// low64 is x modulo 2^64.
func (x Int) low64() uint64 { return x.w[0] }

// Big is x as a big.Int.
func (x Int) Big() *big.Int {
	z := new(big.Int)
	for i := 3; i >= 0; i-- {
		z.Lsh(z, 64).Or(z, new(big.Int).SetUint64(x.w[i]))
	}
	if x.Sign() < 0 {
		z.Sub(z, new(big.Int).Lsh(big.NewInt(1), MaxWidth))
	}
	return z
}

// FromBig is x modulo 2^256 and whether it is x.
func FromBig(x *big.Int) (z Int, ok bool) {
	modulus := new(big.Int).Lsh(big.NewInt(1), MaxWidth)
	low := new(big.Int).Mod(x, modulus)
	mask := new(big.Int).SetUint64(^uint64(0))
	for i := range z.w {
		z.w[i] = new(big.Int).And(low, mask).Uint64()
		low.Rsh(low, 64)
	}
	return z, z.Big().Cmp(x) == 0
}

// String is x in decimal.
func (x Int) String() string { return x.Big().String() }

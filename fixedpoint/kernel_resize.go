package fixedpoint

import (
	"math"

	"corinfo/fixedpoint/vector"
)

// resize is Type.Resize from a fixed source format, in int64.
type resize struct {
	t        Type
	left     uint            // exact: shift left
	drop     uint            // bits to drop
	lo, hi   int64           // the range
	rounding vector.Rounding // the limits are the range; for Wrap, all values
	wrap     uint            // Wrap: 64 - width
}

// newResize prepares a conversion; ok is false where int64 does not hold all of its intermediate values.
func newResize(t Type, from Format) (r resize, ok bool) {
	drop := from.Frac - t.Frac
	low, high := t.Range()
	r = resize{t: t, wrap: uint(64 - t.Width)}
	r.lo, _ = low.Int64()
	r.hi, _ = high.Int64()
	r.rounding.Limits = vector.Limits{Lo: r.lo, Hi: r.hi}
	switch t.Overflow {
	case Sat, SatSym:
		r.rounding.Below, r.rounding.Above = r.lo, r.hi
	case Wrap:
		r.rounding.Lo, r.rounding.Hi = math.MinInt64, math.MaxInt64
	}
	if drop <= 0 {
		r.left = uint(-drop)
		return r, Format{from.Width - drop, 0, from.Signed}.FitsInt64()
	}
	// What rounding adds is below 2^drop; the sum must not pass 2^63.
	if drop > 62 || from.Width > 63 || from.Width > 62 && !from.Signed {
		return r, false
	}
	r.drop = uint(drop)
	r.setRounding()
	return r, true
}

// setRounding tells what is added before bits are dropped: in some modes what depends on the value's sign, or on the bit above the
// dropped ones.
func (r *resize) setRounding() {
	const sign = 63
	half, z := int64(1)<<(r.drop-1), &r.rounding
	z.Drop = uint64(r.drop)
	switch r.t.Rounding {
	case Rnd:
		z.Addend = half
	case RndMinInf:
		z.Addend = half - 1
	case TrnZero:
		z.Sign, z.Mask = sign, 1<<r.drop-1
	case RndZero: // ties down for positive values, up for negative ones
		z.Addend, z.Sign, z.Mask = half-1, sign, 1
	case RndInf:
		z.Addend, z.Sign, z.Mask = half, sign, -1
	case RndConv:
		z.Addend, z.Sign, z.Mask = half-1, uint64(r.drop), 1
	case Stochastic: // the top bits of the random word, as many as are dropped
		z.Down, z.Up = uint64(32-min(r.drop, 32)), uint64(max(r.drop, 32)-32)
	}
}

// stochastic tells that random words are added.
func (r *resize) stochastic() bool { return r.drop > 0 && r.t.Rounding == Stochastic }

// sum converts a sum, shifted to the left already, into z and counts the values outside the range.
func (r *resize) sum(z []int64, t *vector.Terms, constant int64) (over int64) {
	return r.finish(z, vector.SumRound(z, t, constant, &r.rounding))
}

// random is sum by random words.
func (r *resize) random(z []int64, t *vector.Terms, constant int64, random []int64) (over int64) {
	return r.finish(z, vector.SumRoundRandom(z, t, constant, &r.rounding, random))
}

// finish gives the number of values outside the range, and wraps them around where that is the mode.
func (r *resize) finish(z []int64, outside int64) (over int64) {
	if r.t.Overflow == Wrap {
		return r.wrapAround(z)
	}
	return outside
}

// wrapAround keeps the lowest bits of values outside the range.
func (r *resize) wrapAround(z []int64) (over int64) {
	for i, v := range z {
		if v < r.lo || v > r.hi {
			over++
			if r.t.Signed {
				z[i] = v << r.wrap >> r.wrap
			} else {
				z[i] = int64(uint64(v) << r.wrap >> r.wrap)
			}
		}
	}
	return over
}

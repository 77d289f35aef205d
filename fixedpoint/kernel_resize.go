package fixedpoint

import (
	"math"

	"corinfo/fixedpoint/vector"
)

// resize is Type.Resize from a fixed source format, in int64.
type resize struct {
	t          Type
	stochastic bool
	left       uint          // exact: shift left
	drop       uint          // bits to drop
	half, mask int64         // of the dropped bits
	limits     vector.Limits // the range and, except for Wrap, what a value outside becomes
	wrap       uint          // Wrap: 64 - width
}

// newResize prepares a conversion; ok is false where int64 does not hold all of its intermediate values.
func newResize(t Type, from Format, stochastic bool) (r resize, ok bool) {
	drop := from.Frac - t.Frac
	low, high := t.Range()
	r = resize{t: t, stochastic: stochastic, wrap: uint(64 - t.Width)}
	r.limits.Lo, _ = low.Int64()
	r.limits.Hi, _ = high.Int64()
	if t.Overflow == Sat || t.Overflow == SatSym {
		r.limits.Below, r.limits.Above = r.limits.Lo, r.limits.Hi
	}
	if drop <= 0 {
		r.left = uint(-drop)
		return r, Format{from.Width - drop, 0, from.Signed}.FitsInt64()
	}
	// What rounding adds is below 2^drop; the sum must not pass 2^63.
	if drop > 62 || from.Width > 63 || from.Width > 62 && !from.Signed {
		return r, false
	}
	r.drop, r.half, r.mask = uint(drop), 1<<(drop-1), 1<<drop-1
	return r, true
}

// run converts a into z and counts the values outside the range. random is for stochastic rounding.
func (r *resize) run(z, a, random []int64) (over int64) {
	if len(a) == 1 && len(z) > 1 {
		// One value, many random words.
		fill(z, a[0])
		a = z
	}
	// Stochastic adds the top bits of the random word, as many as are dropped.
	up, down := max(r.drop, 32)-32, 32-min(r.drop, 32)
	limits := r.limits
	if r.t.Overflow == Wrap {
		limits = unlimited
	}
	switch {
	case r.drop == 0:
		vector.AddOne(z, a, r.left, 0)
		over = vector.Round(z, z, 0, 0, limits)
	case r.t.Rounding == Trn:
		over = vector.Round(z, a, 0, r.drop, limits)
	case r.t.Rounding == Rnd:
		over = vector.Round(z, a, r.half, r.drop, limits)
	case r.t.Rounding == RndMinInf:
		over = vector.Round(z, a, r.half-1, r.drop, limits)
	case r.t.Rounding == Stochastic && len(random) == 1:
		over = vector.Round(z, a, random[0]>>down<<up, r.drop, limits)
	case r.t.Rounding == Stochastic:
		over = vector.RoundRandom(z, a, random, down, up, r.drop, limits)
	default:
		r.roundBySign(z, a)
		over = vector.Round(z, z, 0, 0, limits)
	}
	if r.t.Overflow == Wrap {
		return r.wrapAround(z)
	}
	return over
}

var unlimited = vector.Limits{Lo: math.MinInt64, Hi: math.MaxInt64}

// wrapAround keeps the lowest bits of values outside the range.
func (r *resize) wrapAround(z []int64) (over int64) {
	for i, v := range z {
		if v < r.limits.Lo || v > r.limits.Hi {
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

// roundBySign rounds where what is added to a value before its bits are dropped depends on the value.
func (r *resize) roundBySign(z, a []int64) {
	// The compiler does not know that z leaves the fields alone, nor that shifts are below 64.
	drop, half, mask := r.drop&63, r.half, r.mask
	a = a[:len(z)]
	switch r.t.Rounding {
	case TrnZero:
		for i, v := range a {
			z[i] = (v + v>>63&mask) >> drop
		}
	case RndZero:
		// Ties down for positive values, up for negative ones.
		for i, v := range a {
			z[i] = (v + half - 1 - v>>63) >> drop
		}
	case RndInf:
		for i, v := range a {
			z[i] = (v + half + v>>63) >> drop
		}
	case RndConv:
		for i, v := range a {
			z[i] = (v + half - 1 + v>>drop&1) >> drop
		}
	}
}

package fixedpoint

import (
	"math"

	"corinfo/fixedpoint/vector"
)

// resize is Type.Resize from a fixed source format, in int64.
type resize struct {
	t          Type
	left       uint          // exact: shift left
	drop       uint          // bits to drop
	half, mask int64         // of the dropped bits
	lo, hi     int64         // the range
	limits     vector.Limits // the range and what a value outside becomes; for Wrap, all values
	wrap       uint          // Wrap: 64 - width
}

// newResize prepares a conversion; ok is false where int64 does not hold all of its intermediate values.
func newResize(t Type, from Format) (r resize, ok bool) {
	drop := from.Frac - t.Frac
	low, high := t.Range()
	r = resize{t: t, wrap: uint(64 - t.Width)}
	r.lo, _ = low.Int64()
	r.hi, _ = high.Int64()
	r.limits = vector.Limits{Lo: r.lo, Hi: r.hi}
	switch t.Overflow {
	case Sat, SatSym:
		r.limits.Below, r.limits.Above = r.lo, r.hi
	case Wrap:
		r.limits.Lo, r.limits.Hi = math.MinInt64, math.MaxInt64
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

// stochastic tells that random words are added.
func (r *resize) stochastic() bool { return r.drop > 0 && r.t.Rounding == Stochastic }

// bySign tells that what is added to a value before its bits are dropped depends on the value.
func (r *resize) bySign() bool {
	return r.drop > 0 && (r.t.Rounding == TrnZero || r.t.Rounding == RndZero || r.t.Rounding == RndInf || r.t.Rounding == RndConv)
}

// addend is what is added to a value before its bits are dropped.
func (r *resize) addend() int64 {
	switch {
	case r.drop > 0 && r.t.Rounding == Rnd:
		return r.half
	case r.drop > 0 && r.t.Rounding == RndMinInf:
		return r.half - 1
	}
	return 0
}

// sum converts a sum, shifted to the left already, into z and counts the values outside the range.
func (r *resize) sum(z []int64, t *vector.Terms, constant int64) (over int64) {
	return r.finish(z, vector.SumRound(z, t, constant+r.addend(), r.drop, r.limits))
}

// random converts a into z by random words and counts the values outside the range.
func (r *resize) random(z, a, random []int64) (over int64) {
	// The top bits of the random word, as many as are dropped.
	up, down := max(r.drop, 32)-32, 32-min(r.drop, 32)
	if len(a) < len(z) { // one value, many random words
		fill(z, a[0])
		a = z
	}
	return r.finish(z, vector.RoundRandom(z, a, random, down, up, r.drop, r.limits))
}

// values converts a into z and counts the values outside the range; room is overwritten.
func (r *resize) values(z, a []int64, room *vector.Terms) (over int64) {
	if r.bySign() {
		r.roundBySign(z, a)
	} else {
		for i, v := range a {
			z[i] = (v<<r.left + r.addend()) >> r.drop
		}
	}
	room.List, room.Plus, room.Minus = append(room.List[:0], vector.Term{Values: z}), 1, 0
	return r.finish(z, vector.SumRound(z, room, 0, 0, r.limits))
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

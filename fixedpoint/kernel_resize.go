package fixedpoint

// resize is Type.Resize from a fixed source format, in int64.
type resize struct {
	t          Type
	stochastic bool
	left       uint  // exact: shift left
	drop       uint  // bits to drop
	half, mask int64 // of the dropped bits
	lo, hi     int64 // range
	below      int64 // what a value below or above the range becomes
	above      int64
	wrap       uint // Wrap: 64 - width
}

// newResize prepares a conversion; ok is false where int64 does not hold all of its intermediate values.
func newResize(t Type, from Format, stochastic bool) (r resize, ok bool) {
	drop := from.Frac - t.Frac
	low, high := t.Range()
	r = resize{t: t, stochastic: stochastic, wrap: uint(64 - t.Width)}
	r.lo, _ = low.Int64()
	r.hi, _ = high.Int64()
	if t.Overflow == Sat || t.Overflow == SatSym {
		r.below, r.above = r.lo, r.hi
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
	a = a[:len(z)]
	// The compiler does not know that z leaves the fields alone, nor that shifts are below 64.
	drop, half, mask := r.drop&63, r.half, r.mask
	switch {
	case drop == 0:
		left := r.left & 63
		for i, v := range a {
			z[i] = v << left
		}
	case r.t.Rounding == Trn:
		for i, v := range a {
			z[i] = v >> drop
		}
	case r.t.Rounding == Rnd:
		for i, v := range a {
			z[i] = (v + half) >> drop
		}
	case r.t.Rounding == RndMinInf:
		half--
		for i, v := range a {
			z[i] = (v + half) >> drop
		}
	case r.t.Rounding == TrnZero:
		for i, v := range a {
			z[i] = (v + v>>63&mask) >> drop
		}
	case r.t.Rounding == RndZero:
		// Ties down for positive values, up for negative ones.
		for i, v := range a {
			z[i] = (v + half - 1 - v>>63) >> drop
		}
	case r.t.Rounding == RndInf:
		for i, v := range a {
			z[i] = (v + half + v>>63) >> drop
		}
	case r.t.Rounding == RndConv:
		for i, v := range a {
			z[i] = (v + half - 1 + v>>drop&1) >> drop
		}
	default:
		// The top bits of the random word, as many as are dropped.
		up, down := max(drop, 32)-32, 32-min(drop, 32)
		if len(random) == 1 {
			word := random[0] >> down << up
			for i, v := range a {
				z[i] = (v + word) >> drop
			}
			break
		}
		random = random[:len(a)]
		for i, v := range a {
			z[i] = (v + random[i]>>(down&63)<<(up&63)) >> drop
		}
	}
	lo, span := r.lo, uint64(r.hi)-uint64(r.lo)
	for i, v := range z {
		if uint64(v)-uint64(lo) > span {
			over++
			z[i] = r.outside(v)
		}
	}
	return over
}

// outside is the overflow mode's word for a value beyond the range.
func (r *resize) outside(v int64) int64 {
	switch {
	case r.t.Overflow != Wrap && v < r.lo:
		return r.below
	case r.t.Overflow != Wrap:
		return r.above
	case r.t.Signed:
		return v << r.wrap >> r.wrap
	}
	return int64(uint64(v) << r.wrap >> r.wrap)
}

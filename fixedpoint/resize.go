package fixedpoint

import (
	"fmt"
	"math"
)

// Resize converts the exact value v * 2^-frac to t: rounding, then overflow. random is used by Stochastic
// alone. overflow tells that the rounded value is outside the range (for SatSym: the symmetric range).
func (t Type) Resize(v Int, frac int, random uint32) (word int64, overflow bool) {
	drop := frac - t.Frac
	if drop <= 0 {
		// Exact; a left shift by 256 or more of a nonzero value is far outside every range.
		if v == (Int{}) {
			return 0, false
		}
		if -drop > MaxWidth-66 || v.Shl(-drop).Shr(-drop) != v {
			return t.limit(v, -drop)
		}
		return t.fit(v.Shl(-drop))
	}
	return t.fit(t.round(v, drop, random))
}

// round is v / 2^drop as an integer, drop > 0.
func (t Type) round(v Int, drop int, random uint32) Int {
	floor := v.Shr(drop)
	var up bool // one more than the floor
	half := v.Bit(drop-1) == 1
	var rest bool // something below the half
	if drop > 1 {
		rest = v != v.Shr(drop-1).Shl(min(drop-1, MaxWidth))
	}
	inexact := half || rest
	negative := v.Sign() < 0
	switch t.Rounding {
	case Trn:
	case TrnZero:
		up = negative && inexact
	case Rnd:
		up = half
	case RndMinInf:
		up = half && rest
	case RndZero:
		up = half && (rest || negative)
	case RndInf:
		up = half && (rest || !negative)
	case RndConv:
		up = half && (rest || floor.Bit(0) == 1)
	case Stochastic:
		// The random part is a multiple of the last bit that it reaches: what is below never carries.
		if drop > 32 {
			return v.Shr(drop - 32).Add(NewUint(uint64(random))).Shr(32)
		}
		dropped := v.low64() & (1<<drop - 1)
		up = (dropped+uint64(random>>(32-drop)))>>drop == 1
	}
	if up {
		return floor.Add(NewInt(1))
	}
	return floor
}

// Range is the lowest and the highest raw value that the overflow mode leaves alone: those of the format,
// for SatSym without the value that has no negative.
func (t Type) Range() (low, high Int) {
	low, high = t.Min(), t.Max()
	if t.Overflow == SatSym && t.Signed {
		low = high.Neg()
	}
	return low, high
}

// fit applies the overflow mode to a rounded raw value.
func (t Type) fit(v Int) (word int64, overflow bool) {
	low, high := t.Range()
	if v.Cmp(low) >= 0 && v.Cmp(high) <= 0 {
		return t.Word(v), false
	}
	switch t.Overflow {
	case SatZero:
		return 0, true
	case Sat, SatSym:
		if v.Sign() < 0 {
			return t.Word(low), true
		}
		return t.Word(high), true
	}
	v = v.Shl(MaxWidth - t.Width)
	if t.Signed {
		return t.Word(v.Shr(MaxWidth - t.Width)), true
	}
	return int64(v.Shr(MaxWidth-t.Width).low64() & (1<<t.Width - 1)), true
}

// limit is fit for v * 2^shift where that does not fit an Int, so that it is surely out of range.
func (t Type) limit(v Int, shift int) (word int64, overflow bool) {
	if t.Overflow == Wrap {
		word, _ = t.fit(v.Shl(shift))
		return word, true
	}
	return t.fit(NewInt(int64(v.Sign())).Shl(MaxWidth - 2))
}

// nearest is x rounded by Rnd, where it is well within the range: float64 is exact then, and fast.
func (t Type) nearest(x float64) (word int64, ok bool) {
	if t.Rounding != Rnd || t.Width > 50 || t.Frac < -500 || t.Frac > 500 {
		return 0, false
	}
	scaled := x * math.Float64frombits(uint64(1023+t.Frac)<<52) // 2^Frac
	if scaled != 0 && math.Abs(scaled) < 0x1p-1000 {            // perhaps below the normal numbers: not exact
		return 0, false
	}
	low, high := 0.0, float64(int64(1)<<t.Width)-1
	if t.Signed {
		low, high = -float64(int64(1)<<(t.Width-1)), float64(int64(1)<<(t.Width-1))-1
	}
	if !(scaled > low+1 && scaled < high) { // not at the ends, where overflow modes differ
		return 0, false
	}
	down := math.Floor(scaled)
	word = int64(down)
	if scaled-down >= 0.5 {
		word++
	}
	return word, true
}

// FromFloat converts x exactly as Resize does, Stochastic rounding to nearest. NaN and infinity are errors.
func (t Type) FromFloat(x float64) (word int64, overflow bool, err error) {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return 0, false, fmt.Errorf("%v is not a number that %v can hold", x, t)
	}
	if t.Rounding == Stochastic {
		t.Rounding = Rnd
	}
	if word, ok := t.nearest(x); ok {
		return word, false, nil
	}
	mantissa, exponent := math.Frexp(x)
	word, overflow = t.Resize(NewInt(int64(math.Ldexp(mantissa, 53))), 53-exponent, 0)
	return word, overflow, nil
}

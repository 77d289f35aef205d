package fixedpoint

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// Rounding says how a value is brought to a multiple of the last place. The examples bring -2.5, 2.5
// and 2.75 to integers. The zero value uses no hardware.
type Rounding uint8

const (
	Trn        Rounding = iota // to the multiple below: -3, 2, 2
	TrnZero                    // towards zero: -2, 2, 2
	Rnd                        // to nearest, ties up: -2, 3, 3
	RndMinInf                  // to nearest, ties down: -3, 2, 3
	RndZero                    // to nearest, ties towards zero: -2, 2, 3
	RndInf                     // to nearest, ties away from zero: -3, 3, 3
	RndConv                    // to nearest, ties to even: -2, 2, 3
	Stochastic                 // to the multiple below the value plus a random part of the last place
)

var roundingNames = [...]string{"TRN", "TRN_ZERO", "RND", "RND_MIN_INF", "RND_ZERO", "RND_INF", "RND_CONV", "STOCHASTIC"}

// String is the standard's name.
func (r Rounding) String() string { return roundingNames[r] }

// Overflow says what becomes of a value outside the range. The examples bring 9 and -9 into s4f0. The
// zero value uses no hardware.
type Overflow uint8

const (
	Wrap    Overflow = iota // the lowest bits: -7, 7
	Sat                     // the nearest end of the range: 7, -8
	SatZero                 // zero: 0, 0
	SatSym                  // the nearest end of the symmetric range: 7, -7
)

var overflowNames = [...]string{"WRAP", "SAT", "SAT_ZERO", "SAT_SYM"}

// String is the standard's name.
func (o Overflow) String() string { return overflowNames[o] }

// Type is a format of at most MaxWord bits with the way into it: ap_fixed<W,I,Q,O>, Frac = W - I.
type Type struct {
	Format
	Rounding Rounding
	Overflow Overflow
}

// String is the notation that ParseType reads.
func (t Type) String() string {
	name := "ap_ufixed"
	if t.Signed {
		name = "ap_fixed"
	}
	return fmt.Sprintf("%s<%d,%d,%v,%v>", name, t.Width, t.Width-t.Frac, t.Rounding, t.Overflow)
}

// MarshalText writes the notation.
func (t Type) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads the notation.
func (t *Type) UnmarshalText(text []byte) error {
	p, err := ParseType(string(text))
	if err == nil {
		*t = p
	}
	return err
}

// Range of the integer bits I that the notation accepts.
const (
	minInteger = -192
	maxInteger = 256
)

// ParseType reads ap_fixed<W,I>, ap_fixed<W,I,Q> or ap_fixed<W,I,Q,O>, or ap_ufixed of the same. Q defaults
// to TRN and O to WRAP, as in the standard; the prefix AP_ of their names may be given. Errors name
// the part, its value and the allowed range.
func ParseType(text string) (Type, error) {
	fail := func(format string, args ...any) (Type, error) {
		return Type{}, fmt.Errorf("format %q: "+format, append([]any{text}, args...)...)
	}
	s := strings.TrimSpace(text)
	name, rest, found := strings.Cut(s, "<")
	if !found || !strings.HasSuffix(rest, ">") {
		return fail("want ap_fixed<W,I,Q,O> or ap_ufixed<W,I,Q,O>")
	}
	var t Type
	switch strings.TrimSpace(name) {
	case "ap_fixed":
		t.Signed = true
	case "ap_ufixed":
	default:
		return fail("unknown kind %q; want ap_fixed or ap_ufixed", name)
	}
	parts := strings.Split(strings.TrimSuffix(rest, ">"), ",")
	if len(parts) < 2 || len(parts) > 4 {
		return fail("%d parts; want 2 to 4: width, integer bits, quantization, overflow", len(parts))
	}
	width, err := strconv.Atoi(strings.TrimSpace(parts[0]))
	if err != nil || width < 1 || width > MaxWord {
		return fail("width %q; want 1 to %d bits", strings.TrimSpace(parts[0]), MaxWord)
	}
	integer, err := strconv.Atoi(strings.TrimSpace(parts[1]))
	if err != nil || integer < minInteger || integer > maxInteger {
		return fail("integer bits %q; want %d to %d", strings.TrimSpace(parts[1]), minInteger, maxInteger)
	}
	t.Width, t.Frac = width, width-integer
	find := func(names []string, part string) int {
		part = strings.TrimPrefix(strings.TrimSpace(part), "AP_")
		for i, n := range names {
			if n == part {
				return i
			}
		}
		return -1
	}
	if len(parts) > 2 {
		i := find(roundingNames[:], parts[2])
		if i < 0 {
			return fail("quantization %q; want one of %s", strings.TrimSpace(parts[2]), strings.Join(roundingNames[:], " "))
		}
		t.Rounding = Rounding(i)
	}
	if len(parts) > 3 {
		i := find(overflowNames[:], parts[3])
		if i < 0 {
			return fail("overflow %q; want one of %s", strings.TrimSpace(parts[3]), strings.Join(overflowNames[:], " "))
		}
		t.Overflow = Overflow(i)
	}
	return t, nil
}

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
		r := NewUint(uint64(random))
		if drop <= 32 {
			r = r.Shr(32 - drop)
		} else {
			r = r.Shl(drop - 32)
		}
		return v.Add(r).Shr(drop)
	}
	if up {
		return floor.Add(NewInt(1))
	}
	return floor
}

// fit applies the overflow mode to a rounded raw value.
func (t Type) fit(v Int) (word int64, overflow bool) {
	low := t.Min()
	if t.Overflow == SatSym && t.Signed {
		low = t.Max().Neg()
	}
	if v.Cmp(low) >= 0 && v.Cmp(t.Max()) <= 0 {
		return t.Word(v), false
	}
	switch t.Overflow {
	case SatZero:
		return 0, true
	case Sat, SatSym:
		if v.Sign() < 0 {
			return t.Word(low), true
		}
		return t.Word(t.Max()), true
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

// FromFloat converts x exactly as Resize does, Stochastic rounding to nearest. NaN and infinity are errors.
func (t Type) FromFloat(x float64) (word int64, overflow bool, err error) {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return 0, false, fmt.Errorf("%v is not a number that %v can hold", x, t)
	}
	if t.Rounding == Stochastic {
		t.Rounding = Rnd
	}
	mantissa, exponent := math.Frexp(x)
	v, _ := FromBig(big.NewInt(int64(math.Ldexp(mantissa, 53))))
	word, overflow = t.Resize(v, 53-exponent, 0)
	return word, overflow, nil
}

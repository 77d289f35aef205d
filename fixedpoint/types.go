package fixedpoint

import (
	"fmt"
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

// Check tells whether the format is one of a stored word.
func (t Type) Check() error {
	if t.Width < 1 || t.Width > MaxWord {
		return fmt.Errorf("format %v: width %d is outside 1 to %d bits", t, t.Width, MaxWord)
	}
	return nil
}

// String is the notation that ParseType reads.
func (t Type) String() string {
	name := "ap_ufixed"
	if t.Signed {
		name = "ap_fixed"
	}
	return fmt.Sprintf("%s<%d,%d,%v,%v>", name, t.Width, t.Width-t.Frac, t.Rounding, t.Overflow)
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

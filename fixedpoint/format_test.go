package fixedpoint

import (
	"fmt"
	"math"
	"math/big"
	"testing"
)

// ends are the values of a format's lowest and highest word.
func ends(f Format) [2]*big.Rat {
	return [2]*big.Rat{scaled(f.Min().Big(), -f.Frac), scaled(f.Max().Big(), -f.Frac)}
}

// holds tells whether x is a value of f.
func holds(f Format, x *big.Rat) bool {
	raw := new(big.Rat).Mul(x, power(f.Frac))
	v, ok := FromBig(raw.Num())
	return raw.IsInt() && ok && f.Contains(v)
}

func allFormats(width int, fracs ...int) (list []Format) {
	for w := 1; w <= width; w++ {
		for _, frac := range fracs {
			list = append(list, S(w, frac), U(w, frac))
		}
	}
	return list
}

// Derived formats hold every exact result; sums, differences and products are extreme at the ends.
func TestDerivedFormats(t *testing.T) {
	formats := allFormats(5, -2, 0, 3)
	for _, a := range formats {
		for _, x := range ends(a) {
			if y := new(big.Rat).Neg(x); !holds(NegFormat(a), y) {
				t.Fatalf("%v does not hold -%v of %v", NegFormat(a), x, a)
			}
			for _, n := range []int{-7, 0, 7} {
				if y := new(big.Rat).Mul(x, power(n)); !holds(ShiftFormat(a, n), y) {
					t.Fatalf("%v does not hold %v * 2^%d of %v", ShiftFormat(a, n), x, n, a)
				}
			}
			for terms := 1; terms < 70; terms++ {
				if y := new(big.Rat).Mul(x, big.NewRat(int64(terms), 1)); !holds(SumFormat(a, terms), y) {
					t.Fatalf("%v does not hold %d * %v of %v", SumFormat(a, terms), terms, x, a)
				}
			}
		}
		for _, b := range formats {
			for _, x := range ends(a) {
				for _, y := range ends(b) {
					for _, c := range []struct {
						op     string
						format Format
						value  *big.Rat
					}{
						{"+", AddFormat(a, b), new(big.Rat).Add(x, y)},
						{"-", SubFormat(a, b), new(big.Rat).Sub(x, y)},
						{"*", MulFormat(a, b), new(big.Rat).Mul(x, y)},
						{"or", Union(a, b), x},
						{"or", Union(a, b), y},
					} {
						if !holds(c.format, c.value) {
							t.Fatalf("%v does not hold %v %s %v of %v and %v", c.format, x, c.op, y, a, b)
						}
					}
				}
			}
		}
	}
}

// Union is the narrowest: no bit can be taken off either end, nor the sign.
func TestUnionIsNarrowest(t *testing.T) {
	formats := allFormats(4, -3, 0, 2)
	covers := func(f, a Format) bool {
		last := power(-a.Frac) // neighbouring words differ by the last place
		low, high := ends(a)[0], ends(a)[1]
		return holds(f, low) && holds(f, high) && (low.Cmp(high) == 0 || holds(f, new(big.Rat).Sub(high, last)))
	}
	for _, a := range formats {
		for _, b := range formats {
			u := Union(a, b)
			for _, less := range []Format{{u.Width - 1, u.Frac, u.Signed}, {u.Width - 1, u.Frac - 1, u.Signed}, {u.Width - 1, u.Frac, false}} {
				if less.Width > 0 && covers(less, a) && covers(less, b) {
					t.Errorf("union of %v and %v is %v, but %v holds both", a, b, u, less)
				}
			}
		}
	}
}

// SumFormat takes no bit more than the number of terms needs.
func TestSumFormat(t *testing.T) {
	for terms, want := range map[int]int{-1: 8, 0: 8, 1: 8, 2: 9, 3: 10, 4: 10, 5: 11, 784: 18, 1024: 18, 1025: 19, math.MaxInt: 8 + 63} {
		if got := SumFormat(S(8, 3), terms); got != S(want, 3) {
			t.Errorf("%d terms: got %v, want width %d", terms, got, want)
		}
	}
}

func TestFormatWords(t *testing.T) {
	for _, c := range []struct {
		format Format
		word   int64
		value  float64
		raw    string
	}{
		{S(16, 12), -0x8000, -8, "-32768"},
		{U(8, 8), 255, 255. / 256, "255"},
		{S(64, 0), math.MinInt64, -1 << 63, "-9223372036854775808"},
		{U(64, 64), -1, 1, "18446744073709551615"}, // 1 - 2^-64, rounded
		{U(64, 0), math.MinInt64, 1 << 63, "9223372036854775808"},
		{S(4, -10), 7, 7168, "7"},
		{S(4, 100), -1, -math.Pow(2, -100), "-1"},
	} {
		raw := c.format.Int(c.word)
		if raw.String() != c.raw || c.format.Word(raw) != c.word || c.format.Float(c.word) != c.value || !c.format.Contains(raw) {
			t.Errorf("%v word %d: raw %v, word %d, value %v; want raw %s, value %v", c.format, c.word, raw, c.format.Word(raw), c.format.Float(c.word), c.raw, c.value)
		}
	}
}

func TestFormatLimits(t *testing.T) {
	for _, c := range []struct {
		format   Format
		legal    bool
		fits     bool
		min, max string
	}{
		{S(1, 0), true, true, "-1", "0"},
		{U(1, 0), true, true, "0", "1"},
		{S(64, 0), true, true, "-9223372036854775808", "9223372036854775807"},
		{U(63, 0), true, true, "0", "9223372036854775807"},
		{U(64, 0), true, false, "0", "18446744073709551615"},
		{S(65, 0), true, false, "-18446744073709551616", "18446744073709551615"},
	} {
		f := c.format
		if (f.Check() == nil) != c.legal || f.FitsInt64() != c.fits || f.Min().String() != c.min || f.Max().String() != c.max {
			t.Errorf("%v: check %v, fits %t, range %v to %v", f, f.Check(), f.FitsInt64(), f.Min(), f.Max())
		}
		one := NewInt(1)
		if !f.Contains(f.Min()) || !f.Contains(f.Max()) || f.Contains(f.Min().Sub(one)) || f.Contains(f.Max().Add(one)) {
			t.Errorf("%v contains other than %v to %v", f, f.Min(), f.Max())
		}
	}
	for _, f := range []Format{S(0, 0), S(257, 0), U(256, 0), U(-3, 0)} {
		if f.Check() == nil {
			t.Errorf("%v passes", f)
		}
	}
	for _, f := range []Format{S(256, 0), U(255, 9)} {
		if err := f.Check(); err != nil {
			t.Error(err)
		}
		if want := new(big.Int).Lsh(big.NewInt(1), 255); f.Max().Big().Cmp(want.Sub(want, big.NewInt(1))) != 0 {
			t.Errorf("%v: highest value %v", f, f.Max())
		}
	}
	if got := fmt.Sprint(S(16, 12), U(8, -3)); got != "s16f12 u8f-3" {
		t.Errorf("printed %s", got)
	}
}

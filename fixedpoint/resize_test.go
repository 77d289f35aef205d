package fixedpoint

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"corinfo/fixedpoint/vector"
)

const (
	smallWidth = 8
	// Beyond these numbers of dropped bits, nothing new happens to 8-bit values.
	lowestDrop, highestDrop = -smallWidth - 1, smallWidth + 2
	// Raw values of all formats to 8 bits.
	lowestRaw, highestRaw = -1 << (smallWidth - 1), 1<<smallWidth - 1
)

// TestResizeExhaustively holds Resize and the kernel's conversion against the oracle: every value of every
// source format to 8 bits into every destination format to 8 bits by every mode. With -short it tests a
// random part of the distances between the binary points.
func TestResizeExhaustively(t *testing.T) {
	rng := random(t)
	for drop := lowestDrop; drop <= highestDrop; drop++ {
		if testing.Short() && rng.IntN(5) > 0 {
			continue
		}
		randoms := randomWords(rng, drop)
		base := rng.IntN(200) - 100 // where the binary points are does not matter, only their distance
		t.Run(fmt.Sprintf("drop %d", drop), func(t *testing.T) {
			t.Parallel()
			for q := range roundingNames {
				if Rounding(q) != Stochastic {
					exhaust(t, Rounding(q), base, drop, 0)
					continue
				}
				for _, r := range randoms {
					exhaust(t, Stochastic, base, drop, r)
				}
			}
		})
	}
}

// randomWords cover all values of the dropped bits, or a sample of many, with noise in the bits below.
func randomWords(rng *rand.Rand, drop int) (words []uint32) {
	for i := range 1 << min(max(drop, 0), 4) {
		if drop <= 4 {
			words = append(words, uint32(i)<<(32-max(drop, 1))|rng.Uint32()>>max(drop, 0))
		} else {
			words = append(words, rng.Uint32())
		}
	}
	return append(words, 0, math.MaxUint32)
}

func exhaust(t *testing.T, q Rounding, base, drop int, random uint32) {
	rounded := make([]*big.Int, highestRaw-lowestRaw+1)
	for i := range rounded {
		rounded[i] = oracleRound(scaled(big.NewInt(int64(lowestRaw+i)), -drop), q, drop, random)
	}
	var source, want, got []int64
	overs := make([]bool, len(rounded))
	words := make([]int64, len(rounded))
	for width := 1; width <= smallWidth; width++ {
		for _, signed := range []bool{false, true} {
			for o := range overflowNames {
				to := Type{Format{width, base - drop, signed}, q, Overflow(o)}
				for i, r := range rounded {
					raw := int64(lowestRaw + i)
					word, over := oracleLimit(r, to)
					words[i], overs[i] = pattern(word), over
					if w, ov := to.Resize(NewInt(raw), base, random); w != words[i] || ov != over {
						t.Fatalf("%d * 2^-%d to %v, random %08x: got %d %t, want %d %t", raw, base, to, random, w, ov, words[i], over)
					}
				}
				// The compiled conversion depends on the source's format.
				for from := 1; from <= smallWidth; from++ {
					for _, fromSigned := range []bool{false, true} {
						f := Format{from, base, fromSigned}
						low, _ := f.Min().Int64()
						high, _ := f.Max().Int64()
						source, want = source[:0], want[:0]
						wantOver := int64(0)
						for raw := low; raw <= high; raw++ {
							source, want = append(source, raw), append(want, words[raw-lowestRaw])
							if overs[raw-lowestRaw] {
								wantOver++
							}
						}
						got = append(got[:0], source...)
						convert, ok := newResize(to, f)
						if !ok {
							t.Fatalf("%v to %v does not compile", f, to)
						}
						over := convert.run(got, source, int64(random))
						for i := range got {
							if got[i] != want[i] {
								t.Fatalf("%d of %v to %v, random %08x, compiled: got %d, want %d", source[i], f, to, random, got[i], want[i])
							}
						}
						if over != wantOver {
							t.Fatalf("%v to %v, random %08x, compiled: %d overflows, want %d", f, to, random, over, wantOver)
						}
					}
				}
			}
		}
	}
}

// run converts a into z as a kernel does, with one random word for all.
func (r *resize) run(z, a []int64, random int64) (over int64) {
	terms := &vector.Terms{List: []vector.Term{{Factor: int64(r.left), Values: a}}, Plus: 1}
	if r.stochastic() {
		words := make([]int64, len(a))
		fill(words, random)
		return r.random(z, terms, 0, words)
	}
	return r.sum(z, terms, 0)
}

// TestResizeWide holds Resize against the oracle for words to 64 bits and sources to 256.
func TestResizeWide(t *testing.T) {
	rng := random(t)
	n := 100_000
	if testing.Short() {
		n /= 10
	}
	for range n {
		v := randomInt(rng)
		frac := rng.IntN(300) - 100
		to := randomType(rng, 1+rng.IntN(MaxWord), frac-(rng.IntN(80)-10))
		if rng.IntN(10) == 0 {
			to.Frac = frac - (rng.IntN(800) - 400)
		}
		checkResize(t, v, frac, to, rng.Uint32())
	}
}

func checkResize(t *testing.T, v Int, frac int, to Type, random uint32) {
	t.Helper()
	want, wantOver := oracleResize(scaled(v.Big(), -frac), frac, to, random)
	got, over := to.Resize(v, frac, random)
	if got != pattern(want) || over != wantOver {
		t.Fatalf("%v * 2^%d to %v, random %08x: got %d %t, want %v %t", v, -frac, to, random, got, over, want, wantOver)
	}
}

// randomInt is a value of any magnitude, often next to a power of two, on a tie or at an end.
func randomInt(rng *rand.Rand) Int {
	v := Int{[4]uint64{rng.Uint64(), rng.Uint64(), rng.Uint64(), rng.Uint64()}}.Shr(rng.IntN(MaxWidth))
	switch k := rng.IntN(MaxWidth - 1); rng.IntN(5) {
	case 0:
		return NewInt(1).Shl(k).Add(NewInt(int64(rng.IntN(3)) - 1))
	case 1:
		return NewInt(-1).Shl(k).Add(NewInt(int64(rng.IntN(3)) - 1))
	case 2:
		k %= 80
		return v.Shr(k).Shl(k).Add(NewInt(1).Shl(k).Shr(1))
	case 3:
		v.w[0] = ^uint64(0)
	}
	return v
}

// A value that the type holds is never changed, whatever the mode.
func TestResizeKeepsExactValues(t *testing.T) {
	rng := random(t)
	for range 20_000 {
		to := randomType(rng, 1+rng.IntN(MaxWord), rng.IntN(100)-20)
		word := randomWord(rng, to.Format)
		if low, _ := to.Range(); to.Int(word).Cmp(low) < 0 {
			continue // the one value that SatSym removes
		}
		extra := rng.IntN(100)
		if got, over := to.Resize(to.Int(word).Shl(extra), to.Frac+extra, rng.Uint32()); got != word || over {
			t.Fatalf("%v: %d with %d more places: got %d %t", to, word, extra, got, over)
		}
	}
}

func TestFromFloat(t *testing.T) {
	rng := random(t)
	values := []float64{0, math.Copysign(0, -1), 0.5, -0.5, 1.5, 275.149, math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, -math.SmallestNonzeroFloat64}
	for range 5000 {
		values = append(values, math.Ldexp(rng.NormFloat64(), rng.IntN(80)-40), math.Float64frombits(rng.Uint64()))
	}
	for _, x := range values {
		checkFromFloat(t, x, randomType(rng, 1+rng.IntN(MaxWord), rng.IntN(80)-10))
	}
}

func checkFromFloat(t *testing.T, x float64, to Type) {
	t.Helper()
	word, over, err := to.FromFloat(x)
	if math.IsNaN(x) || math.IsInf(x, 0) {
		if err == nil {
			t.Errorf("%v to %v: no error", x, to)
		}
		return
	}
	if err != nil {
		t.Fatalf("%v to %v: %v", x, to, err)
	}
	nearest := to
	if to.Rounding == Stochastic {
		nearest.Rounding = Rnd
	}
	want, wantOver := oracleResize(new(big.Rat).SetFloat64(x), 0, nearest, 0)
	if word != pattern(want) || over != wantOver {
		t.Fatalf("%v to %v: got %d %t, want %v %t", x, to, word, over, want, wantOver)
	}
}

func FuzzFromFloat(f *testing.F) {
	f.Add(275.149, uint8(15), 10, true, uint8(2), uint8(1))
	f.Add(math.Inf(-1), uint8(63), 64, false, uint8(7), uint8(3))
	f.Add(-math.SmallestNonzeroFloat64, uint8(0), -3, true, uint8(0), uint8(0))
	f.Add(math.MaxFloat64, uint8(63), 1000, true, uint8(6), uint8(0))
	f.Fuzz(func(t *testing.T, x float64, width uint8, frac int, signed bool, q, o uint8) {
		to := Type{Format{1 + int(width)%MaxWord, frac % 1200, signed}, Rounding(q) % Rounding(len(roundingNames)), Overflow(o) % Overflow(len(overflowNames))}
		checkFromFloat(t, x, to)
	})
}

func FuzzResize(f *testing.F) {
	f.Add(uint64(5), uint64(0), 1, uint8(8), -3, true, uint8(0), uint8(0), uint32(0))
	f.Add(uint64(1)<<63, ^uint64(0), 200, uint8(64), 63, false, uint8(7), uint8(3), ^uint32(0))
	f.Fuzz(func(t *testing.T, low, high uint64, frac int, width uint8, toFrac int, signed bool, q, o uint8, random uint32) {
		sign := uint64(int64(high) >> 63)
		to := Type{Format{1 + int(width)%MaxWord, toFrac % 1000, signed}, Rounding(q) % Rounding(len(roundingNames)), Overflow(o) % Overflow(len(overflowNames))}
		checkResize(t, Int{[4]uint64{low, high, sign, sign}}, frac%1000, to, random)
	})
}

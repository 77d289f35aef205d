package vector

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// source is a generator whose seed is printed; CORINFO_SEED repeats it.
func source(t *testing.T) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	if s := os.Getenv("CORINFO_SEED"); s != "" {
		var err error
		seed, err = strconv.ParseUint(s, 10, 64)
		require.NoError(t, err)
	}
	t.Logf("CORINFO_SEED=%d repeats this", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// with runs f with each of the kernels of this processor.
func with(f func(name string)) {
	before := use
	defer func() { use = before }()
	list := available()
	for i := range list {
		use = &list[i]
		f(list[i].name)
	}
}

// numbers are random integers of up to the given bits, at the ends of their range and zero as often as not.
func numbers(rng *rand.Rand, n, bits int) []int64 {
	list := make([]int64, n)
	for i := range list {
		top := int64(math.MaxInt64) >> (64 - bits)
		list[i] = []int64{0, 1, -1, top, -top - 1, int64(rng.Uint64()) >> (64 - bits), int64(rng.Uint64()) >> (64 - bits), int64(rng.Uint64()) >> (64 - bits)}[rng.IntN(8)]
	}
	return list
}

// TestOperations holds every operation in every instruction set against its formula, for all lengths around
// those of vectors, in place and not.
func TestOperations(t *testing.T) {
	rng := source(t)
	for range 400 {
		n := rng.IntN(70)
		a, b := numbers(rng, n, 1+rng.IntN(64)), numbers(rng, n, 1+rng.IntN(64))
		p, q := numbers(rng, n, 1+rng.IntN(32)), numbers(rng, n, 1+rng.IntN(32))
		lo, hi := numbers(rng, 1, 64)[0], numbers(rng, 1, 64)[0]
		lo, hi = min(lo, hi), max(lo, hi)
		for what, c := range map[string]struct {
			in   []int64 // in whose place the result may go
			run  func(z []int64)
			want func(i int) int64
		}{
			"Mul":      {p, func(z []int64) { Mul(z, p, q, true) }, func(i int) int64 { return p[i] * q[i] }},
			"Mul long": {a, func(z []int64) { Mul(z, a, b, false) }, func(i int) int64 { return a[i] * b[i] }},
			"Clip":     {a, func(z []int64) { Clip(z, a, lo, hi) }, func(i int) int64 { return min(max(a[i], lo), hi) }},
			"NonZero": {a, func(z []int64) { NonZero(z, a) }, func(i int) int64 {
				if a[i] != 0 {
					return 1
				}
				return 0
			}},
		} {
			want := make([]int64, n)
			for i := range want {
				want[i] = c.want(i)
			}
			with(func(name string) {
				got := make([]int64, n+1)
				got[n] = 77
				c.run(got[:n])
				require.Equal(t, want, got[:n], "%s in %s", what, name)
				require.EqualValues(t, 77, got[n], "%s in %s writes behind the end", what, name)
				before := append([]int64{}, c.in...)
				c.run(c.in)
				require.Equal(t, want, c.in, "%s in %s, in place", what, name)
				copy(c.in, before)
			})
		}
	}
}

func TestNarrow(t *testing.T) {
	rng := source(t)
	for n := range 70 {
		testNarrow[int16](t, numbers(rng, n, 16))
		testNarrow[int32](t, numbers(rng, n, 32))
		sums, next, words := numbers(rng, n, 64), numbers(rng, n, 64), numbers(rng, n, 64)
		lost := int64(0)
		for i := range sums {
			if rng.IntN(2) == 0 {
				next[i] = words[i] ^ []int64{0, 1, math.MinInt64}[rng.IntN(3)]
			}
			if rng.IntN(4) == 0 {
				sums[i] = 1 << rng.IntN(64)
			}
			if sums[i] != 0 && next[i] == words[i] {
				lost++
			}
		}
		a := sums
		with(func(name string) {
			require.Equal(t, lost, Lost(sums, next, words), name)
			bits := make([]uint8, (n+7)/8+1)
			for i := range bits {
				bits[i] = uint8(rng.Uint32())
			}
			bits[len(bits)-1] = 77
			Occupied(bits, a)
			for i := range 8 * (len(bits) - 1) {
				require.Equal(t, i < n && a[i] != 0, bits[i/8]>>(i%8)&1 == 1, "%s: bit %d of %d", name, i, n)
			}
			require.EqualValues(t, 77, bits[len(bits)-1], name)
		})
	}
}

// testNarrow brings words to fewer bits and back.
func testNarrow[T int16 | int32](t *testing.T, a []int64) {
	n, narrow := len(a), make([]T, len(a))
	for i := range a {
		narrow[i] = T(a[i])
	}
	with(func(name string) {
		short, long := make([]T, n+1), make([]int64, n+1)
		short[n], long[n] = 77, 77
		Narrow(short[:n], a)
		Widen(long[:n], narrow)
		require.Equal(t, append(narrow[:n:n], 77), short, name)
		require.Equal(t, append(a[:n:n], 77), long, name)
	})
}

// roundings are random ones, with limits that are met and with those that are not.
func roundings(rng *rand.Rand) *Rounding {
	ends := numbers(rng, 2, 1+rng.IntN(64))
	r := &Rounding{Drop: uint64(rng.IntN(64)), Addend: numbers(rng, 1, 1+rng.IntN(64))[0], Down: uint64(rng.IntN(33)), Up: uint64(rng.IntN(32)),
		Limits: Limits{min(ends[0], ends[1]), max(ends[0], ends[1]), rng.Int64(), -rng.Int64()}}
	if rng.IntN(3) > 0 {
		r.Sign, r.Mask = uint64(rng.IntN(64)), numbers(rng, 1, 1+rng.IntN(64))[0]
	}
	if rng.IntN(4) == 0 {
		r.Limits = Exact.Limits
	}
	return r
}

// rounded are values rounded, and how many were outside the limits.
func rounded(values []int64, r *Rounding) (list []int64, outside int64) {
	list = make([]int64, len(values))
	for i, v := range values {
		v = (v + r.Addend + (v>>r.Sign)&r.Mask) >> r.Drop
		switch {
		case v < r.Lo:
			v = r.Below
			outside++
		case v > r.Hi:
			v = r.Above
			outside++
		}
		list[i] = v
	}
	return list, outside
}

// TestFunctions holds quotients, roots and lines against integers, in place and not.
func TestFunctions(t *testing.T) {
	rng := source(t)
	check := func(in []int64, want []int64, run func(z []int64), format string, args ...any) {
		what := fmt.Sprintf(format, args...)
		with(func(name string) {
			got := append(numbers(rng, len(want), 64), 77)
			run(got[:len(want)])
			require.Equal(t, want, got[:len(want)], "%s in %s", what, name)
			require.EqualValues(t, 77, got[len(want)], "%s in %s writes behind the end", what, name)
			before := append([]int64{}, in...)
			run(in)
			require.Equal(t, want, in, "%s in %s, in place", what, name)
			copy(in, before)
		})
	}
	// checkRounded is check of what counts, exact and rounded.
	checkRounded := func(in []int64, want []int64, run func(z []int64, r *Rounding) int64, format string, args ...any) {
		for _, r := range []*Rounding{Exact, roundings(rng)} {
			final, outside := rounded(want, r)
			check(in, final, func(z []int64) { require.Equal(t, outside, run(z, r), "%+v", r) }, fmt.Sprintf(format, args...)+", rounded %+v", r)
		}
	}
	packed := map[bool]int{}
	for range 2000 {
		n, want := rng.IntN(70), []int64{}
		short := rng.IntN(3) > 0
		limit := 64
		if short {
			limit = 53
		}
		bits := 1 + rng.IntN(limit)
		left, right := uint(rng.IntN(limit+1-bits)), uint(0)
		if rng.IntN(3) == 0 {
			bits, left, right = 1+rng.IntN(64), 0, uint(rng.IntN(64))
			if short && bits-int(right) > 53 {
				right = uint(bits - 53)
			}
		}
		a, b := numbers(rng, n, bits), numbers(rng, n, 1+rng.IntN(limit))
		for i := range a {
			a[i] = min(a[i], 1<<(bits-1)-1)   // numbers has 1 among those of a bit
			if b[i] > 0 && rng.IntN(2) == 0 { // next to a multiple
				near := a[i]<<left>>right/b[i]*b[i] + int64(rng.IntN(3)-1)
				if v := near << right >> left; near>>(limit-1) == near>>63 && v<<left>>right == near && v>>(bits-1) == v>>63 {
					a[i] = v
				}
			}
			q := int64(0)
			if b[i] > 0 {
				p := a[i] << left >> right
				q = p / b[i]
				if p%b[i] < 0 {
					q--
				}
			}
			want = append(want, q)
		}
		// A divisor that the operand turns back into b.
		factor, constant := int64(1), int64(0)
		divisors := b
		if rng.IntN(2) == 0 {
			factor, constant = -1, rng.Int64()
			divisors = make([]int64, n)
			for i := range b {
				divisors[i] = constant - b[i]
			}
		}
		divide := func(z []int64, r *Rounding) int64 {
			return Div(z, Operand{a, 1 << left, 0}, Operand{divisors, factor, constant}, right, short, r)
		}
		checkRounded(a, want, divide, "%d << %d >> %d by %d, short %t", a, left, right, b, short)
		checkRounded(divisors, want, divide, "%d << %d >> %d by %d, short %t", a, left, right, b, short)

		want = want[:0]
		for i := range a {
			if a[i] > 0 && rng.IntN(2) == 0 { // next to a square
				root := new(big.Int).Sqrt(big.NewInt(a[i] << left >> right)).Int64()
				near := root*root + int64(rng.IntN(3)-1)
				if v := near << right >> left; v<<left>>right == near && v>>(bits-1) == v>>63 {
					a[i] = v
				}
			}
			root := new(big.Int).Sqrt(big.NewInt(max(a[i], 0) << left >> right))
			want = append(want, root.Int64())
		}
		checkRounded(a, want, func(z []int64, r *Rounding) int64 { return Sqrt(z, Operand{a, 1 << left, 0}, right, short, r) },
			"root of %d << %d >> %d, short %t", a, left, right, short)
		radicands := make([]int64, n)
		for i := range a {
			radicands[i] = constant - a[i]
		}
		checkRounded(radicands, want, func(z []int64, r *Rounding) int64 {
			return Sqrt(z, Operand{radicands, -1 << left, constant << left}, right, short, r)
		},
			"root of %d - %d << %d >> %d, short %t", constant, radicands, left, right, short)

		line := &Lines{Left: uint(rng.IntN(8)), Part: uint(rng.IntN(31)), Low: numbers(rng, 1, 40)[0]}
		entries := 32
		if rng.IntN(3) == 0 {
			entries = 62 - int(line.Part)
		}
		line.Entries = numbers(rng, 1+1<<rng.IntN(6), 1+rng.IntN(entries-1))
		segments := int64(len(line.Entries) - 1)
		line.Pack()
		packs := line.Segments != nil
		for i := range len(line.Entries) - 1 {
			d := line.Entries[i+1] - line.Entries[i]
			require.False(t, packs && max(line.Entries[i], ^line.Entries[i], d, ^d) > math.MaxInt32)
		}
		packed[packs]++
		line.High = line.Low + segments<<line.Part
		for i := range a {
			a[i] = (line.Low + int64(rng.Float64()*1.2*float64(line.High-line.Low)) - 1) >> line.Left
			if rng.IntN(4) == 0 {
				a[i] = numbers(rng, 1, 56)[0]
			}
			v := min(max(a[i]<<line.Left, line.Low), line.High) - line.Low
			at := min(v>>line.Part, segments-1)
			want[i] = line.Entries[at]<<line.Part + (line.Entries[at+1]-line.Entries[at])*(v-at<<line.Part)
		}
		check(a, want, func(z []int64) { Interpolate(z, a, line) }, "%d on %+v", a, line)
	}
	require.Greater(t, packed[true], 800)
	require.Greater(t, packed[false], 50)
}

// TestSum holds sums and their rounding against plain arithmetic, in place and not.
func TestSum(t *testing.T) {
	rng := source(t)
	outsides, insides := 0, 0
	for range 600 {
		n := rng.IntN(100)
		bits, constant := 1+rng.IntN(64), numbers(rng, 1, 1+rng.IntN(64))[0]
		terms := &Terms{Plus: rng.IntN(4), Minus: rng.IntN(3), Long: rng.IntN(3)}
		want := make([]int64, n)
		for i := range want {
			want[i] = constant
		}
		count := terms.Plus + terms.Minus + terms.Long + rng.IntN(6)
		for at := range count {
			term := Term{int64(rng.IntN(64)), numbers(rng, n+rng.IntN(3), bits)}
			switch {
			case at < terms.Plus+terms.Minus:
			case at < count-terms.Long:
				term = Term{numbers(rng, 1, 1+rng.IntN(32))[0], numbers(rng, n+rng.IntN(3), 1+rng.IntN(32))}
			default:
				term.Factor = numbers(rng, 1, 1+rng.IntN(64))[0]
			}
			terms.List = append(terms.List, term)
			for i := range want {
				switch {
				case at < terms.Plus:
					want[i] += term.Values[i] << term.Factor
				case at < terms.Plus+terms.Minus:
					want[i] -= term.Values[i] << term.Factor
				default:
					want[i] += term.Values[i] * term.Factor
				}
			}
		}
		r := roundings(rng)
		final, outside := rounded(want, r)
		random, drawn := make([]int64, n), slices.Clone(want)
		for i := range random {
			random[i] = int64([]uint32{0, math.MaxUint32, rng.Uint32()}[rng.IntN(3)])
			drawn[i] += random[i] >> r.Down << r.Up
		}
		finalDrawn, outsideDrawn := rounded(drawn, &Rounding{Drop: r.Drop, Limits: r.Limits})
		outsides, insides = outsides+int(outside), insides+n-int(outside)
		with(func(name string) {
			got := numbers(rng, n+1, 64)
			got[n] = 77
			Sum(got[:n], terms, constant)
			require.Equal(t, want, got[:n], "%s: %+v", name, terms)
			require.Equal(t, outside, SumRound(got[:n], terms, constant, r), "%s: outside %+v", name, r)
			require.Equal(t, final, got[:n], "%s: %+v, %+v", name, terms, r)
			require.Equal(t, outsideDrawn, SumRoundRandom(got[:n], terms, constant, r, random), "%s: by random words, outside %+v", name, r)
			require.Equal(t, finalDrawn, got[:n], "%s, by random words: %+v, %+v", name, terms, r)
			require.EqualValues(t, 77, got[n], "%s writes behind the end", name)
			before := slices.Clone(random)
			SumRoundRandom(random, terms, constant, r, random)
			require.Equal(t, finalDrawn, random, "%s, in place of the random words", name)
			copy(random, before)
			if len(terms.List) > 0 {
				own := &terms.List[rng.IntN(len(terms.List))]
				before := slices.Clone(own.Values)
				SumRound(own.Values[:n], terms, constant, r)
				require.Equal(t, final, own.Values[:n], "%s, in place", name)
				copy(own.Values, before)
				SumRoundRandom(own.Values[:n], terms, constant, r, random)
				require.Equal(t, finalDrawn, own.Values[:n], "%s, by random words, in place", name)
				copy(own.Values, before)
			}
		})
	}
	require.Greater(t, outsides, 1000)
	require.Greater(t, insides, 1000)
}

// TestAddColumns holds sums of columns against plain arithmetic, up to the largest sum that fits 32 bits.
func TestAddColumns(t *testing.T) {
	rng := source(t)
	for range 300 {
		rows, columns := Rows*(1+rng.IntN(9)), 1+rng.IntN(5)
		bits := 1 + rng.IntN(16)
		deltaBits := 1 + rng.IntN(16)
		pairs := rng.IntN(12)
		atOnce := 2 * (1 + rng.IntN(12))
		for atOnce > 2 && atOnce > math.MaxInt32>>(bits+deltaBits-2) {
			atOnce -= 2
		}
		if atOnce > math.MaxInt32>>(bits+deltaBits-2) {
			continue
		}
		words := make([]int16, rows*columns)
		for i, w := range numbers(rng, len(words), bits) {
			words[i] = int16(w)
		}
		var at []int64
		var deltas []int16
		shift := uint(rng.IntN(20))
		start := numbers(rng, rows, 64)
		want := append([]int64{}, start...)
		for _, d := range numbers(rng, 2*pairs, deltaBits) {
			column := rng.IntN(columns)
			at, deltas = append(at, int64(column*rows)), append(deltas, int16(d))
			for i := range want {
				want[i] += int64(words[column*rows+i]) * d << shift
			}
		}
		with(func(name string) {
			got := append([]int64{}, start...)
			AddColumns(got, words, at, deltas, atOnce, shift)
			require.Equal(t, want, got, "%s: %d pairs, %d columns at once, of %d rows, %d times %d bits", name, pairs, atOnce, rows, bits, deltaBits)
		})
	}
}

// TestDraw holds the kernels against the cipher, with rows and columns beyond the signed words.
func TestDraw(t *testing.T) {
	rng := source(t)
	encrypt := func(keys *[8]uint16, x, y uint16) int64 {
		for _, k := range keys {
			x = (x>>7 | x<<9) + y ^ k
			y = (y<<2 | y>>14) ^ x
		}
		return int64(x)<<16 | int64(y)
	}
	for round := range 100 {
		n := rng.IntN(200)
		if round < 2 {
			n = 1 << 16
		}
		column := uint16(rng.IntN(n + 1))
		var keys [8]uint16
		for k := range keys {
			keys[k] = uint16(rng.Uint32())
		}
		for _, symmetric := range []bool{false, true} {
			with(func(name string) {
				got := make([]int64, n)
				drawn := Draw(got, &keys, column, symmetric)
				require.True(t, name == "go" && drawn == 0 || name != "go" && n-drawn < Rows && drawn <= n, "%s: %d of %d", name, drawn, n)
				for i, word := range got {
					x, y := uint16(i), column
					if symmetric {
						x, y = max(x, y), min(x, y)
					}
					want := encrypt(&keys, x, y)
					if i >= drawn {
						want = 0
					}
					require.Equal(t, want, word, "%s: row %d of %d, column %d, symmetric %t", name, i, n, column, symmetric)
				}
			})
		}
	}
}

func TestChoose(t *testing.T) {
	list := available()
	for i, k := range list {
		require.Same(t, &list[i], choose(list, k.name))
	}
	require.Same(t, &list[0], choose(list, "none of these"))
	require.Equal(t, "go", list[len(list)-1].name)
	with(func(name string) { require.Equal(t, name, Name()) })
	for n := range 100 {
		require.Zero(t, Padded(n)%Rows)
		require.Less(t, Padded(n)-n, Rows)
		require.Equal(t, Full(n), whole(Full(n)+1)+map[bool]int{true: 0, false: Full(n)}[use.words > 0])
		require.True(t, n <= Full(n) && Full(n) < n+step)
	}
}

// Operands that are too short are refused before a kernel reads behind them.
func TestLengths(t *testing.T) {
	long, short, words := make([]int64, 64), make([]int64, 63), make([]int16, 64)
	for name, f := range map[string]func(){
		"Mul":         func() { Mul(long, long, short[:63:63], true) },
		"Div":         func() { Div(long, Operand{long, 1, 0}, Operand{short[:63:63], 1, 0}, 0, true, Exact) },
		"Sqrt":        func() { Sqrt(long, Operand{short[:63:63], 1, 0}, 0, true, Exact) },
		"Interpolate": func() { Interpolate(long, short[:63:63], &Lines{Entries: long[:2]}) },
		"Entries":     func() { Interpolate(long, long, &Lines{Entries: long[:9:9], High: 9, Segments: long[:7:7]}) },
		"Widen":       func() { Widen(long, words[:63:63]) },
		"Narrow":      func() { Narrow(words, short[:63:63]) },
		"Lost":        func() { Lost(long, long, short[:63:63]) },
		"Sum":         func() { Sum(long, &Terms{List: []Term{{1, long}, {1, short[:63:63]}}}, 0) },
		"SumRound":    func() { SumRound(long, &Terms{List: []Term{{1, short[:63:63]}}}, 0, Exact) },
		"Random":      func() { SumRoundRandom(long, &Terms{}, 0, Exact, short[:63:63]) },
		"AddColumns":  func() { AddColumns(long, words, []int64{0, 1}, []int16{1, 1}, 2, 0) },
	} {
		require.Panics(t, f, name)
	}
}

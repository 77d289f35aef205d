// Package vector holds operations on slices of fixed-point words in AVX-512, AVX2 or plain Go, whichever the processor
// has. Integers are exact: all give the same bits. The loop in Go at the end of every function is its definition; the
// assembly takes as many elements as fill its vectors, and the loop does the rest, or all of them.
//
// The assembly is written by the program in asm.
package vector

//go:generate sh -c "cd asm && go run . -out ../kernels_amd64.s -stubs ../kernels_amd64.go -pkg vector"

import (
	"math"
	"os"
)

// kernels are the inner loops in one instruction set. Those on int64 take n elements, a positive multiple of step.
type kernels struct {
	name             string
	words            int // of 16 bits in a vector; 0: no kernels, all is done in Go
	sum              func(n int, z, terms *int64, plus, minus, times int, constant int64)
	sumRound         func(n int, z, terms *int64, plus, minus, times int, constant int64, drop uint64, lo, hi, below, above int64) int64
	roundRandom      func(n int, z, a, random *int64, down, up, drop uint64, lo, hi, below, above int64) int64
	mul              func(n int, z, a, b *int64)
	clip             func(n int, z, a *int64, lo, hi int64)
	nonZero          func(n int, z, a *int64)
	widen            func(n int, z *int64, a *int16)
	narrow           func(n int, z *int16, a *int64)
	lost             func(n int, a, b *int64) int64
	occupied         func(n int, z *uint8, a *int64)
	div              func(n int, z, a, b *int64, left, right uint64)
	sqrt             func(n int, z, a *int64, left, right uint64)
	interpolate      func(n int, z, a, segments *int64, left, part uint64, low, high, last int64)
	draw             func(n int, z *int64, keys *uint16, row, column, symmetric uint64)
	events4, events1 func(pairs, atOnce int, words *int16, at *int64, deltas *int16, sums *int64, shift uint64)
}

// step is the number of elements that a kernel on int64 does at once.
const step = 8

// Full is n or the next multiple above it of what operations on int64 do at once: with as many elements, nothing is left over.
func Full(n int) int { return (n + step - 1) &^ (step - 1) }

// Rows is what numbers of rows are padded to where a function says so: a vector of 16-bit words.
const Rows = 32

// Padded is n or the next multiple of Rows above it.
func Padded(n int) int { return (n + Rows - 1) / Rows * Rows }

// Variable names the instruction set to use in place of the best that the processor has: avx512, avx2 or go.
const Variable = "CORINFO_SIMD"

var use = choose(available(), os.Getenv(Variable))

// choose picks the wanted kernels, or the first where there are none of that name.
func choose(list []kernels, wanted string) *kernels {
	for i := range list {
		if list[i].name == wanted {
			return &list[i]
		}
	}
	return &list[0]
}

// Name is the instruction set in use: avx512, avx2 or go.
func Name() string { return use.name }

// whole is how many of n elements the kernels do.
func whole(n int) int {
	if use.words == 0 {
		return 0
	}
	return n &^ (step - 1)
}

// Term is a part of a sum. The kernels rely on its layout.
type Term struct {
	Factor int64
	Values []int64
}

// Terms are those of a sum: the values of the first Plus are shifted left by their factors and added, those of the next Minus shifted
// and subtracted; the values of all others are multiplied by their factors, both int32 unless Long.
type Terms struct {
	List        []Term
	Plus, Minus int
	Long        bool // some are not: the kernels leave the sum to Go
}

// first is what a kernel takes.
func (t *Terms) first() (list *int64, plus, minus, times int) {
	if len(t.List) > 0 {
		list = &t.List[0].Factor
	}
	return list, t.Plus, t.Minus, len(t.List) - t.Plus - t.Minus
}

// Sum sets z to constant plus the sum of the terms, whose values have the length of z at least and may be z itself.
func Sum(z []int64, t *Terms, constant int64) {
	n := t.whole(len(z))
	if n > 0 {
		list, plus, minus, times := t.first()
		use.sum(n, &z[0], list, plus, minus, times, constant)
	}
	t.rest(z, n, constant)
}

// whole is how many of n elements the kernels do; they don't look at the lengths of the terms.
func (t *Terms) whole(n int) int {
	for i := range t.List {
		_ = t.List[i].Values[:n]
	}
	if t.Long {
		return 0
	}
	return whole(n)
}

// rest computes the elements from n on, a few at a time: z may be one of the terms.
func (t *Terms) rest(z []int64, n int, constant int64) {
	for ; n < len(z); n += step {
		var sums [step]int64
		part := z[n:min(n+step, len(z))]
		for i := range sums {
			sums[i] = constant
		}
		for at := range t.List {
			f, values := t.List[at].Factor, t.List[at].Values[n:][:len(part)]
			switch {
			case at < t.Plus:
				for i, v := range values {
					sums[i&(step-1)] += v << (uint(f) & 63)
				}
			case at < t.Plus+t.Minus:
				for i, v := range values {
					sums[i&(step-1)] -= v << (uint(f) & 63)
				}
			default:
				for i, v := range values {
					sums[i&(step-1)] += v * f
				}
			}
		}
		copy(part, sums[:])
	}
}

// Limits are a range of results and what takes the place of those outside.
type Limits struct{ Lo, Hi, Below, Above int64 }

// limit is v or what takes its place.
func (l *Limits) limit(v int64, outside *int64) int64 {
	switch {
	case v < l.Lo:
		*outside++
		return l.Below
	case v > l.Hi:
		*outside++
		return l.Above
	}
	return v
}

// SumRound is Sum, shifted right by drop, within limits; it gives the number of results outside.
func SumRound(z []int64, t *Terms, constant int64, drop uint, l Limits) (outside int64) {
	n := t.whole(len(z))
	if n > 0 {
		list, plus, minus, times := t.first()
		outside = use.sumRound(n, &z[0], list, plus, minus, times, constant, uint64(drop), l.Lo, l.Hi, l.Below, l.Above)
	}
	t.rest(z, n, constant)
	for i := n; i < len(z); i++ {
		z[i] = l.limit(z[i]>>(drop&63), &outside)
	}
	return outside
}

// RoundRandom sets z = (a + random>>down<<up) >> drop within limits, random being 32-bit words, and gives the number of
// results outside. Slices of operands have the length of z here and below, and may be z itself.
func RoundRandom(z, a, random []int64, down, up, drop uint, l Limits) (outside int64) {
	a, random = a[:len(z)], random[:len(z)]
	n := whole(len(z))
	if n > 0 {
		outside = use.roundRandom(n, &z[0], &a[0], &random[0], uint64(down), uint64(up), uint64(drop), l.Lo, l.Hi, l.Below, l.Above)
	}
	for i := n; i < len(z); i++ {
		z[i] = l.limit((a[i]+random[i]>>(down&63)<<(up&63))>>(drop&63), &outside)
	}
	return outside
}

// Mul sets z = a b. short tells that all factors are int32.
func Mul(z, a, b []int64, short bool) {
	a, b = a[:len(z)], b[:len(z)]
	n := whole(len(z))
	if n > 0 && short {
		use.mul(n, &z[0], &a[0], &b[0])
	} else {
		n = 0
	}
	for i := n; i < len(z); i++ {
		z[i] = a[i] * b[i]
	}
}

// Clip sets z to a limited to [lo, hi].
func Clip(z, a []int64, lo, hi int64) {
	a = a[:len(z)]
	n := whole(len(z))
	if n > 0 {
		use.clip(n, &z[0], &a[0], lo, hi)
	}
	for i := n; i < len(z); i++ {
		z[i] = min(max(a[i], lo), hi)
	}
}

// NonZero sets z to 1 where a is not 0, else to 0.
func NonZero(z, a []int64) {
	a = a[:len(z)]
	n := whole(len(z))
	if n > 0 {
		use.nonZero(n, &z[0], &a[0])
	}
	for i := n; i < len(z); i++ {
		v := a[i]
		z[i] = int64(uint64(v|-v) >> 63)
	}
}

// Div sets z = floor((a << left >> right) / b), 0 where b is not above 0. short tells that the dividends, shifted, and b are at
// least -2^52 and below 2^52.
func Div(z, a, b []int64, left, right uint, short bool) {
	a, b = a[:len(z)], b[:len(z)]
	left, right = left&63, right&63
	n := 0
	if short {
		if n = whole(len(z)); n > 0 {
			use.div(n, &z[0], &a[0], &b[0], uint64(left), uint64(right))
		}
		// Below 2^53 a quotient that is no integer is farther from the next one than rounding reaches: truncation is exact.
		// A negative dividend's floor is that of its complement, -a - 1, complemented.
		for i := n; i < len(z); i++ {
			dividend, divisor := a[i]<<left>>right, b[i]
			sign := dividend >> 63
			q := int64(float64(dividend^sign)/float64(max(divisor, 1))) ^ sign
			z[i] = q &^ ((divisor - 1) >> 63)
		}
		return
	}
	for i, divisor := range b {
		dividend := a[i] << left >> right
		sign := dividend >> 63
		q := int64(uint64(dividend^sign)/uint64(max(divisor, 1))) ^ sign
		if divisor <= 0 {
			q = 0
		}
		z[i] = q
	}
}

// Sqrt sets z = floor(sqrt(a << left >> right)), 0 where a is negative. short tells that the radicand is below 2^52.
func Sqrt(z, a []int64, left, right uint, short bool) {
	a = a[:len(z)]
	left, right = left&63, right&63
	if short {
		n := whole(len(z))
		if n > 0 {
			use.sqrt(n, &z[0], &a[0], uint64(left), uint64(right))
		}
		// The root of what is below a square of k is farther below k than rounding reaches.
		for i := n; i < len(z); i++ {
			z[i] = int64(math.Sqrt(float64(max(a[i], 0) << left >> right)))
		}
		return
	}
	for i, v := range a {
		radicand := uint64(max(v, 0) << left >> right)
		root := uint64(math.Sqrt(float64(radicand))) // one too much at most: that of a square never rounds to less
		if root*root > radicand {
			root--
		}
		z[i] = int64(root)
	}
}

// Lines are a function that is linear in segments of 2^Part from Low to High, Entries its values at their ends.
type Lines struct {
	Left      uint // what arguments are shifted by
	Low, High int64
	Part      uint
	Entries   []int64
	Segments  []int64 // nil, or an entry times 2^32 and the difference to the next, where these and 2^Part are int32
}

// Pack sets the segments, if entries and differences are int32 and so is 2^Part.
func (l *Lines) Pack() {
	l.Segments = nil
	if l.Part > 30 {
		return
	}
	segments := make([]int64, len(l.Entries)-1)
	for i := range segments {
		entry, difference := l.Entries[i], l.Entries[i+1]-l.Entries[i]
		if entry != int64(int32(entry)) || difference != int64(int32(difference)) {
			return
		}
		segments[i] = entry<<32 | int64(uint32(difference))
	}
	l.Segments = segments
}

// Interpolate sets z to the function of a, limited to its ends: an entry shifted left by Part, and the difference to the next times
// the place between them.
func Interpolate(z, a []int64, l *Lines) {
	a = a[:len(z)]
	low, high, left, part, entries := l.Low, l.High, l.Left&63, l.Part&63, l.Entries
	last := int64(len(entries) - 2) // of the segments
	n := 0
	if l.Segments != nil {
		_ = l.Segments[last]
		if n = whole(len(z)); n > 0 {
			use.interpolate(n, &z[0], &a[0], &l.Segments[0], uint64(left), uint64(part), low, high, last)
		}
	}
	for i := n; i < len(z); i++ {
		v := min(max(a[i]<<left, low), high) - low
		at := min(v>>part, last)
		from, to := entries[at], entries[at+1]
		z[i] = from<<part + (to-from)*(v-at<<part)
	}
}

// Widen sets z = a.
func Widen(z []int64, a []int16) {
	a = a[:len(z)]
	n := whole(len(z))
	if n > 0 {
		use.widen(n, &z[0], &a[0])
	}
	for i := n; i < len(z); i++ {
		z[i] = int64(a[i])
	}
}

// Narrow sets z = a; every element of a is an int16.
func Narrow(z []int16, a []int64) {
	a = a[:len(z)]
	n := whole(len(z))
	if n > 0 {
		use.narrow(n, &z[0], &a[0])
	}
	for i := n; i < len(z); i++ {
		z[i] = int16(a[i])
	}
}

// Lost is the sum of a &^ b.
func Lost(a, b []int64) (sum int64) {
	b = b[:len(a)]
	n := whole(len(a))
	if n > 0 {
		sum = use.lost(n, &a[0], &b[0])
	}
	for i := n; i < len(a); i++ {
		sum += a[i] &^ b[i]
	}
	return sum
}

// Occupied sets the bits of z, bit e%8 of byte e/8, where a is not 0, and clears the others up to a whole byte.
func Occupied(z []uint8, a []int64) {
	z = z[:(len(a)+7)/8]
	n := whole(len(a))
	if n > 0 {
		use.occupied(n, &z[0], &a[0])
	}
	clear(z[n/8:])
	for i := n; i < len(a); i++ {
		if a[i] != 0 {
			z[i/8] |= 1 << (i % 8)
		}
	}
}

// Draw sets z to random words of the rows 0.. of a column, of the generator that package fixedpoint describes, and gives
// the number that it has set; the rest is the caller's. symmetric draws by the unordered pair.
func Draw(z []int64, keys *[8]uint16, column uint16, symmetric bool) (drawn int) {
	if use.words == 0 || len(z) < use.words {
		return 0
	}
	drawn = len(z) / use.words * use.words
	flag := uint64(0)
	if symmetric {
		flag = 1
	}
	use.draw(drawn, &z[0], &keys[0], 0, uint64(column), flag)
	return drawn
}

// AddColumns adds columns of words, times deltas and shifted left, to sums: column e begins at words[at[e]]. The number
// of rows len(sums) is a multiple of Rows, that of columns even, and the sum of the products over any atOnce columns, an even
// number above 0, fits 32 bits.
func AddColumns(sums []int64, words []int16, at []int64, deltas []int16, atOnce int, shift uint) {
	rows := len(sums)
	at = at[:len(deltas)]
	for _, from := range at {
		_ = words[from:][:rows]
	}
	row := 0
	if use.words > 0 && len(deltas) > 0 {
		for _, k := range []struct {
			rows int
			run  func(pairs, atOnce int, words *int16, at *int64, deltas *int16, sums *int64, shift uint64)
		}{{4 * use.words, use.events4}, {use.words, use.events1}} {
			for ; row+k.rows <= rows; row += k.rows {
				k.run(len(deltas)/2, atOnce/2, &words[row], &at[0], &deltas[0], &sums[row], uint64(shift))
			}
		}
	}
	if row == rows {
		return
	}
	for e := 0; e < len(deltas); e += 2 {
		a, b := words[at[e]:][:rows], words[at[e+1]:][:rows]
		x, y := int64(deltas[e]), int64(deltas[e+1])
		for i := range sums {
			sums[i] += (int64(a[i])*x + int64(b[i])*y) << (shift & 63)
		}
	}
}

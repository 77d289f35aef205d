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
	sum              func(n int, z, terms *int64, plus, minus, times, long int, constant int64)
	sumRound         func(n int, z, terms *int64, plus, minus, times, long int, constant int64, rounding *uint64) int64
	sumRoundByValue  func(n int, z, terms *int64, plus, minus, times, long int, constant int64, rounding *uint64) int64
	sumRoundRandom   func(n int, z, terms *int64, plus, minus, times, long int, constant int64, rounding *uint64, random *int64) int64
	mul, mulLong     func(n int, z, a, b *int64)
	clip             func(n int, z, a *int64, lo, hi int64)
	nonZero          func(n int, z, a *int64)
	widen16          func(n int, z *int64, a *int16)
	widen32          func(n int, z *int64, a *int32)
	narrow16         func(n int, z *int16, a *int64)
	narrow32         func(n int, z *int32, a *int64)
	lost             func(n int, sums, next, words *int64) int64
	occupied         func(n int, z *uint8, a *int64)
	div              func(n int, z, a, b *int64, factorA, constantA, factorB, constantB int64, right uint64, rounding *uint64) int64
	sqrt             func(n int, z, a *int64, factor, constant int64, right uint64, rounding *uint64) int64
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
// and subtracted; the values of all others are multiplied by their factors, both int32 but in the last Long.
type Terms struct {
	List              []Term
	Plus, Minus, Long int
}

// first is what a kernel takes.
func (t *Terms) first() (list *int64, plus, minus, times, long int) {
	if len(t.List) > 0 {
		list = &t.List[0].Factor
	}
	return list, t.Plus, t.Minus, len(t.List) - t.Plus - t.Minus - t.Long, t.Long
}

// Sum sets z to constant plus the sum of the terms, whose values have the length of z at least and may be z itself.
func Sum(z []int64, t *Terms, constant int64) {
	n := t.whole(len(z))
	if n > 0 {
		list, plus, minus, times, long := t.first()
		use.sum(n, &z[0], list, plus, minus, times, long, constant)
	}
	t.rest(z, n, constant)
}

// whole is how many of n elements the kernels do; they don't look at the lengths of the terms.
func (t *Terms) whole(n int) int {
	for i := range t.List {
		_ = t.List[i].Values[:n]
	}
	return whole(n)
}

// rest computes the elements from n on, a few at a time: z may be one of the terms.
func (t *Terms) rest(z []int64, n int, constant int64) {
	for ; n < len(z); n += step {
		t.part(z[n:min(n+step, len(z))], n, constant)
	}
}

// part computes a few elements, those from n on.
func (t *Terms) part(z []int64, n int, constant int64) {
	var sums [step]int64
	for i := range sums {
		sums[i] = constant
	}
	for at := range t.List {
		f, values := t.List[at].Factor, t.List[at].Values[n:][:len(z)]
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
	copy(z, sums[:])
}

// SumRound is Sum, rounded; it gives the number of results outside the limits.
func SumRound(z []int64, t *Terms, constant int64, r *Rounding) (outside int64) {
	n := t.whole(len(z))
	if n > 0 {
		list, plus, minus, times, long := t.first()
		if r.Mask == 0 {
			outside = use.sumRound(n, &z[0], list, plus, minus, times, long, constant+r.Addend, r.first())
		} else {
			outside = use.sumRoundByValue(n, &z[0], list, plus, minus, times, long, constant, r.first())
		}
	}
	t.rest(z, n, constant)
	for i := n; i < len(z); i++ {
		z[i] = r.round(z[i], &outside)
	}
	return outside
}

// SumRoundRandom sets z to (sum + random>>Down<<Up) >> Drop within limits, random being 32-bit words, and gives the number of
// results outside. Slices of operands have the length of z here and below, and may be z itself.
func SumRoundRandom(z []int64, t *Terms, constant int64, r *Rounding, random []int64) (outside int64) {
	random = random[:len(z)]
	n := t.whole(len(z))
	if n > 0 {
		list, plus, minus, times, long := t.first()
		outside = use.sumRoundRandom(n, &z[0], list, plus, minus, times, long, constant, r.first(), &random[0])
	}
	var draws [step]int64 // random may be z
	for ; n < len(z); n += step {
		part := z[n:min(n+step, len(z))]
		copy(draws[:], random[n:])
		t.part(part, n, constant)
		for i, v := range part {
			part[i] = r.limit((v+draws[i]>>(r.Down&63)<<(r.Up&63))>>(r.Drop&63), &outside)
		}
	}
	return outside
}

// Mul sets z = a b. short tells that all factors are int32.
func Mul(z, a, b []int64, short bool) {
	a, b = a[:len(z)], b[:len(z)]
	n := whole(len(z))
	switch {
	case n == 0:
	case short:
		use.mul(n, &z[0], &a[0], &b[0])
	default:
		use.mulLong(n, &z[0], &a[0], &b[0])
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

// Operand is Values times Factor plus Constant.
type Operand struct {
	Values           []int64
	Factor, Constant int64
}

func (o *Operand) at(i int) int64 { return o.Values[i]*o.Factor + o.Constant }

// Div sets z = floor((a >> right) / b), 0 where b is not above 0, rounded, and gives the number of results outside the limits.
// short tells that the dividends, shifted, and b are at least -2^52 and below 2^52.
func Div(z []int64, a, b Operand, right uint, short bool, r *Rounding) (outside int64) {
	a.Values, b.Values = a.Values[:len(z)], b.Values[:len(z)]
	right &= 63
	n := 0
	if short {
		if n = whole(len(z)); n > 0 {
			outside = use.div(n, &z[0], &a.Values[0], &b.Values[0], a.Factor, a.Constant, b.Factor, b.Constant, uint64(right), r.first())
		}
		// Below 2^53 a quotient that is no integer is farther from the next one than rounding reaches: truncation is exact.
		// A negative dividend's floor is that of its complement, -a - 1, complemented.
		for i := n; i < len(z); i++ {
			dividend, divisor := a.at(i)>>right, b.at(i)
			sign := dividend >> 63
			q := int64(float64(dividend^sign)/float64(max(divisor, 1))) ^ sign
			z[i] = r.round(q&^((divisor-1)>>63), &outside)
		}
		return outside
	}
	for i := range z {
		dividend, divisor := a.at(i)>>right, b.at(i)
		sign := dividend >> 63
		q := int64(uint64(dividend^sign)/uint64(max(divisor, 1))) ^ sign
		if divisor <= 0 {
			q = 0
		}
		z[i] = r.round(q, &outside)
	}
	return outside
}

// Sqrt sets z = floor(sqrt(a >> right)), 0 where a is negative, rounded, and gives the number of results outside the limits.
// short tells that the radicand is below 2^52.
func Sqrt(z []int64, a Operand, right uint, short bool, r *Rounding) (outside int64) {
	a.Values = a.Values[:len(z)]
	right &= 63
	if short {
		n := whole(len(z))
		if n > 0 {
			outside = use.sqrt(n, &z[0], &a.Values[0], a.Factor, a.Constant, uint64(right), r.first())
		}
		// The root of what is below a square of k is farther below k than rounding reaches.
		for i := n; i < len(z); i++ {
			z[i] = r.round(int64(math.Sqrt(float64(max(a.at(i), 0)>>right))), &outside)
		}
		return outside
	}
	for i := range z {
		radicand := uint64(max(a.at(i), 0) >> right)
		root := uint64(math.Sqrt(float64(radicand))) // one too much at most: that of a square never rounds to less
		if root*root > radicand {
			root--
		}
		z[i] = r.round(int64(root), &outside)
	}
	return outside
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
func Widen[T int16 | int32](z []int64, a []T) {
	a = a[:len(z)]
	n := whole(len(z))
	if n > 0 {
		switch a := any(a).(type) {
		case []int16:
			use.widen16(n, &z[0], &a[0])
		case []int32:
			use.widen32(n, &z[0], &a[0])
		}
	}
	for i := n; i < len(z); i++ {
		z[i] = int64(a[i])
	}
}

// Narrow sets z = a, every element of which fits.
func Narrow[T int16 | int32](z []T, a []int64) {
	a = a[:len(z)]
	n := whole(len(z))
	if n > 0 {
		switch z := any(z).(type) {
		case []int16:
			use.narrow16(n, &z[0], &a[0])
		case []int32:
			use.narrow32(n, &z[0], &a[0])
		}
	}
	for i := n; i < len(z); i++ {
		z[i] = T(a[i])
	}
}

// Lost is the number of elements whose sum is not 0 but whose next word is the word.
func Lost(sums, next, words []int64) (lost int64) {
	next, words = next[:len(sums)], words[:len(sums)]
	n := whole(len(sums))
	if n > 0 {
		lost = use.lost(n, &sums[0], &next[0], &words[0])
	}
	for i := n; i < len(sums); i++ {
		if sums[i] != 0 && next[i] == words[i] {
			lost++
		}
	}
	return lost
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

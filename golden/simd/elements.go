package simd

import "fmt"

// Term is a matrix of states by a factor.
type Term[T Float] struct {
	Factor T
	Values Matrix[T]
}

// Combine sets z to the sum of terms, of matrices of states of one shape: a product and fused multiply-adds in their order.
// z may be one of them, the first where there are more than four. Sums that are not normal numbers become 0, as products and
// quotients do: they would take a processor ten times as long.
func Combine[T Float](z Matrix[T], terms []Term[T]) {
	n, k := z.whole(), inUse[T]()
	for _, t := range terms {
		t.Values.wantShape(z)
	}
	if len(terms) == 0 {
		panic("simd: a sum of no terms")
	}
	if n == 0 {
		return
	}
	p := func(i int) *T { return &terms[i].Values.data[0] }
	f := func(i int) T { return terms[i].Factor }
	to := &z.data[0]
	switch len(terms) {
	case 1:
		k.combine1(n, to, p(0), f(0))
	case 2:
		k.combine2(n, to, p(0), p(1), f(0), f(1))
	case 3:
		k.combine3(n, to, p(0), p(1), p(2), f(0), f(1), f(2))
	default:
		k.combine4(n, to, p(0), p(1), p(2), p(3), f(0), f(1), f(2), f(3))
	}
	for rest := terms[min(4, len(terms)):]; len(rest) > 0; rest = rest[min(3, len(rest)):] {
		Combine(z, append([]Term[T]{{1, z}}, rest[:min(3, len(rest))]...))
	}
}

// Limit sets z to a limited to 0 .. ceiling. NaN stays NaN. z may be a.
func Limit[T Float](z, a Matrix[T], ceiling T) {
	a.wantShape(z)
	if n := z.whole(); n > 0 {
		inUse[T]().limit(n, &z.data[0], &a.data[0], ceiling)
	}
}

// MultiplyElements sets z to the products of the elements of a and b, 0 where they are not normal numbers. z may be one of them.
func MultiplyElements[T Float](z, a, b Matrix[T]) {
	a.wantShape(z)
	b.wantShape(z)
	if n := z.whole(); n > 0 {
		inUse[T]().multiply(n, &z.data[0], &a.data[0], &b.data[0])
	}
}

// DivideElements sets z to the quotients of the elements of a, times factor, and b; 0 where that of b is not above 0
// or the quotient is not a normal number. z may be one of them.
func DivideElements[T Float](z, a, b Matrix[T], factor T) {
	a.wantShape(z)
	b.wantShape(z)
	if n := z.whole(); n > 0 {
		inUse[T]().divide(n, &z.data[0], &a.data[0], &b.data[0], factor)
	}
}

// Roots sets z to the square roots of the elements of a, 0 of those below 0. z may be a.
func Roots[T Float](z, a Matrix[T]) {
	a.wantShape(z)
	if n := z.whole(); n > 0 {
		inUse[T]().root(n, &z.data[0], &a.data[0])
	}
}

// NonZeros sets z to 1 where an element of a is not 0, else to 0. z may be a.
func NonZeros[T Float](z, a Matrix[T]) {
	a.wantShape(z)
	if n := z.whole(); n > 0 {
		inUse[T]().nonZero(n, &z.data[0], &a.data[0], 1)
	}
}

// Offset sets z to the elements of a, a value added to each. z may be a.
func Offset[T Float](z, a Matrix[T], add T) {
	a.wantShape(z)
	if n := z.whole(); n > 0 {
		inUse[T]().offset(n, &z.data[0], &a.data[0], add)
	}
}

// Exp sets z to e to the power of the elements of a; on float32, e^-87 .. e^88 at most. z may be a.
func Exp[T Float](z, a Matrix[T]) {
	a.wantShape(z)
	if n := z.whole(); n > 0 {
		inUse[T]().exp(n, &z.data[0], &a.data[0])
	}
}

// Sigmoid sets z to 1 / (1 + e^-v) of the elements v of a. z may be a.
func Sigmoid[T Float](z, a Matrix[T]) {
	a.wantShape(z)
	if n := z.whole(); n > 0 {
		inUse[T]().sigmoid(n, &z.data[0], &a.data[0])
	}
}

// whole is the number of elements from the first row to the end of the last, with all that pads them: kernels
// compute there too, and no element depends on it.
func (m Matrix[T]) whole() int {
	m.wantStates()
	if m.Rows == 0 {
		return 0
	}
	return (m.Rows-1)*m.row + panels[T](m.Cols)*m.panel
}

func (m Matrix[T]) wantShape(z Matrix[T]) {
	m.wantStates()
	if m.Rows != z.Rows || m.Cols != z.Cols || m.row != z.row {
		panic(fmt.Sprintf("simd: %d x %d elements in a formula of %d x %d", m.Rows, m.Cols, z.Rows, z.Cols))
	}
}

// Sum is the sum of a slice, in an order that does not depend on the processor.
func Sum[T Float](values []T) T {
	var sums [8]T
	for ; len(values) >= len(sums); values = values[len(sums):] {
		for i := range sums {
			sums[i] += values[i]
		}
	}
	for i, v := range values {
		sums[i] += v
	}
	return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]))
}

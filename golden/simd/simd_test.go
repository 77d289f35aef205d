package simd

import (
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

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

// exactFMA is x y + z in unlimited precision, rounded once to float32.
func exactFMA(x, y, z float32) float32 {
	product := new(big.Float).SetPrec(2000).Mul(big.NewFloat(float64(x)), big.NewFloat(float64(y)))
	sum, _ := product.Add(product, big.NewFloat(float64(z))).Float32()
	return sum
}

func TestFMA32(t *testing.T) {
	rng := source(t)
	// Halfway cases of the second rounding: x y = 1 + 2^-23 + ..., and a third term that breaks the tie.
	directed := []float32{0, 1, -1, 1 + 0x1p-23, 1 - 0x1p-24, 0x1p-24, -0x1p-24, 0x1p-60, -0x1p-60, 0x1p-149, 0x1p-126, 3, 0x1.fffffep+127, 0x1p-75, 0x1.000002p-75}
	check := func(x, y, z float32) {
		got, want := fma32(x, y, z), exactFMA(x, y, z)
		if got != want {
			t.Fatalf("%g * %g + %g: got %g, want %g", x, y, z, got, want)
		}
	}
	for _, x := range directed {
		for _, y := range directed {
			for _, z := range directed {
				check(x, y, z)
			}
		}
	}
	for range 300_000 {
		x, y := float32(rng.NormFloat64()), float32(rng.NormFloat64())
		z := float32(rng.NormFloat64() * math.Ldexp(1, rng.IntN(80)-40))
		check(x, y, z)
		// Near a tie: z a half of the product's last place, times a power of 2.
		check(x, y, x*y*float32(math.Ldexp(1, rng.IntN(30)-28)))
		check(x, y, -x*y)
		check(x*0x1p-70, y*0x1p-70, z*0x1p-130) // below the normal numbers
	}
	require.True(t, math.IsNaN(float64(fma32(float32(math.NaN()), 1, 1))))
	require.True(t, math.IsInf(float64(fma32(0x1p100, 0x1p100, 1)), 1))
}

// filled is a matrix of random elements, some of them zero.
func filled[T Float](rng *rand.Rand, m Matrix[T]) Matrix[T] {
	for i := range m.Rows {
		for j := range m.Cols {
			if rng.IntN(4) > 0 {
				m.Set(i, j, T(rng.NormFloat64()))
			}
		}
	}
	return m
}

// with runs f with each of the kernels of an element type.
func with[T Float](list []kernels[T], use **kernels[T], f func(name string)) {
	before := *use
	defer func() { *use = before }()
	for i := range list {
		*use = &list[i]
		f(list[i].name)
	}
}

func TestProducts(t *testing.T) {
	rng := source(t)
	t.Run("float32", func(t *testing.T) { testProducts(t, rng, available32(), &use32) })
	t.Run("float64", func(t *testing.T) { testProducts(t, rng, available64(), &use64) })
}

// testProducts holds both products in all kernels against chains of fused multiply-adds, bit by bit.
func testProducts[T Float](t *testing.T, rng *rand.Rand, list []kernels[T], use **kernels[T]) {
	for range 60 {
		samples, pre, post := 1+rng.IntN(33), 1+rng.IntN(70), 1+rng.IntN(70)
		keep := []T{0, 1, T(rng.NormFloat64())}[rng.IntN(3)]
		a, b := filled(rng, NewStates[T](samples, pre)), filled(rng, NewSynapses[T](pre, post))
		c := filled(rng, NewStates[T](samples, post))
		d := filled(rng, NewSynapses[T](pre, post))
		with(list, use, func(name string) {
			gotC, gotD := NewStates[T](samples, post), NewSynapses[T](pre, post)
			Copy(gotC, c)
			copy(gotD.data, d.data)
			if keep == 0 { // what was there doesn't matter
				gotC.Set(rng.IntN(samples), rng.IntN(post), T(math.NaN()))
				gotD.Set(rng.IntN(pre), rng.IntN(post), T(math.Inf(1)))
			}
			Multiply(keep, gotC, a, b)
			half := rng.IntN(pre + 1)
			MultiplyTransposed(keep, gotD, a, c, 0, half)
			MultiplyTransposed(keep, gotD, a, c, half, pre)
			for i := range samples {
				for j := range post {
					want := keep * c.At(i, j)
					if keep == 0 {
						want = 0
					}
					for term := range pre {
						want = fma(b.At(term, j), a.At(i, term), want)
					}
					require.Equal(t, want, gotC.At(i, j), "%s: %d x %d x %d", name, samples, pre, post)
				}
			}
			for i := range pre {
				for j := range post {
					want := keep * d.At(i, j)
					for sample := range samples {
						want = fma(c.At(sample, j), a.At(sample, i), want)
					}
					require.Equal(t, want, gotD.At(i, j), "%s: %d x %d x %d transposed", name, samples, pre, post)
				}
			}
			padding(t, name, gotC)
			padding(t, name, gotD)
			// A view of some rows changes those only.
			from := rng.IntN(samples)
			to := from + rng.IntN(samples-from+1)
			view := NewStates[T](samples, post)
			Copy(view, c)
			Multiply(keep, view.Slice(from, to), a.Slice(from, to), b)
			for i := range samples {
				want := c
				if from <= i && i < to {
					want = gotC
				}
				require.Equal(t, want.Row(i), view.Row(i), "%s: rows %d to %d of %d", name, from, to, samples)
			}
		})
	}
}

// padding wants zeros beyond the columns: products leave them there.
func padding[T Float](t *testing.T, name string, m Matrix[T]) {
	t.Helper()
	for i := range m.Rows {
		for j := m.Cols; j < panels[T](m.Cols)*panelColumns[T](); j++ {
			require.Zero(t, m.data[i*m.row+j/panelColumns[T]()*m.panel+j%panelColumns[T]()], "%s: padding of row %d", name, i)
		}
	}
}

func TestElements(t *testing.T) {
	rng := source(t)
	t.Run("float32", func(t *testing.T) { testElements(t, rng, available32(), &use32) })
	t.Run("float64", func(t *testing.T) { testElements(t, rng, available64(), &use64) })
}

// testElements holds the element-wise kernels against one element at a time, of up to nine terms, NaN and infinity among them,
// with the result in the place of an operand or not.
func testElements[T Float](t *testing.T, rng *rand.Rand, list []kernels[T], use **kernels[T]) {
	for range 60 {
		rows, neurons := 1+rng.IntN(3), 1+rng.IntN(100)
		terms := make([]Term[T], 1+rng.IntN(9))
		for i := range terms {
			terms[i] = Term[T]{T(rng.NormFloat64()), filled(rng, NewStates[T](rows, neurons))}
		}
		terms[0].Values.Set(rows-1, 0, T(math.NaN()))
		terms[len(terms)-1].Values.Set(0, neurons-1, T(math.Inf(1)))
		other := filled(rng, NewStates[T](rows, neurons))
		ceiling := T(1)
		if rng.IntN(2) == 0 {
			ceiling = T(math.Inf(1))
		}
		inPlace := rng.IntN(2) == 0
		with(list, use, func(name string) {
			of := make([]Term[T], len(terms))
			for i := range of {
				of[i] = Term[T]{terms[i].Factor, NewStates[T](rows, neurons)}
				Copy(of[i].Values, terms[i].Values)
			}
			z := NewStates[T](rows, neurons)
			if inPlace {
				z = of[0].Values
			}
			Combine(z, of)
			limited, product := NewStates[T](rows, neurons), NewStates[T](rows, neurons)
			Limit(limited, z, ceiling)
			MultiplyElements(product, z, other)
			for i := range rows {
				for j := range neurons {
					sum := terms[0].Values.At(i, j) * terms[0].Factor
					for _, term := range terms[1:] {
						sum = fma(term.Values.At(i, j), term.Factor, sum)
					}
					same(t, sum, z.At(i, j), "%s: sum of %d terms, element %d, %d", name, len(terms), i, j)
					same(t, min(max(sum, 0), ceiling), limited.At(i, j), "%s: limited element %d, %d", name, i, j)
					same(t, sum*other.At(i, j), product.At(i, j), "%s: product %d, %d", name, i, j)
				}
			}
			padding(t, name, limited)
		})
	}
}

// flushed is v, +0 where it is smaller than any normal number.
func flushed[T Float](v T) T {
	smallest := 2.2250738585072014e-308
	if _, short := any(v).(float32); short {
		smallest = 1.1754943508222875e-38
	}
	if math.Abs(float64(v)) < smallest {
		return 0
	}
	return v
}

func TestSmallNumbers(t *testing.T) {
	rng := source(t)
	t.Run("float32", func(t *testing.T) { testSmallNumbers(t, rng, available32(), &use32, -130) })
	t.Run("float64", func(t *testing.T) { testSmallNumbers(t, rng, available64(), &use64, -1026) })
}

// testSmallNumbers holds sums of up to four terms, products and quotients that lie about the smallest normal number, 2^(place + 4),
// in all kernels against one element at a time, bit by bit, the sign of zeros included: none is smaller but 0.
func testSmallNumbers[T Float](t *testing.T, rng *rand.Rand, list []kernels[T], use **kernels[T], place int) {
	draw := func(m Matrix[T], place int) Matrix[T] {
		filled(rng, m)
		for i := range m.Rows {
			for j := range m.Cols {
				m.Set(i, j, T(math.Ldexp(float64(m.At(i, j)), place+rng.IntN(12))))
			}
		}
		return m
	}
	smaller := 0
	for range 60 {
		rows, neurons := 1+rng.IntN(3), 1+rng.IntN(100)
		terms := make([]Term[T], 1+rng.IntN(4))
		for i := range terms {
			terms[i] = Term[T]{T(rng.NormFloat64()), draw(NewStates[T](rows, neurons), place)}
		}
		near := draw(NewStates[T](rows, neurons), 0)
		with(list, use, func(name string) {
			sum, product, quotient := NewStates[T](rows, neurons), NewStates[T](rows, neurons), NewStates[T](rows, neurons)
			small := terms[0].Values
			Combine(sum, terms)
			MultiplyElements(product, small, near)
			DivideElements(quotient, small, near, 0.5)
			for i := range rows {
				for j := range neurons {
					exact := small.At(i, j) * terms[0].Factor
					for _, term := range terms[1:] {
						exact = fma(term.Values.At(i, j), term.Factor, exact)
					}
					if exact != flushed(exact) {
						smaller++
					}
					ratio := T(0)
					if near.At(i, j) > 0 {
						ratio = T(small.At(i, j)*0.5) / near.At(i, j)
					}
					for k, pair := range [][2]T{{exact, sum.At(i, j)}, {small.At(i, j) * near.At(i, j), product.At(i, j)}, {ratio, quotient.At(i, j)}} {
						require.Equal(t, math.Float64bits(float64(flushed(pair[0]))), math.Float64bits(float64(pair[1])), "%s: result %d, element %d, %d", name, k, i, j)
					}
				}
			}
		})
	}
	require.Greater(t, smaller, 100)
}

func TestFunctions(t *testing.T) {
	rng := source(t)
	t.Run("float32", func(t *testing.T) { testFunctions(t, rng, available32(), &use32) })
	t.Run("float64", func(t *testing.T) { testFunctions(t, rng, available64(), &use64) })
}

// testFunctions holds quotients, roots, offsets, what is not zero, powers of e and sigmoids in all kernels against one element at
// a time, bit by bit, the sign of zeros included.
func testFunctions[T Float](t *testing.T, rng *rand.Rand, list []kernels[T], use **kernels[T]) {
	infinity, nan := T(math.Inf(1)), T(math.NaN())
	zero := T(0)
	special := []T{0, -zero, 1, -1, infinity, -infinity, nan, T(math.SmallestNonzeroFloat32), -T(math.SmallestNonzeroFloat32), 0x1p-126, math.MaxFloat32, -math.MaxFloat32,
		-87, 88, 87, -88, -87.5, 88.5, 0.5, 1e-30, -1e-30}
	draw := func(m Matrix[T]) Matrix[T] {
		filled(rng, m)
		for range rng.IntN(9) {
			m.Set(rng.IntN(m.Rows), rng.IntN(m.Cols), special[rng.IntN(len(special))])
		}
		for range rng.IntN(9) {
			m.Set(rng.IntN(m.Rows), rng.IntN(m.Cols), T(60*rng.NormFloat64()))
		}
		return m
	}
	for range 60 {
		rows, neurons := 1+rng.IntN(3), 1+rng.IntN(100)
		a, b := draw(NewStates[T](rows, neurons)), draw(NewStates[T](rows, neurons))
		add := special[rng.IntN(len(special))]
		inPlace := rng.IntN(2) == 0
		with(list, use, func(name string) {
			for _, f := range []struct {
				name string
				run  func(z, a Matrix[T])
				want func(v, by T) T
			}{
				{"quotient", func(z, a Matrix[T]) { DivideElements(z, a, b, add) }, func(v, by T) T {
					if by > 0 {
						return flushed(T(v*add) / by)
					}
					return 0
				}},
				{"root", func(z, a Matrix[T]) { Roots(z, a) }, func(v, _ T) T {
					if v < 0 {
						return 0
					}
					return T(math.Sqrt(float64(v)))
				}},
				{"what is not zero", func(z, a Matrix[T]) { NonZeros(z, a) }, func(v, _ T) T {
					if v != 0 {
						return 1
					}
					return 0
				}},
				{"offset", func(z, a Matrix[T]) { Offset(z, a, add) }, func(v, _ T) T { return v + add }},
				{"power of e", func(z, a Matrix[T]) { Exp(z, a) }, func(v, _ T) T { return one(v, plainExp[T]) }},
				{"sigmoid", func(z, a Matrix[T]) { Sigmoid(z, a) }, func(v, _ T) T { return one(v, plainSigmoid[T]) }},
			} {
				from, z := NewStates[T](rows, neurons), NewStates[T](rows, neurons)
				Copy(from, a)
				if inPlace {
					z = from
				}
				f.run(z, from)
				for i := range rows {
					for j := range neurons {
						want, got := f.want(a.At(i, j), b.At(i, j)), z.At(i, j)
						same(t, want, got, "%s: %s of %v, %v", name, f.name, a.At(i, j), b.At(i, j))
						if want == want {
							require.Equal(t, math.Signbit(float64(want)), math.Signbit(float64(got)), "%s: sign of the %s of %v, %v", name, f.name, a.At(i, j), b.At(i, j))
						}
					}
				}
			}
		})
	}
}

// one is a kernel's value of one element.
func one[T Float](v T, kernel func(n int, z, a *T)) (z T) {
	kernel(1, &z, &v)
	return z
}

// What e^v and sigmoids of float32 err by at most, measured over all numbers, and where.
const (
	expBound     = 2.74
	sigmoidBound = 3.52
)

var worstOfExp = []float32{-27.379168, 5.1986666, -3.8118467, -16.983305}

// TestExpErrors holds e^v and sigmoids of float32 to the errors that expConstants tells of, in units in the last place of the exact
// values, at the worst numbers known and at many others; of all numbers of their ranges where CORINFO_ALL is set, in a minute or two.
func TestExpErrors(t *testing.T) {
	step := uint32(1009)
	if os.Getenv("CORINFO_ALL") != "" {
		step = 1
	}
	worst := map[string]float64{}
	check := func(name string, kernel func(n int, z, a *float32), exact func(v float64) float64, bound float64, v float32) {
		want := exact(float64(v))
		_, exponent := math.Frexp(want)
		off := math.Abs(float64(one(v, kernel))-want) / math.Ldexp(1, max(exponent-24, -149))
		if worst[name] = max(worst[name], off); off > bound {
			t.Fatalf("%s(%v): %v, %v units in the last place off", name, v, one(v, kernel), off)
		}
	}
	both := func(v float32) {
		if -87 <= v && v <= 88 {
			check("exp", plainExp[float32], math.Exp, expBound, v)
		}
		if -88 <= v && v <= 87 {
			check("sigmoid", plainSigmoid[float32], func(v float64) float64 { return 1 / (1 + math.Exp(-v)) }, sigmoidBound, v)
		}
	}
	for _, v := range worstOfExp {
		both(v)
	}
	// Below 2^-27 both are constant but for their roundings.
	for bits := math.Float32bits(0x1p-27); bits <= math.Float32bits(88); bits += step {
		both(math.Float32frombits(bits))
		both(-math.Float32frombits(bits))
	}
	t.Log(worst)
	require.Greater(t, worst["exp"], expBound-0.01)
	require.Greater(t, worst["sigmoid"], sigmoidBound-0.01)
	for _, tiny := range []float32{0, 0x1p-149, -0x1p-149, 0x1p-30, -0x1p-30} {
		require.Equal(t, float32(1), one(tiny, plainExp[float32]))
		require.Equal(t, float32(0.5), one(tiny, plainSigmoid[float32]))
	}
	// Beyond the range they are as at its ends.
	for _, far := range []float32{88.5, 1e30, float32(math.Inf(1))} {
		require.Equal(t, one(88, plainExp[float32]), one(far, plainExp[float32]))
		require.Equal(t, one(-87, plainExp[float32]), one(-far, plainExp[float32]))
		require.Equal(t, float32(1), one(far, plainSigmoid[float32]))
		require.Equal(t, one(-88, plainSigmoid[float32]), one(-far, plainSigmoid[float32]))
	}
}

func TestViews(t *testing.T) {
	rng := source(t)
	t.Run("float32", func(t *testing.T) { testViews(t, rng, available32(), &use32) })
	t.Run("float64", func(t *testing.T) { testViews(t, rng, available64(), &use64) })
}

// testViews: panels hold the columns of a matrix in their order; what is done to a view is done to its elements of the matrix, and to
// no others.
func testViews[T Float](t *testing.T, rng *rand.Rand, list []kernels[T], use **kernels[T]) {
	width := PanelColumns[T]()
	for range 40 {
		pre, post, samples := 1+rng.IntN(80), 1+rng.IntN(80), 1+rng.IntN(9)
		m := filled(rng, NewSynapses[T](pre, post))
		require.Equal(t, (post+width-1)/width, m.Panels())
		to := rng.IntN(pre + 1)
		from := rng.IntN(to + 1)
		columns := 0
		for p := range m.Panels() {
			panel := m.Panel(p, from, to)
			require.Equal(t, to-from, panel.Rows)
			for i := range panel.Rows {
				for j, v := range panel.Row(i) {
					require.Equal(t, m.At(from+i, columns+j), v)
				}
			}
			columns += panel.Cols
		}
		require.Equal(t, post, columns)

		// A part of an update, panel by panel: the products of some rows, an operation over elements, the result in its place.
		a, b := filled(rng, NewStates[T](samples, pre)), filled(rng, NewStates[T](samples, post))
		with(list, use, func(name string) {
			got := NewSynapses[T](pre, post)
			copy(got.data, m.data)
			room := NewSynapses[T](pre, width)
			for p := range got.Panels() {
				part := got.Panel(p, from, to)
				products := room.Panel(0, 0, to-from).Narrow(part.Cols)
				require.Equal(t, part.Cols, products.Cols)
				MultiplyTransposed(0, products, a.Columns(from, to), b.Panel(p, 0, samples), 0, to-from)
				Combine(part, []Term[T]{{1, part}, {0.5, products}})
			}
			for i := range pre {
				for j := range post {
					want := m.At(i, j)
					if from <= i && i < to {
						sum := T(0)
						for sample := range samples {
							sum = fma(b.At(sample, j), a.At(sample, i), sum)
						}
						want = fma(sum, 0.5, want)
					}
					require.Equal(t, want, got.At(i, j), "%s: %d, %d of %d x %d, rows %d to %d", name, i, j, pre, post, from, to)
				}
			}
			padding(t, name, got)
		})

		across := filled(rng, NewSynapses[T](post, pre))
		Transpose(across, m)
		for i := range pre {
			for j := range post {
				require.Equal(t, m.At(i, j), across.At(j, i), "%d, %d of %d x %d", i, j, pre, post)
			}
		}
		padding(t, "transpose", across)

		states := filled(rng, NewStates[T](samples, post))
		narrow := rng.IntN(post + 1)
		row := rng.IntN(samples)
		cleared := NewStates[T](samples, post)
		Copy(cleared, states)
		cleared.Slice(row, samples).Narrow(narrow).Clear()
		for i := range samples {
			for j := range post {
				want := states.At(i, j)
				if i >= row && j < narrow {
					want = 0
				}
				require.Equal(t, want, cleared.At(i, j))
			}
		}
		require.Equal(t, post, states.Narrow(post+7).Cols)
	}
}

func same[T Float](t *testing.T, want, got T, format string, args ...any) {
	t.Helper()
	if want != want && got != got { // NaN
		return
	}
	require.Equal(t, want, got, append([]any{format}, args...)...)
}

func TestSum(t *testing.T) {
	values := make([]float64, 100)
	for n := range values {
		values[n] = float64(n + 1)
		require.Equal(t, float64((n+1)*(n+2)/2), Sum(values[:n+1]))
	}
	require.Zero(t, Sum[float32](nil))
}

func TestShapes(t *testing.T) {
	a, b, c := NewStates[float32](2, 3), NewSynapses[float32](3, 4), NewStates[float32](2, 4)
	for name, f := range map[string]func(){
		"terms":            func() { Multiply(0, c, a, NewSynapses[float32](4, 4)) },
		"rows":             func() { Multiply(0, NewStates[float32](3, 4), a, b) },
		"columns":          func() { Multiply(0, NewStates[float32](2, 5), a, b) },
		"synapses as left": func() { Multiply(0, NewStates[float32](3, 4), b, NewSynapses[float32](4, 4)) },
		"transposed":       func() { MultiplyTransposed(0, b, a, NewStates[float32](3, 4), 0, 1) },
		"rows of a part":   func() { MultiplyTransposed(0, NewSynapses[float32](3, 4), a, c, 1, 4) },
		"element":          func() { c.At(0, 4) },
		"view":             func() { a.Slice(1, 3) },
		"view of a view":   func() { a.Slice(0, 1).Slice(0, 2) },
		"view from behind": func() { a.Slice(2, 1) },
		"sum":              func() { Combine(c, []Term[float32]{{1, c}, {1, NewStates[float32](2, 100)}}) },
		"sum of nothing":   func() { Combine(c, nil) },
		"limit":            func() { Limit(c, NewStates[float32](3, 4), 1) },
		"elements":         func() { MultiplyElements(c, c, NewStates[float32](2, 100)) },
		"quotient":         func() { DivideElements(c, c, NewStates[float32](2, 100), 1) },
		"dividend":         func() { DivideElements(c, NewStates[float32](3, 4), c, 1) },
		"roots":            func() { Roots(c, NewStates[float32](3, 4)) },
		"what is not zero": func() { NonZeros(c, a) },
		"powers of e":      func() { Exp(c, a) },
		"sigmoids":         func() { Sigmoid(c, a) },
		"offset":           func() { Offset(b, b, 1) },
		"rows of a panel":  func() { b.Panel(0, 2, 4) },
		"narrow synapses":  func() { b.Narrow(1) },
		"their columns":    func() { b.Columns(0, 1) },
		"cleared synapses": func() { b.Clear() },
		"panel":            func() { b.Panel(1, 0, 3) },
		"columns of none":  func() { c.Columns(3, 5) },
		"transpose":        func() { Transpose(b, NewSynapses[float32](3, 4)) },
	} {
		require.Panics(t, f, name)
	}
}

func TestChoose(t *testing.T) {
	list := available32()
	for i, k := range list {
		require.Same(t, &list[i], choose(list, k.name))
	}
	require.Same(t, &list[0], choose(list, "none of these"))
	require.Equal(t, "go", list[len(list)-1].name)
	with(list, &use32, func(name string) {
		require.Equal(t, name, Name())
		require.Positive(t, Peak[float32](time.Millisecond))
	})
}

// BenchmarkMultiply is the lateral product of a hidden layer of 500 for 20 samples.
func BenchmarkMultiply(b *testing.B) {
	b.Run("float32", benchmarkMultiply[float32])
	b.Run("float64", benchmarkMultiply[float64])
}

func benchmarkMultiply[T Float](b *testing.B) {
	rng := rand.New(rand.NewPCG(0, 0))
	to, from, synapses := NewStates[T](20, 500), filled(rng, NewStates[T](20, 500)), filled(rng, NewSynapses[T](500, 500))
	for b.Loop() {
		Multiply(0, to, from, synapses)
	}
	rate := 20 * 500 * 500 * float64(b.N) / b.Elapsed().Seconds()
	b.ReportMetric(rate/1e9, "GMAC/s")
	b.ReportMetric(100*rate/Peak[T](100*time.Millisecond), "%peak")
}

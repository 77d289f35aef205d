package golden

import (
	"fmt"
	"math"

	"corinfo/golden/simd"
)

// floatBatch is the activity of some samples, a row each. Slices are indexed by layer.
type floatBatch[T simd.Float] struct {
	rows             int
	x, y             simd.Matrix[T]
	input            simd.Matrix[T]   // W_0 x, the same in all iterations
	r, u             []simd.Matrix[T] // k = 1..K
	current, lateral []simd.Matrix[T] // scratch of a step
	q, qu            [][]T            // state and potential of a sparse layer's interneuron, by sample
	classes          []int            // after the free phase
}

func newFloatBatch[T simd.Float](n *Network, rows int) *floatBatch[T] {
	K := n.K()
	b := &floatBatch[T]{rows: rows, x: simd.NewStates[T](rows, n.Layers[0]), y: simd.NewStates[T](rows, n.Layers[K]),
		input: simd.NewStates[T](rows, n.Layers[1]), q: make([][]T, K+1), qu: make([][]T, K+1), classes: make([]int, rows)}
	for _, list := range []*[]simd.Matrix[T]{&b.r, &b.u, &b.current, &b.lateral} {
		*list = layersOf[T](n, rows)
	}
	for k := 1; k <= K; k++ {
		b.q[k], b.qu[k] = make([]T, rows), make([]T, rows)
	}
	return b
}

// layersOf is a matrix of states for every layer k = 1..K.
func layersOf[T simd.Float](n *Network, rows int) []simd.Matrix[T] {
	list := make([]simd.Matrix[T], n.K()+1)
	for k := 1; k <= n.K(); k++ {
		list[k] = simd.NewStates[T](rows, n.Layers[k])
	}
	return list
}

// load takes a sample of pixels.
func (b *floatBatch[T]) load(i int, pixels []uint8) {
	x := b.x.Row(i)
	if len(pixels) != len(x) {
		panic(fmt.Sprintf("golden: sample of %d pixels; the input has %d", len(pixels), len(x)))
	}
	for j, p := range pixels {
		x[j] = T(p) / 255
	}
}

// free runs the free phase of samples that are loaded, and classifies them.
func (m *FloatModel[T]) free(b *floatBatch[T], s span) {
	m.begin(b, s)
	m.settle(b, s, 0, m.n.Settling.FreeIterations)
	for i := s.from; i < s.to; i++ {
		b.classes[i] = largest(b.r[m.n.K()].Row(i))
	}
}

// begin starts samples whose x is loaded: r = 0, q = 0, and W_0 x once and for all.
func (m *FloatModel[T]) begin(b *floatBatch[T], s span) {
	for k := 1; k <= m.n.K(); k++ {
		for i := s.from; i < s.to; i++ {
			clear(b.r[k].Row(i))
		}
		clear(b.q[k][s.from:s.to])
	}
	simd.Multiply(0, b.input.Slice(s.from, s.to), b.x.Slice(s.from, s.to), m.w[0])
	m.note("x", 0, b.x.Slice(s.from, s.to))
}

// settle runs a phase, which begins with u := r and q_u := q and updates the layers from the input to the output,
// each with the newest states of the others. beta is signed, 0 in the free phase.
func (m *FloatModel[T]) settle(b *floatBatch[T], s span, beta float64, iterations int) {
	for k := 1; k <= m.n.K(); k++ {
		simd.Copy(b.u[k].Slice(s.from, s.to), b.r[k].Slice(s.from, s.to))
		copy(b.qu[k][s.from:s.to], b.q[k][s.from:s.to])
	}
	for _, eta := range m.eta[:iterations] {
		for k := 1; k <= m.n.K(); k++ {
			m.step(b, s, k, eta, beta)
		}
	}
}

// step is one settling step of layer k.
func (m *FloatModel[T]) step(b *floatBatch[T], s span, k int, eta T, beta float64) {
	r, u := b.r[k].Slice(s.from, s.to), b.u[k].Slice(s.from, s.to)
	current, lateral := b.current[k].Slice(s.from, s.to), b.lateral[k].Slice(s.from, s.to)
	if k == 1 {
		simd.Copy(current, b.input.Slice(s.from, s.to))
	} else {
		simd.Multiply(0, current, b.r[k-1].Slice(s.from, s.to), m.w[k-1])
	}
	output := k == m.n.K()
	if !output {
		simd.Multiply(1, current, b.r[k+1].Slice(s.from, s.to), m.f[k])
	}
	simd.Multiply(0, lateral, r, m.c[k])
	m.note("current", k, current)
	m.note("lateral", k, lateral)
	if output && beta != 0 {
		pull(current, b.y.Slice(s.from, s.to), T(m.n.Epsilon*beta))
	}
	step := m.soma(k, eta, beta)
	nu, sparse := m.n.SparseLayer(k)
	if sparse {
		step.Ceiling = T(math.Inf(1))
	}
	m.noteDrive(k, &step, b.q[k][s.from:s.to], u, r, current, lateral)
	for i := range s.to - s.from {
		if !sparse {
			step.Apply(i, u, r, current, lateral)
			continue
		}
		q, qu := &b.q[k][s.from+i], &b.qu[k][s.from+i]
		step.Offset = -*q
		step.Apply(i, u, r, current, lateral)
		excess := *q - *qu + (simd.Sum(r.Row(i)) - 1)
		// The outer conversion forbids a fused multiplication, which some processors have.
		*qu += T(T(nu) * excess)
		*q = max(*qu, 0)
		m.noteInterneuron(k, excess, *qu, *q)
	}
	m.note("u", k, u)
	m.note("r", k, r)
}

// pull adds the label's part of the output's drive, beta y, which the conductance 1/epsilon multiplies with the current.
func pull[T simd.Float](current, y simd.Matrix[T], strength T) {
	for i := range current.Rows {
		row := current.Row(i)
		for j, label := range y.Row(i) {
			row[j] += strength * label
		}
	}
}

// soma is the step of layer k's neurons but for the inhibition:
//
//	hidden: du = -g u + (basal - u)/epsilon + (apical - u)/epsilon, apical = epsilon (2 C r + g r) + F r
//	output: du = -g u + (basal - u)/epsilon + apical - u,           apical = C r + g r - beta (r - y)
//
// with current = W r + F r in hidden layers and W r + epsilon beta y in the output layer.
func (m *FloatModel[T]) soma(k int, eta T, beta float64) simd.Step[T] {
	g, conductance := m.n.Leak, 1/m.n.Epsilon
	s := simd.Step[T]{Current: T(conductance), Eta: eta, Ceiling: 1}
	if k < m.n.K() {
		s.Lateral, s.R, s.U = 2, T(g), T(-2*conductance-g)
	} else {
		s.Lateral, s.R, s.U = 1, T(g-beta), T(-conductance-g-1)
	}
	return s
}

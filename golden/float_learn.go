package golden

import (
	"math"
	"runtime"

	"corinfo/golden/simd"
)

// floatFactors are what an update is made of. Those of both phases have a row per sample of the mini-batch in role
// plus, then a row per sample in role minus: an update is then one product. Slices are indexed by layer.
type floatFactors[T simd.Float] struct {
	r []simd.Matrix[T] // states at the end of the phase
	e []simd.Matrix[T] // r_k - W_{k-1} r_{k-1}, k >= 2
	d []simd.Matrix[T] // r_k - F_k r_{k+1}, k < K
	// change is r_1 of role plus less that of role minus: for k = 0 the input is the same in both
	// phases, and W_0 x cancels.
	change simd.Matrix[T]
	c      []simd.Matrix[T] // C_k r_k of role plus
	minusC []simd.Matrix[T] // -c
}

func newFloatFactors[T simd.Float](n *Network) *floatFactors[T] {
	rows := n.Learning.Batch
	return &floatFactors[T]{r: layersOf[T](n, 2*rows), e: layersOf[T](n, 2*rows), d: layersOf[T](n, 2*rows),
		change: simd.NewStates[T](rows, n.Layers[1]), c: layersOf[T](n, rows), minusC: layersOf[T](n, rows)}
}

// of is a view of the rows of some samples in a role.
func (f *floatFactors[T]) of(m simd.Matrix[T], role Role, s span) simd.Matrix[T] {
	start := 0
	if role == Minus {
		start = f.change.Rows
	}
	return m.Slice(start+s.from, start+s.to)
}

// learn settles the mini-batch whose x and y are in m.learning and applies its update. beta is signed.
func (m *FloatModel[T]) learn(beta float64) {
	spread(m.learning.rows, func(s span) { m.sense(s, beta) })
	m.update(beta)
}

// sense runs the phases of some samples of the mini-batch and works out their factors.
func (m *FloatModel[T]) sense(s span, beta float64) {
	b, nudged := m.learning, m.n.Settling.NudgedIterations
	m.free(b, s)
	if m.n.Learning.ThreePhase {
		m.settle(b, s, beta, nudged)
		m.keep(s, Plus)
		m.settle(b, s, -beta, nudged)
		m.keep(s, Minus)
	} else {
		m.keep(s, Minus)
		m.settle(b, s, beta, nudged)
		m.keep(s, Plus)
	}
	f := m.factors
	change, minus := f.change.Slice(s.from, s.to), f.of(f.r[1], Minus, s)
	simd.Copy(change, f.of(f.r[1], Plus, s))
	subtract(change, minus)
	m.noteChange(change)
}

// keep takes the states at the end of a phase and the errors that follow from them.
func (m *FloatModel[T]) keep(s span, role Role) {
	f, K := m.factors, m.n.K()
	for k := 1; k <= K; k++ {
		simd.Copy(f.of(f.r[k], role, s), m.learning.r[k].Slice(s.from, s.to))
	}
	for k := 1; k <= K; k++ {
		r := f.of(f.r[k], role, s)
		if k > 1 {
			m.mismatch("e", k, f.of(f.e[k], role, s), r, f.of(f.r[k-1], role, s), m.w[k-1])
		}
		if k < K {
			m.mismatch("d", k, f.of(f.d[k], role, s), r, f.of(f.r[k+1], role, s), m.f[k])
		}
		if role == Plus {
			c := f.c[k].Slice(s.from, s.to)
			simd.Multiply(0, c, r, m.c[k])
			m.note("c", k, c)
		}
	}
}

// mismatch sets to = r - synapses from: the part of r that the other layer does not foresee.
func (m *FloatModel[T]) mismatch(kind string, k int, to, r, from, synapses simd.Matrix[T]) {
	simd.Multiply(0, to, from, synapses)
	for i := range to.Rows {
		row, states := to.Row(i), r.Row(i)
		for j, foreseen := range row {
			row[j] = states[j] - foreseen
		}
	}
	m.note(kind, k, to)
}

func subtract[T simd.Float](from, what simd.Matrix[T]) {
	for i := range from.Rows {
		row := from.Row(i)
		for j, v := range what.Row(i) {
			row[j] -= v
		}
	}
}

// scale multiplies the rows of a matrix of states.
func scale[T simd.Float](m simd.Matrix[T], factor T) {
	for i := range m.Rows {
		row := m.Row(i)
		for j := range row {
			row[j] *= factor
		}
	}
}

// update applies the factors of a mini-batch to the synapses that they were made with:
//
//	W_k += mu / (beta N) sum (e_{k+1} r_k' of plus - that of minus), F_k likewise,
//	C_k = (C_k - 1/N sum c c') / lambda
func (m *FloatModel[T]) update(beta float64) {
	m.recordSums(beta)
	f, K := m.factors, m.n.K()
	samples := float64(m.n.Learning.Batch)
	strength := 1 / (beta * samples)
	if m.n.Learning.ThreePhase {
		strength /= 2
	}
	scale(f.change, T(m.ff[0]*strength))
	for k := 1; k < K; k++ {
		m.contrast(f.e[k+1], m.ff[k]*strength)
		m.contrast(f.d[k], m.fb[k-1]*strength)
	}
	for k := 1; k <= K; k++ {
		// Both factors carry the root: c_i c_j and c_j c_i round alike, and C stays symmetric.
		scale(f.c[k], T(math.Sqrt(1/(samples*m.n.Lambda))))
		simd.Copy(f.minusC[k], f.c[k])
		scale(f.minusC[k], -1)
	}
	parallel(runtime.GOMAXPROCS(0), func(worker, workers int) {
		add := func(keep T, to, pre, post simd.Matrix[T]) {
			s := part(to.Rows, worker, workers)
			simd.MultiplyTransposed(keep, to, pre, post, s.from, s.to)
		}
		add(1, m.w[0], m.learning.x, f.change)
		for k := 1; k < K; k++ {
			add(1, m.w[k], f.r[k], f.e[k+1])
			add(1, m.f[k], f.r[k+1], f.d[k])
		}
		for k := 1; k <= K; k++ {
			add(T(1/m.n.Lambda), m.c[k], f.c[k], f.minusC[k])
		}
	})
	if m.recorder != nil {
		m.recordSynapses()
	}
}

// contrast scales the rows of role plus by strength and those of role minus by its negative.
func (m *FloatModel[T]) contrast(factors simd.Matrix[T], strength float64) {
	all := span{0, m.n.Learning.Batch}
	scale(m.factors.of(factors, Plus, all), T(strength))
	scale(m.factors.of(factors, Minus, all), T(-strength))
}

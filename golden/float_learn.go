package golden

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

// floatFactors are what an update is made of, a row per sample of the mini-batch. By role, then by layer.
type floatFactors struct {
	r [2][]blas64.General // states at the end of the phase
	e [2][]blas64.General // r_k - W_{k-1} r_{k-1}, k >= 2
	d [2][]blas64.General // r_k - F_k r_{k+1}, k < K
	// change is r_1 of role plus less that of role minus: for k = 0 the input is the same in both
	// phases, and W_0 x cancels.
	change blas64.General
	c      []blas64.General // C_k r_k of role plus
}

func newFloatFactors(n *Network) *floatFactors {
	rows := n.Learning.Batch
	f := &floatFactors{change: general(rows, n.Layers[1]), c: layersOf(n, rows)}
	for role := range f.r {
		f.r[role], f.e[role], f.d[role] = layersOf(n, rows), layersOf(n, rows), layersOf(n, rows)
	}
	return f
}

// learn settles the mini-batch whose x and y are in m.learning and applies its update. beta is signed.
func (m *FloatModel) learn(beta float64) {
	spread(m.learning.rows, func(s span) { m.sense(s, beta) })
	m.update(beta)
}

// sense runs the phases of some samples of the mini-batch and works out their factors.
func (m *FloatModel) sense(s span, beta float64) {
	b, nudged := m.learning, m.n.Settling.NudgedIterations
	m.begin(b, s)
	m.settle(b, s, 0, m.n.Settling.FreeIterations)
	m.answer(b, s, m.classes)
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
	change := rowsOf(m.factors.change, s).Data
	plus, minus := rowsOf(m.factors.r[Plus][1], s).Data, rowsOf(m.factors.r[Minus][1], s).Data
	for i := range change {
		change[i] = plus[i] - minus[i]
	}
	if m.recorder != nil {
		m.recorder.noteChange(change, m.n.Learning.ThreePhase)
	}
}

// keep takes the states at the end of a phase and the errors that follow from them.
func (m *FloatModel) keep(s span, role Role) {
	f, K := m.factors, m.n.K()
	states := f.r[role]
	for k := 1; k <= K; k++ {
		copy(rowsOf(states[k], s).Data, rowsOf(m.learning.r[k], s).Data)
	}
	for k := 1; k <= K; k++ {
		r := rowsOf(states[k], s)
		if k > 1 {
			e := rowsOf(f.e[role][k], s)
			copy(e.Data, r.Data)
			multiply(-1, rowsOf(states[k-1], s), m.w[k-1], 1, e)
			if m.recorder != nil {
				m.recorder.note("e", k, e.Data)
			}
		}
		if k < K {
			d := rowsOf(f.d[role][k], s)
			copy(d.Data, r.Data)
			multiply(-1, rowsOf(states[k+1], s), m.f[k], 1, d)
			if m.recorder != nil {
				m.recorder.note("d", k, d.Data)
			}
		}
		if role == Plus {
			c := rowsOf(f.c[k], s)
			multiply(1, r, m.c[k], 0, c)
			if m.recorder != nil {
				m.recorder.note("c", k, c.Data)
			}
		}
	}
}

// update applies the factors of a mini-batch to the synapses that they were made with.
func (m *FloatModel) update(beta float64) {
	if m.recorder != nil {
		m.recordSums(beta)
	}
	f, K := m.factors, m.n.K()
	samples := float64(m.n.Learning.Batch)
	scale := 1 / (beta * samples)
	if m.n.Learning.ThreePhase {
		scale /= 2
	}
	correlate(m.ff[0]*scale, m.learning.x, f.change, 1, m.w[0])
	for k := 1; k < K; k++ {
		contrast(m.ff[k]*scale, f.r, k, f.e, k+1, 1, m.w[k])
		contrast(m.fb[k-1]*scale, f.r, k+1, f.d, k, 1, m.f[k])
	}
	for k := 1; k <= K; k++ {
		// The factor of the sum is applied to whole elements: c_i c_j and c_j c_i round alike, and C
		// stays symmetric.
		sum := m.sums[k]
		correlate(1, f.c[k], f.c[k], 0, sum)
		for i, c := range m.c[k].Data {
			m.c[k].Data[i] = (c - sum.Data[i]/samples) / m.n.Lambda
		}
	}
	if m.recorder != nil {
		m.recordSynapses()
	}
}

// correlate sets to = scale sum_n pre_n post_n' + keep to, n the samples.
func correlate(scale float64, pre, post blas64.General, keep float64, to blas64.General) {
	blas64.Gemm(blas.Trans, blas.NoTrans, scale, pre, post, keep, to)
}

// contrast sets to = scale sum_n (plus - minus of pre_n post_n') + keep to.
func contrast(scale float64, pre [2][]blas64.General, i int, post [2][]blas64.General, j int, keep float64, to blas64.General) {
	correlate(scale, pre[Plus][i], post[Plus][j], keep, to)
	correlate(-scale, pre[Minus][i], post[Minus][j], 1, to)
}

// recordSums notes the sums of the update before their rates.
func (m *FloatModel) recordSums(beta float64) {
	f, K := m.factors, m.n.K()
	sign := 1.0
	if beta < 0 {
		sign = -1
	}
	for k := range K {
		sum := general(m.w[k].Rows, m.w[k].Cols)
		if k == 0 {
			correlate(sign, m.learning.x, f.change, 0, sum)
		} else {
			contrast(sign, f.r, k, f.e, k+1, 0, sum)
		}
		m.recorder.note("dW", k, sum.Data)
		if k > 0 {
			sum = general(m.f[k].Rows, m.f[k].Cols)
			contrast(sign, f.r, k+1, f.d, k, 0, sum)
			m.recorder.note("dF", k, sum.Data)
		}
		correlate(1, f.c[k+1], f.c[k+1], 0, m.sums[k+1])
		m.recorder.note("dC", k+1, m.sums[k+1].Data)
	}
}

// recordSynapses notes the values of all synapses.
func (m *FloatModel) recordSynapses() {
	for _, x := range m.matrices() {
		m.recorder.noteAs(x.name, x.t.Data)
	}
}

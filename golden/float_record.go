package golden

import "corinfo/golden/simd"

// Record makes the model widen r by every value that it computes from now on, of every tensor that has a
// type (docs/ARITHMETIC.md, "Types"), constants aside; nil ends it. The synapses are noted at once and after
// each mini-batch. Recording changes no result.
func (m *FloatModel[T]) Record(r Ranges) {
	if r == nil {
		m.recorder = nil
		return
	}
	m.recorder = &recorder{ranges: r}
	m.recordSynapses()
}

// note records the elements of the tensor of a kind and index; x has none.
func (m *FloatModel[T]) note(kind string, index int, x simd.Matrix[T]) {
	if m.recorder == nil {
		return
	}
	if kind != "x" {
		kind = tensorName(kind, index)
	}
	m.recorder.note(kind, elements(x))
}

// elements are those of a matrix of states, row by row.
func elements[T simd.Float](m simd.Matrix[T]) []float64 {
	list := make([]float64, 0, m.Rows*m.Cols)
	for i := range m.Rows {
		for _, v := range m.Row(i) {
			list = append(list, float64(v))
		}
	}
	return list
}

// noteDrive records what a step is going to add to the potentials, before eta. q are the states of the samples' interneurons.
func (m *FloatModel[T]) noteDrive(k int, s *simd.Step[T], q []T, u, r, current, lateral simd.Matrix[T]) {
	if m.recorder == nil {
		return
	}
	us, rs, drive, laterals := elements(u), elements(r), elements(current), elements(lateral)
	for i := range drive {
		drive[i] = float64(s.Current)*drive[i] + float64(s.Lateral)*laterals[i] + float64(s.R)*rs[i] + float64(s.U)*us[i] - float64(q[i/current.Cols])
	}
	m.recorder.note(tensorName("drive", k), drive)
}

// noteInterneuron records a step of a sparse layer's interneuron.
func (m *FloatModel[T]) noteInterneuron(k int, excess, qu, q T) {
	if m.recorder == nil {
		return
	}
	for _, x := range []struct {
		kind  string
		value T
	}{{"excess", excess}, {"qu", qu}, {"q", q}} {
		m.recorder.note(tensorName(x.kind, k), []float64{float64(x.value)})
	}
}

// noteChange records e_1, the difference of r_1 between the later and the earlier of the two compared
// phases: the later one has role minus where there are three.
func (m *FloatModel[T]) noteChange(plusLessMinus simd.Matrix[T]) {
	if m.recorder == nil {
		return
	}
	e := elements(plusLessMinus)
	if m.n.Learning.ThreePhase {
		for i := range e {
			e[i] = -e[i]
		}
	}
	m.recorder.note("e1", e)
}

// recordSums notes the sums of the update before their rates.
func (m *FloatModel[T]) recordSums(beta float64) {
	if m.recorder == nil {
		return
	}
	f, K := m.factors, m.n.K()
	sign := T(1)
	if beta < 0 {
		sign = -1
	}
	for k := range K {
		if k == 0 {
			m.noteSum("dW", 0, sign, m.learning.x, f.change)
		} else {
			m.noteContrast("dW", k, sign, f.r[k], f.e[k+1])
			m.noteContrast("dF", k, sign, f.r[k+1], f.d[k])
		}
		m.noteSum("dC", k+1, 1, f.c[k+1], f.c[k+1])
	}
}

// noteSum records sign times the sum over the rows of the outer products of pre and post.
func (m *FloatModel[T]) noteSum(kind string, k int, sign T, pre, post simd.Matrix[T]) {
	signed := simd.NewStates[T](post.Rows, post.Cols)
	simd.Copy(signed, post)
	scale(signed, sign)
	sum := simd.NewStates[T](pre.Cols, post.Cols)
	simd.MultiplyTransposed(0, sum, pre, signed, 0, sum.Rows)
	m.note(kind, k, sum)
}

// noteContrast is noteSum with the rows of role minus counted negative.
func (m *FloatModel[T]) noteContrast(kind string, k int, sign T, pre, post simd.Matrix[T]) {
	signed := simd.NewStates[T](post.Rows, post.Cols)
	simd.Copy(signed, post)
	scale(m.factors.of(signed, Minus, span{0, m.n.Learning.Batch}), -1)
	m.noteSum(kind, k, sign, pre, signed)
}

// recordSynapses notes the values of all synapses.
func (m *FloatModel[T]) recordSynapses() {
	for _, x := range m.matrices() {
		m.recorder.note(x.name, weightsOf(x.synapses).RawMatrix().Data)
	}
}

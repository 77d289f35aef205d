package float

import (
	"corinfo/golden/rule"
	"corinfo/golden/simd"
)

// tensor is the name of a tensor of a layer or matrix, by its kind.
func (m *Model[T]) tensor(kind string, index int) string {
	return m.d.Tensors[m.d.Tensor(kind, index)].String()
}

// note tells of the elements of a tensor.
func (m *Model[T]) note(kind string, index int, x simd.Matrix[T]) {
	list := make([]float64, 0, x.Rows*x.Cols)
	for i := range x.Rows {
		for _, v := range x.Row(i) {
			list = append(list, float64(v))
		}
	}
	m.record(m.tensor(kind, index), list)
}

// recordProducts tells of the sums of an update before their rates, with the sign of beta; an optimizer's formula tells of its own.
func (m *Model[T]) recordProducts(sign int) {
	if m.record == nil {
		return
	}
	for i := range m.d.Updates {
		if m.optimizers[i] != nil {
			continue
		}
		u := &m.d.Updates[i]
		by := 1.0
		if u.Signed {
			by = float64(sign)
		}
		m.scaleTerms(m.scaled[i], u, by)
		p := m.d.Projections[u.Projection]
		sum := simd.NewStates[T](p.Cols, p.Rows)
		pre := m.presynaptic(u)
		for from := 0; from < m.scaled[i].Rows; from += pre.Rows {
			simd.MultiplyTransposed(T(min(from, 1)), sum, pre, m.scaled[i].Slice(from, from+pre.Rows), 0, sum.Rows)
		}
		for _, n := range u.Graph.Nodes {
			if n.Op == rule.OpRound && u.Graph.Nodes[n.Args[0]].Source == rule.FromProducts && u.Graph.Nodes[n.Args[0]].Op == rule.OpOperand {
				m.note(n.Name, m.d.Tensors[p.Tensor].Index, sum)
			}
		}
	}
}

// recordSynapses tells of the values of all synapses.
func (m *Model[T]) recordSynapses() {
	if m.record == nil {
		return
	}
	for _, at := range m.d.Stored() {
		p := m.d.Projections[at]
		m.record(m.d.Tensors[p.Tensor].String(), weightsOf(m.synapses[at]).RawMatrix().Data)
	}
}

package settling

import (
	"slices"

	"corinfo/golden/calibrate"
	"corinfo/golden/machine"
	"corinfo/golden/network"
	"corinfo/golden/rule"
	"corinfo/golden/training"
)

// Machine is the bit-true model of a network of this shape, with what it computes by layer.
type Machine struct {
	*training.FixedLearner
	A     *Arithmetic
	trace machine.Trace
}

// Command is what the machine is to do with a sample.
type Command = machine.Command

// Counts are its totals.
type Counts = machine.Counts

// Trace collects everything that a run computed, for comparison word by word. Slices are reused by
// the next run into the same Trace.
type Trace struct {
	Records []Record
	Writes  []Write
	Scores  []int64   // r_K after the free phase
	Class   int       // index of the largest score, the lowest of equals
	C       [][]int64 // by layer, of a learning sample: the factors c
}

// Record is the result of one settling step of one layer.
type Record struct {
	Phase            Phase
	Iteration, Layer int
	U, R             []int64 // n_k words each
	QU, Q            int64   // of a layer's interneuron, else 0
	Changed          bool    // a potential moved or left its format: the phase does not end here
}

// Write is one column of a matrix after an update: the synapses of one presynaptic neuron.
type Write struct {
	Matrix, Column int
	Words          []int64 // one per row
	Moved, Turned  int     // of them: other than before, of the other sign than before
}

// NewMachine makes a machine with zero synapses and the learning rates of epoch 0.
func NewMachine(a *Arithmetic) *Machine {
	return &Machine{FixedLearner: &training.FixedLearner{Machine: machine.New(a.Arithmetic, a.Network.Seed)}, A: a}
}

// Of is the machine of a network of this shape; its errors are those of New.
func Of(n *network.Network, learner *training.FixedLearner) (*Machine, error) {
	a, err := New(n)
	if err != nil {
		return nil, err
	}
	return &Machine{FixedLearner: learner, A: a}, nil
}

// StartMachine is that of training, for a network of this shape.
func StartMachine(n *network.Network, from *training.Checkpoint) (*Machine, []calibrate.Misfit, error) {
	learner, misfits, err := training.StartMachine(n, from)
	if err != nil {
		return nil, nil, err
	}
	m, err := Of(n, learner)
	return m, misfits, err
}

// Rates are the raw learning rates in force, one per matrix.
func (m *Machine) Rates() []int64 {
	var rates []int64
	for i := range m.A.Updates {
		at := 0
		for _, o := range m.A.Updates[i].Operands {
			if o.Source == rule.FromConstant {
				if o.Name == "rate" {
					rates = append(rates, m.InForce(i)[at])
				}
				at++
			}
		}
	}
	return rates
}

// SetRate replaces the raw learning rate of a matrix until the next SetEpoch.
func (m *Machine) SetRate(matrix int, word int64) {
	at := 0
	for _, o := range m.A.Updates[matrix].Operands {
		if o.Source == rule.FromConstant {
			if o.Name == "rate" {
				m.SetConstant(matrix, at, word)
			}
			at++
		}
	}
}

// Run processes one sample as the hardware does and traces it; t may be nil.
func (m *Machine) Run(x []int64, c Command, t *Trace) int {
	if t == nil {
		return m.FixedLearner.Run(x, c, nil)
	}
	class := m.FixedLearner.Run(x, c, &m.trace)
	t.Records, t.Writes = t.Records[:0], t.Writes[:0]
	for _, r := range m.trace.Records {
		s := m.A.D.Steps[r.Step]
		if s.Shared { // belongs to the record of its layer's neurons, which came just before
			last := &t.Records[len(t.Records)-1]
			last.QU, last.Q, last.Changed = r.Words[0][0], r.Words[1][0], last.Changed || r.Changed
			continue
		}
		t.Records = append(t.Records, Record{Phase: Phase(r.Phase), Iteration: r.Iteration, Layer: s.Layer, U: r.Words[0], R: r.Words[1], Changed: r.Changed})
	}
	for _, w := range m.trace.Writes {
		t.Writes = append(t.Writes, Write{Matrix: w.Projection, Column: w.Column, Words: w.Words, Moved: w.Moved, Turned: w.Turned})
	}
	t.Scores, t.Class = append(t.Scores[:0], m.trace.Scores...), m.trace.Class
	t.C = t.C[:0]
	for k := 0; k <= m.A.Network.K() && c.Learn; k++ {
		var words []int64
		if k > 0 {
			words = slices.Clone(m.Factor(m.A.lateral[k], rule.Plus))
		}
		t.C = append(t.C, words)
	}
	return class
}

package training

import (
	"errors"

	"corinfo/golden"
	"corinfo/golden/arithmetic"
	"corinfo/golden/calibrate"
	"corinfo/golden/machine"
	"corinfo/golden/network"
	"corinfo/golden/weights"
)

// StartMachine is the bit-true machine of a network with the synapses of a run, or with initial weights by
// the network's seed where run is nil. Words of a run with the same types stay what they are; other
// weights are rounded to nearest. What does not fit its type, pixels included, is reported by tensor.
func StartMachine(n *network.Network, run *Checkpoint) (*FixedLearner, []calibrate.Misfit, error) {
	a, err := Arithmetic(n)
	if err != nil {
		return nil, nil, err
	}
	m := &FixedLearner{machine.New(a, n.Seed)}
	misfits := InputMisfits(n, a)
	if run != nil && run.Arithmetic == Fixed {
		switch err := m.SetTensors(run.Tensors); {
		case err == nil:
			return m, misfits, nil
		case errors.Is(err, golden.ErrDamaged):
			return nil, nil, err
		}
		m.Machine = machine.New(a, n.Seed) // of other types, which are converted: without those that it has taken
	}
	var w weights.Weights
	if run == nil {
		w = weights.Initial(a.D, n.Seed)
	} else if w, err = run.Weights(); err != nil {
		return nil, nil, err
	}
	more, err := m.SetWeights(w)
	return m, append(misfits, more...), err
}

// InputMisfits tells of the values of pixels that do not fit the input's type.
func InputMisfits(n *network.Network, a *arithmetic.Arithmetic) []calibrate.Misfit {
	x := a.InputType()
	miss := calibrate.Misfit{Tensor: "x", Type: x.String()}
	for _, values := range n.Dataset.Normalize.Inputs() {
		miss.Values(values[:], x)
	}
	if miss.Count == 0 {
		return nil
	}
	return []calibrate.Misfit{miss}
}

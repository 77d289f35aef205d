package golden

import "errors"

// StartMachine is the bit-true machine of a network with the synapses of a run, or with initial weights by
// the network's seed where run is nil. Words of a run with the same types stay what they are; other
// weights are rounded to nearest. What does not fit its type, pixels included, is reported by tensor.
func StartMachine(n *Network, run *Checkpoint) (*Machine, []Misfit, error) {
	a, err := NewArithmetic(n)
	if err != nil {
		return nil, nil, err
	}
	m := NewMachine(a)
	misfits := a.InputMisfits()
	if run != nil && run.Arithmetic == Fixed {
		switch err := m.SetTensors(run.Tensors); {
		case err == nil:
			return m, misfits, nil
		case errors.Is(err, ErrDamaged): // other types, ErrUsage, are converted below
			return nil, nil, err
		}
	}
	w := (*Weights)(nil)
	if run == nil {
		w = InitialWeights(n, n.Seed)
	} else if w, err = run.Weights(); err != nil {
		return nil, nil, err
	}
	more, err := m.SetWeights(w)
	return m, append(misfits, more...), err
}

// InputMisfits tells of the pixel values 0..255 that do not fit the input's type.
func (a *Arithmetic) InputMisfits() []Misfit {
	miss := Misfit{Tensor: "x", Type: a.Formats.X.String(), Of: len(a.pixels)}
	for p := range a.pixels {
		v := float64(p) / 255
		if _, overflow, _ := a.Formats.X.FromFloat(v); overflow {
			miss.add(v, a.Formats.X.Signed)
		}
	}
	if miss.Count == 0 {
		return nil
	}
	return []Misfit{miss}
}

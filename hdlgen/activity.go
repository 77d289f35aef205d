package hdlgen

import (
	"corinfo/hdlgen/settling"
)

// Activity is what samples make a design do: which inputs and states change and which factors are zero. It
// comes from the bit-true model and holds for any number of lanes.
type Activity struct {
	inferences, samples []sampleActivity // samples: for learning, in order, whole mini-batches
}

// sampleActivity is one command.
type sampleActivity struct {
	input []bool      // the word is not zero
	steps []step      // settling steps in order
	kept  [2][][]bool // by role and layer: the state is not zero
	c     [][]bool    // by layer: the factor c is not zero
}

// step is one settling step: the neurons whose state changed.
type step struct {
	layer   int
	changed []bool
	leaves  bool // the sequencer leaves the phase by a jump
}

// Add books a command that the model ran, with its trace. Learning commands come in whole mini-batches, in
// order.
func (v *Activity) Add(a *settling.Arithmetic, x []int64, learn bool, t *settling.Trace) {
	n := a.Network
	s := sampleActivity{input: nonzero(x)}
	before := make([][]int64, len(n.Layers))
	for k, size := range n.Layers {
		before[k] = make([]int64, size)
	}
	still := true
	for i, r := range t.Records {
		s.steps = append(s.steps, step{layer: r.Layer, changed: differs(r.R, before[r.Layer])})
		if r.Layer == 1 {
			still = true
		}
		still = still && !r.Changed
		before[r.Layer] = r.R
		if last := i+1 == len(t.Records) || t.Records[i+1].Phase != r.Phase; last {
			s.steps[i].leaves = n.Settling.EarlyEnd && still
			role := settling.Plus
			if r.Phase == settling.Third || r.Phase == settling.Free {
				role = settling.Minus
			}
			s.kept[role] = make([][]bool, len(n.Layers))
			for k := range n.Layers {
				s.kept[role][k] = nonzero(before[k])
			}
		}
	}
	for _, words := range t.C {
		s.c = append(s.c, nonzero(words))
	}
	if learn {
		v.samples = append(v.samples, s)
	} else {
		v.inferences = append(v.inferences, s)
	}
}

func nonzero(words []int64) []bool {
	out := make([]bool, len(words))
	for i, w := range words {
		out[i] = w != 0
	}
	return out
}

func differs(a, b []int64) []bool {
	out := make([]bool, len(a))
	for i := range a {
		out[i] = a[i] != b[i]
	}
	return out
}

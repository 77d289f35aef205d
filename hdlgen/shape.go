package hdlgen

import (
	"fmt"
	"math/bits"

	fx "corinfo/fixedpoint"
	"corinfo/golden"
	"corinfo/hdlgen/settling"
)

// shape are the widths of a design's memories, buses and addresses. A lane's words are signed: an unsigned
// format takes one more bit.
type shape struct {
	Lane, Context, Label, Slot, Kept, Input, Synapse, Program, Row, Term, Sample int // bits of an index or address
	X, R, U, Delta, Accumulator, E, D, C, Word, Sum, Update, Pre, Value, Operand int // bits of a word
	Q, QU                                                                        int // of interneurons; 0: there are none
	Constants, Eta, Rate                                                         int
	contexts                                                                     int
	slots, synapseDepth, keptDepth                                               int // words; at least 2, 3, 4
}

// addressBits are the bits that count n things, at least 1.
func addressBits(n int) int { return max(1, bits.Len(uint(n-1))) }

// signedWidth is the width of a format's values as signed words.
func signedWidth(f fx.Format) int {
	if !f.Signed {
		return f.Width + 1
	}
	return max(f.Width, 2)
}

func newShape(a *settling.Arithmetic, l *Layout) (*shape, error) {
	n, f := a.Network, a.Formats
	if f.X.Signed {
		return nil, fmt.Errorf("%w: formats: x: %v; inputs are not negative, use ap_ufixed", golden.ErrUsage, f.X)
	}
	batch := n.Learning.Batch
	s := &shape{contexts: n.Hardware.Contexts, slots: max(l.Slots, 2)}
	s.keptDepth = 2 * batch * s.slots
	s.Lane, s.Context, s.Label, s.Sample = addressBits(l.Lanes), addressBits(n.Hardware.Contexts), addressBits(n.Layers[n.K()]), addressBits(batch)
	s.Slot, s.Kept = addressBits(s.slots), addressBits(s.keptDepth)
	s.synapseDepth = max(l.Depth, 1<<s.Slot+1) // an address is wider than a slot: corinfo_terms adds one to it
	s.Synapse = addressBits(s.synapseDepth)
	s.Input, s.Program = addressBits(max(2, batch*n.Layers[0])), addressBits(len(a.Program))
	s.Term = max(4, addressBits(4*batch))
	s.X, s.Eta, s.Rate = f.X.Width, f.Eta.Width, f.Rate.Width
	s.Constants = 4*f.Coefficient.Width + lateralFactorWidth
	s.Accumulator = max(signedWidth(a.Sums.Basal), signedWidth(a.Sums.Feedback), signedWidth(a.Sums.Lateral))
	for k := 1; k <= n.K(); k++ {
		t := f.Layer[k]
		s.R = max(s.R, signedWidth(t.R.Format))
		s.U = max(s.U, signedWidth(t.U.Format))
		s.Delta = max(s.Delta, fx.SubFormat(t.R.Format, t.R.Format).Width)
		s.E, s.D, s.C = max(s.E, signedWidth(t.E.Format)), max(s.D, signedWidth(t.D.Format)), max(s.C, signedWidth(t.C.Format))
		s.Row = max(s.Row, addressBits(l.SlotCount[k]))
		if t := t.Interneuron; t != nil {
			s.Q, s.QU = max(s.Q, signedWidth(t.Q.Format)), max(s.QU, signedWidth(t.QU.Format))
		}
	}
	// Operands of products: what is broadcast while settling, shifted to its sum's binary point, and
	// the factors of updates, which may be negated.
	s.Operand = max(s.X+2, s.R+1, s.C)
	for _, m := range a.Matrices {
		s.Word = max(s.Word, signedWidth(m.Type.Format))
		s.Sum = max(s.Sum, signedWidth(m.Sum))
		s.Update = max(s.Update, signedWidth(m.Update.Format))
		if m.Pre == 0 {
			s.Operand = max(s.Operand, s.X+1+m.Shift)
		} else {
			s.Operand = max(s.Operand, s.Delta+m.Shift)
		}
	}
	s.Pre = max(s.Word, s.Delta, s.R, s.C)
	s.Value = max(s.X+1, s.Pre)
	s.Operand = max(s.Operand, s.Value)
	switch {
	case l.Lanes > maxLanes:
		return nil, fmt.Errorf("%w: hardware: lanes: %d; at most %d", golden.ErrUsage, l.Lanes, maxLanes)
	case l.Depth > 1<<20:
		return nil, fmt.Errorf("%w: hardware: lanes: %d lanes hold %d synapses each; at most %d: use more lanes", golden.ErrUsage, l.Lanes, l.Depth, 1<<20)
	case len(a.Program) > 1<<16: // layers and matrices have 8 bits in an instruction: network.MaxLayers is less
		return nil, fmt.Errorf("%w: settling: %d layers take %d instructions; at most %d: use fewer iterations", golden.ErrUsage, len(n.Layers), len(a.Program), 1<<16)
	}
	return s, nil
}

// maxLanes is the largest number of lanes.
const maxLanes = 256

// lateralFactorWidth is the width of k_lateral, an ap_ufixed<2,2>.
const lateralFactorWidth = 2

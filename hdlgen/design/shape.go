package design

import (
	"slices"

	"corinfo/golden"
	"corinfo/golden/rule"
	"corinfo/hdlgen"
)

// shape are the widths of a design's memories, buses and addresses.
type shape struct {
	// Bits of an index or address.
	Lane, Unit, Sub, Context         int
	Kind, Slot, Index                int
	Sample, Label, Signal            int
	InputAddr, ProgramAddr, TermAddr int
	FactorAddr, KeptAddr             int
	SumAddr, SynapseAddr             int
	Queue                            int // of a unit's events of a sample
	Factors                          int // of a number of postsynaptic factors

	// Bits of a word.
	X, Change, Operand, Score  int
	Kept, Factor               int
	Value                      int // of a presynaptic factor, the input's among them
	Synapse, Beside            int // of a synapse, and of all words beside it
	Sum, Reduce                int
	Constants, UpdateConstants int // of a step, and of an update
	Shared                     int

	SynapseDepth int
	MaxLatency   int // cycles of an update's formula
}

// Of words that may have no bit the nets have one.

func (s *shape) BesideW() int { return max(1, s.Beside) }
func (s *shape) SharedW() int { return max(1, s.Shared) }

// EventW are the bits of an event: a signal, a neuron and a change.
func (s *shape) EventW() int { return s.Signal + 16 + s.Change }

func newShape(p *Plan) (*shape, error) {
	n, d := p.Network, p.D
	batch, bits := p.batch(), hdlgen.AddressBits
	s := &shape{
		Lane:        bits(p.Lanes),
		Unit:        bits(p.Units),
		Sub:         bits(p.Subs),
		Context:     bits(p.Contexts),
		Kind:        bits(len(p.Kinds)),
		Slot:        bits(max(2, p.Slots)),
		Index:       bits(max(2, p.Slots*p.Subs)),
		Sample:      bits(batch),
		InputAddr:   bits(max(2, batch*n.Layers[0])),
		Label:       bits(n.Layers[n.K()]),
		Signal:      bits(len(p.Signals) + 1),
		ProgramAddr: bits(max(2, len(p.Program))),
		TermAddr:    termBits(batch),
		Queue:       bits(max(2, p.mostEvents())),
		Factors:     bits(max(2, len(p.Post)*n.K())),
	}
	s.SumAddr = s.Slot + s.Kind
	s.FactorAddr = max(bits(max(4, len(p.Post)*batch*p.Slots)), s.Slot+1)
	s.KeptAddr = max(bits(max(4, len(p.Pre)*batch*p.Slots*p.Subs)), s.Index+1)
	s.SynapseDepth = max(p.Depth, 1<<s.Slot+2)
	s.SynapseAddr = bits(s.SynapseDepth)
	s.X = p.A.InputType().Width
	s.Score = hdlgen.SignedWidth(p.A.Word(d.Readout).Format)
	s.Change, s.Kept, s.Factor, s.Synapse, s.Reduce = max(s.X+1, 2), 2, 2, 2, 2
	for i, pr := range d.Projections {
		if !p.Holds(i) {
			continue
		}
		s.Change = max(s.Change, hdlgen.SignedWidth(p.A.Projections[i].Change))
		s.Synapse = max(s.Synapse, hdlgen.SignedWidth(p.A.Types[pr.Tensor].Format))
	}
	for i := range d.Factors {
		f := hdlgen.SignedWidth(p.A.Factor(i))
		for _, x := range p.Post {
			if x.Factor == d.Factors[i].Name {
				s.Factor = max(s.Factor, f)
			}
		}
		for _, x := range p.Pre {
			if x.Factor == d.Factors[i].Name && d.Factors[i].Layer > 0 {
				s.Kept = max(s.Kept, f)
			}
		}
	}
	s.Value = max(s.Kept, s.X+1)
	s.Operand = s.Value
	for _, u := range p.Updates {
		for _, t := range u.Terms {
			if p.D.Updates[u.Update].Signed || t.Negative {
				s.Operand = max(s.Operand, p.presynaptic(t, s.X)+1)
			}
		}
	}
	for i := range d.Projections {
		if !p.Holds(i) {
			continue
		}
		s.Operand = max(s.Operand, hdlgen.SignedWidth(p.A.Projections[i].Change)+p.A.Projections[i].Shift)
	}
	s.Operand = max(s.Operand, s.Change)
	for i, f := range p.A.Sums {
		if p.fed[i] {
			s.Sum = max(s.Sum, hdlgen.SignedWidth(f))
		}
	}
	for i := range p.A.Updates {
		if !p.Learns() {
			break
		}
		s.Sum = max(s.Sum, hdlgen.SignedWidth(p.A.Updates[i].Sum))
	}
	s.Beside, s.Shared = bitsOf(p.Beside), bitsOf(p.Shared)
	s.Constants, s.UpdateConstants = 2, max(2, bitsOf(p.UpdateConstants))
	for _, f := range p.Formulas {
		switch {
		case f.Use == OfSynapse:
			s.MaxLatency = max(s.MaxLatency, f.Latency)
		default:
			s.Constants = max(s.Constants, f.ConstantBits())
		}
		if f.Reduces != "" {
			all := f.Graph.Inputs()[max(f.operandOf(rule.FromTotal), f.operandOf(rule.FromLargest))]
			s.Reduce = max(s.Reduce, hdlgen.SignedWidth(f.Graph.Nodes()[all].Format))
		}
	}
	return s, p.fits(s)
}

// termBits are those of the address of an update's term.
func termBits(batch int) int { return max(4, hdlgen.AddressBits(4*batch)) }

// mostEvents is the number of a unit's neurons that a group of steps may change at most.
func (p *Plan) mostEvents() (most int) {
	for _, phase := range p.phases {
		for _, group := range phase.Order {
			words := 0
			for _, step := range group {
				words += p.SlotCount[p.D.Steps[step].Layer] * p.Subs
			}
			most = max(most, words)
		}
	}
	return most
}

// hostBits is the width of the longest word of an update's constants or beside a synapse that a host writes.
const hostBits = 63

func widest(list []Storage) (width int) {
	for _, x := range list {
		width = max(width, x.Width)
	}
	return width
}

// fits tells what of a design is more than the machine counts (ErrUsage).
func (p *Plan) fits(s *shape) error {
	n, batch := p.Network, p.batch()
	switch {
	case p.Depth > 1<<18:
		return golden.Usagef("hardware: %d lanes hold %d synapses each; at most %d: use more lanes", p.Lanes, p.Depth, 1<<18)
	case slices.Max(n.Layers) >= 1<<16-1:
		return golden.Usagef("layers: %d neurons; the machine counts %d at most", slices.Max(n.Layers), 1<<16-2)
	case len(p.Walk) >= 1<<16:
		return golden.Usagef("hardware: %d lanes hold %d words of columns each; at most %d: use more lanes", p.Lanes, len(p.Walk), 1<<16-1)
	case len(p.Program) > 1<<16:
		return golden.Usagef("settling: a program of %d instructions; at most %d: use fewer layers or iterations", len(p.Program), 1<<16)
	case len(p.Rows) > 1<<14:
		return golden.Usagef("settling: %d rows of constants; at most %d: use fewer iterations with step sizes of their own",
			len(p.Rows), 1<<14)
	case len(p.Steps) > 1<<8 || len(p.Formulas) > 1<<8 || len(p.Updates) > 1<<8:
		return golden.Usagef("layers: %d steps, %d formulas and %d updates; at most %d each: use fewer layers, or one format for all of a kind",
			len(p.Steps), len(p.Formulas), len(p.Updates), 1<<8)
	case s.Constants > 512:
		return golden.Usagef("formats: the constants of a step take %d bits; at most 512: use shorter types", s.Constants)
	case len(p.UpdateConstants) > 8 || len(p.Beside) > 4:
		return golden.Usagef("learning: an update has %d constants and %d words beside a synapse; at most 8 and 4",
			len(p.UpdateConstants), len(p.Beside))
	case widest(p.UpdateConstants) > hostBits || widest(p.Beside) > hostBits:
		return golden.Usagef("formats: a constant of an update has %d bits, a word beside a synapse %d; at most %d, as a host writes them: use shorter types",
			widest(p.UpdateConstants), widest(p.Beside), hostBits)
	case len(p.Post)*batch*p.Slots > 1<<16 || len(p.Pre)*batch*p.Slots*p.Subs > 1<<16:
		return golden.Usagef("hardware: factors of %d samples take more than %d words of a lane or unit: use more lanes, more units or a smaller batch", batch, 1<<16)
	}
	return nil
}

// oneSignal is the signal of the unit that is always 1; 0: there is none.
func (p *Plan) oneSignal() int {
	for i, s := range p.Signals {
		if w := p.D.Words[s.Word]; i > 0 && w.One() {
			return i
		}
	}
	return 0
}

// operandOf finds the input of a formula by its source.
func (f *Formula) operandOf(source rule.Source) int {
	for i, o := range f.Operands {
		if o.Source == source {
			return i
		}
	}
	return -1
}

// presynaptic is the width of a term's presynaptic factor as a signed word, of inputs of a width.
func (p *Plan) presynaptic(t Term, x int) int {
	if t.Pre < 0 {
		return x + 1
	}
	width := 2
	for i := range p.D.Factors {
		if p.D.Factors[i].Name == p.Pre[t.Pre].Factor && p.D.Factors[i].Layer > 0 {
			width = max(width, hdlgen.SignedWidth(p.A.Factor(i)))
		}
	}
	return width
}

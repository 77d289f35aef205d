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
	Lane, Unit, Sub, Context int
	Kind, Slot, Index, Sum   int
	Sample, Input, Label     int
	Factor, Kept, Synapse    int
	Signal, Program, Term    int
	Queue                    int // of a unit's events of a sample
	Factors                  int // of a number of postsynaptic factors

	// Bits of a word.
	X, Change, Operand, Score int
	KeptWord, FactorWord      int
	Value                     int // of a presynaptic factor, the input's among them
	Word, Beside              int // of a synapse, and beside it
	Accumulator, Reduce       int
	Constants, Places         int // of a step, and of an update
	Shared                    int

	FactorDepth, KeptDepth int // words of a memory
	SynapseDepth           int
	MaxLatency             int // cycles of an update's formula
}

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
		Input:       bits(max(2, batch*n.Layers[0])),
		Label:       bits(n.Layers[n.K()]),
		Signal:      bits(len(p.Signals) + 1),
		Program:     bits(max(2, len(p.Program))),
		Term:        max(4, bits(4*batch)),
		Queue:       bits(max(2, p.mostEvents())),
		Factors:     bits(max(2, len(p.Post)*n.K())),
		FactorDepth: max(4, len(p.Post)*batch*p.Slots),
		KeptDepth:   max(4, len(p.Pre)*batch*p.Slots*p.Subs),
	}
	s.Sum = s.Slot + s.Kind
	s.Factor, s.Kept = max(bits(s.FactorDepth), s.Slot+1), max(bits(s.KeptDepth), s.Index+1)
	s.SynapseDepth = max(p.Depth, 1<<s.Slot+2)
	s.Synapse = bits(s.SynapseDepth)
	s.X = p.A.Word(d.Word("x", 0)).Width
	s.Score = hdlgen.SignedWidth(p.A.Word(d.Readout).Format)
	s.Change, s.KeptWord, s.FactorWord, s.Word, s.Reduce = max(s.X+1, 2), 2, 2, 2, 2
	for i, pr := range d.Projections {
		if !p.Holds(i) {
			continue
		}
		s.Change = max(s.Change, hdlgen.SignedWidth(p.A.Projections[i].Change))
		s.Word = max(s.Word, hdlgen.SignedWidth(p.A.Types[pr.Tensor].Format))
	}
	for i := range d.Factors {
		f := hdlgen.SignedWidth(p.A.Factor(i))
		for _, x := range p.Post {
			if x.Factor == d.Factors[i].Name {
				s.FactorWord = max(s.FactorWord, f)
			}
		}
		for _, x := range p.Pre {
			if x.Factor == d.Factors[i].Name && d.Factors[i].Layer > 0 {
				s.KeptWord = max(s.KeptWord, f)
			}
		}
	}
	s.Value = max(s.KeptWord, s.X+1)
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
			s.Accumulator = max(s.Accumulator, hdlgen.SignedWidth(f))
		}
	}
	for i := range p.A.Updates {
		if !p.Learns() {
			break
		}
		s.Accumulator = max(s.Accumulator, hdlgen.SignedWidth(p.A.Updates[i].Sum))
	}
	s.Beside, s.Shared = bitsOf(p.Beside), bitsOf(p.Shared)
	s.Constants, s.Places = 2, max(2, bitsOf(p.Places))
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
	case len(p.Program) > 1<<16 || len(p.Rows) > 1<<14 || len(p.Steps) > 1<<8 || len(p.Formulas) > 1<<8 || len(p.Updates) > 1<<8:
		return golden.Usagef("settling: %d instructions, %d steps; at most %d and %d: use fewer layers or iterations", len(p.Program), len(p.Steps), 1<<16, 1<<8)
	case s.Constants > 512:
		return golden.Usagef("formats: the constants of a step take %d bits; at most 512: use shorter types", s.Constants)
	case len(p.Places) > 8 || len(p.Beside) > 4:
		return golden.Usagef("learning: an update has %d constants and %d words beside a synapse; at most 8 and 4", len(p.Places), len(p.Beside))
	case len(p.Post)*batch*p.Slots > 1<<16 || len(p.Pre)*batch*p.Slots*p.Subs > 1<<16:
		return golden.Usagef("hardware: factors of %d samples take more than %d words of a lane or unit: use more lanes, more units or a smaller batch", batch, 1<<16)
	}
	return nil
}

// oneSignal is the signal of the unit that is always 1; 0: there is none.
func (p *Plan) oneSignal() int {
	for i, s := range p.Signals {
		if w := p.D.Words[s.Word]; i > 0 && w.Fixed && w.Shared {
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

package design

import (
	"slices"

	"corinfo/golden"
	"corinfo/golden/rule"
	"corinfo/hdlgen"
)

// shape are the widths of a design's memories, buses and addresses.
type shape struct {
	lane, unit, sub, context, kind, slot, index, sum, sample, input, label, factor, kept, synapse, signal, program, term int // bits of an index or address
	x, change, operand, score, keptWord, value, factorWord, word, beside, accumulator, constants, places, reduce, shared int // bits of a word
	factorDepth, keptDepth, synapseDepth, queue, maxLatency, factors                                                     int
}

func newShape(p *Plan) (*shape, error) {
	n, d := p.Network, p.D
	batch := p.batch()
	s := &shape{lane: hdlgen.AddressBits(p.Lanes), unit: hdlgen.AddressBits(p.Units), sub: hdlgen.AddressBits(p.Subs), context: hdlgen.AddressBits(p.Contexts), kind: hdlgen.AddressBits(len(p.Kinds)),
		slot: hdlgen.AddressBits(max(2, p.Slots)), index: hdlgen.AddressBits(max(2, p.Slots*p.Subs)), sample: hdlgen.AddressBits(batch), label: hdlgen.AddressBits(n.Layers[n.K()]),
		signal: hdlgen.AddressBits(len(p.Signals) + 1), program: hdlgen.AddressBits(max(2, len(p.Program)))}
	s.sum = s.slot + s.kind
	s.input = hdlgen.AddressBits(max(2, batch*n.Layers[0]))
	s.factorDepth = max(4, len(p.Post)*batch*p.Slots)
	s.keptDepth = max(4, len(p.Pre)*batch*p.Slots*p.Subs)
	s.factor, s.kept = max(hdlgen.AddressBits(s.factorDepth), s.slot+1), max(hdlgen.AddressBits(s.keptDepth), s.index+1)
	s.synapseDepth = max(p.Depth, 1<<s.slot+2)
	s.synapse = hdlgen.AddressBits(s.synapseDepth)
	s.factors = hdlgen.AddressBits(max(2, len(p.Post)*n.K()))
	s.term = max(4, hdlgen.AddressBits(4*batch))
	s.x = p.A.Word(d.Word("x", 0)).Width
	s.change, s.score, s.keptWord, s.factorWord, s.word, s.reduce = max(s.x+1, 2), hdlgen.SignedWidth(p.A.Word(d.Readout).Format), 2, 2, 2, 2
	for i, pr := range d.Projections {
		if !p.Holds(i) {
			continue
		}
		s.change = max(s.change, hdlgen.SignedWidth(p.A.Projections[i].Change))
		s.word = max(s.word, hdlgen.SignedWidth(p.A.Types[pr.Tensor].Format))
	}
	for i := range d.Factors {
		f := hdlgen.SignedWidth(p.A.Factor(i))
		for _, x := range p.Post {
			if x.Factor == d.Factors[i].Name {
				s.factorWord = max(s.factorWord, f)
			}
		}
		for _, x := range p.Pre {
			if x.Factor == d.Factors[i].Name && d.Factors[i].Layer > 0 {
				s.keptWord = max(s.keptWord, f)
			}
		}
	}
	s.value = max(s.keptWord, s.x+1)
	s.operand = s.value
	for _, u := range p.Updates {
		for _, t := range u.Terms {
			if p.D.Updates[u.Update].Signed || t.Negative {
				s.operand = max(s.operand, p.presynaptic(t, s.x)+1)
			}
		}
	}
	for i := range d.Projections {
		if !p.Holds(i) {
			continue
		}
		s.operand = max(s.operand, hdlgen.SignedWidth(p.A.Projections[i].Change)+p.A.Projections[i].Shift)
	}
	s.operand = max(s.operand, s.change)
	for i, f := range p.A.Sums {
		if p.fed[i] {
			s.accumulator = max(s.accumulator, hdlgen.SignedWidth(f))
		}
	}
	for i := range p.A.Updates {
		if !p.Learns() {
			break
		}
		s.accumulator = max(s.accumulator, hdlgen.SignedWidth(p.A.Updates[i].Sum))
	}
	s.beside, s.shared = bitsOf(p.Beside), bitsOf(p.Shared)
	s.constants, s.places = 2, max(2, bitsOf(p.Places))
	for _, f := range p.Formulas {
		switch {
		case f.Use == OfSynapse:
			s.maxLatency = max(s.maxLatency, f.Latency)
		default:
			s.constants = max(s.constants, f.ConstantBits())
		}
		if f.Reduces != "" {
			// Of the word itself, and of the sum of all.
			s.reduce = max(s.reduce, hdlgen.SignedWidth(f.Graph.Nodes()[f.Graph.Inputs()[max(f.operandOf(rule.FromTotal), f.operandOf(rule.FromLargest))]].Format))
		}
	}
	// A unit's queue of events: all that a group of steps may change.
	perGroup := 0
	for _, phase := range p.phases {
		for _, group := range phase.Order {
			words := 0
			for _, step := range group {
				words += p.SlotCount[d.Steps[step].Layer] * p.Subs
			}
			perGroup = max(perGroup, words)
		}
	}
	s.queue = hdlgen.AddressBits(max(2, perGroup))
	switch {
	case p.Depth > 1<<18:
		return nil, golden.Usagef("hardware: %d lanes hold %d synapses each; at most %d: use more lanes", p.Lanes, p.Depth, 1<<18)
	case slices.Max(n.Layers) >= 1<<16-1:
		return nil, golden.Usagef("layers: %d neurons; the machine counts %d at most", slices.Max(n.Layers), 1<<16-2)
	case len(p.Walk) >= 1<<16:
		return nil, golden.Usagef("hardware: %d lanes hold %d words of columns each; at most %d: use more lanes", p.Lanes, len(p.Walk), 1<<16-1)
	case len(p.Program) > 1<<16 || len(p.Rows) > 1<<14 || len(p.Steps) > 1<<8 || len(p.Formulas) > 1<<8 || len(p.Updates) > 1<<8:
		return nil, golden.Usagef("settling: %d instructions, %d steps; at most %d and %d: use fewer layers or iterations", len(p.Program), len(p.Steps), 1<<16, 1<<8)
	case s.constants > 512:
		return nil, golden.Usagef("formats: the constants of a step take %d bits; at most 512: use shorter types", s.constants)
	case len(p.Places) > 8 || len(p.Beside) > 4:
		return nil, golden.Usagef("learning: an update has %d constants and %d words beside a synapse; at most 8 and 4", len(p.Places), len(p.Beside))
	case len(p.Post)*batch*p.Slots > 1<<16 || len(p.Pre)*batch*p.Slots*p.Subs > 1<<16:
		return nil, golden.Usagef("hardware: factors of %d samples take more than %d words of a lane or unit: use more lanes, more units or a smaller batch", batch, 1<<16)
	}
	return s, nil
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

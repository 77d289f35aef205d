package design

import (
	"fmt"
	"slices"

	fx "corinfo/fixedpoint"
	"corinfo/golden/rule"
	"corinfo/hdlgen"
)

// unit is the module of a neuron unit: the words of its lanes' neurons, and the formulas.
type unit struct{ module }

func (p *Plan) unitModule(s *shape) ([]byte, error) {
	m := &unit{p.module(s, func(f *Formula) bool { return f.Use != OfLayer })}
	m.operand = m.operandOf
	return m.printed("unit", m)
}

// operandOf is the net of an operand.
func (m *unit) operandOf(f *Formula, at int, format fx.Format) string {
	switch o := f.Operands[at]; o.Source {
	case rule.FromWord:
		if i := place(m.Shared, o.Name); i >= 0 {
			return taken("shared_i", m.Shared[i].Low, format, m.W.SharedW())
		}
		return m.word(o.Name, format)
	case rule.FromEarlier:
		return m.word(earlier(o.Name), format)
	case rule.FromSum:
		return taken(fmt.Sprintf("sum%d_q", m.kind(o.Name)), 0, format, m.W.Sum)
	case rule.FromProducts:
		return taken("sum0_q", 0, format, m.W.Sum)
	case rule.FromLabel:
		return "label_q"
	case rule.FromPresent:
		return "present_q"
	case rule.FromRandom:
		return "random"
	case rule.FromConstant:
		if f.Use == OfSynapse {
			return taken("update_constants_i", f.Constants[at], format, m.W.UpdateConstants)
		}
		return taken("constants_i", f.Constants[at], format, m.W.Constants)
	case rule.FromSynapse:
		if i := place(m.Beside, o.Name); i >= 0 {
			return taken("beside_q", m.Beside[i].Low, format, m.W.BesideW())
		}
		return taken("synapse_q", 0, format, m.W.Synapse)
	}
	panic("design: an operand without a place")
}

// word is a word of the neurons, in a format.
func (m *unit) word(name string, format fx.Format) string {
	return taken("word_"+name, 0, format, m.Words[place(m.Words, name)].Width)
}

// Words of neurons lie by sample in flight and index.

func (m *unit) WordDepth() int { return m.Contexts << m.W.Index }
func (m *unit) WordAddrW() int { return hdlgen.AddressBits(m.WordDepth()) }

// WordAddress is the address of the word with an index.
func (m *unit) WordAddress(index string) string {
	if m.Contexts == 1 {
		return index
	}
	return "{context_i, " + index + "}"
}

// Readout is the format of scores, ReadoutWord their word.
func (m *unit) Readout() fx.Format { return m.A.Word(m.D.Readout).Format }

func (m *unit) ReadoutWord() string { return m.word(m.D.Words[m.D.Readout].Name, m.Readout()) }

// Next is what the formula under way makes of a word, Writes whether it does.
func (m *unit) Next(x Storage) string {
	return m.either(x.Width, func(at int, f *Formula) string { return m.nextOf(&x, at, f) })
}

func (m *unit) Writes(x Storage) string {
	return m.either(1, func(at int, f *Formula) string {
		if m.nextOf(&x, at, f) == "" {
			return ""
		}
		return "1'b1"
	})
}

func (m *unit) nextOf(x *Storage, at int, f *Formula) string {
	if f.Use != OfNeurons || !m.writes(at) {
		return ""
	}
	return x.next(at, f)
}

// Delta is the change of a word that is an event.
func (m *unit) Delta() string {
	return m.either(m.W.Change, func(at int, f *Formula) string {
		format, ok := f.output("delta")
		if !ok || f.Use != OfNeurons || !m.heard(at) {
			return ""
		}
		return extended(fmt.Sprintf("f%d_delta", at), format, m.W.Change)
	})
}

// PostFactor is the factor that a lane keeps, PreFactor the one that the unit keeps.
func (m *unit) PostFactor() string {
	return m.factor(m.W.Factor, func(s Step) bool { return s.Post >= 0 })
}

func (m *unit) PreFactor() string {
	return m.factor(m.W.Kept, func(s Step) bool { return s.Pre >= 0 })
}

// factor is the first output of the formulas of steps whose factor is kept.
func (m *unit) factor(width int, kept func(s Step) bool) string {
	return m.either(width, func(at int, f *Formula) string {
		if !slices.ContainsFunc(m.Steps, func(s Step) bool { return s.Formula == at && s.Factor >= 0 && kept(s) }) {
			return ""
		}
		o := f.Graph.Outputs()[0]
		return extended(fmt.Sprintf("f%d_%s", at, o.Name), f.Graph.Nodes()[o.Value].Format, width)
	})
}

// SynapseWord is the synapse that comes of an update.
func (m *unit) SynapseWord() string { return m.updated(m.W.Synapse, "w_next") }

// BesideNext is a word beside it.
func (m *unit) BesideNext(x Storage) string { return m.updated(x.Width, x.Name+"_next") }

// BesideWords are all of them side by side.
func (m *unit) BesideWords() []string {
	if len(m.Beside) == 0 {
		return []string{"1'b0"}
	}
	return sideBySide("beside_", m.Beside)
}

func (m *unit) updated(width int, output string) string {
	return m.either(width, func(at int, f *Formula) string {
		format, ok := f.output(output)
		if !ok || f.Use != OfSynapse {
			return ""
		}
		return extended(fmt.Sprintf("f%d_%s", at, output), format, width)
	})
}

// Reduced is the word that the formula under way takes of all neurons, Largest whether it takes the largest and not the sum.
func (m *unit) Reduced() string {
	return m.reduces(m.W.Reduce, func(f *Formula) string {
		format := m.reduced(f)
		return extendedFrom("word_"+f.Reduces, m.word(f.Reduces, format), format, m.W.Reduce)
	})
}

func (m *unit) Largest() string {
	return m.reduces(1, func(f *Formula) string {
		if !f.Largest {
			return ""
		}
		return "1'b1"
	})
}

// reduces chooses among the formulas that reduce a word, whose own place is in the module of shared words.
func (m *unit) reduces(width int, of func(f *Formula) string) string {
	all := m.Plan.module(m.W, func(f *Formula) bool { return f.Reduces != "" })
	return all.either(width, func(_ int, f *Formula) string { return of(f) })
}

// Trace are the words that are written.
func (m *unit) Trace() []string { return sideBySide("written_", m.Words) }

// Unused are nets of which not all is read.
func (m *unit) Unused() []string {
	list := m.module.Unused()
	for k := range m.Kinds {
		list = append(list, fmt.Sprintf("sum%d_q", k))
	}
	list = append(list, "constants_i", "shared_i", "present_q", "present_write_q", "label_q", "uses_q")
	if m.Learns() {
		list = append(list, "update_constants_i", "random")
	}
	return list
}

// reduced is the format of the word that a formula reduces.
func (p *Plan) reduced(f *Formula) fx.Format { return p.A.Word(p.D.Word(f.Reduces, f.Layer)).Format }

// heard tells whether changes that a formula makes are events.
func (p *Plan) heard(formula int) bool {
	return slices.ContainsFunc(p.Steps, func(s Step) bool { return s.Formula == formula && s.Signal >= 0 })
}

// writes tells whether a formula's results are words.
func (p *Plan) writes(formula int) bool {
	return slices.ContainsFunc(p.Steps, func(s Step) bool { return s.Formula == formula && len(s.Words) > 0 && s.Words[0] >= 0 })
}

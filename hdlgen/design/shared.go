package design

import (
	"fmt"

	fx "corinfo/fixedpoint"
	"corinfo/golden/rule"
)

// HasShared tells whether the neurons of some layer share words.
func (p *Plan) HasShared() bool { return len(p.Shared) > 0 }

// shared is the module of the words that the neurons of a layer share.
type shared struct{ module }

// sharedModule prints it; nil: no words are shared.
func (p *Plan) sharedModule(s *shape) ([]byte, error) {
	if !p.HasShared() {
		return nil, nil
	}
	m := &shared{p.module(s, func(f *Formula) bool { return f.Use == OfLayer })}
	m.operand = m.operandOf
	return m.printed("shared", m)
}

// operandOf is the net of an operand.
func (m *shared) operandOf(f *Formula, at int, format fx.Format) string {
	switch o := f.Operands[at]; o.Source {
	case rule.FromWord:
		return taken("words_q", m.Shared[place(m.Shared, o.Name)].Low, format, m.W.Shared)
	case rule.FromTotal, rule.FromLargest:
		return taken("reduced_q", 0, format, m.W.Reduce)
	case rule.FromConstant:
		return taken("constants_i", f.Constants[at], format, m.W.Constants)
	}
	panic("design: an operand without a place")
}

// Next is what a word becomes: what the formula under way makes of it, or what it was.
func (m *shared) Next(x Storage) string {
	next := taken("words_q", x.Low, fx.Format{Width: x.Width}, m.W.Shared)
	for k := len(m.own) - 1; k >= 0; k-- {
		if v := x.next(m.own[k], m.Formulas[m.own[k]]); v != "" {
			next = fmt.Sprintf("uses_q[%d] ? %s : %s", m.own[k], v, next)
		}
	}
	return next
}

// Written are all words side by side.
func (m *shared) Written() []string { return sideBySide("next_", m.Shared) }

// Unused are nets of which not all is read.
func (m *shared) Unused() []string { return append(m.module.Unused(), "constants_i", "uses_q") }

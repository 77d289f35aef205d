package design

import (
	"slices"

	"corinfo/golden"
	"corinfo/golden/arithmetic"
)

// ticks are the first counters, in the order of corinfo_control.
var ticks = []string{"cycles", "settling_cycles", "product_cycles", "update_cycles", "events", "products", "steps",
	"update_products", "updates", "waiting_cycles"}

// noCounter is the counter of flags that are not counted.
const noCounter = 255

// Overflow and Lost name the counters of a kind of tensor.
func Overflow(kind string) string { return "overflow_" + kind }

// Lost is the counter of updates of a kind of tensor that rounding has lost.
func Lost(kind string) string { return "lost_" + kind }

// raised names the counters of the flags of every step, then of every update: mirrored ones and what only moves words have none.
func (p *Plan) raised() [][]string {
	list := make([][]string, max(2, len(p.Steps)), max(2, len(p.Steps))+len(p.Updates))
	overflows := func(f *arithmetic.Formula) (names []string) {
		for _, kind := range f.Tensors {
			names = append(names, Overflow(kind))
		}
		return names
	}
	for i, st := range p.Steps {
		switch {
		case st.Step >= 0:
			list[i] = overflows(&p.A.Steps[st.Step])
		case st.Factor >= 0 && p.A.Factors[st.Factor].Graph != nil:
			list[i] = overflows(&p.A.Factors[st.Factor])
		}
	}
	for _, u := range p.Updates {
		var names []string
		if !u.Mirrored {
			names = append(overflows(&p.A.Updates[u.Update].Formula), Lost(p.D.Tensors[p.D.Projections[u.Projection].Tensor].Kind))
		}
		list = append(list, names)
	}
	return list
}

// count lists the counters, and how many flags a formula raises.
func (p *Plan) count() error {
	p.Counters = slices.Clone(ticks)
	p.Flags = 1
	for _, f := range p.Formulas {
		n := len(f.Graph.Resizes())
		if f.Use == OfSynapse {
			n++
		}
		p.Flags = max(p.Flags, n)
	}
	for _, names := range p.raised() {
		for i, name := range names {
			if slices.Contains(names[:i], name) {
				return golden.Usagef("rule: a formula rounds twice into one tensor (%s): give the roundings tensors of their own", name)
			}
			if !slices.Contains(p.Counters, name) {
				p.Counters = append(p.Counters, name)
			}
		}
	}
	if len(p.Counters) > noCounter {
		return golden.Usagef("rule: %d counters; the machine has %d at most", len(p.Counters), noCounter)
	}
	return nil
}

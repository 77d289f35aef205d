package lockstep

import (
	"fmt"
	"slices"

	"corinfo/golden/arithmetic"
	"corinfo/golden/machine"
	"corinfo/golden/rule"
	"corinfo/hdlgen/design"
	"corinfo/sim"
)

// exercised counts what a run made the design do, by what and by whom.
type exercised map[string]int64

// Things that a run may exercise.
const (
	overflowed = "values outside their format"
	updated    = "updates"
	moved      = "synapses that an update changes"
	turned     = "synapses that change their sign"
	lost       = "updates lost to rounding"
	endedEarly = "phases that end early"
	ranThrough = "phases that take all their iterations"
	gaveClass  = "classes"
	hadSign    = "signs of beta"
	signPlus   = "positive"
	signMinus  = "negative"
	signsMixed = "both in a mini-batch"
)

func (e exercised) count(what, of string, n int64) {
	if n != 0 {
		e[what+": "+of] += n
	}
}

// command counts what a command that was compared did.
func (e exercised) command(p *design.Plan, x *flight) {
	for i := range x.trace.Records {
		r := &x.trace.Records[i]
		if i+1 < len(x.trace.Records) && x.trace.Records[i+1].Phase == r.Phase {
			continue
		}
		phase := &p.D.Phases[r.Phase]
		if r.Iteration+1 < phase.Iterations {
			e.count(endedEarly, phase.Name, 1)
		} else {
			e.count(ranThrough, phase.Name, 1)
		}
	}
	for i := range x.trace.Writes {
		w := &x.trace.Writes[i]
		name := p.D.Projections[w.Projection].Name
		e.count(updated, name, 1)
		e.count(moved, name, int64(w.Moved))
		e.count(turned, name, int64(w.Turned))
	}
	if x.kind.learns() {
		e.count(hadSign, map[bool]string{true: signMinus, false: signPlus}[x.Negative], 1)
	}
	if x.mixed {
		e.count(hadSign, signsMixed, 1)
	}
	e.count(gaveClass, fmt.Sprint(x.trace.Class), 1)
}

// counters counts what the model's totals tell.
func (e exercised) counters(c *machine.Counts) {
	for tensor, n := range c.Overflows {
		e.count(overflowed, tensor, n)
	}
	for projection, n := range c.Lost {
		e.count(lost, projection, n)
	}
}

// gaps are the things that a design may do and that no run made it do.
func (e exercised) gaps(p *design.Plan) []sim.Gap {
	all := []sim.Gap{}
	missing := func(what string, of []string) {
		g := sim.Gap{What: what}
		for _, name := range of {
			if e[what+": "+name] == 0 {
				g.Of = append(g.Of, name)
			}
		}
		if len(g.Of) > 0 {
			all = append(all, g)
		}
	}
	d := p.D
	var projections, phases, classes, signs []string
	for _, u := range p.Updates {
		if !u.Mirrored {
			projections = append(projections, d.Projections[u.Projection].Name)
		}
	}
	early, nudged := false, false
	for i := range d.Phases {
		phase := &d.Phases[i]
		if phase.Learning && len(p.Updates) == 0 {
			continue
		}
		if phase.EarlyEnd && phase.Iterations > 1 {
			phases, early = append(phases, phase.Name), true
		}
		nudged = nudged || phase.Beta != 0
	}
	for class := range p.Network.Layers[p.Network.K()] {
		classes = append(classes, fmt.Sprint(class))
	}
	if nudged {
		if signs = []string{signPlus, signMinus}; p.Network.Learning.Batch > 1 {
			signs = append(signs, signsMixed)
		}
	}
	missing(overflowed, rounded(p))
	missing(updated, projections)
	missing(moved, projections)
	missing(turned, projections)
	missing(lost, projections)
	if early {
		missing(endedEarly, phases)
		missing(ranThrough, phases)
	}
	missing(hadSign, signs)
	missing(gaveClass, classes)
	return all
}

// rounded are the tensors that formulas of the design round into.
func rounded(p *design.Plan) (tensors []string) {
	add := func(f *arithmetic.Formula) {
		for i := range f.Tensors {
			if name := f.Name(p.D, i); !slices.Contains(tensors, name) {
				tensors = append(tensors, name)
			}
		}
	}
	for i := range p.Steps {
		if st := &p.Steps[i]; st.Step >= 0 {
			add(&p.A.Steps[st.Step])
		} else if st.Factor >= 0 && keeps(p.D, st.Factor) {
			add(&p.A.Factors[st.Factor])
		}
	}
	for _, u := range p.Updates {
		add(&p.A.Updates[u.Update].Formula)
	}
	slices.Sort(tensors)
	return tensors
}

// keeps tells whether an update reads a factor.
func keeps(d *rule.Description, factor int) bool {
	return slices.ContainsFunc(d.Updates, func(u rule.Update) bool {
		return slices.ContainsFunc(u.Terms, func(t rule.Term) bool { return t.Post == factor || t.Pre == factor })
	})
}

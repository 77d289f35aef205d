package sim

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"corinfo/golden/rule"
	"corinfo/hdlgen"
	"corinfo/hdlgen/settling"
)

// exercised counts what a run made the design do, by what and by whom.
type exercised map[string]int64

// Gap is something that a run did not make the design do, and so did not compare.
type Gap struct {
	What string   `json:"what"`
	Of   []string `json:"of"` // tensors, matrices, phases or classes
}

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

// merge adds what another run or part exercised.
func (e exercised) merge(other exercised) exercised {
	all := maps.Clone(e)
	if all == nil {
		all = exercised{}
	}
	for key, n := range other {
		all[key] += n
	}
	return all
}

// command counts what a command that was compared did.
func (e exercised) command(d *hdlgen.Design, x *flight) {
	n := d.Network
	for i := range x.trace.Records {
		r := &x.trace.Records[i]
		if i+1 < len(x.trace.Records) && x.trace.Records[i+1].Phase == r.Phase {
			continue
		}
		all := n.Settling.NudgedIterations
		if r.Phase == settling.Free {
			all = n.Settling.FreeIterations
		}
		if r.Iteration+1 < all {
			e.count(endedEarly, r.Phase.String(), 1)
		} else {
			e.count(ranThrough, r.Phase.String(), 1)
		}
	}
	for i := range x.trace.Writes {
		w := &x.trace.Writes[i]
		name := d.Arithmetic.Matrices[w.Matrix].Name()
		e.count(updated, name, 1)
		e.count(moved, name, int64(w.Moved))
		e.count(turned, name, int64(w.Turned))
	}
	if x.kind.learns() {
		e.count(hadSign, map[bool]string{true: signMinus, false: signPlus}[x.negative], 1)
	}
	if x.mixed {
		e.count(hadSign, signsMixed, 1)
	}
	e.count(gaveClass, fmt.Sprint(x.trace.Class), 1)
}

// counters counts what the model's totals tell.
func (e exercised) counters(c *settling.Counts) {
	for tensor, n := range c.Overflows {
		e.count(overflowed, tensor, n)
	}
	for matrix, n := range c.Lost {
		e.count(lost, matrix, n)
	}
}

// gaps are the things that a design may do and that no run made it do.
func (e exercised) gaps(d *hdlgen.Design) []Gap {
	all := []Gap{}
	missing := func(what string, of []string) {
		g := Gap{What: what}
		for _, name := range of {
			if e[what+": "+name] == 0 {
				g.Of = append(g.Of, name)
			}
		}
		if len(g.Of) > 0 {
			all = append(all, g)
		}
	}
	n := d.Network
	var tensors, matrices, classes []string
	for tensor := range settling.NewMachine(d.Arithmetic).Counts().Overflows {
		if tensor != fmt.Sprintf("d%d", n.K()) { // nobody reads it
			tensors = append(tensors, tensor)
		}
	}
	slices.Sort(tensors)
	for _, x := range d.Arithmetic.Matrices {
		matrices = append(matrices, x.Name())
	}
	for class := range n.Layers[n.K()] {
		classes = append(classes, fmt.Sprint(class))
	}
	phases := []string{settling.Free.String(), settling.Nudged.String()}
	if n.Learning.Contrast == rule.WithThird {
		phases = append(phases, settling.Third.String())
	}
	signs := []string{signPlus, signMinus}
	if n.Learning.Batch > 1 {
		signs = append(signs, signsMixed)
	}
	missing(overflowed, tensors)
	missing(updated, matrices)
	missing(moved, matrices)
	missing(turned, matrices)
	missing(lost, matrices)
	if n.Settling.EarlyEnd {
		missing(endedEarly, phases)
		missing(ranThrough, phases)
	}
	missing(hadSign, signs)
	missing(gaveClass, classes)
	return all
}

// String is a gap in a line.
func (g Gap) String() string { return g.What + ": " + strings.Join(g.Of, " ") }

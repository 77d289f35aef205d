package lockstep

import (
	"slices"

	"corinfo/hdlgen/design"
)

// counted compares the counters of a whole run with what the model and the ports tell.
func (c *comparator) counted(cycle string) {
	before, after := &c.counts, c.m.Counts()
	want := map[string]int64{"updates": after.Updates - before.Updates, "cycles": c.busy, "waiting_cycles": c.waiting}
	if c.heard() && !slices.ContainsFunc(c.samples, func(s Sample) bool { return s.Length > 0 }) {
		want["events"] = after.Events - before.Events
	}
	for _, t := range c.p.D.Tensors {
		want[design.Overflow(t.Kind)] += after.Overflows[t.String()] - before.Overflows[t.String()]
	}
	for _, pr := range c.p.D.Projections {
		kind := c.p.D.Tensors[pr.Tensor].Kind
		want[design.Lost(kind)] += after.Lost[pr.Name] - before.Lost[pr.Name]
	}
	for i, name := range c.p.Counters {
		if expected, known := want[name]; known && c.counters[i] != expected {
			c.differ(cycle, nil, "counter "+name, c.counters[i], expected)
		}
	}
}

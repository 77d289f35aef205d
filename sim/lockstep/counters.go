package lockstep

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"corinfo/golden/machine"
	"corinfo/sim"
)

// counter checks one of the design's counters.
func (c *comparator) counter(cycle int64, at int, got int64) {
	if at == 0 {
		c.counters = nil
	}
	c.counters = append(c.counters, got)
	name := c.m.Counters[at]
	if want, known := c.expected(name); known && want != got {
		c.differ(cycle, nil, "counter "+name, fmt.Sprint(got), fmt.Sprint(want))
	}
	if at == len(c.m.Counters)-1 {
		c.times(cycle)
	}
}

// times checks that the cycles of settling and of updates are all in which a command is under way.
func (c *comparator) times(cycle int64) {
	value := func(name string) int64 { return c.counters[slices.Index(c.m.Counters, name)] }
	if want := value("cycles") - value("update_cycles"); value("settling_cycles") != want {
		c.differ(cycle, nil, "counter settling_cycles", fmt.Sprint(value("settling_cycles")), fmt.Sprint(want))
	}
}

// expected is what the model, or the harness for what shows at the ports, says of a counter since the last reset; known is false for
// times that neither sees.
func (c *comparator) expected(name string) (want int64, known bool) {
	counts := since(c.l.Counts(), c.base)
	switch name {
	case "cycles":
		return c.busy, true
	case "waiting_cycles":
		return c.waiting, true
	}
	if c.unmodelled {
		return 0, false
	}
	switch name {
	case "events", "products", "product_cycles":
		for _, s := range c.p.Signals {
			if events := counts.WordEvents[s.Word]; name == "events" && s.Stride > 0 { // what nobody listens to is no event of the design
				want += events
			} else if name != "events" {
				want += events * int64(s.Stride)
			}
		}
		return want, true
	case "steps":
		return c.steps, true
	case "updates":
		return counts.Updates, true
	case "update_products":
		return c.updateTerms, true
	}
	if tensor, ok := strings.CutPrefix(name, "overflow_"); ok {
		return ofTensor(counts.Overflows, tensor)
	}
	if tensor, ok := strings.CutPrefix(name, "lost_"); ok {
		return ofTensor(counts.Lost, tensor)
	}
	return 0, false
}

// ofTensor is the count of a tensor, or of all of a kind.
func ofTensor(counts map[string]int64, name string) (total int64, known bool) {
	if n, ok := counts[name]; ok {
		return n, true
	}
	for tensor, n := range counts {
		if kindOf(tensor) == name {
			total, known = total+n, true
		}
	}
	return total, known
}

// kindOf is a tensor's name without its index.
func kindOf(tensor string) string { return strings.TrimRight(tensor, "0123456789") }

// since are the counts that came after others.
func since(now, base machine.Counts) machine.Counts {
	now.Events, now.Products, now.DenseProducts = now.Events-base.Events, now.Products-base.Products, now.DenseProducts-base.DenseProducts
	now.Steps, now.Updates = now.Steps-base.Steps, now.Updates-base.Updates
	for _, list := range [][2][]int64{{now.LayerEvents, base.LayerEvents}, {now.WordEvents, base.WordEvents},
		{now.UpdateTerms, base.UpdateTerms}} {
		for i, n := range list[1] {
			list[0][i] -= n
		}
	}
	for _, list := range [][2]map[string]int64{{now.Roundings, base.Roundings}, {now.Overflows, base.Overflows}, {now.Lost, base.Lost}} {
		for tensor, n := range list[1] {
			list[0][tensor] -= n
		}
	}
	return now
}

// figures fills in what the report derives from a run's totals.
func (c *cosimulation) figures(r *sim.Report, all *totals, runs []*run) {
	names := c.d.Manifest.Counters
	if samples := float64(all.Samples); samples > 0 {
		r.CyclesPerInference = float64(all.InferenceTime) / samples
		r.Accuracy = float64(all.Correct) / samples
		if all.Commands > all.Samples+all.Learned {
			r.After = &sim.After{Model: float64(all.AgainModel) / samples, RTL: float64(all.AgainRTL) / samples}
		}
	}
	if all.Learned > 0 {
		r.CyclesPerLearning = float64(all.LearningTime) / float64(all.Learned)
	}
	r.NotExercised = all.Exercised.gaps(c.d.Plan)
	r.LearningPerSecond = learningPerSecond(runs)
	for i, n := range all.Counters {
		r.Counters = append(r.Counters, sim.Counter{Name: names[i], Value: n})
	}
	value := func(name string) float64 { return float64(all.Counters[slices.Index(names, name)]) }
	if cycles := value("settling_cycles"); cycles > 0 {
		r.LaneUtilisation = float64(all.Products) / (cycles * float64(c.d.Plan.Lanes))
		r.LanesBusy = value("product_cycles") / cycles
		r.SettlingCycles = cycles / float64(all.Commands)
	}
	if all.DenseProducts > 0 {
		r.SkippedFraction = 1 - float64(all.Products)/float64(all.DenseProducts)
	}
	r.Overflows, r.Lost = all.Overflows, all.Lost
}

// learningPerSecond is over the time in which any of the runs was learning; 0: none did.
func learningPerSecond(runs []*run) float64 {
	var from, to time.Time
	learned := 0
	for _, r := range runs {
		if r.learnTo.IsZero() {
			continue
		}
		if learned == 0 || r.learnFrom.Before(from) {
			from = r.learnFrom
		}
		if r.learnTo.After(to) {
			to = r.learnTo
		}
		learned += r.done.Learned - r.part.Done.Learned
	}
	if learned == 0 {
		return 0
	}
	return float64(learned) / to.Sub(from).Seconds()
}

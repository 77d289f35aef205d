package sim

import (
	"strings"

	"corinfo/golden"
	"corinfo/hdlgen"
)

// expectedCounter is what the model, or the harness for what shows at the ports, says of a counter; known is
// false for the two times that neither sees.
func (r *run) expectedCounter(name string, counts *golden.Counts) (want int64, known bool) {
	sum := func(all map[string]int64, kind string) (total int64) {
		for tensor, n := range all {
			if kindOf(tensor) == kind {
				total += n
			}
		}
		return total
	}
	switch name {
	case "events":
		return counts.Events, true
	case "steps":
		return counts.Steps, true
	case "updates":
		return counts.Updates, true
	case "product_cycles":
		for k, n := range counts.LayerEvents {
			want += n * int64(r.d.Layout.Stride[k])
		}
		return want, true
	case "update_product_cycles":
		for i, x := range r.d.Arithmetic.Matrices {
			want += counts.UpdateTerms[i] * int64(r.d.Layout.SlotCount[x.Post])
		}
		return want, true
	case "cycles":
		return r.busy, true
	case "waiting_cycles":
		return r.waiting, true
	case "settling_cycles", "update_cycles":
		return 0, false
	}
	if kind, ok := strings.CutPrefix(name, "overflow_"); ok {
		return sum(counts.Overflows, kind), true
	}
	if kind, ok := strings.CutPrefix(name, "lost_"); ok {
		return sum(counts.Lost, kind), true
	}
	return 0, false
}

// kindOf is a tensor's name without its index.
func kindOf(tensor string) string {
	for len(tensor) > 0 && tensor[len(tensor)-1] >= '0' && tensor[len(tensor)-1] <= '9' {
		tensor = tensor[:len(tensor)-1]
	}
	return tensor
}

// figures fills in what the report derives from the run.
func (r *run) figures() {
	p := r.report
	if samples := float64(p.Samples); samples > 0 {
		p.CyclesPerInference = float64(r.done.InferenceTime) / samples
		p.Accuracy = float64(r.done.Correct) / samples
		if r.o.Again {
			p.After = &After{Model: r.after.Model / samples, RTL: r.after.RTL / samples}
		}
	}
	if p.Learned > 0 {
		p.CyclesPerLearning = float64(r.done.LearningTime) / float64(p.Learned)
	}
	if here := p.Learned - r.before.Learned; here > 0 {
		p.LearningPerSecond = float64(here) / r.learning.Seconds()
	}
	for i, n := range r.sinceStart(r.counters) {
		p.Counters = append(p.Counters, Counter{r.d.Manifest.Counters[i], n})
	}
	counts := r.machine.Counts()
	products, dense := r.before.Products+counts.Products, r.before.DenseProducts+counts.DenseProducts
	if cycles := p.Counters[hdlgen.CounterIndex("settling_cycles")].Value; cycles > 0 {
		p.LaneUtilisation = float64(products) / float64(cycles*int64(r.d.Manifest.Lanes))
		p.LanesBusy = float64(p.Counters[hdlgen.CounterIndex("product_cycles")].Value) / float64(cycles)
		p.SettlingCycles = float64(cycles) / float64(r.commands)
	}
	if dense > 0 {
		p.SkippedFraction = 1 - float64(products)/float64(dense)
	}
}

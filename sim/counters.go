package sim

import (
	"strings"

	"corinfo/hdlgen"
)

// expectedCounter is what the model, or the harness for what shows at the ports, says of a counter; known is
// false for the two times that neither sees.
func (r *run) expectedCounter(name string) (want int64, known bool) {
	counts := r.machine.Counts()
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
	if p.Samples > 0 {
		p.CyclesPerInference = float64(r.ends[0]) / float64(p.Samples)
		p.Accuracy = float64(r.correct) / float64(p.Samples)
	}
	if p.Learned > 0 {
		p.CyclesPerLearning = float64(r.ends[1]-r.ends[0]) / float64(p.Learned)
	}
	counts := r.machine.Counts()
	if i := hdlgen.CounterIndex("settling_cycles"); i < len(r.counters) && r.counters[i] > 0 {
		p.LaneUtilisation = float64(counts.Products) / float64(r.counters[i]*int64(r.d.Manifest.Lanes))
		p.LanesBusy = float64(r.counters[hdlgen.CounterIndex("product_cycles")]) / float64(r.counters[i])
		p.SettlingCycles = float64(r.counters[i]) / float64(p.Samples+p.Learned)
	}
	if counts.DenseProducts > 0 {
		p.SkippedFraction = 1 - float64(counts.Products)/float64(counts.DenseProducts)
	}
}

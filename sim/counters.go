package sim

import (
	"strings"
	"time"

	"corinfo/hdlgen"
	"corinfo/hdlgen/settling"
)

// expectedCounter is what the model, or the harness for what shows at the ports, says of a counter; known is
// false for the two times that neither sees, except in the closing part.
func (r *run) expectedCounter(name string, counts *settling.Counts) (want int64, known bool) {
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
		if r.closing == nil {
			return 0, false
		}
		return r.closing.time(name)
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

// figures fills in what the report derives from a run's totals.
func (p *Report) figures(d *hdlgen.Design, all *totals, runs []*run) {
	if samples := float64(all.Samples); samples > 0 {
		p.CyclesPerInference = float64(all.InferenceTime) / samples
		p.Accuracy = float64(all.Correct) / samples
		if all.Commands > all.Samples+all.Learned {
			p.After = &After{Model: float64(all.AgainModel) / samples, RTL: float64(all.AgainRTL) / samples}
		}
	}
	if all.Learned > 0 {
		p.CyclesPerLearning = float64(all.LearningTime) / float64(all.Learned)
	}
	if len(all.Exercised) > 0 {
		p.NotExercised = all.Exercised.gaps(d)
	}
	p.LearningPerSecond = learningPerSecond(runs)
	for i, n := range all.Counters {
		p.Counters = append(p.Counters, Counter{d.Manifest.Counters[i], n})
	}
	if cycles := p.Counters[hdlgen.CounterIndex("settling_cycles")].Value; cycles > 0 {
		p.LaneUtilisation = float64(all.Products) / float64(cycles*int64(d.Manifest.Lanes))
		p.LanesBusy = float64(p.Counters[hdlgen.CounterIndex("product_cycles")].Value) / float64(cycles)
		p.SettlingCycles = float64(cycles) / float64(all.Commands)
	}
	if all.DenseProducts > 0 {
		p.SkippedFraction = 1 - float64(all.Products)/float64(all.DenseProducts)
	}
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

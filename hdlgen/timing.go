package hdlgen

import (
	fx "corinfo/fixedpoint"
	"corinfo/golden"
)

// timing knows the latencies of corinfo_control and its units.
type timing struct {
	a        *golden.Arithmetic
	l        *Layout
	contexts int  // samples in flight
	dense    bool // unchanged states and zero inputs are broadcast too
	p        *arithmetic
	terms    int // log2 of the terms that the update's ring holds
}

const (
	nothingCycles = 3  // an instruction without work
	columnRoom    = 16 // columns that corinfo_terms fetches ahead
	randomCycles  = 10 // latency of corinfo_random
)

func (t *timing) read() int  { return t.p.target.ReadCycles }
func (t *timing) wires() int { return 2 * t.p.target.WireCycles } // to a lane and back
func (t *timing) fetch() int { return 3 + t.wires() }             // from a neuron's name to its value

// everything is the activity of the dense computation: two inferences for every sample in flight, and one mini-batch.
func (t *timing) everything() *Activity {
	n := t.a.Network
	all := func(size int) []bool {
		out := make([]bool, size)
		for i := range out {
			out[i] = true
		}
		return out
	}
	one := func(learn bool) sampleActivity {
		s := sampleActivity{input: all(n.Layers[0])}
		for _, i := range t.a.Program {
			if i.Op == golden.OpInferred && !learn {
				break
			}
			if i.Op == golden.OpSettle {
				s.steps = append(s.steps, step{layer: i.Layer, changed: all(n.Layers[i.Layer])})
			}
		}
		for role := range s.kept {
			for _, size := range n.Layers {
				s.kept[role] = append(s.kept[role], all(size))
			}
		}
		return s
	}
	v := &Activity{}
	for range 2 * t.contexts {
		v.inferences = append(v.inferences, one(false))
	}
	for range n.Learning.Batch {
		v.samples = append(v.samples, one(true))
	}
	return v
}

// run fills in the cycles.
func (t *timing) run(v *Activity, e *Estimates) {
	if n := len(v.inferences); n > 0 {
		p := t.play(v.inferences, false)
		useful := 0
		for i := range v.inferences {
			s := &v.inferences[i]
			useful += t.products(0, s.input)
			for _, step := range s.steps {
				useful += t.products(step.layer, step.changed)
			}
		}
		e.CyclesPerInference = float64(p.cycles) / float64(n)
		e.SettlingCycles = float64(p.settling) / float64(n)
		e.LanesBusy = float64(p.products) / float64(p.settling)
		e.LaneUtilisation = float64(useful) / float64(p.settling*t.l.Lanes)
	}
	if n := len(v.samples); n > 0 {
		batch := t.a.Network.Learning.Batch
		updates := 0
		for i := 0; i < n; i += batch {
			updates += t.update(v.samples[i : i+batch])
		}
		p := t.play(v.samples, true)
		e.CyclesPerLearning = float64(p.cycles) / float64(n)
		e.LearningSettlingCycles = float64(p.settling) / float64(n)
		e.CyclesPerUpdate = float64(updates) / float64(n/batch)
	}
	for k := 1; k < len(t.l.SlotCount); k++ {
		e.DrainCycles = append(e.DrainCycles, t.drain(k))
	}
}

// drain is what a settling step of layer k takes beside its products, with one sample in flight.
func (t *timing) drain(k int) int {
	return max(t.p.somaCycles+t.wires()+6, t.l.SlotCount[k]+2) + t.wires() + t.read() + 10
}

// products are the useful products of events of a layer: padding is not.
func (t *timing) products(k int, events []bool) (total int) {
	fan := 0
	for _, m := range t.a.Matrices {
		if m.Pre == k {
			fan += m.Rows
		}
	}
	for _, changed := range events {
		if changed {
			total += fan
		}
	}
	return total
}

// update takes one mini-batch to all matrices.
func (t *timing) update(batch []sampleActivity) int {
	cycles := nothingCycles // OpEnd
	for i := range t.a.Matrices {
		cycles += t.matrix(batch, i)
	}
	return cycles
}

// matrix takes one mini-batch to one matrix: from the cycle in which it is granted to the next instruction.
func (t *timing) matrix(batch []sampleActivity, i int) int {
	n, m := t.a.Network, &t.a.Matrices[i]
	factors := len(batch)
	if m.Kind != golden.Lateral && m.Pre > 0 {
		factors *= 2
	}
	terms := make([]int, n.Layers[m.Pre])
	for j := range terms {
		for i := range batch {
			s := &batch[i]
			switch {
			case m.Kind == golden.Lateral: // c is hardly ever zero
				terms[j]++
			case m.Pre == 0:
				terms[j] += count(s.input[j])
			default:
				terms[j] += count(s.kept[golden.Minus][m.Pre][j]) + count(s.kept[golden.Plus][m.Pre][j])
			}
		}
		if m.Kind == golden.Lateral {
			terms[j] = max(1, terms[j])
		}
	}
	return t.walk(terms, factors, t.l.SlotCount[m.Post])
}

func count(set bool) int {
	if set {
		return 1
	}
	return 0
}

// walk is that of corinfo_terms: columns of terms products a slot, fetched factor by factor ahead.
func (t *timing) walk(terms []int, factors, slots int) int {
	room := 1 << t.terms
	type column struct{ end, terms int }
	var waiting []column // columns with work whose products are not through, oldest first
	held := 0
	// Last cycle of a fetch, the first one being when the round keys are made; first cycle in which products may start.
	fetch, free := fx.Warmup+fx.Rounds+1, 0
	for _, n := range terms {
		fetch += factors
		for len(waiting) > 0 && (waiting[0].end <= fetch-factors || len(waiting) >= columnRoom || held+factors > room) {
			if waiting[0].end > fetch-factors {
				fetch = max(fetch, waiting[0].end+factors)
			}
			held -= waiting[0].terms
			waiting = waiting[1:]
		}
		if n == 0 {
			continue
		}
		start := max(fetch+t.read()+t.wires()+6, free)
		free = start + n*slots
		waiting = append(waiting, column{free + 1, n}) // their room counts a cycle later
		held += n
	}
	if free == 0 {
		return fetch + t.read() + t.wires() + 7
	}
	// Products and random words meet.
	meet := max(randomCycles, t.read()+3+t.p.changeCycles())
	return max(fetch+t.read()+t.wires()+7, free+meet+t.p.synapseCycles+4)
}

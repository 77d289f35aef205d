package hdlgen

import (
	fx "corinfo/fixedpoint"
	"corinfo/golden"
)

// timing follows corinfo_control: the cycles of every instruction, from the one in which the sequencer starts
// it to the one in which it is done, both counted.
type timing struct {
	a     *golden.Arithmetic
	l     *Layout
	dense bool // unchanged states and zero inputs are broadcast too
	p     *arithmetic
	terms int // log2 of the terms that the update's ring holds
}

const (
	nothingCycles = 3  // an instruction without work
	eventRoom     = 7  // events on their way or waiting in corinfo_broadcast
	columnRoom    = 16 // columns that corinfo_terms fetches ahead
	randomCycles  = 10 // latency of corinfo_random
)

func (t *timing) read() int    { return t.p.target.ReadCycles }
func (t *timing) command() int { return t.read() + 2 } // taking a command and rewinding the program

// everything is the activity of the dense computation: one inference and one mini-batch.
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
				s.steps = append(s.steps, step{i.Layer, all(n.Layers[i.Layer])})
			}
		}
		for role := range s.kept {
			for _, size := range n.Layers {
				s.kept[role] = append(s.kept[role], all(size))
			}
		}
		return s
	}
	v := &Activity{inferences: []sampleActivity{one(false)}}
	for range n.Learning.Batch {
		v.samples = append(v.samples, one(true))
	}
	return v
}

// run fills in the cycles.
func (t *timing) run(v *Activity, e *Estimates) {
	n := t.a.Network
	total, useful := 0, 0
	times := make([]int, n.K()+1)
	drains := make([]int, n.K()+1)
	count := make([]int, n.K()+1)
	free := func(s *sampleActivity, book bool) int {
		c := t.command() + t.clear() + t.exit(s)
		load, issue := t.load(s.input)
		c += load
		times[0] += load
		drains[0] += load - issue
		count[0]++
		if book {
			useful += t.products(0, s.input)
		}
		for _, step := range s.steps {
			cycles, issue := t.settle(step)
			c += cycles
			times[step.layer] += cycles
			drains[step.layer] += cycles - issue
			count[step.layer]++
			if book {
				useful += t.products(step.layer, step.changed)
			}
		}
		return c + n.Layers[n.K()] + 8 + nothingCycles // scores one by one, the class
	}
	for i := range v.inferences {
		total += free(&v.inferences[i], true)
	}
	if len(v.inferences) > 0 {
		e.CyclesPerInference = float64(total) / float64(len(v.inferences))
		e.LaneUtilisation = float64(useful) / float64(total*t.l.Lanes)
	}
	learning, updates, batch := 0, 0, n.Learning.Batch
	for i := range v.samples {
		learning += free(&v.samples[i], false) + nothingCycles // OpSampled
		for k := 1; k <= n.K(); k++ {
			learning += 2 * (t.l.SlotCount[k] + t.read() + t.p.recordCycles + 3)
		}
		if i%batch == batch-1 {
			updates += t.update(v.samples[i+1-batch : i+1])
		}
	}
	if batches := len(v.samples) / batch; batches > 0 {
		e.CyclesPerUpdate = float64(updates) / float64(batches)
		e.CyclesPerLearning = float64(learning)/float64(len(v.samples)) + e.CyclesPerUpdate/float64(batch)
	}
	for k := range times {
		e.SettlingStepCycles = append(e.SettlingStepCycles, float64(times[k])/float64(max(1, count[k])))
		e.SettlingDrainCycles = append(e.SettlingDrainCycles, float64(drains[k])/float64(max(1, count[k])))
	}
}

func (t *timing) clear() int { return max(2, t.l.Slots) + 3 }

// exit is what jumps to the ends of phases take beyond the instructions there.
func (t *timing) exit(s *sampleActivity) int { return (t.read() + 1) * s.exits }

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

// load takes an input a cycle; those that are not zero queue for their columns. Also the cycles in which the lanes
// multiply.
func (t *timing) load(input []bool) (cycles, issue int) {
	stride := t.l.Stride[0]
	var started [eventRoom]int // the cycles in which the last events left the queue
	at, free, events := 0, 0, 0
	for _, set := range input {
		at++
		if !set && !t.dense {
			// The input waits while the queue is full, whatever it is.
			at = max(at, started[events%eventRoom]+1)
			continue
		}
		at = max(at, started[events%eventRoom]+1)
		begin := max(at+1, free) // leaves the queue
		free = begin + stride
		started[events%eventRoom] = begin
		events++
	}
	if events == 0 {
		return at + 3, 0
	}
	return max(at+3, free+t.read()+3), events * stride
}

// settle is a pass over the layer's slots, the soma's pipeline, then the events of what changed.
func (t *timing) settle(s step) (cycles, issue int) {
	slots, stride := t.l.SlotCount[s.layer], t.l.Stride[s.layer]
	at := slots + t.p.somaCycles + 5 // nothing changes
	events, end := 0, 0
	for i, changed := range s.changed {
		if changed || t.dense {
			// The row of this slot is there, and the pass is over.
			start := max(t.p.somaCycles+11+i/t.l.Lanes, slots+7, end)
			end = start + stride
			events++
		}
	}
	if events == 0 {
		return at, 0
	}
	return max(at, end+t.read()+2), events * stride
}

// update takes one mini-batch to all matrices.
func (t *timing) update(batch []sampleActivity) int {
	cycles := nothingCycles // OpEnd
	n := t.a.Network
	for _, m := range t.a.Matrices {
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
		cycles += t.matrix(terms, factors, t.l.SlotCount[m.Post])
	}
	return cycles
}

func count(set bool) int {
	if set {
		return 1
	}
	return 0
}

// matrix is the walk of corinfo_terms: columns of terms products a slot, fetched factor by factor ahead.
func (t *timing) matrix(terms []int, factors, slots int) int {
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
		start := max(fetch+t.read()+5, free)
		free = start + n*slots
		waiting = append(waiting, column{free + 1, n}) // their room counts a cycle later
		held += n
	}
	if free == 0 {
		return fetch + t.read() + 7
	}
	// Products and random words meet.
	meet := max(randomCycles, t.read()+3+t.p.changeCycles())
	return max(fetch+t.read()+7, free+meet+t.p.synapseCycles+4)
}

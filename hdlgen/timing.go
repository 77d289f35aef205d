package hdlgen

import (
	fx "corinfo/fixedpoint"
	"corinfo/hdlgen/settling"
)

// timing knows the latencies of corinfo_control and its units.
type timing struct {
	a        *settling.Arithmetic
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
			if i.Op == settling.OpInferred && !learn {
				break
			}
			if i.Op == settling.OpSettle {
				s.steps = append(s.steps, step{layer: i.Layer, changed: all(n.Layers[i.Layer])})
			}
		}
		for _, size := range n.Layers {
			for role := range s.kept {
				s.kept[role] = append(s.kept[role], all(size))
			}
			s.c = append(s.c, all(size))
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
	m := &t.a.Matrices[i]
	w := walk{timing: t, always: m.Kind == settling.Lateral, slots: t.l.SlotCount[m.Post]}
	w.begin()
	for j := range t.a.Network.Layers[m.Pre] {
		for i := range batch {
			s, last := &batch[i], i == len(batch)-1
			switch {
			case m.Kind == settling.Lateral:
				w.fetch(s.c[m.Pre][j], last)
			case m.Pre == 0:
				w.fetch(s.input[j], last)
			default:
				w.fetch(s.kept[settling.Minus][m.Pre][j], false)
				w.fetch(s.kept[settling.Plus][m.Pre][j], last)
			}
		}
	}
	return w.end()
}

// walk is that of corinfo_terms over a matrix: the factors of a column are fetched ahead, one a cycle, while there is room; those
// that are not zero are its terms, and every slot takes a product of each. Cycles are counted from the grant.
type walk struct {
	*timing
	always bool // a column without terms has a product, too
	slots  int

	fetched             int // cycle of the last fetch
	termRoom, columns   int // room for terms and for columns, that a fetch takes
	terms               int // of the open column
	products            int // last cycle of products, when they leave the queue of columns; 0: none yet
	dropped, multiplied []freed
}

// freed is room that comes back: what is fetched from that cycle on sees it.
type freed struct{ cycle, terms, columns int }

func (w *walk) begin() {
	w.fetched = fx.Warmup + fx.Rounds + 1 // the round keys are made
	w.termRoom, w.columns = 1<<w.timing.terms, columnRoom
}

// late is what lies between the fetch of a factor and its value, known to be zero or not.
func (w *walk) late() int { return w.read() + 4 + w.wires() }

// fetch is that of one factor; the last one closes its column.
func (w *walk) fetch(term, last bool) {
	w.fetched++
	for w.free(w.fetched); w.termRoom == 0 || w.columns == 0; w.free(w.fetched) {
		w.fetched = never
		for _, list := range [][]freed{w.dropped, w.multiplied} {
			if len(list) > 0 {
				w.fetched = min(w.fetched, list[0].cycle)
			}
		}
	}
	w.termRoom--
	w.columns--
	known := w.fetched + w.late()
	back := freed{cycle: known + 2, columns: 1}
	if term {
		w.terms++
	} else {
		back.terms = 1
	}
	if last && (w.always || w.terms > 0) {
		start := max(known+2, w.products+1)
		w.products = start + max(1, w.terms)*w.slots - 1
		w.multiplied = append(w.multiplied, freed{w.products + 2, w.terms, 1})
		back.columns = 0
	}
	w.dropped = append(w.dropped, back)
	if last {
		w.terms = 0
	}
}

// free gives back the room that a cycle sees.
func (w *walk) free(cycle int) {
	for _, list := range []*[]freed{&w.dropped, &w.multiplied} {
		for len(*list) > 0 && (*list)[0].cycle <= cycle {
			w.termRoom += (*list)[0].terms
			w.columns += (*list)[0].columns
			*list = (*list)[1:]
		}
	}
}

// end is the first cycle of the next instruction.
func (w *walk) end() int {
	busy := w.fetched + w.late()
	if w.products > 0 { // products and random words meet
		meet := max(randomCycles, w.read()+3+w.p.changeCycles())
		busy = max(busy, w.products+2+meet+w.p.synapseCycles)
	}
	return busy + 3
}

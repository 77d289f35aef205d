// Package machine reads a rule as words: the bit-true model of the hardware, every word of which is a word of the design.
package machine

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	fx "corinfo/fixedpoint"
	"corinfo/golden/arithmetic"
	"corinfo/golden/rule"
)

// Machine is not safe for concurrent use, but spreads the samples of a mini-batch and the columns of an update over the
// processors; results do not depend on how many there are.
type Machine struct {
	A *arithmetic.Arithmetic
	// Dense broadcasts all states in every step, in place of those that changed. Same bits.
	Dense bool

	d        *rule.Description
	synapses []*columns  // by projection
	beside   [][]*beside // by projection: the words beside the weights
	mirrors  [][]int     // by projection: those that mirror it
	stored   []int       // projections with synapses of their own: the place is the tensor's number
	epoch    int
	rates    [][]int64 // by update: its constants, in the order of its graph's inputs
	hold     bool      // rates change by SetConstant alone
	steps    []stepTable
	factors  [][]input // by factor: the inputs of its graph, in their order
	tables   []updateTable
	x        int    // the word that is the input
	first    uint32 // seed
	seed     uint32
	update   uint32 // number of the next update, modulo 2^24 in the generator of random words
	held     []*sample
	terms    [][]source // by update, from the samples held
	batch    int        // samples held
	last     *sample    // that Run processed
	settlers []*settler
	updaters []*updater
	updates  int64
}

// Counts are totals since the machine was made.
type Counts struct {
	Events        int64            // changes of signals and nonzero inputs that were broadcast while settling
	LayerEvents   []int64          // Events by the layer that broadcast them
	WordEvents    []int64          // Events by the word whose changes they are
	Products      int64            // synapse x change products of those events
	DenseProducts int64            // products that the dense computation of the same steps takes
	Steps         int64            // steps of the neurons of a layer
	Updates       int64            // mini-batches applied
	UpdateTerms   []int64          // by update: terms of the columns that it wrote; one without any that is always written counts as one
	Roundings     map[string]int64 // by tensor ("u1", "W0"): values that were rounded into its type
	Overflows     map[string]int64 // of them, those outside its range
	Lost          map[string]int64 // by projection: synapses whose sum was not zero but which kept their value
}

// Command is what the machine is to do with a sample.
type Command struct {
	Learn    bool
	Label    int  // the class to learn; one that no neuron has pulls none up
	Negative bool // beta < 0; training takes one sign for all samples of a mini-batch, a design any
}

// Trace collects everything that a run computed, for comparison word by word. Slices are reused by
// the next run into the same Trace.
type Trace struct {
	Records []Record
	Writes  []Write
	Scores  []int64 // the readout when the answer is due
	Class   int     // index of the largest score, the lowest of equals
}

// Record is the result of one step of one layer.
type Record struct {
	Phase, Iteration, Step int
	Words                  [][]int64 // by result of the step's formula
	Changed                bool      // a watched word moved or a guarded one overflowed: the phase does not end here
}

// Write is one column of a projection after an update: the synapses of one presynaptic neuron.
type Write struct {
	Projection, Column int
	Words              []int64 // one per row
	Moved, Turned      int     // of them: other than before, of the other sign than before
}

// New makes a machine with zero synapses and the rates of epoch 0.
func New(a *arithmetic.Arithmetic, seed uint32) *Machine {
	m := &Machine{A: a, d: a.D, x: a.D.Word("x", 0), first: seed, seed: seed, stored: a.D.Stored(),
		mirrors: make([][]int, len(a.D.Projections))}
	for i, p := range a.D.Projections {
		m.synapses = append(m.synapses, newColumns(p.Rows, p.Cols, a.Projections[i].Shift, a.Types[p.Tensor].Format,
			a.Projections[i].Change, a.D.Words[p.From].Fixed))
		var words []*beside
		for _, w := range p.Words {
			words = append(words, newBeside(p.Rows, p.Cols, a.Types[w.Tensor].Format))
		}
		m.beside = append(m.beside, words)
		if p.Mirror >= 0 {
			m.mirrors[p.Mirror] = append(m.mirrors[p.Mirror], i)
		}
	}
	for i := range a.D.Steps {
		m.steps = append(m.steps, newStepTable(a, i))
	}
	for i, f := range a.D.Factors {
		var inputs []input
		for _, o := range a.Factors[i].Operands {
			inputs = append(inputs, newInput(a.D, o, f.Layer))
		}
		m.factors = append(m.factors, inputs)
	}
	for range a.Samples {
		m.held = append(m.held, newSample(a))
	}
	for i := range a.D.Updates {
		m.terms = append(m.terms, m.sources(&a.D.Updates[i]))
		m.tables = append(m.tables, newUpdateTable(a, i))
	}
	for range runtime.GOMAXPROCS(0) {
		m.settlers = append(m.settlers, newSettler(m))
		m.updaters = append(m.updaters, newUpdater(m))
	}
	m.SetEpoch(0)
	return m
}

// SetEpoch sets the rates to those of an epoch. Rates that are scheduled by mini-batch follow by themselves.
func (m *Machine) SetEpoch(epoch int) { m.epoch, m.rates = epoch, m.Rates(epoch) }

// Rates are the raw words of the constants of every update in an epoch, at the mini-batch under way, in the order of its
// graph's inputs.
func (m *Machine) Rates(epoch int) [][]int64 {
	rates := make([][]int64, len(m.A.Updates))
	m.eachRate(func(update, _ int, name string) { rates[update] = append(rates[update], m.rate(update, name, epoch)) })
	return rates
}

// eachRate visits the constants of all updates, each with its place among those of its own.
func (m *Machine) eachRate(visit func(update, at int, name string)) {
	for i := range m.A.Updates {
		at := 0
		for _, o := range m.A.Updates[i].Operands {
			if o.Source == rule.FromConstant {
				visit(i, at, o.Name)
				at++
			}
		}
	}
}

// rate is the raw word of an update's constant in an epoch, at the mini-batch under way.
func (m *Machine) rate(update int, name string, epoch int) int64 {
	return m.A.Constant(&m.A.Updates[update].Formula, name, rule.Moment{Epoch: epoch, Update: int(m.update)})
}

// schedule brings the constants of the mini-batch under way that may change with every one.
func (m *Machine) schedule() {
	if m.hold {
		return
	}
	m.eachRate(func(update, at int, name string) {
		if m.d.Updates[update].Graph.Setting(name).Scheduled {
			m.rates[update][at] = m.rate(update, name, m.epoch)
		}
	})
}

// Step is the number of updates applied; the generator of random words is indexed by it.
func (m *Machine) Step() uint32 { return m.update }

// SetStep sets the number of updates applied, to continue an interrupted run.
func (m *Machine) SetStep(update uint32) { m.update = update }

// Seed is the seed of the random words of stochastic rounding.
func (m *Machine) Seed() uint32 { return m.seed }

// SetSeed replaces the seed.
func (m *Machine) SetSeed(seed uint32) { m.seed = seed }

// Synapse is the raw word of one synapse.
func (m *Machine) Synapse(projection, row, column int) int64 {
	return m.synapses[projection].at(row, column)
}

// SetSynapse stores a raw word, in the projections that mirror this one too.
func (m *Machine) SetSynapse(projection, row, column int, word int64) {
	m.synapses[projection].set(row, column, word)
	for _, mirror := range m.mirrors[projection] {
		m.synapses[mirror].set(column, row, word)
	}
}

// Beside is the raw word of a word beside a synapse, by its place among those of the projection.
func (m *Machine) Beside(projection, word, row, column int) int64 {
	return m.beside[projection][word].at(row, column)
}

// SetBeside stores a raw word beside a synapse.
func (m *Machine) SetBeside(projection, word, row, column int, value int64) {
	m.beside[projection][word].set(row, column, value)
}

// SetConstant replaces a raw word of an update's constants in force, by its place in InForce, until the next SetEpoch.
func (m *Machine) SetConstant(update, at int, word int64) {
	m.rates = slices.Clone(m.rates)
	m.rates[update] = slices.Clone(m.rates[update])
	m.rates[update][at] = word
}

// HoldConstants leaves the constants of updates to SetConstant alone: those that are scheduled by mini-batch no longer follow by
// themselves.
func (m *Machine) HoldConstants() { m.hold = true }

// Factor are the raw words of a factor of the learning sample that Run processed last, one per neuron: that of a role, where it
// has roles. They are the machine's own until the next Run.
func (m *Machine) Factor(factor int, role rule.Role) []int64 {
	return m.last.factors[roleIndex(role)][factor]
}

// Held is how many samples of the open mini-batch have been learned.
func (m *Machine) Held() int { return m.batch }

// Reset does what the design's reset does: the open mini-batch is dropped, the next update has number 0 and the seed that the
// machine was made with. Synapses and constants stay, and so do the totals of Counts.
func (m *Machine) Reset() { m.batch, m.update, m.seed = 0, 0, m.first }

// Counts are the totals so far.
func (m *Machine) Counts() Counts {
	c := Counts{Updates: m.updates, LayerEvents: make([]int64, len(m.d.Layers)), WordEvents: make([]int64, len(m.d.Words)),
		UpdateTerms: make([]int64, len(m.d.Updates)),
		Roundings:   map[string]int64{}, Overflows: map[string]int64{}, Lost: map[string]int64{}}
	for _, s := range m.settlers {
		for w, n := range s.events {
			c.Events += n
			c.LayerEvents[m.d.Words[w].Layer] += n
			c.WordEvents[w] += n
		}
		c.Products += s.products
		c.DenseProducts += s.denseProducts
		c.Steps += s.steps
		for i, r := range s.runners {
			m.count(&c, &m.A.Steps[i], r, s.ran[i]*int64(m.steps[i].neurons))
		}
		for i, r := range s.factors {
			if r != nil {
				m.count(&c, &m.A.Factors[i], r, s.kept[i]*int64(m.d.Layers[m.d.Factors[i].Layer]))
			}
		}
	}
	for _, u := range m.updaters {
		for i, n := range u.summed {
			c.UpdateTerms[i] += n
		}
		for i, r := range u.runners {
			m.count(&c, &m.A.Updates[i].Formula, r, u.columns[i]*int64(m.d.Projections[m.d.Updates[i].Projection].Rows))
			c.Lost[m.d.Projections[m.d.Updates[i].Projection].Name] += u.lost[i]
		}
	}
	return c
}

// count adds what a formula's runner has counted over so many values.
func (m *Machine) count(c *Counts, f *arithmetic.Formula, r *fx.Runner, values int64) {
	for i, n := range r.Overflows() {
		c.Roundings[f.Name(m.d, i)] += values
		c.Overflows[f.Name(m.d, i)] += n
	}
}

// Run processes one sample, the raw words x of its inputs, as the hardware does: inference, or learning, where the last
// sample of a mini-batch applies the update. It returns the class when the answer is due; t may be nil.
func (m *Machine) Run(x []int64, c Command, t *Trace) int {
	held := m.held[m.batch]
	if t != nil {
		t.Records, t.Writes = t.Records[:0], t.Writes[:0]
	}
	m.settlers[0].run(held, x, c, t)
	m.last = held
	if t != nil {
		t.Scores, t.Class = append(t.Scores[:0], held.scores...), held.class
	}
	if c.Learn {
		if m.batch++; m.batch == len(m.held) {
			m.apply(t)
		}
	}
	return held.class
}

// Learn learns one mini-batch of exactly as many samples as the arithmetic was told of, pixels of Layers[0] bytes each, in
// parallel, and returns how many of them had their label for their class when the answer was due. It must not be
// mixed with an incomplete mini-batch of Run.
func (m *Machine) Learn(samples [][]uint8, labels []int, negative bool) (correct int) {
	if len(samples) != len(m.held) || m.batch != 0 {
		panic(fmt.Sprintf("machine: %d samples onto %d held; the mini-batch is %d", len(samples), m.batch, len(m.held)))
	}
	m.spread(len(samples), func(worker, i int) {
		m.settlers[worker].runPixels(m.held[i], samples[i], Command{Learn: true, Label: labels[i], Negative: negative})
	})
	for i, label := range labels {
		if m.held[i].class == label {
			correct++
		}
	}
	m.batch = len(m.held)
	m.apply(nil)
	return correct
}

// Classify gives the class of every sample, in parallel.
func (m *Machine) Classify(samples [][]uint8, classes []int) {
	m.Answer(samples, func(i int, s *Sample) { classes[i] = s.Class() })
}

// Answer runs samples up to the answer, in parallel, and lets use see each.
func (m *Machine) Answer(samples [][]uint8, use func(i int, s *Sample)) {
	m.spread(len(samples), func(worker, i int) {
		s := m.settlers[worker]
		s.runPixels(s.scratch(), samples[i], Command{})
		use(i, &Sample{m, s.scratch()})
	})
}

// Sample is a view of a sample when the answer is due.
type Sample struct {
	m *Machine
	s *sample
}

// Class is the index of the largest score.
func (s *Sample) Class() int { return s.s.class }

// Words are the raw words of a word of the description, one per neuron.
func (s *Sample) Words(word int) []int64 { return s.s.words[word][:s.m.d.Width(word)] }

// spread calls work(worker, i) for i < n, on every processor; worker numbers the goroutine.
func (m *Machine) spread(n int, work func(worker, i int)) {
	var wait sync.WaitGroup
	var next atomic.Int64
	for w := range min(len(m.settlers), n) {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				work(w, i)
			}
		})
	}
	wait.Wait()
}

// newRunner compiles a graph, for some of its outputs or all; every formula has a runner of its own, so that overflows are counted by
// tensor even where graphs are equal.
func newRunner(g *fx.Graph, outputs ...string) *fx.Runner {
	kernel, err := g.Compile(outputs...)
	if err != nil {
		panic("machine: " + err.Error()) // arithmetic.New has checked every graph
	}
	return kernel.NewRunner()
}

// InForce are the raw words of the constants of an update that are in force, in the order of its graph's inputs.
func (m *Machine) InForce(update int) []int64 { return m.rates[update] }

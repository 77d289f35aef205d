package golden

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"gonum.org/v1/gonum/mat"

	fx "corinfo/fixedpoint"
)

// Machine is the bit-true model of the hardware: every word of it is a word of the design. It is not
// safe for concurrent use, but spreads the samples of a mini-batch and the columns of an update
// over the processors; results do not depend on how many there are.
type Machine struct {
	A *Arithmetic
	// Dense computes every accumulator from all states in every step, in place of events. Same bits.
	Dense bool

	synapses []*columns // by matrix
	rates    []int64
	seed     uint32
	update   uint32 // number of the next update, modulo 2^24 in the generator of random words
	held     []*sample
	batch    int // samples held
	settlers []*settler
	updaters []*updater
	counts   Counts
}

// Counts are totals since the machine was made.
type Counts struct {
	Events        int64            // changed states and nonzero inputs that were broadcast while settling
	LayerEvents   []int64          // Events by the layer that broadcast them
	Products      int64            // synapse x change products of those events
	DenseProducts int64            // products that the dense computation of the same steps takes
	Steps         int64            // settling steps of a layer
	Updates       int64            // mini-batches applied
	UpdateTerms   []int64          // by matrix: terms of the columns that updates wrote; a lateral column without any counts as one
	Overflows     map[string]int64 // by tensor ("u1", "W0"): values outside their format when rounded
	Lost          map[string]int64 // by matrix: synapses whose sum was not zero but which kept their value
}

// Command is what the machine is to do with a sample.
type Command struct {
	Learn    bool
	Label    int  // the class to learn
	Negative bool // beta < 0; training takes one sign for all samples of a mini-batch, a design any
}

// Trace collects everything that a run computed, for comparison word by word. Slices are reused by
// the next run into the same Trace.
type Trace struct {
	Records []Record
	Writes  []Write
	Scores  []int64   // r_K after the free phase
	Class   int       // index of the largest score, the lowest of equals
	C       [][]int64 // by layer, of a learning sample: the factors c
}

// Record is the result of one settling step of one layer.
type Record struct {
	Phase            Phase
	Iteration, Layer int
	U, R             []int64 // n_k words each
	QU, Q            int64   // of a sparse layer's interneuron, else 0
	Changed          bool    // a potential moved or left its format: the phase does not end here
}

// Write is one column of a matrix after an update: the synapses of one presynaptic neuron.
type Write struct {
	Matrix, Column int
	Words          []int64 // one per row
	Moved, Turned  int     // of them: other than before, of the other sign than before
}

// NewMachine makes a machine with zero synapses and the learning rates of epoch 0.
func NewMachine(a *Arithmetic) *Machine {
	m := &Machine{A: a, seed: a.Network.Seed, rates: a.Rates(0)}
	for i := range a.Matrices {
		m.synapses = append(m.synapses, newColumns(&a.Matrices[i]))
	}
	for range a.Network.Learning.Batch {
		m.held = append(m.held, newSample(a))
	}
	for range runtime.GOMAXPROCS(0) {
		m.settlers = append(m.settlers, newSettler(m))
		m.updaters = append(m.updaters, newUpdater(m))
	}
	return m
}

// SetEpoch sets the learning rates to those of an epoch.
func (m *Machine) SetEpoch(epoch int) { m.rates = m.A.Rates(epoch) }

// Rates are the raw learning rates in force, one per matrix.
func (m *Machine) Rates() []int64 { return m.rates }

// SetRate replaces the raw learning rate of a matrix until the next SetEpoch.
func (m *Machine) SetRate(matrix int, word int64) {
	m.rates = slices.Clone(m.rates)
	m.rates[matrix] = word
}

// Held is how many samples of the open mini-batch have been learned.
func (m *Machine) Held() int { return m.batch }

// Reset does what the design's reset does: the open mini-batch is dropped, the next update has number 0 and the network's
// seed. Synapses and rates stay, and so do the totals of Counts.
func (m *Machine) Reset() { m.batch, m.update, m.seed = 0, 0, m.A.Network.Seed }

// Step is the number of updates applied; the generator of random words is indexed by it.
func (m *Machine) Step() uint32 { return m.update }

// SetStep sets the number of updates applied, to continue an interrupted run.
func (m *Machine) SetStep(update uint32) { m.update = update }

// Seed is the seed of the random words of stochastic rounding.
func (m *Machine) Seed() uint32 { return m.seed }

// SetSeed replaces the network file's seed.
func (m *Machine) SetSeed(seed uint32) { m.seed = seed }

// Synapse is the raw word of one synapse.
func (m *Machine) Synapse(matrix, row, column int) int64 {
	return m.synapses[matrix].at(row, column)
}

// SetSynapse stores a raw word.
func (m *Machine) SetSynapse(matrix, row, column int, word int64) {
	m.synapses[matrix].set(row, column, word)
}

// Misfit tells of values that did not fit a tensor's type when they were converted.
type Misfit struct {
	Tensor string  `json:"tensor"`
	Type   string  `json:"type"`
	Count  int     `json:"count"` // values outside the range
	Of     int     `json:"of"`
	Worst  float64 `json:"worst"` // the value farthest from zero among them
	Bits   int     `json:"bits"`  // integer bits that it needs, in ap_fixed's count
	Sign   bool    `json:"sign"`  // the type is unsigned, and values are negative
}

// SetWeights converts float64 weights to the stored types, STOCHASTIC ones to nearest, and reports what did
// not fit. NaN and infinity are errors.
func (m *Machine) SetWeights(w *Weights) ([]Misfit, error) {
	if err := w.Check(m.A.Network); err != nil {
		return nil, err
	}
	var misfits []Misfit
	for i, x := range m.A.Matrices {
		source := w.W
		switch x.Kind {
		case Feedback:
			source = w.F
		case Lateral:
			source = w.C
		}
		miss := Misfit{Tensor: x.Name(), Type: x.Type.String(), Of: x.Rows * x.Cols}
		for row := range x.Rows {
			for col := range x.Cols {
				v := source[x.Index].At(row, col)
				word, overflow, err := x.Type.FromFloat(v)
				if err != nil {
					return nil, fmt.Errorf("%s row %d column %d: %w", x.Name(), row, col, err)
				}
				if overflow {
					miss.add(v, x.Type.Signed)
				}
				m.SetSynapse(i, row, col, word)
			}
		}
		if miss.Count > 0 {
			misfits = append(misfits, miss)
		}
	}
	return misfits, nil
}

// count adds the values that a type does not hold.
func (s *Misfit) count(values []float64, t fx.Type) {
	s.Of += len(values)
	bottom, top := t.Range()
	low, high := t.Float(t.Word(bottom)), t.Float(t.Word(top))
	for _, v := range values {
		if v >= low && v <= high {
			continue // nearly all, and without a conversion
		}
		if _, overflow, err := t.FromFloat(v); overflow && err == nil {
			s.add(v, t.Signed)
		}
	}
}

func (s *Misfit) add(v float64, signed bool) {
	s.Count++
	s.Sign = s.Sign || v < 0 && !signed
	if v*v > s.Worst*s.Worst {
		s.Worst = v
		s.Bits = integerBits(v, signed || v < 0)
	}
}

// Counts are the totals so far.
func (m *Machine) Counts() Counts {
	c := m.counts
	c.LayerEvents = make([]int64, len(m.A.Network.Layers))
	c.UpdateTerms = make([]int64, len(m.A.Matrices))
	c.Overflows, c.Lost = map[string]int64{}, map[string]int64{}
	for _, s := range m.settlers {
		for k, n := range s.events {
			c.Events += n
			c.LayerEvents[k] += n
		}
		c.Products += s.products
		c.DenseProducts += s.denseProducts
		c.Steps += s.steps
		s.overflows(c.Overflows)
	}
	for _, u := range m.updaters {
		for i, n := range u.summed {
			c.UpdateTerms[i] += n
		}
		u.overflows(c.Overflows)
		for i, n := range u.lost {
			c.Lost[m.A.Matrices[i].Name()] += n
		}
	}
	return c
}

// Run processes one sample, the raw words x of its layers[0] inputs, as the hardware does: inference,
// or learning, where the last sample of a mini-batch applies the update. It returns the class after
// the free phase; t may be nil.
func (m *Machine) Run(x []int64, c Command, t *Trace) int {
	held := m.held[m.batch]
	if t != nil {
		t.Records, t.Writes = t.Records[:0], t.Writes[:0]
	}
	m.settlers[0].run(held, x, c, t)
	if t != nil {
		t.Scores, t.Class, t.C = append(t.Scores[:0], held.scores...), held.class, t.C[:0]
		for k := 0; k < len(held.c) && c.Learn; k++ {
			t.C = append(t.C, slices.Clone(held.c[k]))
		}
	}
	if c.Learn {
		held.negative = c.Negative
		if m.batch++; m.batch == len(m.held) {
			m.apply(t)
		}
	}
	return held.class
}

// LearnBatch learns one mini-batch of exactly Learning.Batch samples, pixels of layers[0] bytes each, in
// parallel, and returns how many of them had their label for their class after the free phase. It must not be
// mixed with an incomplete mini-batch of Run.
func (m *Machine) LearnBatch(samples [][]uint8, labels []int, negative bool) (correct int) {
	if len(samples) != len(m.held) || m.batch != 0 {
		panic(fmt.Sprintf("golden: LearnBatch of %d samples onto %d held; the mini-batch is %d", len(samples), m.batch, len(m.held)))
	}
	m.spread(len(samples), func(worker, i int) {
		m.held[i].negative = negative
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

// ClassifyBatch gives the class of every sample, in parallel.
func (m *Machine) ClassifyBatch(samples [][]uint8, classes []int) {
	m.spread(len(samples), func(worker, i int) {
		s := m.settlers[worker]
		s.runPixels(s.scratch(), samples[i], Command{})
		classes[i] = s.scratch().class
	})
}

// States gives the states r_0..r_K after the free phase, indexed by layer, one row per sample, in parallel: what
// the raw words stand for. nil without samples.
func (m *Machine) States(samples [][]uint8) []*mat.Dense {
	states := newStates(m.A.Network, len(samples))
	m.spread(len(samples), func(worker, i int) {
		s := m.settlers[worker]
		s.runPixels(s.scratch(), samples[i], Command{})
		for k, words := range s.scratch().r {
			stored := m.A.Formats.X
			if k > 0 {
				stored = m.A.Formats.Layer[k].R
			} else {
				words = s.scratch().x
			}
			row := states[k].RawRowView(i)
			for j, word := range words {
				row[j] = stored.Float(word)
			}
		}
	})
	return states
}

// newStates are zero matrices for the states of some samples, indexed by layer; nil without samples.
func newStates(n *Network, samples int) []*mat.Dense {
	if samples == 0 {
		return nil
	}
	states := make([]*mat.Dense, len(n.Layers))
	for k, neurons := range n.Layers {
		states[k] = mat.NewDense(samples, neurons, nil)
	}
	return states
}

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

// compile makes a runner for every graph of a list, so that overflows are counted by tensor even where
// graphs are equal.
func compile(graphs []*fx.Graph) []*fx.Runner {
	runners := make([]*fx.Runner, len(graphs))
	for i, g := range graphs {
		if g == nil {
			continue
		}
		kernel, err := g.Compile()
		if err != nil {
			panic("golden: " + err.Error()) // NewArithmetic has checked every graph
		}
		runners[i] = kernel.NewRunner()
	}
	return runners
}

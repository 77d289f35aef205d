// Package float reads a rule as real numbers: the model that trains in float64 or float32. It shares the description
// and the order of steps with the bit-true model, and no arithmetic.
package float

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"corinfo/golden"
	"corinfo/golden/rule"
	"corinfo/golden/simd"
	"corinfo/golden/weights"
)

// Model is a network in T. It is not safe for concurrent use; it spreads the samples of a batch over the processors.
//
// A batch is a matrix with a row per sample, and a matrix of synapses has a row per presynaptic neuron. A
// product is then a sum of rows in the order of the presynaptic neurons, whatever blocks of samples it is cut
// into: results depend neither on the number of processors nor on the other samples.
type Model[T simd.Float] struct {
	d          *rule.Description
	inputs     [][256]T           // what a pixel's value stands for, by colour plane
	synapses   []simd.Matrix[T]   // by projection
	beside     [][]simd.Matrix[T] // by projection: the words beside the weights
	steps      []*formula
	moments    [][4][]moment[T] // by step: those of its iterations, by kind
	factors    []*formula       // nil for those that are words
	ends       []moment[T]      // by factor: at the end of a phase
	sums       []sumParts
	epoch      int
	step       int // mini-batches applied
	learning   *batch[T]
	classify   *batch[T]        // made when first needed
	kept       []simd.Matrix[T] // by factor: rows of role plus, then of role minus, or of no role
	scaled     []simd.Matrix[T] // by update: the postsynaptic factors by the rate
	roots      []simd.Matrix[T] // by update of a symmetric projection: its factors by the root of the rate
	optimizers []*optimizer[T]  // by update; nil where it is a product of matrices alone
	record     func(tensor string, values []float64)
}

// sumParts are the projections of a sum from words that stand still while a sample is processed, and the others.
type sumParts struct{ fixed, moving []int }

// classifyRows is the number of samples that Classify settles at a time.
const classifyRows = 120

// New makes a model of copies of the weights, rounded to T, with the rates of epoch 0. A mini-batch has so many samples.
// inputs tell what the values 0..255 of a pixel stand for, by colour plane. Its errors are those of Weights.Check and Reach.
func New[T simd.Float](d *rule.Description, samples int, inputs [][256]float64, w weights.Weights) (*Model[T], error) {
	if err := w.Check(d); err != nil {
		return nil, err
	}
	m := &Model[T]{d: d, inputs: make([][256]T, len(inputs))}
	for plane := range inputs {
		for pixel, v := range inputs[plane] {
			m.inputs[plane][pixel] = T(v)
		}
	}
	for _, p := range d.Projections {
		m.synapses = append(m.synapses, simd.NewSynapses[T](p.Cols, p.Rows))
		var beside []simd.Matrix[T]
		for range p.Words {
			beside = append(beside, simd.NewSynapses[T](p.Cols, p.Rows))
		}
		m.beside = append(m.beside, beside)
	}
	for _, s := range d.Steps {
		if s.Shared {
			m.steps = append(m.steps, compileShared(d, s.Graph, s.Layer))
			continue
		}
		m.steps = append(m.steps, compile(d, s.Graph, s.Layer))
	}
	for _, f := range d.Factors {
		if f.Graph == nil {
			m.factors = append(m.factors, nil)
			continue
		}
		m.factors = append(m.factors, compile(d, f.Graph, f.Layer))
	}
	for _, s := range d.Sums {
		var parts sumParts
		for _, p := range s.Projections {
			if d.Words[d.Projections[p].From].Fixed {
				parts.fixed = append(parts.fixed, p)
			} else {
				parts.moving = append(parts.moving, p)
			}
		}
		m.sums = append(m.sums, parts)
	}
	for i := range d.Updates {
		m.optimizers = append(m.optimizers, newOptimizer[T](d, i))
	}
	m.learning = newBatch(m, samples)
	m.makeFactors()
	m.SetEpoch(0)
	return m, m.SetWeights(w)
}

// Weights are copies of the synapses.
func (m *Model[T]) Weights() weights.Weights {
	var w weights.Weights
	for _, at := range m.d.Stored() {
		w = append(w, weights.Matrix{Name: m.d.Projections[at].Name, Dense: weightsOf(m.synapses[at])})
	}
	return w
}

// SetWeights takes weights; after an error the model is what it was.
func (m *Model[T]) SetWeights(w weights.Weights) error {
	if err := w.Check(m.d); err != nil {
		return err
	}
	if err := Reach[T](w); err != nil {
		return err
	}
	for i, at := range m.d.Stored() {
		m.synapses[at].Fill(w[i].Dense)
	}
	for i, p := range m.d.Projections {
		if p.Mirror >= 0 {
			m.synapses[i].Fill(w.Named(m.d.Projections[p.Mirror].Name).T())
		}
	}
	return nil
}

// Beside are copies of the words beside the synapses, an optimizer's, named as W0.m.
func (m *Model[T]) Beside() weights.Weights {
	var w weights.Weights
	m.eachBeside(func(name string, x simd.Matrix[T]) { w = append(w, weights.Matrix{Name: name, Dense: weightsOf(x)}) })
	return w
}

// SetBeside takes what Beside gave.
func (m *Model[T]) SetBeside(w weights.Weights) error {
	var err error
	m.eachBeside(func(name string, x simd.Matrix[T]) {
		given := w.Named(name)
		if given == nil {
			err = golden.Usagef("%s is missing", name)
			return
		}
		if rows, cols := given.Dims(); rows != x.Cols || cols != x.Rows {
			err = golden.Usagef("%s is %d x %d; the network wants %d x %d", name, rows, cols, x.Cols, x.Rows)
			return
		}
		x.Fill(given)
	})
	return err
}

func (m *Model[T]) eachBeside(visit func(name string, x simd.Matrix[T])) {
	for i, p := range m.d.Projections {
		for k, word := range p.Words {
			visit(p.Name+"."+word.Name, m.beside[i][k])
		}
	}
}

// SetEpoch sets the constants to those of an epoch, counted from 0.
func (m *Model[T]) SetEpoch(epoch int) {
	m.epoch, m.moments, m.ends = epoch, nil, nil
	longest := 0
	for _, p := range m.d.Phases {
		longest = max(longest, p.Iterations)
	}
	for _, f := range m.steps {
		m.moments = append(m.moments, moments[T](f, longest, epoch))
	}
	for _, f := range m.factors {
		var at moment[T]
		if f != nil {
			at = newMoment[T](f, rule.Moment{Epoch: epoch})
		}
		m.ends = append(m.ends, at)
	}
}

// SetStep sets the number of mini-batches applied so far, to continue an interrupted run: rates may depend on it.
func (m *Model[T]) SetStep(step uint32) { m.step = int(step) }

// Record makes the model tell of every value that it computes from now on, of every tensor that has a type, constants
// aside; nil ends it. The synapses are told at once and after each mini-batch. Parts of a mini-batch come at the same time.
// Recording changes no result.
func (m *Model[T]) Record(note func(tensor string, values []float64)) {
	m.record = note
	m.recordSynapses()
}

// Learn learns one mini-batch of exactly as many samples as New was told of, pixels of Layers[0] bytes each; negative: beta
// < 0. It panics on any other number of samples or pixels. correct counts the samples that had their label's class when the
// answer was due.
func (m *Model[T]) Learn(samples [][]uint8, labels []int, negative bool) (correct int) {
	b := m.learning
	if len(samples) != b.rows || len(labels) != b.rows {
		panic(fmt.Sprintf("float: %d samples and %d labels; the mini-batch is %d", len(samples), len(labels), b.rows))
	}
	for i, pixels := range samples {
		m.load(b, i, pixels)
		b.setLabel(i, labels[i])
	}
	sign := 1
	if negative {
		sign = -1
	}
	m.learn(sign)
	for i, class := range b.classes {
		if class == labels[i] {
			correct++
		}
	}
	return correct
}

// learn processes the mini-batch that is loaded and applies its update.
func (m *Model[T]) learn(sign int) {
	simd.Spread(m.learning.rows, func(s simd.Span) { m.run(m.learning, s, true, sign) })
	m.update(sign)
}

// Classify gives the class of every sample, pixels of Layers[0] bytes each: the index of the largest element of the readout
// when the answer is due, the lowest of equals. Any number of samples.
func (m *Model[T]) Classify(samples [][]uint8, classes []int) {
	m.answer(samples, func(b *batch[T], start int, s simd.Span) {
		copy(classes[start+s.From:], b.classes[s.From:s.To])
	})
}

// States gives the activity of the neurons when the answer is due, indexed by layer, one row per sample. nil without samples.
func (m *Model[T]) States(samples [][]uint8) []*mat.Dense {
	if len(samples) == 0 {
		return nil
	}
	states := make([]*mat.Dense, len(m.d.Layers))
	for k, neurons := range m.d.Layers {
		states[k] = mat.NewDense(len(samples), neurons, nil)
	}
	m.answer(samples, func(b *batch[T], start int, s simd.Span) {
		for k, w := range m.d.States {
			for i := s.From; i < s.To; i++ {
				row := states[k].RawRowView(start + i)
				for j, v := range b.words[w].Row(i) {
					row[j] = float64(v)
				}
			}
		}
	})
	return states
}

// answer runs any number of samples up to the answer, a block at a time, and lets use see parts of each block, whose
// first sample is start. Parts come at the same time.
func (m *Model[T]) answer(samples [][]uint8, use func(b *batch[T], start int, s simd.Span)) {
	if m.classify == nil {
		m.classify = newBatch(m, classifyRows)
	}
	b := m.classify
	for start := 0; start < len(samples); start += b.rows {
		block := samples[start:min(start+b.rows, len(samples))]
		simd.Spread(len(block), func(s simd.Span) {
			for i := s.From; i < s.To; i++ {
				m.load(b, i, block[i])
			}
			m.run(b, s, false, 0)
			use(b, start, s)
		})
	}
}

// load takes a sample of pixels.
func (m *Model[T]) load(b *batch[T], i int, pixels []uint8) {
	x := b.words[m.d.Word("x", 0)].Row(i)
	if len(pixels) != len(x) {
		panic(fmt.Sprintf("float: sample of %d pixels; the input has %d", len(pixels), len(x)))
	}
	plane := len(x) / len(m.inputs)
	for from := 0; from < len(x); from += plane {
		table := &m.inputs[from/plane]
		for j, p := range pixels[from : from+plane] {
			x[from+j] = table[p]
		}
	}
}

// Reach tells of a weight that is finite, but infinite in T.
func Reach[T simd.Float](w weights.Weights) error {
	for _, x := range w {
		rows, _ := x.Dims()
		for i := range rows {
			for j, v := range x.RawRowView(i) {
				if math.IsInf(float64(T(v)), 0) {
					return golden.Usagef("%s row %d column %d: %v is beyond float32; take arithmetic float", x.Name, i, j, v)
				}
			}
		}
	}
	return nil
}

// weightsOf are the weights that synapses hold: the inverse of their Fill.
func weightsOf[T simd.Float](synapses simd.Matrix[T]) *mat.Dense {
	w := mat.NewDense(synapses.Cols, synapses.Rows, nil)
	for i := range synapses.Cols {
		row := w.RawRowView(i)
		for j := range row {
			row[j] = float64(synapses.At(j, i))
		}
	}
	return w
}

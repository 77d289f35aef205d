package golden

import (
	"fmt"
	"math"
	"runtime"
	"sync"

	"gonum.org/v1/gonum/mat"

	"corinfo/golden/simd"
)

// FloatModel is the float64 or float32 model of CorInfoMax (arXiv 2306.04810), with C = gamma B as Weights has it. It
// shares settings and the order of steps with the bit-true model, and no arithmetic. Not safe for concurrent
// use; it spreads the samples of a batch over the processors.
//
// A batch is a matrix with a row per sample, and a matrix of synapses has a row per presynaptic neuron. A
// product is then a sum of rows in the order of the presynaptic neurons, whatever blocks of samples it is cut
// into: results depend neither on the number of processors nor on the other samples.
type FloatModel[T simd.Float] struct {
	n        *Network
	w, f, c  []simd.Matrix[T] // indexed as in Weights
	eta      []T              // by iteration of a phase
	ff, fb   []float64        // learning rates in force; fb[k-1] is that of F_k
	learning *floatBatch[T]   // Learning.Batch samples
	factors  *floatFactors[T]
	classify *floatBatch[T] // classifyRows samples; made when first needed
	recorder *recorder      // nil: nothing is recorded
}

var (
	_ Learner = (*FloatModel[float64])(nil)
	_ Learner = (*FloatModel[float32])(nil)
)

// classifyRows is the number of samples that ClassifyBatch settles at a time.
const classifyRows = 120

// NewFloatModel makes a model of copies of the weights, rounded to T, with the learning rates of epoch 0. Its errors
// are those of Weights.Check, and ErrUsage for values beyond T.
func NewFloatModel[T simd.Float](n *Network, w *Weights) (*FloatModel[T], error) {
	K := n.K()
	if err := w.Check(n); err != nil {
		return nil, err
	}
	if err := w.matrices(n, func(name string, _, _ int, place **mat.Dense) error { return checkReach[T](name, *place) }); err != nil {
		return nil, err
	}
	m := &FloatModel[T]{n: n, w: make([]simd.Matrix[T], K), f: make([]simd.Matrix[T], K), c: make([]simd.Matrix[T], K+1),
		learning: newFloatBatch[T](n, n.Learning.Batch), factors: newFloatFactors[T](n)}
	for k := range K {
		m.w[k] = synapsesOf[T](w.W[k])
		if k > 0 {
			m.f[k] = synapsesOf[T](w.F[k])
		}
		m.c[k+1] = synapsesOf[T](w.C[k+1])
	}
	for s := range max(n.Settling.FreeIterations, n.Settling.NudgedIterations) {
		m.eta = append(m.eta, T(n.Eta(s)))
	}
	m.SetEpoch(0)
	return m, nil
}

// Weights are copies of the synapses.
func (m *FloatModel[T]) Weights() *Weights {
	w := newWeights(m.n)
	for k := range m.n.K() {
		w.W[k] = weightsOf(m.w[k])
		if k > 0 {
			w.F[k] = weightsOf(m.f[k])
		}
		w.C[k+1] = weightsOf(m.c[k+1])
	}
	return w
}

// SetEpoch sets the learning rates to those of an epoch, counted from 0.
func (m *FloatModel[T]) SetEpoch(epoch int) { m.ff, m.fb = m.n.LearningRate(epoch) }

// SetStep does nothing: the number of mini-batches indexes the random words of stochastic rounding, and
// this model draws none.
func (m *FloatModel[T]) SetStep(uint32) {}

// LearnBatch learns one mini-batch of exactly Learning.Batch samples, pixels of layers[0] bytes each;
// negative: beta < 0. It panics on any other number of samples or pixels. correct counts the samples that
// had their label's class after the free phase.
func (m *FloatModel[T]) LearnBatch(samples [][]uint8, labels []int, negative bool) (correct int) {
	b := m.learning
	if len(samples) != b.rows || len(labels) != len(samples) {
		panic(fmt.Sprintf("golden: LearnBatch of %d samples and %d labels; the mini-batch is %d", len(samples), len(labels), b.rows))
	}
	for i, pixels := range samples {
		b.load(i, pixels)
		y := b.y.Row(i)
		clear(y)
		y[labels[i]] = 1
	}
	beta := m.n.Learning.Beta
	if negative {
		beta = -beta
	}
	m.learn(beta)
	for i, class := range b.classes {
		if class == labels[i] {
			correct++
		}
	}
	return correct
}

// ClassifyBatch gives the class of every sample, pixels of layers[0] bytes each: the index of the largest
// r_K after the free phase, the lowest of equals. Any number of samples.
func (m *FloatModel[T]) ClassifyBatch(samples [][]uint8, classes []int) {
	m.settleAll(samples, func(b *floatBatch[T], start int, s span) {
		copy(classes[start+s.from:], b.classes[s.from:s.to])
	})
}

// States gives the states r_0..r_K after the free phase, indexed by layer, one row per sample. nil without samples.
func (m *FloatModel[T]) States(samples [][]uint8) []*mat.Dense {
	states := newStates(m.n, len(samples))
	m.settleAll(samples, func(b *floatBatch[T], start int, s span) {
		for k := range states {
			layer := b.x
			if k > 0 {
				layer = b.r[k]
			}
			for i := s.from; i < s.to; i++ {
				row := states[k].RawRowView(start + i)
				for j, v := range layer.Row(i) {
					row[j] = float64(v)
				}
			}
		}
	})
	return states
}

// settleAll runs the free phase of any number of samples, a block at a time, and lets use see parts of each block, whose
// first sample is start. Parts come at the same time.
func (m *FloatModel[T]) settleAll(samples [][]uint8, use func(b *floatBatch[T], start int, s span)) {
	if m.classify == nil {
		m.classify = newFloatBatch[T](m.n, classifyRows)
	}
	b := m.classify
	for start := 0; start < len(samples); start += b.rows {
		block := samples[start:min(start+b.rows, len(samples))]
		spread(len(block), func(s span) {
			for i := s.from; i < s.to; i++ {
				b.load(i, block[i])
			}
			m.free(b, s)
			use(b, start, s)
		})
	}
}

// largest is the index of the largest value, the lowest of equals.
func largest[T simd.Float](scores []T) int {
	class := 0
	for i, score := range scores {
		if score > scores[class] {
			class = i
		}
	}
	return class
}

// floatMatrix is a matrix of synapses with its name.
type floatMatrix[T simd.Float] struct {
	name     string
	synapses simd.Matrix[T]
}

// matrices are all synapses, in the order and with the names of Arithmetic.Matrices.
func (m *FloatModel[T]) matrices() []floatMatrix[T] {
	var list []floatMatrix[T]
	for kind, family := range [][]simd.Matrix[T]{Feedforward: m.w, Feedback: m.f, Lateral: m.c} {
		for k, synapses := range family {
			if synapses.Rows > 0 {
				list = append(list, floatMatrix[T]{tensorName(Kind(kind).String(), k), synapses})
			}
		}
	}
	return list
}

// Tensors are the synapses for a checkpoint, named and ordered as the Machine's.
func (m *FloatModel[T]) Tensors() []Tensor {
	var list []Tensor
	for _, x := range m.matrices() {
		list = append(list, Tensor{Name: x.name, Rows: x.synapses.Cols, Cols: x.synapses.Rows, Values: weightsOf(x.synapses).RawMatrix().Data})
	}
	return list
}

// SetTensors takes the synapses of a checkpoint, which must have the model's names and shapes; NaN and
// infinity are ErrDamaged, values beyond T ErrUsage. After an error the model is what it was.
func (m *FloatModel[T]) SetTensors(list []Tensor) error {
	matrices := m.matrices()
	if len(list) != len(matrices) {
		return usagef("checkpoint: %d matrices; the network has %d", len(list), len(matrices))
	}
	weights := make([]*mat.Dense, len(list))
	for i, x := range matrices {
		t := &list[i]
		if t.Name != x.name || t.Rows != x.synapses.Cols || t.Cols != x.synapses.Rows {
			return usagef("checkpoint: %s %d x %d; the network wants %s %d x %d", t.Name, t.Rows, t.Cols, x.name, x.synapses.Cols, x.synapses.Rows)
		}
		if t.Words != nil {
			return usagef("checkpoint: %s holds words of the bit-true model; continue that run with fixed arithmetic", t.Name)
		}
		if err := t.check(Float); err != nil {
			return err
		}
		weights[i] = mat.NewDense(t.Rows, t.Cols, t.Values)
		if err := checkReach[T](t.Name, weights[i]); err != nil {
			return err
		}
	}
	for i, x := range matrices {
		setSynapses(x.synapses, weights[i])
	}
	return nil
}

// checkReach tells of a value that is finite, but infinite in T.
func checkReach[T simd.Float](name string, weights *mat.Dense) error {
	rows, _ := weights.Dims()
	for i := range rows {
		for j, v := range weights.RawRowView(i) {
			if math.IsInf(float64(T(v)), 0) {
				return usagef("%s row %d column %d: %v is beyond float32; take arithmetic %s", name, i, j, v, Float)
			}
		}
	}
	return nil
}

// synapsesOf are the synapses of a matrix of weights, which has a row per postsynaptic neuron.
func synapsesOf[T simd.Float](weights *mat.Dense) simd.Matrix[T] {
	post, pre := weights.Dims()
	synapses := simd.NewSynapses[T](pre, post)
	setSynapses(synapses, weights)
	return synapses
}

func setSynapses[T simd.Float](synapses simd.Matrix[T], weights *mat.Dense) {
	for i := range synapses.Cols {
		for j, v := range weights.RawRowView(i) {
			synapses.Set(j, i, T(v))
		}
	}
}

// weightsOf is the inverse of synapsesOf.
func weightsOf[T simd.Float](synapses simd.Matrix[T]) *mat.Dense {
	weights := mat.NewDense(synapses.Cols, synapses.Rows, nil)
	for i := range synapses.Cols {
		row := weights.RawRowView(i)
		for j := range row {
			row[j] = float64(synapses.At(j, i))
		}
	}
	return weights
}

// span is the samples from <= i < to of a batch, or the rows of a matrix.
type span struct{ from, to int }

// part is the share of a span 0 <= i < n that worker of workers does.
func part(n, worker, workers int) span {
	return span{n * worker / workers, n * (worker + 1) / workers}
}

// spread calls work for parts of n samples, one per processor.
func spread(n int, work func(span)) {
	parallel(min(runtime.GOMAXPROCS(0), n), func(worker, workers int) { work(part(n, worker, workers)) })
}

// parallel calls work for all of a number of workers.
func parallel(workers int, work func(worker, workers int)) {
	if workers <= 1 {
		work(0, 1)
		return
	}
	var wait sync.WaitGroup
	for worker := range workers {
		wait.Go(func() { work(worker, workers) })
	}
	wait.Wait()
}

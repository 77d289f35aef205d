package golden

import (
	"fmt"
	"runtime"
	"sync"

	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// FloatModel is the float64 model of CorInfoMax on the antisparse polytope (arXiv 2306.04810), with
// C = gamma B as Weights has it. It shares settings and the order of steps with the bit-true model, and
// no arithmetic. Not safe for concurrent use; it spreads the samples of a batch over the processors.
//
// A batch is a matrix with a row per sample, and a matrix of synapses is held transposed, a row per
// presynaptic neuron. A product is then a sum of rows in the order of the presynaptic neurons, whatever
// blocks of samples it is cut into: results depend neither on the number of processors nor on the other
// samples, and inactive neurons cost nothing.
type FloatModel struct {
	n        *Network
	w, f, c  []blas64.General // transposed; indexed as in Weights
	eta      []float64        // by iteration of a phase
	ff, fb   []float64        // learning rates in force; fb[k-1] is that of F_k
	learning *floatBatch      // Learning.Batch samples
	classes  []int            // theirs, after the free phase
	factors  *floatFactors
	classify *floatBatch // classifyRows samples; made by the first ClassifyBatch
	sums     []blas64.General
	recorder *recorder // nil: nothing is recorded
}

var _ Learner = (*FloatModel)(nil)

// classifyRows is the number of samples that ClassifyBatch settles at a time.
const classifyRows = 128

// NewFloatModel makes a model of copies of the weights, with the learning rates of epoch 0. Its errors are
// those of Weights.Check.
func NewFloatModel(n *Network, w *Weights) (*FloatModel, error) {
	K := n.K()
	if err := w.Check(n); err != nil {
		return nil, err
	}
	m := &FloatModel{n: n, w: make([]blas64.General, K), f: make([]blas64.General, K), c: make([]blas64.General, K+1),
		sums: make([]blas64.General, K+1), learning: newFloatBatch(n, n.Learning.Batch),
		classes: make([]int, n.Learning.Batch), factors: newFloatFactors(n)}
	for k := range K {
		m.w[k] = transposed(w.W[k])
		if k > 0 {
			m.f[k] = transposed(w.F[k])
		}
		m.c[k+1] = transposed(w.C[k+1])
		m.sums[k+1] = general(n.Layers[k+1], n.Layers[k+1])
	}
	for s := range max(n.Settling.FreeIterations, n.Settling.NudgedIterations) {
		m.eta = append(m.eta, n.Eta(s))
	}
	m.SetEpoch(0)
	return m, nil
}

// Weights are copies of the synapses.
func (m *FloatModel) Weights() *Weights {
	K := m.n.K()
	w := &Weights{W: make([]*mat.Dense, K), F: make([]*mat.Dense, K), C: make([]*mat.Dense, K+1)}
	for k := range K {
		w.W[k] = untransposed(m.w[k])
		if k > 0 {
			w.F[k] = untransposed(m.f[k])
		}
		w.C[k+1] = untransposed(m.c[k+1])
	}
	return w
}

// SetEpoch sets the learning rates to those of an epoch, counted from 0.
func (m *FloatModel) SetEpoch(epoch int) { m.ff, m.fb = m.n.LearningRate(epoch) }

// SetStep does nothing: the number of mini-batches indexes the random words of stochastic rounding, and
// float64 draws none.
func (m *FloatModel) SetStep(uint32) {}

// LearnBatch learns one mini-batch of exactly Learning.Batch samples, pixels of layers[0] bytes each;
// negative: beta < 0. It returns how many of them had their label for their class after the free phase. It panics
// on any other number of samples or pixels.
func (m *FloatModel) LearnBatch(samples [][]uint8, labels []int, negative bool) (correct int) {
	if len(samples) != m.learning.rows || len(labels) != len(samples) {
		panic(fmt.Sprintf("golden: LearnBatch of %d samples and %d labels; the mini-batch is %d", len(samples), len(labels), m.learning.rows))
	}
	for i, pixels := range samples {
		m.learning.load(i, pixels)
	}
	clear(m.learning.y.Data)
	for i, label := range labels {
		m.learning.y.Data[i*m.learning.y.Stride+label] = 1
	}
	beta := m.n.Learning.Beta
	if negative {
		beta = -beta
	}
	m.learn(beta)
	for i, label := range labels {
		if m.classes[i] == label {
			correct++
		}
	}
	return correct
}

// ClassifyBatch gives the class of every sample, pixels of layers[0] bytes each: the index of the largest
// r_K after the free phase, the lowest of equals. Any number of samples.
func (m *FloatModel) ClassifyBatch(samples [][]uint8, classes []int) {
	m.infer(samples, func(b *floatBatch, s span, start int) { m.answer(b, s, classes[start:]) })
}

// States gives the states r_0..r_K after the free phase, indexed by layer, one row per sample. nil without samples.
func (m *FloatModel) States(samples [][]uint8) []*mat.Dense {
	states := newStates(m.n, len(samples))
	m.infer(samples, func(b *floatBatch, s span, start int) {
		for k, to := range states {
			from := b.x
			if k > 0 {
				from = b.r[k]
			}
			copy(rowsOf(to.RawMatrix(), span{start + s.from, start + s.to}).Data, rowsOf(from, s).Data)
		}
	})
	return states
}

// infer runs the free phase of all samples and hands them to take in parts: row i of batch b, for i in s, is
// sample start + i.
func (m *FloatModel) infer(samples [][]uint8, take func(b *floatBatch, s span, start int)) {
	if m.classify == nil {
		m.classify = newFloatBatch(m.n, classifyRows)
	}
	b := m.classify
	for start := 0; start < len(samples); start += b.rows {
		block := samples[start:min(start+b.rows, len(samples))]
		spread(len(block), func(s span) {
			for i := s.from; i < s.to; i++ {
				b.load(i, block[i])
			}
			m.begin(b, s)
			m.settle(b, s, 0, m.n.Settling.FreeIterations)
			take(b, s, start)
		})
	}
}

// answer notes the classes of some samples whose free phase has ended.
func (m *FloatModel) answer(b *floatBatch, s span, classes []int) {
	for i := s.from; i < s.to; i++ {
		classes[i] = largest(rowsOf(b.r[m.n.K()], span{i, i + 1}).Data)
	}
}

// largest is the index of the largest value, the lowest of equals.
func largest(scores []float64) int {
	class := 0
	for i, score := range scores {
		if score > scores[class] {
			class = i
		}
	}
	return class
}

// floatMatrix is a matrix of synapses with its name.
type floatMatrix struct {
	name string
	t    blas64.General // transposed
}

// matrices are all synapses, in the order and with the names of Arithmetic.Matrices.
func (m *FloatModel) matrices() []floatMatrix {
	var list []floatMatrix
	for kind, family := range [][]blas64.General{Feedforward: m.w, Feedback: m.f, Lateral: m.c} {
		for k, t := range family {
			if t.Data != nil {
				list = append(list, floatMatrix{tensorName(Kind(kind).String(), k), t})
			}
		}
	}
	return list
}

// Tensors are the synapses for a checkpoint, named and ordered as the Machine's.
func (m *FloatModel) Tensors() []Tensor {
	var list []Tensor
	for _, x := range m.matrices() {
		list = append(list, Tensor{Name: x.name, Rows: x.t.Cols, Cols: x.t.Rows, Values: untransposed(x.t).RawMatrix().Data})
	}
	return list
}

// SetTensors takes the synapses of a checkpoint, which must have the model's names and shapes; NaN and
// infinity are ErrDamaged. After an error the model is what it was.
func (m *FloatModel) SetTensors(list []Tensor) error {
	matrices := m.matrices()
	if len(list) != len(matrices) {
		return usagef("checkpoint: %d matrices; the network has %d", len(list), len(matrices))
	}
	for i, x := range matrices {
		t := &list[i]
		if t.Name != x.name || t.Rows != x.t.Cols || t.Cols != x.t.Rows {
			return usagef("checkpoint: %s %d x %d; the network wants %s %d x %d", t.Name, t.Rows, t.Cols, x.name, x.t.Cols, x.t.Rows)
		}
		if t.Words != nil {
			return usagef("checkpoint: %s holds words of the bit-true model; continue that run with fixed arithmetic", t.Name)
		}
		if err := t.check(Float); err != nil {
			return err
		}
	}
	for i, x := range matrices {
		copy(x.t.Data, transposed(mat.NewDense(list[i].Rows, list[i].Cols, list[i].Values)).Data)
	}
	return nil
}

// transposed is a copy of a matrix's transpose.
func transposed(m *mat.Dense) blas64.General {
	rows, cols := m.Dims()
	t := general(cols, rows)
	for i := range rows {
		for j, v := range m.RawRowView(i) {
			t.Data[j*t.Stride+i] = v
		}
	}
	return t
}

// untransposed is the inverse of transposed.
func untransposed(t blas64.General) *mat.Dense {
	return mat.DenseCopyOf(mat.NewDense(t.Rows, t.Cols, t.Data).T())
}

// general is a zero matrix.
func general(rows, cols int) blas64.General {
	return blas64.General{Rows: rows, Cols: cols, Stride: cols, Data: make([]float64, rows*cols)}
}

// span is the samples from <= i < to of a batch.
type span struct{ from, to int }

// rowsOf is a view of some rows of a matrix without gaps.
func rowsOf(m blas64.General, s span) blas64.General {
	m.Data = m.Data[s.from*m.Stride : s.to*m.Stride]
	m.Rows = s.to - s.from
	return m
}

// spread calls work for parts of n samples, one per processor.
func spread(n int, work func(span)) {
	var wait sync.WaitGroup
	workers := min(runtime.GOMAXPROCS(0), n)
	for w := range workers {
		wait.Go(func() { work(span{n * w / workers, n * (w + 1) / workers}) })
	}
	wait.Wait()
}

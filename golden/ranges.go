package golden

import (
	"slices"
	"sync"

	fx "corinfo/fixedpoint"
)

// Range is what a tensor's values spanned during a run.
type Range struct {
	Min, Max float64
}

// Ranges are the recorded ranges by tensor: r1, current1, W0, dW0, with the names of the network file's formats.
type Ranges map[string]Range

// include widens the range of a tensor to hold low and high.
func (r Ranges) include(name string, low, high float64) {
	old, ok := r[name]
	if !ok {
		old = Range{low, high}
	}
	r[name] = Range{min(old.Min, low), max(old.Max, high)}
}

// Record makes the model widen r by every value that it computes from now on, of every tensor that has a
// type (docs/ARITHMETIC.md, "Types"), constants aside; nil ends it. The synapses are noted at once and after
// each mini-batch. Recording changes no result.
func (m *FloatModel) Record(r Ranges) {
	if r == nil {
		m.recorder = nil
		return
	}
	m.recorder = &recorder{ranges: r}
	m.recordSynapses()
}

// recorder notes, for several goroutines, the ranges of what the model computes or what does not fit types.
type recorder struct {
	lock    sync.Mutex
	ranges  Ranges             // nil: not wanted
	types   map[string]fx.Type // of the tensors in misfits
	misfits map[string]*Misfit // the tensors to look at
}

// note records the values of the tensor of a kind and index; x has none.
func (r *recorder) note(kind string, index int, values []float64) {
	if kind != "x" {
		kind = tensorName(kind, index)
	}
	r.noteAs(kind, values)
}

// noteChange records e_1, the difference of r_1 between the later and the earlier of the two compared
// phases: the later one has role minus where there are three.
func (r *recorder) noteChange(plusLessMinus []float64, threePhase bool) {
	if threePhase {
		plusLessMinus = slices.Clone(plusLessMinus)
		for i := range plusLessMinus {
			plusLessMinus[i] = -plusLessMinus[i]
		}
	}
	r.noteAs("e1", plusLessMinus)
}

func (r *recorder) noteAs(name string, values []float64) {
	if miss := r.misfits[name]; miss != nil {
		r.lock.Lock()
		miss.count(values, r.types[name])
		r.lock.Unlock()
	}
	if r.ranges != nil {
		low, high := extremes(values)
		r.lock.Lock()
		r.ranges.include(name, low, high)
		r.lock.Unlock()
	}
}

// extremes are the smallest and the largest of at least one value.
func extremes(values []float64) (low, high float64) {
	low, high = values[0], values[0]
	for _, v := range values {
		low, high = min(low, v), max(high, v)
	}
	return low, high
}

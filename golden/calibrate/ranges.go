// Package calibrate chooses formats from the ranges that a float run shows, and describes how its values are distributed.
package calibrate

import (
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

// recorder notes, for several goroutines, the ranges of what the model computes or what does not fit types.
type recorder struct {
	lock    sync.Mutex
	ranges  Ranges             // nil: not wanted
	types   map[string]fx.Type // of the tensors in misfits and distributions
	misfits map[string]*Misfit // the tensors to look at

	distributions map[string]*Distribution // nil: not wanted
}

// note records the values of a tensor.
func (r *recorder) note(name string, values []float64) {
	if miss := r.misfits[name]; miss != nil {
		r.lock.Lock()
		miss.Values(values, r.types[name])
		r.lock.Unlock()
	}
	if r.distributions != nil {
		d := newDistribution(values, r.types[name])
		r.lock.Lock()
		if all := r.distributions[name]; all != nil {
			all.merge(d)
		} else {
			r.distributions[name] = d
		}
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

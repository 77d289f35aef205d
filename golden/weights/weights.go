// Package weights holds the synapses of a network as float64 values, by the names that its rule gives them.
package weights

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"

	"corinfo/golden"
	"corinfo/golden/rule"
)

// Matrix is one matrix of synapses: a row per postsynaptic, a column per presynaptic neuron.
type Matrix struct {
	Name string
	*mat.Dense
}

// Weights are the matrices of all stored projections of a network, in their order.
type Weights []Matrix

// Initial draws the weights by which a network begins; every matrix has its own stream of (seed, its place in the list).
func Initial(d *rule.Description, seed uint32) Weights {
	var w Weights
	for stream, at := range d.Stored() {
		p := d.Projections[at]
		w = append(w, Matrix{p.Name, initial(p, rand.New(rand.NewPCG(uint64(seed), uint64(stream))))})
	}
	return w
}

func initial(p rule.Projection, rng *rand.Rand) *mat.Dense {
	if p.Init == rule.Zero {
		return mat.NewDense(p.Rows, p.Cols, nil)
	}
	limit := math.Sqrt(6 / float64(p.Rows+p.Cols))
	if p.Init == rule.Uniform {
		limit = p.Bound
	}
	data := make([]float64, p.Rows*p.Cols)
	for i := range data {
		data[i] = (2*rng.Float64() - 1) * limit
	}
	m := mat.NewDense(p.Rows, p.Cols, data)
	if p.Init == rule.XavierSquared {
		m = gram(m)
	}
	if p.Scale != 1 {
		m.Scale(p.Scale, m)
	}
	return m
}

// gram is V V', every element summed from the first column on: a library's product has an order of its own, which
// differs between processors.
func gram(v *mat.Dense) *mat.Dense {
	n, _ := v.Dims()
	across := mat.DenseCopyOf(v.T())
	b := mat.NewDense(n, n, nil)
	for i := range n {
		sums := b.RawRowView(i)
		for t, x := range v.RawRowView(i) {
			for j, y := range across.RawRowView(t) {
				sums[j] += float64(x * y) // the conversion forbids a fused multiplication
			}
		}
	}
	return b
}

// Named is the matrix of a name; nil: there is none.
func (w Weights) Named(name string) *mat.Dense {
	if i := slices.IndexFunc(w, func(m Matrix) bool { return m.Name == name }); i >= 0 {
		return w[i].Dense
	}
	return nil
}

// Check tells of a matrix that is missing, foreign or of another shape (golden.ErrUsage), and of NaN and infinity
// (golden.ErrDamaged).
func (w Weights) Check(d *rule.Description) error {
	stored := d.Stored()
	if len(w) != len(stored) {
		return golden.Usagef("weights: %d matrices; the network has %d", len(w), len(stored))
	}
	for i, at := range stored {
		p := d.Projections[at]
		if w[i].Name != p.Name || w[i].Dense == nil {
			return golden.Usagef("weights: %s is missing", p.Name)
		}
		if rows, cols := w[i].Dims(); rows != p.Rows || cols != p.Cols {
			return golden.Usagef("weights: %s is %d x %d; the network wants %d x %d", p.Name, rows, cols, p.Rows, p.Cols)
		}
		for row := range p.Rows {
			if col := NotFinite(w[i].RawRowView(row)); col >= 0 {
				return fmt.Errorf("%w: weights: %s row %d column %d is %v", golden.ErrDamaged, p.Name, row, col, w[i].At(row, col))
			}
		}
	}
	return nil
}

// NotFinite is the place of the first NaN or infinity, below 0 where there is none.
func NotFinite(values []float64) int {
	return slices.IndexFunc(values, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) })
}

// Angle is the angle between a projection and the transpose of its opposite.
type Angle struct {
	Layer   int     `json:"layer"` // the presynaptic one of the projection upwards
	Degrees float64 `json:"degrees"`
}

// Angles are acos(tr(W F) / (|W| |F|)) in degrees for all opposed projections W and F of a network (arXiv 2306.04810): 0 where
// F is a multiple of W transposed, 90 where they have nothing in common or one of them is zero.
func (w Weights) Angles(d *rule.Description) []Angle {
	list := []Angle{} // never null in JSON
	for _, pair := range d.Opposed {
		there, back := w.Named(d.Projections[pair[0]].Name), w.Named(d.Projections[pair[1]].Name)
		var trace, ww, ff float64
		rows, cols := there.Dims()
		for i := range rows {
			for j := range cols {
				a, b := there.At(i, j), back.At(j, i)
				trace += a * b
				ww += a * a
				ff += b * b
			}
		}
		degrees := 90.0
		if ww > 0 && ff > 0 {
			cos := trace / (math.Sqrt(ww) * math.Sqrt(ff))
			degrees = math.Acos(max(-1, min(1, cos))) * 180 / math.Pi
		}
		list = append(list, Angle{d.Words[d.Projections[pair[0]].From].Layer, degrees})
	}
	return list
}

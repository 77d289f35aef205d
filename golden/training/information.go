package training

import (
	"fmt"
	"math"
	"runtime"

	"gonum.org/v1/gonum/mat"

	"corinfo/golden"
	"corinfo/golden/rule"
	"corinfo/golden/simd"
	"corinfo/golden/weights"
)

// Information is the correlative information (arXiv 2306.04810) of two neighbouring layers, and how much of it their
// synapses have: what the other layer explains of a layer's second moments through them. A linear prediction, which
// synapses make, may mislead about states that are clipped: then it is below 0. It may also be above Nats, where the
// prediction is charged for the size of its weights and synapses are not.
type Information struct {
	Layer    int      `json:"layer"`    // k of r_k and r_{k+1}
	Nats     float64  `json:"nats"`     // of the best regularised linear prediction, the same in both directions
	Forward  float64  `json:"forward"`  // of r_{k+1} by W_k r_k
	Backward *float64 `json:"backward"` // of r_k by F_k r_{k+1}; nil for k = 0, which has no feedback
}

// CorrelativeInformation estimates the correlative information of all pairs of neighbouring layers, k = 0..K-1, from
// states r_0..r_K, indexed by layer, one row per sample:
//
//	I(r_k; r_{k+1}) = 1/2 log det(R(r_k) + epsilon I) + 1/2 log det(R(r_{k+1}) + epsilon I) - 1/2 log det(R([r_k r_{k+1}]) + epsilon I)
//	forward         = 1/2 log det(R(r_{k+1}) + epsilon I) - 1/2 log det(R(r_{k+1} - W_k r_k) + epsilon I)
//	backward        = 1/2 log det(R(r_k) + epsilon I) - 1/2 log det(R(r_k - F_k r_{k+1}) + epsilon I)
//
// with R(x) the mean of x x' over the samples and epsilon > 0. The first is what the second is for the best regularised
// prediction W = R(r_{k+1} r_k') (R(r_k) + epsilon I)^-1 with R(e) + epsilon W W' for R(e), and likewise the third. What is
// not finite is golden.ErrDamaged. Results don't depend on the number of processors.
func CorrelativeInformation(d *rule.Description, w weights.Weights, states []*mat.Dense) ([]Information, error) {
	if d.Information == nil {
		return nil, nil
	}
	epsilon := d.Information.Epsilon
	layers := make([]simd.Matrix[float64], len(states))
	for k, x := range states {
		layers[k] = rowsOf(x)
	}
	var list []Information
	for k, forward := range d.Information.Forward {
		lower, upper := layers[k], layers[k+1]
		moments := secondMoments(rowsOf(states[k], states[k+1]), epsilon)
		whole := [2]float64{correlativeEntropy(moments.SliceSym(0, lower.Cols), epsilon),
			correlativeEntropy(moments.SliceSym(lower.Cols, lower.Cols+upper.Cols), epsilon)}
		i := Information{Layer: k, Nats: whole[0] + whole[1] - correlativeEntropy(moments, epsilon),
			Forward: whole[1] - restEntropy(upper, lower, w.Named(d.Projections[forward].Name), epsilon)}
		if back := d.Information.Backward[k]; back >= 0 {
			backward := whole[0] - restEntropy(lower, upper, w.Named(d.Projections[back].Name), epsilon)
			i.Backward = &backward
		}
		for _, nats := range []*float64{&i.Nats, &i.Forward, i.Backward} {
			if nats != nil && (math.IsNaN(*nats) || math.IsInf(*nats, 0)) {
				return nil, fmt.Errorf("%w: information of r%d and r%d is %v", golden.ErrDamaged, k, k+1, *nats)
			}
		}
		list = append(list, i)
	}
	return list, nil
}

// restEntropy is the correlativeEntropy of what synapses from a layer leave unexplained of another.
func restEntropy(of, from simd.Matrix[float64], synapses *mat.Dense, epsilon float64) float64 {
	rest, weights := simd.NewStates[float64](of.Rows, of.Cols), simd.NewSynapses[float64](from.Cols, of.Cols)
	weights.Fill(synapses)
	simd.Spread(of.Rows, func(s simd.Span) {
		part := rest.Slice(s.From, s.To)
		simd.Multiply(0, part, from.Slice(s.From, s.To), weights)
		// The sign is lost on second moments.
		simd.Combine(part, []simd.Term[float64]{{Factor: 1, Values: part}, {Factor: -1, Values: of.Slice(s.From, s.To)}})
	})
	return correlativeEntropy(secondMoments(rest, epsilon), epsilon)
}

// rowsOf are the rows of matrices side by side.
func rowsOf(list ...*mat.Dense) simd.Matrix[float64] {
	rows, cols := 0, 0
	for _, m := range list {
		r, c := m.Dims()
		rows, cols = r, cols+c
	}
	x := simd.NewStates[float64](rows, cols)
	for i := range rows {
		row := x.Row(i)
		for _, m := range list {
			row = row[copy(row, m.RawRowView(i)):]
		}
	}
	return x
}

// secondMoments is R + epsilon I, R the mean of x x' over the rows x.
func secondMoments(x simd.Matrix[float64], epsilon float64) *mat.SymDense {
	neurons := x.Cols
	sums := simd.NewStates[float64](neurons, neurons)
	simd.Parallel(runtime.GOMAXPROCS(0), func(worker, workers int) {
		s := simd.Part(neurons, worker, workers)
		simd.MultiplyTransposed(0, sums, x, x, s.From, s.To)
	})
	r := mat.NewSymDense(neurons, nil)
	for i := range neurons {
		for j, sum := range sums.Row(i)[i:] {
			r.SetSym(i, i+j, sum/float64(x.Rows))
		}
		r.SetSym(i, i, r.At(i, i)+epsilon)
	}
	return r
}

// correlativeEntropy is 1/2 log det(R + epsilon I), given R + epsilon I.
func correlativeEntropy(r mat.Symmetric, epsilon float64) float64 {
	var root mat.Cholesky
	if root.Factorize(r) {
		return root.LogDet() / 2
	}
	// An epsilon that is lost beside the rounding of R leaves a matrix that is not positive definite, where neurons
	// are silent or follow each other. The eigenvalues are epsilon or more all the same.
	var eigen mat.EigenSym
	if !eigen.Factorize(r, false) {
		return math.NaN()
	}
	sum := 0.0
	for _, value := range eigen.Values(nil) {
		sum += math.Log(max(value, epsilon)) // NaN stays NaN
	}
	return sum / 2
}

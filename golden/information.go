package golden

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// Information is the correlative information (arXiv 2306.04810) of two neighbouring layers: how much of a layer's
// second moments a neighbour explains through the synapses between them.
type Information struct {
	Layer int     `json:"layer"` // k of r_k, which is explained
	From  int     `json:"from"`  // k-1: by r_{k-1} through W_{k-1}, forward; k+1: by r_{k+1} through F_k, backward
	Nats  float64 `json:"nats"`  // 0: nothing; below 0: the neighbour misleads
}

// CorrelativeInformation estimates the correlative information of all pairs of neighbouring layers from states
// r_0..r_K, indexed by layer, one row per sample:
//
//	forward   I(r_k; r_{k-1}) = 1/2 log det(R(r_k) + epsilon I) - 1/2 log det(R(e_k) + epsilon I), e_k = r_k - W_{k-1} r_{k-1}, k >= 1
//	backward  I(r_k; r_{k+1}) = 1/2 log det(R(r_k) + epsilon I) - 1/2 log det(R(d_k) + epsilon I), d_k = r_k - F_k r_{k+1}, 1 <= k < K
//
// with R(x) the mean of x x' over the samples and epsilon > 0. Forward comes first, layers ascend. What is not
// finite is ErrDamaged. Results don't depend on the number of processors.
func CorrelativeInformation(w *Weights, states []*mat.Dense, epsilon float64) ([]Information, error) {
	K := len(w.W)
	whole := make([]float64, K+1) // 1/2 log det of the states themselves
	for k := 1; k <= K; k++ {
		whole[k] = correlativeEntropy(states[k], epsilon)
	}
	var list []Information
	explain := func(layer, from int, synapses *mat.Dense) {
		var rest mat.Dense
		rest.Mul(states[from], synapses.T())
		rest.Sub(states[layer], &rest)
		list = append(list, Information{layer, from, whole[layer] - correlativeEntropy(&rest, epsilon)})
	}
	for k := 1; k <= K; k++ {
		explain(k, k-1, w.W[k-1])
	}
	for k := 1; k < K; k++ {
		explain(k, k+1, w.F[k])
	}
	for _, i := range list {
		if math.IsNaN(i.Nats) || math.IsInf(i.Nats, 0) {
			return nil, fmt.Errorf("%w: information of r%d from r%d is %v", ErrDamaged, i.Layer, i.From, i.Nats)
		}
	}
	return list, nil
}

// correlativeEntropy is 1/2 log det(R + epsilon I), R the mean of x x' over the rows x.
func correlativeEntropy(x *mat.Dense, epsilon float64) float64 {
	samples, neurons := x.Dims()
	moments := blas64.General{Rows: neurons, Cols: neurons, Stride: neurons, Data: make([]float64, neurons*neurons)}
	blas64.Gemm(blas.Trans, blas.NoTrans, 1, x.RawMatrix(), x.RawMatrix(), 0, moments)
	for i := range moments.Data {
		moments.Data[i] /= float64(samples)
	}
	for i := range neurons {
		moments.Data[i*neurons+i] += epsilon
	}
	r := mat.NewSymDense(neurons, moments.Data)
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

package golden

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// Weights are the float64 values of all synapses. W[k], k = 0..K-1, is n_{k+1} x n_k; F[k], k = 1..K-1,
// is n_k x n_{k+1}; C[k] = gamma B_k, k = 1..K, is n_k x n_k. F[0] and C[0] are nil.
type Weights struct{ W, F, C []*mat.Dense }

// InitialWeights draws W and F Xavier-uniform and B = V V' with V Xavier-uniform; every matrix has its
// own stream of (seed, matrix).
func InitialWeights(n *Network, seed uint32) *Weights {
	K := n.K()
	gamma := (1 - n.Lambda) / n.Lambda
	w := &Weights{W: make([]*mat.Dense, K), F: make([]*mat.Dense, K), C: make([]*mat.Dense, K+1)}
	stream := uint64(0)
	xavier := func(rows, cols int) *mat.Dense {
		rng := rand.New(rand.NewPCG(uint64(seed), stream))
		stream++
		limit := math.Sqrt(6 / float64(rows+cols))
		data := make([]float64, rows*cols)
		for i := range data {
			data[i] = (2*rng.Float64() - 1) * limit
		}
		return mat.NewDense(rows, cols, data)
	}
	for k := range K {
		w.W[k] = xavier(n.Layers[k+1], n.Layers[k])
	}
	for k := 1; k < K; k++ {
		w.F[k] = xavier(n.Layers[k], n.Layers[k+1])
	}
	for k := 1; k <= K; k++ {
		v := xavier(n.Layers[k], n.Layers[k])
		w.C[k] = new(mat.Dense)
		w.C[k].Mul(v, v.T())
		w.C[k].Scale(gamma, w.C[k])
	}
	return w
}

// Check tells of a matrix that is missing or whose shape is not the network's (ErrUsage), and of NaN and
// infinity (ErrDamaged).
func (w *Weights) Check(n *Network) error {
	K := n.K()
	if len(w.W) != K || len(w.F) != K || len(w.C) != K+1 {
		return usagef("weights: %d of W, %d of F, %d of C; a network of %d layers wants %d, %d, %d, unused ones included",
			len(w.W), len(w.F), len(w.C), K+1, K, K, K+1)
	}
	check := func(kind string, k int, m *mat.Dense, rows, cols int) error {
		if m == nil {
			return usagef("weights: %s%d is missing", kind, k)
		}
		if r, c := m.Dims(); r != rows || c != cols {
			return usagef("weights: %s%d is %d x %d; the network wants %d x %d", kind, k, r, c, rows, cols)
		}
		for i := range rows {
			for j := range cols {
				if v := m.At(i, j); math.IsNaN(v) || math.IsInf(v, 0) {
					return fmt.Errorf("%w: weights: %s%d row %d column %d is %v", ErrDamaged, kind, k, i, j, v)
				}
			}
		}
		return nil
	}
	for k := range K {
		if err := check("W", k, w.W[k], n.Layers[k+1], n.Layers[k]); err != nil {
			return err
		}
		if k > 0 {
			if err := check("F", k, w.F[k], n.Layers[k], n.Layers[k+1]); err != nil {
				return err
			}
		}
	}
	for k := 1; k <= K; k++ {
		if err := check("C", k, w.C[k], n.Layers[k], n.Layers[k]); err != nil {
			return err
		}
	}
	return nil
}

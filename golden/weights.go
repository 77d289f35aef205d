package golden

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Weights are the float64 values of all synapses. W[k], k = 0..K-1, is n_{k+1} x n_k; F[k], k = 1..K-1,
// is n_k x n_{k+1}; C[k] = gamma B_k, k = 1..K, is n_k x n_k. F[0] and C[0] are nil.
type Weights struct{ W, F, C []*mat.Dense }

// newWeights has room for the matrices of a network.
func newWeights(n *Network) *Weights {
	K := n.K()
	return &Weights{W: make([]*mat.Dense, K), F: make([]*mat.Dense, K), C: make([]*mat.Dense, K+1)}
}

// matrices calls visit for every matrix of a network by its name, W first, then F, then C, with its shape and its place
// in the weights, which must have the network's number of each.
func (w *Weights) matrices(n *Network, visit func(name string, rows, cols int, place **mat.Dense) error) error {
	for k := range n.K() {
		if err := visit(fmt.Sprint("W", k), n.Layers[k+1], n.Layers[k], &w.W[k]); err != nil {
			return err
		}
	}
	for k := 1; k < n.K(); k++ {
		if err := visit(fmt.Sprint("F", k), n.Layers[k], n.Layers[k+1], &w.F[k]); err != nil {
			return err
		}
	}
	for k := 1; k <= n.K(); k++ {
		if err := visit(fmt.Sprint("C", k), n.Layers[k], n.Layers[k], &w.C[k]); err != nil {
			return err
		}
	}
	return nil
}

// InitialWeights draws W and F Xavier-uniform and B = V V' with V Xavier-uniform; every matrix has its
// own stream of (seed, matrix). docs/ARITHMETIC.md, "What the seed draws", says it to the bit.
func InitialWeights(n *Network, seed uint32) *Weights {
	gamma := (1 - n.Lambda) / n.Lambda
	w := newWeights(n)
	stream := uint64(0)
	xavier := func(rows, cols int) *mat.Dense {
		rng := rand.New(rand.NewPCG(uint64(seed), stream))
		stream++
		limit := math.Sqrt(6 / float64(rows+cols))
		data := make([]float64, rows*cols)
		for i := range data {
			data[i] = (2*rng.Float64() - 1) * limit // 2 x is exact: a fused multiplication changes no bit
		}
		return mat.NewDense(rows, cols, data)
	}
	_ = w.matrices(n, func(name string, rows, cols int, place **mat.Dense) error { // the visitor gives no error
		m := xavier(rows, cols)
		if name[0] == 'C' {
			m = gram(m)
			m.Scale(gamma, m)
		}
		*place = m
		return nil
	})
	return w
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

// Check tells of a matrix that is missing or whose shape is not the network's (ErrUsage), and of NaN and
// infinity (ErrDamaged).
func (w *Weights) Check(n *Network) error {
	K := n.K()
	if len(w.W) != K || len(w.F) != K || len(w.C) != K+1 {
		return usagef("weights: %d of W, %d of F, %d of C; a network of %d layers wants %d, %d, %d, unused ones included",
			len(w.W), len(w.F), len(w.C), K+1, K, K, K+1)
	}
	return w.matrices(n, func(name string, rows, cols int, place **mat.Dense) error {
		m := *place
		if m == nil {
			return usagef("weights: %s is missing", name)
		}
		if r, c := m.Dims(); r != rows || c != cols {
			return usagef("weights: %s is %d x %d; the network wants %d x %d", name, r, c, rows, cols)
		}
		for i := range rows {
			if j := notFinite(m.RawRowView(i)); j >= 0 {
				return fmt.Errorf("%w: weights: %s row %d column %d is %v", ErrDamaged, name, i, j, m.At(i, j))
			}
		}
		return nil
	})
}

// notFinite is the place of the first NaN or infinity, below 0 where there is none.
func notFinite(values []float64) int {
	return slices.IndexFunc(values, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) })
}

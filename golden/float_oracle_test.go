package golden

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"
)

// The oracle: the equations of the paper one number at a time, with B and gamma as it writes them. It shares
// no arithmetic with the model.
type oracle struct {
	n       *Network
	w, f, b [][][]float64 // indexed as Weights

	inhibited int // steps of sparse layers that leave their interneuron active
}

// sampleStates are the states of one sample by layer, the input included.
type sampleStates [][]float64

func oracleRows(list []*mat.Dense, scale float64) [][][]float64 {
	out := make([][][]float64, len(list))
	for k, m := range list {
		if m == nil {
			continue
		}
		rows, _ := m.Dims()
		for i := range rows {
			row := slices.Clone(m.RawRowView(i))
			for j := range row {
				row[j] *= scale
			}
			out[k] = append(out[k], row)
		}
	}
	return out
}

func newOracle(n *Network, w *Weights) *oracle {
	return &oracle{n: n, w: oracleRows(w.W, 1), f: oracleRows(w.F, 1), b: oracleRows(w.C, n.Lambda/(1-n.Lambda))}
}

func oracleDot(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

// phase settles one sample in place; q are the states of the interneurons by layer.
func (o *oracle) phase(r sampleStates, q, y []float64, beta float64, iterations int) {
	n, K := o.n, o.n.K()
	gamma, g := (1-n.Lambda)/n.Lambda, n.Leak
	u, qu := make([][]float64, K+1), slices.Clone(q)
	for k := range u {
		u[k] = slices.Clone(r[k])
	}
	for s := range iterations {
		eta := n.Eta(s)
		for k := 1; k <= K; k++ {
			next := slices.Clone(r[k])
			nu, sparse := n.SparseLayer(k)
			sum := 0.0
			for i := range next {
				basal := oracleDot(o.w[k-1][i], r[k-1])
				br := oracleDot(o.b[k][i], r[k])
				v := u[k][i]
				var du float64
				if k < K {
					apical := n.Epsilon*(2*gamma*br+g*r[k][i]) + oracleDot(o.f[k][i], r[k+1])
					if sparse {
						apical -= n.Epsilon * q[k]
					}
					du = -g*v + (basal-v)/n.Epsilon + (apical-v)/n.Epsilon
				} else {
					apical := gamma*br + g*r[k][i] - beta*(r[k][i]-y[i])
					if sparse {
						apical -= q[k]
					}
					du = -g*v + (basal-v)/n.Epsilon + (apical - v)
				}
				v += eta * du
				u[k][i] = v
				next[i] = math.Max(0, v)
				if !sparse {
					next[i] = math.Min(1, next[i])
				}
				sum += next[i]
			}
			r[k] = next
			if sparse {
				qu[k] += nu * (-qu[k] + sum - 1 + q[k])
				q[k] = math.Max(qu[k], 0)
				if q[k] > 0 {
					o.inhibited++
				}
			}
		}
	}
}

// learn applies one mini-batch; beta is signed.
func (o *oracle) learn(x, y [][]float64, beta float64) {
	n, K := o.n, o.n.K()
	gamma, N := (1-n.Lambda)/n.Lambda, float64(len(x))
	var minus, plus []sampleStates
	for i := range x {
		r := sampleStates{x[i]}
		for k := 1; k <= K; k++ {
			r = append(r, make([]float64, n.Layers[k]))
		}
		q := make([]float64, K+1)
		o.phase(r, q, y[i], 0, n.Settling.FreeIterations)
		if !n.Learning.ThreePhase {
			minus = append(minus, slices.Clone(r))
		}
		o.phase(r, q, y[i], beta, n.Settling.NudgedIterations)
		plus = append(plus, slices.Clone(r))
		if n.Learning.ThreePhase {
			o.phase(r, q, y[i], -beta, n.Settling.NudgedIterations)
			minus = append(minus, slices.Clone(r))
		}
	}
	if n.Learning.ThreePhase {
		beta *= 2
	}
	// outer is sum_n (r_post - M r_pre) r_pre' of some states at (i, j).
	outer := func(states []sampleStates, m [][]float64, post, pre, i, j int) float64 {
		sum := 0.0
		for _, r := range states {
			sum += (r[post][i] - oracleDot(m[i], r[pre])) * r[pre][j]
		}
		return sum
	}
	change := func(m [][]float64, mu float64, post, pre int) [][]float64 {
		next := make([][]float64, len(m))
		for i := range m {
			next[i] = slices.Clone(m[i])
			for j := range m[i] {
				next[i][j] += mu / (beta * N) * (outer(plus, m, post, pre, i, j) - outer(minus, m, post, pre, i, j))
			}
		}
		return next
	}
	for k := range K {
		o.w[k] = change(o.w[k], n.Learning.Feedforward[k], k+1, k)
		if k > 0 {
			o.f[k] = change(o.f[k], n.Learning.Feedback[k-1], k, k+1)
		}
	}
	for k := 1; k <= K; k++ {
		next := make([][]float64, len(o.b[k]))
		for i := range next {
			next[i] = slices.Clone(o.b[k][i])
			for j := range next[i] {
				sum := 0.0
				for _, r := range plus {
					sum += oracleDot(o.b[k][i], r[k]) * oracleDot(o.b[k][j], r[k])
				}
				next[i][j] = (next[i][j] - gamma*sum/N) / n.Lambda
			}
		}
		o.b[k] = next
	}
}

// floatSeed is printed with a failure; CORINFO_SEED repeats it.
func floatSeed(t *testing.T) uint64 {
	t.Helper()
	seed := rand.Uint64()
	if s := os.Getenv("CORINFO_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatalf("CORINFO_SEED: %v", err)
		}
	}
	t.Logf("CORINFO_SEED=%d repeats this", seed)
	return seed
}

// floatNetwork is a network without formats, at the settings of the MNIST runs.
func floatNetwork(layers []int, batch int) *Network {
	n := &Network{Name: "test", Dataset: Dataset{Name: "mnist"}, Rule: "corinfomax", Layers: layers, Epsilon: 0.15, Lambda: 0.99999, Leak: 0.5,
		Settling: Settling{FreeIterations: 30, NudgedIterations: 10, Step: Step{"divide_by_slow_loop_index", 0.05, 0.001, 0.01}},
		Learning: Learning{Batch: batch, Beta: 1, RandomSign: true, Decay: Decay{0.95, 15, 0.9}, Epochs: 1},
		Hardware: Hardware{Lanes: 1, Contexts: 1, Mode: "events"}}
	for k := range n.K() {
		n.Learning.Feedforward = append(n.Learning.Feedforward, 1-0.1*float64(k))
		if k > 0 {
			n.Learning.Feedback = append(n.Learning.Feedback, 0.15)
		}
	}
	return n
}

// randomFloatNetwork draws settings from the corners: any depth, batch and rule, strong lateral synapses, beta other than 1.
func randomFloatNetwork(rng *rand.Rand) *Network {
	layers := []int{1 + rng.IntN(12)}
	for range 1 + rng.IntN(4) {
		layers = append(layers, 1+rng.IntN(9))
	}
	n := floatNetwork(layers, 1+rng.IntN(4))
	n.Epsilon = 0.1 + rng.Float64()
	n.Lambda = []float64{0.9, 0.99, 0.99999}[rng.IntN(3)]
	n.Leak = rng.Float64()
	n.Settling.FreeIterations, n.Settling.NudgedIterations = 1+rng.IntN(20), 1+rng.IntN(20)
	n.Settling.Step.Rule = []string{"constant", "divide_by_loop_index", "divide_by_slow_loop_index"}[rng.IntN(3)]
	n.Settling.Step.Decay = rng.Float64()
	n.Learning.Beta = 0.1 + rng.Float64()
	n.Learning.ThreePhase = rng.IntN(2) == 0
	for k := 1; k <= n.K(); k++ {
		if rng.IntN(3) == 0 {
			n.Sparse.Layers, n.Sparse.Nu = append(n.Sparse.Layers, k), append(n.Sparse.Nu, rng.Float64())
		}
	}
	return n
}

// TestFloatAgainstOracle covers what the trajectories lack: states at both ends of their range, one to
// four layers above the input, beta of any size, sparse layers whose interneuron is active.
func TestFloatAgainstOracle(t *testing.T) {
	seed := floatSeed(t)
	atEnds, inhibited := [2]int{}, 0
	for trial := range 60 {
		rng := rand.New(rand.NewPCG(seed, uint64(trial)))
		n := randomFloatNetwork(rng)
		w := InitialWeights(n, rng.Uint32())
		for k := range w.W {
			w.W[k].Scale(3, w.W[k]) // states reach 1 too
		}
		m, err := NewFloatModel[float64](n, w)
		if err != nil {
			t.Fatal(err)
		}
		o := newOracle(n, w)
		for batch := range 3 {
			samples, labels, x, y := floatSamples(rng, n, n.Learning.Batch)
			negative := rng.IntN(2) == 0
			m.LearnBatch(samples, labels, negative)
			beta := n.Learning.Beta
			if negative {
				beta = -beta
			}
			o.learn(x, y, beta)
			got, where := m.Weights(), fmt.Sprintf("trial %d %v batch %d: ", trial, n.Layers, batch)
			for k := range n.K() {
				got.C[k+1].Scale(n.Lambda/(1-n.Lambda), got.C[k+1])
				errs := []error{differ(where+tensorName("W", k), got.W[k], o.w[k]), differ(where+tensorName("B", k+1), got.C[k+1], o.b[k+1])}
				if k > 0 {
					errs = append(errs, differ(where+tensorName("F", k), got.F[k], o.f[k]))
				}
				for _, err := range errs {
					if err != nil {
						t.Fatal(err)
					}
				}
				for _, v := range elements(m.learning.r[k+1]) {
					if v == 0 || v == 1 {
						atEnds[int(v)]++
					}
				}
			}
		}
		inhibited += o.inhibited
	}
	require.NotZero(t, inhibited, "no interneuron was active")
	if atEnds[0] == 0 || atEnds[1] == 0 {
		t.Errorf("%d states at 0, %d at 1; both ends are to be covered", atEnds[0], atEnds[1])
	}
}

// floatSamples are pixels, a third of them zero, and the same as numbers.
func floatSamples(rng *rand.Rand, n *Network, count int) (samples [][]uint8, labels []int, x, y [][]float64) {
	for range count {
		pixels, values := make([]uint8, n.Layers[0]), make([]float64, n.Layers[0])
		for j := range pixels {
			if rng.IntN(3) > 0 {
				pixels[j] = uint8(rng.IntN(256))
				values[j] = float64(pixels[j]) / 255
			}
		}
		label := rng.IntN(n.Layers[n.K()])
		hot := make([]float64, n.Layers[n.K()])
		hot[label] = 1
		samples, labels = append(samples, pixels), append(labels, label)
		x, y = append(x, values), append(y, hot)
	}
	return samples, labels, x, y
}

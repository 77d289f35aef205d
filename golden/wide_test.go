package golden_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"

	"gonum.org/v1/gonum/mat"

	fx "corinfo/fixedpoint"
	"corinfo/golden"
)

// trajectory is a run of the paper's own classes in float64. Matrices are row-major, activities
// [neuron][sample]; the first layer's F is unused and B starts at layer 1.
type trajectory struct {
	Layers  []int
	Batch   int
	Epsilon float64
	Lambda  float64
	Leak    float64   `json:"hopfield_g"`
	Sparse  []int     `json:"sparse_layers"`
	Nu      []float64 `json:"lagrange_lr"` // of all layers
	Rates   struct {
		FF []float64
		FB []float64
	} `json:"lr"`
	Step struct {
		Rule               string
		Start, Stop, Decay float64
	} `json:"neural_lr"`
	FreeIterations   int  `json:"free_iterations"`
	NudgedIterations int  `json:"nudged_iterations"`
	ThreePhase       bool `json:"three_phase"`
	Initial          synapses
	Batches          []struct {
		X, Y  [][]float64
		Beta  float64
		First [][][]float64 `json:"r_after_1_free_iteration"`
		Free  [][][]float64 `json:"r_free"`
		Last  [][][]float64 `json:"r_last_phase"`
		After synapses
	}
}

type synapses struct {
	W [][][]float64 `json:"W_ff"`
	F [][][]float64 `json:"W_fb"`
	B [][][]float64
}

// network is the trajectory's, with types so wide that rounding does not show.
func (r *trajectory) network() *golden.Network {
	gamma := (1 - r.Lambda) / r.Lambda
	wide := func(bits int, bound float64) fx.Type { return golden.TypeFor(bits, bound, true) }
	unsigned := func(bits int, bound float64) fx.Type { return golden.TypeFor(bits, bound, false) }
	sparse := golden.Sparse{Layers: r.Sparse}
	for _, k := range r.Sparse {
		sparse.Nu = append(sparse.Nu, r.Nu[k-1])
	}
	return &golden.Network{
		Layers: r.Layers, Sparse: sparse, Epsilon: r.Epsilon, Lambda: r.Lambda, Leak: r.Leak,
		Settling: golden.Settling{FreeIterations: r.FreeIterations, NudgedIterations: r.NudgedIterations, Step: golden.Step{Rule: r.Step.Rule, Start: r.Step.Start, Stop: r.Step.Stop, Decay: r.Step.Decay}},
		Learning: golden.Learning{Batch: r.Batch, Beta: 1, ThreePhase: r.ThreePhase, Feedforward: r.Rates.FF, Feedback: r.Rates.FB[len(r.Rates.FB)-len(r.Layers)+2:], Epochs: 1, Decay: golden.Decay{Factor: 1, Then: 1}},
		Formats: map[string]fx.Type{
			"x": unsigned(27, 1), "r": unsigned(27, 1), "u": wide(40, 7), "current": wide(44, 15), "lateral": wide(44, 32*gamma), "drive": wide(44, 15/r.Epsilon),
			"e": wide(30, 3), "d": wide(30, 3), "c": wide(30, 16*gamma), "W": wide(33, 1.5), "F": wide(33, 1.5), "C": wide(32, 8*gamma),
			"dW": wide(40, 3*float64(r.Batch)), "dF": wide(40, 3*float64(r.Batch)), "dC": wide(40, 256*gamma*gamma*float64(r.Batch)),
			"excess": wide(44, 15), "qu": wide(50, 7), "q": unsigned(44, 7), "nu": unsigned(50, 1),
			"eta": unsigned(40, 1), "coefficient": wide(40, 4/r.Epsilon), "rate": unsigned(40, 1), "gamma": unsigned(40, gamma),
		},
	}
}

func dense(m [][]float64, scale float64) *mat.Dense {
	d := mat.NewDense(len(m), len(m[0]), nil)
	for i, row := range m {
		for j, v := range row {
			d.Set(i, j, scale*v)
		}
	}
	return d
}

// TestWideMachineIsFloat follows the trajectories of the paper's code with types of 26 and more fraction bits, to 1e-7:
// the bit-true model is the float model but for rounding.
func TestWideMachineIsFloat(t *testing.T) {
	for _, name := range []string{"2layer", "3layer", "three_phase", "strong_lateral", "sparse_2layer", "sparse_hidden_only"} {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile("testdata/corinfomax_" + name + ".json")
			if err != nil {
				t.Fatal(err)
			}
			var r trajectory
			if err := json.Unmarshal(text, &r); err != nil {
				t.Fatal(err)
			}
			followTrajectory(t, &r)
		})
	}
}

func followTrajectory(t *testing.T, r *trajectory) {
	a, err := golden.NewArithmetic(r.network())
	if err != nil {
		t.Fatal(err)
	}
	m := golden.NewMachine(a)
	K := len(r.Layers) - 1
	gamma := (1 - r.Lambda) / r.Lambda
	w := &golden.Weights{W: make([]*mat.Dense, K), F: make([]*mat.Dense, K), C: make([]*mat.Dense, K+1)}
	for k := range K {
		w.W[k] = dense(r.Initial.W[k], 1)
		w.C[k+1] = dense(r.Initial.B[k], gamma)
		if k > 0 {
			w.F[k] = dense(r.Initial.F[k], 1)
		}
	}
	misfits, err := m.SetWeights(w)
	if err != nil || misfits != nil {
		t.Fatal(misfits, err)
	}
	const limit = 1e-7
	worst := 0.0
	compare := func(what string, got, want float64) {
		t.Helper()
		diff := math.Abs(got - want)
		worst = max(worst, diff)
		if diff > limit {
			t.Fatalf("%s: got %v, want %v", what, got, want)
		}
	}
	for b, batch := range r.Batches {
		for s := range r.Batch {
			x := make([]int64, r.Layers[0])
			for j := range x {
				x[j], _, _ = a.Formats.X.FromFloat(batch.X[j][s])
				compare(fmt.Sprintf("batch %d, sample %d, x[%d]", b, s, j), a.Formats.X.Float(x[j]), batch.X[j][s])
			}
			label := 0
			for i := range batch.Y {
				if batch.Y[i][s] == 1 {
					label = i
				}
			}
			var trace golden.Trace
			m.Run(x, golden.Command{Learn: true, Label: label, Negative: batch.Beta < 0}, &trace)
			last := map[golden.Phase][][]int64{}
			for _, record := range trace.Records {
				if last[record.Phase] == nil {
					last[record.Phase] = make([][]int64, K+1)
				}
				last[record.Phase][record.Layer] = record.R
				if record.Phase == golden.Free && record.Iteration == 0 {
					for i, word := range record.R {
						compare(fmt.Sprintf("batch %d, sample %d, r%d[%d] after an iteration", b, s, record.Layer, i), a.Formats.Layer[record.Layer].R.Float(word), batch.First[record.Layer-1][i][s])
					}
				}
			}
			final := last[golden.Nudged]
			if r.ThreePhase {
				final = last[golden.Third]
			}
			for k := 1; k <= K; k++ {
				for i := range r.Layers[k] {
					R := a.Formats.Layer[k].R
					compare(fmt.Sprintf("batch %d, sample %d, free r%d[%d]", b, s, k, i), R.Float(last[golden.Free][k][i]), batch.Free[k-1][i][s])
					compare(fmt.Sprintf("batch %d, sample %d, last r%d[%d]", b, s, k, i), R.Float(final[k][i]), batch.Last[k-1][i][s])
				}
			}
		}
		for i, x := range a.Matrices {
			want, scale := batch.After.W, 1.0
			index := x.Index
			switch x.Kind {
			case golden.Feedback:
				want = batch.After.F
			case golden.Lateral:
				want, scale, index = batch.After.B, 1/gamma, x.Index-1
			}
			for row := range x.Rows {
				for col := range x.Cols {
					compare(fmt.Sprintf("batch %d, %s[%d,%d]", b, x.Name(), row, col), scale*x.Type.Float(m.Synapse(i, row, col)), want[index][row][col])
				}
			}
		}
	}
	for name, n := range m.Counts().Overflows {
		if n != 0 {
			t.Errorf("%d overflows of %s", n, name)
		}
	}
	t.Logf("largest difference %.2g", worst)
}

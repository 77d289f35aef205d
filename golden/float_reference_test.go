package golden

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"corinfo/golden/simd"
	"gonum.org/v1/gonum/mat"
)

// reference is a trajectory of the paper's own code. Matrices are row-major, activities [neuron][sample]; the
// lists of B, states and W_ff start with layer 1, W_fb has an unused matrix in front.
type reference struct {
	Layers  []int
	Batch   int
	Epsilon float64
	Lambda  float64
	Leak    float64                    `json:"hopfield_g"`
	Rates   struct{ FF, FB []float64 } `json:"lr"`
	Sparse  []int                      `json:"sparse_layers"`
	Nu      []float64                  `json:"lagrange_lr"` // of all layers
	Step    Step                       `json:"neural_lr"`
	Free    int                        `json:"free_iterations"`
	Nudged  int                        `json:"nudged_iterations"`
	Three   bool                       `json:"three_phase"`
	Initial referenceSynapses
	Batches []struct {
		X, Y  [][]float64
		Beta  float64
		First [][][]float64 `json:"r_after_1_free_iteration"`
		Free  [][][]float64 `json:"r_free"`
		Last  [][][]float64 `json:"r_last_phase"`
		After referenceSynapses
	}
}

type referenceSynapses struct {
	W [][][]float64 `json:"W_ff"`
	F [][][]float64 `json:"W_fb"`
	B [][][]float64
}

// TestReference holds the model against trajectories of the paper's code: those in testdata, and every
// corinfomax*.json of the folder that CORINFO_REFERENCE names.
func TestReference(t *testing.T) {
	for _, file := range referenceFiles(t) {
		t.Run(filepath.Base(file), func(t *testing.T) {
			ref := readReference(t, file)
			if err := ref.follow(t, ref.network(), 1); err != nil {
				t.Error(err)
			}
		})
	}
}

// referenceFiles lists testdata and the folder of CORINFO_REFERENCE, which must be readable but may hold no
// network.
func referenceFiles(t *testing.T) []string {
	files, err := filepath.Glob("testdata/corinfomax*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no testdata/corinfomax*.json: %v", err)
	}
	if folder := os.Getenv("CORINFO_REFERENCE"); folder != "" {
		entries, err := os.ReadDir(folder)
		if err != nil {
			t.Fatalf("CORINFO_REFERENCE: %v", err)
		}
		for _, e := range entries {
			if match, _ := filepath.Match("corinfomax*.json", e.Name()); match {
				files = append(files, filepath.Join(folder, e.Name()))
			}
		}
	}
	return files
}

func readReference(t *testing.T, file string) *reference {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	ref := new(reference)
	if err := json.Unmarshal(text, ref); err != nil {
		t.Fatal(err)
	}
	if len(ref.Batches) == 0 {
		t.Fatal("no mini-batches")
	}
	return ref
}

func (ref *reference) network() *Network {
	hidden := len(ref.Layers) - 2
	sparse := Sparse{Layers: ref.Sparse}
	for _, k := range ref.Sparse {
		sparse.Nu = append(sparse.Nu, ref.Nu[k-1])
	}
	return &Network{Layers: ref.Layers, Sparse: sparse, Epsilon: ref.Epsilon, Lambda: ref.Lambda, Leak: ref.Leak,
		Settling: Settling{FreeIterations: ref.Free, NudgedIterations: ref.Nudged, Step: ref.Step},
		Learning: Learning{Batch: ref.Batch, Beta: 1, ThreePhase: ref.Three, Feedforward: ref.Rates.FF, Feedback: ref.Rates.FB[len(ref.Rates.FB)-hidden:],
			Decay: Decay{Factor: 1, Then: 1}}}
}

// follow runs a network through the mini-batches, beta times sign, up to the first difference.
func (ref *reference) follow(t *testing.T, n *Network, sign float64) error {
	t.Helper()
	gamma := (1 - ref.Lambda) / ref.Lambda
	m, err := NewFloatModel[float64](n, ref.Initial.weights(ref.Layers, gamma))
	if err != nil {
		t.Fatal(err)
	}
	all, b := span{0, ref.Batch}, m.learning
	for i, batch := range ref.Batches {
		if len(batch.X[0]) != ref.Batch || len(batch.Y[0]) != ref.Batch {
			t.Fatalf("batch %d: %d samples, %d labels; want %d", i, len(batch.X[0]), len(batch.Y[0]), ref.Batch)
		}
		fillSamples(b.x, batch.X)
		fillSamples(b.y, batch.Y)
		states := func(when string, want [][][]float64) error {
			if len(want) != len(ref.Layers)-1 {
				t.Fatalf("states %s of %d layers", when, len(want))
			}
			for k := 1; k < len(b.r); k++ {
				if err := differ(fmt.Sprintf("batch %d: r%d %s", i, k, when), weightsOf(b.r[k]), want[k-1]); err != nil {
					return err
				}
			}
			return nil
		}
		m.begin(b, all)
		m.settle(b, all, 0, 1)
		if err := states("after 1 iteration", batch.First); err != nil {
			return err
		}
		m.begin(b, all)
		m.settle(b, all, 0, ref.Free)
		if err := states("after the free phase", batch.Free); err != nil {
			return err
		}
		m.learn(sign * batch.Beta)
		if err := states("after the last phase", batch.Last); err != nil {
			return err
		}
		w := m.Weights()
		for k := range w.W {
			if err := differ(fmt.Sprintf("batch %d: W%d", i, k), w.W[k], batch.After.W[k]); err != nil {
				return err
			}
			if k > 0 {
				if err := differ(fmt.Sprintf("batch %d: F%d", i, k), w.F[k], batch.After.F[k]); err != nil {
					return err
				}
			}
			w.C[k+1].Scale(1/gamma, w.C[k+1])
			if err := differ(fmt.Sprintf("batch %d: B%d", i, k+1), w.C[k+1], batch.After.B[k]); err != nil {
				return err
			}
		}
	}
	return nil
}

// weights are the model's, C = gamma B.
func (s *referenceSynapses) weights(layers []int, gamma float64) *Weights {
	K := len(layers) - 1
	w := &Weights{W: make([]*mat.Dense, K), F: make([]*mat.Dense, K), C: make([]*mat.Dense, K+1)}
	for k := range K {
		w.W[k] = referenceMatrix(s.W[k])
		if k > 0 {
			w.F[k] = referenceMatrix(s.F[k])
		}
		w.C[k+1] = referenceMatrix(s.B[k])
		w.C[k+1].Scale(gamma, w.C[k+1])
	}
	return w
}

func referenceMatrix(rows [][]float64) *mat.Dense {
	m := mat.NewDense(len(rows), len(rows[0]), nil)
	for i, row := range rows {
		m.SetRow(i, row)
	}
	return m
}

// fillSamples stores [neuron][sample] into a matrix with a row per sample.
func fillSamples(to simd.Matrix[float64], from [][]float64) { setSynapses(to, referenceMatrix(from)) }

// differ tells of the first element that is off by more than 1e-9, absolute plus relative.
func differ(what string, got *mat.Dense, want [][]float64) error {
	if rows, cols := got.Dims(); rows != len(want) || cols != len(want[0]) {
		return fmt.Errorf("%s is %d x %d; want %d x %d", what, rows, cols, len(want), len(want[0]))
	}
	for i, row := range want {
		for j, v := range row {
			// In this form NaN differs from everything.
			if g := got.At(i, j); !(math.Abs(g-v) <= 1e-9*(1+math.Abs(v))) {
				return fmt.Errorf("%s[%d][%d]: got %v, want %v", what, i, j, g, v)
			}
		}
	}
	return nil
}

// TestReferenceNotices holds TestReference itself to what it promises: a model that is wrong in one thing
// does not follow the trajectories.
func TestReferenceNotices(t *testing.T) {
	right := func(n *Network) {}
	for _, c := range []struct {
		name, file string
		change     func(n *Network)
		sign       float64
	}{
		{"sign of beta", "2layer", right, -1},
		{"strength of beta", "2layer", right, 1 + 1e-6},
		{"sign of beta in three phases", "three_phase", right, -1},
		{"third phase", "three_phase", func(n *Network) { n.Learning.ThreePhase = false }, 1},
		{"no third phase", "strong_lateral", func(n *Network) { n.Learning.ThreePhase = true }, 1},
		{"lambda", "strong_lateral", func(n *Network) { n.Lambda += 1e-6 }, 1},
		{"leak", "three_phase", func(n *Network) { n.Leak += 0.01 }, 1},
		{"epsilon", "3layer", func(n *Network) { n.Epsilon += 1e-6 }, 1},
		{"step rule", "strong_lateral", func(n *Network) { n.Settling.Step.Rule = "constant" }, 1},
		{"nudged iterations", "3layer", func(n *Network) { n.Settling.NudgedIterations++ }, 1},
		{"rate of W1", "3layer", func(n *Network) { n.Learning.Feedforward = []float64{0.8, 0.65 + 1e-5, 0.5} }, 1},
		{"antisparse", "sparse_hidden_only", func(n *Network) { n.Sparse = Sparse{} }, 1},
		{"nu", "sparse_hidden_only", func(n *Network) { n.Sparse.Nu[0] += 1e-5 }, 1},
		{"rates of F swapped", "3layer", func(n *Network) { n.Learning.Feedback = []float64{0.12, 0.135} }, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			ref := readReference(t, "testdata/corinfomax_"+c.file+".json")
			n := ref.network()
			c.change(n)
			err := ref.follow(t, n, c.sign)
			if err == nil {
				t.Error("not noticed")
			}
			t.Log(err)
		})
	}
	t.Run("order of layers", func(t *testing.T) {
		ref := readReference(t, "testdata/corinfomax_3layer.json")
		m, err := NewFloatModel[float64](ref.network(), ref.Initial.weights(ref.Layers, (1-ref.Lambda)/ref.Lambda))
		if err != nil {
			t.Fatal(err)
		}
		all := span{0, ref.Batch}
		fillSamples(m.learning.x, ref.Batches[0].X)
		m.begin(m.learning, all)
		for k := m.n.K(); k > 0; k-- {
			m.step(m.learning, all, k, m.eta[0], 0)
		}
		same := true
		for k := 1; k <= m.n.K(); k++ {
			same = same && differ("r", weightsOf(m.learning.r[k]), ref.Batches[0].First[k-1]) == nil
		}
		if same {
			t.Error("not noticed")
		}
	})
}

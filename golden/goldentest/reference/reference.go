// Package reference reads trajectories of the rules' authors' own code, which tests hold the models against.
package reference

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"corinfo/golden/rule"
	"corinfo/golden/weights"
)

// Trajectory is a run of mini-batches.
type Trajectory struct {
	Name     string // of the file
	Rule     string
	Settings *rule.Settings
	Initial  weights.Weights
	Batches  []Batch
	gamma    float64
}

// Batch is a mini-batch. Matrices have a row per sample; lists are indexed by layer, and nil where the file has none.
type Batch struct {
	X                 *mat.Dense
	Labels            []int
	Negative          bool
	First, Free, Last []*mat.Dense // states: after one iteration, when the answer is due and at the end of the last phase
	After             weights.Weights
}

// file is a trajectory as it is written. Activities are [neuron][sample] for CorInfoMax and predictive coding, [sample][neuron] for
// the others; lists of B, states and W start with layer 1, W_fb and the B of feedback alignment have an unused matrix in front.
type file struct {
	Model   string
	Layers  []int
	Batch   int
	Epsilon float64
	Lambda  float64
	Leak    float64                    `json:"hopfield_g"`
	Rates   struct{ FF, FB []float64 } `json:"-"`
	Lr      json.RawMessage            `json:"lr"` // of CorInfoMax two lists, else a number
	RatesW  []float64                  `json:"lr_W"`
	RatesM  []float64                  `json:"lr_M"`
	Sparse  []int                      `json:"sparse_layers"`
	Nu      []float64                  `json:"lagrange_lr"` // of all layers
	Step    json.RawMessage            `json:"neural_lr"`   // a rule, or a number
	Free    int                        `json:"free_iterations"`
	Nudged  int                        `json:"nudged_iterations"`
	Three   bool                       `json:"three_phase"`
	Settle  int                        `json:"iterations"` // of predictive coding
	Nudging float64                    `json:"lambda_weight"`
	Loss    string
	Descent json.RawMessage `json:"optimizer"` // a name, or an optimizer
	Initial synapses
	Batches []struct {
		X, Y      [][]float64
		Label     []int
		Beta      float64
		Sign      float64
		Forward   [][][]float64 `json:"r_forward"`
		Output    [][]float64
		R         [][][]float64
		First     [][][]float64 `json:"r_after_1_free_iteration"`
		FreeState [][][]float64 `json:"r_free"`
		Last      [][][]float64 `json:"r_last_phase"`
		Nudged    [][][]float64 `json:"r_nudged"`
		After     synapses
	}
}

type synapses struct {
	WForward [][][]float64 `json:"W_ff"`
	F        [][][]float64 `json:"W_fb"`
	B        [][][]float64 // lateral of CorInfoMax, feedback of feedback alignment
	W        [][][]float64 `json:"W"`
	Bias     []vector      `json:"b"`
	M        [][][]float64
}

// Variable names a folder of further trajectories.
const Variable = "CORINFO_REFERENCE"

// All reads every trajectory of a folder, and of the folder that the Variable names those whose rule is there.
func All(t *testing.T, folder string) (list []*Trajectory) {
	t.Helper()
	for _, dir := range []string{folder, os.Getenv(Variable)} {
		if dir == "" {
			continue
		}
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		for _, e := range entries {
			if filepath.Ext(e.Name()) != ".json" {
				continue
			}
			x := read(t, filepath.Join(dir, e.Name()))
			if x != nil {
				list = append(list, x)
			} else {
				require.NotEqual(t, folder, dir, e.Name())
			}
		}
	}
	require.NotEmpty(t, list)
	return list
}

// read gives nil for another rule's.
func read(t *testing.T, path string) *Trajectory {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	f := new(file)
	err = json.Unmarshal(text, f)
	if strings.HasPrefix(f.Model, "corinfomax") { // corinfomax-sparse too
		f.Model = "corinfomax"
	}

	// Files of other models have other types, too.
	if rule.Named(f.Model) == nil {
		return nil
	}
	require.NoError(t, err, path)
	x := &Trajectory{Name: filepath.Base(path), Rule: f.Model, Settings: f.settings(t), gamma: (1 - f.Lambda) / f.Lambda}
	d := x.Describe()
	x.Initial = f.Initial.weights(d, x.gamma)
	for _, b := range f.Batches {
		batch := Batch{X: f.bySample(b.X), Labels: b.Label, Negative: b.Beta < 0 || b.Sign < 0, First: f.states(b.First),
			Free: f.states(append(b.FreeState, b.Forward...)),
			Last: f.states(append(append(b.Last, b.Nudged...), b.R...))}
		if f.Model == "pc" { // x is the pixel's logit
			batch.X.Apply(func(_, _ int, v float64) float64 { return 1 / (1 + math.Exp(-v)) }, batch.X)
		}
		if b.Output != nil {
			batch.Free = make([]*mat.Dense, len(f.Layers))
			batch.Free[len(f.Layers)-1] = f.bySample(b.Output)
		}
		b.After.B = append(b.After.B, f.Initial.B[len(b.After.B):]...) // feedback that stands still
		batch.After = b.After.weights(d, x.gamma)
		if b.Label == nil {
			batch.Labels = make([]int, f.Batch)
			for class, row := range b.Y {
				for n, y := range row {
					if y > 0.5 {
						batch.Labels[n] = class
					}
				}
			}
		}
		x.Batches = append(x.Batches, batch)
	}
	return x
}

func (f *file) settings(t *testing.T) *rule.Settings {
	hidden := len(f.Layers) - 2
	s := &rule.Settings{Layers: f.Layers,
		Settling: rule.Settling{FreeIterations: f.Free, NudgedIterations: f.Nudged},
		Learning: rule.Learning{Batch: f.Batch, Beta: 1, Contrast: rule.WithFree, Decay: rule.Decay{Factor: 1},
			Optimizer: rule.DefaultOptimizer()}}
	rate := 0.0
	if len(f.Lr) > 0 && json.Unmarshal(f.Lr, &f.Rates) != nil {
		require.NoError(t, json.Unmarshal(f.Lr, &rate))
	}
	if f.Descent != nil {
		rate = f.optimizer(t, s, rate)
	}
	s.Learning.Feedforward = append(f.Rates.FF, f.RatesW...)
	for rate > 0 && len(s.Learning.Feedforward) <= hidden {
		s.Learning.Feedforward = append(s.Learning.Feedforward, rate)
	}
	if f.Three {
		s.Learning.Contrast = rule.WithThird
	}
	if f.Step != nil && json.Unmarshal(f.Step, &s.Settling.Step) != nil {
		s.Settling.Step.Rule = "constant"
		require.NoError(t, json.Unmarshal(f.Step, &s.Settling.Step.Start))
	}
	switch f.Model {
	case "corinfomax":
		own := &rule.CorInfoMax{Epsilon: f.Epsilon, Lambda: f.Lambda, Leak: f.Leak, Lateral: true, Sparse: rule.Sparse{Layers: f.Sparse}}
		for _, k := range f.Sparse {
			own.Sparse.Nu = append(own.Sparse.Nu, f.Nu[k-1])
		}
		s.Own, s.Learning.Feedback = own, f.Rates.FB[len(f.Rates.FB)-hidden:]
	case "csm":
		s.Own = &rule.CSM{Lateral: f.RatesM}
	case "pc":
		s.Own, s.Settling.NudgedIterations = &rule.PC{Activation: "sigmoid", Target: []float64{0.03, 0.97}}, f.Settle
		s.Learning.Optimizer.PlainRoot = true
	case "pc-nudge":
		s.Own, s.Settling.NudgedIterations, s.Learning.Beta = &rule.PCNudge{Activation: "relu"}, f.Settle, f.Nudging
	case "fa", "bp":
		own := &rule.Backprop{Loss: rule.CrossEntropy, Activation: "relu"}
		if strings.HasPrefix(f.Loss, rule.MSE) {
			own.Loss = rule.MSE
		}
		s.Own = own
	}
	return s
}

// optimizer reads the optimizer, a name or a description of its own, and gives its learning rate.
func (f *file) optimizer(t *testing.T, s *rule.Settings, rate float64) float64 {
	o := &s.Learning.Optimizer
	if json.Unmarshal(f.Descent, &o.Kind) == nil {
		return rate
	}
	own := struct {
		Kind        string
		Lr          float64
		Momentum    float64
		WeightDecay float64 `json:"weight_decay"`
		Decay       struct {
			Batches int `json:"every_batches"`
			Factor  float64
		}
	}{}
	require.NoError(t, json.Unmarshal(f.Descent, &own))
	o.Kind, o.WeightDecay = own.Kind, own.WeightDecay
	if own.Momentum > 0 {
		o.Kind, o.Momentum = rule.Momentum, own.Momentum
	}
	s.Learning.Decay = rule.Decay{Factor: own.Decay.Factor, Batches: own.Decay.Batches}
	return own.Lr
}

// Describe is the description of the trajectory's network.
func (x *Trajectory) Describe() *rule.Description { return rule.Named(x.Rule).Describe(x.Settings) }

// Unit is what a matrix's values are compared in: B, which is C / gamma, is what the authors' code has.
func (x *Trajectory) Unit(matrix string) float64 {
	if matrix[0] == 'C' {
		return x.gamma
	}
	return 1
}

// bySample has a row per sample.
func (f *file) bySample(rows [][]float64) *mat.Dense {
	m := dense(rows)
	if f.Model == "corinfomax" || f.Model == "pc" {
		m = mat.DenseCopyOf(m.T())
	}
	return m
}

func (f *file) states(layers [][][]float64) (list []*mat.Dense) {
	for k, rows := range layers {
		if k == 0 {
			list = append(list, nil)
		}
		list = append(list, f.bySample(rows))
	}
	return list
}

func (s *synapses) weights(d *rule.Description, gamma float64) weights.Weights {
	var w weights.Weights
	for _, at := range d.Stored() {
		p := d.Projections[at]
		k := d.Tensors[p.Tensor].Index
		var m *mat.Dense
		switch d.Tensors[p.Tensor].Kind {
		case "W":
			m = dense(append(s.WForward, s.W...)[k])
		case "F":
			m = dense(s.F[k])
		case "B":
			m = mat.DenseCopyOf(dense(s.B[k]).T()) // the file has it as it is used, transposed
		case "C":
			m = dense(s.B[k-1])
			m.Scale(gamma, m)
		case "b":
			m = mat.NewDense(p.Rows, 1, append([]float64(nil), s.Bias[k-1]...))
		case "M":
			m = dense(s.M[k-1])
		}
		w = append(w, weights.Matrix{Name: p.Name, Dense: m})
	}
	return w
}

// vector is a list of numbers, or of lists of one.
type vector []float64

func (v *vector) UnmarshalJSON(text []byte) error {
	var column [][1]float64
	if json.Unmarshal(text, &column) != nil {
		return json.Unmarshal(text, (*[]float64)(v))
	}
	*v = nil
	for _, row := range column {
		*v = append(*v, row[0])
	}
	return nil
}

func dense(rows [][]float64) *mat.Dense {
	m := mat.NewDense(len(rows), len(rows[0]), nil)
	for i, row := range rows {
		m.SetRow(i, row)
	}
	return m
}

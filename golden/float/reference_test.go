package float

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"corinfo/golden/goldentest/reference"
	"corinfo/golden/rule"
	"corinfo/golden/simd"
)

// TestReference holds the float64 model against trajectories of the authors' code: those in testdata, and those of the folder
// that CORINFO_REFERENCE names.
func TestReference(t *testing.T) {
	for _, x := range reference.All(t, "testdata") {
		t.Run(x.Name, func(t *testing.T) {
			require.NoError(t, follow(t, x, x.Describe(), 1))
		})
	}
}

// TestReferenceNotices holds TestReference itself to what it promises: a model that is wrong in one thing does not follow the
// trajectories.
func TestReferenceNotices(t *testing.T) {
	corInfoMax := func(change func(o *rule.CorInfoMax)) func(s *rule.Settings) {
		return func(s *rule.Settings) { change(s.Own.(*rule.CorInfoMax)) }
	}
	rates := func(s *rule.Settings) {
		for _, list := range [][]float64{s.Learning.Feedforward, s.Learning.Feedback} {
			for i := range list {
				list[i] *= 1 + 1e-6
			}
		}
	}
	contrast := func(name string) func(s *rule.Settings) { return func(s *rule.Settings) { s.Learning.Contrast = name } }
	optimizer := func(change func(o *rule.Optimizer)) func(s *rule.Settings) {
		return func(s *rule.Settings) { change(&s.Learning.Optimizer) }
	}
	activation := func(name string) func(s *rule.Settings) {
		return func(s *rule.Settings) {
			switch own := s.Own.(type) {
			case *rule.PC:
				own.Activation = name
			case *rule.PCNudge:
				own.Activation = name
			case *rule.Backprop:
				own.Activation = name
			}
		}
	}
	loss := func(name string) func(s *rule.Settings) {
		return func(s *rule.Settings) { s.Own.(*rule.Backprop).Loss = name }
	}
	for _, c := range []struct {
		name, file string
		change     func(s *rule.Settings)
		sign       int
	}{
		{"sign of beta", "corinfomax_2layer", func(*rule.Settings) {}, -1},
		{"strength of beta", "corinfomax_2layer", func(s *rule.Settings) { s.Learning.Beta *= 1 + 1e-6 }, 1},
		{"sign of beta in three phases", "corinfomax_three_phase", func(*rule.Settings) {}, -1},
		{"third phase", "corinfomax_three_phase", contrast(rule.WithFree), 1},
		{"third phase from the free state", "corinfomax_three_phase", contrast(rule.WithCentred), 1},
		{"no third phase", "corinfomax_strong_lateral", contrast(rule.WithThird), 1},
		{"lambda", "corinfomax_strong_lateral", corInfoMax(func(o *rule.CorInfoMax) { o.Lambda += 1e-6 }), 1},
		{"leak", "corinfomax_three_phase", corInfoMax(func(o *rule.CorInfoMax) { o.Leak += 0.01 }), 1},
		{"epsilon", "corinfomax_3layer", corInfoMax(func(o *rule.CorInfoMax) { o.Epsilon += 1e-6 }), 1},
		{"step rule", "corinfomax_strong_lateral", func(s *rule.Settings) { s.Settling.Step.Rule = "constant" }, 1},
		{"nudged iterations", "corinfomax_3layer", func(s *rule.Settings) { s.Settling.NudgedIterations++ }, 1},
		{"rate of W1", "corinfomax_3layer", func(s *rule.Settings) { s.Learning.Feedforward[1] += 1e-5 }, 1},
		{"antisparse", "corinfomax_sparse_hidden_only", corInfoMax(func(o *rule.CorInfoMax) { o.Sparse = rule.Sparse{} }), 1},
		{"nu", "corinfomax_sparse_hidden_only", corInfoMax(func(o *rule.CorInfoMax) { o.Sparse.Nu[0] += 1e-5 }), 1},
		{"rates of F swapped", "corinfomax_3layer", func(s *rule.Settings) { slices.Reverse(s.Learning.Feedback) }, 1},
		{"rates", "corinfomax_2layer", rates, 1},
		{"rates", "corinfomax_3layer", rates, 1},
		{"rates", "corinfomax_strong_lateral", rates, 1},
		{"rates", "corinfomax_three_phase", rates, 1},
		{"rates", "corinfomax_sparse_2layer", rates, 1},
		{"rates", "corinfomax_sparse_hidden_only", rates, 1},
		{"rates", "ep", rates, 1},
		{"rates", "csm", rates, 1},
		{"alpha", "csm", func(s *rule.Settings) { s.Own.(*rule.CSM).Lateral[0] *= 1 + 1e-6 }, 1},
		{"sign of beta", "ep", func(*rule.Settings) {}, -1},
		{"sign of beta", "csm", func(*rule.Settings) {}, -1},
		{"step size", "ep", func(s *rule.Settings) { s.Settling.Step.Start += 1e-6 }, 1},
		{"free iterations", "csm", func(s *rule.Settings) { s.Settling.FreeIterations++ }, 1},
		{"contrast", "ep", contrast(rule.WithCentred), 1},
		{"rates", "pc_sgd", rates, 1},
		{"rates", "pc_adam", rates, 1},
		{"rates", "pc_nudge", rates, 1},
		{"rates", "fa_mse_sgd", rates, 1},
		{"rates", "fa_mse_adam", rates, 1},
		{"rates", "fa_ce_adam", rates, 1},
		{"rates", "bp_ce_sgd", rates, 1},
		{"rates", "bp_mse_adam", rates, 1},
		{"rates", "bp_ce_adam", rates, 1},
		{"target of the label", "pc_sgd", func(s *rule.Settings) { s.Own.(*rule.PC).Target[1] += 1e-6 }, 1},
		{"target of other classes", "pc_adam", func(s *rule.Settings) { s.Own.(*rule.PC).Target[0] += 1e-6 }, 1},
		{"activation", "pc_sgd", activation("hard_sigmoid"), 1},
		{"activation", "pc_nudge", activation("linear"), 1},
		{"activation", "fa_mse_sgd", activation("linear"), 1},
		{"activation", "bp_ce_adam", activation("linear"), 1},
		{"loss", "fa_mse_sgd", loss(rule.CrossEntropy), 1},
		{"loss", "bp_mse_adam", loss(rule.CrossEntropy), 1},
		{"loss", "bp_ce_sgd", loss(rule.MSE), 1},
		{"sign of lambda_weight", "pc_nudge", func(*rule.Settings) {}, -1},
		{"lambda_weight", "pc_nudge", func(s *rule.Settings) { s.Learning.Beta *= 1 + 1e-3 }, 1},
		{"iterations", "pc_sgd", func(s *rule.Settings) { s.Settling.NudgedIterations++ }, 1},
		{"iterations", "pc_nudge", func(s *rule.Settings) { s.Settling.NudgedIterations-- }, 1},
		{"step size", "pc_adam", func(s *rule.Settings) { s.Settling.Step.Start += 1e-6 }, 1},
		{"kind of optimizer", "pc_sgd", optimizer(func(o *rule.Optimizer) { o.Kind = rule.Momentum }), 1},
		{"kind of optimizer", "bp_ce_sgd", optimizer(func(o *rule.Optimizer) { o.Kind = rule.SGD }), 1},
		{"momentum", "bp_ce_sgd", optimizer(func(o *rule.Optimizer) { o.Momentum += 1e-6 }), 1},
		{"momentum", "fa_mse_sgd", optimizer(func(o *rule.Optimizer) { o.Momentum += 1e-6 }), 1},
		{"weight decay", "bp_ce_sgd", optimizer(func(o *rule.Optimizer) { o.WeightDecay += 1e-6 }), 1},
		{"no weight decay", "fa_mse_sgd", optimizer(func(o *rule.Optimizer) { o.WeightDecay = 0 }), 1},
		{"beta1", "pc_adam", optimizer(func(o *rule.Optimizer) { o.Beta1 += 1e-6 }), 1},
		{"beta1", "bp_mse_adam", optimizer(func(o *rule.Optimizer) { o.Beta1 += 1e-6 }), 1},
		{"beta2", "pc_adam", optimizer(func(o *rule.Optimizer) { o.Beta2 += 1e-6 }), 1},
		{"beta2", "fa_ce_adam", optimizer(func(o *rule.Optimizer) { o.Beta2 += 1e-6 }), 1},
		{"epsilon", "pc_adam", optimizer(func(o *rule.Optimizer) { o.Epsilon *= 2 }), 1},
		{"epsilon", "bp_ce_adam", optimizer(func(o *rule.Optimizer) { o.Epsilon *= 2 }), 1},
		{"plain root", "pc_adam", optimizer(func(o *rule.Optimizer) { o.PlainRoot = false }), 1},
		{"plain root", "fa_mse_adam", optimizer(func(o *rule.Optimizer) { o.PlainRoot = true }), 1},
		{"decay by mini-batches", "pc_nudge", func(s *rule.Settings) { s.Learning.Decay.Batches++ }, 1},
		{"decay by mini-batches", "bp_ce_sgd", func(s *rule.Settings) { s.Learning.Decay.Batches-- }, 1},
		{"decay by epochs", "fa_ce_adam", func(s *rule.Settings) { s.Learning.Decay.Batches = 0 }, 1},
		{"factor of the decay", "bp_mse_adam", func(s *rule.Settings) { s.Learning.Decay.Factor -= 1e-6 }, 1},
	} {
		t.Run(c.file+" "+c.name, func(t *testing.T) {
			x := trajectory(t, c.file)
			c.change(x.Settings)
			err := follow(t, x, x.Describe(), c.sign)
			require.Error(t, err, "not noticed")
			t.Log(err)
		})
	}
	t.Run("order of layers", func(t *testing.T) {
		x := trajectory(t, "corinfomax_3layer")
		d := x.Describe()
		for i := range d.Phases {
			d.Phases[i].Order = slices.Clone(d.Phases[i].Order)
			slices.Reverse(d.Phases[i].Order)
		}
		require.ErrorContains(t, follow(t, x, d, 1), "after 1 iteration")
	})
	t.Run("values before errors", func(t *testing.T) {
		x := trajectory(t, "pc_sgd")
		d := x.Describe()
		slices.Reverse(d.Phases[2].Order)
		require.Error(t, follow(t, x, d, 1))
	})
	t.Run("feedback synapses", func(t *testing.T) {
		x := trajectory(t, "fa_mse_sgd")
		b := x.Initial.Named("B1").At(0, 0) + 1e-4
		x.Initial.Named("B1").Set(0, 0, b)
		for _, batch := range x.Batches {
			batch.After.Named("B1").Set(0, 0, b)
		}
		require.ErrorContains(t, follow(t, x, x.Describe(), 1), ": W0 row")
	})
	t.Run("layers one after the other", func(t *testing.T) {
		x := trajectory(t, "ep")
		d := x.Describe()
		for i := range d.Phases {
			var order [][]int
			for _, step := range d.Phases[i].Order[0] {
				order = append(order, []int{step})
			}
			d.Phases[i].Order = order
		}
		require.Error(t, follow(t, x, d, 1))
	})
}

// trajectory reads one of testdata anew.
func trajectory(t *testing.T, name string) *reference.Trajectory {
	t.Helper()
	for _, x := range reference.All(t, "testdata") {
		if x.Name == name+".json" {
			return x
		}
	}
	t.Fatalf("no trajectory %s", name)
	return nil
}

// follow runs a network through the mini-batches, up to the first difference; the sign of beta is the trajectory's times sign.
func follow(t *testing.T, x *reference.Trajectory, d *rule.Description, sign int) error {
	samples := x.Settings.Learning.Batch
	m, err := New[float64](d, samples, make([][256]float64, 1), x.Initial)
	require.NoError(t, err)
	all, b := simd.Span{From: 0, To: samples}, m.learning
	for i, batch := range x.Batches {
		input := b.words[d.Word("x", 0)]
		for n := range samples {
			copy(input.Row(n), batch.X.RawRowView(n))
			b.setLabel(n, batch.Labels[n])
		}
		states := func(when string, want []*mat.Dense) error {
			for k := 1; k < len(want); k++ {
				if want[k] == nil {
					continue
				}
				if err := differ(fmt.Sprintf("batch %d: r%d %s", i, k, when), b.words[d.Word("r", k)], want[k]); err != nil {
					return err
				}
			}
			return nil
		}
		m.begin(b, all)
		m.phase(b, all, &d.Phases[0], true, 0, 1)
		if err := states("after 1 iteration", batch.First); err != nil {
			return err
		}
		m.run(b, all, false, 0)
		if err := states("free", batch.Free); err != nil {
			return err
		}
		if batch.Negative {
			m.learn(-sign)
		} else {
			m.learn(sign)
		}
		if err := states("at the end", batch.Last); err != nil {
			return err
		}
		for j, w := range m.Weights() {
			unit := x.Unit(w.Name)
			rows, cols := w.Dims()
			for r := range rows {
				for c := range cols {
					got, want := w.At(r, c)/unit, batch.After[j].At(r, c)/unit
					if math.Abs(got-want) > 1e-9*(1+math.Abs(want)) {
						return fmt.Errorf("batch %d: %s row %d column %d: got %v, want %v", i, w.Name, r, c, got, want)
					}
				}
			}
		}
	}
	return nil
}

func differ(what string, got simd.Matrix[float64], want *mat.Dense) error {
	for i := range got.Rows {
		for j, v := range got.Row(i) {
			if w := want.At(i, j); math.Abs(v-w) > 1e-9*(1+math.Abs(w)) {
				return fmt.Errorf("%s: sample %d neuron %d: got %v, want %v", what, i, j, v, w)
			}
		}
	}
	return nil
}

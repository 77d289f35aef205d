package network

import (
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden"
	"corinfo/golden/rule"
)

func preset(t *testing.T, name string) *Network {
	t.Helper()
	text, err := Preset(name)
	require.NoError(t, err)
	n, err := Parse(name, text)
	require.NoError(t, err)
	return n
}

// valueOf is a setting as the network file has it.
func valueOf(t *testing.T, n *Network, path string) (text string) {
	t.Helper()
	n.settings(func(at string, v reflect.Value) {
		if at == path {
			text = valueText(v)
		}
	})
	return text
}

// TestSetEverySetting: every path can be set to what it is, and every setting of a network file has one.
func TestSetEverySetting(t *testing.T) {
	for _, name := range Presets() {
		n := preset(t, name)
		paths := n.Paths()
		require.Subset(t, paths, []string{"name", "rule", "layers", "dataset.normalize.mean", "learning.decay.then", "learning.decay.batches", "learning.optimizer.kind", "hardware.lanes"})
		contrastive := n.Rule == "corinfomax" || n.Rule == "ep" || n.Rule == "csm"
		for path, has := range map[string]bool{
			"settling.step.inference":  contrastive,
			"settling.free_iterations": contrastive,
			"settling.step.start":      contrastive || n.Rule == "pc" || n.Rule == "pc-nudge",
			"learning.contrast":        contrastive,
			"learning.beta":            contrastive || n.Rule == "pc-nudge",
			"learning.optimizer.beta1": n.Learning.Optimizer.Kind == "adam",
			"learning.optimizer.kind":  true,
			"learning.feedback":        n.Rule == "corinfomax",
		} {
			require.Equal(t, has, slices.Contains(paths, path), "%s: %s", name, path)
		}
		for _, key := range map[string][]string{"corinfomax": {"epsilon", "lambda", "leak", "lateral", "sparse.layers", "sparse.nu"}, "csm": {"lateral"},
			"pc": {"activation", "target"}, "pc-nudge": {"activation"}, "fa": {"loss", "activation"}, "bp": {"loss", "activation"}}[n.Rule] {
			require.Contains(t, paths, n.Rule+"."+key)
		}
		require.NotContains(t, paths, "formats")
		own := n.Clone()
		require.NoError(t, own.Set("learning.epochs", "3"))
		require.NotEqual(t, n.Fingerprint(), own.Fingerprint())
		require.NoError(t, own.Set("learning.epochs", valueOf(t, n, "learning.epochs")))
		for _, path := range paths {
			if text := valueOf(t, n, path); text != "" {
				require.NoError(t, own.Set(path, text), "%s: %s", name, path)
			}
		}
		require.Equal(t, n, own)
	}
}

// TestSetErrors: an error is one line that names the setting, and a clone leaves its original alone.
func TestSetErrors(t *testing.T) {
	n := preset(t, "mnist-csm")
	before := n.Fingerprint()
	for _, c := range []struct{ path, value, want string }{
		{"csm.laterl", "[-1]", `csm.laterl: unknown setting; did you mean "csm.lateral"?`},
		{"lateral", "[-1]", `lateral: unknown setting; did you mean "csm.lateral"?`},
		{"corinfomax.leak", "1", "corinfomax.leak: a setting of rule corinfomax; this network's rule is csm"},
		{"csm", "1", `csm: unknown setting`},
		{"csm.lateral", "-1", `csm.lateral: "-1"; want a list`},
		{"csm.lateral", "[-0.1, x]", `csm.lateral: "x"; want a finite number`},
		{"csm.lateral", "[-1", `csm.lateral: "[-1"; want what the network file has there`},
		{"csm.lateral", "[-0.1]\nseed: 7", "want one line"},
		{"csm.lateral", "", "want what the network file has there"},
		{"csm.lateral", "[0.1]", "csm.lateral: 0.1; want a number below 0"},
		{"learning.batch", "2.5", `learning.batch: "2.5"; want a whole number`},
		{"learning.beta", "0.001", "csm.lateral: -0.01; want a number below 0 and above -2 beta"},
	} {
		err := n.Clone().Set(c.path, c.value)
		require.ErrorIs(t, err, golden.ErrUsage, c.path)
		require.ErrorContains(t, err, c.want)
		require.NotContains(t, err.Error(), "\n")
		require.NotContains(t, err.Error(), "network:", "no place in a text that no one sees")
	}
	predictive := preset(t, "mnist-pc")
	for path, want := range map[string]string{
		"learning.beta":                   "learning.beta: pc has no such setting",
		"settling.step.inference":         "settling.step.inference: pc has no such setting",
		"learning.optimizer.weight_decay": "learning.optimizer.weight_decay: adam has no such setting",
		"learning.optimizer.epsilom":      `learning.optimizer.epsilom: unknown setting; did you mean "learning.optimizer.epsilon"?`,
	} {
		err := predictive.Clone().Set(path, "0.1")
		require.ErrorIs(t, err, golden.ErrUsage)
		require.EqualError(t, err, golden.ErrUsage.Error()+": "+want)
	}
	require.NoError(t, n.Clone().Set("csm.lateral", "[-0.5]"))
	require.Equal(t, before, n.Fingerprint())
	require.Equal(t, []float64{-0.01}, n.Own.(*rule.CSM).Lateral)
}

// TestSetOptimizer: another kind of optimizer begins as in a file that is silent on it.
func TestSetOptimizer(t *testing.T) {
	n := preset(t, "mnist-pc")
	require.True(t, n.Learning.Optimizer.PlainRoot)
	require.NoError(t, n.Set("learning.optimizer.beta1", "0.5"))
	require.Equal(t, 0.5, n.Learning.Optimizer.Beta1)
	require.NoError(t, n.Set("learning.optimizer.kind", "momentum"))
	require.NoError(t, n.Set("learning.optimizer.weight_decay", "0.001"))
	require.Equal(t, rule.Optimizer{Kind: "momentum", Momentum: 0.9, WeightDecay: 0.001, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}, n.Learning.Optimizer)
	require.NoError(t, n.Set("learning.optimizer.kind", "adam"))
	require.Equal(t, rule.Optimizer{Kind: "adam", Momentum: 0.9, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}, n.Learning.Optimizer)
	back, err := Parse("network.yaml", n.YAML())
	require.NoError(t, err)
	require.Equal(t, n, back)
}

// TestSumOf: the sums of every matrix's update, by name.
func TestSumOf(t *testing.T) {
	for name, want := range map[string][]string{"mnist": {"dW0", "dW1", "dF1", "dC1", "dC2"}, "mnist-ep": {"dW0", "dW1", "db1", "db2"}, "mnist-csm": {"dW0", "dW1", "db1", "db2", "dM1"},
		"mnist-pc": {"dW0", "dW1", "dW2", "db1", "db2", "db3"}, "mnist-pc-nudge": {"dW0", "dW1", "dW2", "db1", "db2", "db3"}, "mnist-fa-ce": {"dW0", "dW1", "db1", "db2"}} {
		d := preset(t, name).Describe()
		var got []string
		for i := range d.Updates {
			got = append(got, d.SumOf(&d.Updates[i]))
		}
		require.Equal(t, want, got)
	}
}

package network

import (
	"reflect"
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
		require.Subset(t, paths, []string{"name", "rule", "layers", "dataset.normalize.mean", "settling.step.inference", "learning.decay.then", "hardware.lanes"})
		for _, key := range map[string][]string{"corinfomax": {"epsilon", "lambda", "leak", "lateral", "sparse.layers", "sparse.nu"}, "csm": {"lateral"}}[n.Rule] {
			require.Contains(t, paths, n.Rule+"."+key)
		}
		require.NotContains(t, paths, "formats")
		own := n.Clone()
		require.NoError(t, own.Set("settling.nudged_iterations", "3"))
		require.NotEqual(t, n.Fingerprint(), own.Fingerprint())
		require.NoError(t, own.Set("settling.nudged_iterations", valueOf(t, n, "settling.nudged_iterations")))
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
	require.NoError(t, n.Clone().Set("csm.lateral", "[-0.5]"))
	require.Equal(t, before, n.Fingerprint())
	require.Equal(t, []float64{-0.01}, n.Own.(*rule.CSM).Lateral)
}

// TestSumOf: the sums of every matrix's update, by name.
func TestSumOf(t *testing.T) {
	for name, want := range map[string][]string{"mnist": {"dW0", "dW1", "dF1", "dC1", "dC2"}, "mnist-ep": {"dW0", "dW1", "db1", "db2"}, "mnist-csm": {"dW0", "dW1", "db1", "db2", "dM1"}} {
		d := preset(t, name).Describe()
		var got []string
		for i := range d.Updates {
			got = append(got, d.SumOf(&d.Updates[i]))
		}
		require.Equal(t, want, got)
	}
}

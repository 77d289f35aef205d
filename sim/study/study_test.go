package study

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden"
	"corinfo/golden/calibrate"
	"corinfo/golden/goldentest"
	"corinfo/golden/network"
)

// TestLoadErrors gives the whole text of errors: one line a problem, each with its place.
func TestLoadErrors(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"unknown keys": {"name: x\nnetwork: tiny\nkind: inference\naxis:\n  - {set: [W.width], values: [4]}\nsearch: {metod: grid}\n", []string{
			`:4:1: axis: unknown key; did you mean "axes"?`, `:6:10: search.metod: unknown key; did you mean "method"?`}},
		"missing": {"name: x\n", []string{": kind: missing; every study file sets it", ": network: missing; every study file sets it", ": axes: missing; every study file sets it"}},
		"kinds":   {"name: 3x\nnetwork: tiny\nkind: x\naxes: [{set: W.width, values: [4]}]\n", []string{`:1:1: name: "3x"; want a letter`, `:3:1: kind: "x"; want one of inference, learning`, `:4:9: axes[0].set: "W.width"; want a list: [a, b]`}},
		"axes": {"name: x\nnetwork: tiny\nkind: inference\naxes:\n  - {set: [W.with], values: [4]}\n  - {set: [W7.width], values: [4]}\n  - {set: [lamda], values: [4]}\n" +
			"  - {set: [corinfomax.lambda], values: [4]}\n  - {set: [r.rounding], values: [UP]}\n  - {set: [W.width], values: [0, 0]}\n  - {set: [seed], values: [1]}\n  - {set: [learning.feedback], values: [1]}\n  - {values: [1]}\n", []string{
			`:5:5: axes[0]: W.with: unknown field "with" of a format; did you mean "width"?`,
			`:6:5: axes[1]: W7.width: unknown setting; did you mean "W"?`,
			`:7:5: axes[2]: lamda: unknown setting; did you mean "corinfomax.lambda"?`,
			`:8:5: axes[3]: corinfomax.lambda: 4; want a number between 0 and 1`,
			`:9:5: axes[4]: r.rounding: format "ap_ufixed<11,1,UP,SAT>": quantization "UP"`,
			`:10:22: axes[5].values: 0 twice`,
			`:10:5: axes[5]: W.width: `,
			`:11:6: axes[6].set: seed; the study's own keys seeds and epochs say that`,
			`:12:5: axes[7]: learning.feedback: "1"; want a list: [a, b]`,
			`:13:5: axes[8].set: missing`,
		}},
		"search": {"name: x\nnetwork: tiny\nkind: inference\naxes: [{set: [W.width], values: [8, 4]}]\nsearch: {method: min+1, max_loss: -1, halving: {epochs: [5], keep: 2}}\nseeds: [1, 1]\n", []string{
			`axes[0].values: min+1 search goes from short words to long ones; want ascending numbers`, `search.max_loss: -1; want 0 or a positive`,
			`search.halving: nothing to stop early in inference trials`, `search.halving.epochs: [5]; want ascending numbers from 1 to below epochs, 1`,
			`search.halving.keep: 2`, `seeds: 1 twice`}},
		"scope": {"name: x\nnetwork: tiny\nkind: learning\nper_layer: true\naxes: [{set: [W.width], values: [8, 4]}]\n", []string{
			`:4:1: per_layer: learning trials take no formats from ranges; leave it out`}},
		"random": {"name: x\nnetwork: none.yaml\nkind: learning\nrun: here\naxes: [{set: [W.width], values: [8, 4]}]\nsearch: {method: random}\n", []string{
			`network: none.yaml: no such network file; presets are tiny, cifar10`, `search.count: 0; want the number of points to draw`, `run: learning trials start from scratch`}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load(writeFile(t, t.TempDir(), "study.yaml", c.text))
			require.ErrorIs(t, err, golden.ErrUsage)
			for _, want := range c.want {
				require.ErrorContains(t, err, want)
			}
			t.Log(err)
		})
	}
	_, err := Load("nowhere.yaml")
	require.ErrorIs(t, err, golden.ErrUsage)
}

// TestSet: every kind of setting does what its name says, and no other.
func TestSet(t *testing.T) {
	text, err := network.Preset("tiny")
	require.NoError(t, err)
	base, err := network.Parse("tiny", text)
	require.NoError(t, err)
	for _, c := range []struct{ setting, value, tensor, want string }{
		{"W.width", "5", "W0", "ap_fixed<5,2,STOCHASTIC,SAT>"},
		{"W.width", "5", "W1", "ap_fixed<5,2,STOCHASTIC,SAT>"},
		{"W1.width", "5", "W0", "ap_fixed<16,2,STOCHASTIC,SAT>"},
		{"W1.width", "5", "W1", "ap_fixed<5,2,STOCHASTIC,SAT>"},
		{"W.integer", "1", "W0", "ap_fixed<16,1,STOCHASTIC,SAT>"},
		{"r.fraction", "4", "r2", "ap_ufixed<5,1,RND,SAT>"},
		{"C.rounding", "TRN", "C1", "ap_fixed<16,-14,TRN,SAT>"},
		{"u.overflow", "WRAP", "u1", "ap_fixed<18,4,RND,WRAP>"},
		{"x", "ap_ufixed<4,1>", "x", "ap_ufixed<4,1,TRN,WRAP>"},
		{"dW0.width", "9", "dW0", "ap_fixed<9,6,RND,SAT>"},
	} {
		n := base.Clone()
		require.NoError(t, Set(n, c.setting, c.value), c.setting)
		require.Equal(t, c.want, calibrate.Types(n.Describe(), n.Formats)[c.tensor].String(), c.setting)
		require.Empty(t, base.Formats, "the base is untouched")
	}
	n := base.Clone()
	for setting, value := range map[string]string{"learning.beta": "0.5", "settling.nudged_iterations": "7", "settling.step.rule": "constant",
		"learning.random_sign": "false", "dataset.name": "fashion", "corinfomax.lambda": "0.99"} {
		require.NoError(t, Set(n, setting, value))
	}
	require.Equal(t, 0.5, n.Learning.Beta)
	require.Equal(t, 7, n.Settling.NudgedIterations)
	require.Equal(t, "constant", n.Settling.Step.Rule)
	require.False(t, n.Learning.RandomSign)
	require.Equal(t, "fashion", n.Dataset.Name)
	require.Equal(t, 0.99, goldentest.CorInfoMax(n).Lambda)
	for setting, value := range map[string]string{"learning.beta": "-1", "learning.batch": "2.5", "settling": "1", "learning.beta.x": "1", "": "1", "W.width": "x",
		"W.x": "1", "W.width.x": "1", "settling.step.rule": "none"} {
		err := Set(base.Clone(), setting, value)
		require.ErrorIs(t, err, golden.ErrUsage, setting)
		require.False(t, strings.Contains(err.Error(), "\n"), setting)
	}
}

// TestKey: a trial's name depends on what its result does, and on nothing else.
func TestKey(t *testing.T) {
	text, err := network.Preset("tiny")
	require.NoError(t, err)
	trial := Trial{Kind: Inference, Network: string(text), Samples: 10, Test: 20, Calibrate: 30, Data: "d", Float: "f", RunSum: "r", Version: "v"}
	key, err := trial.Key()
	require.NoError(t, err)
	same := trial
	same.Run = "elsewhere"
	same.Network = strings.Replace(string(text), "  # path:", "  path: data", 1)
	require.NotEqual(t, trial.Network, same.Network)
	again, err := same.Key()
	require.NoError(t, err)
	require.Equal(t, key, again)
	for i, change := range []func(*Trial){
		func(t *Trial) { t.Kind = Learning }, func(t *Trial) { t.Samples++ }, func(t *Trial) { t.Test++ }, func(t *Trial) { t.Calibrate++ },
		func(t *Trial) { t.Data = "" }, func(t *Trial) { t.Float = "" }, func(t *Trial) { t.RunSum = "" }, func(t *Trial) { t.Version = "" },
		func(t *Trial) { t.Network = strings.Replace(t.Network, "seed: 0", "seed: 1", 1) },
		func(t *Trial) { t.Network = strings.Replace(t.Network, "leak: 0.5", "leak: 0.4", 1) },
	} {
		other := trial
		change(&other)
		require.NotEqual(t, trial, other)
		different, err := other.Key()
		require.NoError(t, err)
		require.NotEqual(t, key, different, "change %d", i)
	}
}

func TestAxisName(t *testing.T) {
	for want, set := range map[string][]string{"W.width": {"W.width"}, "W+F+C.width": {"W.width", "F.width", "C.width"}, "W.width+r.fraction": {"W.width", "r.fraction"},
		"corinfomax.lambda": {"corinfomax.lambda"}, "x+r": {"x", "r"}, "settling.step.rule": {"settling.step.rule"}} {
		require.Equal(t, want, (&Axis{Set: set}).Name())
	}
}

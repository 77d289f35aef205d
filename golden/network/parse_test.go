package network

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	fx "corinfo/fixedpoint"
	"corinfo/golden"
	"corinfo/golden/dataset"
	"corinfo/golden/rule"
)

// wholeFile is a network file with every key that must be there; lines are replaced by the tests.
const wholeFile = `name: tester
dataset: {name: mnist}
rule: corinfomax
layers: [20, 13, 7]
corinfomax:
  epsilon: 0.15
  lambda: 0.99
  leak: 0.5
settling:
  free_iterations: 8
  nudged_iterations: 5
  step: {rule: constant, start: 0.05}
learning:
  batch: 3
  beta: 1
  feedforward: [0.5, 0.25]
  feedback: [0.15]
  epochs: 2
formats:
  W: ap_fixed<16,2,STOCHASTIC,SAT>
`

// with replaces parts of wholeFile.
func with(t *testing.T, replace ...string) string {
	t.Helper()
	text := wholeFile
	for i := 0; i < len(replace); i += 2 {
		require.Contains(t, text, replace[i])
		text = strings.Replace(text, replace[i], replace[i+1], 1)
	}
	return text
}

func TestNetworkDefaults(t *testing.T) {
	n, err := Parse("net.yaml", []byte(wholeFile))
	require.NoError(t, err)
	require.Equal(t, &Network{
		Name: "tester", Dataset: dataset.Source{Name: "mnist"}, Rule: "corinfomax", Layers: []int{20, 13, 7},
		Own:      &rule.CorInfoMax{Epsilon: 0.15, Lambda: 0.99, Leak: 0.5, Lateral: true},
		Settling: rule.Settling{FreeIterations: 8, NudgedIterations: 5, Step: rule.StepSize{Rule: "constant", Start: 0.05}, EarlyEnd: true},
		Learning: rule.Learning{Batch: 3, Beta: 1, RandomSign: true, Feedforward: []float64{0.5, 0.25}, Feedback: []float64{0.15}, Epochs: 2,
			Contrast: rule.WithFree, Decay: rule.Decay{Factor: 1}},
		Formats:  map[string]fx.Type{"W": {Format: fx.S(16, 14), Rounding: fx.Stochastic, Overflow: fx.Sat}},
		Hardware: Hardware{Lanes: 16, Contexts: 1, Mode: "events"},
	}, n)
}

// TestNetworkErrors gives the whole text of every error: one line a problem, each with its place.
func TestNetworkErrors(t *testing.T) {
	cases := []struct{ name, text, want string }{
		{"unknown key", with(t, "epsilon:", "epsilom:"), `net.yaml:6:3: corinfomax.epsilom: unknown key; did you mean "epsilon"?`},
		{"unknown nested key", with(t, "  batch: 3", "  batches: 3"), `net.yaml:14:3: learning.batches: unknown key; did you mean "batch"?`},
		{"unknown section", with(t, "settling:", "setling:"), `net.yaml:9:1: setling: unknown key; did you mean "settling"?`},
		{"several", with(t, "0.15\n  lambda: 0.99", "-1\n  lambda: 1", "batch: 3", "batch: 0"),
			"net.yaml:6:3: corinfomax.epsilon: -1; want a positive number\n" +
				"net.yaml:7:3: corinfomax.lambda: 1; want a number between 0 and 1\n" +
				"net.yaml:14:3: learning.batch: 0; want 1 to 65536"},
		{"unknown and out of range", with(t, "leak: 0.5", "leek: 0.5\n  leak: -2"),
			"net.yaml:8:3: corinfomax.leek: unknown key; did you mean \"leak\"?\n" +
				"net.yaml:9:3: corinfomax.leak: -2; want 0 or a positive number"},
		{"text for a number", with(t, "0.15\n  lambda", "much\n  lambda"), `net.yaml:6:3: corinfomax.epsilon: "much"; want a finite number`},
		{"quoted number", with(t, "batch: 3", `batch: "3"`), `net.yaml:14:3: learning.batch: "3"; want a whole number`},
		{"fraction for a count", with(t, "batch: 3", "batch: 3.5"), `net.yaml:14:3: learning.batch: "3.5"; want a whole number`},
		{"octal or decimal", with(t, "batch: 3", "batch: 010"), `net.yaml:14:3: learning.batch: "010"; want a whole number`},
		{"beyond 64 bits", with(t, "batch: 3", "batch: 99999999999999999999"), `net.yaml:14:3: learning.batch: "99999999999999999999"; too large`},
		{"number for a text", with(t, "name: tester", "name: 12"), `net.yaml:1:1: name: "12"; want text: put it in quotes`},
		{"not a truth value", with(t, "batch: 3", "batch: 3\n  random_sign: yes"), `net.yaml:15:3: learning.random_sign: "yes"; want true or false`},
		{"NaN", with(t, "0.99", ".nan"), `net.yaml:7:3: corinfomax.lambda: ".nan"; want a finite number`},
		{"infinity", with(t, "0.5\nsettling", ".inf\nsettling"), `net.yaml:8:3: corinfomax.leak: ".inf"; want a finite number`},
		{"beyond float64", with(t, "0.5\nsettling", "1e999\nsettling"), `net.yaml:8:3: corinfomax.leak: "1e999"; want a finite number`},
		{"NaN in a list", with(t, "[0.5, 0.25]", "[0.5, .NaN]"), `net.yaml:16:3: learning.feedforward: ".NaN"; want a finite number`},
		{"negative rate", with(t, "[0.15]", "[-0.15]"), `net.yaml:17:3: learning.feedback: -0.15; want 0 or a positive number`},
		{"rates for other layers", with(t, "[0.15]", "[0.15, 0.2]"), `net.yaml:17:3: learning.feedback: 2 rates; the layers want 1`},
		{"negative seed", with(t, "leak: 0.5", "leak: 0.5\nseed: -1"), `net.yaml:9:1: seed: "-1"; want a whole number from 0 to 4294967295`},
		{"layer of size 0", with(t, "13", "0"), `net.yaml:4:1: layers: layer 1 has 0 neurons; want 1 to 65536`},
		{"huge layer", with(t, "13", "65537"), `net.yaml:4:1: layers: layer 1 has 65537 neurons; want 1 to 65536`},
		{"huge matrix", with(t, "13", "65536"), `net.yaml:4:1: layers: 4297195569 synapses; want at most 268435456`},
		{"one layer", with(t, "[20, 13, 7]", "[20]"), `net.yaml:4:1: layers: 1 layers; want 2, the input and the output, to 86`},
		{"layers of text", with(t, "[20, 13, 7]", "20-13-7"), `net.yaml:4:1: layers: "20-13-7"; want a list: [a, b]`},
		{"name", with(t, "name: tester", "name: 9-to-5"), `net.yaml:1:1: name: "9-to-5"; want a letter, then up to 39 letters, digits or underscores: it prefixes every Verilog module`},
		{"rule", with(t, "rule: corinfomax", "rule: backprop"), `net.yaml:3:1: rule: "backprop"; want one of corinfomax, ep, csm`},
		{"data set", with(t, "mnist", "cifar100"), `net.yaml:2:11: dataset.name: "cifar100"; want one of mnist, fashion, cifar10, images, idx`},
		{"data set without folder", with(t, "mnist", "idx"), `net.yaml:2:1: dataset.path: missing; a dataset of idx files needs its folder`},
		{"sparse input", with(t, "leak: 0.5", "leak: 0.5\n  sparse: {layers: [0, 2], nu: [0.1, 0.1]}"), `net.yaml:9:12: corinfomax.sparse.layers: layer 0; want 1, the first above the input, to 2`},
		{"sparse layer beyond", with(t, "leak: 0.5", "leak: 0.5\n  sparse:\n    layers: [1, 3]\n    nu: [0.1, 0.1]"), `net.yaml:10:5: corinfomax.sparse.layers: layer 3; want 1, the first above the input, to 2`},
		{"sparse layers descending", with(t, "leak: 0.5", "leak: 0.5\n  sparse: {layers: [2, 1], nu: [0.1, 0.1]}"),
			`net.yaml:9:12: corinfomax.sparse.layers: layer 1 after layer 2; want them in ascending order, each once`},
		{"sparse layer twice", with(t, "leak: 0.5", "leak: 0.5\n  sparse: {layers: [1, 1], nu: [0.1, 0.1]}"),
			`net.yaml:9:12: corinfomax.sparse.layers: layer 1 after layer 1; want them in ascending order, each once`},
		{"sparse without nu", with(t, "leak: 0.5", "leak: 0.5\n  sparse: {layers: [1, 2]}"), `net.yaml:9:3: corinfomax.sparse: 0 values of nu for 2 layers; want one per layer`},
		{"nu without layers", with(t, "leak: 0.5", "leak: 0.5\n  sparse: {nu: [0.1]}"), `net.yaml:9:3: corinfomax.sparse: 1 values of nu for 0 layers; want one per layer`},
		{"nu of 0 and above 1", with(t, "leak: 0.5", "leak: 0.5\n  sparse: {layers: [1, 2], nu: [0, 1.01]}"),
			`net.yaml:9:28: corinfomax.sparse.nu: 0; want a number above 0, at most 1`},
		{"sparse layer of text", with(t, "leak: 0.5", "leak: 0.5\n  sparse: {layers: [hidden], nu: [0.1]}"), `net.yaml:9:12: corinfomax.sparse.layers: "hidden"; want a whole number`},
		{"one sparse layer without list", with(t, "leak: 0.5", "leak: 0.5\n  sparse: {layers: 1, nu: [0.1]}"), "net.yaml:9:3: corinfomax.sparse: 1 values of nu for 0 layers; want one per layer\n" +
			"net.yaml:9:12: corinfomax.sparse.layers: \"1\"; want a list: [a, b]"},
		{"unknown sparse key", with(t, "leak: 0.5", "leak: 0.5\n  sparse: {layer: [1], nu: [0.1]}"),
			"net.yaml:9:3: corinfomax.sparse: 1 values of nu for 0 layers; want one per layer\n" +
				"net.yaml:9:12: corinfomax.sparse.layer: unknown key; did you mean \"layers\"?"},
		{"interneuron of a layer that is not sparse", with(t, "leak: 0.5", "leak: 0.5\n  sparse: {layers: [2], nu: [0.1]}", "  W:", "  q1: ap_ufixed<8,1>\n  qu2: ap_fixed<9,2>\n  W:"),
			`net.yaml:21:3: formats.q1: the network has no q1, but q2`},
		{"sparse of no network", with(t, "layers: [20, 13, 7]\n", ""), `net.yaml: layers: missing; every network file sets it`},
		{"images without folder", with(t, "mnist", "images"), `net.yaml:2:1: dataset.path: missing; a dataset of image files needs its folder`},
		{"step rule", with(t, "constant", "linear"), `net.yaml:12:10: settling.step.rule: "linear"; want one of constant, divide_by_loop_index, divide_by_slow_loop_index`},
		{"stop above start", with(t, "start: 0.05", "start: 0.05, stop: 0.1"), `net.yaml:12:39: settling.step.stop: 0.1; want a number from 0 to start, 0.05`},
		{"stage of no epoch", with(t, "batch: 3", "batch: 3\n  decay: {factor: 0.95, then: [{from: 0, factor: 0.9}]}"), `net.yaml:15:25: learning.decay.then: from epoch 0; want epochs from 1 on, in ascending order`},
		{"stages descending", with(t, "batch: 3", "batch: 3\n  decay: {then: [{from: 9, factor: 0.9}, {from: 5, factor: 0.8}]}"), `net.yaml:15:11: learning.decay.then: from epoch 5; want epochs from 1 on, in ascending order`},
		{"growing rate", with(t, "batch: 3", "batch: 3\n  decay: {then: [{from: 9, factor: 1.1}]}"), `net.yaml:15:11: learning.decay.then: a factor of 1.1; want a number above 0, at most 1`},
		{"section of another rule", with(t, "corinfomax:\n", "csm:\n"), "net.yaml:5:1: csm: a section of rule csm; this network's rule is corinfomax\n" +
			"net.yaml: corinfomax.epsilon: missing; every network file sets it\n" +
			"net.yaml: corinfomax.lambda: missing; every network file sets it"},
		{"setting of another rule", with(t, "rule: corinfomax", "rule: ep", "corinfomax:\n  epsilon: 0.15\n  lambda: 0.99\n  leak: 0.5\n", ""), `net.yaml:13:3: learning.feedback: ep has no such setting`},
		{"rule missing", with(t, "rule: corinfomax\n", ""), `net.yaml: rule: missing; every network file sets it`},
		{"contrast", with(t, "batch: 3", "batch: 3\n  contrast: none"), `net.yaml:15:3: learning.contrast: "none"; want one of free, third, centred`},
		{"signed input into unsigned x", with(t, "{name: mnist}", "{name: mnist, normalize: {mean: [0.5], deviation: [0.6]}}", "  W:", "  x: ap_ufixed<9,1>\n  W:"), `net.yaml:20:3: formats.x: ap_ufixed<9,1,TRN,WRAP> holds no input below 0, and dataset.normalize makes some down to -0.833; use ap_fixed`},
		{"half a normalization", with(t, "{name: mnist}", "{name: mnist, normalize: {mean: [0.5]}}"), `net.yaml:2:36: dataset.normalize.mean: 1 of mean and 0 of deviation; want one of each per colour plane, 1 or 3`},
		{"planes that do not fit", with(t, "{name: mnist}", "{name: mnist, normalize: {mean: [0.5, 0.5, 0.5], deviation: [1, 1, 1]}}"), `net.yaml:4:1: layers: 20 inputs are no 3 colour planes, for which dataset.normalize has values`},
		{"missing", with(t, "  epsilon: 0.15\n", "", "  beta: 1\n", ""),
			"net.yaml:5:1: corinfomax.epsilon: missing; every network file sets it\n" +
				"net.yaml:12:1: learning.beta: missing; every network file sets it"},
		{"duplicate key", with(t, "leak: 0.5", "leak: 0.5\n  leak: 0.6"), `net.yaml:9:3: corinfomax.leak: the same key again; the first is in line 8`},
		{"duplicate format", with(t, "SAT>", "SAT>\n  W: ap_fixed<8,2>"), `net.yaml:21:3: formats.W: the same key again; the first is in line 20`},
		{"format of 0 bits", with(t, "<16,2", "<0,2"), `net.yaml:20:3: formats.W: format "ap_fixed<0,2,STOCHASTIC,SAT>": width "0"; want 1 to 64 bits`},
		{"format of 65 bits", with(t, "<16,2", "<65,2"), `net.yaml:20:3: formats.W: format "ap_fixed<65,2,STOCHASTIC,SAT>": width "65"; want 1 to 64 bits`},
		{"number for a format", with(t, "ap_fixed<16,2,STOCHASTIC,SAT>", "16"), `net.yaml:20:3: formats.W: "16"; want a format, as ap_fixed<16,2,RND,SAT>`},
		{"unknown tensor", with(t, "  W:", "  dV1:"), `net.yaml:20:3: formats.dV1: unknown tensor; did you mean "d"?`},
		{"tensor of no layer", with(t, "  W:", "  F0:"), `net.yaml:20:3: formats.F0: the network has no F0, but F1`},
		{"tensor beyond the layers", with(t, "  W:", "  W2:"), `net.yaml:20:3: formats.W2: the network has no W2, but W0, W1`},
		{"tensor without index", with(t, "  W:", "  eta1:"), `net.yaml:20:3: formats.eta1: the network has no eta1, but eta`},
		{"anchor", with(t, "0.15\n  lambda: 0.99", "&e 0.15\n  lambda: *e"),
			"net.yaml:6:3: corinfomax.epsilon: an anchor or alias; want a finite number\n" +
				"net.yaml:7:3: corinfomax.lambda: an anchor or alias; want a finite number"},
		{"merge key", with(t, "leak: 0.5", "leak: 0.5\n  <<: {leak: 0.6}"), `net.yaml:9:3: corinfomax.<<: unknown key; did you mean "leak"?`},
		{"tag", with(t, "leak: 0.5", "leak: !!float 0.5"), `net.yaml:8:3: corinfomax.leak: a tag; want a finite number`},
		{"section of text", with(t, "{name: mnist}", "mnist"), `net.yaml:2:1: dataset: "mnist"; want keys with values`},
		{"list of keys", "- name: x\n", `net.yaml: a list; want keys with values`},
		{"empty", "", "net.yaml: empty network file; `corinfo init` makes one"},
		{"comments only", "# nothing\n", "net.yaml: empty network file; `corinfo init` makes one"},
		{"two documents", "---\n" + wholeFile + "---\n" + wholeFile, "net.yaml: 2 YAML documents; want one"},
		{"tab", with(t, "  batch", "\tbatch"), "net.yaml:14:1: not YAML: found character '\t' that cannot start any token"},
		{"open bracket", "name: [", "net.yaml:1:7: not YAML: sequence end token ']' not found"},
		{"NUL", "name: a\nleak: \x00", "net.yaml:2:7: not UTF-8 text; this is no network file"},
		{"not UTF-8", "name: \xff", "net.yaml:1:7: not UTF-8 text; this is no network file"},
		{"huge", strings.Repeat("#", MaxYAMLFile+1), "net.yaml: more than 81920 bytes; this is no network file"},
		{"deeper", strings.Repeat("- ", maxBrackets+1), "net.yaml: more than 1000 opening brackets and dashes; this is no network file"},
		{"deep", strings.Repeat("[", maxBrackets+1), "net.yaml: more than 1000 opening brackets and dashes; this is no network file"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			n, err := Parse("net.yaml", []byte(c.text))
			require.Nil(t, n)
			require.ErrorIs(t, err, golden.ErrUsage)
			require.Equal(t, "wrong input: "+c.want, err.Error())
		})
	}
}

func TestSparseSection(t *testing.T) {
	n, err := Parse("net.yaml", []byte(with(t, "leak: 0.5", "leak: 0.5\n  sparse: {layers: [2], nu: [0.01]}")))
	require.NoError(t, err)
	require.Equal(t, rule.Sparse{Layers: []int{2}, Nu: []float64{0.01}}, n.Own.(*rule.CorInfoMax).Sparse)
	none, err := Parse("net.yaml", []byte(with(t, "leak: 0.5", "leak: 0.5\n  sparse: {layers: [], nu: []}")))
	require.NoError(t, err)
	plain, err := Parse("net.yaml", []byte(wholeFile))
	require.NoError(t, err)
	require.Equal(t, plain, none)
	require.NotContains(t, string(none.YAML()), "sparse")
	require.NotEqual(t, plain.Fingerprint(), n.Fingerprint())
}

func TestLoadNetwork(t *testing.T) {
	path := filepath.Join(t.TempDir(), "net.yaml")
	_, err := Load(path)
	require.ErrorIs(t, err, golden.ErrUsage)
	require.ErrorContains(t, err, path)
	require.ErrorContains(t, err, "corinfo init")
	require.NoError(t, os.WriteFile(path, []byte(wholeFile), 0o644))
	n, err := Load(path)
	require.NoError(t, err)
	require.Equal(t, "tester", n.Name)
	_, err = Load(filepath.Dir(path))
	require.ErrorIs(t, err, golden.ErrUsage)
}

// TestNetworkRoundTrip writes random networks and reads them back.
func TestNetworkRoundTrip(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	var plain []*Network
	for _, name := range Presets() {
		text, err := Preset(name)
		require.NoError(t, err)
		n, err := Parse(name, text)
		require.NoError(t, err)
		plain = append(plain, n)
	}
	for range 300 {
		own := *plain[rng.IntN(len(plain))]
		n := &own
		n.Seed = rng.Uint32()
		n.Settling.Step.Start *= []float64{1, 1e-9, 1e30}[rng.IntN(3)]
		n.Settling.Step.Stop = 0
		n.Learning.Contrast = []string{rule.WithFree, rule.WithThird, rule.WithCentred}[rng.IntN(3)]
		n.Dataset.Path = []string{"", "digits", "/a b/c: d", "#1", "true", "0x1", "- \"q\" \\ 'é'", "*a", "~", "null", ".nan"}[rng.IntN(11)]
		n.Formats = map[string]fx.Type{}
		for range rng.IntN(4) {
			kind := []string{"r", "drive", "W", "r1", "W0", "dW0"}[rng.IntN(6)]
			n.Formats[kind] = fx.Type{Format: fx.S(1+rng.IntN(64), rng.IntN(90)-20), Rounding: fx.Rounding(rng.IntN(8)), Overflow: fx.Overflow(rng.IntN(4))}
		}
		if len(n.Formats) == 0 {
			n.Formats = nil
		}
		if o, ok := n.Own.(*rule.CorInfoMax); ok {
			changed := *o
			changed.Sparse, changed.Lateral = rule.Sparse{}, rng.IntN(2) == 0
			for k := 1; k <= n.K(); k++ {
				if rng.IntN(2) == 0 {
					changed.Sparse.Layers = append(changed.Sparse.Layers, k)
					changed.Sparse.Nu = append(changed.Sparse.Nu, []float64{1, 1e-6, 1 - rng.Float64()}[rng.IntN(3)])
				}
			}
			n.Own = &changed
		} else if n.Own != nil {
			n.Learning.Contrast = rule.WithFree
		}
		back, err := Parse("net.yaml", n.YAML())
		require.NoError(t, err, "%s", n.YAML())
		require.Equal(t, n, back, "%s", n.YAML())
		require.Equal(t, n.Fingerprint(), back.Fingerprint())
		before := n.Fingerprint()
		n.Learning.Epochs++
		require.NotEqual(t, before, n.Fingerprint())
	}
}

// TestFingerprint does not depend on comments, order or spelling.
func TestFingerprint(t *testing.T) {
	a, err := Parse("a", []byte(wholeFile))
	require.NoError(t, err)
	b, err := Parse("b", []byte("# a comment\nseed: +0\n"+with(t, "leak: 0.5\n", "leak: 5.0e-1\n", "{name: mnist}", "\n  name: 'mnist'")))
	require.NoError(t, err)
	require.Equal(t, a.Fingerprint(), b.Fingerprint())
}

// FuzzParseNetwork: nothing panics, an error is one of usage, and what parses reads back the same from YAML.
func FuzzParseNetwork(f *testing.F) {
	f.Add([]byte(wholeFile))
	for _, name := range Presets() {
		text, err := Preset(name)
		require.NoError(f, err)
		f.Add(text)
	}
	for _, text := range []string{"", "a: &a [*a]", "? x\n: y", "<<: *x", "formats: {W: ap_fixed<1,1>}", "name: |\n  x", "[[[[", "{a: {b: {c: d}}}", "- - - -"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		n, err := Parse("net.yaml", text)
		if err != nil {
			require.ErrorIs(t, err, golden.ErrUsage)
			return
		}
		back, err := Parse("net.yaml", n.YAML())
		require.NoError(t, err, "%s", n.YAML())
		require.Equal(t, n, back, "%s", n.YAML())
	})
}

package golden

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	fx "corinfo/fixedpoint"
)

// wholeFile is a network file with every key that must be there; lines are replaced by the tests.
const wholeFile = `name: tester
dataset: {name: mnist}
layers: [20, 13, 7]
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
	n, err := ParseNetwork("net.yaml", []byte(wholeFile))
	require.NoError(t, err)
	require.Equal(t, &Network{
		Name: "tester", Dataset: Dataset{Name: "mnist"}, Rule: "corinfomax", Layers: []int{20, 13, 7}, Epsilon: 0.15, Lambda: 0.99, Leak: 0.5,
		Settling: Settling{FreeIterations: 8, NudgedIterations: 5, Step: Step{Rule: "constant", Start: 0.05}, EarlyEnd: true},
		Learning: Learning{Batch: 3, Beta: 1, RandomSign: true, Feedforward: []float64{0.5, 0.25}, Feedback: []float64{0.15}, Epochs: 2,
			Decay: Decay{Factor: 1, Then: 1}},
		Formats:  map[string]fx.Type{"W": {Format: fx.S(16, 14), Rounding: fx.Stochastic, Overflow: fx.Sat}},
		Hardware: Hardware{Lanes: 16, Contexts: 1, Mode: "events"},
	}, n)
}

// TestNetworkErrors gives the whole text of every error: one line a problem, each with its place.
func TestNetworkErrors(t *testing.T) {
	cases := []struct{ name, text, want string }{
		{"unknown key", with(t, "epsilon:", "epsilom:"), `net.yaml:4:1: epsilom: unknown key; did you mean "epsilon"?`},
		{"unknown nested key", with(t, "  batch: 3", "  batches: 3"), `net.yaml:12:3: learning.batches: unknown key; did you mean "batch"?`},
		{"unknown section", with(t, "settling:", "setling:"), `net.yaml:7:1: setling: unknown key; did you mean "settling"?`},
		{"several", with(t, "0.15\nlambda: 0.99", "-1\nlambda: 1", "batch: 3", "batch: 0"),
			"net.yaml:4:1: epsilon: -1; want a positive number\n" +
				"net.yaml:5:1: lambda: 1; want a number between 0 and 1\n" +
				"net.yaml:12:3: learning.batch: 0; want 1 to 65536"},
		{"unknown and out of range", with(t, "leak: 0.5", "leek: 0.5\nleak: -2"),
			"net.yaml:6:1: leek: unknown key; did you mean \"leak\"?\n" +
				"net.yaml:7:1: leak: -2; want 0 or a positive number"},
		{"text for a number", with(t, "0.15\nlambda", "much\nlambda"), `net.yaml:4:1: epsilon: "much"; want a finite number`},
		{"quoted number", with(t, "batch: 3", `batch: "3"`), `net.yaml:12:3: learning.batch: "3"; want a whole number`},
		{"fraction for a count", with(t, "batch: 3", "batch: 3.5"), `net.yaml:12:3: learning.batch: "3.5"; want a whole number`},
		{"octal or decimal", with(t, "batch: 3", "batch: 010"), `net.yaml:12:3: learning.batch: "010"; want a whole number`},
		{"beyond 64 bits", with(t, "batch: 3", "batch: 99999999999999999999"), `net.yaml:12:3: learning.batch: "99999999999999999999"; too large`},
		{"number for a text", with(t, "name: tester", "name: 12"), `net.yaml:1:1: name: "12"; want text: put it in quotes`},
		{"not a truth value", with(t, "batch: 3", "batch: 3\n  three_phase: yes"), `net.yaml:13:3: learning.three_phase: "yes"; want true or false`},
		{"NaN", with(t, "0.99", ".nan"), `net.yaml:5:1: lambda: ".nan"; want a finite number`},
		{"infinity", with(t, "0.5\nsettling", ".inf\nsettling"), `net.yaml:6:1: leak: ".inf"; want a finite number`},
		{"beyond float64", with(t, "0.5\nsettling", "1e999\nsettling"), `net.yaml:6:1: leak: "1e999"; want a finite number`},
		{"NaN in a list", with(t, "[0.5, 0.25]", "[0.5, .NaN]"), `net.yaml:14:3: learning.feedforward: ".NaN"; want a finite number`},
		{"negative rate", with(t, "[0.15]", "[-0.15]"), `net.yaml:15:3: learning.feedback: -0.15; want 0 or a positive number`},
		{"rates for other layers", with(t, "[0.15]", "[0.15, 0.2]"), `net.yaml:15:3: learning.feedback: 2 rates; the layers want 1`},
		{"negative seed", with(t, "leak: 0.5", "leak: 0.5\nseed: -1"), `net.yaml:7:1: seed: "-1"; want a whole number from 0 to 4294967295`},
		{"layer of size 0", with(t, "13", "0"), `net.yaml:3:1: layers: layer 1 has 0 neurons; want 1 to 65536`},
		{"huge layer", with(t, "13", "65537"), `net.yaml:3:1: layers: layer 1 has 65537 neurons; want 1 to 65536`},
		{"huge matrix", with(t, "13", "65536"), `net.yaml:3:1: layers: 4297195569 synapses; want at most 268435456`},
		{"one layer", with(t, "[20, 13, 7]", "[20]"), `net.yaml:3:1: layers: 1 layers; want 2, the input and the output, to 86`},
		{"layers of text", with(t, "[20, 13, 7]", "20-13-7"), `net.yaml:3:1: layers: "20-13-7"; want a list: [a, b]`},
		{"name", with(t, "name: tester", "name: 9-to-5"), `net.yaml:1:1: name: "9-to-5"; want a letter, then up to 39 letters, digits or underscores: it prefixes every Verilog module`},
		{"rule", with(t, "leak: 0.5", "leak: 0.5\nrule: backprop"), `net.yaml:7:1: rule: "backprop"; want one of corinfomax`},
		{"data set", with(t, "mnist", "cifar100"), `net.yaml:2:11: dataset.name: "cifar100"; want one of mnist, fashion, cifar10, images, idx`},
		{"data set without folder", with(t, "mnist", "idx"), `net.yaml:2:1: dataset.path: missing; a dataset of idx files needs its folder`},
		{"sparse input", with(t, "leak: 0.5", "leak: 0.5\nsparse: {layers: [0, 2], nu: [0.1, 0.1]}"), `net.yaml:7:10: sparse.layers: layer 0; want 1, the first above the input, to 2`},
		{"sparse layer beyond", with(t, "leak: 0.5", "leak: 0.5\nsparse:\n  layers: [1, 3]\n  nu: [0.1, 0.1]"), `net.yaml:8:3: sparse.layers: layer 3; want 1, the first above the input, to 2`},
		{"sparse layers descending", with(t, "leak: 0.5", "leak: 0.5\nsparse: {layers: [2, 1], nu: [0.1, 0.1]}"),
			`net.yaml:7:10: sparse.layers: layer 1 after layer 2; want them in ascending order, each once`},
		{"sparse layer twice", with(t, "leak: 0.5", "leak: 0.5\nsparse: {layers: [1, 1], nu: [0.1, 0.1]}"),
			`net.yaml:7:10: sparse.layers: layer 1 after layer 1; want them in ascending order, each once`},
		{"sparse without nu", with(t, "leak: 0.5", "leak: 0.5\nsparse: {layers: [1, 2]}"), `net.yaml:7:1: sparse.nu: 0 values; sparse.layers wants 2, one per layer`},
		{"nu without layers", with(t, "leak: 0.5", "leak: 0.5\nsparse: {nu: [0.1]}"), `net.yaml:7:10: sparse.nu: 1 values; sparse.layers wants 0, one per layer`},
		{"nu of 0 and above 1", with(t, "leak: 0.5", "leak: 0.5\nsparse: {layers: [1, 2], nu: [0, 1.01]}"),
			"net.yaml:7:26: sparse.nu: 0; want a number above 0, at most 1\n" +
				"net.yaml:7:26: sparse.nu: 1.01; want a number above 0, at most 1"},
		{"sparse layer of text", with(t, "leak: 0.5", "leak: 0.5\nsparse: {layers: [hidden], nu: [0.1]}"), `net.yaml:7:10: sparse.layers: "hidden"; want a whole number`},
		{"one sparse layer without list", with(t, "leak: 0.5", "leak: 0.5\nsparse: {layers: 1, nu: [0.1]}"), `net.yaml:7:10: sparse.layers: "1"; want a list: [a, b]`},
		{"unknown sparse key", with(t, "leak: 0.5", "leak: 0.5\nsparse: {layer: [1], nu: [0.1]}"),
			"net.yaml:7:10: sparse.layer: unknown key; did you mean \"layers\"?\n" +
				"net.yaml:7:22: sparse.nu: 1 values; sparse.layers wants 0, one per layer"},
		{"interneuron of a layer that is not sparse", with(t, "leak: 0.5", "leak: 0.5\nsparse: {layers: [2], nu: [0.1]}", "  W:", "  q1: ap_ufixed<8,1>\n  qu2: ap_fixed<9,2>\n  W:"),
			"net.yaml:19:3: formats.q1: layer 1 has no q: sparse.layers does not name it"},
		{"sparse of no network", with(t, "layers: [20, 13, 7]\n", "sparse: {layers: [1, 2], nu: [0.1, 0.1]}\n"), "net.yaml: layers: missing; every network file sets it"},
		{"images without folder", with(t, "mnist", "images"), `net.yaml:2:1: dataset.path: missing; a dataset of image files needs its folder`},
		{"step rule", with(t, "constant", "linear"), `net.yaml:10:10: settling.step.rule: "linear"; want one of constant, divide_by_loop_index, divide_by_slow_loop_index`},
		{"stop above start", with(t, "start: 0.05", "start: 0.05, stop: 0.1"), `net.yaml:10:39: settling.step.stop: 0.1; want a number from 0 to start, 0.05`},
		{"half a decay", with(t, "batch: 3", "batch: 3\n  decay: {factor: 0.95, epochs: 15}"), `net.yaml:13:3: learning.decay.then: missing; it takes the place of factor from epoch 15 on`},
		{"the other half", with(t, "batch: 3", "batch: 3\n  decay: {factor: 0.95, then: 0.9}"), `net.yaml:13:3: learning.decay.epochs: missing; the epoch from which then takes the place of factor`},
		{"missing", with(t, "epsilon: 0.15\n", "", "  beta: 1\n", ""),
			"net.yaml:10:1: learning.beta: missing; every network file sets it\n" +
				"net.yaml: epsilon: missing; every network file sets it"},
		{"duplicate key", with(t, "leak: 0.5", "leak: 0.5\nleak: 0.6"), `net.yaml:7:1: leak: the same key again; the first is in line 6`},
		{"duplicate format", with(t, "SAT>", "SAT>\n  W: ap_fixed<8,2>"), `net.yaml:19:3: formats.W: the same key again; the first is in line 18`},
		{"format of 0 bits", with(t, "<16,2", "<0,2"), `net.yaml:18:3: formats.W: format "ap_fixed<0,2,STOCHASTIC,SAT>": width "0"; want 1 to 64 bits`},
		{"format of 65 bits", with(t, "<16,2", "<65,2"), `net.yaml:18:3: formats.W: format "ap_fixed<65,2,STOCHASTIC,SAT>": width "65"; want 1 to 64 bits`},
		{"number for a format", with(t, "ap_fixed<16,2,STOCHASTIC,SAT>", "16"), `net.yaml:18:3: formats.W: "16"; want a format, as ap_fixed<16,2,RND,SAT>`},
		{"unknown tensor", with(t, "  W:", "  dV1:"), `net.yaml:18:3: formats.dV1: unknown tensor; did you mean "d"?`},
		{"tensor of no layer", with(t, "  W:", "  F0:"), `net.yaml:18:3: formats.F0: a network of 3 layers has F1 to F1`},
		{"tensor beyond the layers", with(t, "  W:", "  W2:"), `net.yaml:18:3: formats.W2: a network of 3 layers has W0 to W1`},
		{"tensor without index", with(t, "  W:", "  eta1:"), `net.yaml:18:3: formats.eta1: eta has no index: the network has one`},
		{"anchor", with(t, "0.15\nlambda: 0.99", "&e 0.15\nlambda: *e"),
			"net.yaml:4:1: epsilon: an anchor or alias; want a finite number\n" +
				"net.yaml:5:1: lambda: an anchor or alias; want a finite number"},
		{"merge key", with(t, "leak: 0.5", "leak: 0.5\n<<: {leak: 0.6}"), `net.yaml:7:1: <<: unknown key; did you mean "name"?`},
		{"tag", with(t, "leak: 0.5", "leak: !!float 0.5"), `net.yaml:6:1: leak: a tag; want a finite number`},
		{"section of text", with(t, "{name: mnist}", "mnist"), `net.yaml:2:1: dataset: "mnist"; want keys with values`},
		{"list of keys", "- name: x\n", `net.yaml: a list; want keys with values`},
		{"empty", "", "net.yaml: empty network file; `corinfo init` makes one"},
		{"comments only", "# nothing\n", "net.yaml: empty network file; `corinfo init` makes one"},
		{"two documents", "---\n" + wholeFile + "---\n" + wholeFile, "net.yaml: 2 YAML documents; want one"},
		{"tab", with(t, "  batch", "\tbatch"), "net.yaml:12:1: not YAML: found character '\t' that cannot start any token"},
		{"open bracket", "name: [", "net.yaml:1:7: not YAML: sequence end token ']' not found"},
		{"NUL", "name: a\nleak: \x00", "net.yaml:2:7: not UTF-8 text; this is no network file"},
		{"not UTF-8", "name: \xff", "net.yaml:1:7: not UTF-8 text; this is no network file"},
		{"huge", strings.Repeat("#", MaxYAMLFile+1), "net.yaml: more than 81920 bytes; this is no network file"},
		{"deeper", strings.Repeat("- ", maxBrackets+1), "net.yaml: more than 1000 opening brackets and dashes; this is no network file"},
		{"deep", strings.Repeat("[", maxBrackets+1), "net.yaml: more than 1000 opening brackets and dashes; this is no network file"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			n, err := ParseNetwork("net.yaml", []byte(c.text))
			require.Nil(t, n)
			require.ErrorIs(t, err, ErrUsage)
			require.Equal(t, "wrong input: "+c.want, err.Error())
		})
	}
}

func TestSparseLayer(t *testing.T) {
	n, err := ParseNetwork("net.yaml", []byte(with(t, "leak: 0.5", "leak: 0.5\nsparse: {layers: [2], nu: [0.01]}")))
	require.NoError(t, err)
	require.Equal(t, Sparse{Layers: []int{2}, Nu: []float64{0.01}}, n.Sparse)
	for k, want := range []float64{0, 0, 0.01} {
		nu, sparse := n.SparseLayer(k)
		require.Equal(t, want, nu, k)
		require.Equal(t, k == 2, sparse, k)
	}
	none, err := ParseNetwork("net.yaml", []byte(with(t, "leak: 0.5", "leak: 0.5\nsparse: {layers: [], nu: []}")))
	require.NoError(t, err)
	plain, err := ParseNetwork("net.yaml", []byte(wholeFile))
	require.NoError(t, err)
	require.Equal(t, plain, none)
	require.NotContains(t, string(none.YAML()), "sparse") // so that fingerprints of networks without it stay what they were
	require.NotEqual(t, plain.Fingerprint(), n.Fingerprint())
}

func TestLoadNetwork(t *testing.T) {
	path := filepath.Join(t.TempDir(), "net.yaml")
	_, err := LoadNetwork(path)
	require.ErrorIs(t, err, ErrUsage)
	require.ErrorContains(t, err, path)
	require.ErrorContains(t, err, "corinfo init")
	require.NoError(t, os.WriteFile(path, []byte(wholeFile), 0o644))
	n, err := LoadNetwork(path)
	require.NoError(t, err)
	require.Equal(t, "tester", n.Name)
	_, err = LoadNetwork(filepath.Dir(path))
	require.ErrorIs(t, err, ErrUsage)
}

// TestNetworkRoundTrip writes random networks and reads them back.
func TestNetworkRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(floatSeed(t), 0))
	for range 300 {
		n := randomFloatNetwork(rng)
		n.Seed = rng.Uint32()
		n.Epsilon *= []float64{1, 1e-9, 1e30}[rng.IntN(3)]
		n.Dataset.Path = []string{"", "digits", "/a b/c: d", "#1", "true", "0x1", "- \"q\" \\ 'é'", "*a", "~", "null", ".nan"}[rng.IntN(11)]
		n.Formats = map[string]fx.Type{}
		for range rng.IntN(4) {
			kind := []string{"r", "u", "C", "x", "r1", "C1", "W0", "dW0"}[rng.IntN(8)]
			n.Formats[kind] = fx.Type{Format: fx.S(1+rng.IntN(64), rng.IntN(90)-20), Rounding: fx.Rounding(rng.IntN(8)), Overflow: fx.Overflow(rng.IntN(4))}
		}
		if len(n.Formats) == 0 {
			n.Formats = nil
		}
		n.Sparse = Sparse{}
		for k := 1; k <= n.K(); k++ {
			if rng.IntN(2) == 0 {
				n.Sparse.Layers, n.Sparse.Nu = append(n.Sparse.Layers, k), append(n.Sparse.Nu, []float64{1, 1e-6, 1 - rng.Float64()}[rng.IntN(3)])
			}
		}
		back, err := ParseNetwork("net.yaml", n.YAML())
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
	a, err := ParseNetwork("a", []byte(wholeFile))
	require.NoError(t, err)
	b, err := ParseNetwork("b", []byte("# a comment\nleak: 5.0e-1\n"+with(t, "leak: 0.5\n", "", "{name: mnist}", "\n  name: 'mnist'")))
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
		n, err := ParseNetwork("net.yaml", text)
		if err != nil {
			require.ErrorIs(t, err, ErrUsage)
			return
		}
		back, err := ParseNetwork("net.yaml", n.YAML())
		require.NoError(t, err, "%s", n.YAML())
		require.Equal(t, n, back, "%s", n.YAML())
	})
}

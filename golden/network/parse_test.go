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

// pcFile is one of predictive coding, bpFile of feedback alignment, with every key that must be there and some that need not.
const (
	pcFile = `name: tester
dataset: {name: mnist}
rule: pc
layers: [20, 13, 7]
pc:
  activation: relu
settling:
  nudged_iterations: 5
  step: {rule: constant, start: 0.05}
learning:
  batch: 3
  feedforward: [0.1, 0.1]
  epochs: 2
`
	bpFile = `name: tester
dataset: {name: mnist}
rule: fa
layers: [20, 13, 7]
fa:
  loss: mse
  activation: relu
learning:
  batch: 3
  feedforward: [0.1, 0.1]
  epochs: 2
`
)

// with replaces parts of wholeFile, withPC of pcFile, withBP of bpFile.
func with(t *testing.T, replace ...string) string {
	t.Helper()
	return replaced(t, wholeFile, replace...)
}

func withPC(t *testing.T, replace ...string) string {
	t.Helper()
	return replaced(t, pcFile, replace...)
}

func withBP(t *testing.T, replace ...string) string {
	t.Helper()
	return replaced(t, bpFile, replace...)
}

func replaced(t *testing.T, text string, replace ...string) string {
	t.Helper()
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
			Contrast: rule.WithFree, Decay: rule.Decay{Factor: 1},
			Optimizer: rule.Optimizer{Kind: "sgd", Momentum: 0.9, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}},
		Formats:  map[string]fx.Type{"W": {Format: fx.S(16, 14), Rounding: fx.Stochastic, Overflow: fx.Sat}},
		Hardware: Hardware{Lanes: 16, Contexts: 1, Learning: true, Mode: "events"},
	}, n)
}

// TestDefaultsOfRules: what a file of a rule with a section of its own may leave out.
func TestDefaultsOfRules(t *testing.T) {
	for text, want := range map[string]any{
		withPC(t): &rule.PC{Activation: "relu", Target: []float64{0.03, 0.97}},
		withPC(t, "pc:\n  activation: relu\n", ""): &rule.PC{Activation: "sigmoid", Target: []float64{0.03, 0.97}},
		withPC(t, "rule: pc", "rule: pc-nudge", "pc:\n  activation: relu\n", "", "batch: 3", "batch: 3\n  beta: 0.1"): &rule.PCNudge{Activation: "relu"},
		withBP(t, "fa:\n  loss: mse\n  activation: relu\n", ""):                                                       &rule.Backprop{Loss: "mse", Activation: "relu"},
		withBP(t, "fa:\n", "bp:\n", "rule: fa", "rule: bp", "mse", "cross_entropy"):                                   &rule.Backprop{Loss: "cross_entropy", Activation: "relu"},
		withBP(t, "[0.1, 0.1]", "[0.1]"):                                                                              &rule.Backprop{Loss: "mse", Activation: "relu"}, // one rate for all layers
	} {
		n, err := Parse("net.yaml", []byte(text))
		require.NoError(t, err, text)
		require.Equal(t, want, n.Own, text)
		require.Equal(t, rule.DefaultOptimizer(), n.Learning.Optimizer)
		back, err := Parse("net.yaml", n.YAML())
		require.NoError(t, err, "%s", n.YAML())
		require.Equal(t, n, back)
	}
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
		{"rule", with(t, "rule: corinfomax", "rule: backprop"), `net.yaml:3:1: rule: "backprop"; want one of corinfomax, ep, csm, pc, pc-nudge, fa, bp`},
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
		{"whole section of other rules", withPC(t, "rule: pc", "rule: bp", "pc:\n  activation: relu\n", "bp: {loss: mse}\n"),
			`net.yaml:6:1: settling: bp has no such setting`},
		{"settings of other rules", withPC(t, "batch: 3", "batch: 3\n  beta: 1\n  contrast: free\n  random_sign: false", "{rule: constant,", "{inference: 0.1, rule: constant,"),
			"net.yaml:9:10: settling.step.inference: pc has no such setting\n" +
				"net.yaml:12:3: learning.beta: pc has no such setting\n" +
				"net.yaml:13:3: learning.contrast: pc has no such setting\n" +
				"net.yaml:14:3: learning.random_sign: pc has no such setting"},
		{"phase of other rules", withPC(t, "  nudged_iterations", "  free_iterations: 3\n  nudged_iterations"), `net.yaml:8:3: settling.free_iterations: pc has no such setting`},
		{"nudging without beta", withPC(t, "rule: pc", "rule: pc-nudge", "pc:\n", "pc-nudge:\n"), `net.yaml:10:1: learning.beta: missing; every network file sets it`},
		{"section of the rule's sibling", withPC(t, "rule: pc", "rule: pc-nudge", "batch: 3", "batch: 3\n  beta: 1"), `net.yaml:5:1: pc: a section of rule pc; this network's rule is pc-nudge`},
		{"loss of predictive coding", withPC(t, "  activation: relu", "  loss: mse"), `net.yaml:6:3: pc.loss: unknown key; did you mean "target"?`},
		{"activation", withPC(t, "relu", "tanh"), `net.yaml:6:3: pc.activation: "tanh"; want one of linear, relu, hard_sigmoid, sigmoid`},
		{"activation of nudging", withPC(t, "rule: pc", "rule: pc-nudge", "pc:\n", "pc-nudge:\n", "relu", "Relu", "batch: 3", "batch: 3\n  beta: 1"),
			`net.yaml:6:3: pc-nudge.activation: "Relu"; want one of linear, relu, hard_sigmoid, sigmoid`},
		{"loss and activation", withBP(t, "mse", "hinge", "relu", "step"), "net.yaml:6:3: fa.loss: \"hinge\"; want one of mse, cross_entropy\n" +
			"net.yaml:7:3: fa.activation: \"step\"; want one of linear, relu, hard_sigmoid, sigmoid"},
		{"rates of backpropagation", withBP(t, "[0.1, 0.1]", "[0.1, 0.1, 0.1]"), `net.yaml:10:3: learning.feedforward: 3 rates; the layers want 2`},
		{"rates of no layer", withBP(t, "[0.1, 0.1]", "[]"), `net.yaml:10:3: learning.feedforward: 0 rates; the layers want 2`},
		{"one target", withPC(t, "relu", "relu\n  target: [0.5]"), `net.yaml:7:3: pc.target: [0.5]; want two numbers, the first below the second`},
		{"targets the other way round", withPC(t, "relu", "relu\n  target: [0.97, 0.03]"), `net.yaml:7:3: pc.target: [0.97 0.03]; want two numbers, the first below the second`},
		{"kind of optimizer", with(t, "batch: 3", "batch: 3\n  optimizer: {kind: adamw, beta1: 0.5}"), `net.yaml:15:15: learning.optimizer.kind: "adamw"; want one of sgd, momentum, adam`},
		{"momentum of sgd", with(t, "batch: 3", "batch: 3\n  optimizer: {momentum: 0.5}"), `net.yaml:15:15: learning.optimizer.momentum: sgd has no such setting`},
		{"settings of adam", with(t, "batch: 3", "batch: 3\n  optimizer: {kind: momentum, beta1: 0.5, plain_root: true}"),
			"net.yaml:15:31: learning.optimizer.beta1: momentum has no such setting\n" +
				"net.yaml:15:43: learning.optimizer.plain_root: momentum has no such setting"},
		{"settings of others", with(t, "batch: 3", "batch: 3\n  optimizer: {kind: adam, momentum: 0.5, weight_decay: 0.1}"),
			"net.yaml:15:27: learning.optimizer.momentum: adam has no such setting\n" +
				"net.yaml:15:42: learning.optimizer.weight_decay: adam has no such setting"},
		{"momentum of 1", with(t, "batch: 3", "batch: 3\n  optimizer: {kind: momentum, momentum: 1}"), `net.yaml:15:31: learning.optimizer.momentum: 1; want 0 or more, below 1`},
		{"weights that grow", with(t, "batch: 3", "batch: 3\n  optimizer: {weight_decay: -0.1}"), `net.yaml:15:15: learning.optimizer.weight_decay: -0.1; want 0 or a positive number`},
		{"betas", with(t, "batch: 3", "batch: 3\n  optimizer: {kind: adam, beta1: -0.1, beta2: 1}"), "net.yaml:15:27: learning.optimizer.beta1: -0.1; want 0 or more, below 1\n" +
			"net.yaml:15:40: learning.optimizer.beta2: 1; want 0 or more, below 1"},
		{"epsilon of 0", with(t, "batch: 3", "batch: 3\n  optimizer: {kind: adam, epsilon: 0}"), `net.yaml:15:27: learning.optimizer.epsilon: 0; want a positive number`},
		{"number for a root", with(t, "batch: 3", "batch: 3\n  optimizer: {kind: adam, plain_root: 1}"), `net.yaml:15:27: learning.optimizer.plain_root: "1"; want true or false`},
		{"key of no optimizer", with(t, "batch: 3", "batch: 3\n  optimizer: {beta3: 0.5}"), `net.yaml:15:15: learning.optimizer.beta3: unknown key; did you mean "beta1"?`},
		{"optimizer of text", with(t, "batch: 3", "batch: 3\n  optimizer: adam"), `net.yaml:15:3: learning.optimizer: "adam"; want keys with values`},
		{"steps of no size", with(t, "start: 0.05", "start: 0"), `net.yaml:12:26: settling.step.start: 0; want a positive number`},
		{"beta below 0", with(t, "beta: 1", "beta: -1"), `net.yaml:15:3: learning.beta: -1; want a positive number`},
		{"factor of 0", with(t, "batch: 3", "batch: 3\n  decay: {factor: 0, batches: 9}"), `net.yaml:15:11: learning.decay.factor: 0; want a number above 0, at most 1`},
		{"mini-batches below 0", with(t, "batch: 3", "batch: 3\n  decay: {factor: 0.9, batches: -1}"), `net.yaml:15:24: learning.decay.batches: -1; want 0 to 2147483647`},
		{"mini-batches beside epochs", with(t, "batch: 3", "batch: 3\n  decay: {factor: 0.9, every: 2, batches: 100}"), `net.yaml:15:34: learning.decay.batches: 100 beside every or then, which count epochs; leave one out`},
		{"mini-batches beside stages", with(t, "batch: 3", "batch: 3\n  decay: {batches: 100, then: [{from: 2, factor: 0.5}]}"), `net.yaml:15:11: learning.decay.batches: 100 beside every or then, which count epochs; leave one out`},
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
		if r := rule.Named(n.Rule); n.Rule != "csm" && !r.Lacks("learning.contrast") {
			n.Learning.Contrast = []string{rule.WithFree, rule.WithThird, rule.WithCentred}[rng.IntN(3)]
		}
		n.Learning.Optimizer = rule.DefaultOptimizer()
		switch o := &n.Learning.Optimizer; rng.IntN(4) {
		case 0:
			o.WeightDecay = rng.Float64()
		case 1:
			o.Kind, o.Momentum, o.WeightDecay = rule.Momentum, rng.Float64(), float64(rng.IntN(2))
		case 2:
			o.Kind, o.Beta1, o.Beta2, o.Epsilon, o.PlainRoot = rule.Adam, rng.Float64(), rng.Float64(), 1-rng.Float64(), rng.IntN(2) == 0
		}
		if rng.IntN(2) == 0 {
			n.Learning.Decay = rule.Decay{Factor: 1 - rng.Float64(), Batches: 1 + rng.IntN(1000)}
		}
		n.Dataset.Path = []string{"", "digits", "/a b/c: d", "#1", "true", "0x1", "- \"q\" \\ 'é'", "*a", "~", "null", ".nan"}[rng.IntN(11)]
		n.Formats = map[string]fx.Type{}
		for range rng.IntN(4) {
			kinds := []string{"r", "drive", "W", "r1", "W0", "dW0"}
			if d := n.Describe(); d.Tensor("drive", 1) < 0 { // one pass upwards, one downwards
				kinds[1] = "e"
			}
			kind := kinds[rng.IntN(len(kinds))]
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

// Package goldentest is what tests of golden's packages share: seeds that are told, and small networks.
package goldentest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"corinfo/golden/network"
	"corinfo/golden/rule"
)

// Seed is a new one, which a failing test tells; CORINFO_SEED repeats it.
func Seed(t testing.TB) uint64 {
	t.Helper()
	seed := rand.Uint64()
	if s := os.Getenv("CORINFO_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatalf("CORINFO_SEED: %v", err)
		}
	}
	t.Logf("CORINFO_SEED=%d repeats this", seed)
	return seed
}

// NeedTool skips a test without its tool, except where CI asks for all of them.
func NeedTool(t testing.TB, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is not installed", name)
		}
		t.Skipf("%s is not installed", name)
	}
}

// Network is one without formats, at the settings of the MNIST runs.
func Network(layers []int, batch int) *network.Network {
	n := &network.Network{Name: "test", Rule: "corinfomax", Layers: layers,
		Own: &rule.CorInfoMax{Epsilon: 0.15, Lambda: 0.99999, Leak: 0.5, Lateral: true},
		Settling: rule.Settling{FreeIterations: 30, NudgedIterations: 10,
			Step: rule.StepSize{Rule: "divide_by_slow_loop_index", Start: 0.05, Stop: 0.001, Decay: 0.01}},
		Learning: rule.Learning{Batch: batch, Beta: 1, RandomSign: true, Contrast: rule.WithFree, Epochs: 1,
			Decay: rule.Decay{Factor: 0.95, Then: []rule.Stage{{From: 15, Factor: 0.9}}}, Optimizer: rule.DefaultOptimizer()},
		Hardware: network.Hardware{Lanes: 1, Contexts: 1, Learning: true, Mode: "events"}}
	n.Dataset.Name = "mnist"
	for k := range n.K() {
		n.Learning.Feedforward = append(n.Learning.Feedforward, 1-0.1*float64(k))
		if k > 0 {
			n.Learning.Feedback = append(n.Learning.Feedback, 0.15)
		}
	}
	return n
}

// CorInfoMax is the section of a network's rule.
func CorInfoMax(n *network.Network) *rule.CorInfoMax { return n.Own.(*rule.CorInfoMax) }

// Run is the network of runs that end within a test.
func Run() *network.Network {
	n := Network([]int{6, 4, 5}, 3)
	n.Settling.EarlyEnd = true
	n.Settling.FreeIterations, n.Settling.NudgedIterations = 6, 4
	n.Learning.Epochs = 3
	return n
}

// Random draws settings from the corners: any depth, batch and step rule, strong lateral synapses, beta other than 1.
func Random(rng *rand.Rand) *network.Network {
	layers := []int{1 + rng.IntN(12)}
	for range 1 + rng.IntN(4) {
		layers = append(layers, 1+rng.IntN(9))
	}
	n := Network(layers, 1+rng.IntN(4))
	own := CorInfoMax(n)
	own.Epsilon = 0.1 + rng.Float64()
	own.Lambda = []float64{0.9, 0.99, 0.99999}[rng.IntN(3)]
	own.Leak = rng.Float64()
	n.Settling.FreeIterations, n.Settling.NudgedIterations = 1+rng.IntN(20), 1+rng.IntN(20)
	n.Settling.Step.Rule = []string{"constant", "divide_by_loop_index", "divide_by_slow_loop_index"}[rng.IntN(3)]
	n.Settling.Step.Decay = rng.Float64()
	n.Learning.Beta = 0.1 + rng.Float64()
	n.Learning.Contrast = []string{rule.WithFree, rule.WithThird}[rng.IntN(2)]
	for k := 1; k <= n.K(); k++ {
		if rng.IntN(3) == 0 {
			own.Sparse.Layers, own.Sparse.Nu = append(own.Sparse.Layers, k), append(own.Sparse.Nu, rng.Float64())
		}
	}
	return n
}

// Samples draws pixels and labels for a network.
func Samples(rng *rand.Rand, n *network.Network, count int) (samples [][]uint8, labels []int) {
	for range count {
		pixels := make([]uint8, n.Layers[0])
		for j := range pixels {
			if rng.IntN(3) > 0 {
				pixels[j] = uint8(rng.IntN(256))
			}
		}
		samples, labels = append(samples, pixels), append(labels, rng.IntN(n.Layers[n.K()]))
	}
	return samples, labels
}

// Of is Run under a rule, at the settings that suit it.
func Of(name string) *network.Network { return Under(Run(), name) }

// Under puts a network of Network's settings under a rule, and gives it the settings that suit that.
func Under(n *network.Network, name string) *network.Network {
	if name == n.Rule {
		return n
	}
	n.Rule, n.Own, n.Learning.Feedback = name, nil, nil
	n.Settling.Step = rule.StepSize{Rule: "constant", Start: 0.5}
	rates := func(first, others float64) {
		for k := range n.Learning.Feedforward {
			n.Learning.Feedforward[k] = others
		}
		n.Learning.Feedforward[0] = first
	}
	rates(0.3, 0.2)
	n.Own = rule.Named(name).Own()
	switch own := n.Own.(type) {
	case *rule.CSM:
		for range n.K() - 1 {
			own.Lateral = append(own.Lateral, -0.1)
		}
	case *rule.PC: // with words beside the synapses
		n.Learning.Optimizer.Kind, n.Learning.Optimizer.PlainRoot = rule.Adam, true
		rates(0.01, 0.01)
		n.Settling.Step.Start = 0.1
	case *rule.PCNudge:
		n.Learning.Beta, n.Settling.Step.Start = 0.25, 0.1
		rates(0.05, 0.05)
	case *rule.Backprop:
		rates(0.01, 0.01)
		if name == "bp" {
			own.Loss, n.Learning.Optimizer.Kind = rule.CrossEntropy, rule.Adam
		} else {
			n.Learning.Optimizer.Kind, n.Learning.Optimizer.WeightDecay = rule.Momentum, 0.001
		}
	}
	n, err := network.Parse("network", n.YAML()) // without what the rule lacks
	if err != nil {
		panic(err)
	}
	return n
}

// ReplaceIn changes the first place of old in a file, which must have one.
func ReplaceIn(t testing.TB, path, old, new string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, after, ok := strings.Cut(string(text), old)
	if !ok || old == new {
		t.Fatalf("%s has no %q to change to %q", path, old, new)
	}
	if err := os.WriteFile(path, []byte(before+new+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// FromFile is CorInfoMax from the text of a network file: a network of layers with rates that match them, lines of its own in
// the section of its rule, and more behind.
func FromFile(t testing.TB, layers []int, batch int, own, more string) *network.Network {
	t.Helper()
	rates := func(n int, value string) string {
		return "[" + strings.TrimSuffix(strings.Repeat(value+", ", max(n, 0)), ", ") + "]"
	}
	text := fmt.Sprintf(`name: tester
dataset: {name: mnist}
layers: [%s]
rule: corinfomax
corinfomax:
  epsilon: 0.15
  lambda: 0.99999
  leak: 0.5
  %s
settling: {free_iterations: 6, nudged_iterations: 4, step: {rule: divide_by_slow_loop_index, start: 0.05, stop: 0.001, decay: 0.01}}
learning: {batch: %d, beta: 1, feedforward: %s, feedback: %s, epochs: 1}
seed: 7
%s`, strings.Trim(strings.Join(strings.Fields(fmt.Sprint(layers)), ","), "[]"), own, batch, rates(len(layers)-1, "0.5"), rates(len(layers)-2, "0.15"), more)
	n, err := network.Parse("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

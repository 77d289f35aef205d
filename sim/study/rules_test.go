package study

import (
	"context"
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden"
	"corinfo/golden/network"
	"corinfo/golden/rule"
)

// rules writes the small network file once for each rule, into the folder of digits.
func rules(t *testing.T, dir string) {
	t.Helper()
	text, err := os.ReadFile(digits(t, dir))
	require.NoError(t, err)
	for name, section := range map[string]string{"ep": "", "csm": "csm: {lateral: [-0.05]}"} {
		other := strings.NewReplacer("rule: corinfomax", "rule: "+name, "corinfomax: {epsilon: 0.15, lambda: 0.999, leak: 0.5}", section, ", feedback: [0.15]", "",
			"start: 0.05", "start: 0.5").Replace(string(text))
		writeFile(t, dir, name+".yaml", other)
	}
}

// load reads a study of the small networks.
func load(t *testing.T, text string) (*Study, error) {
	t.Helper()
	dir := t.TempDir()
	rules(t, dir)
	return Load(writeFile(t, dir, "study.yaml", "name: rules\n"+text))
}

// TestRules: networks of all rules in one study, of either kind, with a tensor that they share.
func TestRules(t *testing.T) {
	for kind, axis := range map[string]string{Inference: "{set: [r.fraction], values: [3, 9]}", Learning: "{set: [W.width, rate.width], values: [14, 18]}"} {
		t.Run(kind, func(t *testing.T) {
			s, err := load(t, "kind: "+kind+"\nepochs: 10\naxes:\n  - {set: [network], values: [network.yaml, ep.yaml, csm.yaml]}\n  - "+axis+
				"\n  - {set: [layers], values: [\"[16, 10, 3]\"]}\nsearch: {max_loss: 100}\n")
			require.NoError(t, err)
			plan, table := alone(t, s)
			list := plan.Summaries()
			require.Len(t, list, 6)
			for _, x := range list {
				n, err := network.Parse("trial", []byte(x.Chosen.Trial.Network))
				require.NoError(t, err)
				require.Equal(t, []string{"corinfomax", "ep", "csm"}[x.Point[0]], n.Rule)
				require.Equal(t, []int{16, 10, 3}, n.Layers)
				require.Equal(t, 10, n.Learning.Epochs, "the study's own")
				r := x.Chosen.Result
				require.True(t, r.Good(), "%+v", r)
				require.True(t, x.Hardware)
				require.True(t, r.MemoryBits > 0 && r.Multipliers > 0 && r.Cycles > 0 && r.Learning > 0)
				require.Positive(t, r.SynapseBits)
				require.NotEmpty(t, r.Overflows)
				require.Greater(t, x.Accuracy, 0.5, "one in three by chance")
			}
			rows, err := csv.NewReader(strings.NewReader(string(table))).ReadAll()
			require.NoError(t, err)
			require.Len(t, rows, 1+6+3, "a float run per rule")
			for _, row := range rows[1:] {
				cell := map[string]string{}
				for i, name := range rows[0] {
					cell[name] = row[i]
				}
				for _, name := range []string{"memory_bits", "multipliers", "cycles_per_inference"} {
					require.Equal(t, cell["kind"] == kind, cell[name] != "", "%s: %v", name, row)
				}
				require.Equal(t, cell["kind"] == kind, cell["synapse_bits"] != "")
				require.Equal(t, kind == Learning && cell["kind"] == kind, cell["cycles_per_learning_sample"] != "")
			}
			require.Equal(t, "memory bits", CostOf(list).Name)
			cheapest := list[0]
			for _, x := range list {
				if x.MemoryBits < cheapest.MemoryBits {
					cheapest = x
				}
			}
			require.Equal(t, cheapest.MemoryBits, plan.Recommended().MemoryBits, "every loss is allowed")
		})
	}
}

// TestCosts: points without hardware are compared by the bits of their synapses, and the hardware's figures are left out, not zero.
func TestCosts(t *testing.T) {
	has, lacks := Summary{Good: true, Hardware: true}, Summary{Good: true}
	require.Equal(t, "memory bits", CostOf([]Summary{has}).Name)
	require.Equal(t, "synapse bits", CostOf([]Summary{has, lacks}).Name)
	require.Len(t, Columns([]Summary{has, lacks}), 4)
	require.Len(t, Columns([]Summary{lacks}), 1)
	require.Empty(t, hardware[0].Text(&lacks))
}

// TestQuantizedOfAnyRule: the recommended run of a network of any rule can be made.
func TestQuantizedOfAnyRule(t *testing.T) {
	s, err := load(t, "network: csm.yaml\nkind: inference\naxes: [{set: [M.width], values: [12]}, {set: [b1.rounding], values: [TRN]}]\nsearch: {max_loss: 100}\n")
	require.NoError(t, err)
	o := Options{Folder: filepath.Join(t.TempDir(), "study"), Version: "test"}
	plan, err := Run(context.Background(), s, o)
	require.NoError(t, err)
	run, ranges, err := Quantized(context.Background(), plan.Recommended().Chosen, o)
	require.NoError(t, err)
	require.Equal(t, 12, run.Network.Formats["M"].Width)
	require.NotEmpty(t, ranges)
}

// TestRuleSettings: a setting of any rule is an axis, lists too; what does not go with a network is said with its place.
func TestRuleSettings(t *testing.T) {
	s, err := load(t, `network: csm.yaml
kind: learning
axes:
  - {set: [csm.lateral], values: ["[-0.1]", "[-0.01]"]}
  - {set: [learning.feedforward], values: ["[0.5, 0.25]", "[1, 1]"]}
  - {set: [settling.step.inference, settling.step.decay], values: [0, 0.25]}
  - {set: [learning.decay.then], values: ["[{from: 1, factor: 0.5}]"]}
`)
	require.NoError(t, err)
	n := s.base(nil).Clone()
	require.NoError(t, s.apply(n, Point{1, 1, 1, 0}, false))
	require.Equal(t, &rule.CSM{Lateral: []float64{-0.01}}, n.Own)
	require.Equal(t, []float64{1, 1}, n.Learning.Feedforward)
	require.Equal(t, 0.25, n.Settling.Step.Inference)
	require.Equal(t, []rule.Stage{{From: 1, Factor: 0.5}}, n.Learning.Decay.Then)
	require.Equal(t, &rule.CSM{Lateral: []float64{-0.05}}, s.base(nil).Own, "the base is untouched")

	for name, c := range map[string]struct{ text, want string }{
		"of another rule": {"network: ep.yaml\nkind: learning\naxes: [{set: [corinfomax.lambda], values: [0.9]}]\n",
			":4:8: axes[0]: corinfomax.lambda: a setting of rule corinfomax; this network's rule is ep"},
		"that a rule has not": {"network: ep.yaml\nkind: learning\naxes: [{set: [learning.feedback], values: [\"[1]\"]}]\n", "axes[0]: learning.feedback: ep has no such setting"},
		"tensor of another rule": {"kind: learning\naxes: [{set: [network], values: [csm.yaml, ep.yaml]}, {set: [M.width], values: [9]}]\n",
			`axes[1]: M.width: unknown setting; did you mean "W"?, in network ep.yaml`},
		"the rule": {"network: ep.yaml\nkind: learning\naxes: [{set: [rule], values: [csm]}]\n", "axes[0]: rule: a rule has settings of its own; take whole networks: {set: [network], values: [..]}"},
		"list":     {"network: csm.yaml\nkind: learning\naxes: [{set: [csm.lateral], values: [\"[-0.1, -0.1]\"]}]\n", "axes[0]: csm.lateral: 2 rates; the layers want 1"},
		"number":   {"network: csm.yaml\nkind: learning\naxes: [{set: [csm.lateral], values: [\"[-3]\"]}]\n", "axes[0]: csm.lateral: -3; want a number below 0"},
		"network twice": {"network: ep.yaml\nkind: learning\naxes: [{set: [network], values: [csm.yaml]}]\n",
			":2:1: network: ep.yaml; axes[0] says which networks: leave it out"},
		"two axes of networks": {"kind: learning\naxes: [{set: [network], values: [csm.yaml]}, {set: [network], values: [ep.yaml]}]\n", "axes[1].set: network again"},
		"not alone":            {"kind: learning\naxes: [{set: [network, W.width], values: [csm.yaml]}]\n", "axes[0].set: network beside other settings"},
		"no network":           {"kind: learning\naxes: [{set: [network], values: [csm.yaml, mnits]}]\n", ":3:25: axes[0].values: mnits: no such network file; presets are tiny, "},
		"epochs":               {"kind: learning\naxes: [{set: [network], values: [csm.yaml, mnist-ep]}]\n", "epochs: missing; csm.yaml has 2, mnist-ep 50"},
		"greedy":               {"kind: learning\naxes: [{set: [network], values: [csm.yaml, ep.yaml]}]\nsearch: {method: min+1}\n", "want ascending numbers"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, c.text)
			require.ErrorIs(t, err, golden.ErrUsage)
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "\n", "one line")
		})
	}
}

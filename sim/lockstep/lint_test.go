package lockstep

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden/goldentest"
	"corinfo/golden/network"
	"corinfo/golden/rule"
	"corinfo/hdlgen/design"
)

// lint is what the linters say of a design's files in their order; "" is a clean design.
func lint(t *testing.T, d *design.Design) string {
	t.Helper()
	dir, top, said := d.Dir, d.Plan.Network.Name, ""
	for _, command := range [][]string{
		append([]string{"verilator", "--lint-only", "-Wall", "--top-module", top}, d.Manifest.Files...),
		append([]string{"iverilog", "-g2005", "-Wall", "-t", "null", "-s", top}, d.Manifest.Files...),
		{"yosys", "-q", "-p", "read_verilog " + strings.Join(d.Manifest.Files, " ") + "; hierarchy -check -top " + top + "; proc; check -assert"},
	} {
		cmd := exec.Command(command[0], command[1:]...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if said += string(out); err != nil {
			said += fmt.Sprintf("%s: %v\n", command[0], err)
		}
	}
	return strings.TrimSpace(said)
}

// Printed designs lint without a word in all three tools: over rules, optimizers, lanes, units, contexts, mini-batches and sparse
// layers.
func TestDesignsLint(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rule                   string
		layers                 []int
		batch                  int
		lanes, units, contexts int
		change                 func(n *network.Network)
	}{
		{rule: "corinfomax", layers: []int{12, 9, 8, 5}, batch: 3, lanes: 6, units: 2, contexts: 2},
		{rule: "corinfomax", layers: []int{5, 1, 2}, batch: 1, lanes: 1, units: 1, contexts: 1, change: func(n *network.Network) {
			own := goldentest.CorInfoMax(n)
			own.Sparse, own.Lateral = rule.Sparse{Layers: []int{1}, Nu: []float64{0.1}}, false
		}},
		{rule: "corinfomax", layers: []int{20, 40}, batch: 20, lanes: 40, units: 8, contexts: 4, change: func(n *network.Network) {
			n.Learning.Contrast, n.Hardware.Mode = rule.WithCentred, "dense"
			goldentest.CorInfoMax(n).Sparse = rule.Sparse{Layers: []int{1}, Nu: []float64{0.1}}
		}},
		{rule: "ep", layers: []int{1, 1}, batch: 1, lanes: 1, units: 1, contexts: 1},
		{rule: "ep", layers: []int{9, 7, 3}, batch: 4, lanes: 7, units: 7, contexts: 3},
		{rule: "csm", layers: []int{9, 7, 3}, batch: 2, lanes: 4, units: 1, contexts: 1},
		{rule: "pc", layers: []int{9, 7, 3}, batch: 2, lanes: 4, units: 2, contexts: 2},
		{rule: "pc-nudge", layers: []int{9, 7, 3}, batch: 1, lanes: 4, units: 2, contexts: 1},
		{rule: "fa", layers: []int{9, 7, 3}, batch: 2, lanes: 2, units: 2, contexts: 2},
		{rule: "bp", layers: []int{9, 7, 3}, batch: 2, lanes: 5, units: 5, contexts: 1},
	} {
		t.Run(fmt.Sprintf("%s %v %d lanes %d units", c.rule, c.layers, c.lanes, c.units), func(t *testing.T) {
			n := ruleNetwork(c.rule, c.layers, c.batch, rand.New(rand.NewPCG(4, 0)))
			n.Hardware.Contexts = c.contexts
			if c.change != nil {
				c.change(n)
			}
			p, err := design.New(n, c.lanes, c.units, plainTarget)
			require.NoError(t, err)
			require.Empty(t, lint(t, generated(t, p, model(t, n))))
		})
	}
}

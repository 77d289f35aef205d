package lockstep

import (
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden/goldentest"
	"corinfo/golden/network"
	"corinfo/golden/rule"
	"corinfo/hdlgen"
	"corinfo/hdlgen/design"
	"corinfo/sim"
)

// closingCase is a design whose shape differs from others in what the closing part meets.
type closingCase struct {
	rule         string
	layers       []int
	batch        int
	lanes, units int
	contexts     int
	wires        int
	rings        int
	change       func(n *network.Network)
}

// hostTables lets the host at all tables.
func hostTables(n *network.Network) { n.Hardware.HostTables = true }

func (c *closingCase) plan(t *testing.T, rng *rand.Rand) *design.Plan {
	t.Helper()
	n := ruleNetwork(c.rule, c.layers, c.batch, rng)
	n.Hardware.Contexts = c.contexts
	if c.change != nil {
		c.change(n)
	}
	target := plainTarget
	target.WireCycles, target.RingCycles = c.wires, c.rings
	p, err := design.New(n, c.lanes, c.units, target)
	require.NoError(t, err)
	return p
}

func (c *closingCase) generate(t *testing.T, rng *rand.Rand) *design.Design {
	t.Helper()
	p := c.plan(t, rng)
	return generated(t, p, model(t, p.Network))
}

var closingCases = []closingCase{
	{rule: "corinfomax", layers: []int{7, 5, 4}, batch: 2, lanes: 2, units: 1, contexts: 3, wires: 2, change: func(n *network.Network) {
		goldentest.CorInfoMax(n).Sparse = rule.Sparse{Layers: []int{1}, Nu: []float64{0.1}}
		n.Learning.Contrast = rule.WithCentred
	}},
	{rule: "ep", layers: []int{6, 5, 3}, batch: 3, lanes: 4, units: 2, contexts: 2, wires: 1, change: hostTables},
	{rule: "pc-nudge", layers: []int{5, 1, 2}, batch: 1, lanes: 1, units: 1, contexts: 1},
	{rule: "fa", layers: []int{6, 4, 3}, batch: 2, lanes: 6, units: 6, contexts: 4, change: func(n *network.Network) { n.Hardware.Mode = "dense" }},
	{rule: "bp", layers: []int{4, 3, 2}, batch: 1, lanes: 2, units: 1, contexts: 2, change: hostTables},
	{rule: "pc", layers: []int{4, 3, 2}, batch: 2, lanes: 3, units: 1, contexts: 1, wires: 1},
	{rule: "csm", layers: []int{5, 4, 3, 2}, batch: 2, lanes: 3, units: 3, contexts: 2},
}

// samplesOf draws samples for a design.
func samplesOf(d *design.Design, count int, rng *rand.Rand) (list []hdlgen.Sample) {
	for _, x := range draw(rng, d.Plan.Network, d.Learner.Machine, 0, count) {
		list = append(list, x.Sample)
	}
	return list
}

// The model follows the closing part, for every rule, whatever was before it.
func TestClosingPart(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(10, goldentest.Seed(t)))
	for i, c := range closingCases {
		t.Run(c.rule, func(t *testing.T) {
			d := c.generate(t, rng)
			o := sim.Options{Simulator: simulatorOf(i), Inference: samplesOf(d, 1, rng), Learning: samplesOf(d, c.batch+rng.IntN(2), rng), Again: true, Closing: true, Properties: true}
			report, err := Cosim(t.Context(), d, o)
			require.NoError(t, err)
			require.Nil(t, report.Mismatch, "%v", report.Mismatch)
			require.Equal(t, report.After.Model, report.After.RTL)
			require.Greater(t, report.Closing.Resets, 10)
			require.Equal(t, 2, report.Closing.Aborts)
			require.Greater(t, report.Closing.Words, 50)
		})
	}
}

// verilogPath is the path of a module's file in a design's folder.
func verilogPath(dir, file string) string {
	if strings.HasPrefix(file, "corinfo_") {
		return filepath.Join(dir, "library", file)
	}
	return filepath.Join(dir, "rtl", file)
}

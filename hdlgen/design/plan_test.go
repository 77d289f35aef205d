package design

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/constraints"
	fx "corinfo/fixedpoint"
	"corinfo/golden"
	"corinfo/golden/goldentest"
	"corinfo/golden/network"
	"corinfo/golden/rule"
	"corinfo/hdlgen"
)

// Formulas with equal operands are one, but not where a unit reduces words of different formats: two neurons of 10 bits have a
// sum as long as that of one of 11.
func TestReducedWordsTellFormulasApart(t *testing.T) {
	n := goldentest.Network([]int{5, 2, 1}, 1)
	goldentest.CorInfoMax(n).Sparse = rule.Sparse{Layers: []int{1, 2}, Nu: []float64{0.1, 0.1}}
	n.Formats = map[string]fx.Type{"r1": {Format: fx.U(10, 9)}, "r2": {Format: fx.U(11, 9)}}
	p, err := New(n, 1, 1, hdlgen.FastTarget)
	require.NoError(t, err)
	var reduced []fx.Format
	for _, f := range p.Formulas {
		if f.Reduces != "" {
			reduced = append(reduced, p.reduced(f))
		}
	}
	require.Equal(t, []fx.Format{fx.U(10, 9), fx.U(11, 9)}, reduced)

	n.Layers, n.Formats["r1"] = []int{5, 1, 1}, n.Formats["r2"]
	p, err = New(n, 1, 1, hdlgen.FastTarget)
	require.NoError(t, err)
	for _, f := range p.Formulas {
		require.True(t, f.Reduces == "" || f.Layer == 1)
	}
}

// What a design takes is what Yosys 0.23 makes of it (docs/BOARDS.md).
func TestMemoriesAndMultipliersAsSynthesized(t *testing.T) {
	text, err := network.Preset("mnist")
	require.NoError(t, err)
	n, err := network.Parse("mnist", text)
	require.NoError(t, err)
	n.Layers = []int{784, 128, 10}
	family, err := constraints.GetFamily("ecp5")
	require.NoError(t, err)
	board, err := constraints.Get("ulx3s-85f")
	require.NoError(t, err)
	for _, c := range []struct {
		lanes, units, blocks, multipliers int
		inference                         bool
	}{{8, 1, 180, 17, false}, {16, 2, 191, 33, false}, {64, 8, 185, 129, false}, {16, 2, 132, 25, true}} {
		n.Hardware.Learning = !c.inference
		p, err := New(n, c.lanes, c.units, family.Target)
		require.NoError(t, err)
		e, err := Estimate(p, nil)
		require.NoError(t, err)
		f := e.Fit(board)
		require.Equal(t, []int{c.blocks, c.multipliers}, []int{f.BRAM.Used, f.DSP.Used}, "%d lanes, inference only: %v", c.lanes, c.inference)
	}
}

// A step whose changes wait is followed by one of its group, and the control knows whether there are such.
func TestGroups(t *testing.T) {
	grouped := map[string]bool{"ep": true, "csm": true, "pc": true, "pc-nudge": true}
	for _, r := range rule.Rules {
		n := goldentest.Under(goldentest.Network([]int{5, 4, 3, 2}, 2), r.Name)
		p, err := New(n, 2, 1, hdlgen.FastTarget)
		require.NoError(t, err)
		require.Equal(t, grouped[r.Name], p.Groups(), r.Name)
		for i, x := range p.Program {
			if x.Hold {
				next := p.Program[i+1]
				require.Equal(t, []any{OpStep, x.Phase, x.Iteration}, []any{next.Op, next.Phase, next.Iteration},
					"%s: instruction %d", r.Name, i)
			}
		}
	}
}

// Words that a layer shares change alone: in a group they would go out before its last step has read.
func TestSharedStepsInGroups(t *testing.T) {
	n := goldentest.Network([]int{5, 3, 2}, 1)
	goldentest.CorInfoMax(n).Sparse = rule.Sparse{Layers: []int{1}, Nu: []float64{0.1}}
	p, err := New(n, 1, 1, hdlgen.FastTarget)
	require.NoError(t, err)
	shared := slices.IndexFunc(p.D.Steps, func(s rule.Step) bool { return s.Shared })
	require.GreaterOrEqual(t, shared, 0)
	p.D.Phases[0].Order = [][]int{{0, shared}}
	err = p.refuse()
	require.ErrorIs(t, err, golden.ErrUsage)
	require.ErrorContains(t, err, p.D.Steps[shared].Name)
}

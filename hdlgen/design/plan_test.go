package design

import (
	"testing"

	"github.com/stretchr/testify/require"

	fx "corinfo/fixedpoint"
	"corinfo/golden/goldentest"
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

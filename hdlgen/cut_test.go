package hdlgen

import (
	"testing"

	"github.com/stretchr/testify/require"

	fx "corinfo/fixedpoint"
	"corinfo/hdlgen/settling"
)

// The two parts of a synapse's update give, with the product between them, the words and overflows of the whole.
func TestCutAtRate(t *testing.T) {
	rng := testSeed(t)
	for _, f := range mutatedFormats {
		a, err := settling.New(testNetworkOf(t, []int{5, 4, 3}, 2, f.own, f.lines))
		require.NoError(t, err)
		for i := range a.Matrices {
			whole := a.Matrices[i].Graph
			head, tail, err := cutAtRate(whole)
			require.NoError(t, err)
			for _, vector := range randomVectors(rng, whole, 200) {
				words := map[string]int64{}
				for k, v := range whole.Inputs() {
					words[whole.Nodes()[v].Name] = vector[k]
				}
				run := func(g *fx.Graph) (outputs map[string]int64, overflows map[string]bool) {
					var in []int64
					for _, v := range g.Inputs() {
						word, known := words[g.Nodes()[v].Name]
						require.True(t, known, g.Nodes()[v].Name)
						in = append(in, word)
					}
					outputs, overflows = map[string]int64{}, map[string]bool{}
					out, over := g.Eval(in)
					for k, o := range g.Outputs() {
						outputs[o.Name] = out[k]
					}
					for k, v := range g.Resizes() {
						overflows[g.Nodes()[v].Name] = over[k]
					}
					return outputs, overflows
				}
				wantOut, wantOver := run(whole)
				out, over := run(head)
				words["change"] = words["rate"] * out["factor"]
				delete(out, "factor")
				lateOut, lateOver := run(tail)
				for name, word := range lateOut {
					out[name] = word
				}
				for name, flag := range lateOver {
					over[name] = flag
				}
				require.Equal(t, wantOut, out, "%s %s %v", f.name, a.Matrices[i].Name(), vector)
				require.Equal(t, wantOver, over, "%s %s %v", f.name, a.Matrices[i].Name(), vector)
			}
		}
	}
	g := fx.NewGraph("plain")
	g.Output("out", g.Input("in", fx.U(3, 0)))
	_, _, err := cutAtRate(g)
	require.ErrorContains(t, err, "plain")
}

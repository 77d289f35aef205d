package weights_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden/goldentest"
	"corinfo/golden/rule"
	"corinfo/golden/weights"
)

// TestInitial: matrices begin as docs/ARITHMETIC.md says of every rule, each drawn from the stream of its number.
func TestInitial(t *testing.T) {
	for _, r := range rule.Rules {
		n := goldentest.Of(r.Name)
		d := n.Describe()
		w := weights.Initial(d, 7)
		for number, at := range d.Stored() {
			tensor := d.Tensors[d.Projections[at].Tensor]
			rows, cols := w[number].Dims()
			limit := math.Sqrt(6 / float64(rows+cols)) // Xavier-uniform
			switch kind := tensor.Kind; {
			case kind == "C" || kind == "M":
				continue
			case kind == "b" && (r.Name == "ep" || r.Name == "csm"):
				limit = 0
			case kind == "b":
				limit = 1 / math.Sqrt(float64(n.Layers[tensor.Index-1]))
			case kind == "W" && (r.Name == "pc" || r.Name == "pc-nudge"):
				limit = math.Sqrt(6 / float64(n.Layers[tensor.Index]))
			case kind == "W" && (r.Name == "fa" || r.Name == "bp"):
				limit = 1 / math.Sqrt(float64(n.Layers[tensor.Index]))
			}
			stream := rand.NewPCG(7, uint64(number))
			for i := range rows {
				for j := range cols {
					want := (2*float64(stream.Uint64()%(1<<53))/(1<<53) - 1) * limit
					require.InDelta(t, want, w[number].At(i, j), 0, "%s: %v row %d column %d", r.Name, tensor, i, j)
				}
			}
		}
	}
}

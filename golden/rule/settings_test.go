package rule

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDecay: stages are powers of the whole epoch number, as in the runs of docs/NETWORKS.md, of every so many epochs.
func TestDecay(t *testing.T) {
	staged := Decay{Factor: 0.95, Then: []Stage{{From: 15, Factor: 0.9}, {From: 20, Factor: 0.8}}}
	for epoch := range 50 {
		want := math.Pow(0.95, float64(epoch))
		if epoch >= 15 {
			want = math.Pow(0.9, float64(epoch))
		}
		if epoch >= 20 {
			want = math.Pow(0.8, float64(epoch))
		}
		require.InEpsilon(t, want, staged.At(Moment{Epoch: epoch}), 1e-14, epoch)
		require.InEpsilon(t, math.Pow(0.75, float64(epoch/15)), Decay{Factor: 0.75, Every: 15}.At(Moment{Epoch: epoch}), 1e-14, epoch)
		require.InEpsilon(t, math.Pow(0.75, float64(epoch/15)), Decay{Factor: 0.75, Batches: 15}.At(Moment{Epoch: 3, Update: epoch}), 1e-14, epoch)
		require.Equal(t, 1.0, Decay{Factor: 1}.At(Moment{Epoch: epoch}))
	}
	require.Equal(t, math.Pow(0.9, 40), Decay{Factor: 0.9}.At(Moment{Epoch: 40}))
}

func TestEta(t *testing.T) {
	cases := map[string][3]float64{ // s = 0, 3, 100
		"constant":                  {0.05, 0.05, 0.05},
		"divide_by_loop_index":      {0.05, 0.05 / 4, 0.001},
		"divide_by_slow_loop_index": {0.05, 0.05 / 1.03, 0.025},
	}
	for name, want := range cases {
		for _, inference := range []float64{0, 0.3} {
			step := StepSize{Rule: name, Start: 0.05, Stop: 0.001, Decay: 0.01, Inference: inference}
			for i, s := range []int{0, 3, 100} {
				require.Equal(t, want[i], step.Eta(Moment{Iteration: s}), name)
				tested := want[i]
				if inference > 0 {
					tested = inference
				}
				require.Equal(t, tested, step.Eta(Moment{Iteration: s, Inference: true}), name)
			}
		}
	}
}

package training

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden/dataset"
	"corinfo/golden/goldentest"
	"corinfo/golden/rule"
)

// TestNormalizedInputs: inputs of three planes are (pixel / 255 - mean) / deviation of their plane in real numbers, and in words
// that, rounded to a type that has a sign: CIFAR-10's means, and three of its standard deviations.
func TestNormalizedInputs(t *testing.T) {
	mean, deviation := []float64{0.4914, 0.4822, 0.4465}, []float64{3 * 0.2023, 3 * 0.1994, 3 * 0.2010}
	rng := rand.New(rand.NewPCG(goldentest.Seed(t), 0))
	for _, r := range rule.Rules {
		for _, arithmetic := range []string{Float, Float32, Fixed} {
			t.Run(fmt.Sprint(r.Name, " ", arithmetic), func(t *testing.T) {
				n := goldentest.Of(r.Name)
				n.Layers[0] = 3 * 7
				n.Dataset.Normalize = dataset.Normalize{Mean: mean, Deviation: deviation}
				c, misfits, err := NewCheckpoint(n, arithmetic, 5)
				require.NoError(t, err)
				require.Empty(t, misfits)
				l, err := NewLearner(c)
				require.NoError(t, err)
				samples, labels := goldentest.Samples(rng, n, 40)
				samples[0] = make([]uint8, 21) // black, which the smallest inputs are
				samples[1] = make([]uint8, 21)
				for i := range samples[1] {
					samples[1][i] = 255
				}
				states := l.States(samples)
				require.Less(t, states[0].At(0, 0), -0.8)
				require.Greater(t, states[0].At(1, 20), 0.9)
				for i, pixels := range samples {
					for j, p := range pixels {
						want := (float64(p)/255 - mean[j/7]) / deviation[j/7]
						switch arithmetic {
						case Float32:
							want = float64(float32(want))
						case Fixed: // ap_fixed<10,1,RND,SAT>: 9 places behind the point
							want = math.Floor(want*512+0.5) / 512
						}
						require.Equal(t, want, states[0].At(i, j), "sample %d, input %d", i, j)
					}
				}
				start := l.Tensors()
				l.Learn(samples[:3], labels[:3], false)
				require.NotEqual(t, start[0], l.Tensors()[0])
			})
		}
	}
}

package golden

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// floatDigits are synthetic samples with as many zero pixels as MNIST has, 82 in 100.
func floatDigits(n *Network, count int) ([][]uint8, []int) {
	rng := rand.New(rand.NewPCG(1, 1))
	samples, labels := make([][]uint8, count), make([]int, count)
	for i := range samples {
		samples[i] = make([]uint8, n.Layers[0])
		for j := range samples[i] {
			if rng.IntN(100) >= 82 {
				samples[i][j] = uint8(1 + rng.IntN(255))
			}
		}
		labels[i] = rng.IntN(n.Layers[n.K()])
	}
	return samples, labels
}

func BenchmarkFloat(b *testing.B) {
	for _, hidden := range []int{64, 500} {
		n := floatNetwork([]int{784, hidden, 10}, 20)
		b.Run(fmt.Sprintf("learn/784-%d-10", hidden), func(b *testing.B) {
			m := newFloat(b, n)
			samples, labels := floatDigits(n, 20)
			for b.Loop() {
				m.LearnBatch(samples, labels, false)
			}
			b.ReportMetric(float64(len(samples)*b.N)/b.Elapsed().Seconds(), "samples/s")
		})
		b.Run(fmt.Sprintf("classify/784-%d-10", hidden), func(b *testing.B) {
			m := newFloat(b, n)
			samples, _ := floatDigits(n, 1000)
			classes := make([]int, len(samples))
			for b.Loop() {
				m.ClassifyBatch(samples, classes)
			}
			b.ReportMetric(float64(len(samples)*b.N)/b.Elapsed().Seconds(), "samples/s")
		})
	}
}

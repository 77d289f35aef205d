package golden_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// BenchmarkMachine learns and classifies mini-batches of 20 random digits, with the default types and
// initial weights of the paper's MNIST settings.
func BenchmarkMachine(b *testing.B) {
	for _, hidden := range []int{64, 500} {
		n := digitNetwork([]int{784, hidden, 10}, 20)
		samples, labels := digits(rand.New(rand.NewPCG(1, 2)), n, n.Learning.Batch)
		rate := func(b *testing.B) {
			b.ReportMetric(float64(b.N*len(samples))/b.Elapsed().Seconds(), "samples/s")
		}
		b.Run(fmt.Sprintf("learn/784-%d-10", hidden), func(b *testing.B) {
			m := startMachine(b, n)
			b.ResetTimer()
			for i := range b.N {
				m.LearnBatch(samples, labels, i%2 == 1)
			}
			rate(b)
		})
		b.Run(fmt.Sprintf("classify/784-%d-10", hidden), func(b *testing.B) {
			m := startMachine(b, n)
			classes := make([]int, len(samples))
			b.ResetTimer()
			for range b.N {
				m.ClassifyBatch(samples, classes)
			}
			rate(b)
		})
	}
}

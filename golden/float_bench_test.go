package golden

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"corinfo/golden/simd"
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

// BenchmarkFloat learns and classifies; -cpu 1,2 shows it on one processor and two. %peak is the share of what
// the processors could do in registers alone.
func BenchmarkFloat(b *testing.B) {
	b.Run("float32", benchmarkFloat[float32])
	b.Run("float64", benchmarkFloat[float64])
}

func benchmarkFloat[T simd.Float](b *testing.B) {
	for _, hidden := range []int{64, 500} {
		n := floatNetwork([]int{784, hidden, 10}, 20)
		m, err := NewFloatModel[T](n, InitialWeights(n, 7))
		if err != nil {
			b.Fatal(err)
		}
		free, learn := floatWork(n)
		report := func(b *testing.B, samples int, work float64) {
			rate := float64(samples*b.N) / b.Elapsed().Seconds()
			b.ReportMetric(rate, "samples/s")
			peak := simd.Peak[T](50*time.Millisecond) * float64(runtime.GOMAXPROCS(0))
			b.ReportMetric(100*rate*work/peak, "%peak")
		}
		b.Run(fmt.Sprintf("learn/784-%d-10", hidden), func(b *testing.B) {
			samples, labels := floatDigits(n, 20)
			for b.Loop() {
				m.LearnBatch(samples, labels, false)
			}
			report(b, len(samples), learn)
		})
		b.Run(fmt.Sprintf("classify/784-%d-10", hidden), func(b *testing.B) {
			samples, _ := floatDigits(n, 1200)
			classes := make([]int, len(samples))
			for b.Loop() {
				m.ClassifyBatch(samples, classes)
			}
			report(b, len(samples), free)
		})
	}
}

// floatWork is how many multiply-adds the products of one sample take: to classify it, and to learn it.
func floatWork(n *Network) (free, learn float64) {
	K := n.K()
	input := float64(n.Layers[0] * n.Layers[1])
	iteration, errors := 0.0, 0.0
	for k := 1; k <= K; k++ {
		lateral := float64(n.Layers[k] * n.Layers[k])
		iteration += lateral
		errors += 2 * lateral // C r, c c'
		if k < K {
			between := float64(n.Layers[k] * n.Layers[k+1])
			iteration += 2 * between  // W and F
			errors += 2 * 4 * between // in both roles e, d and their outer products
		}
	}
	free = input + float64(n.Settling.FreeIterations)*iteration
	return free, free + float64(n.Settling.NudgedIterations)*iteration + errors + input
}

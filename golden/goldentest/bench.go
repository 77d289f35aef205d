package goldentest

import (
	"math/rand/v2"
	"strings"
	"testing"

	"corinfo/golden/network"
	"corinfo/golden/rule"
)

// BenchmarkMNIST learns mini-batches with every preset on MNIST, under its name; start makes a model of its description and
// size of mini-batch, and gives what learns. The samples are random and as dense as digits. -cpu 1,2 shows one processor and two.
func BenchmarkMNIST(b *testing.B, start func(b *testing.B, d *rule.Description, batch int) func(samples [][]uint8, labels []int, negative bool) int) {
	for _, name := range network.Presets() {
		if name != "mnist" && !strings.HasPrefix(name, "mnist-") {
			continue
		}
		b.Run(name, func(b *testing.B) {
			text, err := network.Preset(name)
			if err != nil {
				b.Fatal(err)
			}
			n, err := network.Parse(name, text)
			if err != nil {
				b.Fatal(err)
			}
			rng := rand.New(rand.NewPCG(1, 2))
			samples, labels := make([][]uint8, n.Learning.Batch), make([]int, n.Learning.Batch)
			for i := range samples {
				samples[i], labels[i] = make([]uint8, n.Layers[0]), rng.IntN(n.Layers[n.K()])
				for j := range samples[i] {
					if rng.IntN(100) < 19 {
						samples[i][j] = uint8(1 + rng.IntN(255))
					}
				}
			}
			learn := start(b, n.Describe(), len(samples))
			b.ResetTimer()
			for i := range b.N { // b.Loop does not heed -cpu
				learn(samples, labels, i%2 == 1)
			}
			b.ReportMetric(float64(len(samples)*b.N)/b.Elapsed().Seconds(), "samples/s")
		})
	}
}

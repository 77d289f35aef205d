package float

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden/rule"
	"corinfo/golden/simd"
	"corinfo/golden/weights"
)

// TestBitsOfBefore holds CorInfoMax in float32 to the very bits that it had when its formulas were written out in
// Go, loop by loop: a hash of all synapses after twelve mini-batches.
func TestBitsOfBefore(t *testing.T) {
	for _, c := range []struct {
		network string
		lambda  float64
		correct int // of 240 samples before they were learned
		hash    string
	}{
		{"plain", 0.99999, 31, "94b6bc1394f156d4"},
		{"plain", 0.9, 31, "6db5b49e21f0b029"},
		{"sparse", 0.99999, 31, "fd725db246634e6b"},
		{"sparse", 0.9, 28, "4addb08474de257a"},
		{"third", 0.99999, 31, "f462695ab8040af3"},
		{"third", 0.9, 32, "dabe4a1770c94c30"},
		{"three layers", 0.99999, 28, "8274be00b8acc48f"},
		{"three layers", 0.9, 30, "26926615e40d27cd"},
		{"sparse hidden third", 0.99999, 29, "b57477fc48252a88"},
		{"sparse hidden third", 0.9, 30, "bf7628ae901ba00f"},
	} {
		t.Run(fmt.Sprint(c.network, " ", c.lambda), func(t *testing.T) {
			correct, hash := twelveBatches[float32](t, settingsOfBefore(c.network, c.lambda))
			require.Equal(t, c.correct, correct)
			require.Equal(t, c.hash, hash)
		})
	}
}

func settingsOfBefore(network string, lambda float64) *rule.Settings {
	own := &rule.CorInfoMax{Epsilon: 0.15, Lambda: lambda, Leak: 0.5, Lateral: true}
	s := &rule.Settings{Layers: []int{784, 64, 10}, Own: own,
		Settling: rule.Settling{FreeIterations: 30, NudgedIterations: 10,
			Step: rule.StepSize{Rule: "divide_by_slow_loop_index", Start: 0.05, Stop: 0.001, Decay: 0.01}},
		Learning: rule.Learning{Batch: 20, Beta: 1, Contrast: rule.WithFree, Feedforward: []float64{1, 0.7}, Feedback: []float64{0.15},
			Decay: rule.Decay{Factor: 0.95}}}
	switch network {
	case "sparse":
		own.Sparse = rule.Sparse{Layers: []int{1, 2}, Nu: []float64{1e-2, 0.05}}
	case "sparse hidden third":
		own.Sparse = rule.Sparse{Layers: []int{1}, Nu: []float64{1e-2}}
		s.Learning.Contrast = rule.WithThird
	case "third":
		s.Learning.Contrast = rule.WithThird
	case "three layers":
		s.Layers = []int{784, 60, 40, 10}
		s.Learning.Feedforward, s.Learning.Feedback = []float64{1, 0.7, 0.5}, []float64{0.15, 0.1}
	}
	return s
}

func twelveBatches[T simd.Float](t *testing.T, s *rule.Settings) (correct int, hash string) {
	d := rule.Named("corinfomax").Describe(s)
	m, err := New[T](d, 20, pixels(), weights.Initial(d, 3))
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(1, 2))
	for b := range 12 {
		m.SetEpoch(b / 4)
		var samples [][]uint8
		var labels []int
		for range 20 {
			x := make([]uint8, 784)
			for i := range x {
				if rng.IntN(5) == 0 {
					x[i] = uint8(rng.IntN(256))
				}
			}
			samples, labels = append(samples, x), append(labels, rng.IntN(10))
		}
		correct += m.Learn(samples, labels, b%2 == 1)
	}
	h := sha256.New()
	for _, w := range m.Weights() {
		for _, v := range w.RawMatrix().Data {
			_ = binary.Write(h, binary.LittleEndian, math.Float64bits(v+0)) // no zero is negative
		}
	}
	return correct, fmt.Sprintf("%x", h.Sum(nil)[:8])
}

// pixels are the inputs of a single plane of 0 .. 1.
func pixels() [][256]float64 {
	var table [256]float64
	for p := range table {
		table[p] = float64(p) / 255
	}
	return [][256]float64{table}
}

package machine_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden/arithmetic"
	"corinfo/golden/machine"
	"corinfo/golden/rule"
	"corinfo/golden/weights"
)

// TestBitsOfBefore holds CorInfoMax in words to the very bits that it had when its formulas were written out in Go: hashes
// of all synapses and of all counts after twelve mini-batches.
func TestBitsOfBefore(t *testing.T) {
	for _, c := range []struct {
		network string
		lambda  float64
		correct int // of 240 samples before they were learned
		hash    string
		counts  string
	}{
		{"plain", 0.99999, 30, "7d8164c79305946f", "26fde7f87ead197f"},
		{"plain", 0.9, 32, "c8039e7ff84a26c6", "39318de2a345f6a1"},
		{"sparse", 0.99999, 31, "395df260120d922d", "caa58192c066399a"},
		{"sparse", 0.9, 29, "69be05acb2db2195", "1abd37b193ef9229"},
		{"third", 0.99999, 31, "3c5027a69cf3d99d", "622105a21e9ed358"},
		{"third", 0.9, 32, "dedbe116120464f1", "9b1240c25227c7c4"},
		{"three layers", 0.99999, 29, "ba2908ea37f119ee", "d0d5fe5da8885a5a"},
		{"three layers", 0.9, 29, "52f8253e08be9d6e", "e2312bdd368f065d"},
		{"sparse hidden third", 0.99999, 28, "da8151fc2e90324b", "87ea09d6bf1e878f"},
		{"sparse hidden third", 0.9, 29, "f66e07fa485e48b5", "86a1dd686d310251"},
	} {
		t.Run(fmt.Sprint(c.network, " ", c.lambda), func(t *testing.T) {
			m, correct := twelveBatches(t, settingsOfBefore(c.network, c.lambda))
			require.Equal(t, c.correct, correct)
			h := sha256.New()
			for _, p := range m.A.D.Stored() {
				for row := range m.A.D.Projections[p].Rows {
					for col := range m.A.D.Projections[p].Cols {
						_ = binary.Write(h, binary.LittleEndian, m.Synapse(p, row, col))
					}
				}
			}
			require.Equal(t, c.hash, fmt.Sprintf("%x", h.Sum(nil)[:8]))
			n := m.Counts()
			for _, counts := range []map[string]int64{n.Overflows, n.Lost} {
				for name, count := range counts {
					if count == 0 {
						delete(counts, name)
					}
				}
			}
			all := fmt.Sprint(n.Events, n.Products, n.DenseProducts, n.Steps, n.Overflows, n.Lost, n.UpdateTerms)
			require.Equal(t, c.counts, fmt.Sprintf("%x", sha256.Sum256([]byte(all)))[:16], all)
		})
	}
}

func settingsOfBefore(network string, lambda float64) *rule.Settings {
	own := &rule.CorInfoMax{Epsilon: 0.15, Lambda: lambda, Leak: 0.5, Lateral: true}
	s := &rule.Settings{Layers: []int{784, 64, 10}, Own: own,
		Settling: rule.Settling{FreeIterations: 30, NudgedIterations: 10, EarlyEnd: true,
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

func twelveBatches(t *testing.T, s *rule.Settings) (m *machine.Machine, correct int) {
	d := rule.Named("corinfomax").Describe(s)
	a, err := arithmetic.New(d, 20, nil, pixels())
	require.NoError(t, err)
	m = machine.New(a, 3)
	set(t, m, weights.Initial(d, 3))
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
	return m, correct
}

func set(t testing.TB, m *machine.Machine, w weights.Weights) {
	for i, p := range m.A.D.Stored() {
		stored := m.A.Types[m.A.D.Projections[p].Tensor]
		rows, cols := w[i].Dims()
		for r := range rows {
			for c := range cols {
				word, _, err := stored.FromFloat(w[i].At(r, c))
				require.NoError(t, err)
				m.SetSynapse(p, r, c, word)
			}
		}
	}
}

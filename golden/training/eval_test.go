package training

import (
	"context"
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"corinfo/golden/dataset"
	"corinfo/golden/goldentest"
	"corinfo/golden/weights"
)

// answers is a learner that takes a sample's first pixel for its class.
type answers struct {
	Learner
	asked int
}

func (a *answers) Classify(samples [][]uint8, classes []int) {
	for i, s := range samples {
		classes[i] = int(s[0])
	}
	a.asked += len(samples)
}

func TestEvaluate(t *testing.T) {
	set := &dataset.Set{Size: 2, Labels: []uint8{0, 0, 0, 1, 1, 3}, Pixels: []uint8{0, 9, 0, 9, 3, 9, 1, 9, 0, 9, 3, 9}}
	e, err := Evaluate(t.Context(), &answers{}, set, 4, nil)
	require.NoError(t, err)
	require.Equal(t, &Evaluation{Samples: 6, Correct: 4, Accuracy: 4.0 / 6,
		Confusion: [][]int{{2, 0, 0, 1}, {1, 1, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 1}},
		Classes: []ClassMetrics{
			{Class: 0, Count: 3, Predicted: 3, Recall: 2.0 / 3, Precision: 2.0 / 3},
			{Class: 1, Count: 2, Predicted: 1, Recall: 0.5, Precision: 1},
			{Class: 2},
			{Class: 3, Count: 1, Predicted: 2, Recall: 1, Precision: 0.5},
		}}, e)
	text, err := json.Marshal(e)
	require.NoError(t, err)
	require.Contains(t, string(text), `"samples":6,"correct":4,"accuracy":0.66`)
	require.Contains(t, string(text), `{"class":1,"count":2,"predicted":1,"recall":0.5,"precision":1}`)

	e, err = Evaluate(t.Context(), &answers{}, &dataset.Set{Size: 2}, 2, nil)
	require.NoError(t, err)
	require.Zero(t, e.Accuracy)
}

// TestEvaluateBlocks covers sets of several blocks, progress and cancellation.
func TestEvaluateBlocks(t *testing.T) {
	const n = 2*evaluationBlock + 7
	set := &dataset.Set{Size: 1, Labels: make([]uint8, n), Pixels: make([]uint8, n)}
	for i := range n {
		set.Labels[i], set.Pixels[i] = uint8(i%10), uint8(i%10)
	}
	set.Pixels[n-1] = (set.Pixels[n-1] + 1) % 10
	var heard []int
	e, err := Evaluate(t.Context(), &answers{}, set, 10, func(done, total int) {
		require.Equal(t, n, total)
		heard = append(heard, done)
	})
	require.NoError(t, err)
	require.Equal(t, [2]int{n, n - 1}, [2]int{e.Samples, e.Correct})
	require.Equal(t, []int{evaluationBlock, 2 * evaluationBlock, n}, heard)

	ctx, cancel := context.WithCancel(t.Context())
	l := &answers{}
	_, err = Evaluate(ctx, l, set, 10, func(int, int) { cancel() })
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, evaluationBlock, l.asked)
}

func TestAngles(t *testing.T) {
	w1 := mat.NewDense(2, 3, []float64{1, 2, 3, 4, 5, 6})
	transposed := mat.DenseCopyOf(w1.T())
	scaled := func(f float64) *mat.Dense {
		m := new(mat.Dense)
		m.Scale(f, transposed)
		return m
	}
	orthogonal := mat.NewDense(3, 2, []float64{2, 0, -1, 0, 0, 0}) // 1*2 - 2*1 = 0
	half := mat.NewDense(3, 2, []float64{1, 0, 0, 0, 0, 0})        // cosine 1 / sqrt(91)
	cases := []struct {
		f    *mat.Dense
		want float64
	}{
		{transposed, 0}, {scaled(3), 0}, {scaled(-2), 180}, {orthogonal, 90}, {mat.NewDense(3, 2, nil), 90},
		{half, math.Acos(1/math.Sqrt(91)) * 180 / math.Pi},
	}
	for i, c := range cases {
		w := weights.Weights{{Name: "W0", Dense: mat.NewDense(3, 5, nil)}, {Name: "W1", Dense: w1}, {Name: "F1", Dense: c.f}}
		angles := w.Angles(goldentest.Network([]int{5, 3, 2}, 1).Describe())
		require.Len(t, angles, 1)
		require.Equal(t, 1, angles[0].Layer)
		require.InDelta(t, c.want, angles[0].Degrees, 2e-6, "case %d", i) // acos near 1 loses half of the digits
	}
	require.Empty(t, weights.Weights{{Name: "W0", Dense: w1}}.Angles(goldentest.Network([]int{3, 2}, 1).Describe()))
}

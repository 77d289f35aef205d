package training

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/floats"

	"corinfo/golden"
	"corinfo/golden/goldentest"
	"corinfo/golden/machine"
	"corinfo/golden/weights"
)

// TestCorrectAndStates: what Learn counts and States gives are what Classify finds before the update.
func TestCorrectAndStates(t *testing.T) {
	rng := rand.New(rand.NewPCG(goldentest.Seed(t), 0))
	for _, arithmetic := range []string{Float, Float32, Fixed} {
		l, err := NewLearner(newRun(t, arithmetic))
		require.NoError(t, err)
		data := trainData()
		right := 0
		for batch := range 60 {
			samples, labels, classes := make([][]uint8, 3), make([]int, 3), make([]int, 3)
			for i := range samples {
				at := rng.IntN(data.Train.Len())
				samples[i], labels[i] = data.Train.Sample(at), int(data.Train.Labels[at])
			}
			l.Classify(samples, classes)
			states := l.States(samples)
			require.Len(t, states, 3)
			want := 0
			for i, class := range classes {
				for j, pixel := range samples[i] {
					require.InDelta(t, float64(pixel)/255, states[0].At(i, j), 1.0/256)
				}
				require.Equal(t, class, floats.MaxIdx(states[2].RawRowView(i)))
				if class == labels[i] {
					want++
				}
			}
			require.Equal(t, want, l.Learn(samples, labels, batch%2 == 0), "mini-batch %d", batch)
			right += want
		}
		require.NotZero(t, right)
		require.Less(t, right, 180)
		require.Nil(t, l.States(nil))
	}
}

// TestMachineStates holds the states against the words of a trace.
func TestMachineStates(t *testing.T) {
	m, _, err := StartMachine(goldentest.Run(), nil)
	require.NoError(t, err)
	data := trainData()
	samples := make([][]uint8, data.Train.Len())
	for i := range samples {
		samples[i] = data.Train.Sample(i)
	}
	states := m.States(samples)
	x, some := make([]int64, 6), false
	for i, pixels := range samples {
		m.A.Input(pixels, x)
		for j, word := range x {
			require.Equal(t, m.A.Type("x", 0).Float(word), states[0].At(i, j))
		}
		var trace machine.Trace
		m.Run(x, machine.Command{}, &trace)
		words := map[int][]int64{} // the last of every layer
		for _, record := range trace.Records {
			words[m.A.D.Steps[record.Step].Layer] = record.Words[1]
		}
		for k := 1; k <= 2; k++ {
			for j, word := range words[k] {
				some = some || word != 0
				require.Equal(t, m.A.Type("r", k).Float(word), states[k].At(i, j), "sample %d, r%d", i, k)
			}
		}
	}
	require.True(t, some, "all states are 0")
}

// TestFloatTensors: tensors of a checkpoint come back from a float model, and those that are refused are not taken.
func TestFloatTensors(t *testing.T) {
	n := goldentest.Network([]int{12, 9, 8, 5}, 2)
	for _, arithmetic := range []string{Float, Float32} {
		learner := func(seed uint32) Learner {
			c, _, err := NewCheckpoint(n, arithmetic, seed)
			require.NoError(t, err)
			l, err := NewLearner(c)
			require.NoError(t, err)
			require.Equal(t, c.Tensors, l.Tensors())
			for i, x := range weights.Initial(n.Describe(), seed) {
				for j, v := range x.RawMatrix().Data {
					if arithmetic == Float32 {
						v = float64(float32(v))
					}
					require.Equal(t, v, c.Tensors[i].Values[j], "%s[%d]", x.Name, j)
				}
			}
			return l
		}
		list, other := learner(1).Tensors(), learner(7)
		before := other.Tensors()
		require.NotEqual(t, before, list, "equal from the start: nothing is tested")
		for _, c := range []struct {
			name   string
			change func(list []Tensor) []Tensor
			want   error
		}{
			{"short list", func(l []Tensor) []Tensor { return l[1:] }, golden.ErrUsage},
			{"order", func(l []Tensor) []Tensor { l[0], l[1] = l[1], l[0]; return l }, golden.ErrUsage},
			{"shape", func(l []Tensor) []Tensor { l[4].Rows, l[4].Cols = l[4].Cols, l[4].Rows; return l }, golden.ErrUsage},
			{"size", func(l []Tensor) []Tensor { l[4].Rows++; return l }, golden.ErrDamaged},
			{"words of no type", func(l []Tensor) []Tensor { l[7].Words, l[7].Values = make([]int64, 25), nil; return l }, golden.ErrDamaged},
			{"length", func(l []Tensor) []Tensor { l[7].Values = l[7].Values[1:]; return l }, golden.ErrDamaged},
			{"NaN", func(l []Tensor) []Tensor {
				l[7].Values = slices.Clone(l[7].Values)
				l[7].Values[3] = math.NaN()
				return l
			}, golden.ErrDamaged},
		} {
			require.ErrorIs(t, other.SetTensors(c.change(slices.Clone(list))), c.want, c.name)
			require.Equal(t, before, other.Tensors(), c.name)
		}
		require.NoError(t, other.SetTensors(list))
		require.Equal(t, list, other.Tensors())
	}

	// Weights beyond float32 are refused there alone.
	w := weights.Initial(n.Describe(), 1)
	w.Named("F1").Set(1, 0, -1e39)
	_, _, err := NewCheckpointOf(n, Float32, 1, w)
	require.ErrorIs(t, err, golden.ErrUsage)
	require.ErrorContains(t, err, "F1 row 1 column 0: -1e+39 is beyond float32; take arithmetic float")
	_, _, err = NewCheckpointOf(n, Float, 1, w)
	require.NoError(t, err)
}

package golden

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCorrectAndStates: what LearnBatch counts and States gives are what ClassifyBatch finds before the update.
func TestCorrectAndStates(t *testing.T) {
	rng := rand.New(rand.NewPCG(floatSeed(t), 0))
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
			l.ClassifyBatch(samples, classes)
			states := l.States(samples)
			require.Len(t, states, 3)
			want := 0
			for i, class := range classes {
				for j, pixel := range samples[i] {
					require.InDelta(t, float64(pixel)/255, states[0].At(i, j), 1.0/256)
				}
				require.Equal(t, class, largest(states[2].RawRowView(i)))
				if class == labels[i] {
					want++
				}
			}
			require.Equal(t, want, l.LearnBatch(samples, labels, batch%2 == 0), "mini-batch %d", batch)
			right += want
		}
		require.NotZero(t, right)
		require.Less(t, right, 180)
		require.Nil(t, l.States(nil))
	}
}

// TestMachineStates holds the states against the words of a trace.
func TestMachineStates(t *testing.T) {
	m, _, err := StartMachine(runNetwork(), nil)
	require.NoError(t, err)
	data := trainData()
	samples := make([][]uint8, data.Train.Len())
	for i := range samples {
		samples[i] = data.Train.Sample(i)
	}
	states := m.States(samples)
	x, some := make([]int64, 6), false
	for i, pixels := range samples {
		m.A.QuantizeInput(pixels, x)
		for j, word := range x {
			require.Equal(t, m.A.Formats.X.Float(word), states[0].At(i, j))
		}
		var trace Trace
		m.Run(x, Command{}, &trace)
		words := map[int][]int64{} // the last of every layer
		for _, record := range trace.Records {
			words[record.Layer] = record.R
		}
		for k := 1; k <= 2; k++ {
			for j, word := range words[k] {
				some = some || word != 0
				require.Equal(t, m.A.Formats.Layer[k].R.Float(word), states[k].At(i, j), "sample %d, r%d", i, k)
			}
		}
	}
	require.True(t, some, "all states are 0")
}

// TestFloatStates holds the states of more samples than a block against the oracle's.
func TestFloatStates(t *testing.T) {
	rng := rand.New(rand.NewPCG(floatSeed(t), 0))
	n := floatNetwork([]int{20, 13, 9, 7}, 3)
	samples, _, x, y := floatSamples(rng, n, classifyRows+5)
	states := newFloat(t, n).States(samples)
	o := newOracle(n, InitialWeights(n, 7))
	for i := range samples {
		r := sampleStates{x[i]}
		for _, neurons := range n.Layers[1:] {
			r = append(r, make([]float64, neurons))
		}
		o.phase(r, make([]float64, len(r)), y[i], 0, n.Settling.FreeIterations)
		for k := range r {
			require.InDeltaSlice(t, r[k], states[k].RawRowView(i), 1e-12, "sample %d, r%d", i, k)
		}
	}
}

package training

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"corinfo/golden"
	"corinfo/golden/goldentest"
	"corinfo/golden/rule"
	"corinfo/golden/weights"
)

// randomStates are states of a network's layers, a third of them 0.
func randomStates(rng *rand.Rand, layers []int, samples int) []*mat.Dense {
	var states []*mat.Dense
	for _, neurons := range layers {
		m := mat.NewDense(samples, neurons, nil)
		for i := range samples {
			for j := range neurons {
				if rng.IntN(3) > 0 {
					m.Set(i, j, rng.Float64())
				}
			}
		}
		states = append(states, m)
	}
	return states
}

// describeWith is a network of an epsilon.
func describeWith(epsilon float64, layers ...int) *rule.Description {
	n := goldentest.Network(layers, 1)
	goldentest.CorInfoMax(n).Epsilon = epsilon
	return n.Describe()
}

// eigenEntropy is 1/2 log det(R + epsilon I) by the eigenvalues of a matrix of sums in another order.
func eigenEntropy(t *testing.T, x func(sample, neuron int) float64, samples, neurons int, epsilon float64) float64 {
	r := mat.NewSymDense(neurons, nil)
	for a := range neurons {
		for b := a; b < neurons; b++ {
			sum := 0.0
			for i := range samples {
				sum += x(i, a) * x(i, b) / float64(samples)
			}
			r.SetSym(a, b, sum)
		}
	}
	var eigen mat.EigenSym
	require.True(t, eigen.Factorize(r, false))
	sum := 0.0
	for _, v := range eigen.Values(nil) {
		sum += math.Log(v + epsilon)
	}
	return sum / 2
}

func TestInformationAgainstEigenvalues(t *testing.T) {
	rng := rand.New(rand.NewPCG(goldentest.Seed(t), 0))
	for range 20 {
		n := goldentest.Random(rng)
		w, samples := weights.Initial(n.Describe(), rng.Uint32()), 1+rng.IntN(60) // fewer than neurons too
		states := randomStates(rng, n.Layers, samples)
		list, err := CorrelativeInformation(n.Describe(), w, states)
		require.NoError(t, err)
		require.Len(t, list, n.K())
		for k, got := range list {
			require.Equal(t, k, got.Layer)
			lower, upper := n.Layers[k], n.Layers[k+1]
			low := func(sample, neuron int) float64 { return states[k].At(sample, neuron) }
			high := func(sample, neuron int) float64 { return states[k+1].At(sample, neuron) }
			both := func(sample, neuron int) float64 {
				if neuron < lower {
					return low(sample, neuron)
				}
				return high(sample, neuron-lower)
			}
			entropy := func(x func(sample, neuron int) float64, neurons int) float64 {
				return eigenEntropy(t, x, samples, neurons, goldentest.CorInfoMax(n).Epsilon)
			}
			close := func(want, got float64) { require.InDelta(t, want, got, 1e-9*(1+math.Abs(want))) }
			close(entropy(low, lower)+entropy(high, upper)-entropy(both, lower+upper), got.Nats)
			require.GreaterOrEqual(t, got.Nats, -1e-9)
			close(entropy(high, upper)-entropy(func(sample, neuron int) float64 {
				return high(sample, neuron) - floats.Dot(w.Named(fmt.Sprint("W", k)).RawRowView(neuron), states[k].RawRowView(sample))
			}, upper), got.Forward)
			if k == 0 {
				require.Nil(t, got.Backward)
				continue
			}
			close(entropy(low, lower)-entropy(func(sample, neuron int) float64 {
				return low(sample, neuron) - floats.Dot(w.Named(fmt.Sprint("F", k)).RawRowView(neuron), states[k+1].RawRowView(sample))
			}, lower), *got.Backward)
		}
	}
}

// TestInformationOfBestPrediction holds the definition against the paper's: the information that the regularised
// linear prediction with the least mean square error leaves, in either direction.
func TestInformationOfBestPrediction(t *testing.T) {
	const epsilon = 0.15
	states := randomStates(rand.New(rand.NewPCG(goldentest.Seed(t), 0)), []int{5, 4}, 40)
	list, err := CorrelativeInformation(describeWith(epsilon, 5, 4), weights.Weights{{Name: "W0", Dense: mat.NewDense(4, 5, nil)}}, states)
	require.NoError(t, err)
	for from, to := range []int{1, 0} {
		var cross, predicted, rest mat.Dense
		cross.Mul(states[to].T(), states[from])
		cross.Scale(1.0/40, &cross)
		require.NoError(t, predicted.Solve(secondMoments(rowsOf(states[from]), epsilon), cross.T()))
		rest.Mul(&cross, &predicted) // R_yx (R_x + epsilon I)^-1 R_xy
		neurons, _ := rest.Dims()
		r := secondMoments(rowsOf(states[to]), epsilon)
		left := mat.NewSymDense(neurons, nil)
		for i := range neurons {
			for j := i; j < neurons; j++ {
				left.SetSym(i, j, r.At(i, j)-rest.At(i, j))
			}
		}
		require.InDelta(t, correlativeEntropy(r, epsilon)-correlativeEntropy(left, epsilon), list[0].Nats, 1e-12)

		// The same by the errors of the prediction and the charge for its weights.
		var predictions, errs, charge mat.Dense
		predictions.Mul(states[from], &predicted)
		errs.Sub(states[to], &predictions)
		charge.Mul(predicted.T(), &predicted)
		moments := secondMoments(rowsOf(&errs), epsilon)
		for i := range neurons {
			for j := i; j < neurons; j++ {
				moments.SetSym(i, j, moments.At(i, j)+epsilon*charge.At(i, j))
			}
		}
		require.InDelta(t, correlativeEntropy(r, epsilon)-correlativeEntropy(moments, epsilon), list[0].Nats, 1e-12)
	}
}

func TestInformationKnownCases(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	states := randomStates(rng, []int{4, 3, 2}, 50)
	zeros := func() weights.Weights {
		return weights.Weights{{Name: "W0", Dense: mat.NewDense(3, 4, nil)}, {Name: "W1", Dense: mat.NewDense(2, 3, nil)}, {Name: "F1", Dense: mat.NewDense(3, 2, nil)}}
	}
	list, err := CorrelativeInformation(describeWith(0.15, 4, 3, 2), zeros(), states)
	require.NoError(t, err)
	// The rest of nothing explained is the state itself.
	require.Zero(t, list[0].Forward)
	require.Zero(t, list[1].Forward)
	require.Zero(t, *list[1].Backward)

	// All explained: the rest is 0, and its log det that of epsilon I.
	w := zeros()
	for i, row := range [][]float64{{0.5, 1, 0, 0}, {0, 0.25, 0.5, 0}, {1, 0, 0, 2}} {
		w.Named("W0").SetRow(i, row)
	}
	states[1].Mul(states[0], w.Named("W0").T())
	list, err = CorrelativeInformation(describeWith(0.15, 4, 3, 2), w, states)
	require.NoError(t, err)
	want := eigenEntropy(t, states[1].At, 50, 3, 0.15) - 3*math.Log(0.15)/2
	require.InDelta(t, want, list[0].Forward, 1e-12)
	require.Greater(t, want, list[0].Nats, "synapses are not charged for their size")
	require.Positive(t, list[0].Nats)

	// One neuron: 1/2 log((m + epsilon) / (m' + epsilon)) of the mean squares.
	one := []*mat.Dense{mat.NewDense(2, 1, []float64{1, 2}), mat.NewDense(2, 1, []float64{3, 5})}
	list, err = CorrelativeInformation(describeWith(0.5, 1, 1), weights.Weights{{Name: "W0", Dense: mat.NewDense(1, 1, []float64{2})}}, one)
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.InDelta(t, math.Log((17+0.5)/(1+0.5))/2, list[0].Forward, 1e-15)
	require.InDelta(t, math.Log(3*17.5/(3*17.5-6.5*6.5))/2, list[0].Nats, 1e-12) // of the determinant of two

	// Silent and equal neurons with an epsilon that rounding swallows: Cholesky has no root.
	states = randomStates(rng, []int{4, 3, 2}, 50)
	for i := range 50 {
		states[1].SetRow(i, []float64{states[1].At(i, 0), states[1].At(i, 0), 0})
	}
	list, err = CorrelativeInformation(describeWith(1e-300, 4, 3, 2), zeros(), states)
	require.NoError(t, err)
	require.Zero(t, list[0].Forward)
	require.InDelta(t, -300*math.Ln10, correlativeEntropy(secondMoments(rowsOf(states[1]), 1e-300), 1e-300), 40, "two eigenvalues of epsilon, halved")

	states[2].Set(3, 1, math.NaN())
	_, err = CorrelativeInformation(describeWith(0.15, 4, 3, 2), zeros(), states)
	require.ErrorIs(t, err, golden.ErrDamaged)
	require.ErrorContains(t, err, "information of r1 and r2 is NaN")
}

func TestInformationProcessors(t *testing.T) {
	n := goldentest.Network([]int{90, 200, 130, 3}, 7)
	states := randomStates(rand.New(rand.NewPCG(1, 1)), n.Layers, 300)
	var lists [2][]Information
	for i, processors := range []int{1, 3} {
		before := runtime.GOMAXPROCS(processors)
		var err error
		lists[i], err = CorrelativeInformation(n.Describe(), weights.Initial(n.Describe(), 7), states)
		runtime.GOMAXPROCS(before)
		require.NoError(t, err)
	}
	require.Equal(t, lists[0], lists[1])
}

// BenchmarkMeasure takes the figures of an epoch of the paper's MNIST network.
func BenchmarkMeasure(b *testing.B) {
	n := goldentest.Network([]int{784, 500, 10}, 20)
	states, w := randomStates(rand.New(rand.NewPCG(1, 1)), n.Layers, MeasuredSamples), weights.Initial(n.Describe(), 7)
	for b.Loop() {
		if _, err := measure(n.Describe(), w, states); err != nil {
			b.Fatal(err)
		}
	}
}

package calibrate

import (
	"context"
	"encoding/json"
	"maps"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	fx "corinfo/fixedpoint"
	"corinfo/golden"
	"corinfo/golden/goldentest"
	"corinfo/golden/weights"
)

// TestDistribution holds counts, quantiles and noise against the values themselves.
func TestDistribution(t *testing.T) {
	rng := rand.New(rand.NewPCG(goldentest.Seed(t), 0))
	stored := fx.Type{Format: fx.S(8, 5), Rounding: fx.Rnd, Overflow: fx.Sat} // -4 to 3.97
	var values []float64
	for range 2000 {
		values = append(values, rng.NormFloat64()*math.Exp(rng.NormFloat64()))
	}
	values = append(values, 0, 0, 0, -1e-9, 100)
	d := newDistribution(values[:700], stored)
	d.merge(newDistribution(values[700:], stored))
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	require.EqualValues(t, len(values), d.Values)
	require.EqualValues(t, 3, d.Zeros)
	require.Equal(t, sorted[0], d.Min)
	require.Equal(t, sorted[len(sorted)-1], d.Max)
	for _, share := range []float64{0, 0.01, 0.25, 0.5, 0.51, 0.9, 1} {
		exact := sorted[max(0, int(math.Ceil(share*float64(len(sorted))))-1)]
		got := d.Quantile(share)
		require.GreaterOrEqual(t, got, exact, "share %v", share)
		require.LessOrEqual(t, got, max(exact*math.Exp2(0.25), exact*math.Exp2(-0.25))+1e-12, "share %v", share)
	}
	magnitudes := map[int]int64{}
	var signal, noise float64
	for _, v := range values {
		if v != 0 {
			magnitudes[int(math.Floor(4*math.Log2(math.Abs(v))))]++
		}
		word, _, err := stored.FromFloat(v)
		require.NoError(t, err)
		signal, noise = signal+v*v, noise+(v-stored.Float(word))*(v-stored.Float(word))
	}
	for _, m := range []Magnitude{d.Negative, d.Positive} {
		for i, n := range m.Counts {
			magnitudes[m.First+i] -= n
		}
	}
	for at, left := range magnitudes {
		require.Zero(t, left, "part %d", at)
	}
	got, known := d.SQNR()
	require.True(t, known)
	require.InDelta(t, 10*math.Log10(signal/noise), got, 0.02)

	none := newDistribution([]float64{0, math.NaN(), math.Inf(1)}, stored)
	_, known = none.SQNR()
	require.False(t, known)
	require.EqualValues(t, 2, none.NotFinite)
	require.Zero(t, none.Quantile(0.5))
	require.Zero(t, none.MagnitudeQuantile(0.5))
	_, known = newDistribution([]float64{0.5, -1}, stored).SQNR()
	require.False(t, known, "nothing is lost of these")
}

// TestDistributions: every tensor that has a type is described, with the ends that Quantize records and the bits that it
// chooses, and the same on any number of processors.
func TestDistributions(t *testing.T) {
	n := goldentest.Network([]int{20, 13, 9, 7}, 3)
	rng := rand.New(rand.NewPCG(goldentest.Seed(t), 0))
	samples, labels := goldentest.Samples(rng, n, 10)
	w := weights.Initial(n.Describe(), 5)
	list, err := Distributions(context.Background(), n, w, samples, labels)
	require.NoError(t, err)
	q, ranges, _, err := Quantize(context.Background(), n, w, samples, labels, EachLayer)
	require.NoError(t, err)
	require.Equal(t, ranges, RangesOf(list))
	require.Equal(t, slices.Sorted(maps.Keys(ranges)), formatNames(n))
	for _, x := range list {
		chosen, ok := q.Formats[x.Tensor]
		require.True(t, ok, x.Tensor)
		if x.Tensor[0] != 'u' { // it must hold r besides
			require.Equal(t, chosen.Width-chosen.Frac, x.IntegerBits, x.Tensor)
		}
		require.Equal(t, x.Tensor != "x" && x.Tensor[0] != 'r', x.GuardBits == 1, x.Tensor)
	}
	text, err := EncodeRanges(list)
	require.NoError(t, err)
	var back []TensorRange
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, list, back)

	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	alone, err := Distributions(context.Background(), n, w, samples, labels)
	require.NoError(t, err)
	again, err := EncodeRanges(alone)
	require.NoError(t, err)
	require.Equal(t, string(text), string(again))

	_, err = Distributions(context.Background(), n, w, samples, labels[:3])
	require.ErrorIs(t, err, golden.ErrUsage)
}

package design

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/constraints"
	"corinfo/golden"
	"corinfo/hdlgen"
)

// Of those that fit and are almost the fastest, the one with the fewest multipliers, then the fewest samples in flight, is chosen.
func TestChoose(t *testing.T) {
	of := func(learning float64, multipliers, contexts int, fits bool) Choice {
		return Choice{Contexts: contexts, CyclesPerInference: 1, CyclesPerLearning: learning, Multipliers: multipliers, Fits: fits}
	}
	for name, c := range map[string]struct {
		list []Choice
		want int // below 0: none
	}{
		"none":                {nil, -1},
		"none fits":           {[]Choice{of(10, 1, 1, false)}, -1},
		"the fastest":         {[]Choice{of(111, 1, 1, true), of(100, 9, 4, true)}, 1},
		"fewer multipliers":   {[]Choice{of(100, 9, 1, true), of(110, 8, 4, true)}, 1},
		"fewer in flight":     {[]Choice{of(100, 9, 4, true), of(101, 9, 3, true)}, 1},
		"the first of equals": {[]Choice{of(100, 9, 4, true), of(100, 9, 4, true)}, 0},
		"what fits":           {[]Choice{of(50, 1, 1, false), of(100, 9, 4, true)}, 1},
		"inferences":          {[]Choice{{CyclesPerInference: 5, Fits: true}, {CyclesPerInference: 4, Fits: true, Multipliers: 7}}, 1},
	} {
		choose(c.list)
		for i := range c.list {
			require.Equal(t, i == c.want, c.list[i].Chosen, "%s %d", name, i)
		}
	}
}

// Every divisor of the lanes and every number of samples in flight is there, with the figures of Estimate.
func TestChoices(t *testing.T) {
	n := testNetwork(t, []int{20, 14, 6}, 2, "")
	board, err := constraints.Get("ulx3s-85f")
	require.NoError(t, err)
	for _, b := range []*constraints.Board{nil, board} {
		list, err := Choices(context.Background(), n, 6, hdlgen.FastTarget, b, nil)
		require.NoError(t, err)
		require.Len(t, list, 4*4) // units of 6, 3, 2 and 1 lanes
		chosen := 0
		for _, c := range list {
			other := *n
			other.Hardware.Contexts = c.Contexts
			p, err := New(&other, 6, c.Units, hdlgen.FastTarget)
			require.NoError(t, err)
			e, err := Estimate(p, nil)
			require.NoError(t, err)
			require.Equal(t, e.CyclesPerLearning, c.CyclesPerLearning)
			require.Equal(t, b == nil, c.Blocks == 0)
			if c.Chosen {
				chosen++
			}
		}
		require.Equal(t, 1, chosen)
	}
	// With few units a large mini-batch's factors are more than a unit holds: those choices are left out, and where none is left it is said.
	large := testNetwork(t, []int{784, 500, 10}, 100, "")
	list, err := Choices(t.Context(), large, 16, hdlgen.FastTarget, nil, nil)
	require.NoError(t, err)
	require.Greater(t, list[0].Units, 2)
	_, err = Choices(t.Context(), large, 1, hdlgen.FastTarget, nil, nil)
	require.ErrorIs(t, err, golden.ErrUsage)

	ended, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = Choices(ended, n, 6, hdlgen.FastTarget, nil, nil)
	require.ErrorIs(t, err, context.Canceled)
}

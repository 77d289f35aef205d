package hdlgen

import (
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden"
	"corinfo/hdlgen/settling"
)

// Memory bits and multipliers are those that the emitted design declares.
func TestEstimateCountsMemoriesAndMultipliers(t *testing.T) {
	a, err := settling.New(testNetwork(t, []int{784, 64, 10}, 20, ""))
	require.NoError(t, err)
	e, err := Estimate(a, 16, FastTarget, nil)
	require.NoError(t, err)
	l := NewLayout(a, 16)
	sum := 0
	for _, m := range e.Memories {
		require.Equal(t, m.Words*m.Width*m.Memories, m.Bits, m.Name)
		sum += m.Bits
	}
	require.Equal(t, sum, e.MemoryBits)
	require.Equal(t, MemoryBits{"synapses", l.Depth, 16, 16, l.Depth * 16 * 16, false, false}, e.Memories[0])
	count := 0
	for _, m := range e.MultiplierKinds {
		require.GreaterOrEqual(t, m.A, m.B)
		count += m.Count
	}
	require.Equal(t, count, e.Multipliers)
	require.Equal(t, Multiplier{"mac", 18, 18, 16}, e.MultiplierKinds[0])
	half, err := Estimate(a, 8, FastTarget, nil)
	require.NoError(t, err)
	require.Greater(t, half.CyclesPerInference, e.CyclesPerInference)
	_, err = Estimate(a, 0, FastTarget, nil)
	require.ErrorIs(t, err, golden.ErrUsage)
	require.False(t, e.Measured)
}

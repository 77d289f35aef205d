package hdlgen

import (
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden/weights"
	"corinfo/hdlgen/settling"
)

// Activity reads a trace and leaves it as it is, where potentials start anew from states too.
func TestActivityLeavesTheTrace(t *testing.T) {
	a, err := settling.New(testNetwork(t, []int{7, 5, 4}, 1, ""))
	require.NoError(t, err)
	m := settling.NewMachine(a)
	_, err = m.SetWeights(weights.Initial(a.Network.Describe(), 7))
	require.NoError(t, err)
	x := []int64{3, 0, 1, 9, 0, 7, 5}
	var kept, read settling.Trace
	tensors := m.Tensors()
	m.Run(x, settling.Command{Learn: true, Label: 1}, &kept)
	require.NoError(t, m.SetTensors(tensors))
	m.SetStep(0)
	m.Run(x, settling.Command{Learn: true, Label: 1}, &read)
	require.Equal(t, kept, read)
	var v Activity
	v.Add(a, x, true, &read)
	require.Equal(t, kept, read)
}

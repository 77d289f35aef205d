package hdlgen

import (
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden"
)

// Activity reads a trace and leaves it as it is, where potentials start anew from states too.
func TestActivityLeavesTheTrace(t *testing.T) {
	a, err := golden.NewArithmetic(testNetwork(t, []int{7, 5, 4}, 1, ""))
	require.NoError(t, err)
	m := golden.NewMachine(a)
	_, err = m.SetWeights(golden.InitialWeights(a.Network, 7))
	require.NoError(t, err)
	x := []int64{3, 0, 1, 9, 0, 7, 5}
	var kept, read golden.Trace
	tensors := m.Tensors()
	m.Run(x, golden.Command{Learn: true, Label: 1}, &kept)
	require.NoError(t, m.SetTensors(tensors))
	m.SetStep(0)
	m.Run(x, golden.Command{Learn: true, Label: 1}, &read)
	require.Equal(t, kept, read)
	var v Activity
	v.Add(a, x, true, &read)
	require.Equal(t, kept, read)
}

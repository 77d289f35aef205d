package sim

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden"
	"corinfo/hdlgen"
)

// lockStep plays one list of commands into a design on Icarus and holds it against the model of another.
func lockStep(t *testing.T, d *hdlgen.Design, played, modelled Options) *Mismatch {
	t.Helper()
	how := recipe{simulator: Icarus}
	m, err := compile(context.Background(), d.Dir, d.Manifest, how)
	require.NoError(t, err)
	stimulus, err := newStimulus(t.TempDir(), d, played)
	require.NoError(t, err)
	machine := golden.NewMachine(d.Arithmetic)
	require.NoError(t, machine.SetTensors(d.Initial.Tensors))
	r := &run{d: d, o: modelled, how: how, stimulus: stimulus, quiet: 10000, machine: machine, report: &Report{}, c: newComparator(d)}
	r.o.Simulator = Icarus
	mismatch, err := r.simulate(context.Background(), m)
	require.NoError(t, err)
	return mismatch
}

// A label that no output neuron has pulls nothing up, neither a neuron nor the padding of the last slot.
func TestLabelOutOfRange(t *testing.T) {
	needTool(t, "iverilog")
	d := testCase{layers: []int{7, 5, 5}, lanes: 3, batch: 1, rule: "constant", formats: "default"}.generate(t)
	right := Options{Learning: randomSamples(d, 4, rand.New(rand.NewPCG(1, 2)))}
	for i := range right.Learning {
		right.Learning[i].Label = 0
	}
	wrong := right
	wrong.Learning = slices.Clone(right.Learning)
	for i, label := range []int{5, 6, 7, 5} { // lane 2 of slot 1 is padding, slot 2 is none
		wrong.Learning[i].Label = label
	}
	require.NotNil(t, lockStep(t, d, wrong, right), "the label does nothing")

	// The model with a label without weight: y counts nothing.
	a := *d.Arithmetic
	a.Coefficients = slices.Clone(a.Coefficients)
	last := &a.Coefficients[d.Network.K()]
	for sign := range last {
		last[sign].Y = 0
	}
	d.Arithmetic = &a
	require.Nil(t, lockStep(t, d, wrong, right))
}

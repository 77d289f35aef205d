package sim

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/hdlgen"
	"corinfo/hdlgen/settling"
)

// Estimated cycles are within 5 % of those of the simulated design, for the samples that it ran.
func TestEstimateMatchesSimulation(t *testing.T) {
	needTool(t, "verilator")
	rng := testSeed(t)
	for _, c := range []testCase{
		{layers: []int{784, 64, 10}, lanes: 16, batch: 1, rule: "divide_by_slow_loop_index", formats: "default"},
		{layers: []int{784, 64, 10}, lanes: 16, batch: 20, rule: "divide_by_loop_index", formats: "default", early: true},
		{layers: []int{12, 9, 8, 5}, lanes: 3, batch: 3, rule: "constant", formats: "uneven", three: true, dense: true},
		{layers: []int{20, 13, 7}, lanes: 8, batch: 3, rule: "constant", formats: "default", early: true, shallow: true},
		{layers: []int{784, 64, 10}, lanes: 16, contexts: 2, batch: 20, rule: "divide_by_slow_loop_index", formats: "default", early: true},
		{layers: []int{12, 9, 8, 5}, lanes: 3, contexts: 3, batch: 3, rule: "constant", formats: "uneven", three: true},
	} {
		d := c.generate(t)
		o := Options{Simulator: Verilator, Inference: randomSamples(d, 3, rng), Learning: randomSamples(d, max(3, c.batch*(1+c.contexts%3)), rng)}
		report, err := Cosim(context.Background(), d, o)
		require.NoError(t, err)
		require.Nil(t, report.Mismatch, "%v", report.Mismatch)

		machine := settling.NewMachine(d.Arithmetic)
		require.NoError(t, machine.SetTensors(d.Initial.Tensors))
		var activity hdlgen.Activity
		for _, list := range [][]Sample{o.Inference, o.Learning} {
			for i, s := range list {
				trace := &settling.Trace{}
				learn := &list[0] != &o.Inference[0]
				machine.Run(s.X, settling.Command{Learn: learn, Label: s.Label, Negative: s.Negative}, trace)
				activity.Add(d.Arithmetic, list[i].X, learn, trace)
			}
		}
		e, err := hdlgen.Estimate(d.Arithmetic, c.lanes, d.Manifest.Target, &activity)
		require.NoError(t, err)
		counters := report.values()
		settling := e.SettlingCycles*float64(len(o.Inference)) + e.LearningSettlingCycles*float64(len(o.Learning))
		t.Logf("%v: inference %.1f (simulated %.1f), learning %.1f (%.1f), settling %.0f (%d), updates %.0f (%d)", c, e.CyclesPerInference, report.CyclesPerInference,
			e.CyclesPerLearning, report.CyclesPerLearning, settling, counters["settling_cycles"], e.CyclesPerUpdate*float64(counters["updates"]), counters["update_cycles"])
		require.InEpsilon(t, report.CyclesPerInference, e.CyclesPerInference, 0.05, "%v", c)
		require.InEpsilon(t, report.CyclesPerLearning, e.CyclesPerLearning, 0.05, "%v", c)
		// The two times that the lock step has no expectation of.
		if c.contexts > 1 { // who is served first in a cycle is not followed to the last detail
			require.InEpsilon(t, settling, counters["settling_cycles"], 0.05, "%v", c)
		} else {
			require.InDelta(t, settling, counters["settling_cycles"], 0.5, "%v", c)
		}
		update := 0.05
		if c.layers[0] < 20 { // a dozen cycles of a matrix too many are much of so short an update
			update = 0.15
		}
		require.InEpsilon(t, e.CyclesPerUpdate*float64(counters["updates"]), counters["update_cycles"], update, "%v", c)
		dense, err := hdlgen.Estimate(d.Arithmetic, c.lanes, d.Manifest.Target, nil)
		require.NoError(t, err)
		require.GreaterOrEqual(t, dense.CyclesPerInference*1.05, report.CyclesPerInference)
		require.GreaterOrEqual(t, dense.CyclesPerLearning*1.05, report.CyclesPerLearning)
		require.Equal(t, d.Manifest.Latency, e.Latency)
	}
}

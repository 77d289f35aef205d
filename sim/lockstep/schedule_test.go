package lockstep

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden"
	"corinfo/golden/goldentest"
	"corinfo/golden/network"
	"corinfo/golden/rule"
	"corinfo/hdlgen/design"
	"corinfo/sim"
)

// scheduled gives a design a schedule of its own, over more than one epoch of two mini-batches and less than a run.
func scheduled(n *network.Network) {
	n.Hardware.Schedule, n.Hardware.EpochSamples = true, 2*n.Learning.Batch+n.Learning.Batch/2
	n.Learning.RandomSign, n.Learning.Epochs, n.Learning.Decay = true, 3, rule.Decay{Factor: 0.7}
}

// scheduleCases are designs with a schedule of their own: random signs and rates that fall by epochs, rates that fall by mini-batches, and
// Adam's corrections, which change with every mini-batch.
var scheduleCases = []closingCase{
	{rule: "corinfomax", layers: []int{4, 3, 2}, batch: 2, lanes: 2, units: 1, contexts: 2, wires: 1, change: scheduled},
	{rule: "ep", layers: []int{4, 3, 2}, batch: 1, lanes: 2, units: 2, contexts: 1, change: func(n *network.Network) {
		scheduled(n)
		n.Learning.Decay.Batches = 2
	}},
	{rule: "bp", layers: []int{3, 2, 2}, batch: 2, lanes: 2, units: 1, contexts: 2, change: func(n *network.Network) {
		scheduled(n)
		n.Learning.Optimizer = rule.DefaultOptimizer()
		n.Learning.Optimizer.Kind = "adam"
	}},
}

// A design with a schedule of its own learns in lock step over its epochs and beyond without a word of a host: a run's stimulus has the
// wrong sign with every command. In the closing part the host turns the schedule off and on; where a run is divided, and after resets, it
// writes the number, and the schedule follows.
func TestOwnSchedule(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(17, goldentest.Seed(t)))
	for i, c := range scheduleCases {
		t.Run(c.rule, func(t *testing.T) {
			d := c.generate(t, rng)
			entries := d.Plan.Entries
			require.Greater(t, len(entries), len(d.Plan.Updates), "the constants change")
			require.Greater(t, entries[len(entries)-1].Number, uint32(2))
			simulator := simulatorOf(i)
			for workers := 1; workers <= 2; workers++ {
				o := sim.Options{Simulator: simulator, Learning: samplesOf(d, 8*c.batch, rng), Workers: workers, Closing: workers == 1}
				report, err := Cosim(t.Context(), d, o)
				require.NoError(t, err)
				require.Nil(t, report.Mismatch, "%v", report.Mismatch)
				require.Equal(t, workers, report.Parts)
			}
		})
	}
}

// A schedule that has no epochs or no end is refused with what to do; a design that does not learn has none.
func TestScheduleRefused(t *testing.T) {
	for message, change := range map[string]func(n *network.Network){
		"hardware.epoch_samples": func(n *network.Network) { n.Hardware.EpochSamples, n.Dataset.Name = 0, "images" },
		"of 1 samples":           func(n *network.Network) { n.Hardware.EpochSamples = 1 },
		"65536 times":            func(n *network.Network) { n.Hardware.EpochSamples, n.Learning.Epochs = 1_000_000, 1 },
		"":                       func(n *network.Network) { n.Hardware.Learning = false },
	} {
		n := ruleNetwork("bp", []int{2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2}, 2, rand.New(rand.NewPCG(1, 2)))
		scheduled(n)
		n.Learning.Optimizer = rule.DefaultOptimizer()
		n.Learning.Optimizer.Kind = "adam"
		change(n)
		p, err := design.New(n, 2, 1, plainTarget)
		if message == "" {
			require.NoError(t, err)
			require.Empty(t, p.Entries)
			continue
		}
		require.ErrorIs(t, err, golden.ErrUsage, message)
		require.ErrorContains(t, err, message)
	}
}

package lockstep

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden"
	"corinfo/golden/goldentest"
	"corinfo/golden/rule"
	"corinfo/hdlgen"
	"corinfo/hdlgen/design"
	"corinfo/sim"
)

// Designs that only classify do it in lock step, with less than those that learn; the host reads and writes their synapses, and a
// learning command is an inference.
func TestInferenceOnly(t *testing.T) {
	for i, name := range rule.Names() {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(11, goldentest.Seed(t)))
			n := ruleNetwork(name, []int{12, 9, 7, 5}, 3, rng)
			target := plainTarget
			target.WireCycles = i % 3
			whole, err := design.New(n, 6, 2, target)
			require.NoError(t, err)
			n.Hardware.Learning = false
			p, err := design.New(n, 6, 2, target)
			require.NoError(t, err)
			learning, err := design.Estimate(whole, nil)
			require.NoError(t, err)
			only, err := design.Estimate(p, nil)
			require.NoError(t, err)
			require.Less(t, only.MemoryBits, learning.MemoryBits)
			require.LessOrEqual(t, only.Multipliers, learning.Multipliers)
			require.Zero(t, only.CyclesPerLearning)
			m := model(t, n)
			simulator := simulatorOf(i)
			d, command := build(t, p, m, simulator)
			require.Empty(t, lint(t, d))
			samples := draw(rng, n, m.Machine, 6, 0)
			c := follow(t, d, m, command, samples, sim.Options{Simulator: simulator})
			require.Nil(t, c.mismatch, "%v", c.mismatch)
			require.Positive(t, c.c.words)
			t.Logf("%s: %d memory bits, with learning %d; multipliers %d, %d", simulator, only.MemoryBits, learning.MemoryBits, only.Multipliers, learning.Multipliers)
			_, err = Cosim(context.Background(), d, sim.Options{Simulator: simulator, Learning: make([]hdlgen.Sample, 1)})
			require.ErrorIs(t, err, golden.ErrUsage)
			require.Empty(t, touch(t, d, command, []access{
				{Write: true, Address: 5<<18 | 3, Data: 7}, {Address: 5<<18 | 3, Data: 7}, {Address: 1 << 28, Refused: true}, {Address: 4 << 28, Refused: true}}))
		})
	}
}

package lockstep

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	fx "corinfo/fixedpoint"
	"corinfo/golden/goldentest"
	"corinfo/golden/network"
	"corinfo/golden/rule"
	"corinfo/hdlgen/design"
	"corinfo/sim"
)

// Values outside their formats and lost updates are counted as the model does: of neurons, of words that a layer shares, of factors and
// of synapses, mirrored ones once; and none of padding.
func TestCounters(t *testing.T) {
	rng := rand.New(rand.NewPCG(10, goldentest.Seed(t)))
	sparse := ruleNetwork("corinfomax", []int{9, 7, 5}, 2, rng)
	goldentest.CorInfoMax(sparse).Sparse = rule.Sparse{Layers: []int{1}, Nu: []float64{0.1}}
	sparse.Formats = map[string]fx.Type{"excess": {Format: fx.S(3, 3)}, "e": {Format: fx.S(3, 3)}}
	mirrored, fixed := ruleNetwork("ep", []int{9, 7, 5}, 3, rng), ruleNetwork("fa", []int{9, 7, 5}, 2, rng)
	mirrored.Formats = map[string]fx.Type{"drive": {Format: fx.S(3, 3)}, "dW": {Format: fx.S(3, 12)}, "W": {Format: fx.S(7, 4)}}
	fixed.Formats = map[string]fx.Type{"e": {Format: fx.S(3, 4)}, "dW": {Format: fx.S(3, 12)}, "W": {Format: fx.S(7, 4)}}
	for i, n := range []*network.Network{sparse, mirrored, fixed} {
		simulator := simulatorOf(i)
		target := plainTarget
		target.WireCycles = i
		p, err := design.New(n, 4, 2, target)
		require.NoError(t, err)
		m := model(t, n)
		wild := &randomCase{}
		wild.Seed = rng.Uint64()
		wild.scatter(m.Machine)
		d, command := build(t, p, m, simulator)
		c := follow(t, d, m, command, draw(rng, n, m.Machine, 2, 2*n.Learning.Batch), sim.Options{Simulator: simulator})
		require.Nil(t, c.mismatch, "%s: %v", n.Rule, c.mismatch)
		raised, lost := map[string]int64{}, int64(0)
		for at, name := range p.Counters {
			if strings.HasPrefix(name, "overflow_") && c.c.counters[at] > 0 {
				raised[name] = c.c.counters[at]
			}
			if strings.HasPrefix(name, "lost_") {
				lost += c.c.counters[at]
			}
		}
		t.Log(n.Rule, raised, lost)
		require.Greater(t, len(raised), 1, n.Rule)
		require.Positive(t, lost, n.Rule)
	}
}

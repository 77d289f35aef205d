package lockstep

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden"
	"corinfo/golden/goldentest"
	"corinfo/golden/machine"
	"corinfo/golden/network"
	"corinfo/golden/rule"
	"corinfo/hdlgen/design"
	"corinfo/sim"
)

// planned is a drawn case with its plan; the model or the generator may refuse a draw, as wrong input, which is drawn again.
func planned(t *testing.T, rng *rand.Rand, name string) (*randomCase, *design.Plan) {
	t.Helper()
	for range 10000 {
		c := drawCase(rng, name)
		n, err := network.Parse("case.yaml", c.network.YAML())
		if err != nil {
			require.ErrorIs(t, err, golden.ErrUsage)
			continue
		}
		c.network = n
		p, err := design.New(n, n.Hardware.Lanes, c.units, c.target)
		if errors.Is(err, golden.ErrUsage) {
			continue
		}
		require.NoError(t, err, "%s", n.YAML())
		return c, p
	}
	require.Fail(t, "no case in 10000 draws")
	return nil, nil
}

// moves tells whether signals change at least half as often as samples come.
func (c *randomCase) moves(t *testing.T, samples []command, wild *rand.Rand) bool {
	m := model(t, c.network).Machine
	if c.wild {
		scatter(wild, m)
	}
	for _, s := range samples {
		m.Run(s.X, machine.Command{Learn: s.kind.learns(), Label: s.Label, Negative: s.Negative}, nil)
	}
	counts := m.Counts()
	return c.network.K() == 1 || counts.Events-counts.LayerEvents[0] >= int64(len(samples)/2)
}

// TestRandomDesigns runs designs of networks, formats, targets and samples that are drawn at random in lock step: three, of
// CORINFO_CASES as many more. CORINFO_RULE=ep draws one rule alone, CORINFO_SIMULATOR=verilator has one simulator run all.
func TestRandomDesigns(t *testing.T) {
	cases := 3
	if s := os.Getenv("CORINFO_CASES"); s != "" {
		more, err := strconv.Atoi(s)
		require.NoError(t, err)
		cases += more
	}
	seed := goldentest.Seed(t)
	for i := range cases {
		own := seed + uint64(i)
		t.Run(fmt.Sprint(own), func(t *testing.T) { randomDesign(t, own) })
	}
}

func randomDesign(t *testing.T, seed uint64) {
	rng := rand.New(rand.NewPCG(2, seed))
	name := oneOf(rng, append(rule.Names(), "corinfomax")...) // it has the most variants
	if s := os.Getenv("CORINFO_RULE"); s != "" {
		name = s
	}
	var c *randomCase
	var p *design.Plan
	var samples []command
	wild := rng.Uint64()
	for {
		c, p = planned(t, rng, name)
		samples = c.samples(rng, model(t, c.network).Machine)
		if c.moves(t, samples, rand.New(rand.NewPCG(3, wild))) {
			break
		}
	}
	n, simulator := c.network, sim.Icarus
	if s := os.Getenv("CORINFO_SIMULATOR"); s != "" {
		simulator = sim.Simulator(s)
	} else if rng.IntN(12) == 0 { // what it takes to compile
		simulator = sim.Verilator
	}
	c.options.Simulator = simulator
	text := fmt.Sprintf("CORINFO_SEED=%d repeats it alone\n%d units, %+v, wild %v, %+v\n%s", seed, c.units, c.target, c.wild, c.options, n.YAML())
	m := model(t, n)
	if c.wild {
		scatter(rand.New(rand.NewPCG(3, wild)), m.Machine)
	}
	d, program := build(t, p, m, simulator)
	r := follow(t, d, m, program, samples, c.options)
	require.Nil(t, r.mismatch, "%v\n%s", r.mismatch, text)
	t.Logf("%s, %s, %v, batch %d, %d lanes, %d units, %d contexts, %s: %d cycles, %d states, %d synapses", simulator, name, n.Layers, n.Learning.Batch, n.Hardware.Lanes, c.units,
		n.Hardware.Contexts, n.Learning.Optimizer.Kind, r.lastEnd, r.c.states, r.c.synapses)
}

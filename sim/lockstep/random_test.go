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
		p, err := c.plan()
		if errors.Is(err, golden.ErrUsage) {
			continue
		}
		require.NoError(t, err, "%s", c.file())
		return c, p
	}
	require.Fail(t, "no case in 10000 draws")
	return nil, nil
}

// TestRandomDesigns runs designs of networks, formats, targets and samples that are drawn at random in lock step: three, of
// CORINFO_CASES as many more, on Verilator and three in ten of them on Icarus, too, in the same cycles. CORINFO_RULE=ep draws one
// rule alone, CORINFO_SIMULATOR=icarus has one simulator run all. One that fails is made as small as it can be and told with the
// command that repeats it; CORINFO_CASE names the file to repeat.
func TestRandomDesigns(t *testing.T) {
	if path := os.Getenv("CORINFO_CASE"); path != "" {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		c, err := parseCase(path, text)
		require.NoError(t, err)
		_, err = c.run(t.Context(), sim.Simulator(os.Getenv("CORINFO_SIMULATOR")), nil)
		require.NoError(t, err)
		return
	}
	cases := 3
	if s := os.Getenv("CORINFO_CASES"); s != "" {
		more, err := strconv.Atoi(s)
		require.NoError(t, err)
		cases += more
	}
	seed := goldentest.Seed(t)
	for i := range cases {
		own := seed + uint64(i)
		t.Run(fmt.Sprint(own), func(t *testing.T) {
			t.Parallel()
			randomDesign(t, own)
		})
	}
}

func randomDesign(t *testing.T, seed uint64) {
	rng := rand.New(rand.NewPCG(2, seed))
	name := oneOf(rng, append(rule.Names(), "corinfomax")...) // it has the most variants
	if s := os.Getenv("CORINFO_RULE"); s != "" {
		name = s
	}
	c, p := planned(t, rng, name)
	for {
		moves, err := c.moves(p)
		require.NoError(t, err)
		if moves {
			break
		}
		c, p = planned(t, rng, name)
	}
	simulators := []sim.Simulator{sim.Verilator}
	if own := os.Getenv("CORINFO_SIMULATOR"); own != "" {
		simulators = []sim.Simulator{sim.Simulator(own)}
	} else if rng.IntN(10) < 3 { // Icarus runs for several times as long as Verilator's model takes to compile and run
		simulators = append(simulators, sim.Icarus)
	}
	ends := map[int64]bool{}
	var r *run
	for _, simulator := range simulators {
		var err error
		if r, err = c.run(t.Context(), simulator, nil); err != nil {
			t.Errorf("CORINFO_SEED=%d repeats it alone; on %s: %v\n%s", seed, simulator, err, c.file())
			_, text, err := smallestFailure(t.Context(), c, simulator, err, nil)
			require.NoError(t, err)
			t.Log(text)
			return
		}
		ends[r.lastEnd] = true
	}
	require.Len(t, ends, 1, "simulators differ in cycles")
	n := c.network
	t.Logf("%v, %s, %v, batch %d, %d lanes, %d units, %d contexts, %s: %d cycles, %d states, %d synapses", simulators, name, n.Layers, n.Learning.Batch, n.Hardware.Lanes, c.Units,
		n.Hardware.Contexts, n.Learning.Optimizer.Kind, r.lastEnd, r.c.states, r.c.synapses)
}

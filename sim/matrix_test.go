package sim

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// The axes of the matrix of designs that are held against the model.
var (
	axisLayers  = [][]int{{784, 64, 10}, {20, 13, 7}, {12, 9, 8, 5}, {5, 1, 2}}
	axisLanes   = []int{1, 3, 8, 16}
	axisBatch   = []int{1, 3, 20}
	axisContext = []int{1, 2, 3}
	axisRule    = []string{"constant", "divide_by_loop_index", "divide_by_slow_loop_index"}
	axisFormats = []string{"default", "uneven", "coarse"}
)

// cover draws count cases so that every value of every axis, from count = 4 on, occurs.
func cover(rng *rand.Rand, count int, layers [][]int) []testCase {
	cases := make([]testCase, count)
	// spread deals the values 0..n-1 out in random order, each as often as the others.
	spread := func(n int, set func(c *testCase, value int)) {
		for i, place := range rng.Perm(count) {
			set(&cases[place], i%n)
		}
	}
	spread(len(layers), func(c *testCase, v int) { c.layers = layers[v] })
	spread(len(axisLanes), func(c *testCase, v int) { c.lanes = axisLanes[v] })
	spread(len(axisBatch), func(c *testCase, v int) { c.batch = axisBatch[v] })
	spread(len(axisContext), func(c *testCase, v int) { c.contexts = axisContext[v] })
	spread(len(axisRule), func(c *testCase, v int) { c.rule = axisRule[v] })
	spread(len(axisFormats), func(c *testCase, v int) { c.formats = axisFormats[v] })
	spread(2, func(c *testCase, v int) { c.three = v == 1 })
	spread(2, func(c *testCase, v int) { c.dense = v == 1 })
	spread(2, func(c *testCase, v int) { c.early = v == 1 })
	spread(2, func(c *testCase, v int) { c.stall = v == 1 })
	spread(2, func(c *testCase, v int) { c.shallow = v == 1 })
	spread(3, func(c *testCase, v int) { c.wires = v })
	spread(2, func(c *testCase, v int) { c.sparse = v == 1 })
	return cases
}

// pairwise picks cases of the matrix so that every pair of values of two axes occurs, always the same: at each
// turn the case with the most new pairs.
func pairwise() (picked []testCase) {
	all := product(rand.New(rand.NewPCG(1, 1)))
	pairs := func(c testCase) (list [][4]any) {
		values := []any{fmt.Sprint(c.layers), c.lanes, c.contexts, c.batch, c.rule, c.formats, c.three, c.dense, c.early, c.stall, c.shallow, c.wires, c.sparse}
		for i := range values {
			for j := range i {
				list = append(list, [4]any{i, values[i], j, values[j]})
			}
		}
		return list
	}
	met := map[[4]any]bool{}
	for {
		var best testCase
		most := 0
		for _, c := range all {
			fresh := 0
			for _, p := range pairs(c) {
				if !met[p] {
					fresh++
				}
			}
			if fresh > most {
				best, most = c, fresh
			}
		}
		if most == 0 {
			return picked
		}
		picked = append(picked, best)
		for _, p := range pairs(best) {
			met[p] = true
		}
	}
}

// product is the whole matrix of sizes, lanes, mini-batches, rules and formats; the other axes are drawn.
func product(rng *rand.Rand) (cases []testCase) {
	toss := func() bool { return rng.IntN(2) == 0 }
	for _, layers := range axisLayers {
		for _, lanes := range axisLanes {
			for _, batch := range axisBatch {
				for _, rule := range axisRule {
					for _, formats := range axisFormats {
						cases = append(cases, testCase{layers: layers, lanes: lanes, contexts: axisContext[rng.IntN(len(axisContext))], batch: batch, rule: rule, formats: formats,
							three: toss(), dense: toss(), early: toss(), stall: toss(), shallow: toss(),
							wires: rng.IntN(3), sparse: toss()})
					}
				}
			}
		}
	}
	return cases
}

// countOf is how many cases to draw: a variable of the environment sets it, "all" asks for all that there are.
func countOf(t *testing.T, variable string, otherwise int) (count int, all bool) {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise, false
	}
	if text == "all" {
		return otherwise, true
	}
	count, err := strconv.Atoi(text)
	require.NoError(t, err, "%s: want a number or all", variable)
	return count, false
}

// Designs over the whole space run in lock step on Verilator: every pair of values of two axes, and some at
// random.
func TestMatrixVerilator(t *testing.T) {
	needTool(t, "verilator")
	rng := testSeed(t)
	count, all := countOf(t, "CORINFO_CASES", 2)
	cases := append(pairwise(), cover(rng, count, axisLayers)...)
	if all {
		cases = product(rng)
	}
	for _, c := range cases {
		r := c.check(t, Verilator, rng)
		t.Logf("%v: %d states, %d synapses, built in %.1f s, run in %.1f s", c, r.ComparedStates, r.ComparedSynapses, r.BuildSeconds, r.Seconds)
	}
}

// More of the small networks run on Icarus, whose models take no time to build but long to run: about 10,000
// lanes x cycles a second.
func TestMatrixIcarus(t *testing.T) {
	needTool(t, "iverilog")
	rng := testSeed(t)
	count, _ := countOf(t, "CORINFO_CASES", 8)
	for _, c := range cover(rng, count, axisLayers[1:]) {
		switch c.batch {
		case 20:
			c.lanes = min(c.lanes, 3)
		case 3:
			c.lanes = min(c.lanes, 8)
		}
		r := c.check(t, Icarus, rng)
		t.Logf("%v: %d states, %d synapses, built in %.1f s, run in %.1f s", c, r.ComparedStates, r.ComparedSynapses, r.BuildSeconds, r.Seconds)
	}
}

package sim

import (
	"fmt"
	"math/rand/v2"
	"testing"
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

// Designs with every pair of values of two axes run in lock step on Verilator, the first network of the size of a data set
// among them. What is beside the axes, TestRandomDesigns draws.
func TestMatrix(t *testing.T) {
	needTool(t, "verilator")
	rng := testSeed(t)
	for _, c := range pairwise() {
		r := c.check(t, Verilator, rng)
		t.Logf("%v: %d states, %d synapses, built in %.1f s, run in %.1f s", c, r.ComparedStates, r.ComparedSynapses, r.BuildSeconds, r.Seconds)
	}
}

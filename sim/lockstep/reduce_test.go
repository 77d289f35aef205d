package lockstep

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	fx "corinfo/fixedpoint"
	"corinfo/golden/goldentest"
	"corinfo/golden/rule"
	"corinfo/hdlgen"
	"corinfo/sim"
)

// reduceTime bounds the search for the smallest failing case.
const reduceTime = 10 * time.Minute

// reduce makes a failing case smaller, step by step, as long as it fails, until no step of any move keeps the failure. fails
// is asked once for a case, and for no case that the model or the generator of designs refuses.
func reduce(c *randomCase, fails func(c *randomCase) bool) *randomCase {
	tried := map[string]bool{string(c.file()): true}
	step := func(move func(c *randomCase) []*randomCase) bool {
		for _, smaller := range move(c) {
			key := string(smaller.file())
			if tried[key] {
				continue
			}
			tried[key] = true
			if _, err := smaller.plan(); err == nil && fails(smaller) {
				c = smaller
				return true
			}
		}
		return false
	}
	for again := true; again; {
		again = false
		for _, move := range []func(c *randomCase) []*randomCase{reduceAtOnce, reduceLayers, reduceCounts, reduceFormats, reduceRest} {
			for step(move) {
				again = true
			}
		}
	}
	return c
}

// edited is a copy of a case, which shares nothing, with a change.
func (c *randomCase) edited(change func(c *randomCase)) []*randomCase {
	other, err := parseCase("case.yaml", c.file())
	if err != nil {
		panic(err) // it has been run
	}
	change(other)
	return []*randomCase{other}
}

// fewer sets a number to smaller ones, down to the least.
func (c *randomCase) fewer(least int, field func(c *randomCase) *int) (list []*randomCase) {
	now := *field(c)
	for _, n := range slices.Compact([]int{least, (least + now) / 2, now - 1}) {
		if n >= least && n < now {
			list = append(list, c.edited(func(c *randomCase) { *field(c) = n })...)
		}
	}
	return list
}

// plain sets a setting to its plainest value.
func plain[T comparable](c *randomCase, want T, field func(c *randomCase) *T) []*randomCase {
	if *field(c) == want {
		return nil
	}
	return c.edited(func(c *randomCase) { *field(c) = want })
}

// reduceLayers leaves a layer out, with what the network has one of for it: the types of single layers go too.
func reduceLayers(c *randomCase) (list []*randomCase) {
	if c.network.K() == 1 {
		return nil
	}
	for out := range c.network.Layers {
		list = append(list, c.edited(func(c *randomCase) {
			n := c.network
			K := n.K()
			n.Layers = slices.Delete(n.Layers, out, out+1)
			w, f := min(out, K-1), max(0, min(out, K-1)-1)
			n.Learning.Feedforward = slices.Delete(n.Learning.Feedforward, w, w+1)
			if f < len(n.Learning.Feedback) {
				n.Learning.Feedback = slices.Delete(n.Learning.Feedback, f, f+1)
			}
			maps.DeleteFunc(n.Formats, func(key string, _ fx.Type) bool { return kindOf(key) != key })
			switch own := n.Own.(type) {
			case *rule.CorInfoMax:
				sparse := rule.Sparse{}
				for i, k := range own.Sparse.Layers {
					if k == max(out, 1) {
						continue
					}
					if k > out {
						k--
					}
					sparse.Layers, sparse.Nu = append(sparse.Layers, k), append(sparse.Nu, own.Sparse.Nu[i])
				}
				own.Sparse = sparse
			case *rule.CSM:
				own.Lateral = own.Lateral[:len(own.Lateral)-1]
			}
		})...)
	}
	return list
}

// count is a number of a case with its least value.
type count struct {
	least int
	field func(c *randomCase) *int
}

// counts are the numbers that say how large a case is.
func (c *randomCase) counts() (list []count) {
	for k := range c.network.Layers {
		list = append(list, count{1, func(c *randomCase) *int { return &c.network.Layers[k] }})
	}
	none := 0
	if c.Inference == 0 || c.Learning == 0 {
		none = 1 // a run has a sample
	}
	return append(list,
		count{none, func(c *randomCase) *int { return &c.Learning }},
		count{none, func(c *randomCase) *int { return &c.Inference }},
		count{1, func(c *randomCase) *int { return &c.network.Learning.Batch }},
		count{1, func(c *randomCase) *int { return &c.network.Hardware.Lanes }},
		count{1, func(c *randomCase) *int { return &c.Units }},
		count{1, func(c *randomCase) *int { return &c.network.Hardware.Contexts }},
		count{0, func(c *randomCase) *int { return &c.Target.WireCycles }},
		count{1, func(c *randomCase) *int { return &c.network.Settling.FreeIterations }},
		count{1, func(c *randomCase) *int { return &c.network.Settling.NudgedIterations }})
}

// reduceAtOnce brings all counts to 1, or halves them: large cases take long.
func reduceAtOnce(c *randomCase) []*randomCase {
	all := func(to func(n int) int) []*randomCase {
		return c.edited(func(c *randomCase) {
			for _, x := range c.counts() {
				n := x.field(c)
				*n = min(*n, to(*n))
			}
		})
	}
	return slices.Concat(all(func(int) int { return 1 }), all(func(n int) int { return (n + 1) / 2 }))
}

// reduceCounts lessens one count.
func reduceCounts(c *randomCase) (list []*randomCase) {
	for _, x := range c.counts() {
		list = append(list, c.fewer(x.least, x.field)...)
	}
	// Units divide lanes.
	now := c.network.Hardware.Lanes
	for _, lanes := range []int{1, 2, now / 2, now - 1} {
		for units := 1; units <= c.Units && lanes > 0 && lanes < now; units++ {
			if lanes%units == 0 {
				list = append(list, c.edited(func(c *randomCase) { c.network.Hardware.Lanes, c.Units = lanes, units })...)
			}
		}
	}
	return list
}

// reduceFormats sets types to their defaults: all, then tensor by tensor.
func reduceFormats(c *randomCase) (list []*randomCase) {
	if len(c.network.Formats) == 0 {
		return nil
	}
	list = c.edited(func(c *randomCase) { clear(c.network.Formats) })
	for _, key := range slices.Sorted(maps.Keys(c.network.Formats)) {
		list = append(list, c.edited(func(c *randomCase) { delete(c.network.Formats, key) })...)
	}
	return list
}

func reduceRest(c *randomCase) []*randomCase {
	list := slices.Concat(
		plain(c, nil, func(c *randomCase) **ended { return &c.Ended }),
		plain(c, false, func(c *randomCase) *bool { return &c.Closing }),
		plain(c, false, func(c *randomCase) *bool { return &c.Mixed }),
		plain(c, rule.WithFree, func(c *randomCase) *string { return &c.network.Learning.Contrast }),
		plain(c, rule.DefaultOptimizer(), func(c *randomCase) *rule.Optimizer { return &c.network.Learning.Optimizer }),
		plain(c, false, func(c *randomCase) *bool { return &c.network.Settling.EarlyEnd }),
		plain(c, "events", func(c *randomCase) *string { return &c.network.Hardware.Mode }),
		plain(c, rule.StepSize{Rule: "constant", Start: 0.5}, func(c *randomCase) *rule.StepSize { return &c.network.Settling.Step }),
		plain(c, plainTarget, func(c *randomCase) *hdlgen.Target { return &c.Target }),
		plain(c, 0, func(c *randomCase) *int { return &c.Stall }),
		plain(c, 0, func(c *randomCase) *int { return &c.Reset }),
		plain(c, false, func(c *randomCase) *bool { return &c.Wild }),
		plain(c, 0, func(c *randomCase) *int { return &c.Zeros }),
		plain(c, 1, func(c *randomCase) *float64 { return &c.network.Learning.Beta }),
		plain(c, 1, func(c *randomCase) *uint32 { return &c.network.Seed }),
		plain(c, 1, func(c *randomCase) *uint64 { return &c.Seed }))
	if own, ok := c.network.Own.(*rule.CorInfoMax); ok && len(own.Sparse.Layers) > 0 {
		list = append(list, c.edited(func(c *randomCase) { goldentest.CorInfoMax(c.network).Sparse = rule.Sparse{} })...)
	}
	for k := range c.network.Learning.Feedforward {
		list = append(list, plain(c, 1, func(c *randomCase) *float64 { return &c.network.Learning.Feedforward[k] })...)
	}
	for k := range c.network.Learning.Feedback {
		list = append(list, plain(c, 1, func(c *randomCase) *float64 { return &c.network.Learning.Feedback[k] })...)
	}
	return list
}

// smallestFailure reduces a failing case and leaves the smallest in a file; text is what a user needs of it. Icarus, which
// needs no build, takes the place of Verilator from the first case on that fails there too.
func smallestFailure(ctx context.Context, c *randomCase, simulator sim.Simulator, failed error, tamper func(dir string) error) (path, text string, err error) {
	ctx, cancel := context.WithTimeout(ctx, reduceTime)
	defer cancel()
	runs := 0
	var mismatch errMismatch
	failsOn := func(c *randomCase, s sim.Simulator) bool {
		if ctx.Err() != nil {
			return false
		}
		runs++
		_, err := c.run(ctx, s, tamper)
		return err != nil && ctx.Err() == nil && errors.As(err, &mismatch) == errors.As(failed, &mismatch)
	}
	smallest := reduce(c, func(c *randomCase) bool {
		if simulator == sim.Verilator && failsOn(c, sim.Icarus) {
			simulator = sim.Icarus
			return true
		}
		return failsOn(c, simulator)
	})
	found := "the smallest that fails"
	if ctx.Err() != nil {
		found = fmt.Sprintf("the smallest that was found to fail in %v", reduceTime)
	}
	f, err := os.CreateTemp("", "corinfo-case-*.yaml")
	if err != nil {
		return "", "", err
	}
	_, err = f.Write(smallest.file())
	return f.Name(), fmt.Sprintf("%s, of %d runs; repeat it:\n  CORINFO_CASE=%s CORINFO_SIMULATOR=%s go test -count=1 -v -run TestRandomDesigns ./sim/lockstep\n%s",
		found, runs, f.Name(), simulator, smallest.file()), errors.Join(err, f.Close())
}

// Whatever case the search starts from, it ends at the one that has just what the failure needs.
func TestReduceFindsTheSmallest(t *testing.T) {
	rng := rand.New(rand.NewPCG(18, goldentest.Seed(t)))
	fails := func(c *randomCase) bool { return c.network.K() >= 2 && c.network.Layers[2] > 3 && c.Units >= 2 }
	for _, name := range rule.Names() {
		c, _ := planned(t, rng, name)
		for !fails(c) {
			c, _ = planned(t, rng, name)
		}
		first := string(c.file())
		small := reduce(c, fails)
		require.Equal(t, first, string(c.file()), "the case that it starts from changes")
		n := small.network
		require.Equal(t, []int{1, 1, 4}, n.Layers, first)
		require.Equal(t, []int{2, 2, 1}, []int{n.Hardware.Lanes, small.Units, n.Learning.Batch}, first)
		require.LessOrEqual(t, max(n.Settling.FreeIterations, n.Settling.NudgedIterations), 1, first) // none under some rules
		require.Equal(t, 1, small.Inference+small.Learning, first)
		require.Equal(t, plainTarget, small.Target, first)
		require.Empty(t, n.Formats, "%s\nis reduced to\n%s", first, small.file())
		require.Nil(t, small.Ended)
	}
}

// One flag wrong in the Verilog is brought down to a network of single neurons, which still shows it.
func TestReduceABrokenDesign(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(19, goldentest.Seed(t)))
	broken := func(dir string) error {
		path := filepath.Join(dir, "library", "corinfo_terms.v")
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		changed := strings.Replace(string(text), "back_negate ? -value : value", "back_negate ? value : -value", 1)
		if changed == string(text) {
			return fmt.Errorf("%s does not have the line to break", path)
		}
		return os.WriteFile(path, []byte(changed), 0o644)
	}
	var c *randomCase
	var failed error
	for range 20 { // of samples without a negative factor none tells
		n := ruleNetwork("ep", []int{4, 3, 2}, 2, rng)
		n.Hardware.Lanes = 2
		c = &randomCase{network: n, setup: setup{Units: 2, Target: plainTarget, Inference: 1, Learning: 2, Seed: rng.Uint64(), Stall: 7, Wild: true}}
		if _, failed = c.run(t.Context(), sim.Icarus, broken); failed != nil {
			break
		}
	}
	require.ErrorAs(t, failed, &errMismatch{})
	path, said, err := smallestFailure(t.Context(), c, sim.Icarus, failed, broken)
	require.NoError(t, err)
	defer os.Remove(path)
	t.Log(said)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, said, string(text))
	small, err := parseCase(path, text)
	require.NoError(t, err)
	require.Equal(t, []int{1, 1, 1, 1}, []int{len(small.network.Layers) - small.network.K(), small.network.Layers[0], small.network.Hardware.Lanes, small.network.Learning.Batch})
	require.Zero(t, small.Inference)
	_, err = small.run(t.Context(), sim.Icarus, broken)
	require.Error(t, err)
	_, err = small.run(t.Context(), sim.Icarus, nil)
	require.NoError(t, err, "without the wrong flag nothing fails")
}

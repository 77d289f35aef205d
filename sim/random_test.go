package sim

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	fx "corinfo/fixedpoint"
	"corinfo/golden/calibrate"
	"corinfo/golden/goldentest"
	"corinfo/golden/rule"
)

// The most lanes x cycles of a case: Icarus does about 10,000 a second, Verilator's models a million.
const (
	verilatorWork = 3_000_000
	icarusWork    = 100_000
)

// One case in icarusShare runs on Icarus too.
const icarusShare = 4

// reduceTime bounds the search for the smallest failing case.
const reduceTime = 10 * time.Minute

// Random networks, formats, designs and data in lock step: all on Verilator, one in four on Icarus too. CORINFO_CASES sets
// how many, CORINFO_SEED repeats them. The first that fails is made as small as it can be and printed with the command that
// repeats it; CORINFO_CASE names the file to repeat.
func TestRandomDesigns(t *testing.T) {
	needTool(t, "verilator")
	needTool(t, "iverilog")
	if path := os.Getenv("CORINFO_CASE"); path != "" {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		c, err := parseCase(path, text)
		require.NoError(t, err)
		for _, s := range c.simulators() {
			report, err := c.run(t.Context(), s, nil)
			require.NoError(t, err, "on %s", s)
			t.Logf("%s: %d states, %d synapses", s, report.ComparedStates, report.ComparedSynapses)
		}
		return
	}
	rng := testSeed(t)
	seed := rng.Uint64()
	count, all := countOf(t, "CORINFO_CASES", 8)
	require.False(t, all, "CORINFO_CASES: there are endlessly many; want a number")
	var sum randomTotals
	t.Cleanup(func() { t.Log(sum.String()) })
	var reduction sync.Once
	for i := range count {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			most := verilatorWork
			if i%icarusShare == 0 {
				most = icarusWork
			}
			c := drawCase(t, rand.New(rand.NewPCG(seed, uint64(i))), most)
			c.Icarus = i%icarusShare == 0
			for _, simulator := range c.simulators() {
				report, err := c.run(t.Context(), simulator, nil)
				if err != nil {
					t.Errorf("on %s: %v\n%s", simulator, err, c.file())
					reduction.Do(func() {
						_, text, err := smallestFailure(t.Context(), c, simulator, err, func(ctx context.Context, c *randomCase, s Simulator) error {
							_, err := c.run(ctx, s, nil)
							return err
						})
						require.NoError(t, err)
						t.Log(text)
					})
					return
				}
				sum.add(simulator, report)
				t.Logf("%s: %v, %d lanes: %d states, %d synapses, built in %.1f s, run in %.1f s", simulator, c.network.Layers, c.network.Hardware.Lanes,
					report.ComparedStates, report.ComparedSynapses, report.BuildSeconds, report.Seconds)
			}
		})
	}
}

// simulators are those that a case runs on.
func (c *randomCase) simulators() []Simulator {
	if c.Icarus {
		return []Simulator{Verilator, Icarus}
	}
	return []Simulator{Verilator}
}

// randomTotals are sums over runs, of several goroutines.
type randomTotals struct {
	sync.Mutex
	runs             [2]int // Verilator, Icarus
	states, synapses int64
	build, run       float64 // seconds
}

func (s *randomTotals) add(simulator Simulator, r *Report) {
	s.Lock()
	defer s.Unlock()
	if simulator == Verilator {
		s.runs[0]++
	} else {
		s.runs[1]++
	}
	s.states += r.ComparedStates
	s.synapses += r.ComparedSynapses
	s.build += r.BuildSeconds
	s.run += r.Seconds
}

func (s *randomTotals) String() string {
	return fmt.Sprintf("without a mismatch: %d cases on Verilator, %d on Icarus, %d states, %d synapses; built in %.0f s, run in %.0f s",
		s.runs[0], s.runs[1], s.states, s.synapses, s.build, s.run)
}

// runner is randomCase.run with what it changes in the design.
type runner func(ctx context.Context, c *randomCase, simulator Simulator) error

// smallestFailure reduces a failing case and leaves the smallest in a file; text is what a user needs of it. Icarus, which
// needs no build, takes the place of Verilator from the first case on that fails there too.
func smallestFailure(ctx context.Context, c *randomCase, simulator Simulator, failed error, run runner) (path, text string, err error) {
	ctx, cancel := context.WithTimeout(ctx, reduceTime)
	defer cancel()
	runs := 0
	failsOn := func(c *randomCase, s Simulator) bool {
		if ctx.Err() != nil {
			return false
		}
		runs++
		err := run(ctx, c, s)
		return ctx.Err() == nil && sameFailure(err, failed)
	}
	smallest := reduce(c, func(c *randomCase) bool {
		if _, most, err := c.arithmetic(); simulator == Verilator && err == nil && most <= icarusWork && failsOn(c, Icarus) {
			simulator = Icarus
			return true
		}
		return failsOn(c, simulator)
	})
	smallest.Icarus = simulator == Icarus
	found := "the smallest that fails"
	if ctx.Err() != nil {
		found = fmt.Sprintf("the smallest that was found to fail in %v", reduceTime)
	}
	f, err := os.CreateTemp("", "corinfo-case-*.yaml")
	if err != nil {
		return "", "", err
	}
	_, err = f.Write(smallest.file())
	return f.Name(), fmt.Sprintf("%s, of %d runs, on %s: %d lanes, %+v, seed %d; repeat it:\n  CORINFO_CASE=%s go test -count=1 -v -run TestRandomDesigns ./sim\n%s",
		found, runs, simulator, smallest.network.Hardware.Lanes, smallest.Target, smallest.Seed, f.Name(), smallest.file()), errors.Join(err, f.Close())
}

// sameFailure tells whether a smaller case fails as the first did: both by a mismatch, or both not.
func sameFailure(err, first error) bool {
	var m errMismatch
	return err != nil && errors.As(err, &m) == errors.As(first, &m)
}

// The generator reaches every value of every axis, and refuses little by its own fault.
func TestRandomCasesReachEverything(t *testing.T) {
	rng := testSeed(t)
	met := map[string]int{}
	meet := func(name string, values ...any) { met[name+" "+fmt.Sprint(values...)]++ }
	const cases = 400
	for range cases {
		c := drawCase(t, rng, verilatorWork)
		again, err := parseCase("case.yaml", c.file())
		require.NoError(t, err)
		require.Equal(t, string(c.file()), string(again.file()))
		n := c.network
		meet("layers", n.K())
		meet("batch", n.Learning.Batch)
		meet("lanes", n.Hardware.Lanes)
		meet("more lanes than neurons", n.Hardware.Lanes > max(n.Layers[1], n.Layers[n.K()]))
		meet("contexts", n.Hardware.Contexts)
		meet("sparse", len(goldentest.CorInfoMax(n).Sparse.Layers) > 0, len(goldentest.CorInfoMax(n).Sparse.Layers) < n.K())
		meet("mode", n.Hardware.Mode)
		meet("rule", n.Settling.Step.Rule)
		meet("iterations", n.Settling.FreeIterations)
		meet("early end", n.Settling.EarlyEnd)
		meet("three phases", (n.Learning.Contrast == rule.WithThird))
		meet("wild", c.Wild)
		meet("stalls", c.Stall > 0)
		meet("read cycles", c.Target.ReadCycles)
		meet("factor cycles", c.Target.FactorCycles)
		meet("wire cycles", c.Target.WireCycles)
		meet("rings", c.Target.RingCycles > 0)
		meet("updates", c.Learning/n.Learning.Batch)
		for key, f := range calibrate.Types(n.Describe(), n.Formats) {
			kind := kindOf(key)
			meet("rounding of "+kind, f.Rounding)
			meet("overflow of "+kind, f.Overflow)
			meet("sign of "+kind, f.Signed)
		}
		for _, size := range n.Layers {
			meet("size", min(size, 2))
			meet("size above 30", size > 30)
			require.LessOrEqual(t, size, 40)
		}
	}
	want := func(name string, values ...any) {
		for _, v := range values {
			require.Positive(t, met[name+" "+fmt.Sprint(v)], "no %s %v in %d cases", name, v, cases)
		}
	}
	want("layers", 1, 2, 3, 4)
	want("size", 1, 2)
	want("size above 30", true)
	want("mode", "events", "dense")
	want("rule", "constant", "divide_by_loop_index", "divide_by_slow_loop_index")
	want("read cycles", 1, 2)
	want("factor cycles", 0, 1)
	want("wire cycles", 0, 1, 2)
	want("contexts", 1, 2, 3, 4)
	want("sparse", "false true", "true true", "true false")
	want("updates", 0, 1, 2)
	for _, either := range []string{"more lanes than neurons", "early end", "three phases", "wild", "stalls", "sign of r", "sign of u", "sign of current",
		"sign of drive", "sign of e", "sign of W", "sign of F", "sign of C", "sign of dW"} {
		want(either, true, false)
	}
	for i := range 17 {
		want("lanes", i+1)
	}
	for i := range 8 {
		want("batch", i+1)
	}
	for i := range 6 {
		want("iterations", i+1)
	}
	for _, kind := range tensorKinds(extremeNetwork()) {
		for q := fx.Trn; q < fx.Stochastic; q++ {
			want("rounding of "+kind, q)
		}
		for o := fx.Wrap; o <= fx.SatSym; o++ {
			want("overflow of "+kind, o)
		}
	}
	for _, kind := range []string{"W", "F", "C"} {
		want("rounding of "+kind, fx.Stochastic)
	}
}

package lockstep

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden/goldentest"
	"corinfo/golden/rule"
	"corinfo/hdlgen/design"
	"corinfo/sim"
)

// Samples that are too short or too long end with an answer that is an error, and are not learned; all others are as ever.
func TestSamplesOfWrongLength(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, goldentest.Seed(t)))
	for i, n := range harnessed(rng) {
		target := plainTarget
		target.WireCycles = i
		p, err := design.New(n, 4, 2, target)
		require.NoError(t, err)
		m := model(t, n)
		simulator := simulatorOf(i)
		d, program := build(t, p, m, simulator)
		var samples []command
		for _, s := range draw(rng, n, m.Machine, 3, 2*n.Learning.Batch) {
			for toss(rng) { // any number of bad ones before each
				bad := draw(rng, n, m.Machine, 1, 0)[0]
				bad.kind = oneOf(rng, inference, learning)
				for bad.length = n.Layers[0]; bad.length == n.Layers[0]; {
					bad.length = between(rng, 1, 2*n.Layers[0])
				}
				samples = append(samples, bad)
			}
			samples = append(samples, s)
		}
		c := follow(t, d, m, program, samples, sim.Options{Simulator: simulator, Stall: rng.IntN(2) * (1 + rng.IntN(65535))})
		require.Nil(t, c.mismatch, "%s: %v", n.Rule, c.mismatch)
	}
}

// An abort by the host may come at any time, as a reset may.
func TestAborts(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, goldentest.Seed(t)))
	for i, n := range harnessed(rng)[:2] {
		target := plainTarget
		target.WireCycles = i
		p, err := design.New(n, 4, 2, target)
		require.NoError(t, err)
		m := model(t, n)
		simulator := simulatorOf(i)
		d, program := build(t, p, m, simulator)
		batch := n.Learning.Batch
		var samples []command
		for at, end := range []reset{{'C', 0, 0}, {'C', 0, 30 + rng.IntN(30)}, {'S', 1 + rng.IntN(20), rng.IntN(30)}, {'R', 1, rng.IntN(40)}, {'W', 1, 0},
			{'W', 1 + rng.IntN(40), rng.IntN(9)}, {'S', 1, 0}} {
			list := draw(rng, n, m.Machine, rng.IntN(2), batch)
			list[len(list)-1].reset, list[len(list)-1].abort = &end, at < 6
			samples = append(samples, list...)
		}
		samples = append(samples, draw(rng, n, m.Machine, 1, batch)...)
		c := follow(t, d, m, program, samples, sim.Options{Simulator: simulator})
		require.Nil(t, c.mismatch, "%s: %v", n.Rule, c.mismatch)
		require.Equal(t, 7, c.c.resets)
	}
}

// The host sees and ends a command whose sample does not come to its end; so does the watchdog; a reset tells what it interrupted.
func TestStatus(t *testing.T) {
	rng := rand.New(rand.NewPCG(14, goldentest.Seed(t)))
	n := ruleNetwork("ep", []int{6, 5, 3}, 2, rng)
	p, err := design.New(n, 4, 2, plainTarget)
	require.NoError(t, err)
	m := model(t, n)
	sample := draw(rng, n, m.Machine, 1, 0)[0]
	words := func(count int) string {
		var b strings.Builder
		for i := range count {
			fmt.Fprintf(&b, " %x", sample.X[i%len(sample.X)])
		}
		return b.String()
	}
	word := func(place int) int { return int(design.RegionStatus.Address(place)) }
	status, abort, watchdog, interrupted := word(design.StatusErrors), word(design.StatusAbort), word(design.StatusWatchdog), word(design.StatusReset)
	for _, simulator := range []sim.Simulator{sim.Icarus, sim.Verilator} {
		d, program := build(t, p, m, simulator)
		var stimulus strings.Builder
		var reads []func(v uint64)
		tell := func(format string, args ...any) { fmt.Fprintf(&stimulus, format+"\n", args...) }
		read := func(address int, check func(v uint64)) {
			tell("G %x 1", address)
			reads = append(reads, check)
		}
		equal := func(address int, want uint64) {
			read(address, func(v uint64) { require.Equal(t, want, v, "%x, of read %d", address, len(reads)) })
		}
		equal(status, 0)
		tell("V 5 0\nI%s", words(5)) // one word is missing
		equal(status, 1<<16|1<<1|1)  // one command, which waits for a word
		read(int(design.RegionCounters.Address(slices.Index(p.Counters, "waiting_cycles"))), func(v uint64) { require.Positive(t, v) })
		equal(interrupted, 0)
		tell("H %x 1", abort)
		equal(status, 1<<11)
		tell("H %x %x", status, 1<<11)
		equal(status, 0)
		tell("I%s\nE", words(6)) // as ever
		tell("V 4 1\nL 0 0%s\nE", words(4))
		equal(status, 1<<8)
		tell("V 9 1\nI%s\nE", words(9))
		equal(status, 1<<9|1<<8)
		tell("H %x %x", status, 1<<8)
		equal(status, 1<<9)
		equal(2<<28|2, 0) // the short one is not held
		tell("H %x 2000", watchdog)
		tell("V 3 0\nL 1 0%s", words(3))
		tell("E") // the watchdog comes
		equal(status, 1<<10|1<<9)
		equal(watchdog, 0x2000)
		tell("L 1 0%s\nE", words(6))
		equal(2<<28|2, 1)
		tell("H %x 0", watchdog)
		tell("A C 0 3\nI%s", words(6)) // a reset while the sample is taken
		equal(status, 0)
		equal(watchdog, 0)
		read(interrupted, func(v uint64) {
			require.Equal(t, uint64(7), v>>32)
			require.Equal(t, uint64(1), v&0xff)
		})
		tell("I%s\nE", words(6))
		tell("L 0 0%s\nA W 1 0\nL 1 0%s", words(6), words(6)) // a reset while synapses are written
		read(interrupted, func(v uint64) { require.Equal(t, uint64(1<<10), v&0x700, "updating, no result, no sample") })
		tell("E\nQ")
		answers := 0
		var classes []string
		c := &cosimulation{d: d, quiet: 200_000}
		path, err := writeStimulus(t.TempDir(), []byte(stimulus.String()))
		require.NoError(t, err)
		require.NoError(t, play(t.Context(), func(ctx context.Context) *exec.Cmd { return c.simulator(ctx, program, d.Dir, path) }, func(line []byte) (bool, error) {
			f := strings.Fields(string(line))
			switch f[0] {
			case "D":
				v, err := strconv.ParseUint(f[3], 16, 64)
				require.NoError(t, err)
				reads[answers](v)
				answers++
			case "R":
				if f[3] == "1" {
					f[2] = "error"
				}
				classes = append(classes, f[2])
			case "N", "T", "X":
				require.Fail(t, strings.Join(f, " "))
			}
			return f[0] == "Q", nil
		}))
		require.Len(t, reads, answers)
		require.Len(t, classes, 7)
		require.Equal(t, []string{"error", "error"}, classes[1:3])
		require.Equal(t, []string{classes[0], classes[0]}, []string{classes[3], classes[4]})
	}
}

// writeTable has the host write a whole table of the plan.
func (s *script) writeTable(table design.Table) {
	for row, parts := range tablesOf(s.p)[table] {
		for part, word := range parts {
			s.write(table.Address(row, part), int64(word))
		}
	}
}

// Constants of steps that the host writes are in force at once: a design of one step size becomes one of another.
func TestStepConstants(t *testing.T) {
	rng := rand.New(rand.NewPCG(15, goldentest.Seed(t)))
	draft := rng.Uint64()
	plan := func(start float64) *design.Plan {
		n := ruleNetwork("corinfomax", []int{6, 5, 3}, 2, rand.New(rand.NewPCG(1, draft)))
		n.Settling.Step = rule.StepSize{Rule: "divide_by_loop_index", Start: start, Stop: start / 8}
		p, err := design.New(n, 4, 2, plainTarget)
		require.NoError(t, err)
		return p
	}
	first, second := plan(0.05), plan(0.06) // near enough for formats of settings to be the same
	for i, f := range first.Formulas {
		require.Equal(t, f.Graph.Fingerprint(), second.Formulas[i].Graph.Fingerprint())
	}
	d, program := build(t, first, model(t, first.Network), sim.Icarus)
	require.NotEqual(t, tablesOf(first), tablesOf(second))
	m := model(t, second.Network)
	own := &design.Design{Dir: d.Dir, Plan: second, Manifest: d.Manifest, Learner: m}
	samples := draw(rng, second.Network, m.Machine, 2, 2)
	list := newScript(second)
	list.writeTable(design.TableConstants)
	for i := range samples {
		list.run(&samples[i])
	}
	list.idle()
	list.counters(len(d.Manifest.Counters))
	list.readBack()
	c := followScript(t, own, m, program, list, sim.Options{Simulator: sim.Icarus})
	require.Nil(t, c.mismatch, "%v", c.mismatch)
}

// A program that the host writes is in force at once, in every sample in flight: a design settles for fewer iterations from there on, and
// for as many as before when it has its own program again.
func TestShorterSettling(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(16, goldentest.Seed(t)))
	for i, name := range []string{"corinfomax", "ep"} {
		draft := rng.Uint64()
		plan := func(free, nudged int) *design.Plan {
			n := ruleNetwork(name, []int{6, 5, 3}, 2, rand.New(rand.NewPCG(1, draft)))
			n.Settling.Step = rule.StepSize{Rule: "constant", Start: 0.05}
			n.Settling.FreeIterations, n.Settling.NudgedIterations, n.Settling.EarlyEnd = free, nudged, i == 0
			n.Hardware.HostTables, n.Hardware.Contexts = true, 2
			p, err := design.New(n, 4, 2, plainTarget)
			require.NoError(t, err)
			return p
		}
		long, short := plan(between(rng, 7, 12), between(rng, 4, 6)), plan(between(rng, 2, 6), between(rng, 1, 3))
		for table, rows := range tablesOf(long) { // nothing but the program differs
			if table == int(design.TableProgram) {
				require.Greater(t, len(rows), len(tablesOf(short)[table]))
			} else {
				require.Equal(t, rows, tablesOf(short)[table])
			}
		}
		simulator := simulatorOf(i)
		d, program := build(t, long, model(t, long.Network), simulator)
		for _, p := range []*design.Plan{short, long} {
			m := model(t, p.Network)
			samples := draw(rng, p.Network, m.Machine, 4, 2*p.Network.Learning.Batch)
			list := newScript(p)
			list.writeTable(design.TableProgram)
			for i := range samples {
				list.run(&samples[i])
			}
			list.idle()
			list.counters(len(d.Manifest.Counters))
			list.readBack()
			c := followScript(t, &design.Design{Dir: d.Dir, Plan: p, Manifest: d.Manifest, Learner: m}, m, program, list, sim.Options{Simulator: simulator})
			require.Nil(t, c.mismatch, "%s: %v", name, c.mismatch)
		}
	}
}

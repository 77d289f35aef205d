package sim

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Parts are of about as many commands each, begin with mini-batches, and are all of the run.
func TestDivide(t *testing.T) {
	rng := testSeed(t)
	d := small.generate(t)
	for range 2000 {
		n := *d.Network
		n.Learning.Batch = 1 + rng.IntN(5)
		other := *d
		other.Network = &n
		c := &cosimulation{d: &other, o: Options{Inference: make([]Sample, rng.IntN(6)), Learning: make([]Sample, 1+rng.IntN(30)), Again: rng.IntN(2) == 0}}
		c.commands = c.o.commands()
		workers := rng.IntN(9) // 0 is one part, too
		c.divide(workers)
		require.LessOrEqual(t, len(c.parts), max(1, workers))
		require.True(t, c.sound(c.parts), "%+v of %d, %d, batch %d", c.parts, len(c.o.Inference), len(c.o.Learning), n.Learning.Batch)
		for _, p := range c.parts {
			require.Less(t, p.From, p.To)
			// Inference is not divided.
			require.LessOrEqual(t, p.To-p.From, len(c.commands)/max(1, workers)+1+n.Learning.Batch+len(c.o.Inference))
		}
	}
}

// A run in parts compares what a run in one does, and tells the same of it, to the cycle; the model's state at the end of a
// part is the design's at the beginning of the next.
func TestPartsAreOneRun(t *testing.T) {
	rng := testSeed(t)
	for _, x := range []struct {
		simulator Simulator
		c         testCase
	}{
		{Icarus, testCase{layers: []int{7, 5, 4}, lanes: 2, batch: 2, rule: "constant", formats: "uneven", three: true}},
		{Verilator, testCase{layers: []int{12, 9, 8, 5}, lanes: 3, batch: 3, rule: "divide_by_slow_loop_index", formats: "coarse", early: true, contexts: 2}},
	} {
		needTool(t, compilers[x.simulator])
		d := x.c.generate(t)
		o := Options{Simulator: x.simulator, Inference: randomSamples(d, 7, rng), Learning: randomSamples(d, 6*x.c.batch+1, rng), Again: true, Closing: true, SaveEvery: time.Hour}
		var whole *Report
		for _, o.Workers = range []int{1, 2, 4} {
			last, all := -1, 0
			o.Progress = func(done, total int) {
				require.Equal(t, last+1, done)
				require.Less(t, 14+len(o.Learning), total)
				all = total
				last = done
			}
			report, err := Cosim(context.Background(), d, o)
			require.NoError(t, err)
			require.Nil(t, report.Mismatch)
			require.Equal(t, o.Workers, report.Parts)
			require.Equal(t, all, last)
			require.Equal(t, 14+len(o.Learning)+report.Closing.Samples, all)
			require.Positive(t, report.LearningPerSecond)
			if whole == nil {
				whole = report
			}
			require.Equal(t, asOnePart(t, whole), asOnePart(t, report))
		}
	}
}

// The mismatch that a run in parts tells is the run's first, in whichever part it is.
func TestFirstMismatchOfParts(t *testing.T) {
	needTool(t, "iverilog")
	rng := testSeed(t)
	for _, first := range []int{0, 6} {
		d := small.generate(t)
		manifest := *d.Manifest
		// The factor of the last layer's current while it is nudged with beta above zero, by so much that every sample shows it.
		flipDigit(t, d.Dir, "images/tester_constants.hex", 3*(d.Network.K()-1)+1, 3)
		agree(t, d.Dir, "images/tester_constants.hex", manifest)
		d = reopen(t, d.Dir)
		o := Options{Simulator: Icarus, Inference: randomSamples(d, 1, rng), Learning: randomSamples(d, 9, rng), Again: true, SaveEvery: time.Hour}
		for i := range o.Learning {
			o.Learning[i].Negative = i < first
		}
		var whole *Mismatch
		for _, o.Workers = range []int{1, 4} {
			report, err := Cosim(context.Background(), d, o)
			require.NoError(t, err)
			require.NotNil(t, report.Mismatch)
			require.Equal(t, 1, report.Mismatches)
			require.Equal(t, o.Workers, report.Parts)
			checkWave(t, report.Mismatch)
			m := *report.Mismatch
			require.Equal(t, 1+first, m.Sample)
			require.Equal(t, "nudged", m.Phase)
			if whole == nil {
				whole = &m
			}
			m.Cycle = whole.Cycle // is the part's
			require.Equal(t, *whole, m)
		}
	}
}

// An error of one part's simulator stops the others, which here would never end, and is the run's error.
func TestErrorStopsAllParts(t *testing.T) {
	d := small.generate(t)
	o := Options{Learning: randomSamples(d, 6, testSeed(t)), Simulator: Icarus, Workers: 2}
	c := &cosimulation{d: d, o: o, commands: o.commands(), quiet: 1000}
	c.divide(o.Workers)
	c.model = &model{[]string{"sh", "-c", `for a; do case $a in +stimulus=*) f=${a#+stimulus=} ;; esac; done
		case $(head -c 1 "$f") in H) exit 3 ;; esac
		exec tail -f /dev/null`, "sh"}}
	runs, err := c.simulate(context.Background(), t.TempDir())
	require.Len(t, runs, 2)
	require.ErrorContains(t, err, "stopped in the middle of sample 3")
	for _, r := range runs {
		r.close()
	}
}

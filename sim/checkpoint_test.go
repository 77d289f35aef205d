package sim

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"corinfo/golden"
)

// asOnePart is a report without what differs from run to run, as if the run had one part.
func asOnePart(t *testing.T, r *Report) Report {
	t.Helper()
	c := *r
	require.Nil(t, c.Mismatch)
	require.Zero(t, c.ComparedMemoryWords%int64(c.Parts))
	c.ComparedMemoryWords /= int64(c.Parts)
	c.Seconds, c.BuildSeconds, c.LearningPerSecond, c.Parts = 0, 0, 0, 0
	return c
}

// A learning run, in parts or not, that is stopped again and again, wherever it is, and continued ends with the report
// of a whole run.
func TestStoppedRunContinues(t *testing.T) {
	rng := testSeed(t)
	for _, x := range []struct {
		simulator Simulator
		workers   int
		c         testCase
	}{
		{Icarus, 1, testCase{layers: []int{7, 5, 4}, lanes: 2, batch: 2, rule: "constant", formats: "uneven", three: true}},
		{Icarus, 3, testCase{layers: []int{7, 5, 4}, lanes: 2, batch: 2, rule: "constant", formats: "uneven", contexts: 2}},
		{Verilator, 1, testCase{layers: []int{12, 9, 8, 5}, lanes: 3, batch: 3, rule: "divide_by_slow_loop_index", formats: "coarse", early: true}},
	} {
		needTool(t, compilers[x.simulator])
		d := x.c.generate(t)
		o := Options{Simulator: x.simulator, Inference: randomSamples(d, 3, rng), Learning: randomSamples(d, 5*x.c.batch+1, rng), Again: true, Closing: true, SaveEvery: time.Hour}
		whole, err := Cosim(context.Background(), d, o)
		require.NoError(t, err)
		require.Nil(t, whole.Mismatch)
		require.NotNil(t, whole.After)
		require.Equal(t, whole.After.Model, whole.After.RTL)
		require.Positive(t, whole.LearningPerSecond)
		require.False(t, Resumable(d), "a run that is over leaves no checkpoint")

		o.SaveEvery, o.Workers = 1, x.workers
		stops := 0
		for {
			ctx, cancel := context.WithCancel(context.Background())
			o.Resume = Resumable(d)
			// Longer and longer: on a busy machine all parts may be stopped before they have completed a mini-batch.
			start, until := -1, 2+stops/2+rng.IntN(3*x.c.batch)
			o.Progress = func(done, total int) {
				if start < 0 {
					start = done
				}
				// What follows the last mini-batch, the closing part too, has no checkpoint and begins anew.
				if done-start == until && start < len(o.Inference)+5*x.c.batch {
					cancel()
				}
			}
			report, err := Cosim(ctx, d, o)
			cancel()
			if err == nil {
				require.Equal(t, x.workers, report.Parts)
				require.Equal(t, asOnePart(t, whole), asOnePart(t, report))
				break
			}
			require.ErrorIs(t, err, context.Canceled)
			stops++
			require.Less(t, stops, 40, "the run does not come on")
		}
		require.Positive(t, stops)
		require.False(t, Resumable(d))
		left, err := os.ReadDir(filepath.Join(d.Dir, "sim"))
		require.NoError(t, err)
		require.Empty(t, left)
	}
}

// stopped runs until a checkpoint is there.
func stopped(t *testing.T, c testCase, o Options) string {
	t.Helper()
	d := c.generate(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	o.Progress = func(int, int) {
		if Resumable(d) {
			cancel()
		}
	}
	_, err := Cosim(ctx, d, o)
	require.ErrorIs(t, err, context.Canceled)
	return d.Dir
}

// A checkpoint of another design, of other samples, or damaged, is refused in words that say what to do.
func TestCheckpointRefused(t *testing.T) {
	needTool(t, "iverilog")
	d := small.generate(t)
	rng := rand.New(rand.NewPCG(1, 2))
	o := Options{Simulator: Icarus, Inference: randomSamples(d, 1, rng), Learning: randomSamples(d, 12, rng), SaveEvery: 1}
	resume := func(dir string, o Options) error {
		o.Resume = true
		_, err := Cosim(context.Background(), reopen(t, dir), o)
		return err
	}
	err := resume(d.Dir, o)
	require.ErrorIs(t, err, golden.ErrUsage)
	require.ErrorContains(t, err, "leave --resume away")

	dir := stopped(t, small, o)
	file := filepath.Join(dir, "sim", "checkpoint")
	whole, err := os.ReadFile(file)
	require.NoError(t, err)

	other := o
	other.Learning = randomSamples(d, 12, rng)
	err = resume(dir, other)
	require.ErrorIs(t, err, golden.ErrUsage)
	require.ErrorContains(t, err, "other samples")

	other = o
	other.Inference = nil
	require.ErrorContains(t, resume(dir, other), "ask for the same")
	other = o
	other.Learning = nil
	require.ErrorContains(t, resume(dir, other), "ask for the same")
	other = o
	other.Simulator = Verilator
	require.ErrorContains(t, resume(dir, other), "of another design")
	other = o
	other.Stall = 1
	require.ErrorIs(t, resume(dir, other), golden.ErrUsage)

	for _, damage := range [][]byte{whole[:len(whole)/2], append(append([]byte{}, whole...), 'x'), {}} {
		require.NoError(t, os.WriteFile(file, damage, 0o644))
		err = resume(dir, o)
		require.ErrorIs(t, err, golden.ErrDamaged)
		require.ErrorContains(t, err, "remove it")
	}
	require.NoError(t, os.WriteFile(file, whole, 0o644))

	verilog := verilogPath(dir, "corinfo_host.v")
	text, err := os.ReadFile(verilog)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(verilog, append(text, '\n'), 0o644))
	err = resume(dir, o)
	require.ErrorIs(t, err, golden.ErrUsage)
	require.ErrorContains(t, err, "of another design")
	require.NoError(t, os.WriteFile(verilog, text, 0o644))
	require.NoError(t, resume(dir, o))
}

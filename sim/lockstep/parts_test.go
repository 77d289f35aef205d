package lockstep

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"corinfo/golden"
	"corinfo/golden/goldentest"
	"corinfo/hdlgen"
	"corinfo/hdlgen/design"
	"corinfo/sim"
)

// partsCases are designs whose parts begin with more than synapses: words beside them, constants of every mini-batch.
var partsCases = []closingCase{
	{rule: "corinfomax", layers: []int{5, 4, 3}, batch: 2, lanes: 2, units: 1, contexts: 2},
	{rule: "bp", layers: []int{3, 2, 2}, batch: 1, lanes: 2, units: 2, contexts: 1},
}

// Parts are of about as many commands each, begin with mini-batches, and are all of the run.
func TestDivide(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, goldentest.Seed(t)))
	p := partsCases[0].plan(t, rng)
	for range 2000 {
		n := *p.Network
		n.Learning.Batch = 1 + rng.IntN(5)
		plan := *p
		plan.Network = &n
		c := &cosimulation{d: &design.Design{Plan: &plan, Manifest: &hdlgen.Manifest{}}, o: sim.Options{Inference: make([]hdlgen.Sample, rng.IntN(6)), Learning: make([]hdlgen.Sample, 1+rng.IntN(30)), Again: rng.IntN(2) == 0}}
		c.commands = commandsOf(&c.o)
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

// asOnePart is a report without what differs from run to run, as if the run had one part.
func asOnePart(t *testing.T, r *sim.Report) sim.Report {
	t.Helper()
	c := *r
	require.Nil(t, c.Mismatch)
	require.Zero(t, c.ComparedMemoryWords%int64(c.Parts))
	c.ComparedMemoryWords /= int64(c.Parts)
	c.Seconds, c.BuildSeconds, c.LearningPerSecond, c.Parts = 0, 0, 0, 0
	return c
}

// A run in parts compares what a run in one does, and tells the same of it, to the cycle; the model's state at the end of a
// part is the design's at the beginning of the next.
func TestPartsAreOneRun(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(13, goldentest.Seed(t)))
	for _, c := range partsCases {
		d := c.generate(t, rng)
		o := sim.Options{Simulator: sim.Icarus, Inference: samplesOf(d, 2, rng), Learning: samplesOf(d, 6*c.batch+c.batch/2, rng), Again: true, SaveEvery: time.Hour}
		var whole *sim.Report
		for _, o.Workers = range []int{1, 3} {
			last, all := -1, 0
			o.Progress = func(done, total int) {
				require.Equal(t, last+1, done)
				last, all = done, total
			}
			report, err := Cosim(t.Context(), d, o)
			require.NoError(t, err)
			require.Nil(t, report.Mismatch, "%v", report.Mismatch)
			require.Equal(t, o.Workers, report.Parts)
			require.Equal(t, all, last)
			require.Equal(t, 4+len(o.Learning), all)
			require.Positive(t, report.LearningPerSecond)
			if whole == nil {
				whole = report
			}
			require.Equal(t, asOnePart(t, whole), asOnePart(t, report), c.rule)
		}
	}
}

// The mismatch that a run in parts tells is the run's first, in whichever part it is.
func TestPartsTellTheFirstMismatch(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(14, goldentest.Seed(t)))
	for _, first := range []int{0, 6} {
		d := small(t)
		// The constants of the output's nudged steps with beta above zero: every learning sample with it shows them.
		goldentest.ReplaceIn(t, verilogPath(d.Dir, "corinfo_context.v"), "? 2'd2 : 2'd3;", "? 2'd3 : 2'd3;")
		o := sim.Options{Simulator: sim.Icarus, Inference: samplesOf(d, 1, rng), Learning: samplesOf(d, 9, rng), Again: true, SaveEvery: time.Hour}
		for i := range o.Learning {
			o.Learning[i].Negative = i < first
		}
		var whole *sim.Mismatch
		for _, o.Workers = range []int{1, 4} {
			report, err := Cosim(t.Context(), d, o)
			require.NoError(t, err)
			require.NotNil(t, report.Mismatch)
			require.Equal(t, 1, report.Mismatches)
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
	d := small(t)
	o := sim.Options{Learning: samplesOf(d, 6, rand.New(rand.NewPCG(1, 2))), Simulator: sim.Icarus, Workers: 2}
	c := newCosimulation(d, o)
	c.divide(o.Workers)
	c.model = []string{"sh", "-c", `for a; do case $a in +stimulus=*) f=${a#+stimulus=} ;; esac; done
		case $(head -c 1 "$f") in H) exit 3 ;; esac
		exec tail -f /dev/null`, "sh"}
	runs, err := c.simulate(t.Context(), t.TempDir())
	require.Len(t, runs, 2)
	require.ErrorContains(t, err, "ended early")
	for _, r := range runs {
		r.close()
	}
}

// A learning run, in parts or not, that is stopped again and again, wherever it is, and continued ends with the report
// of a whole run.
func TestStoppedRunContinues(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(15, goldentest.Seed(t)))
	for i, c := range partsCases {
		workers := 1 + 2*i
		d := c.generate(t, rng)
		o := sim.Options{Simulator: sim.Icarus, Inference: samplesOf(d, 2, rng), Learning: samplesOf(d, 6*c.batch+c.batch/2, rng), Again: true, SaveEvery: time.Hour}
		whole, err := Cosim(t.Context(), d, o)
		require.NoError(t, err)
		require.Nil(t, whole.Mismatch, "%v", whole.Mismatch)
		require.NotNil(t, whole.After)
		require.Equal(t, whole.After.Model, whole.After.RTL)
		require.False(t, Resumable(d), "a run that is over leaves no checkpoint")

		o.SaveEvery, o.Workers = 1, workers
		stops := 0
		for {
			ctx, cancel := context.WithCancel(t.Context())
			o.Resume = Resumable(d)
			// Longer and longer: on a busy machine all parts may be stopped before they have completed a mini-batch.
			start, until := -1, 2+stops+rng.IntN(3*c.batch)
			o.Progress = func(done, total int) {
				if start < 0 {
					start = done
				}
				// What follows the last mini-batch has no checkpoint and begins anew.
				if done-start == until && start < len(o.Inference)+6*c.batch {
					cancel()
				}
			}
			report, err := Cosim(ctx, d, o)
			cancel()
			if err == nil {
				require.Equal(t, workers, report.Parts)
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

// A checkpoint of another design, of other samples, or damaged, is refused in words that say what to do.
func TestCheckpointRefused(t *testing.T) {
	t.Parallel()
	d := small(t)
	rng := rand.New(rand.NewPCG(1, 2))
	o := sim.Options{Simulator: sim.Icarus, Inference: samplesOf(d, 1, rng), Learning: samplesOf(d, 12, rng), SaveEvery: 1}
	resume := func(o sim.Options) error {
		o.Resume = true
		_, err := Cosim(t.Context(), d, o)
		return err
	}
	err := resume(o)
	require.ErrorIs(t, err, golden.ErrUsage)
	require.ErrorContains(t, err, "leave --resume away")

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stopped := o
	stopped.Progress = func(int, int) {
		if Resumable(d) {
			cancel()
		}
	}
	_, err = Cosim(ctx, d, stopped)
	require.ErrorIs(t, err, context.Canceled)
	file := filepath.Join(d.Dir, "sim", "checkpoint")
	whole, err := os.ReadFile(file)
	require.NoError(t, err)

	other := o
	other.Learning = samplesOf(d, 12, rng)
	err = resume(other)
	require.ErrorIs(t, err, golden.ErrUsage)
	require.ErrorContains(t, err, "other samples")
	other = o
	other.Inference = nil
	require.ErrorContains(t, resume(other), "ask for the same")
	other = o
	other.Learning = nil
	require.ErrorContains(t, resume(other), "ask for the same")
	other = o
	other.Simulator = sim.Verilator
	require.ErrorContains(t, resume(other), "of another design")
	other = o
	other.Stall = 1
	require.ErrorIs(t, resume(other), golden.ErrUsage)

	for _, damage := range [][]byte{whole[:len(whole)/2], append(append([]byte{}, whole...), 'x'), {}} {
		require.NoError(t, os.WriteFile(file, damage, 0o644))
		err = resume(o)
		require.ErrorIs(t, err, golden.ErrDamaged)
		require.ErrorContains(t, err, "remove it")
	}
	require.NoError(t, os.WriteFile(file, whole, 0o644))

	goldentest.ReplaceIn(t, verilogPath(d.Dir, "corinfo_host.v"), "endmodule", "endmodule // changed")
	err = resume(o)
	require.ErrorIs(t, err, golden.ErrUsage)
	require.ErrorContains(t, err, "of another design")
	goldentest.ReplaceIn(t, verilogPath(d.Dir, "corinfo_host.v"), "endmodule // changed", "endmodule")
	require.NoError(t, resume(o))
}

// A run that passes has a waveform of all of its samples and nothing of its read-back, from either simulator in either format.
func TestWaveOfPassingRun(t *testing.T) {
	t.Parallel()
	d := small(t)
	rng := rand.New(rand.NewPCG(16, goldentest.Seed(t)))
	inferences, learns := samplesOf(d, 1, rng), samplesOf(d, 1, rng)
	for _, x := range []struct {
		simulator sim.Simulator
		format    sim.Waveform
	}{{sim.Icarus, sim.VCD}, {sim.Icarus, sim.FST}, {sim.Verilator, sim.FST}, {sim.Verilator, sim.VCD}} {
		file := filepath.Join(t.TempDir(), "run"+string(x.format))
		r, err := Cosim(t.Context(), d, sim.Options{Simulator: x.simulator, Inference: inferences, Learning: learns, Again: true, Wave: file})
		require.NoError(t, err)
		require.Nil(t, r.Mismatch, "%v", r.Mismatch)
		require.Equal(t, file, r.Wave)
		cycles := r.Counters[0].Value // of the samples: the design's own count, which stands still in the read-back
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		if x.format == sim.VCD {
			require.InDelta(t, cycles, countEdges(t, string(text), "clk_i"), 30)
		} else {
			// The header: a block of type 0 and 329 bytes, then the first and the last time.
			require.Zero(t, text[0])
			require.EqualValues(t, 329, binary.BigEndian.Uint64(text[1:]))
			require.Greater(t, binary.BigEndian.Uint64(text[17:]), uint64(2*cycles-30))
		}
		left, err := filepath.Glob(filepath.Join(filepath.Dir(file), ".corinfo-*"))
		require.NoError(t, err)
		require.Empty(t, left)
	}
}

// countEdges counts the rising edges of the outermost signal of a name.
func countEdges(t *testing.T, text, name string) (edges int) {
	t.Helper()
	code := ""
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		switch {
		case code == "" && len(fields) > 4 && fields[0] == "$var" && fields[4] == name:
			code = fields[3]
		case code != "" && strings.TrimSpace(line) == "1"+code:
			edges++
		}
	}
	require.NotEmpty(t, code)
	return edges
}

func TestWaveErrors(t *testing.T) {
	d := small(t)
	dir := t.TempDir()
	for file, words := range map[string]string{"run.vcdx": ".fst or .vcd", "run": ".fst or .vcd", "none/run.fst": "no folder"} {
		_, err := Cosim(t.Context(), d, sim.Options{Simulator: sim.Icarus, Inference: make([]hdlgen.Sample, 1), Wave: filepath.Join(dir, file)})
		require.ErrorIs(t, err, golden.ErrUsage)
		require.ErrorContains(t, err, words)
	}
	_, err := Cosim(t.Context(), d, sim.Options{Simulator: sim.Icarus, Inference: make([]hdlgen.Sample, 9), Learning: make([]hdlgen.Sample, 3), Again: true, Wave: filepath.Join(dir, "run.vcd")})
	require.ErrorIs(t, err, golden.ErrUsage)
	require.ErrorContains(t, err, "21 samples; it may have 20")
}

// What the folders are called that the design stands in is the user's choice: no shell, make or Verilog compiler
// takes a name apart, or runs what stands in it.
func TestFoldersOfAnyName(t *testing.T) {
	t.Parallel()
	one := small(t)
	for i, name := range []string{"üx and a space", "$(touch made)`touch made`", "a'b\"c", "a\nb", "-o", "100%", "#x;touch made;"} {
		above := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.Mkdir(above, 0o755))
		d := *one
		d.Dir = filepath.Join(above, "design")
		require.NoError(t, os.CopyFS(d.Dir, os.DirFS(one.Dir)))
		for _, simulator := range []sim.Simulator{sim.Icarus, sim.Verilator}[:1+(i+1)%2] {
			r, err := Cosim(t.Context(), &d, sim.Options{Simulator: simulator, Inference: samplesOf(&d, 1, rand.New(rand.NewPCG(1, 2)))})
			require.NoError(t, err, "%s in %q", simulator, name)
			require.Zero(t, r.Mismatches)
			require.Positive(t, r.ComparedStates)
		}
		made, err := filepath.Glob(filepath.Join(filepath.Dir(above), "*", "made"))
		require.NoError(t, err)
		require.Empty(t, made)
		require.NoFileExists(t, "made")
	}
}

// Nothing is written, or removed, where a link in a design leads.
func TestLinkOutOfADesign(t *testing.T) {
	d := small(t)
	elsewhere := t.TempDir()
	mine := filepath.Join(elsewhere, "checkpoint")
	require.NoError(t, os.WriteFile(mine, []byte("mine"), 0o644))
	link := filepath.Join(d.Dir, "sim")
	require.NoError(t, os.Symlink(elsewhere, link))
	_, err := Cosim(t.Context(), d, sim.Options{Simulator: sim.Icarus, Learning: samplesOf(d, 2, rand.New(rand.NewPCG(1, 2))), SaveEvery: 1})
	require.ErrorIs(t, err, golden.ErrUsage)
	require.ErrorContains(t, err, link)
	require.ErrorContains(t, err, "not a folder")
	text, err := os.ReadFile(mine)
	require.NoError(t, err)
	require.Equal(t, "mine", string(text))
}

// Whatever the registers and memories hold before the reset, a design does the same, byte by byte of its trace. A rehearsed model is
// built of what one inference and one mini-batch go through, and is the same design.
func TestInitialState(t *testing.T) {
	t.Parallel()
	d := small(t)
	rng := rand.New(rand.NewPCG(17, goldentest.Seed(t)))
	c := newCosimulation(d, sim.Options{Simulator: sim.Verilator, Inference: samplesOf(d, 1, rng), Learning: samplesOf(d, 2, rng), Stall: 1 + rng.IntN(1000)})
	path, err := writeStimulus(t.TempDir(), c.scriptOf(0, 3).text(d.Manifest.Widths.X))
	require.NoError(t, err)
	profiles := 0
	rehearsed, err := sim.Compile(t.Context(), d.Dir, d.Manifest, sim.Recipe{Simulator: sim.Verilator, Effort: sim.Rehearsed}, func(ctx context.Context, program string) error {
		require.NoError(t, c.rehearse(ctx, program))
		list, err := filepath.Glob(filepath.Join(filepath.Dir(program), "*.gcda"))
		profiles += len(list)
		return err
	})
	require.NoError(t, err)
	require.Positive(t, profiles)
	program, err := sim.Compile(t.Context(), d.Dir, d.Manifest, sim.Recipe{Simulator: sim.Verilator}, nil)
	require.NoError(t, err)
	var first string
	for _, x := range []struct {
		model       []string
		reset, seed int
	}{{rehearsed, 0, 1}, {program, 0, 1}, {program, 1, 1}, {program, 2, 1}, {program, 2, 2}, {program, 2, 3}} {
		cmd := exec.Command(x.model[0], "+stimulus="+path, fmt.Sprintf("+verilator+rand+reset+%d", x.reset), fmt.Sprintf("+verilator+seed+%d", x.seed))
		cmd.Dir = d.Dir
		trace, err := cmd.Output()
		require.NoError(t, err)
		if first == "" {
			first = string(trace)
		}
		require.True(t, first == string(trace), "another trace from initial state %d, seed %d", x.reset, x.seed)
	}
	require.Regexp(t, regexp.MustCompile(`\nQ \d+\n$`), first)
}

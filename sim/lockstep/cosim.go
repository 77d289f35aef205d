// Package lockstep runs designs beside the bit-true model, word by word.
package lockstep

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"corinfo/golden"
	"corinfo/hdlgen/design"
	"corinfo/sim"
)

// Cosim runs a design in lock step with the bit-true model: every word of every step, every synapse that an update writes with the words
// beside it, every score and class, and at the end every memory word and the counters.
// A mismatch is in the report, not in the error, and then the report has no figures of performance; errors are
// failures of the run. Without a sample there is nothing to compare: ErrUsage. A run that was cancelled or killed can be
// continued where it kept checkpoints; its report is that of a whole run, except for the times. Where only the waveform that
// was asked for could not be written there is a report beside the error.
//
// With several workers the run has parts that are simulated at the same time, each with the synapses that the model has
// where the part begins. The end of a part is compared like that of a run, every memory word, and so is the beginning of
// the next: the parts are one run whose design was reset in between.
func Cosim(ctx context.Context, d *design.Design, o sim.Options) (*sim.Report, error) {
	if len(o.Inference)+len(o.Learning) == 0 {
		return nil, golden.Usagef("co-simulation: no samples; classify or learn at least one")
	}
	if len(o.Learning) > 0 && !d.Plan.Learns() {
		return nil, golden.Usagef("co-simulation: a design for inference only does not learn; %d samples to learn", len(o.Learning))
	}
	if (o.SaveEvery > 0 || o.Resume) && o.Stall != 0 {
		return nil, golden.Usagef("co-simulation: stalls are not part of a checkpoint; take either")
	}
	if o.Resume && o.SaveEvery == 0 {
		return nil, golden.Usagef("co-simulation: a continued run keeps checkpoints; give a time between them")
	}
	if o.Wave != "" {
		if err := sim.CheckWave(&o); err != nil {
			return nil, err
		}
		o.Workers, o.SaveEvery = 1, 0
	}
	if err := sim.CheckWorkFolder(d.Dir); err != nil {
		return nil, err
	}
	c := newCosimulation(d, o)
	start := time.Now()
	if err := c.begin(); err != nil {
		return nil, err
	}
	c.how = sim.Recipe{Simulator: o.Simulator, Effort: sim.EffortFor(c.work()), Properties: o.Properties}
	var err error
	if c.model, err = sim.Compile(ctx, d.Dir, d.Manifest, c.how, c.rehearse); err != nil {
		return nil, err
	}
	report := &sim.Report{Simulator: o.Simulator, Parts: len(c.parts), BuildSeconds: time.Since(start).Seconds()}
	folder, err := sim.WorkFolder(d.Dir)
	if err != nil {
		return nil, err
	}
	start = time.Now()
	c.lastSave = start
	runs, err := c.simulate(ctx, folder)
	defer func() {
		for _, r := range runs {
			r.close()
		}
	}()
	report.Seconds = time.Since(start).Seconds()
	if err != nil {
		return nil, err
	}
	all := c.totals(runs)
	report.Samples, report.Learned = all.Samples, all.Learned
	report.ComparedStates, report.ComparedSynapses, report.ComparedMemoryWords = all.States, all.Synapses, all.Words
	for _, r := range runs {
		if r.mismatch == nil {
			continue
		}
		report.Mismatches, report.Mismatch = 1, r.mismatch
		if err := r.waveOfMismatch(ctx, folder, r.mismatch); err != nil {
			r.mismatch.Detail += fmt.Sprintf(" (no waveform: %v)", err)
		}
		return report, nil
	}
	c.figures(report, &all, runs)
	report.Closing = c.closing
	if c.saved || o.Resume {
		os.Remove(checkpointFile(d)) // the run is over
	}
	if o.Wave != "" {
		if err := runs[0].wave(ctx, o.Wave, 0, runs[0].sampled); err != nil {
			return report, fmt.Errorf("waveform %s: %w", o.Wave, err)
		}
		report.Wave = o.Wave
	}
	return report, nil
}

func newCosimulation(d *design.Design, o sim.Options) *cosimulation {
	c := &cosimulation{d: d, o: o, commands: commandsOf(&o), quiet: quietCycles(d.Plan)}
	if o.Closing {
		c.closing = c.close(newScript(d.Plan))
	}
	return c
}

// rehearse runs a program for the compiler to see where it spends its time: one inference, one mini-batch. What it prints, and whether
// the design is right, does not matter.
func (c *cosimulation) rehearse(ctx context.Context, path string) error {
	s := newScript(c.d.Plan)
	short := sim.Options{Inference: c.o.Inference[:min(1, len(c.o.Inference))],
		Learning: c.o.Learning[:min(c.d.Plan.Network.Learning.Batch, len(c.o.Learning))]}
	commands := commandsOf(&short)
	for i := range commands {
		s.run(&commands[i])
	}
	s.idle()
	stimulus, err := writeStimulus(filepath.Dir(path), s.text(c.d.Manifest.Widths.X))
	if err != nil {
		return err
	}
	defer os.Remove(stimulus)
	err = c.simulator(ctx, []string{path}, c.d.Dir, stimulus).Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return ctx.Err()
	}
	return err
}

// work is what a run will take at most, about, in lanes x cycles.
func (c *cosimulation) work() int {
	cycles := c.commandCycles() + c.readBackCycles()
	if c.closing != nil {
		cycles += c.closing.Samples * 2 * learningFactor * c.d.Plan.Dense()
	}
	return c.d.Plan.Lanes * cycles
}

// learningFactor is how many times an inference a learning sample takes, about.
const learningFactor = 4

// commandCycles are those that the commands of a run take at most, about.
func (c *cosimulation) commandCycles() int {
	return c.d.Plan.Dense() * (2*len(c.o.Inference) + learningFactor*len(c.o.Learning))
}

// readBackCycles are those in which all memory words are read.
func (c *cosimulation) readBackCycles() int {
	p := c.d.Plan
	return (p.Target.ReadCycles + 2*p.Target.WireCycles + 6) * p.Lanes * p.Depth * (1 + len(p.Beside))
}

// quietCycles is how long a design may show nothing before it counts as dead: longer than all changes of a sample take to become
// products, and than an update looks for factors that are not zero.
func quietCycles(p *design.Plan) int {
	longest := 0
	for _, pr := range p.D.Projections {
		longest = max(longest, pr.Cols)
	}
	return 5_000 + 4*p.Dense() + 20*longest*p.Network.Learning.Batch
}

package sim

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"corinfo/golden"
	"corinfo/hdlgen"
)

// Options of a co-simulation.
type Options struct {
	Simulator Simulator
	Inference []Sample // labels are for the accuracy only
	Learning  []Sample
	Again     bool // classify the inference samples once more after learning
	Stall     int  // seed of stalls on the handshakes; 0: none
	Closing   bool // behind them the closing part; figures are of the samples alone
	Reset     int  // Verilator: initial state 0 zeros, 1 ones, 2 random
	// Workers is how many simulators may run at a time, each with a part of the run; 0 is 1.
	Workers int
	// SaveEvery is the time between checkpoints, taken after mini-batches and kept in the design's folder sim until
	// the run is over; 0: none. Resume continues from the last one.
	SaveEvery time.Duration
	Resume    bool
	// Wave is the file of a waveform of the run, without its read-back: .fst or .vcd; "": none. Such a run is short (see CheckWave),
	// has one part and keeps no checkpoints.
	Wave     string
	Progress func(done, total int) // one call at a time
}

// Samples is how many a run has, those classified again among them, but for the closing part.
func (o *Options) Samples() int {
	count := len(o.Inference) + len(o.Learning)
	if o.Again {
		count += len(o.Inference)
	}
	return count
}

// Report is what a co-simulation found.
type Report struct {
	Samples             int       `json:"samples"`
	Learned             int       `json:"learned"`
	ComparedStates      int64     `json:"compared_states"`
	ComparedSynapses    int64     `json:"compared_synapses"`
	ComparedMemoryWords int64     `json:"compared_memory_words"`
	Mismatches          int       `json:"mismatches"`
	CyclesPerInference  float64   `json:"cycles_per_inference"`
	CyclesPerLearning   float64   `json:"cycles_per_learning_sample"`
	SettlingCycles      float64   `json:"settling_cycles"`  // in which some sample is taken or settles, of a command
	LanesBusy           float64   `json:"lanes_busy"`       // share of the settling cycles in which the lanes multiply for events
	LaneUtilisation     float64   `json:"lane_utilisation"` // useful products over lanes x settling cycles: without the padding of layers that L does not divide
	SkippedFraction     float64   `json:"skipped_fraction"` // dense products that events did not take
	Accuracy            float64   `json:"accuracy"`         // of the inference samples
	After               *After    `json:"accuracy_after_learning,omitempty"`
	Simulator           Simulator `json:"simulator"`
	Parts               int       `json:"parts"`   // of the run, each with a simulator of its own
	Seconds             float64   `json:"seconds"` // of this part of a continued run
	LearningPerSecond   float64   `json:"learning_samples_per_second"`
	BuildSeconds        float64   `json:"build_seconds"`
	Counters            []Counter `json:"counters,omitempty"`
	Wave                string    `json:"wave,omitempty"` // file
	Closing             *Closing  `json:"closing,omitempty"`
	NotExercised        []Gap     `json:"not_exercised,omitempty"`
	// Values that were outside the format of their tensor, and synapses whose sum was not zero but which kept their word, of the samples.
	Overflows map[string]int64 `json:"overflows,omitempty"` // by tensor
	Lost      map[string]int64 `json:"lost,omitempty"`      // by projection
	Mismatch  *Mismatch        `json:"mismatch"`
}

// Closing is what the closing part of a run did. Of all other figures only what was compared counts it.
type Closing struct {
	Steps   int `json:"steps"`
	Samples int `json:"samples"` // classified or learned, those that a reset ended among them
	Words   int `json:"words"`   // that the host wrote or read
	Resets  int `json:"resets"`
}

// After are the accuracies of the inference samples after learning, by the bit-true model and by the design.
type After struct {
	Model float64 `json:"model"`
	RTL   float64 `json:"rtl"`
}

// Counter is one of the design's counters after the run.
type Counter struct {
	Name  string `json:"name"`
	Value int64  `json:"value"`
}

// Cosim runs a design in lock step with the bit-true model: every state after every settling step, every
// synapse that an update writes, every score and class, and at the end every memory word and the counters.
// A mismatch is in the report, not in the error, and then the report has no figures of performance; errors are
// failures of the run. Without a sample there is nothing to compare: ErrUsage. A run that was cancelled or killed can be
// continued where it kept checkpoints; its report is that of a whole run, except for the times. Where only the waveform that
// was asked for could not be written there is a report beside the error.
//
// With several workers the run has parts that are simulated at the same time, each with the synapses that the model has
// where the part begins. The end of a part is compared like that of a run, every memory word, and so is the beginning of
// the next: the parts are one run whose design was reset in between.
func Cosim(ctx context.Context, d *hdlgen.Design, o Options) (*Report, error) {
	if len(o.Inference)+len(o.Learning) == 0 {
		return nil, fmt.Errorf("%w: co-simulation: no samples; classify or learn at least one", golden.ErrUsage)
	}
	if (o.SaveEvery > 0 || o.Resume) && o.Stall != 0 {
		return nil, fmt.Errorf("%w: co-simulation: stalls are not part of a checkpoint; take either", golden.ErrUsage)
	}
	if o.Resume && o.SaveEvery == 0 {
		return nil, fmt.Errorf("%w: co-simulation: a continued run keeps checkpoints; give a time between them", golden.ErrUsage)
	}
	if o.Wave != "" {
		if err := CheckWave(&o); err != nil {
			return nil, err
		}
		o.Workers, o.SaveEvery = 1, 0
	}
	root, err := openRoot(d.Dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	if err := checkFolder(root, simFolder); err != nil {
		return nil, err
	}
	c := &cosimulation{d: d, o: o, commands: o.commands()}
	start := time.Now()
	dense, err := hdlgen.Estimate(d.Arithmetic, d.Manifest.Lanes, d.Manifest.Target, nil)
	if err != nil {
		return nil, err
	}
	if o.Closing {
		c.steps = c.closingSteps()
	}
	if err := c.begin(dense); err != nil {
		return nil, err
	}
	c.quiet = quietCycles(dense)
	c.how = Recipe{Simulator: o.Simulator, Effort: EffortFor(work(d, dense, o) + d.Manifest.Lanes*c.closingCycles(dense))}
	if c.model, err = compile(ctx, d.Dir, d.Manifest, c.how, c.rehearse); err != nil {
		return nil, err
	}
	report := &Report{Simulator: o.Simulator, Parts: len(c.parts), BuildSeconds: time.Since(start).Seconds()}
	folder := filepath.Join(d.Dir, simFolder)
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return nil, err
	}
	sweep(folder)
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
		if err := r.waveOfMismatch(ctx, r.mismatch); err != nil {
			r.mismatch.Detail += fmt.Sprintf(" (no waveform: %v)", err)
		}
		return report, nil
	}
	report.figures(d, &all, runs)
	report.Closing = c.summary()
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

// rehearse runs a program for the compiler to see where it spends its time. What it prints, and whether the design is right, does
// not matter.
func (c *cosimulation) rehearse(ctx context.Context, path string) error {
	stimulus, err := writeStimulus(filepath.Dir(path), c.rehearsalText())
	if err != nil {
		return err
	}
	defer os.Remove(stimulus)
	err = c.simulator(ctx, &model{[]string{path}}, c.d.Dir, stimulus).Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return ctx.Err()
	}
	return err
}

// work is what a run will take at most, in lanes x cycles.
func work(d *hdlgen.Design, dense *hdlgen.Estimates, o Options) int {
	return d.Manifest.Lanes * (commandCycles(dense, o) + readBackCycles(d))
}

// closingCycles are those that the closing part takes at most, about.
func (c *cosimulation) closingCycles(dense *hdlgen.Estimates) (cycles int) {
	for _, s := range c.steps {
		for i := range s.commands {
			if s.commands[i].kind.learns() {
				cycles += int(dense.CyclesPerLearning)
			} else {
				cycles += int(dense.CyclesPerInference)
			}
		}
	}
	return cycles
}

// commandCycles are those that the commands of a run take at most.
func commandCycles(dense *hdlgen.Estimates, o Options) int {
	return int(dense.CyclesPerInference*float64(len(o.Inference)) + dense.CyclesPerLearning*float64(len(o.Learning)))
}

// readBackCycles are those in which all memory words are read.
func readBackCycles(d *hdlgen.Design) int { return 6 * d.Manifest.Lanes * d.Layout.Depth }

// quietCycles is how long a design may show nothing before it counts as dead: longer than any command takes.
func quietCycles(dense *hdlgen.Estimates) int {
	return 1000 + 2*int(dense.CyclesPerLearning+dense.CyclesPerUpdate)
}

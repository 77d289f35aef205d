package sim

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"corinfo/golden"
	"corinfo/hdlgen"
)

// Sample is one sample for a design: raw input words and, for learning, its label and the sign of beta.
type Sample struct {
	X        []int64
	Label    int
	Negative bool
}

// Options of a co-simulation.
type Options struct {
	Simulator Simulator
	Inference []Sample // labels are for the accuracy only
	Learning  []Sample
	Again     bool // classify the inference samples once more after learning
	Stall     int  // seed of stalls on the handshakes; 0: none
	Reset     int  // Verilator: initial state 0 zeros, 1 ones, 2 random
	// SaveEvery is the time between checkpoints, taken after mini-batches and kept in the design's folder sim until
	// the run is over; 0: none. Resume continues from the last one.
	SaveEvery time.Duration
	Resume    bool
	Progress  func(done, total int)
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
	Seconds             float64   `json:"seconds"` // of this part of a continued run
	LearningPerSecond   float64   `json:"learning_samples_per_second"`
	BuildSeconds        float64   `json:"build_seconds"`
	Counters            []Counter `json:"counters,omitempty"`
	Mismatch            *Mismatch `json:"mismatch"`
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

// Regions of the host's addresses.
const (
	hostSynapses = 0 << 28
	hostRates    = 1 << 28
	hostControl  = 2 << 28
	hostCounters = 3 << 28
	hostLane     = 1 << 20
)

// Words of the host's control: seed, number of the next update, samples held.
const (
	controlUpdate = 1
	controlWords  = 3
)

// Cosim runs a design in lock step with the bit-true model: every state after every settling step, every
// synapse that an update writes, every score and class, and at the end every memory word and the counters.
// A mismatch is in the report, not in the error, and then the report has no figures of performance; errors are
// failures of the run. Without a sample there is nothing to compare: ErrUsage. A run that was cancelled or killed can be
// continued where it kept checkpoints; its report is that of a whole run, except for the times.
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
	machine := golden.NewMachine(d.Arithmetic)
	machine.Dense = d.Network.Hardware.Mode == "dense" // counts events as the design does
	if err := machine.SetTensors(d.Initial.Tensors); err != nil {
		return nil, err
	}
	report := &Report{Simulator: o.Simulator}
	r := &run{d: d, o: o, dir: d.Dir, machine: machine, report: report}
	var err error
	if o.SaveEvery > 0 {
		if r.design, err = designSum(d, &o); err != nil {
			return nil, err
		}
	}
	if o.Resume {
		c, err := loadCheckpoint(d, &o)
		if err != nil {
			return nil, err
		}
		if err := machine.SetTensors(c.Tensors); err != nil {
			return nil, fmt.Errorf("%w: %s: %v: remove it and run without --resume", golden.ErrDamaged, checkpointFile(d), err)
		}
		r.before, r.done = c.Totals, c.Totals
		machine.SetStep(uint32(r.before.updates(d)))
		r.preamble = controlWords + len(d.Manifest.Counters)
	}
	if o.SaveEvery > 0 && !o.Resume {
		if err := os.RemoveAll(checkpointFile(d)); err != nil { // an older run's
			return nil, err
		}
	}
	start := time.Now()
	dense, err := hdlgen.Estimate(d.Arithmetic, d.Manifest.Lanes, d.Manifest.Target, nil)
	if err != nil {
		return nil, err
	}
	r.quiet = quietCycles(dense)
	r.how = recipe{simulator: o.Simulator, fast: work(d, dense, o) > slowModel}
	m, err := compile(ctx, d.Dir, d.Manifest, r.how)
	if err != nil {
		return nil, err
	}
	report.BuildSeconds = time.Since(start).Seconds()
	folder := filepath.Join(d.Dir, "sim")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	sweep(folder)
	// Files of its own: several co-simulations of a design may run at once.
	if o.Resume {
		if r.dir, err = imagesOf(d, machine, folder); err != nil {
			return nil, err
		}
		defer os.RemoveAll(r.dir)
	}
	if r.stimulus, err = newStimulus(folder, d, o, r.before); err != nil {
		return nil, err
	}
	defer os.Remove(r.stimulus)
	start = time.Now()
	mismatch, err := r.simulate(ctx, m)
	report.Seconds = time.Since(start).Seconds()
	if err != nil {
		return nil, err
	}
	report.Samples, report.Learned = r.done.Samples, r.done.Learned
	report.ComparedStates, report.ComparedSynapses = r.before.States+r.c.States, r.before.Synapses+r.c.Synapse
	if mismatch == nil {
		r.figures()
		if r.saved || o.Resume {
			os.Remove(checkpointFile(d)) // the run is over
		}
	} else {
		report.Mismatches, report.Mismatch = 1, mismatch
		if err := r.wave(ctx, mismatch); err != nil {
			mismatch.Detail += fmt.Sprintf(" (no waveform: %v)", err)
		}
	}
	return report, nil
}

// work is what a run will take at most, in lanes x cycles.
func work(d *hdlgen.Design, dense *hdlgen.Estimates, o Options) int {
	cycles := dense.CyclesPerInference*float64(len(o.Inference)) + dense.CyclesPerLearning*float64(len(o.Learning)) + float64(6*d.Manifest.Lanes*d.Layout.Depth)
	return d.Manifest.Lanes * int(cycles)
}

// quietCycles is how long a design may show nothing before it counts as dead: longer than any command takes.
func quietCycles(dense *hdlgen.Estimates) int {
	return 1000 + 2*int(dense.CyclesPerLearning+dense.CyclesPerUpdate)
}

// run is a co-simulation under way.
type run struct {
	d             *hdlgen.Design
	o             Options
	how           recipe
	dir           string // where the model finds its memory images
	stimulus      string // absolute path
	quiet         int    // cycles without a sign of life that end the run
	machine       *golden.Machine
	report        *Report
	c             *comparator
	design        string // fingerprint, for checkpoints
	before        totals // of the parts of the run before this one
	done          totals // so far; some of them only in checkpoints
	after         After  // answers that were right
	saved         bool   // a checkpoint
	preamble      int    // words still to be read before a continued run goes on
	boundary      bool   // a mini-batch's counters are read
	lastEnd       int64  // cycle of the end of the last list of commands
	current       *int64 // the time that the list under way counts for
	commands      int    // that are done
	lastTime      time.Time
	learning      time.Duration
	counters      []int64 // read last, of this part of the run
	busy, waiting int64   // cycles with a command under way, and of them those that waited for the harness
}

// arguments are what the harness is told: the same in the run and where it is repeated for a waveform.
func (r *run) arguments(m *model, more ...string) []string {
	args := append([]string{}, m.command[1:]...)
	args = append(args, "+stimulus="+r.stimulus, fmt.Sprintf("+inputs=%d", r.d.Network.Layers[0]), fmt.Sprintf("+stall=%d", r.o.Stall),
		fmt.Sprintf("+timeout=%d", r.quiet), fmt.Sprintf("+verilator+rand+reset+%d", r.o.Reset), "+verilator+seed+1")
	return append(args, more...)
}

// simulate runs the simulator and compares; it stops the simulator at the first mismatch. The model has stopped
// when it returns.
func (r *run) simulate(ctx context.Context, m *model) (*Mismatch, error) {
	own, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(own, m.command[0], r.arguments(m)...)
	cmd.Dir = r.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for us: we end it
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	r.lastTime = time.Now()
	traces := r.golden(own)
	mismatch, last, err := r.follow(pipe, traces)
	if mismatch != nil || err != nil {
		cancel()
		_, _ = io.Copy(io.Discard, pipe)
	}
	ended := cmd.Wait()
	for range traces { // until the model has stopped
	}
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case mismatch != nil:
		return mismatch, nil
	case err != nil:
		return nil, fmt.Errorf("%w; last line: %q %s", err, last, tail(stderr.String(), 5))
	case ended != nil:
		return nil, fmt.Errorf("%s ended with %w: %s", r.o.Simulator, ended, tail(stderr.String(), 5))
	}
	return nil, nil
}

// expected is what golden computed for one command.
type expected struct {
	learn, again bool
	label        int
	trace        *golden.Trace
	counts       *golden.Counts  // at a mini-batch's end, where checkpoints are taken
	tensors      []golden.Tensor // if one is due
}

// golden runs the model ahead of the simulator, a few samples at most.
func (r *run) golden(ctx context.Context) <-chan expected {
	out := make(chan expected, 4)
	go func() {
		defer close(out)
		saved := time.Now()
		send := func(s Sample, e expected, boundary bool) bool {
			e.label, e.trace = s.Label, &golden.Trace{}
			r.machine.Run(s.X, golden.Command{Learn: e.learn, Label: s.Label, Negative: s.Negative}, e.trace)
			if boundary {
				counts := r.machine.Counts()
				e.counts = &counts
				if time.Since(saved) >= r.o.SaveEvery {
					e.tensors, saved = r.machine.Tensors(), time.Now()
				}
			}
			select {
			case out <- e:
				return true
			case <-ctx.Done():
				return false
			}
		}
		for _, s := range r.o.Inference[r.before.Samples:] {
			if !send(s, expected{}, false) {
				return
			}
		}
		for i, s := range r.o.Learning[r.before.Learned:] {
			if !send(s, expected{learn: true}, r.o.boundary(r.d, r.before.Learned+i)) {
				return
			}
		}
		for _, s := range r.o.Inference {
			if !r.o.Again || !send(s, expected{again: true}, false) {
				return
			}
		}
	}()
	return out
}

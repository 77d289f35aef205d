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
	Stall     int // seed of stalls on the handshakes; 0: none
	Reset     int // Verilator: initial state 0 zeros, 1 ones, 2 random
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
	Simulator           Simulator `json:"simulator"`
	Seconds             float64   `json:"seconds"`
	BuildSeconds        float64   `json:"build_seconds"`
	Counters            []Counter `json:"counters,omitempty"`
	Mismatch            *Mismatch `json:"mismatch"`
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
	controlWords = 3 // seed, number of the next update, samples held
	hostCounters = 3 << 28
	hostLane     = 1 << 20
)

// Cosim runs a design in lock step with the bit-true model: every state after every settling step, every
// synapse that an update writes, every score and class, and at the end every memory word and the counters.
// A mismatch is in the report, not in the error, and then the report has no figures of performance; errors are
// failures of the run. Without a sample there is nothing to compare: ErrUsage.
func Cosim(ctx context.Context, d *hdlgen.Design, o Options) (*Report, error) {
	if len(o.Inference)+len(o.Learning) == 0 {
		return nil, fmt.Errorf("%w: co-simulation: no samples; classify or learn at least one", golden.ErrUsage)
	}
	machine := golden.NewMachine(d.Arithmetic)
	machine.Dense = d.Network.Hardware.Mode == "dense" // counts events as the design does
	if err := machine.SetTensors(d.Initial.Tensors); err != nil {
		return nil, err
	}
	report := &Report{Simulator: o.Simulator}
	start := time.Now()
	dense, err := hdlgen.Estimate(d.Arithmetic, d.Manifest.Lanes, d.Manifest.Target, nil)
	if err != nil {
		return nil, err
	}
	how := recipe{simulator: o.Simulator, fast: work(d, dense, o) > slowModel}
	m, err := compile(ctx, d.Dir, d.Manifest, how)
	if err != nil {
		return nil, err
	}
	report.BuildSeconds = time.Since(start).Seconds()
	folder := filepath.Join(d.Dir, "sim")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	// A file of its own: several co-simulations of a design may run at once.
	stimulus, err := newStimulus(folder, d, o)
	if err != nil {
		return nil, err
	}
	defer os.Remove(stimulus)
	start = time.Now()
	r := &run{d: d, o: o, how: how, stimulus: stimulus, quiet: quietCycles(dense), machine: machine, report: report}
	mismatch, err := r.simulate(ctx, m)
	report.Seconds = time.Since(start).Seconds()
	if err != nil {
		return nil, err
	}
	report.ComparedStates, report.ComparedSynapses = r.c.States, r.c.Synapse
	if mismatch == nil {
		r.figures()
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

// newStimulus makes a file in the folder of all commands: inference first, then learning, then the read-back.
func newStimulus(folder string, d *hdlgen.Design, o Options) (string, error) {
	f, err := os.CreateTemp(folder, "stimulus-*.txt")
	if err != nil {
		return "", err
	}
	path, err := filepath.Abs(f.Name())
	if err == nil {
		_, err = f.Write(stimulus(d, o))
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		os.Remove(f.Name())
		return "", fmt.Errorf("write %s: %w", f.Name(), err)
	}
	return path, nil
}

func stimulus(d *hdlgen.Design, o Options) []byte {
	var b bytes.Buffer
	sample := func(s Sample) {
		for _, x := range s.X {
			fmt.Fprintf(&b, "%x ", uint64(x))
		}
		b.WriteByte('\n')
	}
	for _, s := range o.Inference {
		b.WriteString("I\n")
		sample(s)
	}
	b.WriteString("E\n") // the one list's time ends before the other's begins
	for _, s := range o.Learning {
		negative := 0
		if s.Negative {
			negative = 1
		}
		fmt.Fprintf(&b, "L %x %d\n", s.Label, negative)
		sample(s)
	}
	b.WriteString("E\n")
	for lane := range d.Manifest.Lanes {
		fmt.Fprintf(&b, "G %x %x\n", hostSynapses+lane*hostLane, d.Layout.Depth)
	}
	fmt.Fprintf(&b, "G %x %x\nG %x %x\n", hostRates, len(d.Arithmetic.Matrices), hostControl, controlWords)
	fmt.Fprintf(&b, "G %x %x\nQ\n", uint32(hostCounters), len(d.Manifest.Counters))
	return b.Bytes()
}

// run is a co-simulation under way.
type run struct {
	d             *hdlgen.Design
	o             Options
	how           recipe
	stimulus      string // absolute path
	quiet         int    // cycles without a sign of life that end the run
	machine       *golden.Machine
	report        *Report
	c             *comparator
	ends          []int64 // cycles in which the lists ended: inference, learning
	finished      int     // commands
	correct       int
	counters      []int64
	busy, waiting int64 // cycles with a command under way, and of them those that waited for the harness
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
	cmd.Dir = r.d.Dir
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
	learn bool
	label int
	trace *golden.Trace
}

// golden runs the model ahead of the simulator, a few samples at most.
func (r *run) golden(ctx context.Context) <-chan expected {
	out := make(chan expected, 4)
	go func() {
		defer close(out)
		send := func(s Sample, learn bool) bool {
			t := &golden.Trace{}
			r.machine.Run(s.X, golden.Command{Learn: learn, Label: s.Label, Negative: s.Negative}, t)
			select {
			case out <- expected{learn, s.Label, t}:
				return true
			case <-ctx.Done():
				return false
			}
		}
		for _, s := range r.o.Inference {
			if !send(s, false) {
				return
			}
		}
		for _, s := range r.o.Learning {
			if !send(s, true) {
				return
			}
		}
	}()
	return out
}

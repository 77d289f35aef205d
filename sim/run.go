package sim

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"corinfo/hdlgen"
	"corinfo/hdlgen/settling"
)

// run is a part under way: a simulator and the model beside it.
type run struct {
	*cosimulation
	index    int
	part     part              // before this run
	machine  *settling.Machine // nil before open
	dir      string            // where the simulator finds its memory images
	images   string            // dir if it is the run's own, else ""
	stimulus string            // absolute path

	c             *comparator
	done          totals // so far; some of them only in totals()
	preamble      int    // words still to be read before a run that begins elsewhere goes on
	memory        int    // words read back, counters included
	boundary      bool   // a mini-batch's counters are read
	lastEnd       int64  // cycle of the end of the last list of commands
	sampled       int64  // that of the last sample
	current       *int64 // the time that the list under way counts for
	lastTime      time.Time
	learnFrom     time.Time // wall clock of the learning
	learnTo       time.Time
	counters      []int64 // read last
	atReset       []int64 // what they had counted when a run that begins elsewhere went on
	busy, waiting int64   // cycles with a command under way, and of them those that waited for the harness
	mismatch      *Mismatch
	signs         [2]bool     // of beta, that the open mini-batch has: positive, negative
	exercised     exercised   // by commands that were compared
	closing       *closingRun // nil: a later part has it, or the run has none
}

// open makes the run's files, its own because several run at once, and its model, both as another model is.
func (r *run) open(folder string, at *settling.Machine) (err error) {
	r.machine = settling.NewMachine(r.d.Arithmetic)
	r.machine.Dense = r.d.Network.Hardware.Mode == "dense" // counts events as the design does
	if err := r.machine.SetTensors(at.Tensors()); err != nil {
		return err
	}
	r.exercised = exercised{}
	r.machine.SetStep(uint32(r.updates(r.part.begin())))
	r.done, r.dir = r.part.Done, r.d.Dir
	if r.part.To == len(r.commands) && len(r.steps) > 0 {
		cycles, err := hdlgen.NewCycles(r.d.Arithmetic, r.d.Manifest.Lanes, r.d.Manifest.Target)
		if err != nil {
			return err
		}
		r.closing = &closingRun{run: r, steps: r.steps, cycles: cycles}
	}
	if r.part.begin() > 0 {
		r.preamble = controlWords + len(r.d.Manifest.Counters)
		if r.images, err = imagesOf(r.d, r.machine, folder); err != nil {
			return err
		}
		r.dir = r.images
	}
	r.stimulus, err = writeStimulus(folder, r.stimulusText(r.part.begin(), r.part.To))
	return err
}

// close removes the run's files.
func (r *run) close() {
	os.RemoveAll(r.images)
	os.Remove(r.stimulus)
}

// totals are what the part has done.
func (r *run) totals() totals {
	t := r.done
	if r.c != nil {
		t.States, t.Synapses = r.part.Done.States+r.c.States, r.part.Done.Synapses+r.c.Synapse
	}
	return t
}

// finished are the totals when counters have been read, the model's being counts. Figures are those of the samples.
func (r *run) finished(cycle int64, counts *settling.Counts) totals {
	t := r.totals()
	t.Cycle = cycle + r.c.offset
	whole := counts
	if r.closing != nil && r.closing.at > 0 {
		now := r.machine.Counts()
		whole = &now
	}
	t.Exercised = r.part.Done.Exercised.merge(r.exercised)
	t.Exercised.counters(whole)
	if whole != counts {
		t.Products, t.DenseProducts, t.Counters = r.closing.samples.Products, r.closing.samples.DenseProducts, r.closing.samples.Counters
		return t
	}
	t.Products, t.DenseProducts = r.part.Done.Products+counts.Products, r.part.Done.DenseProducts+counts.DenseProducts
	t.Counters = addCounters(r.part.Done.Counters, r.counters)
	for i, n := range r.atReset {
		t.Counters[i] -= n
	}
	return t
}

// simulator is a model as a program in a folder with memory images: the harness is told the same in the run, in its rehearsal and
// where it is repeated for a waveform. Ctrl-C is for us: we end it.
func (c *cosimulation) simulator(ctx context.Context, m *model, dir, stimulus string, more ...string) *exec.Cmd {
	told := []string{"+stimulus=" + SeenFrom(dir, stimulus), fmt.Sprintf("+inputs=%d", c.d.Network.Layers[0]),
		fmt.Sprintf("+timeout=%d", c.quiet), fmt.Sprintf("+verilator+rand+reset+%d", c.o.Reset), "+verilator+seed+1"}
	return Program(ctx, dir, m.command[0], slices.Concat(m.command[1:], told, more)...)
}

// SeenFrom is a path as a program in the folder dir may name it: relative, for Icarus opens no file whose name is not plain ASCII or is
// long, and what the folders above a design are called is the user's choice.
func SeenFrom(dir, path string) string {
	if dir, err := filepath.Abs(dir); err == nil {
		if relative, err := filepath.Rel(dir, path); err == nil {
			return relative
		}
	}
	return path
}

// simulate runs the simulator and compares; it stops the simulator at the first mismatch. The model has stopped
// when it returns.
func (r *run) simulate(ctx context.Context) (*Mismatch, error) {
	own, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := r.simulator(own, r.model, r.dir, r.stimulus)
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
		return nil, fmt.Errorf("%w; last line: %q %s", err, last, Tail(stderr.String(), 5))
	case ended != nil:
		return nil, fmt.Errorf("%s ended with %w: %s", r.o.Simulator, ended, Tail(stderr.String(), 5))
	}
	return nil, nil
}

// expected is what golden computed for one command.
type expected struct {
	kind     kind
	label    int
	negative bool
	mixed    bool // both signs of beta are in the mini-batch that it completes
	trace    *settling.Trace
	counts   *settling.Counts // at a mini-batch's end, where checkpoints are taken
}

// expect is what the model computes for a command.
func (r *run) expect(x *command) expected {
	e := expected{kind: x.kind, label: x.Label, negative: x.Negative, trace: &settling.Trace{}}
	held := r.machine.Held()
	r.machine.Run(x.X, x.golden(), e.trace)
	if x.kind.learns() {
		if held == 0 {
			r.signs = [2]bool{}
		}
		r.signs[0], r.signs[1] = r.signs[0] || !x.Negative, r.signs[1] || x.Negative
		e.mixed = r.machine.Held() == 0 && r.signs[0] && r.signs[1]
	}
	return e
}

// golden runs the model ahead of the simulator, a few samples at most.
func (r *run) golden(ctx context.Context) <-chan expected {
	out := make(chan expected, 4)
	go func() {
		defer close(out)
		for i := r.part.begin(); i < r.part.To; i++ {
			x := &r.commands[i]
			e := r.expect(x)
			if r.mayStop(i) {
				counts := r.machine.Counts()
				e.counts = &counts
			}
			select {
			case out <- e:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

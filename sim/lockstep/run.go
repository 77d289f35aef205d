package lockstep

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"corinfo/golden"
	"corinfo/golden/training"
	"corinfo/hdlgen"
	"corinfo/sim"
)

// run is a part under way: a simulator and the model beside it.
type run struct {
	*cosimulation
	index    int
	part     part   // before this run
	dir      string // where the simulator finds its memory images
	images   string // dir if it is the run's own, else ""
	stimulus string // absolute path

	c         *comparator
	done      totals // so far; some of them only in measured()
	measured  *totals
	exercised exercised // by commands that were compared
	lastEnd   int64     // cycle of the end of the last list of commands
	sampled   int64     // that of the last sample
	current   *int64    // the time that the list under way counts for
	lastTime  time.Time
	learnFrom time.Time // wall clock of the learning
	learnTo   time.Time
	mismatch  *sim.Mismatch
	err       error // a checkpoint cannot be written
}

// open makes the run's files, its own because several run at once, and its model, both as another model is.
func (r *run) open(folder string, at *training.FixedLearner) error {
	l, err := r.copyOf(at)
	if err != nil {
		return err
	}
	begin := r.part.begin()
	r.dir = r.d.Dir
	if begin > 0 {
		if r.images, err = r.imagesOf(l, folder); err != nil {
			return err
		}
		r.dir = r.images
	}
	return r.prepare(folder, l, r.scriptOf(begin, r.part.To))
}

// prepare makes ready for a script.
func (r *run) prepare(folder string, l *training.FixedLearner, s *script) (err error) {
	r.done, r.exercised = r.part.Done, exercised{}
	r.c = newComparator(r.d, l, s, r)
	r.c.begun, r.c.first, r.c.since = r.part.begin(), r.part.begin(), r.part.begin()
	r.stimulus, err = writeStimulus(folder, s.text(r.d.Manifest.Widths.X))
	return err
}

// close removes the run's files.
func (r *run) close() {
	os.RemoveAll(r.images)
	os.Remove(r.stimulus)
}

// scriptOf is that of commands: list by list, behind the run's last one the closing part, then everything is read back. What begins
// elsewhere than the run gives the host the number of the next mini-batch first, and the constants of the one before.
func (c *cosimulation) scriptOf(from, to int) *script {
	s := newScript(c.d.Plan)
	counters := len(c.d.Manifest.Counters)
	if c.o.Stall != 0 {
		s.stall(c.o.Stall)
	}
	if number := c.updates(from); from > 0 {
		s.schedule(uint32(max(1, number)) - 1)
		s.write(in(regionControl, controlNumber), int64(number))
		s.readConstants()
		s.read(in(regionControl, 0), controlWords(s.p))
	}
	for i := from; i < to; i++ {
		x := &c.commands[i]
		s.run(x)
		boundary := c.mayStop(i)
		if boundary || i+1 == to || c.commands[i+1].kind != x.kind {
			s.idle() // the time of one list of commands ends before that of the next begins
		}
		if boundary {
			s.counters(counters)
			s.add(op{kind: opBook})
		}
	}
	if from == to {
		s.idle()
	}
	s.counters(counters)
	s.add(op{kind: opMeasure})
	if to == len(c.commands) && c.o.Closing {
		c.close(s)
	}
	s.readBack()
	s.counters(counters)
	return s
}

// compared are the totals with what was compared so far.
func (r *run) compared() totals {
	t := r.done
	if r.measured != nil {
		t = *r.measured
	}
	if r.c != nil {
		t.States, t.Synapses, t.Words = r.part.Done.States+r.c.states, r.part.Done.Synapses+r.c.synapses, r.part.Done.Words+r.c.words
	}
	return t
}

// figures are the totals when the counters have been read.
func (r *run) figures() totals {
	t := r.compared()
	counts := r.c.l.Counts()
	t.Products, t.DenseProducts = r.part.Done.Products+counts.Products, r.part.Done.DenseProducts+counts.DenseProducts
	t.Overflows, t.Lost = addByName(r.part.Done.Overflows, counts.Overflows), addByName(r.part.Done.Lost, counts.Lost)
	t.Counters = addCounters(r.part.Done.Counters, r.c.counters)
	t.Exercised = r.exercisedSoFar()
	return t
}

func (r *run) exercisedSoFar() exercised {
	e := addByName(r.part.Done.Exercised, r.exercised)
	counts := r.c.l.Counts()
	e.counters(&counts)
	return e
}

// finished books a command that did everything that it must.
func (r *run) finished(x *flight) {
	if x.length > 0 {
		return
	}
	r.exercised.command(r.d.Plan, x)
	r.progress(1)
	right := 0
	if x.trace.Class == x.Label {
		right = 1
	}
	switch x.kind {
	case inference:
		r.done.Samples++
		r.done.Correct += right
		r.current = &r.done.InferenceTime
	case learning:
		r.done.Learned++
		r.current = &r.done.LearningTime
	case inferenceAgain:
		r.done.AgainModel += right
		if x.got == x.Label {
			r.done.AgainRTL++
		}
	default:
		return // of the closing part
	}
	r.done.Commands++
}

// missed tells the progress of commands that a reset ended.
func (r *run) missed(commands int) {
	for range commands {
		r.progress(1)
	}
}

// idle books the time of a list of commands, all of which are done.
func (r *run) idle(cycle int64) {
	now := time.Now()
	if r.current != nil {
		*r.current += cycle - r.lastEnd
	}
	if r.current == &r.done.LearningTime {
		if r.learnTo.IsZero() {
			r.learnFrom = r.lastTime
		}
		r.learnTo = now
	}
	r.lastEnd, r.lastTime, r.current = cycle, now, nil
	if r.measured == nil {
		r.sampled = cycle
	}
}

// measure takes the figures: the samples are over.
func (r *run) measure() {
	t := r.figures()
	r.measured = &t
}

// book keeps what is done when a mini-batch is complete and the counters are read; its words are not: they are read again at the end.
func (r *run) book() {
	if err := r.cosimulation.book(r.index, r.figures(), false); err != nil && r.err == nil {
		r.err = err
	}
}

// read is told that the host has read words: what follows is another time.
func (r *run) read(cycle int64) { r.lastEnd, r.lastTime = cycle, time.Now() }

// end books the part.
func (r *run) end() error {
	t := r.compared()
	t.Exercised = r.exercisedSoFar()
	return r.cosimulation.book(r.index, t, true)
}

// writeStimulus makes a file of a stimulus in a folder.
func writeStimulus(folder string, text []byte) (string, error) {
	f, err := os.CreateTemp(folder, "stimulus-*.txt")
	if err != nil {
		return "", err
	}
	path, err := filepath.Abs(f.Name())
	if err == nil {
		_, err = f.Write(text)
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

// imagesOf makes a folder beside the checkpoint with the design's memory images, the synapses and the words beside them those of a
// model: a simulator starts from them. The caller removes it.
func (r *run) imagesOf(l *training.FixedLearner, folder string) (string, error) {
	dir, err := os.MkdirTemp(folder, "resume-")
	if err != nil {
		return "", err
	}
	lanes, err := r.d.LaneImages(l)
	for _, i := range r.d.Manifest.Images {
		if err != nil {
			break
		}
		text, own := lanes[i.File]
		if !own {
			text, err = golden.ReadFile(filepath.Join(r.d.Dir, i.File), hdlgen.MaxFile)
		}
		path := filepath.Join(dir, filepath.FromSlash(i.File))
		if err == nil {
			err = os.MkdirAll(filepath.Dir(path), 0o755)
		}
		if err == nil {
			err = os.WriteFile(path, text, 0o644)
		}
	}
	if err != nil {
		os.RemoveAll(dir)
		return "", fmt.Errorf("memory images to continue from: %w", err)
	}
	return dir, nil
}

// simulator is a model as a program in a folder with memory images: the harness is told the same in the run, in its rehearsal and
// where it is repeated for a waveform. Ctrl-C is for us: we end it. Verilator's registers are 0 at first, 1 or random.
func (c *cosimulation) simulator(ctx context.Context, model []string, dir, stimulus string, more ...string) *exec.Cmd {
	told := []string{"+stimulus=" + sim.SeenFrom(dir, stimulus), fmt.Sprintf("+inputs=%d", c.d.Plan.Network.Layers[0]),
		fmt.Sprintf("+timeout=%d", c.quiet), fmt.Sprintf("+verilator+rand+reset+%d", c.o.Reset), "+verilator+seed+1"}
	return sim.Program(ctx, dir, model[0], slices.Concat(model[1:], told, more)...)
}

// violation matches what Icarus and Verilator print of a property that does not hold: its module and message.
var violation = regexp.MustCompile(`^(?:FATAL: |.*Assertion failed in ).*?(corinfo_\w+: .*)`)

// play runs a simulator and gives every line that it prints to see, until that has enough. A property that does not hold is an error.
func play(ctx context.Context, start func(ctx context.Context) *exec.Cmd, see func(line []byte) (enough bool, err error)) error {
	own, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := start(own)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	scanner := bufio.NewScanner(pipe)
	scanner.Buffer(make([]byte, 1<<20), 1<<24)
	enough, last := false, ""
	for !enough && err == nil && scanner.Scan() {
		last = string(scanner.Bytes()[:min(200, len(scanner.Bytes()))])
		if failed := violation.FindSubmatch(scanner.Bytes()); failed != nil {
			err = fmt.Errorf("a property is violated: %s", failed[1])
			break
		}
		enough, err = see(scanner.Bytes())
	}
	if err == nil {
		err = scanner.Err()
	}
	cancel()
	_, _ = io.Copy(io.Discard, pipe)
	ended := cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return fmt.Errorf("%w; last line: %q %s", err, last, sim.Tail(stderr.String(), 5))
	case !enough:
		return fmt.Errorf("%s ended early, with %v; last line: %q %s", cmd.Path, ended, last, sim.Tail(stderr.String(), 5))
	}
	return nil
}

// simulate runs the simulator and compares; it stops the simulator at the first mismatch.
func (r *run) simulate(ctx context.Context) error {
	r.lastTime = time.Now()
	err := play(ctx, func(ctx context.Context) *exec.Cmd { return r.simulator(ctx, r.model, r.dir, r.stimulus) },
		func(line []byte) (bool, error) {
			if !r.c.line(line) && r.c.mismatch == nil {
				return false, fmt.Errorf("%s printed a line that is not of the protocol", r.o.Simulator)
			}
			return r.c.ended || r.c.mismatch != nil, r.err
		})
	if err != nil || r.c.mismatch != nil {
		return err
	}
	return r.end()
}

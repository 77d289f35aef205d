package sim

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
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
	LaneUtilisation     float64   `json:"lane_utilisation"` // useful products over lanes x settling cycles
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

// hostCounters and hostSynapses are regions of the host's addresses.
const (
	hostSynapses = 0 << 28
	hostCounters = 3 << 28
	hostLane     = 1 << 20
)

// Cosim runs a design in lock step with the bit-true model: every state after every settling step, every
// synapse that an update writes, every score and class, and at the end every memory word and the counters.
// A mismatch is in the report, not in the error; errors are failures of the run.
func Cosim(ctx context.Context, d *hdlgen.Design, o Options) (*Report, error) {
	machine := golden.NewMachine(d.Arithmetic)
	if err := machine.SetTensors(d.Initial.Tensors); err != nil {
		return nil, err
	}
	report := &Report{Simulator: o.Simulator}
	start := time.Now()
	m, err := compile(ctx, d.Dir, d.Manifest, o.Simulator, o.Simulator == Icarus)
	if err != nil {
		return nil, err
	}
	report.BuildSeconds = time.Since(start).Seconds()
	folder := filepath.Join(d.Dir, "sim")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	stimulus := filepath.Join(folder, "stimulus.txt")
	if err := writeStimulus(stimulus, d, o); err != nil {
		return nil, err
	}
	start = time.Now()
	r := &run{d: d, o: o, machine: machine, report: report, c: newComparator(d)}
	mismatch, err := r.simulate(ctx, m, stimulus)
	report.Seconds = time.Since(start).Seconds()
	if err != nil {
		return nil, err
	}
	r.figures()
	if mismatch != nil {
		report.Mismatches, report.Mismatch = 1, mismatch
		if err := r.wave(ctx, mismatch); err != nil {
			mismatch.Detail += fmt.Sprintf(" (no waveform: %v)", err)
		}
	}
	return report, nil
}

// writeStimulus writes all commands: inference first, then learning, then the read-back.
func writeStimulus(path string, d *hdlgen.Design, o Options) error {
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
	for _, s := range o.Learning {
		negative := 0
		if s.Negative {
			negative = 1
		}
		fmt.Fprintf(&b, "L %x %d\n", s.Label, negative)
		sample(s)
	}
	for lane := range d.Manifest.Lanes {
		fmt.Fprintf(&b, "G %x %x\n", hostSynapses+lane*hostLane, d.Layout.Depth)
	}
	fmt.Fprintf(&b, "G %x %x\nQ\n", uint32(hostCounters), len(d.Manifest.Counters))
	return golden.WriteFile(path, b.Bytes())
}

// run is a co-simulation under way.
type run struct {
	d             *hdlgen.Design
	o             Options
	machine       *golden.Machine
	report        *Report
	c             *comparator
	lastEnd       int64 // cycle of the end of the last command
	inferenceTime int64
	learningTime  int64
	correct       int
	counters      []int64
}

// simulate runs the simulator and compares; it stops the simulator at the first mismatch.
func (r *run) simulate(ctx context.Context, m *model, stimulus string) (*Mismatch, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	absolute, err := filepath.Abs(stimulus)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, m.command[0], append(append([]string{}, m.command[1:]...), "+stimulus="+absolute,
		fmt.Sprintf("+inputs=%d", r.d.Network.Layers[0]), fmt.Sprintf("+stall=%d", r.o.Stall), fmt.Sprintf("+verilator+rand+reset+%d", r.o.Reset), "+verilator+seed+1")...)
	cmd.Dir = r.d.Dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	traces := r.golden(ctx)
	mismatch, last, err := r.follow(pipe, traces)
	if mismatch != nil || err != nil {
		cancel()
		io.Copy(io.Discard, pipe)
		cmd.Wait()
		if err == nil {
			return mismatch, nil
		}
		if ctx.Err() != nil && errors.Is(context.Cause(ctx), context.Canceled) && stderr.Len() == 0 && last == "" {
			return nil, err
		}
		return nil, fmt.Errorf("%w; last line: %q %s", err, last, tail(stderr.String(), 5))
	}
	if err := cmd.Wait(); err != nil {
		return nil, fmt.Errorf("%s ended with %w: %s", r.o.Simulator, err, tail(stderr.String(), 5))
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

// follow reads the trace to its end or the first mismatch.
func (r *run) follow(pipe io.Reader, traces <-chan expected) (m *Mismatch, last string, err error) {
	scanner := bufio.NewScanner(pipe)
	scanner.Buffer(make([]byte, 1<<20), 1<<24)
	total := len(r.o.Inference) + len(r.o.Learning)
	var now expected
	memory := 0
	for scanner.Scan() {
		line := scanner.Bytes()
		fields := bytes.Fields(line)
		if len(fields) < 2 {
			return nil, string(line), fmt.Errorf("%s printed a line that is not of the protocol", r.o.Simulator)
		}
		cycle, e := strconv.ParseInt(string(fields[1]), 10, 64)
		wants := map[byte]int{'S': 5, 'W': 4, 'O': 4, 'R': 3, 'D': 4, 'E': 3, 'X': 3, 'T': 2, 'Q': 2}[line[0]]
		if e != nil || len(fields) != wants {
			return nil, string(line), fmt.Errorf("%s printed a line that is not of the protocol", r.o.Simulator)
		}
		// The next command's expectation arrives with the first line of it.
		if tag := line[0]; r.c.trace == nil && (tag == 'S' || tag == 'O' || tag == 'E' || tag == 'W') {
			var ok bool
			if now, ok = <-traces; ok {
				r.c.begin(now.learn, now.trace)
			}
		}
		switch line[0] {
		case 'S':
			m = r.c.state(cycle, fields[2], fields[3], fields[4])
		case 'W':
			m = r.c.synapse(cycle, fields[2], fields[3])
		case 'O':
			m = r.c.result(cycle, fields[2], fields[3])
		case 'R':
			m = r.c.answer(cycle, fields[2])
		case 'E':
			if m = r.c.finish(cycle); m == nil {
				r.ended(cycle, now)
				if r.o.Progress != nil {
					r.o.Progress(r.c.command+1, total)
				}
			}
		case 'D':
			m = r.data(cycle, memory, fields[2], fields[3])
			memory++
		case 'X':
			m = r.c.mismatch(cycle, "outputs", "an output is unknown (x) after reset")
		case 'T':
			m = r.c.mismatch(cycle, "time", "the design does nothing any more: a dead lock")
		case 'Q':
			if want := r.d.Manifest.Lanes*r.d.Layout.Depth + len(r.d.Manifest.Counters); r.c.command+1 != total || memory != want {
				return nil, string(line), fmt.Errorf("%s ended after %d of %d samples and %d of %d words read back", r.o.Simulator, r.c.command+1, total, memory, want)
			}
			return nil, "", nil
		}
		if m != nil {
			return m, "", nil
		}
		last = string(line[:min(len(line), 60)])
	}
	if err := scanner.Err(); err != nil {
		return nil, last, err
	}
	return nil, last, fmt.Errorf("%s stopped in the middle of sample %d", r.o.Simulator, r.c.command+1)
}

// ended books the time of a command.
func (r *run) ended(cycle int64, e expected) {
	if e.learn {
		r.learningTime += cycle - r.lastEnd
		r.report.Learned++
	} else {
		r.inferenceTime += cycle - r.lastEnd
		r.report.Samples++
		if e.trace.Class == e.label {
			r.correct++
		}
	}
	r.lastEnd = cycle
}

// data checks the i-th word read back: the synapse memories lane by lane, then the counters.
func (r *run) data(cycle int64, i int, _, text []byte) *Mismatch {
	got, err := strconv.ParseUint(string(text), 16, 64)
	if err != nil {
		return r.c.mismatch(cycle, "memory", "word %q is not a number", text)
	}
	depth := r.d.Layout.Depth
	if i < r.d.Manifest.Lanes*depth {
		lane, address := i/depth, i%depth
		var want int64
		matrix, column, row, ok := r.d.Layout.Place(lane, address)
		if ok {
			want = r.machine.Synapse(matrix, row, column)
		}
		r.report.ComparedMemoryWords++
		if int64(got) == want {
			return nil
		}
		m := r.c.mismatch(cycle, r.d.Arithmetic.Matrices[matrix].Name(), "the synapse memory's word at the end")
		m.Row, m.Column, m.Lane, m.Address = row, column, lane, address
		f := r.d.Arithmetic.Matrices[matrix].Type.Format
		m.Expected, m.Got = word(want, f), word(int64(got), f)
		return m
	}
	r.counters = append(r.counters, int64(got))
	name := r.d.Manifest.Counters[len(r.counters)-1]
	r.report.Counters = append(r.report.Counters, Counter{name, int64(got)})
	if want, known := r.expectedCounter(name); known && want != int64(got) {
		m := r.c.mismatch(cycle, "counter "+name, "")
		m.Expected, m.Got = fmt.Sprint(want), fmt.Sprint(got)
		return m
	}
	return nil
}

// expectedCounter is what the model says of a counter; known is false for times.
func (r *run) expectedCounter(name string) (want int64, known bool) {
	counts := r.machine.Counts()
	sum := func(all map[string]int64, kind string) (total int64) {
		for tensor, n := range all {
			if kindOf(tensor) == kind {
				total += n
			}
		}
		return total
	}
	switch name {
	case "events":
		return counts.Events, true
	case "steps":
		return counts.Steps, true
	case "updates":
		return counts.Updates, true
	case "product_cycles":
		for k, n := range counts.LayerEvents {
			want += n * int64(r.d.Layout.Stride[k])
		}
		return want, true
	case "cycles", "settling_cycles", "waiting_cycles", "update_cycles", "update_product_cycles":
		return 0, false
	}
	if kind, ok := cut(name, "overflow_"); ok {
		return sum(counts.Overflows, kind), true
	}
	if kind, ok := cut(name, "lost_"); ok {
		return sum(counts.Lost, kind), true
	}
	return 0, false
}

func cut(name, prefix string) (string, bool) {
	if len(name) > len(prefix) && name[:len(prefix)] == prefix {
		return name[len(prefix):], true
	}
	return "", false
}

// kindOf is a tensor's name without its index.
func kindOf(tensor string) string {
	for len(tensor) > 0 && tensor[len(tensor)-1] >= '0' && tensor[len(tensor)-1] <= '9' {
		tensor = tensor[:len(tensor)-1]
	}
	return tensor
}

// figures fills in what the report derives from the run.
func (r *run) figures() {
	p := r.report
	p.ComparedStates, p.ComparedSynapses = r.c.States, r.c.Synapse
	if p.Samples > 0 {
		p.CyclesPerInference = float64(r.inferenceTime) / float64(p.Samples)
		p.Accuracy = float64(r.correct) / float64(p.Samples)
	}
	if p.Learned > 0 {
		p.CyclesPerLearning = float64(r.learningTime) / float64(p.Learned)
	}
	counts := r.machine.Counts()
	if i := hdlgen.CounterIndex("settling_cycles"); i < len(r.counters) && r.counters[i] > 0 {
		p.LaneUtilisation = float64(counts.Products) / float64(r.counters[i]*int64(r.d.Manifest.Lanes))
	}
	if counts.DenseProducts > 0 {
		p.SkippedFraction = 1 - float64(counts.Products)/float64(counts.DenseProducts)
	}
}

// Cycles of a waveform before and after a mismatch.
const (
	waveBefore = 300
	waveAfter  = 30
)

// wave runs the design again up to the mismatch and keeps a waveform of the cycles around it.
func (r *run) wave(ctx context.Context, at *Mismatch) error {
	m, err := compile(ctx, r.d.Dir, r.d.Manifest, r.o.Simulator, true)
	if err != nil {
		return err
	}
	suffix := ".fst"
	if r.o.Simulator == Icarus {
		suffix = ".vcd"
	}
	file, err := filepath.Abs(filepath.Join(r.d.Dir, "sim", "mismatch"+suffix))
	if err != nil {
		return err
	}
	stimulus, err := filepath.Abs(filepath.Join(r.d.Dir, "sim", "stimulus.txt"))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, m.command[0], append(append([]string{}, m.command[1:]...), "+stimulus="+stimulus,
		fmt.Sprintf("+stall=%d", r.o.Stall), fmt.Sprintf("+verilator+rand+reset+%d", r.o.Reset), "+verilator+seed+1", "+wave="+file,
		fmt.Sprintf("+wave_from=%d", max(0, at.Cycle-waveBefore)), fmt.Sprintf("+wave_to=%d", at.Cycle+waveAfter), fmt.Sprintf("+stop=%d", at.Cycle+waveAfter+1))...)
	cmd.Dir = r.d.Dir
	if err := cmd.Run(); err != nil {
		return err
	}
	at.Wave = file
	return nil
}

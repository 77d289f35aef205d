// Package lockstep runs designs that have neuron units beside the bit-true model, word by word.
package lockstep

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"corinfo/golden"
	"corinfo/hdlgen/design"
	"corinfo/sim"
)

// Cosim runs a design in lock step with the bit-true model: every word of every step, every synapse that an update writes with the
// words beside it, every score and class, and at the end every memory word. Of the options it heeds the samples, the simulator and
// the progress. A mismatch is in the report, not in the error; errors are failures of the run.
func Cosim(ctx context.Context, d *design.Design, o sim.Options) (*sim.Report, error) {
	if len(o.Inference)+len(o.Learning) == 0 {
		return nil, golden.Usagef("co-simulation: no samples; classify or learn at least one")
	}
	p := d.Plan
	if len(o.Learning) > 0 && !p.Learns() {
		return nil, golden.Usagef("co-simulation: a design for inference only does not learn; %d samples to learn", len(o.Learning))
	}
	start := time.Now()
	work := p.Lanes * (len(o.Inference)*2*p.Dense() + len(o.Learning)*4*p.Dense())
	command, err := sim.Program(ctx, d.Dir, d.Manifest, o.Simulator, work)
	if err != nil {
		return nil, err
	}
	report := &sim.Report{Simulator: o.Simulator, Parts: 1, BuildSeconds: time.Since(start).Seconds()}
	var samples []Sample
	for _, s := range o.Inference {
		samples = append(samples, Sample{X: s.X, Label: s.Label})
	}
	for i, s := range o.Learning {
		samples = append(samples, Sample{X: s.X, Label: s.Label, Learn: true, Negative: s.Negative, List: i == 0 && len(samples) > 0})
	}
	c := newComparator(d, samples, o)
	start = time.Now()
	if err := c.run(ctx, command); err != nil {
		return nil, err
	}
	report.Seconds = time.Since(start).Seconds()
	report.ComparedStates, report.ComparedSynapses, report.ComparedMemoryWords = c.states, c.synapses, c.words
	if report.Mismatch = c.mismatch; c.mismatch != nil {
		report.Mismatches = 1
		return report, nil
	}
	c.figures(report)
	return report, nil
}

// figures are those of a run without a mismatch.
func (c *comparator) figures(r *sim.Report) {
	r.Samples, r.Learned = len(c.o.Inference), len(c.o.Learning)
	if r.Samples > 0 {
		r.CyclesPerInference = float64(c.lists[0]) / float64(r.Samples)
		r.Accuracy = float64(c.right) / float64(r.Samples)
	}
	if r.Learned > 0 {
		r.CyclesPerLearning = float64(c.lists[1]) / float64(r.Learned)
		r.LearningPerSecond = float64(r.Learned) / c.learning.Seconds()
	}
	value := map[string]int64{}
	for i, name := range c.p.Counters {
		value[name] = c.counters[i]
		r.Counters = append(r.Counters, sim.Counter{Name: name, Value: c.counters[i]})
	}
	all := r.Samples + r.Learned
	r.SettlingCycles = float64(value["settling_cycles"]) / float64(all)
	r.LanesBusy = float64(value["product_cycles"]) / float64(value["settling_cycles"])
	counts := c.m.Counts()
	r.LaneUtilisation = float64(counts.Products) / float64(value["settling_cycles"]*int64(c.p.Lanes))
	r.SkippedFraction = 1 - float64(counts.Products)/float64(counts.DenseProducts)
}

// run plays the samples into a compiled design.
func (c *comparator) run(ctx context.Context, command []string) error {
	return play(ctx, command, c.d, c.o.Reset, c.quiet(), c.stimulus(), func(fields []string) bool {
		c.line(fields)
		return c.mismatch != nil || c.ended
	})
}

// play runs a compiled design, in its folder, on a stimulus and gives every line that it prints to see, until that has enough. Verilator's
// registers are 0 at first, 1 or random, as initial says; quiet is how many cycles it may show nothing.
func play(ctx context.Context, command []string, d *design.Design, initial, quiet int, stimulus []byte, see func(fields []string) (enough bool)) error {
	folder := filepath.Join(d.Dir, "sim")
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	file, err := os.CreateTemp(folder, "stimulus-*.txt")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	if _, err := file.Write(stimulus); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	own, cancel := context.WithCancel(ctx)
	defer cancel()
	told := []string{"+stimulus=sim/" + filepath.Base(file.Name()), fmt.Sprintf("+inputs=%d", d.Plan.Network.Layers[0]), fmt.Sprintf("+timeout=%d", quiet),
		fmt.Sprintf("+verilator+rand+reset+%d", initial), "+verilator+seed+1"}
	cmd := exec.CommandContext(own, command[0], slices.Concat(command[1:], told)...)
	cmd.Dir = d.Dir
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
	scanner.Buffer(nil, 1<<24)
	last, enough := "", false
	for !enough && scanner.Scan() {
		last = scanner.Text()
		fields := strings.Fields(last)
		if len(fields) < 2 || len(fields[0]) != 1 {
			break // a message of the simulator's own
		}
		enough = see(fields)
	}
	cancel()
	ended := cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case !enough:
		return fmt.Errorf("%s ended early with %v; last line: %.60q %s", command[0], ended, last, stderr.String())
	}
	return nil
}

// quiet is how long a design may show nothing before it counts as dead: longer than anything takes.
func (c *comparator) quiet() int {
	longest := 0
	for _, pr := range c.p.D.Projections {
		longest = max(longest, pr.Cols)
	}
	return 100_000 + 100*longest*c.p.Network.Learning.Batch
}

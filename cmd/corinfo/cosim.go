package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"corinfo/golden/dataset"
	"corinfo/golden/training"
	"corinfo/hdlgen"
	"corinfo/hdlgen/design"
	"corinfo/sim"
	"corinfo/sim/lockstep"
)

func cosimCommand() *cli.Command {
	return &cli.Command{
		Name:      "cosim",
		Usage:     "run a design in lock step with the bit-true model; the first differing bit stops it",
		ArgsUsage: "DESIGN",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "simulator", Value: "verilator", Usage: "verilator or icarus"},
			&cli.IntFlag{Name: "samples", Value: 10, Usage: "test samples to classify"},
			&cli.IntFlag{Name: "learn", Value: 0, Usage: "training samples to learn, in the order of a training run's first epoch"},
			&cli.BoolFlag{Name: "resume", Usage: "continue the learning run of DESIGN that was stopped"},
			&cli.DurationFlag{Name: "save-every", Value: 10 * time.Second, Usage: "`TIME` between checkpoints while learning, above 0"},
			&cli.IntFlag{Name: "workers", Value: runtime.GOMAXPROCS(0),
				Usage: "simulators at a time, each with a part of a long learning run"},
			&cli.StringFlag{Name: "wave", Usage: "`FILE` for a waveform of all samples, at most " + strconv.Itoa(sim.MaxWaved) + ": .fst or .vcd"},
			&cli.IntFlag{Name: "stall", Value: 0, Usage: "`SEED` of stalls on the handshakes of the samples too, not of the closing part alone; 0: none"},
			&cli.BoolFlag{Name: "properties", Usage: "check in every cycle, too, what each module of the library promises and is promised"},
			dataFlag(),
			jsonFlag(),
		},
		Action: func(c *cli.Context) error {
			dir, err := argument(c, "the DESIGN's folder")
			if err != nil {
				return err
			}
			o := sim.Options{Simulator: sim.Simulator(c.String("simulator")), Stall: c.Int("stall"),
				Workers: c.Int("workers"), Wave: c.String("wave"), Closing: true,
				Properties: c.Bool("properties")}
			if o.Simulator != sim.Verilator && o.Simulator != sim.Icarus {
				return usagef("cosim: --simulator %s; want verilator or icarus", o.Simulator)
			}
			for _, flag := range []string{"samples", "learn", "stall"} {
				if err := atLeast(c, flag, 0); err != nil {
					return err
				}
			}
			if err := atLeast(c, "workers", 1); err != nil {
				return err
			}
			if c.Int("samples")+c.Int("learn") == 0 {
				return usagef("cosim: no samples; give --samples or --learn")
			}
			if o.Resume = c.Bool("resume"); o.Resume && (o.Stall != 0 || c.Int("learn") == 0) {
				return usagef("cosim: --resume continues learning without stalls; give --learn and no --stall")
			}
			if o.Wave != "" && o.Resume {
				return usagef("cosim: --wave shows a run from its start; leave --resume out")
			}
			if every := c.Duration("save-every"); every <= 0 {
				return usagef("cosim: --save-every %v; want a time above 0, as 10s or 1m", every)
			} else if o.Stall == 0 && c.Int("learn") > 0 {
				o.SaveEvery = every
			}
			return cosim(c, dir, o)
		},
	}
}

// cosim runs a design in lock step and reports what was found.
func cosim(c *cli.Context, dir string, o sim.Options) error {
	d, lock, err := heldDesign(dir)
	if err != nil {
		return err
	}
	defer lock.Unlock()
	if c.Int("learn") > 0 && !d.Plan.Learns() {
		return usagef("cosim: %s is for inference only and cannot --learn; give --samples alone, or generate it with hardware.learning: true and without --inference", dir)
	}
	data, err := dataOf(c, d.Plan.Network)
	if err != nil {
		return err
	}
	if o.Inference, err = testSamples(d.Plan, &data.Test, c.Int("samples")); err != nil {
		return err
	}
	if o.Learning, err = trainingSamples(d.Plan, &data.Train, c.Int("learn")); err != nil {
		return err
	}
	o.Again = len(o.Inference) > 0 && len(o.Learning) > 0
	p := newProgress(c.App.ErrWriter, "co-simulation")
	o.Progress = p.show
	r, err := lockstep.Cosim(c.Context, d, o)
	p.close()
	if errors.Is(err, context.Canceled) && o.SaveEvery > 0 && lockstep.Resumable(d) {
		fmt.Fprintln(c.App.ErrWriter, "corinfo: --resume, besides the same options, continues this run")
	}
	if r == nil {
		return err
	}
	if err := errors.Join(report(c, r, func(w io.Writer) { printCosim(w, r) }), err); err != nil {
		return err
	}
	if r.Mismatch != nil {
		return fmt.Errorf("%s: the design differs from the bit-true model: %s", dir, r.Mismatch.Tensor)
	}
	return nil
}

// testSamples are the first samples of the test set as raw words.
func testSamples(p *design.Plan, set *dataset.Set, count int) ([]hdlgen.Sample, error) {
	if count > set.Len() {
		return nil, usagef("%d test samples; the test set has %d", count, set.Len())
	}
	samples := make([]hdlgen.Sample, count)
	for i := range samples {
		samples[i] = rawSample(p, set, i)
	}
	return samples, nil
}

// trainingSamples are those that a training run learns first, with its signs of beta.
func trainingSamples(p *design.Plan, set *dataset.Set, count int) ([]hdlgen.Sample, error) {
	if count > set.Len() {
		return nil, usagef("%d training samples to learn; the training set has %d", count, set.Len())
	}
	n := p.Network
	order := training.Order(n.Seed, 0, set.Len())
	samples := make([]hdlgen.Sample, count)
	for i := range samples {
		samples[i] = rawSample(p, set, order[i])
		samples[i].Negative = training.Negative(&n.Learning, n.Seed, i/n.Learning.Batch)
	}
	return samples, nil
}

func rawSample(p *design.Plan, set *dataset.Set, i int) hdlgen.Sample {
	s := hdlgen.Sample{X: make([]int64, set.Size), Label: int(set.Labels[i])}
	p.QuantizeInput(set.Sample(i), s.X)
	return s
}

func printCosim(w io.Writer, r *sim.Report) {
	parts := ""
	if r.Parts > 1 {
		parts = fmt.Sprintf(", in %d parts", r.Parts)
	}
	fmt.Fprintf(w, "%s: %d samples classified, %d learned in %.1f s (and %.1f s to build the model)%s\n", r.Simulator,
		r.Samples, r.Learned, r.Seconds, r.BuildSeconds, parts)
	fmt.Fprintf(w, "mismatches            %d\n", r.Mismatches)
	fmt.Fprintf(w, "compared              %d states and potentials, %d synapses written, %d memory words\n", r.ComparedStates,
		r.ComparedSynapses, r.ComparedMemoryWords)
	if r.Mismatch != nil {
		fmt.Fprintln(w, r.Mismatch)
		return
	}
	if c := r.Closing; c != nil {
		fmt.Fprintf(w, "closing part          %d samples, %d words of the host, %d resets, %d aborts\n", c.Samples, c.Words,
			c.Resets, c.Aborts)
	}
	fmt.Fprintf(w, "cycles per inference  %.1f\n", r.CyclesPerInference)
	if r.Learned > 0 {
		fmt.Fprintf(w, "cycles per learning   %.1f\n", r.CyclesPerLearning)
	}
	fmt.Fprintf(w, "lanes busy            %.1f %% of the cycles of settling; useful products %.1f %% of lanes x cycles\n",
		100*r.LanesBusy, 100*r.LaneUtilisation)
	fmt.Fprintf(w, "skipped by events     %.1f %% of the dense products\n", 100*r.SkippedFraction)
	printCounts(w, "outside their format", r.Overflows)
	printCounts(w, "updates lost to rounding", r.Lost)
	for i, g := range r.NotExercised {
		fmt.Fprintf(w, "%-22s%s\n", map[bool]string{true: "not exercised"}[i == 0], g)
	}
	if r.Samples > 0 {
		fmt.Fprintf(w, "accuracy              %.1f %% of the samples classified\n", 100*r.Accuracy)
	}
	if r.After != nil {
		fmt.Fprintf(w, "after learning        %.1f %% of them in the model, %.1f %% in the design\n", 100*r.After.Model, 100*r.After.RTL)
	}
	if r.Wave != "" {
		fmt.Fprintf(w, "waveform              %s\n", r.Wave)
	}
	if r.LearningPerSecond > 0 {
		fmt.Fprintf(w, "simulation            %.1f learning samples a second\n", r.LearningPerSecond)
	}
}

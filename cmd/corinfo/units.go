package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"corinfo/constraints"
	"corinfo/golden"
	"corinfo/golden/calibrate"
	"corinfo/golden/machine"
	"corinfo/golden/network"
	"corinfo/golden/training"
	"corinfo/hdlgen"
	"corinfo/hdlgen/design"
	"corinfo/sim"
	"corinfo/sim/lockstep"
)

// unitsFlag chooses how many neuron units a design has.
func unitsFlag() cli.Flag {
	return &cli.IntFlag{Name: "neuron-units", DefaultText: "one for up to eight lanes",
		Usage: "neuron units of the design, a divisor of its lanes; a network that can do without has them if they are asked for, others always"}
}

// chosenPlan is a network on the lanes and neuron units that flags choose.
func chosenPlan(c *cli.Context, n *network.Network, target hdlgen.Target) (*design.Plan, error) {
	units := design.Units(n.Hardware.Lanes)
	if c.IsSet("neuron-units") {
		units = c.Int("neuron-units")
	}
	return design.New(n, n.Hardware.Lanes, units, target)
}

// startingLearner is the bit-true model with the weights of a run, or with initial ones, and what did not fit.
func startingLearner(c *cli.Context, n *network.Network, run *training.Checkpoint) (l *training.FixedLearner, misfits []calibrate.Misfit, err error) {
	l, err = interruptible(c.Context, func() (l *training.FixedLearner, err error) {
		l, misfits, err = training.StartMachine(n, run)
		return l, err
	})
	return l, misfits, err
}

// estimateUnits tells what the design of a network that needs neuron units takes.
func estimateUnits(c *cli.Context, n *network.Network, run *training.Checkpoint, board *constraints.Board, target hdlgen.Target) error {
	p, err := chosenPlan(c, n, target)
	if err != nil {
		return err
	}
	misfits := training.InputMisfits(n, p.A)
	var activity *design.Activity
	if count := c.Int("samples"); count > 0 || run != nil {
		var learner *training.FixedLearner
		if learner, misfits, err = startingLearner(c, n, run); err != nil {
			return err
		}
		if count > 0 {
			if activity, err = measureUnits(c, p, learner, count); err != nil {
				return err
			}
		}
	}
	e, err := interruptible(c.Context, func() (*hdlgen.Estimates, error) { return design.Estimate(p, activity) })
	if err != nil {
		return err
	}
	figures := estimated{Estimates: e}
	if board != nil {
		figures.Fit = e.Fit(board)
	}
	return figures.report(c, misfits)
}

// measureUnits runs the first test samples, then whole mini-batches of training samples, at least count each.
func measureUnits(c *cli.Context, p *design.Plan, learner *training.FixedLearner, count int) (*design.Activity, error) {
	data, err := dataOf(c, p.Network)
	if err != nil {
		return nil, err
	}
	inference, err := testSamples(p, &data.Test, min(count, data.Test.Len()))
	if err != nil {
		return nil, err
	}
	batch := p.Network.Learning.Batch
	learned := (count + batch - 1) / batch * batch
	if !p.Learns() {
		learned = 0
	}
	learning, err := trainingSamples(p, &data.Train, learned)
	if err != nil {
		return nil, err
	}
	activity, trace := &design.Activity{}, &machine.Trace{}
	for i, s := range append(inference, learning...) {
		if err := c.Context.Err(); err != nil {
			return nil, err
		}
		learn := i >= len(inference)
		learner.Run(s.X, machine.Command{Learn: learn, Label: s.Label, Negative: s.Negative}, trace)
		activity.Add(p, learner.Machine, s.X, learn, trace)
	}
	return activity, nil
}

// refuseFlags refuses those that designs with neuron units do not know yet.
func refuseFlags(c *cli.Context, names ...string) error {
	for _, name := range names {
		if c.IsSet(name) {
			return usagef("%s: --%s is not there yet for rules that need neuron units; leave it out", c.Command.Name, name)
		}
	}
	return nil
}

// generateUnits writes the design of a network that needs neuron units.
func generateUnits(c *cli.Context, n *network.Network, run *training.Checkpoint, named *constraints.Board, target hdlgen.Target, out string, edited hdlgen.Edited) error {
	p, err := chosenPlan(c, n, target)
	if err != nil {
		return err
	}
	if named != nil {
		if err := p.CheckFit(named); err != nil {
			return err
		}
	}
	learner, misfits, err := startingLearner(c, n, run)
	if err != nil {
		return err
	}
	board, err := boardOf(c, named, p)
	if err != nil {
		return err
	}
	vectors, err := vectorsOf(c, p)
	if err != nil {
		return err
	}
	m, err := design.Generate(p, learner, board, vectors, out, edited)
	if err != nil {
		return err
	}
	figures := struct {
		Design  string             `json:"design"`
		Top     string             `json:"top"`
		Target  string             `json:"target"` // family
		Lanes   int                `json:"lanes"`
		Units   int                `json:"neuron_units"`
		Files   int                `json:"files"`
		Images  int                `json:"images"`
		Board   *hdlgen.BoardPart  `json:"board,omitempty"`
		Misfits []calibrate.Misfit `json:"misfits"`
	}{out, m.Name, m.Target.Family, m.Lanes, m.Units, len(m.Files), len(m.Images), m.Board, misfits}
	return report(c, figures, func(w io.Writer) {
		printMisfits(w, misfits)
		fmt.Fprintf(w, "%s: top module %s, %d lanes, %d neuron units, %d Verilog files (%s), %d memory images\n",
			out, m.Name, m.Lanes, m.Units, len(m.Files), filepath.Join(out, m.Name+".f"), len(m.Images))
		printGenerated(w, m, vectors, out)
	})
}

// hasUnits tells whether a folder is a design with neuron units.
func hasUnits(dir string) bool {
	m, err := hdlgen.ReadManifest(dir)
	return err == nil && m.Units > 0
}

// cosimUnits runs such a design in lock step.
func cosimUnits(c *cli.Context, dir string, o sim.Options) error {
	if err := refuseFlags(c, "resume", "save-every", "wave", "stall"); err != nil {
		return err
	}
	lock, err := golden.LockFolder(dir)
	if err != nil {
		return err
	}
	defer lock.Unlock()
	d, err := design.Open(dir)
	if err != nil {
		return err
	}
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
	p := newProgress(c.App.ErrWriter, "co-simulation")
	o.Progress = p.show
	r, err := lockstep.Cosim(c.Context, d, o)
	p.close()
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

// hardware is a network on lanes, of either kind: what samples need of it.
type hardware interface {
	Of() *network.Network
	QuantizeInput(pixels []uint8, out []int64)
}

package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"corinfo/constraints"
	"corinfo/golden/calibrate"
	"corinfo/golden/network"
	"corinfo/golden/training"
	"corinfo/hdlgen"
	"corinfo/hdlgen/design"
)

func generateCommand() *cli.Command {
	return &cli.Command{
		Name:  "generate",
		Usage: "write the hardware project of a network",
		Flags: append(append(networkFlags(), boardFlags()...),
			&cli.Float64Flag{Name: "clock", Value: defaultMHz, Usage: "`MHZ` of the design's clock on the board"},
			&cli.StringFlag{Name: "o", Usage: "`FOLDER` to write; a design that is there is replaced, and other files there stay"},
			&cli.IntFlag{Name: "vectors", Usage: "put the first `N` test samples with the model's answers into the design, for any testbench"},
			&cli.BoolFlag{Name: "vectors-learn", Usage: "with --vectors: and behind them a mini-batch of training samples, with the synapses that come out"},
			&cli.BoolFlag{Name: "force", Usage: "overwrite files of the design there that were changed by hand"},
			jsonFlag()),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			if c.IsSet("vectors") {
				if err := atLeast(c, "vectors", 1); err != nil {
					return err
				}
			} else if c.Bool("vectors-learn") {
				return usagef("generate: --vectors-learn adds to vectors; give --vectors N")
			}
			out, err := required(c, "o")
			if err != nil {
				return err
			}
			named, target, err := chosenTarget(c)
			if err != nil {
				return err
			}
			if c.IsSet("clock") && named == nil {
				return usagef("generate: --clock is that of a board; give --board, or leave --clock away")
			}
			edited := hdlgen.RefuseEdited
			if c.Bool("force") {
				edited = hdlgen.OverwriteEdited
			}
			p, run, err := chosenPlan(c, target)
			if err != nil {
				return err
			}
			if named != nil {
				if err := p.CheckFit(named); err != nil {
					return err
				}
			}
			learner, misfits, err := startingLearner(c.Context, p.Network, run)
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
			}{out, m.Name, m.Target.Family, m.Lanes, m.Units, len(m.Files), len(m.Images), m.Board, listed(misfits)}
			return report(c, figures, func(w io.Writer) {
				printMisfits(w, misfits)
				fmt.Fprintf(w, "%s: top module %s, %d lanes, %d neuron units, %d Verilog files (%s), %d memory images\n",
					out, m.Name, m.Lanes, m.Units, len(m.Files), filepath.Join(out, m.Name+".f"), len(m.Images))
				printGenerated(w, m, vectors, out)
			})
		},
	}
}

// printGenerated tells what to do with a design.
func printGenerated(w io.Writer, m *hdlgen.Manifest, vectors *hdlgen.Vectors, out string) {
	if m.Board == nil {
		fmt.Fprintf(w, "target %s: `yosys %s.ys` in that folder tells what the design takes by itself\n", m.Target.Family, m.Name)
	}
	if vectors != nil {
		fmt.Fprintf(w, "vectors of %d samples: `sh %s icarus` plays them (or verilator, or cocotb)\n",
			len(vectors.Classify)+len(vectors.Learn), filepath.Join(out, "vectors", "simulate"))
	}
	if b := m.Board; b != nil {
		fmt.Fprintf(w, "board %s: top module %s at %s, a self-test of %d digits; `corinfo synth %s` makes the bitstream\n",
			b.Name, b.Top, constraints.MHz(b.MHz), b.Steps, out)
	}
}

// vectorsOf are the samples that --vectors and --vectors-learn choose; nil without them.
func vectorsOf(c *cli.Context, p *design.Plan) (*hdlgen.Vectors, error) {
	if !c.IsSet("vectors") {
		return nil, nil
	}
	data, err := dataOf(c, p.Network)
	if err != nil {
		return nil, err
	}
	classify, err := testSamples(p, &data.Test, c.Int("vectors"))
	if err != nil {
		return nil, err
	}
	var learn []hdlgen.Sample
	if c.Bool("vectors-learn") {
		if !p.Learns() {
			return nil, usagef("generate: --vectors-learn: the design is for inference only; leave it out, or --inference and hardware.learning: false")
		}
		if learn, err = trainingSamples(p, &data.Train, p.Network.Learning.Batch); err != nil {
			return nil, err
		}
	}
	return &hdlgen.Vectors{Classify: classify, Learn: learn}, nil
}

// networkFlags choose a network, its weights, its lanes and its neuron units, for generate and estimate.
func networkFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "c", Usage: "network `FILE`; without it, the network of --weights"},
		&cli.StringFlag{Name: "weights", Usage: "`RUN` whose weights the synapse memories start from; without it, initial weights by the file's seed"},
		&cli.IntFlag{Name: "lanes", DefaultText: "the network file's", Usage: "lanes of the design"},
		&cli.IntFlag{Name: "contexts", DefaultText: "the network file's", Usage: "samples that the design has in flight at once, 1 to 4"},
		&cli.IntFlag{Name: "neuron-units", DefaultText: "one for up to eight lanes",
			Usage: "neuron units of the design, a divisor of its lanes"},
		&cli.BoolFlag{Name: "inference", Usage: "a design that classifies only, as hardware.learning: false in the network file: without all that learning needs"},
		&cli.BoolFlag{Name: "schedule", Usage: "a design that writes its rates and draws the sign of beta itself, as hardware.schedule: true in the network file"},
		&cli.IntFlag{Name: "limit", DefaultText: "the network file's",
			Usage: "with --schedule: its epochs have `N` training samples, as those of train --limit"},
		dataFlag(),
	}
}

// chosenPlan is the network that networkFlags choose on its lanes and neuron units, and the run with its weights, nil without --weights.
// Formats that the network file leaves open are those of a quantized run.
func chosenPlan(c *cli.Context, target hdlgen.Target) (p *design.Plan, run *training.Checkpoint, err error) {
	if dir := c.String("weights"); dir != "" {
		if run, err = training.LoadCheckpoint(dir); err != nil {
			return nil, nil, err
		}
	}
	var n *network.Network
	switch file := c.String("c"); {
	case file != "":
		if n, err = network.Load(file); err != nil {
			return nil, nil, err
		}
		if run != nil {
			formats := maps.Clone(run.Network.Formats)
			if formats == nil {
				formats = n.Formats
			} else {
				maps.Copy(formats, n.Formats)
			}
			n.Formats = formats
		}
	case run != nil:
		n = run.Network
	default:
		return nil, nil, usagef("%s: -c is missing: name a network file, or a run by --weights", c.Command.Name)
	}
	if c.IsSet("lanes") {
		if err := atLeast(c, "lanes", 1); err != nil {
			return nil, nil, err
		}
		n.Hardware.Lanes = c.Int("lanes")
	}
	if c.IsSet("contexts") {
		if n.Hardware.Contexts = c.Int("contexts"); n.Hardware.Contexts < 1 || n.Hardware.Contexts > network.MaxContexts {
			return nil, nil, usagef("%s: --contexts %d; want 1 to %d", c.Command.Name, n.Hardware.Contexts, network.MaxContexts)
		}
	}
	if c.Bool("inference") {
		n.Hardware.Learning = false
	}
	if c.Bool("schedule") {
		n.Hardware.Schedule = true
	}
	if c.IsSet("limit") {
		if err := atLeast(c, "limit", 1); err != nil {
			return nil, nil, err
		}
		if !n.Hardware.Schedule {
			return nil, nil, usagef("%s: --limit counts the samples of the schedule's epochs; give --schedule too", c.Command.Name)
		}
		n.Hardware.EpochSamples = c.Int("limit")
	}
	lanes := n.Hardware.Lanes
	units := design.Units(lanes)
	if c.IsSet("neuron-units") {
		units = c.Int("neuron-units")
	} else if most := design.LanesOfUnit; units == lanes && lanes > most {
		fmt.Fprintf(c.App.ErrWriter, "hint: no number from 2 to %d divides %d lanes, so that each has a neuron unit of its own; %d lanes have %d units\n",
			most, lanes, lanes/most*most+most, lanes/most+1)
	}
	p, err = design.New(n, lanes, units, target)
	return p, run, err
}

// startingLearner is the bit-true model of a network with the weights of a run, or with initial ones where run is nil, and what of weights
// and inputs did not fit.
func startingLearner(ctx context.Context, n *network.Network, run *training.Checkpoint) (l *training.FixedLearner, misfits []calibrate.Misfit, err error) {
	l, err = interruptible(ctx, func() (l *training.FixedLearner, err error) {
		l, misfits, err = training.StartMachine(n, run)
		return l, err
	})
	return l, misfits, err
}

// interruptible gives the result of work that only computes. When the process is asked to stop, the work is left to its end:
// the initial synapses of a large network take minutes.
func interruptible[T any](ctx context.Context, work func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := work()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// printMisfits tells of each tensor that did not fit its format.
func printMisfits(w io.Writer, misfits []calibrate.Misfit) {
	for _, m := range misfits {
		sign := ""
		if m.Sign {
			sign = "a sign and "
		}
		fmt.Fprintf(w, "%s does not fit %s: %d of %d values are outside, the worst is %g and needs %s%d integer bits\n",
			m.Tensor, m.Type, m.Count, m.Of, m.Worst, sign, m.Bits)
	}
}

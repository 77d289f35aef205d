package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"corinfo/golden/calibrate"
	"corinfo/golden/training"
	"corinfo/hdlgen"
	"corinfo/hdlgen/design"
)

func estimateCommand() *cli.Command {
	return &cli.Command{
		Name:  "estimate",
		Usage: "cycles per sample, memory bits and multipliers of a design, before any synthesis",
		Flags: append(append(networkFlags(), boardFlags()...),
			&cli.IntFlag{Name: "samples", Value: 20, Usage: "test samples to classify and training samples to learn in the bit-true model, whose events are counted; 0: estimate the dense computation"},
			&cli.BoolFlag{Name: "choose", Usage: "estimate every number of neuron units with up to 16 lanes each, and of samples in flight, and name the ones to take"},
			jsonFlag()),
		Action: estimate,
	}
}

func estimate(c *cli.Context) error {
	if err := noArguments(c); err != nil {
		return err
	}
	if err := atLeast(c, "samples", 0); err != nil {
		return err
	}
	board, target, err := chosenTarget(c)
	if err != nil {
		return err
	}
	p, run, err := chosenPlan(c, target)
	if err != nil {
		return err
	}
	misfits := training.InputMisfits(p.Network, p.A)
	var activity *design.Activity
	if count := c.Int("samples"); count > 0 || run != nil {
		var learner *training.FixedLearner
		if learner, misfits, err = startingLearner(c.Context, p.Network, run); err != nil {
			return err
		}
		if count > 0 {
			if activity, err = measure(c, p, learner, count); err != nil {
				return err
			}
		}
	}
	e, err := interruptible(c.Context, func() (*hdlgen.Estimates, error) { return design.Estimate(p, activity) })
	if err != nil {
		return err
	}
	figures := estimated{Estimates: e, Shared: p.WithSharedFormats()}
	if board != nil {
		figures.Fit = e.Fit(board)
		if !figures.Fit.Fits {
			figures.MostLanes = design.MostLanes(p.Network, board)
		}
	}
	if c.Bool("choose") {
		figures.Choices, err = interruptible(c.Context, func() ([]design.Choice, error) {
			return design.Choices(c.Context, p.Network, p.Lanes, target, board, activity)
		})
		if err != nil {
			return err
		}
	}
	return figures.report(c, misfits)
}

// estimated is what the command tells.
type estimated struct {
	*hdlgen.Estimates
	Fit       *hdlgen.Fit     `json:"fit,omitempty"`
	MostLanes int             `json:"most_lanes,omitempty"` // that fit where these do not
	Shared    *hdlgen.Parts   `json:"shared_formats,omitempty"`
	Choices   []design.Choice `json:"choices,omitempty"`
}

func (figures estimated) report(c *cli.Context, misfits []calibrate.Misfit) error {
	e := figures.Estimates
	return report(c, figures, func(w io.Writer) {
		printMisfits(w, misfits)
		what := "the dense computation"
		if e.Measured {
			what = fmt.Sprintf("the events of the first samples (--samples %d)", c.Int("samples"))
		}
		fmt.Fprintf(w, "%d lanes, %d neuron units, cycles of %s\n", e.Lanes, e.Units, what)
		fmt.Fprintf(w, "cycles per inference  %.1f\n", e.CyclesPerInference)
		if e.CyclesPerLearning > 0 {
			fmt.Fprintf(w, "cycles per learning   %.1f, of them the update's share\n", e.CyclesPerLearning)
			fmt.Fprintf(w, "cycles per update     %.1f of a mini-batch\n", e.CyclesPerUpdate)
		}
		fmt.Fprintf(w, "lanes busy            %.1f %% of the cycles of settling; useful products %.1f %% of lanes x cycles\n",
			100*e.LanesBusy, 100*e.LaneUtilisation)
		fmt.Fprintf(w, "memory                %d bits\n", e.MemoryBits)
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, m := range e.Memories {
			fmt.Fprintf(table, "  %s\t%d x %d words of %d bits\t%d bits\n", m.Name, m.Memories, m.Words, m.Width, m.Bits)
		}
		table.Flush()
		fmt.Fprintf(w, "multipliers           %d\n", e.Multipliers)
		for _, m := range e.MultiplierKinds {
			fmt.Fprintf(table, "  %s\t%d of %d x %d bits\n", m.Use, m.Count, m.A, m.B)
		}
		table.Flush()
		fmt.Fprintf(w, "LUTs about            %d, as Yosys makes them for an ECP5\n", e.LUTs)
		for _, l := range e.Logic {
			fmt.Fprintf(table, "  %s\t%d\n", l.Name, l.LUTs)
		}
		table.Flush()
		if s := figures.Shared; s != nil {
			fmt.Fprintf(w, "formats differ        %d pipelines and %d multipliers; %d and %d if all layers had one format per kind of tensor, as `corinfo quantize` chooses them\n",
				e.Pipelines, e.Multipliers, s.Pipelines, s.Multipliers)
		}
		if figures.Fit != nil {
			printFit(w, figures.Fit, figures.MostLanes)
		}
		printChoices(w, figures.Choices)
	})
}

// printChoices is a row a choice, the one to take marked.
func printChoices(w io.Writer, list []design.Choice) {
	if len(list) == 0 {
		return
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "neuron units\tcontexts\tper inference\tper learning sample\tlanes busy\tmultipliers\tblock memories\t\t")
	for _, c := range list {
		mark := ""
		switch {
		case c.Chosen:
			mark = "take this"
		case !c.Fits:
			mark = "does not fit"
		}
		fmt.Fprintf(table, "%d\t%d\t%.1f\t%.1f\t%.1f %%\t%d\t%d\t%s\t\n",
			c.Units, c.Contexts, c.CyclesPerInference, c.CyclesPerLearning, 100*c.LanesBusy, c.Multipliers, c.Blocks, mark)
	}
	table.Flush()
}

func printFit(w io.Writer, f *hdlgen.Fit, mostLanes int) {
	verdict := "fits, as far as this is known before synthesis"
	if !f.Fits {
		verdict = "does not fit: " + hdlgen.FitRemedy(mostLanes)
	}
	fmt.Fprintf(w, "%s (%s): %s\n", f.Board, f.Device, verdict)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, u := range []struct {
		name string
		hdlgen.Use
	}{{"multipliers", f.DSP}, {"block memories", f.BRAM}, {"LUTs of small memories", f.LUT}, {"LUTs, about", f.Logic}} {
		fmt.Fprintf(table, "  %s\t%d of %d\n", u.name, u.Used, u.Available)
	}
	table.Flush()
}

// measure runs the first test samples, then whole mini-batches of training samples: at least count each, or all that there are.
func measure(c *cli.Context, p *design.Plan, learner *training.FixedLearner, count int) (*design.Activity, error) {
	data, err := dataOf(c, p.Network)
	if err != nil {
		return nil, err
	}
	inference, err := testSamples(p, &data.Test, min(count, data.Test.Len()))
	if err != nil {
		return nil, err
	}
	batch := p.Network.Learning.Batch
	learned := min((count+batch-1)/batch, data.Train.Len()/batch) * batch
	if !p.Learns() {
		learned = 0
	}
	learning, err := trainingSamples(p, &data.Train, learned)
	if err != nil {
		return nil, err
	}
	activity := &design.Activity{}
	for i, s := range append(inference, learning...) {
		if err := c.Context.Err(); err != nil {
			return nil, err
		}
		activity.Run(p, learner.Machine, s, i >= len(inference))
	}
	return activity, nil
}

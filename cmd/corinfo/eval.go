package main

import (
	"fmt"
	"io"
	"path/filepath"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"corinfo/golden"
)

func evalCommand() *cli.Command {
	return &cli.Command{
		Name:      "eval",
		Usage:     "test a run: accuracy, per-class figures, confusion, angle between W and F transposed, ranges of all tensors",
		ArgsUsage: "RUN",
		Flags:     []cli.Flag{&cli.BoolFlag{Name: "plots", Usage: "draw the plots of its training again, into RUN/plots"}, jsonFlag()},
		Action: func(c *cli.Context) error {
			dir, err := argument(c, "the RUN's folder")
			if err != nil {
				return err
			}
			if err := noDesign(dir); err != nil {
				return err
			}
			run, err := golden.LoadCheckpoint(dir)
			if err != nil {
				return err
			}
			n := run.Network
			data, err := dataOf(n)
			if err != nil {
				return err
			}
			learner, err := golden.NewLearner(run)
			if err != nil {
				return err
			}
			weights, err := run.Weights()
			if err != nil {
				return err
			}
			bar := newProgress(c.App.ErrWriter, "test")
			e, err := golden.Evaluate(c.Context, learner, &data.Test, n.Layers[n.K()], bar.show)
			bar.close()
			if err != nil {
				return err
			}
			var drawn []string
			if c.Bool("plots") {
				if drawn, err = drawPlots(dir, run); err != nil {
					return err
				}
			}
			ranges, err := recordRanges(c.Context, dir, run, data)
			if err != nil {
				return err
			}
			figures := struct {
				Run        string `json:"run"`
				Arithmetic string `json:"arithmetic"`
				Epochs     int    `json:"epochs"`
				*golden.Evaluation
				Angles    []golden.Angle       `json:"angles"`
				Overflows map[string]int64     `json:"overflows"` // by tensor: values outside their format
				Plots     []string             `json:"plots"`     // files
				Ranges    []golden.TensorRange `json:"ranges"`
			}{dir, run.Arithmetic, run.Epoch, e, weights.Angles(), map[string]int64{}, drawn, ranges}
			if machine, ok := learner.(*golden.Machine); ok {
				figures.Overflows = machine.Counts().Overflows
			}
			return report(c, figures, func(w io.Writer) {
				fmt.Fprintf(w, "%s (%s): test accuracy %.2f %%, %d of %d\n", dir, run.Arithmetic, 100*e.Accuracy, e.Correct, e.Samples)
				printCounts(w, "outside their format", figures.Overflows)
				for _, a := range figures.Angles {
					fmt.Fprintf(w, "angle between W%d and F%d transposed: %.1f degrees\n", a.Layer, a.Layer, a.Degrees)
				}
				for _, file := range drawn {
					fmt.Fprintln(w, file)
				}
				fmt.Fprintf(w, "Ranges over %d training samples, settling and learning; %s has their histograms:\n", min(rangeSamples, data.Train.Len()), filepath.Join(dir, golden.RangeFile))
				printRanges(w, ranges)
				fmt.Fprintln(w, "Samples of each class, and what they were taken for:")
				table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
				fmt.Fprint(table, "class\tcount\trecall\tprecision\t")
				for class := range e.Classes {
					fmt.Fprintf(table, "%d\t", class)
				}
				fmt.Fprintln(table)
				for class, m := range e.Classes {
					fmt.Fprintf(table, "%d\t%d\t%.1f %%\t%.1f %%\t", class, m.Count, 100*m.Recall, 100*m.Precision)
					for _, count := range e.Confusion[class] {
						fmt.Fprintf(table, "%d\t", count)
					}
					fmt.Fprintln(table)
				}
				table.Flush()
			})
		},
	}
}

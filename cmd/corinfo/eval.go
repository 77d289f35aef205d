package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"unicode"
	"unicode/utf8"

	"github.com/urfave/cli/v2"

	"corinfo/golden"
	"corinfo/golden/calibrate"
	"corinfo/golden/dataset"
	"corinfo/golden/training"
	"corinfo/golden/weights"
)

func evalCommand() *cli.Command {
	return &cli.Command{
		Name:      "eval",
		Usage:     "test a run: accuracy, per-class figures, confusion, angle between synapses there and back where the rule has both, ranges of all tensors",
		ArgsUsage: "RUN",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "predictions", Usage: "`FILE` for label, class and scores of every test sample, in order: .csv or .npz"},
			&cli.BoolFlag{Name: "states", Usage: "with --predictions: the states r0 to rK of every sample, too"},
			&cli.BoolFlag{Name: "plots", Usage: "draw the plots of its training again, into RUN/plots"},
			dataFlag(), jsonFlag(),
		},
		Action: eval,
	}
}

func eval(c *cli.Context) error {
	dir, err := argument(c, "the RUN's folder")
	if err != nil {
		return err
	}
	if err := noDesign(dir); err != nil {
		return err
	}
	predictions := c.String("predictions")
	if predictions != "" {
		err = training.CheckPredictions(predictions)
	} else if c.Bool("states") {
		err = usagef("eval: --states adds to a file of predictions; give --predictions FILE")
	}
	if err != nil {
		return err
	}
	// A run that another process holds, or that may not be written, is evaluated all the same.
	lock, held := training.LockRun(dir)
	if errors.Is(held, golden.ErrUsage) {
		return held
	}
	defer lock.Unlock()
	run, err := training.LoadCheckpoint(dir)
	if err != nil {
		return err
	}
	n, d := run.Network, run.Network.Describe()
	data, err := dataOf(c, n)
	if err != nil {
		return err
	}
	learner, err := training.NewLearner(run)
	if err != nil {
		return err
	}
	w, err := run.Weights()
	if err != nil {
		return err
	}
	bar := newProgress(c.App.ErrWriter, "test")
	var e *training.Evaluation
	var failed error
	if predictions == "" {
		e, failed = training.Evaluate(c.Context, learner, &data.Test, n.Layers[n.K()], bar.show)
	} else {
		e, failed = training.Predict(c.Context, learner, &data.Test, n, predictions, c.Bool("states"), bar.show)
	}
	bar.close()
	if e == nil {
		return failed
	}
	// From here on the figures are shown, whatever else fails.
	if failed != nil {
		predictions = ""
	}
	var warnings []string
	warn := func(err error) {
		warnings = append(warnings, err.Error())
		fmt.Fprintf(c.App.ErrWriter, "corinfo: %v\n", err)
	}
	if err := otherData(run, data, dir); err != nil {
		warn(err)
	}
	var drawn []string
	var notDrawn error
	folder := dir
	if held != nil {
		folder = ""
		warn(fmt.Errorf("%w; the ranges' histograms are not kept", held))
	}
	if c.Bool("plots") && held != nil {
		notDrawn = fmt.Errorf("plots: %w", held)
	} else if c.Bool("plots") {
		drawn, notDrawn = drawPlots(dir, run)
	}
	ranges, rangeFile, noRanges := recordRanges(c, folder, run, data, warn)
	figures := struct {
		Run        string `json:"run"`
		Arithmetic string `json:"arithmetic"`
		Epochs     int    `json:"epochs"`
		*training.Evaluation
		ClassNames []string                `json:"class_names,omitempty"` // by label, where the data set has them
		Angles     []weights.Angle         `json:"angles"`
		Overflows  map[string]int64        `json:"overflows"` // by tensor: values outside their format
		Plots      []string                `json:"plots"`     // files
		Ranges     []calibrate.TensorRange `json:"ranges"`
		// File of what was answered to every sample, if one was asked for and written.
		Predictions string   `json:"predictions,omitempty"`
		Warnings    []string `json:"warnings"` // that the data set is not the one that the run has learned, or what was not written
	}{dir, run.Arithmetic, run.Epoch, e, data.Classes, w.Angles(d), map[string]int64{}, listed(drawn), ranges, predictions, listed(warnings)}
	if machine, ok := learner.(*training.FixedLearner); ok {
		figures.Overflows = machine.Counts().Overflows
	}
	err = report(c, figures, func(w io.Writer) {
		fmt.Fprintf(w, "%s (%s): test accuracy %.2f %%, %d of %d\n", dir, run.Arithmetic, 100*e.Accuracy, e.Correct, e.Samples)
		printCounts(w, "outside their format", figures.Overflows)
		for i, a := range figures.Angles {
			there, back := d.Projections[d.Opposed[i][0]].Name, d.Projections[d.Opposed[i][1]].Name
			fmt.Fprintf(w, "angle between %s and %s transposed: %.1f degrees\n", there, back, a.Degrees)
		}
		if predictions != "" {
			fmt.Fprintf(w, "%s: what was answered to each of the samples\n", predictions)
		}
		for _, file := range drawn {
			fmt.Fprintln(w, file)
		}
		if ranges != nil {
			histograms := ""
			if rangeFile != "" {
				histograms = fmt.Sprintf("; %s has their histograms", rangeFile)
			}
			fmt.Fprintf(w, "Ranges over %d training samples, settling and learning%s:\n", min(rangeSamples, data.Train.Len()), histograms)
			printRanges(w, ranges)
		}
		printConfusion(w, e, data)
	})
	return errors.Join(err, failed, notDrawn, noRanges)
}

// printConfusion prints a line and a column per class.
func printConfusion(w io.Writer, e *training.Evaluation, data *dataset.Data) {
	fmt.Fprintln(w, "Samples of each class, and what they were taken for:")
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "class\tcount\trecall\tprecision\t")
	for class := range e.Classes {
		fmt.Fprintf(table, "%s\t", printable(data.ClassName(class)))
	}
	fmt.Fprintln(table)
	for class, m := range e.Classes {
		fmt.Fprintf(table, "%s\t%d\t%.1f %%\t%.1f %%\t", printable(data.ClassName(class)), m.Count, 100*m.Recall, 100*m.Precision)
		for _, count := range e.Confusion[class] {
			fmt.Fprintf(table, "%d\t", count)
		}
		fmt.Fprintln(table)
	}
	table.Flush()
}

// printable is a folder's name as a terminal may show it: quoted if it has other characters.
func printable(name string) string {
	if !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(name)
	}
	return name
}

package main

import (
	"fmt"
	"io"
	"path/filepath"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"corinfo/golden"
	"corinfo/golden/calibrate"
	"corinfo/golden/dataset"
	"corinfo/golden/training"
)

// rangeSamples is how many training samples, the first ones, a run's ranges are recorded over.
const rangeSamples = 200

// recordRanges describes the tensors of a run as it is now: settling and learning of the first training samples in
// float64, from the run's weights and on a copy of them. It writes them into the run's folder, if that is not "", and names
// the file; where it cannot, it warns, and the file is "".
func recordRanges(c *cli.Context, dir string, run *training.Checkpoint, data *dataset.Data, warn func(error)) (list []calibrate.TensorRange, file string, err error) {
	w, err := run.Weights()
	if err != nil {
		return nil, "", err
	}
	samples, labels := data.Train.First(rangeSamples).Samples()
	if list, err = calibrate.Distributions(c.Context, run.Network, w, samples, labels); err != nil {
		return nil, "", err
	}
	if dir == "" {
		return list, "", nil
	}
	text, err := calibrate.EncodeRanges(list)
	if err != nil {
		return nil, "", err
	}
	file = filepath.Join(dir, calibrate.RangeFile)
	if err := golden.WriteFile(file, text); err != nil {
		warn(fmt.Errorf("%w; the ranges' histograms are not kept", err))
		file = ""
	}
	return list, file, nil
}

// printRanges prints a line per tensor. A proposal holds the range, and has a bit to spare for all but x and r.
func printRanges(w io.Writer, list []calibrate.TensorRange) {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "tensor\tformat\tmin .. max\t1 to 99 %%\tproposed integer bits\tSQNR\n")
	for _, x := range list {
		noise := "-"
		if x.SQNR != nil {
			noise = fmt.Sprintf("%.1f dB", *x.SQNR)
		}
		fmt.Fprintf(table, "%s\t%s\t%.3g .. %.3g\t%.3g .. %.3g\t%d\t%s\n", x.Tensor, x.Format, x.Min, x.Max,
			x.Percentiles["1"], x.Percentiles["99"], x.IntegerBits, noise)
	}
	table.Flush()
	fmt.Fprintln(w, "Proposed integer bits hold the range and, but for x and r, which are bounded, have one bit of guard.")
}

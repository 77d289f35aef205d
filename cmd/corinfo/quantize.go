package main

import (
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"corinfo/golden"
	"corinfo/golden/calibrate"
	"corinfo/golden/training"
)

func quantizeCommand() *cli.Command {
	return &cli.Command{
		Name:      "quantize",
		Usage:     "choose formats from the ranges that a float run's tensors span, and convert its weights",
		ArgsUsage: "RUN",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "o", Usage: "`FOLDER` of the fixed run; its network.yaml holds the formats"},
			&cli.IntFlag{Name: "samples", Value: 1000, Usage: "training samples over which ranges are recorded, settling and learning"},
			&cli.BoolFlag{Name: "per-layer", Usage: "give each layer formats of its own, as its range allows, in place of one format per kind of tensor; each then takes pipelines of its own"},
			dataFlag(),
			jsonFlag(),
		},
		Action: quantize,
	}
}

func quantize(c *cli.Context) error {
	dir, err := argument(c, "the float RUN's folder")
	if err != nil {
		return err
	}
	out, err := required(c, "o")
	if err != nil {
		return err
	}
	if err := atLeast(c, "samples", 1); err != nil {
		return err
	}
	run, err := training.LoadCheckpoint(dir)
	if err != nil {
		return err
	}
	if run.Arithmetic == training.Fixed {
		return usagef("quantize: %s is a %s run; want a float run", dir, run.Arithmetic)
	}
	lock, err := training.LockNewRun(out)
	if err != nil {
		return err
	}
	defer lock.Unlock()
	data, err := dataOf(c, run.Network)
	if err != nil {
		return err
	}
	var warnings []string
	if err := otherData(run, data, dir); err != nil {
		warnings = append(warnings, err.Error())
		fmt.Fprintf(c.App.ErrWriter, "corinfo: %v\n", err)
	}
	w, err := run.Weights()
	if err != nil {
		return err
	}
	samples, labels := data.Train.First(c.Int("samples")).Samples()
	count := len(samples)
	scope := calibrate.AllLayers
	if c.Bool("per-layer") {
		scope = calibrate.EachLayer
	}
	n, ranges, short, err := calibrate.Quantize(c.Context, run.Network, w, samples, labels, scope)
	if err != nil {
		return err
	}
	machine, misfits, err := training.StartMachine(n, run)
	if err != nil {
		return err
	}
	misfits = append(misfits, short...)
	fixed := &training.Checkpoint{Network: n, Arithmetic: training.Fixed, Seed: run.Seed, Data: run.Data,
		Tensors: machine.Tensors(), Ranges: ranges}
	if err := golden.WriteFolder(out, func(temporary string) error {
		if err := golden.WriteFile(filepath.Join(temporary, "network.yaml"), n.YAML()); err != nil {
			return err
		}
		return fixed.Save(temporary)
	}); err != nil {
		return err
	}
	type tensor struct {
		Tensor string  `json:"tensor"`
		Format string  `json:"format"`
		Min    float64 `json:"min"`
		Max    float64 `json:"max"`
	}
	figures := struct {
		Run     string             `json:"run"`
		Samples int                `json:"samples"`
		Tensors []tensor           `json:"tensors"`
		Misfits []calibrate.Misfit `json:"misfits"`
		// Warnings tell that the data set is not the one that the run has learned.
		Warnings []string `json:"warnings"`
	}{Run: out, Samples: count, Misfits: listed(misfits), Warnings: listed(warnings)}
	types := calibrate.Types(n.Describe(), n.Formats)
	for _, name := range slices.Sorted(maps.Keys(ranges)) {
		figures.Tensors = append(figures.Tensors, tensor{name, types[name].String(), ranges[name].Min, ranges[name].Max})
	}
	return report(c, figures, func(w io.Writer) {
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintf(table, "tensor\tformat\trecorded over %d samples\n", count)
		for _, t := range figures.Tensors {
			fmt.Fprintf(table, "%s\t%s\t%.4g .. %.4g\n", t.Tensor, t.Format, t.Min, t.Max)
		}
		table.Flush()
		printMisfits(w, misfits)
		if len(misfits) == 0 {
			fmt.Fprintln(w, "every value fits its format")
		}
		fmt.Fprintf(w, "%s: fixed run; its network file, with the formats, is %s\n", out, filepath.Join(out, "network.yaml"))
	})
}

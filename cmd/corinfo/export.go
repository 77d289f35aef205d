package main

import (
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"corinfo/golden/training"
	"corinfo/golden/weights"
)

func exportCommand() *cli.Command {
	return &cli.Command{
		Name:      "export",
		Usage:     "write a run's weights as a NumPy archive, by the names that the rule has for them",
		ArgsUsage: "RUN",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "o", Usage: "`FILE`.npz"},
			&cli.BoolFlag{Name: "float32", Usage: "round to float32; float64 holds the values bit for bit"},
			jsonFlag(),
		},
		Action: func(c *cli.Context) error {
			dir, err := argument(c, "the RUN's folder")
			if err != nil {
				return err
			}
			file, err := required(c, "o")
			if err != nil {
				return err
			}
			run, err := training.LoadCheckpoint(dir)
			if err != nil {
				return err
			}
			w, err := run.Weights()
			if err != nil {
				return err
			}
			dtype, name := weights.NumPyFloat64, "float64"
			if c.Bool("float32") {
				dtype, name = weights.NumPyFloat32, "float32"
			}
			if err := weights.WriteNPZ(file, run.Network.Describe(), w, dtype); err != nil {
				return err
			}
			figures := struct {
				File       string  `json:"file"`
				Run        string  `json:"run"`
				Arithmetic string  `json:"arithmetic"`
				Epochs     int     `json:"epochs"`
				DType      string  `json:"dtype"`
				Arrays     []array `json:"arrays"`
			}{file, dir, run.Arithmetic, run.Epoch, name, arraysOf(run)}
			return report(c, figures, func(w io.Writer) {
				printArrays(w, figures.Arrays)
				fmt.Fprintf(w, "%s: weights of %s after %d epochs, %s\n", file, dir, run.Epoch, name)
			})
		},
	}
}

// array names one matrix of a run and its shape.
type array struct {
	Name string `json:"name"`
	Rows int    `json:"rows"`
	Cols int    `json:"cols"`
}

func arraysOf(run *training.Checkpoint) []array {
	var list []array
	for _, t := range run.Tensors {
		list = append(list, array{t.Name, t.Rows, t.Cols})
	}
	return list
}

// printArrays prints a line per matrix.
func printArrays(w io.Writer, arrays []array) {
	for _, a := range arrays {
		fmt.Fprintf(w, "%s  %d x %d\n", a.Name, a.Rows, a.Cols)
	}
}

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
		Usage:     "write a run's weights as a NumPy archive or .safetensors file (docs/WEIGHTS.md)",
		ArgsUsage: "RUN",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "o", Usage: "`FILE`.npz or FILE.safetensors"},
			&cli.StringFlag{Name: "names", Value: "rule", Usage: "rule: those that the rule has; torch: 0.weight, 0.bias, 2.weight, ...; or names of the " +
				"linear layers from the input on, `LAYER,...`: LAYER.weight, LAYER.bias"},
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
			d := run.Network.Describe()
			layers, err := weights.ParseLayers(d, c.String("names"))
			if err != nil {
				return err
			}
			names, err := weights.Write(file, d, w, dtype, layers)
			if err != nil {
				return err
			}
			figures := struct {
				File       string  `json:"file"`
				Run        string  `json:"run"`
				Arithmetic string  `json:"arithmetic"`
				Epochs     int     `json:"epochs"`
				DType      string  `json:"dtype"`
				Arrays     []array `json:"arrays"`
			}{file, dir, run.Arithmetic, run.Epoch, name, arraysOf(w, names)}
			return report(c, figures, func(w io.Writer) {
				printArrays(w, figures.Arrays)
				fmt.Fprintf(w, "%s: weights of %s after %d epochs, %s\n", file, dir, run.Epoch, name)
			})
		},
	}
}

// array is one matrix of a run and what a file calls it.
type array struct {
	Name   string `json:"name"`
	Rows   int    `json:"rows"`
	Cols   int    `json:"cols"`
	InFile string `json:"in_file"`
}

func arraysOf(w weights.Weights, names []string) []array {
	var list []array
	for i, x := range w {
		rows, cols := x.Dims()
		list = append(list, array{x.Name, rows, cols, names[i]})
	}
	return list
}

// printArrays prints a line per matrix.
func printArrays(w io.Writer, arrays []array) {
	for _, a := range arrays {
		fmt.Fprintf(w, "%s  %d x %d", a.Name, a.Rows, a.Cols)
		if a.InFile != a.Name {
			fmt.Fprintf(w, "  %s", a.InFile)
		}
		fmt.Fprintln(w)
	}
}

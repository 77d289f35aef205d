package main

import (
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"corinfo/golden"
	"corinfo/golden/calibrate"
	"corinfo/golden/network"
	"corinfo/golden/training"
	"corinfo/golden/weights"
	"corinfo/hdlgen"
)

func importCommand() *cli.Command {
	return &cli.Command{
		Name:      "import",
		Usage:     "start a run with the weights of a NumPy archive or .safetensors file (docs/WEIGHTS.md)",
		ArgsUsage: "FILE.npz|FILE.safetensors",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "c", Usage: "network `FILE`"},
			&cli.StringFlag{Name: "o", Usage: "`FOLDER` of the run"},
			&cli.StringFlag{Name: "names", Usage: "names of the file's linear layers from the input on, `LAYER,...`, where " +
				"no number tells their order; torch: 0,2,4,..."},
			&cli.StringFlag{Name: "arithmetic", Value: training.Float, Usage: "float, float32 or fixed"},
			jsonFlag(),
		},
		Action: importWeights,
	}
}

func importWeights(c *cli.Context) error {
	file, err := argument(c, "the FILE.npz or FILE.safetensors with the weights")
	if err != nil {
		return err
	}
	config, err := required(c, "c")
	if err != nil {
		return err
	}
	dir, err := required(c, "o")
	if err != nil {
		return err
	}
	n, err := network.Load(config)
	if err != nil {
		return err
	}
	lock, err := training.LockNewRun(dir)
	if err != nil {
		return err
	}
	defer lock.Unlock()
	if err := hdlgen.CheckName(n.Name); err != nil { // sooner than generate would
		return err
	}
	d := n.Describe()
	layers, err := weights.ParseLayers(d, c.String("names"))
	if err != nil {
		return err
	}
	w, names, err := weights.Read(file, d, layers)
	if err != nil {
		return err
	}
	run, misfits, err := training.NewCheckpointOf(n, c.String("arithmetic"), n.Seed, w)
	if err != nil {
		return err
	}
	if err := golden.WriteFolder(dir, run.Save); err != nil {
		return err
	}
	figures := struct {
		Run        string             `json:"run"`
		File       string             `json:"file"`
		Arithmetic string             `json:"arithmetic"`
		Arrays     []array            `json:"arrays"`
		Misfits    []calibrate.Misfit `json:"misfits"`
	}{dir, file, run.Arithmetic, arraysOf(w, names), listed(misfits)}
	return report(c, figures, func(w io.Writer) {
		printArrays(w, figures.Arrays)
		printMisfits(w, misfits)
		fmt.Fprintf(w, "%s: %s run with the weights of %s; train it with `corinfo train -o %s --resume`\n", dir, run.Arithmetic, file, dir)
	})
}

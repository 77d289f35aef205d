package main

import (
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"corinfo/golden"
	"corinfo/hdlgen"
)

func importCommand() *cli.Command {
	return &cli.Command{
		Name:      "import",
		Usage:     "start a run with the weights of a NumPy archive: W0, ..., F1, ..., and C1, ... or B1, ...",
		ArgsUsage: "FILE.npz",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "c", Usage: "network `FILE`"},
			&cli.StringFlag{Name: "o", Usage: "`FOLDER` of the run"},
			&cli.StringFlag{Name: "arithmetic", Value: golden.Float, Usage: "float, float32 or fixed"},
			jsonFlag(),
		},
		Action: importWeights,
	}
}

func importWeights(c *cli.Context) error {
	file, err := argument(c, "the FILE.npz with the weights")
	if err != nil {
		return err
	}
	network, err := required(c, "c")
	if err != nil {
		return err
	}
	dir, err := required(c, "o")
	if err != nil {
		return err
	}
	n, err := golden.LoadNetwork(network)
	if err != nil {
		return err
	}
	lock, err := golden.LockNewRun(dir)
	if err != nil {
		return err
	}
	defer lock.Unlock()
	if err := hdlgen.CheckName(n.Name); err != nil { // sooner than generate would
		return err
	}
	weights, err := golden.ReadNPZ(file, n)
	if err != nil {
		return err
	}
	run, misfits, err := golden.NewCheckpointOf(n, c.String("arithmetic"), n.Seed, weights)
	if err != nil {
		return err
	}
	if err := golden.WriteFolder(dir, run.Save); err != nil {
		return err
	}
	figures := struct {
		Run        string          `json:"run"`
		File       string          `json:"file"`
		Arithmetic string          `json:"arithmetic"`
		Arrays     []array         `json:"arrays"`
		Misfits    []golden.Misfit `json:"misfits"`
	}{dir, file, run.Arithmetic, arraysOf(run), misfits}
	return report(c, figures, func(w io.Writer) {
		printArrays(w, figures.Arrays)
		printMisfits(w, misfits)
		fmt.Fprintf(w, "%s: %s run with the weights of %s; train it with `corinfo train -o %s --resume`\n", dir, run.Arithmetic, file, dir)
	})
}

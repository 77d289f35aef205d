package main

import (
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"corinfo/golden/dataset"
	"corinfo/golden/simd"
	"corinfo/sim"
)

func doctorCommand() *cli.Command {
	return &cli.Command{
		Name:  "doctor",
		Usage: "look for the tools and data sets that corinfo calls, say how to get the missing ones, and name the float model's kernels",
		Flags: []cli.Flag{jsonFlag()},
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			type found struct {
				Name    string `json:"name"`
				Found   bool   `json:"found"`
				Problem string `json:"problem,omitempty"`
			}
			figures := struct {
				Tools    []sim.Tool `json:"tools"`
				Datasets []found    `json:"datasets"`
				Kernels  string     `json:"kernels"` // of the float model
			}{Tools: sim.Tools(c.Context), Kernels: simd.Name()}
			for _, name := range []string{"mnist", "fashion", "cifar10"} {
				d := found{Name: name, Found: true}
				if _, err := dataset.Load(dataset.Source{Name: name}); err != nil {
					d.Found, d.Problem = false, err.Error()
				}
				figures.Datasets = append(figures.Datasets, d)
			}
			err := report(c, figures, func(w io.Writer) {
				table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
				for _, t := range figures.Tools {
					if t.Path != "" {
						fmt.Fprintf(table, "%s\t%s\t%s\n", t.Name, t.Version, t.Path)
					} else {
						fmt.Fprintf(table, "%s\tmissing (%s)\t%s\n", t.Name, t.For, t.Remedy)
					}
				}
				for _, d := range figures.Datasets {
					if d.Found {
						fmt.Fprintf(table, "dataset %s\tfound\t\n", d.Name)
					} else {
						fmt.Fprintf(table, "dataset %s\tmissing\t%s\n", d.Name, d.Problem)
					}
				}
				note := ""
				if wanted := os.Getenv(simd.Variable); wanted != "" && wanted != figures.Kernels {
					note = fmt.Sprintf("%s=%s is not among this processor's", simd.Variable, wanted)
				}
				fmt.Fprintf(table, "float kernels\t%s\t%s\n", figures.Kernels, note)
				table.Flush()
			})
			if err != nil {
				return err
			}
			for _, t := range figures.Tools {
				if t.Needed && t.Path == "" {
					return fmt.Errorf("%s is missing: %s", t.Name, t.Remedy)
				}
			}
			return nil
		},
	}
}

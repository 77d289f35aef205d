package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"corinfo/golden"
	"corinfo/golden/network"
)

func initCommand() *cli.Command {
	return &cli.Command{
		Name:      "init",
		Usage:     "write a commented network file",
		ArgsUsage: "FILE",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "preset", Value: "tiny", Usage: "settings to start from: " + strings.Join(network.Presets(), ", ")},
			jsonFlag(),
		},
		Action: func(c *cli.Context) error {
			file, err := argument(c, "the FILE to write")
			if err != nil {
				return err
			}
			text, err := network.Preset(c.String("preset"))
			if err != nil {
				return err
			}
			if _, err := os.Lstat(file); err == nil {
				return usagef("%s exists; name another file or remove it", file)
			}
			if err := golden.WriteFile(file, text); err != nil {
				return err
			}
			figures := struct {
				File   string `json:"file"`
				Preset string `json:"preset"`
			}{file, c.String("preset")}
			return report(c, figures, func(w io.Writer) {
				fmt.Fprintf(w, "%s: network file of preset %s\n", file, c.String("preset"))
			})
		},
	}
}

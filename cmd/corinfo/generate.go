package main

import (
	"fmt"
	"io"
	"maps"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"corinfo/golden"
	"corinfo/hdlgen"
)

func generateCommand() *cli.Command {
	return &cli.Command{
		Name:  "generate",
		Usage: "write the hardware project of a network",
		Flags: append(networkFlags(),
			boardFlag(),
			&cli.Float64Flag{Name: "clock", Value: defaultMHz, Usage: "`MHZ` of the design's clock on the board"},
			&cli.StringFlag{Name: "o", Usage: "`FOLDER` to write; a design that is there is replaced"},
			jsonFlag()),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			out, err := required(c, "o")
			if err != nil {
				return err
			}
			machine, misfits, err := startingMachine(c)
			if err != nil {
				return err
			}
			board, err := boardOf(c, machine.A)
			if err != nil {
				return err
			}
			target := targetOf(nil)
			if board != nil {
				target = targetOf(board.Board)
			}
			m, err := hdlgen.GenerateFor(board, machine.A, machine, machine.A.Network.Hardware.Lanes, target, out)
			if err != nil {
				return err
			}
			figures := struct {
				Design  string            `json:"design"`
				Top     string            `json:"top"`
				Lanes   int               `json:"lanes"`
				Files   int               `json:"files"`
				Images  int               `json:"images"`
				Board   *hdlgen.BoardPart `json:"board,omitempty"`
				Misfits []golden.Misfit   `json:"misfits"`
			}{out, m.Name, m.Lanes, len(m.Files), len(m.Images), m.Board, misfits}
			return report(c, figures, func(w io.Writer) {
				printMisfits(w, misfits)
				fmt.Fprintf(w, "%s: top module %s, %d lanes, %d Verilog files (%s), %d memory images\n",
					out, m.Name, m.Lanes, len(m.Files), filepath.Join(out, m.Name+".f"), len(m.Images))
				if b := m.Board; b != nil {
					fmt.Fprintf(w, "board %s: top module %s at %g MHz, a self-test of %d digits; `corinfo synth %s` makes the bitstream\n", b.Name, b.Top, b.MHz, b.Steps, out)
				}
			})
		},
	}
}

// networkFlags choose a network, its weights and its lanes, for generate and estimate.
func networkFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "c", Usage: "network `FILE`; without it, the network of --weights"},
		&cli.StringFlag{Name: "weights", Usage: "`RUN` whose weights the synapse memories start from; without it, initial weights by the file's seed"},
		&cli.IntFlag{Name: "lanes", DefaultText: "the network file's", Usage: "lanes of the design"},
		&cli.IntFlag{Name: "contexts", DefaultText: "the network file's", Usage: "samples that the design has in flight at once, 1 to 4"},
	}
}

// startingMachine is the bit-true machine that networkFlags choose, and what of its weights and inputs did
// not fit. Formats that the network file leaves open are those of a quantized run.
func startingMachine(c *cli.Context) (*golden.Machine, []golden.Misfit, error) {
	var run *golden.Checkpoint
	if dir := c.String("weights"); dir != "" {
		var err error
		if run, err = golden.LoadCheckpoint(dir); err != nil {
			return nil, nil, err
		}
	}
	var n *golden.Network
	switch file := c.String("c"); {
	case file != "":
		var err error
		if n, err = golden.LoadNetwork(file); err != nil {
			return nil, nil, err
		}
		if run != nil {
			formats := maps.Clone(run.Network.Formats)
			if formats == nil {
				formats = n.Formats
			} else {
				maps.Copy(formats, n.Formats)
			}
			n.Formats = formats
		}
	case run != nil:
		n = run.Network
	default:
		return nil, nil, usagef("%s: -c is missing: name a network file, or a run by --weights", c.Command.Name)
	}
	if c.IsSet("lanes") {
		if err := atLeast(c, "lanes", 1); err != nil {
			return nil, nil, err
		}
		n.Hardware.Lanes = c.Int("lanes")
	}
	if c.IsSet("contexts") {
		if n.Hardware.Contexts = c.Int("contexts"); n.Hardware.Contexts < 1 || n.Hardware.Contexts > golden.MaxContexts {
			return nil, nil, usagef("%s: --contexts %d; want 1 to %d", c.Command.Name, n.Hardware.Contexts, golden.MaxContexts)
		}
	}
	return golden.StartMachine(n, run)
}

// printMisfits tells of each tensor that did not fit its format.
func printMisfits(w io.Writer, misfits []golden.Misfit) {
	for _, m := range misfits {
		sign := ""
		if m.Sign {
			sign = "a sign and "
		}
		fmt.Fprintf(w, "%s does not fit %s: %d of %d values are outside, the worst is %g and needs %s%d integer bits\n", m.Tensor, m.Type, m.Count, m.Of, m.Worst, sign, m.Bits)
	}
}

package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"corinfo/constraints"
	"corinfo/golden"
	"corinfo/hdlgen"
	"corinfo/hdlgen/design"
)

// defaultMHz is the clock of a design on a board that is not told otherwise.
const defaultMHz = 100

// classified is how many test digits a self-test classifies before and after it learns. It learns one mini-batch,
// but at least as many digits.
const classified = 4

// boardFlags choose what a design is for: a board, or a family of devices without one.
func boardFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "board", Usage: "`BOARD` that the design is for: " + strings.Join(constraints.Names(), ", ")},
		&cli.StringFlag{Name: "target", DefaultText: "the board's, or " + constraints.GenericFamily,
			Usage: "`FAMILY` of devices that pipelines and memories are for, without a board: " + strings.Join(constraints.Families(), ", ")},
	}
}

// chosenTarget is the board that --board names, nil without it, and what a design for it, or for the family that --target names, is
// cut for.
func chosenTarget(c *cli.Context) (*constraints.Board, hdlgen.Target, error) {
	switch {
	case c.IsSet("board") && c.IsSet("target"):
		return nil, hdlgen.Target{}, usagef("%s: --board and --target; a board has a family already: give one of them", c.Command.Name)
	case c.IsSet("board"):
		b, err := constraints.Get(c.String("board"))
		if err != nil {
			return nil, hdlgen.Target{}, fmt.Errorf("%w: --board: %w", golden.ErrUsage, err)
		}
		return b, b.Target, nil
	case c.IsSet("target"):
		f, err := constraints.GetFamily(c.String("target"))
		if err != nil || c.String("target") == "" {
			return nil, hdlgen.Target{}, usagef("--target %q; want one of %s", c.String("target"), strings.Join(constraints.Families(), ", "))
		}
		return nil, f.Target, nil
	}
	return nil, hdlgen.FastTarget, nil
}

// boardOf is a board with the first test and training digits of the network's data set for its self-test; nil for none.
func boardOf(c *cli.Context, named *constraints.Board, p *design.Plan) (*hdlgen.Board, error) {
	if named == nil {
		return nil, nil
	}
	data, err := dataOf(c, p.Network)
	if err != nil {
		return nil, err
	}
	batch := p.Network.Learning.Batch
	test, err := testSamples(p, &data.Test, min(classified, data.Test.Len()))
	if err != nil {
		return nil, err
	}
	learned := (classified + batch - 1) / batch * batch
	if !p.Learns() {
		learned = 0
	}
	training, err := trainingSamples(p, &data.Train, learned)
	if err != nil {
		return nil, err
	}
	return &hdlgen.Board{Board: named, MHz: c.Float64("clock"), Classify: test, Learn: training}, nil
}

package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"corinfo/constraints"
	"corinfo/golden"
	"corinfo/hdlgen"
	"corinfo/sim"
)

// defaultMHz is the clock of a design on a board that is not told otherwise.
const defaultMHz = 100

// classified is how many test digits a self-test classifies before and after it learns. It learns one mini-batch,
// but at least as many digits.
const classified = 4

func boardFlag() cli.Flag {
	return &cli.StringFlag{Name: "board", Usage: "`BOARD` that the design is for: " + strings.Join(constraints.Names(), ", ")}
}

// namedBoard is the board that --board names; nil without it.
func namedBoard(c *cli.Context) (*constraints.Board, error) {
	if !c.IsSet("board") {
		return nil, nil
	}
	b, err := constraints.Get(c.String("board"))
	if err != nil {
		return nil, fmt.Errorf("%w: --board: %w", golden.ErrUsage, err)
	}
	return b, nil
}

// targetOf is what a design for a board is cut for; nil: for no board.
func targetOf(b *constraints.Board) hdlgen.Target {
	if b == nil {
		return hdlgen.FastTarget
	}
	return b.Target
}

// boardOf is the board that --board names, with the first test and training digits of the network's data set for its
// self-test; nil without the flag.
func boardOf(c *cli.Context, a *golden.Arithmetic) (*hdlgen.Board, error) {
	named, err := namedBoard(c)
	if err != nil || named == nil {
		return nil, err
	}
	data, err := dataOf(c, a.Network)
	if err != nil {
		return nil, err
	}
	batch := a.Network.Learning.Batch
	test, err := testSamples(a, &data.Test, min(classified, data.Test.Len()))
	if err != nil {
		return nil, err
	}
	training, err := trainingSamples(a, &data.Train, (classified+batch-1)/batch*batch)
	if err != nil {
		return nil, err
	}
	return &hdlgen.Board{Board: named, MHz: c.Float64("clock"), Classify: testDigits(test), Learn: testDigits(training)}, nil
}

func testDigits(samples []sim.Sample) []hdlgen.TestSample {
	list := make([]hdlgen.TestSample, len(samples))
	for i, s := range samples {
		list[i] = hdlgen.TestSample(s)
	}
	return list
}

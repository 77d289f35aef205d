package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"corinfo/constraints"
	"corinfo/sim"
)

func synthCommand() *cli.Command {
	return &cli.Command{
		Name:      "synth",
		Usage:     "make the bitstream of a design on its board with Yosys and nextpnr, and report clock and resources",
		ArgsUsage: "OUT",
		Flags: []cli.Flag{
			&cli.IntFlag{Name: "seed", Value: 1, Usage: "`SEED` of the placement"},
			jsonFlag(),
		},
		Action: func(c *cli.Context) error {
			dir, err := argument(c, "the folder of a design")
			if err != nil {
				return err
			}
			if err := atLeast(c, "seed", 0); err != nil {
				return err
			}
			d, lock, err := heldDesign(dir)
			if err != nil {
				return err
			}
			defer lock.Unlock()
			r, err := sim.Synth(c.Context, d.Dir, d.Manifest, sim.SynthOptions{Seed: c.Int("seed"),
				Progress: func(line string) { fmt.Fprintln(c.App.ErrWriter, line) }})
			if err != nil {
				return err
			}
			if err := report(c, r, func(w io.Writer) { printSynth(w, r) }); err != nil {
				return err
			}
			if !r.TimingMet {
				return fmt.Errorf("%s: timing is not met: %.1f MHz is the fastest, the board's clock %s; try another --seed, or generate with a slower --clock",
					dir, r.FmaxMHz, constraints.MHz(r.ClockMHz))
			}
			return nil
		},
	}
}

func printSynth(w io.Writer, r *sim.SynthReport) {
	fmt.Fprintf(w, "%s on %s\n", r.Top, r.Board)
	fmt.Fprintf(w, "clock      %.1f MHz at most, %s wanted\n", r.FmaxMHz, constraints.MHz(r.ClockMHz))
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, u := range []struct {
		name            string
		used, available int
	}{
		{"multipliers", r.DSP, r.Available.DSP}, {"block memories", r.BRAM, r.Available.BRAM}, {"LUTs", r.LUT, r.Available.LUT},
		{"flip-flops", r.FF, r.Available.FF}, {"distributed memories", r.LUTRAM, r.Available.LUTRAM},
	} {
		fmt.Fprintf(table, "%s\t%d\tof %d\t%.1f %%\t\n", u.name, u.used, u.available, 100*float64(u.used)/float64(u.available))
	}
	table.Flush()
	fmt.Fprintf(w, "netlist  %d registers in memories and multipliers, places of %d multipliers and %d block memories\n",
		r.Absorbed, r.PlannedDSP, r.PlannedBRAM)
	fmt.Fprintln(w, "slowest path")
	for _, s := range r.CriticalPath {
		fmt.Fprintf(w, "  %6.2f ns  %-8s  %s\n", s.Nanos, s.Kind, s.To)
	}
	fmt.Fprintln(w, "slowest registers, data after the clock")
	for _, a := range r.Slowest[:min(len(r.Slowest), 10)] {
		fmt.Fprintf(w, "  %6.2f ns  %s\n", a.Nanos, a.Register)
	}
	fmt.Fprintf(w, "bitstream  %s\n", r.Bitstream)
}

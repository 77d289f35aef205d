package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/constraints"
	"corinfo/golden"
)

// plannedCells writes a netlist of units with cells of a type each, reads it, has it floorplanned and written, and returns the sites by cell.
func plannedCells(t *testing.T, kind string, units, each int) (planned int, sites map[string]string) {
	t.Helper()
	cells := map[string]any{"u_control.product": map[string]any{"type": kind, "attributes": map[string]string{}}}
	for l := range units {
		for k := range each {
			cells[fmt.Sprintf("u_design.gen_unit[%d].gen_lane[0].u_lane.m%03d", l, k)] = map[string]any{"type": kind, "attributes": map[string]string{"src": "x.v:1"}}
		}
		cells[fmt.Sprintf("u_design.gen_unit[%d].u_unit.ff", l)] = map[string]any{"type": "TRELLIS_FF", "attributes": map[string]string{}}
	}
	from, to := filepath.Join(t.TempDir(), "from.json"), filepath.Join(t.TempDir(), "to.json")
	text, err := json.Marshal(map[string]any{"creator": "yosys", "modules": map[string]any{"top": map[string]any{"cells": cells}, kind: map[string]any{}}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(from, text, 0o644))
	n, err := readNetlist(from, "top")
	require.NoError(t, err)
	planned = floorplan(n, "LFE5U-85F")[kind]
	require.NoError(t, n.write(to))
	written, err := os.ReadFile(to)
	require.NoError(t, err)
	var netlist struct {
		Modules map[string]struct {
			Cells map[string]struct {
				Type       string
				Attributes map[string]string
			}
		}
	}
	require.NoError(t, json.Unmarshal(written, &netlist))
	require.Len(t, netlist.Modules, 2)
	require.Len(t, netlist.Modules["top"].Cells, len(cells))
	sites = map[string]string{}
	for name, c := range netlist.Modules["top"].Cells {
		if bel := c.Attributes["BEL"]; bel != "" {
			require.Equal(t, kind, c.Type, name)
			require.Equal(t, "x.v:1", c.Attributes["src"], name)
			sites[name] = bel
		}
	}
	return planned, sites
}

// Every unit's multipliers and block memories get sites of their own near each other, none of them twice; what is in no unit gets none.
func TestFloorplan(t *testing.T) {
	at := regexp.MustCompile(`^X(\d+)/Y(\d+)/(MULT18_[0145]|EBR[0-3])$`)
	for _, c := range []struct {
		kind        string
		units, each int
	}{
		{"MULT18X18D", 16, 7}, {"MULT18X18D", 1, 79}, {"MULT18X18D", 1, 156}, {"MULT18X18D", 12, 13}, {"MULT18X18D", 156, 1}, {"MULT18X18D", 13, 12}, {"MULT18X18D", 22, 7}, {"MULT18X18D", 8, 16},
		{"DP16KD", 8, 22}, {"DP16KD", 4, 48}, {"DP16KD", 1, 208}, {"DP16KD", 16, 13}, {"DP16KD", 208, 1},
	} {
		planned, sites := plannedCells(t, c.kind, c.units, c.each)
		require.Equal(t, c.units*c.each, planned)
		require.Len(t, sites, planned)
		taken := map[string]bool{}
		for l := range c.units {
			var low, high [2]int
			for k := range c.each {
				bel := sites[fmt.Sprintf("u_design.gen_unit[%d].gen_lane[0].u_lane.m%03d", l, k)]
				require.False(t, taken[bel], bel)
				taken[bel] = true
				m := at.FindStringSubmatch(bel)
				require.NotNil(t, m, bel)
				x, _ := strconv.Atoi(m[1])
				y, _ := strconv.Atoi(m[2])
				if k == 0 {
					low, high = [2]int{x, y}, [2]int{x, y}
				}
				low, high = [2]int{min(low[0], x), min(low[1], y)}, [2]int{max(high[0], x), max(high[1], y)}
			}
			if c.units >= 8 {
				require.Less(t, high[0]-low[0]+high[1]-low[1], 60, "%s of unit %d", c.kind, l)
			}
		}
	}
	for _, c := range []struct{ units, each int }{{16, 4}, {1, 78}, {0, 0}, {1, 157}, {23, 7}} {
		planned, _ := plannedCells(t, "MULT18X18D", c.units, c.each)
		require.Zero(t, planned)
	}
}

// Units get as many strips as makes their shares about square.
func TestStrips(t *testing.T) {
	for units, want := range map[int]int{1: 1, 2: 2, 4: 2, 8: 4, 12: 4, 13: 13, 16: 4, 32: 8} {
		require.Equal(t, want, stripsFor(units), "%d units", units)
	}
}

// A netlist that is cut off or not one is named.
func TestNetlistDamaged(t *testing.T) {
	from := filepath.Join(t.TempDir(), "from.json")
	for _, text := range []string{"", "{", "[]", `{"modules": 3}`, `{"modules": {}}`, `{"modules": {"top": {}}}`, `{"modules": {"top": {"cells": []}}}`,
		`{"modules": {"top": {"cells": {"a": null}}}}`, `{"modules": {"top": {"cells": {"a": {"connections": {"A": [1]}}}}}}`,
		`{"modules": {"top": {"cells": {"a": {"connections": {"A": ["y"]}}}}}}`, `{"modules": {"top": {"ports": 3, "cells": {}}}}`} {
		require.NoError(t, os.WriteFile(from, []byte(text), 0o644))
		_, err := readNetlist(from, "top")
		require.ErrorIs(t, err, golden.ErrDamaged, text)
		require.ErrorContains(t, err, "from.json", text)
	}
}

// nextpnr knows every site by the name that the floorplan gives it, and each of them once.
func TestFloorplanSites(t *testing.T) {
	needSynthesis(t)
	for device, grids := range deviceGrids {
		var board *constraints.Board
		for _, name := range constraints.Names() {
			b, err := constraints.Get(name)
			require.NoError(t, err)
			if b.Device == device {
				board = b
			}
		}
		require.NotNil(t, board, device)
		// A shift register through multipliers and memories, one on every site.
		var v bytes.Buffer
		at := 0
		for kind, grid := range grids {
			sites := grid.places(1)
			require.Len(t, sites, map[string]int{"MULT18X18D": board.Resources.DSP, "DP16KD": board.Resources.BRAM}[kind])
			for _, s := range sites {
				ports := ".A0(p[%d]), .B0(p[%d]), .SIGNEDA(1'b0), .SIGNEDB(1'b0), .P0(p[%d]), .P1(p[%d])"
				if kind == "DP16KD" {
					ports = ".DIA0(p[%d]), .DIA1(p[%d]), .DOA0(p[%d]), .DOA1(p[%d]), .CLKA(clk), .CEA(1'b1), .OCEA(1'b1), .WEA(1'b1), .RSTA(1'b0)"
				}
				fmt.Fprintf(&v, "  (* BEL = \"%s\" *) %s m%d ("+ports+");\n", s, kind, at, 2*at, 2*at+1, 2*at+2, 2*at+3)
				at++
			}
		}
		text := fmt.Sprintf("module top (input wire clk, input wire [1:0] d, output wire [1:0] q);\n  wire [%d:0] p;\n  assign p[1:0] = d;\n  assign q = p[%d:%d];\n%sendmodule\n",
			2*at+1, 2*at+1, 2*at, v.Bytes())
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "top.v"), []byte(text), 0o644))
		_, err := output(context.Background(), dir, "yosys", "-p", "read_verilog top.v; synth_ecp5 -top top -json top.json")
		require.NoError(t, err)
		log, err := output(context.Background(), dir, "nextpnr-ecp5", nextpnrDevices[device], "--package", board.Package, "--json", "top.json", "--lpf-allow-unconstrained", "--no-route")
		require.NoError(t, err)
		require.Regexp(t, fmt.Sprintf(`MULT18X18D: +%[1]d/ +%[1]d`, board.Resources.DSP), log)
		require.Regexp(t, fmt.Sprintf(`DP16KD: +%[1]d/ +%[1]d`, board.Resources.BRAM), log)
	}
}

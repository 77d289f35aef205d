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

// plannedCells writes a netlist of units with multipliers each, reads it, has it floorplanned and written, and returns the sites by cell.
func plannedCells(t *testing.T, units, each int) (planned int, sites map[string]string) {
	t.Helper()
	cells := map[string]any{"u_control.product_MULT18X18D_A0": map[string]any{"type": "MULT18X18D", "attributes": map[string]string{}}}
	for l := range units {
		for k := range each {
			cells[fmt.Sprintf("u_design.gen_unit[%d].gen_lane[0].u_lane.m%d", l, k)] = map[string]any{"type": "MULT18X18D", "attributes": map[string]string{"src": "x.v:1"}}
		}
		cells[fmt.Sprintf("u_design.gen_unit[%d].u_unit.ff", l)] = map[string]any{"type": "TRELLIS_FF", "attributes": map[string]string{}}
	}
	from, to := filepath.Join(t.TempDir(), "from.json"), filepath.Join(t.TempDir(), "to.json")
	text, err := json.Marshal(map[string]any{"creator": "yosys", "modules": map[string]any{"top": map[string]any{"cells": cells}, "MULT18X18D": map[string]any{}}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(from, text, 0o644))
	n, err := readNetlist(from, "top")
	require.NoError(t, err)
	planned = floorplan(n, "LFE5U-85F")
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
			require.Equal(t, "MULT18X18D", c.Type, name)
			require.Equal(t, "x.v:1", c.Attributes["src"], name)
			sites[name] = bel
		}
	}
	return planned, sites
}

// Every unit's multipliers get sites of their own beside each other, none of them twice; what is in no unit gets none.
func TestFloorplan(t *testing.T) {
	at := regexp.MustCompile(`^X(\d+)/Y(\d+)/MULT18_[0145]$`)
	for _, c := range []struct{ units, each int }{{16, 7}, {1, 79}, {1, 156}, {12, 13}, {156, 1}, {13, 12}, {22, 7}} {
		planned, sites := plannedCells(t, c.units, c.each)
		require.Equal(t, c.units*c.each, planned)
		require.Len(t, sites, planned)
		taken := map[string]bool{}
		for l := range c.units {
			var far float64
			var x0, y0 int
			for k := range c.each {
				bel := sites[fmt.Sprintf("u_design.gen_unit[%d].gen_lane[0].u_lane.m%d", l, k)]
				require.False(t, taken[bel], bel)
				taken[bel] = true
				m := at.FindStringSubmatch(bel)
				require.NotNil(t, m, bel)
				x, _ := strconv.Atoi(m[1])
				y, _ := strconv.Atoi(m[2])
				if k == 0 {
					x0, y0 = x, y
				}
				far = max(far, float64((x-x0)*(x-x0)+(y-y0)*(y-y0)))
			}
			if c.each <= 13 {
				require.LessOrEqual(t, far, 40.0*40, "unit %d", l)
			}
		}
	}
	for _, c := range []struct{ units, each int }{{16, 4}, {1, 78}, {0, 0}, {1, 157}, {23, 7}} {
		planned, _ := plannedCells(t, c.units, c.each)
		require.Zero(t, planned)
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
	for device, grid := range multiplierGrids {
		var board *constraints.Board
		for _, name := range constraints.Names() {
			b, err := constraints.Get(name)
			require.NoError(t, err)
			if b.Device == device {
				board = b
			}
		}
		require.NotNil(t, board, device)
		sites := grid.sites()
		require.Len(t, sites, board.Resources.DSP)
		// A shift register through multipliers, one on every site.
		var v bytes.Buffer
		fmt.Fprintf(&v, "module top (input wire clk, input wire [1:0] d, output wire [1:0] q);\n  wire [%d:0] p;\n  assign p[1:0] = d;\n  assign q = p[%d:%d];\n", 2*len(sites)+1, 2*len(sites)+1, 2*len(sites))
		for i, s := range sites {
			fmt.Fprintf(&v, "  (* BEL = \"%s\" *) MULT18X18D m%d (.A0(p[%d]), .B0(p[%d]), .SIGNEDA(1'b0), .SIGNEDB(1'b0), .P0(p[%d]), .P1(p[%d]));\n", s, i, 2*i, 2*i+1, 2*i+2, 2*i+3)
		}
		v.WriteString("endmodule\n")
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "top.v"), v.Bytes(), 0o644))
		_, err := output(context.Background(), dir, "yosys", "-p", "read_verilog top.v; synth_ecp5 -top top -json top.json")
		require.NoError(t, err)
		log, err := output(context.Background(), dir, "nextpnr-ecp5", nextpnrDevices[device], "--package", board.Package, "--json", "top.json", "--lpf-allow-unconstrained", "--no-route")
		require.NoError(t, err)
		require.Regexp(t, fmt.Sprintf(`MULT18X18D: +%d/ +%d`, len(sites), len(sites)), log)
	}
}

package sim

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"corinfo/constraints"
	"corinfo/golden"
	"corinfo/golden/network"
	"corinfo/golden/rule"
	"corinfo/golden/training"
	"corinfo/hdlgen"
	"corinfo/hdlgen/design"
)

// A design of a preset with small layers takes as many multipliers and block memories of an ECP5 as are estimated (with Adam within 10 %), and its LUTs are within 20 % of what
// Yosys makes: LUTs of four inputs, two for a carry of two bits, six for a distributed memory of 16 x 4 bits. One design, of those without Adam's quotients and roots, for which Yosys takes minutes; all with
// CORINFO_LOGIC=all.
func TestLogicIsEstimated(t *testing.T) {
	needTool(t, "yosys")
	cases := []struct {
		preset       string
		layers       []int
		lanes, units int
		learning     bool
	}{
		{"mnist", []int{60, 32, 10}, 8, 2, true},
		{"mnist", []int{60, 32, 10}, 8, 1, false},
		{"mnist-sparse", []int{60, 24, 10}, 4, 2, true},
		{"mnist-ep", []int{60, 40, 10}, 4, 1, true},
		{"mnist-ep", []int{60, 40, 10}, 12, 3, false},
		{"mnist-csm", []int{60, 32, 10}, 8, 1, true},
		{"mnist-pc-nudge", []int{60, 20, 16, 10}, 4, 2, true},
		{"mnist-pc", []int{60, 20, 20, 10}, 4, 1, true},
		{"mnist-fa-mse", []int{60, 32, 10}, 4, 1, true},
		{"mnist-bp-ce", []int{60, 32, 10}, 4, 1, true},
	}
	if os.Getenv("CORINFO_LOGIC") != "all" {
		at := testSeed(t).IntN(len(cases) - 3)
		cases = cases[at : at+1]
	}
	family, err := constraints.GetFamily("ecp5")
	require.NoError(t, err)
	board, err := constraints.Get("ulx3s-85f")
	require.NoError(t, err)
	for _, c := range cases {
		text, err := network.Preset(c.preset)
		require.NoError(t, err)
		n, err := network.Parse(c.preset, regexp.MustCompile(`(?m)^layers:.*$`).ReplaceAll(text, []byte("layers: "+strings.ReplaceAll(fmt.Sprint(c.layers), " ", ", "))))
		require.NoError(t, err)
		n.Hardware.Learning = c.learning
		p, err := design.New(n, c.lanes, c.units, family.Target)
		require.NoError(t, err)
		e, err := design.Estimate(p, nil)
		require.NoError(t, err)
		dir := filepath.Join(t.TempDir(), "design")
		l, _, err := training.StartMachine(n, nil)
		require.NoError(t, err)
		_, err = design.Generate(p, l, nil, nil, dir, hdlgen.RefuseEdited)
		require.NoError(t, err)
		d := reopen(t, dir)
		script, err := os.ReadFile(filepath.Join(dir, d.Manifest.Name+".ys"))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "logic.ys"), append(script, "\ntee -q -o logic.json stat -json\n"...), 0o644))
		_, err = output(context.Background(), dir, "yosys", "-q", "-s", "logic.ys")
		require.NoError(t, err)
		said, err := golden.ReadFile(filepath.Join(dir, "logic.json"), 1<<24)
		require.NoError(t, err)
		var stat struct {
			Design struct {
				Cells map[string]any `json:"num_cells_by_type"`
			}
		}
		require.NoError(t, json.Unmarshal(said, &stat), "%s", said)
		count := func(cell string) int {
			n, _ := stat.Design.Cells[cell].(float64)
			return int(n)
		}
		luts := 0.0
		for cell, each := range map[string]float64{"LUT4": 1, "CCU2C": 2, "TRELLIS_DPR16X4": 6} {
			luts += float64(count(cell)) * each
		}
		f := e.Fit(board)
		t.Logf("%s %v, %d lanes, %d units, learning %v: %d LUTs estimated, %.0f synthesized, %d multipliers, %d block memories", c.preset, c.layers, c.lanes,
			c.units, c.learning, e.LUTs, luts, count("MULT18X18D"), count("DP16KD"))
		if n.Learning.Optimizer.Kind == rule.Adam { // of its wide products and long pipelines Yosys makes some more or fewer
			assert.InEpsilon(t, count("MULT18X18D"), f.DSP.Used, 0.1, "%s: multipliers", c.preset)
			assert.InEpsilon(t, count("DP16KD"), f.BRAM.Used, 0.1, "%s: block memories", c.preset)
		} else {
			assert.Equal(t, []int{f.DSP.Used, f.BRAM.Used}, []int{count("MULT18X18D"), count("DP16KD")}, "%s: multipliers and block memories", c.preset)
		}
		require.InEpsilon(t, luts, float64(e.LUTs), 0.2, "%s %v", c.preset, e.Logic)
	}
}

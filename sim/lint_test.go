package sim

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden/goldentest"
	"corinfo/hdlgen"
)

// lint runs every linter on a design's file list as it is, and on its board's, and returns what they say; "" is a clean design.
func lint(ctx context.Context, dir string, m *hdlgen.Manifest) (said string, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	lists := map[string][]string{m.Name + ".f": m.Files}
	if b := m.Board; b != nil {
		lists["board/"+b.Top+".f"] = slices.Concat(m.Files, b.Files, b.Models)
	}
	for list, files := range lists {
		for _, command := range [][]string{
			{"verilator", "--lint-only", "-Wall", "-f", list},
			{"iverilog", "-g2005", "-Wall", "-t", "null", "-f", list},
			{"yosys", "-q", "-p", "read_verilog " + strings.Join(files, " ") + "; hierarchy -check -auto-top; proc; opt_clean; check -assert"},
		} {
			out, err := output(ctx, dir, command[0], command[1:]...)
			if said += out; err != nil {
				return said, err
			}
		}
	}
	return strings.TrimSpace(said), nil
}

// Emitted designs lint without a word in all three tools: over layers, lanes, contexts, sparse layers, mini-batches, formats,
// wires and boards.
func TestDesignsLint(t *testing.T) {
	needTool(t, "verilator")
	needTool(t, "iverilog")
	needTool(t, "yosys")
	onBoard := testCase{layers: []int{12, 9, 8, 5}, lanes: 3, contexts: 2, batch: 2, rule: "constant", formats: "default", sparse: true}
	for _, c := range []testCase{
		{layers: []int{784, 64, 10}, lanes: 16, batch: 20, rule: "constant", formats: "default"},
		{layers: []int{12, 9, 8, 5}, lanes: 3, batch: 3, rule: "constant", formats: "uneven"},
		{layers: []int{5, 1, 2}, lanes: 1, batch: 1, rule: "constant", formats: "coarse"},
		{layers: []int{20, 7}, lanes: 8, batch: 3, rule: "constant", formats: "default", dense: true},
		{layers: []int{1, 1}, lanes: 1, batch: 1, rule: "constant", formats: "default"},
		{layers: []int{4, 3, 2}, lanes: 2, batch: 1, rule: "constant", formats: "exact"},
		{layers: []int{12, 9, 8, 5}, lanes: 3, contexts: 2, batch: 1, rule: "constant", formats: "default", wires: 1},
		{layers: []int{12, 9, 8, 5}, lanes: 4, contexts: 4, batch: 4, rule: "constant", formats: "uneven", wires: 2, three: true},
		{layers: []int{9, 6, 4}, lanes: 1, contexts: 4, batch: 2, rule: "constant", formats: "default", dense: true, shallow: true},
		{layers: []int{9, 6, 4}, lanes: 2, batch: 1, rule: "constant", formats: "default", sparse: true},
		{layers: []int{9, 6, 4}, lanes: 5, contexts: 2, batch: 3, rule: "constant", formats: "uneven", sparse: true, wires: 1},
		{layers: []int{9, 6, 4}, lanes: 3, contexts: 4, batch: 20, rule: "constant", formats: "coarse", sparse: true, wires: 2, shallow: true},
		{layers: []int{20, 45}, lanes: 40, contexts: 2, batch: 1, rule: "constant", formats: "default"},
		onBoard,
	} {
		t.Run(c.String(), func(t *testing.T) {
			d := c.generate(t)
			if reflect.DeepEqual(c, onBoard) {
				d = boardDesign(t, c, testSeed(t))
			}
			said, err := lint(context.Background(), d.Dir, d.Manifest)
			require.NoError(t, err, said)
			require.Empty(t, said)
		})
	}
}

// A user's module is compiled together with a design: with a timescale wherever it stands, without one behind the design, and
// Verilator has no word on it.
func TestMixedCompilation(t *testing.T) {
	needTool(t, "verilator")
	d := small.generate(t)
	for name, text := range map[string]string{
		"timed":   "`timescale 1ps/1ps\nmodule timed; endmodule\n",
		"untimed": "module untimed; endmodule\n",
	} {
		own := filepath.Join(t.TempDir(), name+".v")
		require.NoError(t, os.WriteFile(own, []byte(text), 0o644))
		list := []string{"-f", d.Manifest.Name + ".f"}
		for _, order := range [][]string{append(list, own), append([]string{own}, list...)} {
			said, err := output(context.Background(), d.Dir, "verilator", append([]string{"--lint-only", "-Wall", "--top-module", d.Manifest.Name}, order...)...)
			if name == "untimed" && order[0] == own {
				require.Contains(t, said, "TIMESCALEMOD", "the README says that this warns")
				continue
			}
			require.NoError(t, err, said)
			require.Empty(t, said)
		}
	}
}

// What the linters say passes through.
func TestLintSpeaks(t *testing.T) {
	needTool(t, "verilator")
	d := small.generate(t)
	goldentest.ReplaceIn(t, filepath.Join(d.Dir, "rtl", "tester_unit.v"), "assign queue_put_o[g] = ", "assign queue_put_o[g] = 2'd0 + ")
	said, err := lint(context.Background(), d.Dir, d.Manifest)
	require.Contains(t, said+fmt.Sprint(err), "WIDTH")
}

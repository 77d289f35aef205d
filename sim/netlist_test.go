package sim

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"corinfo/hdlgen/design"
)

// The netlist that Yosys makes of a board's whole FPGA passes the self-test too: gates, block memories and multipliers do what
// the Verilog says. The models of the last two are in testdata, those of the others are Yosys's. CORINFO_NETLIST=1 is a small
// design's, CORINFO_NETLIST=DESIGN that of a folder in which `corinfo synth` was.
func TestNetlistPassesTheSelfTest(t *testing.T) {
	of := os.Getenv("CORINFO_NETLIST")
	if of == "" {
		t.Skip("simulating gates takes minutes; set CORINFO_NETLIST=1")
	}
	needTool(t, "yosys")
	needTool(t, "verilator")
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Minute)
	defer cancel()
	var d *design.Design
	if of != "1" {
		dir := filepath.Join(t.TempDir(), "design")
		require.NoError(t, os.CopyFS(dir, os.DirFS(of)))
		d = reopen(t, dir)
	} else {
		d = boardDesign(t, small, testSeed(t))
		synthesized(t, ctx, d)
	}
	part := d.Manifest.Board
	file := func(suffix string) string { return synthFolder + "/" + part.Top + suffix }
	_, err := output(ctx, d.Dir, "yosys", "-p", "read_json "+file(".planned.json")+"; write_verilog -noattr "+file(".v"))
	require.NoError(t, err)
	// The board's own script plays the netlist and the models of its cells in the place of the Verilog. Verilator, for Icarus takes hours.
	list, err := os.ReadFile(filepath.Join(d.Dir, "board", part.Top+".f"))
	require.NoError(t, err)
	files := []string{"-Wno-fatal", "-Wno-lint", "-Wno-style"}
	for _, line := range strings.Fields(string(list)) {
		if strings.HasPrefix(line, "+define+") {
			files = append(files, line)
		}
	}
	models, err := filepath.Abs("testdata/ecp5")
	require.NoError(t, err)
	for _, m := range []string{"DP16KD.v", "MULT18X18D.v"} {
		files = append(files, filepath.Join(models, m))
	}
	files = slices.Concat(files, yosysModels(t, d.Dir), part.Models, []string{file(".v")})
	require.NoError(t, os.WriteFile(filepath.Join(d.Dir, "board", part.Top+".f"), []byte(strings.Join(files, "\n")+"\n"), 0o644))
	passed, said := selfTest(t, d, Verilator, 2*time.Hour)
	require.True(t, passed, said)
	t.Log(said)
}

// synthesized makes a board's netlist as Synth does before the floorplan.
func synthesized(t *testing.T, ctx context.Context, d *design.Design) {
	t.Helper()
	root, err := os.OpenRoot(d.Dir)
	require.NoError(t, err)
	defer root.Close()
	require.NoError(t, root.MkdirAll(synthFolder, 0o755))
	n, absorbed, err := synthesize(d.Dir, d.Manifest, func(s step) error {
		_, err := s.run(ctx, root, nil)
		return err
	})
	require.NoError(t, err)
	require.Positive(t, absorbed)
	for _, kind := range []string{"DP16KD", "MULT18X18D"} {
		require.NotEmpty(t, n.names(kind))
	}
	require.NoError(t, n.write(filepath.Join(d.Dir, synthFolder, d.Manifest.Board.Top+".planned.json")))
}

// yosysModels writes Yosys's models of the family's cells to a file of a folder, without the empty one of a block memory, and returns
// the simulator's arguments for it.
func yosysModels(t *testing.T, dir string) []string {
	t.Helper()
	yosys, err := Find("yosys")
	require.NoError(t, err)
	library := filepath.Join(filepath.Dir(yosys), "..", "share", "yosys", "ecp5")
	text, err := os.ReadFile(filepath.Join(library, "cells_sim.v"))
	if err != nil {
		t.Skip("this Yosys has no models of its cells: ", err)
	}
	before, rest, found := strings.Cut(string(text), "(* blackbox *)\nmodule DP16KD")
	require.True(t, found)
	_, after, found := strings.Cut(rest, "endmodule")
	require.True(t, found)
	path := filepath.Join(dir, "cells.v")
	require.NoError(t, os.WriteFile(path, []byte(before+after), 0o644))
	return []string{"-I" + library, path}
}

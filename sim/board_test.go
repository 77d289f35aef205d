package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"corinfo/constraints"
	"corinfo/hdlgen"
	"corinfo/hdlgen/design"
)

// boardDesign is the design of a case on a board, its self-test of random samples.
func boardDesign(t *testing.T, c testCase, rng *rand.Rand) *design.Design {
	t.Helper()
	named, err := constraints.Get("ulx3s-85f")
	require.NoError(t, err)
	p, l := c.planned(t, "tester", named.Target)
	b := &hdlgen.Board{Board: named, MHz: 100, Classify: randomSamples(p, 2, rng), Learn: randomSamples(p, 2*c.batch, rng)}
	dir := filepath.Join(t.TempDir(), "board")
	_, err = design.Generate(p, l, b, nil, dir, hdlgen.RefuseEdited)
	require.NoError(t, err)
	return reopen(t, dir)
}

// selfTest simulates a board's self-test and returns what the testbench prints.
func selfTest(t *testing.T, d *design.Design, simulator Simulator, limit time.Duration) (passed bool, said string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	out, err := exec.CommandContext(ctx, "sh", filepath.Join(d.Dir, "board", "simulate"), string(simulator)).CombinedOutput()
	require.NoError(t, ctx.Err())
	if err != nil {
		require.Contains(t, string(out), "failed after", "not a verdict: %v", err)
	}
	return err == nil, string(out)
}

// A board's self-test passes in both simulators, and all of it lints: classes, scores and every synapse, after learning, are
// those of the bit-true model.
func TestSelfTestPasses(t *testing.T) {
	rng := testSeed(t)
	for _, run := range []struct {
		simulator Simulator
		c         testCase
	}{
		{Verilator, testCase{layers: []int{12, 9, 8, 5}, lanes: 3, batch: 2, rule: "constant", formats: "default"}},
		{Icarus, testCase{layers: []int{9, 5, 4}, lanes: 2, contexts: 2, batch: 1, rule: "constant", formats: "uneven", early: true, sparse: true}},
	} {
		needTool(t, map[Simulator]string{Verilator: "verilator", Icarus: "iverilog"}[run.simulator])
		d := boardDesign(t, run.c, rng)
		passed, said := selfTest(t, d, run.simulator, 10*time.Minute)
		require.True(t, passed, said)
		require.Contains(t, said, "passed after")
		if run.simulator == Verilator {
			part := d.Manifest.Board
			args := slices.Concat([]string{"--lint-only", "-Wall", "--top-module", part.Top}, d.Manifest.Files, part.Files, part.Models)
			out, err := output(context.Background(), d.Dir, "verilator", args...)
			require.NoError(t, err, out)
			require.Empty(t, out)
		}
	}
}

// The self-test fails where something differs: inputs, one bit of a synapse or of the checksum, the arithmetic, a class.
func TestSelfTestFails(t *testing.T) {
	needTool(t, "iverilog")
	rng := testSeed(t)
	change := func(file, from, to string) func(d *design.Design) {
		return func(d *design.Design) {
			path := filepath.Join(d.Dir, file)
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Contains(t, string(text), from, file)
			require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(text), from, to, 1)), 0o644))
		}
	}
	// flip changes one bit of a hexadecimal digit, counted from the right, in the lines from one to the other.
	flip := func(file string, from, to, digit, bit int) func(d *design.Design) {
		return func(d *design.Design) {
			path := filepath.Join(d.Dir, file)
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			lines := strings.Split(strings.TrimSpace(string(text)), "\n")
			for i := from; i < min(to, len(lines)); i++ {
				word, err := strconv.ParseUint(lines[i], 16, 64)
				require.NoError(t, err)
				lines[i] = fmt.Sprintf("%0*x", len(lines[i]), word^(1<<(4*digit+bit)))
			}
			require.NoError(t, os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o644))
		}
	}
	c := testCase{layers: []int{9, 5, 4}, lanes: 2, batch: 1, rule: "constant", formats: "default"}
	for name, breaks := range map[string]func(d *design.Design){
		"digit":      flip("board/images/tester_digits.hex", 0, 1000, 1, 3), // the highest bit but one of every input
		"checksum":   change("board/tester_board.v", ".Checksum    (32'h", ".Checksum    (32'h1+32'h"),
		"synapse":    flip("images/tester_lane_0001.hex", 3, 4, 0, 0), // of W0, which adds to it what it learns
		"arithmetic": change("library/corinfo_lane.v", "left_q * operand_q", "operand_q * operand_q"),
	} {
		d := boardDesign(t, c, rng)
		breaks(d)
		passed, said := selfTest(t, d, Icarus, 10*time.Minute)
		require.False(t, passed, "%s: %s", name, said)
	}
	// A class that the design does not answer fails although scores and synapses are right.
	d := boardDesign(t, c, rng)
	path := filepath.Join(d.Dir, "board", "corinfo_selftest.v")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	changed := strings.Replace(string(text), "result_class_i != expected", "result_class_i == expected", 1)
	require.NotEqual(t, string(text), changed)
	require.NoError(t, os.WriteFile(path, []byte(changed), 0o644))
	passed, said := selfTest(t, d, Icarus, 10*time.Minute)
	require.False(t, passed, said)
}

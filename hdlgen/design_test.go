package hdlgen

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden"
)

// testNetwork is a network file of the given layers with rates that match them.
func testNetwork(t *testing.T, layers []int, batch int, more string) *golden.Network {
	t.Helper()
	rates := func(n int, value string) string {
		return "[" + strings.TrimSuffix(strings.Repeat(value+", ", max(n, 0)), ", ") + "]"
	}
	text := fmt.Sprintf(`name: tester
dataset: {name: mnist}
layers: [%s]
epsilon: 0.15
lambda: 0.99999
leak: 0.5
settling: {free_iterations: 6, nudged_iterations: 4, step: {rule: divide_by_slow_loop_index, start: 0.05, stop: 0.001, decay: 0.01}}
learning: {batch: %d, beta: 1, feedforward: %s, feedback: %s, epochs: 1}
seed: 7
%s`, join(layers, ","), batch, rates(len(layers)-1, "0.5"), rates(len(layers)-2, "0.15"), more)
	n, err := golden.ParseNetwork("test.yaml", []byte(text))
	require.NoError(t, err)
	return n
}

func testDesign(t *testing.T, n *golden.Network, lanes int) string {
	t.Helper()
	a, err := golden.NewArithmetic(n)
	require.NoError(t, err)
	machine := golden.NewMachine(a)
	_, err = machine.SetWeights(golden.InitialWeights(n, n.Seed))
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "design")
	_, err = Generate(a, machine, lanes, dir)
	require.NoError(t, err)
	return dir
}

// Emitted designs lint without a warning in all three tools.
func TestDesignLints(t *testing.T) {
	needTool(t, "verilator")
	needTool(t, "iverilog")
	needTool(t, "yosys")
	for _, c := range []struct {
		layers       []int
		lanes, batch int
		more         string
	}{
		{[]int{12, 9, 8, 5}, 3, 2, ""},
		{[]int{5, 1, 2}, 1, 1, ""},
		{[]int{20, 13, 7}, 16, 20, "formats: {r1: 'ap_ufixed<9,1,RND,SAT>', W: 'ap_fixed<7,1,TRN,WRAP>'}"},
		{[]int{20, 7}, 8, 3, "hardware: {lanes: 8, mode: dense}"},
	} {
		dir := testDesign(t, testNetwork(t, c.layers, c.batch, c.more), c.lanes)
		files, err := os.ReadFile(filepath.Join(dir, "tester.f"))
		require.NoError(t, err)
		list := strings.Fields(string(files))
		require.Empty(t, run(t, dir, "verilator", "--lint-only", "-Wall", "--top-module", "tester", "-f", "tester.f"))
		require.Empty(t, run(t, dir, "iverilog", append([]string{"-g2005", "-Wall", "-o", "lint.vvp", "-s", "tester"}, list...)...))
		out := run(t, dir, "yosys", "-q", "-p", "read_verilog "+strings.Join(list, " ")+"; hierarchy -check -top tester; proc; opt_clean; check -assert")
		require.NotContains(t, out, "Warning")
	}
}

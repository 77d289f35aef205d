package hdlgen

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden"
	"corinfo/golden/network"
)

// Names that some module would meet or hide are refused: reserved words of Verilog and VHDL, what tools call their own, and all that
// the library uses. Words of its comments are nobody's.
func TestCheckName(t *testing.T) {
	for _, name := range []string{"tiny", "mnist", "network", "Tiny_2", "shared_bus"} {
		require.NoError(t, CheckName(name))
	}
	for name, want := range map[string]string{
		"small": "reserved word", "logic": "reserved word", "1st": "no Verilog identifier", "a b": "no Verilog identifier",
		"corinfo_lane": "begin with corinfo", "corinfo_testbench": "begin with corinfo", "corinfo": "begin with corinfo", "Corinfo_x": "begin with corinfo",
		"signal": "VHDL", "Signal": "VHDL", "ENTITY": "VHDL", "parameter": "reserved word of Verilog", "Wire": "in nothing but its case", "interface": "reserved word",
		"TOP": "Verilator", "work": "library of VHDL", "IEEE": "library of VHDL", "a__b": "underscore", "a_": "underscore", "mem": "corinfo_ram.v", "clk_i": "corinfo_ram.v",
	} {
		err := CheckName(name)
		require.ErrorIs(t, err, golden.ErrUsage, name)
		require.ErrorContains(t, err, want)
	}
}

// testNetworkOf is a network of layers with rates that match them, lines of its own in the section of its rule, and more behind.
func testNetworkOf(t *testing.T, layers []int, batch int, own, more string) *network.Network {
	t.Helper()
	rates := func(n int, value string) string {
		return "[" + strings.TrimSuffix(strings.Repeat(value+", ", max(n, 0)), ", ") + "]"
	}
	text := fmt.Sprintf(`name: tester
dataset: {name: mnist}
layers: [%s]
rule: corinfomax
corinfomax:
  epsilon: 0.15
  lambda: 0.99999
  leak: 0.5
  %s
settling: {free_iterations: 6, nudged_iterations: 4, step: {rule: divide_by_slow_loop_index, start: 0.05, stop: 0.001, decay: 0.01}}
learning: {batch: %d, beta: 1, feedforward: %s, feedback: %s, epochs: 1}
seed: 7
%s`, strings.Trim(strings.Join(strings.Fields(fmt.Sprint(layers)), ","), "[]"), own, batch, rates(len(layers)-1, "0.5"), rates(len(layers)-2, "0.15"), more)
	n, err := network.Parse("test.yaml", []byte(text))
	require.NoError(t, err)
	return n
}

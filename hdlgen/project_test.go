package hdlgen

import (
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden"
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

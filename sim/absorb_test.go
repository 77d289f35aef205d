package sim

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// registered has what absorb takes and what it must leave: by output, flip-flops that go.
const registered = `
module top (input clk, rst, en, we, input [9:0] w, r, input [35:0] d, input [161:0] z,
  output reg [35:0] wide, output reg [17:0] plain, other, held, output reg [35:0] product, square, again,
  output reg [17:0] x_q, output reg [35:0] seen, output [35:0] twice, output reg [35:0] twice_q, output reg [35:0] reset);
  // 36: a word of 36 bits, its register with the enable of its read.
  (* no_rw_check *) reg [35:0] mem0 [0:511], read0;
  always @(posedge clk) begin
    if (we) mem0[w[8:0]] <= d;
    if (en) begin read0 <= mem0[r[8:0]]; wide <= read0; end
  end
  // 18: a word without enables.
  (* no_rw_check *) reg [17:0] mem1 [0:1023], read1;
  always @(posedge clk) begin
    if (we) mem1[w] <= d[17:0];
    read1 <= mem1[r];
    plain <= read1;
  end
  // 0: the register has another enable than the read; a register with a word to begin with.
  (* no_rw_check *) reg [17:0] mem2 [0:1023], read2, mem3 [0:1023], read3;
  initial held = 18'h3ffff;
  always @(posedge clk) begin
    if (we) begin mem2[w] <= d[17:0]; mem3[w] <= d[17:0]; end
    read2 <= mem2[r];
    if (en) other <= read2;
    read3 <= mem3[r];
    held <= read3;
  end
  // 18 + 18 + 36: operands and product, with two enables.
  reg signed [17:0] a0, b0;
  always @(posedge clk) begin
    a0 <= z[0 +: 18];
    if (en) begin b0 <= z[18 +: 18]; product <= a0 * b0; end
  end
  // 18 + 36: one register for both operands.
  reg signed [17:0] a1;
  always @(posedge clk) begin a1 <= z[36 +: 18]; square <= a1 * a1; end
  // 18 + 36 + 18 + 36, one multiplier behind another, and 0 of the register that is an output, too.
  reg signed [17:0] b2;
  reg signed [35:0] first;
  wire signed [17:0] low = first[17:0];
  reg signed [17:0] b3;
  always @(posedge clk) begin
    x_q <= d[35:18];
    b2 <= z[54 +: 18];
    first <= $signed(x_q) * b2;
    b3 <= z[72 +: 18];
    again <= low * b3;
    seen <= {first[35:18], 18'd0};
  end
  // 0: the product has two registers; one of them has a reset.
  reg signed [17:0] a4, b4, a5, b5;
  assign twice = twice_q;
  always @(posedge clk) begin
    a4 <= z[90 +: 18]; b4 <= z[108 +: 18]; twice_q <= rst ? 36'd0 : a4 * b4;
    a5 <= z[126 +: 18]; b5 <= z[144 +: 18]; reset <= rst ? 36'h123456789 : a5 * b5;
  end
endmodule
`

// registeredBench prints all outputs, of the netlist and of the source, where they differ.
const registeredBench = `
module bench;
  reg clk = 0, rst, en, we;
  reg [9:0] w, r; reg [35:0] d; reg [161:0] z;
  wire [323:0] want, got;
  %s
  integer i;
  initial begin
    for (i = 0; i < 6000; i = i + 1) begin
      {rst, en, we} = $random(seed); rst = i < 4 || rst && en && we; we = we || i < 1100;
      w = i < 1100 ? i : $random(seed); r = $random(seed); d = {$random(seed), $random(seed)}; z = {$random(seed), $random(seed), $random(seed), $random(seed), $random(seed), $random(seed)};
      if (r[8:0] == w[8:0]) r = ~w;
      if (i < 1100) en = 1;
      #5 clk = 1;
      #4 if (i > 1110 && want !== got) begin $display("cycle %%0d: %%h, want %%h", i, got, want); $finish; end
      #1 clk = 0;
    end
    $display("equal");
  end
  integer seed = %d;
endmodule
`

// Cells of a netlist that lack parameters, directions or a register's output, or that have registers already, are left as they are.
func TestAbsorbDamaged(t *testing.T) {
	file := filepath.Join(t.TempDir(), "top.json")
	const register = `{"type": "TRELLIS_FF", "parameters": {"CLKMUX": "CLK", "REGSET": "RESET", "CEMUX": "1 "}, "port_directions": {"CLK": "input", "DI": "input"}, "connections": {"CLK": [2], "DI": [3]}}`
	for _, text := range []string{`{"type": "MULT18X18D"}`, `{"type": "DP16KD", "connections": {"DOA0": [3]}}`,
		`{"type": "DP16KD", "port_directions": {"DOA0": "output"}, "connections": {"DOA0": [3], "CLKA": [2], "CEA": ["1"]}}`,
		`{"type": "MULT18X18D", "connections": {"A0": [4], "B0": [4], "P0": [3]}}`} {
		require.NoError(t, os.WriteFile(file, []byte(`{"modules": {"top": {"cells": {"m": `+text+`, "q": `+register+`}}}}`), 0o644))
		n, err := readNetlist(file, "top")
		require.NoError(t, err, text)
		require.Zero(t, absorb(n), text)
		require.Len(t, n.cells, 2, text)
	}
	const memory = `{"type": "DP16KD", "parameters": {"REGMODE_A": "%s"}, "port_directions": {"DOA0": "output"}, "connections": {"DOA0": [3], "CLKA": [2], "CEA": ["1"], "RSTA": ["0"]}}`
	behind := strings.Replace(register, `"DI": [3]}`, `"DI": [3], "CE": ["1"], "LSR": ["0"], "M": ["0"], "Q": [5]}`, 1)
	for mode, absorbed := range map[string]int{"NOREG": 1, "OUTREG": 0} {
		require.NoError(t, os.WriteFile(file, []byte(`{"modules": {"top": {"cells": {"m": `+fmt.Sprintf(memory, mode)+`, "q": `+behind+`}}}}`), 0o644))
		n, err := readNetlist(file, "top")
		require.NoError(t, err)
		require.Equal(t, absorbed, absorb(n), mode)
	}
}

// Registers in memories and multipliers are those outside them: the netlist of a source with all kinds of them computes what its source does, and
// as many flip-flops are gone as it says.
func TestAbsorb(t *testing.T) {
	needTool(t, "yosys")
	needTool(t, "iverilog")
	seed := testSeed(t)
	dir := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	ctx := context.Background()
	write("top.v", registered)
	_, err := output(ctx, dir, "yosys", "-p", "read_verilog top.v; synth_ecp5 -top top -json top.json")
	require.NoError(t, err)
	n, err := readNetlist(filepath.Join(dir, "top.json"), "top")
	require.NoError(t, err)
	before := len(n.names("TRELLIS_FF"))
	gone := absorb(n)
	require.Equal(t, before-gone, len(n.names("TRELLIS_FF")))
	require.NoError(t, n.write(filepath.Join(dir, "absorbed.json")))
	_, err = output(ctx, dir, "yosys", "-p", "read_json absorbed.json; rename top netlist; write_verilog -noattr absorbed.v")
	require.NoError(t, err)
	bench := ""
	low := 0
	for _, module := range []string{"top", "netlist"} {
		to, at := map[string]string{"top": "want", "netlist": "got"}[module], 0
		bench += fmt.Sprintf("  %s u_%s (.clk(clk), .rst(rst), .en(en), .we(we), .w(w), .r(r), .d(d), .z(z)", module, module)
		for _, o := range []struct {
			name  string
			width int
		}{{"wide", 36}, {"plain", 18}, {"other", 18}, {"held", 18}, {"product", 36}, {"square", 36}, {"again", 36}, {"x_q", 18}, {"seen", 36}, {"twice", 36}, {"reset", 36}} {
			bench += fmt.Sprintf(", .%s(%s[%d +: %d])", o.name, to, at, o.width)
			at += o.width
		}
		bench += ");\n"
		low = at
	}
	require.Equal(t, 324, low)
	write("bench.v", fmt.Sprintf(registeredBench, bench, seed.Int32()))
	models, err := filepath.Abs("testdata/ecp5")
	require.NoError(t, err)
	args := []string{"-g2012", "-s", "bench", "-o", "bench.vvp", "bench.v", "top.v", "absorbed.v", filepath.Join(models, "DP16KD.v"), filepath.Join(models, "MULT18X18D.v")}
	_, err = output(ctx, dir, "iverilog", append(args, yosysModels(t, dir)...)...)
	require.NoError(t, err)
	said, err := output(ctx, dir, "vvp", "-n", "bench.vvp")
	require.NoError(t, err)
	require.Contains(t, said, "equal", said)
	require.Equal(t, 36+18+(18+18+36)+(18+36)+(18+36), gone)
}

package rtl

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden/goldentest"
)

// The bench draws the sign of every line of a file, one after another, some before the one under way is done.
const signBench = `
` + "`timescale 1ns/1ps" + `
module bench;
  localparam Draws = %d;
  reg         clk = 1'b0, rst = 1'b1, start = 1'b0;
  reg  [63:0] draws [0:Draws-1];
  reg  [31:0] seed, number;
  wire        busy, negative;
  integer     i, cycles;
  always #5 clk = !clk;
  corinfo_sign u_sign (
    .clk_i(clk), .rst_i(rst), .start_i(start), .seed_i(seed), .number_i(number), .busy_o(busy), .negative_o(negative)
  );
  task begins(input [63:0] draw);
    begin
      @(negedge clk);
      start = 1'b1;
      {seed, number} = draw;
      @(negedge clk);
      start = 1'b0;
      {seed, number} = 64'hx;
    end
  endtask
  initial begin
    $readmemh("draws.hex", draws);
    repeat (2) @(negedge clk);
    rst = 1'b0;
    for (i = 0; i < Draws; i = i + 1) begin
      if (i %% 4 == 3) begin // another one is dropped
        begins(~draws[i]);
        repeat (i) @(negedge clk);
      end
      begins(draws[i]);
      cycles = 0;
      while (busy) begin
        @(negedge clk);
        cycles = cycles + 1;
      end
      repeat (i %% 3 * 200) @(negedge clk);
      $display("%%b %%0d", negative, cycles);
    end
    $finish;
  end
endmodule
`

// The sign of a mini-batch is that of the generator of package rand, in the cycles that the module promises.
func TestSign(t *testing.T) {
	goldentest.NeedTool(t, "iverilog")
	const draws = 200
	rng := rand.New(rand.NewPCG(goldentest.Seed(t), 0))
	var text, want strings.Builder
	for i := range draws {
		seed, number := rng.Uint32(), rng.Uint32()
		if i%2 == 0 { // as in use
			seed, number = seed%3, number%1000
		}
		fmt.Fprintf(&text, "%08x%08x\n", seed, number)
		fmt.Fprintf(&want, "%d 259\n", rand.New(rand.NewPCG(uint64(seed), 1<<33+uint64(number))).Uint64()>>63)
	}
	signText, properties := WithProperties("corinfo_sign.v", Text("corinfo_sign.v"))
	require.Equal(t, want.String(), runBench(t, map[string]string{
		"draws.hex":              text.String(),
		"bench.v":                fmt.Sprintf(signBench, draws),
		"corinfo_sign.v":         string(signText),
		"corinfo_sign_formal.sv": string(properties),
	}))
}

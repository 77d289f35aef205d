package rtl

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	fx "corinfo/fixedpoint"
	"corinfo/golden/goldentest"
)

// randomBench expands every key of keys.hex and then draws for one index of draws.hex per cycle, for its row and
// for that of five lanes on. It prints the words, 10 cycles after their indices, and the cycles that each key took.
const randomBench = `
module bench;
  localparam Keys  = %d;
  localparam Draws = %d;

  reg clk = 1'b0;
  always #1 clk = !clk;

  reg          rst = 1'b1, start = 1'b0;
  reg  [1:0]   order = 2'd0;
  reg  [63:0]  keys_in [0:Keys-1];
  reg  [33:0]  draws_in [0:Keys*Draws-1];
  reg  [63:0]  key = 64'd0;
  reg  [31:0]  index = 32'd0;
  wire [127:0] keys;
  wire         busy;
  wire [31:0]  random0, random5;

  corinfo_random_keys u_keys (
    .clk_i(clk), .rst_i(rst), .start_i(start), .seed_i(key[31:0]), .update_i(key[55:32]), .matrix_i(key[63:56]),
    .keys_o(keys), .busy_o(busy)
  );
  // The row is there a cycle after the column.
  reg  [15:0]  row = 16'd0;
  always @(posedge clk) row <= index[31:16];

  corinfo_random u_random0 (
    .clk_i(clk), .enable_i(1'b1), .keys_i(keys), .order_i(order), .row_i(row), .column_i(index[15:0]), .random_o(random0)
  );
  corinfo_random u_random5 (
    .clk_i(clk), .enable_i(1'b1), .keys_i(keys), .order_i(order), .row_i(row + 16'd5), .column_i(index[15:0]), .random_o(random5)
  );

  integer k, i, cycles;
  initial begin
    $readmemh("keys.hex", keys_in);
    $readmemh("draws.hex", draws_in);
    repeat (3) @(negedge clk);
    rst = 1'b0;
    for (k = 0; k < Keys; k = k + 1) begin
      key   = keys_in[k];
      start = 1'b1;
      @(negedge clk);
      start = 1'b0;
      key   = ~key; // the key is taken at start
      cycles = 0;
      while (busy) begin
        cycles = cycles + 1;
        @(negedge clk);
      end
      $display("cycles %%0d", cycles);
      // All indices of a key are in one order.
      order = draws_in[k*Draws][33:32];
      for (i = 0; i < Draws + 10; i = i + 1) begin
        index = i < Draws ? draws_in[k*Draws + i][31:0] : 32'hffffffff;
        if (i >= 10) $display("%%h %%h", random0, random5);
        @(negedge clk);
      end
    end
    $finish;
  end
endmodule
`

// TestRandom holds the random words of the lanes, and the keys, against fixedpoint in Icarus.
func TestRandom(t *testing.T) {
	goldentest.NeedTool(t, "iverilog")
	const keys, draws = 60, 200
	rng := rand.New(rand.NewPCG(goldentest.Seed(t), 0))

	var keyText, drawText, want strings.Builder
	for k := range keys {
		seed, update, tensor := rng.Uint32(), rng.Uint32()>>8, uint8(rng.Uint32())
		if k%2 == 0 { // plain ones, as in use
			seed, update, tensor = seed%3, update%4, tensor%3
		}
		fmt.Fprintf(&keyText, "%02x%06x%08x\n", tensor, update, seed)
		key := fx.NewKey(seed, update, tensor)
		order := k / 2 % 3
		want.WriteString("cycles 16\n")
		for range draws {
			row, column := uint16(rng.Uint32()), uint16(rng.Uint32())
			if rng.IntN(2) == 0 {
				row, column = row%16, column%16
			}
			fmt.Fprintf(&drawText, "%x%04x%04x\n", order, row, column)
			draw := func(row uint16) uint32 {
				switch order {
				case 1: // for both synapses of a symmetric pair
					return key.Draw(max(row, column), min(row, column))
				case 2: // for a mirrored synapse
					return key.Draw(column, row)
				}
				return key.Draw(row, column)
			}
			fmt.Fprintf(&want, "%08x %08x\n", draw(row), draw(row+5))
		}
	}
	keysText, properties := WithProperties("corinfo_random_keys.v", Text("corinfo_random_keys.v"))
	said := runBench(t, map[string]string{
		"keys.hex":                      keyText.String(),
		"draws.hex":                     drawText.String(),
		"bench.v":                       fmt.Sprintf(randomBench, keys, draws),
		"corinfo_random.v":              string(Text("corinfo_random.v")),
		"corinfo_random_keys.v":         string(keysText),
		"corinfo_random_keys_formal.sv": string(properties),
	})
	got := strings.Split(strings.TrimSpace(said), "\n")
	list := strings.Split(strings.TrimSpace(want.String()), "\n")
	require.Len(t, got, len(list))
	for i := range list {
		require.Equal(t, list[i], got[i], "key %d, line %d", i/(draws+1), i%(draws+1))
	}
}

// Random word of one synapse: Speck32/64 reduced to 8 rounds, encrypting (row, column) under the
// round keys of the update. The same synapse draws the same word whatever the number of lanes.
//
// One word per cycle, latency 10 cycles from column_i: a register for the row's sake, order of the
// pair, a stage for every round. All stages stand still without enable_i. keys_i and order_i
// are stable while words are under way. No reset: data only.

`timescale 1ns/1ps
`default_nettype none

module corinfo_random (
  input  wire         clk_i,
  input  wire         enable_i,
  input  wire [127:0] keys_i,       // round keys, the first in bits 15:0
  // 0: row, column. 1: the larger index takes the row's place, for both synapses of a pair. 2: column, row.
  input  wire [1:0]   order_i,
  input  wire [15:0]  row_i,        // one cycle after column_i
  input  wire [15:0]  column_i,
  output wire [31:0]  random_o
);

  localparam Rounds = 8;

  reg [15:0] column_q;
  reg [31:0] pair_q;
  always @(posedge clk_i) begin
    if (enable_i) begin
      column_q <= column_i;
      pair_q   <= (order_i[1] || (order_i[0] && column_q > row_i)) ? {column_q, row_i} : {row_i, column_q};
    end
  end

  // A round: x = (x ror 7) + y ^ key, y = (y rol 2) ^ x. A register for each, not one for all: to a
  // simulator a wide register is one word.
  genvar i;
  generate
    for (i = 0; i < Rounds; i = i + 1) begin : gen_round
      wire [31:0] block;
      reg  [31:0] block_q;   // {x, y} after the round
      if (i == 0) begin : gen_first
        assign block = pair_q;
      end else begin : gen_next
        assign block = gen_round[i-1].block_q;
      end

      always @(posedge clk_i) begin
        if (enable_i) begin
          block_q <= {2{({block[22:16], block[31:23]} + block[15:0]) ^ keys_i[16*i +: 16]}}
                     ^ {16'd0, block[13:0], block[15:14]};
        end
      end
    end
  endgenerate

  assign random_o = gen_round[Rounds-1].block_q;

endmodule

`default_nettype wire

// Random word of one synapse: Speck32/64 reduced to 8 rounds, encrypting (row, column) under the
// round keys of the update. The same synapse draws the same word whatever the number of lanes.
//
// One word per cycle, latency 10 cycles: row of this lane, order of the pair, a stage for every
// round. keys_i and symmetric_i are stable while words are under way. No reset: data only.

`default_nettype none

module corinfo_random #(
  parameter Lane = 0             // this lane's number
) (
  input  wire         clk_i,
  input  wire [127:0] keys_i,       // round keys, the first in bits 15:0
  // Draw by the unordered pair: the larger index takes the row's place.
  input  wire         symmetric_i,
  input  wire [15:0]  row_base_i,   // row of lane 0
  input  wire [15:0]  column_i,
  output wire [31:0]  random_o
);

  localparam [15:0] LaneIndex = Lane;
  localparam        Rounds    = 8;

  // One round: x = (x ror 7) + y ^ key, y = (y rol 2) ^ x.
  function [31:0] round;
    input [31:0] block;
    input [15:0] key;
    reg   [15:0] x, y;
    begin
      x = ({block[22:16], block[31:23]} + block[15:0]) ^ key;
      y = {block[13:0], block[15:14]} ^ x;
      round = {x, y};
    end
  endfunction

  reg [15:0] row_q, column_q;
  reg [32*(Rounds+1)-1:0] blocks_q;    // after 0, 1, ... 8 rounds

  integer i;

  always @(posedge clk_i) begin
    row_q    <= row_base_i + LaneIndex;
    column_q <= column_i;

    blocks_q[31:0] <= (symmetric_i && column_q > row_q) ? {column_q, row_q} : {row_q, column_q};
    for (i = 0; i < Rounds; i = i + 1) begin
      blocks_q[32*(i+1) +: 32] <= round(blocks_q[32*i +: 32], keys_i[16*i +: 16]);
    end
  end

  assign random_o = blocks_q[32*Rounds +: 32];

endmodule

`default_nettype wire

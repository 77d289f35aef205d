// Round keys of the random words of one update of one matrix: the key schedule of Speck32/64 from
// {matrix, update number, seed}. The first 8 round keys are passed over, so that every bit of the
// key has reached those of the 8 rounds in use, the 9th to the 16th.
//
// start_i loads the key; the keys are complete 16 cycles later and stay. busy_o is high until
// then.

`timescale 1ns/1ps
`default_nettype none

module corinfo_random_keys (
  input  wire         clk_i,
  input  wire         rst_i,
  input  wire         start_i,
  input  wire [31:0]  seed_i,
  input  wire [23:0]  update_i,
  input  wire [7:0]   matrix_i,
  output wire [127:0] keys_o,   // the first round's key in bits 15:0
  output wire         busy_o
);

  localparam [3:0] LastRound = 4'd15;

  reg [127:0] keys_q;
  reg [15:0]  key_q;            // round key of round_q
  reg [47:0]  words_q;          // the schedule's l[i], l[i+1], l[i+2], lowest first
  reg [3:0]   round_q;
  reg         busy_q;

  wire [15:0] word, key;

  // l[i+3] = (k[i] + (l[i] ror 7)) ^ i, k[i+1] = (k[i] rol 2) ^ l[i+3].
  assign word = (key_q + {words_q[6:0], words_q[15:7]}) ^ {12'd0, round_q};
  assign key  = {key_q[13:0], key_q[15:14]} ^ word;

  always @(posedge clk_i) begin
    if (rst_i) begin
      busy_q  <= 1'b0;
      round_q <= 4'd0;
    end else if (start_i) begin
      busy_q  <= 1'b1;
      round_q <= 4'd0;
    end else if (busy_q) begin
      busy_q  <= round_q != LastRound;
      round_q <= round_q + 4'd1;
    end
    if (busy_q) begin
      keys_q <= {key_q, keys_q[127:16]};
    end
    if (start_i) begin
      key_q   <= seed_i[15:0];
      words_q <= {matrix_i, update_i, seed_i[31:16]};
    end else if (busy_q) begin
      key_q   <= key;
      words_q <= {word, words_q[47:16]};
    end
  end

  assign keys_o = keys_q;
  assign busy_o = busy_q;

endmodule

`default_nettype wire

// Chooses one of several words, word 0 in the lowest bits; no registers.

`timescale 1ns/1ps
`default_nettype none

module corinfo_choice #(
  parameter Width  = 8,
  parameter Count  = 2,
  parameter IndexW = 1
) (
  input  wire [IndexW-1:0]      index_i,
  input  wire [Count*Width-1:0] words_i,
  output wire [Width-1:0]       word_o
);

  // Parameters that it cannot have: elaboration finds no module of the reason's name.
  generate
    if (Width < 1) begin : gen_check
      corinfo_error_width_below_1 u_error ();
    end else if (Count < 1) begin : gen_check
      corinfo_error_count_below_1 u_error ();
    end else if (IndexW < 1 || (Count - 1) >> IndexW != 0) begin : gen_check
      corinfo_error_index_w_too_narrow u_error ();
    end
  endgenerate

  // A choice, because an index of Width bits a step takes a multiplier.
  reg     [Width-1:0] chosen;
  integer             i;

  always @* begin
    chosen = words_i[Width-1:0];
    for (i = 1; i < Count; i = i + 1) begin
      if (index_i == i[IndexW-1:0]) begin
        chosen = words_i[Width*i +: Width];
      end
    end
  end

  assign word_o = chosen;

  // One word needs no index.
  wire unused_index;
  assign unused_index = ^index_i;

endmodule

`default_nettype wire

// The word is that which the index names. There is no clock: a proof, not for simulators.

`timescale 1ns/1ps
`default_nettype none

module corinfo_choice_formal #(
  parameter Width = 8,
  parameter Count = 2,
  parameter IndexW = 1
) (
  input wire [IndexW-1:0] index_i,
  input wire [Count*Width-1:0] words_i,
  input wire [Width-1:0] word_o
);

  always @* begin : behaviour
    assert (index_i >= Count || word_o == words_i[Width*index_i +: Width])
    else $fatal(1, "corinfo_choice: the word is another one");
  end

endmodule

`default_nettype wire

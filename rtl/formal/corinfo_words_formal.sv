// Nothing is written behind the last word.

`timescale 1ns/1ps
`default_nettype none

module corinfo_words_formal #(
  parameter Depth = 512,
  parameter AddrW = 9
) (
  input wire clk_i,
  input wire we_i,
  input wire [AddrW-1:0] waddr_i
);

  // Edges of the clock so far, to 31: registers without a reset hold anything at the start.
  reg [4:0] edges_q;
  initial edges_q = 5'd0;
  always @(posedge clk_i) begin
    edges_q <= edges_q == 5'd31 ? 5'd31 : edges_q + 5'd1;
  end

  always @(posedge clk_i) begin : environment
    if (edges_q == 5'd31) begin
      assert ((we_i && waddr_i >= Depth) !== 1'b1) else $fatal(1, "corinfo_words: a word is written that it has not");
    end
  end

endmodule

`default_nettype wire

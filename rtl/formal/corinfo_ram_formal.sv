// Nothing is written behind the last word.

`timescale 1ns/1ps
`default_nettype none

module corinfo_ram_formal #(
  parameter Depth = 512,
  parameter AddrW = 9
) (
  input wire clk_i,
  input wire we_i,
  input wire [AddrW-1:0] waddr_i
);

  // Without a reset: what is not known yet is no fault.
  always @(posedge clk_i) begin : environment
    assert ((we_i && waddr_i >= Depth) !== 1'b1) else $fatal(1, "corinfo_ram: a word is written that it has not");
  end

endmodule

`default_nettype wire

// What is told is so Cycles later, and the line is busy as long as anything is in it.

`timescale 1ns/1ps
`default_nettype none

module corinfo_valid_formal #(
  parameter Cycles = 1
) (
  input wire clk_i,
  input wire rst_i,
  input wire started_q,
  input wire valid_i,
  input wire valid_o,
  input wire busy_o
);

  reg  [Cycles:0] line_q;   // a copy, from a bit that is always 0 on
  wire [Cycles:0] line;
  assign line = (line_q << 1) | valid_i;
  always @(posedge clk_i) begin
    line_q <= rst_i ? {(Cycles + 1){1'b0}} : line;
  end

  always @(posedge clk_i) begin : behaviour
    if (started_q && !rst_i) begin
      assert (valid_o == line[Cycles]) else $fatal(1, "corinfo_valid: valid_o is not valid_i of Cycles before");
      assert (busy_o == (line != {(Cycles + 1){1'b0}}))
      else $fatal(1, "corinfo_valid: busy_o is not that any is under way");
    end
  end

endmodule

`default_nettype wire

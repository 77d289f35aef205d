// Holds a reset for some cycles more: rst_o is high with rst_i and for Cycles cycles behind it. It starts high, so that
// a design that is never reset begins as one that was.

`timescale 1ns/1ps
`default_nettype none

module corinfo_reset #(
  parameter Cycles = 1  // at least 1
) (
  input  wire clk_i,
  input  wire rst_i,
  output wire rst_o,
  output wire held_o   // of a cycle before
);

  // Parameters that it cannot have: elaboration finds no module of the reason's name.
  generate
    if (Cycles < 1) begin : gen_check
      corinfo_error_cycles_below_1 u_error ();
    end
  endgenerate

  reg  [Cycles-1:0] line_q;
  wire [Cycles:0]   line;
  assign line = {line_q, rst_i};
  initial line_q = {Cycles{1'b1}};

  always @(posedge clk_i) begin
    line_q <= line[Cycles-1:0];
  end
  assign held_o = line_q != {Cycles{1'b0}};
  assign rst_o  = line != {(Cycles + 1){1'b0}};

endmodule

`default_nettype wire

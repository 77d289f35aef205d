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

  // A register tells of the line, for the reset goes a long way.
  reg [Cycles-1:0] line_q;
  reg              held_q;
  initial line_q = {Cycles{1'b1}};
  initial held_q = 1'b1;

  always @(posedge clk_i) begin
    line_q    <= line_q << 1;
    line_q[0] <= rst_i;
    held_q    <= rst_i || (line_q << 1) != {Cycles{1'b0}};
  end
  assign held_o = held_q;
  assign rst_o  = rst_i || held_q;

endmodule

`default_nettype wire

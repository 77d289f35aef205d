// The reset is held for Cycles behind rst_i, and from the start on.

`timescale 1ns/1ps
`default_nettype none

module corinfo_reset_formal #(
  parameter Cycles = 1
) (
  input wire clk_i,
  input wire rst_i,
  input wire rst_o,
  input wire held_o
);

  reg [31:0] since_q;   // cycles since rst_i
  initial since_q = 32'd0;
  always @(posedge clk_i) begin
    if (rst_i) begin
      since_q <= 32'd0;
    end else if (since_q < Cycles) begin
      since_q <= since_q + 32'd1;
    end
  end

  // An unknown rst_i is no fault.
  always @(posedge clk_i) begin : behaviour
    assert ((rst_o != (rst_i || since_q < Cycles)) !== 1'b1)
    else $fatal(1, "corinfo_reset: the reset is not held for Cycles");
    assert ((held_o != (since_q < Cycles)) !== 1'b1)
    else $fatal(1, "corinfo_reset: held_o is not that a reset before is held");
  end

endmodule

`default_nettype wire

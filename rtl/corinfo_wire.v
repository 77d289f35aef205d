// Registers on a long wire, kept apart in synthesis from equal ones elsewhere: data_o is data_i Cycles later. They
// start from zero, so that no garbage in them writes a memory before the first reset.

`timescale 1ns/1ps
`default_nettype none

(* keep_hierarchy = "yes" *)
module corinfo_wire #(
  parameter Width  = 1,
  parameter Cycles = 1  // 0 or more
) (
  input  wire             clk_i,
  input  wire [Width-1:0] data_i,
  output wire [Width-1:0] data_o
);

  corinfo_delay #(.Width(Width), .Cycles(Cycles), .Zero(1)) u_delay (
    .clk_i(clk_i), .data_i(data_i), .data_o(data_o)
  );

endmodule

`default_nettype wire

// The host writes what it addresses: a part of a row that there is.

`timescale 1ns/1ps
`default_nettype none

module corinfo_table_formal #(
  parameter Width = 40,
  parameter Depth = 16
) (
  input wire clk_i,
  input wire host_i,
  input wire host_we_i,
  input wire [19:0] host_row_i,
  input wire [3:0] host_part_i
);

  // Without a reset: what is not known yet is no fault.
  always @(posedge clk_i) begin : environment
    assert ((host_we_i && !host_i) !== 1'b1) else $fatal(1, "corinfo_table: a row is written that is not addressed");
    assert ((host_we_i && host_row_i >= Depth) !== 1'b1)
    else $fatal(1, "corinfo_table: a row is written that it has not");
    assert ((host_we_i && 32 * host_part_i >= Width) !== 1'b1)
    else $fatal(1, "corinfo_table: a part is written that a row has not");
  end

endmodule

`default_nettype wire

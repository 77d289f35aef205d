// The host writes what it addresses: a part of a row that there is, and nothing before a reset can have come.

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

  // Edges of the clock so far, to 31: registers without a reset hold anything at the start.
  reg [4:0] edges_q;
  initial edges_q = 5'd0;
  always @(posedge clk_i) begin
    edges_q <= edges_q == 5'd31 ? 5'd31 : edges_q + 5'd1;
  end

  always @(posedge clk_i) begin : environment
    if (edges_q == 5'd31) begin
      assert ((host_we_i && !host_i) !== 1'b1) else $fatal(1, "corinfo_table: a row is written that is not addressed");
      assert ((host_we_i && host_row_i >= Depth) !== 1'b1)
      else $fatal(1, "corinfo_table: a row is written that it has not");
      assert ((host_we_i && 32 * host_part_i >= Width) !== 1'b1)
      else $fatal(1, "corinfo_table: a part is written that a row has not");
    end
    assert (edges_q >= 5'd2 || host_we_i === 1'b0)
    else $fatal(1, "corinfo_table: a row is written before the first reset");
  end

endmodule

`default_nettype wire

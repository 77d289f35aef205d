// A cycle has one product, of one sample, and holds one sum; the host and an update do not meet.

`timescale 1ns/1ps
`default_nettype none

module corinfo_join_formal #(
  parameter Contexts = 1,
  parameter Kinds = 3
) (
  input wire clk_i,
  input wire update_i,
  input wire host_i,
  input wire [Contexts-1:0] sum_we_o,
  input wire [Kinds-1:0] hold_o
);

  // Edges of the clock so far, to 31: registers without a reset hold anything at the start.
  reg [4:0] edges_q;
  initial edges_q = 5'd0;
  always @(posedge clk_i) begin
    edges_q <= edges_q == 5'd31 ? 5'd31 : edges_q + 5'd1;
  end

  wire several, holds;
  assign several = (sum_we_o & (sum_we_o - 1'b1)) != {Contexts{1'b0}};
  assign holds   = (hold_o & (hold_o - 1'b1)) != {Kinds{1'b0}};
  always @(posedge clk_i) begin : environment
    if (edges_q == 5'd31) begin
      assert (several !== 1'b1) else $fatal(1, "corinfo_join: products for sums of several samples");
      assert ((update_i && host_i) !== 1'b1) else $fatal(1, "corinfo_join: the host uses the lanes in an update");
    end
  end

  always @(posedge clk_i) begin : behaviour
    if (edges_q == 5'd31) begin
      assert (holds !== 1'b1) else $fatal(1, "corinfo_join: several sums are held at once");
    end
  end

endmodule

`default_nettype wire

// A product goes to one sum, and finds there what the product before has made of it; a sum is held when all its
// products are in it.

`timescale 1ns/1ps
`default_nettype none

module corinfo_lane_formal #(
  parameter Contexts = 1,
  parameter ContextW = 1,
  parameter Kinds = 3,
  parameter SumDepth = 24,
  parameter SumAddrW = 5
) (
  input wire clk_i,
  input wire [Contexts*SumAddrW-1:0] sum_addr_i,
  input wire [Contexts-1:0] sum_we_i,
  input wire sum_first_i,
  input wire sum_same_i,
  input wire [Kinds-1:0] hold_i,
  input wire [ContextW-1:0] hold_context_i,
  input wire hold_zero_i,
  input wire [Contexts-1:0] we_q,
  input wire [Contexts*SumAddrW-1:0] addr_q,
  input wire first_q
);

  reg  [Contexts-1:0] outside, same;   // by sample: no such sum; the sum of the product before
  reg  [ContextW-1:0] held;
  integer             c;
  always @* begin
    for (c = 0; c < Contexts; c = c + 1) begin
      outside[c] = sum_we_i[c] && sum_addr_i[SumAddrW*c +: SumAddrW] >= SumDepth;
      same[c]    = we_q[c] && sum_addr_i[SumAddrW*c +: SumAddrW] == addr_q[SumAddrW*c +: SumAddrW];
    end
    held = (Contexts == 1) ? {ContextW{1'b0}} : hold_context_i;
  end

  // Edges of the clock so far, to 31: registers without a reset hold anything at the start.
  reg [4:0] edges_q;
  initial edges_q = 5'd0;
  always @(posedge clk_i) begin
    edges_q <= edges_q == 5'd31 ? 5'd31 : edges_q + 5'd1;
  end

  wire several, stale, lost, early;
  assign several = (sum_we_i & (sum_we_i - 1'b1)) != {Contexts{1'b0}};
  assign lost    = !sum_first_i && sum_same_i && (sum_we_i & ~same) != {Contexts{1'b0}};
  assign stale   = !sum_first_i && !sum_same_i && (sum_we_i & same) != {Contexts{1'b0}};
  assign early   = hold_i != {Kinds{1'b0}} && !hold_zero_i && same[held] && !first_q;
  always @(posedge clk_i) begin : environment
    if (edges_q == 5'd31) begin
      assert (several !== 1'b1) else $fatal(1, "corinfo_lane: a product for sums of several samples");
      assert ((outside != {Contexts{1'b0}}) !== 1'b1) else $fatal(1, "corinfo_lane: a sum that it has not");
      assert (lost !== 1'b1) else $fatal(1, "corinfo_lane: the adder's register is not that of the sum");
      assert (stale !== 1'b1) else $fatal(1, "corinfo_lane: a sum is read before the product before is in it");
      assert (early !== 1'b1) else $fatal(1, "corinfo_lane: a sum is held before its last product is in it");
    end
  end

endmodule

`default_nettype wire

// One lane: one multiplier, and the exact sums of the neurons that it owns (neuron i of a layer in lane i mod Lanes).
// It knows no rule: what neurons and synapses become of it is computed in the neuron unit that serves it. Its
// synapses and learning factors are in memories beside it, so that all lanes of a design are the same module, for
// which tools work once.
//
// Every lane gets the same addresses in the same cycle. R is the cycles that a block memory takes to be read.
//
//   product   the synapse's or factor's address, cycle 0 -> synapse_i or factor_i, operand_i, update_i, cycle R ->
//             sum_*_i, cycle R + 1, in which the sum is read -> cycle R + 2, in which the product is added to it, or
//             begins it. One product per cycle, for the same sum too: sum_same_i says that it is that of the product
//             before, which the memory has not yet.
//   sums      sum_addr_i of a context names one in every cycle; hold_i copies it to hold_o for the neuron unit, a cycle
//             later.
// There is no reset: the control begins every sum, and asks for zero in the place of one that nothing began.

`timescale 1ns/1ps
`default_nettype none

(* keep_hierarchy = "yes" *)
module corinfo_lane #(
  parameter SynapseWidth = 16,
  parameter FactorWidth  = 18,
  parameter OperandWidth = 18,
  parameter Contexts     = 1,   // samples in flight
  parameter ContextW     = 1,
  parameter Kinds        = 3,   // sums of a neuron
  parameter SumDepth     = 24,  // kinds x slots
  parameter SumAddrW     = 5,
  parameter SumWidth     = 40,
  parameter Learning     = 1,   // 0: there are no factors
  // verilator lint_off UNUSEDPARAM
  parameter SmallStyle   = "distributed"  // of small memories; "auto" where there are no distributed ones
  // verilator lint_on UNUSEDPARAM
) (
  input  wire                                 clk_i,

  // Products and sums.
  input  wire                                 update_i,         // the left factor is a learning factor, not a synapse
  input  wire signed [SynapseWidth-1:0]       synapse_i,
  input  wire signed [FactorWidth-1:0]        factor_i,
  input  wire signed [OperandWidth-1:0]       operand_i,
  input  wire [Contexts*SumAddrW-1:0]         sum_addr_i,
  input  wire [Contexts-1:0]                  sum_we_i,         // at most one
  input  wire                                 sum_first_i,      // the product begins the sum
  input  wire                                 sum_same_i,       // the sum is that of the cycle before
  input  wire [Kinds-1:0]                     hold_i,
  input  wire [ContextW-1:0]                  hold_context_i,
  input  wire                                 hold_zero_i,      // zero, not the sum
  output reg  [Kinds*SumWidth-1:0]            hold_o
);

  // Parameters that it cannot have: elaboration finds no module of the reason's name.
  generate
    if (SynapseWidth < 2) begin : gen_check
      corinfo_error_synapse_width_below_2 u_error ();
    end else if (FactorWidth < 2) begin : gen_check
      corinfo_error_factor_width_below_2 u_error ();
    end else if (OperandWidth < 1) begin : gen_check
      corinfo_error_operand_width_below_1 u_error ();
    end else if (Contexts < 1) begin : gen_check
      corinfo_error_contexts_below_1 u_error ();
    end else if (ContextW < 1 || (Contexts - 1) >> ContextW != 0) begin : gen_check
      corinfo_error_context_w_too_narrow u_error ();
    end else if (Kinds < 1) begin : gen_check
      corinfo_error_kinds_below_1 u_error ();
    end else if (SumDepth < 1) begin : gen_check
      corinfo_error_sum_depth_below_1 u_error ();
    end else if (SumAddrW < 1 || (SumDepth - 1) >> SumAddrW != 0) begin : gen_check
      corinfo_error_sum_addr_w_too_narrow u_error ();
    end else if (SumWidth < 1) begin : gen_check
      corinfo_error_sum_width_below_1 u_error ();
    end
  endgenerate

  localparam LeftWidth    = (FactorWidth > SynapseWidth) ? FactorWidth : SynapseWidth;
  localparam ProductWidth = LeftWidth + OperandWidth;

  // Products.
  reg  signed [LeftWidth-1:0]    left_q;
  reg  signed [OperandWidth-1:0] operand_q;
  reg  signed [ProductWidth-1:0] product_q;

  always @(posedge clk_i) begin
    if (update_i && Learning != 0) begin
      left_q <= {{(LeftWidth - FactorWidth + 1){factor_i[FactorWidth-1]}}, factor_i[FactorWidth-2:0]};
    end else begin
      left_q <= {{(LeftWidth - SynapseWidth + 1){synapse_i[SynapseWidth-1]}},
          synapse_i[SynapseWidth-2:0]};
    end
    operand_q <= operand_i;
    product_q <= left_q * operand_q;
  end

  // The sum of the product, as wide as sums are: their formats hold every sum, so that bits above are copies of its
  // sign.
  wire signed [SumWidth-1:0] product;
  generate
    if (SumWidth > ProductWidth) begin : gen_extend
      assign product = {{(SumWidth - ProductWidth){product_q[ProductWidth-1]}}, product_q};
    end else begin : gen_same
      assign product = product_q[SumWidth-1:0];
    end
    if (ProductWidth > SumWidth) begin : gen_unused
      wire unused_product;
      assign unused_product = ^product_q[ProductWidth-1:SumWidth];
    end
  endgenerate

  // Sums are read in a cycle and added to and written in the next: their memories are small ones, without a register
  // behind them. Samples in flight have a memory each, all of them one adder.
  reg  [SumWidth-1:0]          sum_q, last_q;
  reg                          first_q, same_q;
  reg  [Contexts*SumAddrW-1:0] addr_q;
  reg  [Contexts-1:0]          we_q;
  wire [SumWidth-1:0]          next;
  genvar c;
  generate
    for (c = 0; c < Contexts; c = c + 1) begin : gen_context
      localparam [31:0] Index = c;
      (* ram_style = SmallStyle *)
      reg [SumWidth-1:0]  sums [0:SumDepth-1];
      wire [SumAddrW-1:0] addr;
      wire [SumWidth-1:0] sum, held, added;
      assign addr = sum_addr_i[SumAddrW*c +: SumAddrW];
      assign sum  = sums[addr];

      always @(posedge clk_i) begin
        if (we_q[c]) begin
          sums[addr_q[SumAddrW*c +: SumAddrW]] <= next;
        end
      end

      // This context's sum if it is meant, else that of the contexts before it.
      if (c == 0) begin : gen_first
        assign held  = sum;
        assign added = sum;
      end else begin : gen_next
        assign held  = (hold_context_i == Index[ContextW-1:0]) ? sum : gen_context[c-1].held;
        assign added = sum_we_i[c] ? sum : gen_context[c-1].added;
      end
    end
  endgenerate
  assign next = (first_q ? {SumWidth{1'b0}} : same_q ? last_q : sum_q) + product;
  always @(posedge clk_i) begin
    sum_q   <= gen_context[Contexts-1].added;
    last_q  <= next;
    first_q <= sum_first_i;
    same_q  <= sum_same_i;
    addr_q  <= sum_addr_i;
    we_q    <= sum_we_i;
  end

  // One context needs no index.
  wire unused_context;
  assign unused_context = ^hold_context_i;

  integer k;
  always @(posedge clk_i) begin
    for (k = 0; k < Kinds; k = k + 1) begin
      if (hold_i[k]) begin
        hold_o[SumWidth*k +: SumWidth] <= hold_zero_i ? {SumWidth{1'b0}} : gen_context[Contexts-1].held;
      end
    end
  end

endmodule

`default_nettype wire

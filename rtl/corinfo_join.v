// Joins what goes to lanes and units from an update, from the steps, from the events and from the host: while update_i
// all is the update's; else steps and events share the lanes, a context's memory of sums at a time. The host has them
// when nothing else is under way.
//
// Wires only, but for addresses of writes, which come a cycle after what says that is written: units register that.

`timescale 1ns/1ps
`default_nettype none

module corinfo_join #(
  parameter Contexts     = 1,
  parameter ContextW     = 1,
  parameter Kinds        = 3,
  parameter KindW        = 2,
  parameter SubW         = 2,
  parameter SumAddrW     = 5,
  parameter SynapseAddrW = 9,
  parameter FactorAddrW  = 4,
  parameter OperandWidth = 18
) (
  input  wire                           clk_i,
  input  wire                           update_i,
  input  wire                           host_i,

  // An update.
  input  wire [7:0]                     update_graph_i,
  input  wire [15:0]                    update_rows_i,
  input  wire [15:0]                    update_row_i,
  input  wire                           update_visit_i,
  input  wire [SubW-1:0]                update_sub_i,
  input  wire signed [OperandWidth-1:0] update_operand_i,
  input  wire                           update_sum_we_i,
  input  wire                           update_first_i,
  input  wire                           update_same_i,
  input  wire                           update_hold_i,
  input  wire [SynapseAddrW-1:0]        update_raddr_i,
  input  wire [SynapseAddrW-1:0]        update_waddr_i,

  // Steps.
  input  wire [7:0]                     steps_graph_i,
  input  wire [15:0]                    steps_neurons_i,
  input  wire [15:0]                    steps_row_i,
  input  wire                           steps_visit_i,
  input  wire [SubW-1:0]                steps_sub_i,
  input  wire                           steps_hold_i,
  input  wire [KindW-1:0]               steps_kind_i,
  input  wire [ContextW-1:0]            steps_context_i,
  input  wire [Contexts-1:0]            steps_mine_i,     // the memory of sums is read, or cleared
  input  wire [Contexts*SumAddrW-1:0]   steps_sum_addr_i,
  input  wire [FactorAddrW-1:0]         steps_factor_waddr_i,

  // Events.
  input  wire signed [OperandWidth-1:0] events_operand_i,
  input  wire [SumAddrW-1:0]            events_sum_addr_i,
  input  wire [Contexts-1:0]            events_sum_we_i,
  input  wire                           events_first_i,
  input  wire                           events_same_i,
  input  wire [Contexts-1:0]            events_zero_i,    // the sum that a step reads was never written: it is 0
  input  wire [SynapseAddrW-1:0]        events_raddr_i,

  // The host.
  input  wire [SynapseAddrW-1:0]        host_addr_i,
  input  wire [SubW-1:0]                host_sub_i,

  // Lanes and units.
  output wire [7:0]                     graph_o,
  output wire [15:0]                    neurons_o,
  output wire [15:0]                    write_neuron_o,
  output wire                           visit_o,
  output wire [SubW-1:0]                visit_sub_o,
  output wire signed [OperandWidth-1:0] operand_o,
  output wire [Contexts*SumAddrW-1:0]   sum_addr_o,
  output wire [Contexts-1:0]            sum_we_o,
  output wire                           sum_first_o,
  output wire                           sum_same_o,
  output wire [Kinds-1:0]               hold_o,
  output wire [ContextW-1:0]            hold_context_o,
  output wire                           hold_zero_o,
  output wire [SynapseAddrW-1:0]        synapse_raddr_o,
  output reg  [SynapseAddrW-1:0]        synapse_waddr_o,
  output reg  [FactorAddrW-1:0]         factor_waddr_o
);

  // Parameters that it cannot have: elaboration finds no module of the reason's name.
  generate
    if (Contexts < 1) begin : gen_check
      corinfo_error_contexts_below_1 u_error ();
    end else if (ContextW < 1 || (Contexts - 1) >> ContextW != 0) begin : gen_check
      corinfo_error_context_w_too_narrow u_error ();
    end else if (Kinds < 1) begin : gen_check
      corinfo_error_kinds_below_1 u_error ();
    end else if (KindW < 1 || (Kinds - 1) >> KindW != 0) begin : gen_check
      corinfo_error_kind_w_too_narrow u_error ();
    end else if (SubW < 1) begin : gen_check
      corinfo_error_sub_w_below_1 u_error ();
    end else if (SumAddrW < 1) begin : gen_check
      corinfo_error_sum_addr_w_below_1 u_error ();
    end else if (SynapseAddrW < 1) begin : gen_check
      corinfo_error_synapse_addr_w_below_1 u_error ();
    end else if (FactorAddrW < 1) begin : gen_check
      corinfo_error_factor_addr_w_below_1 u_error ();
    end else if (OperandWidth < 1) begin : gen_check
      corinfo_error_operand_width_below_1 u_error ();
    end
  endgenerate

  assign graph_o         = update_i ? update_graph_i : steps_graph_i;
  assign neurons_o       = update_i ? update_rows_i : steps_neurons_i;
  assign write_neuron_o  = update_i ? update_row_i : steps_row_i;
  assign visit_o         = update_i ? update_visit_i : steps_visit_i;
  assign visit_sub_o     = host_i ? host_sub_i : update_i ? update_sub_i : steps_sub_i;
  assign operand_o       = update_i ? update_operand_i : events_operand_i;
  assign sum_first_o     = update_i ? update_first_i : events_first_i;
  assign sum_same_o      = update_i ? update_same_i : events_same_i;
  assign hold_context_o  = update_i ? {ContextW{1'b0}} : steps_context_i;
  assign hold_zero_o     = !update_i && (steps_mine_i & events_zero_i) != {Contexts{1'b0}};
  assign synapse_raddr_o = update_i ? update_raddr_i : host_i ? host_addr_i : events_raddr_i;

  genvar i;
  generate
    for (i = 0; i < Contexts; i = i + 1) begin : gen_sums
      wire [SumAddrW-1:0] mine;
      assign mine = steps_sum_addr_i[SumAddrW*i +: SumAddrW];
      assign sum_addr_o[SumAddrW*i +: SumAddrW] =
          update_i ? {SumAddrW{1'b0}} : steps_mine_i[i] ? mine : events_sum_addr_i;
      assign sum_we_o[i] = update_i ? (i == 0 && update_sum_we_i) : events_sum_we_i[i];
    end
    for (i = 0; i < Kinds; i = i + 1) begin : gen_hold
      localparam [31:0] Index = i;
      assign hold_o[i] = update_i ? (i == 0 && update_hold_i) : steps_hold_i && steps_kind_i == Index[KindW-1:0];
    end
  endgenerate

  always @(posedge clk_i) begin
    synapse_waddr_o <= host_i ? host_addr_i : update_waddr_i;
    factor_waddr_o  <= steps_factor_waddr_i;
  end

endmodule

`default_nettype wire

// One lane: the synapses, sums, potentials, states and learning factors of the neurons that it
// owns, neuron i of a layer in lane i mod Lanes, slot base + i / Lanes; one multiplier. Sums,
// potentials and states are there once per context, a sample in flight. The synapse memory is in
// corinfo_site beside it.
//
// The lane has no control of its own. Every lane gets the same addresses and enables in the same
// cycle; the neuron arithmetic (soma, record, synapse) is attached to the ports of those names. A
// lane knows itself by number_i, which stands still: not a parameter, so that all lanes are one
// module.
// Words are signed and at least 2 bits; an unsigned format takes one more bit here. Memories have
// no reset: the sequencer clears or writes every word before it is read.
//
// A word of a block memory (synapses, factors, kept states) comes R = ReadCycles after its address,
// one of a slot's memory (sums, states, potentials) one cycle after it.
//
//   settling  synapse_raddr_i of the site, cycle 0 -> multiply (mac_operand_i in cycle R) -> sum
//             written at the end of cycle R + 3; sum_raddr_i of its context in cycle R. One product
//             per cycle.
//   learning  factor_raddr_i, cycle 0 -> multiply -> update_sum_o in cycle R + 3. One product
//             per cycle.
//   reading   slot_raddr_i of a context, cycle 0 -> soma operands in cycle 1, pre_o in cycle 2.
//   pre       pre_raddr_i, or synapse_raddr_i of the site, cycle 0 -> kept_o in cycle R, pre_o in
//             cycle R + 1.

`timescale 1ns/1ps
`default_nettype none

module corinfo_lane #(
  parameter LaneW         = 4,        // bits of a lane's number
  parameter SynapseWidth  = 16,
  parameter ReadCycles    = 2,        // of the block memories
  parameter Contexts      = 1,        // samples in flight
  parameter ContextW      = 1,
  parameter Slots         = 8,        // neurons of all layers in this lane
  parameter SlotW         = 3,
  parameter KeptDepth     = 16,       // slots x samples x 2 phases, at least 4
  parameter KeptAddrW     = 4,
  parameter RWidth        = 12,
  parameter UWidth        = 18,
  parameter DeltaWidth    = 12,
  parameter AccWidth      = 38,       // accumulator: widest of a neuron's three sums
  parameter EWidth        = 18,
  parameter DWidth        = 18,
  parameter CWidth        = 18,
  parameter PreWidth      = 18,       // widest of synapse, state, change and c
  parameter OperandWidth  = 18,       // broadcast factor of a product
  parameter SumWidth      = 40        // sum of an update's products
) (
  input  wire                            clk_i,

  input  wire [LaneW-1:0]                number_i,
  input  wire signed [SynapseWidth-1:0]  synapse_i,        // the word read, cycle R

  // Products.
  input  wire signed [OperandWidth-1:0]  mac_operand_i,
  input  wire                            mac_update_i,     // left factor e, d or c, not a synapse
  input  wire [1:0]                      mac_kind_i,       // cycle R + 1: of the sum; 0 W, 1 F, 2 C
  input  wire [ContextW-1:0]             mac_context_i,    // cycle R + 1
  // The sum is the one that was made one cycle before, in cycle R + 2, or two or three, in R + 1.
  input  wire [2:0]                      mac_forward_i,
  input  wire [Contexts*SlotW-1:0]       sum_raddr_i,
  input  wire [3*Contexts-1:0]           sum_re_i,         // one bit per kind
  input  wire [SlotW-1:0]                sum_waddr_i,
  input  wire [3*Contexts-1:0]           sum_we_i,         // one bit per kind
  input  wire                            clear_i,          // cycle R + 2: the sum becomes zero
  input  wire [Contexts-1:0]             state_clear_i,    // cycle R + 3: so do a slot's states
  input  wire                            update_first_i,   // cycle R + 2: first of a synapse

  // Learning factors.
  input  wire [1:0]                      factor_kind_i,    // cycle R: 0 e, 1 d, 2 c
  input  wire [KeptAddrW-1:0]            factor_raddr_i,
  input  wire                            factor_we_i,      // with the kept state
  input  wire [KeptAddrW-1:0]            factor_waddr_i,

  // Presynaptic factor for the broadcast.
  input  wire [KeptAddrW-1:0]            pre_raddr_i,
  // 0 nothing, 1 kept state, 2 c, 3 state, 4 change, 5 synapse: in the cycle before pre_o.
  input  wire [2:0]                      pre_kind_i,
  input  wire [ContextW-1:0]             pre_context_i,    // in the same cycle, of kinds 3 and 4
  output reg  signed [PreWidth-1:0]      pre_o,

  // Random words.
  input  wire [127:0]                    keys_i,
  input  wire                            symmetric_i,
  input  wire [15:0]                     row_base_i,       // of lane 0's synapse
  input  wire [15:0]                     column_i,         // in the same cycle
  output wire [31:0]                     random_o,

  // Soma.
  input  wire [ContextW-1:0]             soma_context_i,   // of the pass; stable
  input  wire [Contexts*SlotW-1:0]       slot_raddr_i,
  input  wire [Contexts-1:0]             slot_re_i,
  input  wire                            soma_we_i,
  input  wire [SlotW-1:0]                soma_waddr_i,
  output wire signed [AccWidth-1:0]      basal_o,
  output wire signed [AccWidth-1:0]      feedback_o,
  output wire signed [AccWidth-1:0]      lateral_o,
  output wire signed [RWidth-1:0]        r_o,
  output wire signed [UWidth-1:0]        u_o,
  output wire signed [RWidth-1:0]        kept_o,           // state kept in the other phase
  input  wire signed [RWidth-1:0]        r_next_i,
  input  wire signed [UWidth-1:0]        u_next_i,
  input  wire signed [DeltaWidth-1:0]    delta_i,
  output reg                             changed_o,        // a new state; cycle after soma_we_i

  // Record.
  input  wire                            record_run_i,     // from before cycle 0 until all is over
  output wire                            record_run_o,     // a cycle later
  input  wire signed [RWidth-1:0]        kept_next_i,
  input  wire signed [EWidth-1:0]        e_next_i,
  input  wire signed [DWidth-1:0]        d_next_i,
  input  wire signed [CWidth-1:0]        c_next_i,

  // Synapse update.
  output wire                            update_run_o,     // an update is under way
  output wire signed [SumWidth-1:0]      update_sum_o
);

  // A factor of either kind of product.
  localparam ErrorWidth  = (EWidth > DWidth) ? EWidth : DWidth;
  localparam FactorWidth = (ErrorWidth > CWidth) ? ErrorWidth : CWidth;
  localparam LeftWidth   = (FactorWidth > SynapseWidth) ? FactorWidth : SynapseWidth;
  localparam ProductWidth = LeftWidth + OperandWidth;

  localparam [1:0] KindW = 2'd0;
  localparam [1:0] KindF = 2'd1;

  localparam [2:0] PreNothing = 3'd0;
  localparam [2:0] PreKept    = 3'd1;
  localparam [2:0] PreC       = 3'd2;
  localparam [2:0] PreState   = 3'd3;
  localparam [2:0] PreDelta   = 3'd4;

  // What serves learning stands still while the lanes settle.
  reg record_run_q, update_run_q, kept_run_q;

  always @(posedge clk_i) begin
    record_run_q <= record_run_i;
    update_run_q <= mac_update_i;
    kept_run_q   <= record_run_i || mac_update_i;
  end
  assign record_run_o = record_run_q;
  assign update_run_o = update_run_q;

  // Learning factors of the mini-batch. c is both factors of the lateral update, so that there is a
  // copy for the rows, beside e and d, and one for the broadcast, beside the kept states.
  wire signed [EWidth-1:0] e;
  wire signed [DWidth-1:0] d;
  wire signed [CWidth-1:0] c, c_pre;
  wire signed [RWidth-1:0] kept;
  assign kept_o = kept;

  corinfo_ram #(.Width(EWidth + DWidth + CWidth), .Depth(KeptDepth), .Cycles(ReadCycles)) u_factor (
    .clk_i(clk_i), .we_i(factor_we_i), .waddr_i(factor_waddr_i),
    .wdata_i({e_next_i, d_next_i, c_next_i}),
    .re_i(update_run_q), .raddr_i(factor_raddr_i), .rdata_o({e, d, c})
  );

  corinfo_ram #(.Width(RWidth + CWidth), .Depth(KeptDepth), .Cycles(ReadCycles)) u_kept (
    .clk_i(clk_i), .we_i(factor_we_i), .waddr_i(factor_waddr_i),
    .wdata_i({kept_next_i, c_next_i}),
    .re_i(kept_run_q), .raddr_i(pre_raddr_i), .rdata_o({kept, c_pre})
  );

  // Product: the left factor and the operand are registered, then the product.
  reg signed [LeftWidth-1:0]    left;
  reg signed [LeftWidth-1:0]    left_q;
  reg signed [OperandWidth-1:0] operand_q;
  reg signed [ProductWidth-1:0] product_q;

  always @* begin
    if (!mac_update_i) begin
      left = {{(LeftWidth - SynapseWidth + 1){synapse_i[SynapseWidth-1]}},
          synapse_i[SynapseWidth-2:0]};
    end else if (factor_kind_i == KindW) begin
      left = {{(LeftWidth - EWidth + 1){e[EWidth-1]}}, e[EWidth-2:0]};
    end else if (factor_kind_i == KindF) begin
      left = {{(LeftWidth - DWidth + 1){d[DWidth-1]}}, d[DWidth-2:0]};
    end else begin
      left = {{(LeftWidth - CWidth + 1){c[CWidth-1]}}, c[CWidth-2:0]};
    end
  end

  always @(posedge clk_i) begin
    left_q    <= left;
    operand_q <= mac_operand_i;
    product_q <= left_q * operand_q;
  end

  // Exact sums, read in cycle R, chosen in R + 1, added to in R + 2, written in R + 3. A product in
  // the three cycles after one for the same sum takes it before the memory has it.
  wire signed [AccWidth-1:0] basal, feedback, lateral, product;
  reg  signed [AccWidth-1:0] held, held_q, sum_q, last_q;

  generate
    if (AccWidth > ProductWidth) begin : gen_extend
      assign product = {{(AccWidth - ProductWidth){product_q[ProductWidth-1]}}, product_q};
    end else begin : gen_same
      assign product = product_q[AccWidth-1:0];
    end
    if (ProductWidth > AccWidth) begin : gen_unused
      // The formats of the sums hold every sum, so these are copies of its sign.
      wire unused_product;
      assign unused_product = ^product_q[ProductWidth-1:AccWidth];
    end
  endgenerate

  // Those of the product's and of the pass's context.
  assign basal      = gen_context[Contexts-1].mac_basal;
  assign feedback   = gen_context[Contexts-1].mac_feedback;
  assign lateral    = gen_context[Contexts-1].mac_lateral;
  assign basal_o    = gen_context[Contexts-1].soma_basal;
  assign feedback_o = gen_context[Contexts-1].soma_feedback;
  assign lateral_o  = gen_context[Contexts-1].soma_lateral;

  always @* begin
    if (mac_forward_i[1]) begin
      held = sum_q;
    end else if (mac_forward_i[2]) begin
      held = last_q;
    end else if (mac_kind_i == KindW) begin
      held = basal;
    end else if (mac_kind_i == KindF) begin
      held = feedback;
    end else begin
      held = lateral;
    end
  end

  always @(posedge clk_i) begin
    held_q <= held;
    last_q <= sum_q;
    if (clear_i) begin
      sum_q <= {AccWidth{1'b0}};
    end else begin
      sum_q <= (mac_forward_i[0] ? sum_q : held_q) + product;
    end
  end

  // Sum of an update's products.
  reg  signed [SumWidth-1:0] update_q;
  wire signed [SumWidth-1:0] term;

  generate
    if (SumWidth > ProductWidth) begin : gen_extend_term
      assign term = {{(SumWidth - ProductWidth){product_q[ProductWidth-1]}}, product_q};
    end else begin : gen_same_term
      assign term = product_q[SumWidth-1:0];
    end
  endgenerate

  always @(posedge clk_i) begin
    if (update_run_q) begin
      update_q <= (update_first_i ? {SumWidth{1'b0}} : update_q) + term;
    end
  end
  assign update_sum_o = update_q;

  // States and potentials.
  wire signed [DeltaWidth-1:0]   delta;
  wire signed [RWidth-1:0]       r_pre;
  assign r_o   = gen_context[Contexts-1].soma_r;
  assign u_o   = gen_context[Contexts-1].soma_u;
  assign delta = gen_context[Contexts-1].pre_delta;
  assign r_pre = gen_context[Contexts-1].pre_r;

  // What a pass writes; a simulator has no work with it in other cycles.
  reg [UWidth+RWidth+DeltaWidth-1:0] state_next;
  always @* begin
    state_next = {(UWidth + RWidth + DeltaWidth){1'b0}};
    if (soma_we_i) begin
      state_next = {u_next_i, r_next_i, delta_i};
    end
  end

  // The memories of each context.
  genvar g;
  generate
    for (g = 0; g < Contexts; g = g + 1) begin : gen_context
      localparam [31:0] Index = g;
      wire [SlotW-1:0]                sum_raddr, slot_raddr, state_waddr;
      wire                            mac, soma, pre, soma_we, state_we, clear;
      wire signed [AccWidth-1:0]      basal_word, feedback_word, lateral_word;
      wire signed [RWidth-1:0]        r_word;
      wire signed [UWidth-1:0]        u_word;
      wire signed [DeltaWidth-1:0]    delta_word;
      assign sum_raddr   = sum_raddr_i[SlotW*g +: SlotW];
      assign slot_raddr  = slot_raddr_i[SlotW*g +: SlotW];
      assign mac         = mac_context_i == Index[ContextW-1:0];
      assign soma        = soma_context_i == Index[ContextW-1:0];
      assign pre         = pre_context_i == Index[ContextW-1:0];
      assign soma_we     = soma_we_i && soma;
      assign clear       = state_clear_i[g];
      assign state_we    = soma_we || clear;
      assign state_waddr = clear ? sum_waddr_i : soma_waddr_i;

      corinfo_ram #(.Width(AccWidth), .Depth(Slots)) u_basal (
        .clk_i(clk_i), .we_i(sum_we_i[3*g]), .waddr_i(sum_waddr_i),
        .wdata_i(sum_q),
        .re_i(sum_re_i[3*g]), .raddr_i(sum_raddr), .rdata_o(basal_word)
      );
      corinfo_ram #(.Width(AccWidth), .Depth(Slots)) u_feedback (
        .clk_i(clk_i), .we_i(sum_we_i[3*g+1]), .waddr_i(sum_waddr_i),
        .wdata_i(sum_q),
        .re_i(sum_re_i[3*g+1]), .raddr_i(sum_raddr), .rdata_o(feedback_word)
      );
      corinfo_ram #(.Width(AccWidth), .Depth(Slots)) u_lateral (
        .clk_i(clk_i), .we_i(sum_we_i[3*g+2]), .waddr_i(sum_waddr_i),
        .wdata_i(sum_q),
        .re_i(sum_re_i[3*g+2]), .raddr_i(sum_raddr), .rdata_o(lateral_word)
      );
      corinfo_ram #(.Width(UWidth + RWidth + DeltaWidth), .Depth(Slots)) u_state (
        .clk_i(clk_i), .we_i(state_we), .waddr_i(state_waddr),
        .wdata_i(clear ? {(UWidth + RWidth + DeltaWidth){1'b0}} : state_next),
        .re_i(slot_re_i[g]), .raddr_i(slot_raddr), .rdata_o({u_word, r_word, delta_word})
      );

      // This context's words if they are chosen, else those chosen of the contexts before it.
      wire signed [AccWidth-1:0]      mac_basal, soma_basal;
      wire signed [AccWidth-1:0]      mac_feedback, soma_feedback;
      wire signed [AccWidth-1:0]      mac_lateral, soma_lateral;
      wire signed [RWidth-1:0]        soma_r, pre_r;
      wire signed [UWidth-1:0]        soma_u;
      wire signed [DeltaWidth-1:0]    pre_delta;
      if (g == 0) begin : gen_first
        wire unused_choice;
        assign unused_choice  = mac ^ pre;
        assign mac_basal     = basal_word;
        assign mac_feedback  = feedback_word;
        assign mac_lateral   = lateral_word;
        assign soma_basal    = basal_word;
        assign soma_feedback = feedback_word;
        assign soma_lateral  = lateral_word;
        assign soma_r        = r_word;
        assign soma_u        = u_word;
        assign pre_delta     = delta_word;
        assign pre_r         = r_word;
      end else begin : gen_choice
        assign mac_basal     = mac ? basal_word : gen_context[g-1].mac_basal;
        assign mac_feedback  = mac ? feedback_word : gen_context[g-1].mac_feedback;
        assign mac_lateral   = mac ? lateral_word : gen_context[g-1].mac_lateral;
        assign soma_basal    = soma ? basal_word : gen_context[g-1].soma_basal;
        assign soma_feedback = soma ? feedback_word : gen_context[g-1].soma_feedback;
        assign soma_lateral  = soma ? lateral_word : gen_context[g-1].soma_lateral;
        assign soma_r        = soma ? r_word : gen_context[g-1].soma_r;
        assign soma_u        = soma ? u_word : gen_context[g-1].soma_u;
        assign pre_delta     = pre ? delta_word : gen_context[g-1].pre_delta;
        assign pre_r         = pre ? r_word : gen_context[g-1].pre_r;
      end
    end
  endgenerate

  always @(posedge clk_i) begin
    if (soma_we_i) begin
      changed_o <= delta_i != {DeltaWidth{1'b0}};
    end
  end

  // Presynaptic factor.
  always @(posedge clk_i) begin
    if (pre_kind_i != PreNothing) begin
      if (pre_kind_i == PreDelta) begin
        pre_o <= {{(PreWidth - DeltaWidth + 1){delta[DeltaWidth-1]}}, delta[DeltaWidth-2:0]};
      end else if (pre_kind_i == PreKept) begin
        pre_o <= {{(PreWidth - RWidth + 1){kept[RWidth-1]}}, kept[RWidth-2:0]};
      end else if (pre_kind_i == PreC) begin
        pre_o <= {{(PreWidth - CWidth + 1){c_pre[CWidth-1]}}, c_pre[CWidth-2:0]};
      end else if (pre_kind_i == PreState) begin
        pre_o <= {{(PreWidth - RWidth + 1){r_pre[RWidth-1]}}, r_pre[RWidth-2:0]};
      end else begin
        pre_o <= {{(PreWidth - SynapseWidth + 1){synapse_i[SynapseWidth-1]}},
            synapse_i[SynapseWidth-2:0]};
      end
    end
  end

  // Random word of this lane's synapse.
  reg [15:0] row_q;
  always @(posedge clk_i) begin
    if (update_run_q) begin
      row_q <= row_base_i + {{(16 - LaneW){1'b0}}, number_i};
    end
  end

  corinfo_random u_random (
    .clk_i      (clk_i),
    .enable_i   (update_run_q),
    .keys_i     (keys_i),
    .order_i    ({1'b0, symmetric_i}),
    .row_i      (row_q),
    .column_i   (column_i),
    .random_o   (random_o)
  );

endmodule

`default_nettype wire

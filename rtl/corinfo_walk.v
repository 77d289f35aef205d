// Visits the neurons of a layer for the neuron units: in every slot first the kinds of sums, one a cycle, then the
// lanes of a unit, one a cycle.
//
// start_i begins; slot_base_i and what follows are stable while active_o, which is high from the next cycle on. In a
// cycle with hold_o the sums of kind_o of slot_o are to be held; in one with visit_o all units visit the neuron at
// index_o, that of their lane sub_o, which is neuron_o of the layer in unit 0.

`timescale 1ns/1ps
`default_nettype none

module corinfo_walk #(
  parameter Lanes  = 16,
  parameter Subs   = 4,   // lanes of a unit
  parameter SubW   = 2,
  parameter KindW  = 2,
  parameter SlotW  = 3,
  parameter IndexW = 5
) (
  input  wire              clk_i,
  input  wire              rst_i,
  input  wire              start_i,
  input  wire [SlotW-1:0]  slot_base_i,
  input  wire [SlotW:0]    slot_count_i,   // at least 1
  input  wire [IndexW-1:0] index_base_i,
  input  wire [KindW:0]    kinds_i,        // how many are read
  output wire              active_o,
  output wire              hold_o,
  output wire [KindW-1:0]  kind_o,
  output wire [SlotW-1:0]  slot_o,
  output wire              visit_o,
  output wire [SubW-1:0]   sub_o,
  output wire [IndexW-1:0] index_o,
  output wire [15:0]       neuron_o
);

  // Parameters that it cannot have: elaboration finds no module of the reason's name.
  generate
    if (Lanes < 1 || Lanes > 65535) begin : gen_check
      corinfo_error_lanes_not_1_to_65535 u_error ();
    end else if (SubW < 1 || SubW > 16 || (Subs - 1) >> SubW != 0) begin : gen_check
      corinfo_error_sub_w_not_of_subs u_error ();
    end else if (KindW < 1) begin : gen_check
      corinfo_error_kind_w_below_1 u_error ();
    end else if (SlotW < 1) begin : gen_check
      corinfo_error_slot_w_below_1 u_error ();
    end else if (IndexW < 1) begin : gen_check
      corinfo_error_index_w_below_1 u_error ();
    end
  endgenerate

  localparam [31:0]       LastSubWord = Subs - 1;
  localparam [SubW-1:0]   LastSub     = LastSubWord[SubW-1:0];
  localparam [SubW-1:0]   OneSub      = 1;
  localparam [SlotW-1:0]  OneSlot     = 1;
  localparam [SlotW:0]    OneLeft     = 1;
  localparam [KindW:0]    OneKind     = 1;
  localparam [IndexW-1:0] OneIndex    = 1;
  localparam [15:0]       LaneStep    = Lanes;

  reg              active_q;
  reg [KindW:0]    kind_q;
  reg [SubW-1:0]   sub_q;
  reg [SlotW-1:0]  slot_q;
  reg [SlotW:0]    left_q;
  reg [IndexW-1:0] index_q;
  reg [15:0]       base_q;      // neuron of the slot's lane 0

  assign active_o = active_q;
  assign hold_o   = active_q && kind_q != kinds_i;
  assign visit_o  = active_q && kind_q == kinds_i;
  assign kind_o   = kind_q[KindW-1:0];
  assign slot_o   = slot_q;
  assign sub_o    = sub_q;
  assign index_o  = index_q;
  assign neuron_o = base_q + {{(16 - SubW){1'b0}}, sub_q};

  always @(posedge clk_i) begin
    if (rst_i) begin
      active_q <= 1'b0;
    end else if (start_i) begin
      active_q <= 1'b1;
    end else if (visit_o && sub_q == LastSub && left_q == OneLeft) begin
      active_q <= 1'b0;
    end
    if (start_i) begin
      kind_q  <= {(KindW + 1){1'b0}};
      sub_q   <= {SubW{1'b0}};
      slot_q  <= slot_base_i;
      left_q  <= slot_count_i;
      index_q <= index_base_i;
      base_q  <= 16'd0;
    end else if (hold_o) begin
      kind_q <= kind_q + OneKind;
    end else if (visit_o) begin
      index_q <= index_q + OneIndex;
      if (sub_q == LastSub) begin
        sub_q  <= {SubW{1'b0}};
        kind_q <= {(KindW + 1){1'b0}};
        slot_q <= slot_q + OneSlot;
        left_q <= left_q - OneLeft;
        base_q <= base_q + LaneStep;
      end else begin
        sub_q <= sub_q + OneSub;
      end
    end
  end

endmodule

`default_nettype wire

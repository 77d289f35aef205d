// One sample in flight: its sequencer, the tables of the layer that its instruction is about, its
// changed states that wait to become events, and what it wants of the units that all samples share.
//
// accept_i gives it a command. An instruction wants one unit: want_*_o is high until grant_i, a
// cycle after which mine_i must be high for as long as the unit works for it, at least a cycle.
// Rows of changed states become items, one per cycle at most, each on item_* until item_take_i; an
// OpClear is one item with item_clear_o, and item_take_i is its grant. Events that were taken are
// counted by the taker: events_busy_i. The instruction is done when nothing of all that is left.

`timescale 1ns/1ps
`default_nettype none

module corinfo_context #(
  parameter Lanes        = 16,
  parameter LaneW        = 4,
  parameter Layers       = 3,     // with the input
  parameter Batch        = 1,
  parameter SampleW      = 1,
  parameter LabelW       = 4,
  parameter Slots        = 8,
  parameter SlotW        = 3,
  parameter KeptAddrW    = 4,
  parameter SynapseAddrW = 9,
  parameter EtaWidth     = 17,
  parameter ReadCycles   = 2,     // of block memories
  parameter RowAddrW     = 3,     // room for 2^RowAddrW rows of changed states, a layer's slots
  parameter Dense        = 0,     // 1: broadcast unchanged states too
  parameter ProgramDepth = 128,
  parameter ProgramAddrW = 7,
  parameter ProgramFile  = "",
  // Tables as corinfo_control has them.
  parameter [32*Layers-1:0] SlotBase     = 0,
  parameter [32*Layers-1:0] SlotCount    = 0,
  parameter [32*Layers-1:0] LastLanes    = 0,
  parameter [32*Layers-1:0] ColumnBase   = 0,
  parameter [32*Layers-1:0] Stride       = 0,
  parameter [32*Layers-1:0] RowStride    = 0,
  parameter [96*Layers-1:0] Align        = 0,
  parameter [96*Layers-1:0] SegmentSlot  = 0,
  parameter [96*Layers-1:0] Segments     = 0,
  parameter AlignW       = 6,     // bits of a shift
  parameter SegmentW     = 15     // 3 + 2 x SlotW + AlignW
) (
  input  wire                      clk_i,
  input  wire                      rst_i,

  // The command.
  input  wire                      accept_i,
  input  wire                      command_learn_i,
  input  wire                      command_negative_i,
  input  wire [LabelW-1:0]         command_label_i,
  input  wire [SampleW-1:0]        command_sample_i,
  input  wire                      command_last_i,
  output wire                      idle_o,
  output wire                      answered_o,
  input  wire                      result_taken_i,
  output wire                      batch_done_o,

  // What the instruction under way wants.
  output wire                      want_pass_o,
  output wire                      want_load_o,
  output wire                      want_result_o,
  output wire                      want_update_o,
  input  wire                      grant_i,
  input  wire                      mine_i,
  input  wire                      events_busy_i,
  input  wire                      moved_i,          // a potential of it moved or overflowed

  // The instruction under way.
  output wire                      settle_o,
  output wire                      record_o,
  output wire                      load_o,
  output wire                      update_o,         // and granted
  output wire [7:0]                layer_o,
  output wire [7:0]                matrix_o,
  output wire                      restart_o,
  output wire                      role_o,
  output wire                      second_o,
  output wire                      negate_o,
  output wire [EtaWidth-1:0]       eta_o,
  output wire [1:0]                beta_o,           // 0 none, 1 positive, 2 negative
  output wire                      learn_o,
  output wire [LabelW-1:0]         label_o,
  output wire [SlotW-1:0]          slot_base_o,
  output wire [SlotW:0]            slot_count_o,
  output wire [LaneW:0]            last_lanes_o,     // neurons in the last slot
  output wire [SynapseAddrW-1:0]   column_base_o,
  output wire [SynapseAddrW-1:0]   stride_o,
  output wire [3*SegmentW-1:0]     segments_o,       // as corinfo_broadcast has them
  output reg  [KeptAddrW-1:0]      own_base_o,       // first word of the sample in this phase
  output reg  [KeptAddrW-1:0]      other_base_o,

  // Rows of changed states come in, items go out.
  input  wire                      row_valid_i,
  input  wire [SlotW-1:0]          row_slot_i,
  input  wire [Lanes-1:0]          row_changed_i,
  output wire                      item_valid_o,
  output wire                      item_clear_o,
  output wire [SlotW-1:0]          item_slot_o,
  output wire [SynapseAddrW-1:0]   item_column_o,    // of the slot's lane 0
  output wire [LaneW-1:0]          item_lane_o,
  input  wire                      item_take_i
);

  localparam           LayerW     = $clog2(Layers + 1);
  localparam [SlotW:0] OneLeft    = 1;
  localparam [31:0]    SlotsWord  = Slots;
  localparam [31:0]    BatchSlots = Batch * Slots;

  wire       start, negative, changed, quiet, clear, result, update;
  wire [1:0] sign;
  wire [SampleW-1:0] sample;

  corinfo_sequencer #(
    .LabelW      (LabelW),
    .EtaWidth    (EtaWidth),
    .ProgramDepth(ProgramDepth),
    .ProgramFile (ProgramFile),
    .ReadCycles  (ReadCycles),
    .AddrW       (ProgramAddrW),
    .SampleW     (SampleW)
  ) u_sequencer (
    .clk_i             (clk_i),
    .rst_i             (rst_i),
    .accept_i          (accept_i),
    .command_learn_i   (command_learn_i),
    .command_negative_i(command_negative_i),
    .command_label_i   (command_label_i),
    .command_sample_i  (command_sample_i),
    .command_last_i    (command_last_i),
    .answered_o        (answered_o),
    .result_taken_i    (result_taken_i),
    .idle_o            (idle_o),
    .start_o           (start),
    .learn_o           (learn_o),
    .negative_o        (negative),
    .label_o           (label_o),
    .sample_o          (sample),
    .clear_o           (clear),
    .take_o            (load_o),
    .settle_o          (settle_o),
    .record_o          (record_o),
    .result_o          (result),
    .update_o          (update),
    .layer_o           (layer_o),
    .sign_o            (sign),
    .restart_o         (restart_o),
    .role_o            (role_o),
    .second_o          (second_o),
    .negate_o          (negate_o),
    .matrix_o          (matrix_o),
    .eta_o             (eta_o),
    .batch_done_o      (batch_done_o),
    .quiet_i           (quiet),
    .changed_i         (changed)
  );

  assign beta_o   = (sign == 2'd0) ? 2'd0 : ((sign == 2'd1) != negative) ? 2'd1 : 2'd2;

  // The instruction waits for its unit.
  reg  want_q;
  wire clear_taken;
  assign item_clear_o = want_q && clear;
  assign clear_taken  = item_clear_o && item_take_i;

  always @(posedge clk_i) begin
    if (rst_i) begin
      want_q <= 1'b0;
    end else if (start) begin
      want_q <= clear || load_o || settle_o || record_o || result || update;
    end else if (grant_i || clear_taken) begin
      want_q <= 1'b0;
    end
  end

  assign want_pass_o   = want_q && (settle_o || record_o);
  assign want_load_o   = want_q && load_o;
  assign want_result_o = want_q && result;
  assign want_update_o = want_q && update;
  assign update_o      = update && !start && !want_q;

  // Entries of the layer's tables: there in the instruction's second cycle.
  wire [LayerW-1:0] layer_index;
  reg  [31:0]       slot_base, slot_count, last_lanes, column_base, stride, row_stride;
  reg  [95:0]       segments, segment_slot, segment_align;
  assign layer_index = layer_o[LayerW-1:0];

  // Three an entry: chosen, because an index of 96 bits a step takes a multiplier.
  reg [95:0] layer_segments, layer_slot, layer_align;
  integer    k;

  always @* begin
    layer_segments = 96'd0;
    layer_slot     = 96'd0;
    layer_align    = 96'd0;
    for (k = 0; k < Layers; k = k + 1) begin
      if (layer_index == k[LayerW-1:0]) begin
        layer_segments = Segments[96*k +: 96];
        layer_slot     = SegmentSlot[96*k +: 96];
        layer_align    = Align[96*k +: 96];
      end
    end
  end

  always @(posedge clk_i) begin
    slot_base     <= SlotBase[32*layer_index +: 32];
    slot_count    <= SlotCount[32*layer_index +: 32];
    last_lanes    <= LastLanes[32*layer_index +: 32];
    column_base   <= ColumnBase[32*layer_index +: 32];
    stride        <= Stride[32*layer_index +: 32];
    row_stride    <= RowStride[32*layer_index +: 32];
    segments      <= layer_segments;
    segment_slot  <= layer_slot;
    segment_align <= layer_align;
  end

  assign slot_base_o   = slot_base[SlotW-1:0];
  assign slot_count_o  = slot_count[SlotW:0];
  assign last_lanes_o  = last_lanes[LaneW:0];
  assign column_base_o = column_base[SynapseAddrW-1:0];
  assign stride_o      = stride[SynapseAddrW-1:0];

  genvar g;
  generate
    for (g = 0; g < 3; g = g + 1) begin : gen_segment
      // After it comes another one, its kind, slots after the first, first slot, shift.
      assign segments_o[SegmentW*g +: SegmentW] = {segments[32*g+31], segments[32*g+29 +: 2],
          segments[32*g +: SlotW], segment_slot[32*g +: SlotW], segment_align[32*g +: AlignW]};
    end
  endgenerate

  // Where the sample's factors are kept: sample x Slots, without a multiplier.
  reg [KeptAddrW-1:0] sample_base_q;
  reg [31:0]          sample_slots;
  integer             i;

  always @* begin
    sample_slots = 32'd0;
    for (i = 0; i < SampleW; i = i + 1) begin
      sample_slots = sample_slots + (sample[i] ? SlotsWord << i : 32'd0);
    end
  end

  always @(posedge clk_i) begin
    sample_base_q <= sample_slots[KeptAddrW-1:0];
    own_base_o    <= sample_base_q + (role_o ? BatchSlots[KeptAddrW-1:0] : {KeptAddrW{1'b0}});
    other_base_o  <= sample_base_q + (role_o ? {KeptAddrW{1'b0}} : BatchSlots[KeptAddrW-1:0]);
  end

  // Did anything change in this iteration?
  reg changed_q;
  always @(posedge clk_i) begin
    if (start && settle_o && layer_o == 8'd1) begin
      changed_q <= 1'b0;
    end else if (moved_i) begin
      changed_q <= 1'b1;
    end
  end
  assign changed = changed_q;

  // Changed states. Rows come in order: the first one's neurons have the layer's first columns.
  wire [Lanes-1:0]        row_lanes, real_lanes;
  wire [SlotW:0]          row_end;
  reg  [SynapseAddrW-1:0] next_column_q;
  wire [SynapseAddrW-1:0] row_column;
  wire                    queue_valid, queue_busy;
  assign row_end    = slot_base[SlotW:0] + slot_count[SlotW:0] - OneLeft;
  assign real_lanes = ({1'b0, row_slot_i} == row_end) ? ~({Lanes{1'b1}} << last_lanes)
                                                      : {Lanes{1'b1}};
  assign row_lanes  = (Dense != 0) ? real_lanes : row_changed_i;
  assign row_column = (row_slot_i == slot_base_o) ? column_base_o : next_column_q;

  always @(posedge clk_i) begin
    if (row_valid_i) begin
      next_column_q <= row_column + row_stride[SynapseAddrW-1:0];
    end
  end

  corinfo_event_queue #(
    .Lanes   (Lanes),
    .LaneW   (LaneW),
    .SlotW   (SlotW),
    .ColumnW (SynapseAddrW),
    .RowAddrW(RowAddrW)
  ) u_queue (
    .clk_i         (clk_i),
    .rst_i         (rst_i),
    .row_valid_i   (row_valid_i),
    .row_slot_i    (row_slot_i),
    .row_column_i  (row_column),
    .row_lanes_i   (row_lanes),
    .event_valid_o (queue_valid),
    .event_slot_o  (item_slot_o),
    .event_column_o(item_column_o),
    .event_lane_o  (item_lane_o),
    .event_take_i  (item_take_i),
    .busy_o        (queue_busy)
  );
  assign item_valid_o = queue_valid || item_clear_o;

  reg quiet_q;
  always @(posedge clk_i) begin
    quiet_q <= !want_q && !mine_i && !queue_busy && !events_busy_i;
  end
  assign quiet = quiet_q;

  // 32-bit words are wider than this design's addresses.
  wire unused_bits;
  assign unused_bits = ^{slot_base, slot_count, last_lanes, column_base, stride, row_stride,
                         segments, segment_slot, segment_align, sample_slots, layer_o};

endmodule

`default_nettype wire

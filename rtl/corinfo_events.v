// From changed states to products: queues a layer's changed states as events, finds the column of
// each and broadcasts it to the lanes. Events of the input come in beside them.
//
// A row (a slot's flags of change) comes in on row_*; its events leave once hold_i is low. For each
// fetch_slot_o and fetch_lane_o name the neuron, and value_i has its value three cycles later. The
// products of an event follow, one per cycle, as corinfo_broadcast says. An event of the input is
// taken in the cycle of input_valid_i, which the caller raises only while room_o. The layer's
// inputs are stable while busy_o.

`default_nettype none

module corinfo_events #(
  parameter Lanes        = 16,
  parameter LaneW        = 4,
  parameter SlotW        = 3,
  parameter RowAddrW     = 3,    // room for 2^RowAddrW rows, a layer's slots
  parameter SynapseAddrW = 9,
  parameter ValueWidth   = 18,
  parameter OperandWidth = 19,
  parameter Dense        = 0     // 1: unchanged states are events too
) (
  input  wire                           clk_i,
  input  wire                           rst_i,

  // Entries of the layer's tables; segments have 32 bits a kind, W lowest.
  input  wire [31:0]                    slot_base_i,
  input  wire [31:0]                    slot_count_i,
  input  wire [31:0]                    last_lanes_i,     // neurons in the last slot
  input  wire [31:0]                    column_base_i,    // first synapse of column 0
  input  wire [31:0]                    stride_i,         // from column to column
  input  wire [95:0]                    segment_count_i,
  input  wire [95:0]                    segment_slot_i,
  input  wire [95:0]                    segment_align_i,

  input  wire                           hold_i,           // the sums are being read
  input  wire                           row_valid_i,
  input  wire [SlotW-1:0]               row_slot_i,
  input  wire [Lanes-1:0]               row_changed_i,

  output wire                           room_o,
  input  wire                           input_valid_i,
  input  wire [SynapseAddrW-1:0]        input_addr_i,
  input  wire signed [ValueWidth-1:0]   input_value_i,

  output wire [SlotW-1:0]               fetch_slot_o,
  output wire [LaneW-1:0]               fetch_lane_o,
  input  wire signed [ValueWidth-1:0]   fetch_value_i,

  output wire                           event_o,          // an event starts
  output wire                           issue_o,
  output wire [SynapseAddrW-1:0]        synapse_addr_o,
  output wire signed [OperandWidth-1:0] operand_o,
  output wire [SlotW-1:0]               slot_o,
  output wire [1:0]                     kind_o,
  output wire                           busy_o
);

  localparam           AlignW     = 6;
  localparam           EventRoomW = 3;
  localparam [31:0]    LanesWord  = Lanes;
  localparam [SlotW:0] OneLeft    = 1;

  // Changed states of a layer become events, once the pass no longer reads the sums.
  wire              started, queue_busy;
  wire [SlotW-1:0]  slot;
  wire [LaneW-1:0]  lane;
  wire [Lanes-1:0]  row_lanes, real_lanes;
  wire [SlotW:0]    row_end;
  assign row_end    = slot_base_i[SlotW:0] + slot_count_i[SlotW:0] - OneLeft;
  assign real_lanes = ({1'b0, row_slot_i} == row_end) ? ~({Lanes{1'b1}} << last_lanes_i)
                                                      : {Lanes{1'b1}};
  assign row_lanes  = (Dense != 0) ? real_lanes : row_changed_i;

  corinfo_event_queue #(
    .Lanes   (Lanes),
    .LaneW   (LaneW),
    .SlotW   (SlotW),
    .RowAddrW(RowAddrW)
  ) u_queue (
    .clk_i        (clk_i),
    .rst_i        (rst_i),
    .row_valid_i  (row_valid_i),
    .row_slot_i   (row_slot_i),
    .row_lanes_i  (row_lanes),
    .take_i       (!hold_i && room_o),
    .event_valid_o(started),
    .event_slot_o (slot),
    .event_lane_o (lane),
    .busy_o       (queue_busy)
  );

  assign fetch_slot_o = slot;
  assign fetch_lane_o = lane;
  assign event_o      = started || input_valid_i;

  // The address of an event's column: base + (slot in the layer x lanes + lane) x stride, ready
  // with its value.
  reg  [31:0] column_slots_q, column_lane_q, column_sum_q, column_q;
  wire [31:0] slot_in_layer, lane_word;
  assign slot_in_layer = {{(32 - SlotW){1'b0}}, slot} - slot_base_i;
  assign lane_word     = {{(32 - LaneW){1'b0}}, lane};

  always @(posedge clk_i) begin
    column_slots_q <= slot_in_layer * (LanesWord * stride_i);
    column_lane_q  <= lane_word * stride_i;
    column_sum_q   <= column_base_i + column_slots_q + column_lane_q;
    column_q       <= column_sum_q;
  end

  wire valid, fetch_busy, broadcast_busy;
  corinfo_valid #(.Cycles(3)) u_valid (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(started), .valid_o(valid), .busy_o(fetch_busy)
  );

  corinfo_broadcast #(
    .SlotW       (SlotW),
    .SynapseAddrW(SynapseAddrW),
    .ValueWidth  (ValueWidth),
    .OperandWidth(OperandWidth),
    .AlignW      (AlignW),
    .DepthW      (EventRoomW)
  ) u_broadcast (
    .clk_i          (clk_i),
    .rst_i          (rst_i),
    .segment_count_i({segment_count_i[64 +: SlotW + 1], segment_count_i[32 +: SlotW + 1],
                       segment_count_i[0 +: SlotW + 1]}),
    .segment_slot_i ({segment_slot_i[64 +: SlotW], segment_slot_i[32 +: SlotW],
                       segment_slot_i[0 +: SlotW]}),
    .segment_align_i({segment_align_i[64 +: AlignW], segment_align_i[32 +: AlignW],
                       segment_align_i[0 +: AlignW]}),
    .enable_i       (!hold_i),
    .room_o         (room_o),
    .start_i        (event_o),
    .event_valid_i  (valid || input_valid_i),
    .event_addr_i   (input_valid_i ? input_addr_i : column_q[SynapseAddrW-1:0]),
    .event_value_i  (input_valid_i ? input_value_i : fetch_value_i),
    .issue_o        (issue_o),
    .synapse_addr_o (synapse_addr_o),
    .operand_o      (operand_o),
    .slot_o         (slot_o),
    .kind_o         (kind_o),
    .busy_o         (broadcast_busy)
  );

  assign busy_o = queue_busy || fetch_busy || broadcast_busy;

  // The tables' 32-bit words are wider than this design's addresses.
  wire unused_bits;
  assign unused_bits = ^{slot_count_i, column_q, segment_count_i, segment_slot_i, segment_align_i};

endmodule

`default_nettype wire

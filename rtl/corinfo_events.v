// Settling: takes the input, queues a layer's changed states as events, finds the column of each
// and broadcasts it to the lanes, whose multipliers it drives.
//
// start_i opens a sample, as corinfo_input says; its nonzero words are events. A row (a slot's
// flags of change) comes in on row_*; its events leave once pass_i is low, for while it is high the
// sums of pass_slot_i are read. For each event fetch_slot_o and fetch_lane_o name the neuron, and
// fetch_value_i has its value three cycles later. Its products follow, one per cycle, as
// corinfo_broadcast says. The layer's inputs are stable while busy_o.

`default_nettype none

module corinfo_events #(
  parameter Lanes        = 16,
  parameter LaneW        = 4,
  parameter Inputs       = 784,  // words of a sample
  parameter Batch        = 1,
  parameter SampleW      = 1,
  parameter InputAddrW   = 10,
  parameter XWidth       = 9,
  parameter SlotW        = 3,
  parameter RowAddrW     = 3,    // room for 2^RowAddrW rows, a layer's slots
  parameter SynapseAddrW = 9,
  parameter ValueWidth   = 18,
  parameter OperandWidth = 19,
  parameter ReadCycles   = 2,    // of block memories
  parameter Dense        = 0     // 1: unchanged states and zero inputs are events too
) (
  input  wire                           clk_i,
  input  wire                           rst_i,

  // Entries of the layer's tables; segments have 32 bits a kind, W lowest.
  input  wire [31:0]                    slot_base_i,
  input  wire [31:0]                    slot_count_i,
  input  wire [31:0]                    last_lanes_i,     // neurons in the last slot
  input  wire [31:0]                    column_base_i,    // first synapse of column 0
  input  wire [31:0]                    stride_i,         // from column to column
  input  wire [31:0]                    row_stride_i,     // from slot to slot: Lanes columns
  input  wire [95:0]                    segment_count_i,
  input  wire [95:0]                    segment_slot_i,
  input  wire [95:0]                    segment_align_i,

  // The sample.
  input  wire                           start_i,
  input  wire [SampleW-1:0]             sample_i,         // its number in the mini-batch
  input  wire                           sample_valid_i,
  output wire                           sample_ready_o,
  input  wire [XWidth-1:0]              sample_data_i,
  input  wire [InputAddrW-1:0]          fetch_input_i,    // a kept word, ReadCycles before it
  output wire [XWidth-1:0]              kept_input_o,

  // The pass and the states that it changed.
  input  wire                           pass_i,
  input  wire [SlotW-1:0]               pass_slot_i,
  input  wire                           clear_i,
  input  wire                           row_valid_i,
  input  wire [SlotW-1:0]               row_slot_i,
  input  wire [Lanes-1:0]               row_changed_i,

  output wire [SlotW-1:0]               fetch_slot_o,
  output wire [LaneW-1:0]               fetch_lane_o,
  input  wire signed [ValueWidth-1:0]   fetch_value_i,

  // Products; while update_i the operand is that of an update.
  input  wire                           update_i,
  input  wire signed [OperandWidth-1:0] update_operand_i,
  output wire [SynapseAddrW-1:0]        synapse_raddr_o,
  output wire signed [OperandWidth-1:0] mac_operand_o,
  output wire [1:0]                     mac_kind_o,
  output wire [2:0]                     mac_forward_o,
  output wire [SlotW-1:0]               sum_raddr_o,
  output wire [SlotW-1:0]               sum_waddr_o,
  output wire [2:0]                     sum_we_o,

  output wire                           event_o,          // an event starts
  output wire                           issue_o,          // a product starts
  output wire                           busy_o
);

  localparam           AlignW     = 6;
  localparam           EventRoomW = 3;
  localparam [SlotW:0] OneLeft    = 1;

  // Nonzero words of the input are events at once.
  wire                    room, input_busy, input_event;
  wire [SynapseAddrW-1:0] input_addr;
  corinfo_input #(
    .Inputs      (Inputs),
    .Batch       (Batch),
    .SampleW     (SampleW),
    .InputAddrW  (InputAddrW),
    .SynapseAddrW(SynapseAddrW),
    .XWidth      (XWidth),
    .ReadCycles  (ReadCycles),
    .Dense       (Dense)
  ) u_input (
    .clk_i        (clk_i),
    .rst_i        (rst_i),
    .start_i      (start_i),
    .sample_i     (sample_i),
    .column_base_i(column_base_i[SynapseAddrW-1:0]),
    .stride_i     (stride_i[SynapseAddrW-1:0]),
    .busy_o       (input_busy),
    .valid_i      (sample_valid_i),
    .ready_o      (sample_ready_o),
    .data_i       (sample_data_i),
    .room_i       (room),
    .event_valid_o(input_event),
    .event_addr_o (input_addr),
    .fetch_addr_i (fetch_input_i),
    .fetch_data_o (kept_input_o)
  );

  // Changed states of a layer become events, once the pass no longer reads the sums.
  wire              started, queue_busy;
  wire [SlotW-1:0]  slot;
  wire [SynapseAddrW-1:0] slot_column;
  wire [LaneW-1:0]  lane;
  wire [Lanes-1:0]  row_lanes, real_lanes;
  wire [SlotW:0]    row_end;
  assign row_end    = slot_base_i[SlotW:0] + slot_count_i[SlotW:0] - OneLeft;
  assign real_lanes = ({1'b0, row_slot_i} == row_end) ? ~({Lanes{1'b1}} << last_lanes_i)
                                                      : {Lanes{1'b1}};
  assign row_lanes  = (Dense != 0) ? real_lanes : row_changed_i;

  // Rows come in order: the first one's neurons have the layer's first columns.
  reg  [SynapseAddrW-1:0] next_column_q;
  wire [SynapseAddrW-1:0] row_column;
  assign row_column = (row_slot_i == slot_base_i[SlotW-1:0]) ? column_base_i[SynapseAddrW-1:0]
                                                             : next_column_q;

  always @(posedge clk_i) begin
    if (row_valid_i) begin
      next_column_q <= row_column + row_stride_i[SynapseAddrW-1:0];
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
    .take_i        (!pass_i && room),
    .event_valid_o (started),
    .event_slot_o  (slot),
    .event_column_o(slot_column),
    .event_lane_o  (lane),
    .busy_o        (queue_busy)
  );

  assign fetch_slot_o = slot;
  assign fetch_lane_o = lane;
  assign event_o      = started || input_event;

  // The address of an event's column, that of its slot's lane 0 + lane x stride, ready with its
  // value. The product is a sum over the lane's bits, in two halves.
  localparam HighLaneW = LaneW / 2;
  localparam LowLaneW  = LaneW - HighLaneW;

  reg  [SynapseAddrW-1:0] low, high, low_q, high_q, sum_q, slot_column_q, slot_column_2_q, column_q;
  wire [SynapseAddrW-1:0] stride;
  integer                 i;
  assign stride = stride_i[SynapseAddrW-1:0];

  always @* begin
    low  = {SynapseAddrW{1'b0}};
    high = {SynapseAddrW{1'b0}};
    for (i = 0; i < LowLaneW; i = i + 1) begin
      low = low + (lane[i] ? stride << i : {SynapseAddrW{1'b0}});
    end
    for (i = LowLaneW; i < LaneW; i = i + 1) begin
      high = high + (lane[i] ? stride << i : {SynapseAddrW{1'b0}});
    end
  end

  always @(posedge clk_i) begin
    low_q           <= low;
    high_q          <= high;
    slot_column_q   <= slot_column;
    sum_q           <= low_q + high_q;
    slot_column_2_q <= slot_column_q;
    column_q        <= slot_column_2_q + sum_q;
  end

  wire                           valid, fetch_busy, broadcast_busy;
  wire signed [ValueWidth-1:0]   input_value;
  wire signed [OperandWidth-1:0] operand;
  wire [SlotW-1:0]               mac_slot;
  wire [1:0]                     mac_kind;
  assign input_value = {{(ValueWidth - XWidth){1'b0}}, sample_data_i};

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
    .enable_i       (!pass_i),
    .room_o         (room),
    .start_i        (event_o),
    .event_valid_i  (valid || input_event),
    .event_addr_i   (input_event ? input_addr : column_q),
    .event_value_i  (input_event ? input_value : fetch_value_i),
    .issue_o        (issue_o),
    .synapse_addr_o (synapse_raddr_o),
    .operand_o      (operand),
    .slot_o         (mac_slot),
    .kind_o         (mac_kind),
    .busy_o         (broadcast_busy)
  );

  wire products_busy;
  corinfo_products #(
    .SlotW       (SlotW),
    .OperandWidth(OperandWidth),
    .ReadCycles  (ReadCycles)
  ) u_products (
    .clk_i           (clk_i),
    .rst_i           (rst_i),
    .issue_i         (issue_o),
    .operand_i       (operand),
    .slot_i          (mac_slot),
    .kind_i          (mac_kind),
    .update_i        (update_i),
    .update_operand_i(update_operand_i),
    .pass_i          (pass_i),
    .pass_slot_i     (pass_slot_i),
    .clear_i         (clear_i),
    .operand_o       (mac_operand_o),
    .kind_o          (mac_kind_o),
    .forward_o       (mac_forward_o),
    .sum_raddr_o     (sum_raddr_o),
    .sum_waddr_o     (sum_waddr_o),
    .sum_we_o        (sum_we_o),
    .busy_o          (products_busy)
  );

  assign busy_o = input_busy || queue_busy || fetch_busy || broadcast_busy || products_busy;

  // The tables' 32-bit words are wider than this design's addresses.
  wire unused_bits;
  assign unused_bits = ^{slot_base_i, slot_count_i, column_base_i, stride_i, row_stride_i,
                         segment_count_i, segment_slot_i, segment_align_i};

endmodule

`default_nettype wire

// Settling: takes events of all samples in flight, one per cycle, finds the column of each and
// broadcasts it to the lanes, whose multipliers it drives.
//
// Sources are the input's nonzero words (first), the walk over the scores, and each sample's items:
// changed states, or the clearing of its sums and states. While a sample has items its own go
// first. For each but an input word fetch_* names a neuron, and fetch_value_i has its change, of a
// score its state, FetchCycles later. A score is on fetch_value_i then, beside score_valid_o; an
// event goes to the broadcast and its products follow, one per cycle, as corinfo_broadcast says.
// The tables of a sample are those of the layer that its items belong to, and are stable while its
// busy_o, which is high from the cycle after an event of it was taken until its products are on
// their way to the sums: a pass that reads those three cycles after it is low finds them written.

`timescale 1ns/1ps
`default_nettype none

module corinfo_events #(
  parameter Contexts     = 1,    // samples in flight
  parameter ContextW     = 1,
  parameter LaneW        = 4,
  parameter Slots        = 8,    // of all layers
  parameter SlotW        = 3,
  parameter SynapseAddrW = 9,
  parameter XWidth       = 9,
  parameter ValueWidth   = 18,
  parameter OperandWidth = 19,
  parameter AlignW       = 6,    // bits of a shift
  parameter SegmentW     = 15,   // 3 + 2 x SlotW + AlignW
  parameter ReadCycles   = 2,    // of block memories
  parameter FetchCycles  = 3
) (
  input  wire                                 clk_i,
  input  wire                                 rst_i,

  // A word of the input with its column's address.
  input  wire                                 input_valid_i,
  input  wire [ContextW-1:0]                  input_context_i,
  input  wire [SynapseAddrW-1:0]              input_addr_i,
  input  wire [XWidth-1:0]                    input_word_i,
  output wire                                 input_take_o,

  // A score.
  input  wire                                 score_valid_i,
  input  wire [ContextW-1:0]                  score_context_i,
  input  wire [SlotW-1:0]                     score_slot_i,
  input  wire [LaneW-1:0]                     score_lane_i,
  output wire                                 score_take_o,
  output wire                                 score_valid_o,

  // Items of each sample, and its layer's tables.
  input  wire [Contexts-1:0]                  item_valid_i,
  input  wire [Contexts-1:0]                  item_clear_i,
  input  wire [Contexts*SlotW-1:0]            item_slot_i,
  input  wire [Contexts*SynapseAddrW-1:0]     item_column_i,
  input  wire [Contexts*LaneW-1:0]            item_lane_i,
  output wire [Contexts-1:0]                  item_take_o,
  input  wire [Contexts*SynapseAddrW-1:0]     stride_i,
  input  wire [Contexts*3*SegmentW-1:0]       segments_i,
  output wire [Contexts-1:0]                  busy_o,

  output wire                                 fetch_o,
  output wire [ContextW-1:0]                  fetch_context_o,
  output wire [SlotW-1:0]                     fetch_slot_o,
  output wire [LaneW-1:0]                     fetch_lane_o,
  output wire                                 fetch_score_o,    // the state, not its change
  input  wire signed [ValueWidth-1:0]         fetch_value_i,

  // The pass that reads sums, and products; while update_i the operand is that of an update.
  input  wire                                 pass_i,
  input  wire [ContextW-1:0]                  pass_context_i,
  input  wire [SlotW-1:0]                     pass_slot_i,
  input  wire                                 update_i,
  input  wire signed [OperandWidth-1:0]       update_operand_i,
  output wire [SynapseAddrW-1:0]              synapse_raddr_o,
  output wire signed [OperandWidth-1:0]       mac_operand_o,
  output wire [1:0]                           mac_kind_o,
  output wire [ContextW-1:0]                  mac_context_o,
  output wire [2:0]                           mac_forward_o,
  output wire [Contexts*SlotW-1:0]            sum_raddr_o,
  output wire [3*Contexts-1:0]                sum_re_o,
  output wire [SlotW-1:0]                     sum_waddr_o,
  output wire [3*Contexts-1:0]                sum_we_o,
  output wire                                 clear_o,
  output wire [Contexts-1:0]                  state_clear_o,

  output wire                                 event_o,          // an event starts
  output wire                                 issue_o           // a product starts
);

  localparam EventRoomW = 4;
  localparam [EventRoomW:0] OneEvent = 1;
  localparam [EventRoomW:0] NoEvents = 0;

  // Whose turn: the input, the scores, then the sample that was served last, if it has items.
  wire                 room;
  reg  [ContextW-1:0]  served_q, chosen;
  wire [Contexts-1:0]  served_valid;
  integer              i;
  genvar               g;

  generate
    for (g = 0; g < Contexts; g = g + 1) begin : gen_served
      localparam [31:0] Index = g;
      assign served_valid[g] = item_valid_i[g] && served_q == Index[ContextW-1:0];
    end
  endgenerate

  always @* begin
    chosen = served_q;
    for (i = Contexts - 1; i >= 0; i = i - 1) begin
      if (served_valid == {Contexts{1'b0}} && item_valid_i[i]) begin
        chosen = i[ContextW-1:0];
      end
    end
  end

  wire item_take;
  assign input_take_o = room && input_valid_i;
  assign score_take_o = room && !input_valid_i && score_valid_i;
  assign item_take    = room && !input_valid_i && !score_valid_i
                        && item_valid_i != {Contexts{1'b0}};

  generate
    for (g = 0; g < Contexts; g = g + 1) begin : gen_take
      localparam [31:0] Index = g;
      assign item_take_o[g] = item_take && chosen == Index[ContextW-1:0];
    end
  endgenerate

  // The one that was taken, and what its address is made of.
  reg                    valid_q, input_q, score_q, clear_q;
  reg [ContextW-1:0]     context_q;
  reg [SlotW-1:0]        slot_q;
  reg [LaneW-1:0]        lane_q;
  reg [SynapseAddrW-1:0] column_q, stride_q;
  reg [XWidth-1:0]       word_q;

  // The chosen item.
  reg                    item_clear;
  reg [SlotW-1:0]        item_slot;
  reg [LaneW-1:0]        item_lane;
  reg [SynapseAddrW-1:0] item_column, item_stride;
  integer                j;

  always @* begin
    item_clear  = 1'b0;
    item_slot   = {SlotW{1'b0}};
    item_lane   = {LaneW{1'b0}};
    item_column = {SynapseAddrW{1'b0}};
    item_stride = {SynapseAddrW{1'b0}};
    for (j = 0; j < Contexts; j = j + 1) begin
      if (chosen == j[ContextW-1:0]) begin
        item_clear  = item_clear_i[j];
        item_slot   = item_slot_i[SlotW*j +: SlotW];
        item_lane   = item_lane_i[LaneW*j +: LaneW];
        item_column = item_column_i[SynapseAddrW*j +: SynapseAddrW];
        item_stride = stride_i[SynapseAddrW*j +: SynapseAddrW];
      end
    end
  end

  always @(posedge clk_i) begin
    valid_q <= !rst_i && (input_take_o || score_take_o || item_take);
    input_q <= input_valid_i;
    score_q <= !input_valid_i && score_valid_i;
    clear_q <= !input_valid_i && !score_valid_i && item_clear;
    word_q  <= input_word_i;
    if (rst_i) begin
      served_q <= {ContextW{1'b0}};
    end else if (item_take) begin
      served_q <= chosen;
    end
    if (input_valid_i) begin
      context_q <= input_context_i;
      column_q  <= input_addr_i;
      lane_q    <= {LaneW{1'b0}};
    end else if (score_valid_i) begin
      context_q <= score_context_i;
      slot_q    <= score_slot_i;
      lane_q    <= score_lane_i;
    end else begin
      context_q <= chosen;
      slot_q    <= item_slot;
      lane_q    <= item_lane;
      column_q  <= item_column;
      stride_q  <= item_stride;
    end
  end

  assign fetch_o         = valid_q;
  assign fetch_context_o = context_q;
  assign fetch_slot_o    = slot_q;
  assign fetch_lane_o    = lane_q;
  assign fetch_score_o   = score_q;
  assign event_o         = valid_q && !score_q && !clear_q;

  // The address of an event's column, that of its slot's lane 0 + lane x stride. The product is a
  // sum over the lane's bits, in two halves.
  localparam HighLaneW = LaneW / 2;
  localparam LowLaneW  = LaneW - HighLaneW;

  reg  [SynapseAddrW-1:0] low, high, low_q, high_q, sum_q, column_2_q, column_3_q, addr_q;
  wire [SynapseAddrW-1:0] addr;
  integer                 k;

  always @* begin
    low  = {SynapseAddrW{1'b0}};
    high = {SynapseAddrW{1'b0}};
    for (k = 0; k < LowLaneW; k = k + 1) begin
      low = low + (lane_q[k] ? stride_q << k : {SynapseAddrW{1'b0}});
    end
    for (k = LowLaneW; k < LaneW; k = k + 1) begin
      high = high + (lane_q[k] ? stride_q << k : {SynapseAddrW{1'b0}});
    end
  end

  always @(posedge clk_i) begin
    low_q      <= low;
    high_q     <= high;
    column_2_q <= column_q;
    sum_q      <= low_q + high_q;
    column_3_q <= column_2_q;
    addr_q     <= column_3_q + sum_q;
  end

  corinfo_delay #(.Width(SynapseAddrW), .Cycles(FetchCycles - 3)) u_addr (
    .clk_i(clk_i), .data_i(addr_q), .data_o(addr)
  );

  // What belongs to an event meets its value.
  wire                         valid, is_input, is_score, is_clear, unused_busy;
  wire [ContextW-1:0]          event_context;
  wire [XWidth-1:0]            word;
  wire signed [ValueWidth-1:0] value;

  corinfo_valid #(.Cycles(FetchCycles)) u_valid (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(valid_q), .valid_o(valid), .busy_o(unused_busy)
  );
  corinfo_delay #(.Width(3 + ContextW + XWidth), .Cycles(FetchCycles)) u_event (
    .clk_i(clk_i),
    .data_i({input_q, score_q, clear_q, context_q, word_q}),
    .data_o({is_input, is_score, is_clear, event_context, word})
  );
  assign value         = is_input ? {{(ValueWidth - XWidth){1'b0}}, word} : fetch_value_i;
  assign score_valid_o = valid && is_score;

  wire                           mac_valid, mac_clear, mac_end;
  wire [ContextW-1:0]            mac_context;
  wire [SlotW-1:0]               mac_slot;
  wire [1:0]                     mac_kind;
  wire signed [OperandWidth-1:0] operand;

  corinfo_broadcast #(
    .Contexts    (Contexts),
    .ContextW    (ContextW),
    .Slots       (Slots),
    .SlotW       (SlotW),
    .SynapseAddrW(SynapseAddrW),
    .ValueWidth  (ValueWidth),
    .OperandWidth(OperandWidth),
    .AlignW      (AlignW),
    .SegmentW    (SegmentW),
    .DepthW      (EventRoomW)
  ) u_broadcast (
    .clk_i          (clk_i),
    .rst_i          (rst_i),
    .segments_i     (segments_i),
    .room_o         (room),
    .start_i        (valid_q && !score_q),
    .event_valid_i  (valid && !is_score),
    .event_clear_i  (is_clear),
    .event_context_i(event_context),
    .event_addr_i   (addr),
    .event_value_i  (value),
    .issue_o        (mac_valid),
    .clear_o        (mac_clear),
    .context_o      (mac_context),
    .synapse_addr_o (synapse_raddr_o),
    .operand_o      (operand),
    .slot_o         (mac_slot),
    .kind_o         (mac_kind),
    .end_o          (mac_end)
  );
  assign issue_o = mac_valid && !mac_clear;

  wire [Contexts-1:0] products_busy;
  corinfo_products #(
    .Contexts    (Contexts),
    .ContextW    (ContextW),
    .SlotW       (SlotW),
    .OperandWidth(OperandWidth),
    .ReadCycles  (ReadCycles)
  ) u_products (
    .clk_i           (clk_i),
    .rst_i           (rst_i),
    .issue_i         (mac_valid),
    .clear_i         (mac_clear),
    .context_i       (mac_context),
    .operand_i       (operand),
    .slot_i          (mac_slot),
    .kind_i          (mac_kind),
    .update_i        (update_i),
    .update_operand_i(update_operand_i),
    .pass_i          (pass_i),
    .pass_context_i  (pass_context_i),
    .pass_slot_i     (pass_slot_i),
    .operand_o       (mac_operand_o),
    .kind_o          (mac_kind_o),
    .context_o       (mac_context_o),
    .forward_o       (mac_forward_o),
    .sum_raddr_o     (sum_raddr_o),
    .sum_re_o        (sum_re_o),
    .sum_waddr_o     (sum_waddr_o),
    .sum_we_o        (sum_we_o),
    .clear_o         (clear_o),
    .state_clear_o   (state_clear_o),
    .busy_o          (products_busy)
  );

  // Events of a sample that were taken and are not through.
  generate
    for (g = 0; g < Contexts; g = g + 1) begin : gen_busy
      localparam [31:0] Index = g;
      reg  [EventRoomW:0] events_q;
      wire                begins, ends;
      assign begins = item_take_o[g] || (input_take_o && input_context_i == Index[ContextW-1:0]);
      assign ends   = mac_end && mac_context == Index[ContextW-1:0];

      always @(posedge clk_i) begin
        if (rst_i) begin
          events_q <= NoEvents;
        end else if (begins && !ends) begin
          events_q <= events_q + OneEvent;
        end else if (ends && !begins) begin
          events_q <= events_q - OneEvent;
        end
      end
      assign busy_o[g] = events_q != NoEvents || products_busy[g];
    end
  endgenerate

endmodule

`default_nettype wire

// Broadcasts events to the lanes: for each event (the address of its column of synapses and its
// value) one product per cycle for every slot of up to three segments, the targets of W, F and C,
// those that there are, in this order. An event that clears takes a cycle for each of all slots
// instead.
//
// Events come in through a queue; start_i counts those that the producer has under way, so that
// they always find room: room_o is high while another event may be started. The lanes' memories
// are addressed by synapse_addr_o in the same cycle as issue_o; what else is an output belongs to
// it, end_o to the event's last product. The tables of an event's sample are stable until then.

`timescale 1ns/1ps
`default_nettype none

module corinfo_broadcast #(
  parameter Contexts     = 1,
  parameter ContextW     = 1,
  parameter Slots        = 8,    // of all layers
  parameter SlotW        = 3,
  parameter SynapseAddrW = 9,
  parameter ValueWidth   = 18,
  parameter OperandWidth = 18,
  parameter AlignW       = 6,    // bits of a shift
  parameter SegmentW     = 15,   // 3 + 2 x SlotW + AlignW
  parameter DepthW       = 4     // room for 2^DepthW events
) (
  input  wire                             clk_i,
  input  wire                             rst_i,

  // By sample, the segments of the presynaptic layer, the first one in the lowest field; each from
  // the top: does another one follow, its kind (0 W, 1 F, 2 C), its slots after the first, its
  // first slot, the left shift of the value.
  input  wire [Contexts*3*SegmentW-1:0]   segments_i,

  output wire                             room_o,
  input  wire                             start_i,         // an event that arrives later
  input  wire                             event_valid_i,
  input  wire                             event_clear_i,
  input  wire [ContextW-1:0]              event_context_i,
  input  wire [SynapseAddrW-1:0]          event_addr_i,
  input  wire signed [ValueWidth-1:0]     event_value_i,

  output wire                             issue_o,
  output wire                             clear_o,         // the slot's sums and state become 0
  output wire [ContextW-1:0]              context_o,
  output wire [SynapseAddrW-1:0]          synapse_addr_o,
  output wire signed [OperandWidth-1:0]   operand_o,
  output wire [SlotW-1:0]                 slot_o,
  output wire [1:0]                       kind_o,
  output wire                             end_o
);

  localparam                ExtendW   = OperandWidth - ValueWidth + 1;
  localparam [DepthW:0]     LastRoom  = (1 << DepthW) - 1;
  localparam [DepthW:0]     OneRoom   = 1;
  localparam [31:0]         LastSlotWord = Slots - 1;
  localparam [SlotW-1:0]    OneSlot   = 1;
  localparam [SlotW-1:0]    NoSlots   = 0;

  wire                         head_valid, head_take, head_clear;
  wire [ContextW-1:0]          head_context;
  wire [SynapseAddrW-1:0]      head_addr;
  wire signed [ValueWidth-1:0] head_value;

  corinfo_fifo #(
    .Width(1 + ContextW + SynapseAddrW + ValueWidth),
    .AddrW(DepthW)
  ) u_events (
    .clk_i  (clk_i),
    .rst_i  (rst_i),
    .put_i  (event_valid_i),
    .data_i ({event_clear_i, event_context_i, event_addr_i, event_value_i}),
    .valid_o(head_valid),
    .data_o ({head_clear, head_context, head_addr, head_value}),
    .take_i (head_take)
  );

  // Room: events that were started and have not left the queue. One place stays free, because a
  // producer's start shows a cycle after it saw the room.
  reg  [DepthW:0] used_q;
  reg             room_q;
  wire [DepthW:0] used;
  assign used   = (start_i && !head_take) ? used_q + OneRoom
                  : (head_take && !start_i) ? used_q - OneRoom : used_q;
  assign room_o = room_q;

  always @(posedge clk_i) begin
    used_q <= rst_i ? {(DepthW + 1){1'b0}} : used;
    room_q <= rst_i || used < LastRoom;
  end

  // The event after the one being broadcast, beside its segments.
  reg                         next_valid_q, next_clear_q;
  reg [ContextW-1:0]          next_context_q;
  reg [SynapseAddrW-1:0]      next_addr_q;
  reg signed [ValueWidth-1:0] next_value_q;
  reg [3*SegmentW-1:0]        next_segments_q;
  wire                        take;

  reg [3*SegmentW-1:0] head_segments;
  integer              i;

  always @* begin
    head_segments = segments_i[3*SegmentW-1:0];
    for (i = 1; i < Contexts; i = i + 1) begin
      if (head_context == i[ContextW-1:0]) begin
        head_segments = segments_i[3*SegmentW*i +: 3*SegmentW];
      end
    end
    if (head_clear) begin
      head_segments = {{(3 * SegmentW - SlotW - SlotW - AlignW){1'b0}},
          LastSlotWord[SlotW-1:0], {SlotW{1'b0}}, {AlignW{1'b0}}};
    end
  end

  assign head_take = head_valid && (!next_valid_q || take);

  always @(posedge clk_i) begin
    if (rst_i) begin
      next_valid_q <= 1'b0;
    end else if (head_take) begin
      next_valid_q <= 1'b1;
    end else if (take) begin
      next_valid_q <= 1'b0;
    end
    if (head_take) begin
      next_clear_q    <= head_clear;
      next_context_q  <= head_context;
      next_addr_q     <= head_addr;
      next_value_q    <= head_value;
      next_segments_q <= head_segments;
    end
  end

  // The event being broadcast: one slot per cycle, segment after segment. The segment under way,
  // those after it, and what is known a cycle ahead: is this its last slot, and the event's?
  reg                          active_q, clear_q, last_slot_q, last_q;
  reg  [ContextW-1:0]          context_q;
  reg                          more_q;
  reg  [1:0]                   kind_q;
  reg  [SlotW-1:0]             left_q, slot_q;   // slots of the segment after this one
  reg  [AlignW-1:0]            align_q;
  reg  [2*SegmentW-1:0]        rest_q;
  reg  [SynapseAddrW-1:0]      addr_q;
  reg  signed [ValueWidth-1:0] value_q;

  wire              first_more;
  wire [1:0]        first_kind;
  wire [SlotW-1:0]  first_left, first_slot;
  wire [AlignW-1:0] first_align;
  assign take = next_valid_q && (!active_q || last_q);
  assign {first_more, first_kind, first_left, first_slot, first_align} =
      take ? next_segments_q[SegmentW-1:0] : rest_q[SegmentW-1:0];

  always @(posedge clk_i) begin
    if (rst_i) begin
      active_q <= 1'b0;
    end else if (take) begin
      active_q <= 1'b1;
    end else if (last_q) begin
      active_q <= 1'b0;
    end
    if (take || last_slot_q) begin
      more_q      <= first_more;
      kind_q      <= first_kind;
      left_q      <= first_left;
      slot_q      <= first_slot;
      align_q     <= first_align;
      last_slot_q <= first_left == NoSlots;
      last_q      <= first_left == NoSlots && !first_more;
      rest_q      <= take ? next_segments_q[3*SegmentW-1:SegmentW]
                          : {{SegmentW{1'b0}}, rest_q[2*SegmentW-1:SegmentW]};
    end else begin
      left_q      <= left_q - OneSlot;
      slot_q      <= slot_q + OneSlot;
      last_slot_q <= left_q == OneSlot;
      last_q      <= left_q == OneSlot && !more_q;
    end
    if (take) begin
      clear_q   <= next_clear_q;
      context_q <= next_context_q;
      addr_q    <= next_addr_q;
      value_q   <= next_value_q;
    end else begin
      addr_q <= addr_q + {{(SynapseAddrW - 1){1'b0}}, 1'b1};
    end
  end

  assign issue_o        = active_q;
  assign clear_o        = clear_q;
  assign context_o      = context_q;
  assign synapse_addr_o = addr_q;
  assign slot_o         = slot_q;
  assign kind_o         = kind_q;
  assign operand_o      = $signed({{ExtendW{value_q[ValueWidth-1]}}, value_q[ValueWidth-2:0]})
                          <<< align_q;
  assign end_o          = active_q && last_q;

endmodule

`default_nettype wire

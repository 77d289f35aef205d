// Broadcasts events to the lanes: for each event (the address of its column of synapses and its
// value) one product per cycle for every slot of up to three segments, the targets of W, F and C
// in this order.
//
// Events come in through a queue; start_i counts those that the producer has under way, so that
// they always find room: room_o is high while another event may be started. The lanes' memories
// are addressed by synapse_addr_o in the same cycle as issue_o; operand_o, slot_o and kind_o
// belong to it. The segments' tables are those of the presynaptic layer and are stable
// while busy_o.

`default_nettype none

module corinfo_broadcast #(
  parameter SlotW        = 3,
  parameter SynapseAddrW = 9,
  parameter ValueWidth   = 18,
  parameter OperandWidth = 18,
  parameter AlignW       = 6,    // bits of a shift
  parameter DepthW       = 3     // room for 2^DepthW events
) (
  input  wire                           clk_i,
  input  wire                           rst_i,

  // Segments of the presynaptic layer, W in the lowest field: slots, first slot, left shift of
  // the value.
  input  wire [3*SlotW+2:0]             segment_count_i,   // SlotW + 1 bits each
  input  wire [3*SlotW-1:0]             segment_slot_i,
  input  wire [3*AlignW-1:0]            segment_align_i,

  input  wire                           enable_i,          // products may be issued
  output wire                           room_o,
  input  wire                           start_i,           // an event that arrives later
  input  wire                           event_valid_i,
  input  wire [SynapseAddrW-1:0]        event_addr_i,
  input  wire signed [ValueWidth-1:0]   event_value_i,

  output wire                           issue_o,
  output wire [SynapseAddrW-1:0]        synapse_addr_o,
  output wire signed [OperandWidth-1:0] operand_o,
  output wire [SlotW-1:0]               slot_o,
  output wire [1:0]                     kind_o,
  output wire                           busy_o
);

  localparam            CountW  = SlotW + 1;
  localparam            ExtendW = OperandWidth - ValueWidth + 1;
  localparam [DepthW:0] LastRoom = (1 << DepthW) - 1;
  localparam [DepthW:0] OneRoom = 1;

  localparam [1:0] KindW = 2'd0;
  localparam [1:0] KindF = 2'd1;
  localparam [1:0] KindC = 2'd2;
  localparam [CountW-1:0] OneSlot = 1;
  localparam [CountW-1:0] NoSlots = 0;

  wire                         head_valid, take;
  wire [SynapseAddrW-1:0]      head_addr;
  wire signed [ValueWidth-1:0] head_value;

  corinfo_fifo #(
    .Width(SynapseAddrW + ValueWidth),
    .AddrW(DepthW)
  ) u_events (
    .clk_i  (clk_i),
    .rst_i  (rst_i),
    .put_i  (event_valid_i),
    .data_i ({event_addr_i, event_value_i}),
    .valid_o(head_valid),
    .data_o ({head_addr, head_value}),
    .take_i (take)
  );

  // Room: events that were started and have not left the queue. One place stays free, because a
  // producer's start may show a cycle after it saw the room.
  reg [DepthW:0] used_q;
  assign room_o = used_q < LastRoom;

  always @(posedge clk_i) begin
    if (rst_i) begin
      used_q <= {(DepthW + 1){1'b0}};
    end else if (start_i && !take) begin
      used_q <= used_q + OneRoom;
    end else if (take && !start_i) begin
      used_q <= used_q - OneRoom;
    end
  end

  // The event being broadcast: one slot per cycle, segment after segment.
  reg                           active_q;
  reg  [1:0]                    kind_q;
  reg  [CountW-1:0]             left_q;     // slots of this segment after this one
  reg  [SlotW-1:0]              slot_q;
  reg  [SynapseAddrW-1:0]       addr_q;
  reg  signed [ValueWidth-1:0]  value_q;

  wire [CountW-1:0] count_w, count_f, count_c;
  wire [SlotW-1:0]  slot_w, slot_f, slot_c;
  wire [AlignW-1:0] align_w, align_f, align_c;
  assign {count_c, count_f, count_w} = segment_count_i;
  assign {slot_c, slot_f, slot_w}    = segment_slot_i;
  assign {align_c, align_f, align_w} = segment_align_i;

  wire       segment_end, event_end;
  wire [1:0] first_kind, next_kind;
  wire       more;
  assign segment_end = left_q == NoSlots;
  assign first_kind  = (count_w != NoSlots) ? KindW : (count_f != NoSlots) ? KindF : KindC;
  assign next_kind   = (kind_q == KindW && count_f != NoSlots) ? KindF : KindC;
  assign more        = (kind_q == KindW) ? count_f != NoSlots || count_c != NoSlots :
                       kind_q == KindF && count_c != NoSlots;
  assign event_end   = segment_end && !more;

  assign take = head_valid && enable_i && (!active_q || event_end);

  wire [1:0] kind_d;
  assign kind_d = take ? first_kind : next_kind;

  always @(posedge clk_i) begin
    if (rst_i) begin
      active_q <= 1'b0;
    end else if (take) begin
      active_q <= 1'b1;
    end else if (active_q && event_end) begin
      active_q <= 1'b0;
    end
    if (take || (active_q && segment_end)) begin
      kind_q <= kind_d;
      left_q <= ((kind_d == KindW) ? count_w : (kind_d == KindF) ? count_f : count_c) - OneSlot;
      slot_q <= (kind_d == KindW) ? slot_w : (kind_d == KindF) ? slot_f : slot_c;
    end else begin
      left_q <= left_q - OneSlot;
      slot_q <= slot_q + {{(SlotW - 1){1'b0}}, 1'b1};
    end
    if (take) begin
      addr_q  <= head_addr;
      value_q <= head_value;
    end else begin
      addr_q <= addr_q + {{(SynapseAddrW - 1){1'b0}}, 1'b1};
    end
  end

  wire [AlignW-1:0] align;
  assign align = (kind_q == KindW) ? align_w : (kind_q == KindF) ? align_f : align_c;

  assign issue_o        = active_q;
  assign synapse_addr_o = addr_q;
  assign slot_o         = slot_q;
  assign kind_o         = kind_q;
  assign operand_o      = $signed({{ExtendW{value_q[ValueWidth-1]}}, value_q[ValueWidth-2:0]})
                          <<< align;
  assign busy_o         = active_q || used_q != {(DepthW + 1){1'b0}};

endmodule

`default_nettype wire

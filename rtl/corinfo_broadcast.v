// Broadcasts events to the lanes: for each event (the address of its column of synapses and its
// value) one product per cycle for every slot of up to three segments, the targets of W, F and C
// in this order. An event that clears takes a cycle for each of all slots instead.
//
// Events come in through a queue; start_i counts those that the producer has under way, so that
// they always find room: room_o is high while another event may be started. The lanes' memories
// are addressed by synapse_addr_o in the same cycle as issue_o; what else is an output belongs to
// it, end_o to the event's last product. The tables of an event's sample are stable until then.

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
  parameter DepthW       = 4     // room for 2^DepthW events
) (
  input  wire                             clk_i,
  input  wire                             rst_i,

  // By sample, the segments of the presynaptic layer, W in the lowest field: slots, first slot,
  // left shift of the value.
  input  wire [Contexts*3*(SlotW+1)-1:0]  segment_count_i,
  input  wire [Contexts*3*SlotW-1:0]      segment_slot_i,
  input  wire [Contexts*3*AlignW-1:0]     segment_align_i,

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

  localparam                CountW    = SlotW + 1;
  localparam                ExtendW   = OperandWidth - ValueWidth + 1;
  localparam [DepthW:0]     LastRoom  = (1 << DepthW) - 1;
  localparam [DepthW:0]     OneRoom   = 1;
  localparam [31:0]         SlotsWord = Slots;
  localparam [CountW-1:0]   OneSlot   = 1;
  localparam [CountW-1:0]   NoSlots   = 0;

  localparam [1:0] KindW = 2'd0;
  localparam [1:0] KindF = 2'd1;
  localparam [1:0] KindC = 2'd2;

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

  // The event after the one being broadcast, beside what its layer's tables say.
  reg                         next_valid_q, next_clear_q;
  reg [ContextW-1:0]          next_context_q;
  reg [SynapseAddrW-1:0]      next_addr_q;
  reg signed [ValueWidth-1:0] next_value_q;
  reg [3*CountW-1:0]          next_count_q;
  reg [3*SlotW-1:0]           next_slot_q;
  reg [3*AlignW-1:0]          next_align_q;
  wire                        take;

  reg [3*CountW-1:0] head_count;
  reg [3*SlotW-1:0]  head_slot;
  reg [3*AlignW-1:0] head_align;
  integer            i;

  always @* begin
    head_count = {(3 * CountW){1'b0}};
    head_slot  = {(3 * SlotW){1'b0}};
    head_align = {(3 * AlignW){1'b0}};
    if (head_clear) begin
      head_count[CountW-1:0] = SlotsWord[CountW-1:0];
    end else begin
      for (i = 0; i < Contexts; i = i + 1) begin
        if (head_context == i[ContextW-1:0]) begin
          head_count = segment_count_i[3*CountW*i +: 3*CountW];
          head_slot  = segment_slot_i[3*SlotW*i +: 3*SlotW];
          head_align = segment_align_i[3*AlignW*i +: 3*AlignW];
        end
      end
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
      next_clear_q   <= head_clear;
      next_context_q <= head_context;
      next_addr_q    <= head_addr;
      next_value_q   <= head_value;
      next_count_q   <= head_count;
      next_slot_q    <= head_slot;
      next_align_q   <= head_align;
    end
  end

  wire [CountW-1:0] count_w, count_f, count_c;
  wire [SlotW-1:0]  slot_w, slot_f, slot_c;
  wire [AlignW-1:0] align_w, align_f, align_c;
  wire              has_w, has_f, has_c;
  assign {count_c, count_f, count_w} = next_count_q;
  assign {slot_c, slot_f, slot_w}    = next_slot_q;
  assign {align_c, align_f, align_w} = next_align_q;
  assign has_w = count_w != NoSlots;
  assign has_f = count_f != NoSlots;
  assign has_c = count_c != NoSlots;

  // The event being broadcast: one slot per cycle, segment after segment. Those of F and C that
  // are still to come, if any.
  reg                          active_q, clear_q, more_f_q, more_c_q;
  reg  [ContextW-1:0]          context_q;
  reg  [1:0]                   kind_q;
  reg  [CountW-1:0]            left_q;     // slots of this segment after this one
  reg  [SlotW-1:0]             slot_q;
  reg  [AlignW-1:0]            align_q;
  reg  [SynapseAddrW-1:0]      addr_q;
  reg  signed [ValueWidth-1:0] value_q;
  reg  [CountW-1:0]            count_f_q, count_c_q;
  reg  [SlotW-1:0]             slot_f_q, slot_c_q;
  reg  [AlignW-1:0]            align_f_q, align_c_q;

  wire segment_end, event_end;
  assign segment_end = left_q == NoSlots;
  assign event_end   = segment_end && !more_f_q && !more_c_q;
  assign take        = next_valid_q && (!active_q || event_end);

  always @(posedge clk_i) begin
    if (rst_i) begin
      active_q <= 1'b0;
    end else if (take) begin
      active_q <= 1'b1;
    end else if (event_end) begin
      active_q <= 1'b0;
    end
    if (take) begin
      kind_q    <= has_w ? KindW : has_f ? KindF : KindC;
      left_q    <= (has_w ? count_w : has_f ? count_f : count_c) - OneSlot;
      slot_q    <= has_w ? slot_w : has_f ? slot_f : slot_c;
      align_q   <= has_w ? align_w : has_f ? align_f : align_c;
      more_f_q  <= has_w && has_f;
      more_c_q  <= (has_w || has_f) && has_c;
      clear_q   <= next_clear_q;
      context_q <= next_context_q;
      addr_q    <= next_addr_q;
      value_q   <= next_value_q;
      count_f_q <= count_f - OneSlot;
      count_c_q <= count_c - OneSlot;
      slot_f_q  <= slot_f;
      slot_c_q  <= slot_c;
      align_f_q <= align_f;
      align_c_q <= align_c;
    end else begin
      addr_q <= addr_q + {{(SynapseAddrW - 1){1'b0}}, 1'b1};
      if (segment_end) begin
        kind_q   <= more_f_q ? KindF : KindC;
        left_q   <= more_f_q ? count_f_q : count_c_q;
        slot_q   <= more_f_q ? slot_f_q : slot_c_q;
        align_q  <= more_f_q ? align_f_q : align_c_q;
        more_f_q <= 1'b0;
        more_c_q <= more_f_q && more_c_q;
      end else begin
        left_q <= left_q - OneSlot;
        slot_q <= slot_q + {{(SlotW - 1){1'b0}}, 1'b1};
      end
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
  assign end_o          = active_q && event_end;

endmodule

`default_nettype wire

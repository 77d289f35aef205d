// Brings changes of signals to the sums that they enter: takes an event (a signal, a neuron, its change), finds the
// column of its synapses, and issues a product a cycle for every slot of every projection from the signal.
//
// Events come from the input, one after another, and from the neuron units' queues, one for each unit and sample in
// flight; those of a sample only while allow_i, and of the oldest sample first: it is the one whose answer is waited
// for, and the others fill the cycles in which it has none. What the queues hold is counted here, from what is put into
// them and what is taken: a queue's head comes 2 WireCycles after its take. busy_o tells by sample whether one waits or
// is under way, to its last sum's write; an event of the input a cycle after it is taken.
//
// Tables: SignalsFile has a word of 64 bits a signal: base of its columns 32, words of a column 16, first of its
// words in the file of WalkFile 16. That has a word of 32 bits for every word of a column: address of the sum 24,
// left shift of the change 8, which brings the product to the sum's binary point.
//
// From a take to the issue of its first product 6 + 2 WireCycles, and one more from a queue's put to its take; a
// product's synapse_raddr_o is in cycle 0 of corinfo_lane.

`timescale 1ns/1ps
`default_nettype none

module corinfo_events #(
  parameter Contexts     = 1,
  parameter ContextW     = 1,
  parameter Units        = 4,
  parameter UnitW        = 2,
  // verilator lint_off UNUSEDPARAM
  parameter SmallStyle   = "distributed",  // of small memories; "auto" where there are no distributed ones
  // verilator lint_on UNUSEDPARAM
  parameter ReadCycles   = 2,
  parameter WireCycles   = 0,   // to a unit, and back
  parameter QueueW       = 5,   // a queue has room for 2^QueueW events
  parameter SynapseAddrW = 9,
  parameter SumAddrW     = 5,
  parameter ChangeWidth  = 16,
  parameter OperandWidth = 18,
  parameter SignalW      = 3,
  parameter Signals      = 4,   // at least 2
  parameter SignalsFile  = "",
  parameter WalkDepth    = 16,
  parameter WalkFile     = "",
  parameter HostTables   = 1    // the host reads and writes both tables
) (
  input  wire                              clk_i,
  input  wire                              rst_i,
  input  wire [Contexts-1:0]               allow_i,
  input  wire [ContextW-1:0]               oldest_i,       // context of the oldest sample, those behind it following

  // The input.
  input  wire                              input_valid_i,
  input  wire [ContextW-1:0]               input_context_i,
  input  wire [SignalW-1:0]                input_signal_i,
  input  wire [15:0]                       input_neuron_i,
  input  wire signed [ChangeWidth-1:0]     input_change_i,
  output wire                              input_take_o,

  // The queues of the units: unit u's of context c at u x Contexts + c. A head is that of the context named, of all
  // units.
  input  wire [Units*Contexts-1:0]         queue_put_i,
  output reg  [Units*Contexts-1:0]         queue_take_o,
  output wire [ContextW-1:0]               queue_context_o,
  input  wire [Units*(SignalW+16+ChangeWidth)-1:0] queue_heads_i,

  output wire [Contexts-1:0]               busy_o,
  output wire                              event_o,        // one begins
  output wire                              product_o,      // one is issued

  // Sums. One that is cleared holds nothing: it is zero to whom reads it, and its next product begins it.
  input  wire [Contexts-1:0]               clear_i,
  input  wire [Contexts*SumAddrW-1:0]      read_addr_i,    // to clear, or to read
  output wire [Contexts-1:0]               zero_o,

  // Products.
  output wire [SynapseAddrW-1:0]           synapse_raddr_o,
  output wire signed [OperandWidth-1:0]    operand_o,      // ReadCycles later
  output wire [SumAddrW-1:0]               sum_addr_o,     // ReadCycles + 1 later
  output wire [Contexts-1:0]               sum_we_o,
  output wire                              sum_first_o,
  output wire                              sum_same_o,     // the product before, a cycle ago, was for the same sum

  // The host's access to signals, bit 0, and to the words of columns, bit 1, while no event is under way: see
  // corinfo_table.
  input  wire [1:0]                        host_i,
  input  wire [1:0]                        host_we_i,
  input  wire [19:0]                       host_row_i,
  input  wire [3:0]                        host_part_i,
  input  wire [31:0]                       host_data_i,
  output wire [31:0]                       host_word_o
);

  // Parameters that it cannot have: elaboration finds no module of the reason's name.
  generate
    if (Contexts < 1) begin : gen_check
      corinfo_error_contexts_below_1 u_error ();
    end else if (ContextW < 1 || (Contexts - 1) >> ContextW != 0) begin : gen_check
      corinfo_error_context_w_too_narrow u_error ();
    end else if (Units < 1) begin : gen_check
      corinfo_error_units_below_1 u_error ();
    end else if (UnitW < 1 || (Units - 1) >> UnitW != 0) begin : gen_check
      corinfo_error_unit_w_too_narrow u_error ();
    end else if (ReadCycles < 1) begin : gen_check
      corinfo_error_read_cycles_below_1 u_error ();
    end else if (WireCycles < 0) begin : gen_check
      corinfo_error_wire_cycles_below_0 u_error ();
    end else if (QueueW < 1) begin : gen_check
      corinfo_error_queue_w_below_1 u_error ();
    end else if (SynapseAddrW < 1 || SynapseAddrW > 32) begin : gen_check
      corinfo_error_synapse_addr_w_not_1_to_32 u_error ();
    end else if (SumAddrW < 1 || SumAddrW > 24) begin : gen_check
      corinfo_error_sum_addr_w_not_1_to_24 u_error ();
    end else if (ChangeWidth < 2) begin : gen_check
      corinfo_error_change_width_below_2 u_error ();
    end else if (OperandWidth < ChangeWidth) begin : gen_check
      corinfo_error_operand_width_below_change_width u_error ();
    end else if (Signals < 2) begin : gen_check
      corinfo_error_signals_below_2 u_error ();
    end else if (SignalW < 1 || (Signals - 1) >> SignalW != 0) begin : gen_check
      corinfo_error_signal_w_too_narrow u_error ();
    end else if (WalkDepth < 2 || WalkDepth > 65536) begin : gen_check
      corinfo_error_walk_depth_not_2_to_65536 u_error ();
    end
  endgenerate

  // Definitions of signal, printed from hdlgen/design/definitions.go.
  localparam BaseLow    = 0;
  localparam BaseBits   = 32;
  localparam StrideLow  = 32;
  localparam StrideBits = 16;
  localparam WalkLow    = 48;
  localparam WalkBits   = 16;
  localparam SignalBits = 64;
  // End of definitions.

  // Definitions of walk, printed from hdlgen/design/definitions.go.
  localparam SumLow    = 0;
  localparam SumBits   = 24;
  localparam ShiftLow  = 24;
  localparam ShiftBits = 8;
  localparam PlaceBits = 32;
  // End of definitions.

  localparam             EventW    = SignalW + 16 + ChangeWidth;
  localparam             Queues    = Units * Contexts;
  localparam             WalkAddrW = $clog2(WalkDepth);
  localparam             TableAddrW = $clog2(Signals);
  localparam             RoomW     = 4;                // events between their take and their last product
  localparam             HeadCycles = 2 * WireCycles;
  localparam [RoomW:0]   Room      = 1 << RoomW;
  localparam [RoomW:0]   OneRoom   = 1;

  // How many events are in each queue, that of context c and unit u at c x Units + u; those that may be taken now.
  wire [Queues-1:0]  ready, chosen, put;
  wire [Contexts-1:0] waiting;
  wire               from_input, turn, take, finish, some_room;
  reg  [RoomW:0]     room_q;
  reg                some_room_q;   // a cycle late, so that one is always left
  genvar g;
  generate
    for (g = 0; g < Queues; g = g + 1) begin : gen_count
      localparam [31:0]     OwnContext = g / Units;
      localparam [31:0]     OwnUnit    = g % Units;
      localparam [QueueW:0] OneEvent   = 1;
      reg  [QueueW:0] count_q;
      reg             valid_q;    // count_q is not zero
      wire            took;
      assign put[g]   = queue_put_i[OwnUnit*Contexts+OwnContext];
      assign ready[g] = valid_q && allow_i[OwnContext];
      assign took     = chosen[g] && turn;
      always @(posedge clk_i) begin
        if (rst_i) begin
          count_q <= {(QueueW + 1){1'b0}};
          valid_q <= 1'b0;
        end else if (put[g] && !took) begin
          count_q <= count_q + OneEvent;
          valid_q <= 1'b1;
        end else if (took && !put[g]) begin
          count_q <= count_q - OneEvent;
          valid_q <= count_q != OneEvent;
        end
        queue_take_o[OwnUnit*Contexts+OwnContext] <= took && !rst_i;
      end
    end
    for (g = 0; g < Contexts; g = g + 1) begin : gen_waiting
      wire [Units-1:0] own;
      genvar w;
      for (w = 0; w < Units; w = w + 1) begin : gen_unit
        assign own[w] = gen_count[g*Units+w].valid_q;
      end
      assign waiting[g] = own != {Units{1'b0}};
    end
  endgenerate

  // Choice: the oldest sample that had one a cycle ago, and the first of its units.
  reg                pick_q;
  reg [ContextW-1:0] pick_context_q;
  reg [UnitW-1:0]    pick_unit_q;
  reg [ContextW-1:0] chosen_context;
  reg [UnitW-1:0]    unit;
  integer            u, c;
  localparam [Contexts-1:0] OneContext = 1;
  localparam [Units-1:0]    OneUnit    = 1;
  wire [Contexts-1:0] has, older, eldest;
  reg  [Contexts-1:0] served_q;
  assign older  = has & ({Contexts{1'b1}} << oldest_i);
  assign eldest = (older != {Contexts{1'b0}}) ? older : has;
  generate
    for (g = 0; g < Contexts; g = g + 1) begin : gen_choice
      wire [Units-1:0] own;
      genvar w;
      assign own    = ready[Units*g +: Units];
      assign has[g] = own != {Units{1'b0}};
      // By OR of those before, as an adder's carry would take longer.
      for (w = 0; w < Units; w = w + 1) begin : gen_unit
        localparam [Units-1:0] Before = (OneUnit << w) - OneUnit;
        assign chosen[Units*g+w] = served_q[g] && own[w] && (own & Before) == {Units{1'b0}};
      end
    end
  endgenerate
  always @(posedge clk_i) begin
    served_q <= rst_i ? {Contexts{1'b0}} : eldest & (~eldest + OneContext);
  end

  always @* begin
    chosen_context = {ContextW{1'b0}};
    unit = {UnitW{1'b0}};
    for (c = 0; c < Contexts; c = c + 1) begin
      chosen_context = chosen_context | (served_q[c] ? c[ContextW-1:0] : {ContextW{1'b0}});
      for (u = 0; u < Units; u = u + 1) begin
        unit = unit | (chosen[c*Units+u] ? u[UnitW-1:0] : {UnitW{1'b0}});
      end
    end
  end

  // A queue that is chosen has an event: whether one is taken at all, which hangs on all queues, it need not know.
  assign some_room    = some_room_q;
  assign turn         = some_room && !input_valid_i;
  assign from_input   = input_valid_i && some_room;
  assign input_take_o = from_input;
  assign take         = some_room && (input_valid_i || (has & served_q) != {Contexts{1'b0}});

  always @(posedge clk_i) begin
    pick_q         <= !rst_i && take && !from_input;
    pick_context_q <= chosen_context;
    pick_unit_q    <= unit;
    some_room_q    <= !rst_i && room_q > OneRoom;
    if (rst_i) begin
      room_q <= Room;
    end else begin
      room_q <= room_q - (take ? OneRoom : {(RoomW + 1){1'b0}})
                + (finish ? OneRoom : {(RoomW + 1){1'b0}});
    end
  end
  assign queue_context_o = pick_context_q;

  // The event: of the queue when its head is there, of the input at the same time.
  reg                          in_q;
  reg  [ContextW-1:0]          in_context_q;
  reg  [EventW-1:0]            in_event_q;
  wire                         head_valid, in_valid, unused_head_busy, unused_in_busy;
  wire [ContextW-1:0]          head_context, in_context;
  wire [UnitW-1:0]             head_unit;
  wire [EventW-1:0]            in_event, head;
  always @(posedge clk_i) begin
    in_q         <= !rst_i && from_input;
    in_context_q <= input_context_i;
    in_event_q   <= {input_signal_i, input_neuron_i, input_change_i};
  end
  corinfo_valid #(.Cycles(HeadCycles)) u_head_valid (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(pick_q), .valid_o(head_valid), .busy_o(unused_head_busy)
  );
  corinfo_valid #(.Cycles(HeadCycles)) u_in_valid (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(in_q), .valid_o(in_valid), .busy_o(unused_in_busy)
  );
  corinfo_delay #(.Width(ContextW + UnitW), .Cycles(HeadCycles)) u_head_place (
    .clk_i(clk_i), .data_i({pick_context_q, pick_unit_q}), .data_o({head_context, head_unit})
  );
  corinfo_delay #(.Width(ContextW + EventW), .Cycles(HeadCycles)) u_in_event (
    .clk_i(clk_i), .data_i({in_context_q, in_event_q}), .data_o({in_context, in_event})
  );
  corinfo_choice #(.Width(EventW), .Count(Units), .IndexW(UnitW)) u_head (
    .index_i(head_unit), .words_i(queue_heads_i), .word_o(head)
  );

  // Its column: tables, product, sum.
  reg                          event_q, looked_q, known_q, scaled_q, placed_q;
  reg  [ContextW-1:0]          event_context_q, looked_context_q, known_context_q, scaled_context_q, placed_context_q;
  reg  [SignalW-1:0]           signal_q;
  reg  [15:0]                  neuron_q, looked_neuron_q, known_neuron_q;
  reg  signed [ChangeWidth-1:0] change_q, looked_change_q, known_change_q, scaled_change_q, placed_change_q;
  wire [SignalBits-1:0]        entry;
  reg  [SignalBits-1:0]        entry_q;
  reg  [31:0]                  scaled_base_q, scaled_column_q;
  reg  [15:0]                  scaled_stride_q, scaled_walk_q, placed_stride_q, placed_walk_q;
  reg  [31:0]                  placed_addr_q;
  wire [31:0]                  signal_word;
  assign signal_word = {{(32 - SignalW){1'b0}}, signal_q};

  wire [31:0] host_signal, host_place;
  assign host_word_o = host_signal | host_place;
  corinfo_table #(
    .Width(SignalBits), .Depth(Signals), .InitFile(SignalsFile), .Host(HostTables)
  ) u_signals (
    .clk_i(clk_i), .addr_i(signal_word[TableAddrW-1:0]), .data_o(entry), .host_i(host_i[0]), .host_we_i(host_we_i[0]),
    .host_row_i(host_row_i), .host_part_i(host_part_i), .host_data_i(host_data_i), .host_word_o(host_signal)
  );

  always @(posedge clk_i) begin
    event_q  <= !rst_i && (head_valid || in_valid);
    looked_q <= !rst_i && event_q;
    known_q  <= !rst_i && looked_q;
    scaled_q <= !rst_i && known_q;
    placed_q <= !rst_i && scaled_q;
    event_context_q                <= head_valid ? head_context : in_context;
    {signal_q, neuron_q, change_q} <= head_valid ? head : in_event;
    looked_context_q <= event_context_q;
    looked_neuron_q  <= neuron_q;
    looked_change_q  <= change_q;
    known_context_q  <= looked_context_q;
    known_change_q   <= looked_change_q;
    known_neuron_q   <= looked_neuron_q;
    entry_q          <= entry;
    scaled_context_q <= known_context_q;
    scaled_change_q  <= known_change_q;
    scaled_column_q  <= known_neuron_q * entry_q[StrideLow +: StrideBits];
    scaled_base_q    <= entry_q[BaseLow +: BaseBits];
    scaled_stride_q  <= entry_q[StrideLow +: StrideBits];
    scaled_walk_q    <= entry_q[WalkLow +: WalkBits];
    placed_context_q <= scaled_context_q;
    placed_change_q  <= scaled_change_q;
    placed_addr_q    <= scaled_base_q + scaled_column_q;
    placed_stride_q  <= scaled_stride_q;
    placed_walk_q    <= scaled_walk_q;
  end

  // The queue of events whose columns are known, and the walk over the words of one.
  localparam NextW = ContextW + ChangeWidth + SynapseAddrW + 32;
  wire                          next_valid, next_take;
  wire [ContextW-1:0]           next_context;
  wire signed [ChangeWidth-1:0] next_change;
  wire [SynapseAddrW-1:0]       next_addr;
  wire [15:0]                   next_stride, next_walk;
  corinfo_fifo #(.Width(NextW), .AddrW(RoomW)) u_queue (
    .clk_i(clk_i), .rst_i(rst_i), .put_i(placed_q),
    .data_i({placed_context_q, placed_change_q, placed_addr_q[SynapseAddrW-1:0], placed_stride_q,
             placed_walk_q}),
    .valid_o(next_valid),
    .data_o({next_context, next_change, next_addr, next_stride, next_walk}),
    .take_i(next_take)
  );

  reg                          walk_q, last_q;   // last_q: with walk_q, the word is the last
  reg [ContextW-1:0]           context_q;
  reg signed [ChangeWidth-1:0] value_q;
  reg [SynapseAddrW-1:0]       addr_q;
  reg [15:0]                   left_q, at_q;
  wire                         last;
  assign last      = last_q;
  assign next_take = next_valid && (!walk_q || last);
  assign event_o   = next_take;
  assign product_o = walk_q;
  assign finish    = last;

  always @(posedge clk_i) begin
    if (rst_i) begin
      walk_q <= 1'b0;
      last_q <= 1'b0;
    end else if (next_take) begin
      walk_q <= 1'b1;
      last_q <= next_stride == 16'd1;
    end else begin
      walk_q <= walk_q && !last;
      last_q <= walk_q && left_q == 16'd2;
    end
    if (next_take) begin
      context_q <= next_context;
      value_q   <= next_change;
      addr_q    <= next_addr;
      left_q    <= next_stride;
      at_q      <= next_walk;
    end else begin
      addr_q <= addr_q + {{(SynapseAddrW - 1){1'b0}}, 1'b1};
      left_q <= left_q - 16'd1;
      at_q   <= at_q + 16'd1;
    end
  end

  // What the word is to be added to, a cycle later; the lanes have the address then.
  wire [PlaceBits-1:0]         place;
  reg                          issue_q, final_q;
  reg [ContextW-1:0]           issue_context_q;
  reg signed [ChangeWidth-1:0] issue_value_q;
  reg [SynapseAddrW-1:0]       issue_addr_q;
  corinfo_table #(
    .Width(PlaceBits), .Depth(WalkDepth), .InitFile(WalkFile), .Host(HostTables)
  ) u_walk (
    .clk_i(clk_i), .addr_i(at_q[WalkAddrW-1:0]), .data_o(place), .host_i(host_i[1]), .host_we_i(host_we_i[1]),
    .host_row_i(host_row_i), .host_part_i(host_part_i), .host_data_i(host_data_i), .host_word_o(host_place)
  );
  always @(posedge clk_i) begin
    issue_q         <= walk_q && !rst_i;
    final_q         <= last && !rst_i;
    issue_context_q <= context_q;
    issue_value_q   <= value_q;
    issue_addr_q    <= addr_q;
  end
  assign synapse_raddr_o = issue_addr_q;

  reg  signed [OperandWidth-1:0] shifted_q;
  wire signed [OperandWidth-1:0] issue_value;
  assign issue_value = {{(OperandWidth - ChangeWidth + 1){issue_value_q[ChangeWidth-1]}},
      issue_value_q[ChangeWidth-2:0]};
  always @(posedge clk_i) begin
    shifted_q <= issue_value <<< place[ShiftLow +: ShiftBits];
  end
  corinfo_delay #(.Width(OperandWidth), .Cycles(ReadCycles - 1)) u_operand (
    .clk_i(clk_i), .data_i(shifted_q), .data_o(operand_o)
  );
  wire [SumBits-1:0]  sum_word;
  wire [SumAddrW-1:0] sum_addr;
  assign sum_word = place[SumLow +: SumBits];
  assign sum_addr = sum_word[SumAddrW-1:0];
  corinfo_delay #(.Width(SumAddrW), .Cycles(ReadCycles + 1)) u_sum_addr (
    .clk_i(clk_i), .data_i(sum_addr), .data_o(sum_addr_o)
  );

  // By context: products, which sums have begun, and the last of an event.
  wire [Contexts-1:0] ended, begun, mine_bits;
  reg                 issued_q;
  reg [SumAddrW-1:0]  issued_addr_q;
  reg [ContextW-1:0]  issued_context_q;
  always @(posedge clk_i) begin
    issued_q         <= issue_q;
    issued_addr_q    <= sum_addr;
    issued_context_q <= issue_context_q;
  end
  corinfo_delay #(.Width(2), .Cycles(ReadCycles + 1)) u_first (
    .clk_i(clk_i),
    .data_i({(begun & mine_bits) == {Contexts{1'b0}},
             issued_q && issued_addr_q == sum_addr && issued_context_q == issue_context_q}),
    .data_o({sum_first_o, sum_same_o})
  );
  generate
    for (g = 0; g < Contexts; g = g + 1) begin : gen_context
      localparam [31:0] Index = g;
      wire mine, unused_busy, unused_last_busy, begins;
      reg  [RoomW+1:0] count_q;
      assign mine = issue_context_q == Index[ContextW-1:0];
      assign mine_bits[g] = mine;

      (* ram_style = SmallStyle *)
      reg  written [0:(1 << SumAddrW)-1];
      wire [SumAddrW-1:0] read_addr;
      assign read_addr = read_addr_i[SumAddrW*g +: SumAddrW];
      assign zero_o[g] = !written[read_addr];
      assign begun[g]  = written[sum_addr];
      always @(posedge clk_i) begin
        if (clear_i[g] || (issue_q && mine)) begin
          written[clear_i[g] ? read_addr : sum_addr] <= !clear_i[g];
        end
      end
      corinfo_valid #(.Cycles(ReadCycles + 1)) u_we (
        .clk_i(clk_i), .rst_i(rst_i), .valid_i(issue_q && mine), .valid_o(sum_we_o[g]),
        .busy_o(unused_busy)
      );
      corinfo_valid #(.Cycles(ReadCycles + 3)) u_ended (
        .clk_i(clk_i), .rst_i(rst_i), .valid_i(final_q && mine), .valid_o(ended[g]),
        .busy_o(unused_last_busy)
      );
      assign begins = from_input ? input_context_i == Index[ContextW-1:0]
                                 : take && chosen_context == Index[ContextW-1:0];
      always @(posedge clk_i) begin
        if (rst_i) begin
          count_q <= {(RoomW + 2){1'b0}};
        end else if (begins && !ended[g]) begin
          count_q <= count_q + {{(RoomW + 1){1'b0}}, 1'b1};
        end else if (ended[g] && !begins) begin
          count_q <= count_q - {{(RoomW + 1){1'b0}}, 1'b1};
        end
      end
      assign busy_o[g] = count_q != {(RoomW + 2){1'b0}} || waiting[g];
    end
  endgenerate

  wire unused_bits;
  assign unused_bits = ^{placed_addr_q, place, sum_word, at_q, signal_word};

endmodule

`default_nettype wire

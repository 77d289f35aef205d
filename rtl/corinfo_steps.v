// Runs the steps of neurons, for one sample at a time: looks the step up, holds the sums of a slot, lets every unit
// visit its neurons and, as many cycles later as the step's pipeline has, write what came of them.
//
// start_i takes a step with what it needs of its sample; done_o is high in its last cycle, and reading_o until its
// sums and words have been read. visit_* are for the units' first stage: operands stand behind them a cycle later,
// results stage by stage, and write_* come with them.
//
// What a step is, kind_i:
//   0 neurons  every neuron of a layer computes its next words, or factors
//   1 clear    words and sums of all layers become zero
//   2 shared   the words that a layer's neurons share: a word of the neurons is reduced to one (its sum, or its
//              largest) in every unit, then over the units, one a cycle; then the shared pipeline
//   3 answer   the last layer's words go out one a cycle, in the order of neurons
//
// Tables: StepsFile has a word of 176 bits a step, fields of 16 bits from the lowest on: flags and graph, first slot,
// slots, first index, neurons, latency, kinds of sums that it reads, layer and signal, factor base, kept base,
// number of its postsynaptic factors.
// ConstantsFile has four words a row of constants: of an inference, and while learning without nudging, with positive
// and with negative beta.

`timescale 1ns/1ps
`default_nettype none

module corinfo_steps #(
  parameter Lanes          = 16,
  parameter Units          = 4,
  parameter UnitW          = 2,
  parameter Subs           = 4,
  parameter SubW           = 2,
  parameter Kinds          = 3,
  parameter KindW          = 2,
  parameter SlotW          = 3,
  parameter Slots          = 8,
  parameter IndexW         = 5,
  parameter Contexts       = 1,
  parameter ContextW       = 1,
  parameter SumAddrW       = 5,
  parameter SampleW        = 1,
  parameter FactorAddrW    = 5,
  parameter KeptAddrW      = 6,
  parameter LabelW         = 4,
  parameter Steps          = 8,    // at least 2
  parameter StepsFile      = "",
  parameter Rows           = 8,    // of constants
  parameter ConstantsWidth = 32,
  parameter ConstantsFile  = "",
  parameter HostTables     = 1,    // the host reads and writes steps, not only constants
  parameter WireCycles     = 0     // to the units, and back
) (
  input  wire                         clk_i,
  input  wire                         rst_i,

  input  wire                         start_i,
  input  wire [1:0]                   kind_i,
  input  wire [7:0]                   step_i,
  input  wire [15:0]                  row_i,
  input  wire [1:0]                   moment_i,
  input  wire [ContextW-1:0]          context_i,
  input  wire [SampleW-1:0]           sample_i,
  input  wire [LabelW-1:0]            label_i,
  input  wire                         learn_i,
  output wire                         done_o,
  output wire                         busy_o,
  output wire [Contexts-1:0]          reading_o,

  // The step under way; stable.
  output wire [7:0]                   step_o,
  output wire [7:0]                   graph_o,
  output wire [ContextW-1:0]          context_o,
  output wire [15:0]                  neurons_o,
  output wire [15:0]                  label_o,         // its neuron, or one that no layer has
  output wire [7:0]                   signal_o,
  output wire [7:0]                   layer_o,
  output wire                         largest_o,       // of a reduction: the largest, not the sum
  output wire [ConstantsWidth-1:0]    constants_o,

  // The host's access to rows of constants, bit 0, and to steps, bit 1, while none is under way: see corinfo_table.
  input  wire [1:0]                   host_i,
  input  wire [1:0]                   host_we_i,
  input  wire [19:0]                  host_row_i,
  input  wire [3:0]                   host_part_i,
  input  wire [31:0]                  host_data_i,
  output wire [31:0]                  host_word_o,

  // Sums.
  output wire                         hold_o,
  output wire [KindW-1:0]             hold_kind_o,
  output wire [Contexts*SumAddrW-1:0] sum_addr_o,
  output wire [Contexts-1:0]          sum_mine_o,      // the sums of a context are addressed here
  output wire [Contexts-1:0]          sum_clear_o,

  // Neuron units.
  output wire                         visit_o,
  output wire [SubW-1:0]              visit_sub_o,
  output wire [IndexW-1:0]            visit_index_o,
  output wire [15:0]                  visit_neuron_o,
  output wire                         clear_o,         // with visit_*: the words become zero
  output wire                         reduce_o,        // with visit_*: the word is taken into the reduction
  output wire                         reduce_first_o,  // the reduction begins
  output wire                         write_o,
  output wire [SubW-1:0]              write_sub_o,
  output wire [IndexW-1:0]            write_index_o,
  output wire [15:0]                  write_neuron_o,
  output wire                         event_o,         // with write_*: changes of signal_o are events
  output wire                         factor_we_o,     // with write_*
  output wire [FactorAddrW-1:0]       factor_waddr_o,
  output wire                         factors_o,       // with done_o: all factors of factors_number_o are written
  output wire [15:0]                  factors_number_o,
  output wire [SampleW-1:0]           factors_sample_o,
  output wire                         kept_we_o,
  output wire [KeptAddrW-1:0]         kept_waddr_o,

  // The shared words.
  output wire                         combine_o,
  output wire                         combine_first_o,
  output wire [UnitW-1:0]             combine_unit_o,
  output wire                         shared_write_o,

  // The answer: a word of a unit's, 2 WireCycles and two cycles later.
  output wire                         answer_o,
  output wire [UnitW-1:0]             answer_unit_o,
  output wire [LabelW-1:0]            answer_index_o
);

  // Parameters that it cannot have: elaboration finds no module of the reason's name.
  generate
    if (Units * Subs != Lanes || Lanes < 1 || Lanes > 65535) begin : gen_check
      corinfo_error_lanes_not_units_x_subs u_error ();
    end else if (UnitW < 1 || UnitW > 16 || (Units - 1) >> UnitW != 0) begin : gen_check
      corinfo_error_unit_w_not_of_units u_error ();
    end else if (SubW < 1 || SubW > 16 || (Subs - 1) >> SubW != 0) begin : gen_check
      corinfo_error_sub_w_not_of_subs u_error ();
    end else if (Kinds < 1) begin : gen_check
      corinfo_error_kinds_below_1 u_error ();
    end else if (KindW < 1 || (Kinds - 1) >> KindW != 0) begin : gen_check
      corinfo_error_kind_w_too_narrow u_error ();
    end else if (Slots < 1) begin : gen_check
      corinfo_error_slots_below_1 u_error ();
    end else if (SlotW < 1 || (Slots - 1) >> SlotW != 0) begin : gen_check
      corinfo_error_slot_w_too_narrow u_error ();
    end else if (IndexW < 1 || IndexW > 16 || (Slots * Subs - 1) >> IndexW != 0) begin : gen_check
      corinfo_error_index_w_not_of_slots_x_subs u_error ();
    end else if (Contexts < 1) begin : gen_check
      corinfo_error_contexts_below_1 u_error ();
    end else if (ContextW < 1 || (Contexts - 1) >> ContextW != 0) begin : gen_check
      corinfo_error_context_w_too_narrow u_error ();
    end else if (SumAddrW < SlotW + KindW) begin : gen_check
      corinfo_error_sum_addr_w_too_narrow u_error ();
    end else if (SampleW < 1) begin : gen_check
      corinfo_error_sample_w_below_1 u_error ();
    end else if (FactorAddrW < 1 || FactorAddrW > 16) begin : gen_check
      corinfo_error_factor_addr_w_not_1_to_16 u_error ();
    end else if (KeptAddrW < 1 || KeptAddrW > 16) begin : gen_check
      corinfo_error_kept_addr_w_not_1_to_16 u_error ();
    end else if (LabelW < 1 || LabelW > 16) begin : gen_check
      corinfo_error_label_w_not_1_to_16 u_error ();
    end else if (Steps < 2 || Steps > 256) begin : gen_check
      corinfo_error_steps_not_2_to_256 u_error ();
    end else if (Rows < 1 || Rows > 16384) begin : gen_check
      corinfo_error_rows_not_1_to_16384 u_error ();
    end else if (WireCycles < 0) begin : gen_check
      corinfo_error_wire_cycles_below_0 u_error ();
    end
  endgenerate

  // Definitions of step, printed from hdlgen/design/definitions.go.
  localparam GraphLow       = 0;
  localparam GraphBits      = 8;
  localparam PullLow        = 8;
  localparam ChangesLow     = 9;
  localparam PostLow        = 10;
  localparam PreLow         = 11;
  localparam LargestLow     = 12;
  localparam SlotBaseLow    = 16;
  localparam SlotBaseBits   = 16;
  localparam SlotCountLow   = 32;
  localparam SlotCountBits  = 16;
  localparam IndexBaseLow   = 48;
  localparam IndexBaseBits  = 16;
  localparam NeuronsLow     = 64;
  localparam NeuronsBits    = 16;
  localparam LatencyLow     = 80;
  localparam LatencyBits    = 16;
  localparam KindsLow       = 96;
  localparam KindsBits      = 16;
  localparam SignalLow      = 112;
  localparam SignalBits     = 8;
  localparam LayerLow       = 120;
  localparam LayerBits      = 8;
  localparam FactorBaseLow  = 128;
  localparam FactorBaseBits = 16;
  localparam KeptBaseLow    = 144;
  localparam KeptBaseBits   = 16;
  localparam NumberLow      = 160;
  localparam NumberBits     = 16;
  localparam EntryBits      = 176;
  // End of definitions.

  // Definitions of kinds, printed from hdlgen/design/definitions.go.
  localparam [1:0] KindNeurons = 2'd0;
  localparam [1:0] KindClear   = 2'd1;
  localparam [1:0] KindShared  = 2'd2;
  localparam [1:0] KindAnswer  = 2'd3;
  // End of definitions.

  localparam             StepAddrW    = $clog2(Steps);
  localparam             RowDepth     = 4 * Rows;
  localparam             RowAddrW     = $clog2(RowDepth);
  localparam [31:0]      SlotsWord    = Slots;
  localparam [31:0]      KindsWord    = Kinds;
  localparam [31:0]      DepthWord    = Slots * Subs;
  localparam [31:0]      LastUnitWord = Units - 1;
  localparam [31:0]      SettleWord   = 2 * WireCycles + 2;
  localparam [31:0]      LastSubWord  = Subs - 1;
  localparam [UnitW-1:0] LastUnit     = LastUnitWord[UnitW-1:0];
  localparam [SubW-1:0]  LastSub      = LastSubWord[SubW-1:0];

  localparam [2:0] StateIdle    = 3'd0;
  localparam [2:0] StateLook    = 3'd1;  // the tables are read
  localparam [2:0] StateWalk    = 3'd2;
  localparam [2:0] StateSettle  = 3'd3;  // the last word comes to the reduction, the last score out
  localparam [2:0] StateCombine = 3'd4;
  localparam [2:0] StateWait    = 3'd5;  // the shared pipeline
  localparam [2:0] StateAnswer  = 3'd6;
  localparam [2:0] StateLast    = 3'd7;

  reg [2:0]           state_q;
  reg [1:0]           kind_q, moment_q;
  reg [7:0]           step_q;
  reg [15:0]          row_q;
  reg [ContextW-1:0]  context_q;
  reg [SampleW-1:0]   sample_q;
  reg [LabelW-1:0]    label_q;
  reg                 learn_q, looked_q, reading_q;
  reg [15:0]          count_q;

  always @(posedge clk_i) begin
    if (start_i) begin
      kind_q    <= kind_i;
      moment_q  <= moment_i;
      step_q    <= step_i;
      row_q     <= row_i;
      context_q <= context_i;
      sample_q  <= sample_i;
      label_q   <= label_i;
      learn_q   <= learn_i;
    end
  end

  // The tables.
  wire [EntryBits-1:0] entry;
  wire [RowAddrW+1:0]  row_word;
  assign row_word = {row_q[RowAddrW-1:0], moment_q};
  wire [31:0]          host_constants, host_step;
  assign host_word_o = host_constants | host_step;
  corinfo_table #(
    .Width(EntryBits), .Depth(Steps), .InitFile(StepsFile), .Host(HostTables)
  ) u_steps (
    .clk_i(clk_i), .addr_i(step_q[StepAddrW-1:0]), .data_o(entry), .host_i(host_i[1]), .host_we_i(host_we_i[1]),
    .host_row_i(host_row_i), .host_part_i(host_part_i), .host_data_i(host_data_i), .host_word_o(host_step)
  );
  corinfo_table #(
    .Width(ConstantsWidth), .Depth(RowDepth), .InitFile(ConstantsFile)
  ) u_constants (
    .clk_i(clk_i), .addr_i(row_word[RowAddrW-1:0]), .data_o(constants_o), .host_i(host_i[0]),
    .host_we_i(host_we_i[0]), .host_row_i(host_row_i), .host_part_i(host_part_i), .host_data_i(host_data_i),
    .host_word_o(host_constants)
  );

  wire [15:0] slot_base, slot_count, index_base, latency, kinds, factor_base, kept_base;
  wire        pull, signal, factor, kept;
  assign graph_o     = entry[GraphLow +: GraphBits];
  assign pull        = entry[PullLow];
  assign signal      = entry[ChangesLow];
  assign factor      = entry[PostLow];
  assign kept        = entry[PreLow];
  assign largest_o   = entry[LargestLow];
  assign slot_base   = entry[SlotBaseLow +: SlotBaseBits];
  assign slot_count  = entry[SlotCountLow +: SlotCountBits];
  assign index_base  = entry[IndexBaseLow +: IndexBaseBits];
  assign neurons_o   = entry[NeuronsLow +: NeuronsBits];
  assign latency     = entry[LatencyLow +: LatencyBits];
  assign kinds       = entry[KindsLow +: KindsBits];
  assign signal_o    = entry[SignalLow +: SignalBits];
  assign layer_o     = entry[LayerLow +: LayerBits];
  assign factor_base = entry[FactorBaseLow +: FactorBaseBits];
  assign kept_base   = entry[KeptBaseLow +: KeptBaseBits];
  assign factors_o        = done_o && factor && kind_q == KindNeurons;
  assign factors_number_o = entry[NumberLow +: NumberBits];
  assign factors_sample_o = sample_q;
  assign step_o      = step_q;
  assign context_o   = context_q;
  wire [15:0] label_word;
  assign label_word  = {{(16 - LabelW){1'b0}}, label_q};
  assign label_o     = (pull && learn_q && label_word < neurons_o) ? label_word : 16'hffff;

  // The walks: of reading, and as many cycles later as the pipeline has, of writing.
  wire             go, clear, walking, holds, visits, writing, unused_holds;
  wire [KindW-1:0] unused_write_kind;
  wire [SlotW-1:0] slot, write_slot;
  wire [IndexW-1:0] walk_index;
  reg              delayed_q;
  reg [7:0]        delay_q;
  reg [KindW:0]    kinds_q;
  reg              clear_q;
  assign clear = clear_q;
  always @(posedge clk_i) begin   // the table is read a cycle before
    clear_q <= kind_q == KindClear;
    kinds_q <= (kind_q == KindClear) ? KindsWord[KindW:0] : kinds[KindW:0];
  end
  assign go    = state_q == StateLook && looked_q && kind_q != KindAnswer;

  corinfo_walk #(
    .Lanes(Lanes), .Subs(Subs), .SubW(SubW), .KindW(KindW), .SlotW(SlotW), .IndexW(IndexW)
  ) u_read (
    .clk_i       (clk_i),
    .rst_i       (rst_i),
    .start_i     (go),
    .slot_base_i (clear ? {SlotW{1'b0}} : slot_base[SlotW-1:0]),
    .slot_count_i(clear ? SlotsWord[SlotW:0] : slot_count[SlotW:0]),
    .index_base_i(clear ? {IndexW{1'b0}} : index_base[IndexW-1:0]),
    .kinds_i     (kinds_q),
    .active_o    (walking),
    .hold_o      (holds),
    .kind_o      (hold_kind_o),
    .slot_o      (slot),
    .visit_o     (visits),
    .sub_o       (visit_sub_o),
    .index_o     (walk_index),
    .neuron_o    (visit_neuron_o)
  );

  corinfo_walk #(
    .Lanes(Lanes), .Subs(Subs), .SubW(SubW), .KindW(KindW), .SlotW(SlotW), .IndexW(IndexW)
  ) u_write (
    .clk_i       (clk_i),
    .rst_i       (rst_i),
    .start_i     (delayed_q && delay_q == 8'd0),
    .slot_base_i (slot_base[SlotW-1:0]),
    .slot_count_i(slot_count[SlotW:0]),
    .index_base_i(index_base[IndexW-1:0]),
    .kinds_i     (kinds_q),
    .active_o    (writing),
    .hold_o      (unused_holds),
    .kind_o      (unused_write_kind),
    .slot_o      (write_slot),
    .visit_o     (write_o),
    .sub_o       (write_sub_o),
    .index_o     (write_index_o),
    .neuron_o    (write_neuron_o)
  );

  always @(posedge clk_i) begin
    if (rst_i) begin
      delayed_q <= 1'b0;
    end else if (go) begin
      delayed_q <= kind_q == KindNeurons;
    end else if (delay_q == 8'd0) begin
      delayed_q <= 1'b0;
    end
    if (go) begin
      delay_q <= latency[7:0];
    end else begin
      delay_q <= delay_q - 8'd1;
    end
  end

  assign hold_o   = holds && !clear;
  assign clear_o  = visits && clear;
  assign reduce_o = kind_q == KindShared;
  reg went_q;   // units know the formula a cycle after it is told
  always @(posedge clk_i) begin
    went_q <= go && !rst_i;
  end
  assign reduce_first_o = went_q;

  genvar c;
  generate
    for (c = 0; c < Contexts; c = c + 1) begin : gen_context
      localparam [31:0] Index = c;
      wire mine, unused_address;
      wire [31:0] address;
      assign unused_address = ^address;
      assign mine           = context_q == Index[ContextW-1:0];
      assign address        = {{(32 - SlotW - KindW){1'b0}}, slot, {KindW{1'b0}}}
                              | {{(32 - KindW){1'b0}}, hold_kind_o};
      assign sum_addr_o[SumAddrW*c +: SumAddrW] = address[SumAddrW-1:0];
      assign sum_mine_o[c]  = mine && walking;
      assign sum_clear_o[c] = mine && holds && clear;
      assign reading_o[c]   = mine && reading_q;
    end
  endgenerate

  // Where a visit's results go: sample x Slots, sample x Slots x Subs, without a multiplier.
  reg  [31:0]            sample_slots, sample_words;
  reg  [FactorAddrW-1:0] factor_q;
  reg  [KeptAddrW-1:0]   kept_q;
  integer                i;
  always @* begin
    sample_slots = 32'd0;
    sample_words = 32'd0;
    for (i = 0; i < SampleW; i = i + 1) begin
      sample_slots = sample_slots + (sample_q[i] ? SlotsWord << i : 32'd0);
      sample_words = sample_words + (sample_q[i] ? DepthWord << i : 32'd0);
    end
  end
  always @(posedge clk_i) begin
    factor_q <= sample_slots[FactorAddrW-1:0] + factor_base[FactorAddrW-1:0];
    kept_q   <= sample_words[KeptAddrW-1:0] + kept_base[KeptAddrW-1:0];
  end
  wire [31:0] slot_word, index_word;
  assign slot_word      = {{(32 - SlotW){1'b0}}, write_slot};
  assign index_word     = {{(32 - IndexW){1'b0}}, write_index_o};
  assign event_o        = write_o && signal;
  assign factor_we_o    = write_o && factor;
  assign factor_waddr_o = factor_q + slot_word[FactorAddrW-1:0];
  assign kept_we_o      = write_o && kept;
  assign kept_waddr_o   = kept_q + index_word[KeptAddrW-1:0];

  // The answer, neuron by neuron.
  reg  [SubW-1:0]   sub_q;
  reg  [UnitW-1:0]  unit_q;
  reg  [IndexW-1:0] first_q;   // index of the slot's first lane of a unit
  wire              last_answer;
  wire [IndexW-1:0] sub_word;
  generate
    if (IndexW > SubW) begin : gen_sub
      assign sub_word = {{(IndexW - SubW){1'b0}}, sub_q};
    end else begin : gen_all
      assign sub_word = sub_q[IndexW-1:0];
    end
  endgenerate
  assign last_answer    = count_q == neurons_o - 16'd1;
  assign answer_o       = state_q == StateAnswer;
  assign answer_unit_o  = unit_q;
  assign answer_index_o = count_q[LabelW-1:0];
  assign visit_o        = (visits && !clear) || answer_o;
  assign visit_index_o  = answer_o ? first_q + sub_word : walk_index;

  assign combine_o       = state_q == StateCombine;
  assign combine_first_o = count_q == 16'd0;
  assign combine_unit_o  = count_q[UnitW-1:0];
  assign shared_write_o  = state_q == StateWait && count_q == latency + 16'd1;
  assign done_o          = state_q == StateLast;
  assign busy_o          = state_q != StateIdle;

  wire walked;
  assign walked = kind_q == KindNeurons ? !walking && !writing && !delayed_q : !walking;

  always @(posedge clk_i) begin
    looked_q <= state_q == StateLook && !looked_q;
    if (rst_i) begin
      state_q   <= StateIdle;
      reading_q <= 1'b0;
    end else begin
      if (start_i) begin
        reading_q <= 1'b1;
      end else if (state_q == StateWalk && !walking) begin
        reading_q <= 1'b0;
      end else if (state_q == StateLast) begin
        reading_q <= 1'b0;
      end
      case (state_q)
        StateIdle: begin
          if (start_i) begin
            state_q <= StateLook;
          end
        end
        StateLook: begin
          if (looked_q) begin
            state_q <= kind_q == KindAnswer ? StateAnswer : StateWalk;
          end
          count_q <= 16'd0;
        end
        StateWalk: begin
          if (walked) begin
            state_q <= kind_q == KindShared ? StateSettle : StateLast;
          end
        end
        StateSettle: begin
          count_q <= (count_q == SettleWord[15:0]) ? 16'd0 : count_q + 16'd1;
          if (count_q == SettleWord[15:0]) begin
            state_q <= kind_q == KindAnswer ? StateLast : StateCombine;
          end
        end
        StateCombine: begin
          count_q <= (count_q[UnitW-1:0] == LastUnit) ? 16'd0 : count_q + 16'd1;
          if (count_q[UnitW-1:0] == LastUnit) begin
            state_q <= StateWait;
          end
        end
        StateWait: begin
          count_q <= count_q + 16'd1;
          if (count_q == latency + 16'd1) begin
            state_q <= StateLast;
          end
        end
        StateAnswer: begin
          count_q <= last_answer ? 16'd0 : count_q + 16'd1;
          if (last_answer) begin
            state_q <= StateSettle;
          end
        end
        default: begin
          state_q <= StateIdle;
        end
      endcase
    end
    if (state_q != StateAnswer) begin
      sub_q   <= {SubW{1'b0}};
      unit_q  <= {UnitW{1'b0}};
      first_q <= index_base[IndexW-1:0];
    end else if (sub_q != LastSub) begin
      sub_q <= sub_q + 1'b1;
    end else begin
      sub_q <= {SubW{1'b0}};
      if (unit_q != LastUnit) begin
        unit_q <= unit_q + 1'b1;
      end else begin
        unit_q  <= {UnitW{1'b0}};
        first_q <= first_q + LastSubWord[IndexW-1:0] + 1'b1;
      end
    end
  end

  wire unused_bits;
  assign unused_bits = ^{entry, row_q, row_word, slot_base, slot_count, index_base, latency, kinds,
                         factor_base, kept_base, slot_word, index_word, sample_slots, sample_words};

endmodule

`default_nettype wire

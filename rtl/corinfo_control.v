// Control of all lanes: what exists once in a design, while the lanes hold what exists per neuron
// and synapse. Contexts samples are in flight at once, each a corinfo_context that executes the
// program; they share corinfo_pass, which visits slots, corinfo_input and corinfo_events, which
// broadcast a sample and the changed states, corinfo_result and, once all samples of a mini-batch
// are done, corinfo_learn, which updates a matrix. corinfo_host and corinfo_counters face the
// outside. Here they are joined, and the lanes' shared ports given to who needs them.
//
// Commands go to the contexts in turn, the next one when the sample before has been taken, and
// results come in the same order. The command that completes a mini-batch is the last one until
// its update is done. Tables are packed, 32 bits an entry, entry 0 lowest: by layer, by 3 x layer +
// kind (0 W, 1 F, 2 C), or by matrix. Latencies in cycles are derived by the generator from the
// pipelines; the lanes are WireCycles away, and so are we for them.

`timescale 1ns/1ps
`default_nettype none

module corinfo_control #(
  parameter Lanes        = 16,
  parameter LaneW        = 4,
  parameter Contexts     = 1,     // samples in flight
  parameter ContextW     = 1,
  parameter Layers       = 3,     // with the input
  parameter Matrices     = 5,
  parameter Batch        = 1,
  parameter Inputs       = 784,   // neurons of layer 0
  parameter Outputs      = 10,    // neurons of the last layer
  parameter LabelW       = 4,
  parameter Slots        = 8,
  parameter SlotW        = 3,
  parameter KeptAddrW    = 4,
  parameter InputAddrW   = 10,
  parameter SynapseDepth = 512,   // words of a lane that hold synapses
  parameter SynapseAddrW = 9,
  parameter XWidth       = 9,
  parameter PreWidth     = 18,
  parameter ValueWidth   = 18,    // widest of input and PreWidth, with a sign
  parameter OperandWidth = 19,
  parameter ScoreWidth   = 12,
  parameter SynapseWidth = 16,
  parameter EtaWidth     = 17,
  parameter ConstantsWidth = 74,  // soma constants of one layer and sign
  parameter RateWidth    = 17,
  parameter Counters     = 26,    // of corinfo_counters
  parameter ReadCycles   = 2,     // of block memories
  parameter WireCycles   = 0,     // registers on the wires to the lanes, and as many back
  parameter SomaCycles   = 8,     // latencies of the pipelines
  parameter RecordCycles = 3,
  parameter ChangeCycles = 4,
  parameter UpdateCycles = 5,
  parameter RowAddrW     = 3,     // room for 2^RowAddrW rows of changed states, a layer's slots
  parameter TermAddrW    = 4,
  parameter TermStyle    = "auto",  // as corinfo_terms
  parameter Dense        = 0,     // 1: broadcast unchanged states and zero inputs too
  parameter ProgramDepth = 128,
  parameter ProgramAddrW = 7,
  parameter ProgramFile  = "",
  parameter ConstantsFile = "",   // 3 words a layer k = 1.. : beta none, positive, negative
  parameter RatesFile    = "",    // one word a matrix
  parameter [31:0] Seed  = 32'd0,
  parameter [32*Layers-1:0]     SlotBase    = 0,
  parameter [32*Layers-1:0]     SlotCount   = 0,
  parameter [32*Layers-1:0]     LastLanes   = 0,  // neurons in a layer's last slot
  parameter [32*Layers-1:0]     Neurons     = 0,
  parameter [32*Layers-1:0]     ColumnBase  = 0,  // first synapse of a layer's column 0
  parameter [32*Layers-1:0]     Stride      = 0,  // from column to column
  parameter [32*Layers-1:0]     RowStride   = 0,  // from slot to slot: Lanes columns
  parameter [96*Layers-1:0]     Align       = 0,
  parameter [96*Layers-1:0]     SegmentSlot = 0,
  // Of the segments of a column, in order: in bits 31 whether another one follows, 30:29 its kind,
  // 28:0 its slots after the first.
  parameter [96*Layers-1:0]     Segments    = 0,
  parameter [32*Matrices-1:0]   MatrixKind   = 0,
  parameter [32*Matrices-1:0]   MatrixPre    = 0,
  parameter [32*Matrices-1:0]   MatrixPost   = 0,
  parameter [32*Matrices-1:0]   MatrixOffset = 0  // in a column of the presynaptic layer
) (
  input  wire                            clk_i,
  input  wire                            rst_i,

  input  wire                            command_valid_i,
  output wire                            command_ready_o,
  input  wire                            command_learn_i,
  input  wire                            command_negative_i,
  input  wire [LabelW-1:0]               command_label_i,

  input  wire                            sample_valid_i,
  output wire                            sample_ready_o,
  input  wire [XWidth-1:0]               sample_data_i,

  output wire                            score_valid_o,
  output wire [LabelW-1:0]               score_index_o,
  output wire [ScoreWidth-1:0]           score_data_o,
  output wire                            result_valid_o,
  input  wire                            result_ready_i,
  output wire [LabelW-1:0]               result_class_o,

  input  wire                            host_valid_i,
  output wire                            host_ready_o,
  input  wire                            host_write_i,
  input  wire [31:0]                     host_address_i,
  input  wire [63:0]                     host_data_i,
  output wire                            host_done_o,
  output wire                            host_error_o,
  output wire [63:0]                     host_data_o,
  output wire                            idle_o,

  // To every lane; cycles as corinfo_lane counts them.
  output wire [SynapseAddrW-1:0]         synapse_raddr_o,
  output wire                            synapse_we_o,
  output wire [SynapseAddrW-1:0]         synapse_waddr_o,
  output wire                            host_we_o,
  output wire [LaneW-1:0]                host_lane_o,
  output wire [SynapseWidth-1:0]         host_word_o,
  output wire signed [OperandWidth-1:0]  mac_operand_o,
  output wire                            mac_update_o,
  output wire [1:0]                      mac_kind_o,
  output wire [ContextW-1:0]             mac_context_o,
  output wire [2:0]                      mac_forward_o,
  output wire [Contexts*SlotW-1:0]       sum_raddr_o,
  output wire [3*Contexts-1:0]           sum_re_o,
  output wire [SlotW-1:0]                sum_waddr_o,
  output wire [3*Contexts-1:0]           sum_we_o,
  output wire                            clear_o,
  output wire [Contexts-1:0]             state_clear_o,
  output wire                            update_first_o,
  output wire [1:0]                      factor_kind_o,
  output wire [KeptAddrW-1:0]            factor_raddr_o,
  output wire                            factor_we_o,
  output wire [KeptAddrW-1:0]            factor_waddr_o,
  output wire [KeptAddrW-1:0]            pre_raddr_o,
  output wire [2:0]                      pre_kind_o,
  output wire [ContextW-1:0]             pre_context_o,
  output wire [127:0]                    keys_o,
  output wire                            symmetric_o,
  output wire [15:0]                     row_base_o,
  output wire [15:0]                     column_o,
  output wire                            soma_run_o,     // the pipeline of settling works
  output wire                            record_run_o,   // that of recording
  output wire [ContextW-1:0]             soma_context_o,
  output wire [Contexts*SlotW-1:0]       slot_raddr_o,
  output wire [Contexts-1:0]             slot_re_o,
  output wire                            soma_we_o,
  output wire [SlotW-1:0]                soma_waddr_o,
  output wire                            label_hit_o,
  output wire [LaneW-1:0]                label_lane_o,
  output wire                            missing_o,
  output wire [LaneW-1:0]                missing_lane_o,

  // Constants of the instruction under way.
  output wire [7:0]                      layer_o,
  output wire [7:0]                      matrix_o,
  output wire                            restart_o,
  output wire                            second_o,
  output wire [EtaWidth-1:0]             eta_o,
  output wire [ConstantsWidth-1:0]       constants_o,
  output wire [RateWidth-1:0]            rate_o,

  // Interneurons: a sample begins in a context, a pass begins; new states are beside state_valid_o.
  output wire                            begin_o,
  output wire [ContextW-1:0]             begin_context_o,
  output wire                            pass_start_o,
  output wire                            state_last_o,     // the layer's last slot
  input  wire [Contexts-1:0]             interneuron_busy_i,
  input  wire                            interneuron_done_i,
  input  wire [ContextW-1:0]             interneuron_context_i,
  input  wire                            interneuron_moved_i,
  input  wire [2:0]                      interneuron_flags_i,   // overflows of excess, q_u, q

  // With what the lanes answer: new states, factors, new synapses.
  output wire                            record_valid_o,
  output wire                            state_valid_o,
  output wire [ContextW-1:0]             state_context_o,
  output wire [SlotW-1:0]                state_slot_o,
  output wire                            synapse_valid_o,
  output wire [SynapseAddrW-1:0]         synapse_addr_o,

  // From the lanes, 2 x WireCycles after what they answer.
  input  wire [Lanes*PreWidth-1:0]       pre_i,
  input  wire [Lanes-1:0]                changed_i,
  // With soma_we_o: a potential moved or overflowed.
  input  wire [Lanes-1:0]                moved_i,
  // With soma_we_o: overflows of current, lateral, drive, u, r.
  input  wire [5*Lanes-1:0]              soma_flags_i,
  input  wire [3*Lanes-1:0]              record_flags_i,   // with factor_we_o: overflows of e, d, c
  // With synapse_we_o: overflows of sum and synapse, lost.
  input  wire [3*Lanes-1:0]              update_flags_i
);

  localparam [2:0] PreNothing = 3'd0;
  localparam [2:0] PreKept    = 3'd1;
  localparam [2:0] PreC       = 3'd2;
  localparam [2:0] PreState   = 3'd3;
  localparam [2:0] PreDelta   = 3'd4;
  localparam [2:0] PreSynapse = 3'd5;

  localparam [1:0] KindC = 2'd2;

  localparam SampleW    = (Batch > 1) ? $clog2(Batch) : 1;
  localparam AlignW     = 6;
  localparam CountW     = SlotW + 1;
  localparam SegmentW   = 3 + 2 * SlotW + AlignW;
  localparam BackCycles = 2 * WireCycles;

  localparam [31:0] LayersWord     = Layers;
  localparam [7:0]  LastLayer      = LayersWord[7:0] - 8'd1;
  localparam        ConstantsDepth = 3 * (Layers - 1);
  localparam        ConstantsAddrW = $clog2(ConstantsDepth);

  // Commands and results.
  wire [ContextW-1:0] load_context, turn, closer;
  wire [SampleW-1:0]  samples, load_sample;
  wire [LabelW-1:0]   load_label;
  wire                load_learn, load_negative, load_last, loaded, host_busy, batch_done;
  wire [Contexts-1:0] accept, idle, answered, taken, batches_done;
  assign batch_done = batches_done != {Contexts{1'b0}};
  assign idle_o     = idle == {Contexts{1'b1}} && !begin_o;

  corinfo_commands #(
    .Contexts(Contexts),
    .ContextW(ContextW),
    .LabelW  (LabelW),
    .Batch   (Batch),
    .SampleW (SampleW)
  ) u_commands (
    .clk_i          (clk_i),
    .rst_i          (rst_i),
    .valid_i        (command_valid_i),
    .ready_o        (command_ready_o),
    .learn_i        (command_learn_i),
    .negative_i     (command_negative_i),
    .label_i        (command_label_i),
    .hold_i         (host_valid_i || host_busy),
    .idle_i         (idle),
    .accept_o       (accept),
    .accepted_o     (begin_o),
    .samples_o      (samples),
    .load_context_o (load_context),
    .load_sample_o  (load_sample),
    .load_last_o    (load_last),
    .load_learn_o   (load_learn),
    .load_negative_o(load_negative),
    .load_label_o   (load_label),
    .closer_o       (closer),
    .loaded_i       (loaded),
    .bad_i          (1'b0),
    .batch_done_i   (batch_done),
    .answered_i     (answered),
    .turn_o         (turn),
    .result_valid_o (result_valid_o),
    .result_ready_i (result_ready_i),
    .taken_o        (taken)
  );

  // The samples in flight.
  wire [Contexts-1:0]              want_pass, want_load, want_result, want_update;
  wire [Contexts-1:0]              grant_pass, grant_result, grant_update;
  wire [Contexts-1:0]              mine, events_busy, settles, records, loads, updates;
  wire [Contexts-1:0]              item_valid, item_clear, item_take;
  wire [Contexts*SlotW-1:0]        item_slot;
  wire [Contexts*SynapseAddrW-1:0] item_column, strides;
  wire [Contexts*LaneW-1:0]        item_lane;
  wire [Contexts*3*SegmentW-1:0]   segments;

  // Fields of an instruction: those that a pass needs, and those of an update.
  localparam FieldsW = 8 + 1 + 1 + 1 + EtaWidth + 2 + 1 + LabelW + 1 + 1 + SlotW + CountW
                       + LaneW + 1 + 2 * KeptAddrW;
  wire [Contexts*FieldsW-1:0]      fields;
  wire [Contexts*9-1:0]            update_fields;
  wire [Contexts*SynapseAddrW-1:0] column_bases;
  wire [Contexts*SlotW-1:0]        slot_bases;

  // Who has the pass, the input, the scores.
  reg  [ContextW-1:0] owner_q;
  reg                 claimed_q;
  wire                pass_busy, load_busy, result_busy, learn_busy;
  wire                soma_valid, row_valid, moved;
  wire [SlotW-1:0]    row_slot;
  assign moved = soma_valid && moved_i != {Lanes{1'b0}};

  genvar c;
  generate
    for (c = 0; c < Contexts; c = c + 1) begin : gen_context
      localparam [31:0] Index = c;
      wire                    step_moved, owner, role, second, restart, learn, negate;
      wire [7:0]              layer, matrix;
      wire [EtaWidth-1:0]     eta;
      wire [1:0]              beta;
      wire [LabelW-1:0]       label;
      wire [SlotW-1:0]        slot_base;
      wire [SlotW:0]          slot_count;
      wire [LaneW:0]          last_lanes;
      wire [KeptAddrW-1:0]    own_base, other_base;
      assign owner   = owner_q == Index[ContextW-1:0];
      assign mine[c] = (claimed_q && owner)
                       || (load_busy && load_context == Index[ContextW-1:0])
                       || (result_busy && turn == Index[ContextW-1:0])
                       || (learn_busy && updates[c]) || interneuron_busy_i[c];
      assign step_moved = interneuron_done_i && interneuron_moved_i
                          && interneuron_context_i == Index[ContextW-1:0];

      corinfo_context #(
        .Lanes       (Lanes),
        .LaneW       (LaneW),
        .Layers      (Layers),
        .Batch       (Batch),
        .SampleW     (SampleW),
        .LabelW      (LabelW),
        .Slots       (Slots),
        .SlotW       (SlotW),
        .KeptAddrW   (KeptAddrW),
        .SynapseAddrW(SynapseAddrW),
        .EtaWidth    (EtaWidth),
        .ReadCycles  (ReadCycles),
        .RowAddrW    (RowAddrW),
        .Dense       (Dense),
        .ProgramDepth(ProgramDepth),
        .ProgramAddrW(ProgramAddrW),
        .ProgramFile (ProgramFile),
        .SlotBase    (SlotBase),
        .SlotCount   (SlotCount),
        .LastLanes   (LastLanes),
        .ColumnBase  (ColumnBase),
        .Stride      (Stride),
        .RowStride   (RowStride),
        .Align       (Align),
        .SegmentSlot (SegmentSlot),
        .Segments    (Segments),
        .AlignW      (AlignW),
        .SegmentW    (SegmentW)
      ) u_context (
        .clk_i             (clk_i),
        .rst_i             (rst_i),
        .accept_i          (accept[c]),
        .command_learn_i   (load_learn),
        .command_negative_i(load_negative),
        .command_label_i   (load_label),
        .command_sample_i  (load_sample),
        .command_last_i    (load_last),
        .idle_o            (idle[c]),
        .answered_o        (answered[c]),
        .result_taken_i    (taken[c]),
        .batch_done_o      (batches_done[c]),
        .want_pass_o       (want_pass[c]),
        .want_load_o       (want_load[c]),
        .want_result_o     (want_result[c]),
        .want_update_o     (want_update[c]),
        .grant_i           (grant_pass[c] || want_load[c] || grant_result[c] || grant_update[c]),
        .mine_i            (mine[c]),
        .events_busy_i     (events_busy[c]),
        .moved_i           ((moved && owner) || step_moved),
        .settle_o          (settles[c]),
        .record_o          (records[c]),
        .load_o            (loads[c]),
        .update_o          (updates[c]),
        .layer_o           (layer),
        .matrix_o          (matrix),
        .restart_o         (restart),
        .role_o            (role),
        .second_o          (second),
        .negate_o          (negate),
        .eta_o             (eta),
        .beta_o            (beta),
        .learn_o           (learn),
        .label_o           (label),
        .slot_base_o       (slot_base),
        .slot_count_o      (slot_count),
        .last_lanes_o      (last_lanes),
        .column_base_o     (column_bases[SynapseAddrW*c +: SynapseAddrW]),
        .stride_o          (strides[SynapseAddrW*c +: SynapseAddrW]),
        .segments_o        (segments[3*SegmentW*c +: 3*SegmentW]),
        .own_base_o        (own_base),
        .other_base_o      (other_base),
        .row_valid_i       (row_valid && owner),
        .row_slot_i        (row_slot),
        .row_changed_i     (changed_i),
        .item_valid_o      (item_valid[c]),
        .item_clear_o      (item_clear[c]),
        .item_slot_o       (item_slot[SlotW*c +: SlotW]),
        .item_column_o     (item_column[SynapseAddrW*c +: SynapseAddrW]),
        .item_lane_o       (item_lane[LaneW*c +: LaneW]),
        .item_take_i       (item_take[c])
      );
      assign fields[FieldsW*c +: FieldsW] = {layer, role, second, restart, eta, beta, learn, label,
          settles[c], records[c], slot_base, slot_count, last_lanes,
          own_base, other_base};
      assign update_fields[9*c +: 9]      = {matrix, negate};
      assign slot_bases[SlotW*c +: SlotW] = slot_base;
    end
  endgenerate

  // The pass goes from context to context, in turn.
  wire                pass, pass_start, settle, record, role, learn;
  wire [7:0]          layer;
  wire [1:0]          beta;
  wire [LabelW-1:0]   label;
  wire [SlotW-1:0]    slot_base, pass_slot;
  wire [SlotW:0]      slot_count;
  wire [LaneW:0]      last_lanes;
  wire [KeptAddrW-1:0] own_base, other_base, other_addr;
  reg  [ContextW-1:0] pass_next;
  reg                 start_q;
  integer             i;

  always @* begin
    pass_next = owner_q;
    for (i = Contexts - 1; i >= 0; i = i - 1) begin
      if (want_pass[i] && i[ContextW-1:0] <= owner_q) begin
        pass_next = i[ContextW-1:0];
      end
    end
    for (i = Contexts - 1; i >= 0; i = i - 1) begin
      if (want_pass[i] && i[ContextW-1:0] > owner_q) begin
        pass_next = i[ContextW-1:0];
      end
    end
  end

  generate
    for (c = 0; c < Contexts; c = c + 1) begin : gen_grant
      localparam [31:0] Index = c;
      localparam [Contexts-1:0] Own = 1 << c;
      assign grant_pass[c]   = want_pass[c] && !claimed_q && pass_next == Index[ContextW-1:0];
      assign grant_result[c] = want_result[c] && turn == Index[ContextW-1:0] && !result_busy;
      assign grant_update[c] = want_update[c] && (idle | Own) == {Contexts{1'b1}};
    end
  endgenerate

  always @(posedge clk_i) begin
    if (rst_i) begin
      claimed_q <= 1'b0;
      start_q   <= 1'b0;
      owner_q   <= {ContextW{1'b0}};
    end else begin
      start_q <= grant_pass != {Contexts{1'b0}};
      if (grant_pass != {Contexts{1'b0}}) begin
        claimed_q <= 1'b1;
        owner_q   <= pass_next;
      end else if (!start_q && !pass_busy) begin
        claimed_q <= 1'b0;
      end
    end
  end
  assign pass_start = start_q;

  corinfo_choice #(.Width(FieldsW), .Count(Contexts), .IndexW(ContextW)) u_fields (
    .index_i(owner_q), .words_i(fields),
    .word_o ({layer, role, second_o, restart_o, eta_o, beta, learn, label, settle, record,
              slot_base, slot_count, last_lanes, own_base, other_base})
  );
  assign layer_o      = layer;
  assign soma_run_o   = claimed_q && settle;
  assign record_run_o = claimed_q && record;
  assign soma_context_o = owner_q;

  corinfo_pass #(
    .Lanes       (Lanes),
    .LaneW       (LaneW),
    .Outputs     (Outputs),
    .LabelW      (LabelW),
    .SlotW       (SlotW),
    .KeptAddrW   (KeptAddrW),
    .ReadCycles  (ReadCycles),
    .WireCycles  (WireCycles),
    .SomaCycles  (SomaCycles),
    .RecordCycles(RecordCycles)
  ) u_pass (
    .clk_i         (clk_i),
    .rst_i         (rst_i),
    .start_i       (pass_start),
    .settle_i      (settle),
    .record_i      (record),
    .slot_base_i   (slot_base),
    .slot_count_i  (slot_count),
    .pull_i        (learn && layer == LastLayer),
    .last_lanes_i  (last_lanes),
    .label_i       (label),
    .own_base_i    (own_base),
    .other_base_i  (other_base),
    .active_o      (pass),
    .slot_o        (pass_slot),
    .busy_o        (pass_busy),
    .soma_we_o     (soma_we_o),
    .soma_waddr_o  (soma_waddr_o),
    .soma_valid_o  (soma_valid),
    .soma_last_o   (state_last_o),
    .row_valid_o   (row_valid),
    .row_slot_o    (row_slot),
    .label_hit_o   (label_hit_o),
    .label_lane_o  (label_lane_o),
    .missing_o     (missing_o),
    .missing_lane_o(missing_lane_o),
    .other_addr_o  (other_addr),
    .factor_we_o   (factor_we_o),
    .factor_waddr_o(factor_waddr_o),
    .record_valid_o(record_valid_o)
  );

  assign begin_context_o = load_context;
  assign pass_start_o    = pass_start && settle;
  assign state_valid_o   = soma_valid;
  assign state_context_o = owner_q;
  corinfo_delay #(.Width(SlotW), .Cycles(BackCycles)) u_state_slot (
    .clk_i(clk_i), .data_i(soma_waddr_o), .data_o(state_slot_o)
  );

  // The input. One sample at a time is on its way in.
  wire                           input_event, input_take, load_start;
  wire [SynapseAddrW-1:0]        input_addr, load_column, load_stride;
  wire [XWidth-1:0]              input_word, kept_input;
  wire [InputAddrW-1:0]          fetch_input;
  reg                            load_was_q;
  wire [Contexts*2*SynapseAddrW-1:0] load_tables;
  generate
    for (c = 0; c < Contexts; c = c + 1) begin : gen_load
      assign load_tables[2*SynapseAddrW*c +: 2*SynapseAddrW] =
          {column_bases[SynapseAddrW*c +: SynapseAddrW], strides[SynapseAddrW*c +: SynapseAddrW]};
    end
  endgenerate

  corinfo_choice #(.Width(2 * SynapseAddrW), .Count(Contexts), .IndexW(ContextW)) u_load (
    .index_i(load_context), .words_i(load_tables), .word_o({load_column, load_stride})
  );

  always @(posedge clk_i) begin
    load_was_q <= !rst_i && load_busy;
  end
  assign load_start = want_load != {Contexts{1'b0}};
  assign loaded     = load_was_q && !load_busy;

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
    .start_i      (load_start),
    .sample_i     (load_sample),
    .column_base_i(load_column),
    .stride_i     (load_stride),
    .busy_o       (load_busy),
    .valid_i      (sample_valid_i),
    .ready_o      (sample_ready_o),
    .data_i       (sample_data_i),
    .event_valid_o(input_event),
    .event_addr_o (input_addr),
    .event_word_o (input_word),
    .event_take_i (input_take),
    .fetch_addr_i (fetch_input),
    .fetch_data_o (kept_input)
  );

  // Scores and results, in the order of the commands.
  wire             score_fetch, score_take, score_back;
  wire [SlotW-1:0] score_slot, score_base;
  wire [LaneW-1:0] score_lane;
  reg  signed [ValueWidth-1:0] value_q;
  corinfo_choice #(.Width(SlotW), .Count(Contexts), .IndexW(ContextW)) u_score_base (
    .index_i(turn), .words_i(slot_bases), .word_o(score_base)
  );
  corinfo_result #(
    .Lanes     (Lanes),
    .LaneW     (LaneW),
    .SlotW     (SlotW),
    .Outputs   (Outputs),
    .LabelW    (LabelW),
    .ScoreWidth(ScoreWidth)
  ) u_result (
    .clk_i        (clk_i),
    .rst_i        (rst_i),
    .start_i      (grant_result != {Contexts{1'b0}}),
    .slot_base_i  (score_base),
    .fetch_valid_o(score_fetch),
    .fetch_slot_o (score_slot),
    .fetch_lane_o (score_lane),
    .fetch_take_i (score_take),
    .score_valid_i(score_back),
    .score_i      (value_q[ScoreWidth-1:0]),
    .busy_o       (result_busy),
    .score_valid_o(score_valid_o),
    .score_index_o(score_index_o),
    .score_data_o (score_data_o),
    .class_o      (result_class_o)
  );

  // Events of all samples, while no update is under way. Items wait while a pass reads their sums.
  wire                           update, event_start, mac_issue, fetch, fetch_score;
  wire [ContextW-1:0]            fetch_context;
  wire [SlotW-1:0]               fetch_slot;
  wire [LaneW-1:0]               event_lane;
  wire [SynapseAddrW-1:0]        mac_addr;
  wire signed [OperandWidth-1:0] update_operand;
  wire [Contexts-1:0]            item_ready;
  assign update       = updates != {Contexts{1'b0}};
  assign mac_update_o = update;

  generate
    for (c = 0; c < Contexts; c = c + 1) begin : gen_ready
      localparam [31:0] Index = c;
      wire read;
      assign read          = pass && owner_q == Index[ContextW-1:0];
      assign item_ready[c] = item_valid[c] && !read;
      assign slot_raddr_o[SlotW*c +: SlotW] = read ? pass_slot : fetch_slot;
      assign slot_re_o[c]  = read || (fetch && fetch_context == Index[ContextW-1:0]);
    end
  endgenerate

  corinfo_events #(
    .Contexts    (Contexts),
    .ContextW    (ContextW),
    .LaneW       (LaneW),
    .Slots       (Slots),
    .SlotW       (SlotW),
    .SynapseAddrW(SynapseAddrW),
    .XWidth      (XWidth),
    .ValueWidth  (ValueWidth),
    .OperandWidth(OperandWidth),
    .AlignW      (AlignW),
    .SegmentW    (SegmentW),
    .ReadCycles  (ReadCycles),
    .FetchCycles (3 + BackCycles)
  ) u_events (
    .clk_i           (clk_i),
    .rst_i           (rst_i),
    .input_valid_i   (input_event),
    .input_context_i (load_context),
    .input_addr_i    (input_addr),
    .input_word_i    (input_word),
    .input_take_o    (input_take),
    .score_valid_i   (score_fetch),
    .score_context_i (turn),
    .score_slot_i    (score_slot),
    .score_lane_i    (score_lane),
    .score_take_o    (score_take),
    .score_valid_o   (score_back),
    .item_valid_i    (item_ready),
    .item_clear_i    (item_clear),
    .item_slot_i     (item_slot),
    .item_column_i   (item_column),
    .item_lane_i     (item_lane),
    .item_take_o     (item_take),
    .stride_i        (strides),
    .segments_i      (segments),
    .busy_o          (events_busy),
    .fetch_o         (fetch),
    .fetch_context_o (fetch_context),
    .fetch_slot_o    (fetch_slot),
    .fetch_lane_o    (event_lane),
    .fetch_score_o   (fetch_score),
    .fetch_value_i   (value_q),
    .pass_i          (pass),
    .pass_context_i  (owner_q),
    .pass_slot_i     (pass_slot),
    .update_i        (update),
    .update_operand_i(update_operand),
    .synapse_raddr_o (mac_addr),
    .mac_operand_o   (mac_operand_o),
    .mac_kind_o      (mac_kind_o),
    .mac_context_o   (mac_context_o),
    .mac_forward_o   (mac_forward_o),
    .sum_raddr_o     (sum_raddr_o),
    .sum_re_o        (sum_re_o),
    .sum_waddr_o     (sum_waddr_o),
    .sum_we_o        (sum_we_o),
    .clear_o         (clear_o),
    .state_clear_o   (state_clear_o),
    .event_o         (event_start),
    .issue_o         (mac_issue)
  );

  // The update of a matrix, for all samples of the mini-batch.
  wire [31:0]                    seed, update_number;
  wire                           from_input, term_issue, negate;
  wire [1:0]                     kind;
  wire [7:0]                     matrix;
  wire [KeptAddrW-1:0]           fetch_addr;
  wire [LaneW-1:0]               fetch_lane;
  wire [SynapseAddrW-1:0]        update_raddr, update_waddr;
  corinfo_choice #(.Width(9), .Count(Contexts), .IndexW(ContextW)) u_update_fields (
    .index_i(closer), .words_i(update_fields), .word_o({matrix, negate})
  );
  assign matrix_o = matrix;

  corinfo_learn #(
    .Lanes       (Lanes),
    .LaneW       (LaneW),
    .Layers      (Layers),
    .Matrices    (Matrices),
    .Batch       (Batch),
    .SampleW     (SampleW),
    .Inputs      (Inputs),
    .Slots       (Slots),
    .SlotW       (SlotW),
    .KeptAddrW   (KeptAddrW),
    .InputAddrW  (InputAddrW),
    .SynapseAddrW(SynapseAddrW),
    .ValueWidth  (ValueWidth),
    .OperandWidth(OperandWidth),
    .TermAddrW   (TermAddrW),
    .TermStyle   (TermStyle),
    .ReadCycles  (ReadCycles),
    .FetchCycles (ReadCycles + 4 + BackCycles),
    .ChangeCycles(ChangeCycles),
    .UpdateCycles(UpdateCycles),
    .SlotBase    (SlotBase),
    .SlotCount   (SlotCount),
    .Neurons     (Neurons),
    .ColumnBase  (ColumnBase),
    .Stride      (Stride),
    .MatrixKind  (MatrixKind),
    .MatrixPre   (MatrixPre),
    .MatrixPost  (MatrixPost),
    .MatrixOffset(MatrixOffset)
  ) u_learn (
    .clk_i          (clk_i),
    .rst_i          (rst_i),
    .sample_start_i (load_start),
    .sample_i       (load_sample),
    .negative_i     (load_negative),
    .start_i        (grant_update != {Contexts{1'b0}}),
    .matrix_i       (matrix),
    .negate_i       (negate),
    .seed_i         (seed),
    .update_i       (update_number[23:0]),
    .kind_o         (kind),
    .from_input_o   (from_input),
    .busy_o         (learn_busy),
    .fetch_addr_o   (fetch_addr),
    .fetch_input_o  (fetch_input),
    .fetch_lane_o   (fetch_lane),
    .fetch_value_i  (value_q),
    .issue_o        (term_issue),
    .operand_o      (update_operand),
    .factor_raddr_o (factor_raddr_o),
    .first_o        (update_first_o),
    .synapse_raddr_o(update_raddr),
    .synapse_we_o   (synapse_we_o),
    .synapse_waddr_o(update_waddr),
    .keys_o         (keys_o),
    .symmetric_o    (symmetric_o),
    .row_base_o     (row_base_o),
    .column_o       (column_o)
  );
  assign factor_kind_o = kind;

  // Values from the lane that owns the neuron or synapse: a state or its change three cycles after
  // its address, what block memories hold ReadCycles + 2, and the way to the lanes and back.
  wire [LaneW-1:0]    host_lane, slot_lane, block_lane;
  wire                host_read, slot_sent;
  wire [XWidth-1:0]   input_late;
  wire [LaneW-1:0]    lane;
  reg                 sent_q;     // a lane sends a value
  reg  [Lanes-1:0]    lanes_q;    // one bit is set: that lane's
  reg  [PreWidth-1:0] pre_value;
  integer             m;

  corinfo_delay #(.Width(1 + LaneW), .Cycles(1 + BackCycles)) u_slot_lane (
    .clk_i(clk_i), .data_i({fetch, event_lane}), .data_o({slot_sent, slot_lane})
  );
  corinfo_delay #(.Width(LaneW), .Cycles(ReadCycles + BackCycles)) u_block_lane (
    .clk_i(clk_i), .data_i(update ? fetch_lane : host_lane), .data_o(block_lane)
  );
  corinfo_delay #(.Width(XWidth), .Cycles(1 + BackCycles)) u_input_late (
    .clk_i(clk_i), .data_i(kept_input), .data_o(input_late)
  );
  assign lane = (update || host_read) ? block_lane : slot_lane;

  always @* begin
    pre_value = {PreWidth{1'b0}};
    for (m = 0; m < Lanes; m = m + 1) begin
      pre_value = pre_value | ({PreWidth{sent_q && lanes_q[m]}} & pre_i[PreWidth*m +: PreWidth]);
    end
  end

  always @(posedge clk_i) begin
    sent_q  <= update || host_read || slot_sent;
    lanes_q <= {{(Lanes - 1){1'b0}}, 1'b1} << lane;
    if (update && from_input) begin
      value_q <= {{(ValueWidth - XWidth){1'b0}}, input_late};
    end else begin
      value_q <= {{(ValueWidth - PreWidth + 1){pre_value[PreWidth-1]}}, pre_value[PreWidth-2:0]};
    end
  end

  // What the lanes send, chosen when the slot's words are there.
  wire [2:0] slot_kind;
  corinfo_delay #(.Width(3 + ContextW), .Cycles(1)) u_pre_kind (
    .clk_i(clk_i),
    .data_i({!fetch ? PreNothing : fetch_score ? PreState : PreDelta, fetch_context}),
    .data_o({slot_kind, pre_context_o})
  );
  assign pre_kind_o  = update ? ((kind == KindC) ? PreC : PreKept) :
                       host_read ? PreSynapse : slot_kind;
  assign pre_raddr_o = update ? fetch_addr : other_addr;

  wire [SynapseAddrW-1:0] host_addr;
  assign synapse_raddr_o = update ? update_raddr : host_read ? host_addr : mac_addr;
  assign synapse_waddr_o = host_we_o ? host_addr : update_waddr;

  // Constants of the soma.
  wire [31:0] constants_word;
  assign constants_word = {24'd0, layer} + {23'd0, layer, 1'b0} - 32'd3 + {30'd0, beta};
  corinfo_ram #(
    .Width   (ConstantsWidth),
    .Depth   (ConstantsDepth),
    .InitFile(ConstantsFile)
  ) u_constants (
    .clk_i  (clk_i),
    .we_i   (1'b0),
    .waddr_i({ConstantsAddrW{1'b0}}),
    .wdata_i({ConstantsWidth{1'b0}}),
    .re_i   (1'b1),
    .raddr_i(constants_word[ConstantsAddrW-1:0]),
    .rdata_o(constants_o)
  );

  wire [47:0]               counter;
  wire [7:0]                counter_index;
  corinfo_host #(
    .Lanes       (Lanes),
    .LaneW       (LaneW),
    .SynapseDepth(SynapseDepth),
    .SynapseAddrW(SynapseAddrW),
    .SynapseWidth(SynapseWidth),
    .Rates       (Matrices),
    .RateWidth   (RateWidth),
    .RatesFile   (RatesFile),
    .SampleW     (SampleW),
    .ReadCycles  (ReadCycles + BackCycles),
    .Counters    (Counters),
    .Seed        (Seed)
  ) u_host (
    .clk_i          (clk_i),
    .rst_i          (rst_i),
    .valid_i        (host_valid_i),
    .ready_o        (host_ready_o),
    .write_i        (host_write_i),
    .address_i      (host_address_i),
    .data_i         (host_data_i),
    .done_o         (host_done_o),
    .error_o        (host_error_o),
    .data_o         (host_data_o),
    .idle_i         (idle_o),
    .busy_o         (host_busy),
    .read_o         (host_read),
    .synapse_we_o   (host_we_o),
    .synapse_lane_o (host_lane),
    .synapse_addr_o (host_addr),
    .synapse_data_o (host_word_o),
    .synapse_data_i (value_q[SynapseWidth-1:0]),
    .matrix_i       (matrix),
    .rate_o         (rate_o),
    .batch_done_i   (batch_done),
    .sample_i       (samples),
    .seed_o         (seed),
    .update_o       (update_number),
    .counter_index_o(counter_index),
    .counter_i      (counter)
  );
  assign host_lane_o = host_lane;

  // Flags of an update, with the synapses that they are about.
  wire       update_valid, unused_update_busy, starved;
  wire [1:0] update_kind;
  corinfo_valid #(.Cycles(BackCycles)) u_update_valid (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(synapse_we_o), .valid_o(update_valid),
    .busy_o(unused_update_busy)
  );
  corinfo_delay #(.Width(2 + SynapseAddrW), .Cycles(BackCycles)) u_update_kind (
    .clk_i(clk_i), .data_i({kind, update_waddr}), .data_o({update_kind, synapse_addr_o})
  );
  assign synapse_valid_o = update_valid;
  assign starved = sample_ready_o && !sample_valid_i;
  corinfo_counters #(
    .Lanes(Lanes)
  ) u_counters (
    .clk_i         (clk_i),
    .rst_i         (rst_i),
    .busy_i        (!idle_o),
    .settling_i    ((loads != {Contexts{1'b0}} && !starved) || settles != {Contexts{1'b0}}),
    .waiting_i     (starved || (result_valid_o && !result_ready_i)),
    .event_i       (event_start),
    .product_i     (mac_issue),
    .step_i        (pass_start && settle),
    .updating_i    (update),
    .term_i        (term_issue),
    .batch_done_i  (batch_done),
    .soma_i        (soma_valid),
    .soma_flags_i  (soma_flags_i),
    .record_i      ({record_valid_o && role, record_valid_o && layer != LastLayer,
                     record_valid_o && (layer != 8'd1 || second_o)}),
    .record_flags_i(record_flags_i),
    .step_done_i   (interneuron_done_i),
    .step_flags_i  (interneuron_flags_i),
    .update_i      (update_valid),
    .kind_i        (update_kind),
    .update_flags_i(update_flags_i),
    .read_i        (host_read),
    .index_i       (counter_index),
    .counter_o     (counter)
  );

  // 32-bit words are wider than this design's addresses.
  wire unused_bits;
  assign unused_bits = ^{update_number, constants_word, records};

endmodule

`default_nettype wire

// Control of all lanes: sequencer, passes over slots, events, updates, samples in, results out,
// host access and counters. It holds what exists once; the lanes hold what exists per neuron and
// synapse.
//
// A pass visits the slots of a layer, one per cycle, for OpClear, OpSettle, OpRecord and
// OpResult. An OpSettle then broadcasts the layer's changed states, and is done when the last
// product is in its sum. Tables are packed, 32 bits an entry, entry 0 lowest: by layer, by 3 x
// layer + kind (0 W, 1 F, 2 C), or by matrix. Latencies in cycles are derived by the generator
// from the pipelines.

`default_nettype none

module corinfo_control #(
  parameter Lanes        = 16,
  parameter LaneW        = 4,
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
  parameter SomaCycles   = 8,     // latencies of the pipelines
  parameter RecordCycles = 3,
  parameter UpdateCycles = 5,
  parameter RowAddrW     = 3,     // room for 2^RowAddrW rows of changed states, a layer's slots
  parameter TermAddrW    = 4,
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
  parameter [96*Layers-1:0]     Align       = 0,
  parameter [96*Layers-1:0]     SegmentSlot = 0,
  parameter [96*Layers-1:0]     SegmentCount = 0,
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
  output wire                            mac_forward_o,
  output wire [SlotW-1:0]                sum_raddr_o,
  output wire [SlotW-1:0]                sum_waddr_o,
  output wire [2:0]                      sum_we_o,
  output wire                            clear_o,
  output wire                            update_first_o,
  output wire [1:0]                      factor_kind_o,
  output wire [KeptAddrW-1:0]            factor_raddr_o,
  output wire                            kept_we_o,
  output wire                            factor_we_o,
  output wire                            c_we_o,
  output wire [KeptAddrW-1:0]            kept_waddr_o,
  output wire [KeptAddrW-1:0]            factor_waddr_o,
  output wire [KeptAddrW-2:0]            c_waddr_o,
  output wire [KeptAddrW-1:0]            pre_raddr_o,
  output wire [2:0]                      pre_kind_o,
  output wire [127:0]                    keys_o,
  output wire                            symmetric_o,
  output wire [15:0]                     row_base_o,
  output wire [15:0]                     column_o,
  output wire [SlotW-1:0]                slot_raddr_o,
  output wire                            soma_we_o,
  output wire [SlotW-1:0]                soma_waddr_o,
  output wire                            label_hit_o,
  output wire [LaneW-1:0]                label_lane_o,

  // Constants of the instruction under way.
  output wire [7:0]                      layer_o,
  output wire [7:0]                      matrix_o,
  output wire                            restart_o,
  output wire                            second_o,
  output wire [EtaWidth-1:0]             eta_o,
  output wire [ConstantsWidth-1:0]       constants_o,
  output wire [RateWidth-1:0]            rate_o,

  // From the lanes.
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

  localparam [2:0] PreDelta   = 3'd0;
  localparam [2:0] PreKept    = 3'd1;
  localparam [2:0] PreC       = 3'd2;
  localparam [2:0] PreState   = 3'd3;
  localparam [2:0] PreSynapse = 3'd4;

  localparam [3:0] OpClear  = 4'd0;
  localparam [3:0] OpLoad   = 4'd1;
  localparam [3:0] OpSettle = 4'd2;
  localparam [3:0] OpRecord = 4'd3;
  localparam [3:0] OpResult = 4'd4;
  localparam [3:0] OpUpdate = 4'd7;

  localparam [1:0] KindC = 2'd2;

  localparam AlignW   = 6;
  localparam EventRoomW = 3;
  localparam SampleW  = (Batch > 1) ? $clog2(Batch) : 1;
  localparam LayerW   = $clog2(Layers + 1);
  localparam MatrixW  = $clog2(Matrices + 1);
  localparam RateAddrW = (Matrices > 2) ? $clog2(Matrices) : 1;
  localparam RateDepth = (Matrices > 2) ? Matrices : 2;

  localparam [31:0] SlotsWord  = Slots;
  localparam [31:0] BatchSlots = Batch * Slots;
  localparam [31:0] InputsWord = Inputs;
  localparam [31:0] LanesWord  = Lanes;
  localparam [31:0] LastOutputWord = Outputs - 1;
  localparam [31:0] LastLaneWord   = Lanes - 1;
  localparam [31:0] LayersWord     = Layers;
  localparam [7:0]  LastLayer      = LayersWord[7:0] - 8'd1;
  localparam        ConstantsDepth = 3 * (Layers - 1);
  localparam        ConstantsAddrW = $clog2(ConstantsDepth);
  localparam        InputDepth     = (Batch * Inputs > 2) ? Batch * Inputs : 2;
  localparam [SlotW-1:0]  OneSlot  = 1;
  localparam [SlotW:0]    OneLeft  = 1;
  localparam [LabelW-1:0] OneOutput = 1;
  localparam [LaneW-1:0]  OneLane  = 1;

  // The instruction under way.
  wire                start, learn, negative, role, negate, batch_done;
  wire [LabelW-1:0]   label;
  wire [3:0]          op;
  wire [7:0]          layer, matrix;
  wire [1:0]          sign;
  wire [SampleW-1:0]  sample;
  wire                quiet, changed, host_busy;

  corinfo_sequencer #(
    .Batch       (Batch),
    .LabelW      (LabelW),
    .EtaWidth    (EtaWidth),
    .ProgramDepth(ProgramDepth),
    .ProgramFile (ProgramFile),
    .AddrW       (ProgramAddrW),
    .SampleW     (SampleW)
  ) u_sequencer (
    .clk_i             (clk_i),
    .rst_i             (rst_i),
    .command_valid_i   (command_valid_i),
    .command_ready_o   (command_ready_o),
    .command_learn_i   (command_learn_i),
    .command_negative_i(command_negative_i),
    .command_label_i   (command_label_i),
    .hold_i            (host_valid_i || host_busy),
    .result_valid_o    (result_valid_o),
    .result_ready_i    (result_ready_i),
    .idle_o            (idle_o),
    .start_o           (start),
    .learn_o           (learn),
    .negative_o        (negative),
    .label_o           (label),
    .op_o              (op),
    .layer_o           (layer),
    .sign_o            (sign),
    .restart_o         (restart_o),
    .role_o            (role),
    .second_o          (second_o),
    .negate_o          (negate),
    .matrix_o          (matrix),
    .eta_o             (eta_o),
    .sample_o          (sample),
    .batch_done_o      (batch_done),
    .quiet_i           (quiet),
    .changed_i         (changed)
  );

  assign layer_o  = layer;
  assign matrix_o = matrix;

  wire settle, record, clear, update, load, result;
  assign settle = op == OpSettle && !idle_o;
  assign record = op == OpRecord && !idle_o;
  assign clear  = op == OpClear && !idle_o;
  assign update = op == OpUpdate && !idle_o;
  assign load   = op == OpLoad && !idle_o;
  assign result = op == OpResult && !idle_o;

  // Entries of the tables.
  wire [LayerW-1:0]  layer_index, pre, post;
  wire [MatrixW-1:0] matrix_index;
  wire [31:0] slot_base, slot_count, last_lanes, column_base, stride;
  wire [31:0] matrix_kind, matrix_pre, matrix_post, matrix_offset;
  wire [31:0] pre_slot, pre_neurons, pre_base, pre_stride, post_slot, post_count;
  assign layer_index   = layer[LayerW-1:0];
  assign matrix_index  = matrix[MatrixW-1:0];
  assign slot_base     = SlotBase[32*layer_index +: 32];
  assign slot_count    = SlotCount[32*layer_index +: 32];
  assign last_lanes    = LastLanes[32*layer_index +: 32];
  assign column_base   = ColumnBase[32*layer_index +: 32];
  assign stride        = Stride[32*layer_index +: 32];
  assign matrix_kind   = MatrixKind[32*matrix_index +: 32];
  assign matrix_pre    = MatrixPre[32*matrix_index +: 32];
  assign matrix_post   = MatrixPost[32*matrix_index +: 32];
  assign matrix_offset = MatrixOffset[32*matrix_index +: 32];
  assign pre           = matrix_pre[LayerW-1:0];
  assign post          = matrix_post[LayerW-1:0];
  assign pre_slot      = SlotBase[32*pre +: 32];
  assign pre_neurons   = Neurons[32*pre +: 32];
  assign pre_base      = ColumnBase[32*pre +: 32];
  assign pre_stride    = Stride[32*pre +: 32];
  assign post_slot     = SlotBase[32*post +: 32];
  assign post_count    = SlotCount[32*post +: 32];

  // Pass over slots. A result pass visits the output neurons one by one. pass_index_q is the
  // neuron, in the output layer, of lane pass_lane_q.
  reg               pass_q;
  reg  [SlotW-1:0]  pass_slot_q;
  reg  [SlotW:0]    pass_left_q;
  reg  [LabelW-1:0] pass_index_q;
  reg  [LaneW-1:0]  pass_lane_q;
  wire              pass_last, pass_step;

  assign pass_step = !result || pass_lane_q == LastLaneWord[LaneW-1:0];
  assign pass_last = result ? pass_index_q == LastOutputWord[LabelW-1:0] : pass_left_q == OneLeft;

  always @(posedge clk_i) begin
    if (rst_i) begin
      pass_q <= 1'b0;
    end else if (start) begin
      pass_q <= settle || record || clear || result;
    end else if (pass_q) begin
      pass_q <= !pass_last;
    end
    if (start) begin
      pass_slot_q  <= clear ? {SlotW{1'b0}} : slot_base[SlotW-1:0];
      pass_left_q  <= clear ? SlotsWord[SlotW:0] : slot_count[SlotW:0];
      pass_index_q <= {LabelW{1'b0}};
      pass_lane_q  <= {LaneW{1'b0}};
    end else if (pass_q) begin
      pass_slot_q  <= pass_step ? pass_slot_q + OneSlot : pass_slot_q;
      pass_left_q  <= pass_left_q - OneLeft;
      pass_index_q <= pass_index_q + (result ? OneOutput : LanesWord[LabelW-1:0]);
      pass_lane_q  <= pass_step ? {LaneW{1'b0}} : pass_lane_q + OneLane;
    end
  end

  // Soma: slot in, new state out, changed flags one cycle later.
  wire             soma_busy, row_valid, row_busy;
  wire [SlotW-1:0] row_slot;
  corinfo_valid #(.Cycles(SomaCycles + 1)) u_soma_valid (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(pass_q && settle), .valid_o(soma_we_o),
    .busy_o(soma_busy)
  );
  corinfo_valid #(.Cycles(1)) u_row_valid (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(soma_we_o), .valid_o(row_valid), .busy_o(row_busy)
  );
  wire [SlotW-1:0] soma_slot;
  corinfo_delay #(.Width(SlotW), .Cycles(SomaCycles + 1)) u_soma_slot (
    .clk_i(clk_i), .data_i(pass_slot_q), .data_o(soma_slot)
  );
  corinfo_delay #(.Width(SlotW), .Cycles(1)) u_row_slot (
    .clk_i(clk_i), .data_i(soma_slot), .data_o(row_slot)
  );
  assign clear_o      = pass_q && clear;
  assign soma_waddr_o = clear_o ? pass_slot_q : soma_slot;

  // The label's neuron of the output layer: pass_index_q is that of lane 0 in this slot. A label
  // that no neuron has hits none.
  reg              label_hit_q;
  reg  [LaneW-1:0] label_lane_q;
  wire [31:0]      label_word, label_lane;
  assign label_word   = {{(32 - LabelW){1'b0}}, label};
  assign label_lane   = label_word - {{(32 - LabelW){1'b0}}, pass_index_q};
  assign label_hit_o  = label_hit_q;
  assign label_lane_o = label_lane_q;

  always @(posedge clk_i) begin
    label_hit_q  <= learn && layer == LastLayer && label_word <= LastOutputWord
                    && label_lane <= LastLaneWord;
    label_lane_q <= label_lane[LaneW-1:0];
  end

  // Did anything change in this iteration?
  reg changed_q;
  always @(posedge clk_i) begin
    if (start && settle && layer == 8'd1) begin
      changed_q <= 1'b0;
    end else if (soma_we_o && moved_i != {Lanes{1'b0}}) begin
      changed_q <= 1'b1;
    end
  end
  assign changed = changed_q;

  // Record: the kept state at once, the factors after their pipeline.
  reg  [KeptAddrW-1:0]  sample_base_q;   // first kept word of the sample, phase minus
  reg  [InputAddrW-1:0] sample_input_q;  // first input of the sample
  wire [31:0]           sample_word, sample_slots, sample_inputs;
  wire [KeptAddrW-1:0]  own_addr, other_addr, record_addr;
  wire                  record_busy;
  assign sample_word   = {{(32 - SampleW){1'b0}}, sample};
  assign sample_slots  = sample_word * SlotsWord;
  assign sample_inputs = sample_word * InputsWord;

  always @(posedge clk_i) begin
    sample_base_q  <= sample_slots[KeptAddrW-1:0];
    sample_input_q <= sample_inputs[InputAddrW-1:0];
  end

  assign own_addr   = sample_base_q + {{(KeptAddrW - SlotW){1'b0}}, pass_slot_q}
                      + (role ? BatchSlots[KeptAddrW-1:0] : {KeptAddrW{1'b0}});
  assign other_addr = sample_base_q + {{(KeptAddrW - SlotW){1'b0}}, pass_slot_q}
                      + (role ? {KeptAddrW{1'b0}} : BatchSlots[KeptAddrW-1:0]);

  corinfo_valid #(.Cycles(RecordCycles + 1)) u_record_valid (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(pass_q && record), .valid_o(factor_we_o),
    .busy_o(record_busy)
  );
  corinfo_delay #(.Width(KeptAddrW), .Cycles(1)) u_kept_addr (
    .clk_i(clk_i), .data_i(own_addr), .data_o(kept_waddr_o)
  );
  corinfo_delay #(.Width(KeptAddrW), .Cycles(RecordCycles)) u_record_addr (
    .clk_i(clk_i), .data_i(kept_waddr_o), .data_o(record_addr)
  );
  corinfo_delay #(.Width(1), .Cycles(1)) u_kept_we (
    .clk_i(clk_i), .data_i(pass_q && record), .data_o(kept_we_o)
  );
  assign factor_waddr_o = record_addr;
  assign c_we_o         = factor_we_o && role;
  wire [KeptAddrW-1:0] c_addr;
  assign c_addr    = record_addr - BatchSlots[KeptAddrW-1:0];  // c is kept in phase plus only
  assign c_waddr_o = c_addr[KeptAddrW-2:0];

  // Input: nonzero elements are events of layer 0; all are kept for learning.
  reg  [31:0]             input_q;        // elements still to come
  reg  [SynapseAddrW-1:0] input_column_q;
  reg  [InputAddrW-1:0]   input_addr_q;
  wire                    input_take, input_event, event_room;
  wire [XWidth-1:0]       input_kept;
  wire [InputAddrW-1:0]   fetch_input;
  assign sample_ready_o = load && !start && input_q != 32'd0 && event_room;
  assign input_take     = sample_ready_o && sample_valid_i;
  assign input_event    = input_take && (sample_data_i != {XWidth{1'b0}} || Dense != 0);

  always @(posedge clk_i) begin
    if (rst_i) begin
      input_q <= 32'd0;
    end else if (start && load) begin
      input_q <= InputsWord;
    end else if (input_take) begin
      input_q <= input_q - 32'd1;
    end
    if (start) begin
      input_column_q <= column_base[SynapseAddrW-1:0];
      input_addr_q   <= sample_input_q;
    end else if (input_take) begin
      input_column_q <= input_column_q + stride[SynapseAddrW-1:0];
      input_addr_q   <= input_addr_q + {{(InputAddrW - 1){1'b0}}, 1'b1};
    end
  end

  corinfo_ram #(
    .Width(XWidth),
    .Depth(InputDepth)
  ) u_input (
    .clk_i  (clk_i),
    .we_i   (input_take),
    .waddr_i(input_addr_q),
    .wdata_i(sample_data_i),
    .raddr_i(fetch_input),
    .rdata_o(input_kept)
  );

  // Changed states of a layer become events, once the pass no longer reads the sums.
  wire              event_started, queue_busy;
  wire [SlotW-1:0]  event_slot;
  wire [LaneW-1:0]  event_lane;
  wire [Lanes-1:0]  row_lanes, real_lanes;
  wire [SlotW:0]    row_end;
  assign row_end    = slot_base[SlotW:0] + slot_count[SlotW:0] - OneLeft;
  assign real_lanes = ({1'b0, row_slot} == row_end) ? ~({Lanes{1'b1}} << last_lanes)
                                                    : {Lanes{1'b1}};
  assign row_lanes  = (Dense != 0) ? real_lanes : changed_i;

  corinfo_event_queue #(
    .Lanes   (Lanes),
    .LaneW   (LaneW),
    .SlotW   (SlotW),
    .RowAddrW(RowAddrW)
  ) u_queue (
    .clk_i        (clk_i),
    .rst_i        (rst_i),
    .row_valid_i  (row_valid),
    .row_slot_i   (row_slot),
    .row_lanes_i  (row_lanes),
    .take_i       (!pass_q && event_room),
    .event_valid_o(event_started),
    .event_slot_o (event_slot),
    .event_lane_o (event_lane),
    .busy_o       (queue_busy)
  );

  // The address of an event's column: base + (slot in the layer x lanes + lane) x stride.
  reg  [31:0] column_slots_q, column_lane_q, column_sum_q, column_q;
  wire [31:0] slot_in_layer, event_lane_word;
  assign slot_in_layer   = {{(32 - SlotW){1'b0}}, event_slot} - slot_base;
  assign event_lane_word = {{(32 - LaneW){1'b0}}, event_lane};

  always @(posedge clk_i) begin
    column_slots_q <= slot_in_layer * (LanesWord * stride);
    column_lane_q  <= event_lane_word * stride;
    column_sum_q   <= column_base + column_slots_q + column_lane_q;
    column_q       <= column_sum_q;
  end

  // Presynaptic factors: from the lane that owns the neuron, three cycles after its address.
  wire             event_valid, event_busy, from_input;
  wire [LaneW-1:0] fetch_lane, lane_0, lane_2;
  wire [KeptAddrW-1:0] fetch_addr;
  reg  signed [ValueWidth-1:0] value_q;
  wire [XWidth-1:0] input_late;
  wire [31:0]      lane_2_word;
  wire [PreWidth-1:0] pre_value;
  wire [LaneW-1:0] host_lane;
  wire             host_read;
  assign lane_0 = update ? fetch_lane : result ? pass_lane_q : host_read ? host_lane : event_lane;

  corinfo_valid #(.Cycles(3)) u_event_valid (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(event_started), .valid_o(event_valid),
    .busy_o(event_busy)
  );
  corinfo_delay #(.Width(LaneW), .Cycles(2)) u_lane (
    .clk_i(clk_i), .data_i(lane_0), .data_o(lane_2)
  );
  corinfo_delay #(.Width(XWidth), .Cycles(1)) u_input_late (
    .clk_i(clk_i), .data_i(input_kept), .data_o(input_late)
  );
  assign lane_2_word = {{(32 - LaneW){1'b0}}, lane_2};
  assign pre_value   = pre_i[PreWidth*lane_2_word +: PreWidth];
  assign from_input  = update && matrix_pre == 32'd0;

  always @(posedge clk_i) begin
    if (from_input) begin
      value_q <= {{(ValueWidth - XWidth){1'b0}}, input_late};
    end else begin
      value_q <= {{(ValueWidth - PreWidth + 1){pre_value[PreWidth-1]}}, pre_value[PreWidth-2:0]};
    end
  end

  assign pre_raddr_o  = update ? fetch_addr : other_addr;
  assign slot_raddr_o = pass_q ? pass_slot_q : event_slot;
  assign pre_kind_o   = settle ? PreDelta :
                        update ? ((matrix_kind[1:0] == KindC) ? PreC : PreKept) :
                        result ? PreState : PreSynapse;

  // Products of settling.
  wire                           mac_issue, broadcast_busy;
  wire [SynapseAddrW-1:0]        mac_addr;
  wire signed [OperandWidth-1:0] mac_operand;
  wire [SlotW-1:0]               mac_slot;
  wire [1:0]                     mac_kind;
  wire [95:0]                    align, segment_slot, segment_count;
  assign align         = Align[96*layer_index +: 96];
  assign segment_slot  = SegmentSlot[96*layer_index +: 96];
  assign segment_count = SegmentCount[96*layer_index +: 96];

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
    .segment_count_i({segment_count[64 +: SlotW + 1], segment_count[32 +: SlotW + 1],
                       segment_count[0 +: SlotW + 1]}),
    .segment_slot_i ({segment_slot[64 +: SlotW], segment_slot[32 +: SlotW],
                       segment_slot[0 +: SlotW]}),
    .segment_align_i({align[64 +: AlignW], align[32 +: AlignW], align[0 +: AlignW]}),
    .enable_i       (!pass_q),
    .room_o         (event_room),
    .start_i        (event_started || input_event),
    .event_valid_i  (event_valid || input_event),
    .event_addr_i   (load ? input_column_q : column_q[SynapseAddrW-1:0]),
    .event_value_i  (load ? {{(ValueWidth - XWidth){1'b0}}, sample_data_i} : value_q),
    .issue_o        (mac_issue),
    .synapse_addr_o (mac_addr),
    .operand_o      (mac_operand),
    .slot_o         (mac_slot),
    .kind_o         (mac_kind),
    .busy_o         (broadcast_busy)
  );

  // Products of an update. The random words take two cycles longer than the product.
  wire                           keys_busy, terms_busy, keys_done;
  wire                           term_issue, term_first, term_last;
  wire signed [OperandWidth-1:0] term_operand;
  wire [KeptAddrW-1:0]           term_factor;
  wire [SynapseAddrW-1:0]        term_addr;
  wire [31:0]                    seed, update_number;
  reg  [Batch-1:0]               negative_q;
  reg                            keys_was_q;

  always @(posedge clk_i) begin
    keys_was_q <= !rst_i && keys_busy;
    if (load && start) begin
      negative_q[sample] <= negative;
    end
  end
  assign keys_done = keys_was_q && !keys_busy;

  corinfo_random_keys u_keys (
    .clk_i   (clk_i),
    .rst_i   (rst_i),
    .start_i (start && update),
    .seed_i  (seed),
    .update_i(update_number[23:0]),
    .matrix_i(matrix),
    .keys_o  (keys_o),
    .busy_o  (keys_busy)
  );

  corinfo_terms #(
    .Batch       (Batch),
    .Lanes       (Lanes),
    .LaneW       (LaneW),
    .SlotW       (SlotW),
    .KeptAddrW   (KeptAddrW),
    .InputAddrW  (InputAddrW),
    .SynapseAddrW(SynapseAddrW),
    .ValueWidth  (ValueWidth),
    .OperandWidth(OperandWidth),
    .TermAddrW   (TermAddrW)
  ) u_terms (
    .clk_i          (clk_i),
    .rst_i          (rst_i),
    .start_i        (keys_done),
    .columns_i      (pre_neurons[15:0]),
    .two_phases_i   (matrix_kind[1:0] != KindC && matrix_pre != 32'd0),
    .last_role_i    (!negate),
    .always_i       (matrix_kind[1:0] == KindC),
    .negate_i       (negate),
    .signed_i       (matrix_kind[1:0] != KindC),
    .negative_i     (negative_q),
    .pre_slot_i     (pre_slot[SlotW-1:0]),
    .post_slot_i    (post_slot[SlotW-1:0]),
    .post_count_i   (post_count[SlotW:0]),
    .column_addr_i  (pre_base[SynapseAddrW-1:0] + matrix_offset[SynapseAddrW-1:0]),
    .stride_i       (pre_stride[SynapseAddrW-1:0]),
    .sample_slots_i (SlotsWord[KeptAddrW-1:0]),
    .role_slots_i   (BatchSlots[KeptAddrW-1:0]),
    .sample_inputs_i(InputsWord[InputAddrW-1:0]),
    .fetch_addr_o   (fetch_addr),
    .fetch_input_o  (fetch_input),
    .fetch_lane_o   (fetch_lane),
    .fetch_value_i  (value_q),
    .issue_o        (term_issue),
    .first_o        (term_first),
    .last_o         (term_last),
    .operand_o      (term_operand),
    .factor_addr_o  (term_factor),
    .synapse_addr_o (term_addr),
    .row_base_o     (row_base_o),
    .column_o       (column_o),
    .busy_o         (terms_busy)
  );

  wire                           product_first;
  wire signed [OperandWidth-1:0] product_operand;
  wire [SynapseAddrW-1:0]        update_addr;
  wire                           update_read, update_busy;
  corinfo_delay #(.Width(OperandWidth + KeptAddrW), .Cycles(2)) u_product (
    .clk_i(clk_i), .data_i({term_operand, term_factor}), .data_o({product_operand, factor_raddr_o})
  );
  corinfo_delay #(.Width(SynapseAddrW + 1), .Cycles(5)) u_update_addr (
    .clk_i(clk_i), .data_i({term_addr, term_first}), .data_o({update_addr, product_first})
  );
  corinfo_valid #(.Cycles(5)) u_update_read (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(term_issue && term_last), .valid_o(update_read),
    .busy_o(update_busy)
  );
  assign update_first_o = product_first;

  // The synapse is read in cycle 3 of its last product and written when the update's pipeline is
  // through. The first cycle of a reset, whatever the registers hold then, writes nothing.
  wire write_valid, write_busy;
  assign synapse_we_o = write_valid && !rst_i;
  corinfo_valid #(.Cycles(UpdateCycles + 1)) u_write_valid (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(update_read), .valid_o(write_valid), .busy_o(write_busy)
  );
  wire [SynapseAddrW-1:0] write_addr, host_addr;
  corinfo_delay #(.Width(SynapseAddrW), .Cycles(UpdateCycles + 1)) u_write_addr (
    .clk_i(clk_i), .data_i(update_addr), .data_o(write_addr)
  );
  assign synapse_waddr_o = host_we_o ? host_addr : write_addr;
  assign synapse_raddr_o = update ? update_addr : host_read ? host_addr : mac_addr;

  // Products: stages 1 to 3 of the multiplier, both kinds.
  wire            mac_1, mac_2, mac_3, mac_pending, unused_mac_1, unused_mac_2;
  wire [SlotW-1:0] slot_2, slot_3;
  wire [1:0]      kind_2, kind_3;
  corinfo_valid #(.Cycles(1)) u_mac_1 (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(mac_issue), .valid_o(mac_1), .busy_o(unused_mac_1)
  );
  corinfo_valid #(.Cycles(1)) u_mac_2 (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(mac_1), .valid_o(mac_2), .busy_o(unused_mac_2)
  );
  corinfo_valid #(.Cycles(1)) u_mac_3 (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(mac_2), .valid_o(mac_3), .busy_o(mac_pending)
  );
  corinfo_delay #(.Width(OperandWidth), .Cycles(1)) u_operand (
    .clk_i(clk_i), .data_i(update ? product_operand : mac_operand), .data_o(mac_operand_o)
  );
  corinfo_delay #(.Width(SlotW + 2), .Cycles(2)) u_slot_2 (
    .clk_i(clk_i), .data_i({mac_slot, mac_kind}), .data_o({slot_2, kind_2})
  );
  corinfo_delay #(.Width(SlotW + 2), .Cycles(1)) u_slot_3 (
    .clk_i(clk_i), .data_i({slot_2, kind_2}), .data_o({slot_3, kind_3})
  );

  // A sum that was written in the cycle before is not in the memory's output yet.
  reg forward_q;
  always @(posedge clk_i) begin
    forward_q <= mac_3 && mac_2 && slot_2 == slot_3 && kind_2 == kind_3;
  end
  assign mac_forward_o = forward_q;
  assign mac_kind_o    = kind_3;
  assign mac_update_o  = update;
  assign sum_raddr_o   = pass_q ? pass_slot_q : slot_2;
  assign sum_waddr_o   = clear_o ? pass_slot_q : slot_3;
  assign sum_we_o      = clear_o ? 3'b111 : mac_3 ? 3'b001 << kind_3 : 3'b000;
  assign factor_kind_o = matrix_kind[1:0];
  assign symmetric_o   = matrix_kind[1:0] == KindC;

  // Results.
  wire result_busy, score_late;
  corinfo_valid #(.Cycles(3)) u_score_valid (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(pass_q && result), .valid_o(score_late),
    .busy_o(result_busy)
  );
  wire [LabelW-1:0] score_index;
  corinfo_delay #(.Width(LabelW), .Cycles(3)) u_score_index (
    .clk_i(clk_i), .data_i(pass_index_q), .data_o(score_index)
  );
  corinfo_result #(
    .LabelW    (LabelW),
    .ScoreWidth(ScoreWidth)
  ) u_result (
    .clk_i         (clk_i),
    .rst_i         (rst_i),
    .valid_i       (score_late),
    .index_i       (score_index),
    .score_i       (value_q[ScoreWidth-1:0]),
    .score_valid_o (score_valid_o),
    .score_index_o (score_index_o),
    .score_data_o  (score_data_o),
    .class_o       (result_class_o)
  );

  // An instruction is done when its pass is over and nothing of it is under way.
  assign quiet = !pass_q && !soma_busy && !row_busy && !record_busy && !queue_busy && !event_busy
                 && !broadcast_busy && !mac_1 && !mac_pending && input_q == 32'd0
                 && !keys_busy && !keys_was_q && !terms_busy
                 && !update_busy && !write_busy && !result_busy && !score_valid_o;

  // Constants of the soma and learning rates.
  wire [1:0] beta;
  assign beta = (sign == 2'd0) ? 2'd0 : ((sign == 2'd1) != negative) ? 2'd1 : 2'd2;
  wire [31:0] constants_word;
  assign constants_word = {24'd0, layer} * 32'd3 - 32'd3 + {30'd0, beta};
  corinfo_ram #(
    .Width   (ConstantsWidth),
    .Depth   (ConstantsDepth),
    .InitFile(ConstantsFile)
  ) u_constants (
    .clk_i  (clk_i),
    .we_i   (1'b0),
    .waddr_i({ConstantsAddrW{1'b0}}),
    .wdata_i({ConstantsWidth{1'b0}}),
    .raddr_i(constants_word[ConstantsAddrW-1:0]),
    .rdata_o(constants_o)
  );

  wire [47:0]               counter;
  wire [7:0]                counter_index;
  wire                      rate_we;
  wire [RateAddrW-1:0]      rate_addr;
  wire [RateWidth-1:0]      rate_data;
  corinfo_ram #(
    .Width   (RateWidth),
    .Depth   (RateDepth),
    .InitFile(RatesFile)
  ) u_rates (
    .clk_i  (clk_i),
    .we_i   (rate_we),
    .waddr_i(rate_addr),
    .wdata_i(rate_data),
    .raddr_i(update ? matrix[RateAddrW-1:0] : rate_addr),
    .rdata_o(rate_o)
  );

  corinfo_host #(
    .Lanes       (Lanes),
    .LaneW       (LaneW),
    .SynapseDepth(SynapseDepth),
    .SynapseAddrW(SynapseAddrW),
    .SynapseWidth(SynapseWidth),
    .Rates       (Matrices),
    .RateAddrW   (RateAddrW),
    .RateWidth   (RateWidth),
    .SampleW     (SampleW),
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
    .rate_we_o      (rate_we),
    .rate_addr_o    (rate_addr),
    .rate_data_o    (rate_data),
    .rate_data_i    (rate_o),
    .batch_done_i   (batch_done),
    .sample_i       (sample),
    .seed_o         (seed),
    .update_o       (update_number),
    .counter_index_o(counter_index),
    .counter_i      (counter)
  );
  assign host_lane_o = host_lane;

  corinfo_counters #(
    .Lanes(Lanes)
  ) u_counters (
    .clk_i         (clk_i),
    .rst_i         (rst_i),
    .busy_i        (!idle_o),
    .settling_i    ((load && (input_q == 32'd0 || !sample_ready_o || sample_valid_i)) || settle),
    .waiting_i     ((load && sample_ready_o && !sample_valid_i) ||
                     (result_valid_o && !result_ready_i)),
    .event_i       (event_started || input_event),
    .product_i     (mac_issue),
    .step_i        (start && settle),
    .updating_i    (update),
    .term_i        (term_issue),
    .batch_done_i  (batch_done),
    .soma_i        (soma_we_o),
    .soma_flags_i  (soma_flags_i),
    .record_i      ({factor_we_o && role, factor_we_o && layer != LastLayer,
                      factor_we_o && (layer != 8'd1 || second_o)}),
    .record_flags_i(record_flags_i),
    .update_i      (synapse_we_o),
    .kind_i        (matrix_kind[1:0]),
    .update_flags_i(update_flags_i),
    .index_i       (counter_index),
    .counter_o     (counter)
  );

  // The tables' 32-bit words and products of them are wider than this design's addresses.
  wire unused_bits;
  assign unused_bits = ^{slot_count, matrix_kind, matrix_post, matrix_offset, pre_slot,
                         pre_neurons, pre_base, pre_stride, post_slot, post_count, label_lane,
                         sample_slots, sample_inputs, c_addr, column_q, align,
                         segment_slot, segment_count, update_number, constants_word};

endmodule

`default_nettype wire

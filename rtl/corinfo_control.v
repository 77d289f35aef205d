// Control of all lanes: what exists once in a design, while the lanes hold what exists per neuron
// and synapse. corinfo_sequencer executes the program; for each instruction corinfo_pass visits
// slots, corinfo_events takes the sample and broadcasts changed states, corinfo_learn updates a
// matrix; corinfo_result, corinfo_host and corinfo_counters face the outside. Here they
// are joined, and the lanes' shared ports given to who needs them.
//
// An OpSettle passes over its layer and then broadcasts the changed states; it is done when the
// last product is in its sum. Tables are packed, 32 bits an entry, entry 0 lowest: by layer, by 3 x
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
  parameter ReadCycles   = 2,     // of block memories
  parameter SomaCycles   = 8,     // latencies of the pipelines
  parameter RecordCycles = 3,
  parameter ChangeCycles = 4,
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
  parameter [32*Layers-1:0]     RowStride   = 0,  // from slot to slot: Lanes columns
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
  output wire [2:0]                      mac_forward_o,
  output wire [SlotW-1:0]                sum_raddr_o,
  output wire [SlotW-1:0]                sum_waddr_o,
  output wire [2:0]                      sum_we_o,
  output wire                            clear_o,
  output wire                            update_first_o,
  output wire [1:0]                      factor_kind_o,
  output wire [KeptAddrW-1:0]            factor_raddr_o,
  output wire                            factor_we_o,
  output wire [KeptAddrW-1:0]            factor_waddr_o,
  output wire [KeptAddrW-1:0]            pre_raddr_o,
  output wire [2:0]                      pre_kind_o,
  output wire [127:0]                    keys_o,
  output wire                            symmetric_o,
  output wire [15:0]                     row_base_o,
  output wire [15:0]                     column_o,
  output wire                            soma_run_o,     // the pipeline of settling works
  output wire                            record_run_o,   // that of recording
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

  localparam SampleW  = (Batch > 1) ? $clog2(Batch) : 1;
  localparam LayerW   = $clog2(Layers + 1);

  localparam [31:0] LayersWord     = Layers;
  localparam [7:0]  LastLayer      = LayersWord[7:0] - 8'd1;
  localparam        ConstantsDepth = 3 * (Layers - 1);
  localparam        ConstantsAddrW = $clog2(ConstantsDepth);

  // The instruction under way.
  wire                start, next_load, learn, negative, role, negate, batch_done;
  wire [LabelW-1:0]   label;
  wire [3:0]          op;
  wire [7:0]          layer, next_layer, matrix;
  wire [1:0]          sign;
  wire [SampleW-1:0]  sample;
  wire                quiet, changed, host_busy;

  corinfo_sequencer #(
    .Batch       (Batch),
    .LabelW      (LabelW),
    .EtaWidth    (EtaWidth),
    .ProgramDepth(ProgramDepth),
    .ProgramFile (ProgramFile),
    .ReadCycles  (ReadCycles),
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
    .load_o            (next_load),
    .next_layer_o      (next_layer),
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
  assign record_run_o = record;

  // Entries of the layer's tables, looked up before the instruction starts.
  wire [LayerW-1:0] layer_index;
  reg  [31:0]       slot_base, slot_count, last_lanes, column_base, stride, row_stride;
  reg  [95:0]       segment_count, segment_slot, segment_align;
  assign layer_index = next_layer[LayerW-1:0];

  // Three kinds an entry: chosen, because an index of 96 bits a step takes a multiplier.
  reg [95:0] next_count, next_slot, next_align;
  integer    k;

  always @* begin
    next_count = 96'd0;
    next_slot  = 96'd0;
    next_align = 96'd0;
    for (k = 0; k < Layers; k = k + 1) begin
      if (layer_index == k[LayerW-1:0]) begin
        next_count = SegmentCount[96*k +: 96];
        next_slot  = SegmentSlot[96*k +: 96];
        next_align = Align[96*k +: 96];
      end
    end
  end

  always @(posedge clk_i) begin
    if (next_load) begin
      slot_base     <= SlotBase[32*layer_index +: 32];
      slot_count    <= SlotCount[32*layer_index +: 32];
      last_lanes    <= LastLanes[32*layer_index +: 32];
      column_base   <= ColumnBase[32*layer_index +: 32];
      stride        <= Stride[32*layer_index +: 32];
      row_stride    <= RowStride[32*layer_index +: 32];
      segment_count <= next_count;
      segment_slot  <= next_slot;
      segment_align <= next_align;
    end
  end

  wire                 pass, pass_busy, row_valid;
  wire [SlotW-1:0]     pass_slot, row_slot;
  wire [LaneW-1:0]     pass_lane;
  wire [LabelW-1:0]    pass_index;
  wire [KeptAddrW-1:0] other_addr;
  corinfo_pass #(
    .Lanes       (Lanes),
    .LaneW       (LaneW),
    .Outputs     (Outputs),
    .LabelW      (LabelW),
    .Slots       (Slots),
    .SlotW       (SlotW),
    .Batch       (Batch),
    .SampleW     (SampleW),
    .KeptAddrW   (KeptAddrW),
    .ReadCycles  (ReadCycles),
    .SomaCycles  (SomaCycles),
    .RecordCycles(RecordCycles)
  ) u_pass (
    .clk_i         (clk_i),
    .rst_i         (rst_i),
    .start_i       (start),
    .clear_i       (clear),
    .settle_i      (settle),
    .record_i      (record),
    .result_i      (result),
    .slot_base_i   (slot_base[SlotW-1:0]),
    .slot_count_i  (slot_count[SlotW:0]),
    .pull_i        (learn && layer == LastLayer),
    .label_i       (label),
    .role_i        (role),
    .sample_i      (sample),
    .active_o      (pass),
    .slot_o        (pass_slot),
    .lane_o        (pass_lane),
    .index_o       (pass_index),
    .busy_o        (pass_busy),
    .soma_run_o    (soma_run_o),
    .clear_o       (clear_o),
    .soma_we_o     (soma_we_o),
    .soma_waddr_o  (soma_waddr_o),
    .row_valid_o   (row_valid),
    .row_slot_o    (row_slot),
    .label_hit_o   (label_hit_o),
    .label_lane_o  (label_lane_o),
    .other_addr_o  (other_addr),
    .factor_we_o   (factor_we_o),
    .factor_waddr_o(factor_waddr_o)
  );

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

  wire                           event_start, events_busy, mac_issue;
  wire [SlotW-1:0]               event_slot;
  wire [LaneW-1:0]               event_lane;
  wire [SynapseAddrW-1:0]        mac_addr;
  wire [InputAddrW-1:0]          fetch_input;
  wire [XWidth-1:0]              kept_input;
  reg  signed [ValueWidth-1:0]   value_q;
  wire signed [OperandWidth-1:0] update_operand;
  corinfo_events #(
    .Lanes       (Lanes),
    .LaneW       (LaneW),
    .Inputs      (Inputs),
    .Batch       (Batch),
    .SampleW     (SampleW),
    .InputAddrW  (InputAddrW),
    .XWidth      (XWidth),
    .SlotW       (SlotW),
    .RowAddrW    (RowAddrW),
    .SynapseAddrW(SynapseAddrW),
    .ValueWidth  (ValueWidth),
    .OperandWidth(OperandWidth),
    .ReadCycles  (ReadCycles),
    .Dense       (Dense)
  ) u_events (
    .clk_i           (clk_i),
    .rst_i           (rst_i),
    .slot_base_i     (slot_base),
    .slot_count_i    (slot_count),
    .last_lanes_i    (last_lanes),
    .column_base_i   (column_base),
    .stride_i        (stride),
    .row_stride_i    (row_stride),
    .segment_count_i (segment_count),
    .segment_slot_i  (segment_slot),
    .segment_align_i (segment_align),
    .start_i         (start && load),
    .sample_i        (sample),
    .sample_valid_i  (sample_valid_i),
    .sample_ready_o  (sample_ready_o),
    .sample_data_i   (sample_data_i),
    .fetch_input_i   (fetch_input),
    .kept_input_o    (kept_input),
    .pass_i          (pass),
    .pass_slot_i     (pass_slot),
    .clear_i         (clear_o),
    .row_valid_i     (row_valid),
    .row_slot_i      (row_slot),
    .row_changed_i   (changed_i),
    .fetch_slot_o    (event_slot),
    .fetch_lane_o    (event_lane),
    .fetch_value_i   (value_q),
    .update_i        (update),
    .update_operand_i(update_operand),
    .synapse_raddr_o (mac_addr),
    .mac_operand_o   (mac_operand_o),
    .mac_kind_o      (mac_kind_o),
    .mac_forward_o   (mac_forward_o),
    .sum_raddr_o     (sum_raddr_o),
    .sum_waddr_o     (sum_waddr_o),
    .sum_we_o        (sum_we_o),
    .event_o         (event_start),
    .issue_o         (mac_issue),
    .busy_o          (events_busy)
  );
  assign mac_update_o = update;

  wire [31:0]                    seed, update_number;
  wire                           from_input, learn_busy, term_issue;
  wire [1:0]                     kind;
  wire [KeptAddrW-1:0]           fetch_addr;
  wire [LaneW-1:0]               fetch_lane;
  wire [SynapseAddrW-1:0]        update_raddr, update_waddr;
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
    .ReadCycles  (ReadCycles),
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
    .sample_start_i (start && load),
    .sample_i       (sample),
    .negative_i     (negative),
    .start_i        (start && update),
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
  // its address, what block memories hold ReadCycles + 2.
  wire [LaneW-1:0]    host_lane, slot_lane, block_lane;
  wire                host_read;
  wire [XWidth-1:0]   input_late;
  wire [LaneW-1:0]    lane;
  reg  [Lanes-1:0]    lanes_q;    // one bit is set
  reg  [PreWidth-1:0] pre_value;
  integer             i, j;

  corinfo_delay #(.Width(LaneW), .Cycles(1)) u_slot_lane (
    .clk_i(clk_i), .data_i(result ? pass_lane : event_lane), .data_o(slot_lane)
  );
  corinfo_delay #(.Width(LaneW), .Cycles(ReadCycles)) u_block_lane (
    .clk_i(clk_i), .data_i(update ? fetch_lane : host_lane), .data_o(block_lane)
  );
  corinfo_delay #(.Width(XWidth), .Cycles(1)) u_input_late (
    .clk_i(clk_i), .data_i(kept_input), .data_o(input_late)
  );
  assign lane = (settle || result) ? slot_lane : block_lane;

  always @* begin
    pre_value = {PreWidth{1'b0}};
    for (i = 0; i < Lanes; i = i + 1) begin
      pre_value = pre_value | ({PreWidth{lanes_q[i]}} & pre_i[PreWidth*i +: PreWidth]);
    end
  end

  always @(posedge clk_i) begin
    for (j = 0; j < Lanes; j = j + 1) begin
      lanes_q[j] <= lane == j[LaneW-1:0];
    end
    if (update && from_input) begin
      value_q <= {{(ValueWidth - XWidth){1'b0}}, input_late};
    end else begin
      value_q <= {{(ValueWidth - PreWidth + 1){pre_value[PreWidth-1]}}, pre_value[PreWidth-2:0]};
    end
  end

  assign pre_raddr_o  = update ? fetch_addr : other_addr;
  assign slot_raddr_o = pass ? pass_slot : event_slot;
  assign pre_kind_o   = settle ? PreDelta :
                        update ? ((kind == KindC) ? PreC : PreKept) :
                        result ? PreState : PreSynapse;

  wire [SynapseAddrW-1:0] host_addr;
  assign synapse_raddr_o = update ? update_raddr : host_read ? host_addr : mac_addr;
  assign synapse_waddr_o = host_we_o ? host_addr : update_waddr;

  wire result_busy;
  corinfo_result #(
    .LabelW    (LabelW),
    .ScoreWidth(ScoreWidth)
  ) u_result (
    .clk_i        (clk_i),
    .rst_i        (rst_i),
    .valid_i      (pass && result),
    .index_i      (pass_index),
    .score_i      (value_q[ScoreWidth-1:0]),
    .busy_o       (result_busy),
    .score_valid_o(score_valid_o),
    .score_index_o(score_index_o),
    .score_data_o (score_data_o),
    .class_o      (result_class_o)
  );

  // An instruction is done when its pass is over and nothing of it is under way.
  reg quiet_q;
  always @(posedge clk_i) begin
    quiet_q <= !pass_busy && !events_busy && !learn_busy && !result_busy;
  end
  assign quiet = quiet_q;

  // Constants of the soma and learning rates.
  wire [1:0] beta;
  assign beta = (sign == 2'd0) ? 2'd0 : ((sign == 2'd1) != negative) ? 2'd1 : 2'd2;
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
    .ReadCycles  (ReadCycles),
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
    .sample_i       (sample),
    .seed_o         (seed),
    .update_o       (update_number),
    .counter_index_o(counter_index),
    .counter_i      (counter)
  );
  assign host_lane_o = host_lane;

  wire starved;
  assign starved = sample_ready_o && !sample_valid_i;
  corinfo_counters #(
    .Lanes(Lanes)
  ) u_counters (
    .clk_i         (clk_i),
    .rst_i         (rst_i),
    .busy_i        (!idle_o),
    .settling_i    ((load && !starved) || settle),
    .waiting_i     (starved || (result_valid_o && !result_ready_i)),
    .event_i       (event_start),
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
    .kind_i        (kind),
    .update_flags_i(update_flags_i),
    .index_i       (counter_index),
    .counter_o     (counter)
  );

  // 32-bit words are wider than this design's addresses.
  wire unused_bits;
  assign unused_bits = ^{slot_base, slot_count, update_number, constants_word, next_layer};

endmodule

`default_nettype wire

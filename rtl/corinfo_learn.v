// Updates one matrix: makes the round keys of its random words, walks its columns and writes every
// synapse back when the lanes' pipeline has its new value.
//
// start_i with a matrix starts; busy_o is high until the last synapse is written. matrix_i and the
// other inputs of the update are stable until then. Presynaptic factors are fetched as
// corinfo_terms says. The random word of a synapse, RandomCycles behind the walk, the change from
// its products, ChangeCycles behind their sum, and the synapse itself meet in the lanes' pipeline:
// what would come too early waits. first_o (the first product of a synapse) is there ReadCycles + 2
// after the product's factor_raddr_o, synapse_we_o ReadCycles + UpdateCycles after the synapse's
// synapse_raddr_o. A table's entry is there two cycles after its layer or matrix.

`timescale 1ns/1ps
`default_nettype none

module corinfo_learn #(
  parameter Lanes        = 16,
  parameter LaneW        = 4,
  parameter Layers       = 3,
  parameter Matrices     = 5,
  parameter Batch        = 1,
  parameter SampleW      = 1,
  parameter Inputs       = 784,
  parameter Slots        = 8,
  parameter SlotW        = 3,
  parameter KeptAddrW    = 4,
  parameter InputAddrW   = 10,
  parameter SynapseAddrW = 9,
  parameter ValueWidth   = 18,
  parameter OperandWidth = 19,
  parameter TermAddrW    = 4,
  parameter TermStyle    = "auto",  // as corinfo_terms
  parameter ReadCycles   = 2,   // of the lanes' block memories
  parameter FetchCycles  = 6,   // as corinfo_terms counts them
  parameter ChangeCycles = 4,   // from the sum of a synapse's products to its change
  parameter UpdateCycles = 5,   // from the change to the new synapse
  // Tables as corinfo_control has them.
  parameter [32*Layers-1:0]   SlotBase     = 0,
  parameter [32*Layers-1:0]   SlotCount    = 0,
  parameter [32*Layers-1:0]   Neurons      = 0,
  parameter [32*Layers-1:0]   ColumnBase   = 0,
  parameter [32*Layers-1:0]   Stride       = 0,
  parameter [32*Matrices-1:0] MatrixKind   = 0,
  parameter [32*Matrices-1:0] MatrixPre    = 0,
  parameter [32*Matrices-1:0] MatrixPost   = 0,
  parameter [32*Matrices-1:0] MatrixOffset = 0
) (
  input  wire                           clk_i,
  input  wire                           rst_i,

  // A sample of the mini-batch begins: is its beta negative? Both stand still for a cycle more.
  input  wire                           sample_start_i,
  input  wire [SampleW-1:0]             sample_i,
  input  wire                           negative_i,

  // The update.
  input  wire                           start_i,
  input  wire [7:0]                     matrix_i,
  input  wire                           negate_i,
  input  wire [31:0]                    seed_i,
  input  wire [23:0]                    update_i,         // its number
  output wire [1:0]                     kind_o,           // of the matrix: 0 W, 1 F, 2 C
  output wire                           from_input_o,     // it is layer 0's
  output wire                           busy_o,

  // Presynaptic factors.
  output wire [KeptAddrW-1:0]           fetch_addr_o,
  output wire [InputAddrW-1:0]          fetch_input_o,
  output wire [LaneW-1:0]               fetch_lane_o,
  input  wire signed [ValueWidth-1:0]   fetch_value_i,

  // Products and the synapses that take them.
  output wire                           issue_o,
  output wire signed [OperandWidth-1:0] operand_o,
  output wire [KeptAddrW-1:0]           factor_raddr_o,
  output wire                           first_o,          // ReadCycles + 2 later
  output wire [SynapseAddrW-1:0]        synapse_raddr_o,
  output wire                           synapse_we_o,
  output wire [SynapseAddrW-1:0]        synapse_waddr_o,

  // Random words.
  output wire [127:0]                   keys_o,
  output wire                           symmetric_o,
  output wire [15:0]                    row_base_o,
  output wire [15:0]                    column_o
);

  localparam [1:0]  KindC      = 2'd2;
  localparam        LayerW     = $clog2(Layers + 1);
  localparam        MatrixW    = $clog2(Matrices + 1);
  localparam [31:0] SlotsWord  = Slots;
  localparam [31:0] BatchSlots = Batch * Slots;
  localparam [31:0] InputsWord = Inputs;

  // Cycles that products and random words take from the walk to where they meet.
  localparam RandomCycles  = 10;
  localparam ProductCycles = ReadCycles + 3 + ChangeCycles;
  localparam MeetCycles    = (RandomCycles > ProductCycles) ? RandomCycles : ProductCycles;
  localparam ProductDelay  = MeetCycles - ProductCycles;
  localparam FirstDelay    = ProductDelay + ReadCycles + 2;
  localparam RandomDelay   = MeetCycles - RandomCycles;
  localparam ReadDelay     = MeetCycles - ReadCycles;
  localparam WriteDelay    = ReadCycles + UpdateCycles;

  // Entries of the tables: of the matrix, then of its layers. The round keys take longer.
  wire [MatrixW-1:0]      index;
  wire [LayerW-1:0]       pre, post;
  reg  [31:0]             kind_q, pre_q, post_q, offset_q;
  reg  [31:0]             pre_slot, pre_neurons, pre_base, pre_stride, post_slot, post_count;
  reg  [SynapseAddrW-1:0] column_addr_q;
  assign index = matrix_i[MatrixW-1:0];
  assign pre   = pre_q[LayerW-1:0];
  assign post  = post_q[LayerW-1:0];

  always @(posedge clk_i) begin
    kind_q        <= MatrixKind[32*index +: 32];
    pre_q         <= MatrixPre[32*index +: 32];
    post_q        <= MatrixPost[32*index +: 32];
    offset_q      <= MatrixOffset[32*index +: 32];
    pre_slot      <= SlotBase[32*pre +: 32];
    pre_neurons   <= Neurons[32*pre +: 32];
    pre_base      <= ColumnBase[32*pre +: 32];
    pre_stride    <= Stride[32*pre +: 32];
    post_slot     <= SlotBase[32*post +: 32];
    post_count    <= SlotCount[32*post +: 32];
    column_addr_q <= pre_base[SynapseAddrW-1:0] + offset_q[SynapseAddrW-1:0];
  end

  reg lateral_q, from_input_q, two_phases_q;
  assign kind_o       = kind_q[1:0];
  assign from_input_o = from_input_q;
  assign symmetric_o  = lateral_q;

  always @(posedge clk_i) begin
    lateral_q    <= kind_q[1:0] == KindC;
    from_input_q <= pre_q == 32'd0;
    two_phases_q <= kind_q[1:0] != KindC && pre_q != 32'd0;
  end

  // Signs of beta of the mini-batch.
  reg             sample_start_q;
  reg [Batch-1:0] negative_q;
  integer         k;
  always @(posedge clk_i) begin
    sample_start_q <= sample_start_i;
    for (k = 0; k < Batch; k = k + 1) begin
      if (sample_start_q && sample_i == k[SampleW-1:0]) begin
        negative_q[k] <= negative_i;
      end
    end
  end

  // The round keys, then the walk.
  wire keys_busy, keys_done;
  reg  keys_was_q;
  always @(posedge clk_i) begin
    keys_was_q <= !rst_i && keys_busy;
  end
  assign keys_done = keys_was_q && !keys_busy;

  corinfo_random_keys u_keys (
    .clk_i   (clk_i),
    .rst_i   (rst_i),
    .start_i (start_i),
    .seed_i  (seed_i),
    .update_i(update_i),
    .matrix_i(matrix_i),
    .keys_o  (keys_o),
    .busy_o  (keys_busy)
  );

  wire                           terms_busy, term_first, term_last;
  wire signed [OperandWidth-1:0] term_operand;
  wire [KeptAddrW-1:0]           term_factor;
  wire [SynapseAddrW-1:0]        term_addr;
  wire [15:0]                    term_row_base, term_column;

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
    .FetchCycles (FetchCycles),
    .TermAddrW   (TermAddrW),
    .TermStyle   (TermStyle)
  ) u_terms (
    .clk_i          (clk_i),
    .rst_i          (rst_i),
    .start_i        (keys_done),
    .columns_i      (pre_neurons[15:0]),
    .two_phases_i   (two_phases_q),
    .last_role_i    (!negate_i),
    .always_i       (lateral_q),
    .negate_i       (negate_i),
    .signed_i       (!lateral_q),
    .negative_i     (negative_q),
    .pre_slot_i     (pre_slot[SlotW-1:0]),
    .post_slot_i    (post_slot[SlotW-1:0]),
    .post_count_i   (post_count[SlotW:0]),
    .column_addr_i  (column_addr_q),
    .stride_i       (pre_stride[SynapseAddrW-1:0]),
    .sample_slots_i (SlotsWord[KeptAddrW-1:0]),
    .role_slots_i   (BatchSlots[KeptAddrW-1:0]),
    .sample_inputs_i(InputsWord[InputAddrW-1:0]),
    .fetch_addr_o   (fetch_addr_o),
    .fetch_input_o  (fetch_input_o),
    .fetch_lane_o   (fetch_lane_o),
    .fetch_value_i  (fetch_value_i),
    .issue_o        (issue_o),
    .first_o        (term_first),
    .last_o         (term_last),
    .operand_o      (term_operand),
    .factor_addr_o  (term_factor),
    .synapse_addr_o (term_addr),
    .row_base_o     (term_row_base),
    .column_o       (term_column),
    .busy_o         (terms_busy)
  );

  // Products, random words and synapses meet.
  wire read, read_busy;
  corinfo_delay #(.Width(OperandWidth + KeptAddrW), .Cycles(ProductDelay)) u_product (
    .clk_i(clk_i), .data_i({term_operand, term_factor}), .data_o({operand_o, factor_raddr_o})
  );
  corinfo_delay #(.Width(1), .Cycles(FirstDelay)) u_first (
    .clk_i(clk_i), .data_i(term_first), .data_o(first_o)
  );
  corinfo_delay #(.Width(32), .Cycles(RandomDelay)) u_random (
    .clk_i(clk_i), .data_i({term_row_base, term_column}), .data_o({row_base_o, column_o})
  );
  corinfo_delay #(.Width(SynapseAddrW), .Cycles(ReadDelay)) u_read_addr (
    .clk_i(clk_i), .data_i(term_addr), .data_o(synapse_raddr_o)
  );
  corinfo_valid #(.Cycles(ReadDelay)) u_read (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(issue_o && term_last), .valid_o(read),
    .busy_o(read_busy)
  );

  // The synapse is read for its last product and written when the update's pipeline is through. The
  // first cycle of a reset, whatever the registers hold then, writes nothing.
  wire write, write_busy;
  corinfo_valid #(.Cycles(WriteDelay)) u_write (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(read), .valid_o(write), .busy_o(write_busy)
  );
  corinfo_delay #(.Width(SynapseAddrW), .Cycles(WriteDelay)) u_write_addr (
    .clk_i(clk_i), .data_i(synapse_raddr_o), .data_o(synapse_waddr_o)
  );
  assign synapse_we_o = write && !rst_i;

  assign busy_o = keys_busy || keys_was_q || terms_busy || read_busy || write_busy;

  // The tables' 32-bit words are wider than this design's addresses.
  wire unused_bits;
  assign unused_bits = ^{kind_q, post_q, offset_q, pre_slot, pre_neurons, pre_base, pre_stride,
                         post_slot, post_count};

endmodule

`default_nettype wire

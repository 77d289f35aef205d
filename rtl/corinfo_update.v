// Updates a projection: makes the round keys of its random words, walks its columns, and writes every synapse when
// the neuron units have its next words.
//
// start_i with a projection starts; done_o is high in the last cycle. Products go to the first sum of context 0 in
// every lane, which is held when the last one of a synapse is in it. From then on every unit visits the synapses of
// its lanes, one a cycle (visit_o, with the sum and the synapse before it), and writes their next words LatencyField
// cycles after its first stage (write_o, to synapse_waddr_o). The last product of a synapse waits until the units
// have visited those of the one before. random_* go RandomCycles + 1 before the first stage, so that random words are
// there with the sums.
//
// UpdatesFile has a word of 288 bits a projection, fields of 16 bits from the lowest on: flags and graph, columns,
// first index of the presynaptic layer, kept base by term (2), factor base by term (2), first slot, slots, rows,
// first synapse (2), stride, number of the keys, latency, flags of terms, by term the number of
// its postsynaptic factors (2), as corinfo_steps has them.

`timescale 1ns/1ps
`default_nettype none

module corinfo_update #(
  parameter Lanes        = 16,
  parameter Units        = 4,
  parameter UnitW        = 2,
  parameter Subs         = 4,
  parameter SubW         = 2,
  parameter Slots        = 8,
  parameter SlotW        = 3,
  parameter IndexW       = 5,
  parameter Batch        = 1,
  parameter SampleW      = 1,
  parameter Inputs       = 784,
  parameter FactorAddrW  = 4,
  parameter KeptAddrW    = 4,
  parameter InputAddrW   = 10,
  parameter SynapseAddrW = 9,
  parameter ValueWidth   = 18,
  parameter OperandWidth = 19,
  parameter TermAddrW    = 4,
  parameter SmallStyle   = "distributed",  // of small memories; "auto" where there are no distributed ones
  parameter ReadCycles   = 2,
  parameter FetchCycles  = 6,
  parameter Updates      = 5,     // at least 2
  parameter UpdatesFile  = "",
  parameter HostTables   = 1,     // the host reads and writes the table
  parameter MaxLatency   = 20     // of the units' pipelines
) (
  input  wire                           clk_i,
  input  wire                           rst_i,

  // A sample of the mini-batch begins: is its beta negative?
  input  wire                           sample_start_i,
  input  wire [SampleW-1:0]             sample_i,
  input  wire                           negative_i,

  input  wire                           start_i,
  input  wire [7:0]                     update_i,
  input  wire [31:0]                    seed_i,
  input  wire [23:0]                    number_i,         // of the mini-batch
  output wire                           done_o,
  output wire                           busy_o,
  output wire [7:0]                     graph_o,
  output wire [15:0]                    rows_o,

  // Is one of a sample's postsynaptic factors not zero?
  output wire [15:0]                    live_factor_o,
  output wire [SampleW-1:0]             live_sample_o,
  input  wire                           live_i,           // a cycle later

  // Is an input not zero in some sample? Low: in none.
  output wire                           live_input_re_o,
  output wire [15:0]                    live_input_o,
  input  wire                           input_live_i,     // from a cycle later to the next question

  // Presynaptic factors: of a unit, of the input, or 1.
  output wire [KeptAddrW-1:0]           fetch_addr_o,
  output wire [InputAddrW-1:0]          fetch_input_o,
  output wire [UnitW-1:0]               fetch_unit_o,
  output wire                           from_input_o,
  output wire                           from_one_o,
  input  wire signed [ValueWidth-1:0]   fetch_value_i,

  // Products, cycles as in corinfo_lane.
  output wire [FactorAddrW-1:0]         factor_raddr_o,
  output wire signed [OperandWidth-1:0] operand_o,
  output wire                           sum_we_o,
  output wire                           sum_first_o,
  output reg                            sum_same_o,       // a product was added in the cycle before
  output wire                           hold_o,
  output wire                           product_o,        // one is issued

  // Synapses.
  output reg  [SynapseAddrW-1:0]        synapse_raddr_o,
  output wire                           visit_o,
  output wire [SubW-1:0]                visit_sub_o,
  output wire                           write_o,
  output wire [SubW-1:0]                write_sub_o,
  output wire [SynapseAddrW-1:0]        synapse_waddr_o,
  output wire [15:0]                    write_row_o,      // neuron of the slot's lane 0

  // Random words.
  output wire [127:0]                   keys_o,
  output wire [1:0]                     order_o,          // 0 (row, column), 1 the larger one first, 2 (column, row)
  output wire [15:0]                    random_row_o,     // of unit 0; the units' own a cycle later
  output wire [15:0]                    random_column_o,

  // The host's access to the table, while no update is under way: see corinfo_table.
  input  wire                           host_i,
  input  wire                           host_we_i,
  input  wire [19:0]                    host_row_i,
  input  wire [3:0]                     host_part_i,
  input  wire [31:0]                    host_data_i,
  output wire [31:0]                    host_word_o
);

  // Parameters that it cannot have: elaboration finds no module of the reason's name.
  generate
    if (Updates < 2 || Updates > 256) begin : gen_check
      corinfo_error_updates_not_2_to_256 u_error ();
    end else if (Slots < 1 || (Slots - 1) >> SlotW != 0) begin : gen_check
      corinfo_error_slot_w_too_narrow u_error ();
    end else if (Inputs < 1) begin : gen_check
      corinfo_error_inputs_below_1 u_error ();
    end else if (ReadCycles < 1) begin : gen_check
      corinfo_error_read_cycles_below_1 u_error ();
    end else if (MaxLatency < 0 || MaxLatency > 253) begin : gen_check
      corinfo_error_max_latency_not_0_to_253 u_error ();
    end
  endgenerate

  // Definitions of update, printed from hdlgen/design/definitions.go.
  localparam GraphLow         = 0;
  localparam GraphBits        = 8;
  localparam FromInputLow     = 8;
  localparam FromOneLow       = 9;
  localparam AlwaysLow        = 10;
  localparam SignedLow        = 11;
  localparam TwoTermsLow      = 12;
  localparam OrderLow         = 13;
  localparam OrderBits        = 2;
  localparam ColumnsLow       = 16;
  localparam ColumnsBits      = 16;
  localparam IndexBaseLow     = 32;
  localparam IndexBaseBits    = 16;
  localparam KeptFirstLow     = 48;
  localparam KeptFirstBits    = 16;
  localparam KeptSecondLow    = 64;
  localparam KeptSecondBits   = 16;
  localparam FactorFirstLow   = 80;
  localparam FactorFirstBits  = 16;
  localparam FactorSecondLow  = 96;
  localparam FactorSecondBits = 16;
  localparam SlotBaseLow      = 112;
  localparam SlotBaseBits     = 16;
  localparam SlotCountLow     = 128;
  localparam SlotCountBits    = 16;
  localparam RowsLow          = 144;
  localparam RowsBits         = 16;
  localparam SynapseLow       = 160;
  localparam SynapseBits      = 32;
  localparam StrideLow        = 192;
  localparam StrideBits       = 16;
  localparam MatrixLow        = 208;
  localparam MatrixBits       = 16;
  localparam LatencyLow       = 224;
  localparam LatencyBits      = 16;
  localparam MinusLow         = 240;
  localparam MinusBits        = 16;
  localparam LiveFirstLow     = 256;
  localparam LiveFirstBits    = 16;
  localparam LiveSecondLow    = 272;
  localparam LiveSecondBits   = 16;
  localparam EntryBits        = 288;
  // End of definitions.

  localparam UpdateAddrW  = $clog2(Updates);
  localparam RandomCycles = 10;
  // So many cycles do products wait for the random words of their synapse.
  localparam ProductDelay = 8;
  // from the issue of a synapse's last product to the hold of the sum
  localparam HoldDelay    = ProductDelay + ReadCycles + 3;
  localparam ReadDelay    = ProductDelay + 3;               // and to the cycle before the synapse's address
  localparam RandomDelay  = HoldDelay - RandomCycles + 1;   // and to the cycle before its first random word's indices
  localparam LineLength   = MaxLatency + 2;

  localparam [31:0]      SlotsWord   = Slots;
  localparam [31:0]      DepthWord   = Slots * Subs;
  localparam [31:0]      InputsWord  = Inputs;
  localparam [31:0]      LastSubWord = Subs - 1;
  localparam [SubW-1:0]  LastSub     = LastSubWord[SubW-1:0];
  localparam [SubW-1:0]  OneSub      = 1;

  // The projection's entry.
  reg  [7:0]   update_q;
  wire [EntryBits-1:0] entry;
  always @(posedge clk_i) begin
    if (rst_i) begin
      update_q <= 8'd0;   // so that simulators know the latency before the first update
    end else if (start_i) begin
      update_q <= update_i;
    end
  end
  corinfo_table #(
    .Width(EntryBits), .Depth(Updates), .InitFile(UpdatesFile), .Host(HostTables)
  ) u_updates (
    .clk_i(clk_i), .addr_i(update_q[UpdateAddrW-1:0]), .data_o(entry), .host_i(host_i), .host_we_i(host_we_i),
    .host_row_i(host_row_i), .host_part_i(host_part_i), .host_data_i(host_data_i), .host_word_o(host_word_o)
  );
  wire        always_f, signed_f, two_terms;
  wire [15:0] columns, index_base, slot_base, slot_count, stride, number, latency, terms_f;
  wire [31:0] kept_base, factor_base, first_synapse;
  wire [15:0] kept_second, factor_second;
  assign graph_o       = entry[GraphLow +: GraphBits];
  assign from_input_o  = entry[FromInputLow];
  assign from_one_o    = entry[FromOneLow];
  assign always_f      = entry[AlwaysLow];
  assign signed_f      = entry[SignedLow];
  assign two_terms     = entry[TwoTermsLow];
  assign order_o       = entry[OrderLow +: OrderBits];
  assign columns       = entry[ColumnsLow +: ColumnsBits];
  assign index_base    = entry[IndexBaseLow +: IndexBaseBits];
  assign kept_base     = {16'd0, entry[KeptFirstLow +: KeptFirstBits]};
  assign kept_second   = entry[KeptSecondLow +: KeptSecondBits];
  assign factor_base   = {16'd0, entry[FactorFirstLow +: FactorFirstBits]};
  assign factor_second = entry[FactorSecondLow +: FactorSecondBits];
  assign slot_base     = entry[SlotBaseLow +: SlotBaseBits];
  assign slot_count    = entry[SlotCountLow +: SlotCountBits];
  assign rows_o        = entry[RowsLow +: RowsBits];
  assign first_synapse = entry[SynapseLow +: SynapseBits];
  assign stride        = entry[StrideLow +: StrideBits];
  assign number        = entry[MatrixLow +: MatrixBits];
  assign latency       = entry[LatencyLow +: LatencyBits];
  assign terms_f       = entry[MinusLow +: MinusBits];

  // Signs of beta of the mini-batch.
  reg [Batch-1:0] negative_q;
  reg               starts_q, sign_q;
  reg [SampleW-1:0] sample_q;
  integer           k;
  always @(posedge clk_i) begin
    starts_q <= sample_start_i;
    sample_q <= sample_i;
    sign_q   <= negative_i;
    for (k = 0; k < Batch; k = k + 1) begin
      if (starts_q && sample_q == k[SampleW-1:0]) begin
        negative_q[k] <= sign_q;
      end
    end
  end

  // The entry, the round keys, then the walk.
  reg  looked_q, keys_start_q;
  wire keys_busy, list_second;
  always @(posedge clk_i) begin
    looked_q     <= !rst_i && start_i;
    keys_start_q <= !rst_i && looked_q;
  end
  assign live_factor_o = list_second ? entry[LiveSecondLow +: LiveSecondBits] : entry[LiveFirstLow +: LiveFirstBits];
  corinfo_random_keys u_keys (
    .clk_i(clk_i), .rst_i(rst_i), .start_i(keys_start_q), .seed_i(seed_i), .update_i(number_i),
    .matrix_i(number[7:0]), .keys_o(keys_o), .busy_o(keys_busy)
  );

  wire                           issue, first, last, close, terms_busy, ready;
  wire signed [OperandWidth-1:0] operand;
  wire [FactorAddrW-1:0]         factor_addr;
  wire [SynapseAddrW-1:0]        synapse_addr;
  wire [15:0]                    row_base, column;
  corinfo_terms #(
    .SmallStyle(SmallStyle),
    .Batch(Batch), .SampleW(SampleW), .Units(Units), .UnitW(UnitW), .Subs(Subs), .SubW(SubW), .Lanes(Lanes),
    .SlotW(SlotW), .IndexW(IndexW),
    .FactorAddrW(FactorAddrW), .KeptAddrW(KeptAddrW), .InputAddrW(InputAddrW), .SynapseAddrW(SynapseAddrW),
    .ValueWidth(ValueWidth), .OperandWidth(OperandWidth), .FetchCycles(FetchCycles), .TermAddrW(TermAddrW)
  ) u_terms (
    .clk_i          (clk_i),
    .rst_i          (rst_i),
    .start_i        (keys_start_q),
    .hold_i         (keys_busy),
    .ready_i        (ready),
    .columns_i      (columns),
    .two_terms_i    (two_terms),
    .minus_i        (terms_f[1:0]),
    .always_i       (always_f),
    .signed_i       (signed_f),
    .negative_i     (negative_q),
    .index_i        (index_base[IndexW-1:0]),
    .kept_base_i    ({kept_second[KeptAddrW-1:0], kept_base[KeptAddrW-1:0]}),
    .factor_base_i  ({factor_second[FactorAddrW-1:0], factor_base[FactorAddrW-1:0]}),
    .post_slot_i    (slot_base[SlotW-1:0]),
    .post_count_i   (slot_count[SlotW:0]),
    .column_addr_i  (first_synapse[SynapseAddrW-1:0]),
    .stride_i       (stride[SynapseAddrW-1:0]),
    .sample_words_i (DepthWord[KeptAddrW-1:0]),
    .sample_slots_i (SlotsWord[FactorAddrW-1:0]),
    .sample_inputs_i(InputsWord[InputAddrW-1:0]),
    .list_sample_o  (live_sample_o),
    .list_second_o  (list_second),
    .live_i         (live_i),
    .ahead_re_o     (live_input_re_o),
    .ahead_o        (live_input_o),
    .ahead_live_i   (input_live_i || !from_input_o),
    .fetch_addr_o   (fetch_addr_o),
    .fetch_input_o  (fetch_input_o),
    .fetch_unit_o   (fetch_unit_o),
    .fetch_value_i  (fetch_value_i),
    .issue_o        (issue),
    .first_o        (first),
    .last_o         (last),
    .close_o        (close),
    .operand_o      (operand),
    .factor_addr_o  (factor_addr),
    .synapse_addr_o (synapse_addr),
    .row_base_o     (row_base),
    .column_o       (column),
    .busy_o         (terms_busy)
  );
  assign product_o = issue;

  // Last products of synapses are Subs cycles apart at least. The walk decides two cycles before a product is issued.
  generate
    if (Subs > 1) begin : gen_ready
      reg [SubW-1:0] wait_q;
      reg            ready_q;
      assign ready = ready_q;
      always @(posedge clk_i) begin
        if (rst_i) begin
          wait_q  <= {SubW{1'b0}};
          ready_q <= 1'b1;
        end else if (close) begin
          wait_q  <= LastSub;
          ready_q <= 1'b0;
        end else if (wait_q != {SubW{1'b0}}) begin
          wait_q  <= wait_q - OneSub;
          ready_q <= wait_q == OneSub;
        end
      end
    end else begin : gen_always
      wire unused_close;
      assign unused_close = close;
      assign ready = 1'b1;
    end
  endgenerate

  // Products.
  wire product, sum_first, unused_sum_busy, hold_busy, closes;
  corinfo_delay #(.Width(FactorAddrW), .Cycles(ProductDelay)) u_factor (
    .clk_i(clk_i), .data_i(factor_addr), .data_o(factor_raddr_o)
  );
  corinfo_delay #(.Width(OperandWidth), .Cycles(ProductDelay + ReadCycles)) u_operand (
    .clk_i(clk_i), .data_i(operand), .data_o(operand_o)
  );
  corinfo_valid #(.Cycles(ProductDelay + ReadCycles + 1)) u_sum (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(issue), .valid_o(product), .busy_o(unused_sum_busy)
  );
  corinfo_delay #(.Width(1), .Cycles(ProductDelay + ReadCycles + 1)) u_first (
    .clk_i(clk_i), .data_i(first), .data_o(sum_first)
  );
  assign sum_we_o    = product;
  assign sum_first_o = sum_first;
  always @(posedge clk_i) begin
    sum_same_o <= product;
  end
  assign closes      = issue && last;
  corinfo_valid #(.Cycles(HoldDelay)) u_hold (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(closes), .valid_o(hold_o), .busy_o(hold_busy)
  );

  // The synapse's address, until the next one's.
  wire                    read, unused_read_busy;
  wire [SynapseAddrW-1:0] read_addr;
  corinfo_valid #(.Cycles(ReadDelay)) u_read (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(closes), .valid_o(read), .busy_o(unused_read_busy)
  );
  corinfo_delay #(.Width(SynapseAddrW), .Cycles(ReadDelay)) u_read_addr (
    .clk_i(clk_i), .data_i(synapse_addr), .data_o(read_addr)
  );
  always @(posedge clk_i) begin
    if (read) begin
      synapse_raddr_o <= read_addr;
    end
  end

  // Random words: a visit ahead.
  wire        random_start, unused_random_busy;
  wire [31:0] random_place;
  reg  [SubW-1:0] random_sub_q;
  reg  [15:0]     random_row_q, random_column_q;
  corinfo_valid #(.Cycles(RandomDelay)) u_random (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(closes), .valid_o(random_start), .busy_o(unused_random_busy)
  );
  corinfo_delay #(.Width(32), .Cycles(RandomDelay)) u_random_place (
    .clk_i(clk_i), .data_i({row_base, column}), .data_o(random_place)
  );
  always @(posedge clk_i) begin
    if (random_start) begin
      random_sub_q                    <= {SubW{1'b0}};
      {random_row_q, random_column_q} <= random_place;
    end else begin
      random_sub_q <= random_sub_q + OneSub;
    end
  end
  assign random_row_o    = random_row_q + {{(16 - SubW){1'b0}}, random_sub_q};
  assign random_column_o = random_column_q;

  // The visits, and as many cycles later as the pipeline has, the writes.
  wire [SynapseAddrW+15:0] visit_place;
  reg                      visit_q;
  reg [SubW-1:0]           sub_q;
  reg [SynapseAddrW-1:0]   addr_q;
  reg [15:0]               row_q;
  corinfo_delay #(.Width(SynapseAddrW + 16), .Cycles(HoldDelay)) u_visit_place (
    .clk_i(clk_i), .data_i({synapse_addr, row_base}), .data_o(visit_place)
  );
  always @(posedge clk_i) begin
    if (rst_i) begin
      visit_q <= 1'b0;
    end else if (hold_o) begin
      visit_q <= 1'b1;
    end else if (sub_q == LastSub) begin
      visit_q <= 1'b0;
    end
    if (hold_o) begin
      sub_q           <= {SubW{1'b0}};
      {addr_q, row_q} <= visit_place;
    end else begin
      sub_q <= sub_q + OneSub;
    end
  end
  assign visit_o     = visit_q;
  assign visit_sub_o = sub_q;

  reg                   running_q;
  reg  [LineLength-1:0] line_q;
  wire [LineLength:0]   line;
  wire                  returns, queued;
  localparam QueueW     = $clog2(LineLength + 2);
  localparam TapW       = $clog2(LineLength + 1);
  localparam [31:0] LineWord = LineLength;
  wire [7:0] tap;
  assign line = {line_q, visit_q};
  assign tap  = (latency[7:0] < LineWord[7:0]) ? latency[7:0] + 8'd1 : LineWord[7:0];
  always @(posedge clk_i) begin
    // Visits of the projection before, behind its tap, are not to come by the tap of one with a longer pipeline.
    line_q <= (rst_i || start_i) ? {LineLength{1'b0}} : line[LineLength-1:0];
  end
  // So are they not by that of a row that the host reads when the update is done.
  assign returns = running_q && line[tap[TapW-1:0]];
  corinfo_fifo #(.Width(SubW + SynapseAddrW + 16), .AddrW(QueueW)) u_return (
    .clk_i(clk_i), .rst_i(rst_i), .put_i(visit_q), .data_i({sub_q, addr_q, row_q}),
    .valid_o(queued), .data_o({write_sub_o, synapse_waddr_o, write_row_o}), .take_i(returns)
  );
  assign write_o = returns && !rst_i;

  assign busy_o = running_q;
  assign done_o = running_q && !looked_q && !keys_start_q && !keys_busy && !terms_busy && !hold_busy && !visit_q
                  && !queued;
  always @(posedge clk_i) begin
    if (rst_i) begin
      running_q <= 1'b0;
    end else if (start_i) begin
      running_q <= 1'b1;
    end else if (done_o) begin
      running_q <= 1'b0;
    end
  end

  wire unused_bits;
  assign unused_bits = ^{entry, update_q, tap, index_base, slot_base, slot_count, stride, number, latency, terms_f,
                         kept_base,
                         factor_base,
                         first_synapse, kept_second, factor_second};

endmodule

`default_nettype wire

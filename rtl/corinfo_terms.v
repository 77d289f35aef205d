// Walks a projection for its update: lists the samples of the mini-batch that may change a synapse, fetches their
// factors for every presynaptic neuron, keeps the nonzero ones as terms, and issues their products for every slot of
// the postsynaptic layer.
//
// A sample whose postsynaptic factors are all zero (live_i is low) is not listed. A column takes one cycle per factor
// that is listed, or one if all are zero (ahead_live_i is low), and without a term no product, unless always_i: then it
// gets one product with zero. Fetching runs ahead of the products by up to 2^TermAddrW factors.
//
//   start_i -> list: a factor of the mini-batch per cycle -> fetch, once hold_i is low: an address per cycle, the
//           factor back on fetch_value_i FetchCycles - 2 later
//           -> terms of a column -> issue_o, one product per cycle while ready_i: slots outside, terms inside
//
// ready_i is asked for the last product of a synapse alone. The configuration inputs are stable while busy_o.

`timescale 1ns/1ps
`default_nettype none

module corinfo_terms #(
  // verilator lint_off UNUSEDPARAM
  parameter SmallStyle   = "distributed",  // of small memories; "auto" where there are no distributed ones
  // verilator lint_on UNUSEDPARAM
  parameter Batch        = 1,
  parameter SampleW      = 1,
  parameter Units        = 4,
  parameter UnitW        = 2,
  parameter Subs         = 4,
  parameter SubW         = 2,
  parameter Lanes        = 16,
  parameter SlotW        = 3,
  parameter IndexW       = 5,
  parameter FactorAddrW  = 4,
  parameter KeptAddrW    = 4,
  parameter InputAddrW   = 10,
  parameter SynapseAddrW = 9,
  parameter ValueWidth   = 18,
  parameter OperandWidth = 19,   // one bit more than a factor that may be negated
  parameter FetchCycles  = 6,    // address, value, is it zero
  parameter TermAddrW    = 4     // room for 2^TermAddrW terms, at least those of two columns
) (
  input  wire                           clk_i,
  input  wire                           rst_i,
  input  wire                           start_i,
  input  wire                           hold_i,
  input  wire                           ready_i,

  // The projection.
  input  wire [15:0]                    columns_i,
  input  wire                           two_terms_i,      // of a sample, else one
  input  wire [1:0]                     minus_i,          // by term: its products are subtracted
  input  wire                           always_i,
  input  wire                           signed_i,         // the sign of beta counts
  input  wire [Batch-1:0]               negative_i,       // per sample: beta < 0
  input  wire [IndexW-1:0]              index_i,          // first index of the presynaptic layer in a unit
  input  wire [2*KeptAddrW-1:0]         kept_base_i,      // by term: first word of the presynaptic factor
  input  wire [2*FactorAddrW-1:0]       factor_base_i,    // by term: of the postsynaptic one
  input  wire [SlotW-1:0]               post_slot_i,
  input  wire [SlotW:0]                 post_count_i,
  input  wire [SynapseAddrW-1:0]        column_addr_i,    // first synapse of column 0
  input  wire [SynapseAddrW-1:0]        stride_i,         // from column to column

  // Sizes of the mini-batch's memories: from sample to sample.
  input  wire [KeptAddrW-1:0]           sample_words_i,
  input  wire [FactorAddrW-1:0]         sample_slots_i,
  input  wire [InputAddrW-1:0]          sample_inputs_i,

  // List: the sample and term in question.
  output wire [SampleW-1:0]             list_sample_o,
  output wire                           list_second_o,
  input  wire                           live_i,           // a cycle later

  // Columns, ahead of the fetch: the answer is low if all factors of the one asked about are zero.
  output wire                           ahead_re_o,
  output wire [15:0]                    ahead_o,
  input  wire                           ahead_live_i,     // from a cycle later to the next ahead_re_o

  // Fetch: addresses of the factor wanted in this cycle.
  output reg  [KeptAddrW-1:0]           fetch_addr_o,
  output reg  [InputAddrW-1:0]          fetch_input_o,
  output reg  [UnitW-1:0]               fetch_unit_o,
  input  wire signed [ValueWidth-1:0]   fetch_value_i,    // FetchCycles - 2 later

  // Products.
  output reg                            issue_o,
  output reg                            first_o,
  output reg                            last_o,
  output wire                           close_o,          // the last product of a synapse is decided on
  output reg  signed [OperandWidth-1:0] operand_o,
  output reg  [FactorAddrW-1:0]         factor_addr_o,
  output reg  [SynapseAddrW-1:0]        synapse_addr_o,
  output reg  [15:0]                    row_base_o,
  output reg  [15:0]                    column_o,
  output wire                           busy_o
);

  // Parameters that it cannot have: elaboration finds no module of the reason's name.
  generate
    if (Units * Subs != Lanes || Lanes < 1 || Lanes > 65535) begin : gen_check
      corinfo_error_lanes_not_units_x_subs u_error ();
    end else if (UnitW < 1 || (Units - 1) >> UnitW != 0) begin : gen_check
      corinfo_error_unit_w_too_narrow u_error ();
    end else if (SubW < 1 || SubW > 16 || (Subs - 1) >> SubW != 0) begin : gen_check
      corinfo_error_sub_w_not_of_subs u_error ();
    end else if (Batch < 1) begin : gen_check
      corinfo_error_batch_below_1 u_error ();
    end else if (SampleW < 1 || (Batch - 1) >> SampleW != 0) begin : gen_check
      corinfo_error_sample_w_too_narrow u_error ();
    end else if (SlotW < 1) begin : gen_check
      corinfo_error_slot_w_below_1 u_error ();
    end else if (IndexW < 1 || IndexW > 32) begin : gen_check
      corinfo_error_index_w_not_1_to_32 u_error ();
    end else if (FactorAddrW < 1 || FactorAddrW > 32) begin : gen_check
      corinfo_error_factor_addr_w_not_1_to_32 u_error ();
    end else if (KeptAddrW < 1 || KeptAddrW > 32) begin : gen_check
      corinfo_error_kept_addr_w_not_1_to_32 u_error ();
    end else if (InputAddrW < 1) begin : gen_check
      corinfo_error_input_addr_w_below_1 u_error ();
    end else if (SynapseAddrW <= SlotW) begin : gen_check
      corinfo_error_synapse_addr_w_not_above_slot_w u_error ();
    end else if (ValueWidth < 2) begin : gen_check
      corinfo_error_value_width_below_2 u_error ();
    end else if (OperandWidth < ValueWidth) begin : gen_check
      corinfo_error_operand_width_below_value_width u_error ();
    end else if (FetchCycles < 2) begin : gen_check
      corinfo_error_fetch_cycles_below_2 u_error ();
    end else if (1 << TermAddrW < 4 * Batch) begin : gen_check
      corinfo_error_term_addr_w_too_narrow u_error ();
    end
  endgenerate

  localparam ListW = SampleW + 1;           // room for two terms a sample
  localparam ColumnQueueW = 4;              // columns that are fetched and not yet done

  localparam [31:0]           LastSampleWord = Batch - 1;
  localparam [31:0]           LastUnitWord   = Units - 1;
  localparam [31:0]           LastSubWord    = Subs - 1;
  localparam [31:0]           SubsWord       = Subs;
  localparam [SampleW-1:0]    LastSample = LastSampleWord[SampleW-1:0];
  localparam [SampleW-1:0]    OneSample  = 1;
  localparam [UnitW-1:0]      LastUnit   = LastUnitWord[UnitW-1:0];
  localparam [UnitW-1:0]      OneUnit    = 1;
  localparam [SubW-1:0]       LastSub    = LastSubWord[SubW-1:0];
  localparam [SubW-1:0]       OneSub     = 1;
  localparam [IndexW-1:0]     OneIndex   = 1;
  localparam [TermAddrW:0]    TermRoom   = 1 << TermAddrW;
  localparam [TermAddrW:0]    OneTerm    = 1;
  localparam [TermAddrW:0]    NoTerms    = 0;
  localparam [ColumnQueueW:0] ColumnRoom = 1 << ColumnQueueW;
  localparam [15:0]           RowStep    = Lanes;
  localparam [SlotW:0]        OneRow     = 1;
  localparam [SlotW:0]        TwoRows    = 2;

  wire [KeptAddrW-1:0]   kept_first, kept_second;
  wire [FactorAddrW-1:0] factor_first, factor_second;
  assign {kept_second, kept_first}     = kept_base_i;
  assign {factor_second, factor_first} = factor_base_i;

  // List: sample by sample, term by term.
  localparam ItemW = KeptAddrW + FactorAddrW + InputAddrW + 1;
  (* ram_style = SmallStyle *)    // read at once
  reg  [ItemW-1:0]       items [0:(1 << ListW)-1];
  reg  [ItemW-1:0]       listed_item_q;
  reg                    listing_q, listed_valid_q, settled_q, second_q, none_q;
  reg  [SampleW-1:0]     sample_q;
  reg  [KeptAddrW-1:0]   kept_q;       // of the sample, behind a factor's first word
  reg  [FactorAddrW-1:0] factor_q;
  reg  [InputAddrW-1:0]  input_q;
  reg  [ListW-1:0]       listed_q, before_item_q;      // before_item_q: the last item's predecessor
  reg                    single_item_q;                // there is but one
  wire                   last_of_sample, last_listed, negate;
  localparam [ListW-1:0] OneItem  = 1;
  localparam [ListW-1:0] TwoItems = 2;
  assign list_sample_o  = sample_q;
  assign list_second_o  = second_q;
  assign last_of_sample = !two_terms_i || second_q;
  assign last_listed    = last_of_sample && sample_q == LastSample;
  assign negate         = minus_i[second_q] ^ (signed_i && negative_i[sample_q]);

  always @(posedge clk_i) begin
    if (rst_i) begin
      listing_q <= 1'b0;
    end else if (start_i) begin
      listing_q <= 1'b1;
    end else if (last_listed) begin
      listing_q <= 1'b0;
    end
    if (start_i) begin
      sample_q <= {SampleW{1'b0}};
      second_q <= 1'b0;
      kept_q   <= {KeptAddrW{1'b0}};
      factor_q <= {FactorAddrW{1'b0}};
      input_q  <= {InputAddrW{1'b0}};
    end else if (listing_q) begin
      second_q <= !last_of_sample;
      if (last_of_sample) begin
        sample_q <= sample_q + OneSample;
        kept_q   <= kept_q + sample_words_i;
        factor_q <= factor_q + sample_slots_i;
        input_q  <= input_q + sample_inputs_i;
      end
    end
    listed_valid_q <= listing_q && !rst_i;
    settled_q      <= !start_i && !listing_q && !listed_valid_q;
    listed_item_q  <= {(second_q ? kept_second : kept_first) + kept_q,
                       (second_q ? factor_second : factor_first) + factor_q, input_q, negate};
    if (start_i) begin
      listed_q <= {ListW{1'b0}};
      none_q   <= 1'b1;
    end else if (listed_valid_q && live_i) begin
      items[listed_q] <= listed_item_q;
      listed_q        <= listed_q + OneItem;
      none_q          <= 1'b0;
    end
    before_item_q <= listed_q - TwoItems;
    single_item_q <= none_q || listed_q == OneItem;
  end

  // Fetch: column by column, item by item. Column j is in unit (j mod Lanes) / Subs. Where nothing is listed, or all is
  // zero, a column has one item, which is not kept.
  reg                     waiting_q, fetching_q;
  reg  [15:0]             column_q, last_column_q;
  reg  [SubW-1:0]         sub_q;
  reg  [UnitW-1:0]        unit_q;
  reg  [IndexW-1:0]       index_q;
  reg  [SynapseAddrW-1:0] addr_q;
  reg  [InputAddrW-1:0]   first_input_q;
  reg  [ListW-1:0]        item_q;
  reg                     last_item_q;
  reg  [15:0]             ahead_q;       // the column asked about, two ahead
  reg  [1:0]              fill_q;        // the first two are asked about behind start_i
  reg                     next_live_q;   // of the next column; of the first one until the fetch begins
  reg  [TermAddrW:0]      term_room_q;
  reg  [ColumnQueueW:0]   column_room_q;
  reg                     some_room_q;   // a cycle late, so that one is always left

  wire                    fetch, last_of_column, item_negate, begins;
  wire [KeptAddrW-1:0]    item_kept;
  wire [FactorAddrW-1:0]  item_factor;
  wire [InputAddrW-1:0]   item_input;
  wire [31:0]             index_word;
  assign {item_kept, item_factor, item_input, item_negate} = items[item_q];
  assign index_word     = {{(32 - IndexW){1'b0}}, index_q};
  assign last_of_column = last_item_q;
  assign begins         = waiting_q && settled_q && !hold_i;
  assign fetch          = fetching_q && some_room_q;
  assign ahead_o        = ahead_q;
  assign ahead_re_o     = fill_q != 2'd0 || begins || (fetch && last_of_column);

  always @(posedge clk_i) begin
    fetch_addr_o  <= item_kept + index_word[KeptAddrW-1:0];
    fetch_input_o <= item_input + first_input_q;
    fetch_unit_o  <= unit_q;
  end

  always @(posedge clk_i) begin
    last_column_q <= columns_i - 16'd1;
    if (rst_i) begin
      waiting_q  <= 1'b0;
      fetching_q <= 1'b0;
    end else begin
      if (start_i) begin
        waiting_q <= 1'b1;
      end else if (begins) begin
        waiting_q <= 1'b0;
      end
      if (begins) begin
        fetching_q <= !none_q || always_i;
      end else if (fetch && last_of_column && column_q == last_column_q) begin
        fetching_q <= 1'b0;
      end
    end
    if (waiting_q) begin
      last_item_q <= single_item_q || !next_live_q;
    end else if (fetch) begin
      last_item_q <= last_of_column ? single_item_q || !next_live_q : item_q == before_item_q;
    end
    fill_q <= rst_i ? 2'd0 : {fill_q[0], start_i};
    if (start_i) begin
      ahead_q <= 16'd0;
    end else if (ahead_re_o) begin
      ahead_q     <= ahead_q + 16'd1;
      next_live_q <= ahead_live_i;
    end
    if (start_i) begin
      column_q      <= 16'd0;
      sub_q         <= {SubW{1'b0}};
      unit_q        <= {UnitW{1'b0}};
      index_q       <= index_i;
      addr_q        <= column_addr_i;
      first_input_q <= {InputAddrW{1'b0}};
      item_q        <= {ListW{1'b0}};
    end else if (fetch && !last_of_column) begin
      item_q <= item_q + OneItem;
    end else if (fetch) begin
      item_q   <= {ListW{1'b0}};
      column_q <= column_q + 16'd1;
      if (sub_q != LastSub) begin
        sub_q   <= sub_q + OneSub;
        index_q <= index_q + OneIndex;
      end else begin
        sub_q <= {SubW{1'b0}};
        if (unit_q != LastUnit) begin
          unit_q  <= unit_q + OneUnit;
          index_q <= index_q + OneIndex - SubsWord[IndexW-1:0];
        end else begin
          unit_q  <= {UnitW{1'b0}};
          index_q <= index_q + OneIndex;
        end
      end
      addr_q        <= addr_q + stride_i;
      first_input_q <= first_input_q + {{(InputAddrW - 1){1'b0}}, 1'b1};
    end
  end

  // What belongs to a factor travels with it.
  wire                    back_valid, back_busy, back_last, back_negate;
  wire [FactorAddrW-1:0]  back_factor;
  wire [15:0]             back_column;
  wire [SynapseAddrW-1:0] back_addr;

  corinfo_valid #(.Cycles(FetchCycles)) u_back_valid (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(fetch), .valid_o(back_valid), .busy_o(back_busy)
  );
  corinfo_delay #(.Width(FactorAddrW + SynapseAddrW + 18), .Cycles(FetchCycles)) u_back (
    .clk_i(clk_i),
    .data_i({item_factor, addr_q, column_q, last_of_column, item_negate}),
    .data_o({back_factor, back_addr, back_column, back_last, back_negate})
  );

  // Collect: nonzero factors into the ring of terms, columns that have work into the queue of columns.
  (* ram_style = SmallStyle *)    // its words are added to at once
  reg  [OperandWidth+FactorAddrW-1:0] terms [0:(1 << TermAddrW)-1];
  reg  [TermAddrW-1:0]                put_q, start_q;
  reg  [TermAddrW:0]                  count_q;       // terms of the open column
  wire                                keep, column_put;
  wire [TermAddrW:0]                  count, last_index;
  wire signed [OperandWidth-1:0]      value;

  // A cycle to see whether it is zero.
  reg signed [ValueWidth-1:0] value_q;
  reg                         nonzero_q;
  always @(posedge clk_i) begin
    value_q   <= fetch_value_i;
    nonzero_q <= fetch_value_i != {ValueWidth{1'b0}};
  end

  assign keep       = back_valid && nonzero_q && !none_q;
  assign count      = count_q + {{TermAddrW{1'b0}}, keep};
  assign last_index = (keep || count_q == NoTerms) ? count_q : count_q - OneTerm;
  assign column_put = back_valid && back_last && (always_i || keep || count_q != NoTerms);
  assign value      = {{(OperandWidth - ValueWidth + 1){value_q[ValueWidth-1]}},
      value_q[ValueWidth-2:0]};

  always @(posedge clk_i) begin
    if (keep) begin
      terms[put_q] <= {back_negate ? -value : value, back_factor};
    end
    if (rst_i || start_i) begin
      put_q   <= {TermAddrW{1'b0}};
      start_q <= {TermAddrW{1'b0}};
      count_q <= NoTerms;
    end else if (back_valid) begin
      put_q   <= put_q + {{(TermAddrW - 1){1'b0}}, keep};
      count_q <= back_last ? NoTerms : count;
      if (back_last) begin
        start_q <= put_q + {{(TermAddrW - 1){1'b0}}, keep};
      end
    end
  end

  wire                    next_valid, next_take, take;
  wire [TermAddrW-1:0]    next_start;
  wire [TermAddrW:0]      next_count, next_last;
  wire [SynapseAddrW-1:0] next_addr;
  wire [15:0]             next_column;
  corinfo_fifo #(
    .Width(3 * TermAddrW + 2 + SynapseAddrW + 16),
    .AddrW(ColumnQueueW)
  ) u_columns (
    .clk_i  (clk_i),
    .rst_i  (rst_i),
    .put_i  (column_put),
    .data_i ({start_q, count, last_index, back_addr, back_column}),
    .valid_o(next_valid),
    .data_o ({next_start, next_count, next_last, next_addr, next_column}),
    .take_i (next_take)
  );

  // The column whose products are issued, out of the queue's memory.
  reg                    head_valid_q;
  reg [TermAddrW-1:0]    head_start_q;
  reg [TermAddrW:0]      head_count_q;
  reg [SynapseAddrW-1:0] head_addr_q;
  reg [15:0]             head_column_q;
  assign next_take = next_valid && (!head_valid_q || take);
  always @(posedge clk_i) begin
    if (rst_i) begin
      head_valid_q <= 1'b0;
    end else if (next_take || take) begin
      head_valid_q <= next_take;
    end
    if (next_take) begin
      {head_start_q, head_count_q, head_addr_q, head_column_q} <=
          {next_start, next_count, next_addr, next_column};
    end
  end

  // Products: the head column's terms once per slot. First where everything is, then the term.
  reg  [SlotW:0]       row_q, before_row_q;       // before_row_q: the last row's predecessor
  reg                  last_row_q, single_row_q;  // the row is the last; there is but one
  reg  [TermAddrW:0]   term_q, head_before_q;     // the last term's predecessor
  reg                  last_term_q, head_single_q; // the next term is the last; the column has but one
  reg  [15:0]          row_base_q;
  wire                 last_term, last_row, go;
  reg  [TermAddrW-1:0] term_addr_q;               // of the term: the column's first and term_q behind it
  assign last_term = last_term_q;
  assign last_row  = last_row_q;
  assign go        = head_valid_q && (!last_term || ready_i);
  assign close_o   = go && last_term;
  assign take      = close_o && last_row;

  reg                               place_valid_q, place_first_q, place_last_q, place_none_q;
  reg [SlotW-1:0]                   place_slot_q;
  reg [SynapseAddrW-1:0]            place_synapse_q;
  reg [15:0]                        place_row_q, place_column_q;
  reg [OperandWidth+FactorAddrW-1:0] place_word_q;
  wire signed [OperandWidth-1:0]    term_value;
  wire [FactorAddrW-1:0]            term_factor;
  wire [31:0]                       place_slot;
  assign {term_value, term_factor} = place_word_q;
  assign place_slot = {{(32 - SlotW){1'b0}}, place_slot_q};

  always @(posedge clk_i) begin
    before_row_q <= post_count_i - TwoRows;
    single_row_q <= post_count_i == OneRow;
    if (rst_i || waiting_q) begin
      last_row_q <= single_row_q;
    end else if (go && last_term) begin
      last_row_q <= last_row ? single_row_q : row_q == before_row_q;
    end
    if (rst_i || start_i) begin
      row_q      <= {(SlotW + 1){1'b0}};
      term_q     <= NoTerms;
      row_base_q <= 16'd0;
    end else if (go) begin
      term_q <= last_term ? NoTerms : term_q + OneTerm;
      if (last_term) begin
        row_q      <= last_row ? {(SlotW + 1){1'b0}} : row_q + {{SlotW{1'b0}}, 1'b1};
        row_base_q <= last_row ? 16'd0 : row_base_q + RowStep;
      end
    end
    if (next_take) begin
      head_before_q <= next_last - OneTerm;
      head_single_q <= next_last == NoTerms;
      last_term_q   <= next_last == NoTerms;
      term_addr_q   <= next_start;
    end else if (go) begin
      last_term_q <= last_term ? head_single_q : term_q == head_before_q;
      term_addr_q <= last_term ? head_start_q : term_addr_q + OneTerm[TermAddrW-1:0];
    end
    place_valid_q   <= go && !rst_i;
    place_first_q   <= term_q == NoTerms;
    place_last_q    <= last_term;
    place_none_q    <= head_count_q == NoTerms;
    place_word_q    <= terms[term_addr_q];
    place_slot_q    <= post_slot_i + row_q[SlotW-1:0];
    place_synapse_q <= head_addr_q + {{(SynapseAddrW - SlotW - 1){1'b0}}, row_q};
    place_row_q     <= row_base_q;
    place_column_q  <= head_column_q;

    issue_o <= place_valid_q && !rst_i;
    first_o <= place_first_q;
    last_o  <= place_last_q;
    // A column without terms multiplies some word by zero: one that was written, for a simulator knows no product of
    // others.
    operand_o      <= place_none_q ? {OperandWidth{1'b0}} : term_value;
    factor_addr_o  <= (place_none_q ? factor_first : term_factor) + place_slot[FactorAddrW-1:0];
    synapse_addr_o <= place_synapse_q;
    row_base_o     <= place_row_q;
    column_o       <= place_column_q;
  end

  // Room in the ring and in the queue, counted from the fetch on; what becomes free counts a cycle later.
  reg [TermAddrW:0]    term_freed_q;
  reg [ColumnQueueW:0] column_freed_q;
  always @(posedge clk_i) begin
    term_freed_q   <= ((back_valid && !keep) ? OneTerm : NoTerms) + (take ? head_count_q : NoTerms);
    column_freed_q <= {{ColumnQueueW{1'b0}}, back_valid && !column_put}
                      + {{ColumnQueueW{1'b0}}, take};
    some_room_q    <= term_room_q > OneTerm && column_room_q > {{ColumnQueueW{1'b0}}, 1'b1};
    if (rst_i || start_i) begin
      term_room_q    <= TermRoom;
      column_room_q  <= ColumnRoom;
      term_freed_q   <= NoTerms;
      column_freed_q <= {(ColumnQueueW + 1){1'b0}};
    end else begin
      term_room_q   <= term_room_q + term_freed_q - {{TermAddrW{1'b0}}, fetch};
      column_room_q <= column_room_q + column_freed_q - {{ColumnQueueW{1'b0}}, fetch};
    end
  end

  assign busy_o = start_i || waiting_q || fetching_q || back_busy || next_valid || head_valid_q
                  || place_valid_q || issue_o;

  wire unused_bits;
  assign unused_bits = ^{index_word, place_slot};

endmodule

`default_nettype wire

// Walks a matrix for its update: for every presynaptic neuron it fetches the factors of the
// mini-batch, keeps the nonzero ones, and issues their products for every slot of the
// postsynaptic layer.
//
// A column without a nonzero factor takes one cycle per factor and no product, unless always_i
// (the lateral matrix, which also grows by itself): it gets one product with zero. Fetching runs
// ahead of the products by up to 2^TermAddrW factors.
//
//   start_i -> fetch: an address per cycle, the factor back on fetch_value_i FetchCycles - 2 later
//           -> terms of a column -> issue_o, one product per cycle: slots outside, terms inside
//
// The configuration inputs are stable while busy_o.

`timescale 1ns/1ps
`default_nettype none

module corinfo_terms #(
  parameter Batch        = 1,
  parameter Lanes        = 16,
  parameter LaneW        = 4,
  parameter SlotW        = 3,
  parameter KeptAddrW    = 4,
  parameter InputAddrW   = 10,   // bits of an address of the input memory
  parameter SynapseAddrW = 9,
  parameter ValueWidth   = 18,
  // At least ValueWidth, and one bit more than the factors that may be negated, x and r.
  parameter OperandWidth = 19,
  parameter FetchCycles  = 6,    // address, value, is it zero
  parameter TermAddrW    = 4,    // room for 2^TermAddrW terms, at least those of two columns
  // Their memory: "distributed", or "auto" for what the tool chooses. Only synthesis looks at it.
  // verilator lint_off UNUSEDPARAM
  parameter TermStyle    = "auto"
  // verilator lint_on UNUSEDPARAM
) (
  input  wire                           clk_i,
  input  wire                           rst_i,
  input  wire                           start_i,

  // The matrix.
  input  wire [15:0]                    columns_i,
  input  wire                           two_phases_i,    // factors of both phases, else of one
  input  wire                           last_role_i,     // the one phase: 1 plus, 0 minus
  input  wire                           always_i,        // c, kept in phase plus
  input  wire                           negate_i,        // the one phase's products change sign
  input  wire                           signed_i,        // the sign of beta counts (W and F)
  input  wire [Batch-1:0]               negative_i,      // per sample: beta < 0
  input  wire [SlotW-1:0]               pre_slot_i,      // first slot of the presynaptic layer
  input  wire [SlotW-1:0]               post_slot_i,
  input  wire [SlotW:0]                 post_count_i,
  input  wire [SynapseAddrW-1:0]        column_addr_i,   // first synapse of column 0
  input  wire [SynapseAddrW-1:0]        stride_i,        // from column to column

  // Sizes of the mini-batch's memories.
  input  wire [KeptAddrW-1:0]           sample_slots_i,  // from sample to sample
  input  wire [KeptAddrW-1:0]           role_slots_i,    // from phase minus to phase plus
  input  wire [InputAddrW-1:0]          sample_inputs_i,

  // Fetch: addresses of the factor wanted in this cycle.
  output reg  [KeptAddrW-1:0]           fetch_addr_o,    // kept states or c
  output reg  [InputAddrW-1:0]          fetch_input_o,
  output reg  [LaneW-1:0]               fetch_lane_o,
  input  wire signed [ValueWidth-1:0]   fetch_value_i,   // FetchCycles - 2 later

  // Products.
  output reg                            issue_o,
  output reg                            first_o,
  output reg                            last_o,
  output reg  signed [OperandWidth-1:0] operand_o,
  output reg  [KeptAddrW-1:0]           factor_addr_o,
  output reg  [SynapseAddrW-1:0]        synapse_addr_o,
  output reg  [15:0]                    row_base_o,
  output reg  [15:0]                    column_o,
  output wire                           busy_o
);

  localparam SampleW = (Batch > 1) ? $clog2(Batch) : 1;
  localparam ColumnQueueW = 4;              // columns that are fetched and not yet done

  localparam [31:0]           LastSampleWord = Batch - 1;
  localparam [31:0]           LastLaneWord   = Lanes - 1;
  localparam [SampleW-1:0]    LastSample = LastSampleWord[SampleW-1:0];
  localparam [SampleW-1:0]    OneSample  = 1;
  localparam [LaneW-1:0]      LastLane   = LastLaneWord[LaneW-1:0];
  localparam [LaneW-1:0]      OneLane    = 1;
  localparam [SlotW-1:0]      OneSlot    = 1;
  localparam [TermAddrW:0]    TermRoom   = 1 << TermAddrW;
  localparam [TermAddrW:0]    OneTerm    = 1;
  localparam [TermAddrW:0]    NoTerms    = 0;
  localparam [ColumnQueueW:0] ColumnRoom = 1 << ColumnQueueW;
  localparam [15:0]           RowStep    = Lanes;

  // Fetch: column by column, sample by sample, phase minus before phase plus.
  reg                    fetching_q;
  reg  [15:0]            column_q, last_column_q;
  reg  [LaneW-1:0]       lane_q;
  reg  [SlotW-1:0]       slot_q;
  reg  [SynapseAddrW-1:0] addr_q;
  reg  [SampleW-1:0]     sample_q;
  reg  [KeptAddrW-1:0]   sample_base_q, plus_base_q;  // of the sample: phase minus, phase plus
  reg  [InputAddrW-1:0]  input_q;
  reg                    role_q;
  reg  [TermAddrW:0]     term_room_q;
  reg  [ColumnQueueW:0]  column_room_q;

  wire                   fetch, role, last_of_sample, last_of_column;
  wire [KeptAddrW-1:0]   role_base;
  assign role           = two_phases_i ? role_q : last_role_i || always_i;
  assign role_base      = role ? plus_base_q : sample_base_q;
  assign last_of_sample = !two_phases_i || role_q;
  assign last_of_column = last_of_sample && sample_q == LastSample;

  assign fetch         = fetching_q && term_room_q != NoTerms
                         && column_room_q != {(ColumnQueueW + 1){1'b0}};
  always @(posedge clk_i) begin
    fetch_addr_o  <= role_base + {{(KeptAddrW - SlotW){1'b0}}, slot_q};
    fetch_input_o <= input_q;
    fetch_lane_o  <= lane_q;
  end

  always @(posedge clk_i) begin
    last_column_q <= columns_i - 16'd1;
    if (rst_i) begin
      fetching_q <= 1'b0;
    end else if (start_i) begin
      fetching_q <= 1'b1;
    end else if (fetch && last_of_column && column_q == last_column_q) begin
      fetching_q <= 1'b0;
    end
    if (start_i) begin
      column_q      <= 16'd0;
      lane_q        <= {LaneW{1'b0}};
      slot_q        <= pre_slot_i;
      addr_q        <= column_addr_i;
      sample_q      <= {SampleW{1'b0}};
      sample_base_q <= {KeptAddrW{1'b0}};
      plus_base_q   <= role_slots_i;
      input_q       <= {InputAddrW{1'b0}};
      role_q        <= 1'b0;
    end else if (fetch) begin
      role_q <= !last_of_sample;
      if (last_of_column) begin
        column_q      <= column_q + 16'd1;
        lane_q        <= (lane_q == LastLane) ? {LaneW{1'b0}} : lane_q + OneLane;
        slot_q        <= (lane_q == LastLane) ? slot_q + OneSlot : slot_q;
        addr_q        <= addr_q + stride_i;
        sample_q      <= {SampleW{1'b0}};
        sample_base_q <= {KeptAddrW{1'b0}};
        plus_base_q   <= role_slots_i;
        input_q       <= {{(InputAddrW - 1){1'b0}}, 1'b1} + first_input_q;
      end else if (last_of_sample) begin
        sample_q      <= sample_q + OneSample;
        sample_base_q <= sample_base_q + sample_slots_i;
        plus_base_q   <= plus_base_q + sample_slots_i;
        input_q       <= input_q + sample_inputs_i;
      end
    end
  end

  // Address of this column's input of sample 0.
  reg [InputAddrW-1:0] first_input_q;

  always @(posedge clk_i) begin
    if (start_i) begin
      first_input_q <= {InputAddrW{1'b0}};
    end else if (fetch && last_of_column) begin
      first_input_q <= first_input_q + {{(InputAddrW - 1){1'b0}}, 1'b1};
    end
  end

  // What belongs to a factor travels with it.
  wire                    back_valid, back_busy, back_last, back_negate;
  wire [KeptAddrW-1:0]    back_base;
  wire [15:0]             back_column;
  wire [SynapseAddrW-1:0] back_addr;
  wire                    negate;
  assign negate = signed_i && (negative_i[sample_q] ^ (two_phases_i ? !role_q : negate_i));

  corinfo_valid #(.Cycles(FetchCycles)) u_back_valid (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(fetch), .valid_o(back_valid), .busy_o(back_busy)
  );

  corinfo_delay #(.Width(KeptAddrW + SynapseAddrW + 18), .Cycles(FetchCycles)) u_back (
    .clk_i(clk_i),
    .data_i({role_base, addr_q, column_q, last_of_column, negate}),
    .data_o({back_base, back_addr, back_column, back_last, back_negate})
  );

  // Collect: nonzero factors into the ring of terms, columns that have work into the queue of
  // columns.
  // A word's address is added to another in the cycle after it is read, for which a block memory is
  // late: in distributed memory, where there is such.
  (* ram_style = TermStyle *)
  reg  [OperandWidth+KeptAddrW-1:0] terms [0:(1 << TermAddrW)-1];
  reg  [TermAddrW-1:0]              put_q, start_q;
  reg  [TermAddrW:0]                count_q;       // terms of the open column
  wire                              keep, column_put;
  wire [TermAddrW:0]                count, last_index;
  wire signed [OperandWidth-1:0]    value;

  // A cycle to see whether it is zero.
  reg signed [ValueWidth-1:0] value_q;
  reg                         nonzero_q;

  always @(posedge clk_i) begin
    value_q   <= fetch_value_i;
    nonzero_q <= fetch_value_i != {ValueWidth{1'b0}};
  end

  assign keep       = back_valid && nonzero_q;
  assign count      = count_q + {{TermAddrW{1'b0}}, keep};
  assign last_index = (keep || count_q == NoTerms) ? count_q : count_q - OneTerm;
  assign column_put = back_valid && back_last && (always_i || nonzero_q || count_q != NoTerms);
  assign value      = {{(OperandWidth - ValueWidth + 1){value_q[ValueWidth-1]}},
      value_q[ValueWidth-2:0]};

  always @(posedge clk_i) begin
    if (keep) begin
      terms[put_q] <= {back_negate ? -value : value, back_base};
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
  reg [TermAddrW:0]      head_count_q, head_last_q;
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
      {head_start_q, head_count_q, head_last_q, head_addr_q, head_column_q} <=
          {next_start, next_count, next_last, next_addr, next_column};
    end
  end

  // Products: the head column's terms once per slot. First where everything is, then the term.
  reg  [SlotW:0]       row_q;
  reg  [TermAddrW:0]   term_q;
  reg  [15:0]          row_base_q;
  reg  [SlotW:0]       last_row_q;       // of every column
  wire                 last_term, last_row;
  wire [TermAddrW-1:0] term_addr;

  assign last_term = term_q == head_last_q;
  assign last_row  = row_q == last_row_q;
  assign take      = head_valid_q && last_term && last_row;
  assign term_addr = head_start_q + term_q[TermAddrW-1:0];

  reg                    place_valid_q, place_first_q, place_last_q, place_none_q;
  reg [SlotW-1:0]        place_slot_q;
  reg [SynapseAddrW-1:0] place_synapse_q;
  reg [15:0]             place_row_q, place_column_q;

  // A term was put at least two cycles before it is read.
  reg  [OperandWidth+KeptAddrW-1:0] place_word_q;
  wire signed [OperandWidth-1:0]    term_value;
  wire [KeptAddrW-1:0]              term_base;
  assign {term_value, term_base} = place_word_q;

  always @(posedge clk_i) begin
    last_row_q <= post_count_i - {{SlotW{1'b0}}, 1'b1};
    if (rst_i || start_i) begin
      row_q      <= {(SlotW + 1){1'b0}};
      term_q     <= NoTerms;
      row_base_q <= 16'd0;
    end else if (head_valid_q) begin
      term_q <= last_term ? NoTerms : term_q + OneTerm;
      if (last_term) begin
        row_q      <= last_row ? {(SlotW + 1){1'b0}} : row_q + {{SlotW{1'b0}}, 1'b1};
        row_base_q <= last_row ? 16'd0 : row_base_q + RowStep;
      end
    end
    place_valid_q   <= head_valid_q && !rst_i;
    place_first_q   <= term_q == NoTerms;
    place_last_q    <= last_term;
    place_none_q    <= head_count_q == NoTerms;
    place_word_q    <= terms[term_addr];
    place_slot_q    <= post_slot_i + row_q[SlotW-1:0];
    place_synapse_q <= head_addr_q + {{(SynapseAddrW - SlotW - 1){1'b0}}, row_q};
    place_row_q     <= row_base_q;
    place_column_q  <= head_column_q;

    issue_o <= place_valid_q && !rst_i;
    first_o <= place_first_q;
    last_o  <= place_last_q;
    // A column without terms multiplies some word by zero.
    operand_o      <= place_none_q ? {OperandWidth{1'b0}} : term_value;
    factor_addr_o  <= (place_none_q ? {KeptAddrW{1'b0}} : term_base)
                      + {{(KeptAddrW - SlotW){1'b0}}, place_slot_q};
    synapse_addr_o <= place_synapse_q;
    row_base_o     <= place_row_q;
    column_o       <= place_column_q;
  end

  // Room in the ring and in the queue, counted from the fetch on; what becomes free counts a cycle
  // later.
  reg [TermAddrW:0]    term_freed_q;
  reg [ColumnQueueW:0] column_freed_q;

  always @(posedge clk_i) begin
    term_freed_q   <= ((back_valid && !keep) ? OneTerm : NoTerms) + (take ? head_count_q : NoTerms);
    column_freed_q <= {{ColumnQueueW{1'b0}}, back_valid && !column_put}
                      + {{ColumnQueueW{1'b0}}, take};
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

  assign busy_o = start_i || fetching_q || back_busy || next_valid || head_valid_q
                  || place_valid_q || issue_o;

endmodule

`default_nettype wire

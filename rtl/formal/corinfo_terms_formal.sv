// A projection at a time, and what it is stands still; terms never outgrow their ring, every synapse has a first and a
// last product, and of a column that is passed over none is not zero.

`timescale 1ns/1ps
`default_nettype none

module corinfo_terms_formal #(
  parameter Batch = 1,
  parameter ListW = 2,
  parameter SlotW = 3,
  parameter IndexW = 5,
  parameter FactorAddrW = 4,
  parameter KeptAddrW = 4,
  parameter SynapseAddrW = 9,
  parameter TermAddrW = 4,
  parameter ColumnQueueW = 4,
  parameter FetchCycles = 6
) (
  input wire clk_i,
  input wire rst_i,
  input wire started_q,
  input wire start_i,
  input wire ready_i,
  input wire [15:0] columns_i,
  input wire two_terms_i,
  input wire [1:0] minus_i,
  input wire always_i,
  input wire signed_i,
  input wire [Batch-1:0] negative_i,
  input wire [IndexW-1:0] index_i,
  input wire [2*KeptAddrW-1:0] kept_base_i,
  input wire [2*FactorAddrW-1:0] factor_base_i,
  input wire [SlotW-1:0] post_slot_i,
  input wire [SlotW:0] post_count_i,
  input wire [SynapseAddrW-1:0] column_addr_i,
  input wire [SynapseAddrW-1:0] stride_i,
  input wire issue_o,
  input wire first_o,
  input wire last_o,
  input wire close_o,
  input wire busy_o,
  input wire keep,
  input wire take,
  input wire [TermAddrW:0] head_count_q,
  input wire head_valid_q,
  input wire [TermAddrW-1:0] head_start_q,
  input wire [TermAddrW:0] term_q,
  input wire [TermAddrW-1:0] term_addr_q,
  input wire [TermAddrW:0] term_room_q,
  input wire [ColumnQueueW:0] column_room_q,
  input wire fetch,
  input wire waiting_q,
  input wire last_of_column,
  input wire ahead_re_o,
  input wire ahead_live_i,
  input wire next_live_q
);

  localparam [TermAddrW:0]    TermRoom   = 1 << TermAddrW;
  localparam [TermAddrW:0]    NoTerms    = 0;
  localparam [TermAddrW:0]    OneTerm    = 1;
  localparam [ColumnQueueW:0] ColumnRoom = 1 << ColumnQueueW;

  // The projection, as long as it is walked; terms that are kept; whether a synapse's last product is still to come.
  localparam ProjectionW = 16 + 5 + Batch + IndexW + 2 * KeptAddrW + 2 * FactorAddrW + 2 * SlotW + 1
                           + 2 * SynapseAddrW;
  wire [ProjectionW-1:0] projection;
  reg  [ProjectionW-1:0] projection_q;
  reg                    busy_q, open_q;
  reg  [TermAddrW+1:0]   kept_q;
  assign projection = {columns_i, two_terms_i, minus_i, always_i, signed_i, negative_i, index_i, kept_base_i,
                       factor_base_i, post_slot_i, post_count_i, column_addr_i, stride_i};
  always @(posedge clk_i) begin
    projection_q <= projection;
    busy_q       <= !rst_i && busy_o;
    kept_q       <= (rst_i || start_i) ? NoTerms
                    : kept_q + (keep ? OneTerm : NoTerms) - (take ? head_count_q : NoTerms);
    if (rst_i || start_i) begin
      open_q <= 1'b0;
    end else if (issue_o) begin
      open_q <= !last_o;
    end
  end

  // Fetches of a column that is passed over, until their factors are here; what was told of the column ahead.
  reg                   passed_q, asked_q, told_q;
  reg [FetchCycles-1:0] passed_line_q;
  always @(posedge clk_i) begin
    if (waiting_q || (fetch && last_of_column)) begin
      passed_q <= !next_live_q;
    end
    passed_line_q <= {passed_line_q[FetchCycles-2:0], fetch && passed_q};
    asked_q       <= ahead_re_o;
    told_q        <= ahead_live_i;
  end

  always @(posedge clk_i) begin : environment
    if (started_q && !rst_i) begin
      assert (!start_i || !busy_q) else $fatal(1, "corinfo_terms: a projection begins in another one");
      assert (!busy_q || !busy_o || projection === projection_q)
      else $fatal(1, "corinfo_terms: the projection changes while it is walked");
      assert (!busy_q || asked_q || ahead_live_i === told_q)
      else $fatal(1, "corinfo_terms: what is told of a column changes");
      assert (!busy_o || columns_i != 16'd0) else $fatal(1, "corinfo_terms: a projection without columns");
      assert (!busy_o || post_count_i != {(SlotW + 1){1'b0}})
      else $fatal(1, "corinfo_terms: a projection without rows");
    end
  end

  always @(posedge clk_i) begin : behaviour
    if (started_q && !rst_i) begin
      assert (term_room_q <= TermRoom && column_room_q <= ColumnRoom)
      else $fatal(1, "corinfo_terms: more room than there is");
      assert (!fetch || (term_room_q != NoTerms && column_room_q != {(ColumnQueueW + 1){1'b0}}))
      else $fatal(1, "corinfo_terms: a factor is fetched for which there is no room");
      assert (!(keep && passed_line_q[FetchCycles-1]))
      else $fatal(1, "corinfo_terms: a column is passed over that has a term");
      assert (kept_q <= TermRoom) else $fatal(1, "corinfo_terms: a term takes the place of one that is still needed");
      assert (!head_valid_q || term_addr_q == head_start_q + term_q[TermAddrW-1:0])
      else $fatal(1, "corinfo_terms: a term is read that is not the next");
      assert (busy_o || kept_q == {(TermAddrW + 2){1'b0}}) else $fatal(1, "corinfo_terms: a term is left over");
      assert (!issue_o || first_o == !open_q)
      else $fatal(1, "corinfo_terms: a synapse's products do not begin with its first");
      assert (busy_o || !open_q) else $fatal(1, "corinfo_terms: a synapse without its last product");
      assert (!close_o || ready_i) else $fatal(1, "corinfo_terms: a last product before it may come");
    end
  end

endmodule

`default_nettype wire

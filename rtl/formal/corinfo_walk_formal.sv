// A walk visits every lane of every slot once, after the kinds of its sums.

`timescale 1ns/1ps
`default_nettype none

module corinfo_walk_formal #(
  parameter Subs = 4,
  parameter SubW = 2,
  parameter KindW = 2,
  parameter SlotW = 3,
  parameter IndexW = 5
) (
  input wire clk_i,
  input wire rst_i,
  input wire started_q,
  input wire start_i,
  input wire [SlotW-1:0] slot_base_i,
  input wire [SlotW:0] slot_count_i,
  input wire [IndexW-1:0] index_base_i,
  input wire [KindW:0] kinds_i,
  input wire active_o,
  input wire hold_o,
  input wire [KindW-1:0] kind_o,
  input wire visit_o,
  input wire [SubW-1:0] sub_o,
  input wire [IndexW-1:0] index_o
);

  // How many kinds are read is known in the first cycle.
  reg              fresh_q, active_q;
  reg [SlotW:0]    slots_q;
  reg [KindW:0]    kinds_q;
  reg [IndexW-1:0] index_q;   // of the next visit
  reg [31:0]       left_q;
  wire [31:0]      left;      // cycles until it ends
  assign left = fresh_q ? slots_q * (kinds_i + Subs) : left_q;
  always @(posedge clk_i) begin
    kinds_q  <= kinds_i;
    active_q <= !rst_i && active_o && !start_i;
    fresh_q  <= !rst_i && start_i;
    slots_q  <= slot_count_i;
    left_q   <= (rst_i || left == 32'd0) ? 32'd0 : left - 32'd1;
    if (start_i) begin
      index_q <= index_base_i;
    end else if (visit_o) begin
      index_q <= index_q + 1'b1;
    end
  end

  always @(posedge clk_i) begin : environment
    if (started_q && !rst_i) begin
      assert (!start_i || !active_o) else $fatal(1, "corinfo_walk: a walk begins before the one before is over");
      assert (!start_i || slot_count_i != {(SlotW + 1){1'b0}}) else $fatal(1, "corinfo_walk: a walk over no slot");
      assert (!active_o || !active_q || kinds_i == kinds_q) else $fatal(1, "corinfo_walk: kinds_i changes in a walk");
    end
  end

  always @(posedge clk_i) begin : behaviour
    if (started_q && !rst_i) begin
      assert (active_o == (left != 32'd0))
      else $fatal(1, "corinfo_walk: a walk does not take slots x (kinds + lanes) cycles");
      assert (active_o == (hold_o || visit_o) && !(hold_o && visit_o))
      else $fatal(1, "corinfo_walk: not one of a hold and a visit a cycle");
      assert (!visit_o || sub_o < Subs) else $fatal(1, "corinfo_walk: a visit of a lane that a unit has not");
      assert (!visit_o || index_o == index_q) else $fatal(1, "corinfo_walk: a visit out of order");
    end
  end

endmodule

`default_nettype wire

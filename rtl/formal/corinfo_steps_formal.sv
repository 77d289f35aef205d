// One step at a time; every visit and every write is of a neuron that units have, and the host comes between steps.

`timescale 1ns/1ps
`default_nettype none

module corinfo_steps_formal #(
  parameter Units = 4,
  parameter UnitW = 2,
  parameter Subs = 4,
  parameter SubW = 2,
  parameter Kinds = 3,
  parameter KindW = 2,
  parameter Slots = 8,
  parameter IndexW = 5,
  parameter Contexts = 1,
  parameter LabelW = 4
) (
  input wire clk_i,
  input wire rst_i,
  input wire started_q,
  input wire start_i,
  input wire done_o,
  input wire busy_o,
  input wire [Contexts-1:0] reading_o,
  input wire [1:0] host_i,
  input wire hold_o,
  input wire [KindW-1:0] hold_kind_o,
  input wire [Contexts-1:0] sum_clear_o,
  input wire visit_o,
  input wire clear_o,
  input wire [SubW-1:0] visit_sub_o,
  input wire [IndexW-1:0] visit_index_o,
  input wire write_o,
  input wire [SubW-1:0] write_sub_o,
  input wire [IndexW-1:0] write_index_o,
  input wire combine_o,
  input wire [UnitW-1:0] combine_unit_o,
  input wire shared_write_o,
  input wire answer_o,
  input wire [UnitW-1:0] answer_unit_o
);

  always @(posedge clk_i) begin : environment
    if (started_q && !rst_i) begin
      assert (!start_i || !busy_o || done_o) else $fatal(1, "corinfo_steps: a step begins in another one");
      assert (host_i == 2'd0 || !busy_o) else $fatal(1, "corinfo_steps: the host addresses a table in a step");
    end
  end

  always @(posedge clk_i) begin : behaviour
    if (started_q && !rst_i) begin
      assert (!(hold_o || visit_o || clear_o || write_o || combine_o || shared_write_o) || busy_o)
      else $fatal(1, "corinfo_steps: work without a step");
      assert (!done_o || !(hold_o || visit_o || write_o)) else $fatal(1, "corinfo_steps: a step that is done goes on");
      assert (!hold_o || !visit_o) else $fatal(1, "corinfo_steps: a sum is held in a visit");
      assert (!hold_o || hold_kind_o < Kinds) else $fatal(1, "corinfo_steps: a kind of sum that there is not");
      assert (!(visit_o || clear_o) || visit_index_o < Slots * Subs)
      else $fatal(1, "corinfo_steps: a visit of a neuron that a unit has not");
      assert (!clear_o || visit_sub_o < Subs) else $fatal(1, "corinfo_steps: a lane is cleared that a unit has not");
      assert (!write_o || (write_index_o < Slots * Subs && write_sub_o < Subs))
      else $fatal(1, "corinfo_steps: a write of a neuron that a unit has not");
      assert (!combine_o || combine_unit_o < Units)
      else $fatal(1, "corinfo_steps: a unit is combined that there is not");
      assert (!answer_o || answer_unit_o < Units) else $fatal(1, "corinfo_steps: a unit answers that there is not");
      assert ((reading_o & (reading_o - 1'b1)) == {Contexts{1'b0}})
      else $fatal(1, "corinfo_steps: a step reads several samples");
      assert ((sum_clear_o & (sum_clear_o - 1'b1)) == {Contexts{1'b0}})
      else $fatal(1, "corinfo_steps: sums of several samples are cleared");
    end
  end

endmodule

`default_nettype wire

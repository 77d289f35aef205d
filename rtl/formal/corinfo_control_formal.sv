// Updates run alone, the host only while nothing runs; one sample is taken at a time; results stay until they are
// taken.

`timescale 1ns/1ps
`default_nettype none

module corinfo_control_formal #(
  parameter Contexts = 1,
  parameter LabelW = 4
) (
  input wire clk_i,
  input wire reset,
  input wire [Contexts-1:0] grant_update,
  input wire [Contexts-1:0] want_load,
  input wire [Contexts-1:0] events_busy,
  input wire steps_busy,
  input wire host_busy,
  input wire host_we_o,
  input wire idle_o,
  input wire update_o,
  input wire synapse_write_o,
  input wire sample_ready_o,
  input wire result_valid_o,
  input wire result_ready_i,
  input wire result_error_o,
  input wire [LabelW-1:0] result_class_o
);

  // Nothing holds before the first reset.
  reg started_q;
  initial started_q = 1'b0;
  always @(posedge clk_i) begin
    if (reset) begin
      started_q <= 1'b1;
    end
  end

  reg              waits_q, error_q;   // a result, for its taker
  reg [LabelW-1:0] class_q;
  always @(posedge clk_i) begin
    waits_q <= !reset && result_valid_o && !result_ready_i;
    error_q <= result_error_o;
    class_q <= result_class_o;
  end

  always @(posedge clk_i) begin : behaviour
    if (started_q && !reset) begin
      assert (!update_o || !steps_busy) else $fatal(1, "corinfo_control: a step in an update");
      assert (!update_o || events_busy == {Contexts{1'b0}}) else $fatal(1, "corinfo_control: an event in an update");
      assert (!update_o || !sample_ready_o) else $fatal(1, "corinfo_control: a sample is taken in an update");
      assert (update_o || !synapse_write_o) else $fatal(1, "corinfo_control: a synapse is written without an update");
      assert (!host_busy || idle_o)
      else $fatal(1, "corinfo_control: the host uses the lanes while a command is under way");
      assert (!host_busy || !(update_o || steps_busy))
      else $fatal(1, "corinfo_control: the host uses the lanes in a step or an update");
      assert (!host_we_o || host_busy) else $fatal(1, "corinfo_control: a write of the host without an access");
      assert ((grant_update & (grant_update - 1'b1)) == {Contexts{1'b0}})
      else $fatal(1, "corinfo_control: several samples update");
      assert ((want_load & (want_load - 1'b1)) == {Contexts{1'b0}})
      else $fatal(1, "corinfo_control: several samples are taken");
      assert (!waits_q || result_valid_o) else $fatal(1, "corinfo_control: a result goes before it is taken");
      assert (!waits_q || result_error_o == error_q)
      else $fatal(1, "corinfo_control: a result's error changes before it is taken");
      assert (!waits_q || error_q || result_class_o == class_q)
      else $fatal(1, "corinfo_control: a result's class changes before it is taken");
    end
  end

endmodule

`default_nettype wire

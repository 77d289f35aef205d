// A projection at a time; units have visited a synapse's lanes when the next one's sum is held, and nothing is written
// before its visit.

`timescale 1ns/1ps
`default_nettype none

module corinfo_update_formal #(
  parameter SubW = 2,
  parameter LastSub = 3,
  parameter SynapseAddrW = 9
) (
  input wire clk_i,
  input wire rst_i,
  input wire started_q,
  input wire start_i,
  input wire done_o,
  input wire busy_o,
  input wire sum_we_o,
  input wire hold_o,
  input wire visit_o,
  input wire [SubW-1:0] visit_sub_o,
  input wire [SynapseAddrW-1:0] addr_q,
  input wire write_o,
  input wire [SubW-1:0] write_sub_o,
  input wire [SynapseAddrW-1:0] synapse_waddr_o,
  input wire queued
);

  always @(posedge clk_i) begin : environment
    if (started_q && !rst_i) begin
      assert (!start_i || !busy_o) else $fatal(1, "corinfo_update: an update begins in another one");
    end
  end

  always @(posedge clk_i) begin : behaviour
    if (started_q && !rst_i) begin
      assert (!(sum_we_o || hold_o || visit_o || write_o) || busy_o)
      else $fatal(1, "corinfo_update: work without an update");
      assert (!done_o || !(sum_we_o || hold_o || visit_o || write_o))
      else $fatal(1, "corinfo_update: an update that is done goes on");
      assert (!hold_o || !visit_o || visit_sub_o == LastSub)
      else $fatal(1, "corinfo_update: a sum is held before the lanes of the one before are visited");
      assert (!visit_o || visit_sub_o <= LastSub)
      else $fatal(1, "corinfo_update: a visit of a lane that a unit has not");
      assert (!write_o || queued) else $fatal(1, "corinfo_update: a synapse is written that was not visited");
      assert (!write_o || !visit_o || synapse_waddr_o != addr_q || write_sub_o < visit_sub_o)
      else $fatal(1, "corinfo_update: a synapse is written that is still to be visited");
    end
  end

endmodule

`default_nettype wire

// A sample's events wait unchanged until they are taken, and its end comes once, behind them.

`timescale 1ns/1ps
`default_nettype none

module corinfo_load_formal #(
  parameter ChangeWidth = 16,
  parameter SignalW = 3
) (
  input wire clk_i,
  input wire rst_i,
  input wire started_q,
  input wire start_i,
  input wire busy_o,
  input wire done_o,
  input wire event_valid_o,
  input wire [SignalW-1:0] event_signal_o,
  input wire [15:0] event_neuron_o,
  input wire [ChangeWidth-1:0] event_change_o,
  input wire event_take_i
);

  wire [SignalW+16+ChangeWidth-1:0] event_now;
  reg  [SignalW+16+ChangeWidth-1:0] event_q;
  reg                               waits_q, open_q;
  assign event_now = {event_signal_o, event_neuron_o, event_change_o};
  always @(posedge clk_i) begin
    event_q <= event_now;
    waits_q <= !rst_i && event_valid_o && !event_take_i;
    open_q  <= !rst_i && (start_i || (open_q && !done_o));
  end

  always @(posedge clk_i) begin : environment
    if (started_q && !rst_i) begin
      assert (!start_i || !open_q) else $fatal(1, "corinfo_load: a sample begins in another one");
      assert (!event_take_i || event_valid_o) else $fatal(1, "corinfo_load: an event is taken that is not there");
    end
  end

  always @(posedge clk_i) begin : behaviour
    if (started_q && !rst_i) begin
      assert (!waits_q || (event_valid_o && event_now == event_q))
      else $fatal(1, "corinfo_load: an event changes before it is taken");
      assert (!done_o || !busy_o) else $fatal(1, "corinfo_load: a sample ends that is still loaded");
      assert (!done_o || open_q) else $fatal(1, "corinfo_load: a sample ends that did not begin");
      assert (!event_valid_o || open_q) else $fatal(1, "corinfo_load: an event of no sample");
    end
  end

endmodule

`default_nettype wire

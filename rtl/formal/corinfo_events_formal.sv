// Events of the input wait unchanged until they are taken; no more are under way than there is room for; one product a
// cycle.

`timescale 1ns/1ps
`default_nettype none

module corinfo_events_formal #(
  parameter Contexts = 1,
  parameter ContextW = 1,
  parameter Units = 4,
  parameter SumAddrW = 5,
  parameter ChangeWidth = 16,
  parameter SignalW = 3,
  parameter RoomW = 4
) (
  input wire clk_i,
  input wire rst_i,
  input wire started_q,
  input wire input_valid_i,
  input wire [ContextW-1:0] input_context_i,
  input wire [SignalW-1:0] input_signal_i,
  input wire [15:0] input_neuron_i,
  input wire [ChangeWidth-1:0] input_change_i,
  input wire input_take_o,
  input wire [Units*Contexts-1:0] queue_take_o,
  input wire [ContextW-1:0] queue_context_o,
  input wire [Contexts-1:0] busy_o,
  input wire take,
  input wire pick_q,
  input wire finish,
  input wire [RoomW:0] room_q,
  input wire [SumAddrW-1:0] sum_addr_o,
  input wire [Contexts-1:0] sum_we_o,
  input wire sum_first_o,
  input wire sum_same_o
);

  localparam [RoomW:0] Room = 1 << RoomW;

  // The input's event that waits, the product before, and the samples whose events are taken.
  wire [ContextW+SignalW+16+ChangeWidth-1:0] event_now;
  reg  [ContextW+SignalW+16+ChangeWidth-1:0] event_q;
  reg                                        waits_q;
  reg  [SumAddrW-1:0]                        addr_q;
  reg  [Contexts-1:0]                        we_q;
  reg  [Contexts-1:0]                        takes;
  integer                                    u;
  assign event_now = {input_context_i, input_signal_i, input_neuron_i, input_change_i};
  always @(posedge clk_i) begin
    event_q <= event_now;
    waits_q <= !rst_i && input_valid_i && !input_take_o;
    addr_q  <= sum_addr_o;
    we_q    <= sum_we_o;
  end
  always @* begin
    takes = {Contexts{1'b0}};
    for (u = 0; u < Units; u = u + 1) begin
      takes = takes | queue_take_o[Contexts*u +: Contexts];
    end
  end

  always @(posedge clk_i) begin : environment
    if (started_q && !rst_i) begin
      assert (!waits_q || (input_valid_i && event_now == event_q))
      else $fatal(1, "corinfo_events: an event of the input changes before it is taken");
    end
  end

  always @(posedge clk_i) begin : behaviour
    if (started_q && !rst_i) begin
      assert (room_q <= Room) else $fatal(1, "corinfo_events: more room than there is");
      assert (!take || room_q != {(RoomW + 1){1'b0}})
      else $fatal(1, "corinfo_events: an event is taken for which there is no room");
      assert (!finish || room_q != Room) else $fatal(1, "corinfo_events: an event ends that was not taken");
      assert ((queue_take_o & (queue_take_o - 1'b1)) == {Units*Contexts{1'b0}})
      else $fatal(1, "corinfo_events: several events are taken at once");
      assert ((queue_take_o != {Units*Contexts{1'b0}}) == pick_q)
      else $fatal(1, "corinfo_events: an event of a queue is taken that no queue gives");
      assert (takes == {Contexts{1'b0}} || takes[queue_context_o])
      else $fatal(1, "corinfo_events: an event is taken whose head is not shown");
      assert ((takes & ~busy_o) == {Contexts{1'b0}})
      else $fatal(1, "corinfo_events: an event is taken of a sample that has none");
      assert ((sum_we_o & (sum_we_o - 1'b1)) == {Contexts{1'b0}})
      else $fatal(1, "corinfo_events: a product for sums of several samples");
      assert ((sum_we_o & ~busy_o) == {Contexts{1'b0}})
      else $fatal(1, "corinfo_events: a product of a sample that has no event");
      assert (sum_we_o == {Contexts{1'b0}} || sum_same_o == (we_q == sum_we_o && addr_q == sum_addr_o))
      else $fatal(1, "corinfo_events: sum_same_o is not that the product before was for the same sum");
    end
  end

endmodule

`default_nettype wire

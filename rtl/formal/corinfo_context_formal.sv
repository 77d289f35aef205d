// A sample takes a command only while it is idle, wants one unit at a time, and waits for that one.

`timescale 1ns/1ps
`default_nettype none

module corinfo_context_formal #(
  parameter ProgramDepth = 16,
  parameter ProgramAddrW = 4,
  parameter StateWant = 3
) (
  input wire clk_i,
  input wire rst_i,
  input wire started_q,
  input wire accept_i,
  input wire idle_o,
  input wire answered_o,
  input wire result_taken_i,
  input wire want_steps_o,
  input wire want_answer_o,
  input wire want_load_o,
  input wire want_update_o,
  input wire grant_i,
  input wire steps_done_i,
  input wire load_done_i,
  input wire update_done_i,
  input wire held_o,
  input wire [2:0] state_q,
  input wire [ProgramAddrW-1:0] at_q
);

  wire [3:0] wants;
  reg  [3:0] wants_q, runs_q;   // what was wanted and not granted; what was granted and is not done
  wire       done;
  assign wants = {want_update_o, want_load_o, want_answer_o, want_steps_o};
  assign done  = (steps_done_i && (runs_q[0] || runs_q[1])) || (load_done_i && runs_q[2])
                 || (update_done_i && runs_q[3]);
  reg        waits_q;           // an answer, for its taker
  always @(posedge clk_i) begin
    wants_q <= (rst_i || grant_i) ? 4'd0 : wants;
    waits_q <= !rst_i && answered_o && !result_taken_i;
    if (rst_i) begin
      runs_q <= 4'd0;
    end else if (grant_i) begin
      runs_q <= wants;
    end else if (done) begin
      runs_q <= 4'd0;
    end
  end

  always @(posedge clk_i) begin : environment
    if (started_q && !rst_i) begin
      assert (!accept_i || idle_o) else $fatal(1, "corinfo_context: a command for a sample in flight");
      assert (!grant_i || wants != 4'd0) else $fatal(1, "corinfo_context: a unit is granted that it does not want");
      assert (!steps_done_i || runs_q[0] || runs_q[1])
      else $fatal(1, "corinfo_context: a step ends that was not granted");
      assert (!load_done_i || runs_q[2]) else $fatal(1, "corinfo_context: a sample is taken that was not granted");
      assert (!update_done_i || idle_o || runs_q[3])
      else $fatal(1, "corinfo_context: an update ends that was not granted");
      assert (!held_o || wants == 4'd0 || want_steps_o)
      else $fatal(1, "corinfo_context: changes wait for those of a step that does not follow");
      assert (!result_taken_i || answered_o) else $fatal(1, "corinfo_context: an answer is taken that is not there");
    end
  end

  always @(posedge clk_i) begin : behaviour
    if (started_q && !rst_i) begin
      assert ((wants & (wants - 4'd1)) == 4'd0) else $fatal(1, "corinfo_context: several units are wanted at once");
      assert (state_q != StateWant || wants != 4'd0) else $fatal(1, "corinfo_context: an instruction wants nothing");
      assert (wants_q == 4'd0 || wants == wants_q)
      else $fatal(1, "corinfo_context: what is wanted changes before it is granted");
      assert (wants == 4'd0 || runs_q == 4'd0)
      else $fatal(1, "corinfo_context: a unit is wanted before the one before is done");
      assert (!waits_q || answered_o) else $fatal(1, "corinfo_context: an answer goes before it is taken");
      assert (!idle_o || !held_o) else $fatal(1, "corinfo_context: changes are held after the program's end");
      assert (idle_o || at_q < ProgramDepth) else $fatal(1, "corinfo_context: the program has no such instruction");
    end
  end

endmodule

`default_nettype wire

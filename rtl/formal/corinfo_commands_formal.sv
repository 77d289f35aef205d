// Only idle samples take a command, one after another; results stay until they are taken, in the order of commands.

`timescale 1ns/1ps
`default_nettype none

module corinfo_commands_formal #(
  parameter Contexts = 1,
  parameter ContextW = 1,
  parameter Batch = 1,
  parameter SampleW = 1
) (
  input wire clk_i,
  input wire rst_i,
  input wire started_q,
  input wire hold_i,
  input wire ready_o,
  input wire [Contexts-1:0] idle_i,
  input wire [Contexts-1:0] accept_o,
  input wire accepted_o,
  input wire [SampleW-1:0] samples_o,
  input wire [SampleW-1:0] load_sample_o,
  input wire [ContextW-1:0] next_q,
  input wire loading_q,
  input wire closing_q,
  input wire loaded_i,
  input wire batch_done_i,
  input wire [Contexts-1:0] answered_i,
  input wire [ContextW-1:0] turn_o,
  input wire result_valid_o,
  input wire result_ready_i,
  input wire [Contexts-1:0] taken_o
);

  reg                waits_q;      // a result, for its taker
  reg [ContextW-1:0] turn_q;
  reg [Contexts-1:0] answers_q;    // those that were not taken
  reg [Contexts-1:0] idle_q;       // those that no command was given
  always @(posedge clk_i) begin
    idle_q    <= rst_i ? {Contexts{1'b0}} : idle_i & ~accept_o;
    waits_q   <= !rst_i && result_valid_o && !result_ready_i;
    turn_q    <= turn_o;
    answers_q <= rst_i ? {Contexts{1'b0}} : answered_i & ~taken_o;
  end

  always @(posedge clk_i) begin : environment
    if (started_q && !rst_i) begin
      assert (!loaded_i || loading_q) else $fatal(1, "corinfo_commands: a sample ends that no command began");
      assert (!batch_done_i || closing_q) else $fatal(1, "corinfo_commands: a mini-batch ends that is not complete");
      assert ((answers_q & ~answered_i) == {Contexts{1'b0}})
      else $fatal(1, "corinfo_commands: an answer goes before it is taken");
      assert ((idle_q & ~idle_i) == {Contexts{1'b0}})
      else $fatal(1, "corinfo_commands: a sample begins without a command");
    end
  end

  always @(posedge clk_i) begin : behaviour
    if (started_q && !rst_i) begin
      assert (next_q < Contexts && turn_o < Contexts)
      else $fatal(1, "corinfo_commands: the turn of a sample that there is not");
      assert (!ready_o || !(loading_q || closing_q || hold_i))
      else $fatal(1, "corinfo_commands: a command is taken too early");
      assert ((accept_o & ~idle_i) == {Contexts{1'b0}})
      else $fatal(1, "corinfo_commands: a command for a sample in flight");
      assert ((accept_o & (accept_o - 1'b1)) == {Contexts{1'b0}})
      else $fatal(1, "corinfo_commands: a command for several samples");
      assert (accepted_o == (accept_o != {Contexts{1'b0}})) else $fatal(1, "corinfo_commands: a command for no sample");
      assert (samples_o < Batch && (!loading_q || load_sample_o < Batch))
      else $fatal(1, "corinfo_commands: more samples than a mini-batch has");
      assert (!waits_q || (result_valid_o && turn_o == turn_q))
      else $fatal(1, "corinfo_commands: a result goes before it is taken");
      assert ((taken_o & ~answered_i) == {Contexts{1'b0}})
      else $fatal(1, "corinfo_commands: a result is taken that is not there");
      assert ((taken_o & (taken_o - 1'b1)) == {Contexts{1'b0}})
      else $fatal(1, "corinfo_commands: several results are taken at once");
    end
  end

endmodule

`default_nettype wire

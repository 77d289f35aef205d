// Gives commands to the contexts in turn, and results in the same order.
//
// A command is accepted when its context is idle, the sample of the command before has been taken
// (loaded_i) and no update is due: the learning command that completes a mini-batch is the last one
// until batch_done_i. hold_i closes ready_o in the same cycle. accept_o names, a cycle later, the
// context of the command accepted last, to which all of load_* belong: it goes far, into every
// context. The result of the context turn_o is the next one: result_valid_o until result_ready_i,
// and taken_o with both.

`timescale 1ns/1ps
`default_nettype none

module corinfo_commands #(
  parameter Contexts = 1,
  parameter ContextW = 1,
  parameter LabelW   = 4,
  parameter Batch    = 1,   // samples of a mini-batch
  parameter SampleW  = 1
) (
  input  wire                clk_i,
  input  wire                rst_i,

  input  wire                valid_i,
  output wire                ready_o,
  input  wire                learn_i,
  input  wire                negative_i,
  input  wire [LabelW-1:0]   label_i,
  input  wire                hold_i,
  input  wire [Contexts-1:0] idle_i,
  output wire [Contexts-1:0] accept_o,
  output wire                accepted_o,      // any of them
  output reg  [SampleW-1:0]  samples_o,       // held in the mini-batch: the number of the next one

  output reg  [ContextW-1:0] load_context_o,
  output reg  [SampleW-1:0]  load_sample_o,   // its number in the mini-batch
  output reg                 load_last_o,     // it completes the mini-batch
  output reg                 load_learn_o,
  output reg                 load_negative_o,
  output reg  [LabelW-1:0]   load_label_o,
  output reg  [ContextW-1:0] closer_o,        // context of the last learning command
  input  wire                loaded_i,
  input  wire                bad_i,           // with loaded_i: the sample has the wrong length and is not learned
  input  wire                batch_done_i,

  input  wire [Contexts-1:0] answered_i,
  output reg  [ContextW-1:0] turn_o,
  output wire                result_valid_o,
  input  wire                result_ready_i,
  output wire [Contexts-1:0] taken_o
);

  // Parameters that it cannot have: elaboration finds no module of the reason's name.
  generate
    if (Contexts < 1) begin : gen_check
      corinfo_error_contexts_below_1 u_error ();
    end else if (ContextW < 1 || (Contexts - 1) >> ContextW != 0) begin : gen_check
      corinfo_error_context_w_too_narrow u_error ();
    end else if (LabelW < 1) begin : gen_check
      corinfo_error_label_w_below_1 u_error ();
    end else if (Batch < 1) begin : gen_check
      corinfo_error_batch_below_1 u_error ();
    end else if (SampleW < 1 || (Batch - 1) >> SampleW != 0) begin : gen_check
      corinfo_error_sample_w_too_narrow u_error ();
    end
  endgenerate

  localparam [31:0]         LastSampleWord  = Batch - 1;
  localparam [SampleW-1:0]  LastSample      = LastSampleWord[SampleW-1:0];
  localparam [SampleW-1:0]  OneSample       = 1;
  localparam [31:0]         LastContextWord = Contexts - 1;
  localparam [ContextW-1:0] LastContext     = LastContextWord[ContextW-1:0];
  localparam [ContextW-1:0] OneContext      = 1;

  reg  [ContextW-1:0] next_q;      // context of the next command
  reg                 loading_q;   // the last command's sample is still to be taken
  reg                 closing_q;   // the mini-batch is complete, its update is not done
  reg                 accepted_q;
  wire                accept, taken, last;
  assign accepted_o     = accepted_q;
  assign ready_o        = idle_i[next_q] && !loading_q && !closing_q && !hold_i;
  assign accept         = ready_o && valid_i;
  assign last           = samples_o == LastSample;
  assign result_valid_o = answered_i[turn_o];
  assign taken          = result_valid_o && result_ready_i;

  genvar c;
  generate
    for (c = 0; c < Contexts; c = c + 1) begin : gen_context
      localparam [31:0] Index = c;
      assign accept_o[c] = accepted_q && load_context_o == Index[ContextW-1:0];
      assign taken_o[c]  = taken && turn_o == Index[ContextW-1:0];
    end
  endgenerate

  always @(posedge clk_i) begin
    accepted_q <= accept && !rst_i;
    if (rst_i) begin
      next_q    <= {ContextW{1'b0}};
      turn_o    <= {ContextW{1'b0}};
      samples_o <= {SampleW{1'b0}};
      loading_q <= 1'b0;
      closing_q <= 1'b0;
    end else begin
      if (accept) begin
        next_q    <= (next_q == LastContext) ? {ContextW{1'b0}} : next_q + OneContext;
        loading_q <= 1'b1;
      end else if (loaded_i) begin
        loading_q <= 1'b0;
      end
      if (accept && learn_i) begin
        samples_o <= last ? {SampleW{1'b0}} : samples_o + OneSample;
        closing_q <= last;
      end else if (loaded_i && bad_i && load_learn_o) begin
        samples_o <= load_sample_o;
        closing_q <= 1'b0;
      end else if (batch_done_i) begin
        closing_q <= 1'b0;
      end
      if (taken) begin
        turn_o <= (turn_o == LastContext) ? {ContextW{1'b0}} : turn_o + OneContext;
      end
    end
    if (accept) begin
      load_context_o  <= next_q;
      load_sample_o   <= samples_o;
      load_last_o     <= last;
      load_learn_o    <= learn_i;
      load_negative_o <= negative_i;
      load_label_o    <= label_i;
    end
    if (accept && learn_i) begin
      closer_o <= next_q;
    end
  end

endmodule

`default_nettype wire

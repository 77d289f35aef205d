// Gives the steps to the samples in flight, in turn, and lets a sample's events go while no step reads its sums. With
// Groups, steps whose changes wait for each other are given as one: two samples that took turns would both wait.
//
// grant_o is high in the cycle in which a context gets the steps: when they are free, or end in this cycle. start_o
// follows a cycle later, owner_o with it, until the next grant. done_o comes Answers cycles behind steps_done_i, with
// the context whose step it was: what units answer to it is there, and another one's step may have begun. quiet_o and
// allow_o are a cycle behind what they are made of.

`timescale 1ns/1ps
`default_nettype none

module corinfo_grant #(
  parameter Contexts = 1,
  parameter ContextW = 1,
  parameter Answers  = 0,  // cycles until a unit's answer is here
  parameter Groups   = 0   // 1: changes of several steps wait for each other
) (
  input  wire                clk_i,
  input  wire                rst_i,

  input  wire [Contexts-1:0] wants_i,
  input  wire                steps_busy_i,
  input  wire                steps_done_i,
  output wire [Contexts-1:0] grant_o,
  output wire                start_o,
  output wire [ContextW-1:0] owner_o,
  output wire                done_o,
  output wire [ContextW-1:0] done_owner_o,

  input  wire [Contexts-1:0] reading_i,      // a step reads the sums of the sample
  input  wire [Contexts-1:0] held_i,         // its changes wait for those of further steps
  input  wire [Contexts-1:0] events_busy_i,  // a change of its waits, or is on its way to a sum
  output wire [Contexts-1:0] quiet_o,        // none does
  output wire [Contexts-1:0] allow_o         // its events may go
);

  // Parameters that it cannot have: elaboration finds no module of the reason's name.
  generate
    if (Contexts < 1) begin : gen_check
      corinfo_error_contexts_below_1 u_error ();
    end else if (ContextW < 1 || (Contexts - 1) >> ContextW != 0) begin : gen_check
      corinfo_error_context_w_too_narrow u_error ();
    end else if (Answers < 0) begin : gen_check
      corinfo_error_answers_below_0 u_error ();
    end
  endgenerate

  reg  [ContextW-1:0] owner_q, next;
  reg                 start_q;
  wire [Contexts-1:0] starting;
  wire [Contexts-1:0] turns;   // who may be given the steps now
  wire                unused_busy;
  integer             i;
  assign turns = (Groups != 0 && held_i != {Contexts{1'b0}}) ? wants_i & held_i : wants_i;
  always @* begin
    next = owner_q;
    for (i = Contexts - 1; i >= 0; i = i - 1) begin
      if (turns[i] && i[ContextW-1:0] <= owner_q) begin
        next = i[ContextW-1:0];
      end
    end
    for (i = Contexts - 1; i >= 0; i = i - 1) begin
      if (turns[i] && i[ContextW-1:0] > owner_q) begin
        next = i[ContextW-1:0];
      end
    end
  end
  genvar c;
  generate
    for (c = 0; c < Contexts; c = c + 1) begin : gen_grant
      localparam [31:0] Index = c;
      assign starting[c] = start_q && owner_q == Index[ContextW-1:0];
      assign grant_o[c]  = turns[c] && !start_q && (!steps_busy_i || steps_done_i) && next == Index[ContextW-1:0];
    end
  endgenerate
  always @(posedge clk_i) begin
    if (rst_i) begin
      owner_q <= {ContextW{1'b0}};
      start_q <= 1'b0;
    end else begin
      start_q <= grant_o != {Contexts{1'b0}};
      if (grant_o != {Contexts{1'b0}}) begin
        owner_q <= next;
      end
    end
  end
  assign start_o = start_q;
  assign owner_o = owner_q;
  corinfo_valid #(.Cycles(Answers)) u_done (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(steps_done_i), .valid_o(done_o), .busy_o(unused_busy)
  );
  corinfo_delay #(.Width(ContextW), .Cycles(Answers)) u_done_owner (
    .clk_i(clk_i), .data_i(owner_q), .data_o(done_owner_o)
  );

  reg [Contexts-1:0] quiet_q, allow_q;
  always @(posedge clk_i) begin
    quiet_q <= ~events_busy_i;
    allow_q <= ~(grant_o | starting | reading_i | held_i);
  end
  assign quiet_o = quiet_q;
  assign allow_o = allow_q;

endmodule

`default_nettype wire

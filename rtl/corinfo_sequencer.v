// Executes the program on one sample: takes a command, steps through the instructions, waits for
// each to be done.
//
// accept_i gives a command, only while idle_o. An instruction's fields are stable from start_o
// (high for one cycle) until the next start_o. The instruction is done when quiet_i, a cycle late,
// is high two cycles later or more. The program memory is read one instruction ahead, so that an
// instruction without work takes three cycles; a phase that ends early takes ReadCycles + 1 more.
// answered_o is high from when the result is there until result_taken_i.

`timescale 1ns/1ps
`default_nettype none

module corinfo_sequencer #(
  parameter LabelW       = 4,
  parameter EtaWidth     = 17,
  parameter ProgramDepth = 128,
  parameter ProgramFile  = "",
  parameter ReadCycles   = 2,     // of the program memory, 1 or 2
  parameter AddrW        = 7,     // bits of a program address
  parameter SampleW      = 1      // bits of a sample's number in the mini-batch
) (
  input  wire                clk_i,
  input  wire                rst_i,

  input  wire                accept_i,
  input  wire                command_learn_i,
  input  wire                command_negative_i,
  input  wire [LabelW-1:0]   command_label_i,
  input  wire [SampleW-1:0]  command_sample_i,  // its number in the mini-batch
  input  wire                command_last_i,    // it completes the mini-batch

  output wire                answered_o,
  input  wire                result_taken_i,

  // The command and the instruction under way.
  output wire                idle_o,
  output wire                start_o,
  output wire                learn_o,
  output wire                negative_o,
  output wire [LabelW-1:0]   label_o,
  output wire [SampleW-1:0]  sample_o,
  // What it is; none of them while idle.
  output wire                clear_o,
  output wire                take_o,            // the input
  output wire                settle_o,
  output wire                record_o,
  output wire                result_o,
  output wire                update_o,
  output wire [7:0]          layer_o,
  // Of beta: 0 none, 1 as the command says, 2 the opposite.
  output wire [1:0]          sign_o,
  output wire                restart_o,
  output wire                role_o,
  output wire                second_o,
  output wire                negate_o,
  output wire [7:0]          matrix_o,
  output wire [EtaWidth-1:0] eta_o,
  output wire                batch_done_o,      // pulse: the update is complete

  input  wire                quiet_i,
  input  wire                changed_i          // something changed in this iteration
);

  localparam Width = 44 + EtaWidth;

  localparam [3:0] OpClear    = 4'd0;
  localparam [3:0] OpLoad     = 4'd1;
  localparam [3:0] OpSettle   = 4'd2;
  localparam [3:0] OpRecord   = 4'd3;
  localparam [3:0] OpResult   = 4'd4;
  localparam [3:0] OpInferred = 4'd5;
  localparam [3:0] OpSampled  = 4'd6;
  localparam [3:0] OpUpdate   = 4'd7;
  localparam [3:0] OpEnd      = 4'd8;

  localparam [2:0] StateRewind = 3'd0;  // the program memory is being read at its start
  localparam [2:0] StateIdle   = 3'd1;  // waits for a command
  localparam [2:0] StateJump   = 3'd2;  // the program memory is being read at a new address
  localparam [2:0] StateFetch  = 3'd3;  // and has the instruction
  localparam [2:0] StateStart  = 3'd4;  // the instruction's first cycle
  localparam [2:0] StateRun    = 3'd5;
  localparam [2:0] StateResult = 3'd6;  // waits for the result to be taken

  localparam [AddrW-1:0] OneStep = 1;

  reg  [2:0]        state_q;
  reg  [AddrW-1:0]  at_q;       // the instruction after the one under way
  reg  [Width-1:0]  now_q;
  wire [Width-1:0]  next;
  reg               learn_q, negative_q, complete_q;
  reg  [LabelW-1:0] label_q;
  reg  [SampleW-1:0] sample_q;

  corinfo_ram #(
    .Width   (Width),
    .Depth   (ProgramDepth),
    .Cycles  (ReadCycles),
    .InitFile(ProgramFile)
  ) u_program (
    .clk_i  (clk_i),
    .we_i   (1'b0),
    .waddr_i({AddrW{1'b0}}),
    .wdata_i({Width{1'b0}}),
    .re_i   (1'b1),
    .raddr_i(at_q),
    .rdata_o(next)
  );

  wire [15:0] exit_word;
  assign layer_o   = now_q[11:4];
  assign sign_o    = now_q[13:12];
  assign restart_o = now_q[14];
  assign role_o    = now_q[17];
  assign second_o  = now_q[18];
  assign negate_o  = now_q[19];
  assign matrix_o  = now_q[27:20];
  assign exit_word = now_q[43:28];
  assign eta_o     = now_q[44 +: EtaWidth];

  wire unused_exit;
  assign unused_exit = ^{exit_word, now_q[16:15], now_q[3:0]};

  wire done, leave, stop;
  wire load;
  reg  late_q, early_q;
  assign done  = (state_q == StateRun && quiet_i && !early_q && !result_o)
                 || (state_q == StateResult && result_taken_i);
  assign leave = leaves_q && !changed_i;
  assign stop  = stops_q;
  assign load  = accept_i || state_q == StateFetch || (done && !stop && !leave);

  // The opcode, decoded when the instruction is taken: its flags go far.
  reg [5:0] flags_q;
  reg       stops_q, leaves_q, ends_q;
  assign {update_o, result_o, record_o, settle_o, take_o, clear_o} = flags_q;

  always @(posedge clk_i) begin
    if (rst_i) begin
      flags_q  <= 6'b0;
      stops_q  <= 1'b0;
      leaves_q <= 1'b0;
      ends_q   <= 1'b0;
    end else if (load) begin
      flags_q <= {next[3:0] == OpUpdate, next[3:0] == OpResult, next[3:0] == OpRecord,
                  next[3:0] == OpSettle, next[3:0] == OpLoad, next[3:0] == OpClear};
      stops_q  <= (next[3:0] == OpInferred && !learn_q)
                  || (next[3:0] == OpSampled && !complete_q) || next[3:0] == OpEnd;
      leaves_q <= next[3:0] == OpSettle && next[15] && next[16];
      ends_q   <= next[3:0] == OpEnd;
    end
  end

  // Right after a change of its address the memory may still read at the one before, and in an
  // instruction's first two cycles quiet_i is about the one before.
  always @(posedge clk_i) begin
    late_q  <= ReadCycles > 1 && (done || rst_i);
    early_q <= start_o;
  end

  always @(posedge clk_i) begin
    if (rst_i) begin
      state_q  <= StateRewind;
      at_q     <= {AddrW{1'b0}};
      now_q    <= {Width{1'b0}};
    end else begin
      case (state_q)
        StateRewind: begin
          state_q <= late_q ? StateRewind : StateIdle;
        end
        StateIdle: begin
          if (accept_i) begin
            state_q <= StateStart;
            now_q   <= next;
            at_q    <= at_q + OneStep;
          end
        end
        StateJump: begin
          state_q <= late_q ? StateJump : StateFetch;
        end
        StateFetch: begin
          state_q <= StateStart;
          now_q   <= next;
          at_q    <= at_q + OneStep;
        end
        StateStart: begin
          state_q <= StateRun;
        end
        default: begin
          if (state_q == StateRun && quiet_i && !early_q && result_o) begin
            state_q <= StateResult;
          end else if (done && stop) begin
            state_q <= StateRewind;
            at_q    <= {AddrW{1'b0}};
          end else if (done && leave) begin
            state_q <= StateJump;
            at_q    <= exit_word[AddrW-1:0];
          end else if (done) begin
            state_q <= StateStart;
            now_q   <= next;
            at_q    <= at_q + OneStep;
          end
        end
      endcase
    end
    if (accept_i) begin
      learn_q    <= command_learn_i;
      negative_q <= command_negative_i;
      label_q    <= command_label_i;
      sample_q   <= command_sample_i;
      complete_q <= command_last_i;
    end
  end

  assign answered_o   = state_q == StateResult;
  assign idle_o       = state_q == StateIdle;
  assign start_o      = state_q == StateStart;
  assign learn_o      = learn_q;
  assign negative_o   = negative_q;
  assign label_o      = label_q;
  assign sample_o     = sample_q;
  assign batch_done_o = done && ends_q;

endmodule

`default_nettype wire

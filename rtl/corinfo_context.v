// One sample in flight: executes the program on it.
//
// accept_i gives a command, only while idle_o. An instruction wants one of the units that all samples share: want_*_o
// is high until grant_i, and the unit is done with *_done_i. It is over when quiet_i says that none of the sample's
// changes is on its way to a sum any more; a step with `hold` is over when its results are written, and its changes
// wait (held_o) for those of the steps after it, of which one follows. answered_o is high from when the answer is out
// until result_taken_i. A command whose sample is bad ends with an answer that is an error, error_o.
//
// An instruction: opcode, step or projection, row of constants, hold, last of an iteration, and exit: where to go on
// after the last one if nothing moved in the iteration; 0: the phase does not end early. An instruction takes 3 cycles
// and those of its unit.

`timescale 1ns/1ps
`default_nettype none

module corinfo_context #(
  parameter LabelW       = 4,
  parameter SampleW      = 1,
  parameter ProgramDepth = 16,
  parameter ProgramAddrW = 4,
  parameter ProgramFile  = "",
  parameter HostTables   = 1     // the host reads and writes the program
) (
  input  wire               clk_i,
  input  wire               rst_i,

  input  wire               accept_i,
  input  wire               command_learn_i,
  input  wire               command_negative_i,
  input  wire [LabelW-1:0]  command_label_i,
  input  wire [SampleW-1:0] command_sample_i,
  input  wire               command_last_i,     // it completes the mini-batch
  output wire               idle_o,
  output wire               answered_o,
  output wire               error_o,
  input  wire               result_taken_i,
  output wire               batch_done_o,

  output wire               want_steps_o,
  output wire               want_answer_o,      // of the steps too, in the order of commands
  output wire               want_load_o,
  output wire               want_update_o,
  input  wire               grant_i,
  input  wire               steps_done_i,       // of this sample
  input  wire               load_done_i,
  input  wire               load_bad_i,         // with it: the sample has the wrong length
  input  wire               update_done_i,
  input  wire               moved_i,            // a word that a phase waits for moved
  input  wire               quiet_i,
  output wire               held_o,

  // The instruction and its sample.
  output wire [1:0]         kind_o,             // as corinfo_steps has them
  output wire [7:0]         step_o,
  output wire [15:0]        row_o,
  output wire [1:0]         moment_o,
  output wire               learn_o,
  output wire [LabelW-1:0]  label_o,
  output wire [SampleW-1:0] sample_o,

  // The host's access to the program, while idle_o, as corinfo_table has it.
  input  wire               host_i,
  input  wire               host_we_i,
  input  wire [19:0]        host_row_i,
  input  wire [3:0]         host_part_i,
  input  wire [31:0]        host_data_i,
  output wire [31:0]        host_word_o
);

  // Parameters that it cannot have: elaboration finds no module of the reason's name.
  generate
    if (LabelW < 1) begin : gen_check
      corinfo_error_label_w_below_1 u_error ();
    end else if (SampleW < 1) begin : gen_check
      corinfo_error_sample_w_below_1 u_error ();
    end else if (ProgramDepth < 2 || ProgramDepth > 65536) begin : gen_check
      corinfo_error_program_depth_not_2_to_65536 u_error ();
    end else if (ProgramAddrW != $clog2(ProgramDepth)) begin : gen_check
      corinfo_error_program_addr_w_not_of_program_depth u_error ();
    end
  endgenerate

  // Definitions of opcodes, printed from hdlgen/design/definitions.go.
  localparam [3:0] OpClear    = 4'd0;  // words and sums become zero
  localparam [3:0] OpLoad     = 4'd1;  // the sample is taken
  localparam [3:0] OpStep     = 4'd2;
  localparam [3:0] OpShared   = 4'd3;  // a step of the words that a layer shares
  localparam [3:0] OpAnswer   = 4'd4;
  localparam [3:0] OpInferred = 4'd5;  // an inference ends here
  localparam [3:0] OpSampled  = 4'd6;  // a learning sample, unless it completes the mini-batch
  localparam [3:0] OpUpdate   = 4'd7;  // of the projection that step names
  localparam [3:0] OpEnd      = 4'd8;
  localparam [3:0] OpNudge    = 4'd9;  // beta has the sign of step: 1 as the command says, 2 the opposite, 0 none
  // End of definitions.

  // Definitions of kinds, printed from hdlgen/design/definitions.go.
  localparam [1:0] KindNeurons = 2'd0;
  localparam [1:0] KindClear   = 2'd1;
  localparam [1:0] KindShared  = 2'd2;
  localparam [1:0] KindAnswer  = 2'd3;
  // End of definitions.

  // Definitions of instruction, printed from hdlgen/design/definitions.go.
  localparam OpLow           = 0;
  localparam OpBits          = 4;
  localparam StepLow         = 4;
  localparam StepBits        = 8;
  localparam RowLow          = 12;
  localparam RowBits         = 16;
  localparam HoldLow         = 28;
  localparam LastLow         = 29;
  localparam ExitLow         = 30;
  localparam ExitBits        = 16;
  localparam InstructionBits = 46;
  // End of definitions.

  localparam [2:0] StateIdle   = 3'd0;
  localparam [2:0] StateFetch  = 3'd1;
  localparam [2:0] StateDecode = 3'd2;
  localparam [2:0] StateWant   = 3'd3;
  localparam [2:0] StateRun    = 3'd4;
  localparam [2:0] StateQuiet  = 3'd5;
  localparam [2:0] StateAnswer = 3'd6;

  localparam [ProgramAddrW-1:0] OneStep = 1;

  reg  [2:0]              state_q;
  reg  [ProgramAddrW-1:0] at_q;
  reg                     learn_q, negative_q, complete_q, moved_q, held_q, error_q;
  reg  [LabelW-1:0]       label_q;
  reg  [SampleW-1:0]      sample_q;
  reg  [1:0]              sign_q;
  wire [InstructionBits-1:0] now;
  corinfo_table #(
    .Width(InstructionBits), .Depth(ProgramDepth), .InitFile(ProgramFile), .Host(HostTables)
  ) u_program (
    .clk_i(clk_i), .addr_i(at_q), .data_o(now), .host_i(host_i), .host_we_i(host_we_i), .host_row_i(host_row_i),
    .host_part_i(host_part_i), .host_data_i(host_data_i), .host_word_o(host_word_o)
  );

  // Decoded from the memory; executed from a register.
  reg  [InstructionBits-1:0] now_q;
  always @(posedge clk_i) begin
    now_q <= now;
  end
  wire [3:0]  decoded, op;
  wire        hold, last;
  wire [15:0] exit_word;
  assign decoded   = now[OpLow +: OpBits];
  assign op        = now_q[OpLow +: OpBits];
  assign step_o    = now_q[StepLow +: StepBits];
  assign row_o     = now_q[RowLow +: RowBits];
  assign hold      = now_q[HoldLow];
  assign last      = now_q[LastLow] && state_q != StateDecode;   // what ends there is not the last of an iteration
  assign exit_word = now_q[ExitLow +: ExitBits];

  wire uses_steps, run_done, ends, next, leave;
  assign uses_steps = op == OpClear || op == OpStep || op == OpShared || op == OpAnswer;
  assign run_done   = (uses_steps && steps_done_i) || (op == OpLoad && load_done_i)
                      || (op == OpUpdate && update_done_i);
  assign ends       = (decoded == OpInferred && !learn_q) || (decoded == OpSampled && !complete_q)
                      || decoded == OpEnd;
  assign leave      = last && exit_word != 16'd0 && !moved_q;
  assign next       = (state_q == StateQuiet && quiet_i && !error_q)
                      || (state_q == StateAnswer && result_taken_i && !error_q)
                      || (state_q == StateRun && run_done && op == OpStep && hold)
                      || (state_q == StateDecode && !ends
                          && (decoded == OpInferred || decoded == OpSampled || decoded == OpNudge));

  assign want_steps_o  = state_q == StateWant && uses_steps && op != OpAnswer;
  assign want_answer_o = state_q == StateWant && op == OpAnswer;
  assign want_load_o   = state_q == StateWant && op == OpLoad;
  assign want_update_o = state_q == StateWant && op == OpUpdate;
  assign kind_o        = op == OpClear ? KindClear : op == OpShared ? KindShared
                         : op == OpAnswer ? KindAnswer : KindNeurons;
  assign moment_o      = !learn_q ? 2'd0 : sign_q == 2'd0 ? 2'd1
                         : ((sign_q == 2'd1) != negative_q) ? 2'd2 : 2'd3;
  assign held_o        = held_q;
  assign learn_o       = learn_q;
  assign label_o       = label_q;
  assign sample_o      = sample_q;
  assign idle_o        = state_q == StateIdle;
  assign answered_o    = state_q == StateAnswer;
  assign error_o       = error_q;
  assign batch_done_o  = state_q == StateDecode && decoded == OpEnd;

  always @(posedge clk_i) begin
    if (rst_i) begin
      state_q <= StateIdle;
      at_q    <= {ProgramAddrW{1'b0}};
      held_q  <= 1'b0;
    end else begin
      case (state_q)
        StateIdle: begin
          at_q <= {ProgramAddrW{1'b0}};
          if (accept_i) begin
            state_q <= StateDecode;
          end
        end
        StateFetch: begin
          state_q <= StateDecode;
        end
        StateDecode: begin
          if (ends) begin
            state_q <= StateIdle;
            at_q    <= {ProgramAddrW{1'b0}};
          end else if (!next) begin
            state_q <= StateWant;
          end
        end
        StateWant: begin
          if (grant_i) begin
            state_q <= StateRun;
            held_q  <= op == OpStep && hold;
          end
        end
        StateRun: begin
          if (run_done) begin
            state_q <= op == OpAnswer ? StateAnswer : StateQuiet;
          end
        end
        StateQuiet: begin
          if (quiet_i && error_q) begin
            state_q <= StateAnswer;
          end
        end
        default: begin
          if (result_taken_i && error_q) begin
            state_q <= StateIdle;
          end
        end
      endcase
      if (next) begin
        state_q <= StateFetch;
        at_q    <= leave ? exit_word[ProgramAddrW-1:0] : at_q + OneStep;
      end
    end
    if (accept_i) begin
      learn_q    <= command_learn_i;
      negative_q <= command_negative_i;
      label_q    <= command_label_i;
      sample_q   <= command_sample_i;
      complete_q <= command_last_i;
    end
    if (accept_i) begin
      error_q <= 1'b0;
    end else if (load_done_i && load_bad_i) begin
      error_q <= 1'b1;
    end
    if (accept_i) begin
      sign_q <= 2'd0;
    end else if (state_q == StateDecode && decoded == OpNudge) begin
      sign_q <= now[StepLow +: 2];
    end
    if (accept_i || (next && last)) begin
      moved_q <= 1'b0;
    end else if (moved_i) begin
      moved_q <= 1'b1;
    end
  end

  wire unused_bits;
  assign unused_bits = ^{exit_word, step_o};

endmodule

`default_nettype wire

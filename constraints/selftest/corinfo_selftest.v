// Tests a design on a board: plays stored digits into it, compares what it answers with what is
// stored, and shows the classes on eight LEDs.
//
// StepsFile has one word a command: {learn, negative, label, expected class, first word of the
// digit}. DigitsFile has the digits, packed: a word {zeros, x} stands for so many zero inputs and
// the input x behind them. After the last command every synapse is read back through the host port.
// Scores and synapses, in the order in which they come, make a checksum, sum = (sum rotated left by
// 5) + (word's upper half xor lower half), words sign-extended to 64 bits; it must be Checksum.
//
// The test starts after a reset and needs the memories that the design was configured with: only
// configuration starts it again. LEDs: 7 passed; 6 failed (a class or the checksum differs, the
// host refused a read, or nothing happened for 2^WatchdogW cycles); 5 blinks while the clock runs;
// 4 the class shown is that of a digit being learned; 3..0 the class. While the test runs the
// class is the last one; after it each in turn for 2^DisplayW cycles, held while hold_i is high.

`timescale 1ns/1ps
`default_nettype none

module corinfo_selftest #(
  parameter Lanes        = 16,
  parameter LaneShift    = 20,    // of a lane in an address of the host
  parameter SynapseDepth = 512,   // words of a lane
  parameter Inputs       = 784,
  parameter XWidth       = 9,
  parameter LabelW       = 4,
  parameter ScoreWidth   = 12,
  parameter Steps        = 4,     // commands, at least 2
  parameter StepW        = 2,
  parameter ZerosW       = 8,     // bits of a count of zeros
  parameter DigitWords   = 1024,  // words of all digits, at least 2
  parameter DigitW       = 10,    // bits of an address of them
  parameter DisplayW     = 26,
  parameter WatchdogW    = 28,    // 28 bits: nothing takes that long
  parameter StepsFile    = "",
  parameter DigitsFile   = "",
  parameter [31:0] Checksum = 32'd0
) (
  input  wire                  clk_i,
  input  wire                  rst_i,
  input  wire                  hold_i,     // any time: it is synchronised here
  output wire [7:0]            led_o,

  // To the design under test.
  output wire                  command_valid_o,
  input  wire                  command_ready_i,
  output wire                  command_learn_o,
  output wire                  command_negative_o,
  output wire [LabelW-1:0]     command_label_o,
  output wire                  sample_valid_o,
  input  wire                  sample_ready_i,
  output wire                  sample_last_o,
  output wire [XWidth-1:0]     sample_data_o,
  input  wire                  score_valid_i,
  input  wire [ScoreWidth-1:0] score_data_i,
  input  wire                  result_valid_i,
  output wire                  result_ready_o,
  input  wire [LabelW-1:0]     result_class_i,
  output wire                  host_valid_o,
  input  wire                  host_ready_i,
  output wire [31:0]           host_address_o,
  input  wire                  host_done_i,
  input  wire                  host_error_i,
  input  wire [63:0]           host_data_i,
  input  wire                  idle_i
);

  localparam StepWidth = 2 + 2 * LabelW + DigitW;

  localparam [2:0] StateFetch   = 3'd0;  // the step's word is being read
  localparam [2:0] StateCommand = 3'd1;
  localparam [2:0] StateSample  = 3'd2;
  localparam [2:0] StateResult  = 3'd3;
  localparam [2:0] StateIdle    = 3'd4;  // until the command has ended
  localparam [2:0] StateAsk     = 3'd5;  // the host for a word
  localparam [2:0] StateAnswer  = 3'd6;
  localparam [2:0] StateDone    = 3'd7;

  localparam [31:0]       LastStepWord = Steps - 1;
  localparam [31:0]       LastLane     = Lanes - 1;
  localparam [31:0]       LastWord     = SynapseDepth - 1;
  localparam [31:0]       InputsWord   = Inputs;
  localparam [StepW-1:0]  LastStep     = LastStepWord[StepW-1:0];
  localparam [StepW-1:0]  OneStep      = 1;
  localparam [DigitW-1:0] OneWord      = 1;
  localparam [ZerosW-1:0] OneZero      = 1;
  localparam [ZerosW-1:0] NoZeros      = 0;

  reg [2:0] state_q;
  reg       wrong_q, fetched_q;

  // The step.
  reg  [StepW-1:0]     step_q;
  reg  [StepWidth-1:0] step_word_q;
  wire [StepWidth-1:0] step_word;
  wire                 learn;
  wire [LabelW-1:0]    expected;
  wire [DigitW-1:0]    first;
  assign {learn, command_negative_o, command_label_o, expected, first} = step_word_q;
  assign command_learn_o = learn;
  assign command_valid_o = state_q == StateCommand;

  corinfo_ram #(.Width(StepWidth), .Depth(Steps), .InitFile(StepsFile)) u_steps (
    .clk_i  (clk_i),
    .we_i   (1'b0),
    .waddr_i({StepW{1'b0}}),
    .wdata_i({StepWidth{1'b0}}),
    .re_i   (1'b1),
    .raddr_i(step_q),
    .rdata_o(step_word)
  );

  // The digit: a word is read, then its zeros are sent, then its input.
  wire [ZerosW+XWidth-1:0] digit_word;
  reg  [DigitW-1:0]        word_q;
  reg  [1:0]               loading_q;   // 3: address, 1: word there, 0: sending
  reg  [ZerosW-1:0]        zeros_q;
  reg  [XWidth-1:0]        x_q;
  reg  [31:0]              left_q;      // inputs to come
  wire                     sent, last_of_word, last_of_digit;

  corinfo_ram #(.Width(ZerosW + XWidth), .Depth(DigitWords), .Cycles(2), .InitFile(DigitsFile)) u_digits (
    .clk_i  (clk_i),
    .we_i   (1'b0),
    .waddr_i({DigitW{1'b0}}),
    .wdata_i({(ZerosW + XWidth){1'b0}}),
    .re_i   (1'b1),
    .raddr_i(word_q),
    .rdata_o(digit_word)
  );

  assign sample_valid_o = state_q == StateSample && loading_q == 2'd0;
  assign sample_last_o  = left_q == 32'd1;
  assign sample_data_o  = (zeros_q == NoZeros) ? x_q : {XWidth{1'b0}};
  assign sent           = sample_valid_o && sample_ready_i;
  assign last_of_word   = sent && zeros_q == NoZeros;
  assign last_of_digit  = sent && left_q == 32'd1;

  always @(posedge clk_i) begin
    if (state_q == StateCommand) begin
      word_q    <= first;
      loading_q <= 2'd3;
      left_q    <= InputsWord;
    end else if (loading_q != 2'd0) begin
      loading_q      <= loading_q - 2'd1;
      {zeros_q, x_q} <= digit_word;
    end else if (sent) begin
      zeros_q <= zeros_q - OneZero;
      left_q  <= left_q - 32'd1;
      if (last_of_word) begin
        word_q    <= word_q + OneWord;
        loading_q <= 2'd3;
      end
    end
  end

  // The synapses.
  reg  [9:0]  lane_q;
  reg  [19:0] address_q;
  wire        last_word, last_lane;
  assign host_valid_o   = state_q == StateAsk;
  assign host_address_o = ({22'd0, lane_q} << LaneShift) | {12'd0, address_q};
  assign last_word      = address_q == LastWord[19:0];
  assign last_lane      = lane_q == LastLane[9:0];

  // The checksum takes a word a cycle late: nothing is added after it is compared.
  reg         add_q;
  reg  [31:0] fold_q, sum_q;
  wire        synapse_valid;
  assign synapse_valid = state_q == StateAnswer && host_done_i;

  wire [63:0] score;
  generate
    if (ScoreWidth < 64) begin : gen_extend
      assign score = {{(64 - ScoreWidth){score_data_i[ScoreWidth-1]}}, score_data_i};
    end else begin : gen_same
      assign score = score_data_i;
    end
  endgenerate

  always @(posedge clk_i) begin
    add_q  <= !rst_i && (score_valid_i || synapse_valid);
    fold_q <= score_valid_i ? score[63:32] ^ score[31:0] : host_data_i[63:32] ^ host_data_i[31:0];
    if (rst_i) begin
      sum_q <= 32'd0;
    end else if (add_q) begin
      sum_q <= {sum_q[26:0], sum_q[31:27]} + fold_q;
    end
  end

  // Time since something happened.
  reg [WatchdogW-1:0] quiet_q;
  wire                alive, hung;
  assign alive = sent || score_valid_i || host_done_i || state_q == StateCommand;
  assign hung  = &quiet_q;

  always @(posedge clk_i) begin
    if (rst_i || alive) begin
      quiet_q <= {WatchdogW{1'b0}};
    end else if (!hung) begin
      quiet_q <= quiet_q + {{(WatchdogW - 1){1'b0}}, 1'b1};
    end
  end

  assign result_ready_o = state_q == StateResult;

  always @(posedge clk_i) begin
    if (rst_i) begin
      state_q   <= StateFetch;
      fetched_q <= 1'b0;
      wrong_q   <= 1'b0;
      step_q    <= {StepW{1'b0}};
      lane_q    <= 10'd0;
      address_q <= 20'd0;
    end else if (hung && state_q != StateDone) begin
      state_q <= StateDone;
      wrong_q <= 1'b1;
    end else begin
      case (state_q)
        StateFetch: begin
          fetched_q   <= !fetched_q;
          step_word_q <= step_word;
          if (fetched_q) begin
            state_q <= StateCommand;
          end
        end
        StateCommand: begin
          if (command_ready_i) begin
            state_q <= StateSample;
          end
        end
        StateSample: begin
          if (last_of_digit) begin
            state_q <= StateResult;
          end
        end
        StateResult: begin
          if (result_valid_i) begin
            state_q <= StateIdle;
            if (result_class_i != expected) begin
              wrong_q <= 1'b1;
            end
          end
        end
        StateIdle: begin
          if (idle_i) begin
            step_q  <= step_q + OneStep;
            state_q <= (step_q == LastStep) ? StateAsk : StateFetch;
          end
        end
        StateAsk: begin
          if (host_ready_i) begin
            state_q <= StateAnswer;
          end
        end
        StateAnswer: begin
          if (host_done_i) begin
            address_q <= last_word ? 20'd0 : address_q + 20'd1;
            lane_q    <= last_word ? lane_q + 10'd1 : lane_q;
            state_q   <= (last_word && last_lane) ? StateDone : StateAsk;
            if (host_error_i) begin
              wrong_q <= 1'b1;
            end
          end
        end
        default: begin
        end
      endcase
    end
  end

  // The verdict, when the last word is in the checksum.
  reg [1:0] done_q;
  reg       passed_q, failed_q;

  always @(posedge clk_i) begin
    done_q   <= rst_i ? 2'd0 : {done_q[0], state_q == StateDone};
    passed_q <= !rst_i && (passed_q || (done_q == 2'd3 && !failed_q && !wrong_q && sum_q == Checksum));
    failed_q <= !rst_i && (failed_q || (done_q == 2'd3 && !passed_q && (wrong_q || sum_q != Checksum)));
  end

  // What the LEDs show: classes as they were answered.
  reg [4:0]        answers [0:Steps-1];   // {learned, class}
  reg [4:0]        answer_q;
  reg [StepW-1:0]  shown_q;
  reg [1:0]        hold_q;
  reg [DisplayW:0] time_q;
  wire             next;
  wire [LabelW+3:0] class_word;   // at least four bits
  wire             unused_class;
  assign class_word   = {4'd0, result_class_i};
  assign unused_class = ^class_word[LabelW+3:4];
  assign next         = &time_q[DisplayW-1:0] && !hold_q[1];

  always @(posedge clk_i) begin
    hold_q <= {hold_q[0], hold_i};
    if (state_q == StateResult && result_valid_i) begin
      answers[step_q] <= {learn, class_word[3:0]};
    end
    answer_q <= answers[shown_q];
    if (rst_i) begin
      time_q  <= {(DisplayW + 1){1'b0}};
      shown_q <= {StepW{1'b0}};
    end else begin
      time_q <= time_q + {{DisplayW{1'b0}}, 1'b1};
      if (state_q == StateIdle) begin
        shown_q <= step_q;
      end else if (state_q == StateDone && next) begin
        shown_q <= (shown_q == LastStep) ? {StepW{1'b0}} : shown_q + OneStep;
      end
    end
  end

  assign led_o = {passed_q, failed_q, time_q[DisplayW], answer_q};

endmodule

`default_nettype wire

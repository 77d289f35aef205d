// The way back of an answer: the scores of the output neurons, one a cycle, and the class, the lowest index of the
// largest of them.
//
// answer_i names a neuron by its unit and index; its score is on score_i Answers + 1 cycles later, and on score_data_o
// a cycle behind that, with score_valid_o. class_o is complete a cycle after the last score.

`timescale 1ns/1ps
`default_nettype none

module corinfo_answer #(
  parameter Units      = 4,
  parameter UnitW      = 2,
  parameter LabelW     = 4,
  parameter ScoreWidth = 12,
  parameter Answers    = 0   // cycles until a unit's answer is here
) (
  input  wire                        clk_i,
  input  wire                        rst_i,
  input  wire                        answer_i,
  input  wire [UnitW-1:0]            unit_i,
  input  wire [LabelW-1:0]           index_i,
  input  wire [Units*ScoreWidth-1:0] score_i,   // of every unit
  output reg                         score_valid_o,
  output reg  [LabelW-1:0]           score_index_o,
  output reg  [ScoreWidth-1:0]       score_data_o,
  output reg  [LabelW-1:0]           class_o
);

  // Parameters that it cannot have: elaboration finds no module of the reason's name.
  generate
    if (Units < 1) begin : gen_check
      corinfo_error_units_below_1 u_error ();
    end else if (UnitW < 1 || (Units - 1) >> UnitW != 0) begin : gen_check
      corinfo_error_unit_w_too_narrow u_error ();
    end else if (LabelW < 1) begin : gen_check
      corinfo_error_label_w_below_1 u_error ();
    end else if (ScoreWidth < 1) begin : gen_check
      corinfo_error_score_width_below_1 u_error ();
    end else if (Answers < 0) begin : gen_check
      corinfo_error_answers_below_0 u_error ();
    end
  endgenerate

  reg                          answer_q;
  reg  [UnitW-1:0]             unit_q;
  reg  [LabelW-1:0]            index_q;
  reg  signed [ScoreWidth-1:0] best_q;
  wire                         answer, unused_busy;
  wire [UnitW-1:0]             unit;
  wire [LabelW-1:0]            index;
  wire [ScoreWidth-1:0]        score;
  corinfo_valid #(.Cycles(Answers)) u_answer (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(answer_i), .valid_o(answer), .busy_o(unused_busy)
  );
  corinfo_delay #(.Width(UnitW + LabelW), .Cycles(Answers)) u_place (
    .clk_i(clk_i), .data_i({unit_i, index_i}), .data_o({unit, index})
  );
  corinfo_choice #(.Width(ScoreWidth), .Count(Units), .IndexW(UnitW)) u_score (
    .index_i(unit_q), .words_i(score_i), .word_o(score)
  );
  always @(posedge clk_i) begin
    answer_q      <= answer && !rst_i;
    unit_q        <= unit;
    index_q       <= index;
    score_valid_o <= answer_q && !rst_i;
    score_index_o <= index_q;
    score_data_o  <= score;
    if (score_valid_o && (score_index_o == {LabelW{1'b0}} || $signed(score_data_o) > best_q)) begin
      best_q  <= score_data_o;
      class_o <= score_index_o;
    end
  end

endmodule

`default_nettype wire

// The class is the lowest index of the largest score, whichever score of the answer is looked at.

`timescale 1ns/1ps
`default_nettype none

module corinfo_answer_formal #(
  parameter Units = 4,
  parameter UnitW = 2,
  parameter LabelW = 4,
  parameter ScoreWidth = 12,
  parameter Answers = 0
) (
  input wire clk_i,
  input wire rst_i,
  input wire started_q,
  input wire answer_i,
  input wire [UnitW-1:0] unit_i,
  input wire [LabelW-1:0] index_i,
  input wire [Units*ScoreWidth-1:0] score_i,
  input wire score_valid_o,
  input wire [LabelW-1:0] score_index_o,
  input wire [ScoreWidth-1:0] score_data_o,
  input wire [LabelW-1:0] class_o,
  input wire signed [ScoreWidth-1:0] best_q
);

  // A score is followed from its name on until it is told, then the next one.
  localparam Cycles = Answers + 2;
  reg [31:0]           age_q;   // 0: none is followed
  reg [UnitW-1:0]      unit_q;
  reg [LabelW-1:0]     index_q;
  reg [ScoreWidth-1:0] named_q;
  initial age_q = 32'd0;
  always @(posedge clk_i) begin
    if (rst_i) begin
      age_q <= 32'd0;
    end else if (age_q == 32'd0 || age_q == Cycles) begin
      age_q <= (answer_i && started_q) ? 32'd1 : 32'd0;
    end else begin
      age_q <= age_q + 32'd1;
    end
    if (age_q == 32'd0 || age_q == Cycles) begin
      unit_q  <= unit_i;
      index_q <= index_i;
    end
    if (age_q == Answers + 1) begin
      named_q <= score_i[ScoreWidth*unit_q +: ScoreWidth];
    end
  end

  // One index of an answer is looked at, in the next answer the next one.
  reg [LabelW-1:0]            at_q, last_q;
  reg signed [ScoreWidth-1:0] score_q;
  reg                         open_q, known_q;   // an answer has begun; it has got as far as at_q
  wire                        first;
  wire [LabelW-1:0]           at;
  assign first = score_index_o == {LabelW{1'b0}};
  assign at    = first ? at_q + 1'b1 : at_q;
  initial at_q = {LabelW{1'b0}};
  initial open_q = 1'b0;
  initial known_q = 1'b0;
  always @(posedge clk_i) begin
    if (rst_i) begin
      open_q  <= 1'b0;
      known_q <= 1'b0;
    end else if (score_valid_o && started_q) begin
      open_q  <= 1'b1;
      last_q  <= score_index_o;
      at_q    <= at;
      known_q <= score_index_o == at || (known_q && !first);
      if (score_index_o == at) begin
        score_q <= score_data_o;
      end
    end
  end

  always @(posedge clk_i) begin : environment
    if (started_q && !rst_i) begin
      assert (!answer_i || unit_i < Units) else $fatal(1, "corinfo_answer: a score of a unit that there is not");
      assert (!score_valid_o || first || (open_q && score_index_o == last_q + 1'b1))
      else $fatal(1, "corinfo_answer: scores do not come in turn");
    end
  end

  always @(posedge clk_i) begin : behaviour
    if (started_q && !rst_i) begin
      assert (age_q != Cycles || (score_valid_o && score_index_o == index_q && score_data_o === named_q))
      else $fatal(1, "corinfo_answer: a score is not the one that was asked for");
      assert (!known_q || class_o != at_q || best_q == score_q)
      else $fatal(1, "corinfo_answer: the largest score is not that of the class");
      assert (!open_q || class_o <= last_q) else $fatal(1, "corinfo_answer: a class that is still to come");
      assert (!known_q || best_q > score_q || (best_q == score_q && class_o <= at_q))
      else $fatal(1, "corinfo_answer: the class is not the lowest index of the largest score");
    end
  end

endmodule

`default_nettype wire

// Passes the scores on and finds the class: the index of the largest score, the lowest of equals.
//
// Scores arrive in the order of their index, 0 first, each signed; outputs follow one cycle later.
// class_o is right from the cycle of the last score's score_valid_o on, until the next index 0.

`default_nettype none

module corinfo_result #(
  parameter LabelW     = 4,
  parameter ScoreWidth = 12
) (
  input  wire                         clk_i,
  input  wire                         rst_i,
  input  wire                         valid_i,
  input  wire [LabelW-1:0]            index_i,
  input  wire signed [ScoreWidth-1:0] score_i,
  output reg                          score_valid_o,
  output reg  [LabelW-1:0]            score_index_o,
  output reg  [ScoreWidth-1:0]        score_data_o,
  output reg  [LabelW-1:0]            class_o
);

  reg signed [ScoreWidth-1:0] best_q;

  always @(posedge clk_i) begin
    if (rst_i) begin
      score_valid_o <= 1'b0;
      score_index_o <= {LabelW{1'b0}};
      score_data_o  <= {ScoreWidth{1'b0}};
      class_o       <= {LabelW{1'b0}};
      best_q        <= {ScoreWidth{1'b0}};
    end else begin
      score_valid_o <= valid_i;
      if (valid_i) begin
        score_index_o <= index_i;
        score_data_o  <= score_i;
        if (index_i == {LabelW{1'b0}} || score_i > best_q) begin
          class_o <= index_i;
          best_q  <= score_i;
        end
      end
    end
  end

endmodule

`default_nettype wire

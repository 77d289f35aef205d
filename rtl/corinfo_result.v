// Passes the scores on and finds the class: the index of the largest score, the lowest of equals.
//
// Indices arrive in their order, 0 first; score_i has the score of one, signed, three cycles after
// its index, and outputs follow one cycle later. busy_o is high from index to outputs. class_o is
// right from the cycle of the last score's score_valid_o on, until the next index 0.

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
  output wire                         busy_o,
  output reg                          score_valid_o,
  output reg  [LabelW-1:0]            score_index_o,
  output reg  [ScoreWidth-1:0]        score_data_o,
  output reg  [LabelW-1:0]            class_o
);

  localparam ScoreCycles = 3;

  wire              valid, line_busy;
  wire [LabelW-1:0] index;
  corinfo_valid #(.Cycles(ScoreCycles)) u_valid (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(valid_i), .valid_o(valid), .busy_o(line_busy)
  );
  corinfo_delay #(.Width(LabelW), .Cycles(ScoreCycles)) u_index (
    .clk_i(clk_i), .data_i(index_i), .data_o(index)
  );
  assign busy_o = line_busy || score_valid_o;

  reg signed [ScoreWidth-1:0] best_q;

  always @(posedge clk_i) begin
    if (rst_i) begin
      score_valid_o <= 1'b0;
      score_index_o <= {LabelW{1'b0}};
      score_data_o  <= {ScoreWidth{1'b0}};
      class_o       <= {LabelW{1'b0}};
      best_q        <= {ScoreWidth{1'b0}};
    end else begin
      score_valid_o <= valid;
      if (valid) begin
        score_index_o <= index;
        score_data_o  <= score_i;
        if (index == {LabelW{1'b0}} || score_i > best_q) begin
          class_o <= index;
          best_q  <= score_i;
        end
      end
    end
  end

endmodule

`default_nettype wire

// Asks for the scores of the output neurons, passes them on and finds the class: the index of the
// largest score, the lowest of equals.
//
// start_i begins; the neuron at fetch_slot_o, fetch_lane_o is asked for while fetch_valid_o, until
// fetch_take_i. Scores come back in the same order, signed, with score_valid_i; outputs follow one
// cycle later. busy_o is high from the cycle after start_i to the last output. class_o is right
// from the cycle after the last score's score_valid_o on, until the next first score's.

`timescale 1ns/1ps
`default_nettype none

module corinfo_result #(
  parameter Lanes      = 16,
  parameter LaneW      = 4,
  parameter SlotW      = 3,
  parameter Outputs    = 10,
  parameter LabelW     = 4,
  parameter ScoreWidth = 12
) (
  input  wire                         clk_i,
  input  wire                         rst_i,
  input  wire                         start_i,
  input  wire [SlotW-1:0]             slot_base_i,    // of the output layer
  output wire                         fetch_valid_o,
  output wire [SlotW-1:0]             fetch_slot_o,
  output wire [LaneW-1:0]             fetch_lane_o,
  input  wire                         fetch_take_i,
  input  wire                         score_valid_i,
  input  wire signed [ScoreWidth-1:0] score_i,
  output wire                         busy_o,
  output reg                          score_valid_o,
  output reg  [LabelW-1:0]            score_index_o,
  output reg  [ScoreWidth-1:0]        score_data_o,
  output reg  [LabelW-1:0]            class_o
);

  localparam [31:0]       LastLaneWord   = Lanes - 1;
  localparam [31:0]       LastOutputWord = Outputs - 1;
  localparam [LabelW-1:0] LastOutput     = LastOutputWord[LabelW-1:0];
  localparam [LabelW-1:0] OneOutput      = 1;
  localparam [LaneW-1:0]  OneLane        = 1;
  localparam [SlotW-1:0]  OneSlot        = 1;

  // The neuron asked for, and the one whose score comes next.
  reg              fetching_q, waiting_q;
  reg [SlotW-1:0]  slot_q;
  reg [LaneW-1:0]  lane_q;
  reg [LabelW-1:0] asked_q, index_q;
  wire             last_lane;
  assign last_lane = lane_q == LastLaneWord[LaneW-1:0];

  always @(posedge clk_i) begin
    if (rst_i) begin
      fetching_q <= 1'b0;
      waiting_q  <= 1'b0;
    end else if (start_i) begin
      fetching_q <= 1'b1;
      waiting_q  <= 1'b1;
    end else begin
      if (fetch_take_i && asked_q == LastOutput) begin
        fetching_q <= 1'b0;
      end
      if (score_valid_i && index_q == LastOutput) begin
        waiting_q <= 1'b0;
      end
    end
    if (start_i) begin
      slot_q  <= slot_base_i;
      lane_q  <= {LaneW{1'b0}};
      asked_q <= {LabelW{1'b0}};
      index_q <= {LabelW{1'b0}};
    end else begin
      if (fetch_take_i) begin
        slot_q  <= last_lane ? slot_q + OneSlot : slot_q;
        lane_q  <= last_lane ? {LaneW{1'b0}} : lane_q + OneLane;
        asked_q <= asked_q + OneOutput;
      end
      if (score_valid_i) begin
        index_q <= index_q + OneOutput;
      end
    end
  end

  assign fetch_valid_o = fetching_q;
  assign fetch_slot_o  = slot_q;
  assign fetch_lane_o  = lane_q;
  assign busy_o        = waiting_q || score_valid_o;

  reg signed [ScoreWidth-1:0] best_q;

  always @(posedge clk_i) begin
    if (rst_i) begin
      score_valid_o <= 1'b0;
      score_index_o <= {LabelW{1'b0}};
      score_data_o  <= {ScoreWidth{1'b0}};
      class_o       <= {LabelW{1'b0}};
      best_q        <= {ScoreWidth{1'b0}};
    end else begin
      score_valid_o <= score_valid_i;
      if (score_valid_i) begin
        score_index_o <= index_q;
        score_data_o  <= score_i;
      end
      // A cycle later: busy_o covers it.
      if (score_valid_o
          && (score_index_o == {LabelW{1'b0}} || $signed(score_data_o) > best_q)) begin
        class_o <= score_index_o;
        best_q  <= score_data_o;
      end
    end
  end

endmodule

`default_nettype wire

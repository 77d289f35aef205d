// Turns rows of changed states into events, one per cycle: row_lanes_i has a bit for every lane
// whose neuron in that slot changed; events leave in the order of slots and, within one, of
// lanes, each with the row's column.
//
// Rows without a set bit take no room and no time. The caller never puts more than 2^RowAddrW
// rows before they have left. An event stands on event_* while event_valid_o, until event_take_i;
// busy_o is high while any row or event is inside.

`timescale 1ns/1ps
`default_nettype none

module corinfo_event_queue #(
  parameter Lanes    = 16,
  parameter LaneW    = 4,
  parameter SlotW    = 3,
  parameter ColumnW  = 9,
  parameter RowAddrW = 3    // room for 2^RowAddrW rows
) (
  input  wire               clk_i,
  input  wire               rst_i,

  input  wire               row_valid_i,
  input  wire [SlotW-1:0]   row_slot_i,
  input  wire [ColumnW-1:0] row_column_i,
  input  wire [Lanes-1:0]   row_lanes_i,

  output wire               event_valid_o,
  output wire [SlotW-1:0]   event_slot_o,
  output wire [ColumnW-1:0] event_column_o,
  output wire [LaneW-1:0]   event_lane_o,
  input  wire               event_take_i,
  output wire               busy_o
);

  localparam [Lanes-1:0] OneLane = 1;

  wire               row_valid, row_take;
  wire [SlotW-1:0]   row_slot;
  wire [ColumnW-1:0] row_column;
  wire [Lanes-1:0]   row_lanes;

  corinfo_fifo #(
    .Width(SlotW + ColumnW + Lanes),
    .AddrW(RowAddrW)
  ) u_rows (
    .clk_i  (clk_i),
    .rst_i  (rst_i),
    .put_i  (row_valid_i && row_lanes_i != {Lanes{1'b0}}),
    .data_i ({row_slot_i, row_column_i, row_lanes_i}),
    .valid_o(row_valid),
    .data_o ({row_slot, row_column, row_lanes}),
    .take_i (row_take)
  );

  // The row that is being served, the served lanes cleared, and the same without its first lane.
  reg  [SlotW-1:0]   slot_q;
  reg  [ColumnW-1:0] column_q;
  reg  [Lanes-1:0]   lanes_q, others_q;
  wire [Lanes-1:0]   first_lane, lanes;
  wire               serve, last;
  reg                pending_q;   // lanes_q is not zero
  wire [LaneW-1:0]   first;

  assign serve      = pending_q && event_take_i;
  assign last       = others_q == {Lanes{1'b0}};
  assign row_take   = row_valid && (!pending_q || (event_take_i && last));
  assign lanes      = row_take ? row_lanes : others_q;
  assign first_lane = lanes_q ^ others_q;

  // The number of the first lane, the one that is set, bit by bit: is it one of those whose number
  // has that bit?
  function [Lanes-1:0] lanes_with;
    input [4:0] place;
    integer     lane;
    begin
      for (lane = 0; lane < Lanes; lane = lane + 1) begin
        lanes_with[lane] = lane[place];
      end
    end
  endfunction

  genvar b;
  generate
    for (b = 0; b < LaneW; b = b + 1) begin : gen_first
      localparam [31:0]      Place = b;
      localparam [Lanes-1:0] With  = lanes_with(Place[4:0]);
      assign first[b] = |(first_lane & With);
    end
  endgenerate

  always @(posedge clk_i) begin
    if (rst_i) begin
      pending_q <= 1'b0;
    end else if (row_take) begin
      pending_q <= 1'b1;    // every row has a lane
    end else if (serve) begin
      pending_q <= !last;
    end
    if (row_take || serve) begin
      lanes_q <= lanes;
    end
    // Each without its first lane before it is known which.
    if (row_take || serve) begin
      others_q <= row_take ? row_lanes & (row_lanes - OneLane) : others_q & (others_q - OneLane);
    end
    if (row_take) begin
      slot_q   <= row_slot;
      column_q <= row_column;
    end
  end

  assign event_valid_o  = pending_q;
  assign event_slot_o   = slot_q;
  assign event_column_o = column_q;
  assign event_lane_o   = first;
  assign busy_o         = row_valid || pending_q;

endmodule

`default_nettype wire

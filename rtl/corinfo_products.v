// Drives the lanes' multiplier and sums: products of settling in cycles 0 to R + 3 as corinfo_lane
// counts them, R = ReadCycles, beside the pass that reads sums. The operand may be that of an
// update instead; a product with clear_i makes all sums of its slot zero, and its state.
//
// issue_i, clear_i, context_i, slot_i, kind_i and operand_i belong to cycle 0 of a product;
// update_operand_i, in use while update_i, belongs to cycle 0 of its own. busy_o is high in cycles
// 0 to R of a sample's products: a pass that reads its sums three cycles after it is low finds them
// written, and while a pass reads a sample's sums that sample has none. One product per cycle.

`timescale 1ns/1ps
`default_nettype none

module corinfo_products #(
  parameter Contexts     = 1,
  parameter ContextW     = 1,
  parameter SlotW        = 3,
  parameter OperandWidth = 19,
  parameter ReadCycles   = 2
) (
  input  wire                           clk_i,
  input  wire                           rst_i,

  input  wire                           issue_i,
  input  wire                           clear_i,
  input  wire [ContextW-1:0]            context_i,
  input  wire signed [OperandWidth-1:0] operand_i,
  input  wire [SlotW-1:0]               slot_i,
  input  wire [1:0]                     kind_i,
  input  wire                           update_i,
  input  wire signed [OperandWidth-1:0] update_operand_i,

  input  wire                           pass_i,           // sums of pass_slot_i are wanted
  input  wire [ContextW-1:0]            pass_context_i,
  input  wire [SlotW-1:0]               pass_slot_i,

  output wire signed [OperandWidth-1:0] operand_o,
  output wire [1:0]                     kind_o,
  output wire [ContextW-1:0]            context_o,
  output wire [2:0]                     forward_o,
  output wire [Contexts*SlotW-1:0]      sum_raddr_o,
  output wire [3*Contexts-1:0]          sum_re_o,         // one bit per kind
  output reg  [SlotW-1:0]               sum_waddr_o,
  output reg  [3*Contexts-1:0]          sum_we_o,
  output wire                           clear_o,
  output reg  [Contexts-1:0]            state_clear_o,    // with sum_waddr_o
  output wire [Contexts-1:0]            busy_o
);

  // The operand: of settling as it comes, shifted; the choice is another cycle's.
  wire signed [OperandWidth-1:0] early_operand, early_update;
  corinfo_delay #(.Width(2 * OperandWidth), .Cycles(ReadCycles - 1)) u_early (
    .clk_i(clk_i), .data_i({operand_i, update_operand_i}),
    .data_o({early_operand, early_update})
  );
  corinfo_delay #(.Width(OperandWidth), .Cycles(1)) u_operand (
    .clk_i(clk_i), .data_i(update_i ? early_update : early_operand), .data_o(operand_o)
  );

  // The sum: read in cycle R, its kind chosen in R + 1, written in R + 3.
  wire                read, write, unused_read_busy, unused_write_busy;
  wire [ContextW-1:0] write_context;
  wire [ContextW-1:0] read_context;
  wire [1:0]          read_kind;
  wire [SlotW-1:0]    read_slot, write_slot;
  wire [1:0]          write_kind;
  corinfo_valid #(.Cycles(ReadCycles)) u_read (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(issue_i), .valid_o(read), .busy_o(unused_read_busy)
  );
  corinfo_valid #(.Cycles(2)) u_write (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(read), .valid_o(write), .busy_o(unused_write_busy)
  );
  corinfo_delay #(.Width(ContextW + SlotW + 2), .Cycles(ReadCycles)) u_read_slot (
    .clk_i(clk_i), .data_i({context_i, slot_i, kind_i}),
    .data_o({read_context, read_slot, read_kind})
  );
  corinfo_delay #(.Width(ContextW + 2), .Cycles(ReadCycles + 1)) u_kind (
    .clk_i(clk_i), .data_i({context_i, kind_i}), .data_o({context_o, kind_o})
  );
  corinfo_delay #(.Width(1 + ContextW + SlotW + 2), .Cycles(ReadCycles + 2)) u_write_slot (
    .clk_i(clk_i), .data_i({clear_i, context_i, slot_i, kind_i}),
    .data_o({clear_o, write_context, write_slot, write_kind})
  );

  integer i;
  always @(posedge clk_i) begin
    sum_waddr_o <= write_slot;
    for (i = 0; i < Contexts; i = i + 1) begin
      sum_we_o[3*i +: 3] <= (rst_i || !write || write_context != i[ContextW-1:0]) ? 3'b000 :
                            clear_o ? 3'b111 : 3'b001 << write_kind;
      state_clear_o[i]   <= !rst_i && write && write_context == i[ContextW-1:0] && clear_o;
    end
  end

  // Products for the same sum one, two or three cycles before this one: the memory has not got it.
  localparam PlaceW = ContextW + SlotW + 2;
  reg  [PlaceW-1:0] last_q, second_q, third_q;
  reg  [2:0]        valid_q, same_q;
  wire [PlaceW-1:0] place;
  wire [2:0]        same;
  assign place   = {context_i, slot_i, kind_i};
  assign same[0] = issue_i && valid_q[0] && place == last_q;
  assign same[1] = issue_i && valid_q[1] && place == second_q;
  assign same[2] = issue_i && valid_q[2] && place == third_q;

  always @(posedge clk_i) begin
    valid_q  <= rst_i ? 3'b000 : {valid_q[1:0], issue_i};
    last_q   <= place;
    second_q <= last_q;
    third_q  <= second_q;
    same_q   <= same;
  end

  corinfo_delay #(.Width(1), .Cycles(ReadCycles + 1)) u_forward_one (
    .clk_i(clk_i), .data_i(same_q[0]), .data_o(forward_o[0])
  );
  corinfo_delay #(.Width(2), .Cycles(ReadCycles)) u_forward (
    .clk_i(clk_i), .data_i(same_q[2:1]), .data_o(forward_o[2:1])
  );

  genvar g;
  generate
    for (g = 0; g < Contexts; g = g + 1) begin : gen_context
      localparam [31:0] Index = g;
      wire mine, unused_last;
      assign mine = pass_i && pass_context_i == Index[ContextW-1:0];
      assign sum_raddr_o[SlotW*g +: SlotW] = mine ? pass_slot_i : read_slot;
      assign sum_re_o[3*g +: 3] =
          mine ? 3'b111 :
          (read && read_context == Index[ContextW-1:0]) ? 3'b001 << read_kind : 3'b000;

      corinfo_valid #(.Cycles(ReadCycles)) u_busy (
        .clk_i(clk_i), .rst_i(rst_i), .valid_i(issue_i && context_i == Index[ContextW-1:0]),
        .valid_o(unused_last), .busy_o(busy_o[g])
      );
    end
  endgenerate

endmodule

`default_nettype wire

// Drives the lanes' multiplier and sums: products of settling in three stages, cycles 0 to 3 as
// corinfo_lane counts them, beside the pass that reads and clears the sums. The operand may be that
// of an update instead.
//
// issue_i, slot_i and kind_i belong to cycle 0 of a product, as does operand_i; update_operand_i is
// used while update_i. busy_o is high in cycles 1 to 3. One product per cycle.

`default_nettype none

module corinfo_products #(
  parameter SlotW        = 3,
  parameter OperandWidth = 19
) (
  input  wire                           clk_i,
  input  wire                           rst_i,

  input  wire                           issue_i,
  input  wire signed [OperandWidth-1:0] operand_i,
  input  wire [SlotW-1:0]               slot_i,
  input  wire [1:0]                     kind_i,
  input  wire                           update_i,
  input  wire signed [OperandWidth-1:0] update_operand_i,

  input  wire                           pass_i,           // the sums of pass_slot_i are wanted
  input  wire [SlotW-1:0]               pass_slot_i,
  input  wire                           clear_i,

  output wire signed [OperandWidth-1:0] operand_o,
  output wire [1:0]                     kind_o,
  output wire                           forward_o,
  output wire [SlotW-1:0]               sum_raddr_o,
  output wire [SlotW-1:0]               sum_waddr_o,
  output wire [2:0]                     sum_we_o,
  output wire                           busy_o
);

  reg  [2:0]       valid_q;           // cycles 3, 2 and 1
  reg              forward_q;
  wire [SlotW-1:0] slot_2, slot_3;
  wire [1:0]       kind_2, kind_3;

  corinfo_delay #(.Width(OperandWidth), .Cycles(1)) u_operand (
    .clk_i(clk_i), .data_i(update_i ? update_operand_i : operand_i), .data_o(operand_o)
  );
  corinfo_delay #(.Width(SlotW + 2), .Cycles(2)) u_slot_2 (
    .clk_i(clk_i), .data_i({slot_i, kind_i}), .data_o({slot_2, kind_2})
  );
  corinfo_delay #(.Width(SlotW + 2), .Cycles(1)) u_slot_3 (
    .clk_i(clk_i), .data_i({slot_2, kind_2}), .data_o({slot_3, kind_3})
  );

  always @(posedge clk_i) begin
    valid_q   <= rst_i ? 3'b000 : {valid_q[1:0], issue_i};
    // A sum that was written in the cycle before is not in the memory's output yet.
    forward_q <= valid_q[2] && valid_q[1] && slot_2 == slot_3 && kind_2 == kind_3;
  end

  assign forward_o   = forward_q;
  assign kind_o      = kind_3;
  assign sum_raddr_o = pass_i ? pass_slot_i : slot_2;
  assign sum_waddr_o = clear_i ? pass_slot_i : slot_3;
  assign sum_we_o    = clear_i ? 3'b111 : valid_q[2] ? 3'b001 << kind_3 : 3'b000;
  assign busy_o      = valid_q != 3'b000;

endmodule

`default_nettype wire

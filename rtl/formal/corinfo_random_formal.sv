// A random word decrypts to the row and column that it was drawn for.

`timescale 1ns/1ps
`default_nettype none

module corinfo_random_formal (
  input wire clk_i,
  input wire enable_i,
  input wire [127:0] keys_i,
  input wire [1:0] order_i,
  input wire [15:0] row_i,
  input wire [15:0] column_i,
  input wire [31:0] random_o
);

  // A column is followed from its entry on, its row a cycle later, then the next one. Keys that change let it go.
  reg [3:0]   age_q;
  reg [127:0] keys_q;
  reg [1:0]   order_q;
  reg [15:0]  column_q;
  reg [31:0]  pair_q;
  wire        column_first;
  assign column_first = order_i == 2'd2 || (order_i == 2'd1 && column_q > row_i);
  initial age_q = 4'd0;
  always @(posedge clk_i) begin
    keys_q  <= keys_i;
    order_q <= order_i;
    if (keys_i !== keys_q || order_i !== order_q) begin
      age_q <= 4'd0;
    end else if (enable_i) begin
      age_q <= (age_q == 4'd10) ? 4'd0 : age_q + 4'd1;
      if (age_q == 4'd0) begin
        column_q <= column_i;
      end
      if (age_q == 4'd1) begin
        pair_q <= column_first ? {column_q, row_i} : {row_i, column_q};
      end
    end
  end

  // The rounds backwards: y = (y ^ x) ror 2, x = ((x ^ key) - y) rol 7.
  reg [15:0] x, y;
  integer    i;
  always @* begin
    {x, y} = random_o;
    for (i = 7; i >= 0; i = i - 1) begin
      y = y ^ x;
      y = {y[1:0], y[15:2]};
      x = (x ^ keys_q[16*i +: 16]) - y;
      x = {x[8:0], x[15:9]};
    end
  end

  // Words that are not known yet prove nothing: what is asked is that nothing is known to be wrong.
  always @(posedge clk_i) begin : behaviour
    assert ((age_q == 4'd10 && {x, y} != pair_q) !== 1'b1)
    else $fatal(1, "corinfo_random: a word does not decrypt to its row and column");
  end

endmodule

`default_nettype wire

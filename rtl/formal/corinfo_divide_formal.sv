// A quotient is the floor of what it divides: times the divisor it is at most the dividend, and one more is above it.

`timescale 1ns/1ps
`default_nettype none

module corinfo_divide_formal #(
  parameter Width = 16,
  parameter Signed = 1,
  parameter DivisorWidth = 8,
  parameter DivisorSigned = 0
) (
  input wire clk_i,
  input wire enable_i,
  input wire [Width-1:0] dividend_i,
  input wire [DivisorWidth-1:0] divisor_i,
  input wire [Width-1:0] quotient_o
);

  localparam Cycles = Width - Signed + 1;
  localparam Wide   = Width + DivisorWidth + 2;   // of a product with its sign

  // A dividend is followed from its entry on, then the next one.
  reg [31:0]            age_q;
  reg signed [Wide-1:0] dividend_q, divisor_q;
  initial age_q = 32'd0;
  always @(posedge clk_i) begin
    if (enable_i) begin
      age_q <= (age_q == Cycles) ? 32'd0 : age_q + 32'd1;
      if (age_q == 32'd0) begin
        dividend_q <= {{(Wide - Width){Signed != 0 && dividend_i[Width-1]}}, dividend_i};
        divisor_q  <= {{(Wide - DivisorWidth){DivisorSigned != 0 && divisor_i[DivisorWidth-1]}}, divisor_i};
      end
    end
  end

  wire signed [Wide-1:0] quotient, product;
  wire                   positive;
  assign quotient = {{(Wide - Width){Signed != 0 && quotient_o[Width-1]}}, quotient_o};
  assign product  = quotient * divisor_q;
  assign positive = divisor_q > 0;

  // Words that are not known yet prove nothing: what is asked is that nothing is known to be wrong.
  always @(posedge clk_i) begin : behaviour
    if (age_q == Cycles) begin
      assert ((positive && (product > dividend_q || product + divisor_q <= dividend_q)) !== 1'b1)
      else $fatal(1, "corinfo_divide: a quotient is not the floor");
      assert ((!positive && quotient_o != {Width{1'b0}}) !== 1'b1)
      else $fatal(1, "corinfo_divide: a quotient by what is not above 0 is not 0");
    end
  end

endmodule

`default_nettype wire

// A word leaves Cycles after it came, those without enable_i not counted.

`timescale 1ns/1ps
`default_nettype none

module corinfo_ring_formal #(
  parameter Width = 4,
  parameter Cycles = 8,
  parameter AddrW = 3
) (
  input wire clk_i,
  input wire enable_i,
  input wire [Width-1:0] data_i,
  input wire [Width-1:0] data_o,
  input wire [AddrW-1:0] at_q
);

  // A word is followed from its entry on, then the next one.
  reg [31:0]      age_q;
  reg [Width-1:0] word_q;
  initial age_q = 32'd0;
  always @(posedge clk_i) begin
    if (enable_i) begin
      age_q <= (age_q == Cycles) ? 32'd0 : age_q + 32'd1;
      if (age_q == 32'd0) begin
        word_q <= data_i;
      end
    end
  end

  always @(posedge clk_i) begin : behaviour
    assert (at_q < Cycles - 1) else $fatal(1, "corinfo_ring: the place is outside");
    assert (age_q != Cycles || data_o === word_q) else $fatal(1, "corinfo_ring: the word is not that of Cycles before");
  end

endmodule

`default_nettype wire

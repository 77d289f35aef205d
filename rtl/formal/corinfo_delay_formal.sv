// A word leaves Cycles after it came.

`timescale 1ns/1ps
`default_nettype none

module corinfo_delay_formal #(
  parameter Width = 1,
  parameter Cycles = 1
) (
  input wire clk_i,
  input wire [Width-1:0] data_i,
  input wire [Width-1:0] data_o
);

  // A word is followed from its entry on, then the next one.
  reg [31:0]      age_q;
  reg [Width-1:0] word_q;
  initial age_q = 32'd0;
  always @(posedge clk_i) begin
    age_q <= (age_q == Cycles) ? 32'd0 : age_q + 32'd1;
    if (age_q == 32'd0) begin
      word_q <= data_i;
    end
  end

  always @(posedge clk_i) begin : behaviour
    assert (Cycles != 0 || data_o === data_i) else $fatal(1, "corinfo_delay: a wire gives another word");
    assert (Cycles == 0 || age_q != Cycles || data_o === word_q)
    else $fatal(1, "corinfo_delay: the word is not that of Cycles before");
  end

endmodule

`default_nettype wire

// A factor is 1, the input or the unit's word, each of the time that it was asked for.

`timescale 1ns/1ps
`default_nettype none

module corinfo_presynaptic_formal #(
  parameter Units = 4,
  parameter UnitW = 2,
  parameter KeptWidth = 16,
  parameter XWidth = 9,
  parameter XSigned = 0,
  parameter ValueWidth = 18,
  parameter ReadCycles = 2,
  parameter Answers = 0
) (
  input wire clk_i,
  input wire [UnitW-1:0] unit_i,
  input wire from_one_i,
  input wire from_input_i,
  input wire [XWidth-1:0] input_i,
  input wire [Units*KeptWidth-1:0] kept_i,
  input wire [ValueWidth-1:0] value_o
);

  localparam Word = ReadCycles + Answers;   // cycles from a unit's number to its word

  // A factor is followed from its unit's number on, then the next one.
  reg [31:0]                   age_q;
  reg                          one_q, from_q;
  reg [UnitW-1:0]              unit_q;
  reg signed [XWidth:0]        word_q;
  reg signed [KeptWidth-1:0]   kept_q;
  wire signed [ValueWidth-1:0] factor;
  wire                         asked;
  initial age_q = 32'd0;
  always @(posedge clk_i) begin
    age_q <= (age_q == Word + 2) ? 32'd0 : age_q + 32'd1;
    if (age_q == 32'd0) begin
      unit_q <= unit_i;
    end
    if (age_q == ReadCycles) begin   // an input is early by the way of an answer
      word_q <= {XSigned != 0 && input_i[XWidth-1], input_i};
    end
    if (age_q == Word) begin
      one_q  <= from_one_i;
      from_q <= from_input_i;
      kept_q <= kept_i[KeptWidth*unit_q +: KeptWidth];
    end
  end
  assign asked  = one_q || from_q || unit_q < Units;   // of a unit that there is not nothing is asked
  assign factor = one_q ? 1 : from_q ? word_q : kept_q;

  // Words that are not known yet prove nothing: what is asked is that nothing is known to be wrong.
  always @(posedge clk_i) begin : behaviour
    assert ((age_q == Word + 2 && asked && value_o != factor) !== 1'b1)
    else $fatal(1, "corinfo_presynaptic: a factor is not what was asked for");
  end

endmodule

`default_nettype wire

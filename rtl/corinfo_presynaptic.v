// A presynaptic factor of an update: the input that is kept, the unit that is always 1, or what a neuron unit keeps.
//
// unit_i comes ReadCycles + Answers cycles before its word is on kept_i; input_i is Answers cycles early, from_one_i
// and from_input_i come with the word. value_o has the factor two cycles after the word.

`timescale 1ns/1ps
`default_nettype none

module corinfo_presynaptic #(
  parameter Units      = 4,
  parameter UnitW      = 2,
  parameter KeptWidth  = 16,
  parameter XWidth     = 9,
  parameter XSigned    = 0,    // 1: inputs are signed
  parameter ValueWidth = 18,   // holds every factor as a signed word
  parameter ReadCycles = 2,
  parameter Answers    = 0     // cycles until a unit's answer is here
) (
  input  wire                         clk_i,
  input  wire [UnitW-1:0]             unit_i,
  input  wire                         from_one_i,
  input  wire                         from_input_i,
  input  wire [XWidth-1:0]            input_i,
  input  wire [Units*KeptWidth-1:0]   kept_i,      // of every unit
  output wire signed [ValueWidth-1:0] value_o
);

  // Parameters that it cannot have: elaboration finds no module of the reason's name.
  generate
    if (Units < 1) begin : gen_check
      corinfo_error_units_below_1 u_error ();
    end else if (UnitW < 1 || (Units - 1) >> UnitW != 0) begin : gen_check
      corinfo_error_unit_w_too_narrow u_error ();
    end else if (KeptWidth < 2) begin : gen_check
      corinfo_error_kept_width_below_2 u_error ();
    end else if (ValueWidth < KeptWidth || ValueWidth <= XWidth) begin : gen_check
      corinfo_error_value_width_too_narrow u_error ();
    end else if (ReadCycles < 1) begin : gen_check
      corinfo_error_read_cycles_below_1 u_error ();
    end else if (Answers < 0) begin : gen_check
      corinfo_error_answers_below_0 u_error ();
    end
  endgenerate

  wire [UnitW-1:0]             unit;
  wire [XWidth-1:0]            word;
  wire [KeptWidth-1:0]         kept;
  reg  [KeptWidth-1:0]         kept_q;
  reg                          from_one_q, from_input_q;
  reg  signed [ValueWidth-1:0] value_q;
  corinfo_delay #(.Width(UnitW), .Cycles(ReadCycles + Answers)) u_unit (
    .clk_i(clk_i), .data_i(unit_i), .data_o(unit)
  );
  corinfo_delay #(.Width(XWidth), .Cycles(Answers + 1)) u_input (
    .clk_i(clk_i), .data_i(input_i), .data_o(word)
  );
  corinfo_choice #(.Width(KeptWidth), .Count(Units), .IndexW(UnitW)) u_kept (
    .index_i(unit), .words_i(kept_i), .word_o(kept)
  );
  // The unit's word, then which of them it is.
  always @(posedge clk_i) begin
    from_one_q   <= from_one_i;
    from_input_q <= from_input_i;
    kept_q       <= kept;
    if (from_one_q) begin
      value_q <= {{(ValueWidth - 1){1'b0}}, 1'b1};
    end else if (from_input_q) begin
      value_q <= {{(ValueWidth - XWidth){XSigned != 0 && word[XWidth-1]}}, word};
    end else begin
      value_q <= {{(ValueWidth - KeptWidth + 1){kept_q[KeptWidth-1]}}, kept_q[KeptWidth-2:0]};
    end
  end
  assign value_o = value_q;

endmodule

`default_nettype wire

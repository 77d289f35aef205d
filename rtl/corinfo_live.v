// By sample of the mini-batch and by number of postsynaptic factors: is one of them not zero? If none is, the sample's
// products change no synapse, and the update passes over it.
//
// live_i, of every unit, is high while a factor is written that is not zero; written_i ends the factors of a sample,
// Answers cycles before the units' answers do. live_o answers number_i and sample_i a cycle later.

`timescale 1ns/1ps
`default_nettype none

module corinfo_live #(
  parameter Units      = 4,
  parameter NumberW    = 1,              // bits of a number of postsynaptic factors, at most 16
  parameter SampleW    = 1,
  parameter Answers    = 0,              // cycles until a unit's answer is here
  // verilator lint_off UNUSEDPARAM
  parameter SmallStyle = "distributed"   // of small memories; "auto" where there are no distributed ones
  // verilator lint_on UNUSEDPARAM
) (
  input  wire               clk_i,
  input  wire               rst_i,
  input  wire [Units-1:0]   live_i,
  input  wire               written_i,
  input  wire [15:0]        written_number_i,
  input  wire [SampleW-1:0] written_sample_i,
  input  wire [15:0]        number_i,
  input  wire [SampleW-1:0] sample_i,
  output wire               live_o
);

  // Parameters that it cannot have: elaboration finds no module of the reason's name.
  generate
    if (Units < 1) begin : gen_check
      corinfo_error_units_below_1 u_error ();
    end else if (NumberW < 1 || NumberW > 16) begin : gen_check
      corinfo_error_number_w_not_1_to_16 u_error ();
    end else if (SampleW < 1) begin : gen_check
      corinfo_error_sample_w_below_1 u_error ();
    end else if (Answers < 0) begin : gen_check
      corinfo_error_answers_below_0 u_error ();
    end
  endgenerate

  localparam AddrW = NumberW + SampleW;
  (* ram_style = SmallStyle *)
  reg              mem [0:(1 << AddrW)-1];
  reg              some_q, live_q;
  wire             written, unused_busy;
  wire [AddrW-1:0] place;
  corinfo_valid #(.Cycles(Answers)) u_written (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(written_i), .valid_o(written), .busy_o(unused_busy)
  );
  corinfo_delay #(.Width(AddrW), .Cycles(Answers)) u_place (
    .clk_i(clk_i), .data_i({written_number_i[NumberW-1:0], written_sample_i}), .data_o(place)
  );
  always @(posedge clk_i) begin
    if (rst_i || written) begin
      some_q <= 1'b0;
    end else if (live_i != {Units{1'b0}}) begin
      some_q <= 1'b1;
    end
    if (written) begin
      mem[place] <= some_q;
    end
  end
  always @(posedge clk_i) begin
    live_q <= mem[{number_i[NumberW-1:0], sample_i}];
  end
  assign live_o = live_q;
  wire unused_numbers;
  assign unused_numbers = ^{written_number_i, number_i};

endmodule

`default_nettype wire

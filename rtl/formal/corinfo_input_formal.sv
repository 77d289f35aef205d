// A sample at a time; an event waits unchanged until it is taken.

`timescale 1ns/1ps
`default_nettype none

module corinfo_input_formal #(
  parameter Inputs = 784,
  parameter XWidth = 9
) (
  input wire clk_i,
  input wire rst_i,
  input wire started_q,
  input wire start_i,
  input wire busy_o,
  input wire short_o,
  input wire long_o,
  input wire ready_o,
  input wire event_valid_o,
  input wire [15:0] event_neuron_o,
  input wire [XWidth-1:0] event_word_o,
  input wire event_take_i
);

  reg              waits_q, known_q;
  reg [15:0]       neuron_q;
  reg [XWidth-1:0] word_q;
  always @(posedge clk_i) begin
    waits_q  <= !rst_i && event_valid_o && !event_take_i;
    neuron_q <= event_neuron_o;
    word_q   <= event_word_o;
    known_q  <= !rst_i && (known_q || start_i);   // a sample was opened
  end

  always @(posedge clk_i) begin : environment
    if (started_q && !rst_i) begin
      assert (!start_i || !busy_o) else $fatal(1, "corinfo_input: a sample begins in another one");
      assert (!event_take_i || event_valid_o) else $fatal(1, "corinfo_input: an event is taken that is not there");
    end
  end

  always @(posedge clk_i) begin : behaviour
    if (started_q && !rst_i) begin
      assert (!waits_q || event_valid_o) else $fatal(1, "corinfo_input: an event goes before it is taken");
      assert (!waits_q || (event_neuron_o == neuron_q && event_word_o == word_q))
      else $fatal(1, "corinfo_input: an event changes before it is taken");
      assert (!event_valid_o || event_neuron_o < Inputs)
      else $fatal(1, "corinfo_input: an event of an input that there is not");
      assert (!ready_o || busy_o) else $fatal(1, "corinfo_input: a word is taken of no sample");
      assert (!known_q || !(short_o && long_o)) else $fatal(1, "corinfo_input: a sample is too short and too long");
    end
  end

endmodule

`default_nettype wire

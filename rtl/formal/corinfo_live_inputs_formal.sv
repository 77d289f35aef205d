// An input's bit is that some sample of the mini-batch has it; an input is put once until its bit is written.

`timescale 1ns/1ps
`default_nettype none

module corinfo_live_inputs_formal #(
  parameter Inputs = 784
) (
  input wire clk_i,
  input wire rst_i,
  input wire started_q,
  input wire put_i,
  input wire put_first_i,
  input wire [15:0] put_input_i,
  input wire put_live_i,
  input wire re_i,
  input wire [15:0] input_i,
  input wire live_o,
  input wire read_q,
  input wire we_q,
  input wire [15:0] read_input_q,
  input wire [15:0] put_input_q
);

  // What every input has so far; known once it was put with the first sample. A reset may cut off what was put last.
  reg [Inputs-1:0] known_q, is_q;
  reg              read_known_q, read_is_q;
  initial known_q = {Inputs{1'b0}};
  initial read_known_q = 1'b0;
  always @(posedge clk_i) begin
    if (rst_i) begin
      known_q <= {Inputs{1'b0}};
    end else if (put_i) begin
      is_q[put_input_i] <= put_live_i || (is_q[put_input_i] && !put_first_i);
      if (put_first_i) begin
        known_q[put_input_i] <= 1'b1;
      end
    end
    if (rst_i || put_i) begin
      read_known_q <= 1'b0;
    end else if (re_i) begin
      read_known_q <= 1'b0;
      if (input_i < Inputs && known_q[input_i]) begin
        read_known_q <= 1'b1;
        read_is_q    <= is_q[input_i];
      end
    end
  end

  always @(posedge clk_i) begin : environment
    if (started_q && !rst_i) begin
      assert (!(put_i && re_i)) else $fatal(1, "corinfo_live_inputs: a bit is asked for while words are put");
      assert (!(re_i && (read_q || we_q))) else $fatal(1, "corinfo_live_inputs: a bit is asked for before it counts");
      assert (!put_i || put_input_i < Inputs) else $fatal(1, "corinfo_live_inputs: an input that there is not");
      assert (!put_i || !((read_q && put_input_i == read_input_q) || (we_q && put_input_i == put_input_q)))
      else $fatal(1, "corinfo_live_inputs: an input is put again before it counts");
    end
  end

  always @(posedge clk_i) begin : behaviour
    if (started_q && !rst_i) begin
      assert (!read_known_q || live_o == read_is_q)
      else $fatal(1, "corinfo_live_inputs: an input's bit is not that of its words");
    end
  end

endmodule

`default_nettype wire

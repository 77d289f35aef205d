// Round keys take 16 cycles and stand still behind them.

`timescale 1ns/1ps
`default_nettype none

module corinfo_random_keys_formal (
  input wire clk_i,
  input wire rst_i,
  input wire started_q,
  input wire start_i,
  input wire [127:0] keys_o,
  input wire busy_o
);

  reg [4:0]   left_q;   // cycles until the keys are there
  reg [127:0] keys_q;
  always @(posedge clk_i) begin
    keys_q <= keys_o;
    if (rst_i) begin
      left_q <= 5'd0;
    end else if (start_i) begin
      left_q <= 5'd16;
    end else if (left_q != 5'd0) begin
      left_q <= left_q - 5'd1;
    end
  end

  reg still_q;   // nothing was under way in the cycle before
  always @(posedge clk_i) begin
    still_q <= !rst_i && left_q == 5'd0;
  end

  always @(posedge clk_i) begin : environment
    if (started_q && !rst_i) begin
      assert (!start_i || !busy_o) else $fatal(1, "corinfo_random_keys: keys begin before the ones before are there");
    end
  end

  always @(posedge clk_i) begin : behaviour
    if (started_q && !rst_i) begin
      assert (busy_o == (left_q != 5'd0)) else $fatal(1, "corinfo_random_keys: keys do not take 16 cycles");
      assert (!still_q || keys_o === keys_q) else $fatal(1, "corinfo_random_keys: keys change");
    end
  end

endmodule

`default_nettype wire

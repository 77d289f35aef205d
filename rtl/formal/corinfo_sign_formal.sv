// A draw takes 259 cycles, from the last start on, and the sign stands still behind it.

`timescale 1ns/1ps
`default_nettype none

module corinfo_sign_formal (
  input wire clk_i,
  input wire rst_i,
  input wire started_q,
  input wire start_i,
  input wire busy_o,
  input wire negative_o
);

  reg [8:0] left_q;   // cycles until the sign is there
  reg       still_q;  // nothing was under way in the cycle before
  reg       negative_q;
  always @(posedge clk_i) begin
    negative_q <= negative_o;
    still_q    <= !rst_i && left_q == 9'd0;
    if (rst_i) begin
      left_q <= 9'd0;
    end else if (start_i) begin
      left_q <= 9'd259;
    end else if (left_q != 9'd0) begin
      left_q <= left_q - 9'd1;
    end
  end

  always @(posedge clk_i) begin : behaviour
    if (started_q && !rst_i) begin
      assert (busy_o == (left_q != 9'd0)) else $fatal(1, "corinfo_sign: a draw does not take 259 cycles");
      assert (!still_q || negative_o === negative_q) else $fatal(1, "corinfo_sign: the sign changes without a draw");
    end
  end

endmodule

`default_nettype wire

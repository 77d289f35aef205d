// An abort waits for an update's end; errors stay until the host takes them back.

`timescale 1ns/1ps
`default_nettype none

module corinfo_status_formal (
  input wire clk_i,
  input wire rst_i,
  input wire started_q,
  input wire abort_o,
  input wire updating_i,
  input wire we_i,
  input wire [4:0] errors_q
);

  reg       written_q;
  reg [4:0] before_q;
  always @(posedge clk_i) begin
    written_q <= rst_i || we_i;
    before_q  <= errors_q;
  end

  always @(posedge clk_i) begin : behaviour
    if (started_q && !rst_i) begin
      assert (!abort_o || !updating_i) else $fatal(1, "corinfo_status: an abort in an update");
      assert (written_q || (before_q & ~errors_q) == 5'd0)
      else $fatal(1, "corinfo_status: an error goes without the host");
    end
  end

endmodule

`default_nettype wire

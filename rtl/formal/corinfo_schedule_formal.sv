// No mini-batch ends while the schedule is busy. Constants are written only then, those of the number or of one before
// it, with 4 cycles for each; the sign stands still while commands may be taken.

`timescale 1ns/1ps
`default_nettype none

module corinfo_schedule_formal #(
  parameter ConstantsWidth = 17
) (
  input wire clk_i,
  input wire rst_i,
  input wire started_q,
  input wire restart_i,
  input wire next_i,
  input wire busy_o,
  input wire we_o,
  input wire negative_o,
  input wire [31:0] number_i,
  input wire [ConstantsWidth+39:0] entry
);

  reg [2:0] since_q;   // cycles since a write, up to 7
  reg       ready_q, negative_q;
  always @(posedge clk_i) begin
    ready_q    <= !rst_i && !busy_o;
    negative_q <= negative_o;
    if (rst_i) begin
      since_q <= 3'd7;
    end else if (we_o) begin
      since_q <= 3'd1;
    end else if (since_q != 3'd7) begin
      since_q <= since_q + 3'd1;
    end
  end

  always @(posedge clk_i) begin : environment
    if (started_q && !rst_i) begin
      assert (!next_i || restart_i || !busy_o)
      else $fatal(1, "corinfo_schedule: a mini-batch ends before its constants are there");
    end
  end

  always @(posedge clk_i) begin : behaviour
    if (started_q && !rst_i) begin
      assert (!we_o || busy_o) else $fatal(1, "corinfo_schedule: constants are written while commands may be taken");
      assert (!we_o || entry[31:0] <= number_i)
      else $fatal(1, "corinfo_schedule: constants of a later mini-batch are written");
      assert (!we_o || since_q >= 3'd4) else $fatal(1, "corinfo_schedule: an entry does not take 4 cycles");
      assert (!ready_q || busy_o || negative_o === negative_q)
      else $fatal(1, "corinfo_schedule: the sign changes while commands may be taken");
    end
  end

endmodule

`default_nettype wire

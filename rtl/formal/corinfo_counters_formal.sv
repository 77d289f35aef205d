// The host reads no two cycles running; a flag counts once, and nothing that gathers overflows.

`timescale 1ns/1ps
`default_nettype none

module corinfo_counters_formal #(
  parameter Flags = 1,
  parameter Totals = 10,
  parameter PartW = 8,
  parameter OnesW = 3
) (
  input wire clk_i,
  input wire rst_i,
  input wire read_i,
  input wire [Totals*Flags-1:0] meant_q,
  input wire [Flags*OnesW-1:0] ones_q,
  input wire [Totals*PartW-1:0] parts_q,
  input wire [Totals*OnesW-1:0] more
);

  // Nothing holds before the first reset.
  reg started_q;
  initial started_q = 1'b0;
  always @(posedge clk_i) begin
    if (rst_i) begin
      started_q <= 1'b1;
    end
  end

  reg             read_q, twice, full;
  reg [Flags-1:0] raised, counted;
  integer         i, k;
  always @(posedge clk_i) begin
    read_q <= !rst_i && read_i;
  end
  always @* begin
    twice = 1'b0;
    full  = 1'b0;
    for (i = 0; i < Flags; i = i + 1) begin
      raised[i] = ones_q[OnesW*i +: OnesW] != {OnesW{1'b0}};
    end
    for (k = 0; k < Totals; k = k + 1) begin
      counted = meant_q[Flags*k +: Flags] & raised;
      twice   = twice || (counted & (counted - 1'b1)) != {Flags{1'b0}};
      full  = full || &parts_q[PartW*k+OnesW +: PartW-OnesW];
    end
  end

  always @(posedge clk_i) begin : environment
    if (started_q && !rst_i) begin
      assert (!read_i || !read_q) else $fatal(1, "corinfo_counters: counters are read in two cycles running");
      assert (twice !== 1'b1) else $fatal(1, "corinfo_counters: two flags of one counter at once");
    end
  end

  always @(posedge clk_i) begin : behaviour
    if (started_q && !rst_i) begin
      assert (!full) else $fatal(1, "corinfo_counters: what gathers is near its end");
    end
  end

endmodule

`default_nettype wire

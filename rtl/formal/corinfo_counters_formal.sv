// The host reads no two cycles running; a flag counts once, every counter has its turn, and nothing overflows that
// gathers.

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
  input wire started_q,
  input wire read_i,
  input wire [Totals*Flags-1:0] meant_q,
  input wire [Flags*OnesW-1:0] ones_q,
  input wire [Totals*PartW-1:0] parts_q,
  input wire [Totals*OnesW-1:0] more,
  input wire [7:0] at
);

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

  // A counter is followed until it has its turn, then the next one.
  localparam [31:0] LastFollowed = Totals - 1;
  reg [7:0]  followed_q;
  reg [31:0] waits_q;
  initial followed_q = 8'd0;
  always @(posedge clk_i) begin
    waits_q <= (rst_i || at == followed_q) ? 32'd0 : waits_q + 32'd1;
    if (at === followed_q) begin
      followed_q <= (followed_q == LastFollowed[7:0]) ? 8'd0 : followed_q + 8'd1;
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
      assert (waits_q < 2 * Totals) else $fatal(1, "corinfo_counters: a counter does not have its turn");
      assert (!full) else $fatal(1, "corinfo_counters: what gathers is near its end");
    end
  end

endmodule

`default_nettype wire

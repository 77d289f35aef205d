// Counts the lanes that raise one of their flags: adds the number of ones in every cycle in which
// enable_i is high. The total is four cycles late; it wraps after 2^48.

`timescale 1ns/1ps
`default_nettype none

module corinfo_counter #(
  parameter Lanes = 16,
  parameter Flags = 1,   // of a lane
  parameter Flag  = 0    // the one that counts
) (
  input  wire                   clk_i,
  input  wire                   rst_i,
  input  wire                   enable_i,
  input  wire [Flags*Lanes-1:0] flags_i,   // lane by lane
  output wire [47:0]            total_o
);

  localparam OnesW = 9;  // up to 256 lanes
  localparam Half  = (Lanes + 1) / 2;

  reg              enable_q, ones_valid_q;
  reg  [Lanes-1:0] flags_q;
  reg  [OnesW-1:0] low_q, high_q, ones_q;
  reg  [47:0]      total_q;
  integer          k;

  // The ones among some of the lanes.
  function [OnesW-1:0] ones;
    input [Lanes-1:0] flags;
    input integer     from, to;
    integer           i;
    begin
      ones = {OnesW{1'b0}};
      for (i = from; i < to; i = i + 1) begin
        ones = ones + {{(OnesW - 1){1'b0}}, flags[i]};
      end
    end
  endfunction

  always @(posedge clk_i) begin
    enable_q     <= enable_i && !rst_i;
    ones_valid_q <= enable_q && !rst_i;
    if (enable_i) begin
      for (k = 0; k < Lanes; k = k + 1) begin
        flags_q[k] <= flags_i[Flags*k+Flag];
      end
    end
    if (enable_q) begin
      low_q  <= ones(flags_q, 0, Half);
      high_q <= ones(flags_q, Half, Lanes);
    end
    if (ones_valid_q && !rst_i) begin
      ones_q <= low_q + high_q;
    end else begin
      ones_q <= {OnesW{1'b0}};
    end
    if (rst_i) begin
      total_q <= 48'd0;
    end else begin
      total_q <= total_q + {{(48 - OnesW){1'b0}}, ones_q};
    end
  end

  assign total_o = total_q;

  // The other flags are other counters'.
  wire unused_flags;
  assign unused_flags = ^flags_i;

endmodule

`default_nettype wire

// A sample's bit is that a factor of it was not zero, and stays so until its factors are written again.

`timescale 1ns/1ps
`default_nettype none

module corinfo_live_formal #(
  parameter Units = 4,
  parameter NumberW = 1,
  parameter SampleW = 1,
  parameter AddrW = 2
) (
  input wire clk_i,
  input wire rst_i,
  input wire started_q,
  input wire [Units-1:0] live_i,
  input wire written,
  input wire [AddrW-1:0] place,
  input wire [15:0] number_i,
  input wire [SampleW-1:0] sample_i,
  input wire live_o
);

  // What every place was last written with, known once it was; some_q: a factor since the last writing.
  reg                  some_q, read_q, was_q;
  reg [(1<<AddrW)-1:0] known_q, is_q;
  wire [AddrW-1:0]     read_place;
  assign read_place = {number_i[NumberW-1:0], sample_i};
  initial known_q = {(1<<AddrW){1'b0}};
  initial read_q = 1'b0;
  always @(posedge clk_i) begin
    some_q <= !rst_i && !written && (some_q || |live_i);
    read_q <= 1'b0;
    if (known_q[read_place]) begin   // not so at a place that is not known itself
      read_q <= 1'b1;
      was_q  <= is_q[read_place];
    end
    if (written) begin
      is_q[place]    <= some_q;
      known_q[place] <= started_q;
    end
  end

  // A factor that is written together with the end of a sample's would be the next one's.
  always @(posedge clk_i) begin : environment
    if (started_q && !rst_i) begin
      assert (!written || live_i == {Units{1'b0}}) else $fatal(1, "corinfo_live: a factor behind the last one");
    end
  end

  always @(posedge clk_i) begin : behaviour
    assert (!read_q || live_o == was_q) else $fatal(1, "corinfo_live: a sample's bit is not that of its factors");
  end

endmodule

`default_nettype wire

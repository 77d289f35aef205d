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
  input wire [Units-1:0] live_i,
  input wire written,
  input wire [AddrW-1:0] place,
  input wire [15:0] number_i,
  input wire [SampleW-1:0] sample_i,
  input wire live_o
);

  // Nothing holds before the first reset.
  reg started_q;
  initial started_q = 1'b0;
  always @(posedge clk_i) begin
    if (rst_i) begin
      started_q <= 1'b1;
    end
  end

  // A place is followed from its writing on until it was read, then the next one that is written.
  reg             some_q, known_q, is_q, read_q, was_q;   // some_q: a factor since the last writing
  reg [AddrW-1:0] place_q;
  initial known_q = 1'b0;
  initial read_q = 1'b0;
  always @(posedge clk_i) begin
    some_q <= !rst_i && !written && (some_q || |live_i);
    read_q <= 1'b0;
    if (known_q && {number_i[NumberW-1:0], sample_i} == place_q) begin
      read_q  <= 1'b1;
      was_q   <= is_q;
      known_q <= 1'b0;
    end
    if (written && (!known_q || place == place_q)) begin
      place_q <= place;
      is_q    <= some_q;
      known_q <= started_q;
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

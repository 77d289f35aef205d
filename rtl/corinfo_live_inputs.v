// By input: is it not zero in some sample since the mini-batch's first one began? The products of one that is zero in
// all change no synapse, and an update fetches one factor of it instead of every sample's.
//
// put_i gives a word of a sample, put_first_i with those of the mini-batch's first; it counts three cycles later.
// Samples that are not learned count, too: a bit may be high of an input that is zero in the mini-batch, low of no
// other. live_o answers input_i a cycle later, of no input anything, and stands still without re_i; words are put while
// nobody asks.

`timescale 1ns/1ps
`default_nettype none

module corinfo_live_inputs #(
  parameter Inputs = 784
) (
  input  wire        clk_i,
  input  wire        rst_i,

  input  wire        put_i,
  input  wire        put_first_i,
  input  wire [15:0] put_input_i,
  input  wire        put_live_i,    // the word is not zero

  input  wire        re_i,
  input  wire [15:0] input_i,
  output wire        live_o
);

  // Parameters that it cannot have: elaboration finds no module of the reason's name.
  generate
    if (Inputs < 1 || Inputs > 65535) begin : gen_check
      corinfo_error_inputs_not_1_to_65535 u_error ();
    end
  endgenerate

  localparam Depth = (Inputs > 2) ? Inputs : 2;
  localparam AddrW = $clog2(Depth);

  // What the samples before have is read, the word joins it, and both are written.
  reg         read_q, first_q, some_q, we_q, live_q;
  reg  [15:0] read_input_q, put_input_q;
  wire [15:0] addr;
  assign addr = put_i ? put_input_i : input_i;
  always @(posedge clk_i) begin
    read_q       <= put_i && !rst_i;
    first_q      <= put_first_i;
    some_q       <= put_live_i;
    read_input_q <= put_input_i;
    we_q         <= read_q && !rst_i;
    live_q       <= some_q || (live_o && !first_q);
    put_input_q  <= read_input_q;
  end
  corinfo_ram #(.Width(1), .Depth(Depth), .Cycles(1)) u_live (
    .clk_i  (clk_i),
    .we_i   (we_q),
    .waddr_i(put_input_q[AddrW-1:0]),
    .wdata_i(live_q),
    .re_i   (put_i || re_i),
    .raddr_i(addr[AddrW-1:0]),
    .rdata_o(live_o)
  );
  wire unused_bits;
  assign unused_bits = ^{addr, put_input_q};

endmodule

`default_nettype wire

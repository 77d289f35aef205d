// First-in first-out queue, one word in and one word out per cycle, head visible while valid_o.
//
// A word that is put into an empty queue is visible in the next cycle. The caller never puts a word
// into a full queue (it counts credits); the queue does not check.

`timescale 1ns/1ps
`default_nettype none

module corinfo_fifo #(
  parameter Width = 8,
  parameter AddrW = 3   // 2^AddrW words
) (
  input  wire             clk_i,
  input  wire             rst_i,

  input  wire             put_i,
  input  wire [Width-1:0] data_i,

  output wire             valid_o,
  output wire [Width-1:0] data_o,
  input  wire             take_i   // only while valid_o
);

  // Parameters that it cannot have: elaboration finds no module of the reason's name.
  generate
    if (Width < 1) begin : gen_check
      corinfo_error_width_below_1 u_error ();
    end else if (AddrW < 1) begin : gen_check
      corinfo_error_addr_w_below_1 u_error ();
    end
  endgenerate

  localparam Depth = 1 << AddrW;

  localparam [AddrW:0] OneWord = 1;

  reg [Width-1:0] mem [0:Depth-1];
  reg [AddrW-1:0] head_q, tail_q;
  reg [AddrW:0]   words_q;
  reg             valid_q;    // words_q is not zero

  always @(posedge clk_i) begin
    if (put_i) begin
      mem[tail_q] <= data_i;
    end
    if (rst_i) begin
      head_q  <= {AddrW{1'b0}};
      tail_q  <= {AddrW{1'b0}};
      words_q <= {(AddrW + 1){1'b0}};
      valid_q <= 1'b0;
    end else begin
      tail_q <= tail_q + {{(AddrW - 1){1'b0}}, put_i};
      head_q <= head_q + {{(AddrW - 1){1'b0}}, take_i};
      if (put_i && !take_i) begin
        words_q <= words_q + OneWord;
        valid_q <= 1'b1;
      end else if (take_i && !put_i) begin
        words_q <= words_q - OneWord;
        valid_q <= words_q != OneWord;
      end
    end
  end

  assign valid_o = valid_q;
  assign data_o  = mem[head_q];

endmodule

`default_nettype wire

// Nothing is put into a full queue or taken from an empty one; what comes out is what went in, in order.

`timescale 1ns/1ps
`default_nettype none

module corinfo_fifo_formal #(
  parameter Width = 8,
  parameter AddrW = 3
) (
  input wire clk_i,
  input wire rst_i,
  input wire started_q,
  input wire put_i,
  input wire [Width-1:0] data_i,
  input wire valid_o,
  input wire [Width-1:0] data_o,
  input wire take_i,
  input wire [AddrW:0] words_q,
  input wire [AddrW-1:0] head_q,
  input wire [AddrW-1:0] tail_q
);

  localparam [AddrW:0] Full    = 1 << AddrW;
  localparam [AddrW:0] None    = 0;
  localparam [AddrW:0] OneWord = 1;

  // Order: a word is followed from its put to its take, then the next one that is put.
  reg             followed_q;
  reg [AddrW:0]   ahead_q;
  reg [Width-1:0] word_q;
  always @(posedge clk_i) begin
    if (rst_i) begin
      followed_q <= 1'b0;
    end else if (!followed_q) begin
      followed_q <= put_i;
      ahead_q    <= take_i ? words_q - OneWord : words_q;
      word_q     <= data_i;
    end else if (take_i) begin
      followed_q <= ahead_q != None;
      ahead_q    <= ahead_q - OneWord;
    end
  end

  always @(posedge clk_i) begin : environment
    if (started_q && !rst_i) begin
      assert (!put_i || words_q != Full) else $fatal(1, "corinfo_fifo: a word is put into a full queue");
      assert (!take_i || valid_o) else $fatal(1, "corinfo_fifo: a word is taken from an empty queue");
    end
  end

  always @(posedge clk_i) begin : behaviour
    if (started_q && !rst_i) begin
      assert (words_q <= Full) else $fatal(1, "corinfo_fifo: more words than there is room");
      assert (valid_o == (words_q != None)) else $fatal(1, "corinfo_fifo: valid_o is not that there is a word");
      assert (tail_q - head_q == words_q[AddrW-1:0])
      else $fatal(1, "corinfo_fifo: the count is not what lies between head and tail");
      assert (!followed_q || ahead_q != None || data_o === word_q)
      else $fatal(1, "corinfo_fifo: the head is not the word that was put");
    end
  end

endmodule

`default_nettype wire

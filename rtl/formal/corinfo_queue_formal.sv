// No queue of a sample is filled over its end or taken from empty; each gives what was put into it, in order.

`timescale 1ns/1ps
`default_nettype none

module corinfo_queue_formal #(
  parameter Width = 30,
  parameter Contexts = 1,
  parameter ContextW = 1,
  parameter AddrW = 5
) (
  input wire clk_i,
  input wire rst_i,
  input wire started_q,
  input wire put_i,
  input wire [ContextW-1:0] put_context_i,
  input wire [Width-1:0] data_i,
  input wire [Contexts-1:0] take_i,
  input wire [ContextW-1:0] context_i,
  input wire [Width-1:0] head_o
);

  localparam [AddrW:0]      Full    = 1 << AddrW;
  localparam [AddrW:0]      None    = 0;
  localparam [AddrW:0]      OneWord = 1;
  localparam [Contexts-1:0] First   = 1;

  reg  [Contexts*(AddrW+1)-1:0] counts_q;
  wire [AddrW:0]                put_count, take_count;
  wire                          take;
  integer                       c;
  assign put_count  = counts_q[(AddrW+1)*put_context_i +: AddrW+1];
  assign take_count = counts_q[(AddrW+1)*context_i +: AddrW+1];
  assign take       = take_i != {Contexts{1'b0}};
  always @(posedge clk_i) begin
    for (c = 0; c < Contexts; c = c + 1) begin
      counts_q[(AddrW+1)*c +: AddrW+1] <= rst_i ? None : counts_q[(AddrW+1)*c +: AddrW+1]
          + ((put_i && put_context_i == c) ? OneWord : None) - (take_i[c] ? OneWord : None);
    end
  end

  // Order: a word of some sample is followed from its put to its take, then the next one that is put.
  reg                followed_q;
  reg [ContextW-1:0] context_q;
  reg [AddrW:0]      ahead_q;
  reg [Width-1:0]    word_q;
  always @(posedge clk_i) begin
    if (rst_i) begin
      followed_q <= 1'b0;
    end else if (!followed_q) begin
      followed_q <= put_i;
      context_q  <= put_context_i;
      ahead_q    <= put_count - (take_i[put_context_i] ? OneWord : None);
      word_q     <= data_i;
    end else if (take_i[context_q]) begin
      followed_q <= ahead_q != None;
      ahead_q    <= ahead_q - OneWord;
    end
  end

  always @(posedge clk_i) begin : environment
    if (started_q && !rst_i) begin
      assert (!put_i || put_context_i < Contexts)
      else $fatal(1, "corinfo_queue: an event is put for a sample that there is not");
      assert (!put_i || put_count != Full) else $fatal(1, "corinfo_queue: an event is put into a full queue");
      assert (!take || take_i == First << context_i)
      else $fatal(1, "corinfo_queue: an event is taken whose head is not shown");
      assert (!take || take_count != None) else $fatal(1, "corinfo_queue: an event is taken from an empty queue");
    end
  end

  always @(posedge clk_i) begin : behaviour
    if (started_q && !rst_i) begin
      assert (!followed_q || ahead_q != None || context_i != context_q || head_o === word_q)
      else $fatal(1, "corinfo_queue: the head is not the event that was put");
    end
  end

endmodule

`default_nettype wire

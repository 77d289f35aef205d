// First-in first-out queue, one word in and one word out per cycle, head visible while valid_o.
//
// A word that is put into an empty queue is visible in the next cycle. The caller never puts a word
// into a full queue (it counts credits); the queue does not check.

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

  localparam Depth = 1 << AddrW;

  reg [Width-1:0] mem [0:Depth-1];
  reg [AddrW:0]   head_q, tail_q;  // one bit more than an address tells full from empty

  always @(posedge clk_i) begin
    if (put_i) begin
      mem[tail_q[AddrW-1:0]] <= data_i;
    end
    if (rst_i) begin
      head_q <= {(AddrW + 1){1'b0}};
      tail_q <= {(AddrW + 1){1'b0}};
    end else begin
      tail_q <= tail_q + {{AddrW{1'b0}}, put_i};
      head_q <= head_q + {{AddrW{1'b0}}, take_i};
    end
  end

  assign valid_o = head_q != tail_q;
  assign data_o  = mem[head_q[AddrW-1:0]];

endmodule

`default_nettype wire

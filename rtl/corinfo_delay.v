// Delays a word by a fixed number of cycles. Zero cycles is a wire.

`default_nettype none

module corinfo_delay #(
  parameter Width  = 1,  // bits of the word
  parameter Cycles = 1   // 0 or more
) (
  input  wire             clk_i,
  input  wire [Width-1:0] data_i,
  output wire [Width-1:0] data_o
);

  generate
    if (Cycles == 0) begin : gen_wire
      wire unused_clk;
      assign unused_clk = clk_i;
      assign data_o = data_i;
    end else if (Cycles == 1) begin : gen_register
      reg [Width-1:0] word_q;

      always @(posedge clk_i) begin
        word_q <= data_i;
      end
      assign data_o = word_q;
    end else begin : gen_registers
      // The newest word in the lowest bits.
      reg [Width*Cycles-1:0] words_q;

      always @(posedge clk_i) begin
        words_q <= {words_q[Width*(Cycles-1)-1:0], data_i};
      end
      assign data_o = words_q[Width*(Cycles-1) +: Width];
    end
  endgenerate

endmodule

`default_nettype wire

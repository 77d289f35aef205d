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
    end else begin : gen_registers
      // The newest word in the lowest bits.
      reg  [Width*Cycles-1:0]     words_q;
      wire [Width*(Cycles+1)-1:0] words;
      assign words = {words_q, data_i};

      always @(posedge clk_i) begin
        words_q <= words[Width*Cycles-1:0];
      end
      assign data_o = words[Width*Cycles +: Width];
    end
  endgenerate

endmodule

`default_nettype wire

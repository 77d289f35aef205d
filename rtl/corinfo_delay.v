// Delays a word by a fixed number of cycles: data_o is data_i Cycles later. Zero cycles is a wire.
//
// With Zero = 1 the registers start from zero, so that no garbage in them writes a memory before
// the first reset.

`timescale 1ns/1ps
`default_nettype none

module corinfo_delay #(
  parameter Width  = 1,  // bits of the word
  parameter Cycles = 1,  // 0 or more
  parameter Zero   = 0   // 1: start from zero
) (
  input  wire             clk_i,
  input  wire [Width-1:0] data_i,
  output wire [Width-1:0] data_o
);

  // Parameters that it cannot have: elaboration finds no module of the reason's name.
  generate
    if (Width < 1) begin : gen_check
      corinfo_error_width_below_1 u_error ();
    end else if (Cycles < 0) begin : gen_check
      corinfo_error_cycles_below_0 u_error ();
    end
  endgenerate

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

      if (Zero != 0) begin : gen_zero
        initial words_q = {(Width * Cycles){1'b0}};
      end

      always @(posedge clk_i) begin
        words_q <= words[Width*Cycles-1:0];
      end
      assign data_o = words[Width*Cycles +: Width];
    end
  endgenerate

endmodule

`default_nettype wire

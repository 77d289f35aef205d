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
      reg [Width-1:0] stage_q [0:Cycles-1];
      integer i;

      always @(posedge clk_i) begin
        stage_q[0] <= data_i;
        for (i = 1; i < Cycles; i = i + 1) begin
          stage_q[i] <= stage_q[i-1];
        end
      end
      assign data_o = stage_q[Cycles-1];
    end
  endgenerate

endmodule

`default_nettype wire

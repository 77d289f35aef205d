// A root is the floor: its square is at most the radicand, and that of one more is above it.

`timescale 1ns/1ps
`default_nettype none

module corinfo_root_formal #(
  parameter Width = 8
) (
  input wire clk_i,
  input wire enable_i,
  input wire [2*Width-1:0] radicand_i,
  input wire [Width-1:0] root_o
);

  localparam Wide = 2 * Width + 2;   // of a square, of one more than the largest root too

  // A radicand is followed from its entry on, then the next one.
  reg [31:0]     age_q;
  reg [Wide-1:0] radicand_q;
  initial age_q = 32'd0;
  always @(posedge clk_i) begin
    if (enable_i) begin
      age_q <= (age_q == Width) ? 32'd0 : age_q + 32'd1;
      if (age_q == 32'd0) begin
        radicand_q <= {2'd0, radicand_i};
      end
    end
  end

  wire [Wide-1:0] root, above;
  assign root  = {{(Wide - Width){1'b0}}, root_o};
  assign above = root + 1'b1;

  // Words that are not known yet prove nothing: what is asked is that nothing is known to be wrong.
  always @(posedge clk_i) begin : behaviour
    if (age_q == Width) begin
      assert ((root * root > radicand_q || above * above <= radicand_q) !== 1'b1)
      else $fatal(1, "corinfo_root: a root is not the floor");
    end
  end

endmodule

`default_nettype wire

// Table from a memory image: a word appears a cycle after its address. A short one is in LUTs, a long one in block
// memories.

`timescale 1ns/1ps
`default_nettype none

module corinfo_table #(
  parameter Width    = 16,   // bits of a word
  parameter Depth    = 16,   // words, at least 2
  parameter InitFile = "",   // memory image, hexadecimal, exactly Depth words
  parameter Short    = 256,  // words of the longest one in LUTs
  parameter AddrW    = $clog2(Depth)  // derived, not to be set
) (
  input  wire             clk_i,
  input  wire [AddrW-1:0] addr_i,
  output wire [Width-1:0] data_o
);

  // Parameters that it cannot have: elaboration finds no module of the reason's name.
  generate
    if (Width < 1) begin : gen_check
      corinfo_error_width_below_1 u_error ();
    end else if (Depth < 2) begin : gen_check
      corinfo_error_depth_below_2 u_error ();
    end else if (AddrW != $clog2(Depth)) begin : gen_check
      corinfo_error_addr_w_not_of_depth u_error ();
    end
  endgenerate

  reg [Width-1:0] data_q;
  generate
    if (Depth <= Short) begin : gen_short
      (* rom_style = "logic", ram_style = "logic" *)
      reg [Width-1:0] mem [0:Depth-1];
      if (InitFile != "") begin : gen_image
        initial $readmemh(InitFile, mem);
      end else begin : gen_zero
        integer i;
        initial begin
          for (i = 0; i < Depth; i = i + 1) begin
            mem[i] = {Width{1'b0}};
          end
        end
      end
      always @(posedge clk_i) begin
        data_q <= mem[addr_i];
      end
    end else begin : gen_long
      reg [Width-1:0] mem [0:Depth-1];
      if (InitFile != "") begin : gen_image
        initial $readmemh(InitFile, mem);
      end else begin : gen_zero
        integer i;
        initial begin
          for (i = 0; i < Depth; i = i + 1) begin
            mem[i] = {Width{1'b0}};
          end
        end
      end
      always @(posedge clk_i) begin
        data_q <= mem[addr_i];
      end
    end
  endgenerate
  assign data_o = data_q;

endmodule

`default_nettype wire

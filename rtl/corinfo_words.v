// Words of a unit's neurons: a memory with one write and one read port, in LUTs if it is small. The word at raddr_i
// appears on rdata_o a cycle later. No reset; a word that is read while it is written is undefined.

`timescale 1ns/1ps
`default_nettype none

module corinfo_words #(
  parameter Width = 16,
  parameter Depth = 64,               // at least 2
  parameter Small = 64,               // words of the largest one in LUTs
  // verilator lint_off UNUSEDPARAM
  parameter SmallStyle   = "distributed",  // of small memories; "auto" where there are no distributed ones
  // verilator lint_on UNUSEDPARAM
  parameter AddrW = $clog2(Depth)     // derived, not to be set
) (
  input  wire             clk_i,
  input  wire             we_i,
  input  wire [AddrW-1:0] waddr_i,
  input  wire [Width-1:0] wdata_i,
  input  wire [AddrW-1:0] raddr_i,
  output wire [Width-1:0] rdata_o
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

  generate
    if (Depth <= Small) begin : gen_small
      (* ram_style = SmallStyle *)
      reg [Width-1:0] mem [0:Depth-1];
      reg [Width-1:0] read_q;
      always @(posedge clk_i) begin
        read_q <= mem[raddr_i];
        if (we_i) begin
          mem[waddr_i] <= wdata_i;
        end
      end
      assign rdata_o = read_q;
    end else begin : gen_large
      corinfo_ram #(.Width(Width), .Depth(Depth)) u_ram (
        .clk_i(clk_i), .we_i(we_i), .waddr_i(waddr_i), .wdata_i(wdata_i), .re_i(1'b1), .raddr_i(raddr_i),
        .rdata_o(rdata_o)
      );
    end
  endgenerate

endmodule

`default_nettype wire

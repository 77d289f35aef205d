// Table from a memory image: a word appears a cycle after its address. The host may read and write it in parts of 32
// bits, unless Host is 0: then it is a constant, in LUTs if it is short. What the host writes is in the memory that the
// synthesis tool chooses, for where a system never writes it that is none with a write port.
//
// While host_i, the host's row is addressed in the place of addr_i, and host_word_o is the part named, two cycles
// later; it is 0 without host_i, so that the words of several tables can be joined by or. host_we_i writes a part; a
// row that is read in that cycle is undefined. Row and part of an access are stable.

`timescale 1ns/1ps
`default_nettype none

module corinfo_table #(
  parameter Width    = 16,   // bits of a word, at most 512
  parameter Depth    = 16,   // words, at least 2
  parameter InitFile = "",   // memory image, hexadecimal, exactly Depth words
  parameter Host     = 1,
  parameter Short    = 256,  // words of the longest one in LUTs
  parameter AddrW    = $clog2(Depth)  // derived, not to be set
) (
  input  wire             clk_i,
  input  wire [AddrW-1:0] addr_i,
  output wire [Width-1:0] data_o,

  input  wire             host_i,
  input  wire             host_we_i,
  input  wire [19:0]      host_row_i,
  input  wire [3:0]       host_part_i,
  input  wire [31:0]      host_data_i,
  output wire [31:0]      host_word_o
);

  // Parameters that it cannot have: elaboration finds no module of the reason's name.
  generate
    if (Width < 1 || Width > 512) begin : gen_check
      corinfo_error_width_not_1_to_512 u_error ();
    end else if (Depth < 2 || Depth > 1048576) begin : gen_check
      corinfo_error_depth_not_2_to_1048576 u_error ();
    end else if (AddrW != $clog2(Depth)) begin : gen_check
      corinfo_error_addr_w_not_of_depth u_error ();
    end
  endgenerate

  localparam Parts = (Width + 31) / 32;
  // For synthesis only; strings differ in their lengths.
  // verilator lint_off UNUSEDPARAM
  // verilator lint_off WIDTH
  localparam Style = (Depth > Short || Host != 0) ? "auto" : "logic";
  // verilator lint_on WIDTH
  // verilator lint_on UNUSEDPARAM

  // Without no_rw_check Yosys puts a bypass behind the memory.
  (* no_rw_check, rom_style = Style, ram_style = Style *)
  reg  [Width-1:0] mem [0:Depth-1];
  reg  [Width-1:0] data_q;
  wire [AddrW-1:0] addr;
  genvar           p;
  generate
    if (InitFile != "") begin : gen_image
      initial $readmemh(InitFile, mem);
    end else begin : gen_zero
      integer k;
      initial begin
        for (k = 0; k < Depth; k = k + 1) begin
          mem[k] = {Width{1'b0}};
        end
      end
    end
  endgenerate
  always @(posedge clk_i) begin
    data_q <= mem[addr];
  end
  assign data_o = data_q;

  generate
    if (Host != 0) begin : gen_host
      wire [32*Parts-1:0] room;
      reg  [31:0]         word, word_q;
      integer             i;
      for (p = 0; p < Parts; p = p + 1) begin : gen_part
        localparam [31:0] Index = p;
        localparam        Bits  = (Width - 32 * p < 32) ? Width - 32 * p : 32;
        if (Bits < 32) begin : gen_room
          assign room[32*p +: 32] = {{(32 - Bits){1'b0}}, data_q[32*p +: Bits]};
        end else begin : gen_full
          assign room[32*p +: 32] = data_q[32*p +: 32];
        end
        always @(posedge clk_i) begin
          if (host_we_i && host_part_i == Index[3:0]) begin
            mem[host_row_i[AddrW-1:0]][32*p +: Bits] <= host_data_i[Bits-1:0];
          end
        end
      end
      always @* begin
        word = 32'd0;
        for (i = 0; i < Parts; i = i + 1) begin
          word = word | (room[32*i +: 32] & {32{host_part_i == i[3:0]}});
        end
      end
      always @(posedge clk_i) begin
        word_q <= word & {32{host_i}};
      end
      assign addr        = host_i ? host_row_i[AddrW-1:0] : addr_i;
      assign host_word_o = word_q;
      wire unused_host;
      assign unused_host = ^{host_row_i, host_data_i};
    end else begin : gen_constant
      assign addr        = addr_i;
      assign host_word_o = 32'd0;
      wire unused_host;
      assign unused_host = ^{host_i, host_we_i, host_row_i, host_part_i, host_data_i};
    end
  endgenerate

endmodule

`default_nettype wire

// Table from a memory image that the host may read and write, in parts of 32 bits: a row appears a cycle after its
// address. While host_i, the host's row is addressed, and host_part_o is the part named, two cycles later.

`timescale 1ns/1ps
`default_nettype none

module corinfo_rows #(
  parameter Width    = 40,   // bits of a row, at most 512
  parameter Depth    = 16,   // rows, at least 2
  parameter InitFile = "",   // memory image, hexadecimal, exactly Depth words
  parameter AddrW    = $clog2(Depth)  // derived, not to be set
) (
  input  wire             clk_i,
  input  wire [AddrW-1:0] addr_i,
  output wire [Width-1:0] data_o,

  input  wire             host_i,
  input  wire             host_we_i,
  input  wire [AddrW-1:0] host_addr_i,
  input  wire [3:0]       host_part_i,
  input  wire [31:0]      host_data_i,
  output reg  [31:0]      host_part_o
);

  // Parameters that it cannot have: elaboration finds no module of the reason's name.
  generate
    if (Width < 1 || Width > 512) begin : gen_check
      corinfo_error_width_not_1_to_512 u_error ();
    end else if (Depth < 2) begin : gen_check
      corinfo_error_depth_below_2 u_error ();
    end else if (AddrW != $clog2(Depth)) begin : gen_check
      corinfo_error_addr_w_not_of_depth u_error ();
    end
  endgenerate

  localparam Parts = (Width + 31) / 32;
  localparam Room  = 32 * Parts;

  reg  [Width-1:0] mem [0:Depth-1];
  reg  [Width-1:0] data_q;
  wire [AddrW-1:0] addr;
  wire [Room-1:0]  room;
  reg  [Room-1:0]  next;
  reg  [31:0]      part;
  integer          i;
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
    if (Room > Width) begin : gen_room
      assign room = {{(Room - Width){1'b0}}, data_q};
      wire unused_next;
      assign unused_next = ^next[Room-1:Width];
    end else begin : gen_full
      assign room = data_q;
    end
  endgenerate
  assign addr   = host_i ? host_addr_i : addr_i;
  assign data_o = data_q;

  // The row with one of its parts replaced, and that part.
  always @* begin
    part = 32'd0;
    for (i = 0; i < Parts; i = i + 1) begin
      next[32*i +: 32] = (host_part_i == i[3:0]) ? host_data_i : room[32*i +: 32];
      part             = part | (room[32*i +: 32] & {32{host_part_i == i[3:0]}});
    end
  end
  always @(posedge clk_i) begin
    data_q      <= mem[addr];
    host_part_o <= part;
    if (host_we_i) begin
      mem[addr] <= next[Width-1:0];
    end
  end

endmodule

`default_nettype wire

// Memory with one write and one read port; infers block RAM or, when small, distributed RAM.
//
// The word at raddr_i appears on rdata_o Cycles later: 1, or 2 with a register behind the choice
// among the blocks of a deep memory. Reading stands still without re_i. A word that is read in the
// cycle in which it is written is undefined: no caller uses it, so that a block RAM needs no
// bypass.
// Contents start from InitFile if one is named, else undefined; there is no reset. A simulation
// ends at once, with a message, if there is no such file. Synthesis tools, which define SYNTHESIS,
// see nothing of that; one that does not define it is to be told.

`timescale 1ns/1ps
`default_nettype none

module corinfo_ram #(
  parameter Width    = 16,   // bits of a word
  parameter Depth    = 512,  // words, at least 2
  parameter Cycles   = 1,    // 1 or 2
  parameter InitFile = "",   // memory image, hexadecimal, exactly Depth words
  parameter AddrW    = $clog2(Depth)  // derived, not to be set
) (
  input  wire             clk_i,

  input  wire             we_i,
  input  wire [AddrW-1:0] waddr_i,
  input  wire [Width-1:0] wdata_i,

  input  wire             re_i,
  input  wire [AddrW-1:0] raddr_i,
  output wire [Width-1:0] rdata_o
);

  // Parameters that it cannot have: elaboration finds no module of the reason's name.
  generate
    if (Width < 1) begin : gen_check
      corinfo_error_width_below_1 u_error ();
    end else if (Depth < 2) begin : gen_check
      corinfo_error_depth_below_2 u_error ();
    end else if (Cycles != 1 && Cycles != 2) begin : gen_check
      corinfo_error_cycles_not_1_or_2 u_error ();
    end else if (AddrW != $clog2(Depth)) begin : gen_check
      corinfo_error_addr_w_not_of_depth u_error ();
    end
  endgenerate

  // Without the attribute Yosys puts a bypass behind every block RAM.
  (* no_rw_check *)
  reg [Width-1:0] mem [0:Depth-1];
  reg [Width-1:0] read_q;

  generate
    if (InitFile != "") begin : gen_image
`ifndef SYNTHESIS
      // Simulators go on with an empty memory: the design would wait for ever.
      integer image;
      initial begin
        image = $fopen(InitFile, "r");
        if (image == 0) begin
          $display("ERROR: memory image %0s not found: simulate in the design's folder,", InitFile);
          $display("       or set the top's ImageFolder to where its images are");
          $finish;
        end else begin
          $fclose(image);
        end
      end
`endif
      initial $readmemh(InitFile, mem);
    end
  endgenerate

  // The write is the last of a cycle and blocking, for the same words at half the work of a
  // simulator, which else keeps every word and its address until the cycle's end. Nothing but the
  // read before it looks at the memory.
  always @(posedge clk_i) begin
    if (re_i) begin
      read_q <= mem[raddr_i];
    end
    if (we_i) begin
      // verilator lint_off BLKSEQ
      mem[waddr_i] = wdata_i;
      // verilator lint_on BLKSEQ
    end
  end

  generate
    if (Cycles == 1) begin : gen_early
      assign rdata_o = read_q;
    end else begin : gen_late
      reg [Width-1:0] late_q;

      always @(posedge clk_i) begin
        if (re_i) begin
          late_q <= read_q;
        end
      end
      assign rdata_o = late_q;
    end
  endgenerate

endmodule

`default_nettype wire

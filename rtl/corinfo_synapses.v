// The synapses into the neurons of a lane, and the words beside them: block memories, written at the end of a cycle,
// read ReadCycles after their address. No reset: they start from their images.

`timescale 1ns/1ps
`default_nettype none

module corinfo_synapses #(
  parameter ReadCycles   = 2,   // 1 or 2
  parameter SynapseWidth = 16,
  parameter SynapseDepth = 512,
  parameter SynapseAddrW = 9,
  parameter SynapseFile  = "",
  parameter BesideWidth  = 0,   // of the words beside a synapse, together; 0: there are none
  parameter BesideFile   = "",
  parameter BesideW      = (BesideWidth > 0) ? BesideWidth : 1   // derived, not to be set
) (
  input  wire                           clk_i,
  input  wire [SynapseAddrW-1:0]        synapse_raddr_i,
  output wire signed [SynapseWidth-1:0] synapse_o,
  output wire [BesideW-1:0]             beside_o,
  input  wire                           synapse_we_i,
  input  wire                           beside_we_i,
  input  wire [SynapseAddrW-1:0]        synapse_waddr_i,
  input  wire [SynapseWidth-1:0]        synapse_next_i,
  input  wire [BesideW-1:0]             beside_next_i
);

  // Parameters that it cannot have: elaboration finds no module of the reason's name.
  generate
    if (SynapseAddrW != $clog2(SynapseDepth)) begin : gen_check
      corinfo_error_synapse_addr_w_not_of_synapse_depth u_error ();
    end else if (BesideWidth < 0) begin : gen_check
      corinfo_error_beside_width_below_0 u_error ();
    end else if (BesideW != (BesideWidth > 0 ? BesideWidth : 1)) begin : gen_check
      corinfo_error_beside_w_not_of_beside_width u_error ();
    end
  endgenerate

  corinfo_ram #(
    .Width   (SynapseWidth),
    .Depth   (SynapseDepth),
    .Cycles  (ReadCycles),
    .InitFile(SynapseFile)
  ) u_synapse (
    .clk_i  (clk_i),
    .we_i   (synapse_we_i),
    .waddr_i(synapse_waddr_i),
    .wdata_i(synapse_next_i),
    .re_i   (1'b1),
    .raddr_i(synapse_raddr_i),
    .rdata_o(synapse_o)
  );

  generate
    if (BesideWidth > 0) begin : gen_beside
      corinfo_ram #(
        .Width   (BesideW),
        .Depth   (SynapseDepth),
        .Cycles  (ReadCycles),
        .InitFile(BesideFile)
      ) u_beside (
        .clk_i  (clk_i),
        .we_i   (beside_we_i),
        .waddr_i(synapse_waddr_i),
        .wdata_i(beside_next_i),
        .re_i   (1'b1),
        .raddr_i(synapse_raddr_i),
        .rdata_o(beside_o)
      );
    end else begin : gen_no_beside
      wire unused_beside;
      assign unused_beside = ^{beside_we_i, beside_next_i};
      assign beside_o = {BesideW{1'b0}};
    end
  endgenerate

endmodule

`default_nettype wire

// A lane's synapse memory, which starts from an image of its own. The rest of a lane is the same
// for all, so that a simulator compiles it once.
//
// Cycles as corinfo_lane counts them: synapse_o is there ReadCycles after synapse_raddr_i. What all
// lanes are told passes WireCycles registers first; synapse_next_i does not.

`timescale 1ns/1ps
`default_nettype none

// Kept whole in synthesis, as the lane beside it: equal registers of two sites would become one.
(* keep_hierarchy = "yes" *)
module corinfo_site #(
  parameter Lane         = 0,
  parameter LaneW        = 4,    // bits of a lane number
  parameter SynapseWidth = 16,
  parameter SynapseDepth = 512,
  parameter SynapseAddrW = 9,
  parameter SynapseFile  = "",
  parameter ReadCycles   = 2,
  parameter WireCycles   = 0     // 0 or 1
) (
  input  wire                           clk_i,

  // Synapse memory.
  input  wire [SynapseAddrW-1:0]        synapse_raddr_i,
  output wire signed [SynapseWidth-1:0] synapse_o,
  input  wire                           synapse_we_i,
  input  wire [SynapseAddrW-1:0]        synapse_waddr_i,
  input  wire signed [SynapseWidth-1:0] synapse_next_i,
  input  wire                           host_we_i,        // the host writes the lane host_lane_i
  input  wire [LaneW-1:0]               host_lane_i,
  input  wire [SynapseWidth-1:0]        host_word_i
);

  localparam [LaneW-1:0] LaneIndex = Lane;

  localparam ToldW = 2 * SynapseAddrW + 2 + LaneW + SynapseWidth;
  wire [ToldW-1:0]        told;
  wire [SynapseAddrW-1:0] synapse_raddr, synapse_waddr;
  wire                    synapse_we, host_we;
  wire [LaneW-1:0]        host_lane;
  wire [SynapseWidth-1:0] host_word;
  corinfo_delay #(.Width(ToldW), .Cycles(WireCycles), .Zero(1)) u_told (
    .clk_i (clk_i),
    .data_i({synapse_raddr_i, synapse_we_i, synapse_waddr_i, host_we_i, host_lane_i, host_word_i}),
    .data_o(told)
  );
  assign {synapse_raddr, synapse_we, synapse_waddr, host_we, host_lane, host_word} = told;

  wire host_hit;
  assign host_hit = host_we && host_lane == LaneIndex;

  corinfo_ram #(
    .Width   (SynapseWidth),
    .Depth   (SynapseDepth),
    .Cycles  (ReadCycles),
    .InitFile(SynapseFile)
  ) u_synapse (
    .clk_i  (clk_i),
    .we_i   (synapse_we || host_hit),
    .waddr_i(synapse_waddr),
    .wdata_i(host_hit ? host_word : synapse_next_i),
    .re_i   (1'b1),
    .raddr_i(synapse_raddr),
    .rdata_o(synapse_o)
  );

endmodule

`default_nettype wire

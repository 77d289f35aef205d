// What tells a lane from the others: its synapse memory, which starts from an image of its own, and
// what follows from its number. The rest of a lane is the same for all, so that a simulator
// compiles it once.
//
// Cycles as corinfo_lane counts them: synapse_o is there ReadCycles after synapse_raddr_i, row_o
// one cycle after row_base_i, y_o in the cycle of label_hit_i.

`default_nettype none

module corinfo_site #(
  parameter Lane         = 0,
  parameter LaneW        = 4,    // bits of a lane number
  parameter SynapseWidth = 16,
  parameter SynapseDepth = 512,
  parameter SynapseAddrW = 9,
  parameter SynapseFile  = "",
  parameter ReadCycles   = 2
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
  input  wire [SynapseWidth-1:0]        host_word_i,

  // Row of this lane's synapse, from that of lane 0.
  input  wire [15:0]                    row_base_i,
  output wire [15:0]                    row_o,

  // The label's neuron is here.
  input  wire                           label_hit_i,
  input  wire [LaneW-1:0]               label_lane_i,
  output wire                           y_o
);

  localparam [LaneW-1:0] LaneIndex = Lane;
  localparam [15:0]      LaneRow   = Lane;

  wire host_hit;
  assign host_hit = host_we_i && host_lane_i == LaneIndex;

  corinfo_ram #(
    .Width   (SynapseWidth),
    .Depth   (SynapseDepth),
    .Cycles  (ReadCycles),
    .InitFile(SynapseFile)
  ) u_synapse (
    .clk_i  (clk_i),
    .we_i   (synapse_we_i || host_hit),
    .waddr_i(synapse_waddr_i),
    .wdata_i(host_hit ? host_word_i : synapse_next_i),
    .re_i   (1'b1),
    .raddr_i(synapse_raddr_i),
    .rdata_o(synapse_o)
  );

  reg [15:0] row_q;
  always @(posedge clk_i) begin
    row_q <= row_base_i + LaneRow;
  end
  assign row_o = row_q;

  assign y_o = label_hit_i && label_lane_i == LaneIndex;

endmodule

`default_nettype wire

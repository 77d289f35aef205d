// What tells a lane from the others: its synapse memory, which starts from an image of its own, and
// what follows from its number. The rest of a lane is the same for all, so that a simulator
// compiles it once.
//
// Cycles as corinfo_lane counts them: synapse_o is there ReadCycles after synapse_raddr_i, row_o
// one cycle after row_base_i, y_o in the cycle of label_hit_i, present_o in that of missing_i. What
// all lanes are told passes WireCycles registers first; synapse_next_i does not.

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
  input  wire [SynapseWidth-1:0]        host_word_i,

  // Row of this lane's synapse, from that of lane 0.
  input  wire [15:0]                    row_base_i,
  output wire [15:0]                    row_o,

  // The label's neuron is here.
  input  wire                           label_hit_i,
  input  wire [LaneW-1:0]               label_lane_i,
  output wire                           y_o,

  // There is a neuron here: all lanes have one but those from missing_lane_i on, while missing_i.
  input  wire                           missing_i,
  input  wire [LaneW-1:0]               missing_lane_i,
  output wire                           present_o
);

  localparam [LaneW-1:0] LaneIndex = Lane;
  localparam [15:0]      LaneRow   = Lane;
  localparam [31:0]      AfterWord = Lane + 1;

  localparam ToldW = 2 * SynapseAddrW + 2 + 3 * LaneW + SynapseWidth + 16 + 2;
  wire [ToldW-1:0]        told;
  wire [SynapseAddrW-1:0] synapse_raddr, synapse_waddr;
  wire                    synapse_we, host_we, label_hit, missing;
  wire [LaneW-1:0]        host_lane, label_lane, missing_lane;
  wire [SynapseWidth-1:0] host_word;
  wire [15:0]             row_base;
  corinfo_delay #(.Width(ToldW), .Cycles(WireCycles), .Zero(1)) u_told (
    .clk_i (clk_i),
    .data_i({synapse_raddr_i, synapse_we_i, synapse_waddr_i, host_we_i, host_lane_i, host_word_i,
             row_base_i, label_hit_i, label_lane_i, missing_i, missing_lane_i}),
    .data_o(told)
  );
  assign {synapse_raddr, synapse_we, synapse_waddr, host_we, host_lane, host_word,
          row_base, label_hit, label_lane, missing, missing_lane} = told;

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

  reg [15:0] row_q;
  always @(posedge clk_i) begin
    row_q <= row_base + LaneRow;
  end
  assign row_o = row_q;

  assign y_o       = label_hit && label_lane == LaneIndex;
  assign present_o = !missing || AfterWord[LaneW:0] <= {1'b0, missing_lane};

endmodule

`default_nettype wire

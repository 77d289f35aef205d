// Host access while the design is idle: synapses, learning rates, the seed, counters. Holds the
// learning rates, the seed and the number of the next update; rate_o is the rate of matrix_i one
// cycle after it.
//
// An access is taken when valid_i and ready_o are high, and done_o is high ReadCycles + 6 cycles
// later; data_o then has the word, after a write the new one. Address: region in bits 31:28, lane
// in 27:20 (0 in regions 1 to 3), word in 19:0.
//   region 0  synapse memory of a lane (signed words)      1  learning rates, by matrix
//   region 2  0 seed, 1 number of the next update, 2 samples held in the mini-batch (read only)
//   region 3  counters (read only)
//
// An address that names no word, a write to a read-only word, and a word that does not fit (a
// signed one carries its sign up to bit 63, others zeros) change nothing: error_o is high with
// done_o, and data_o is 0. Synapses of padding rows are words too; leave them 0.

`timescale 1ns/1ps
`default_nettype none

module corinfo_host #(
  parameter Lanes        = 16,
  parameter LaneW        = 4,
  parameter SynapseDepth = 512,  // words of a lane, at most 2^20
  parameter SynapseAddrW = 9,
  parameter SynapseWidth = 16,   // at most 64
  parameter Rates        = 5,    // words
  parameter RateWidth    = 17,   // at most 64
  parameter RatesFile    = "",   // the rates to start with, at least 2 words
  parameter SampleW      = 1,
  parameter Counters     = 26,
  parameter ReadCycles   = 2,    // of the synapse memories
  parameter [31:0] Seed  = 32'd0
) (
  input  wire                    clk_i,
  input  wire                    rst_i,

  input  wire                    valid_i,
  output wire                    ready_o,
  input  wire                    write_i,
  input  wire [31:0]             address_i,
  input  wire [63:0]             data_i,
  output reg                     done_o,
  output reg                     error_o,         // the access was refused
  output reg  [63:0]             data_o,
  input  wire                    idle_i,
  output wire                    busy_o,
  output wire                    read_o,          // the lanes' read ports serve the host

  output wire                    synapse_we_o,
  output wire [LaneW-1:0]        synapse_lane_o,
  output wire [SynapseAddrW-1:0] synapse_addr_o,
  output wire [SynapseWidth-1:0] synapse_data_o,
  input  wire [SynapseWidth-1:0] synapse_data_i,  // ReadCycles + 2 after the address

  input  wire [7:0]              matrix_i,
  output wire [RateWidth-1:0]    rate_o,

  input  wire                    batch_done_i,
  input  wire [SampleW-1:0]      sample_i,
  output wire [31:0]             seed_o,
  output wire [31:0]             update_o,
  output wire [7:0]              counter_index_o,
  input  wire [47:0]             counter_i
);

  localparam [3:0] RegionSynapses = 4'd0;
  localparam [3:0] RegionRates    = 4'd1;
  localparam [3:0] RegionControl  = 4'd2;
  localparam [3:0] RegionCounters = 4'd3;
  localparam [7:0] ControlSeed    = 8'd0;
  localparam [7:0] ControlUpdate  = 8'd1;
  localparam       Cycles         = ReadCycles + 4;  // from the access to its answer
  localparam       RateDepth      = (Rates > 2) ? Rates : 2;
  localparam       RateAddrW      = $clog2(RateDepth);

  localparam [31:0] LanesWord    = Lanes;
  localparam [31:0] DepthWord    = SynapseDepth;
  localparam [31:0] RatesWord    = Rates;
  localparam [31:0] ControlWords = 32'd3;
  localparam [31:0] WritableWords = 32'd2;  // of region 2
  localparam [31:0] CountersWord = Counters;

  reg  [31:0] address_q, seed_q, update_q;
  reg  [63:0] data_q;
  reg         write_q, first_q, compared_q, checked_q, exists_q, writable_q;
  wire        refused;
  wire        accept, answer, waiting, write;
  wire [3:0]  region;
  wire [7:0]  word;

  assign accept  = valid_i && ready_o;
  assign ready_o = idle_i && !waiting && !done_o;
  assign region  = address_q[31:28];
  assign word    = address_q[7:0];

  // Is there such a word, and may it take what is written? Compared in one cycle, chosen by region
  // in the next.
  wire [31:0] lane_word, place;
  reg         lane_exists_q, synapse_exists_q, rate_exists_q, control_exists_q, counter_exists_q;
  reg         control_writable_q, synapse_fits_q, rate_fits_q, word_fits_q;
  reg         exists, writable;
  assign lane_word = {24'd0, address_q[27:20]};
  assign place     = {4'd0, address_q[27:0]};

  always @(posedge clk_i) begin
    lane_exists_q      <= lane_word < LanesWord;
    synapse_exists_q   <= {12'd0, address_q[19:0]} < DepthWord;
    rate_exists_q      <= place < RatesWord;
    control_exists_q   <= place < ControlWords;
    control_writable_q <= place < WritableWords;
    counter_exists_q   <= place < CountersWord;
    synapse_fits_q     <= &data_q[63:SynapseWidth-1] || ~|data_q[63:SynapseWidth-1];
    rate_fits_q        <= (data_q >> RateWidth) == 64'd0;
    word_fits_q        <= data_q[63:32] == 32'd0;
  end

  always @* begin
    case (region)
      RegionSynapses: begin
        exists   = lane_exists_q && synapse_exists_q;
        writable = synapse_fits_q;
      end
      RegionRates: begin
        exists   = rate_exists_q;
        writable = rate_fits_q;
      end
      RegionControl: begin
        exists   = control_exists_q;
        writable = control_writable_q && word_fits_q;
      end
      default: begin
        exists   = region == RegionCounters && counter_exists_q;
        writable = 1'b0;
      end
    endcase
  end

  wire [63:0] rate_word;
  generate
    if (RateWidth < 64) begin : gen_short_rate
      assign rate_word = {{(64 - RateWidth){1'b0}}, rate_o};
    end else begin : gen_rate
      assign rate_word = rate_o;
    end
  endgenerate

  wire line_busy;
  corinfo_valid #(.Cycles(Cycles)) u_line (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(first_q), .valid_o(answer), .busy_o(line_busy)
  );
  assign refused = !exists_q || (write_q && !writable_q);
  assign write   = checked_q && write_q && !refused;
  assign waiting = line_busy;
  assign busy_o  = waiting;
  assign read_o  = waiting;

  always @(posedge clk_i) begin
    if (accept) begin
      address_q <= address_i;
      data_q    <= data_i;
      write_q   <= write_i;
    end
    exists_q   <= exists;
    writable_q <= writable;
    if (rst_i) begin
      first_q    <= 1'b0;
      compared_q <= 1'b0;
      checked_q  <= 1'b0;
      done_o     <= 1'b0;
      error_o    <= 1'b0;
      data_o     <= 64'd0;
      seed_q     <= Seed;
      update_q   <= 32'd0;
    end else begin
      first_q    <= accept;
      compared_q <= first_q;
      checked_q  <= compared_q;
      done_o     <= answer;
      error_o    <= answer && refused;
      if (answer && refused) begin
        data_o <= 64'd0;
      end else if (answer) begin
        case (region)
          RegionSynapses: data_o <= {{(64 - SynapseWidth + 1){synapse_data_i[SynapseWidth-1]}},
              synapse_data_i[SynapseWidth-2:0]};
          RegionRates:    data_o <= rate_word;
          RegionControl:  data_o <= (word == ControlSeed) ? {32'd0, seed_q} :
                                    (word == ControlUpdate) ? {32'd0, update_q} :
                                    {{(64 - SampleW){1'b0}}, sample_i};
          default:        data_o <= {16'd0, counter_i};
        endcase
      end
      if (write && region == RegionControl && word == ControlSeed) begin
        seed_q <= data_q[31:0];
      end
      if (write && region == RegionControl && word == ControlUpdate) begin
        update_q <= data_q[31:0];
      end else if (batch_done_i) begin
        update_q <= update_q + 32'd1;
      end
    end
  end

  // The first cycle of a reset, whatever the registers hold then, writes nothing.
  assign synapse_we_o    = write && !rst_i && region == RegionSynapses;
  assign synapse_lane_o  = address_q[20 +: LaneW];
  assign synapse_addr_o  = address_q[SynapseAddrW-1:0];
  assign synapse_data_o  = data_q[SynapseWidth-1:0];
  assign seed_o          = seed_q;
  assign update_o        = update_q;
  assign counter_index_o = word;

  corinfo_ram #(
    .Width   (RateWidth),
    .Depth   (RateDepth),
    .InitFile(RatesFile)
  ) u_rates (
    .clk_i  (clk_i),
    .we_i   (write && !rst_i && region == RegionRates),
    .waddr_i(address_q[RateAddrW-1:0]),
    .wdata_i(data_q[RateWidth-1:0]),
    .re_i   (1'b1),
    .raddr_i(waiting ? address_q[RateAddrW-1:0] : matrix_i[RateAddrW-1:0]),
    .rdata_o(rate_o)
  );

  wire unused_matrix;
  assign unused_matrix = ^matrix_i;

endmodule

`default_nettype wire

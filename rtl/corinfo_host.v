// Host access: synapses and the words beside them, the constants of updates, the seed; and at any time, while the
// design is busy too, counters and the status, and reads of region 2. Others wait until it is idle, and no command
// begins while they do. Holds the constants, the seed and the number of the next mini-batch; constants_o are those of
// update_i one cycle after it.
//
// An access is taken when valid_i and ready_o are high, and done_o is high ReadCycles + 6 cycles later; data_o then
// has the word, after a write the new one. Address: region in bits 31:28, word in 27:0.
//   region 0        synapse memory of lane 27:18, address 17:0 (signed words)
//   region 1        constants of updates: 8 x update + place
//   region 2        0 seed, 1 number of the next mini-batch, 2 samples held of the open one (read only), 3 what of the
//                   design's own schedule is in force: bit 0 constants, bit 1 signs; then bit 2, read only and not at
//                   any time, is the sign of beta of the next mini-batch
//   region 3        counters (read only)
//   region 8        status, see corinfo_status
//   region 9        tables: which 27:24, row 23:4, 32 bits of it 3:0
//   region 4, 5 ..  the words beside synapses, at the address of their synapse
//
// An address that names no word, a write to a read-only word, and a word that does not fit (a signed one carries its
// sign up to bit 63, others zeros) change nothing: error_o is high with done_o, and data_o is 0. Synapses of padding
// rows are words too; leave them 0.

`timescale 1ns/1ps
`default_nettype none

module corinfo_host #(
  parameter Lanes          = 16,
  parameter LaneW          = 4,
  parameter SynapseDepth   = 512,  // words of a lane, at most 2^18
  parameter SynapseAddrW   = 9,
  parameter SynapseWidth   = 16,   // at most 64
  parameter BesideW        = 1,    // bits of all of them
  parameter [127:0] BesideLow    = 0,   // by word, of 4: lowest bit
  parameter [127:0] BesideBits   = 0,   // by word, at most 63; 0: there is none
  parameter [3:0]   BesideSigned = 0,
  parameter Updates        = 5,    // at least 2; 0: there are no constants
  parameter ConstantsWidth = 17,   // of an update
  parameter [255:0] ConstantLow  = 0,   // by place, of 8: lowest bit
  parameter [255:0] ConstantBits = 0,   // by place, at most 63; 0: there is none
  parameter ConstantsFile  = "",   // to start with
  parameter [223:0] TableRows = 0,  // by table, of 7: how many; 0: the host has none
  parameter [223:0] TableBits = 0,  // of a row
  parameter SampleW        = 1,
  parameter Schedule       = 0,    // 1: the design has one
  parameter Counters       = 8,
  parameter ReadCycles     = 2,    // from the synapse's address to two cycles before its word
  parameter [31:0] Seed    = 32'd0
) (
  input  wire                      clk_i,
  input  wire                      rst_i,

  input  wire                      valid_i,
  output wire                      ready_o,
  input  wire                      write_i,
  input  wire [31:0]               address_i,
  input  wire [63:0]               data_i,
  output reg                       done_o,
  output reg                       error_o,         // the access was refused
  output reg  [63:0]               data_o,
  input  wire                      idle_i,
  output wire                      busy_o,          // the lanes' read ports serve the host
  output wire                      hold_o,          // commands are to wait

  output wire                      synapse_we_o,
  output wire                      synapse_beside_o,
  output wire [LaneW-1:0]          synapse_lane_o,
  output wire [SynapseAddrW-1:0]   synapse_addr_o,
  output wire [SynapseWidth-1:0]   synapse_o,
  output wire [BesideW-1:0]        beside_o,
  input  wire [SynapseWidth-1:0]   synapse_i,       // ReadCycles + 2 after the address
  input  wire [BesideW-1:0]        beside_i,

  input  wire [7:0]                update_i,
  output wire [ConstantsWidth-1:0] constants_o,

  input  wire                      batch_done_i,
  input  wire [SampleW-1:0]        sample_i,
  output wire [31:0]               seed_o,
  output wire [31:0]               number_o,
  output wire [1:0]                schedule_o,
  input  wire                      negative_i,      // the sign that the schedule has drawn
  output reg                       restart_o,       // seed, number or schedule_o was written in the cycle before
  input  wire                      schedule_we_i,   // of an update's constants, while idle_i is low
  input  wire [7:0]                schedule_update_i,
  input  wire [ConstantsWidth-1:0] schedule_constants_i,
  output reg  [6:0]                table_o,         // by table, see corinfo_table: its row is addressed
  output wire [6:0]                table_we_o,
  output wire [19:0]               table_row_o,
  output wire [3:0]                table_part_o,
  output wire [31:0]               table_data_o,
  input  wire [31:0]               table_i,         // of all of them, two cycles after table_o
  output wire                      status_we_o,
  output wire [1:0]                status_place_o,
  output wire [31:0]               status_data_o,
  input  wire [63:0]               status_i,
  output wire                      counter_read_o,  // the counter named by the index, two cycles later
  output wire [7:0]                counter_index_o,
  input  wire [47:0]               counter_i
);

  // Parameters that it cannot have: elaboration finds no module of the reason's name.
  genvar g;
  generate
    if (Lanes < 1 || Lanes > 1024) begin : gen_check
      corinfo_error_lanes_not_1_to_1024 u_error ();
    end else if (LaneW < 1 || LaneW > 10 || (Lanes - 1) >> LaneW != 0) begin : gen_check
      corinfo_error_lane_w_not_of_lanes u_error ();
    end else if (SynapseDepth < 1 || SynapseDepth > 262144) begin : gen_check
      corinfo_error_synapse_depth_not_1_to_262144 u_error ();
    end else if (SynapseAddrW < 1 || SynapseAddrW > 18 || (SynapseDepth - 1) >> SynapseAddrW != 0) begin : gen_check
      corinfo_error_synapse_addr_w_not_of_synapse_depth u_error ();
    end else if (SynapseWidth < 2 || SynapseWidth > 64) begin : gen_check
      corinfo_error_synapse_width_not_2_to_64 u_error ();
    end else if (BesideW < 1) begin : gen_check
      corinfo_error_beside_w_below_1 u_error ();
    end else if (Updates < 0 || Updates == 1 || Updates > 256) begin : gen_check
      corinfo_error_updates_not_0_or_2_to_256 u_error ();
    end else if (ConstantsWidth < 1) begin : gen_check
      corinfo_error_constants_width_below_1 u_error ();
    end else if (Schedule != 0 && Schedule != 1) begin : gen_check
      corinfo_error_schedule_not_0_or_1 u_error ();
    end else if (SampleW < 1 || SampleW > 63) begin : gen_check
      corinfo_error_sample_w_not_1_to_63 u_error ();
    end else if (Counters < 1 || Counters > 255) begin : gen_check
      corinfo_error_counters_not_1_to_255 u_error ();
    end else if (ReadCycles < 1) begin : gen_check
      corinfo_error_read_cycles_below_1 u_error ();
    end
    for (g = 0; g < 4; g = g + 1) begin : gen_beside
      if (BesideBits[32*g +: 32] > 63 || BesideLow[32*g +: 32] + BesideBits[32*g +: 32] > BesideW) begin : gen_check
        corinfo_error_beside_bits_not_in_beside_w u_error ();
      end
    end
    for (g = 0; g < 8; g = g + 1) begin : gen_constant
      if (ConstantBits[32*g +: 32] > 63 || ConstantLow[32*g +: 32] + ConstantBits[32*g +: 32] > ConstantsWidth)
      begin : gen_check
        corinfo_error_constant_bits_not_in_constants_width u_error ();
      end
    end
  endgenerate

  // Definitions of regions, printed from hdlgen/design/definitions.go.
  localparam [3:0] RegionSynapses  = 4'd0;
  localparam [3:0] RegionConstants = 4'd1;  // of updates
  localparam [3:0] RegionControl   = 4'd2;
  localparam [3:0] RegionCounters  = 4'd3;
  localparam [3:0] RegionBeside    = 4'd4;  // to 7: words beside synapses
  localparam [3:0] RegionStatus    = 4'd8;
  localparam [3:0] RegionTables    = 4'd9;
  // End of definitions.
  localparam       Tables          = 7;
  localparam       Cycles          = ReadCycles + 4;  // from the access to its answer
  localparam       UpdateAddrW     = Updates > 0 ? $clog2(Updates) : 1;
  localparam       BesideRoom      = BesideW + 64;
  localparam       ConstantsRoom   = ConstantsWidth + 64;

  localparam [31:0] LanesWord    = Lanes;
  localparam [31:0] DepthWord    = SynapseDepth;
  localparam [31:0] UpdatesWord  = Updates > 0 ? Updates : 1;
  localparam [31:0] CountersWord = Counters;

  reg  [31:0] address_q, seed_q, number_q;
  reg  [1:0]  schedule_q;
  reg  [63:0] data_q;
  reg         write_q, first_q, compared_q, checked_q, anytime_q;
  wire        anytime, accept, answer, write, line_busy, refused;
  wire [3:0]  region;
  wire [31:0] place;
  assign accept  = valid_i && ready_o;
  assign ready_o = (idle_i || anytime) && !line_busy && !done_o;
  assign busy_o  = line_busy && !anytime_q;
  assign hold_o  = busy_o || (valid_i && !anytime);
  assign anytime = address_i[31:28] == RegionStatus || address_i[31:28] == RegionCounters
                   || (address_i[31:28] == RegionControl && !write_i && address_i[1:0] != 2'd3);
  assign region  = address_q[31:28];
  assign place   = {4'd0, address_q[27:0]};

  corinfo_valid #(.Cycles(Cycles)) u_line (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(first_q), .valid_o(answer), .busy_o(line_busy)
  );

  // The field of the word named: of the words beside a synapse, of an update's constants. Registers behind every
  // stage: where it is, its mask, the mask in its place.
  wire [1:0]  word;
  wire [2:0]  field;
  assign word  = address_q[29:28];
  assign field = address_q[2:0];
  reg  [31:0] beside_low, beside_bits, constant_low, constant_bits, table_rows, table_last, table_above;
  reg         beside_signed;
  integer     i;
  always @* begin
    beside_low    = 32'd0;
    beside_bits   = 32'd0;
    beside_signed = 1'b0;
    for (i = 0; i < 4; i = i + 1) begin
      if (word == i[1:0]) begin
        beside_low    = BesideLow[32*i +: 32];
        beside_bits   = BesideBits[32*i +: 32];
        beside_signed = BesideSigned[i];
      end
    end
    constant_low  = 32'd0;
    constant_bits = 32'd0;
    for (i = 0; i < 8; i = i + 1) begin
      if (field == i[2:0]) begin
        constant_low  = ConstantLow[32*i +: 32];
        constant_bits = ConstantBits[32*i +: 32];
      end
    end
    table_rows  = 32'd0;
    table_last  = 32'd0;
    table_above = 32'd0;
    for (i = 0; i < Tables; i = i + 1) begin
      if (address_q[27:24] == i[3:0]) begin
        table_rows  = TableRows[32*i +: 32];
        table_last  = (TableBits[32*i +: 32] - 32'd1) >> 5;
        table_above = 32'hffff_fffe << ((TableBits[32*i +: 32] - 32'd1) & 32'd31);
      end
    end
  end

  wire                     is_beside;
  wire [63:0]              field_bits, above;
  reg  [63:0]              field_mask;
  reg  [31:0]              beside_low_q, beside_bits_q, constant_low_q, constant_bits_q;
  reg  [20:0]              table_rows_q;
  reg  [3:0]               table_last_q;    // last part
  reg  [31:0]              table_above_q;   // and what is above its bits
  reg                      beside_signed_q;
  reg  [BesideRoom-1:0]    beside_room, beside_mask, beside_word_q;
  reg  [ConstantsRoom-1:0] constants_room, constants_mask, constants_word_q;
  wire [BesideRoom-1:0]    beside_next;
  wire [ConstantsRoom-1:0] constants_next;
  assign is_beside      = region[3:2] == RegionBeside[3:2];
  assign field_bits     = {32'd0, is_beside ? beside_bits_q : constant_bits_q};
  assign above          = ~(field_mask >> 1);          // the sign and the bits above it
  assign beside_next    = ({64'd0, beside_i} & ~beside_mask) | beside_word_q;
  assign constants_next = ({64'd0, constants_o} & ~constants_mask) | constants_word_q;
  always @(posedge clk_i) begin
    beside_low_q     <= beside_low;
    beside_bits_q    <= beside_bits;
    beside_signed_q  <= beside_signed;
    constant_low_q   <= constant_low;
    constant_bits_q  <= constant_bits;
    table_rows_q     <= table_rows[20:0];
    table_last_q     <= table_last[3:0];
    table_above_q    <= table_above;
    field_mask       <= ~({64{1'b1}} << field_bits);
    beside_room      <= {64'd0, beside_i} >> beside_low_q;
    beside_mask      <= {{BesideW{1'b0}}, field_mask} << beside_low_q;
    beside_word_q    <= {{BesideW{1'b0}}, data_q & field_mask} << beside_low_q;
    constants_room   <= {64'd0, constants_o} >> constant_low_q;
    constants_mask   <= {{ConstantsWidth{1'b0}}, field_mask} << constant_low_q;
    constants_word_q <= {{ConstantsWidth{1'b0}}, data_q & field_mask} << constant_low_q;
  end

  // Is there such a word, and may it take what is written?
  reg  exists_q, writable_q, exists, writable;
  wire lane_exists, fits_unsigned, fits_signed;
  assign lane_exists   = {22'd0, address_q[27:18]} < LanesWord && {14'd0, address_q[17:0]} < DepthWord;
  assign fits_unsigned = (data_q & ~field_mask) == 64'd0;
  assign fits_signed   = (data_q & above) == 64'd0 || (data_q | ~above) == {64{1'b1}};
  always @* begin
    case (region)
      RegionSynapses: begin
        exists   = lane_exists;
        writable = &data_q[63:SynapseWidth-1] || ~|data_q[63:SynapseWidth-1];
      end
      RegionConstants: begin
        exists   = {7'd0, address_q[27:3]} < UpdatesWord && constant_bits_q != 32'd0;
        writable = fits_unsigned;
      end
      RegionControl: begin
        exists   = place < 32'd3 || (Schedule != 0 && place == 32'd3);
        writable = place == 32'd3 ? data_q[63:2] == 62'd0 : place < 32'd2 && data_q[63:32] == 32'd0;
      end
      RegionCounters: begin
        exists   = place < CountersWord;
        writable = 1'b0;
      end
      RegionTables: begin
        exists   = {1'b0, address_q[23:4]} < table_rows_q && address_q[3:0] <= table_last_q;
        writable = data_q[63:32] == 32'd0
                   && (address_q[3:0] != table_last_q || (data_q[31:0] & table_above_q) == 32'd0);
      end
      RegionStatus: begin
        exists   = place < 32'd4;
        writable = place < 32'd3 && data_q[63:32] == 32'd0;
      end
      default: begin
        exists   = is_beside && beside_bits_q != 32'd0 && lane_exists;
        writable = beside_signed_q ? fits_signed : fits_unsigned;
      end
    endcase
  end
  assign refused = !exists_q || (write_q && !writable_q);

  // What is written: behind the read of the old word, of which it may be a part.
  wire late;
  corinfo_delay #(.Width(1), .Cycles(ReadCycles + 1)) u_late (
    .clk_i(clk_i), .data_i(checked_q && !rst_i), .data_o(late)
  );
  assign write = late && write_q && !refused;

  reg  [63:0] read;
  reg  [31:0] table_q;
  wire [63:0] beside_word;
  wire        beside_minus;
  assign beside_minus = |(beside_room[63:0] & field_mask & above);
  assign beside_word = (beside_room[63:0] & field_mask)
                       | ((beside_signed_q && beside_minus) ? ~field_mask : 64'd0);
  always @* begin
    case (region)
      RegionSynapses:  read = {{(64 - SynapseWidth + 1){synapse_i[SynapseWidth-1]}},
          synapse_i[SynapseWidth-2:0]};
      RegionConstants: read = constants_room[63:0] & field_mask;
      RegionControl:   read = (place == 32'd0) ? {32'd0, seed_q} : (place == 32'd1) ? {32'd0, number_q} :
                              (place == 32'd2) ? {{(64 - SampleW){1'b0}}, sample_i} :
                              {61'd0, negative_i && schedule_q[1], schedule_q};
      RegionCounters:  read = {16'd0, counter_i};
      RegionStatus:    read = status_i;
      RegionTables:    read = {32'd0, table_q};
      default:         read = beside_word;
    endcase
  end

  // The table that is named. It is written from zero: what a register held before the first reset would write a table
  // that is never loaded again.
  wire [Tables-1:0] named;
  generate
    for (g = 0; g < Tables; g = g + 1) begin : gen_named
      localparam [31:0] Index = g;
      assign named[g] = region == RegionTables && address_q[27:24] == Index[3:0];
    end
  endgenerate
  corinfo_delay #(.Width(Tables), .Zero(1)) u_table_we (
    .clk_i(clk_i), .data_i(named & {Tables{write && !rst_i}}), .data_o(table_we_o)
  );

  reg [63:0] read_q;
  reg        seed_write_q, number_write_q, schedule_write_q;
  always @(posedge clk_i) begin
    read_q         <= read;
    table_q        <= table_i;
    table_o        <= named & {Tables{busy_o}};
    seed_write_q   <= region == RegionControl && place == 32'd0;
    number_write_q <= region == RegionControl && place == 32'd1;
    schedule_write_q <= region == RegionControl && place == 32'd3;
    restart_o        <= write && !rst_i && (seed_write_q || number_write_q || schedule_write_q);
    if (accept) begin
      address_q <= address_i;
      anytime_q <= anytime;
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
      number_q   <= 32'd0;
      schedule_q <= Schedule != 0 ? 2'b11 : 2'b00;
    end else begin
      first_q    <= accept;
      compared_q <= first_q;
      checked_q  <= compared_q;
      done_o     <= answer;
      error_o    <= answer && refused;
      if (answer) begin
        data_o <= refused ? 64'd0 : write_q ? data_q : read_q;
      end
      if (write && seed_write_q) begin
        seed_q <= data_q[31:0];
      end
      if (write && schedule_write_q && Schedule != 0) begin
        schedule_q <= data_q[1:0];
      end
      if (write && number_write_q) begin
        number_q <= data_q[31:0];
      end else if (batch_done_i) begin
        number_q <= number_q + 32'd1;
      end
    end
  end

  assign synapse_we_o     = write && !rst_i && (region == RegionSynapses || is_beside);
  assign synapse_beside_o = is_beside;
  assign synapse_lane_o   = address_q[18 +: LaneW];
  assign synapse_addr_o   = address_q[SynapseAddrW-1:0];
  assign synapse_o        = data_q[SynapseWidth-1:0];
  assign beside_o         = beside_next[BesideW-1:0];
  assign seed_o           = seed_q;
  assign number_o         = number_q;
  assign schedule_o       = schedule_q;
  assign table_row_o      = address_q[23:4];
  assign table_part_o     = address_q[3:0];
  assign table_data_o     = data_q[31:0];
  assign status_we_o      = write && !rst_i && region == RegionStatus;
  assign status_place_o   = address_q[1:0];
  assign status_data_o    = data_q[31:0];
  assign counter_read_o   = compared_q;
  assign counter_index_o  = address_q[7:0];

  generate
    if (Updates != 0) begin : gen_constants
      corinfo_ram #(.Width(ConstantsWidth), .Depth(Updates), .InitFile(ConstantsFile)) u_constants (
        .clk_i  (clk_i),
        .we_i   (schedule_we_i || (write && !rst_i && region == RegionConstants)),
        .waddr_i(schedule_we_i ? schedule_update_i[UpdateAddrW-1:0] : address_q[3 +: UpdateAddrW]),
        .wdata_i(schedule_we_i ? schedule_constants_i : constants_next[ConstantsWidth-1:0]),
        .re_i   (1'b1),
        .raddr_i(busy_o ? address_q[3 +: UpdateAddrW] : update_i[UpdateAddrW-1:0]),
        .rdata_o(constants_o)
      );
    end else begin : gen_none
      assign constants_o = {ConstantsWidth{1'b0}};
    end
  endgenerate

  wire unused_bits;
  assign unused_bits = ^{table_rows, table_last, schedule_we_i, schedule_update_i, schedule_constants_i,
                         update_i, beside_room, beside_mask, beside_next, constants_room, constants_mask,
                         constants_next, above};

endmodule

`default_nettype wire

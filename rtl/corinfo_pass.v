// Passes over the slots of a layer, one slot per cycle: settle or record, for one sample at a time.
//
// start_i begins a pass if settle_i or record_i is high; they and the layer's inputs are stable
// while busy_o. A slot is at slot_o while active_o; what follows from it comes later, in cycles as
// corinfo_lane counts them: label_* and missing_* one, soma_* SomaCycles + 1. A slot to record is
// at slot_o ReadCycles - 1 after other_addr_o, so that its sums come with the state kept in the
// other phase; factor_* follow RecordCycles + 1 after it. What the lanes say of a slot is there
// WireCycles x 2 after what was said to them: row_* (flags of change) one more than soma_*,
// soma_valid_o and record_valid_o (flags of overflow) with them.

`timescale 1ns/1ps
`default_nettype none

module corinfo_pass #(
  parameter Lanes        = 16,
  parameter LaneW        = 4,
  parameter Outputs      = 10,   // neurons of the last layer
  parameter LabelW       = 4,
  parameter SlotW        = 3,
  parameter KeptAddrW    = 4,
  parameter ReadCycles   = 2,    // of the lanes' block memories
  parameter WireCycles   = 0,    // from the control to a lane, and back
  parameter SomaCycles   = 8,    // latencies of the pipelines
  parameter RecordCycles = 3
) (
  input  wire                 clk_i,
  input  wire                 rst_i,

  input  wire                 start_i,
  input  wire                 settle_i,
  input  wire                 record_i,
  input  wire [SlotW-1:0]     slot_base_i,    // of the layer
  input  wire [SlotW:0]       slot_count_i,
  input  wire                 pull_i,         // the layer has a label
  input  wire [LabelW-1:0]    label_i,
  input  wire [LaneW:0]       last_lanes_i,   // neurons in the layer's last slot
  input  wire [KeptAddrW-1:0] own_base_i,     // first word of the sample in this phase
  input  wire [KeptAddrW-1:0] other_base_i,

  output wire                 active_o,
  output wire [SlotW-1:0]     slot_o,
  output wire                 busy_o,

  output wire                 soma_we_o,
  output wire [SlotW-1:0]     soma_waddr_o,
  output wire                 soma_valid_o,
  output wire                 soma_last_o,    // with it: the layer's last slot
  output wire                 row_valid_o,
  output wire [SlotW-1:0]     row_slot_o,
  output wire                 label_hit_o,
  output wire [LaneW-1:0]     label_lane_o,
  output wire                 missing_o,      // lanes from missing_lane_o on have no neuron
  output wire [LaneW-1:0]     missing_lane_o,

  output wire [KeptAddrW-1:0] other_addr_o,   // of a slot: the state kept in the other phase
  output wire                 factor_we_o,
  output wire [KeptAddrW-1:0] factor_waddr_o,
  output wire                 record_valid_o
);

  localparam              BackCycles     = 2 * WireCycles;
  localparam [31:0]       LanesWord      = Lanes;
  localparam [31:0]       LastLaneWord   = Lanes - 1;
  localparam [31:0]       LastOutputWord = Outputs - 1;
  localparam [SlotW-1:0]  OneSlot        = 1;
  localparam [SlotW:0]    OneLeft        = 1;

  // The slot; index_q is the neuron, in the output layer, of its lane 0.
  reg               active_q;
  reg  [SlotW-1:0]  slot_q;
  reg  [SlotW:0]    left_q;
  reg  [LabelW-1:0] index_q;

  always @(posedge clk_i) begin
    if (rst_i) begin
      active_q <= 1'b0;
    end else if (start_i) begin
      active_q <= settle_i || record_i;
    end else if (active_q) begin
      active_q <= left_q != OneLeft;
    end
    if (start_i) begin
      slot_q  <= slot_base_i;
      left_q  <= slot_count_i;
      index_q <= {LabelW{1'b0}};
    end else if (active_q) begin
      slot_q  <= slot_q + OneSlot;
      left_q  <= left_q - OneLeft;
      index_q <= index_q + LanesWord[LabelW-1:0];
    end
  end

  wire             late_active, late_busy;
  wire [SlotW-1:0] late_slot;
  corinfo_valid #(.Cycles(ReadCycles - 1)) u_late_active (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(active_q && record_i), .valid_o(late_active),
    .busy_o(late_busy)
  );
  corinfo_delay #(.Width(SlotW), .Cycles(ReadCycles - 1)) u_late_slot (
    .clk_i(clk_i), .data_i(slot_q), .data_o(late_slot)
  );
  assign active_o = record_i ? late_active : active_q;
  assign slot_o   = record_i ? late_slot : slot_q;

  // Soma: slot in, new state out, then what the lanes say of it.
  wire soma_busy, flags_busy, row_busy;
  corinfo_valid #(.Cycles(SomaCycles + 1)) u_soma_valid (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(active_q && settle_i), .valid_o(soma_we_o),
    .busy_o(soma_busy)
  );
  corinfo_delay #(.Width(SlotW), .Cycles(SomaCycles + 1)) u_soma_slot (
    .clk_i(clk_i), .data_i(slot_q), .data_o(soma_waddr_o)
  );
  corinfo_valid #(.Cycles(BackCycles)) u_soma_flags (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(soma_we_o), .valid_o(soma_valid_o), .busy_o(flags_busy)
  );
  corinfo_delay #(.Width(1), .Cycles(SomaCycles + 1 + BackCycles)) u_soma_last (
    .clk_i(clk_i), .data_i(left_q == OneLeft), .data_o(soma_last_o)
  );
  corinfo_valid #(.Cycles(1)) u_row_valid (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(soma_valid_o), .valid_o(row_valid_o), .busy_o(row_busy)
  );
  corinfo_delay #(.Width(SlotW), .Cycles(BackCycles + 1)) u_row_slot (
    .clk_i(clk_i), .data_i(soma_waddr_o), .data_o(row_slot_o)
  );

  // The label's neuron: index_q is that of lane 0 in this slot. A label that no neuron has hits
  // none.
  reg              label_hit_q;
  reg  [LaneW-1:0] label_lane_q;
  wire [31:0]      label_word, label_lane;
  assign label_word   = {{(32 - LabelW){1'b0}}, label_i};
  assign label_lane   = label_word - {{(32 - LabelW){1'b0}}, index_q};
  assign label_hit_o  = label_hit_q;
  assign label_lane_o = label_lane_q;

  reg missing_q;
  assign missing_o      = missing_q;
  assign missing_lane_o = last_lanes_i[LaneW-1:0];

  always @(posedge clk_i) begin
    missing_q    <= left_q == OneLeft && last_lanes_i != LanesWord[LaneW:0];
    label_hit_q  <= pull_i && label_word <= LastOutputWord && label_lane <= LastLaneWord;
    label_lane_q <= label_lane[LaneW-1:0];
  end

  // Record: the factors and the kept state go to the sample's words of this phase.
  wire [KeptAddrW-1:0] own_addr;
  wire                 record_busy, factor_busy;
  assign own_addr     = own_base_i + {{(KeptAddrW - SlotW){1'b0}}, slot_q};
  assign other_addr_o = other_base_i + {{(KeptAddrW - SlotW){1'b0}}, slot_q};

  corinfo_valid #(.Cycles(ReadCycles + RecordCycles)) u_record_valid (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(active_q && record_i), .valid_o(factor_we_o),
    .busy_o(record_busy)
  );
  corinfo_delay #(.Width(KeptAddrW), .Cycles(ReadCycles + RecordCycles)) u_record_addr (
    .clk_i(clk_i), .data_i(own_addr), .data_o(factor_waddr_o)
  );
  corinfo_valid #(.Cycles(BackCycles)) u_record_flags (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(factor_we_o), .valid_o(record_valid_o),
    .busy_o(factor_busy)
  );

  assign busy_o = active_q || soma_busy || flags_busy || row_busy || record_busy || factor_busy;

  // 32-bit words are wider than this design's addresses.
  wire unused_bits;
  assign unused_bits = ^{label_lane, late_busy};

endmodule

`default_nettype wire

// Passes over the slots of a layer, one slot per cycle: clear, settle, record. A result pass visits
// the output neurons one by one.
//
// start_i begins a pass if one of clear_i, settle_i, record_i and result_i is high; they and the
// layer's inputs are stable while busy_o. A slot is at slot_o while active_o; what follows from it
// comes later, in cycles as corinfo_lane counts them: label_* one, factor_* ReadCycles +
// RecordCycles, soma_* SomaCycles + 1, row_* (the lanes' flags of change are there) one more.

`default_nettype none

module corinfo_pass #(
  parameter Lanes        = 16,
  parameter LaneW        = 4,
  parameter Outputs      = 10,   // neurons of the last layer
  parameter LabelW       = 4,
  parameter Slots        = 8,    // of all layers
  parameter SlotW        = 3,
  parameter Batch        = 1,
  parameter SampleW      = 1,
  parameter KeptAddrW    = 4,
  parameter ReadCycles   = 2,    // of the lanes' block memories
  parameter SomaCycles   = 8,    // latencies of the pipelines
  parameter RecordCycles = 3
) (
  input  wire                 clk_i,
  input  wire                 rst_i,

  input  wire                 start_i,
  input  wire                 clear_i,        // all slots
  input  wire                 settle_i,
  input  wire                 record_i,
  input  wire                 result_i,
  input  wire [SlotW-1:0]     slot_base_i,    // of the layer
  input  wire [SlotW:0]       slot_count_i,
  input  wire                 pull_i,         // the layer has a label
  input  wire [LabelW-1:0]    label_i,
  input  wire                 role_i,         // the phase: 1 plus, 0 minus
  input  wire [SampleW-1:0]   sample_i,

  output wire                 active_o,
  output wire [SlotW-1:0]     slot_o,
  output wire [LaneW-1:0]     lane_o,         // of a result pass: the neuron's lane and index
  output wire [LabelW-1:0]    index_o,
  output wire                 busy_o,

  output wire                 soma_run_o,     // from cycle 0: the lanes' pipeline of settling works

  output wire                 clear_o,
  output wire                 soma_we_o,
  output wire [SlotW-1:0]     soma_waddr_o,
  output wire                 row_valid_o,
  output wire [SlotW-1:0]     row_slot_o,
  output wire                 label_hit_o,
  output wire [LaneW-1:0]     label_lane_o,

  output wire [KeptAddrW-1:0] other_addr_o,   // of slot_o: the state kept in the other phase
  output wire                 factor_we_o,
  output wire [KeptAddrW-1:0] factor_waddr_o
);

  localparam [31:0]       SlotsWord      = Slots;
  localparam [31:0]       BatchSlots     = Batch * Slots;
  localparam [31:0]       LanesWord      = Lanes;
  localparam [31:0]       LastLaneWord   = Lanes - 1;
  localparam [31:0]       LastOutputWord = Outputs - 1;
  localparam [SlotW-1:0]  OneSlot        = 1;
  localparam [SlotW:0]    OneLeft        = 1;
  localparam [LabelW-1:0] OneOutput      = 1;
  localparam [LaneW-1:0]  OneLane        = 1;

  // The slot; index_q is the neuron, in the output layer, of lane lane_q.
  reg               active_q;
  reg  [SlotW-1:0]  slot_q;
  reg  [SlotW:0]    left_q;
  reg  [LabelW-1:0] index_q;
  reg  [LaneW-1:0]  lane_q;
  wire              last, step;

  assign step = !result_i || lane_q == LastLaneWord[LaneW-1:0];
  assign last = result_i ? index_q == LastOutputWord[LabelW-1:0] : left_q == OneLeft;

  always @(posedge clk_i) begin
    if (rst_i) begin
      active_q <= 1'b0;
    end else if (start_i) begin
      active_q <= settle_i || record_i || clear_i || result_i;
    end else if (active_q) begin
      active_q <= !last;
    end
    if (start_i) begin
      slot_q  <= clear_i ? {SlotW{1'b0}} : slot_base_i;
      left_q  <= clear_i ? SlotsWord[SlotW:0] : slot_count_i;
      index_q <= {LabelW{1'b0}};
      lane_q  <= {LaneW{1'b0}};
    end else if (active_q) begin
      slot_q  <= step ? slot_q + OneSlot : slot_q;
      left_q  <= left_q - OneLeft;
      index_q <= index_q + (result_i ? OneOutput : LanesWord[LabelW-1:0]);
      lane_q  <= step ? {LaneW{1'b0}} : lane_q + OneLane;
    end
  end

  assign active_o = active_q;
  assign slot_o   = slot_q;
  assign lane_o   = lane_q;
  assign index_o  = index_q;

  // Soma: slot in, new state out, changed flags one cycle later.
  wire             soma_busy, row_busy;
  wire [SlotW-1:0] soma_slot;
  corinfo_valid #(.Cycles(SomaCycles + 1)) u_soma_valid (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(active_q && settle_i), .valid_o(soma_we_o),
    .busy_o(soma_busy)
  );
  corinfo_delay #(.Width(SlotW), .Cycles(SomaCycles + 1)) u_soma_slot (
    .clk_i(clk_i), .data_i(slot_q), .data_o(soma_slot)
  );
  corinfo_valid #(.Cycles(1)) u_row_valid (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(soma_we_o), .valid_o(row_valid_o), .busy_o(row_busy)
  );
  corinfo_delay #(.Width(SlotW), .Cycles(1)) u_row_slot (
    .clk_i(clk_i), .data_i(soma_slot), .data_o(row_slot_o)
  );
  assign clear_o      = active_q && clear_i;
  assign soma_waddr_o = clear_o ? slot_q : soma_slot;

  // The label's neuron: index_q is that of lane 0 in this slot. A label that no neuron has hits
  // none.
  reg              label_hit_q;
  reg  [LaneW-1:0] label_lane_q;
  wire [31:0]      label_word, label_lane;
  assign label_word   = {{(32 - LabelW){1'b0}}, label_i};
  assign label_lane   = label_word - {{(32 - LabelW){1'b0}}, index_q};
  assign label_hit_o  = label_hit_q;
  assign label_lane_o = label_lane_q;

  always @(posedge clk_i) begin
    label_hit_q  <= pull_i && label_word <= LastOutputWord && label_lane <= LastLaneWord;
    label_lane_q <= label_lane[LaneW-1:0];
  end

  // Record: the factors and the kept state go to the sample's words of this phase.
  reg  [KeptAddrW-1:0] sample_base_q;   // first word of the sample, phase minus
  reg  [KeptAddrW-1:0] own_base_q, other_base_q;
  reg  [31:0]          sample_slots;
  wire [KeptAddrW-1:0] own_addr;
  wire                 record_busy;
  integer              i;

  // sample_i x Slots, without a multiplier.
  always @* begin
    sample_slots = 32'd0;
    for (i = 0; i < SampleW; i = i + 1) begin
      sample_slots = sample_slots + (sample_i[i] ? SlotsWord << i : 32'd0);
    end
  end

  always @(posedge clk_i) begin
    sample_base_q <= sample_slots[KeptAddrW-1:0];
    own_base_q    <= sample_base_q + (role_i ? BatchSlots[KeptAddrW-1:0] : {KeptAddrW{1'b0}});
    other_base_q  <= sample_base_q + (role_i ? {KeptAddrW{1'b0}} : BatchSlots[KeptAddrW-1:0]);
  end

  assign own_addr     = own_base_q + {{(KeptAddrW - SlotW){1'b0}}, slot_q};
  assign other_addr_o = other_base_q + {{(KeptAddrW - SlotW){1'b0}}, slot_q};

  corinfo_valid #(.Cycles(ReadCycles + RecordCycles)) u_record_valid (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(active_q && record_i), .valid_o(factor_we_o),
    .busy_o(record_busy)
  );
  corinfo_delay #(.Width(KeptAddrW), .Cycles(ReadCycles + RecordCycles)) u_record_addr (
    .clk_i(clk_i), .data_i(own_addr), .data_o(factor_waddr_o)
  );

  reg soma_run_q;
  always @(posedge clk_i) begin
    soma_run_q <= (start_i && settle_i) || soma_busy;
  end
  assign soma_run_o = soma_run_q;

  assign busy_o = active_q || soma_busy || row_busy || record_busy;

  // 32-bit words are wider than this design's addresses.
  wire unused_bits;
  assign unused_bits = ^{sample_slots, label_lane};

endmodule

`default_nettype wire

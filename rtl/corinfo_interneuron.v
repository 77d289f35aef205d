// The inhibitory interneurons of the sparse layers, one per layer and sample in flight (context):
// sums a layer's new states as its slots pass by, and keeps the potential q_u and the state q. What
// they become (interneuron) is attached to the ports of those names.
//
// A slot's states come on states_i with slot_valid_i; padding lanes are zero. Slots of a pass come
// in any cycles, but all before those of the next pass. With Levels = max(1, log2 Lanes), rounded
// up, and StepCycles the latency of what is attached, cycles are those after the last slot's:
//
//   Levels                       sum of the slot, added to those before
//   Levels + 1                   sum_o, q_u and q to the arithmetic
//   Levels + 1 + StepCycles      the new q_u and q are stored: done_o
//   Levels + 2 + StepCycles      a pass over that layer of that context may start
//
// clear_i, at the start of a sample, makes all q_u and q of a context zero. start_i tells that a
// pass begins whose states will come; the context must not be busy. pass_q_o is the q of the layer
// and context at pass_*_i one cycle before. busy_o of a context is high from the cycle after
// start_i to done_o; only then is it known whether anything changed.

`timescale 1ns/1ps
`default_nettype none

module corinfo_interneuron #(
  parameter Lanes      = 16,
  parameter RWidth     = 15,
  parameter LayerW     = 2,    // bits of a layer's index
  parameter ContextW   = 1,    // bits of a context, of which there are 2^ContextW
  parameter SumWidth   = 24,   // of the sum of a layer's states
  parameter QUWidth    = 24,
  parameter QWidth     = 18,
  parameter StepCycles = 8     // latency of the attached arithmetic, at least 2
) (
  input  wire                       clk_i,
  input  wire                       rst_i,

  input  wire                       clear_i,
  input  wire [ContextW-1:0]        clear_context_i,

  // Pass.
  input  wire                       start_i,
  input  wire [ContextW-1:0]        pass_context_i,
  input  wire [LayerW-1:0]          pass_layer_i,
  output wire [QWidth-1:0]          pass_q_o,
  output reg  [(1<<ContextW)-1:0]   busy_o,

  // New states of a slot, lane 0 in the lowest bits.
  input  wire                       slot_valid_i,
  input  wire                       slot_last_i,
  input  wire [ContextW-1:0]        slot_context_i,
  input  wire [LayerW-1:0]          slot_layer_i,
  input  wire                       slot_restart_i,   // first iteration of a phase: q_u := q
  input  wire [Lanes*RWidth-1:0]    states_i,

  // Arithmetic: operands, and StepCycles later the results.
  output wire signed [SumWidth-1:0] sum_o,
  output wire [QUWidth-1:0]         qu_o,
  output wire [QWidth-1:0]          q_o,
  output wire                       restart_o,
  output wire [LayerW-1:0]          next_layer_o,     // of the results, a cycle before them
  input  wire [QUWidth-1:0]         qu_next_i,
  input  wire [QWidth-1:0]          q_next_i,
  output wire                       done_o,
  output wire [ContextW-1:0]        done_context_o,
  output wire [LayerW-1:0]          done_layer_o
);

  localparam Levels    = (Lanes > 2) ? $clog2(Lanes) : 1;
  localparam Leaves    = 1 << Levels;
  localparam TreeWidth = RWidth + Levels;
  localparam AddrW     = ContextW + LayerW;
  localparam Words     = 1 << AddrW;
  localparam Contexts  = 1 << ContextW;

  genvar level, i;
  integer c, w;

  // Sum of the lanes: a level per cycle, each a bit wider than the one before.
  generate
    for (level = 0; level <= Levels; level = level + 1) begin : gen_level
      localparam Width = RWidth + level;
      localparam Count = Leaves >> level;
      wire [Count*Width-1:0] sums;
      if (level == 0) begin : gen_leaves
        for (i = 0; i < Count; i = i + 1) begin : gen_leaf
          if (i < Lanes) begin : gen_lane
            assign gen_level[level].sums[i*Width +: Width] = states_i[i*RWidth +: RWidth];
          end else begin : gen_none
            assign gen_level[level].sums[i*Width +: Width] = {Width{1'b0}};
          end
        end
      end else begin : gen_nodes
        for (i = 0; i < Count; i = i + 1) begin : gen_node
          wire [Width-2:0] a, b;
          reg  [Width-1:0] sum_q;
          assign a = gen_level[level-1].sums[2*i*(Width-1) +: Width-1];
          assign b = gen_level[level-1].sums[(2*i+1)*(Width-1) +: Width-1];
          always @(posedge clk_i) begin
            sum_q <= {a[Width-2], a} + {b[Width-2], b};
          end
          assign gen_level[level].sums[i*Width +: Width] = sum_q;
        end
      end
    end
  endgenerate

  // What goes with it. A slot is a pass's first if the one before was a last one.
  reg                  first_q;
  wire                 valid, first, last, restart, unused_tree_busy;
  wire [ContextW-1:0]  sum_context;
  wire [LayerW-1:0]    sum_layer;

  always @(posedge clk_i) begin
    if (rst_i) begin
      first_q <= 1'b1;
    end else if (slot_valid_i) begin
      first_q <= slot_last_i;
    end
  end

  corinfo_valid #(.Cycles(Levels)) u_valid (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(slot_valid_i), .valid_o(valid),
    .busy_o(unused_tree_busy)
  );
  corinfo_delay #(.Width(3 + AddrW), .Cycles(Levels)) u_tags (
    .clk_i(clk_i), .data_i({first_q, slot_last_i, slot_restart_i, slot_context_i, slot_layer_i}),
    .data_o({first, last, restart, sum_context, sum_layer})
  );

  // Sum of the slots.
  wire signed [TreeWidth-1:0] lanes_sum;
  wire signed [SumWidth-1:0]  slot_sum;
  reg  signed [SumWidth-1:0]  sum_q;
  assign lanes_sum = gen_level[Levels].sums;

  generate
    if (SumWidth > TreeWidth) begin : gen_extend
      assign slot_sum = {{(SumWidth - TreeWidth){lanes_sum[TreeWidth-1]}}, lanes_sum};
    end else begin : gen_same
      assign slot_sum = lanes_sum[SumWidth-1:0];
    end
    if (TreeWidth > SumWidth) begin : gen_unused
      // SumWidth holds the sum of every neuron there is, so these are copies of its sign.
      wire unused_sum;
      assign unused_sum = ^lanes_sum[TreeWidth-1:SumWidth];
    end
  endgenerate

  always @(posedge clk_i) begin
    if (valid) begin
      sum_q <= first ? slot_sum : sum_q + slot_sum;
    end
  end
  assign sum_o = sum_q;

  // The step: operands in the cycle after the last slot's sum, results StepCycles later.
  wire             step, unused_step_busy;
  wire [AddrW-1:0] step_addr, done_addr, pass_addr;
  corinfo_valid #(.Cycles(1)) u_step (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(valid && last), .valid_o(step),
    .busy_o(unused_step_busy)
  );
  corinfo_delay #(.Width(1 + AddrW), .Cycles(1)) u_step_tags (
    .clk_i(clk_i), .data_i({restart, sum_context, sum_layer}), .data_o({restart_o, step_addr})
  );
  wire unused_done_busy;
  corinfo_valid #(.Cycles(StepCycles)) u_done (
    .clk_i(clk_i), .rst_i(rst_i), .valid_i(step), .valid_o(done_o), .busy_o(unused_done_busy)
  );
  wire [AddrW-1:0] next_addr;
  corinfo_delay #(.Width(AddrW), .Cycles(StepCycles - 1)) u_next_tags (
    .clk_i(clk_i), .data_i(step_addr), .data_o(next_addr)
  );
  corinfo_delay #(.Width(AddrW), .Cycles(1)) u_done_tags (
    .clk_i(clk_i), .data_i(next_addr), .data_o(done_addr)
  );
  assign next_layer_o                     = next_addr[LayerW-1:0];
  assign {done_context_o, done_layer_o} = done_addr;

  // Words: of every layer and context for the step, and once more for the pass. Those that no step
  // has written since the sample began are zero.
  reg  [Words-1:0]    zero_q;
  reg                 step_zero_q, pass_zero_q;
  wire [QUWidth-1:0]  step_qu;
  wire [QWidth-1:0]   step_q, pass_q;

  corinfo_ram #(.Width(QUWidth + QWidth), .Depth(Words)) u_words (
    .clk_i(clk_i), .we_i(done_o), .waddr_i(done_addr), .wdata_i({qu_next_i, q_next_i}), .re_i(1'b1),
    .raddr_i({sum_context, sum_layer}), .rdata_o({step_qu, step_q})
  );
  corinfo_ram #(.Width(QWidth), .Depth(Words)) u_pass_words (
    .clk_i(clk_i), .we_i(done_o), .waddr_i(done_addr), .wdata_i(q_next_i), .re_i(1'b1),
    .raddr_i(pass_addr), .rdata_o(pass_q)
  );

  always @(posedge clk_i) begin
    for (w = 0; w < Words; w = w + 1) begin
      if (clear_i && w >> LayerW == {{(32 - ContextW){1'b0}}, clear_context_i}) begin
        zero_q[w] <= 1'b1;
      end else if (done_o && w == {{(32 - AddrW){1'b0}}, done_addr}) begin
        zero_q[w] <= 1'b0;
      end
    end
    step_zero_q <= zero_q[{sum_context, sum_layer}];
    pass_zero_q <= zero_q[pass_addr];
  end

  assign qu_o     = step_zero_q ? {QUWidth{1'b0}} : step_qu;
  assign q_o      = step_zero_q ? {QWidth{1'b0}} : step_q;
  assign pass_q_o = pass_zero_q ? {QWidth{1'b0}} : pass_q;

  // Steps that are to come or under way.
  reg [Words-1:0] pending_q;
  assign pass_addr   = {pass_context_i, pass_layer_i};

  always @(posedge clk_i) begin
    if (rst_i) begin
      pending_q <= {Words{1'b0}};
    end else begin
      if (done_o) begin
        pending_q[done_addr] <= 1'b0;
      end
      if (start_i) begin
        pending_q[pass_addr] <= 1'b1;
      end
    end
  end

  always @* begin
    for (c = 0; c < Contexts; c = c + 1) begin
      busy_o[c] = |pending_q[c*(1<<LayerW) +: 1<<LayerW];
    end
  end

endmodule

`default_nettype wire

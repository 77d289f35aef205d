// Counters of a run, read by the host: times in cycles, events and products, and how often
// rounding met a value outside its format or an update was lost.
//
// Flags come lane by lane, the first of a lane lowest. While read_i, index_i selects one; counter_o
// has it two cycles later. All are 48 bits, zero after reset, and complete when the design is idle.

`timescale 1ns/1ps
`default_nettype none

module corinfo_counters #(
  parameter Lanes = 16
) (
  input  wire               clk_i,
  input  wire               rst_i,

  input  wire               busy_i,          // 0  cycles with a command under way
  input  wire               settling_i,      // 1  of them: taking input or settling
  input  wire               waiting_i,       // 2  of them: waiting for the outside
  input  wire               event_i,         // 3  events
  input  wire               product_i,       // 4  cycles in which the lanes multiply while settling
  input  wire               step_i,          // 5  settling steps
  input  wire               updating_i,      // 6  cycles of updates
  input  wire               term_i,          // 7  of them: the lanes multiply
  input  wire               batch_done_i,    // 8  updates

  input  wire               soma_i,
  input  wire [5*Lanes-1:0] soma_flags_i,    // 9..13  current, lateral, drive, u, r
  input  wire [2:0]         record_i,        // which of e, d, c somebody reads
  input  wire [3*Lanes-1:0] record_flags_i,  // 14..16  e, d, c
  input  wire               update_i,
  input  wire [1:0]         kind_i,          // of the matrix: 0 W, 1 F, 2 C
  input  wire [3*Lanes-1:0] update_flags_i,  // 17..25  dW, W, lost W, dF, F, lost F, dC, C, lost C
  input  wire               step_done_i,
  input  wire [2:0]         step_flags_i,    // 26..28  excess, q_u, q of interneurons

  input  wire               read_i,          // the host reads
  input  wire [7:0]         index_i,
  output reg  [47:0]        counter_o
);

  localparam Ticks = 9;
  localparam Sites = 17;
  localparam Steps = 3;
  localparam Total = Ticks + Sites + Steps;

  // The flags of one bit: the ticks, then those of a step, which count when it is done.
  wire [Ticks+Steps-1:0] ticks;
  reg  [Ticks+Steps-1:0] ticks_q;
  assign ticks = {step_flags_i & {Steps{step_done_i}},
                  batch_done_i, term_i, updating_i, step_i, product_i, event_i, waiting_i,
                  settling_i, busy_i};

  // Which counter the host reads: one bit is set, or none. An index of 48 bits a step would take a
  // multiplier.
  reg [Total-1:0] chosen_q;
  integer         j;

  always @(posedge clk_i) begin
    ticks_q <= rst_i ? {(Ticks + Steps){1'b0}} : ticks;
    if (read_i) begin
      for (j = 0; j < Total; j = j + 1) begin
        chosen_q[j] <= index_i == j[7:0];
      end
    end
  end

  // Each counter, and the chosen one of it and those before it.
  genvar i;
  generate
    for (i = 0; i < Total; i = i + 1) begin : gen_counter
      wire [47:0] total, chosen;
      if (i < Ticks || i >= Ticks + Sites) begin : gen_tick
        localparam Tick = i < Ticks ? i : i - Sites;
        reg [47:0] total_q;
        always @(posedge clk_i) begin
          if (rst_i) begin
            total_q <= 48'd0;
          end else begin
            total_q <= total_q + {47'd0, ticks_q[Tick]};
          end
        end
        assign total = total_q;
      end else if (i < Ticks + 5) begin : gen_soma
        corinfo_counter #(.Lanes(Lanes), .Flags(5), .Flag(i - Ticks)) u_counter (
          .clk_i(clk_i), .rst_i(rst_i), .enable_i(soma_i), .flags_i(soma_flags_i),
          .total_o(total)
        );
      end else if (i < Ticks + 8) begin : gen_record
        localparam Flag = i - Ticks - 5;
        corinfo_counter #(.Lanes(Lanes), .Flags(3), .Flag(Flag)) u_counter (
          .clk_i(clk_i), .rst_i(rst_i), .enable_i(record_i[Flag]), .flags_i(record_flags_i),
          .total_o(total)
        );
      end else begin : gen_update
        localparam        Flag = i - Ticks - 8;
        localparam [31:0] Kind = Flag / 3;
        corinfo_counter #(.Lanes(Lanes), .Flags(3), .Flag(Flag % 3)) u_counter (
          .clk_i(clk_i), .rst_i(rst_i), .enable_i(update_i && kind_i == Kind[1:0]),
          .flags_i(update_flags_i), .total_o(total)
        );
      end
      if (i == 0) begin : gen_first
        assign chosen = total & {48{chosen_q[i]}};
      end else begin : gen_next
        assign chosen = gen_counter[i-1].chosen | (total & {48{chosen_q[i]}});
      end
    end
  endgenerate

  always @(posedge clk_i) begin
    if (read_i) begin
      counter_o <= gen_counter[Total-1].chosen;
    end
  end

endmodule

`default_nettype wire

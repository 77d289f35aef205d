// The design's own schedule: what a host would do between mini-batches. Constants of updates come from a memory image
// of entries (number of the mini-batch, update, its constants), in the order of numbers, and the sign of beta is drawn.
//
// It works after a reset, after next_i (a mini-batch is done) and after restart_i (seed, number or enable_i were
// written): busy_o is high until what the mini-batch number_i has is written and drawn, and neither commands nor those
// accesses of the host that want an idle design are to be taken then; so it is alone with the constants. Seed and
// number are those to be used from the cycle after next_i on, and with restart_i. After next_i the entries go on where
// they were; else they begin with the first, and all up to the number are written, so that the constants are those of
// the number whatever they were before. What the host has written since stays until the next entry of its update.
//
// An entry takes 4 cycles, and one more tells that no other is due; a sign 261, at the same time. enable_i: bit 0
// entries, bit 1 signs.

`timescale 1ns/1ps
`default_nettype none

module corinfo_schedule #(
  parameter Entries        = 2,   // at least 2
  parameter ConstantsWidth = 17,  // of an update
  parameter RandomSign     = 1,   // 0: beta is positive
  parameter InitFile       = ""   // words {constants, update 8, number 32}
) (
  input  wire                      clk_i,
  input  wire                      rst_i,
  input  wire [1:0]                enable_i,
  input  wire                      restart_i,
  input  wire                      next_i,
  input  wire [31:0]               seed_i,
  input  wire [31:0]               number_i,
  output wire                      busy_o,
  output wire                      negative_o,

  output wire                      we_o,
  output wire [7:0]                update_o,
  output wire [ConstantsWidth-1:0] constants_o
);

  // Parameters that it cannot have: elaboration finds no module of the reason's name.
  generate
    if (Entries < 2) begin : gen_check
      corinfo_error_entries_below_2 u_error ();
    end else if (ConstantsWidth < 1) begin : gen_check
      corinfo_error_constants_width_below_1 u_error ();
    end else if (RandomSign != 0 && RandomSign != 1) begin : gen_check
      corinfo_error_random_sign_not_0_or_1 u_error ();
    end
  endgenerate

  localparam         AddrW       = $clog2(Entries);
  localparam [31:0]  EntriesWord = Entries;
  localparam [AddrW:0] Last      = EntriesWord[AddrW:0];
  localparam [AddrW:0] OneEntry  = 1;
  localparam [1:0]   CycleWrite  = 2'd3;  // it is known whether an entry is due, from its address in cycle 0 on

  reg                      busy_q, was_q, looking_q, due_q;
  reg  [1:0]               cycle_q;
  reg  [AddrW:0]           at_q;
  wire [ConstantsWidth+39:0] entry;
  wire                     starts, sign_busy, negative;
  assign starts = busy_q && !was_q;   // number and seed are there

  corinfo_ram #(.Width(ConstantsWidth + 40), .Depth(Entries), .Cycles(2), .InitFile(InitFile)) u_entries (
    .clk_i(clk_i), .we_i(1'b0), .waddr_i({AddrW{1'b0}}), .wdata_i({(ConstantsWidth + 40){1'b0}}), .re_i(1'b1),
    .raddr_i(at_q[AddrW-1:0]), .rdata_o(entry)
  );

  generate
    if (RandomSign != 0) begin : gen_sign
      corinfo_sign u_sign (
        .clk_i(clk_i), .rst_i(rst_i), .start_i(starts), .seed_i(seed_i), .number_i(number_i), .busy_o(sign_busy),
        .negative_o(negative)
      );
    end else begin : gen_positive
      wire unused_seed;
      assign unused_seed = ^seed_i;
      assign sign_busy = 1'b0;
      assign negative  = 1'b0;
    end
  endgenerate
  assign busy_o      = busy_q || restart_i;
  assign negative_o  = negative;
  assign we_o        = !rst_i && looking_q && due_q && cycle_q == CycleWrite;
  assign update_o    = entry[39:32];
  assign constants_o = entry[40 +: ConstantsWidth];

  always @(posedge clk_i) begin
    was_q <= busy_q && !restart_i && !rst_i;
    due_q <= at_q != Last && entry[31:0] <= number_i;
    if (rst_i) begin
      busy_q    <= 1'b1;
      looking_q <= 1'b0;
      at_q      <= {(AddrW + 1){1'b0}};
    end else if (restart_i) begin
      busy_q    <= enable_i != 2'd0;
      looking_q <= 1'b0;
      at_q      <= {(AddrW + 1){1'b0}};
    end else if (next_i) begin
      busy_q    <= enable_i != 2'd0;
    end else if (starts) begin
      looking_q <= enable_i[0];
    end else if (looking_q) begin
      if (cycle_q == CycleWrite) begin
        looking_q <= due_q;
        at_q      <= at_q + (due_q ? OneEntry : {(AddrW + 1){1'b0}});
      end
    end else begin
      busy_q <= sign_busy;
    end
    cycle_q <= starts ? 2'd0 : cycle_q + 2'd1;
  end

endmodule

`default_nettype wire

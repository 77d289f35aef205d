// Counters of a run, read by the host: ticks, and by tensor how many values were outside their format and how many
// updates were lost to rounding. All are 48 bits and zero after a reset; they wrap after 2^48.
//
// Units raise flags for the neuron or synapse that they write, and the layers' shared formulas for theirs; number_i
// says, in the same cycle, of which step or update they are: MapFile names the counter of every flag there, all ones
// for none. No two flags of one number have the same counter. What is counted gathers in a few bits a counter, which
// are added to the totals in turn, one a cycle; while read_i, those of index_i instead, and counter_o has the whole of
// it two cycles later. It lacks what has happened in the four cycles before. read_i is high in every other cycle at
// most.

`timescale 1ns/1ps
`default_nettype none

module corinfo_counters #(
  parameter Units    = 4,
  parameter Flags    = 1,    // of a unit
  parameter Ticks    = 8,
  parameter Totals   = 10,   // ticks, then the counters of flags; at most 255
  parameter Numbers  = 8,    // of steps and updates, at least 2
  // verilator lint_off UNUSEDPARAM
  parameter SmallStyle   = "distributed",  // of small memories; "auto" where there are no distributed ones
  // verilator lint_on UNUSEDPARAM
  parameter MapFile  = "",   // a word of Flags x 8 bits by number
  parameter HostTables = 1,  // the host reads and writes it
  parameter NumberW  = $clog2(Numbers)  // derived, not to be set
) (
  input  wire                   clk_i,
  input  wire                   rst_i,

  input  wire [Ticks-1:0]       ticks_i,
  input  wire [NumberW-1:0]     number_i,
  input  wire [Units*Flags-1:0] flags_i,         // unit by unit
  input  wire [Flags-1:0]       shared_flags_i,

  input  wire                   read_i,
  input  wire [7:0]             index_i,
  output reg  [47:0]            counter_o,

  // The host's access to the map, while nothing is to be counted: see corinfo_table.
  input  wire                   host_i,
  input  wire                   host_we_i,
  input  wire [19:0]            host_row_i,
  input  wire [3:0]             host_part_i,
  input  wire [31:0]            host_data_i,
  output wire [31:0]            host_word_o
);

  // Parameters that it cannot have: elaboration finds no module of the reason's name.
  generate
    if (Units < 1) begin : gen_check
      corinfo_error_units_below_1 u_error ();
    end else if (Flags < 1) begin : gen_check
      corinfo_error_flags_below_1 u_error ();
    end else if (Ticks < 1) begin : gen_check
      corinfo_error_ticks_below_1 u_error ();
    end else if (Totals < 2 || Totals > 255) begin : gen_check
      corinfo_error_totals_not_2_to_255 u_error ();
    end else if (Totals < Ticks) begin : gen_check
      corinfo_error_totals_below_ticks u_error ();
    end else if (Numbers < 2) begin : gen_check
      corinfo_error_numbers_below_2 u_error ();
    end else if (NumberW != $clog2(Numbers)) begin : gen_check
      corinfo_error_number_w_not_of_numbers u_error ();
    end
  endgenerate

  localparam OnesW = $clog2(Units + 2);
  localparam Half  = (Units + 1) / 2;
  localparam PartW = $clog2(2 * Totals * (Units + 1) + 1);  // twice the cycles of a turn, for the host's reads

  localparam PlaceW = $clog2(Totals);

  localparam [31:0] LastWord = Totals - 1;

  // How many units raise a flag.
  function [OnesW-1:0] ones;
    input [Units*Flags-1:0] flags;
    input integer           flag, from, to;
    integer                 u;
    begin
      ones = {OnesW{1'b0}};
      for (u = from; u < to; u = u + 1) begin
        ones = ones + {{(OnesW - 1){1'b0}}, flags[Flags*u+flag]};
      end
    end
  endfunction

  wire [8*Flags-1:0]       map;
  reg  [Ticks-1:0]         ticks_q;
  reg  [Flags*OnesW-1:0]   low_q, high_q, ones_q;
  reg  [Totals*Flags-1:0]  meant_q;   // by counter: which flag it counts
  reg  [Totals*PartW-1:0]  parts_q;
  reg  [Totals*OnesW-1:0]  more;
  reg  [Totals-1:0]        live_q;    // totals that were written since the reset
  reg  [7:0]               turn_q, at_q;
  reg                      read_q;
  reg  [PartW-1:0]         part, part_q;
  wire [7:0]               at;
  integer                  i, k;

  corinfo_table #(
    .Width(8 * Flags), .Depth(Numbers), .InitFile(MapFile), .Host(HostTables)
  ) u_map (
    .clk_i(clk_i), .addr_i(number_i), .data_o(map), .host_i(host_i), .host_we_i(host_we_i),
    .host_row_i(host_row_i), .host_part_i(host_part_i), .host_data_i(host_data_i), .host_word_o(host_word_o)
  );

  always @(posedge clk_i) begin
    ticks_q <= ticks_i & {Ticks{!rst_i}};
    for (i = 0; i < Flags; i = i + 1) begin
      low_q[OnesW*i +: OnesW]  <= ones(flags_i, i, 0, Half) + {{(OnesW - 1){1'b0}}, shared_flags_i[i]};
      high_q[OnesW*i +: OnesW] <= ones(flags_i, i, Half, Units);
      ones_q[OnesW*i +: OnesW] <= rst_i ? {OnesW{1'b0}} : low_q[OnesW*i +: OnesW] + high_q[OnesW*i +: OnesW];
      for (k = 0; k < Totals; k = k + 1) begin
        meant_q[Flags*k+i] <= map[8*i +: 8] == k[7:0];
      end
    end
  end

  // What is added to a counter.
  always @* begin
    more = {Totals*OnesW{1'b0}};
    for (k = 0; k < Totals; k = k + 1) begin
      for (i = 0; i < Flags; i = i + 1) begin
        more[OnesW*k +: OnesW] = more[OnesW*k +: OnesW] | (ones_q[OnesW*i +: OnesW] & {OnesW{meant_q[Flags*k+i]}});
      end
      if (k < Ticks) begin
        more[OnesW*k +: OnesW] = {{(OnesW - 1){1'b0}}, ticks_q[k]};
      end
    end
  end

  // The one whose turn it is goes to its total.
  assign at = read_i ? index_i : turn_q;
  always @* begin
    part = {PartW{1'b0}};
    for (k = 0; k < Totals; k = k + 1) begin
      part = part | (parts_q[PartW*k +: PartW] & {PartW{at == k[7:0]}});
    end
  end
  always @(posedge clk_i) begin
    at_q   <= at;
    read_q <= read_i;
    part_q <= rst_i ? {PartW{1'b0}} : part;
    if (rst_i) begin
      turn_q <= 8'd0;
    end else if (!read_i) begin
      turn_q <= (turn_q == LastWord[7:0]) ? 8'd0 : turn_q + 8'd1;
    end
    for (k = 0; k < Totals; k = k + 1) begin
      parts_q[PartW*k +: PartW] <= rst_i ? {PartW{1'b0}} :
          (parts_q[PartW*k +: PartW] & {PartW{at != k[7:0]}}) + {{(PartW - OnesW){1'b0}}, more[OnesW*k +: OnesW]};
      live_q[k] <= !rst_i && (live_q[k] || at_q == k[7:0]);
    end
  end

  (* ram_style = SmallStyle *)
  reg  [47:0] totals [0:Totals-1];
  reg         live;
  wire [47:0] next;
  always @* begin
    live = 1'b0;
    for (k = 0; k < Totals; k = k + 1) begin
      live = live || (live_q[k] && at_q == k[7:0]);
    end
  end
  assign next = (live ? totals[at_q[PlaceW-1:0]] : 48'd0) + {{(48 - PartW){1'b0}}, part_q};
  always @(posedge clk_i) begin
    if (at_q <= LastWord[7:0]) begin
      totals[at_q[PlaceW-1:0]] <= next;
    end
    if (read_q) begin
      counter_o <= next;
    end
  end

endmodule

`default_nettype wire

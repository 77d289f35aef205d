// A neuron unit's events that wait, those of every sample in flight in a queue of its own. What they hold is counted
// in corinfo_events: nothing is put into a full one or taken from an empty one.
//
// put_i puts data_i, at the end of the cycle; head_o is the head of context_i's queue, which take_i of that context
// drops.

`timescale 1ns/1ps
`default_nettype none

module corinfo_queue #(
  parameter Width    = 30,
  parameter Contexts = 1,
  parameter ContextW = 1,
  parameter AddrW    = 5,  // room for 2^AddrW events of a sample
  // verilator lint_off UNUSEDPARAM
  parameter SmallStyle   = "distributed"  // of small memories; "auto" where there are no distributed ones
  // verilator lint_on UNUSEDPARAM
) (
  input  wire                clk_i,
  input  wire                rst_i,
  input  wire                put_i,
  input  wire [ContextW-1:0] put_context_i,
  input  wire [Width-1:0]    data_i,
  input  wire [Contexts-1:0] take_i,        // at most one
  input  wire [ContextW-1:0] context_i,
  output wire [Width-1:0]    head_o
);

  // Parameters that it cannot have: elaboration finds no module of the reason's name.
  generate
    if (Width < 1) begin : gen_check
      corinfo_error_width_below_1 u_error ();
    end else if (Contexts < 1) begin : gen_check
      corinfo_error_contexts_below_1 u_error ();
    end else if (ContextW < 1 || (Contexts - 1) >> ContextW != 0) begin : gen_check
      corinfo_error_context_w_too_narrow u_error ();
    end else if (AddrW < 1) begin : gen_check
      corinfo_error_addr_w_below_1 u_error ();
    end
  endgenerate

  localparam Depth = 1 << (AddrW + ContextW);

  (* ram_style = SmallStyle *)
  reg  [Width-1:0]          mem [0:Depth-1];
  wire [Contexts*AddrW-1:0] heads, tails;
  wire [AddrW-1:0]          head, tail;

  genvar c;
  generate
    for (c = 0; c < Contexts; c = c + 1) begin : gen_context
      localparam [31:0] Index = c;
      reg [AddrW-1:0] head_q, tail_q;
      always @(posedge clk_i) begin
        if (rst_i) begin
          head_q <= {AddrW{1'b0}};
          tail_q <= {AddrW{1'b0}};
        end else begin
          head_q <= head_q + {{(AddrW - 1){1'b0}}, take_i[c]};
          tail_q <= tail_q + {{(AddrW - 1){1'b0}}, put_i && put_context_i == Index[ContextW-1:0]};
        end
      end
      assign heads[AddrW*c +: AddrW] = head_q;
      assign tails[AddrW*c +: AddrW] = tail_q;
    end
  endgenerate
  corinfo_choice #(.Width(AddrW), .Count(Contexts), .IndexW(ContextW)) u_head (
    .index_i(context_i), .words_i(heads), .word_o(head)
  );
  corinfo_choice #(.Width(AddrW), .Count(Contexts), .IndexW(ContextW)) u_tail (
    .index_i(put_context_i), .words_i(tails), .word_o(tail)
  );

  always @(posedge clk_i) begin
    if (put_i) begin
      mem[{put_context_i, tail}] <= data_i;
    end
  end
  assign head_o = mem[{context_i, head}];

endmodule

`default_nettype wire

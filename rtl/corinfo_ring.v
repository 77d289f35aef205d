// Delays a word by a fixed number of cycles, those without enable_i not counted: data_o is data_i
// Cycles such cycles later. A distributed memory, a counter and one register hold what else would
// take Cycles registers of that width.
//
// No reset: data only, and the first Cycles words are undefined.

`timescale 1ns/1ps
`default_nettype none

module corinfo_ring #(
  parameter Width  = 4,  // bits of the word
  parameter Cycles = 8   // 3 or more
) (
  input  wire             clk_i,
  input  wire             enable_i,
  input  wire [Width-1:0] data_i,
  output wire [Width-1:0] data_o
);

  // Parameters that it cannot have: elaboration finds no module of the reason's name.
  generate
    if (Width < 1) begin : gen_check
      corinfo_error_width_below_1 u_error ();
    end else if (Cycles < 3) begin : gen_check
      corinfo_error_cycles_below_3 u_error ();
    end
  endgenerate

  localparam              Words = Cycles - 1;
  localparam              AddrW = $clog2(Words);
  localparam [31:0]       LastWord = Words - 1;
  localparam [AddrW-1:0]  OneWord  = 1;

  (* ram_style = "distributed" *)
  reg [Width-1:0] mem [0:Words-1];
  reg [Width-1:0] data_q;

  // The oldest word's place, which the newest one takes. It need not start anywhere, but within.
  reg [AddrW-1:0] at_q;
  initial at_q = {AddrW{1'b0}};

  always @(posedge clk_i) begin
    if (enable_i) begin
      at_q      <= (at_q == LastWord[AddrW-1:0]) ? {AddrW{1'b0}} : at_q + OneWord;
      data_q    <= mem[at_q];
      mem[at_q] <= data_i;
    end
  end
  assign data_o = data_q;

endmodule

`default_nettype wire

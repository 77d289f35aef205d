// Draws the sign of beta of a mini-batch: is the first word of PCG-DXSM for (seed, 2^33 + mini-batch) 2^63 or more? See
// docs/ARITHMETIC.md, "What the seed draws".
//
// start_i takes seed and number, also while a draw is under way, which it ends; busy_o is high from the next cycle for
// 259 cycles, and negative_o is the sign when it falls, until the next draw.
//
// One serial multiplier, a bit of a factor a cycle, does all three products: the sum stays in two words, of sums and of
// carries, so that no carry goes farther than a bit in a cycle, at any clock. Bits of the product leave it lowest first
// and take the place of those of the factor.

`timescale 1ns/1ps
`default_nettype none

module corinfo_sign (
  input  wire        clk_i,
  input  wire        rst_i,
  input  wire        start_i,
  input  wire [31:0] seed_i,
  input  wire [31:0] number_i,
  output wire        busy_o,
  output reg         negative_o
);

  localparam [127:0] Multiplier = 128'h2360ed051fc65da44385df649fccf645;
  localparam [127:0] Increment  = 128'h5851f42d4c957f2d14057b7ef767814f;
  localparam [63:0]  Mixer      = 64'hda942042e4dd58b5;

  // Passes: state x Multiplier + Increment is the next state; its mixed upper half x Mixer; that, mixed, x the lower
  // half.
  localparam [1:0] PassState = 2'd0;
  localparam [1:0] PassMix   = 2'd1;
  localparam [1:0] PassWord  = 2'd2;

  reg          busy_q, last_q;
  reg  [1:0]   pass_q;
  reg  [6:0]   left_q;
  reg  [127:0] factor_q, sum_q, carry_q;
  reg  [63:0]  other_q;         // the other factor of the last pass
  reg  [127:0] other;
  wire [127:0] added, sums, carries, product;
  wire [63:0]  half;
  always @* begin
    case (pass_q)
      PassState: other = Multiplier;
      PassMix:   other = {64'd0, Mixer};
      default:   other = {64'd0, other_q};
    endcase
  end
  assign added   = other & {128{factor_q[0]}};
  assign sums    = sum_q ^ carry_q ^ added;
  assign carries = (sum_q & carry_q) | (added & (sum_q | carry_q));
  assign product = {sums[0], factor_q[127:1]};   // behind the last step all of it, or its 64 bits as the upper half
  assign half    = factor_q[127:64];
  assign busy_o  = busy_q;

  // A pass of 128 or 64 steps, then a cycle in which the next one's factors are taken.
  always @(posedge clk_i) begin
    if (rst_i) begin
      busy_q <= 1'b0;
      last_q <= 1'b0;
    end else begin
      busy_q <= start_i || (busy_q && !(last_q && pass_q == PassWord));
      last_q <= busy_q && left_q == 7'd0 && !last_q && !start_i;
    end
    if (start_i) begin
      pass_q   <= PassState;
      left_q   <= 7'd127;
      factor_q <= {32'd0, seed_i, 30'd0, 2'b10, number_i};
      sum_q    <= Increment;
      carry_q  <= 128'd0;
    end else if (last_q) begin
      pass_q   <= pass_q + 2'd1;
      left_q   <= 7'd63;
      sum_q    <= 128'd0;
      carry_q  <= 128'd0;
      // The factor's bits go from the lowest on, and those of what is kept follow them to their place.
      factor_q <= (pass_q == PassState) ? {factor_q[63:0], half ^ (half >> 32)} : {factor_q[127:1], 1'b1};
      other_q  <= half ^ (half >> 48);
      if (pass_q == PassWord) begin
        negative_o <= factor_q[127];
      end
    end else if (busy_q) begin
      left_q   <= left_q - 7'd1;
      factor_q <= product;
      sum_q    <= sums >> 1;
      carry_q  <= carries;
    end
  end

endmodule

`default_nettype wire

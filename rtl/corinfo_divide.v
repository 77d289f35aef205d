// Divides whole numbers: quotient_o is floor(dividend_i / divisor_i), towards minus infinity, and 0
// where the divisor is not above 0. Restoring division, a bit of the quotient a stage.
//
// One quotient per cycle, latency Width - Signed + 1 cycles of those with enable_i. No reset: data
// only. A sum or a product it has not: whoever wants fraction bits shifts the dividend.

`timescale 1ns/1ps
`default_nettype none

module corinfo_divide #(
  parameter Width         = 16,  // bits of dividend and quotient, 1 or more beside a sign
  parameter Signed        = 1,   // 1: these have a sign
  parameter DivisorWidth  = 8,
  parameter DivisorSigned = 0    // 1: the divisor has a sign, and then 2 bits or more
) (
  input  wire                    clk_i,
  input  wire                    enable_i,
  input  wire [Width-1:0]        dividend_i,
  input  wire [DivisorWidth-1:0] divisor_i,
  output wire [Width-1:0]        quotient_o
);

  // Parameters that it cannot have: elaboration finds no module of the reason's name.
  generate
    if (Signed != 0 && Signed != 1) begin : gen_check
      corinfo_error_signed_not_0_or_1 u_error ();
    end else if (DivisorSigned != 0 && DivisorSigned != 1) begin : gen_check
      corinfo_error_divisor_signed_not_0_or_1 u_error ();
    end else if (Width <= Signed) begin : gen_check
      corinfo_error_width_without_magnitude u_error ();
    end else if (DivisorWidth <= DivisorSigned) begin : gen_check
      corinfo_error_divisor_width_without_magnitude u_error ();
    end
  endgenerate

  localparam Bits = Width - Signed;                // of a magnitude
  localparam RestW = DivisorWidth - DivisorSigned;  // a rest is below the divisor

  // A negative dividend is complemented, which is -dividend - 1, and its quotient again: that is
  // the floor.
  wire            negative, positive;
  wire [Bits-1:0] magnitude;
  assign positive = |divisor_i[RestW-1:0] && !(DivisorSigned != 0 && divisor_i[DivisorWidth-1]);
  assign negative = Signed != 0 && dividend_i[Width-1];
  assign magnitude = dividend_i[Bits-1:0] ^ {Bits{negative}};

  // By stage: the bits of the dividend to come, above those of the quotient so far; the rest; the
  // divisor. Each has words of its own: to a simulator a wide one of all stages is one word, which
  // it copies whenever one of them changes.
  genvar s;
  generate
    for (s = 0; s < Bits; s = s + 1) begin : gen_stage
      wire [RestW:0]   shifted;
      wire             fits;
      wire [Bits-1:0]  bits;
      wire [RestW-1:0] rest, divisor;
      reg  [Bits-1:0]  bits_q;
      if (s == 0) begin : gen_first
        assign bits    = magnitude;
        assign rest    = {RestW{1'b0}};
        assign divisor = divisor_i[RestW-1:0];
      end else begin : gen_next
        assign bits    = gen_stage[s-1].bits_q;
        assign rest    = gen_stage[s-1].gen_rest.rest_q;
        assign divisor = gen_stage[s-1].gen_rest.divisor_q;
      end
      assign shifted = {rest, bits[Bits-1]};

      always @(posedge clk_i) begin
        if (enable_i) begin
          bits_q    <= bits << 1;
          bits_q[0] <= fits;
        end
      end

      if (s < Bits - 1) begin : gen_rest
        // What is shifted is below twice the divisor: the highest bit is the difference's sign.
        wire [RestW:0]   less;
        reg  [RestW-1:0] rest_q, divisor_q;
        assign less = shifted - {1'b0, divisor};
        assign fits = !less[RestW];

        always @(posedge clk_i) begin
          if (enable_i) begin
            rest_q    <= fits ? less[RestW-1:0] : shifted[RestW-1:0];
            divisor_q <= divisor;
          end
        end
      end else begin : gen_last
        assign fits = shifted >= {1'b0, divisor};
      end
    end
  endgenerate

  // The signs on their way, the newest in the lowest bit.
  reg [Bits-1:0] negative_q, positive_q;
  always @(posedge clk_i) begin
    if (enable_i) begin
      negative_q    <= negative_q << 1;
      negative_q[0] <= negative;
      positive_q    <= positive_q << 1;
      positive_q[0] <= positive;
    end
  end

  wire             flip;
  wire [Width-1:0] wide;
  reg  [Width-1:0] quotient_q;
  assign flip = negative_q[Bits-1];
  generate
    if (Signed != 0) begin : gen_signed
      assign wide = {1'b0, gen_stage[Bits-1].bits_q};
    end else begin : gen_unsigned
      assign wide = gen_stage[Bits-1].bits_q;
    end
  endgenerate

  always @(posedge clk_i) begin
    if (enable_i) begin
      quotient_q <= positive_q[Bits-1] ? wide ^ {Width{flip}} : {Width{1'b0}};
    end
  end
  assign quotient_o = quotient_q;

endmodule

`default_nettype wire

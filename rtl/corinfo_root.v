// Takes the square root of a whole number without a sign: root_o is floor(sqrt(radicand_i)).
// Restoring, a bit of the root a stage.
//
// One root per cycle, latency Width cycles of those with enable_i. No reset: data only. Whoever
// wants fraction bits shifts the radicand by two places for each.

`timescale 1ns/1ps
`default_nettype none

module corinfo_root #(
  parameter Width = 8  // bits of the root; the radicand has twice as many
) (
  input  wire               clk_i,
  input  wire               enable_i,
  input  wire [2*Width-1:0] radicand_i,
  output wire [Width-1:0]   root_o
);

  // Parameters that it cannot have: elaboration finds no module of the reason's name.
  generate
    if (Width < 1) begin : gen_check
      corinfo_error_width_below_1 u_error ();
    end
  endgenerate

  // By stage: the bits of the radicand to come, two fewer in every stage; the rest, which is twice
  // the root so far at most; the root so far. Each has words of its own: to a simulator a wide one
  // of all stages is one word, which it copies whenever one of them changes.
  genvar s;
  generate
    for (s = 0; s < Width; s = s + 1) begin : gen_stage
      localparam Left = 2 * (Width - s);

      // With another 1 at its end the square of the root grows by this, at the rest's place.
      wire [Width+1:0] shifted, trial;
      wire             fits;
      wire [Left-1:0]  radicand;
      wire [Width-1:0] rest, root;
      reg  [Width-1:0] root_q;
      if (s == 0) begin : gen_first
        assign radicand = radicand_i;
        assign rest     = {Width{1'b0}};
        assign root     = {Width{1'b0}};
      end else begin : gen_next
        assign radicand = gen_stage[s-1].gen_rest.radicand_q;
        assign rest     = gen_stage[s-1].gen_rest.rest_q;
        assign root     = gen_stage[s-1].root_q;
      end
      assign shifted = {rest, radicand[Left-1:Left-2]};
      assign trial   = {root, 2'b01};

      always @(posedge clk_i) begin
        if (enable_i) begin
          root_q    <= root << 1;
          root_q[0] <= fits;
        end
      end

      if (s < Width - 1) begin : gen_rest
        // The difference is less than 2^(Width+1) either way: its highest bit is the sign.
        wire [Width+1:0] less;
        wire             unused_high;
        reg  [Width-1:0] rest_q;
        reg  [Left-3:0]  radicand_q;
        assign less        = shifted - trial;
        assign fits        = !less[Width+1];
        assign unused_high = less[Width];

        always @(posedge clk_i) begin
          if (enable_i) begin
            rest_q     <= fits ? less[Width-1:0] : shifted[Width-1:0];
            radicand_q <= radicand[Left-3:0];
          end
        end
      end else begin : gen_last
        assign fits = shifted >= trial;
      end
    end
  endgenerate

  assign root_o = gen_stage[Width-1].root_q;

endmodule

`default_nettype wire

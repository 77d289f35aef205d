// Delays a valid bit by a fixed number of cycles and tells whether any is under way.
//
// Reset clears the line. busy_o is high from the cycle in which valid_i is high up to and including
// the cycle in which the last one leaves on valid_o.

`timescale 1ns/1ps
`default_nettype none

module corinfo_valid #(
  parameter Cycles = 1  // 0 or more
) (
  input  wire clk_i,
  input  wire rst_i,
  input  wire valid_i,
  output wire valid_o,
  output wire busy_o
);

  // Parameters that it cannot have: elaboration finds no module of the reason's name.
  generate
    if (Cycles < 0) begin : gen_check
      corinfo_error_cycles_below_0 u_error ();
    end
  endgenerate

  generate
    if (Cycles == 0) begin : gen_wire
      wire unused_inputs;
      assign unused_inputs = clk_i ^ rst_i;
      assign valid_o = valid_i;
      assign busy_o  = valid_i;
    end else begin : gen_registers
      reg  [Cycles-1:0] line_q;
      wire [Cycles:0]   line;

      assign line = {line_q, valid_i};

      always @(posedge clk_i) begin
        if (rst_i) begin
          line_q <= {Cycles{1'b0}};
        end else begin
          line_q <= line[Cycles-1:0];
        end
      end

      // Any of line_q, known a cycle before.
      reg rest_q;

      always @(posedge clk_i) begin
        rest_q <= !rst_i && |line[Cycles-1:0];
      end

      assign valid_o = line[Cycles];
      assign busy_o  = rest_q || valid_i;
    end
  endgenerate

endmodule

`default_nettype wire

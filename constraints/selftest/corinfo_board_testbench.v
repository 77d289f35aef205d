// Testbench of a board: the whole FPGA with a clock and no button pressed. Under Icarus it runs
// until the LEDs say that the self-test passed or failed, and prints which; under Verilator
// corinfo_board_testbench.cpp does. Macros: BOARD, the FPGA's module; CLOCK, BUTTONS and LEDS, its
// ports; BUTTON_COUNT.

`timescale 1ns/1ps
`default_nettype none

module corinfo_board_testbench
`ifdef VERILATOR
(
  input  wire       clock,
  output wire [7:0] led
);
`else
;
  localparam Limit = 100000000;  // cycles

  reg        clock = 1'b0;
  wire [7:0] led;
  integer    cycle;
  reg        done;

  initial begin
    done = 1'b0;
    for (cycle = 0; cycle < Limit && !done; cycle = cycle + 1) begin
      #20 clock = 1'b1;
      #20 clock = 1'b0;
      done = led[7] === 1'b1 || led[6] === 1'b1;
    end
    if (led[7:6] === 2'b10) begin
      $display("passed after %0d cycles", cycle);
    end else begin
      $display("failed after %0d cycles: LEDs %b", cycle, led);
    end
    $finish;
  end
`endif

  `BOARD u_board (
    .`CLOCK  (clock),
    .`BUTTONS({`BUTTON_COUNT{1'b0}}),
    .`LEDS   (led)
  );

endmodule

`default_nettype wire

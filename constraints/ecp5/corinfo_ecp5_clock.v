// Clock and reset of an ECP5: the PLL multiplies the board's oscillator, and rst_o is high from
// configuration until the PLL has locked and 2^ResetW further cycles have passed.
//
// The output is oscillator x FeedbackDivider / InputDivider; the PLL's own oscillator runs
// OutputDivider times as fast as that, at 400 to 800 MHz. The feedback comes from the output, so
// its phase is the oscillator's, whatever the divider's own phase.

`timescale 1ns/1ps
`default_nettype none

module corinfo_ecp5_clock #(
  parameter InputDivider    = 1,
  parameter FeedbackDivider = 4,
  parameter OutputDivider   = 6,
  parameter ResetW          = 4
) (
  input  wire oscillator_i,
  output wire clk_o,
  output wire rst_o
);

  wire locked;

  // What is not set here is off. The loop filter's settings are those of the vendor's tools for these frequencies.
  (* ICP_CURRENT = "12" *)
  (* LPF_RESISTOR = "8" *)
  (* MFG_ENABLE_FILTEROPAMP = "1" *)
  (* MFG_GMCREF_SEL = "2" *)
  EHXPLLL #(
    .CLKI_DIV    (InputDivider),
    .CLKFB_DIV   (FeedbackDivider),
    .CLKOP_ENABLE("ENABLED"),
    .CLKOP_DIV   (OutputDivider),
    .CLKOP_CPHASE(OutputDivider / 2),
    .CLKOP_FPHASE(0),
    .FEEDBK_PATH ("CLKOP")
  ) u_pll (
    .CLKI        (oscillator_i),
    .CLKFB       (clk_o),
    .CLKOP       (clk_o),
    .LOCK        (locked),
    .RST         (1'b0),
    .STDBY       (1'b0),
    .PHASESEL0   (1'b0),
    .PHASESEL1   (1'b0),
    .PHASEDIR    (1'b1),
    .PHASESTEP   (1'b1),
    .PHASELOADREG(1'b1),
    .PLLWAKESYNC (1'b0),
    .ENCLKOP     (1'b0)
  );

  // Registers start from their initial values at configuration. LOCK comes at any time.
  reg [1:0]      locked_q = 2'd0;
  reg [ResetW:0] wait_q   = {(ResetW + 1){1'b0}};

  always @(posedge clk_o) begin
    locked_q <= {locked_q[0], locked};
    if (!locked_q[1]) begin
      wait_q <= {(ResetW + 1){1'b0}};
    end else if (!wait_q[ResetW]) begin
      wait_q <= wait_q + {{ResetW{1'b0}}, 1'b1};
    end
  end

  assign rst_o = !wait_q[ResetW];

endmodule

`default_nettype wire

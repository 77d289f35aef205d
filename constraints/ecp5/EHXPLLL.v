// The ECP5's PLL for simulation: as far as the self-test uses it. The output is the input clock
// itself, since nothing that is simulated depends on the frequency; LOCK comes after LockCycles
// of it. Settings that the device would refuse end the simulation.

`timescale 1ns/1ps
`default_nettype none

module EHXPLLL #(
  parameter CLKI_DIV     = 1,
  parameter CLKFB_DIV    = 1,
  parameter CLKOP_ENABLE = "ENABLED",
  parameter CLKOP_DIV    = 8,
  parameter CLKOP_CPHASE = 0,
  parameter CLKOP_FPHASE = 0,
  parameter FEEDBK_PATH  = "CLKOP"
) (
  input  wire CLKI,
  input  wire CLKFB,
  output wire CLKOP,
  output wire LOCK,
  input  wire RST,
  input  wire STDBY,
  input  wire PHASESEL0,
  input  wire PHASESEL1,
  input  wire PHASEDIR,
  input  wire PHASESTEP,
  input  wire PHASELOADREG,
  input  wire PLLWAKESYNC,
  input  wire ENCLKOP
);

  localparam [3:0] LockCycles = 4'd12;

  reg [3:0] cycles_q = 4'd0;

  initial begin
    if (CLKI_DIV < 1 || CLKI_DIV > 128 || CLKFB_DIV < 1 || CLKFB_DIV > 80 || CLKOP_DIV < 1 || CLKOP_DIV > 128
        || CLKOP_CPHASE > 127 || CLKOP_FPHASE != 0 || CLKOP_ENABLE != "ENABLED" || FEEDBK_PATH != "CLKOP") begin
      $display("EHXPLLL: a setting that this model or the device does not have");
      $finish;
    end
  end

  always @(posedge CLKI) begin
    if (cycles_q != LockCycles) begin
      cycles_q <= cycles_q + 4'd1;
    end
  end

  assign CLKOP = CLKI;
  assign LOCK  = cycles_q == LockCycles;

  wire unused;
  assign unused = ^{CLKFB, RST, STDBY, PHASESEL0, PHASESEL1, PHASEDIR, PHASESTEP, PHASELOADREG,
      PLLWAKESYNC, ENCLKOP};

endmodule

`default_nettype wire

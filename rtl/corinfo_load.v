// Loads a sample: its words by corinfo_input, then the event of the unit that is always 1, if the network has one.
//
// start_i opens a sample. Its events stand on event_* while event_valid_o, until event_take_i. busy_o is high from
// start_i on; done_o comes once, when the last event was taken. short_o or long_o is high then if the sample had the
// wrong length.

`timescale 1ns/1ps
`default_nettype none

module corinfo_load #(
  parameter Inputs      = 784,  // words of a sample
  parameter Batch       = 1,    // samples kept
  parameter SampleW     = 1,
  parameter InputAddrW  = 10,
  parameter XWidth      = 9,
  parameter XSigned     = 0,    // 1: inputs are signed
  parameter ChangeWidth = 16,
  parameter SignalW     = 3,
  parameter OneSignal   = 0,    // of the unit that is always 1; 0: there is none
  parameter ReadCycles  = 2,
  parameter Dense       = 0,    // 1: zeros are events too
  parameter Keep        = 1     // 0: words are not kept for learning, and nothing is fetched
) (
  input  wire                   clk_i,
  input  wire                   rst_i,

  input  wire                   start_i,
  input  wire [SampleW-1:0]     sample_i,       // its number in the mini-batch
  output wire                   busy_o,
  output wire                   done_o,
  output wire                   short_o,
  output wire                   long_o,

  input  wire                   valid_i,
  output wire                   ready_o,
  input  wire                   last_i,
  input  wire [XWidth-1:0]      data_i,

  output wire                   event_valid_o,
  output wire [SignalW-1:0]     event_signal_o,
  output wire [15:0]            event_neuron_o,
  output wire [ChangeWidth-1:0] event_change_o,
  input  wire                   event_take_i,

  input  wire [InputAddrW-1:0]  fetch_addr_i,
  output wire [XWidth-1:0]      fetch_data_o,   // ReadCycles after its address
  input  wire                   live_re_i,
  input  wire [15:0]            live_input_i,
  output wire                   live_o          // a cycle later; low: it is zero in the whole mini-batch
);

  // Parameters that it cannot have: elaboration finds no module of the reason's name.
  generate
    if (SignalW < 1 || OneSignal < 0 || OneSignal >> SignalW != 0) begin : gen_check
      corinfo_error_signal_w_too_narrow u_error ();
    end else if (XWidth < 1 || ChangeWidth <= XWidth) begin : gen_check
      corinfo_error_change_width_not_above_x_width u_error ();
    end
  endgenerate

  localparam [31:0] OneSignalWord = OneSignal;

  wire              input_busy, input_valid;
  wire [15:0]       neuron;
  wire [XWidth-1:0] word;
  reg               was_q, one_q, done_q;
  corinfo_input #(
    .Inputs(Inputs), .Batch(Batch), .SampleW(SampleW), .InputAddrW(InputAddrW), .XWidth(XWidth),
    .ReadCycles(ReadCycles), .Dense(Dense), .Keep(Keep)
  ) u_input (
    .clk_i         (clk_i),
    .rst_i         (rst_i),
    .start_i       (start_i),
    .sample_i      (sample_i),
    .busy_o        (input_busy),
    .short_o       (short_o),
    .long_o        (long_o),
    .valid_i       (valid_i),
    .ready_o       (ready_o),
    .last_i        (last_i),
    .data_i        (data_i),
    .event_valid_o (input_valid),
    .event_neuron_o(neuron),
    .event_word_o  (word),
    .event_take_i  (event_take_i && !one_q),
    .fetch_addr_i  (fetch_addr_i),
    .fetch_data_o  (fetch_data_o),
    .live_re_i     (live_re_i),
    .live_input_i  (live_input_i),
    .live_o        (live_o)
  );
  always @(posedge clk_i) begin
    was_q <= !rst_i && input_busy;
    if (rst_i) begin
      one_q  <= 1'b0;
      done_q <= 1'b0;
    end else begin
      if (was_q && !input_busy && OneSignal != 0) begin
        one_q <= 1'b1;
      end else if (event_take_i) begin
        one_q <= 1'b0;
      end
      done_q <= (OneSignal != 0) ? one_q && event_take_i : was_q && !input_busy;
    end
  end
  assign busy_o         = input_busy || one_q || start_i;
  assign done_o         = done_q;
  assign event_valid_o  = input_valid || one_q;
  assign event_signal_o = one_q ? OneSignalWord[SignalW-1:0] : {SignalW{1'b0}};
  assign event_neuron_o = one_q ? 16'd0 : neuron;
  assign event_change_o = one_q ? {{(ChangeWidth - 1){1'b0}}, 1'b1}
                                : {{(ChangeWidth - XWidth){XSigned != 0 && word[XWidth-1]}}, word};

endmodule

`default_nettype wire

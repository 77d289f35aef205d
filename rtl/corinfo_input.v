// Takes the words of a sample: keeps all of them for learning and makes an event of each that is not zero.
//
// start_i opens a sample; words are taken with valid_i and ready_o from the next cycle on, up to the one with last_i.
// An event stands on event_* while event_valid_o, until event_take_i; busy_o is high until the last word was taken and
// has left. A sample whose last word is not word Inputs - 1 has the wrong length: short_o or long_o is high from then
// on, until the next start_i, and words behind word Inputs - 1 are dropped. A kept word appears on fetch_data_o
// ReadCycles after its address. live_o is low, a cycle after live_re_i and until the next, if input live_input_i
// is zero in the whole mini-batch; with a mini-batch of one sample it is always high.

`timescale 1ns/1ps
`default_nettype none

module corinfo_input #(
  parameter Inputs     = 784,  // words of a sample
  parameter Batch      = 1,    // samples kept
  parameter SampleW    = 1,
  parameter InputAddrW = 10,
  parameter XWidth     = 9,
  parameter ReadCycles = 2,
  parameter Dense      = 0,    // 1: zeros are events too
  parameter Keep       = 1     // 0: words are not kept for learning, and nothing is fetched
) (
  input  wire                  clk_i,
  input  wire                  rst_i,

  input  wire                  start_i,
  input  wire [SampleW-1:0]    sample_i,       // its number in the mini-batch
  output wire                  busy_o,
  output reg                   short_o,
  output reg                   long_o,

  input  wire                  valid_i,
  output wire                  ready_o,
  input  wire                  last_i,
  input  wire [XWidth-1:0]     data_i,

  output wire                  event_valid_o,
  output wire [15:0]           event_neuron_o,
  output wire [XWidth-1:0]     event_word_o,
  input  wire                  event_take_i,

  input  wire [InputAddrW-1:0] fetch_addr_i,
  output wire [XWidth-1:0]     fetch_data_o,
  input  wire                  live_re_i,
  input  wire [15:0]           live_input_i,
  output wire                  live_o
);

  // Parameters that it cannot have: elaboration finds no module of the reason's name.
  generate
    if (Inputs < 1 || Inputs > 65535) begin : gen_check
      corinfo_error_inputs_not_1_to_65535 u_error ();
    end else if (Batch < 1) begin : gen_check
      corinfo_error_batch_below_1 u_error ();
    end else if (SampleW < 1 || (Batch - 1) >> SampleW != 0) begin : gen_check
      corinfo_error_sample_w_too_narrow u_error ();
    end else if (InputAddrW < 1 || InputAddrW > 32 || (Batch * Inputs - 1) >> InputAddrW != 0) begin : gen_check
      corinfo_error_input_addr_w_too_narrow u_error ();
    end else if (XWidth < 1) begin : gen_check
      corinfo_error_x_width_below_1 u_error ();
    end else if (ReadCycles != 1 && ReadCycles != 2) begin : gen_check
      corinfo_error_read_cycles_not_1_or_2 u_error ();
    end
  endgenerate

  localparam [31:0] InputsWord    = Inputs;
  localparam [31:0] LastInputWord = Inputs - 1;
  localparam        Depth         = (Batch * Inputs > 2) ? Batch * Inputs : 2;
  localparam        BankWords     = 2048;
  localparam        Banks         = (Depth + BankWords - 1) / BankWords;
  localparam        BankDepth     = (Banks > 1) ? BankWords : Depth;
  localparam        BankAddrW     = $clog2(BankDepth);

  function [31:0] bank_of;
    input [InputAddrW-1:0] address;
    begin
      bank_of = {{(32 - InputAddrW){1'b0}}, address} >> BankAddrW;
    end
  endfunction

  reg                  open_q;    // words are still to come
  reg                  over_q;    // of them those that are too many
  reg [15:0]           neuron_q;
  reg                  event_q;   // the word taken last waits to leave
  reg [15:0]           event_neuron_q;
  reg [XWidth-1:0]     word_q;
  wire                 take, full;

  assign busy_o         = open_q || event_q;
  assign ready_o        = open_q && (!event_q || event_take_i);
  assign take           = ready_o && valid_i;
  assign full           = neuron_q == LastInputWord[15:0];
  assign event_valid_o  = event_q;
  assign event_neuron_o = event_neuron_q;
  assign event_word_o   = word_q;

  always @(posedge clk_i) begin
    if (rst_i) begin
      open_q  <= 1'b0;
      event_q <= 1'b0;
    end else begin
      if (start_i) begin
        open_q <= 1'b1;
      end else if (take && last_i) begin
        open_q <= 1'b0;
      end
      if (take) begin
        event_q <= !over_q && (data_i != {XWidth{1'b0}} || Dense != 0);
      end else if (event_take_i) begin
        event_q <= 1'b0;
      end
    end
    if (start_i) begin
      neuron_q <= 16'd0;
      over_q   <= 1'b0;
      short_o  <= 1'b0;
      long_o   <= 1'b0;
    end else if (take && !over_q) begin
      neuron_q <= neuron_q + 16'd1;
      over_q   <= full;
      short_o  <= last_i && !full;
      long_o   <= !last_i && full;
    end
    if (take) begin
      event_neuron_q <= neuron_q;
      word_q         <= data_i;
    end
  end

  // Words are kept, in banks: the choice among them is made behind their registers. A word is written a cycle after it
  // is taken.
  genvar b;
  generate
    if (Keep != 0) begin : gen_keep
      reg  [31:0]             sample_inputs;
      reg  [InputAddrW-1:0]   addr_q, sample_base_q, put_addr_q;
      reg                     put_q;
      reg  [XWidth-1:0]       put_data_q;
      wire [Banks*XWidth-1:0] words;
      wire [InputAddrW-1:0]   fetch_late;
      reg  [XWidth-1:0]       chosen;
      integer                 i, k;
      // sample_i x Inputs, without a multiplier.
      always @* begin
        sample_inputs = 32'd0;
        for (i = 0; i < SampleW; i = i + 1) begin
          sample_inputs = sample_inputs + (sample_i[i] ? InputsWord << i : 32'd0);
        end
      end
      always @(posedge clk_i) begin
        sample_base_q <= sample_inputs[InputAddrW-1:0];
        if (start_i) begin
          addr_q <= sample_base_q;
        end else if (take) begin
          addr_q <= addr_q + {{(InputAddrW - 1){1'b0}}, 1'b1};
        end
        put_q      <= take && !over_q && !rst_i;
        put_addr_q <= addr_q;
        put_data_q <= data_i;
      end
      corinfo_delay #(.Width(InputAddrW), .Cycles(ReadCycles)) u_fetch_late (
        .clk_i(clk_i), .data_i(fetch_addr_i), .data_o(fetch_late)
      );
      for (b = 0; b < Banks; b = b + 1) begin : gen_bank
        localparam [31:0] Bank = b;
        corinfo_ram #(
          .Width (XWidth),
          .Depth (BankDepth),
          .Cycles(ReadCycles)
        ) u_input (
          .clk_i  (clk_i),
          .we_i   (put_q && bank_of(put_addr_q) == Bank),
          .waddr_i(put_addr_q[BankAddrW-1:0]),
          .wdata_i(put_data_q),
          .re_i   (1'b1),
          .raddr_i(fetch_addr_i[BankAddrW-1:0]),
          .rdata_o(words[XWidth*b +: XWidth])
        );
      end
      always @* begin
        chosen = {XWidth{1'b0}};
        for (k = 0; k < Banks; k = k + 1) begin
          chosen = chosen | ({XWidth{bank_of(fetch_late) == k}} & words[XWidth*k +: XWidth]);
        end
      end
      assign fetch_data_o = chosen;
      if (Batch > 1) begin : gen_live
        reg first_q;   // of the mini-batch
        always @(posedge clk_i) begin
          if (start_i) begin
            first_q <= sample_i == {SampleW{1'b0}};
          end
        end
        corinfo_live_inputs #(.Inputs(Inputs)) u_live (
          .clk_i      (clk_i),
          .rst_i      (rst_i),
          .put_i      (put_q),
          .put_first_i(first_q),
          .put_input_i(event_neuron_q),
          .put_live_i (put_data_q != {XWidth{1'b0}}),
          .re_i       (live_re_i),
          .input_i    (live_input_i),
          .live_o     (live_o)
        );
      end else begin : gen_single
        wire unused_live;
        assign live_o      = 1'b1;
        assign unused_live = ^{live_re_i, live_input_i};
      end
      wire unused_bits;
      assign unused_bits = ^{sample_inputs, fetch_late};
    end else begin : gen_none
      assign fetch_data_o = {XWidth{1'b0}};
      assign live_o       = 1'b1;
      wire unused_bits;
      assign unused_bits = ^{sample_i, fetch_addr_i, InputsWord, bank_of(fetch_addr_i), live_re_i, live_input_i};
    end
  endgenerate

endmodule

`default_nettype wire

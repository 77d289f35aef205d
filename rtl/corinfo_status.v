// What the design is doing and what went wrong, for the host at any time; a watchdog; and aborts.
//
// Words, of which place_i names one; word_o is that one. A write is we_i with data_i.
//   0 status   bits 2:0 a command is under way, a sample's word is waited for, a result waits to be taken; read only
//              bits 15:8 errors, which stay until a 1 is written to them: 8 a sample was too short, 9 too long, 10 the
//              watchdog has aborted, 11 the host has aborted, 12 a design for inference only was to learn
//              bits 23:16 commands under way
//   1 abort    a write ends all commands under way
//   2 watchdog cycles, 0: off. So many without a command, a word of a sample or a result taken, or an update done,
//              while a command is under way, and it aborts
//   3 reset    what the last one interrupted: bits 7:0 commands under way, 8 a sample was being taken, 9 a result
//              waited, 10 an update; bits 63:32 how many commands had been taken since the reset before. rst_i leaves
//              it alone; 0 at first
//
// abort_o is high for a cycle, or for two where another abort is asked for in the first. An update that has begun is
// let end before. An abort drops the open mini-batch; it leaves alone what the host has written, and the counters.

`timescale 1ns/1ps
`default_nettype none

module corinfo_status (
  input  wire        clk_i,
  input  wire        rst_i,
  input  wire        held_i,        // the reset before is still held
  output wire        abort_o,

  input  wire        we_i,
  input  wire [1:0]  place_i,
  input  wire [31:0] data_i,
  output reg  [63:0] word_o,

  input  wire        busy_i,        // a command is under way
  input  wire [7:0]  commands_i,    // how many
  input  wire        accepted_i,    // one is taken
  input  wire        loading_i,     // a sample is being taken
  input  wire        waiting_i,     // for its next word
  input  wire        answered_i,    // a result waits
  input  wire        updating_i,    // an update is under way, until all of it is done
  input  wire        progress_i,    // something was taken or done
  input  wire        short_i,       // a sample was too short
  input  wire        long_i,
  input  wire        refused_i      // it was to learn
);

  // Definitions of status, printed from hdlgen/design/definitions.go.
  localparam [1:0] PlaceStatus   = 2'd0;
  localparam [1:0] PlaceAbort    = 2'd1;
  localparam [1:0] PlaceWatchdog = 2'd2;
  localparam [1:0] PlaceReset    = 2'd3;
  // End of definitions.

  reg  [4:0]  errors_q;
  reg         pending_q;       // an abort
  reg  [31:0] limit_q, quiet_q, taken_q;
  reg  [10:0] interrupted_q;
  reg  [31:0] before_q;
  reg         late_q;
  wire        late, asked;
  initial begin
    interrupted_q = 11'd0;
    before_q      = 32'd0;
  end

  assign late    = late_q && limit_q != 32'd0 && busy_i && !progress_i && !updating_i;
  assign asked   = we_i && place_i == PlaceAbort;
  assign abort_o = pending_q && !updating_i;

  always @(posedge clk_i) begin
    if (rst_i) begin
      errors_q  <= 5'd0;
      pending_q <= 1'b0;
      limit_q   <= 32'd0;
      quiet_q   <= 32'd0;
      late_q    <= 1'b0;
      taken_q   <= 32'd0;
    end else begin
      errors_q  <= (errors_q & ~(data_i[12:8] & {5{we_i && place_i == PlaceStatus}}))
                   | {refused_i, asked, late, long_i, short_i};
      pending_q <= asked || late || (pending_q && !abort_o);
      quiet_q   <= (!busy_i || progress_i || late) ? 32'd0 : quiet_q + 32'd1;
      late_q    <= quiet_q >= limit_q && busy_i && !progress_i && !late;
      if (we_i && place_i == PlaceWatchdog) begin
        limit_q <= data_i;
      end
      if (accepted_i) begin
        taken_q <= taken_q + 32'd1;
      end
    end
    if (rst_i && !held_i) begin
      interrupted_q <= {updating_i, answered_i, loading_i, commands_i};
      before_q      <= taken_q;
    end
  end

  always @* begin
    case (place_i)
      PlaceStatus:   word_o = {40'd0, commands_i, 3'd0, errors_q, 5'd0, answered_i, waiting_i, busy_i};
      PlaceAbort:    word_o = {63'd0, pending_q};
      PlaceWatchdog: word_o = {32'd0, limit_q};
      PlaceReset:    word_o = {before_q, 21'd0, interrupted_q};
      default:       word_o = 64'd0;
    endcase
  end

  wire unused_bits;
  assign unused_bits = ^data_i;

endmodule

`default_nettype wire

// One access at a time, answered ReadCycles + 6 cycles after it was taken, and written by nothing else.

`timescale 1ns/1ps
`default_nettype none

module corinfo_host_formal #(
  parameter ReadCycles = 2
) (
  input wire clk_i,
  input wire rst_i,
  input wire started_q,
  input wire accept,
  input wire ready_o,
  input wire write_q,
  input wire done_o,
  input wire error_o,
  input wire [63:0] data_o,
  input wire synapse_we_o,
  input wire [6:0] table_we_o,
  input wire status_we_o
);

  reg        under_q;    // an access is under way
  reg [31:0] age_q;
  wire       writes;
  assign writes = synapse_we_o || table_we_o != 7'd0 || status_we_o;
  always @(posedge clk_i) begin
    under_q <= !rst_i && (accept || (under_q && !done_o));
    age_q   <= accept ? 32'd1 : age_q + 32'd1;
  end

  always @(posedge clk_i) begin : behaviour
    if (started_q && !rst_i) begin
      assert (!accept || !under_q) else $fatal(1, "corinfo_host: an access is taken in another one");
      assert (done_o == (under_q && age_q == ReadCycles + 6))
      else $fatal(1, "corinfo_host: an access is not answered after ReadCycles + 6 cycles");
      assert (!error_o || done_o) else $fatal(1, "corinfo_host: an error without an answer");
      assert (!error_o || data_o == 64'd0) else $fatal(1, "corinfo_host: a refused access reads a word");
      assert (!writes || (under_q && write_q)) else $fatal(1, "corinfo_host: a write without an access that writes");
      assert (!(synapse_we_o && status_we_o) && (table_we_o & (table_we_o - 7'd1)) == 7'd0
              && (table_we_o == 7'd0 || !(synapse_we_o || status_we_o)))
      else $fatal(1, "corinfo_host: an access writes two words");
    end
  end

endmodule

`default_nettype wire

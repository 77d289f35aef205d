// The steps go to one sample at a time that wants them, when they are free, and a group's to no other sample.

`timescale 1ns/1ps
`default_nettype none

module corinfo_grant_formal #(
  parameter Contexts = 1,
  parameter ContextW = 1,
  parameter Groups = 0
) (
  input wire clk_i,
  input wire rst_i,
  input wire started_q,
  input wire [Contexts-1:0] wants_i,
  input wire steps_busy_i,
  input wire steps_done_i,
  input wire [Contexts-1:0] grant_o,
  input wire start_o,
  input wire [ContextW-1:0] owner_o,
  input wire [Contexts-1:0] reading_i,
  input wire [Contexts-1:0] held_i,
  input wire [Contexts-1:0] allow_o
);

  localparam [Contexts-1:0] First = 1;

  reg [Contexts-1:0] grant_q, kept_q;   // kept_q: whose events are kept back
  always @(posedge clk_i) begin
    grant_q <= rst_i ? {Contexts{1'b0}} : grant_o;
    kept_q  <= rst_i ? {Contexts{1'b0}} : grant_o | reading_i | held_i;
  end

  always @(posedge clk_i) begin : environment
    if (started_q && !rst_i) begin
      assert (!steps_done_i || steps_busy_i) else $fatal(1, "corinfo_grant: a step ends that did not begin");
    end
  end

  always @(posedge clk_i) begin : behaviour
    if (started_q && !rst_i) begin
      assert ((grant_o & ~wants_i) == {Contexts{1'b0}})
      else $fatal(1, "corinfo_grant: the steps are granted to a sample that does not want them");
      assert ((grant_o & (grant_o - 1'b1)) == {Contexts{1'b0}})
      else $fatal(1, "corinfo_grant: the steps are granted to several samples");
      assert (Groups == 0 || held_i == {Contexts{1'b0}} || (grant_o & ~held_i) == {Contexts{1'b0}})
      else $fatal(1, "corinfo_grant: a sample's step between those of another one's group");
      assert (grant_o == {Contexts{1'b0}} || !steps_busy_i || steps_done_i)
      else $fatal(1, "corinfo_grant: the steps are granted while they are busy");
      assert (start_o == (grant_q != {Contexts{1'b0}}))
      else $fatal(1, "corinfo_grant: a step does not begin behind its grant");
      assert (!start_o || grant_q == First << owner_o)
      else $fatal(1, "corinfo_grant: a step begins for another sample");
      assert ((allow_o & kept_q) == {Contexts{1'b0}})
      else $fatal(1, "corinfo_grant: events may go while a step reads their sums");
    end
  end

endmodule

`default_nettype wire

// Counts the lanes that raise a flag: adds the number of ones in flags_i in every cycle in which
// enable_i is high. The total is four cycles late; it wraps after 2^48.

`default_nettype none

module corinfo_counter #(
  parameter Lanes = 16
) (
  input  wire             clk_i,
  input  wire             rst_i,
  input  wire             enable_i,
  input  wire [Lanes-1:0] flags_i,
  output wire [47:0]      total_o
);

  localparam OnesW = 9;  // up to 256 lanes
  localparam Half  = (Lanes + 1) / 2;

  reg  [Lanes-1:0] flags_q;
  reg  [OnesW-1:0] low, high, low_q, high_q, ones_q;
  reg  [47:0]      total_q;
  integer          i;

  // The ones of either half of the lanes.
  always @* begin
    low  = {OnesW{1'b0}};
    high = {OnesW{1'b0}};
    for (i = 0; i < Half; i = i + 1) begin
      low = low + {{(OnesW - 1){1'b0}}, flags_q[i]};
    end
    for (i = Half; i < Lanes; i = i + 1) begin
      high = high + {{(OnesW - 1){1'b0}}, flags_q[i]};
    end
  end

  always @(posedge clk_i) begin
    if (rst_i) begin
      flags_q <= {Lanes{1'b0}};
      low_q   <= {OnesW{1'b0}};
      high_q  <= {OnesW{1'b0}};
      ones_q  <= {OnesW{1'b0}};
      total_q <= 48'd0;
    end else begin
      flags_q <= enable_i ? flags_i : {Lanes{1'b0}};
      low_q   <= low;
      high_q  <= high;
      ones_q  <= low_q + high_q;
      total_q <= total_q + {{(48 - OnesW){1'b0}}, ones_q};
    end
  end

  assign total_o = total_q;

endmodule

`default_nettype wire

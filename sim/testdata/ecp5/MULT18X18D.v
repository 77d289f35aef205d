// A multiplier of an ECP5, as far as netlists use it: 18 x 18 bits, each signed or not; no registers, or
// those of operands and product, at CLK0. For simulating netlists.

module MULT18X18D (
  input wire
    A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0, B17, B16, B15,
    B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0, C17, C16, C15, C14, C13, C12,
    C11, C10, C9, C8, C7, C6, C5, C4, C3, C2, C1, C0, SIGNEDA, SIGNEDB, SOURCEA, SOURCEB, CE0, CE1,
    CE2, CE3, CLK0, CLK1, CLK2, CLK3, RST0, RST1, RST2, RST3,
  output wire
    P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18, P17,
    P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0
);

  parameter REG_INPUTA_CLK = "NONE";
  parameter REG_INPUTA_CE  = "CE0";
  parameter REG_INPUTA_RST = "RST0";
  parameter REG_INPUTB_CLK = "NONE";
  parameter REG_INPUTB_CE  = "CE0";
  parameter REG_INPUTB_RST = "RST0";
  parameter REG_OUTPUT_CLK = "NONE";
  parameter REG_OUTPUT_CE  = "CE0";
  parameter REG_OUTPUT_RST = "RST0";

  wire [17:0]        a, b;
  wire signed [18:0] left, right;
  wire signed [37:0] product;
  reg  [17:0]        a_q, b_q;
  reg  [35:0]        product_q;
  assign a = {A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0};
  assign b = {B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0};
  assign left  = (REG_INPUTA_CLK == "CLK0") ? {SIGNEDA && a_q[17], a_q} : {SIGNEDA && a[17], a};
  assign right = (REG_INPUTB_CLK == "CLK0") ? {SIGNEDB && b_q[17], b_q} : {SIGNEDB && b[17], b};
  assign product = left * right;

  // The enable of a name.
  wire a_enable, b_enable, p_enable;
  assign a_enable = (REG_INPUTA_CE == "CE0") ? CE0 : (REG_INPUTA_CE == "CE1") ? CE1 : (REG_INPUTA_CE == "CE2") ? CE2 : CE3;
  assign b_enable = (REG_INPUTB_CE == "CE0") ? CE0 : (REG_INPUTB_CE == "CE1") ? CE1 : (REG_INPUTB_CE == "CE2") ? CE2 : CE3;
  assign p_enable = (REG_OUTPUT_CE == "CE0") ? CE0 : (REG_OUTPUT_CE == "CE1") ? CE1 : (REG_OUTPUT_CE == "CE2") ? CE2 : CE3;
  always @(posedge CLK0) begin
    if (a_enable) begin
      a_q <= a;
    end
    if (b_enable) begin
      b_q <= b;
    end
    if (p_enable) begin
      product_q <= product[35:0];
    end
  end

  assign {
    P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18, P17,
    P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0} = (REG_OUTPUT_CLK == "CLK0") ? product_q : product[35:0];

  // What is not modelled is not passed over.
  initial begin
    if (REG_INPUTA_CLK != "NONE" && REG_INPUTA_CLK != "CLK0" || REG_INPUTB_CLK != "NONE" && REG_INPUTB_CLK != "CLK0"
        || REG_OUTPUT_CLK != "NONE" && REG_OUTPUT_CLK != "CLK0") begin
      $display("MULT18X18D: a mode without a model");
      $finish;
    end
  end

endmodule

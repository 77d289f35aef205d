// A block memory of an ECP5, as far as netlists use it: two ports of 18 or 9 bits, or one to write and
// one to read of 36; with REGMODE OUTREG a register with an enable of its own behind each; what is read is
// what was there before. For simulating netlists.
//
// A word of 36 bits is written by port A, its low half at DIA, and read by port B, its low half at DOA; ADA3 to
// ADA0 tell which bytes are written. A word of 18 bits is two bytes of 9; ADx0 and ADx1 tell which of them a port writes. INITVAL_n holds
// words 16 n to 16 n + 15, each in the lowest 18 of 20 bits.

module DP16KD (
  input wire
    DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4,
    DIA3, DIA2, DIA1, DIA0, ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3,
    ADA2, ADA1, ADA0, CEA, OCEA, CLKA, WEA, RSTA, CSA2, CSA1, CSA0,
  input wire
    DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4,
    DIB3, DIB2, DIB1, DIB0, ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3,
    ADB2, ADB1, ADB0, CEB, OCEB, CLKB, WEB, RSTB, CSB2, CSB1, CSB0,
  output wire
    DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4,
    DOA3, DOA2, DOA1, DOA0, DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8,
    DOB7, DOB6, DOB5, DOB4, DOB3, DOB2, DOB1, DOB0
);

  parameter DATA_WIDTH_A = 18;
  parameter DATA_WIDTH_B = 18;
  parameter REGMODE_A = "";
  parameter REGMODE_B = "";
  parameter RESETMODE = "";
  parameter ASYNC_RESET_RELEASE = "";
  parameter CSDECODE_A = "";
  parameter CSDECODE_B = "";
  parameter WRITEMODE_A = "";
  parameter WRITEMODE_B = "";
  parameter GSR = "";
  parameter CLKAMUX = "";
  parameter CLKBMUX = "";
  parameter [319:0] INITVAL_00 = 320'd0;
  parameter [319:0] INITVAL_01 = 320'd0;
  parameter [319:0] INITVAL_02 = 320'd0;
  parameter [319:0] INITVAL_03 = 320'd0;
  parameter [319:0] INITVAL_04 = 320'd0;
  parameter [319:0] INITVAL_05 = 320'd0;
  parameter [319:0] INITVAL_06 = 320'd0;
  parameter [319:0] INITVAL_07 = 320'd0;
  parameter [319:0] INITVAL_08 = 320'd0;
  parameter [319:0] INITVAL_09 = 320'd0;
  parameter [319:0] INITVAL_0A = 320'd0;
  parameter [319:0] INITVAL_0B = 320'd0;
  parameter [319:0] INITVAL_0C = 320'd0;
  parameter [319:0] INITVAL_0D = 320'd0;
  parameter [319:0] INITVAL_0E = 320'd0;
  parameter [319:0] INITVAL_0F = 320'd0;
  parameter [319:0] INITVAL_10 = 320'd0;
  parameter [319:0] INITVAL_11 = 320'd0;
  parameter [319:0] INITVAL_12 = 320'd0;
  parameter [319:0] INITVAL_13 = 320'd0;
  parameter [319:0] INITVAL_14 = 320'd0;
  parameter [319:0] INITVAL_15 = 320'd0;
  parameter [319:0] INITVAL_16 = 320'd0;
  parameter [319:0] INITVAL_17 = 320'd0;
  parameter [319:0] INITVAL_18 = 320'd0;
  parameter [319:0] INITVAL_19 = 320'd0;
  parameter [319:0] INITVAL_1A = 320'd0;
  parameter [319:0] INITVAL_1B = 320'd0;
  parameter [319:0] INITVAL_1C = 320'd0;
  parameter [319:0] INITVAL_1D = 320'd0;
  parameter [319:0] INITVAL_1E = 320'd0;
  parameter [319:0] INITVAL_1F = 320'd0;
  parameter [319:0] INITVAL_20 = 320'd0;
  parameter [319:0] INITVAL_21 = 320'd0;
  parameter [319:0] INITVAL_22 = 320'd0;
  parameter [319:0] INITVAL_23 = 320'd0;
  parameter [319:0] INITVAL_24 = 320'd0;
  parameter [319:0] INITVAL_25 = 320'd0;
  parameter [319:0] INITVAL_26 = 320'd0;
  parameter [319:0] INITVAL_27 = 320'd0;
  parameter [319:0] INITVAL_28 = 320'd0;
  parameter [319:0] INITVAL_29 = 320'd0;
  parameter [319:0] INITVAL_2A = 320'd0;
  parameter [319:0] INITVAL_2B = 320'd0;
  parameter [319:0] INITVAL_2C = 320'd0;
  parameter [319:0] INITVAL_2D = 320'd0;
  parameter [319:0] INITVAL_2E = 320'd0;
  parameter [319:0] INITVAL_2F = 320'd0;
  parameter [319:0] INITVAL_30 = 320'd0;
  parameter [319:0] INITVAL_31 = 320'd0;
  parameter [319:0] INITVAL_32 = 320'd0;
  parameter [319:0] INITVAL_33 = 320'd0;
  parameter [319:0] INITVAL_34 = 320'd0;
  parameter [319:0] INITVAL_35 = 320'd0;
  parameter [319:0] INITVAL_36 = 320'd0;
  parameter [319:0] INITVAL_37 = 320'd0;
  parameter [319:0] INITVAL_38 = 320'd0;
  parameter [319:0] INITVAL_39 = 320'd0;
  parameter [319:0] INITVAL_3A = 320'd0;
  parameter [319:0] INITVAL_3B = 320'd0;
  parameter [319:0] INITVAL_3C = 320'd0;
  parameter [319:0] INITVAL_3D = 320'd0;
  parameter [319:0] INITVAL_3E = 320'd0;
  parameter [319:0] INITVAL_3F = 320'd0;

  reg [8:0] mem [0:2047];

  localparam [64*320-1:0] Initial = {
    INITVAL_3F, INITVAL_3E, INITVAL_3D, INITVAL_3C, INITVAL_3B, INITVAL_3A, INITVAL_39, INITVAL_38,
    INITVAL_37, INITVAL_36, INITVAL_35, INITVAL_34, INITVAL_33, INITVAL_32, INITVAL_31, INITVAL_30,
    INITVAL_2F, INITVAL_2E, INITVAL_2D, INITVAL_2C, INITVAL_2B, INITVAL_2A, INITVAL_29, INITVAL_28,
    INITVAL_27, INITVAL_26, INITVAL_25, INITVAL_24, INITVAL_23, INITVAL_22, INITVAL_21, INITVAL_20,
    INITVAL_1F, INITVAL_1E, INITVAL_1D, INITVAL_1C, INITVAL_1B, INITVAL_1A, INITVAL_19, INITVAL_18,
    INITVAL_17, INITVAL_16, INITVAL_15, INITVAL_14, INITVAL_13, INITVAL_12, INITVAL_11, INITVAL_10,
    INITVAL_0F, INITVAL_0E, INITVAL_0D, INITVAL_0C, INITVAL_0B, INITVAL_0A, INITVAL_09, INITVAL_08,
    INITVAL_07, INITVAL_06, INITVAL_05, INITVAL_04, INITVAL_03, INITVAL_02, INITVAL_01, INITVAL_00};
  integer i;
  initial begin
    for (i = 0; i < 1024; i = i + 1) begin
      {mem[2*i+1], mem[2*i]} = Initial[20*i +: 18];
    end
  end

  wire [13:0] a_addr;
  wire [17:0] a_data;
  reg  [17:0] a_word, a_late;
  assign a_addr = {
    ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0};
  assign a_data = {
    DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4,
    DIA3, DIA2, DIA1, DIA0};
  assign {
    DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4,
    DOA3, DOA2, DOA1, DOA0} = (REGMODE_A == "OUTREG") ? a_late : a_word;

  integer k;
  always @(posedge CLKA) begin
    if (OCEA) begin
      a_late <= a_word;
    end
    if (CEA && {CSA2, CSA1, CSA0} == 3'd0) begin
      if (DATA_WIDTH_A == 36) begin
        for (k = 0; k < 4; k = k + 1) begin
          if (WEA && a_addr[k]) begin
            mem[{a_addr[13:5], k[1:0]}] <= wide[9*k +: 9];
          end
        end
      end else if (DATA_WIDTH_A == 18) begin
        a_word <= {mem[{a_addr[13:4], 1'b1}], mem[{a_addr[13:4], 1'b0}]};
        if (WEA && a_addr[0]) begin
          mem[{a_addr[13:4], 1'b0}] <= a_data[8:0];
        end
        if (WEA && a_addr[1]) begin
          mem[{a_addr[13:4], 1'b1}] <= a_data[17:9];
        end
      end else begin
        a_word <= {9'd0, mem[a_addr[13:3]]};
        if (WEA) begin
          mem[a_addr[13:3]] <= a_data[8:0];
        end
      end
    end
  end

  wire [13:0] b_addr;
  wire [17:0] b_data;
  wire [35:0] wide;
  assign wide = {b_data, a_data};
  reg  [17:0] b_word, b_late;
  assign b_addr = {
    ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0};
  assign b_data = {
    DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4,
    DIB3, DIB2, DIB1, DIB0};
  assign {
    DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4,
    DOB3, DOB2, DOB1, DOB0} = (REGMODE_B == "OUTREG") ? b_late : b_word;

  always @(posedge CLKB) begin
    if (OCEB) begin
      b_late <= b_word;
    end
    if (CEB && {CSB2, CSB1, CSB0} == 3'd0) begin
      if (DATA_WIDTH_B == 36) begin
        a_word <= {mem[{b_addr[13:5], 2'd1}], mem[{b_addr[13:5], 2'd0}]};
        b_word <= {mem[{b_addr[13:5], 2'd3}], mem[{b_addr[13:5], 2'd2}]};
      end else if (DATA_WIDTH_B == 18) begin
        b_word <= {mem[{b_addr[13:4], 1'b1}], mem[{b_addr[13:4], 1'b0}]};
        if (WEB && b_addr[0]) begin
          mem[{b_addr[13:4], 1'b0}] <= b_data[8:0];
        end
        if (WEB && b_addr[1]) begin
          mem[{b_addr[13:4], 1'b1}] <= b_data[17:9];
        end
      end else begin
        b_word <= {9'd0, mem[b_addr[13:3]]};
        if (WEB) begin
          mem[b_addr[13:3]] <= b_data[8:0];
        end
      end
    end
  end

  // What is not modelled is not passed over.
  initial begin
    if (DATA_WIDTH_A != 36 && DATA_WIDTH_A != 18 && DATA_WIDTH_A != 9 || (DATA_WIDTH_A == 36) != (DATA_WIDTH_B == 36)
        || DATA_WIDTH_B != 36 && DATA_WIDTH_B != 18 && DATA_WIDTH_B != 9
        || REGMODE_A != "NOREG" && REGMODE_A != "OUTREG" || REGMODE_B != "NOREG" && REGMODE_B != "OUTREG"
        || CLKAMUX != "CLKA" || CLKBMUX != "CLKB") begin
      $display("DP16KD: a mode without a model");
      $finish;
    end
  end

endmodule

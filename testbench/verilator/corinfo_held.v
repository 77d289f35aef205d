// The design for Verilator, its inputs from registers of the falling edge, at which corinfo_testbench.cpp drives them: what hangs on an
// input is computed at that edge, once a cycle. Verilator computes what hangs on a port at every evaluation, which are two a cycle.
//
// Macros give the design's sizes: DUT (module name), X_WIDTH, SCORE_WIDTH, CONTEXT_WIDTH, LABEL_WIDTH, UNITS, WORDS_WIDTH, SHARED_WIDTH,
// SYNAPSE_WIDTH, BESIDE_WIDTH. Ports are the design's, an input half a cycle late.

`timescale 1ns/1ps
`default_nettype none

module corinfo_held (
  input  wire                             clk_i,
  input  wire                             rst_i,
  input  wire                             command_valid_i,
  input  wire                             command_learn_i,
  input  wire                             command_negative_i,
  input  wire [`LABEL_WIDTH-1:0]          command_label_i,
  input  wire                             sample_valid_i,
  input  wire                             sample_last_i,
  input  wire [`X_WIDTH-1:0]              sample_data_i,
  input  wire                             result_ready_i,
  input  wire                             host_valid_i,
  input  wire                             host_write_i,
  input  wire [31:0]                      host_address_i,
  input  wire [63:0]                      host_data_i,
  output wire                             command_ready_o,
  output wire                             sample_ready_o,
  output wire                             score_valid_o,
  output wire [`LABEL_WIDTH-1:0]          score_index_o,
  output wire [`SCORE_WIDTH-1:0]          score_data_o,
  output wire                             result_valid_o,
  output wire                             result_error_o,
  output wire [`LABEL_WIDTH-1:0]          result_class_o,
  output wire                             host_ready_o,
  output wire                             host_done_o,
  output wire                             host_error_o,
  output wire [63:0]                      host_data_o,
  output wire                             idle_o,
  output wire                             trace_step_valid_o,
  output wire [`CONTEXT_WIDTH-1:0]        trace_step_context_o,
  output wire [7:0]                       trace_step_number_o,
  output wire [15:0]                      trace_step_neuron_o,
  output wire [`UNITS*`WORDS_WIDTH-1:0]   trace_step_words_o,
  output wire                             trace_shared_valid_o,
  output wire [`SHARED_WIDTH-1:0]         trace_shared_words_o,
  output wire                             trace_synapse_valid_o,
  output wire [19:0]                      trace_synapse_address_o,
  output wire [15:0]                      trace_synapse_sub_o,
  output wire [`UNITS*`SYNAPSE_WIDTH-1:0] trace_synapse_words_o,
  output wire [`UNITS*`BESIDE_WIDTH-1:0]  trace_synapse_besides_o
);

  reg                    rst_q;
  reg                    command_valid_q;
  reg                    command_learn_q;
  reg                    command_negative_q;
  reg [`LABEL_WIDTH-1:0] command_label_q;
  reg                    sample_valid_q;
  reg                    sample_last_q;
  reg [`X_WIDTH-1:0]     sample_data_q;
  reg                    result_ready_q;
  reg                    host_valid_q;
  reg                    host_write_q;
  reg [31:0]             host_address_q;
  reg [63:0]             host_data_q;

  always @(negedge clk_i) begin
    rst_q              <= rst_i;
    command_valid_q    <= command_valid_i;
    command_learn_q    <= command_learn_i;
    command_negative_q <= command_negative_i;
    command_label_q    <= command_label_i;
    sample_valid_q     <= sample_valid_i;
    sample_last_q      <= sample_last_i;
    sample_data_q      <= sample_data_i;
    result_ready_q     <= result_ready_i;
    host_valid_q       <= host_valid_i;
    host_write_q       <= host_write_i;
    host_address_q     <= host_address_i;
    host_data_q        <= host_data_i;
  end

  `DUT u_dut (
    .clk_i(clk_i),
    .rst_i(rst_q),
    .command_valid_i(command_valid_q),
    .command_learn_i(command_learn_q),
    .command_negative_i(command_negative_q),
    .command_label_i(command_label_q),
    .sample_valid_i(sample_valid_q),
    .sample_last_i(sample_last_q),
    .sample_data_i(sample_data_q),
    .result_ready_i(result_ready_q),
    .host_valid_i(host_valid_q),
    .host_write_i(host_write_q),
    .host_address_i(host_address_q),
    .host_data_i(host_data_q),
    .command_ready_o(command_ready_o),
    .sample_ready_o(sample_ready_o),
    .score_valid_o(score_valid_o),
    .score_index_o(score_index_o),
    .score_data_o(score_data_o),
    .result_valid_o(result_valid_o),
    .result_error_o(result_error_o),
    .result_class_o(result_class_o),
    .host_ready_o(host_ready_o),
    .host_done_o(host_done_o),
    .host_error_o(host_error_o),
    .host_data_o(host_data_o),
    .idle_o(idle_o),
    .trace_step_valid_o(trace_step_valid_o),
    .trace_step_context_o(trace_step_context_o),
    .trace_step_number_o(trace_step_number_o),
    .trace_step_neuron_o(trace_step_neuron_o),
    .trace_step_words_o(trace_step_words_o),
    .trace_shared_valid_o(trace_shared_valid_o),
    .trace_shared_words_o(trace_shared_words_o),
    .trace_synapse_valid_o(trace_synapse_valid_o),
    .trace_synapse_address_o(trace_synapse_address_o),
    .trace_synapse_sub_o(trace_synapse_sub_o),
    .trace_synapse_words_o(trace_synapse_words_o),
    .trace_synapse_besides_o(trace_synapse_besides_o)
  );

endmodule

`default_nettype wire

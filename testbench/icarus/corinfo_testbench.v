// Testbench for Icarus: plays a stimulus file into a design and prints everything that it does.
//
// The protocol is that of corinfo_testbench.cpp, line by line; package lockstep writes the one side and reads the other. One line
// more: X cycle parts, outputs have no value that is known (nothing that follows can be trusted to end): handshakes, scores, the
// class, the host, steps, shared words, synapses.
// Macros give the design's sizes: DUT (module name), X_WIDTH, SCORE_WIDTH, CONTEXT_WIDTH, LABEL_WIDTH, UNITS, WORDS_WIDTH,
// SHARED_WIDTH, SYNAPSE_WIDTH, BESIDE_WIDTH, INPUTS, ABORT_ADDRESS. Plusargs: +stimulus=FILE +timeout=CYCLES +wave=FILE +wave_from=CYCLE
// +wave_to=CYCLE +stop=CYCLE.

`timescale 1ns/1ps

module corinfo_testbench;

  reg                      clk = 1'b0;
  reg                      rst = 1'b1;
  reg                      command_valid = 1'b0, command_learn = 1'b0, command_negative = 1'b0;
  reg  [`LABEL_WIDTH-1:0]  command_label = 0;
  wire                     command_ready;
  reg                      sample_valid = 1'b0, sample_last = 1'b0;
  reg  [`X_WIDTH-1:0]      sample_data = 0;
  wire                     sample_ready;
  wire                     score_valid, result_valid, result_error, host_ready, host_done, host_error, idle;
  wire [`LABEL_WIDTH-1:0]  score_index, result_class;
  wire [`SCORE_WIDTH-1:0]  score_data;
  reg                      result_ready = 1'b0;
  reg                      host_valid = 1'b0, host_write = 1'b0;
  reg  [31:0]              host_address = 0;
  reg  [63:0]              host_data = 0;
  wire [63:0]              host_answer;
  wire                     step_valid, shared_valid, synapse_valid;
  wire [`CONTEXT_WIDTH-1:0] step_context;
  wire [7:0]               step_number;
  wire [15:0]              step_neuron;
  wire [`UNITS*`WORDS_WIDTH-1:0] step_words;
  wire [`SHARED_WIDTH-1:0] shared_words;
  wire [19:0]              synapse_address;
  wire [15:0]              synapse_sub;
  wire [`UNITS*`SYNAPSE_WIDTH-1:0] synapse_words;
  wire [`UNITS*`BESIDE_WIDTH-1:0] synapse_besides;

  `DUT u_dut (
    .clk_i(clk), .rst_i(rst),
    .command_valid_i(command_valid), .command_ready_o(command_ready),
    .command_learn_i(command_learn),
    .command_negative_i(command_negative), .command_label_i(command_label),
    .sample_valid_i(sample_valid), .sample_ready_o(sample_ready), .sample_last_i(sample_last), .sample_data_i(sample_data),
    .score_valid_o(score_valid), .score_index_o(score_index), .score_data_o(score_data),
    .result_valid_o(result_valid), .result_ready_i(result_ready), .result_error_o(result_error), .result_class_o(result_class),
    .host_valid_i(host_valid), .host_ready_o(host_ready), .host_write_i(host_write),
    .host_address_i(host_address), .host_data_i(host_data), .host_done_o(host_done),
    .host_error_o(host_error), .host_data_o(host_answer), .idle_o(idle),
    .trace_step_valid_o(step_valid), .trace_step_context_o(step_context), .trace_step_number_o(step_number),
    .trace_step_neuron_o(step_neuron), .trace_step_words_o(step_words),
    .trace_shared_valid_o(shared_valid), .trace_shared_words_o(shared_words),
    .trace_synapse_valid_o(synapse_valid), .trace_synapse_address_o(synapse_address), .trace_synapse_sub_o(synapse_sub),
    .trace_synapse_words_o(synapse_words), .trace_synapse_besides_o(synapse_besides)
  );

  reg [8*512-1:0] stimulus_name, wave_name;
  integer         file, got, cycle, quiet, busy, waiting, timeout, wave_from, wave_to, waved, stop;
  reg [15:0]      lfsr;
  reg             unknown;
  reg [6:0]       parts;   // of the outputs: which are unknown
  reg [31:0]      op;
  reg [63:0]      first, second;
  integer         words, reads;
  integer         length;       // of the next sample
  reg             mark;         // its last word is marked
  // The reset, or abort by the host, that ends a command: lines of the tag that are still to come before it, and cycles after them.
  reg             abort, by_host;
  reg  [31:0]     abort_tag;
  integer         abort_lines, abort_cycles;
  reg             started, done;

  // What the testbench is doing: 0 next token, 1 command, 2 sample, 3 host, 4 until idle, 5 reset, 6 until an abort is done.
  integer         state;

  task token;
    begin
      got = $fscanf(file, "%s", op);
      if (got != 1) op = "Q";
    end
  endtask

  initial begin
    if (!$value$plusargs("stimulus=%s", stimulus_name)) stimulus_name = "stimulus.txt";
    if (!$value$plusargs("timeout=%d", timeout)) timeout = 1000000;
    if (!$value$plusargs("wave_from=%d", wave_from)) wave_from = 0;
    if (!$value$plusargs("wave_to=%d", wave_to)) wave_to = 2147483647;
    if (!$value$plusargs("stop=%d", stop)) stop = 2147483647;
    waved = $value$plusargs("wave=%s", wave_name);
    file = $fopen(stimulus_name, "r");
    if (file == 0) begin
      $display("F 0 cannot open the stimulus");
      $finish;
    end
    if (waved) begin
      $dumpfile(wave_name);
      $dumpvars(0, u_dut);
      if (wave_from > 0) $dumpoff;
    end
    cycle = 0;
    quiet = 0;
    busy = 0;
    waiting = 0;
    state = 0;
    words = 0;
    reads = 0;
    lfsr = 16'd0;
    abort = 1'b0;
    by_host = 1'b0;
    length = `INPUTS;
    mark = 1'b1;
    unknown = 1'b0;
    done = 1'b0;
    repeat (4) begin
      #5 clk = 1'b1;
      #5 clk = 1'b0;
    end
    rst = 1'b0;
    while (!done) begin
      // Drive, let the outputs settle, look, then tick.
      if (state == 0) begin
        token;
        if (op == "I" || op == "L") begin
          command_learn = op == "L";
          command_label = 0;
          command_negative = 1'b0;
          if (op == "L") begin
            got = $fscanf(file, "%h %h", first, second);
            command_label = first[`LABEL_WIDTH-1:0];
            command_negative = second[0];
          end
          command_valid = 1'b1;
          state = 1;
        end else if (op == "H") begin
          got = $fscanf(file, "%h %h", first, second);
          host_address = first[31:0];
          host_data = second;
          host_write = 1'b1;
          host_valid = 1'b1;
          reads = 1;
          state = 3;
        end else if (op == "G") begin
          got = $fscanf(file, "%h %h", first, second);
          host_address = first[31:0];
          reads = second[31:0];
          host_write = 1'b0;
          host_valid = 1'b1;
          state = 3;
        end else if (op == "E") begin
          state = 4;
        end else if (op == "S") begin
          got = $fscanf(file, "%h", first);
          lfsr = first[15:0];
        end else if (op == "V") begin
          got = $fscanf(file, "%h %h", first, second);
          length = first[30:0];
          mark = second[0];
        end else if (op == "A" || op == "B") begin
          abort = 1'b1;
          by_host = op == "B";
          got = $fscanf(file, "%s %h %h", abort_tag, first, second);
          abort_lines = first[30:0];
          abort_cycles = second[30:0];
        end else begin
          done = 1'b1;
        end
      end
      if ((state == 2 || state == 4) && abort) begin
        if ((abort_lines == 0 && abort_cycles == 0) || (state == 4 && idle)) begin
          // The rest of the sample is not wanted.
          if (sample_valid) words = words - 1;
          repeat (words) got = $fscanf(file, "%h", first);
          sample_valid = 1'b0;
          length = `INPUTS;
          mark = 1'b1;
          if (by_host) begin
            host_address = `ABORT_ADDRESS;
            host_data = 64'd0;
            host_write = 1'b1;
            host_valid = 1'b1;
            reads = 1;
            state = 3;
          end else begin
            rst = 1'b1;
            state = 5;
          end
          abort = 1'b0;
        end else if (abort_lines == 0) begin
          abort_cycles = abort_cycles - 1;
        end
      end
      if (state == 2 && words > 0 && !sample_valid && !(lfsr != 16'd0 && lfsr[1:0] == 2'd0)) begin
        got = $fscanf(file, "%h", first);
        sample_data = first[`X_WIDTH-1:0];
        sample_last = mark && words == 1;
        sample_valid = 1'b1;
      end
      result_ready = lfsr[9:8] == 2'd0;
      lfsr = {lfsr[14:0], lfsr[15] ^ lfsr[13] ^ lfsr[12] ^ lfsr[10]};
      #4;
      if (waved && cycle == wave_from && wave_from > 0) $dumpon;
      if (waved && cycle == wave_to) $dumpoff;
      parts = {^{command_ready, sample_ready, score_valid, result_valid, host_ready, host_done, host_error, idle, step_valid,
                 shared_valid, synapse_valid},
               score_valid && ^{score_index, score_data}, result_valid && (^result_error || (!result_error && ^result_class)), host_done && ^host_answer,
               step_valid && ^{step_context, step_number, step_neuron, step_words},
               shared_valid && ^{step_context, step_number, shared_words},
               synapse_valid && ^{synapse_address, synapse_sub, synapse_words, synapse_besides}};
      if (!unknown && ^parts === 1'bx) begin
        unknown = 1'b1;
        $display("X %0d %b", cycle, parts);
        if (!waved) done = 1'b1;
      end
      started = 1'b0;
      if (step_valid) begin
        $display("S %0d %h %h %h %h", cycle, step_context, step_number, step_neuron, step_words);
      end
      if (shared_valid) $display("Y %0d %h %h %h", cycle, step_context, step_number, shared_words);
      if (synapse_valid) begin
        $display("W %0d %h %h %h %h", cycle, synapse_address, synapse_sub, synapse_words, synapse_besides);
      end
      if (score_valid) $display("O %0d %h %h", cycle, score_index, score_data);
      if (result_valid && result_ready) $display("R %0d %h %h", cycle, result_class, result_error);
      if (rst) $display("Z %0d", cycle);
      if (abort && abort_lines != 0
          && ((abort_tag == "S" && step_valid) || (abort_tag == "W" && synapse_valid)
              || (abort_tag == "R" && result_valid && result_ready))) begin
        abort_lines = abort_lines - 1;
      end
      quiet = ((step_valid || shared_valid || synapse_valid || score_valid || host_done
                || (sample_valid && sample_ready)) === 1'b1) ? 0 : quiet + 1;
      if (!idle) busy = busy + 1;
      if ((sample_ready && !sample_valid) || (result_valid && !result_ready)) waiting = waiting + 1;
      if (cycle >= stop) done = 1'b1;
      if (quiet > timeout) begin
        $display("T %0d", cycle);
        done = 1'b1;
      end
      // Handshakes that this edge completes.
      if (state == 4 && idle) begin
        $display("E %0d %0d %0d", cycle, busy, waiting);
        state = 0;
      end
      if (state == 6 && idle) begin
        $display("Z %0d", cycle);
        by_host = 1'b0;
        state = 0;
      end
      if (state == 1 && command_ready) begin
        started = 1'b1;
        state = 2;
        words = length;
      end
      if (state == 2 && sample_valid && sample_ready) begin
        words = words - 1;
        first = 64'd1;
      end else begin
        first = 64'd0;
      end
      if (state == 3 && host_done) begin
        if (host_error) $display("N %0d %h", cycle, host_address);
        if (!host_write) $display("D %0d %h %h", cycle, host_address, host_answer);
        reads = reads - 1;
        second = 64'd1;
      end else begin
        second = 64'd0;
      end
      op = (state == 3 && host_valid && host_ready) ? 32'd1 : 32'd0;
      #1 clk = 1'b1;
      #5 clk = 1'b0;
      cycle = cycle + 1;
      if (rst) begin
        rst = 1'b0;
        busy = 0;
        waiting = 0;
        state = 0;
      end
      if (started) command_valid = 1'b0;
      if (first[0]) begin
        sample_valid = 1'b0;
        if (words == 0) begin
          state = abort ? 4 : 0;
          length = `INPUTS;
          mark = 1'b1;
        end
      end
      if (op[0]) host_valid = 1'b0;
      if (second[0]) begin
        if (reads == 0) begin
          state = by_host && !abort ? 6 : 0;
        end else begin
          host_address = host_address + 1;
          host_valid = 1'b1;
        end
      end
    end
    $display("Q %0d", cycle);
    $finish;
  end

endmodule

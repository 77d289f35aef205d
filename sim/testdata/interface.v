// Plays what docs/INTERFACE.md shows into the design `tester` of 3-4-2 neurons, mini-batches of 2, and prints its ports in every
// cycle, as they are just before the clock rises: the page's waveforms are drawn from that. A line "wave NAME" begins a waveform.

`timescale 1ns/1ps

module interface_test;

  reg         clk = 1'b0, rst = 1'b0;
  reg         command_valid = 1'b0, command_learn = 1'b0, command_negative = 1'b0, command_label = 1'b0;
  wire        command_ready;
  reg         sample_valid = 1'b0;
  reg  [8:0]  sample_data = 9'd0;
  wire        sample_ready;
  wire        score_valid, score_index, result_valid, result_class;
  wire [11:0] score_data;
  reg         result_ready = 1'b0;
  reg         host_valid = 1'b0, host_write = 1'b0;
  reg  [31:0] host_address = 32'd0;
  reg  [63:0] host_data_in = 64'd0;
  wire        host_ready, host_done, host_error, idle;
  wire [63:0] host_data_out;
  integer     i;

  always #5 clk = !clk;

  tester u_dut (
    .clk_i(clk), .rst_i(rst),
    .command_valid_i(command_valid), .command_ready_o(command_ready), .command_learn_i(command_learn),
    .command_negative_i(command_negative), .command_label_i(command_label),
    .sample_valid_i(sample_valid), .sample_ready_o(sample_ready), .sample_data_i(sample_data),
    .score_valid_o(score_valid), .score_index_o(score_index), .score_data_o(score_data),
    .result_valid_o(result_valid), .result_ready_i(result_ready), .result_class_o(result_class),
    .host_valid_i(host_valid), .host_ready_o(host_ready), .host_write_i(host_write), .host_address_i(host_address),
    .host_data_i(host_data_in), .host_done_o(host_done), .host_error_o(host_error), .host_data_o(host_data_out), .idle_o(idle)
  );

  // One cycle: what was driven stands until the clock rises. The handshakes of that edge are in took_*.
  reg took_command, took_sample, took_result, took_host, was_done;
  task tick;
    begin
      #4;
      $display("%b %b %b %b %b %h %b %b %h %b %h %h %b %b %h %b %b %b %h %h %b %b %h %b",
               rst, command_valid, command_ready, command_learn, command_negative, command_label,
               sample_valid, sample_ready, sample_data, score_valid, score_index, score_data,
               result_valid, result_ready, result_class, host_valid, host_ready, host_write, host_address, host_data_in,
               host_done, host_error, host_data_out, idle);
      took_command = command_valid && command_ready;
      took_sample  = sample_valid && sample_ready;
      took_result  = result_valid && result_ready;
      took_host    = host_valid && host_ready;
      was_done     = host_done;
      @(posedge clk);
      #1;
    end
  endtask

  task command(input learn, input negative, input label);
    begin
      command_valid    = 1'b1;
      command_learn    = learn;
      command_negative = negative;
      command_label    = label;
      tick;
      while (!took_command) tick;
      command_valid    = 1'b0;
      command_learn    = 1'b0;
      command_negative = 1'b0;
      command_label    = 1'b0;
    end
  endtask

  task word(input [8:0] data);
    begin
      sample_valid = 1'b1;
      sample_data  = data;
      tick;
      while (!took_sample) tick;
      sample_valid = 1'b0;
    end
  endtask

  task host(input write, input [31:0] address, input [63:0] data);
    begin
      host_valid   = 1'b1;
      host_write   = write;
      host_address = address;
      host_data_in = data;
      tick;
      while (!took_host) tick;
      host_valid = 1'b0;
      host_write = 1'b0;
      while (!was_done) tick;
    end
  endtask

  task until_idle;
    begin
      while (!idle) tick;
      tick;
    end
  endtask

  initial begin
    #1000000 $display("no end");
    $finish;
  end

  initial begin
    @(posedge clk);
    #1;
    $display("wave reset");
    rst = 1'b1;
    tick;
    rst = 1'b0;
    while (!idle) tick;
    tick;

    $display("wave command");
    tick;
    command(1'b0, 1'b0, 1'b0);
    word(9'h030);
    word(9'h000);
    repeat (2) tick;
    word(9'h100);
    repeat (2) tick;
    $display("wave");
    while (!score_valid) tick;
    $display("wave result");
    while (!result_valid) tick;
    repeat (2) tick;
    result_ready = 1'b1;
    while (result_valid) tick;
    result_ready = 1'b0;
    until_idle;

    $display("wave host");
    tick;
    host(1'b1, 32'h1000_0000, 64'd5);
    host(1'b0, 32'h1000_0000, 64'd0);
    host(1'b0, 32'h4000_0000, 64'd0);
    $display("wave first");
    command_valid = 1'b1;
    host(1'b0, 32'h2000_0001, 64'd0);
    while (!took_command) tick;
    command_valid = 1'b0;
    while (!sample_ready) tick;
    tick;
    $display("wave");
    result_ready = 1'b1;
    word(9'h030);
    word(9'h000);
    word(9'h100);
    until_idle;

    $display("wave learning");
    tick;
    for (i = 0; i < 2; i = i + 1) begin
      command(1'b1, 1'b1, i[0]);
      word(9'h030);
      word(9'h080);
      word(9'h100);
    end
    until_idle;
    $display("wave");
    // The update is counted.
    host(1'b0, 32'h2000_0001, 64'd0);
    $display("update %0d", host_data_out);
    $finish;
  end

endmodule

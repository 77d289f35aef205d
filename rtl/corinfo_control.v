// Control of all lanes and neuron units: what exists once in a design. Contexts samples are in flight at once, each a
// corinfo_context that executes the program; they share the steps of neurons, the input, the events and,
// alone, the updates. It knows no rule: programs and tables are memory images. What is here are the wires between its
// parts: contexts, commands, grant of the steps, load, steps, events, answer, update, join, host, status, counters.
//
// Commands, results and the host as the top module has them. Outputs to lanes and units come there WireCycles later,
// all of them, and what units answer takes as long: only where an answer is waited for do these cycles count.

`timescale 1ns/1ps
`default_nettype none

module corinfo_control #(
  parameter Lanes          = 16,
  parameter LaneW          = 4,
  parameter Units          = 4,
  parameter UnitW          = 2,
  parameter Subs           = 4,
  parameter SubW           = 2,
  parameter Contexts       = 1,
  parameter ContextW       = 1,
  parameter Kinds          = 3,
  parameter KindW          = 2,
  parameter Slots          = 8,
  parameter SlotW          = 3,
  parameter IndexW         = 5,
  parameter SumAddrW       = 5,
  parameter Batch          = 1,
  parameter SampleW        = 1,
  parameter Inputs         = 784,
  parameter InputAddrW     = 10,
  parameter LabelW         = 4,
  parameter FactorAddrW    = 4,
  parameter KeptAddrW      = 4,
  parameter SynapseDepth   = 512,
  parameter SynapseAddrW   = 9,
  parameter SynapseWidth   = 16,
  parameter BesideW        = 1,
  parameter [127:0] BesideLow    = 0,
  parameter [127:0] BesideBits   = 0,
  parameter [3:0]   BesideSigned = 0,
  parameter XWidth         = 9,
  parameter XSigned        = 0,     // 1: inputs are signed
  parameter ChangeWidth    = 16,
  parameter OperandWidth   = 18,
  parameter ScoreWidth     = 12,
  parameter KeptWidth      = 16,
  parameter ValueWidth     = 18,    // of a presynaptic factor, the input's among them
  parameter ConstantsWidth = 32,    // of a step
  parameter Steps          = 8,
  parameter Rows           = 8,
  parameter Signals        = 4,
  parameter SignalW        = 3,
  parameter OneSignal      = 0,     // of the unit that is always 1; 0: there is none
  parameter WalkDepth      = 16,
  parameter FactorsW       = 1,     // bits of a number of postsynaptic factors
  parameter Learning       = 1,     // 0: the design only classifies, and there is nothing that only learning needs
  parameter Updates        = 5,     // at least 2; 0 without learning
  parameter UpdateConstantsWidth = 17,
  parameter [255:0] ConstantLow  = 0,
  parameter [255:0] ConstantBits = 0,
  parameter Entries        = 0,     // of the design's own schedule, at least 2; 0: it has none
  parameter RandomSign     = 0,     // it draws the sign of beta
  parameter MaxLatency     = 20,
  parameter TermAddrW      = 4,
  parameter SmallStyle   = "distributed",  // of small memories; "auto" where there are no distributed ones
  parameter ReadCycles     = 2,
  parameter WireCycles     = 0,     // from here to lanes and units, and back
  parameter QueueW         = 5,     // a unit's queue has room for 2^QueueW events of a sample
  parameter ProgramDepth   = 16,
  parameter ProgramAddrW   = 4,
  parameter HostTables     = 1,     // the host reads and writes all tables; 0: constants alone
  parameter [223:0] TableRows = 0,  // by table, of 7: how many; 0: the host has none
  parameter [223:0] TableBits = 0,  // of a row
  parameter Dense          = 0,
  parameter Groups         = 0,     // 1: changes of several steps wait for each other
  parameter Flags          = 1,     // of a unit: overflows and lost updates
  parameter Totals         = 10,    // counters, at most 255
  parameter [31:0] Seed    = 32'd0,
  parameter ProgramFile    = "",
  parameter StepsFile      = "",
  parameter ConstantsFile  = "",
  parameter SignalsFile    = "",
  parameter WalkFile       = "",
  parameter UpdatesFile    = "",
  parameter UpdateConstantsFile = "",
  parameter ScheduleFile   = "",
  parameter CountersFile   = ""
) (
  input  wire                                 clk_i,
  input  wire                                 rst_i,

  input  wire                                 command_valid_i,
  output wire                                 command_ready_o,
  input  wire                                 command_learn_i,
  input  wire                                 command_negative_i,
  input  wire [LabelW-1:0]                    command_label_i,
  input  wire                                 sample_valid_i,
  output wire                                 sample_ready_o,
  input  wire                                 sample_last_i,   // with the last word of a sample
  input  wire [XWidth-1:0]                    sample_data_i,
  output wire                                 score_valid_o,
  output wire [LabelW-1:0]                    score_index_o,
  output wire [ScoreWidth-1:0]                score_data_o,
  output wire                                 result_valid_o,
  input  wire                                 result_ready_i,
  output wire                                 result_error_o,  // no class: the sample had the wrong length
  output wire [LabelW-1:0]                    result_class_o,
  input  wire                                 host_valid_i,
  output wire                                 host_ready_o,
  input  wire                                 host_write_i,
  input  wire [31:0]                          host_address_i,
  input  wire [63:0]                          host_data_i,
  output wire                                 host_done_o,
  output wire                                 host_error_o,
  output wire [63:0]                          host_data_o,
  output wire                                 idle_o,

  output wire                                 rst_o,           // of the units too: rst_i, and some cycles behind it

  // Lanes.
  output wire [SynapseAddrW-1:0]              synapse_raddr_o,
  output wire [SynapseAddrW-1:0]              synapse_waddr_o,   // a cycle after what says that it is written
  output wire                                 host_we_o,
  output wire                                 host_beside_o,
  output wire [LaneW-1:0]                     host_lane_o,
  output wire [SynapseWidth-1:0]              host_synapse_o,
  output wire [BesideW-1:0]                   host_words_o,
  output wire [FactorAddrW-1:0]               factor_raddr_o,
  output wire [FactorAddrW-1:0]               factor_waddr_o,    // so too
  output wire                                 update_o,
  output wire signed [OperandWidth-1:0]       operand_o,
  output wire [Contexts*SumAddrW-1:0]         sum_addr_o,
  output wire [Contexts-1:0]                  sum_we_o,
  output wire                                 sum_first_o,
  output wire                                 sum_same_o,
  output wire [Kinds-1:0]                     hold_o,
  output wire [ContextW-1:0]                  hold_context_o,
  output wire                                 hold_zero_o,

  // Neuron units: steps.
  output wire [7:0]                           step_o,
  output wire [7:0]                           graph_o,         // of the step, or of the update
  output wire [ContextW-1:0]                  context_o,
  output wire [15:0]                          neurons_o,       // of the layer, or the projection's rows
  output wire [15:0]                          label_o,
  output wire [SignalW-1:0]                   signal_o,
  output wire [7:0]                           layer_o,
  output wire                                 largest_o,
  output wire [ConstantsWidth-1:0]            constants_o,
  output wire                                 visit_o,
  output wire [SubW-1:0]                      visit_sub_o,
  output wire [IndexW-1:0]                    visit_index_o,
  output wire [15:0]                          visit_neuron_o,
  output wire                                 clear_o,
  output wire                                 reduce_o,
  output wire                                 reduce_first_o,
  output wire                                 write_o,
  output wire [SubW-1:0]                      write_sub_o,
  output wire [IndexW-1:0]                    write_index_o,
  output wire [15:0]                          write_neuron_o,  // of lane 0; the row, with synapse_write_o
  output wire                                 event_o,
  output wire                                 factor_we_o,
  output wire                                 kept_we_o,
  output wire [KeptAddrW-1:0]                 kept_waddr_o,
  output wire [KeptAddrW-1:0]                 kept_raddr_o,
  output wire                                 combine_o,
  output wire                                 combine_first_o,
  output wire [UnitW-1:0]                     combine_unit_o,
  output wire                                 shared_write_o,

  // Neuron units: updates.
  output wire                                 synapse_write_o,
  output wire [SubW-1:0]                      synapse_sub_o,
  output wire [127:0]                         keys_o,
  output wire [1:0]                           order_o,
  output wire [15:0]                          random_row_o,
  output wire [15:0]                          random_column_o,
  output wire [UpdateConstantsWidth-1:0]      update_constants_o,

  // From the units; a word of unit 0 in the lowest bits.
  input  wire [Units*Contexts-1:0]            queue_put_i,
  output wire [Units*Contexts-1:0]            queue_take_o,
  output wire [ContextW-1:0]                  queue_context_o,
  input  wire [Units*(SignalW+16+ChangeWidth)-1:0] queue_heads_i,
  input  wire [Units-1:0]                     moved_i,         // with write_o
  input  wire [Units-1:0]                     factor_live_i,   // a factor is written that is not zero
  input  wire                                 shared_moved_i,  // with shared_write_o
  input  wire [Flags-1:0]                     shared_flags_i,  // with it
  input  wire [Units*Flags-1:0]               flags_i,         // a cycle after write_o, synapse_write_o
  input  wire [Units*ScoreWidth-1:0]          score_i,         // 2 WireCycles and a cycle after visit_o
  input  wire [Units*KeptWidth-1:0]           kept_i,          // 2 WireCycles + ReadCycles after kept_raddr_o
  input  wire [Units*SynapseWidth-1:0]        synapse_i,       // a cycle after the lanes' words
  input  wire [Units*BesideW-1:0]             beside_i
);

  // Parameters that it cannot have: elaboration finds no module of the reason's name.
  generate
    if (Units * Subs != Lanes) begin : gen_check
      corinfo_error_lanes_not_units_x_subs u_error ();
    end else if (LaneW < 1 || (Lanes - 1) >> LaneW != 0) begin : gen_check
      corinfo_error_lane_w_too_narrow u_error ();
    end else if (Contexts < 1 || Contexts > 255) begin : gen_check
      corinfo_error_contexts_not_1_to_255 u_error ();
    end else if (LabelW < 1 || LabelW > 16) begin : gen_check
      corinfo_error_label_w_not_1_to_16 u_error ();
    end else if (SignalW < 1 || SignalW > 8) begin : gen_check
      corinfo_error_signal_w_not_1_to_8 u_error ();
    end else if (OneSignal < 0 || OneSignal >= Signals) begin : gen_check
      corinfo_error_one_signal_not_a_signal u_error ();
    end else if (Learning != 0 && Learning != 1) begin : gen_check
      corinfo_error_learning_not_0_or_1 u_error ();
    end else if (Learning != 0 && Updates == 0) begin : gen_check
      corinfo_error_updates_0_with_learning u_error ();
    end else if (WireCycles < 0) begin : gen_check
      corinfo_error_wire_cycles_below_0 u_error ();
    end
  endgenerate

  localparam Answers = 2 * WireCycles;   // until a unit's answer is here

  // Definitions of tables, printed from hdlgen/design/definitions.go.
  localparam TableConstants = 0;  // of steps
  localparam TableProgram   = 1;
  localparam TableSteps     = 2;
  localparam TableSignals   = 3;
  localparam TableColumns   = 4;  // what the words of a column are added to
  localparam TableUpdates   = 5;
  localparam TableCounters  = 6;  // which counter a flag is of
  // End of definitions.

  // What is on the wires when a reset comes goes through the units and back before anything new may begin. An abort is
  // a reset of all but the counters and what the host has written: begun is of resets alone, reset of both.
  wire reset, begun, held_reset, abort, command_ready, sample_ready, host_ready;
  corinfo_reset #(.Cycles(Answers + 2)) u_begun (
    .clk_i(clk_i), .rst_i(rst_i), .rst_o(begun), .held_o(held_reset)
  );
  wire unused_held;
  corinfo_reset #(.Cycles(Answers + 2)) u_reset (
    .clk_i(clk_i), .rst_i(rst_i || abort), .rst_o(reset), .held_o(unused_held)
  );
  assign rst_o           = reset;
  assign command_ready_o = command_ready && !reset;
  assign sample_ready_o  = sample_ready && !reset;
  assign host_ready_o    = host_ready && !begun;

  // Commands and results.
  wire [ContextW-1:0] load_context, turn, closer;
  wire [SampleW-1:0]  samples, load_sample;
  wire [LabelW-1:0]   load_label;
  wire                load_learn, load_negative, load_last, bad, host_busy, host_hold, batch_done, begins;
  wire [Contexts-1:0] accept, idle, answered, errors, taken, batches_done;
  wire                schedule_busy, drawn_negative, load_done;
  wire [1:0]          scheduled;  // what of the schedule is in force: rates, signs
  corinfo_choice #(.Width(1), .Count(Contexts), .IndexW(ContextW)) u_error (
    .index_i(turn), .words_i(errors), .word_o(result_error_o)
  );
  assign batch_done = batches_done != {Contexts{1'b0}};
  assign idle_o     = idle == {Contexts{1'b1}} && !begins && (begun || !reset);
  corinfo_commands #(
    .Contexts(Contexts), .ContextW(ContextW), .LabelW(LabelW), .Batch(Batch), .SampleW(SampleW)
  ) u_commands (
    .clk_i          (clk_i),
    .rst_i          (reset),
    .valid_i        (command_valid_i),
    .ready_o        (command_ready),
    .learn_i        (command_learn_i && Learning != 0),
    .negative_i     (scheduled[1] ? drawn_negative : command_negative_i),
    .label_i        (command_label_i),
    .hold_i         (host_hold || schedule_busy),
    .idle_i         (idle),
    .accept_o       (accept),
    .accepted_o     (begins),
    .samples_o      (samples),
    .load_context_o (load_context),
    .load_sample_o  (load_sample),
    .load_last_o    (load_last),
    .load_learn_o   (load_learn),
    .load_negative_o(load_negative),
    .load_label_o   (load_label),
    .closer_o       (closer),
    .loaded_i       (load_done),
    .bad_i          (bad),
    .batch_done_i   (batch_done),
    .answered_i     (answered),
    .turn_o         (turn),
    .result_valid_o (result_valid_o),
    .result_ready_i (result_ready_i),
    .taken_o        (taken)
  );

  // Between mini-batches: the design's own schedule, in the place of a host.
  wire [31:0]                     seed, number;
  wire                            schedule_restart, schedule_we;
  wire [7:0]                      schedule_update;
  wire [UpdateConstantsWidth-1:0] schedule_constants;
  generate
    if (Entries != 0) begin : gen_schedule
      corinfo_schedule #(
        .Entries(Entries), .ConstantsWidth(UpdateConstantsWidth), .RandomSign(RandomSign), .InitFile(ScheduleFile)
      ) u_schedule (
        .clk_i      (clk_i),
        .rst_i      (begun),
        .enable_i   (scheduled),
        .restart_i  (schedule_restart),
        .next_i     (batch_done),
        .seed_i     (seed),
        .number_i   (number),
        .busy_o     (schedule_busy),
        .negative_o (drawn_negative),
        .we_o       (schedule_we),
        .update_o   (schedule_update),
        .constants_o(schedule_constants)
      );
    end else begin : gen_host_only
      assign schedule_busy      = 1'b0;
      assign schedule_we        = 1'b0;
      assign drawn_negative     = 1'b0;
      assign schedule_update    = 8'd0;
      assign schedule_constants = {UpdateConstantsWidth{1'b0}};
      wire unused_schedule;
      assign unused_schedule = ^{schedule_restart, scheduled};
    end
  endgenerate

  // The samples in flight, and who has the steps, the input and the updates.
  wire [Contexts-1:0] want_steps, want_answer, want_load, want_update, wants;
  wire [Contexts-1:0] grant_steps, grant_update, reading, held, quiet, allow, events_busy;
  wire                start, steps_busy, steps_done, load_busy, update_busy, update_done, moved,
                      shared_moved, late_done;
  wire [ContextW-1:0] owner, late_owner;
  localparam          FieldsW = 2 + 8 + 16 + 2 + 1 + LabelW + SampleW;
  wire [Contexts*FieldsW-1:0] fields;
  wire [Contexts*8-1:0]       update_fields;
  wire [6:0]                  table_host, table_we;
  wire [19:0]                 table_row;
  wire [3:0]                  table_part;
  wire [31:0]                 table_data, steps_table, events_table, update_table, counters_table;
  wire [Contexts*32-1:0]      program_words;   // a program for each; the host reads that of context 0
  genvar c;
  generate
    for (c = 0; c < Contexts; c = c + 1) begin : gen_context
      localparam [31:0] Index = c;
      localparam [Contexts-1:0] Own = 1 << c;
      wire [1:0]         kind, moment;
      wire [7:0]         step;
      wire [15:0]        row;
      wire               learn;
      wire [LabelW-1:0]  label;
      wire [SampleW-1:0] sample;
      corinfo_context #(
        .LabelW(LabelW), .SampleW(SampleW), .ProgramDepth(ProgramDepth), .ProgramAddrW(ProgramAddrW),
        .ProgramFile(ProgramFile), .HostTables(HostTables)
      ) u_context (
        .clk_i             (clk_i),
        .rst_i             (reset),
        .accept_i          (accept[c]),
        .command_learn_i   (load_learn),
        .command_negative_i(load_negative),
        .command_label_i   (load_label),
        .command_sample_i  (load_sample),
        .command_last_i    (load_last),
        .idle_o            (idle[c]),
        .answered_o        (answered[c]),
        .error_o           (errors[c]),
        .result_taken_i    (taken[c]),
        .batch_done_o      (batches_done[c]),
        .want_steps_o      (want_steps[c]),
        .want_answer_o     (want_answer[c]),
        .want_load_o       (want_load[c]),
        .want_update_o     (want_update[c]),
        .grant_i           (grant_steps[c] || want_load[c] || grant_update[c]),
        .steps_done_i      (late_done && late_owner == Index[ContextW-1:0]),
        .load_bad_i        (bad),
        .load_done_i       (load_done && load_context == Index[ContextW-1:0]),
        .update_done_i     (update_done),
        .moved_i           ((moved && late_owner == Index[ContextW-1:0])
                            || (shared_moved && owner == Index[ContextW-1:0])),
        .quiet_i           (quiet[c]),
        .held_o            (held[c]),
        .kind_o            (kind),
        .step_o            (step),
        .row_o             (row),
        .moment_o          (moment),
        .learn_o           (learn),
        .label_o           (label),
        .sample_o          (sample),
        .host_i            (table_host[TableProgram]),
        .host_we_i         (table_we[TableProgram]),
        .host_row_i        (table_row),
        .host_part_i       (table_part),
        .host_data_i       (table_data),
        .host_word_o       (program_words[32*c +: 32])
      );
      assign fields[FieldsW*c +: FieldsW] = {kind, step, row, moment, learn, label, sample};
      assign update_fields[8*c +: 8]      = step;
      assign wants[c]        = want_steps[c] || (want_answer[c] && turn == Index[ContextW-1:0]);
      assign grant_update[c] = want_update[c] && (idle | Own) == {Contexts{1'b1}};
    end
  endgenerate

  corinfo_grant #(.Contexts(Contexts), .ContextW(ContextW), .Answers(Answers), .Groups(Groups)) u_grant (
    .clk_i        (clk_i),
    .rst_i        (reset),
    .wants_i      (wants),
    .steps_busy_i (steps_busy),
    .steps_done_i (steps_done),
    .grant_o      (grant_steps),
    .start_o      (start),
    .owner_o      (owner),
    .done_o       (late_done),
    .done_owner_o (late_owner),
    .reading_i    (reading),
    .held_i       (held),
    .events_busy_i(events_busy),
    .quiet_o      (quiet),
    .allow_o      (allow)
  );

  wire [1:0]          kind, moment;
  wire [7:0]          step, steps_graph, signal;
  wire [15:0]         row, steps_neurons, steps_row;
  wire                learn, steps_hold, answer;
  wire [LabelW-1:0]   label, answer_index;
  wire [SampleW-1:0]  sample;
  wire [UnitW-1:0]    answer_unit;
  wire [KindW-1:0]    hold_kind;
  wire [FactorAddrW-1:0] factor_waddr;
  wire [SubW-1:0]     steps_sub;
  wire                steps_visit;
  wire [Contexts*SumAddrW-1:0] steps_addr;
  wire [Contexts-1:0] steps_mine, sum_clear, zero;
  corinfo_choice #(.Width(FieldsW), .Count(Contexts), .IndexW(ContextW)) u_fields (
    .index_i(owner), .words_i(fields), .word_o({kind, step, row, moment, learn, label, sample})
  );

  wire               factors;
  wire [15:0]        factors_number;
  wire [SampleW-1:0] factors_sample;
  corinfo_steps #(
    .Lanes(Lanes), .Units(Units), .UnitW(UnitW), .Subs(Subs), .SubW(SubW), .Kinds(Kinds), .KindW(KindW),
    .SlotW(SlotW),
    .Slots(Slots), .IndexW(IndexW), .Contexts(Contexts), .ContextW(ContextW), .SumAddrW(SumAddrW), .SampleW(SampleW),
    .FactorAddrW(FactorAddrW), .KeptAddrW(KeptAddrW), .LabelW(LabelW), .Steps(Steps), .StepsFile(StepsFile),
    .Rows(Rows), .ConstantsWidth(ConstantsWidth), .ConstantsFile(ConstantsFile), .WireCycles(WireCycles),
    .HostTables(HostTables)
  ) u_steps (
    .clk_i          (clk_i),
    .rst_i          (reset),
    .start_i        (start),
    .kind_i         (kind),
    .step_i         (step),
    .row_i          (row),
    .moment_i       (moment),
    .context_i      (owner),
    .sample_i       (sample),
    .label_i        (label),
    .learn_i        (learn),
    .done_o         (steps_done),
    .busy_o         (steps_busy),
    .reading_o      (reading),
    .step_o         (step_o),
    .graph_o        (steps_graph),
    .context_o      (context_o),
    .neurons_o      (steps_neurons),
    .label_o        (label_o),
    .signal_o       (signal),
    .layer_o        (layer_o),
    .largest_o      (largest_o),
    .constants_o    (constants_o),
    .host_i         ({table_host[TableSteps], table_host[TableConstants]}),
    .host_we_i      ({table_we[TableSteps], table_we[TableConstants]}),
    .host_row_i     (table_row),
    .host_part_i    (table_part),
    .host_data_i    (table_data),
    .host_word_o    (steps_table),
    .hold_o         (steps_hold),
    .hold_kind_o    (hold_kind),
    .sum_addr_o     (steps_addr),
    .sum_mine_o     (steps_mine),
    .sum_clear_o    (sum_clear),
    .visit_o        (steps_visit),
    .visit_sub_o    (steps_sub),
    .visit_index_o  (visit_index_o),
    .visit_neuron_o (visit_neuron_o),
    .clear_o        (clear_o),
    .reduce_o       (reduce_o),
    .reduce_first_o (reduce_first_o),
    .write_o        (write_o),
    .write_sub_o    (write_sub_o),
    .write_index_o  (write_index_o),
    .write_neuron_o (steps_row),
    .event_o        (event_o),
    .factor_we_o    (factor_we_o),
    .factor_waddr_o (factor_waddr),
    .factors_o       (factors),
    .factors_number_o(factors_number),
    .factors_sample_o(factors_sample),
    .kept_we_o      (kept_we_o),
    .kept_waddr_o   (kept_waddr_o),
    .combine_o      (combine_o),
    .combine_first_o(combine_first_o),
    .combine_unit_o (combine_unit_o),
    .shared_write_o (shared_write_o),
    .answer_o       (answer),
    .answer_unit_o  (answer_unit),
    .answer_index_o (answer_index)
  );
  assign signal_o = signal[SignalW-1:0];

  wire               live;
  wire [15:0]        live_factor;
  wire [SampleW-1:0] live_sample;
  corinfo_live #(
    .Units(Units), .NumberW(FactorsW), .SampleW(SampleW), .Answers(Answers), .SmallStyle(SmallStyle)
  ) u_live (
    .clk_i           (clk_i),
    .rst_i           (reset),
    .live_i          (factor_live_i),
    .written_i       (factors),
    .written_number_i(factors_number),
    .written_sample_i(factors_sample),
    .number_i        (live_factor),
    .sample_i        (live_sample),
    .live_o          (live)
  );

  assign moved        = moved_i != {Units{1'b0}};
  assign shared_moved = shared_write_o && shared_moved_i;

  corinfo_answer #(
    .Units(Units), .UnitW(UnitW), .LabelW(LabelW), .ScoreWidth(ScoreWidth), .Answers(Answers)
  ) u_answer (
    .clk_i        (clk_i),
    .rst_i        (reset),
    .answer_i     (answer),
    .unit_i       (answer_unit),
    .index_i      (answer_index),
    .score_i      (score_i),
    .score_valid_o(score_valid_o),
    .score_index_o(score_index_o),
    .score_data_o (score_data_o),
    .class_o      (result_class_o)
  );

  wire                   load_start, event_valid, event_take, too_short, too_long;
  wire [SignalW-1:0]     event_signal;
  wire [15:0]            event_neuron;
  wire [ChangeWidth-1:0] event_change;
  wire [XWidth-1:0]      kept_input;
  wire [InputAddrW-1:0]  fetch_input;
  wire                   live_input_re, input_live;
  wire [15:0]            live_input;
  assign load_start = want_load != {Contexts{1'b0}};
  assign bad        = too_short || too_long;
  corinfo_load #(
    .Inputs(Inputs), .Batch(Batch), .SampleW(SampleW), .InputAddrW(InputAddrW), .XWidth(XWidth), .XSigned(XSigned),
    .ChangeWidth(ChangeWidth), .SignalW(SignalW), .OneSignal(OneSignal), .ReadCycles(ReadCycles), .Dense(Dense),
    .Keep(Learning)
  ) u_load (
    .clk_i         (clk_i),
    .rst_i         (reset),
    .start_i       (load_start),
    .sample_i      (load_sample),
    .busy_o        (load_busy),
    .done_o        (load_done),
    .short_o       (too_short),
    .long_o        (too_long),
    .valid_i       (sample_valid_i),
    .ready_o       (sample_ready),
    .last_i        (sample_last_i),
    .data_i        (sample_data_i),
    .event_valid_o (event_valid),
    .event_signal_o(event_signal),
    .event_neuron_o(event_neuron),
    .event_change_o(event_change),
    .event_take_i  (event_take),
    .fetch_addr_i  (fetch_input),
    .fetch_data_o  (kept_input),
    .live_re_i     (live_input_re),
    .live_input_i  (live_input),
    .live_o        (input_live)
  );

  // Events of all samples. Contexts take samples in turn: that behind the youngest one's has the oldest.
  localparam [31:0]         LastContextWord = Contexts - 1;
  localparam [ContextW-1:0] LastContext     = LastContextWord[ContextW-1:0];
  reg  [ContextW-1:0]       oldest_q;
  always @(posedge clk_i) begin
    if (reset) begin
      oldest_q <= {ContextW{1'b0}};
    end else if (begins) begin
      oldest_q <= (load_context == LastContext) ? {ContextW{1'b0}} : load_context + 1'b1;
    end
  end
  wire [SynapseAddrW-1:0]        events_addr, update_addr, host_addr;
  wire signed [OperandWidth-1:0] events_operand, update_operand;
  wire [SumAddrW-1:0]            events_sum;
  wire [Contexts-1:0]            events_we;
  wire                           update_we, update_first, update_same, update_hold, term;
  wire                           events_first, events_same, event_begins, product;
  corinfo_events #(
    .SmallStyle(SmallStyle),
    .Contexts(Contexts), .ContextW(ContextW), .Units(Units), .UnitW(UnitW), .ReadCycles(ReadCycles),
    .WireCycles(WireCycles), .QueueW(QueueW), .SynapseAddrW(SynapseAddrW), .SumAddrW(SumAddrW),
    .ChangeWidth(ChangeWidth), .OperandWidth(OperandWidth),
    .SignalW(SignalW), .Signals(Signals), .SignalsFile(SignalsFile), .WalkDepth(WalkDepth), .WalkFile(WalkFile),
    .HostTables(HostTables)
  ) u_events (
    .clk_i          (clk_i),
    .rst_i          (reset),
    .allow_i        (allow),
    .oldest_i       (oldest_q),
    .input_valid_i  (event_valid),
    .input_context_i(load_context),
    .input_signal_i (event_signal),
    .input_neuron_i (event_neuron),
    .input_change_i (event_change),
    .input_take_o   (event_take),
    .queue_put_i    (queue_put_i),
    .queue_take_o   (queue_take_o),
    .queue_context_o(queue_context_o),
    .queue_heads_i  (queue_heads_i),
    .busy_o         (events_busy),
    .event_o        (event_begins),
    .product_o      (product),
    .clear_i        (sum_clear),
    .read_addr_i    (steps_addr),
    .zero_o         (zero),
    .synapse_raddr_o(events_addr),
    .operand_o      (events_operand),
    .sum_addr_o     (events_sum),
    .sum_we_o       (events_we),
    .sum_first_o    (events_first),
    .sum_same_o     (events_same),
    .host_i         ({table_host[TableColumns], table_host[TableSignals]}),
    .host_we_i      ({table_we[TableColumns], table_we[TableSignals]}),
    .host_row_i     (table_row),
    .host_part_i    (table_part),
    .host_data_i    (table_data),
    .host_word_o    (events_table)
  );

  // The update of a projection.
  wire [7:0]                   update, update_graph;
  wire [15:0]                  update_rows, update_row;
  wire                         update_visit;
  wire [SynapseAddrW-1:0]      update_waddr;
  wire [SubW-1:0]              update_sub;
  corinfo_choice #(.Width(8), .Count(Contexts), .IndexW(ContextW)) u_update_fields (
    .index_i(closer), .words_i(update_fields), .word_o(update)
  );
  generate
    if (Learning != 0) begin : gen_learning
      wire                         from_input, from_one;
      wire [UnitW-1:0]             fetch_unit;
      wire signed [ValueWidth-1:0] value;
      corinfo_update #(
        .SmallStyle(SmallStyle),
        .Lanes(Lanes), .Units(Units), .UnitW(UnitW), .Subs(Subs), .SubW(SubW), .Slots(Slots), .SlotW(SlotW),
        .IndexW(IndexW),
        .Batch(Batch), .SampleW(SampleW), .Inputs(Inputs), .FactorAddrW(FactorAddrW), .KeptAddrW(KeptAddrW),
        .InputAddrW(InputAddrW), .SynapseAddrW(SynapseAddrW), .ValueWidth(ValueWidth), .OperandWidth(OperandWidth),
        .TermAddrW(TermAddrW), .ReadCycles(ReadCycles), .FetchCycles(ReadCycles + Answers + 4), .Updates(Updates),
        .UpdatesFile(UpdatesFile), .HostTables(HostTables), .MaxLatency(MaxLatency)
      ) u_update (
        .clk_i          (clk_i),
        .rst_i          (reset),
        .sample_start_i (load_start && load_learn),
        .sample_i       (load_sample),
        .negative_i     (load_negative),
        .start_i        (grant_update != {Contexts{1'b0}}),
        .update_i       (update),
        .seed_i         (seed),
        .number_i       (number[23:0]),
        .done_o         (update_done),
        .busy_o         (update_busy),
        .graph_o        (update_graph),
        .rows_o         (update_rows),
        .live_factor_o  (live_factor),
        .live_sample_o  (live_sample),
        .live_i         (live),
        .fetch_addr_o   (kept_raddr_o),
        .fetch_input_o  (fetch_input),
        .live_input_re_o(live_input_re),
        .live_input_o   (live_input),
        .input_live_i   (input_live),
        .fetch_unit_o   (fetch_unit),
        .from_input_o   (from_input),
        .from_one_o     (from_one),
        .fetch_value_i  (value),
        .factor_raddr_o (factor_raddr_o),
        .operand_o      (update_operand),
        .sum_we_o       (update_we),
        .sum_first_o    (update_first),
        .sum_same_o     (update_same),
        .hold_o         (update_hold),
        .product_o      (term),
        .synapse_raddr_o(update_addr),
        .visit_o        (update_visit),
        .visit_sub_o    (update_sub),
        .write_o        (synapse_write_o),
        .write_sub_o    (synapse_sub_o),
        .synapse_waddr_o(update_waddr),
        .write_row_o    (update_row),
        .keys_o         (keys_o),
        .order_o        (order_o),
        .random_row_o   (random_row_o),
        .random_column_o(random_column_o),
        .host_i         (table_host[TableUpdates]),
        .host_we_i      (table_we[TableUpdates]),
        .host_row_i     (table_row),
        .host_part_i    (table_part),
        .host_data_i    (table_data),
        .host_word_o    (update_table)
      );
      corinfo_presynaptic #(
        .Units(Units), .UnitW(UnitW), .KeptWidth(KeptWidth), .XWidth(XWidth), .XSigned(XSigned),
        .ValueWidth(ValueWidth), .ReadCycles(ReadCycles), .Answers(Answers)
      ) u_presynaptic (
        .clk_i       (clk_i),
        .unit_i      (fetch_unit),
        .from_one_i  (from_one),
        .from_input_i(from_input),
        .input_i     (kept_input),
        .kept_i      (kept_i),
        .value_o     (value)
      );
    end else begin : gen_inference
      assign update_done = 1'b0;
      assign update_busy = 1'b0;
      assign update_we = 1'b0;
      assign update_first = 1'b0;
      assign update_same = 1'b0;
      assign update_hold = 1'b0;
      assign live_factor = 16'd0;
      assign live_sample = {SampleW{1'b0}};
      assign term = 1'b0;
      assign update_visit = 1'b0;
      assign synapse_write_o = 1'b0;
      assign update_graph = {8{1'b0}};
      assign update_rows = {16{1'b0}};
      assign update_row = {16{1'b0}};
      assign kept_raddr_o = {KeptAddrW{1'b0}};
      assign fetch_input = {InputAddrW{1'b0}};
      assign live_input_re = 1'b0;
      assign live_input = 16'd0;
      assign factor_raddr_o = {FactorAddrW{1'b0}};
      assign update_operand = {OperandWidth{1'b0}};
      assign update_addr = {SynapseAddrW{1'b0}};
      assign update_sub = {SubW{1'b0}};
      assign synapse_sub_o = {SubW{1'b0}};
      assign update_waddr = {SynapseAddrW{1'b0}};
      assign keys_o = {128{1'b0}};
      assign order_o = {2{1'b0}};
      assign random_row_o = {16{1'b0}};
      assign random_column_o = {16{1'b0}};
      assign update_table = 32'd0;
      wire unused_learning;
      assign unused_learning = ^{kept_i, kept_input, grant_update, seed, number, update, live, input_live};
    end
  endgenerate

  assign update_o = update_busy;
  reg  [SubW-1:0] host_sub;  // place of the host's lane in its unit
  corinfo_join #(
    .Contexts(Contexts), .ContextW(ContextW), .Kinds(Kinds), .KindW(KindW), .SubW(SubW), .SumAddrW(SumAddrW),
    .SynapseAddrW(SynapseAddrW), .FactorAddrW(FactorAddrW), .OperandWidth(OperandWidth)
  ) u_join (
    .clk_i               (clk_i),
    .update_i            (update_busy),
    .host_i              (host_busy),
    .update_graph_i      (update_graph),
    .update_rows_i       (update_rows),
    .update_row_i        (update_row),
    .update_visit_i      (update_visit),
    .update_sub_i        (update_sub),
    .update_operand_i    (update_operand),
    .update_sum_we_i     (update_we),
    .update_first_i      (update_first),
    .update_same_i       (update_same),
    .update_hold_i       (update_hold),
    .update_raddr_i      (update_addr),
    .update_waddr_i      (update_waddr),
    .steps_graph_i       (steps_graph),
    .steps_neurons_i     (steps_neurons),
    .steps_row_i         (steps_row),
    .steps_visit_i       (steps_visit),
    .steps_sub_i         (steps_sub),
    .steps_hold_i        (steps_hold),
    .steps_kind_i        (hold_kind),
    .steps_context_i     (context_o),
    .steps_mine_i        (steps_mine),
    .steps_sum_addr_i    (steps_addr),
    .steps_factor_waddr_i(factor_waddr),
    .events_operand_i    (events_operand),
    .events_sum_addr_i   (events_sum),
    .events_sum_we_i     (events_we),
    .events_first_i      (events_first),
    .events_same_i       (events_same),
    .events_zero_i       (zero),
    .events_raddr_i      (events_addr),
    .host_addr_i         (host_addr),
    .host_sub_i          (host_sub),
    .graph_o             (graph_o),
    .neurons_o           (neurons_o),
    .write_neuron_o      (write_neuron_o),
    .visit_o             (visit_o),
    .visit_sub_o         (visit_sub_o),
    .operand_o           (operand_o),
    .sum_addr_o          (sum_addr_o),
    .sum_we_o            (sum_we_o),
    .sum_first_o         (sum_first_o),
    .sum_same_o          (sum_same_o),
    .hold_o              (hold_o),
    .hold_context_o      (hold_context_o),
    .hold_zero_o         (hold_zero_o),
    .synapse_raddr_o     (synapse_raddr_o),
    .synapse_waddr_o     (synapse_waddr_o),
    .factor_waddr_o      (factor_waddr_o)
  );

  // The host. A lane's unit and its place there.
  wire [LaneW-1:0]        host_lane;
  wire [47:0]             counter;
  wire [7:0]              counter_index;
  wire                    counter_read;
  reg  [UnitW-1:0]        host_unit;
  wire [SynapseWidth-1:0] host_synapse;
  wire [BesideW-1:0]      host_beside;
  localparam [31:0]       SubsWord = Subs;
  wire [LaneW:0]          lane_word, unit_word, sub_word;
  assign lane_word = {1'b0, host_lane};
  assign unit_word = lane_word / SubsWord[LaneW:0];
  assign sub_word  = lane_word % SubsWord[LaneW:0];
  always @(posedge clk_i) begin
    host_unit <= unit_word[UnitW-1:0];
    host_sub  <= sub_word[SubW-1:0];
  end
  corinfo_choice #(.Width(SynapseWidth), .Count(Units), .IndexW(UnitW)) u_host_synapse (
    .index_i(host_unit), .words_i(synapse_i), .word_o(host_synapse)
  );
  corinfo_choice #(.Width(BesideW), .Count(Units), .IndexW(UnitW)) u_host_beside (
    .index_i(host_unit), .words_i(beside_i), .word_o(host_beside)
  );
  assign host_lane_o = host_lane;

  // What the host may see and end at any time.
  wire               status_we, refused;
  wire [1:0]         status_place;
  wire [31:0]        status_data;
  wire [63:0]        status;
  reg                updating_q;    // from the first projection's start until the mini-batch is done
  reg  [7:0]         under_way;
  integer            w;
  always @* begin
    under_way = 8'd0;
    for (w = 0; w < Contexts; w = w + 1) begin
      under_way = under_way + {7'd0, !idle[w]};
    end
  end
  always @(posedge clk_i) begin
    updating_q <= !reset && (grant_update != {Contexts{1'b0}} || (updating_q && !batch_done));
  end
  assign refused = Learning == 0 && command_valid_i && command_ready_o && command_learn_i;
  corinfo_status u_status (
    .clk_i     (clk_i),
    .rst_i     (begun),
    .held_i    (held_reset),
    .abort_o   (abort),
    .we_i      (status_we),
    .place_i   (status_place),
    .data_i    (status_data),
    .word_o    (status),
    .busy_i    (!idle_o),
    .commands_i(under_way),
    .accepted_i(begins),
    .loading_i (load_busy),
    .waiting_i (sample_ready_o && !sample_valid_i),
    .answered_i(result_valid_o),
    .updating_i(updating_q),
    .progress_i(begins || (sample_ready_o && sample_valid_i) || (result_valid_o && result_ready_i)
                || batch_done),
    .short_i   (load_done && too_short),
    .long_i    (load_done && too_long),
    .refused_i (refused)
  );

  corinfo_host #(
    .Lanes(Lanes), .LaneW(LaneW), .SynapseDepth(SynapseDepth), .SynapseAddrW(SynapseAddrW),
    .SynapseWidth(SynapseWidth),
    .BesideW(BesideW), .BesideLow(BesideLow), .BesideBits(BesideBits), .BesideSigned(BesideSigned),
    .Updates(Updates), .ConstantsWidth(UpdateConstantsWidth), .ConstantLow(ConstantLow), .ConstantBits(ConstantBits),
    .ConstantsFile(UpdateConstantsFile), .TableRows(TableRows), .TableBits(TableBits), .SampleW(SampleW),
    .Schedule(Entries != 0 ? 1 : 0),
    .Counters(Totals), .ReadCycles(ReadCycles + Answers),
    .Seed(Seed)
  ) u_host (
    .clk_i           (clk_i),
    .rst_i           (begun),
    .valid_i         (host_valid_i),
    .ready_o         (host_ready),
    .write_i         (host_write_i),
    .address_i       (host_address_i),
    .data_i          (host_data_i),
    .done_o          (host_done_o),
    .error_o         (host_error_o),
    .data_o          (host_data_o),
    .idle_i          (idle_o && !reset && !schedule_busy),
    .busy_o          (host_busy),
    .hold_o          (host_hold),
    .table_o         (table_host),
    .table_we_o      (table_we),
    .table_row_o     (table_row),
    .table_part_o    (table_part),
    .table_data_o    (table_data),
    .table_i         (program_words[31:0] | steps_table | events_table | update_table | counters_table),
    .status_we_o     (status_we),
    .status_place_o  (status_place),
    .status_data_o   (status_data),
    .status_i        (status),
    .synapse_we_o    (host_we_o),
    .synapse_beside_o(host_beside_o),
    .synapse_lane_o  (host_lane),
    .synapse_addr_o  (host_addr),
    .synapse_o       (host_synapse_o),
    .beside_o        (host_words_o),
    .synapse_i       (host_synapse),
    .beside_i        (host_beside),
    .update_i        (update),
    .constants_o     (update_constants_o),
    .batch_done_i    (batch_done),
    .sample_i        (samples),
    .seed_o          (seed),
    .number_o        (number),
    .schedule_o      (scheduled),
    .negative_i      (drawn_negative),
    .restart_o       (schedule_restart),
    .schedule_we_i       (schedule_we),
    .schedule_update_i   (schedule_update),
    .schedule_constants_i(schedule_constants),
    .counter_read_o  (counter_read),
    .counter_index_o (counter_index),
    .counter_i       (counter)
  );

  // Counters. Ticks: cycles with a command under way, of settling, of those with a product, of updates; events,
  // products, steps, products of updates, mini-batches, cycles in which a sample's word or a result's taker is waited
  // for.
  localparam         Ticks       = 10;
  localparam         Numbers     = Steps + Updates;
  localparam         NumberW     = $clog2(Numbers);
  localparam [31:0]  StepsWord   = Steps;
  reg  [Ticks-1:0]   ticks;
  wire [Flags-1:0]   shared_flags, late_shared_flags;
  wire [NumberW-1:0] counted, late_counted;
  wire               settling;
  wire [31:0]        step_number, update_number;
  assign settling      = !idle_o && !update_busy;
  assign step_number   = {24'd0, step_o};
  assign update_number = {24'd0, update} + StepsWord;
  assign counted       = update_busy ? update_number[NumberW-1:0] : step_number[NumberW-1:0];
  assign shared_flags  = shared_flags_i & {Flags{shared_write_o}};
  always @(posedge clk_i) begin
    ticks <= {(sample_ready_o && !sample_valid_i) || (result_valid_o && !result_ready_i), batch_done,
              update_busy && term, steps_done && kind == 2'd0, product, event_begins, update_busy,
              settling && product, settling, !idle_o};
  end
  corinfo_delay #(.Width(NumberW + Flags), .Cycles(Answers + 1)) u_counted (
    .clk_i(clk_i), .data_i({counted, shared_flags}), .data_o({late_counted, late_shared_flags})
  );
  corinfo_counters #(
    .SmallStyle(SmallStyle),
    .Units(Units), .Flags(Flags), .Ticks(Ticks), .Totals(Totals), .Numbers(Numbers), .MapFile(CountersFile),
    .HostTables(HostTables)
  ) u_counters (
    .clk_i         (clk_i),
    .rst_i         (begun),
    .ticks_i       (ticks),
    .number_i      (late_counted),
    .flags_i       (flags_i),
    .shared_flags_i(late_shared_flags),
    .read_i        (counter_read),
    .index_i       (counter_index),
    .counter_o     (counter),
    .host_i        (table_host[TableCounters]),
    .host_we_i     (table_we[TableCounters]),
    .host_row_i    (table_row),
    .host_part_i   (table_part),
    .host_data_i   (table_data),
    .host_word_o   (counters_table)
  );

  wire unused_bits;
  assign unused_bits = ^{program_words, signal, number, unit_word, sub_word, step_number, update_number};

endmodule

`default_nettype wire

package design

import (
	"fmt"
	"slices"
	"strings"

	fx "corinfo/fixedpoint"
	"corinfo/golden/rule"
)

// hasShared tells whether the neurons of some layer share words.
func (p *Plan) hasShared() bool { return len(p.Shared) > 0 }

// sharedModule prints the words that the neurons of a layer share, and their formulas.
func (p *Plan) sharedModule(s *shape) []byte {
	w := &writer{}
	name := p.Network.Name
	layers := len(p.Network.Layers)
	w.line("// %s_shared: the words that the neurons of a layer share, by sample in flight and layer, and their formulas. See", name)
	w.line("// corinfo_steps for the cycles of its ports.")
	w.provenance(p.Network)
	w.line("\n`timescale 1ns/1ps\n`default_nettype none\n\nmodule %s_shared (", name)
	var ports []string
	in := func(width int, n string) { ports = append(ports, "  input  wire "+rangeOf(width)+n) }
	out := func(width int, n string) { ports = append(ports, "  output wire "+rangeOf(width)+n) }
	in(1, "clk_i")
	in(8, "graph_i")
	in(8, "layer_i")
	in(s.context, "context_i")
	in(s.constants, "constants_i")
	in(1, "largest_i")
	in(1, "clear_i")
	in(1, "combine_i")
	in(1, "combine_first_i")
	in(s.unit, "combine_unit_i")
	in(p.Units*s.reduce, "reduced_i")
	in(1, "shared_write_i")
	out(s.shared, "shared_o")
	out(1, "moved_o")
	ports = append(ports, fmt.Sprintf("  output wire [%d:0] flags_o", p.Flags-1))
	out(s.shared, "trace_words_o")
	w.line("%s\n);\n", strings.Join(ports, ",\n"))
	w.line("  // The units' words in one.")
	w.line("  reg  [%d:0] reduced_q;\n  wire [%d:0] reduced;", s.reduce-1, s.reduce-1)
	w.line("  corinfo_choice #(.Width(%d), .Count(%d), .IndexW(%d)) u_reduced (\n    .index_i(combine_unit_i), .words_i(reduced_i), .word_o(reduced)\n  );", s.reduce, p.Units, s.unit)
	w.line("  always @(posedge clk_i) begin\n    if (combine_i) begin")
	w.line("      if (combine_first_i || (largest_i && $signed(reduced) > $signed(reduced_q))) begin\n        reduced_q <= reduced;\n      end else if (!largest_i) begin\n        reduced_q <= reduced_q + reduced;\n      end\n    end\n  end")
	w.line("\n  // Words, and which of them have been written since their sample began: the others are zero.")
	w.line("  reg  [%d:0] words [0:%d];\n  reg  [%d:0] words_q;\n  reg  [%d:0] live_q;", s.shared-1, p.Contexts*layers-1, s.shared-1, p.Contexts*layers-1)
	w.line("  wire [31:0] address;\n  wire [%d:0] next;", s.shared-1)
	w.line("  assign address  = %d * context_i + {24'd0, layer_i};", layers)
	w.line("  assign shared_o = words_q;")
	w.line("  always @(posedge clk_i) begin\n    words_q <= live_q[address] ? words[address] : %d'd0;", s.shared)
	w.line("    if (shared_write_i) begin\n      words[address] <= next;\n    end\n  end")
	w.line("  integer c, k;\n  always @(posedge clk_i) begin\n    for (c = 0; c < %d; c = c + 1) begin\n      for (k = 0; k < %d; k = k + 1) begin", p.Contexts, layers)
	w.line("        if (clear_i && context_i == c[%d:0]) begin\n          live_q[%d*c+k] <= 1'b0;", s.context-1, layers)
	w.line("        end else if (shared_write_i && address == %d * c + k) begin\n          live_q[%d*c+k] <= 1'b1;\n        end\n      end\n    end\n  end", layers, layers)
	w.formulaInUse(p)
	w.line("\n  // Formulas.")
	for i, f := range p.Formulas {
		if f.Use != OfLayer {
			continue
		}
		w.use(p, i, func(f *Formula, at int, format fx.Format) string {
			o := f.Operands[at]
			switch o.Source {
			case rule.FromWord:
				return taken("words_q", p.Shared[place(p.Shared, o.Name)].Low, format, s.shared)
			case rule.FromTotal, rule.FromLargest:
				return taken("reduced_q", 0, format, s.reduce)
			case rule.FromConstant:
				return taken("constants_i", f.Constants[at], format, s.constants)
			}
			panic("machine: an operand without a place")
		})
	}
	moved := map[int]string{}
	for i, f := range p.Formulas {
		if e := p.movedOf(i); f.Use == OfLayer && e != "1'b0" {
			moved[i] = "(" + e + ")"
		}
	}
	w.chosen(1, "moved", moved)
	w.line("  assign moved_o = moved;")
	w.flags(p, "1'b1", func(f *Formula) bool { return f.Use == OfLayer })
	w.line("  assign flags_o = raised;")
	var parts []string
	for k := len(p.Shared) - 1; k >= 0; k-- {
		x := p.Shared[k]
		next := map[int]string{}
		for i, f := range p.Formulas {
			if format, ok := f.output(x.Name + "_next"); ok && f.Use == OfLayer {
				v := fmt.Sprintf("f%d_%s_next", i, x.Name)
				if format.Width < x.Width {
					v = fmt.Sprintf("{%d'd0, %s}", x.Width-format.Width, v)
				}
				next[i] = v
			}
		}
		w.line("%s", net(x.Width, "next_"+x.Name))
		e := taken("words_q", x.Low, fx.Format{Width: x.Width}, s.shared)
		for at := len(p.Formulas) - 1; at >= 0; at-- {
			if v, ok := next[at]; ok {
				e = fmt.Sprintf("uses_q[%d] ? %s : %s", at, v, e)
			}
		}
		w.line("  assign next_%s = %s;", x.Name, e)
		parts = append(parts, "next_"+x.Name)
	}
	w.line("  assign next          = {%s};", strings.Join(parts, ", "))
	w.line("  assign trace_words_o = next;")
	w.unused(append(p.unused(func(f *Formula) bool { return f.Use == OfLayer }), "constants_i", "uses_q"))
	w.line("\nendmodule\n\n`default_nettype wire")
	return w.Bytes()
}

// topModule joins the control, the lanes and the neuron units.
func (p *Plan) topModule(s *shape) []byte {
	w := &writer{}
	n := p.Network
	name := n.Name
	kinds := len(p.Kinds)
	besideW := max(1, s.beside)
	eventW := s.signal + 16 + s.change
	traceW, sharedW := bitsOf(p.Words), max(1, s.shared)
	learning := fmt.Sprintf("A learning command goes on, and synapses change\n// after every %d of them", n.Learning.Batch)
	if !p.Learns() {
		learning = "It does not learn:\n// a learning command is an inference"
	}
	w.line("// %s: a network of %v neurons on %d lanes and %d neuron units.", name, n.Layers, p.Lanes, p.Units)
	w.line("//\n// Give a command, then the input's words; scores and the class come out. %s. The trace ports show a testbench what steps and updates write; leave them open on a board.", learning)
	w.provenance(n)
	w.line("\n`timescale 1ns/1ps\n`default_nettype none\n\nmodule %s #(\n  parameter ImageFolder = \"images\"\n) (", name)
	var ports []string
	in := func(width int, n string) { ports = append(ports, "  input  wire "+rangeOf(width)+n) }
	out := func(width int, n string) { ports = append(ports, "  output wire "+rangeOf(width)+n) }
	var control []string
	outer := []struct {
		width int
		name  string
		out   bool
	}{{1, "clk_i", false}, {1, "rst_i", false},
		{1, "command_valid_i", false}, {1, "command_ready_o", true}, {1, "command_learn_i", false}, {1, "command_negative_i", false}, {s.label, "command_label_i", false},
		{1, "sample_valid_i", false}, {1, "sample_ready_o", true}, {1, "sample_last_i", false}, {s.x, "sample_data_i", false},
		{1, "score_valid_o", true}, {s.label, "score_index_o", true}, {s.score, "score_data_o", true},
		{1, "result_valid_o", true}, {1, "result_ready_i", false}, {1, "result_error_o", true}, {s.label, "result_class_o", true},
		{1, "host_valid_i", false}, {1, "host_ready_o", true}, {1, "host_write_i", false}, {32, "host_address_i", false}, {64, "host_data_i", false},
		{1, "host_done_o", true}, {1, "host_error_o", true}, {64, "host_data_o", true}, {1, "idle_o", true}}
	for _, x := range outer {
		if x.out {
			out(x.width, x.name)
		} else {
			in(x.width, x.name)
		}
		control = append(control, fmt.Sprintf(".%s(%s)", x.name, x.name))
	}
	out(1, "trace_step_valid_o")
	out(s.context, "trace_step_context_o")
	out(8, "trace_step_number_o")
	out(16, "trace_step_neuron_o")
	ports = append(ports, fmt.Sprintf("  output wire [%d:0] trace_step_words_o", p.Units*traceW-1))
	out(1, "trace_shared_valid_o")
	out(sharedW, "trace_shared_words_o")
	out(1, "trace_synapse_valid_o")
	out(20, "trace_synapse_address_o")
	out(16, "trace_synapse_sub_o")
	out(p.Units*s.word, "trace_synapse_words_o")
	out(p.Units*besideW, "trace_synapse_besides_o")
	w.line("%s\n);\n", strings.Join(ports, ",\n"))

	type wire struct {
		width int
		name  string
	}
	c := p.Contexts
	nets := []wire{{s.synapse, "synapse_raddr"}, {s.synapse, "synapse_waddr"}, {1, "host_we"}, {1, "host_beside"}, {s.lane, "host_lane"}, {s.word, "host_synapse"}, {besideW, "host_words"},
		{s.factor, "factor_raddr"}, {s.factor, "factor_waddr"}, {1, "update"}, {s.operand, "operand"}, {c * s.sum, "sum_addr"}, {c, "sum_we"}, {1, "sum_first"}, {1, "sum_same"},
		{kinds, "hold"}, {s.context, "hold_context"}, {1, "hold_zero"},
		{8, "step"}, {8, "graph"}, {s.context, "context"}, {16, "neurons"}, {16, "label"}, {s.signal, "signal"}, {8, "layer"}, {1, "largest"}, {s.constants, "constants"},
		{1, "visit"}, {s.sub, "visit_sub"}, {s.index, "visit_index"}, {16, "visit_neuron"}, {1, "clear"}, {1, "reduce"}, {1, "reduce_first"},
		{1, "write"}, {s.sub, "write_sub"}, {s.index, "write_index"}, {16, "write_neuron"}, {1, "event"}, {1, "factor_we"}, {1, "kept_we"}, {s.kept, "kept_waddr"}, {s.kept, "kept_raddr"},
		{1, "combine"}, {1, "combine_first"}, {s.unit, "combine_unit"}, {1, "shared_write"},
		{1, "synapse_write"}, {s.sub, "synapse_sub"}, {128, "keys"}, {2, "order"}, {16, "random_row"}, {16, "random_column"}, {s.places, "update_constants"},
		{p.Units * c, "queue_take"}, {s.context, "queue_context"}}
	for _, x := range nets {
		if x.name == "queue_take" {
			w.line("  wire [%d:0] bus_%s;", x.width-1, x.name)
		} else {
			w.line("%s", net(x.width, "bus_"+x.name))
		}
		control = append(control, fmt.Sprintf(".%s_o(bus_%s)", x.name, x.name))
	}
	if !p.Learns() {
		var untold []string
		for _, x := range onlyLearning {
			untold = append(untold, "bus_"+x)
		}
		w.line("  wire unused_learning;\n  assign unused_learning = ^{%s};", strings.Join(untold, ", "))
	}
	widthOf := map[string]int{"rst": 1, "shared": sharedW}
	for _, x := range nets {
		widthOf[x.name] = x.width
	}
	back := []wire{{p.Units * c, "queue_put"}, {p.Units * eventW, "queue_heads"}, {p.Units, "moved"}, {p.Units, "factor_live"}, {1, "shared_moved"}, {p.Units * p.Flags, "flags"}, {p.Flags, "shared_flags"}, {p.Units * s.score, "score"}, {p.Units * s.keptWord, "kept"},
		{p.Units * s.word, "synapse"}, {p.Units * besideW, "beside"}}
	for _, x := range back {
		w.line("  wire [%d:0] from_units_%s;", x.width-1, x.name)
		control = append(control, fmt.Sprintf(".%s_i(from_units_%s)", x.name, x.name))
	}
	if !p.Learns() {
		w.line("  assign from_units_kept = %d'd0;\n  assign from_units_factor_live = %d'd0;", p.Units*s.keptWord, p.Units)
	}
	w.line("%s\n%s", fmt.Sprintf("  wire [%d:0] from_units_reduced;", p.Units*s.reduce-1), net(sharedW, "bus_shared"))
	w.line("  wire bus_rst;")
	control = append(control, ".rst_o(bus_rst)")
	w.line("  wire [%d:0] synapse_next;\n  wire [%d:0] beside_next;", p.Units*s.word-1, p.Units*besideW-1)
	words := func(list []int, n int) string { // the first lowest
		parts := make([]string, n)
		for i := range parts {
			v := 0
			if i < len(list) {
				v = list[i]
			}
			parts[n-1-i] = fmt.Sprintf("32'd%d", v)
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	table := func(list []Storage, of func(x Storage) int, n int) string {
		var values []int
		for _, x := range list {
			values = append(values, of(x))
		}
		return words(values, n)
	}
	var tableRows, tableBits []int
	for _, x := range p.hostTables(s.constants) {
		tableRows, tableBits = append(tableRows, x.Rows), append(tableBits, x.Bits)
	}
	signed := 0
	for i, x := range p.Beside {
		if x.Signed {
			signed |= 1 << i
		}
	}
	params := []string{}
	number := func(name string, v int) { params = append(params, fmt.Sprintf(".%s(%d)", name, v)) }
	text := func(name, v string) { params = append(params, fmt.Sprintf(".%s(%s)", name, v)) }
	image := func(name string) string { return fmt.Sprintf("{ImageFolder, \"/%s_%s.hex\"}", n.Name, name) }
	for _, x := range []struct {
		name string
		v    int
	}{
		{"Lanes", p.Lanes},
		{"LaneW", s.lane},
		{"Units", p.Units},
		{"UnitW", s.unit},
		{"Subs", p.Subs},
		{"SubW", s.sub},
		{"Contexts", c},
		{"ContextW", s.context},
		{"Kinds", kinds},
		{"KindW", s.kind},
		{"Slots", p.Slots},
		{"SlotW", s.slot},
		{"IndexW", s.index},
		{"SumAddrW", s.sum},
		{"Batch", p.batch()},
		{"SampleW", s.sample},
		{"Inputs", n.Layers[0]},
		{"InputAddrW", s.input},
		{"LabelW", s.label},
		{"FactorAddrW", s.factor},
		{"KeptAddrW", s.kept},
		{"SynapseDepth", s.synapseDepth},
		{"SynapseAddrW", s.synapse},
		{"SynapseWidth", s.word},
		{"BesideW", besideW},
		{"XWidth", s.x},
		{"XSigned", one(p.A.Word(p.D.Word("x", 0)).Signed)},
		{"ChangeWidth", s.change},
		{"OperandWidth", s.operand},
		{"ScoreWidth", s.score},
		{"KeptWidth", s.keptWord},
		{"ValueWidth", s.value},
		{"ConstantsWidth", s.constants},
		{"Steps", max(2, len(p.Steps))},
		{"Rows", max(1, len(p.Rows))},
		{"Signals", max(2, len(p.Signals))},
		{"SignalW", s.signal},
		{"OneSignal", p.oneSignal()},
		{"WalkDepth", max(2, len(p.Walk))},
		{"Learning", one(p.Learns())},
		{"Updates", p.updateWords()},
		{"UpdateConstantsWidth", s.places},
		{"MaxLatency", s.maxLatency},
		{"TermAddrW", s.term},
		{"FactorsW", s.factors},
		{"ReadCycles", p.Target.ReadCycles},
		{"WireCycles", p.Target.WireCycles},
		{"QueueW", s.queue},
		{"ProgramDepth", max(2, len(p.Program))},
		{"ProgramAddrW", s.program},
		{"HostTables", one(n.Hardware.HostTables)},
		{"Entries", p.scheduleWords()},
		{"RandomSign", one(n.Learning.RandomSign)},
		{"Dense", one(n.Hardware.Mode == "dense")},
		{"Flags", p.Flags},
		{"Totals", len(p.Counters)},
	} {
		number(x.name, x.v)
	}
	low := func(x Storage) int { return x.Low }
	width := func(x Storage) int { return x.Width }
	text("SmallStyle", fmt.Sprintf("%q", p.smallStyle()))
	text("BesideLow", table(p.Beside, low, 4))
	text("BesideBits", table(p.Beside, width, 4))
	text("BesideSigned", fmt.Sprintf("4'd%d", signed))
	text("ConstantLow", table(p.Places, low, 8))
	text("ConstantBits", table(p.Places, width, 8))
	text("TableRows", words(tableRows, tableCount))
	text("TableBits", words(tableBits, tableCount))
	text("Seed", fmt.Sprintf("32'd%d", n.Seed))
	for _, x := range [][2]string{{"ProgramFile", "program"}, {"StepsFile", "steps"}, {"ConstantsFile", "constants"}, {"SignalsFile", "signals"}, {"WalkFile", "walk"},
		{"UpdatesFile", "updates"}, {"UpdateConstantsFile", "rates"}, {"ScheduleFile", "schedule"}, {"CountersFile", "counters"}} {
		text(x[0], image(x[1]))
	}
	w.line("\n  corinfo_control #(\n    %s\n  ) u_control (\n    %s\n  );", strings.Join(params, ",\n    "), strings.Join(control, ",\n    "))

	w.topUnits(p, s, widthOf)

	if p.hasShared() {
		w.line("\n  // Words that the neurons of a layer share.")
		w.line("  %s_shared u_shared (\n    .clk_i(clk_i), .graph_i(bus_graph), .layer_i(bus_layer), .context_i(bus_context), .constants_i(bus_constants), .largest_i(bus_largest), .clear_i(bus_clear),", name)
		w.line("    .combine_i(bus_combine), .combine_first_i(bus_combine_first), .combine_unit_i(bus_combine_unit), .reduced_i(from_units_reduced), .shared_write_i(bus_shared_write),")
		w.line("    .shared_o(bus_shared), .moved_o(from_units_shared_moved), .flags_o(from_units_shared_flags), .trace_words_o(trace_shared_words_o)\n  );")
		w.line("  assign trace_shared_valid_o = bus_shared_write;")
	} else {
		w.line("  assign bus_shared = %d'd0;\n  assign from_units_shared_moved = 1'b0;\n  assign from_units_shared_flags = %d'd0;\n  assign trace_shared_valid_o = 1'b0;\n  assign trace_shared_words_o = 1'b0;", sharedW, p.Flags)
		w.line("  wire unused_shared;\n  assign unused_shared = ^{bus_layer, bus_largest, bus_combine, bus_combine_first, bus_combine_unit, bus_shared_write, from_units_reduced};")
	}
	w.line("\n  // Trace, as late as the units write; the synapse's address comes with the write.")
	for i, traced := range [][]wire{{{1, "write"}, {s.context, "context"}, {8, "step"}, {16, "write_neuron"}, {1, "synapse_write"}, {s.sub, "synapse_sub"}}, {{s.synapse, "synapse_waddr"}}} {
		total := 0
		var from, to []string
		for _, x := range traced {
			w.line("%s", net(x.width, "trace_"+x.name))
			from, to = append(from, "bus_"+x.name), append(to, "trace_"+x.name)
			total += x.width
		}
		w.line("  corinfo_delay #(.Width(%d), .Cycles(%d)) u_trace%d (\n    .clk_i(clk_i), .data_i({%s}),\n    .data_o({%s})\n  );", total, p.Target.WireCycles+1-i, i,
			strings.Join(from, ", "), strings.Join(to, ", "))
	}
	w.line("  assign trace_step_valid_o      = trace_write && !bus_rst;\n  assign trace_step_context_o    = trace_context;\n  assign trace_step_number_o     = trace_step;\n  assign trace_step_neuron_o     = trace_write_neuron;")
	w.line("  assign trace_synapse_valid_o   = trace_synapse_write && !bus_rst;\n  assign trace_synapse_address_o = {%d'd0, trace_synapse_waddr};\n  assign trace_synapse_sub_o     = {%d'd0, trace_synapse_sub};", 20-s.synapse, 16-s.sub)
	w.line("  assign trace_synapse_words_o   = trace_synapse_write ? synapse_next : %d'd0;\n  assign trace_synapse_besides_o = trace_synapse_write ? beside_next : %d'd0;", p.Units*s.word, p.Units*besideW)
	w.line("\nendmodule\n\n`default_nettype wire")
	return w.Bytes()
}

// toldLanes and toldUnits are what the control tells all lanes, and all units.
var (
	toldLanes = []string{"synapse_raddr", "synapse_waddr", "factor_raddr", "factor_waddr", "operand", "sum_addr", "sum_we", "sum_first", "sum_same", "hold", "hold_context", "hold_zero"}
	toldUnits = []string{"rst", "graph", "context", "neurons", "label", "signal", "constants", "shared", "visit", "visit_sub", "visit_index", "visit_neuron", "clear", "reduce",
		"reduce_first", "write", "write_sub", "write_index", "write_neuron", "event", "factor_we", "kept_we", "kept_waddr", "kept_raddr", "synapse_write", "synapse_sub", "keys", "order",
		"random_row", "random_column", "update_constants", "host_we", "host_beside", "host_lane", "host_synapse", "host_words", "queue_context"}
)

// onlyLearning are what of this only learning needs.
var onlyLearning = []string{"update", "write_sub", "factor_raddr", "factor_waddr", "factor_we", "kept_we", "kept_waddr", "kept_raddr", "synapse_write", "synapse_sub", "keys", "order",
	"random_row", "random_column", "update_constants"}

// told is what the control tells units and lanes, of a list.
func (p *Plan) told(list []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(x string) bool { return !p.Learns() && slices.Contains(onlyLearning, x) })
}

// topUnits prints the units and their lanes, with the registers on the wires to them and back.
func (w *writer) topUnits(p *Plan, s *shape, widthOf map[string]int) {
	c, kinds, besideW, name := p.Contexts, len(p.Kinds), max(1, s.beside), p.Network.Name
	eventW, traceW := s.signal+16+s.change, bitsOf(p.Words)
	pair := p.pair()

	told := p.told(slices.Concat([]string{"update"}, toldLanes, toldUnits))
	total := 0
	side := func(prefix string) string {
		list := make([]string, len(told))
		for i, x := range told {
			list[i] = prefix + x
		}
		return "{" + strings.Join(list, ", ") + "}"
	}
	for _, x := range told {
		total += widthOf[x]
	}
	wires := p.Target.WireCycles
	w.line("\n  // What all units and lanes are told: registers on the way to all of them, and one at each unit.")
	w.line("  wire [%d:0] told;", total-1)
	w.line("  corinfo_wire #(.Width(%d), .Cycles(%d)) u_told (\n    .clk_i(clk_i),\n    .data_i(%s),\n    .data_o(told)\n  );", total, max(0, wires-1), side("bus_"))
	w.line("\n  // Neuron units, each with its lanes: the image of lane 12 is %s_lane_0012.hex.", name)
	w.line("  genvar u, i;\n  generate\n    for (u = 0; u < %d; u = u + 1) begin : gen_unit", p.Units)
	for _, x := range told {
		w.line("    %s", net(widthOf[x], "told_"+x))
	}
	w.line("      corinfo_wire #(.Width(%d), .Cycles(%d)) u_told (\n        .clk_i(clk_i), .data_i(told),\n        .data_o(%s)\n      );", total, min(1, wires), side("told_"))
	w.line("      wire [%d:0] take;", c-1)
	w.line("      corinfo_wire #(.Width(%d), .Cycles(%d)) u_take (\n        .clk_i(clk_i), .data_i(bus_queue_take[%d*u +: %d]), .data_o(take)\n      );", c, wires, c, c)

	type answer struct {
		width     int
		name, net string
	}
	answers := []answer{{c, "queue_put", "queue_put"}, {eventW, "queue_head", "queue_heads"}, {1, "moved", "moved"}, {p.Flags, "flags", "flags"}, {s.reduce, "reduced", "reduced"}, {s.score, "score", "score"},
		{s.word, "synapse", "synapse"}, {besideW, "beside", "beside"}}
	if p.Learns() {
		answers = append(answers, answer{s.keptWord, "kept", "kept"}, answer{1, "factor_live", "factor_live"})
	}
	var from, to []string
	total = 0
	for _, x := range answers {
		w.line("    %s", net(x.width, x.name))
		from = append(from, x.name)
		to = append(to, fmt.Sprintf("from_units_%s[%d*u +: %d]", x.net, x.width, x.width))
		total += x.width
	}
	w.line("      corinfo_wire #(.Width(%d), .Cycles(%d)) u_answers (\n        .clk_i(clk_i), .data_i({%s}),\n        .data_o({%s})\n      );", total, wires,
		strings.Join(from, ", "), strings.Join(to, ", "))

	w.line("      wire [%d:0] sums;\n      wire [%d:0] synapses;\n      wire [%d:0] besides;", p.Subs*kinds*s.accumulator-1, p.Subs*s.word-1, p.Subs*besideW-1)
	w.line("      wire [%d:0] synapse_we, beside_we;", p.Subs-1)
	w.line("      wire [%d:0] trace_words;", traceW-1)
	bind := []string{".clk_i(clk_i)"}
	if p.Learns() {
		w.line("      wire [%d:0] factor_we;\n      wire [%d:0] factor_next;", p.Subs/pair-1, pair*s.factorWord-1)
		bind = append(bind, ".update_i(told_update)", ".factor_we_o(factor_we)", ".factor_next_o(factor_next)")
	}
	for _, x := range p.told(toldUnits) {
		bind = append(bind, fmt.Sprintf(".%s_i(told_%s)", x, x))
	}
	for _, x := range answers {
		bind = append(bind, fmt.Sprintf(".%s_o(%s)", x.name, x.name))
	}
	bind = append(bind, ".first_lane_i(FirstLane[15:0])", ".queue_take_i(take)", ".sums_i(sums)", ".synapses_i(synapses)", ".besides_i(besides)",
		".synapse_we_o(synapse_we)", ".beside_we_o(beside_we)", fmt.Sprintf(".synapse_next_o(synapse_next[%d*u +: %d])", s.word, s.word),
		fmt.Sprintf(".beside_next_o(beside_next[%d*u +: %d])", besideW, besideW), ".trace_words_o(trace_words)")
	w.line("      localparam [31:0] FirstLane = %d * u;", p.Subs)
	w.line("      %s_unit u_unit (\n        %s\n      );", name, strings.Join(bind, ",\n        "))
	w.line("      assign trace_step_words_o[%d*u +: %d] = trace_write ? trace_words : %d'd0;", traceW, traceW, traceW)

	if p.Learns() {
		w.line("\n      // Learning factors: those of %d lanes side by side in a memory.", pair)
		w.line("      wire [%d:0] factors;", p.Subs*s.factorWord-1)
		w.line("      for (i = 0; i < %d; i = i + 1) begin : gen_factor", p.Subs/pair)
		w.line("        corinfo_ram #(.Width(%d), .Depth(%d), .Cycles(%d)) u_factor (", pair*s.factorWord, 1<<s.factor, p.Target.ReadCycles)
		w.line("          .clk_i(clk_i), .we_i(factor_we[i]), .waddr_i(told_factor_waddr), .wdata_i(factor_next), .re_i(told_update), .raddr_i(told_factor_raddr),")
		w.line("          .rdata_o(factors[%d*i +: %d])\n        );\n      end", pair*s.factorWord, pair*s.factorWord)
	}
	w.line("\n      for (i = 0; i < %d; i = i + 1) begin : gen_lane", p.Subs)
	w.line("        localparam Lane = %d * u + i;", p.Subs)
	for _, x := range [][2]string{{"Thousands", "Lane / 1000"}, {"Hundreds", "Lane / 100 % 10"}, {"Tens", "Lane / 10 % 10"}, {"Ones", "Lane % 10"}} {
		w.line("        localparam [31:0] %sWord = 48 + %s;\n        localparam [7:0]  %s = %sWord[7:0];", x[0], x[1], x[0], x[0])
	}
	digits := "Thousands, Hundreds, Tens, Ones"
	of := func(name string, width int) string { return fmt.Sprintf("%s[%d*i +: %d]", name, width, width) }
	w.line("        corinfo_synapses #(")
	w.line("          .ReadCycles(%d), .SynapseWidth(%d), .SynapseDepth(%d), .SynapseAddrW(%d),", p.Target.ReadCycles, s.word, s.synapseDepth, s.synapse)
	w.line("          .SynapseFile({ImageFolder, \"/%s_lane_\", %s, \".hex\"}), .BesideWidth(%d), .BesideFile({ImageFolder, \"/%s_beside_\", %s, \".hex\"})", name, digits, s.beside, name, digits)
	w.line("        ) u_synapses (\n          .clk_i(clk_i), .synapse_raddr_i(told_synapse_raddr), .synapse_waddr_i(told_synapse_waddr),")
	w.line("          .synapse_o(%s), .beside_o(%s), .synapse_we_i(synapse_we[i]), .beside_we_i(beside_we[i]),", of("synapses", s.word), of("besides", besideW))
	w.line("          .synapse_next_i(synapse_next[%d*u +: %d]), .beside_next_i(beside_next[%d*u +: %d])\n        );", s.word, s.word, besideW, besideW)
	update, factor, learns := "1'b0", fmt.Sprintf("%d'd0", s.factorWord), 0
	if p.Learns() {
		update, factor, learns = "told_update", of("factors", s.factorWord), 1
	}
	w.line("        corinfo_lane #(")
	w.line("          .SynapseWidth(%d), .FactorWidth(%d), .OperandWidth(%d), .Contexts(%d), .ContextW(%d),", s.word, s.factorWord, s.operand, c, s.context)
	w.line("          .Kinds(%d), .SumDepth(%d), .SumAddrW(%d), .SumWidth(%d), .Learning(%d), .SmallStyle(%q)\n        ) u_lane (", kinds, 1<<s.sum, s.sum, s.accumulator, learns, p.smallStyle())
	bind = []string{".clk_i(clk_i)", ".update_i(" + update + ")"}
	for _, x := range toldLanes {
		if strings.HasPrefix(x, "sum_") || strings.HasPrefix(x, "hold") || x == "operand" {
			bind = append(bind, fmt.Sprintf(".%s_i(told_%s)", x, x))
		}
	}
	bind = append(bind, ".synapse_i("+of("synapses", s.word)+")", ".factor_i("+factor+")", ".hold_o("+of("sums", kinds*s.accumulator)+")")
	w.line("          %s\n        );\n      end\n    end\n  endgenerate", strings.Join(bind, ",\n          "))
}

// smallStyle is how small memories whose words are there at once are made: the generic family's and others' tools choose.
func (p *Plan) smallStyle() string {
	if p.Target.Distributed {
		return "distributed"
	}
	return "auto"
}

// pair is how many lanes' factors are in a memory together: two, if lanes come in pairs.
func (p *Plan) pair() int {
	if p.Subs%2 == 0 {
		return 2
	}
	return 1
}

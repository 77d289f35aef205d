package design

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	fx "corinfo/fixedpoint"
	"corinfo/golden/network"
	"corinfo/golden/rule"
	"corinfo/hdlgen"
	vl "corinfo/hdlgen/verilog"
)

// reduced is the format of the word that a formula reduces.
func (p *Plan) reduced(f *Formula) fx.Format { return p.A.Word(p.D.Word(f.Reduces, f.Layer)).Format }

// writer prints lines of Verilog.
type writer struct{ bytes.Buffer }

func (w *writer) line(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }

// provenance tells where a module comes from, in the lines of its head.
func (w *writer) provenance(n *network.Network) {
	for _, line := range hdlgen.Provenance(n) {
		w.line("%s", strings.TrimRight("// "+line, " "))
	}
}

// net declares a wire.
func net(width int, name string) string {
	if width == 1 {
		return fmt.Sprintf("  wire %s;", name)
	}
	return fmt.Sprintf("  wire [%d:0] %s;", width-1, name)
}

// bus declares a wire that has a range even if it is one bit wide: its bits are named by index.
func bus(width int, name string) string { return fmt.Sprintf("  wire [%d:0] %s;", width-1, name) }

// extended is a word of a format as a signed one of a width.
func extended(name string, f fx.Format, width int) string {
	switch {
	case width <= f.Width:
		return name
	case f.Signed:
		return fmt.Sprintf("{{%d{%s[%d]}}, %s}", width-f.Width, name, f.Width-1, name)
	}
	return fmt.Sprintf("{%d'd0, %s}", width-f.Width, name)
}

// taken is a word of a format out of a wider net.
func taken(name string, low int, f fx.Format, width int) string {
	if low == 0 && width == f.Width {
		return name
	}
	if f.Width == 1 {
		return fmt.Sprintf("%s[%d]", name, low)
	}
	return fmt.Sprintf("%s[%d:%d]", name, low+f.Width-1, low)
}

// moduleName is that of a formula's pipeline.
func (p *Plan) moduleName(at int) string {
	return fmt.Sprintf("%s_%s%d", p.Network.Name, p.Formulas[at].Graph.Name, at)
}

// pipelines prints every formula.
func (p *Plan) pipelines(provenance []string) (modules []*vl.Module, err error) {
	for i, f := range p.Formulas {
		if f.Graph.Name == "answer" {
			continue
		}
		name := p.moduleName(i)
		m, _, err := hdlgen.Pipeline(name, f.Graph, p.Target, append([]string{fmt.Sprintf("%s: %s.", name, p.about(i))}, provenance...))
		if err != nil {
			return nil, err
		}
		modules = append(modules, m)
	}
	return modules, nil
}

// about tells what a formula serves.
func (p *Plan) about(at int) string {
	var names []string
	for _, s := range p.Steps {
		if s.Formula == at {
			names = append(names, fmt.Sprintf("layer %d", s.Layer))
		}
	}
	for _, u := range p.Updates {
		if u.Formula == at {
			names = append(names, p.D.Projections[u.Projection].Name)
		}
	}
	return "formula " + p.Formulas[at].Graph.Name + " of " + strings.Join(names, ", ")
}

// formulaInUse prints a bit for every formula of the design: the one under way, a cycle after it is told and before its operands are there.
func (w *writer) formulaInUse(p *Plan) {
	w.line("\n  // The formula under way: of steps and updates it is known before their first visit.")
	w.line("  reg [%d:0] uses_q;\n  integer f;", len(p.Formulas)-1)
	w.line("  always @(posedge clk_i) begin\n    for (f = 0; f < %d; f = f + 1) begin\n      uses_q[f] <= graph_i == f[7:0];\n    end\n  end", len(p.Formulas))
}

// use is a pipeline in a module: its operands there.
func (w *writer) use(p *Plan, at int, operand func(f *Formula, at int, format fx.Format) string) {
	f := p.Formulas[at]
	g := f.Graph
	for _, o := range g.Outputs() {
		w.line("%s", bus(g.Nodes()[o.Value].Format.Width, fmt.Sprintf("f%d_%s", at, o.Name)))
	}
	for i := range g.Resizes() {
		w.line("%s", net(1, fmt.Sprintf("f%d_overflow%d", at, i)))
	}
	w.line("  %s u_f%d (", p.moduleName(at), at)
	w.line("    .clk_i(clk_i), .enable_i(uses_q[%d]),", at)
	for i, v := range g.Inputs() {
		n := g.Nodes()[v]
		w.line("    .%s_i(%s),", n.Name, operand(f, i, n.Format))
	}
	for i, v := range g.Resizes() {
		w.line("    .%s_overflow_o(f%d_overflow%d),", g.Nodes()[v].Name, at, i)
	}
	for i, o := range g.Outputs() {
		comma := ","
		if i == len(g.Outputs())-1 {
			comma = ""
		}
		w.line("    .%s_o(f%d_%s)%s", o.Name, at, o.Name, comma)
	}
	w.line("  );")
}

// chosen prints a net that takes the value of one of several formulas, that of the one under way; 0 of others.
func (w *writer) chosen(width int, name string, values map[int]string) {
	w.line("%s", net(width, name))
	w.chosenInto(width, name, values)
}

// chosenInto is chosen without the declaration.
func (w *writer) chosenInto(width int, name string, values map[int]string) {
	var list []string
	for _, at := range slices.Sorted(maps.Keys(values)) {
		list = append(list, fmt.Sprintf("({%d{uses_q[%d]}} & %s)", width, at, values[at]))
	}
	if list == nil {
		list = []string{fmt.Sprintf("%d'd0", width)}
	}
	w.line("  assign %s = %s;", name, strings.Join(list, " | "))
}

// output is a formula's output by name; ok tells whether it has it.
func (f *Formula) output(name string) (format fx.Format, ok bool) {
	for _, o := range f.Graph.Outputs() {
		if o.Name == name {
			return f.Graph.Nodes()[o.Value].Format, true
		}
	}
	return fx.Format{}, false
}

// movedOf is the expression of what an early end waits for.
func (p *Plan) movedOf(at int) string {
	f := p.Formulas[at]
	var list []string
	if _, ok := f.output("moved"); ok && f.Use != OfSynapse {
		list = append(list, fmt.Sprintf("f%d_moved", at))
	}
	for _, i := range f.Guarded {
		list = append(list, fmt.Sprintf("f%d_overflow%d", at, i))
	}
	if list == nil {
		return "1'b0"
	}
	return strings.Join(list, " || ")
}

// unitModule prints the neuron unit: the words of its lanes' neurons, and the formulas.
func (p *Plan) unitModule(s *shape) []byte {
	w := &writer{}
	name := p.Network.Name
	kinds := len(p.Kinds)
	besideW := max(1, s.beside)
	traceW := bitsOf(p.Words)
	eventW := s.signal + 16 + s.change
	w.line("// %s_unit: a neuron unit, which serves %d lanes, one a cycle: the words of their neurons, the formulas of steps, factors and", name, p.Subs)
	w.line("// updates, the changes that wait to become events, and the factors that are broadcast. See corinfo_steps and")
	w.line("// corinfo_update for the cycles of its ports.")
	w.provenance(p.Network)
	w.line("\n`timescale 1ns/1ps\n`default_nettype none\n")
	w.line("(* keep_hierarchy = \"yes\" *)")
	w.line("module %s_unit (", name)
	ports := []string{}
	in := func(width int, n string) { ports = append(ports, "  input  wire "+rangeOf(width)+n) }
	out := func(width int, n string) { ports = append(ports, "  output wire "+rangeOf(width)+n) }
	learns := p.Learns()
	learning := func(port func(width int, n string), width int, n string) { // of what only learning needs
		if learns {
			port(width, n)
		}
	}
	// Bits of these are named by index.
	indexed := func(dir string, width int, n string) {
		ports = append(ports, fmt.Sprintf("  %s wire [%d:0] %s", dir, width-1, n))
	}
	in(1, "clk_i")
	in(1, "rst_i")
	in(16, "first_lane_i") // constant, but all units are one module
	in(8, "graph_i")
	in(s.context, "context_i")
	in(16, "neurons_i")
	in(16, "label_i")
	in(s.signal, "signal_i")
	in(s.constants, "constants_i")
	in(max(1, s.shared), "shared_i")
	learning(in, 1, "update_i")
	in(1, "visit_i")
	in(s.sub, "visit_sub_i")
	in(s.index, "visit_index_i")
	in(16, "visit_neuron_i")
	in(1, "clear_i")
	in(1, "reduce_i")
	in(1, "reduce_first_i")
	in(1, "write_i")
	learning(in, s.sub, "write_sub_i")
	in(s.index, "write_index_i")
	in(16, "write_neuron_i")
	in(1, "event_i")
	learning(in, 1, "factor_we_i")
	learning(in, 1, "kept_we_i")
	learning(in, s.kept, "kept_waddr_i")
	learning(in, s.kept, "kept_raddr_i")
	learning(in, 1, "synapse_write_i")
	learning(in, s.sub, "synapse_sub_i")
	learning(in, 128, "keys_i")
	learning(in, 2, "order_i")
	learning(in, 16, "random_row_i")
	learning(in, 16, "random_column_i")
	learning(in, s.places, "update_constants_i")
	in(1, "host_we_i")
	in(1, "host_beside_i")
	in(s.lane, "host_lane_i")
	in(s.word, "host_synapse_i")
	in(besideW, "host_words_i")
	in(p.Subs*kinds*s.accumulator, "sums_i")
	in(p.Subs*s.word, "synapses_i")
	indexed("input ", p.Subs*besideW, "besides_i")
	indexed("input ", p.Contexts, "queue_take_i")
	in(s.context, "queue_context_i")
	indexed("output", p.Contexts, "queue_put_o")
	out(eventW, "queue_head_o")
	out(1, "moved_o")
	indexed("output", p.Flags, "flags_o")
	learning(out, 1, "factor_live_o")
	out(s.reduce, "reduced_o")
	out(s.score, "score_o")
	learning(out, s.keptWord, "kept_o")
	out(s.word, "synapse_o")
	out(besideW, "beside_o")
	if learns {
		indexed("output", p.Subs/p.pair(), "factor_we_o")
		out(p.pair()*s.factorWord, "factor_next_o")
	}
	indexed("output", p.Subs, "synapse_we_o")
	indexed("output", p.Subs, "beside_we_o")
	out(s.word, "synapse_next_o")
	out(besideW, "beside_next_o")
	out(traceW, "trace_words_o")
	w.line("%s\n);\n", strings.Join(ports, ",\n"))
	w.line("\n  // The neuron that is visited, counted from this unit's first: so are the layer's end and the label.")
	w.line("  reg [15:0] end_q, label_place_q;\n  reg present_q, label_q, visit_q;")
	stepping := "" // while no update runs
	if learns {
		stepping = " && !update_i"
	}
	w.line("  always @(posedge clk_i) begin\n    end_q         <= (neurons_i > first_lane_i) ? neurons_i - first_lane_i : 16'd0;\n    label_place_q <= label_i - first_lane_i;")
	w.line("    present_q     <= visit_neuron_i < end_q;\n    label_q       <= visit_neuron_i == label_place_q;\n    visit_q       <= visit_i%s;\n  end", stepping)
	w.formulaInUse(p)

	w.line("\n  // Its sums; in an update the sum of its synapse's products, the synapse and the words beside it.")
	for k := range p.Kinds {
		w.line("  reg [%d:0] sum%d_q;", s.accumulator-1, k)
	}
	w.line("  reg [%d:0] synapse_q;\n  reg [%d:0] beside_q;\n  integer i;", s.word-1, besideW-1)
	w.line("  always @(posedge clk_i) begin\n    for (i = 0; i < %d; i = i + 1) begin\n      if (visit_sub_i == i[%d:0]) begin", p.Subs, s.sub-1)
	for k := range p.Kinds {
		w.line("        sum%d_q   <= sums_i[%d*i+%d +: %d];", k, kinds*s.accumulator, k*s.accumulator, s.accumulator)
	}
	w.line("        synapse_q <= synapses_i[%d*i +: %d];\n        beside_q  <= besides_i[%d*i +: %d];\n      end\n    end\n  end", s.word, s.word, besideW, besideW)
	w.line("  assign synapse_o = synapse_q;\n  assign beside_o  = beside_q;")

	// Words.
	w.line("\n  // Words of neurons, by sample in flight. What is written, here and below, is so a cycle later: long wires end at registers.")
	depth := p.Contexts << s.index
	addrW := hdlgen.AddressBits(depth)
	address := func(index string) string {
		if p.Contexts == 1 {
			return index
		}
		return "{context_i, " + index + "}"
	}
	w.line("  wire [%d:0] read_addr;\n  reg  [%d:0] write_addr_q;", addrW-1, addrW-1)
	w.line("  assign read_addr = %s;", address("visit_index_i"))
	w.line("  always @(posedge clk_i) begin\n    write_addr_q <= %s;\n  end", address("(clear_i ? visit_index_i : write_index_i)"))
	for i, x := range p.Words {
		w.line("%s", bus(x.Width, "word_"+x.Name))
		w.line("%s", net(x.Width, "next_"+x.Name))
		w.line("%s", net(1, "writes_"+x.Name))
		w.line("%s", net(1, "we_"+x.Name))
		w.line("%s", net(x.Width, "written_"+x.Name))
		w.line("  corinfo_delay #(.Width(%d), .Zero(1)) u_write%d (\n    .clk_i(clk_i), .data_i({clear_i || (write_i && writes_%s), clear_i ? %d'd0 : next_%s}),", x.Width+1, i, x.Name, x.Width, x.Name)
		w.line("    .data_o({we_%s, written_%s})\n  );", x.Name, x.Name)
		w.line("  corinfo_words #(.Width(%d), .Depth(%d), .SmallStyle(%q)) u_word%d (", x.Width, depth, p.smallStyle(), i)
		w.line("    .clk_i(clk_i), .we_i(we_%s), .waddr_i(write_addr_q), .wdata_i(written_%s), .raddr_i(read_addr), .rdata_o(word_%s)\n  );", x.Name, x.Name, x.Name)
	}
	readout := p.A.Word(p.D.Readout).Format
	rw := p.Words[place(p.Words, p.D.Words[p.D.Readout].Name)]
	w.line("  wire [%d:0] score;\n  assign score   = %s;", readout.Width-1, taken("word_"+rw.Name, 0, readout, rw.Width))
	w.line("  assign score_o = %s;", extended("score", readout, s.score))

	if learns {
		w.randomWords()
	}

	w.line("\n  // Formulas.")
	operand := func(f *Formula, at int, format fx.Format) string {
		o := f.Operands[at]
		switch o.Source {
		case rule.FromWord:
			if i := place(p.Shared, o.Name); i >= 0 {
				return taken("shared_i", p.Shared[i].Low, format, max(1, s.shared))
			}
			return taken("word_"+o.Name, 0, format, p.Words[place(p.Words, o.Name)].Width)
		case rule.FromEarlier:
			n := earlier(o.Name)
			return taken("word_"+n, 0, format, p.Words[place(p.Words, n)].Width)
		case rule.FromSum:
			return taken(fmt.Sprintf("sum%d_q", p.kind(o.Name)), 0, format, s.accumulator)
		case rule.FromProducts:
			return taken("sum0_q", 0, format, s.accumulator)
		case rule.FromLabel:
			return "label_q"
		case rule.FromPresent:
			return "present_q"
		case rule.FromRandom:
			return "random"
		case rule.FromConstant:
			if f.Use == OfSynapse {
				return taken("update_constants_i", f.Constants[at], format, s.places)
			}
			return taken("constants_i", f.Constants[at], format, s.constants)
		case rule.FromSynapse:
			if i := place(p.Beside, o.Name); i >= 0 {
				return taken("beside_q", p.Beside[i].Low, format, besideW)
			}
			return taken("synapse_q", 0, format, s.word)
		}
		panic("design: an operand without a place")
	}
	for i, f := range p.Formulas {
		if f.Use == OfLayer || f.Graph.Name == "answer" {
			continue
		}
		w.use(p, i, operand)
	}

	w.line("\n  // What comes of a step.")
	delta, moved, factor := map[int]string{}, map[int]string{}, map[int]string{}
	kept := map[int]string{}
	for i, f := range p.Formulas {
		if f.Use != OfNeurons || f.Graph.Name == "answer" {
			continue
		}
		if format, ok := f.output("delta"); ok && p.heard(i) {
			delta[i] = extended(fmt.Sprintf("f%d_delta", i), format, s.change)
		}
		if e := p.movedOf(i); e != "1'b0" {
			moved[i] = "(" + e + ")"
		}
		for _, st := range p.Steps {
			if st.Formula != i || st.Factor < 0 {
				continue
			}
			o := f.Graph.Outputs()[0]
			format := f.Graph.Nodes()[o.Value].Format
			if st.Post >= 0 {
				factor[i] = extended(fmt.Sprintf("f%d_%s", i, o.Name), format, s.factorWord)
			}
			if st.Pre >= 0 {
				kept[i] = extended(fmt.Sprintf("f%d_%s", i, o.Name), format, s.keptWord)
			}
		}
	}
	for _, x := range p.Words {
		next, writes := map[int]string{}, map[int]string{}
		for i, f := range p.Formulas {
			if f.Use != OfNeurons || f.Graph.Name == "answer" {
				continue
			}
			if format, ok := f.output(x.Name + "_next"); ok && p.writes(i) {
				v := fmt.Sprintf("f%d_%s_next", i, x.Name)
				if format.Width < x.Width {
					v = fmt.Sprintf("{%d'd0, %s}", x.Width-format.Width, v)
				}
				next[i], writes[i] = v, "1'b1"
			}
		}
		w.chosenInto(x.Width, "next_"+x.Name, next)
		w.chosenInto(1, "writes_"+x.Name, writes)
	}
	w.chosen(s.change, "delta", delta)
	w.chosen(1, "moved", moved)
	w.line("  corinfo_delay #(.Zero(1)) u_moved (.clk_i(clk_i), .data_i(write_i && moved), .data_o(moved_o));")
	w.line("  reg present_write_q;\n  always @(posedge clk_i) begin\n    present_write_q <= write_neuron_i < end_q;\n  end")
	if learns {
		w.chosen(s.factorWord, "factor", factor)
		w.chosen(s.keptWord, "kept_word", kept)
		w.line("  reg [%d:0] factor_q;\n  reg [%d:0] factor_sub_q;\n  wire factor_we;", s.factorWord-1, s.sub-1)
		w.line("  always @(posedge clk_i) begin\n    factor_q     <= factor;\n    factor_sub_q <= write_sub_i;\n  end")
		w.line("  corinfo_delay #(.Zero(1)) u_factor_we (.clk_i(clk_i), .data_i(factor_we_i), .data_o(factor_we));")
		w.line("  assign factor_live_o = factor_we && present_write_q && factor_q != 0;")
	}
	w.line("\n  // Values outside their formats, and updates lost: of neurons and synapses that exist.")
	writes := "write_i"
	if learns {
		writes = "(write_i || synapse_write_i)"
	}
	w.flags(p, writes+" && write_neuron_i < end_q", func(f *Formula) bool { return f.Use != OfLayer })
	w.line("  // Told a cycle later: the way to the counters is long.")
	w.line("  corinfo_delay #(.Width(%d)) u_flags (.clk_i(clk_i), .data_i(raised), .data_o(flags_o));", p.Flags)
	w.line("  genvar g;\n  generate")
	switch {
	case !learns:
	case p.pair() == 2:
		w.line("    // Factors of two lanes are written together.")
		w.line("    reg [%d:0] first_q;\n    always @(posedge clk_i) begin\n      first_q <= factor_q;\n    end\n    assign factor_next_o = {factor_q, first_q};", s.factorWord-1)
		w.line("    for (g = 0; g < %d; g = g + 1) begin : gen_pair\n      localparam [31:0] Second = 2 * g + 1;", p.Subs/2)
		w.line("      assign factor_we_o[g] = factor_we && factor_sub_q == Second[%d:0];\n    end", s.sub-1)
	default:
		w.line("    assign factor_next_o = factor_q;")
		w.line("    for (g = 0; g < %d; g = g + 1) begin : gen_single\n      localparam [31:0] Index = g;", p.Subs)
		w.line("      assign factor_we_o[g] = factor_we && factor_sub_q == Index[%d:0];\n    end", s.sub-1)
	}
	w.line("    for (g = 0; g < %d; g = g + 1) begin : gen_sub\n      localparam [31:0] Index = g;\n      wire [15:0] lane;\n      wire unused_lane;\n      assign lane = first_lane_i + Index[15:0];\n      assign unused_lane = ^lane;", p.Subs)
	updated := ""
	w.line("      wire host;")
	if learns {
		updated = "updated || "
		w.line("      wire updated;\n      assign updated = synapse_write_i && synapse_sub_i == Index[%d:0];", s.sub-1)
	}
	w.line("      assign host    = host_we_i && host_lane_i == lane[%d:0];", s.lane-1)
	w.line("      corinfo_delay #(.Width(2), .Zero(1)) u_we (\n        .clk_i(clk_i), .data_i({%[1]s(host && !host_beside_i), %[1]s(host && host_beside_i)}),", updated)
	w.line("        .data_o({synapse_we_o[g], beside_we_o[g]})\n      );\n    end\n  endgenerate")
	if learns {
		w.line("  wire kept_we;\n  wire [%d:0] kept_waddr;\n  wire [%d:0] kept_next;", s.kept-1, s.keptWord-1)
		w.line("  corinfo_delay #(.Width(%d), .Zero(1)) u_kept_write (\n    .clk_i(clk_i), .data_i({kept_we_i, kept_waddr_i, kept_word}), .data_o({kept_we, kept_waddr, kept_next})\n  );", 1+s.kept+s.keptWord)
		w.line("  corinfo_ram #(.Width(%d), .Depth(%d), .Cycles(%d)) u_kept (", s.keptWord, 1<<s.kept, p.Target.ReadCycles)
		w.line("    .clk_i(clk_i), .we_i(kept_we), .waddr_i(kept_waddr), .wdata_i(kept_next), .re_i(1'b1), .raddr_i(kept_raddr_i), .rdata_o(kept_o)\n  );")
	}

	w.line("\n  // Changes wait to become events, those of a sample in a queue of its own.")
	changed := "delta_q != 0"
	if p.Network.Hardware.Mode == "dense" {
		changed = "present_write_q"
	}
	w.line("  reg [%d:0] delta_q;\n  reg [%d:0] put_context_q;\n  reg [%d:0] put_signal_q;\n  reg [15:0] put_neuron_q;\n  wire event_written, put;", s.change-1, s.context-1, s.signal-1)
	w.line("  always @(posedge clk_i) begin\n    delta_q         <= delta;\n    put_context_q   <= context_i;\n    put_signal_q    <= signal_i;\n    put_neuron_q    <= write_neuron_i + first_lane_i;")
	w.line("  end")
	w.line("  corinfo_delay #(.Zero(1)) u_event (.clk_i(clk_i), .data_i(event_i), .data_o(event_written));")
	w.line("  assign put = event_written && %s;", changed)
	w.line("  corinfo_queue #(.Width(%d), .Contexts(%d), .ContextW(%d), .AddrW(%d), .SmallStyle(%q)) u_queue (", eventW, p.Contexts, s.context, s.queue, p.smallStyle())
	w.line("    .clk_i(clk_i), .rst_i(rst_i), .put_i(put), .put_context_i(put_context_q), .data_i({put_signal_q, put_neuron_q, delta_q}),")
	w.line("    .take_i(queue_take_i), .context_i(queue_context_i), .head_o(queue_head_o)\n  );")
	w.line("  generate\n    for (g = 0; g < %d; g = g + 1) begin : gen_put\n      localparam [31:0] Index = g;", p.Contexts)
	w.line("      assign queue_put_o[g] = put && put_context_q == Index[%d:0];\n    end\n  endgenerate", s.context-1)

	w.line("\n  // What comes of an update, or from the host.")
	synapse := map[int]string{}
	for i, f := range p.Formulas {
		if f.Use == OfSynapse {
			format, _ := f.output("w_next")
			synapse[i] = extended(fmt.Sprintf("f%d_w_next", i), format, s.word)
		}
	}
	written := "host_synapse_i"
	if learns {
		w.chosen(s.word, "synapse_word", synapse)
		written = "host_we_i ? host_synapse_i : synapse_word"
	}
	w.line("  reg [%d:0] synapse_next_q;\n  reg [%d:0] beside_next_q;\n  assign synapse_next_o = synapse_next_q;\n  assign beside_next_o  = beside_next_q;", s.word-1, besideW-1)
	var parts []string
	for k := len(p.Beside) - 1; k >= 0; k-- {
		x := p.Beside[k]
		next := map[int]string{}
		for i, f := range p.Formulas {
			if f.Use != OfSynapse {
				continue
			}
			if format, ok := f.output(x.Name + "_next"); ok {
				next[i] = extended(fmt.Sprintf("f%d_%s_next", i, x.Name), format, x.Width)
			}
		}
		w.chosen(x.Width, "beside_"+x.Name, next)
		parts = append(parts, "beside_"+x.Name)
	}
	if parts == nil {
		parts = []string{"1'b0"}
	}
	w.line("  always @(posedge clk_i) begin\n    synapse_next_q <= %s;\n    beside_next_q  <= host_we_i ? host_words_i : {%s};\n  end", written, strings.Join(parts, ", "))

	w.line("\n  // A word of the neurons in one for the unit: its sum, or the largest.")
	values, largest := map[int]string{}, map[int]string{}
	for i, f := range p.Formulas {
		if f.Reduces == "" {
			continue
		}
		format := p.reduced(f)
		values[i] = extended(taken("word_"+f.Reduces, 0, format, p.Words[place(p.Words, f.Reduces)].Width), format, s.reduce)
		if format.Signed && s.reduce > format.Width {
			values[i] = fmt.Sprintf("{{%d{word_%s[%d]}}, %s}", s.reduce-format.Width, f.Reduces, format.Width-1, taken("word_"+f.Reduces, 0, format, p.Words[place(p.Words, f.Reduces)].Width))
		}
		if f.Largest {
			largest[i] = "1'b1"
		}
	}
	w.chosen(s.reduce, "reduced_word", values)
	w.chosen(1, "largest", largest)
	w.line("  reg [%d:0] reduced_q;", s.reduce-1)
	w.line("  always @(posedge clk_i) begin\n    if (reduce_first_i) begin\n      reduced_q <= largest ? {1'b1, {%d{1'b0}}} : %d'd0;", s.reduce-1, s.reduce)
	w.line("    end else if (reduce_i && visit_q && present_q) begin")
	w.line("      if (!largest) begin\n        reduced_q <= reduced_q + reduced_word;\n      end else if ($signed(reduced_word) > $signed(reduced_q)) begin\n        reduced_q <= reduced_word;\n      end\n    end\n  end")
	w.line("  assign reduced_o = reduced_q;")

	w.line("\n  // Trace: what is written.")
	parts = nil
	for i := len(p.Words) - 1; i >= 0; i-- {
		parts = append(parts, "written_"+p.Words[i].Name)
	}
	w.line("  assign trace_words_o = {%s};", strings.Join(parts, ", "))
	unused := p.unused(func(f *Formula) bool { return f.Use != OfLayer })
	for k := range p.Kinds {
		unused = append(unused, fmt.Sprintf("sum%d_q", k))
	}
	unused = append(unused, "constants_i", "shared_i", "synapse_q", "beside_q", "present_q", "present_write_q", "label_q", "visit_q", "uses_q")
	if learns {
		unused = append(unused, "update_constants_i", "random")
	}
	w.unused(unused)
	w.line("\nendmodule\n\n`default_nettype wire")
	return w.Bytes()
}

// randomWords prints the generator of a unit's rows.
func (w *writer) randomWords() {
	w.line("\n  // Random words: of this unit's rows.")
	w.line("  reg [15:0] random_row_q;\n  wire [31:0] random;")
	w.line("  always @(posedge clk_i) begin\n    random_row_q <= random_row_i + first_lane_i;\n  end")
	w.line("  corinfo_random u_random (\n    .clk_i(clk_i), .enable_i(update_i), .keys_i(keys_i), .order_i(order_i), .row_i(random_row_q), .column_i(random_column_i), .random_o(random)\n  );")
}

// unused are the outputs of formulas that nobody may read.
func (p *Plan) unused(serves func(f *Formula) bool) (list []string) {
	for i, f := range p.Formulas {
		if !serves(f) || f.Graph.Name == "answer" {
			continue
		}
		for _, o := range f.Graph.Outputs() {
			list = append(list, fmt.Sprintf("f%d_%s", i, o.Name))
		}
		for k := range f.Graph.Resizes() {
			list = append(list, fmt.Sprintf("f%d_overflow%d", i, k))
		}
	}
	return list
}

// flags prints what formulas raise for the counters: whether each of their roundings overflows, and behind them whether a synapse
// loses its update.
func (w *writer) flags(p *Plan, counts string, serves func(f *Formula) bool) {
	w.line("  wire counts;\n  wire [%d:0] raised;\n  assign counts = %s;", p.Flags-1, counts)
	for k := range p.Flags {
		raised := map[int]string{}
		for i, f := range p.Formulas {
			if list := f.Graph.Resizes(); !serves(f) || f.Graph.Name == "answer" || len(list) < k {
				continue
			} else if k < len(list) {
				raised[i] = fmt.Sprintf("f%d_overflow%d", i, k)
			} else if f.Use == OfSynapse {
				raised[i] = fmt.Sprintf("(f%d_active && !f%d_moved)", i, i)
			}
		}
		w.chosen(1, fmt.Sprintf("flag%d", k), raised)
		w.line("  assign raised[%d] = counts && flag%d;", k, k)
	}
}

// unused tells linters of nets of which not all is read.
func (w *writer) unused(names []string) {
	w.line("\n  wire unused_bits;\n  assign unused_bits = ^{%s};", strings.Join(names, ", "))
}

// heard tells whether changes that a formula makes are events.
func (p *Plan) heard(formula int) bool {
	return slices.ContainsFunc(p.Steps, func(s Step) bool { return s.Formula == formula && s.Signal >= 0 })
}

// writes tells whether a formula's results are words.
func (p *Plan) writes(formula int) bool {
	for _, s := range p.Steps {
		if s.Formula == formula && len(s.Words) > 0 && s.Words[0] >= 0 {
			return true
		}
	}
	return false
}

func rangeOf(width int) string {
	if width == 1 {
		return ""
	}
	return fmt.Sprintf("[%d:0] ", width-1)
}

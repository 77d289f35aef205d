package hdlgen

import (
	"fmt"
	"strings"

	fx "corinfo/fixedpoint"
	"corinfo/hdlgen/settling"
	vl "corinfo/hdlgen/verilog"
)

// arithmetic are a design's printed graphs. A synapse's update is two, before and behind the product with the
// learning rate.
type arithmetic struct {
	interneurons                                          *interneurons // nil: no layer is sparse
	target                                                Target
	soma, record, update, synapse                         []unit
	somaCycles, recordCycles, updateCycles, synapseCycles int
}

// changeCycles are those from the sum of a synapse's products to its product with the learning rate.
func (p *arithmetic) changeCycles() int { return p.updateCycles + p.target.FactorCycles + 1 }

// latencies are what the manifest and the estimates tell: of a synapse from the sum of its products to its new word.
func (p *arithmetic) latencies() map[string]int {
	return map[string]int{"soma": p.somaCycles, "record": p.recordCycles, "synapse": p.changeCycles() + p.synapseCycles}
}

// count is how many pipelines there are.
func (p *arithmetic) count() int {
	n := len(p.soma) + len(p.record) + len(p.update) + len(p.synapse)
	if p.interneurons != nil {
		n += len(p.interneurons.units)
	}
	return n
}

func printGraphs(name string, a *settling.Arithmetic, target Target, provenance []string) (*arithmetic, error) {
	p := &arithmetic{target: target}
	heads, tails := make([]*fx.Graph, len(a.Matrices)), make([]*fx.Graph, len(a.Matrices))
	for i, m := range a.Matrices {
		var err error
		if heads[i], tails[i], err = cutAtRate(m.Graph); err != nil {
			return nil, err
		}
	}
	layers := func(what string) func([]int) string {
		return func(list []int) string { return fmt.Sprintf(what, join(list, ", ")) }
	}
	matrices := func(what string) func([]int) string {
		return func(list []int) string {
			names := make([]string, len(list))
			for i, m := range list {
				names[i] = a.Matrices[m].Name()
			}
			return fmt.Sprintf(what, strings.Join(names, ", "))
		}
	}
	for _, kind := range []struct {
		units    *[]unit
		cycles   *int
		base     string
		graphs   []*fx.Graph
		describe func([]int) string
	}{
		{&p.soma, &p.somaCycles, "soma", a.Soma, layers("one settling step of one neuron of layer %s.")},
		{&p.record, &p.recordCycles, "record", a.Record, layers("the learning factors of one neuron of layer %s at the end of a phase.")},
		{&p.update, &p.updateCycles, "update", heads, matrices("what the learning rate multiplies in the update of one synapse of %s.")},
		{&p.synapse, &p.synapseCycles, "synapse", tails, matrices("the update of one synapse of %s; change is the product with the learning rate.")},
	} {
		var err error
		if *kind.units, *kind.cycles, err = units(name+"_"+kind.base, kind.graphs, target, kind.describe, provenance); err != nil {
			return nil, err
		}
	}
	for _, g := range a.Interneuron {
		if g != nil && p.interneurons == nil {
			var err error
			if p.interneurons, err = printInterneurons(name, a, target, provenance); err != nil {
				return nil, err
			}
		}
	}
	return p, nil
}

// laneControl are the lane's inputs that every lane shares, by the names that corinfo_lane and
// corinfo_control have in common.
func laneControl(s *shape) []vl.Port {
	in := func(name string, width int, signed bool) vl.Port {
		return vl.Port{Dir: vl.In, Width: width, Signed: signed, Name: name + "_i"}
	}
	return []vl.Port{
		in("mac_operand", s.Operand, true), in("mac_update", 1, false), in("mac_kind", 2, false), in("mac_context", s.Context, false), in("mac_forward", 3, false),
		in("sum_raddr", s.contexts*s.Slot, false), in("sum_re", 3*s.contexts, false), in("sum_waddr", s.Slot, false), in("sum_we", 3*s.contexts, false), in("clear", 1, false), in("state_clear", s.contexts, false),
		in("update_first", 1, false), in("factor_kind", 2, false), in("factor_raddr", s.Kept, false),
		in("factor_we", 1, false), in("factor_waddr", s.Kept, false), in("record_run", 1, false),
		in("pre_raddr", s.Kept, false), in("pre_kind", 3, false), in("pre_context", s.Context, false),
		in("keys", 128, false), in("symmetric", 1, false), in("row_base", 16, false), in("column", 16, false),
		in("label_hit", 1, false), in("label_lane", s.Lane, false), in("missing", 1, false), in("missing_lane", s.Lane, false),
		in("soma_context", s.Context, false), in("slot_raddr", s.contexts*s.Slot, false), in("slot_re", s.contexts, false), in("soma_we", 1, false), in("soma_waddr", s.Slot, false),
		in("soma_run", 1, false),
	}
}

// siteControl are the inputs of corinfo_site that all sites share.
func siteControl(s *shape) []vl.Port {
	in := func(name string, width int) vl.Port { return vl.Port{Dir: vl.In, Width: width, Name: name + "_i"} }
	return []vl.Port{
		in("synapse_raddr", s.Synapse), in("synapse_we", 1), in("synapse_waddr", s.Synapse),
		in("host_we", 1), in("host_lane", s.Lane), in("host_word", s.Word),
	}
}

// constantPorts are the inputs that stand still during an instruction.
func constantPorts(s *shape) []vl.Port {
	in := func(name string, width int) vl.Port { return vl.Port{Dir: vl.In, Width: width, Name: name + "_i"} }
	list := []vl.Port{in("layer", 8), in("matrix", 8), in("restart", 1), in("second", 1), in("eta", s.Eta), in("constants", s.Constants), in("rate", s.Rate)}
	if s.Q > 0 {
		list = append(list, in("q", s.Q)) // of the pass's layer
	}
	return list
}

// laneOutputs are what the control and the trace take from a lane.
func laneOutputs(s *shape) []vl.Port {
	out := func(name string, width int) vl.Port { return vl.Port{Dir: vl.Out, Width: width, Name: name + "_o"} }
	return []vl.Port{
		out("pre", s.Pre), out("changed", 1), out("moved", 1),
		out("soma_flags", 5), out("record_flags", 3), out("update_flags", 3),
		out("u_next", s.U), out("r_next", s.R), out("synapse_next", s.Word),
	}
}

// traces are the outputs of a lane that only a testbench reads, with the ports that show them; they have no registers in
// the lane, which synthesis would keep on a board.
var traces = map[string]vl.Id{"u_next": "trace_state_u_o", "r_next": "trace_state_r_o", "synapse_next": "trace_synapse_o"}

// constant is a register of a lane for what stands still.
type constant struct {
	name  string
	width int
	value vl.Expr
}

// laneModule attaches the graphs of a network to the hand-written lane.
func laneModule(name string, a *settling.Arithmetic, l *Layout, s *shape, p *arithmetic, provenance []string) *vl.Module {
	m := &vl.Module{Name: name + "_lane", Keep: true}
	m.Header = append([]string{name + "_lane: a lane with the neuron and synapse arithmetic of this network; the same for all lanes."}, provenance...)
	m.Header = append(m.Header, "", "See corinfo_lane for the handshake: cycles count as there. u_next_o and r_next_o are valid with soma_we_i, synapse_next_o with synapse_we_i.", "",
		"Synthesis keeps the hierarchy: registers that hold the same in every lane are each lane's own, near it, instead of one that drives all.")
	m.Ports = append(m.Ports, vl.Port{Dir: vl.In, Width: 1, Name: "clk_i"}, vl.Group("The same for every lane."))
	m.Ports = append(m.Ports, laneControl(s)...)
	m.Ports = append(m.Ports, vl.Group("Constants of the instruction under way."))
	m.Ports = append(m.Ports, constantPorts(s)...)
	m.Ports = append(m.Ports, vl.Group("This lane's own: its number, and the word that its synapse memory read."),
		vl.Port{Dir: vl.In, Width: s.Lane, Name: "number_i"}, vl.Port{Dir: vl.In, Width: s.Word, Signed: true, Name: "synapse_i"},
		vl.Group("From this lane."))
	m.Ports = append(m.Ports, laneOutputs(s)...)

	m.Items = append(m.Items, vl.Comment{Text: "Memories, sums and the multiplier."})
	nets := []struct {
		name   string
		width  int
		signed bool
	}{
		{"basal", s.Accumulator, true}, {"feedback", s.Accumulator, true}, {"lateral", s.Accumulator, true}, {"r", s.R, true}, {"u", s.U, true},
		{"kept", s.R, true}, {"update_sum", s.Sum, true}, {"random", 32, false}, {"lane_record_run", 1, false}, {"update_run", 1, false},
		{"r_next", s.R, true}, {"u_next", s.U, true}, {"delta", s.Delta, true}, {"kept_next", s.R, true}, {"e_next", s.E, true}, {"d_next", s.D, true}, {"c_next", s.C, true},
	}
	for _, n := range nets {
		if n.name != "kept_next" {
			m.Items = append(m.Items, vl.Net{Width: n.width, Signed: n.signed, Name: n.name})
		}
	}
	// What the lane is told passes registers of its own, if the wires have any, and so does what it answers. Constants have
	// theirs below: they come earlier than they are needed.
	told := &wires{cycles: min(1, p.target.WireCycles)}
	binds := []vl.Bind{{Name: "clk_i", Value: vl.Id("clk_i")}}
	heard := map[string]vl.Id{}
	for _, port := range laneControl(s) {
		here := told.pass(m, vl.Id(port.Name), strings.TrimSuffix(port.Name, "_i"), port.Width)
		heard[port.Name] = here
		switch port.Name {
		case "soma_run_i", "label_hit_i", "label_lane_i", "missing_i", "missing_lane_i": // of the neuron arithmetic below
		default:
			binds = append(binds, vl.Bind{Name: port.Name, Value: here})
		}
	}
	for _, name := range []string{"number_i", "synapse_i"} {
		binds = append(binds, vl.Bind{Name: name, Value: vl.Id(name)})
	}
	told.add(m, "u_told")
	answers := &wires{cycles: told.cycles}
	for _, port := range laneOutputs(s) {
		name := strings.TrimSuffix(port.Name, "_o")
		if traces[name] != "" {
			continue
		}
		m.Items = append(m.Items, vl.Net{Width: port.Width, Name: name + "_now"})
		answers.connect(vl.Id(name+"_now"), vl.Id(port.Name), port.Width)
	}
	answers.add(m, "u_answers")
	for _, n := range nets {
		suffix := "_o"
		switch n.name {
		case "r_next", "u_next", "delta", "kept_next", "e_next", "d_next", "c_next":
			suffix = "_i"
		}
		binds = append(binds, vl.Bind{Name: strings.TrimPrefix(n.name, "lane_") + suffix, Value: vl.Id(n.name)})
	}
	binds = append(binds, vl.Bind{Name: "pre_o", Value: vl.Id("pre_now")}, vl.Bind{Name: "changed_o", Value: vl.Id("changed_now")})
	m.Items = append(m.Items, vl.Instance{Module: "corinfo_lane", Name: "u_lane", Ports: binds, Params: []vl.Bind{
		{Name: "LaneW", Value: vl.Int(s.Lane)}, {Name: "SynapseWidth", Value: vl.Int(s.Word)}, {Name: "ReadCycles", Value: vl.Int(p.target.ReadCycles)},
		{Name: "Contexts", Value: vl.Int(s.contexts)}, {Name: "ContextW", Value: vl.Int(s.Context)}, {Name: "Slots", Value: vl.Int(1 << s.Slot)}, {Name: "SlotW", Value: vl.Int(s.Slot)},
		{Name: "KeptDepth", Value: vl.Int(s.keptDepth)}, {Name: "KeptAddrW", Value: vl.Int(s.Kept)},
		{Name: "RWidth", Value: vl.Int(s.R)}, {Name: "UWidth", Value: vl.Int(s.U)}, {Name: "DeltaWidth", Value: vl.Int(s.Delta)},
		{Name: "AccWidth", Value: vl.Int(s.Accumulator)},
		{Name: "EWidth", Value: vl.Int(s.E)}, {Name: "DWidth", Value: vl.Int(s.D)}, {Name: "CWidth", Value: vl.Int(s.C)},
		{Name: "PreWidth", Value: vl.Int(s.Pre)}, {Name: "OperandWidth", Value: vl.Int(s.Operand)}, {Name: "SumWidth", Value: vl.Int(s.Sum)},
	}})

	m.Items = append(m.Items, vl.Comment{Text: "Constants of the instruction, in registers of the lane's own: for the neuron arithmetic, for an update."})
	constants := func(enable vl.Expr, list ...constant) {
		var body []vl.Update
		for _, c := range list {
			m.Items = append(m.Items, vl.Net{Reg: true, Width: c.width, Name: c.name})
			body = append(body, vl.Update{Left: vl.Id(c.name), Right: c.value})
		}
		m.Items = append(m.Items, vl.Clocked{Enable: enable, Body: body})
	}
	neuron := []constant{{"eta_q", s.Eta, vl.Id("eta_i")}, {"constants_q", s.Constants, vl.Id("constants_i")}, {"restart_q", 1, vl.Id("restart_i")},
		{"kept_reference_q", 1, vl.Binary{Op: "&&", X: vl.Id("second_i"), Y: vl.Binary{Op: "==", X: vl.Id("layer_i"), Y: vl.Lit{Width: 8, Hex: "1"}}}}}
	if s.Q > 0 {
		neuron = append(neuron, constant{"q_q", s.Q, vl.Id("q_i")})
	}
	constants(vl.Binary{Op: "||", X: heard["soma_run_i"], Y: heard["record_run_i"]}, neuron...)
	constants(vl.Id("update_run"), constant{"rate_q", s.Rate, vl.Id("rate_i")})
	m.Items = append(m.Items, vl.Comment{Text: "The soma stands still without anything in it."}, vl.Net{Reg: true, Width: 1, Name: "soma_run_q"},
		vl.Clocked{Body: []vl.Update{{Left: vl.Id("soma_run_q"), Right: heard["soma_run_i"]}}},
		vl.Comment{Text: "The label's neuron is here; there is a neuron here."}, vl.Wire("y", 1), vl.Wire("present", 1),
		vl.Assign{Left: vl.Id("y"), Right: vl.Binary{Op: "&&", X: heard["label_hit_i"], Y: vl.Binary{Op: "==", X: heard["label_lane_i"], Y: vl.Id("number_i")}}},
		vl.Assign{Left: vl.Id("present"), Right: vl.Binary{Op: "||", X: vl.Unary{Op: "!", X: heard["missing_i"]}, Y: vl.Binary{Op: "<", X: vl.Id("number_i"), Y: heard["missing_lane_i"]}}})

	widths := map[string]int{"change": s.Rate + s.Update}
	for _, n := range nets {
		widths[n.name] = n.width
	}
	f := a.Formats
	coefficient := f.Coefficient.Width
	fields := map[string]int{"k_current": 0, "k_r": 1, "k_y": 2, "k_u": 3}
	operand := func(u *unit, name string, format fx.Format) vl.Expr {
		layer := f.Layer[min(u.serves[0], len(f.Layer)-1)]
		switch name {
		case "eta":
			return vl.Id("eta_q")
		case "gamma":
			return literal(f.Gamma.Format, f.Gamma.Int(a.Gamma))
		case "k_lateral":
			return vl.Slice{X: "constants_q", High: 4*coefficient + lateralFactorWidth - 1, Low: 4 * coefficient}
		case "k_current", "k_r", "k_y", "k_u":
			at := fields[name] * coefficient
			return vl.Signed{X: slice("constants_q", s.Constants, at+coefficient-1, at)}
		case "u":
			return vl.Cond{Test: vl.Id("restart_q"), X: scaled("r", s.R, layer.R.Format, layer.U.Format), Y: narrowed("u", s.U, format)}
		case "reference":
			own := narrowed("basal", s.Accumulator, format)
			if !serves(u, 1) {
				return own
			}
			return vl.Cond{Test: vl.Id("kept_reference_q"), X: scaled("kept", s.R, layer.R.Format, format), Y: own}
		case "y":
			return vl.Id("y")
		case "present":
			return vl.Id("present")
		case "q":
			return narrowed("q_q", s.Q, format)
		case "w":
			return narrowed("synapse_i", s.Word, format)
		case "sum":
			return narrowed("update_sum", s.Sum, format)
		case "random":
			return vl.Id("random")
		}
		return narrowed(vl.Id(name), widths[name], format)
	}
	flag := func(names ...string) {
		for _, n := range names {
			m.Items = append(m.Items, vl.Wire(n, 1))
		}
	}
	concat := func(names ...vl.Id) (c vl.Concat) {
		for i := len(names) - 1; i >= 0; i-- {
			c = append(c, names[i])
		}
		return c
	}

	m.Items = append(m.Items, vl.Comment{Text: "Soma."})
	unused := vl.Concat{}
	for _, n := range []string{"basal", "feedback", "lateral", "r", "u", "kept", "synapse_i", "y", "present", "update_sum", "random", "layer_i", "matrix_i", "change"} {
		unused = append(unused, vl.Id(n))
	}
	if s.Q > 0 {
		unused = append(unused, vl.Id("q_q"))
	}
	flag("current_overflow", "lateral_rounded_overflow", "drive_overflow", "potential_overflow", "state_overflow", "soma_moved")
	m.Items = attach(m.Items, "soma", p.soma, p.somaCycles, "layer_i", vl.Id("soma_run_q"), operand,
		[]result{{"u_next", "u_next", s.U}, {"r_next", "r_next", s.R}, {"delta", "delta", s.Delta}, {"moved", "soma_moved", 1}},
		[]string{"current_overflow", "lateral_rounded_overflow", "drive_overflow", "potential_overflow", "state_overflow"})
	m.Items = append(m.Items,
		vl.Assign{Left: vl.Id("soma_flags_now"), Right: concat("current_overflow", "lateral_rounded_overflow", "drive_overflow", "potential_overflow", "state_overflow")},
		vl.Assign{Left: vl.Id("moved_now"), Right: vl.Binary{Op: "||", X: vl.Id("soma_moved"), Y: vl.Id("potential_overflow")}},
		vl.Comment{Text: "Record."})
	m.Items = delayed(m.Items, "kept_next", "r", s.R, p.recordCycles, true, vl.Id("lane_record_run"))
	flag("e_overflow", "d_overflow", "c_overflow")
	m.Items = attach(m.Items, "record", p.record, p.recordCycles, "layer_i", vl.Id("lane_record_run"), operand,
		[]result{{"e_next", "e_next", s.E}, {"d_next", "d_next", s.D}, {"c_next", "c_next", s.C}}, []string{"e_overflow", "d_overflow", "c_overflow"})
	m.Items = append(m.Items, vl.Assign{Left: vl.Id("record_flags_now"), Right: concat("e_overflow", "d_overflow", "c_overflow")},
		vl.Comment{Text: "Synapse: what the learning rate multiplies, the one multiplier of all matrices, the new word."})
	flag("update_overflow", "weight_overflow", "active", "moved")
	m.Items = append(m.Items, vl.Net{Width: s.Update, Signed: true, Name: "factor"})
	m.Items = attach(m.Items, "update", p.update, p.updateCycles, "matrix_i", vl.Id("update_run"), operand,
		[]result{{"factor", "factor", s.Update}, {"active", "active", 1}}, []string{"update_overflow"})
	m.Items = delayed(m.Items, "factor_late", "factor", s.Update, p.target.FactorCycles, true, vl.Id("update_run"))
	m.Items = append(m.Items, vl.Net{Reg: true, Width: s.Rate + s.Update, Signed: true, Name: "change"},
		vl.Clocked{Enable: vl.Id("update_run"), Body: []vl.Update{{Left: vl.Id("change"), Right: vl.Binary{Op: "*", X: vl.Signed{X: vl.Concat{zeros(1), vl.Id("rate_q")}}, Y: vl.Id("factor_late")}}}})
	for _, name := range []vl.Id{"active", "update_overflow"} {
		m.Items = delayed(m.Items, name+"_late", name, 1, p.target.FactorCycles+1+p.synapseCycles, false, vl.Id("update_run"))
	}
	m.Items = attach(m.Items, "synapse", p.synapse, p.synapseCycles, "matrix_i", vl.Id("update_run"), operand,
		[]result{{"w_next", "synapse_next_o", s.Word}, {"moved", "moved", 1}}, []string{"weight_overflow"})
	m.Items = append(m.Items,
		vl.Assign{Left: vl.Id("update_flags_now"), Right: vl.Cond{Test: vl.Id("update_run"), // a simulator need not compute them else
			X: vl.Concat{vl.Binary{Op: "&&", X: vl.Id("active_late"), Y: vl.Unary{Op: "!", X: vl.Id("moved")}}, vl.Id("weight_overflow"), vl.Id("update_overflow_late")}, Y: zeros(3)}},
		vl.Assign{Left: vl.Id("u_next_o"), Right: vl.Id("u_next")},
		vl.Assign{Left: vl.Id("r_next_o"), Right: vl.Id("r_next")},
		vl.Comment{Text: "Words of a lane are as wide as the widest format; no graph reads every bit of every one, and few read whether there is a neuron."},
		vl.Wire("unused_bits", 1),
		vl.Assign{Left: vl.Id("unused_bits"), Right: vl.Unary{Op: "^", X: unused}})
	return m
}

func serves(u *unit, i int) bool {
	for _, s := range u.serves {
		if s == i {
			return true
		}
	}
	return false
}

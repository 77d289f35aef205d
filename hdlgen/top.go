package hdlgen

import (
	"fmt"
	"strings"

	"corinfo/hdlgen/settling"
	vl "corinfo/hdlgen/verilog"
)

// topModule joins the control and the lanes.
func topModule(name string, a *settling.Arithmetic, l *Layout, s *shape, p *arithmetic, provenance []string) *vl.Module {
	n := a.Network
	m := &vl.Module{Name: name, Params: []vl.Bind{{Name: "ImageFolder", Value: vl.Str(imageFolder)}}}
	m.Header = append([]string{fmt.Sprintf("%s: a network of %s neurons that settles and learns, on %s.", name, join(n.Layers, "-"), counted(l.Lanes, "lane"))}, provenance...)
	every := "each"
	if n.Learning.Batch > 1 {
		every = fmt.Sprintf("every %d of them", n.Learning.Batch)
	}
	m.Header = append(m.Header, "",
		fmt.Sprintf("Give a command, then %d input words; the scores and the class of the free phase come out. A learning command "+
			"goes on to the nudged phase, and the synapses are updated after %s. Its label names the output neuron that is pulled up, 0 to %d; "+
			"another label pulls nothing up. The host goes before commands: command_ready_o depends on host_valid_i in the same cycle.",
			n.Layers[0], every, n.Layers[n.K()]-1), "",
		"All ports belong to clk_i; rst_i is synchronous. A reset ends the command under way, restores the seed and the update number 0, "+
			"drops the open mini-batch and zeroes the counters; learned synapses and written learning rates stay. The host then writes "+
			"the update number again. A reset within an update leaves some synapses updated and others not.", "",
		"The trace ports show every new state and synapse to a testbench; leave them open on a board.", "",
		fmt.Sprintf("The memories start from the images %s_*.hex in ImageFolder, a path as seen from the folder in which a tool runs.", name))
	in := func(name string, width int) vl.Port { return vl.Port{Dir: vl.In, Width: width, Name: name} }
	out := func(name string, width int) vl.Port { return vl.Port{Dir: vl.Out, Width: width, Name: name} }
	reg := func(name string, width int) vl.Port { return vl.Port{Dir: vl.Out, Reg: true, Width: width, Name: name} }
	host := []vl.Port{
		in("clk_i", 1), in("rst_i", 1),
		vl.Group("Command: what to do with the next sample."),
		in("command_valid_i", 1), out("command_ready_o", 1), in("command_learn_i", 1), in("command_negative_i", 1), in("command_label_i", s.Label),
		vl.Group("Sample: the input layer's words in order, after the command."),
		in("sample_valid_i", 1), out("sample_ready_o", 1), in("sample_data_i", s.X),
		vl.Group("Scores, one pulse per output neuron, then the class, held until it is taken."),
		out("score_valid_o", 1), out("score_index_o", s.Label), out("score_data_o", s.R),
		out("result_valid_o", 1), in("result_ready_i", 1), out("result_class_o", s.Label),
		vl.Group("Host: synapses, learning rates, seed and counters, while idle. See corinfo_host."),
		in("host_valid_i", 1), out("host_ready_o", 1), in("host_write_i", 1), in("host_address_i", 32), in("host_data_i", 64),
		out("host_done_o", 1), out("host_error_o", 1), out("host_data_o", 64), out("idle_o", 1),
	}
	m.Ports = append(host,
		vl.Group("Trace, lane 0 in the lowest bits: new potentials and states of a slot, new synapses of an address."),
		out("trace_state_valid_o", 1), out("trace_state_context_o", s.Context), out("trace_state_slot_o", 16), reg("trace_state_u_o", l.Lanes*s.U), reg("trace_state_r_o", l.Lanes*s.R),
		out("trace_synapse_valid_o", 1), out("trace_synapse_address_o", 20), reg("trace_synapse_o", l.Lanes*s.Word))

	if s.Q > 0 {
		m.Ports = append(m.Ports, vl.Group("Trace: new potential and state of a layer's interneuron."),
			out("trace_step_valid_o", 1), out("trace_step_context_o", s.Context), out("trace_step_layer_o", 8), out("trace_step_qu_o", s.QU), out("trace_step_q_o", s.Q))
	}

	// Nets between the control and the lanes: a lane's port x_i is the control's x_o.
	m.Items = append(m.Items, vl.Comment{Text: "From the control to every lane, and with registers on the wires."})
	control := []vl.Bind{}
	lane := []vl.Bind{{Name: "clk_i", Value: vl.Id("clk_i")}}
	for _, port := range host {
		if port.Name != "" {
			control = append(control, vl.Bind{Name: port.Name, Value: vl.Id(port.Name)})
		}
	}
	far := &wires{cycles: max(0, p.target.WireCycles-1)}
	site := []vl.Bind{{Name: "clk_i", Value: vl.Id("clk_i")}}
	broadcast := func(ports []vl.Port, to *[]vl.Bind) {
		for _, port := range ports {
			name := strings.TrimSuffix(port.Name, "_i")
			net := vl.Id("to_lanes_" + name)
			m.Items = append(m.Items, vl.Net{Width: port.Width, Signed: port.Signed, Name: string(net)})
			if name != "q" {
				control = append(control, vl.Bind{Name: name + "_o", Value: net})
			}
			*to = append(*to, vl.Bind{Name: port.Name, Value: far.pass(m, net, "lanes_"+name, port.Width)})
		}
	}
	broadcast(siteControl(s), &site)
	broadcast(append(laneControl(s), constantPorts(s)...), &lane)
	far.add(m, "u_to_lanes")
	back := &wires{cycles: far.cycles}
	shown := &wires{cycles: p.target.WireCycles}
	m.Items = append(m.Items, vl.Comment{Text: "From the lanes, each lane's word above that of the lane before."})
	g := vl.Id("i")
	part := func(bus vl.Id, width int) vl.Expr {
		if width == 1 {
			return vl.Element{X: bus, Index: g}
		}
		return vl.Part{X: bus, Base: vl.Binary{Op: "*", X: vl.Int(width), Y: g}, Width: width}
	}
	items := []vl.Item{
		vl.Comment{Text: fmt.Sprintf("The lane's memory image is %s_lane_<number>.hex.", name)},
		vl.Localparam{Width: 8, Name: "Hundreds", Value: vl.Binary{Op: "+", X: vl.Int('0'), Y: vl.Binary{Op: "/", X: g, Y: vl.Int(100)}}},
		vl.Localparam{Width: 8, Name: "Tens", Value: vl.Binary{Op: "+", X: vl.Int('0'), Y: vl.Binary{Op: "%", X: vl.Binary{Op: "/", X: g, Y: vl.Int(10)}, Y: vl.Int(10)}}},
		vl.Localparam{Width: 8, Name: "Ones", Value: vl.Binary{Op: "+", X: vl.Int('0'), Y: vl.Binary{Op: "%", X: g, Y: vl.Int(10)}}},
	}
	site = append(site, vl.Bind{Name: "synapse_next_i", Value: vl.Id("own_synapse_next")})
	items = append(items, vl.Localparam{Width: s.Lane, Name: "Number", Value: g}, vl.Net{Width: s.Word, Signed: true, Name: "own_synapse"})
	site = append(site, vl.Bind{Name: "synapse_o", Value: vl.Id("own_synapse")})
	lane = append(lane, vl.Bind{Name: "number_i", Value: vl.Id("Number")}, vl.Bind{Name: "synapse_i", Value: vl.Id("own_synapse")})
	// What counts in some cycles only is gathered in those: a simulator has no work with it in others.
	valid := map[string]vl.Id{
		"moved": "state_valid", "soma_flags": "state_valid", "record_flags": "record_valid", "update_flags": "synapse_valid",
		"u_next": "state_valid", "r_next": "state_valid", "synapse_next": "synapse_valid",
	}
	gated := map[vl.Id][]vl.Gate{}
	for _, port := range laneOutputs(s) {
		name := strings.TrimSuffix(port.Name, "_o")
		width := l.Lanes * port.Width
		bus := vl.Id("from_lanes_" + name)
		when, sometimes := valid[name]
		if !sometimes {
			m.Items = append(m.Items, vl.Net{Bus: true, Width: width, Name: "lanes_" + name})
			lane = append(lane, vl.Bind{Name: port.Name, Value: part(vl.Id("lanes_"+name), port.Width)})
			m.Items = append(m.Items, vl.Net{Bus: true, Width: width, Name: string(bus)})
			back.connect("lanes_"+vl.Id(name), bus, width)
			control = append(control, vl.Bind{Name: name + "_i", Value: bus})
			continue
		}
		own := "own_" + name
		items = append(items, vl.Net{Width: port.Width, Name: own})
		lane = append(lane, vl.Bind{Name: port.Name, Value: vl.Id(own)})
		all := make(vl.Concat, l.Lanes)
		for i := range all {
			all[l.Lanes-1-i] = vl.Id(fmt.Sprintf("gen_lane[%d].%s", i, own))
		}
		to, way := traces[name], shown
		if to == "" {
			to, way = bus, back
			m.Items = append(m.Items, vl.Net{Reg: true, Bus: true, Width: width, Name: string(bus)})
			control = append(control, vl.Bind{Name: name + "_i", Value: bus})
		}
		var near vl.Expr = all
		if way.cycles > 0 {
			late := vl.Id("late_" + name)
			m.Items = append(m.Items, vl.Net{Bus: true, Width: width, Name: string(late)})
			way.connect(all, late, width)
			near = late
		}
		gated[when] = append(gated[when], vl.Gate{Left: to, Width: width, Right: near})
	}
	back.add(m, "u_from_lanes")
	shown.add(m, "u_shown")
	traced := []struct {
		name  string
		width int
	}{{"state_valid", 1}, {"state_context", s.Context}, {"state_slot", s.Slot}, {"record_valid", 1}, {"synapse_valid", 1}, {"synapse_addr", s.Synapse}}
	for _, t := range traced {
		m.Items = append(m.Items, vl.Wire(t.name, t.width))
		control = append(control, vl.Bind{Name: t.name + "_o", Value: vl.Id(t.name)})
	}
	control = append(control, interneuronInstance(m, name, s, p)...)
	m.Items = append(m.Items, vl.Instance{Module: "corinfo_control", Name: "u_control", Params: controlParams(a, l, s, p), Ports: control})
	items = append(items, vl.Instance{Module: "corinfo_site", Name: "u_site", Params: []vl.Bind{
		{Name: "Lane", Value: g}, {Name: "LaneW", Value: vl.Int(s.Lane)},
		{Name: "SynapseWidth", Value: vl.Int(s.Word)}, {Name: "SynapseDepth", Value: vl.Int(s.synapseDepth)}, {Name: "SynapseAddrW", Value: vl.Int(s.Synapse)},
		{Name: "SynapseFile", Value: vl.Concat{vl.Id("ImageFolder"), vl.Str("/" + name + "_lane_"), vl.Id("Hundreds"), vl.Id("Tens"), vl.Id("Ones"), vl.Str(".hex")}},
		{Name: "ReadCycles", Value: vl.Int(p.target.ReadCycles)}, {Name: "WireCycles", Value: vl.Int(min(1, p.target.WireCycles))},
	}, Ports: site}, vl.Instance{Module: name + "_lane", Name: "u_lane", Ports: lane})
	m.Items = append(m.Items, vl.Generate{Var: "i", Count: l.Lanes, Label: "gen_lane", Items: items})

	pad := func(to, width int, net vl.Id) vl.Expr {
		if to == width {
			return net
		}
		return vl.Concat{zeros(to - width), net}
	}
	m.Items = append(m.Items, vl.Comment{Text: "Trace."},
		vl.Assign{Left: vl.Id("trace_state_valid_o"), Right: vl.Id("state_valid")},
		vl.Assign{Left: vl.Id("trace_state_context_o"), Right: vl.Cond{Test: vl.Id("state_valid"), X: vl.Id("state_context"), Y: zeros(s.Context)}},
		vl.Assign{Left: vl.Id("trace_state_slot_o"), Right: vl.Cond{Test: vl.Id("state_valid"), X: pad(16, s.Slot, "state_slot"), Y: zeros(16)}},
		vl.Assign{Left: vl.Id("trace_synapse_valid_o"), Right: vl.Id("synapse_valid")},
		vl.Assign{Left: vl.Id("trace_synapse_address_o"), Right: vl.Cond{Test: vl.Id("synapse_valid"), X: pad(20, s.Synapse, "synapse_addr"), Y: zeros(20)}})
	for _, when := range []vl.Id{"state_valid", "record_valid", "synapse_valid"} {
		m.Items = append(m.Items, vl.Gated{When: when, Body: gated[when]})
	}
	return m
}

// wires are nets with registers on them.
type wires struct {
	cycles   int
	width    int
	from, to vl.Concat
}

// connect adds a net by its ends.
func (w *wires) connect(from vl.Expr, to vl.Id, width int) {
	w.width += width
	w.from, w.to = append(w.from, from), append(w.to, to)
}

// pass declares the far end of a net, and gives its name: that of the near one if there are no registers.
func (w *wires) pass(m *vl.Module, from vl.Id, to string, width int) vl.Id {
	if w.cycles == 0 {
		return from
	}
	m.Items = append(m.Items, vl.Net{Width: width, Name: to})
	w.connect(from, vl.Id(to), width)
	return vl.Id(to)
}

// add adds the registers to a module.
func (w *wires) add(m *vl.Module, name string) {
	if w.width > 0 {
		m.Items = append(m.Items, vl.Instance{Module: "corinfo_delay", Name: name,
			Params: []vl.Bind{{Name: "Width", Value: vl.Int(w.width)}, {Name: "Cycles", Value: vl.Int(w.cycles)},
				{Name: "Zero", Value: vl.Int(1)}},
			Ports: []vl.Bind{{Name: "clk_i", Value: vl.Id("clk_i")}, {Name: "data_i", Value: w.from}, {Name: "data_o", Value: w.to}}})
	}
}

// counted is a number of things, by the name of one.
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

func join(numbers []int, sep string) string {
	return strings.Trim(strings.Join(strings.Fields(fmt.Sprint(numbers)), sep), "[]")
}

// controlParams are the sizes, latencies and tables of the control.
func controlParams(a *settling.Arithmetic, l *Layout, s *shape, p *arithmetic) []vl.Bind {
	n := a.Network
	dense := 0
	if n.Hardware.Mode == "dense" {
		dense = 1
	}
	style := "auto"
	if p.target.Distributed {
		style = "distributed"
	}
	table := func(count int, word func(i int) int) vl.Expr {
		c := make(vl.Concat, count)
		for i := range count {
			c[count-1-i] = vl.Lit{Width: 32, Hex: fmt.Sprintf("%x", word(i))}
		}
		return c
	}
	layers := len(n.Layers)
	layer := func(word func(k int) int) vl.Expr { return table(layers, word) }
	// The segments that a layer has, those that it has not behind them.
	segments := make([]Segment, 0, 3*layers)
	for k := range layers {
		for _, has := range []bool{true, false} {
			for _, g := range l.Segments[k] {
				if g.Count > 0 == has {
					segments = append(segments, g)
				}
			}
		}
	}
	segment := func(word func(g Segment) int) vl.Expr {
		return table(3*layers, func(i int) int { return word(segments[i]) })
	}
	describe := table(3*layers, func(i int) int {
		g := segments[i]
		if g.Count == 0 {
			return 0
		}
		more := 0
		if i%3 < 2 && segments[i+1].Count > 0 {
			more = 1
		}
		return more<<31 | int(a.Matrices[g.Matrix].Kind)<<29 | (g.Count - 1)
	})
	matrix := func(word func(m settling.Matrix) int) vl.Expr {
		return table(len(a.Matrices), func(i int) int { return word(a.Matrices[i]) })
	}
	number := func(name string, value int) vl.Bind { return vl.Bind{Name: name, Value: vl.Int(value)} }
	image := func(name string) vl.Expr { return vl.Concat{vl.Id("ImageFolder"), vl.Str("/" + n.Name + "_" + name)} }
	return []vl.Bind{
		number("Lanes", l.Lanes), number("LaneW", s.Lane), number("Contexts", s.contexts), number("ContextW", s.Context), number("Layers", layers), number("Matrices", len(a.Matrices)),
		number("Batch", n.Learning.Batch), number("Inputs", n.Layers[0]), number("Outputs", n.Layers[n.K()]), number("LabelW", s.Label),
		number("Slots", s.slots), number("SlotW", s.Slot), number("KeptAddrW", s.Kept), number("InputAddrW", s.Input), number("SynapseDepth", l.Depth), number("SynapseAddrW", s.Synapse),
		number("XWidth", s.X), number("PreWidth", s.Pre), number("ValueWidth", s.Value), number("OperandWidth", s.Operand), number("ScoreWidth", s.R),
		number("SynapseWidth", s.Word), number("EtaWidth", s.Eta), number("ConstantsWidth", s.Constants), number("RateWidth", s.Rate), number("Counters", len(Counters)),
		number("ReadCycles", p.target.ReadCycles), number("WireCycles", p.target.WireCycles), number("SomaCycles", p.somaCycles), number("RecordCycles", p.recordCycles),
		number("ChangeCycles", p.changeCycles()), number("UpdateCycles", p.synapseCycles),
		number("RowAddrW", s.Row), number("TermAddrW", s.Term), {Name: "TermStyle", Value: vl.Str(style)}, number("Dense", dense),
		number("ProgramDepth", len(a.Program)), number("ProgramAddrW", s.Program),
		{Name: "ProgramFile", Value: image(programImage)}, {Name: "ConstantsFile", Value: image(constantsImage)}, {Name: "RatesFile", Value: image(ratesImage)},
		{Name: "Seed", Value: vl.Lit{Width: 32, Hex: fmt.Sprintf("%x", n.Seed)}},
		{Name: "SlotBase", Value: layer(func(k int) int { return l.SlotBase[k] })},
		{Name: "SlotCount", Value: layer(func(k int) int { return l.SlotCount[k] })},
		{Name: "LastLanes", Value: layer(func(k int) int { return n.Layers[k] - (ceilDiv(n.Layers[k], l.Lanes)-1)*l.Lanes })},
		{Name: "Neurons", Value: layer(func(k int) int { return n.Layers[k] })},
		{Name: "ColumnBase", Value: layer(func(k int) int { return l.ColumnBase[k] })},
		{Name: "Stride", Value: layer(func(k int) int { return l.Stride[k] })},
		{Name: "RowStride", Value: layer(func(k int) int { return l.Stride[k] * l.Lanes })},
		{Name: "Align", Value: segment(func(g Segment) int { return g.Shift })},
		{Name: "SegmentSlot", Value: segment(func(g Segment) int { return g.Slot })},
		{Name: "Segments", Value: describe},
		{Name: "MatrixKind", Value: matrix(func(m settling.Matrix) int { return int(m.Kind) })},
		{Name: "MatrixPre", Value: matrix(func(m settling.Matrix) int { return m.Pre })},
		{Name: "MatrixPost", Value: matrix(func(m settling.Matrix) int { return m.Post })},
		{Name: "MatrixOffset", Value: table(len(a.Matrices), func(i int) int { return l.MatrixOffset[i] })},
	}
}

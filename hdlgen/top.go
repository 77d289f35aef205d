package hdlgen

import (
	"fmt"
	"strings"

	"corinfo/golden"
	vl "corinfo/hdlgen/verilog"
)

// topModule joins the control and the lanes.
func topModule(name string, a *golden.Arithmetic, l *Layout, s *shape, p *arithmetic, provenance []string) *vl.Module {
	n := a.Network
	m := &vl.Module{Name: name}
	m.Header = append([]string{fmt.Sprintf("%s: a network of %s neurons that settles and learns, %d lanes.", name, join(n.Layers, "-"), l.Lanes)}, provenance...)
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
		"The trace ports show every new state and synapse to a testbench; leave them open on a board.")
	in := func(name string, width int) vl.Port { return vl.Port{Dir: vl.In, Width: width, Name: name} }
	out := func(name string, width int) vl.Port { return vl.Port{Dir: vl.Out, Width: width, Name: name} }
	gathered := func(name string, width int) vl.Port { return vl.Port{Dir: vl.Out, Reg: true, Width: width, Name: name} }
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
		out("trace_state_valid_o", 1), out("trace_state_slot_o", 16), gathered("trace_state_u_o", l.Lanes*s.U), gathered("trace_state_r_o", l.Lanes*s.R),
		out("trace_synapse_valid_o", 1), out("trace_synapse_address_o", 20), gathered("trace_synapse_o", l.Lanes*s.Word))

	// Nets between the control and the lanes: a lane's port x_i is the control's x_o.
	m.Items = append(m.Items, vl.Comment{Text: "From the control to every lane."})
	control := []vl.Bind{}
	lane := []vl.Bind{{Name: "clk_i", Value: vl.Id("clk_i")}}
	for _, port := range host {
		if port.Name != "" {
			control = append(control, vl.Bind{Name: port.Name, Value: vl.Id(port.Name)})
		}
	}
	site := []vl.Bind{{Name: "clk_i", Value: vl.Id("clk_i")}}
	broadcast := func(ports []vl.Port, to *[]vl.Bind) {
		for _, port := range ports {
			name := strings.TrimSuffix(port.Name, "_i")
			net := "to_lanes_" + name
			m.Items = append(m.Items, vl.Net{Width: port.Width, Signed: port.Signed, Name: net})
			control = append(control, vl.Bind{Name: name + "_o", Value: vl.Id(net)})
			*to = append(*to, vl.Bind{Name: port.Name, Value: vl.Id(net)})
		}
	}
	broadcast(siteControl(s), &site)
	broadcast(append(append(laneControl(s), runPort()), constantPorts(s)...), &lane)
	m.Items = append(m.Items, vl.Comment{Text: "From the lanes, each lane's word above that of the lane before."})
	g := vl.Id("i")
	part := func(bus vl.Id, width int) vl.Expr {
		if width == 1 {
			return vl.Element{X: bus, Index: g}
		}
		return vl.Part{X: bus, Base: vl.Binary{Op: "*", X: vl.Int(width), Y: g}, Width: width}
	}
	items := []vl.Item{
		vl.Comment{Text: "The lane's memory image is images/lane_<number>.hex."},
		vl.Localparam{Width: 8, Name: "Hundreds", Value: vl.Binary{Op: "+", X: vl.Int('0'), Y: vl.Binary{Op: "/", X: g, Y: vl.Int(100)}}},
		vl.Localparam{Width: 8, Name: "Tens", Value: vl.Binary{Op: "+", X: vl.Int('0'), Y: vl.Binary{Op: "%", X: vl.Binary{Op: "/", X: g, Y: vl.Int(10)}, Y: vl.Int(10)}}},
		vl.Localparam{Width: 8, Name: "Ones", Value: vl.Binary{Op: "+", X: vl.Int('0'), Y: vl.Binary{Op: "%", X: g, Y: vl.Int(10)}}},
	}
	for _, port := range siteOutputs(s) {
		items = append(items, vl.Net{Width: port.Width, Signed: port.Signed, Name: "own_" + port.Name})
		site = append(site, vl.Bind{Name: port.Name + "_o", Value: vl.Id("own_" + port.Name)})
		lane = append(lane, vl.Bind{Name: port.Name + "_i", Value: vl.Id("own_" + port.Name)})
	}
	// What counts in some cycles only is gathered in those.
	gates := map[string]*gate{
		"moved": {when: "soma_we"}, "soma_flags": {when: "soma_we"}, "record_flags": {when: "factor_we"}, "update_flags": {when: "synapse_we"},
		"u_next": {when: "soma_we", to: "trace_state_u_o"}, "r_next": {when: "soma_we", to: "trace_state_r_o"},
		"synapse_next": {when: "synapse_we", to: "trace_synapse_o"},
	}
	gated := map[string][]vl.Gate{}
	for _, port := range laneOutputs(s) {
		name := strings.TrimSuffix(port.Name, "_o")
		bus := vl.Id("from_lanes_" + name)
		x := gates[name]
		if x == nil {
			m.Items = append(m.Items, vl.Net{Bus: true, Width: l.Lanes * port.Width, Name: string(bus)})
			lane = append(lane, vl.Bind{Name: port.Name, Value: part(bus, port.Width)})
		} else {
			own := "own_" + name
			items = append(items, vl.Net{Width: port.Width, Name: own})
			lane = append(lane, vl.Bind{Name: port.Name, Value: vl.Id(own)})
			if name == "synapse_next" {
				site = append(site, vl.Bind{Name: "synapse_next_i", Value: vl.Id(own)})
			}
			all := make(vl.Concat, l.Lanes)
			for i := range all {
				all[l.Lanes-1-i] = vl.Id(fmt.Sprintf("gen_lane[%d].%s", i, own))
			}
			if x.to == "" {
				x.to = bus
				m.Items = append(m.Items, vl.Net{Reg: true, Bus: true, Width: l.Lanes * port.Width, Name: string(bus)})
			}
			gated[x.when] = append(gated[x.when], vl.Gate{Left: x.to, Width: l.Lanes * port.Width, Right: all})
		}
		switch name {
		case "u_next", "r_next", "synapse_next":
		default:
			control = append(control, vl.Bind{Name: name + "_i", Value: bus})
		}
	}
	m.Items = append(m.Items, vl.Instance{Module: "corinfo_control", Name: "u_control", Params: controlParams(a, l, s, p), Ports: control})
	items = append(items, vl.Instance{Module: "corinfo_site", Name: "u_site", Params: []vl.Bind{
		{Name: "Lane", Value: g}, {Name: "LaneW", Value: vl.Int(s.Lane)},
		{Name: "SynapseWidth", Value: vl.Int(s.Word)}, {Name: "SynapseDepth", Value: vl.Int(s.synapseDepth)}, {Name: "SynapseAddrW", Value: vl.Int(s.Synapse)},
		{Name: "SynapseFile", Value: vl.Concat{vl.Str("images/lane_"), vl.Id("Hundreds"), vl.Id("Tens"), vl.Id("Ones"), vl.Str(".hex")}},
		{Name: "ReadCycles", Value: vl.Int(p.target.ReadCycles)},
	}, Ports: site}, vl.Instance{Module: name + "_lane", Name: "u_lane", Ports: lane})
	m.Items = append(m.Items, vl.Generate{Var: "i", Count: l.Lanes, Label: "gen_lane", Items: items})

	pad := func(to, width int, net vl.Id) vl.Expr {
		if to == width {
			return net
		}
		return vl.Concat{zeros(to - width), net}
	}
	m.Items = append(m.Items, vl.Comment{Text: "Trace."},
		vl.Assign{Left: vl.Id("trace_state_valid_o"), Right: vl.Id("to_lanes_soma_we")},
		vl.Assign{Left: vl.Id("trace_state_slot_o"), Right: vl.Cond{Test: vl.Id("to_lanes_soma_we"), X: pad(16, s.Slot, "to_lanes_soma_waddr"), Y: zeros(16)}},
		vl.Assign{Left: vl.Id("trace_synapse_valid_o"), Right: vl.Id("to_lanes_synapse_we")},
		vl.Assign{Left: vl.Id("trace_synapse_address_o"), Right: vl.Cond{Test: vl.Id("to_lanes_synapse_we"), X: pad(20, s.Synapse, "to_lanes_synapse_waddr"), Y: zeros(20)}})
	for _, when := range []string{"soma_we", "factor_we", "synapse_we"} {
		m.Items = append(m.Items, vl.Gated{When: vl.Id("to_lanes_" + when), Body: gated[when]})
	}
	return m
}

// gate says in which cycles an output of the lanes counts, and what takes it if not the control's bus.
type gate struct {
	when string
	to   vl.Id
}

func join(numbers []int, sep string) string {
	return strings.Trim(strings.Join(strings.Fields(fmt.Sprint(numbers)), sep), "[]")
}

// controlParams are the sizes, latencies and tables of the control.
func controlParams(a *golden.Arithmetic, l *Layout, s *shape, p *arithmetic) []vl.Bind {
	n := a.Network
	dense := 0
	if n.Hardware.Mode == "dense" {
		dense = 1
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
	segment := func(word func(g Segment) int) vl.Expr {
		return table(3*layers, func(i int) int { return word(l.Segments[i/3][i%3]) })
	}
	matrix := func(word func(m golden.Matrix) int) vl.Expr {
		return table(len(a.Matrices), func(i int) int { return word(a.Matrices[i]) })
	}
	number := func(name string, value int) vl.Bind { return vl.Bind{Name: name, Value: vl.Int(value)} }
	return []vl.Bind{
		number("Lanes", l.Lanes), number("LaneW", s.Lane), number("Layers", layers), number("Matrices", len(a.Matrices)),
		number("Batch", n.Learning.Batch), number("Inputs", n.Layers[0]), number("Outputs", n.Layers[n.K()]), number("LabelW", s.Label),
		number("Slots", s.slots), number("SlotW", s.Slot), number("KeptAddrW", s.Kept), number("InputAddrW", s.Input), number("SynapseDepth", l.Depth), number("SynapseAddrW", s.Synapse),
		number("XWidth", s.X), number("PreWidth", s.Pre), number("ValueWidth", s.Value), number("OperandWidth", s.Operand), number("ScoreWidth", s.R),
		number("SynapseWidth", s.Word), number("EtaWidth", s.Eta), number("ConstantsWidth", s.Constants), number("RateWidth", s.Rate), number("Counters", len(Counters)),
		number("ReadCycles", p.target.ReadCycles), number("SomaCycles", p.somaCycles), number("RecordCycles", p.recordCycles),
		number("ChangeCycles", p.changeCycles()), number("UpdateCycles", p.synapseCycles),
		number("RowAddrW", s.Row), number("TermAddrW", s.Term), number("Dense", dense),
		number("ProgramDepth", len(a.Program)), number("ProgramAddrW", s.Program),
		{Name: "ProgramFile", Value: vl.Str(programImage)}, {Name: "ConstantsFile", Value: vl.Str(constantsImage)}, {Name: "RatesFile", Value: vl.Str(ratesImage)},
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
		{Name: "SegmentCount", Value: segment(func(g Segment) int { return g.Count })},
		{Name: "MatrixKind", Value: matrix(func(m golden.Matrix) int { return int(m.Kind) })},
		{Name: "MatrixPre", Value: matrix(func(m golden.Matrix) int { return m.Pre })},
		{Name: "MatrixPost", Value: matrix(func(m golden.Matrix) int { return m.Post })},
		{Name: "MatrixOffset", Value: table(len(a.Matrices), func(i int) int { return l.MatrixOffset[i] })},
	}
}

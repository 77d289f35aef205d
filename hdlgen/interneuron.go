package hdlgen

import (
	"fmt"
	"math/bits"

	fx "corinfo/fixedpoint"
	"corinfo/hdlgen/settling"
	vl "corinfo/hdlgen/verilog"
)

// interneurons are the printed graphs of the sparse layers' interneurons, one each: their step sizes are constants.
type interneurons struct {
	units  []unit // ascending by layer
	cycles int    // latency of the slowest
	// Widths: of a layer's index, signed words of the sum of its states, q_u and q.
	layer, sum, qu, q int
}

func printInterneurons(name string, a *settling.Arithmetic, target Target, provenance []string) (*interneurons, error) {
	p := &interneurons{cycles: 2, layer: addressBits(len(a.Network.Layers))}
	for k, g := range a.Interneuron {
		if g == nil {
			continue
		}
		base := fmt.Sprintf("%s_interneuron%d", name, k)
		header := append([]string{fmt.Sprintf("%s: one step of the interneuron of layer %d.", base, k)}, provenance...)
		module, latency, err := Pipeline(base, g, target, header)
		if err != nil {
			return nil, err
		}
		p.units = append(p.units, unit{module: module, graph: g, serves: []int{k}, latency: latency})
		p.cycles = max(p.cycles, latency)
		l := a.Formats.Layer[k]
		p.sum = max(p.sum, signedWidth(fx.SumFormat(l.R.Format, a.Network.Layers[k])))
		p.qu = max(p.qu, signedWidth(l.Interneuron.QU.Format))
		p.q = max(p.q, signedWidth(l.Interneuron.Q.Format))
	}
	return p, nil
}

// stepCycles are those from the last slot of new states to the first cycle in which a pass over the same layer of
// the same context may start.
func (p *interneurons) stepCycles(lanes int) int {
	return max(1, bits.Len(uint(lanes-1))) + p.cycles + 2
}

// interneuronInstance joins the interneurons to the control and the lanes, and gives the control's binds; where no layer is
// sparse the control hears nothing.
func interneuronInstance(m *vl.Module, name string, s *shape, p *arithmetic) (control []vl.Bind) {
	net := func(name string, width int) vl.Id {
		m.Items = append(m.Items, vl.Net{Bus: width > 1, Width: width, Name: name})
		return vl.Id(name)
	}
	bind := func(port string, value vl.Expr) vl.Bind { return vl.Bind{Name: port, Value: value} }
	m.Items = append(m.Items, vl.Comment{Text: "Interneurons of sparse layers."})
	begin, context := net("sample_begin", 1), net("sample_context", s.Context)
	start, last := net("pass_start", 1), net("state_last", 1)
	control = []vl.Bind{bind("begin_o", begin), bind("begin_context_o", context), bind("pass_start_o", start), bind("state_last_o", last)}
	if p.interneurons == nil {
		m.Items = append(m.Items, vl.Wire("unused_interneuron", 1), vl.Assign{Left: vl.Id("unused_interneuron"), Right: vl.Unary{Op: "^", X: vl.Concat{begin, context, start, last}}})
		return append(control, bind("interneuron_busy_i", zeros(s.contexts)), bind("interneuron_done_i", zeros(1)), bind("interneuron_context_i", zeros(s.Context)),
			bind("interneuron_moved_i", zeros(1)), bind("interneuron_flags_i", zeros(3)))
	}
	all := 1 << s.Context
	busy, done, doneContext := net("step_busy", all), net("step_done", 1), net("step_context", s.Context)
	doneLayer, moved, flags := net("step_layer", 8), net("step_moved", 1), net("step_flags", 3)
	qu, q := net("step_qu", s.QU), net("step_q", s.Q)
	m.Items = append(m.Items, vl.Instance{Module: name + "_interneurons", Name: "u_interneurons", Ports: []vl.Bind{
		bind("clk_i", vl.Id("clk_i")), bind("rst_i", vl.Id("rst_i")), bind("clear_i", begin), bind("clear_context_i", context),
		bind("start_i", start), bind("pass_context_i", vl.Id("to_lanes_soma_context")), bind("pass_layer_i", vl.Id("to_lanes_layer")), bind("pass_q_o", vl.Id("to_lanes_q")),
		bind("busy_o", busy), bind("slot_valid_i", vl.Id("state_valid")), bind("slot_last_i", last), bind("slot_context_i", vl.Id("state_context")),
		bind("slot_layer_i", vl.Id("to_lanes_layer")), bind("slot_restart_i", vl.Id("to_lanes_restart")), bind("states_i", vl.Id("trace_state_r_o")),
		bind("done_o", done), bind("done_context_o", doneContext), bind("done_layer_o", doneLayer), bind("moved_o", moved), bind("flags_o", flags),
		bind("qu_o", qu), bind("q_o", q)}},
		vl.Assign{Left: vl.Id("trace_step_valid_o"), Right: done})
	for _, x := range []struct {
		port  string
		net   vl.Id
		width int
	}{{"context", doneContext, s.Context}, {"layer", doneLayer, 8}, {"qu", qu, s.QU}, {"q", q, s.Q}} {
		m.Items = append(m.Items, vl.Assign{Left: vl.Id("trace_step_" + x.port + "_o"), Right: vl.Cond{Test: done, X: x.net, Y: zeros(x.width)}})
	}
	var used vl.Expr = busy
	if s.contexts < all {
		used = slice(busy, all, s.contexts-1, 0)
		m.Items = append(m.Items, vl.Wire("unused_busy", 1), vl.Assign{Left: vl.Id("unused_busy"), Right: vl.Unary{Op: "^", X: busy}})
	}
	return append(control, bind("interneuron_busy_i", used), bind("interneuron_done_i", done), bind("interneuron_context_i", doneContext),
		bind("interneuron_moved_i", moved), bind("interneuron_flags_i", flags))
}

// interneuronModule attaches the graphs of the sparse layers to the hand-written interneurons. Words are
// there for 2^ContextW samples in flight.
func interneuronModule(name string, a *settling.Arithmetic, lanes int, s *shape, p *interneurons, provenance []string) *vl.Module {
	const layerBits = 8 // as the control has it
	contextBits := s.Context
	m := &vl.Module{Name: name + "_interneurons"}
	m.Header = append([]string{name + "_interneurons: the inhibitory interneurons of this network's sparse layers with their arithmetic."}, provenance...)
	m.Header = append(m.Header, "", "See corinfo_interneuron for the handshake. start_i and slot_valid_i may come for any layer: one that is not sparse is passed over, and waits for nothing. "+
		"With done_o come the step's layer and context, whether anything changed (moved_o), the overflows of excess, q_u and q (flags_o, from the lowest bit), and the new words. "+
		fmt.Sprintf("A pass over the same layer may start %d cycles after the last slot of the pass before.", p.stepCycles(lanes)))
	in := func(name string, width int) vl.Port { return vl.Port{Dir: vl.In, Width: width, Name: name} }
	out := func(name string, width int) vl.Port { return vl.Port{Dir: vl.Out, Width: width, Name: name} }
	m.Ports = []vl.Port{in("clk_i", 1), in("rst_i", 1), in("clear_i", 1), in("clear_context_i", contextBits),
		vl.Group("Pass."), in("start_i", 1), in("pass_context_i", contextBits), in("pass_layer_i", layerBits),
		out("pass_q_o", p.q), out("busy_o", 1<<contextBits),
		vl.Group("New states of a slot, lane 0 in the lowest bits."),
		in("slot_valid_i", 1), in("slot_last_i", 1), in("slot_context_i", contextBits), in("slot_layer_i", layerBits), in("slot_restart_i", 1),
		in("states_i", lanes*s.R),
		vl.Group("A step is done."),
		out("done_o", 1), out("done_context_o", contextBits), out("done_layer_o", layerBits), out("moved_o", 1), out("flags_o", 3), out("qu_o", p.qu), out("q_o", p.q)}

	sparse := func(layer vl.Id) (test vl.Expr) {
		for _, u := range p.units {
			var hit vl.Expr = vl.Binary{Op: "==", X: layer, Y: vl.Lit{Width: layerBits, Hex: fmt.Sprintf("%x", u.serves[0])}}
			if test != nil {
				hit = vl.Binary{Op: "||", X: test, Y: hit}
			}
			test = hit
		}
		return test
	}
	m.Items = append(m.Items,
		vl.Wire("pass_sparse", 1), vl.Wire("slot_sparse", 1),
		vl.Assign{Left: vl.Id("pass_sparse"), Right: sparse("pass_layer_i")},
		vl.Assign{Left: vl.Id("slot_sparse"), Right: sparse("slot_layer_i")},
		vl.Comment{Text: "Sums, words and what is under way."},
		vl.Net{Width: p.sum, Signed: true, Name: "sum"}, vl.Net{Width: p.qu, Signed: true, Name: "qu"}, vl.Net{Width: p.q, Signed: true, Name: "q"},
		vl.Wire("restart", 1), vl.Wire("next_layer", layerBits), vl.Net{Width: p.qu, Signed: true, Name: "qu_next"}, vl.Net{Width: p.q, Signed: true, Name: "q_next"})
	layer := func(net vl.Id) vl.Expr { return slice(net, layerBits, p.layer-1, 0) }
	bind := func(port string, value vl.Expr) vl.Bind { return vl.Bind{Name: port, Value: value} }
	own := func(port string) vl.Bind { return vl.Bind{Name: port, Value: vl.Id(port)} }
	m.Items = append(m.Items,
		vl.Assign{Left: slice("next_layer", layerBits, layerBits-1, p.layer), Right: zeros(layerBits - p.layer)},
		vl.Assign{Left: slice("done_layer_o", layerBits, layerBits-1, p.layer), Right: zeros(layerBits - p.layer)},
		vl.Instance{Module: "corinfo_interneuron", Name: "u_interneuron",
			Params: []vl.Bind{bind("Lanes", vl.Int(lanes)), bind("RWidth", vl.Int(s.R)), bind("LayerW", vl.Int(p.layer)), bind("ContextW", vl.Int(contextBits)),
				bind("SumWidth", vl.Int(p.sum)), bind("QUWidth", vl.Int(p.qu)), bind("QWidth", vl.Int(p.q)), bind("StepCycles", vl.Int(p.cycles))},
			Ports: []vl.Bind{own("clk_i"), own("rst_i"), own("clear_i"), own("clear_context_i"),
				bind("start_i", vl.Binary{Op: "&&", X: vl.Id("start_i"), Y: vl.Id("pass_sparse")}), own("pass_context_i"), bind("pass_layer_i", layer("pass_layer_i")),
				own("pass_q_o"), own("busy_o"),
				bind("slot_valid_i", vl.Binary{Op: "&&", X: vl.Id("slot_valid_i"), Y: vl.Id("slot_sparse")}), own("slot_last_i"), own("slot_context_i"),
				bind("slot_layer_i", layer("slot_layer_i")), own("slot_restart_i"), own("states_i"),
				bind("sum_o", vl.Id("sum")), bind("qu_o", vl.Id("qu")), bind("q_o", vl.Id("q")), bind("restart_o", vl.Id("restart")),
				bind("next_layer_o", layer("next_layer")), bind("qu_next_i", vl.Id("qu_next")), bind("q_next_i", vl.Id("q_next")),
				own("done_o"), own("done_context_o"), bind("done_layer_o", layer("done_layer_o"))}},
		vl.Comment{Text: "Arithmetic."}, vl.Wire("moved", 1), vl.Wire("excess_overflow", 1), vl.Wire("potential_overflow", 1), vl.Wire("state_overflow", 1))
	operand := func(u *unit, name string, format fx.Format) vl.Expr {
		t := a.Formats.Layer[u.serves[0]].Interneuron
		switch name {
		case "sum":
			return narrowed("sum", p.sum, format)
		case "qu":
			return vl.Cond{Test: vl.Id("restart"), X: scaled("q", p.q, t.Q.Format, t.QU.Format), Y: narrowed("qu", p.qu, format)}
		case "nu":
			return literal(format, format.Int(a.Nu[u.serves[0]]))
		}
		return narrowed("q", p.q, format)
	}
	m.Items = attach(m.Items, "interneuron", p.units, p.cycles, "next_layer", vl.Lit{Width: 1, Hex: "1"}, operand,
		[]result{{"qu_next", "qu_next", p.qu}, {"q_next", "q_next", p.q}, {"moved", "moved", 1}}, []string{"excess_overflow", "potential_overflow", "state_overflow"})
	m.Items = append(m.Items,
		vl.Assign{Left: vl.Id("moved_o"), Right: vl.Binary{Op: "||", X: vl.Id("moved"), Y: vl.Id("potential_overflow")}},
		vl.Assign{Left: vl.Id("flags_o"), Right: vl.Concat{vl.Id("state_overflow"), vl.Id("potential_overflow"), vl.Id("excess_overflow")}},
		vl.Assign{Left: vl.Id("qu_o"), Right: vl.Id("qu_next")}, vl.Assign{Left: vl.Id("q_o"), Right: vl.Id("q_next")},
		vl.Comment{Text: "Words are as wide as the widest layer's; no graph reads every bit of every one, and a single layer needs no choice."},
		vl.Wire("unused_bits", 1),
		vl.Assign{Left: vl.Id("unused_bits"), Right: vl.Unary{Op: "^", X: vl.Concat{vl.Id("sum"), vl.Id("qu"), vl.Id("q"), vl.Id("next_layer")}}})
	return m
}

package hdlgen

import (
	"fmt"

	fx "corinfo/fixedpoint"
	vl "corinfo/hdlgen/verilog"
)

// unit is a graph printed as a module, and the layers or matrices that it serves.
type unit struct {
	module  *vl.Module
	graph   *fx.Graph
	serves  []int
	latency int
}

// units prints every distinct graph of a list once. Names are <base> if there is one, else <base>0, <base>1...
func units(base string, graphs []*fx.Graph, target Target, describe func(serves []int) string, provenance []string) (list []unit, latency int, err error) {
	index := map[string]int{}
	for i, g := range graphs {
		if g == nil {
			continue
		}
		print := g.Fingerprint()
		if at, ok := index[print]; ok {
			list[at].serves = append(list[at].serves, i)
			continue
		}
		index[print] = len(list)
		list = append(list, unit{graph: g, serves: []int{i}})
	}
	for i := range list {
		u := &list[i]
		name := base
		if len(list) > 1 {
			name = fmt.Sprintf("%s%d", base, i)
		}
		header := append([]string{fmt.Sprintf("%s: %s", name, describe(u.serves))}, provenance...)
		if u.module, u.latency, err = Pipeline(name, u.graph, target, header); err != nil {
			return nil, 0, err
		}
		latency = max(latency, u.latency)
	}
	return list, latency, nil
}

// source gives the expression of an operand in a lane, by the input's name; width is what the graph wants.
type source func(u *unit, name string, f fx.Format) vl.Expr

// attach instantiates units side by side and selects, by the layer or matrix under way, whose results count.
// They stand still without enable. results maps an output of the graphs to the net that takes it.
func attach(items []vl.Item, kind string, list []unit, latency int, selector vl.Id, enable vl.Expr, operand source, results []result, flags []string) []vl.Item {
	net := func(u int, name string) vl.Id { return vl.Id(fmt.Sprintf("%s%d_%s", kind, u, name)) }
	for i := range list {
		u := &list[i]
		binds := []vl.Bind{{Name: "clk_i", Value: vl.Id("clk_i")}, {Name: "enable_i", Value: enable}}
		for _, v := range u.graph.Inputs() {
			n := u.graph.Nodes()[v]
			binds = append(binds, vl.Bind{Name: n.Name + "_i", Value: operand(u, n.Name, n.Format)})
		}
		late := func(name string, width int, signed bool) vl.Id {
			if u.latency == latency {
				items = append(items, vl.Net{Width: width, Signed: signed, Name: string(net(i, name))})
				return net(i, name)
			}
			early := net(i, name+"_early")
			items = delayed(append(items, vl.Net{Width: width, Name: string(early)}), net(i, name), early, width, latency-u.latency, signed, enable)
			return early
		}
		for _, o := range u.graph.Outputs() {
			f := u.graph.Nodes()[o.Value].Format
			binds = append(binds, vl.Bind{Name: o.Name + "_o", Value: late(o.Name, f.Width, f.Signed)})
		}
		for _, v := range u.graph.Resizes() {
			name := u.graph.Nodes()[v].Name + "_overflow"
			binds = append(binds, vl.Bind{Name: name + "_o", Value: late(name, 1, false)})
		}
		items = append(items, vl.Instance{Module: u.module.Name, Name: fmt.Sprintf("u_%s%d", kind, i), Ports: binds})
	}
	// Which unit counts is known long before its results: a register of the lane's own.
	hit := func(u int) vl.Id { return net(u, "serves_q") }
	var serving []vl.Update
	for i := range len(list) - 1 {
		var test vl.Expr
		for _, s := range list[i].serves {
			var now vl.Expr = vl.Binary{Op: "==", X: selector, Y: vl.Lit{Width: 8, Hex: fmt.Sprintf("%x", s)}}
			if test == nil {
				test = now
			} else {
				test = vl.Binary{Op: "||", X: test, Y: now}
			}
		}
		items = append(items, vl.Net{Reg: true, Width: 1, Name: string(hit(i))})
		serving = append(serving, vl.Update{Left: hit(i), Right: test})
	}
	if serving != nil {
		items = append(items, vl.Clocked{Enable: enable, Body: serving})
	}
	choose := func(value func(u int) vl.Expr) vl.Expr {
		e := value(len(list) - 1)
		for i := len(list) - 2; i >= 0; i-- {
			e = vl.Cond{Test: hit(i), X: value(i), Y: e}
		}
		return e
	}
	for _, r := range results {
		items = append(items, vl.Assign{Left: r.net, Right: choose(func(u int) vl.Expr {
			for _, o := range list[u].graph.Outputs() {
				if o.Name == r.output {
					return widened(net(u, o.Name), list[u].graph.Nodes()[o.Value].Format, r.width)
				}
			}
			panic("hdlgen: no output " + r.output)
		})})
	}
	for _, name := range flags {
		items = append(items, vl.Assign{Left: vl.Id(name), Right: choose(func(u int) vl.Expr { return net(u, name) })})
	}
	return items
}

// delayed declares a net and gives it what another was some cycles before, those without enable not counted.
func delayed(items []vl.Item, to, from vl.Id, width, cycles int, signed bool, enable vl.Expr) []vl.Item {
	net := vl.Net{Width: width, Signed: signed, Name: string(to)}
	switch cycles {
	case 0:
		return append(items, net, vl.Assign{Left: to, Right: from})
	case 1:
		net.Reg = true
		return append(items, net, vl.Clocked{Enable: enable, Body: []vl.Update{{Left: to, Right: from}}})
	}
	line := to + "_line_q" // the newest word in the lowest bits
	all := width * cycles
	return append(items, net, vl.Net{Reg: true, Width: all, Name: string(line)},
		vl.Clocked{Enable: enable, Body: []vl.Update{{Left: line, Right: vl.Concat{slice(line, all, all-width-1, 0), from}}}},
		vl.Assign{Left: to, Right: slice(line, all, all-1, all-width)})
}

// result is an output of the graphs of a kind and the lane's net that takes it.
type result struct {
	output string
	net    vl.Id
	width  int
}

// widened brings a graph's word to a lane's signed width.
func widened(net vl.Id, f fx.Format, width int) vl.Expr {
	switch {
	case width == f.Width:
		return net
	case f.Signed:
		return vl.Concat{repeated(width-f.Width, slice(net, f.Width, f.Width-1, f.Width-1)), net}
	}
	return vl.Concat{zeros(width - f.Width), net}
}

// narrowed takes a graph's word from a lane's signed word.
func narrowed(net vl.Id, width int, f fx.Format) vl.Expr {
	e := slice(net, width, f.Width-1, 0)
	if f.Signed && f.Width != width {
		return vl.Signed{X: e}
	}
	return e
}

// scaled is a state at another binary point: a restarted potential, a reference.
func scaled(net vl.Id, width int, from, to fx.Format) vl.Expr {
	shift := to.Frac - from.Frac
	left := to.Width - from.Width - shift
	var parts vl.Concat
	switch {
	case left > 0 && from.Signed:
		parts = append(parts, repeated(left, slice(net, width, from.Width-1, from.Width-1)))
	case left > 0:
		parts = append(parts, zeros(left))
	}
	parts = append(parts, slice(net, width, from.Width-1, 0))
	if shift > 0 {
		parts = append(parts, zeros(shift))
	}
	if to.Signed {
		return vl.Signed{X: parts}
	}
	return parts
}

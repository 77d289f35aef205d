package hdlgen

import (
	"fmt"
	"math/bits"
	"strings"

	fx "corinfo/fixedpoint"
	vl "corinfo/hdlgen/verilog"
)

// Pipeline prints a graph of operations as a feed-forward pipeline: data only, no reset, one set of operands per
// cycle, all stages standing still without enable_i. The results of the operands of cycle t stand at the outputs in
// cycle t + latency. Every operation has a register behind it, a resize of more bits than the target limits in a cycle has two; a
// quotient and a root have one for each of their bits, a table has five or six, one of them in a memory's read;
// operands that come earlier are delayed to meet the later ones, constants of the run (Graph.Constant) are not.
//
// Ports: clk_i, enable_i, <input>_i, <output>_o and, one bit each, <resize>_overflow_o.
func Pipeline(name string, g *fx.Graph, target Target, header []string) (m *vl.Module, latency int, err error) {
	for _, n := range g.Nodes() {
		if err := n.Format.Check(); err != nil {
			return nil, 0, fmt.Errorf("graph %s: %v %s: %w", g.Name, n.Op, n.Name, err)
		}
	}
	p := connected(g, target)
	return p.module(name, header), p.latency, nil
}

// connected is a pipeline whose operations have their operands.
func connected(g *fx.Graph, target Target) *pipeline {
	p := newPipeline(g, target)
	for _, o := range g.Outputs() {
		p.at(o.Value, p.latency)
	}
	for i := len(p.nodes) - 1; i >= 0; i-- {
		p.compute(fx.Value(i))
	}
	return p
}

// wire is the value of a node in a stage.
type wire struct {
	node  fx.Value
	stage int
}

type pipeline struct {
	g       *fx.Graph
	nodes   []fx.Node
	target  Target
	ready   []int // by node: first stage in which its value stands
	latency int
	needed  map[fx.Value]bool // nodes that are computed
	used    map[wire]bool     // values that operations and outputs take
	items   map[int][]vl.Item
	updates map[int][]vl.Update
}

// newPipeline puts every operation into the stage after its latest operand.
func newPipeline(g *fx.Graph, target Target) *pipeline {
	p := &pipeline{
		g: g, nodes: g.Nodes(), target: target,
		needed: map[fx.Value]bool{}, used: map[wire]bool{},
		items: map[int][]vl.Item{}, updates: map[int][]vl.Update{},
	}
	p.ready = make([]int, len(p.nodes))
	for i, n := range p.nodes {
		if n.Op == fx.OpInput || n.Op == fx.OpConst {
			continue
		}
		stage := p.start(n)
		switch {
		case n.Op == fx.OpShift:
			p.ready[i] = stage
		case n.Op == fx.OpResize && p.split(n):
			p.ready[i] = stage + 2
		case function(n.Op):
			p.ready[i] = stage + p.cycles(n)
		default:
			p.ready[i] = stage + 1
		}
		p.latency = max(p.latency, p.ready[i])
	}
	p.latency = max(p.latency, 1)
	return p
}

// narrow is the place among a product's operands of a factor of one or two bits, -1 if it has none: such a product is
// a choice or a sum, and takes no multiplier.
func (p *pipeline) narrow(mul fx.Node) int {
	for i, a := range mul.Args {
		if n := p.nodes[a]; n.Format.Width <= 2 && n.Op != fx.OpConst {
			return i
		}
	}
	return -1
}

// at is the net that holds a node's value in a stage; it asks for the registers that this takes.
func (p *pipeline) at(v fx.Value, stage int) vl.Id {
	n := p.nodes[v]
	if n.Op == fx.OpShift {
		return p.at(n.Args[0], stage)
	}
	if n.Op == fx.OpConst {
		return vl.Id(p.name(v))
	}
	if n.Op == fx.OpInput && (n.Static || stage == 0) {
		return vl.Id(n.Name + "_i")
	}
	p.used[wire{v, stage}] = true
	p.needed[v] = true
	return p.staged(v, stage)
}

func (p *pipeline) name(v fx.Value) string {
	if n := p.nodes[v]; n.Name != "" {
		return n.Name
	}
	return fmt.Sprintf("%v%d", p.nodes[v].Op, v)
}

func (p *pipeline) staged(v fx.Value, stage int) vl.Id {
	if p.nodes[v].Op == fx.OpInput && stage == 0 {
		return vl.Id(p.name(v) + "_i")
	}
	return vl.Id(fmt.Sprintf("%s_%d", p.name(v), stage))
}

// compute declares the nets and registers of a node, from its operands one stage before it is ready.
func (p *pipeline) compute(v fx.Value) {
	n := p.nodes[v]
	stage := p.ready[v]
	if n.Op == fx.OpResize {
		p.needed[v] = true // its overflow is an output, whoever uses its value
	}
	if !p.needed[v] {
		return
	}
	before := stage - 1
	width := n.Format.Width
	var value vl.Expr
	switch n.Op {
	case fx.OpInput:
		return // delayed copies are registers of their own, see module
	case fx.OpAdd, fx.OpSub:
		op := "+"
		if n.Op == fx.OpSub {
			op = "-"
		}
		value = vl.Binary{Op: op, X: p.aligned(n.Args[0], before, n.Format), Y: p.aligned(n.Args[1], before, n.Format)}
	case fx.OpNeg:
		value = vl.Unary{Op: "-", X: p.aligned(n.Args[0], before, n.Format)}
	case fx.OpMul:
		if at := p.narrow(n); at >= 0 {
			value = p.chosen(n.Args[1-at], n.Args[at], before, n.Format)
			break
		}
		value = vl.Binary{Op: "*", X: p.factor(n.Args[0], before, n.Format), Y: p.factor(n.Args[1], before, n.Format)}
	case fx.OpClip:
		value = p.clip(n, before)
	case fx.OpNonZero:
		value = vl.Unary{Op: "|", X: p.at(n.Args[0], before)}
	case fx.OpResize:
		value = p.resize(v)
	case fx.OpDiv, fx.OpSqrt:
		p.cell(v) // which has registers of its own
		return
	case fx.OpTable:
		value = p.table(v)
	}
	p.items[stage] = append([]vl.Item{vl.Net{Reg: true, Signed: n.Format.Signed, Width: width,
		Name: string(p.staged(v, stage))}}, p.items[stage]...)
	p.updates[stage] = append([]vl.Update{{Left: p.staged(v, stage), Right: value}}, p.updates[stage]...)
}

// bit is one bit of a net.
func (p *pipeline) bit(v fx.Value, net vl.Id, index int) vl.Expr {
	if p.nodes[v].Format.Width == 1 {
		return net
	}
	return vl.Bit{X: net, Index: index}
}

func slice(net vl.Id, width, high, low int) vl.Expr {
	switch {
	case low == 0 && high == width-1:
		return net
	case low == high:
		return vl.Bit{X: net, Index: low}
	}
	return vl.Slice{X: net, High: high, Low: low}
}

// repeated is a bit n times.
func repeated(n int, bit vl.Expr) vl.Expr {
	if n == 1 {
		return bit
	}
	return vl.Repeat{Count: n, X: bit}
}

func zeros(n int) vl.Expr { return vl.Lit{Width: n, Hex: "0"} }

// aligned is a value at another format's binary point and width, which holds it exactly.
func (p *pipeline) aligned(v fx.Value, stage int, to fx.Format) vl.Expr {
	f := p.nodes[v].Format
	net := p.at(v, stage)
	right := to.Frac - f.Frac
	left := to.Width - f.Width - right
	if left == 0 && right == 0 && f.Signed == to.Signed {
		return net
	}
	var parts vl.Concat
	switch {
	case left > 0 && f.Signed:
		parts = append(parts, repeated(left, p.bit(v, net, f.Width-1)))
	case left > 0:
		parts = append(parts, zeros(left))
	}
	parts = append(parts, net)
	if right > 0 {
		parts = append(parts, zeros(right))
	}
	if to.Signed {
		return vl.Signed{X: parts}
	}
	return parts
}

// factor is an operand of a product: signed as soon as the product is.
func (p *pipeline) factor(v fx.Value, stage int, product fx.Format) vl.Expr {
	net := p.at(v, stage)
	if product.Signed && !p.nodes[v].Format.Signed {
		return vl.Signed{X: vl.Concat{zeros(1), net}}
	}
	return net
}

// chosen is the product with a factor of one or two bits: the sum of what its bits choose, the highest negative if
// the factor is signed.
func (p *pipeline) chosen(v, by fx.Value, stage int, product fx.Format) vl.Expr {
	f, by1 := p.nodes[v].Format, p.nodes[by].Format
	net := p.at(v, stage)
	part := func(bit int) vl.Expr {
		var x vl.Concat
		if left := product.Width - f.Width - bit; left > 0 {
			if f.Signed {
				x = append(x, repeated(left, p.bit(v, net, f.Width-1)))
			} else {
				x = append(x, zeros(left))
			}
		}
		x = append(x, net)
		if bit > 0 {
			x = append(x, zeros(bit))
		}
		return vl.Cond{Test: p.bit(by, p.at(by, stage), bit), X: x, Y: zeros(product.Width)}
	}
	sum := part(0)
	switch top := part(by1.Width - 1); {
	case by1.Width == 1 && by1.Signed:
		sum = vl.Unary{Op: "-", X: sum}
	case by1.Width == 2 && by1.Signed:
		sum = vl.Binary{Op: "-", X: sum, Y: top}
	case by1.Width == 2:
		sum = vl.Binary{Op: "+", X: sum, Y: top}
	}
	return signedIf(product.Signed, sum)
}

// literal is a raw value as a constant of a format.
func literal(f fx.Format, v fx.Int) vl.Expr {
	low := v
	if v.Sign() < 0 {
		low = v.Add(fx.NewInt(1).Shl(f.Width))
	}
	return vl.Lit{Width: f.Width, Hex: fmt.Sprintf("%x", low.Big()), Signed: f.Signed}
}

// clip limits by the bits above a limit where these tell, which is faster than a comparison.
func (p *pipeline) clip(n fx.Node, stage int) vl.Expr {
	f, net := n.Format, p.at(n.Args[0], stage)
	var value vl.Expr = net
	negative := f.Signed && n.Lo == 0 // the sign tells what is below, and is looked at first
	if hi := fx.NewInt(n.Hi); hi.Cmp(f.Max()) < 0 {
		var test vl.Expr = vl.Binary{Op: ">", X: net, Y: literal(f, hi)}
		if n.Hi > 0 && n.Hi&(n.Hi-1) == 0 && (negative || !f.Signed) {
			top := f.Width - 1
			if f.Signed {
				top--
			}
			test = slice(net, f.Width, top, bits.Len64(uint64(n.Hi))-1) // at the limit either way gives it
			if _, one := test.(vl.Bit); !one {
				test = vl.Unary{Op: "|", X: test}
			}
		}
		value = vl.Cond{Test: test, X: literal(f, hi), Y: value}
	}
	switch lo := fx.NewInt(n.Lo); {
	case negative:
		value = vl.Cond{Test: p.bit(n.Args[0], net, f.Width-1), X: literal(f, lo), Y: value}
	case lo.Cmp(f.Min()) > 0:
		value = vl.Cond{Test: vl.Binary{Op: "<", X: net, Y: literal(f, lo)}, X: literal(f, lo), Y: value}
	}
	return value
}

// module assembles the stages.
func (p *pipeline) module(name string, header []string) *vl.Module {
	m := &vl.Module{Name: name, Header: append(append([]string{}, header...), p.describe()...)}
	m.Ports = append(m.Ports,
		vl.Port{Dir: vl.In, Width: 1, Name: "clk_i"},
		vl.Port{Dir: vl.In, Width: 1, Name: "enable_i", Comment: "from the cycle of operands to the one before their results"},
		vl.Group("Operands, all of one cycle; those marked constant stand still while results are under way."))
	for _, v := range p.g.Inputs() {
		n := p.nodes[v]
		comment := n.Format.String()
		if n.Static {
			comment += ", constant"
		}
		m.Ports = append(m.Ports, vl.Port{Dir: vl.In, Width: n.Format.Width, Signed: n.Format.Signed, Name: n.Name + "_i", Comment: comment})
	}
	m.Ports = append(m.Ports, vl.Group(fmt.Sprintf("Results, %s later.", cycles(p.latency))))
	for _, o := range p.g.Outputs() {
		f := p.nodes[o.Value].Format
		m.Ports = append(m.Ports, vl.Port{Dir: vl.Out, Width: f.Width, Signed: f.Signed, Name: o.Name + "_o", Comment: f.String()})
	}
	if len(p.g.Resizes()) > 0 {
		m.Ports = append(m.Ports, vl.Group("The value was outside the format that it was rounded into."))
	}
	for _, v := range p.g.Resizes() {
		m.Ports = append(m.Ports, vl.Port{Dir: vl.Out, Width: 1, Name: p.nodes[v].Name + "_overflow_o"})
	}
	for i, n := range p.nodes {
		if n.Op == fx.OpConst {
			m.Items = append(m.Items, vl.Localparam{Name: p.name(fx.Value(i)), Value: literal(n.Format, n.Format.Int(n.Word)),
				Comment: n.Format.String()})
		}
	}
	waits := p.waits()
	for stage := 1; stage <= p.latency; stage++ {
		var results []string
		for i, n := range p.nodes {
			if p.ready[i] == stage && p.needed[fx.Value(i)] && n.Op != fx.OpInput {
				results = append(results, p.name(fx.Value(i)))
			}
			if n.Op == fx.OpResize && p.split(n) && p.ready[i] == stage+1 {
				results = append(results, "the rounding of "+n.Name)
			}
		}
		results = append(results, p.under(stage)...)
		if results == nil {
			results = []string{"nothing but registers"}
		}
		m.Items = append(m.Items, vl.Comment{Text: fmt.Sprintf("Stage %d: %s.", stage, strings.Join(results, ", "))})
		m.Items = append(m.Items, p.items[stage]...)
		updates := p.updates[stage]
		for _, w := range waits {
			f := p.nodes[w.node].Format
			switch {
			case p.ringed(w) && w.to == stage:
				to := p.staged(w.node, stage)
				m.Items = append(m.Items, vl.Net{Signed: f.Signed, Width: f.Width, Name: string(to)},
					ring("u_"+string(to), f.Width, stage-w.from, p.staged(w.node, w.from), to))
			case !p.ringed(w) && w.from < stage && stage <= w.to:
				to := p.staged(w.node, stage)
				m.Items = append(m.Items, vl.Net{Reg: true, Signed: f.Signed, Width: f.Width, Name: string(to)})
				updates = append(updates, vl.Update{Left: to, Right: p.staged(w.node, stage-1)})
			}
		}
		if updates != nil {
			m.Items = append(m.Items, vl.Clocked{Enable: vl.Id("enable_i"), Body: updates})
		}
	}
	m.Items = append(m.Items, vl.Comment{Text: "Results."})
	for _, o := range p.g.Outputs() {
		m.Items = append(m.Items, vl.Assign{Left: vl.Id(o.Name + "_o"), Right: p.at(o.Value, p.latency)})
	}
	for _, v := range p.g.Resizes() {
		m.Items = append(m.Items, vl.Assign{Left: vl.Id(p.nodes[v].Name + "_overflow_o"), Right: p.flag(v, p.latency)})
	}
	return m
}

// cycles says how many they are.
func cycles(n int) string {
	if n == 1 {
		return "1 cycle"
	}
	return fmt.Sprintf("%d cycles", n)
}

// wait is a node's value on its way from a stage to the next one that uses it.
type wait struct {
	node     fx.Value
	from, to int
}

// waits are those of all values that do not change: of nodes in their order, of a node by stages.
func (p *pipeline) waits() (list []wait) {
	for i := range p.nodes {
		v := fx.Value(i)
		from := p.ready[v]
		for stage := from + 1; stage <= p.latency; stage++ {
			if p.used[wire{v, stage}] {
				list = append(list, wait{v, from, stage})
				from = stage
			}
		}
	}
	return list
}

// ringed tells whether a distributed memory, 4 bits wide, holds the words that wait.
func (p *pipeline) ringed(w wait) bool {
	least := p.target.RingCycles
	return least > 0 && w.to-w.from >= least && p.nodes[w.node].Format.Width >= 4
}

func ring(name string, width, cycles int, from, to vl.Id) vl.Instance {
	return vl.Instance{Module: "corinfo_ring", Name: name,
		Params: []vl.Bind{{Name: "Width", Value: vl.Int(width)}, {Name: "Cycles", Value: vl.Int(cycles)}},
		Ports: []vl.Bind{{Name: "clk_i", Value: vl.Id("clk_i")}, {Name: "enable_i", Value: vl.Id("enable_i")},
			{Name: "data_i", Value: from}, {Name: "data_o", Value: to}}}
}

// describe lists what the pipeline computes, value by value.
func (p *pipeline) describe() []string {
	lines := []string{"", fmt.Sprintf("One result per cycle, latency %s; data only, no reset. s18f14 reads: signed, 18 bits, 14 of them fraction.", cycles(p.latency)), ""}
	text := make([]string, len(p.nodes))
	operators := map[fx.Op]string{fx.OpAdd: " + ", fx.OpSub: " - ", fx.OpMul: " * "}
	for i, n := range p.nodes {
		arg := func(k int) string { return text[n.Args[k]] }
		switch n.Op {
		case fx.OpAdd, fx.OpSub, fx.OpMul:
			text[i] = "(" + arg(0) + operators[n.Op] + arg(1) + ")"
		case fx.OpNeg:
			text[i] = "-" + arg(0)
		case fx.OpShift:
			text[i] = fmt.Sprintf("%s * 2^%d", arg(0), n.Shift)
		case fx.OpClip:
			text[i] = fmt.Sprintf("clip(%s, %g, %g)", arg(0), n.Format.Float(n.Lo), n.Format.Float(n.Hi))
		case fx.OpNonZero:
			text[i] = "(" + arg(0) + " != 0)"
		case fx.OpDiv:
			text[i] = fmt.Sprintf("div(%s, %s, %d)", bare(arg(0)), bare(arg(1)), n.Format.Frac)
		case fx.OpSqrt:
			text[i] = fmt.Sprintf("sqrt(%s, %d)", bare(arg(0)), n.Format.Frac)
		case fx.OpTable:
			text[i] = fmt.Sprintf("%s(%s)", n.Table.Name, bare(arg(0)))
		case fx.OpResize:
			text[i] = n.Name
			lines = append(lines, fmt.Sprintf("  %s = round(%s), %v, %v, %v", n.Name, bare(arg(0)), n.Format, n.Type.Rounding,
				n.Type.Overflow))
		default:
			text[i] = n.Name
		}
	}
	for _, o := range p.g.Outputs() {
		if o.Name != text[o.Value] {
			lines = append(lines, fmt.Sprintf("  %s = %s", o.Name, text[o.Value]))
		}
	}
	return append(lines, p.tables()...)
}

// bare takes the parentheses around a sum or product away.
func bare(text string) string {
	if strings.HasPrefix(text, "(") && strings.HasSuffix(text, ")") {
		return text[1 : len(text)-1]
	}
	return text
}

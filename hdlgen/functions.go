package hdlgen

import (
	"fmt"
	"slices"

	fx "corinfo/fixedpoint"
	vl "corinfo/hdlgen/verilog"
)

// start is the stage in which a node's operands are all there, in registers where the target wants these. A shift is wires.
func (p *pipeline) start(n fx.Node) (stage int) {
	if n.Op != fx.OpShift {
		stage = p.target.OperandCycles
	}
	for _, a := range n.Args {
		stage = max(stage, p.ready[a])
	}
	return stage
}

// cycles is the number of stages of a quotient, a root or a table: those of the library's cells, or the offset, its
// limits, the entry, the product and the sum.
func (p *pipeline) cycles(n fx.Node) int {
	switch n.Op {
	case fx.OpDiv:
		return magnitude(n.Format) + 1
	case fx.OpSqrt:
		return n.Format.Width
	}
	return 4 + p.target.ReadCycles
}

// function tells of an operation that takes a cell or several stages.
func function(op fx.Op) bool { return op == fx.OpDiv || op == fx.OpSqrt || op == fx.OpTable }

// magnitude is the number of a format's bits beside the sign.
func magnitude(f fx.Format) int {
	if f.Signed {
		return f.Width - 1
	}
	return f.Width
}

// scaled is floor(v 2^shift) in width bits, which hold it, or all of it but a sign. It declares a net for what is
// dropped, named after the node that takes it.
func (p *pipeline) scaled(of, v fx.Value, shift, width, stage int) vl.Expr {
	f, net := p.nodes[v].Format, p.at(v, stage)
	high := min(f.Width-1, width-1-shift) // the highest bit that is taken
	if low := max(-shift, 0); low > 0 {
		p.unused(of, stage+1, slice(net, f.Width, min(low, f.Width)-1, 0))
	}
	var parts vl.Concat
	taken := 0
	if low := max(-shift, 0); high >= low {
		parts = append(parts, slice(net, f.Width, high, low))
		taken = high - low + 1
	}
	if shift > 0 {
		parts = append(parts, zeros(shift))
		taken += shift
	}
	if taken < width {
		fill := zeros(width - taken)
		if f.Signed {
			fill = repeated(width-taken, p.bit(v, net, f.Width-1))
		}
		parts = slices.Insert(parts, 0, fill)
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return parts
}

// unused declares a net that takes bits that nothing reads.
func (p *pipeline) unused(of fx.Value, stage int, bits vl.Expr) {
	name := fmt.Sprintf("%s_unused", p.name(of))
	p.items[stage] = append(p.items[stage], vl.Net{Name: name, Width: 1},
		vl.Assign{Left: vl.Id(name), Right: vl.Unary{Op: "^", X: bits}})
}

// cell instantiates the library's cell of a quotient or a root.
func (p *pipeline) cell(v fx.Value) {
	n := p.nodes[v]
	start, ready := p.start(n), p.ready[v]
	result := p.staged(v, ready)
	instance := vl.Instance{
		Name:  "u_" + p.name(v),
		Ports: []vl.Bind{{Name: "clk_i", Value: vl.Id("clk_i")}, {Name: "enable_i", Value: vl.Id("enable_i")}},
	}
	a := p.nodes[n.Args[0]].Format
	flag := func(signed bool) vl.Expr {
		if signed {
			return vl.Int(1)
		}
		return vl.Int(0)
	}
	if n.Op == fx.OpDiv {
		b := p.nodes[n.Args[1]].Format
		divisor, width := vl.Expr(p.at(n.Args[1], start)), b.Width
		if b.Signed && width == 1 {
			divisor, width = vl.Repeat{Count: 2, X: divisor}, 2
		}
		instance.Module = "corinfo_divide"
		instance.Params = []vl.Bind{
			{Name: "Width", Value: vl.Int(n.Format.Width)},
			{Name: "Signed", Value: flag(n.Format.Signed)},
			{Name: "DivisorWidth", Value: vl.Int(width)},
			{Name: "DivisorSigned", Value: flag(b.Signed)},
		}
		dividend := p.scaled(v, n.Args[0], n.Format.Frac+b.Frac-a.Frac, n.Format.Width, start)
		instance.Ports = append(instance.Ports,
			vl.Bind{Name: "dividend_i", Value: dividend},
			vl.Bind{Name: "divisor_i", Value: divisor},
			vl.Bind{Name: "quotient_o", Value: result})
	} else {
		width := 2 * n.Format.Width
		radicand := p.scaled(v, n.Args[0], 2*n.Format.Frac-a.Frac, width, start)
		if a.Signed {
			radicand = vl.Cond{Test: p.bit(n.Args[0], p.at(n.Args[0], start), a.Width-1), X: zeros(width), Y: radicand}
		}
		instance.Module = "corinfo_root"
		instance.Params = []vl.Bind{{Name: "Width", Value: vl.Int(n.Format.Width)}}
		instance.Ports = append(instance.Ports,
			vl.Bind{Name: "radicand_i", Value: radicand},
			vl.Bind{Name: "root_o", Value: result})
	}
	p.items[start+1] = append(p.items[start+1], vl.Net{Signed: n.Format.Signed, Width: n.Format.Width, Name: string(result)}, instance)
}

// segments are what the memory of a table holds: in every word an entry, and below it the difference to the next.
type segments struct {
	address    int // bits of the index of a segment
	difference int // bits, with the sign
	words      []vl.Expr
}

func segmentsOf(t *fx.Table) (s segments) {
	var differences []fx.Int
	s.difference = 1
	for i, w := range t.Entries[1:] {
		d := t.Format.Int(w).Sub(t.Format.Int(t.Entries[i]))
		differences = append(differences, d)
		for !fx.S(s.difference, 0).Contains(d) {
			s.difference++
		}
	}
	for len(differences) > 1<<s.address {
		s.address++
	}
	for i, d := range differences {
		low := fx.NewInt(1).Shl(s.difference)
		if d.Sign() < 0 {
			d = d.Add(low)
		}
		entry := t.Format.Int(t.Entries[i])
		if entry.Sign() < 0 {
			entry = entry.Add(fx.NewInt(1).Shl(t.Format.Width))
		}
		s.words = append(s.words, literal(fx.U(t.Format.Width+s.difference, 0), entry.Mul(low).Add(d)))
	}
	return s
}

// table prints the stages of a table and gives the sum, which the last one takes.
func (p *pipeline) table(v fx.Value) vl.Expr {
	n := p.nodes[v]
	t, a := n.Table, p.nodes[n.Args[0]].Format
	s := segmentsOf(t)
	stage := p.start(n)
	// register declares one of the next stage, and what it takes.
	register := func(suffix string, width int, value vl.Expr) vl.Id {
		id := vl.Id(fmt.Sprintf("%s_%s_%d", p.name(v), suffix, stage+1))
		p.items[stage+1] = append(p.items[stage+1], vl.Net{Reg: true, Width: width, Name: string(id)})
		if value != nil {
			p.updates[stage+1] = append(p.updates[stage+1], vl.Update{Left: id, Right: value})
		}
		return id
	}

	// The argument from the low end, at the binary point of the argument or of the segments.
	frac := max(a.Frac, t.Step)
	part := frac - t.Step // bits of the place in a segment
	low := fx.NewInt(int64(t.Low)).Shl(frac)
	width := max(a.Width+frac-a.Frac+1, part+s.address+1)
	for !fx.S(width, 0).Contains(low) {
		width++
	}
	width++
	f := fx.S(width, frac)
	offset := p.aligned(n.Args[0], stage, f)
	if low != (fx.Int{}) {
		offset = vl.Binary{Op: "-", X: offset, Y: literal(f, low)}
	}
	from := register("offset", width, offset)
	stage++

	// Within the domain, whose upper end is the last segment's: its place has one bit more than others.
	below := vl.Bit{X: from, Index: width - 1}
	above := vl.Expr(vl.Unary{Op: "|", X: slice(from, width, width-2, part+s.address)})
	if width-2 == part+s.address {
		above = vl.Bit{X: from, Index: width - 2}
	}
	limited := func(bits int, last, value vl.Expr) vl.Expr {
		return vl.Cond{Test: below, X: zeros(bits), Y: vl.Cond{Test: above, X: last, Y: value}}
	}
	var index vl.Id
	if s.address > 0 {
		last := literal(fx.U(s.address, 0), fx.U(s.address, 0).Max())
		index = register("index", s.address, limited(s.address, last, slice(from, width, part+s.address-1, part)))
	}
	placed := vl.Expr(zeros(1))
	if part > 0 {
		placed = vl.Concat{zeros(1), slice(from, width, part-1, 0)}
	}
	end := literal(fx.U(part+1, 0), fx.NewInt(1).Shl(part))
	place := register("place", part+1, limited(part+1, end, placed))
	stage++

	// The segment, from a memory.
	recorded := t.Format.Width + s.difference
	var record vl.Id
	if s.address > 0 {
		record = register("segment", recorded, nil)
		p.items[stage+1] = append(p.items[stage+1],
			vl.ROM{Enable: vl.Id("enable_i"), Left: record, Address: index, AddressWidth: s.address, Words: s.words})
	} else {
		record = register("segment", recorded, s.words[0])
	}
	place = register("place", part+1, place)
	stage++
	for range p.target.ReadCycles - 1 {
		record = register("segment", recorded, record)
		place = register("place", part+1, place)
		stage++
	}

	// Where it is in the segment times the difference; what is above the result's width would change nothing.
	product := max(n.Format.Width, s.difference, part+2)
	difference := vl.Expr(vl.Signed{X: slice(record, recorded, s.difference-1, 0)})
	by := register("product", product, vl.Binary{Op: "*", X: difference, Y: vl.Signed{X: vl.Concat{zeros(1), place}}})
	entry := register("entry", t.Format.Width, slice(record, recorded, recorded-1, s.difference))
	stage++

	if product > n.Format.Width {
		p.unused(v, stage+1, slice(by, product, product-1, n.Format.Width))
	}
	line := vl.Expr(entry)
	if part > 0 {
		line = vl.Concat{entry, zeros(part)}
	}
	return signedIf(n.Format.Signed, vl.Binary{Op: "+", X: line, Y: slice(by, product, n.Format.Width-1, 0)})
}

// under lists what of the functions goes through a stage before their results.
func (p *pipeline) under(stage int) (list []string) {
	for i, n := range p.nodes {
		if start := p.start(n); !function(n.Op) || !p.needed[fx.Value(i)] || stage <= start || stage >= p.ready[i] {
			continue
		} else if n.Op != fx.OpTable {
			list = append(list, "bits of "+p.name(fx.Value(i)))
		} else {
			what := []string{"offset", "limits", "segment", "segment", "product"}
			if p.target.ReadCycles == 1 {
				what = slices.Delete(what, 2, 3)
			}
			list = append(list, "the "+what[stage-start-1]+" of "+p.name(fx.Value(i)))
		}
	}
	return list
}

// tables describes the tables of a graph, each once.
func (p *pipeline) tables() (lines []string) {
	var met []*fx.Table
	for i, n := range p.nodes {
		if n.Op == fx.OpTable && p.needed[fx.Value(i)] && !slices.Contains(met, n.Table) {
			met = append(met, n.Table)
			t := n.Table
			lines = append(lines, fmt.Sprintf("  table %s: from %d, lines in %d segments of %g, between entries of %v",
				t.Name, t.Low, t.Segments(), 1/float64(int(1)<<t.Step), t.Format))
		}
	}
	return lines
}

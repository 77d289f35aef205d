package hdlgen

import (
	"fmt"

	fx "corinfo/fixedpoint"
	vl "corinfo/hdlgen/verilog"
)

// split tells whether a resize takes two stages: a sum that rounds, in a register, then overflow.
func (p *pipeline) split(n fx.Node) bool {
	from, t := p.nodes[n.Args[0]].Format, n.Type
	drop, width := from.Frac-t.Frac, from.Width-(from.Frac-t.Frac)
	return drop > 0 && t.Rounding != fx.Trn && t.Overflow != fx.Wrap && width > t.Width && width+1 > p.target.RoundBits
}

// resize prints fixedpoint.Type.Resize: rounding, then overflow. It declares the nets of the stage before the
// register and returns what the register takes.
func (p *pipeline) resize(v fx.Value) vl.Expr {
	n := p.nodes[v]
	t := n.Type
	ready := p.ready[v]
	stage := ready - 1
	if p.split(n) {
		stage--
	}
	var nets []vl.Item
	net := func(suffix string, width int, signed bool, value vl.Expr) vl.Id {
		id := vl.Id(n.Name + "_" + suffix)
		nets = append(nets, vl.Net{Name: string(id), Width: width, Signed: signed}, vl.Assign{Left: id, Right: value})
		return id
	}
	// The source as a signed number.
	from := p.nodes[n.Args[0]].Format
	source, width := p.at(n.Args[0], stage), from.Width
	if !from.Signed {
		width++
		source = net("exact", width, true, vl.Signed{X: vl.Concat{zeros(1), source}})
	}
	drop := from.Frac - t.Frac

	// rounded is the source in units of the result's last place.
	var rounded vl.Expr
	var roundedWidth int
	switch {
	case drop <= 0:
		if t.Rounding == fx.Stochastic {
			net("unused", 1, false, vl.Unary{Op: "^", X: p.at(n.Args[1], 0)}) // nothing to round: no register for it
		}
		roundedWidth = width - drop
		rounded = source
		if drop < 0 {
			rounded = vl.Signed{X: vl.Concat{source, zeros(-drop)}}
		}
	case t.Rounding == fx.Stochastic:
		sumWidth := max(width, drop+1) + 1
		random := p.at(n.Args[1], stage)
		var part vl.Concat
		if drop <= 32 {
			part = vl.Concat{zeros(sumWidth - drop), slice(random, 32, 31, 32-drop)}
			if drop < 32 {
				net("unused", 1, false, vl.Unary{Op: "^", X: slice(random, 32, 31-drop, 0)})
			}
		} else {
			part = vl.Concat{zeros(sumWidth - drop), random, zeros(drop - 32)}
		}
		sum := net("sum", sumWidth, true, vl.Binary{Op: "+", X: extend(source, width, sumWidth), Y: vl.Signed{X: part}})
		roundedWidth = sumWidth - drop
		rounded = vl.Signed{X: slice(sum, sumWidth, sumWidth-1, drop)}
		net("unused_rest", 1, false, vl.Unary{Op: "^", X: slice(sum, sumWidth, drop-1, 0)})
	default:
		rounded, roundedWidth = p.nearest(net, t.Rounding, source, width, drop)
	}

	id, isNet := rounded.(vl.Id) // of which overflow and value take bits
	switch {
	case p.split(n):
		id = vl.Id(fmt.Sprintf("%s_rounded_%d", n.Name, ready-1))
		p.items[ready-1] = append(append(nets, vl.Net{Reg: true, Signed: true, Width: roundedWidth, Name: string(id)}), p.items[ready-1]...)
		p.updates[ready-1] = append(p.updates[ready-1], vl.Update{Left: id, Right: rounded})
		nets = nil
	case !isNet:
		id = vl.Id(n.Name + "_rounded")
		nets = append(nets, vl.Net{Reg: true, Signed: true, Width: roundedWidth, Name: string(id)},
			vl.Gated{When: vl.Id("enable_i"), Body: []vl.Gate{{Left: id, Width: roundedWidth, Right: rounded}}})
	}
	over, value := limit(t, id, roundedWidth)
	flag := vl.Id(n.Name + "_overflow")
	nets = append(nets, vl.Net{Name: string(flag), Width: 1}, vl.Assign{Left: flag, Right: over})
	for s := ready; s <= p.latency; s++ {
		from := vl.Expr(flag)
		if s > ready {
			from = p.flag(v, s-1)
		}
		p.items[s] = append(p.items[s], vl.Net{Reg: true, Name: string(p.flag(v, s)), Width: 1})
		p.updates[s] = append(p.updates[s], vl.Update{Left: p.flag(v, s), Right: from})
	}
	p.items[ready] = append(nets, p.items[ready]...)
	return value
}

// flag is the register that holds a resize's overflow in a stage.
func (p *pipeline) flag(v fx.Value, stage int) vl.Id {
	return vl.Id(fmt.Sprintf("%s_overflow_%d", p.nodes[v].Name, stage))
}

type declare = func(suffix string, width int, signed bool, value vl.Expr) vl.Id

// nearest drops bits by every rounding but the stochastic one: the multiple below, plus one where the mode
// goes up. half is the highest dropped bit, rest tells of a set bit below it.
func (p *pipeline) nearest(net declare, mode fx.Rounding, source vl.Id, width, drop int) (vl.Expr, int) {
	sign := slice(source, width, width-1, width-1)
	floorWidth := max(width-drop, 1)
	floor := sign
	if drop < width {
		floor = slice(source, width, width-1, drop)
	}
	if mode == fx.Trn {
		if low := min(drop, width-1); low > 0 {
			net("unused", 1, false, vl.Unary{Op: "^", X: slice(source, width, low-1, 0)})
		}
		return vl.Signed{X: floor}, floorWidth
	}
	half := sign
	if drop <= width {
		half = slice(source, width, drop-1, drop-1)
	}
	var rest vl.Expr = vl.Lit{Width: 1, Hex: "0"}
	restWidth := min(drop-1, width)
	if restWidth > 0 {
		if mode == fx.Rnd {
			if restWidth = min(restWidth, width-1); restWidth > 0 {
				net("unused", 1, false, vl.Unary{Op: "^", X: slice(source, width, restWidth-1, 0)})
			}
		} else {
			rest = net("rest", 1, false, vl.Unary{Op: "|", X: slice(source, width, restWidth-1, 0)})
		}
	}
	or := func(x, y vl.Expr) vl.Expr { return vl.Binary{Op: "||", X: x, Y: y} }
	and := func(x, y vl.Expr) vl.Expr { return vl.Binary{Op: "&&", X: x, Y: y} }
	not := func(x vl.Expr) vl.Expr { return vl.Unary{Op: "!", X: x} }
	var up vl.Expr
	switch mode {
	case fx.TrnZero:
		up = and(sign, or(half, rest))
	case fx.Rnd:
		up = half
	case fx.RndMinInf:
		up = and(half, rest)
	case fx.RndZero:
		up = and(half, or(rest, sign))
	case fx.RndInf:
		up = and(half, or(rest, not(sign)))
	default: // RndConv
		odd := sign
		if drop < width {
			odd = slice(source, width, drop, drop)
		}
		up = and(half, or(rest, odd))
	}
	one := net("up", 1, false, up)
	w := floorWidth + 1
	return vl.Binary{Op: "+",
		X: vl.Signed{X: vl.Concat{sign, floor}},
		Y: vl.Signed{X: vl.Concat{zeros(w - 1), one}}}, w
}

// extend sign-extends a net.
func extend(net vl.Id, width, to int) vl.Expr {
	if width == to {
		return net
	}
	return vl.Signed{X: vl.Concat{repeated(to-width, slice(net, width, width-1, width-1)), net}}
}

// limit applies the overflow mode to a rounded signed value.
func limit(t fx.Type, rounded vl.Id, width int) (over, value vl.Expr) {
	sign := slice(rounded, width, width-1, width-1)
	// low is the value's lowest W bits.
	var low vl.Expr
	switch {
	case width >= t.Width:
		low = slice(rounded, width, t.Width-1, 0)
	default:
		low = vl.Concat{repeated(t.Width-width, sign), rounded}
	}
	over = vl.Lit{Width: 1, Hex: "0"}
	switch {
	case t.Signed && width > t.Width:
		top := slice(rounded, width, width-1, t.Width-1)
		over = vl.Binary{Op: "!=", X: top, Y: vl.Repeat{Count: width - t.Width + 1, X: sign}}
	case !t.Signed && width > t.Width:
		over = vl.Unary{Op: "|", X: slice(rounded, width, width-1, t.Width)}
	case !t.Signed:
		over = sign
	}
	if t.Signed && t.Overflow == fx.SatSym && width >= t.Width {
		lowest := vl.Binary{Op: "==", X: low, Y: literal(fx.U(t.Width, 0), fx.NewInt(1).Shl(t.Width-1))}
		if _, never := over.(vl.Lit); never {
			over = lowest
		} else {
			over = vl.Binary{Op: "||", X: over, Y: lowest}
		}
	}
	raw := fx.U(t.Width, 0)
	clamp := func(v fx.Int) vl.Expr {
		if v.Sign() < 0 {
			v = v.Add(fx.NewInt(1).Shl(t.Width))
		}
		return literal(raw, v)
	}
	if _, never := over.(vl.Lit); never || t.Overflow == fx.Wrap {
		return over, signedIf(t.Signed, low)
	}
	var limit vl.Expr
	switch t.Overflow {
	case fx.SatZero:
		limit = clamp(fx.Int{})
	default:
		min := t.Min()
		if t.Overflow == fx.SatSym && t.Signed {
			min = t.Max().Neg()
		}
		limit = vl.Cond{Test: sign, X: clamp(min), Y: clamp(t.Max())}
	}
	// No net for over, which two registers take: a simulator would compute it while the pipeline stands still.
	return over, signedIf(t.Signed, vl.Cond{Test: over, X: limit, Y: low})
}

func signedIf(signed bool, x vl.Expr) vl.Expr {
	if signed {
		return vl.Signed{X: x}
	}
	return x
}

package fixedpoint

import "corinfo/fixedpoint/vector"

// exactly is the rounding of quotients and roots that are needed as they are.
var exactly = resize{t: Type{Overflow: Sat}, rounding: *vector.Exact}

// function prepares a quotient or a root, whose operand fits int64 after its shift, and its rounding, where that is the step's.
func (c *compiler) function(s *step, n *Node) {
	var shift int
	switch n.Op {
	case OpDiv:
		shift = c.g.quotient(n)
		s.short = n.Format.fitsFloat64() && c.g.nodes[n.Args[1]].Format.fitsFloat64()
	case OpSqrt:
		shift = c.g.root(n)
		s.short = c.g.radicand(n).fitsFloat64()
	}
	if c.g.nodes[s.dst].Op != OpResize {
		s.resize = exactly
	}
	s.right = uint(min(max(-shift, 0), 63))
	s.reads = nil
	for k, a := range n.Args {
		left := uint(0)
		if k == 0 {
			left = uint(max(shift, 0))
		}
		s.operands[k] = c.operand(int(a), left)
		s.reads = append(s.reads, readsOf(s.operands[k])...)
	}
}

// operand is a node's sum, shifted left, where it has no more than one vector of values, else the node itself.
func (c *compiler) operand(node int, left uint) []term {
	terms := c.scaled(node, left, false)
	values := -1
	for _, t := range terms {
		if !t.single && values >= 0 && t.node != values {
			terms = c.itself(c.g.same(node))
			terms[0].shift = left
			return terms
		}
		if !t.single {
			values = t.node
		}
	}
	return terms
}

// newLines prepares a table for arguments of a format; ok is false where int64 does not hold the ends of its domain.
func newLines(t *Table, a Format) (l *vector.Lines, ok bool) {
	frac := t.argument(a).Frac
	low := NewInt(int64(t.Low)).Shl(frac)
	high := low.Add(NewInt(1).Shl(t.Log2Size + frac))
	within := func(v Int) bool { return S(63, 0).Contains(v) }
	if frac >= MaxWidth/2 || !within(low) || !within(high) || !within(high.Sub(low)) {
		return nil, false
	}
	part := uint(frac - t.Step)
	l = &vector.Lines{Left: uint(frac - a.Frac), Part: part, Entries: t.Entries}
	l.Low, _ = low.Int64()
	l.High, _ = high.Int64()
	l.Pack()
	return l, true
}

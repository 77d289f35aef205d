package fixedpoint

import "corinfo/fixedpoint/vector"

// functions prepares a quotient or a root, whose operand fits int64 after its shift.
func (s *step) functions(g *Graph) {
	n := &g.nodes[s.dst]
	var shift int
	switch n.Op {
	case OpDiv:
		shift = g.quotient(n)
		s.short = n.Format.fitsFloat64() && g.nodes[n.Args[1]].Format.fitsFloat64()
	case OpSqrt:
		shift = g.root(n)
		s.short = g.radicand(n).fitsFloat64()
	}
	s.left, s.right = uint(max(shift, 0)), uint(min(max(-shift, 0), 63))
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

package hdlgen

import fx "corinfo/fixedpoint"

// AddLogic adds a part's LUTs.
func (e *Estimates) AddLogic(name string, luts int) {
	e.Logic = append(e.Logic, LogicPart{name, luts})
	e.LUTs += luts
}

// MemoryLUTs are those of small memories.
func (e *Estimates) MemoryLUTs() (luts int) {
	for _, m := range e.Memories {
		luts += memoryFit(m).LUTs
	}
	return luts
}

// Choice is the LUTs that choose one of n bits.
func Choice(n int) int {
	if n <= 1 {
		return 0
	}
	return (3*n + 3) / 4
}

// ChoiceOf is the LUTs behind all memories of one kind, whose words are chosen from several blocks.
func (e *Estimates) ChoiceOf(memory string) (luts int) {
	for _, m := range e.Memories {
		if m.Name == memory {
			luts += m.Width * Choice(memoryFit(m).deep) * m.Memories
		}
	}
	return luts
}

// ringLogic is the counter of a ring of words that wait.
const ringLogic = 6

// LogicOf estimates the LUTs of a graph's pipeline, without its multipliers: what Yosys makes of every operation for an
// ECP5, in LUTs of four inputs, of which a carry of two bits takes two. Constants make some of them fewer.
func LogicOf(g *fx.Graph, target Target) (luts int) {
	p := connected(g, target)
	for _, w := range p.waits() {
		if p.ringed(w) {
			luts += memoryFit(MemoryBits{Words: w.to - w.from, Width: p.nodes[w.node].Format.Width, Memories: 1,
				InLUTs: true}).LUTs + ringLogic
		}
	}
	for _, n := range g.Nodes() {
		width := n.Format.Width
		switch n.Op {
		case fx.OpAdd, fx.OpSub, fx.OpNeg:
			luts += width
		case fx.OpMul:
			if p.narrow(n) >= 0 {
				luts += width
				continue
			}
			// Partial products of a multiplier's words are added.
			luts += (multipliersFor(widthOf(g, n.Args[0]), widthOf(g, n.Args[1])) - 1) * width
		case fx.OpClip:
			luts += 2 * width
		case fx.OpNonZero:
			luts += ceilDiv(p.nodes[n.Args[0]].Format.Width, 3)
		case fx.OpResize:
			luts += p.resizeLogic(n)
		case fx.OpDiv:
			luts += magnitude(n.Format) * 2 * p.nodes[n.Args[1]].Format.Width
		case fx.OpSqrt:
			luts += width * width
		case fx.OpTable:
			entry := n.Table.Format.Width + segmentsOf(n.Table).difference
			luts += 2*p.nodes[n.Args[0]].Format.Width + width
			luts += memoryFit(MemoryBits{Words: len(n.Table.Entries), Width: entry, Memories: 1, ReadOnly: true}).LUTs
		}
	}
	return luts
}

// resizeLogic is the sum of a rounding and the choice of an overflow.
func (p *pipeline) resizeLogic(n fx.Node) (luts int) {
	from, t := p.nodes[n.Args[0]].Format, n.Type
	drop := from.Frac - t.Frac
	kept := from.Width - max(drop, 0)
	switch {
	case drop > 0 && t.Rounding == fx.Stochastic:
		luts += min(from.Width, 32+kept)
	case drop > 0 && t.Rounding != fx.Trn:
		luts += kept + ceilDiv(drop, 3)
	}
	if t.Overflow != fx.Wrap && kept > t.Width {
		luts += t.Width + ceilDiv(kept-t.Width+1, 3)
	}
	return luts
}

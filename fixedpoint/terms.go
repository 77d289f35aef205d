package fixedpoint

import (
	"slices"

	"corinfo/fixedpoint/vector"
)

// maxTerms is the largest number of terms of a sum: beyond it a part of the sum is computed on its own.
const maxTerms = 8

// term is a part of a sum: a node's values times a coefficient, shifted left.
type term struct {
	node        int
	coefficient int // node, a single value; -1: none
	shift       uint
	negative    bool
	single      bool // the node is a single value
}

// compiler turns a graph into steps.
type compiler struct {
	g       *Graph
	single  []bool          // by node: one value for all elements, as constants have
	forms   [][]term        // by node that is not single: its value as a sum
	needed  []bool          // by node: its values themselves are needed
	resizes []resize        // by node
	lines   []*vector.Lines // by node: of a table
}

func newCompiler(g *Graph) *compiler {
	n := len(g.nodes)
	c := &compiler{g: g, single: make([]bool, n), forms: make([][]term, n), needed: make([]bool, n), resizes: make([]resize, n), lines: make([]*vector.Lines, n)}
	for i, node := range g.nodes {
		c.single[i] = node.Op == OpConst || node.Static
		if len(node.Args) > 0 {
			c.single[i] = !slices.ContainsFunc(node.Args, func(v Value) bool { return !c.single[v] })
		}
	}
	return c
}

// same is the node whose values a node has: a shift moves the binary point alone.
func (g *Graph) same(node int) int {
	for g.nodes[node].Op == OpShift {
		node = int(g.nodes[node].Args[0])
	}
	return node
}

func (c *compiler) compile() (steps []step) {
	for i := range c.g.nodes {
		c.forms[i] = c.form(i)
	}
	for _, o := range c.g.outputs {
		c.needed[c.g.same(int(o.Value))] = true
	}
	inputs, resizes := 0, len(c.g.Resizes())
	for i := len(c.g.nodes) - 1; i >= 0; i-- {
		n := &c.g.nodes[i]
		if n.Op == OpInput {
			inputs++
			continue
		}
		if n.Op == OpResize { // needed in any case, for its counter
			resizes--
			c.needed[i] = true
		}
		if !c.needed[i] {
			continue
		}
		s := c.step(i)
		if n.Op == OpResize {
			s.index = resizes
		}
		for _, node := range s.reads {
			c.needed[node] = true
		}
		steps = append(steps, s)
	}
	slices.Reverse(steps)
	return steps
}

// form gives a node's value as a sum of terms.
func (c *compiler) form(i int) []term {
	n := &c.g.nodes[i]
	itself := []term{{node: i, coefficient: -1, single: c.single[i]}}
	if c.single[i] {
		itself[0].node = c.g.same(i)
		return itself
	}
	switch n.Op {
	case OpShift:
		return c.forms[n.Args[0]]
	case OpNeg:
		return c.scaled(int(n.Args[0]), 0, true)
	case OpAdd, OpSub:
		var terms []term
		for k, a := range n.Args {
			shift := uint(n.Format.Frac - c.g.nodes[a].Format.Frac)
			terms = append(terms, c.scaled(int(a), shift, k == 1 && n.Op == OpSub)...)
		}
		if len(terms) <= maxTerms {
			return terms
		}
		for k, a := range n.Args {
			shift := uint(n.Format.Frac - c.g.nodes[a].Format.Frac)
			node := c.g.same(int(a))
			terms = append(terms[:k:k], term{node: node, coefficient: -1, shift: shift, negative: k == 1 && n.Op == OpSub, single: c.single[node]})
		}
		return terms
	case OpMul:
		a, b := c.g.same(int(n.Args[0])), c.g.same(int(n.Args[1]))
		if c.single[a] {
			a, b = b, a
		}
		if c.single[b] && c.short(i) {
			return []term{{node: a, coefficient: b}}
		}
	}
	return itself
}

// short tells that both factors of a product are int32.
func (c *compiler) short(i int) bool {
	args := c.g.nodes[i].Args
	return c.g.nodes[args[0]].Format.FitsInt32() && c.g.nodes[args[1]].Format.FitsInt32()
}

// scaled is a node's sum, shifted left and perhaps negated; the node itself where a coefficient would not stay an int32.
func (c *compiler) scaled(node int, shift uint, negative bool) []term {
	terms := slices.Clone(c.forms[node])
	for at := range terms {
		t := &terms[at]
		t.shift += shift
		t.negative = t.negative != negative
		if t.coefficient >= 0 {
			f := c.g.nodes[t.coefficient].Format
			if f = NegFormat(f); !(Format{f.Width + int(t.shift), f.Frac, true}).FitsInt32() {
				node = c.g.same(node)
				return []term{{node: node, coefficient: -1, shift: shift, negative: negative, single: c.single[node]}}
			}
		}
	}
	return terms
}

// step is how a needed node is computed.
func (c *compiler) step(i int) step {
	n := &c.g.nodes[i]
	s := step{op: n.Op, dst: i, single: c.single[i], resize: c.resizes[i], line: c.lines[i], out: -1}
	s.functions(c.g)
	for at, o := range c.g.outputs {
		if c.g.same(int(o.Value)) == i {
			s.out = at
		}
	}
	for _, a := range n.Args {
		s.reads = append(s.reads, c.g.same(int(a)))
	}
	switch {
	case s.single:
		if n.Op == OpAdd || n.Op == OpSub {
			for k, a := range n.Args {
				s.shifts[k] = uint(n.Format.Frac - c.g.nodes[a].Format.Frac)
			}
		}
	case n.Op == OpAdd, n.Op == OpSub, n.Op == OpNeg:
		s.sum(c.forms[i])
	case n.Op == OpMul:
		s.short = c.short(i)
		if form := c.forms[i]; form[0].coefficient >= 0 {
			s.op = OpAdd
			s.sum(form)
		}
	case n.Op == OpResize && !s.resize.stochastic() && !s.resize.bySign():
		s.sum(c.scaled(int(n.Args[0]), s.resize.left, false))
	}
	return s
}

// sum makes a step one of a sum of terms, in the order that package vector wants.
func (s *step) sum(terms []term) {
	rank := func(t term) int {
		switch {
		case t.single:
			return 3
		case t.coefficient >= 0:
			return 2
		case t.negative:
			return 1
		}
		return 0
	}
	s.terms = slices.Clone(terms)
	slices.SortStableFunc(s.terms, func(a, b term) int { return rank(a) - rank(b) })
	s.reads = nil
	for _, t := range s.terms {
		s.reads = append(s.reads, t.node)
		switch rank(t) {
		case 0:
			s.plus++
		case 1:
			s.minus++
		case 2:
			s.reads = append(s.reads, t.coefficient)
		}
	}
}

package fixedpoint

import (
	"cmp"
	"fmt"
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
	kind        termKind
	joins       bool // the term before, of the same node: their factors are added
}

// termKind is how a term is added, in the order that package vector wants.
type termKind int

const (
	plus     termKind = iota // as it is, but for the shift
	minus                    // subtracted so
	times                    // multiplied by its factor, int32 both
	long                     // multiplied by its factor
	constant                 // a single value
)

// compiler turns a graph into steps.
type compiler struct {
	g       *Graph
	outputs []int           // that are wanted
	single  []bool          // by node: one value for all elements, as constants have
	forms   [][]term        // by node that is not single: its value as a sum
	needed  []bool          // by node: its values themselves are needed
	resizes []resize        // by node
	lines   []*vector.Lines // by node: of a table
}

func newCompiler(g *Graph, outputs []int) *compiler {
	n := len(g.nodes)
	c := &compiler{g: g, outputs: outputs, single: make([]bool, n), forms: make([][]term, n), needed: make([]bool, n),
		resizes: make([]resize, n), lines: make([]*vector.Lines, n)}
	for i, node := range g.nodes {
		c.single[i] = node.Op == OpConst || node.Static
		if len(node.Args) > 0 {
			c.single[i] = !slices.ContainsFunc(node.Args, func(v Value) bool { return !c.single[v] })
		}
	}
	return c
}

// prepare looks whether int64 holds all values, and prepares tables and conversions.
func (c *compiler) prepare() *WidthError {
	beyond := func(i int, f Format, what string) *WidthError {
		return c.g.wide(Value(i), fmt.Errorf("format %v%s: more than 64 bits", f, what), "shorten %s")
	}
	for i := range c.g.nodes {
		for _, f := range c.g.within(&c.g.nodes[i]) {
			if !f.FitsInt64() {
				return beyond(i, f, "")
			}
		}
	}
	for i, n := range c.g.nodes {
		ok := true
		switch n.Op {
		case OpTable:
			from := c.g.nodes[n.Args[0]].Format
			if c.lines[i], ok = newLines(n.Table, from); !ok {
				return beyond(int(n.Args[0]), from, ", looked up in a table")
			}
		case OpResize:
			from := c.g.nodes[n.Args[0]].Format
			if c.resizes[i], ok = newResize(n.Type, from); !ok || n.Type.Rounding == Stochastic && c.single[n.Args[1]] {
				return beyond(int(n.Args[0]), from, ", rounded into "+n.Type.String())
			}
		}
	}
	return nil
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
	for _, o := range c.outputs {
		c.needed[c.g.same(int(c.g.outputs[o].Value))] = true
	}
	resizes := len(c.g.Resizes())
	for i := len(c.g.nodes) - 1; i >= 0; i-- {
		n := &c.g.nodes[i]
		if n.Op == OpInput {
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

// form gives a node's value as a sum of terms. Sums of terms are exact modulo 2^64, and the value fits.
func (c *compiler) form(i int) []term {
	n := &c.g.nodes[i]
	itself := c.itself(i)
	if c.single[i] {
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
		terms = nil
		for k, a := range n.Args {
			t := c.itself(int(a))
			t[0].shift, t[0].negative = uint(n.Format.Frac-c.g.nodes[a].Format.Frac), k == 1 && n.Op == OpSub
			terms = append(terms, t...)
		}
		return terms
	case OpMul:
		a, b := c.g.same(int(n.Args[0])), c.g.same(int(n.Args[1]))
		if c.single[a] {
			a, b = b, a
		}
		if c.single[b] {
			return c.product(a, b)
		}
	}
	return itself
}

// itself is a node as a term.
func (c *compiler) itself(i int) []term {
	if c.single[i] {
		i = c.g.same(i)
	}
	return []term{{node: i, coefficient: -1, single: c.single[i]}}
}

// product is a node's sum with every term multiplied by a single value, or the node itself, where a term has a coefficient already.
func (c *compiler) product(node, by int) []term {
	terms := slices.Clone(c.forms[node])
	if slices.ContainsFunc(terms, func(t term) bool { return t.coefficient >= 0 }) {
		terms = c.itself(node)
	}
	for at := range terms {
		terms[at].coefficient = by
	}
	return terms
}

// scaled is a node's sum, shifted left and perhaps negated.
func (c *compiler) scaled(node int, shift uint, negative bool) []term {
	terms := slices.Clone(c.forms[node])
	for at := range terms {
		t := &terms[at]
		t.shift += shift
		t.negative = t.negative != negative
	}
	return terms
}

// step is how a needed node is computed.
func (c *compiler) step(i int) step {
	n := &c.g.nodes[i]
	s := step{op: n.Op, dst: i, single: c.single[i], resize: c.resizes[i], line: c.lines[i], out: -1}
	for at, o := range c.outputs {
		if c.g.same(int(c.g.outputs[o].Value)) == i {
			s.out = at
		}
	}
	for _, a := range n.Args {
		s.reads = append(s.reads, c.g.same(int(a)))
	}
	switch {
	case n.Op == OpDiv || n.Op == OpSqrt:
		c.function(&s, n)
	case s.single:
		if n.Op == OpAdd || n.Op == OpSub {
			for k, a := range n.Args {
				s.shifts[k] = uint(n.Format.Frac - c.g.nodes[a].Format.Frac)
			}
		}
	case n.Op == OpAdd, n.Op == OpSub, n.Op == OpNeg:
		c.sum(&s, c.forms[i])
	case n.Op == OpMul:
		s.short = c.g.nodes[n.Args[0]].Format.FitsInt32() && c.g.nodes[n.Args[1]].Format.FitsInt32()
		if form := c.forms[i]; form[0].coefficient >= 0 {
			s.op = OpAdd
			c.sum(&s, form)
		}
	case n.Op == OpResize:
		if f := c.functionOf(n); f != nil && s.resize.left == 0 && !s.resize.stochastic() {
			s.op = f.Op
			c.function(&s, f)
			break
		}
		random := s.reads[1:]
		c.sum(&s, c.scaled(int(n.Args[0]), s.resize.left, false))
		if s.resize.stochastic() {
			s.random = random[0]
			s.reads = append(s.reads, s.random)
		}
	}
	return s
}

// functionOf is the quotient or root that is rounded, unless it is needed in other places too.
func (c *compiler) functionOf(n *Node) *Node {
	at := c.g.same(int(n.Args[0]))
	f := &c.g.nodes[at]
	if c.needed[at] || c.single[at] || f.Op != OpDiv && f.Op != OpSqrt {
		return nil
	}
	return f
}

// sum makes a step one of a sum of terms, in the order that package vector wants.
func (c *compiler) sum(s *step, terms []term) {
	s.terms = slices.Clone(terms)
	for at := range s.terms {
		s.terms[at].kind = c.kind(terms, at)
	}
	slices.SortStableFunc(s.terms, func(a, b term) int { return cmp.Or(int(a.kind-b.kind), a.node-b.node) })
	s.reads = readsOf(s.terms)
	for at := range s.terms {
		t := &s.terms[at]
		switch t.kind {
		case plus:
			s.plus++
			continue
		case minus:
			s.minus++
			continue
		case times, long:
			t.joins = at > 0 && s.terms[at-1].node == t.node && s.terms[at-1].kind == t.kind
		}
		if t.kind == long && !t.joins {
			s.long++
		}
	}
}

// kind is how one of the terms is added. Those of a node that has a coefficient are multiplied, by the sum of all factors.
func (c *compiler) kind(terms []term, at int) termKind {
	if terms[at].single {
		return constant
	}
	multiplied, factor := false, U(1, 0)
	for _, t := range terms {
		if t.node != terms[at].node {
			continue
		}
		one := U(1, 0)
		if t.coefficient >= 0 {
			multiplied, one = true, c.g.nodes[t.coefficient].Format
			one.Frac = 0
		}
		one.Width += int(t.shift)
		factor = AddFormat(factor, NegFormat(one))
	}
	switch {
	case multiplied && factor.FitsInt32() && c.g.nodes[terms[at].node].Format.FitsInt32():
		return times
	case multiplied:
		return long
	case terms[at].negative:
		return minus
	}
	return plus
}

// readsOf are the nodes that a sum needs.
func readsOf(terms []term) (nodes []int) {
	for _, t := range terms {
		nodes = append(nodes, t.node)
		if t.coefficient >= 0 {
			nodes = append(nodes, t.coefficient)
		}
	}
	return nodes
}

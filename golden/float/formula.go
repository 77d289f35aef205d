package float

import (
	"fmt"
	"slices"

	"corinfo/golden/rule"
)

// formula is a rule's graph compiled for real numbers. Its operations run over a row per sample, in this order.
//
// A tree of sums, differences and products with constants is one sum of terms, a chain of fused multiply-adds in the
// order in which the formula names them, what comes of sums before the others. Projections whose sums it adds are
// accumulated in one matrix, one after the other; the label's term goes into that matrix at the label's neuron.
type formula struct {
	graph   *rule.Graph
	layer   int
	ops     []op
	scratch int   // matrices that it needs besides the words
	words   []int // by node of the graph: the word that it is, below 0: none
	results []int // by result: the word that it becomes, below 0: none
	varying []int // nodes that follow from words that the neurons of the layer share, and are one value for a sample
}

type opcode uint8

const (
	opAccumulate opcode = iota // to = sums
	opCombine                  // to = terms + offsets
	opLimit                    // to = a limited to 0 .. 1, or to 0 and above
	opMultiply                 // to = a b
	opDivide                   // to = factor a / b, 0 where b is not above 0
	opRoot                     // to = root of a, 0 where a is below 0
	opNonZero                  // to = 1 where a is not 0, else 0
	opFunction                 // to = function of a
	opCopy                     // to = a
	opNote                     // a is of the tensor: for whoever records ranges
)

// op is one operation. Fields that its code does not need are zero.
type op struct {
	code    opcode
	to      ref
	a, b    ref
	sums    []int
	terms   []term
	offsets []scalar
	label   *label
	above   bool // opLimit: only below
	varying bool // opCombine: a factor is one value for a sample only
	tensor  string
	of      *rule.Function
	factor  scalar // opDivide
}

// ref names a matrix of a batch.
type ref struct {
	kind  refKind
	index int // of a word, or of scratch
}

type refKind uint8

const (
	inScratch refKind = iota
	inWord
	inEarlier
	inLabels
	inResult   // of a factor
	inSynapses // of an update: 0 the weights, then the words beside them
	inProducts // of an update
)

// scalar is a product of values that stand still over the neurons, nodes of the graph, by 1 or -1.
type scalar struct {
	factors  []rule.Value
	negative bool
}

func (s scalar) times(node rule.Value) scalar {
	return scalar{append(append([]rule.Value(nil), s.factors...), node), s.negative}
}

func (s scalar) negated() scalar { return scalar{s.factors, !s.negative} }

func (s scalar) one() bool { return len(s.factors) == 0 && !s.negative }

// term is a matrix by a factor, and by others that it has elsewhere in the sum.
type term struct {
	factor scalar
	from   ref
	more   []scalar
}

// value is the sum of the factors.
func (t *term) value(values []float64) float64 {
	v := t.factor.value(values)
	for _, s := range t.more {
		v += s.value(values)
	}
	return v
}

// label is the label's term of a sum, brought into the accumulated matrix that another term has with its own factor.
type label struct {
	factor, by scalar
	into       ref
}

// compiler makes a formula.
type compiler struct {
	d      *rule.Description
	f      *formula
	done   map[rule.Value]ref
	sums   map[ref]bool     // accumulated matrices
	update *rule.Projection // whose update it is; nil: a formula of neurons
}

// compileShared reads a graph of what the neurons of a layer share: it has no operations over vectors.
func compileShared(d *rule.Description, g *rule.Graph, layer int) *formula {
	return newCompiler(d, g, layer).f
}

func newCompiler(d *rule.Description, g *rule.Graph, layer int) *compiler {
	c := &compiler{d: d, f: &formula{graph: g, layer: layer}, done: map[rule.Value]ref{}, sums: map[ref]bool{}}
	c.nodes()
	for _, next := range g.Results {
		c.f.results = append(c.f.results, d.Word(next.Word, layer))
	}
	return c
}

// compile reads a graph of the neurons of a layer.
func compile(d *rule.Description, g *rule.Graph, layer int) *formula {
	c := newCompiler(d, g, layer)
	var results []ref
	for _, next := range g.Results {
		results = append(results, c.vector(next.Value))
	}
	c.keepWords(results, func(i int) ref { return ref{inWord, c.f.results[i]} })
	for i, w := range c.f.results {
		if w >= 0 {
			c.store(results, i, ref{inWord, w})
		} else {
			c.emit(op{code: opCopy, to: ref{kind: inResult}, a: results[i]})
		}
	}
	return c.f
}

// compileUpdate reads the graph of an update of a projection.
func compileUpdate(d *rule.Description, u *rule.Update) *formula {
	p := &d.Projections[u.Projection]
	c := &compiler{d: d, f: &formula{graph: u.Graph, layer: d.Tensors[p.Tensor].Index, words: make([]int, len(u.Graph.Nodes))},
		done: map[rule.Value]ref{}, sums: map[ref]bool{}, update: p}
	var results []ref
	for _, next := range u.Graph.Results {
		results = append(results, c.vector(next.Value))
	}
	word := func(i int) ref { return ref{inSynapses, c.synapse(u.Graph.Results[i].Word)} }
	c.keepWords(results, word)
	for i := range results {
		c.store(results, i, word(i))
	}
	return c.f
}

// synapse is the place of a word of the synapses.
func (c *compiler) synapse(name string) int {
	return 1 + slices.IndexFunc(c.update.Words, func(w rule.Beside) bool { return w.Name == name })
}

// nodes finds the words of a graph, and what follows from shared ones.
func (c *compiler) nodes() {
	f, varies := c.f, make([]bool, len(c.f.graph.Nodes))
	for i := range f.graph.Nodes {
		n, word := &f.graph.Nodes[i], -1
		if n.Op == rule.OpOperand && (n.Source == rule.FromWord || n.Source == rule.FromTotal || n.Source == rule.FromLargest) {
			word = c.word(n.Name)
			varies[i] = c.d.Words[word].Shared
		}
		for _, a := range n.Args {
			varies[i] = varies[i] || varies[a]
		}
		if f.words = append(f.words, word); varies[i] && c.still(rule.Value(i)) {
			f.varying = append(f.varying, i)
		}
	}
}

func (c *compiler) fail(format string, args ...any) {
	panic(fmt.Sprintf("float: %s of layer %d: ", c.f.graph.Name, c.f.layer) + fmt.Sprintf(format, args...))
}

func (c *compiler) fresh() ref {
	c.f.scratch++
	return ref{inScratch, c.f.scratch - 1}
}

func (c *compiler) emit(o op) ref {
	c.f.ops = append(c.f.ops, o)
	return o.to
}

// keepWords takes a copy of results that are other words as they were: those may be stored over before.
func (c *compiler) keepWords(results []ref, word func(i int) ref) {
	for i, r := range results {
		if (r.kind == inWord || r.kind == inSynapses) && r != word(i) {
			results[i] = c.emit(op{code: opCopy, to: c.fresh(), a: r})
		}
	}
}

// store makes result i a word: at once where nobody reads the old word afterwards. Other results of the same value, as the value
// and the activity of a linear neuron, are then found there.
func (c *compiler) store(results []ref, i int, word ref) {
	result, made := results[i], -1
	for i, o := range c.f.ops {
		if o.code != opNote && o.to == result {
			made = i
		}
	}
	if made >= 0 && result.kind == inScratch {
		later := false
		for _, o := range c.f.ops[made+1:] {
			later = later || o.reads(word)
		}
		if !later {
			for i := made; i < len(c.f.ops); i++ {
				c.f.ops[i].rename(result, word)
			}
			for i := range results {
				if results[i] == result {
					results[i] = word
				}
			}
			return
		}
	}
	c.emit(op{code: opCopy, to: word, a: result})
}

func (o *op) reads(r ref) bool {
	for _, t := range o.terms {
		if t.from == r {
			return true
		}
	}
	return o.a == r || (o.code == opMultiply || o.code == opDivide) && o.b == r
}

func (o *op) rename(from, to ref) {
	for _, r := range []*ref{&o.to, &o.a, &o.b} {
		if *r == from {
			*r = to
		}
	}
	for i := range o.terms {
		if o.terms[i].from == from {
			o.terms[i].from = to
		}
	}
	if o.label != nil && o.label.into == from {
		o.label.into = to
	}
}

// still tells that a node is one value for all neurons of the layer.
func (c *compiler) still(v rule.Value) bool {
	n := &c.f.graph.Nodes[v]
	switch n.Op {
	case rule.OpLiteral:
		return true
	case rule.OpOperand:
		switch n.Source {
		case rule.FromConstant, rule.FromPresent:
			return true
		case rule.FromWord:
			return c.d.Words[c.word(n.Name)].Shared
		}
		return false
	}
	for _, a := range n.Args {
		if !c.still(a) {
			return false
		}
	}
	return true
}

func (c *compiler) word(name string) int {
	w := c.d.Word(name, c.f.layer)
	if w < 0 {
		c.fail("there is no word %s", name)
	}
	return w
}

// vector is where the values of a node are.
func (c *compiler) vector(v rule.Value) ref {
	if r, ok := c.done[v]; ok {
		return r
	}
	r := c.compute(v)
	c.done[v] = r
	return r
}

func (c *compiler) compute(v rule.Value) ref {
	n := &c.f.graph.Nodes[v]
	switch n.Op {
	case rule.OpOperand:
		switch n.Source {
		case rule.FromWord:
			return ref{inWord, c.word(n.Name)}
		case rule.FromEarlier:
			return ref{inEarlier, c.word(n.Name)}
		case rule.FromLabel:
			return ref{inLabels, 0}
		case rule.FromSum:
			return c.accumulate([]int{c.sum(n.Name)})
		case rule.FromSynapse:
			return ref{inSynapses, c.synapse(n.Name)}
		case rule.FromProducts:
			return ref{kind: inProducts}
		}
		c.fail("%s in a formula of neurons", n.Name)
	case rule.OpRound:
		r := c.vector(n.Args[0])
		c.f.ops = append(c.f.ops, op{code: opNote, a: r, tensor: n.Name})
		return r
	case rule.OpClip, rule.OpRelu:
		a := c.vector(n.Args[0])
		return c.emit(op{code: opLimit, to: c.fresh(), a: a, above: n.Op == rule.OpRelu})
	case rule.OpNonZero:
		return c.emit(op{code: opNonZero, to: c.fresh(), a: c.vector(n.Args[0])})
	case rule.OpRoot:
		return c.emit(op{code: opRoot, to: c.fresh(), a: c.vector(n.Args[0])})
	case rule.OpDivide:
		above, factor := n.Args[0], scalar{}
		if m := &c.f.graph.Nodes[above]; m.Op == rule.OpMul && c.still(m.Args[0]) && !c.still(m.Args[1]) {
			above, factor = m.Args[1], factor.times(m.Args[0])
		}
		a, b := c.vector(above), c.vector(n.Args[1])
		return c.emit(op{code: opDivide, to: c.fresh(), a: a, b: b, factor: factor})
	case rule.OpFunction:
		return c.emit(op{code: opFunction, to: c.fresh(), a: c.vector(n.Args[0]), of: n.Function})
	case rule.OpMul:
		if !c.still(n.Args[0]) && !c.still(n.Args[1]) {
			a, b := c.vector(n.Args[0]), c.vector(n.Args[1])
			return c.emit(op{code: opMultiply, to: c.fresh(), a: a, b: b})
		}
	}
	return c.combine(v)
}

func (c *compiler) sum(name string) int {
	s := c.d.Sum(name, c.f.layer)
	if s < 0 {
		c.fail("there is no sum %s", name)
	}
	return s
}

func (c *compiler) accumulate(sums []int) ref {
	r := c.emit(op{code: opAccumulate, to: c.fresh(), sums: sums})
	c.sums[r] = true
	return r
}

// piece is a term of a sum before it is known where its values are: still where it is one value.
type piece struct {
	factor scalar
	node   rule.Value
	still  bool
}

// parts takes a tree of sums, differences and products with constants apart.
func (c *compiler) parts(v rule.Value, factor scalar) []piece {
	n := &c.f.graph.Nodes[v]
	if c.still(v) {
		return []piece{{factor, v, true}}
	}
	switch n.Op {
	case rule.OpAdd:
		return append(c.parts(n.Args[0], factor), c.parts(n.Args[1], factor)...)
	case rule.OpSub:
		return append(c.parts(n.Args[0], factor), c.parts(n.Args[1], factor.negated())...)
	case rule.OpMul:
		if c.still(n.Args[0]) {
			return c.parts(n.Args[1], factor.times(n.Args[0]))
		}
		if c.still(n.Args[1]) {
			return c.parts(n.Args[0], factor.times(n.Args[1]))
		}
	}
	return []piece{{factor, v, false}}
}

// rank orders the terms of a sum.
func (c *compiler) rank(p piece) int {
	if !p.still && c.ofSums(p.node) {
		return 0
	}
	return 1
}

// ofSums tells that a node's value comes of sums alone.
func (c *compiler) ofSums(v rule.Value) bool {
	n := &c.f.graph.Nodes[v]
	if n.Op == rule.OpOperand {
		return n.Source == rule.FromSum
	}
	return !slices.ContainsFunc(n.Args, func(a rule.Value) bool { return !c.ofSums(a) })
}

// combine computes a sum of terms.
func (c *compiler) combine(v rule.Value) ref {
	parts := c.parts(v, scalar{})
	// What comes of sums goes first, then words: the order in which hardware has them plays no part.
	slices.SortStableFunc(parts, func(a, b piece) int { return c.rank(a) - c.rank(b) })
	if len(parts) == 1 && parts[0].node == v {
		c.fail("operation %d has no meaning in real numbers", c.f.graph.Nodes[v].Op)
	}
	var sums []int
	isSum := func(p piece) bool {
		n := &c.f.graph.Nodes[p.node]
		return n.Op == rule.OpOperand && n.Source == rule.FromSum && p.factor.one()
	}
	for _, p := range parts {
		if isSum(p) {
			sums = append(sums, c.sum(c.f.graph.Nodes[p.node].Name))
		}
	}
	o := op{code: opCombine}
	var labelled *scalar
	for _, p := range parts {
		n := &c.f.graph.Nodes[p.node]
		switch {
		case p.still:
			o.offsets = append(o.offsets, p.factor.times(p.node))
		case isSum(p):
			if sums != nil { // the first of them: the others are in the same matrix
				o.terms = append(o.terms, term{factor: p.factor, from: c.accumulate(sums)})
				sums = nil
			}
		case n.Op == rule.OpOperand && n.Source == rule.FromLabel && labelled == nil:
			labelled = &p.factor
		default:
			o.terms = c.addTerm(o.terms, p.factor, c.vector(p.node))
		}
	}
	if labelled != nil {
		if len(o.terms) > 0 && c.sums[o.terms[0].from] {
			o.label = &label{*labelled, o.terms[0].factor, o.terms[0].from}
		} else {
			o.terms = append(o.terms, term{factor: *labelled, from: ref{inLabels, 0}})
		}
	}
	if len(o.terms) == 1 && o.terms[0].factor.one() && o.terms[0].more == nil && o.offsets == nil && o.label == nil {
		return o.terms[0].from
	}
	for _, t := range o.terms {
		o.varying = o.varying || slices.ContainsFunc(t.factor.factors,
			func(v rule.Value) bool { return slices.Contains(c.f.varying, int(v)) })
	}
	o.to = c.fresh()
	return c.emit(o)
}

// addTerm adds a term; in an update, what comes twice is one term.
func (c *compiler) addTerm(terms []term, factor scalar, from ref) []term {
	at := slices.IndexFunc(terms, func(t term) bool { return t.from == from })
	if c.update == nil || at < 0 {
		return append(terms, term{factor: factor, from: from})
	}
	terms[at].more = append(terms[at].more, factor)
	return terms
}

func (s scalar) value(values []float64) float64 {
	v := 1.0
	for _, f := range s.factors {
		v *= values[f]
	}
	if s.negative {
		return -v
	}
	return v
}

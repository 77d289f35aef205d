package fixedpoint

import (
	"slices"

	"corinfo/fixedpoint/vector"
)

// Kernel is a graph compiled for vectors, in int64 where every node's values are int64, else by Eval. Both give
// the same bits. A Kernel is immutable.
//
// Sums, differences and products with constants are exact, so that a tree of them is one sum of terms, computed by one
// operation of package vector, with the rounding that follows it: see terms.go.
type Kernel struct {
	g       *Graph
	inputs  []Value
	static  []bool // by input: a Graph.Constant
	outputs []int  // of the graph's
	results []int  // by output: the node whose values it has
	resizes []Value
	steps   []step
	slow    *WidthError // why it falls back to Eval
	buffers int         // blocks of values that are in use at once
}

// block is the number of elements that a runner computes per step: the block's values stay in cache.
const block = 1024

// step computes the values of one node: a block, or one for all elements.
type step struct {
	op       Op
	dst      int   // node
	reads    []int // nodes: the operands, or those of terms
	single   bool  // one value for all elements
	terms    []term
	plus     int           // terms that are added as they are
	minus    int           // then, that are subtracted
	long     int           // the last of those that are multiplied, by 64 bits
	operands [2][]term     // OpDiv, OpSqrt
	shifts   [2]uint       // single: left shifts that align two operands
	short    bool          // OpMul: the factors fit 32 bits; OpDiv, OpSqrt: operands fit a float64
	right    uint          // OpDiv, OpSqrt: shift of the dividend or radicand
	line     *vector.Lines // OpTable
	resize   resize
	random   int // stochastic resize: node
	buffer   int // for the values
	index    int // of a resize: which counter
	out      int // the output that receives the values as they are computed, or -1
}

// Compile checks the graph and prepares it, to give the outputs of these names, or all where none is named.
func (g *Graph) Compile(outputs ...string) (*Kernel, error) {
	if err := g.Check(); err != nil {
		return nil, err
	}
	k := &Kernel{g: g, inputs: g.Inputs(), resizes: g.Resizes()}
	for at, o := range g.outputs {
		if len(outputs) == 0 || slices.Contains(outputs, o.Name) {
			k.outputs = append(k.outputs, at)
			k.results = append(k.results, g.same(int(o.Value)))
		}
	}
	for _, v := range k.inputs {
		k.static = append(k.static, g.nodes[v].Static)
	}
	c := newCompiler(g, k.outputs)
	if k.slow = c.prepare(); k.slow != nil {
		return k, nil
	}
	k.steps = c.compile()
	k.share()
	return k, nil
}

// Slow tells which value does not fit int64, so that all are computed by Eval, some hundred times slower; nil: they fit.
func (k *Kernel) Slow() *WidthError { return k.slow }

// share gives every step a buffer that no value which is still needed lies in, so that few of them stay in cache. Its own operands'
// is best: operations may write where they read.
func (k *Kernel) share() {
	last := k.lastReads()
	for _, node := range k.results {
		last[node] = len(k.steps)
	}
	var free []int
	for at := range k.steps {
		for _, s := range k.steps[:at] {
			if last[s.dst] == at {
				free = append(free, s.buffer)
			}
		}
		if len(free) == 0 {
			free, k.buffers = append(free, k.buffers), k.buffers+1
		}
		k.steps[at].buffer, free = free[len(free)-1], free[:len(free)-1]
		if last[k.steps[at].dst] == at { // nobody reads it
			free = append(free, k.steps[at].buffer)
		}
	}
}

// lastReads are the steps that read nodes last, or that compute them, where none reads them.
func (k *Kernel) lastReads() map[int]int {
	last := map[int]int{}
	for at, s := range k.steps {
		last[s.dst] = at
		for _, node := range s.reads {
			last[node] = at
		}
	}
	return last
}

// Replaces tells that an output may be given in the place of an input: nothing reads the input after it.
func (r *Runner) Replaces(output, input int) bool {
	for at, s := range r.k.steps {
		if s.out == output {
			return r.k.lastReads()[int(r.k.inputs[input])] <= at && !slices.Contains(r.k.results, int(r.k.inputs[input]))
		}
	}
	return false
}

// Runner evaluates a kernel; it is one goroutine's scratch and its overflow counters.
type Runner struct {
	k         *Kernel
	overflows []int64

	// Of the compiled evaluation, by node: a block of values, or one value for all elements.
	values  [][]int64
	buffers [][]int64 // the room for them, shared
	spread  [][]int64 // by input: room for one word, given for all elements
	terms   vector.Terms

	// Of Eval, for one element.
	exact         []Int
	in, out       []int64
	overflowFlags []bool
}

// NewRunner makes a runner with counters at zero.
func (k *Kernel) NewRunner() *Runner {
	r := &Runner{k: k, overflows: make([]int64, len(k.resizes))}
	if k.slow != nil {
		r.exact = make([]Int, len(k.g.nodes))
		r.in, r.out = make([]int64, len(k.inputs)), make([]int64, len(k.g.outputs))
		r.overflowFlags = make([]bool, len(k.resizes))
		return r
	}
	r.values, r.buffers, r.spread = make([][]int64, len(k.g.nodes)), make([][]int64, k.buffers), make([][]int64, len(k.inputs))
	for i := range r.buffers {
		r.buffers[i] = make([]int64, block)
	}
	return r
}

// Overflows are the counts so far, in the order of Graph.Resizes. The slice is the runner's own.
func (r *Runner) Overflows() []int64 { return r.overflows }

// Run computes n elements. in[i] is the i-th of Graph.Inputs, n words of its format or one that serves all
// elements, always one for a Graph.Constant; out[i] receives the i-th output that Compile was told of, n words.
// Slices of out must not overlap each other, nor those of in but for inputs that they replace: see Replaces. It panics
// with a GraphError on other lengths.
func (r *Runner) Run(n int, in, out [][]int64) {
	r.check(n, in, out)
	if r.k.slow != nil {
		r.runExact(n, in, out)
		return
	}
	for from := 0; from < n; from += block {
		to := min(from+block, n)
		r.take(in, from, to)
		for i := range r.k.steps {
			r.step(&r.k.steps[i], from, to, out)
		}
		for i, node := range r.k.results {
			dst := out[i][from:to]
			v := r.values[node]
			switch {
			case len(v) < len(dst):
				fill(dst, v[0])
			case &v[0] != &dst[0]:
				copy(dst, v)
			}
		}
	}
}

// take gives the inputs of a block.
func (r *Runner) take(in [][]int64, from, to int) {
	for i, node := range r.k.inputs {
		v := in[i]
		switch {
		case r.k.static[i]:
		case len(v) > 1:
			v = v[from:to]
		case to-from > 1:
			if r.spread[i] == nil {
				r.spread[i] = make([]int64, block)
			}
			if from == 0 {
				fill(r.spread[i][:to], v[0])
			}
			v = r.spread[i][:to-from]
		}
		r.values[node] = v
	}
}

func (r *Runner) check(n int, in, out [][]int64) {
	g := r.k.g
	if len(in) != len(r.k.inputs) || len(out) != len(r.k.outputs) {
		g.fail("%d inputs and %d outputs; want %d and %d", len(in), len(out), len(r.k.inputs), len(r.k.outputs))
	}
	for i, v := range in {
		if r.k.static[i] && len(v) != 1 {
			g.fail("constant %s has %d words; want 1", g.nodes[r.k.inputs[i]].Name, len(v))
		}
		if len(v) != n && len(v) != 1 {
			g.fail("input %s has %d words; want %d or 1", g.nodes[r.k.inputs[i]].Name, len(v), n)
		}
	}
	for i, v := range out {
		if len(v) != n {
			g.fail("output %s has room for %d words; want %d", g.outputs[r.k.outputs[i]].Name, len(v), n)
		}
	}
}

func fill(z []int64, v int64) {
	for i := range z {
		z[i] = v
	}
}

// runExact computes by Eval, element by element.
func (r *Runner) runExact(n int, in, out [][]int64) {
	for e := range n {
		for i, v := range in {
			r.in[i] = v[min(e, len(v)-1)]
		}
		r.k.g.eval(r.exact, r.in, r.out, r.overflowFlags)
		for i, o := range r.k.outputs {
			out[i][e] = r.out[o]
		}
		for i, o := range r.overflowFlags {
			if o {
				r.overflows[i]++
			}
		}
	}
}

// step computes one node for the elements from..to.
func (r *Runner) step(s *step, from, to int, out [][]int64) {
	n := to - from
	if s.single {
		z := r.buffers[s.buffer][:1]
		if r.one(s, z) {
			r.overflows[s.index] += int64(n)
		}
		r.values[s.dst] = z
		return
	}
	z := r.buffers[s.buffer][:n]
	if s.out >= 0 {
		z = out[s.out][from:to]
	}
	r.values[s.dst] = z
	switch s.op {
	case OpMul:
		vector.Mul(z, r.values[s.reads[0]], r.values[s.reads[1]], s.short)
	case OpClip:
		node := &r.k.g.nodes[s.dst]
		vector.Clip(z, r.values[s.reads[0]], node.Lo, node.Hi)
	case OpNonZero:
		vector.NonZero(z, r.values[s.reads[0]])
	case OpResize, OpDiv, OpSqrt:
		if over := r.round(s, z); over > 0 {
			r.overflows[s.index] += over
		}
	case OpTable:
		vector.Interpolate(z, r.values[s.reads[0]], s.line)
	default:
		vector.Sum(z, &r.terms, r.gather(s))
	}
}

// round computes a rounded sum, quotient or root, and gives the number of values outside the range.
func (r *Runner) round(s *step, z []int64) (over int64) {
	switch {
	case s.op == OpDiv:
		outside := vector.Div(z, r.operand(s.operands[0], z), r.operand(s.operands[1], z), s.right, s.short, &s.resize.rounding)
		return s.resize.finish(z, outside)
	case s.op == OpSqrt:
		return s.resize.finish(z, vector.Sqrt(z, r.operand(s.operands[0], z), s.right, s.short, &s.resize.rounding))
	}
	constant := r.gather(s)
	if s.resize.stochastic() {
		return s.resize.random(z, &r.terms, constant, r.values[s.random])
	}
	return s.resize.sum(z, &r.terms, constant)
}

// factor is what a term's values are multiplied by.
func (r *Runner) factor(t *term) int64 {
	factor := int64(1)
	if t.coefficient >= 0 {
		factor = r.values[t.coefficient][0]
	}
	if factor <<= t.shift; t.negative {
		return -factor
	}
	return factor
}

// gather sets r.terms to those of a step and gives the sum of the others, which are single values.
func (r *Runner) gather(s *step) (constant int64) {
	list := r.terms.List[:0]
	for i := range s.terms {
		t := &s.terms[i]
		values := r.values[t.node]
		switch {
		case t.single:
			constant += values[0] * r.factor(t)
		case t.joins:
			list[len(list)-1].Factor += r.factor(t)
		case t.kind < times:
			list = append(list, vector.Term{Factor: int64(t.shift), Values: values})
		default:
			list = append(list, vector.Term{Factor: r.factor(t), Values: values})
		}
	}
	r.terms = vector.Terms{List: list, Plus: s.plus, Minus: s.minus, Long: s.long}
	return constant
}

// operand is a sum of one vector of values, or of none, where any others will do.
func (r *Runner) operand(terms []term, others []int64) vector.Operand {
	o := vector.Operand{Values: others}
	for i := range terms {
		t := &terms[i]
		if values := r.values[t.node]; t.single {
			o.Constant += values[0] * r.factor(t)
		} else {
			o.Values, o.Factor = values, o.Factor+r.factor(t)
		}
	}
	return o
}

// one computes a single value for all elements.
func (r *Runner) one(s *step, z []int64) (overflow bool) {
	var a, b int64
	for i, node := range s.reads {
		a, b = b, r.values[node][0]<<s.shifts[i]
	}
	node := &r.k.g.nodes[s.dst]
	switch s.op {
	case OpConst:
		z[0] = node.Word
	case OpAdd:
		z[0] = a + b
	case OpSub:
		z[0] = a - b
	case OpMul:
		z[0] = a * b
	case OpNeg:
		z[0] = -b
	case OpClip:
		z[0] = min(max(b, node.Lo), node.Hi)
	case OpNonZero:
		z[0] = int64(uint64(b|-b) >> 63)
	case OpResize:
		r.terms = vector.Terms{List: r.terms.List[:0]}
		overflow = s.resize.sum(z, &r.terms, b<<s.resize.left) > 0
	case OpDiv, OpSqrt:
		r.round(s, z)
	case OpTable:
		vector.Interpolate(z, []int64{b}, s.line)
	}
	return overflow
}

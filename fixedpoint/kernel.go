package fixedpoint

import "corinfo/fixedpoint/vector"

// Kernel is a graph compiled for vectors: node by node over blocks of elements, in int64 where every
// node's values are int64, else by Eval. Both give the same bits. A Kernel is immutable.
type Kernel struct {
	g       *Graph
	inputs  []Value
	resizes []Value
	steps   []step // nil: fall back to Eval
	buffers int    // blocks of values that are in use at once
}

// block is the number of elements that a runner computes per step: the block's values stay in cache.
const block = 256

// step is one node, its constants resolved.
type step struct {
	op             Op
	dst, a, b      int  // nodes
	buffer         int  // for dst
	shiftA, shiftB uint // left shifts that align the operands
	short          bool // OpMul: the factors fit 32 bits
	lo, hi         int64
	word           int64
	resize         resize
	index          int // OpInput: which; OpResize: which counter
	out            int // the output that receives the values as they are computed, or -1
}

// Compile checks the graph and prepares it.
func (g *Graph) Compile() (*Kernel, error) {
	if err := g.Check(); err != nil {
		return nil, err
	}
	k := &Kernel{g: g, inputs: g.Inputs(), resizes: g.Resizes()}
	for _, n := range g.nodes {
		if !n.Format.FitsInt64() {
			return k, nil
		}
	}
	inputs, resizes := 0, 0
	for i, n := range g.nodes {
		s := step{op: n.Op, dst: i, lo: n.Lo, hi: n.Hi, word: n.Word, out: -1}
		for at, o := range g.outputs {
			if int(o.Value) == i {
				s.out = at
			}
		}
		if len(n.Args) > 0 {
			s.a = int(n.Args[0])
		}
		if len(n.Args) > 1 {
			s.b = int(n.Args[1])
		}
		switch n.Op {
		case OpInput:
			s.index = inputs
			inputs++
		case OpAdd, OpSub:
			s.shiftA = uint(n.Format.Frac - g.nodes[s.a].Format.Frac)
			s.shiftB = uint(n.Format.Frac - g.nodes[s.b].Format.Frac)
		case OpMul:
			s.short = g.nodes[s.a].Format.FitsInt32() && g.nodes[s.b].Format.FitsInt32()
		case OpResize:
			s.index = resizes
			resizes++
			var ok bool
			if s.resize, ok = newResize(n.Type, g.nodes[s.a].Format, len(n.Args) > 1); !ok {
				k.steps = nil
				return k, nil
			}
		}
		k.steps = append(k.steps, s)
	}
	k.share()
	return k, nil
}

// share gives every step a buffer that no value which is still needed lies in, so that few of them stay in cache.
func (k *Kernel) share() {
	last := make([]int, len(k.steps)) // by node: the step that needs its value last
	for i, n := range k.g.nodes {
		last[i] = i
		for _, a := range n.Args {
			last[a] = i
		}
	}
	for _, o := range k.g.outputs {
		last[o.Value] = len(k.steps)
	}
	for i := len(k.steps) - 1; i >= 0; i-- { // the value of a shift is its operand's
		if s := &k.steps[i]; s.op == OpShift {
			last[s.a] = max(last[s.a], last[i])
		}
	}
	var free []int
	for i := range k.steps {
		s := &k.steps[i]
		if s.op == OpInput || s.op == OpShift {
			continue
		}
		if len(free) == 0 {
			free, k.buffers = append(free, k.buffers), k.buffers+1
		}
		s.buffer, free = free[len(free)-1], free[:len(free)-1]
		for at := range k.steps[:i+1] {
			if other := &k.steps[at]; last[at] == i && other.op != OpInput && other.op != OpShift {
				free = append(free, other.buffer)
			}
		}
	}
}

// Runner evaluates a kernel; it is one goroutine's scratch and its overflow counters.
type Runner struct {
	k         *Kernel
	overflows []int64

	// Of the compiled evaluation, by node: a block of values, or one value for all elements.
	values  [][]int64
	buffers [][]int64 // the room for them, shared

	// Of Eval, for one element.
	exact         []Int
	in, out       []int64
	overflowFlags []bool
}

// NewRunner makes a runner with counters at zero.
func (k *Kernel) NewRunner() *Runner {
	r := &Runner{k: k, overflows: make([]int64, len(k.resizes))}
	if k.steps == nil {
		r.exact = make([]Int, len(k.g.nodes))
		r.in, r.out = make([]int64, len(k.inputs)), make([]int64, len(k.g.outputs))
		r.overflowFlags = make([]bool, len(k.resizes))
		return r
	}
	r.values, r.buffers = make([][]int64, len(k.g.nodes)), make([][]int64, k.buffers)
	for i := range r.buffers {
		r.buffers[i] = make([]int64, block)
	}
	return r
}

// Overflows are the counts so far, in the order of Graph.Resizes. The slice is the runner's own.
func (r *Runner) Overflows() []int64 { return r.overflows }

// Run computes n elements. in[i] is the i-th of Graph.Inputs, n words of its format or one that serves all
// elements; out[i] receives the i-th of Graph.Outputs, n words. Slices of out must not overlap those of in
// nor each other. It panics with a GraphError on other lengths.
func (r *Runner) Run(n int, in, out [][]int64) {
	r.check(n, in, out)
	if r.k.steps == nil {
		r.runExact(n, in, out)
		return
	}
	for from := 0; from < n; from += block {
		to := min(from+block, n)
		for i := range r.k.steps {
			r.step(&r.k.steps[i], from, to, in, out)
		}
		for i, o := range r.k.g.outputs {
			dst := out[i][from:to]
			if v := r.values[o.Value]; len(v) == len(dst) {
				if &v[0] != &dst[0] {
					copy(dst, v)
				}
			} else {
				fill(dst, v[0])
			}
		}
	}
}

func (r *Runner) check(n int, in, out [][]int64) {
	g := r.k.g
	if len(in) != len(r.k.inputs) || len(out) != len(g.outputs) {
		g.fail("%d inputs and %d outputs; want %d and %d", len(in), len(out), len(r.k.inputs), len(g.outputs))
	}
	for i, v := range in {
		if len(v) != n && len(v) != 1 {
			g.fail("input %s has %d words; want %d or 1", g.nodes[r.k.inputs[i]].Name, len(v), n)
		}
	}
	for i, v := range out {
		if len(v) != n {
			g.fail("output %s has room for %d words; want %d", g.outputs[i].Name, len(v), n)
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
		for i, w := range r.out {
			out[i][e] = w
		}
		for i, o := range r.overflowFlags {
			if o {
				r.overflows[i]++
			}
		}
	}
}

// step computes one node for the elements from..to. A node whose operands are single values is one
// itself.
func (r *Runner) step(s *step, from, to int, in, out [][]int64) {
	switch s.op {
	case OpInput:
		v := in[s.index]
		if len(v) > 1 {
			v = v[from:to]
		}
		r.values[s.dst] = v
		return
	case OpConst:
		r.buffers[s.buffer][0] = s.word
		r.values[s.dst] = r.buffers[s.buffer][:1]
		return
	case OpShift:
		r.values[s.dst] = r.values[s.a]
		return
	}
	a := r.values[s.a]
	n := len(a)
	var b []int64
	if s.op == OpAdd || s.op == OpSub || s.op == OpMul || s.op == OpResize && s.resize.stochastic {
		b = r.values[s.b]
		n = max(n, len(b))
	}
	z := r.buffers[s.buffer][:n]
	if s.out >= 0 && n == to-from {
		z = out[s.out][from:to]
	}
	r.values[s.dst] = z
	switch s.op {
	case OpAdd, OpSub, OpMul:
		binary(s, z, a, b)
	case OpNeg:
		vector.SubFrom(z, a, 0, 0)
	case OpClip:
		vector.Clip(z, a, s.lo, s.hi)
	case OpNonZero:
		vector.NonZero(z, a)
	case OpResize:
		over := s.resize.run(z, a, b)
		if n == 1 && to-from > 1 {
			over *= int64(to - from)
		}
		r.overflows[s.index] += over
	}
}

// binary computes z = a op b; an operand of one value serves all elements. Of two operands to add or to
// subtract, the one with more fraction bits is not shifted.
func binary(s *step, z, a, b []int64) {
	x, y := s.shiftA&63, s.shiftB&63
	singleA, singleB := len(a) < len(z), len(b) < len(z)
	switch {
	case s.op == OpMul && singleA:
		vector.MulOne(z, b, a[0], s.short)
	case s.op == OpMul && singleB:
		vector.MulOne(z, a, b[0], s.short)
	case s.op == OpMul:
		vector.Mul(z, a, b, s.short)
	case s.op == OpAdd && singleA:
		vector.AddOne(z, b, y, a[0]<<x)
	case s.op == OpAdd && singleB:
		vector.AddOne(z, a, x, b[0]<<y)
	case s.op == OpAdd:
		vector.Add(z, a, b, x, y)
	case singleA:
		vector.SubFrom(z, b, y, a[0]<<x)
	case singleB:
		vector.AddOne(z, a, x, -b[0]<<y)
	default:
		vector.Sub(z, a, b, x, y)
	}
}

package fixedpoint

// Kernel is a graph compiled for vectors: node by node over blocks of elements, in int64 where every
// node's values are int64, else by Eval. Both give the same bits. A Kernel is immutable.
type Kernel struct {
	g       *Graph
	inputs  []Value
	resizes []Value
	steps   []step // nil: fall back to Eval
}

// block is the number of elements that a runner computes per step: the block's values stay in cache.
const block = 256

// step is one node, its constants resolved.
type step struct {
	op             Op
	dst, a, b      int  // nodes
	shiftA, shiftB uint // left shifts that align the operands
	lo, hi         int64
	word           int64
	resize         resize
	index          int // OpInput: which; OpResize: which counter
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
		s := step{op: n.Op, dst: i, lo: n.Lo, hi: n.Hi, word: n.Word}
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
	return k, nil
}

// Runner evaluates a kernel; it is one goroutine's scratch and its overflow counters.
type Runner struct {
	k         *Kernel
	values    [][]int64 // by node: a block of values, or one value for all elements
	buffers   [][]int64 // by node: the room for them
	overflows []int64
	in        []int64 // one element, for Eval
}

// NewRunner makes a runner with counters at zero.
func (k *Kernel) NewRunner() *Runner {
	r := &Runner{k: k, overflows: make([]int64, len(k.resizes)), in: make([]int64, len(k.inputs))}
	if k.steps != nil {
		r.values = make([][]int64, len(k.g.nodes))
		r.buffers = make([][]int64, len(k.g.nodes))
		for i := range r.buffers {
			r.buffers[i] = make([]int64, block)
		}
	}
	return r
}

// Overflows are the counts so far, in the order of Graph.Resizes. The slice is the runner's own.
func (r *Runner) Overflows() []int64 { return r.overflows }

// Reset sets the counters to zero.
func (r *Runner) Reset() { clear(r.overflows) }

// Run computes n elements. in[i] is the i-th of Graph.Inputs, n words or one that serves all elements;
// out[i] receives the i-th of Graph.Outputs, n words. Slices of out must not overlap those of in.
func (r *Runner) Run(n int, in, out [][]int64) {
	if r.k.steps == nil {
		r.runSlow(n, in, out)
		return
	}
	for from := 0; from < n; from += block {
		to := min(from+block, n)
		for i := range r.k.steps {
			r.step(&r.k.steps[i], from, to, in)
		}
		for i, o := range r.k.g.outputs {
			v := r.values[o.Value]
			dst := out[i][from:to]
			if len(v) == 1 {
				for j := range dst {
					dst[j] = v[0]
				}
			} else {
				copy(dst, v)
			}
		}
	}
}

func (r *Runner) runSlow(n int, in, out [][]int64) {
	for e := range n {
		for i, v := range in {
			r.in[i] = v[min(e, len(v)-1)]
		}
		words, over := r.k.g.Eval(r.in)
		for i, w := range words {
			out[i][e] = w
		}
		for i, o := range over {
			if o {
				r.overflows[i]++
			}
		}
	}
}

// step computes one node for the elements from..to. A node whose operands are single values is one
// itself.
func (r *Runner) step(s *step, from, to int, in [][]int64) {
	switch s.op {
	case OpInput:
		v := in[s.index]
		if len(v) > 1 {
			v = v[from:to]
		}
		r.values[s.dst] = v
		return
	case OpConst:
		r.buffers[s.dst][0] = s.word
		r.values[s.dst] = r.buffers[s.dst][:1]
		return
	case OpShift:
		r.values[s.dst] = r.values[s.a]
		return
	}
	a := r.values[s.a]
	n := len(a)
	switch s.op {
	case OpAdd, OpSub, OpMul:
		b := r.values[s.b]
		if len(b) > n {
			n = len(b)
		}
		z := r.buffers[s.dst][:n]
		r.values[s.dst] = z
		binary(s, z, a, b)
	case OpNeg:
		z := r.buffers[s.dst][:n]
		r.values[s.dst] = z
		for i, v := range a {
			z[i] = -v
		}
	case OpClip:
		z := r.buffers[s.dst][:n]
		r.values[s.dst] = z
		lo, hi := s.lo, s.hi
		for i, v := range a {
			z[i] = min(max(v, lo), hi)
		}
	case OpNonZero:
		z := r.buffers[s.dst][:n]
		r.values[s.dst] = z
		for i, v := range a {
			z[i] = 0
			if v != 0 {
				z[i] = 1
			}
		}
	case OpResize:
		var random []int64
		if s.resize.stochastic {
			random = r.values[s.b]
			n = max(n, len(random))
		}
		z := r.buffers[s.dst][:n]
		r.values[s.dst] = z
		over := s.resize.run(z, a, random)
		if n == 1 && to-from > 1 {
			over *= int64(to - from)
		}
		r.overflows[s.index] += over
	}
}

// binary computes z = a op b; an operand of one value serves all elements.
func binary(s *step, z, a, b []int64) {
	x, y := s.shiftA&63, s.shiftB&63
	single := func(v []int64) bool { return len(v) == 1 && len(z) > 1 }
	switch {
	case single(a):
		av := a[0]
		b = b[:len(z)]
		switch s.op {
		case OpAdd:
			av <<= x
			for i := range z {
				z[i] = av + b[i]<<y
			}
		case OpSub:
			av <<= x
			for i := range z {
				z[i] = av - b[i]<<y
			}
		default:
			for i := range z {
				z[i] = av * b[i]
			}
		}
	case single(b):
		bv := b[0]
		a = a[:len(z)]
		switch s.op {
		case OpAdd:
			bv <<= y
			for i := range z {
				z[i] = a[i]<<x + bv
			}
		case OpSub:
			bv <<= y
			for i := range z {
				z[i] = a[i]<<x - bv
			}
		default:
			for i := range z {
				z[i] = a[i] * bv
			}
		}
	default:
		a, b = a[:len(z)], b[:len(z)]
		switch s.op {
		case OpAdd:
			for i := range z {
				z[i] = a[i]<<x + b[i]<<y
			}
		case OpSub:
			for i := range z {
				z[i] = a[i]<<x - b[i]<<y
			}
		default:
			for i := range z {
				z[i] = a[i] * b[i]
			}
		}
	}
}

// resize is Type.Resize from a fixed source format, in int64.
type resize struct {
	t          Type
	stochastic bool
	left       uint  // exact: shift left
	drop       uint  // bits to drop
	half, mask int64 // of the dropped bits
	lo, hi     int64 // range
	below      int64 // what a value below or above the range becomes
	above      int64
	wrap       uint // Wrap: 64 - width
}

// newResize prepares a conversion; ok is false where int64 does not hold all of its intermediate values.
func newResize(t Type, from Format, stochastic bool) (r resize, ok bool) {
	drop := from.Frac - t.Frac
	low := t.Min()
	if t.Overflow == SatSym && t.Signed {
		low = t.Max().Neg()
	}
	r = resize{t: t, stochastic: stochastic, wrap: uint(64 - t.Width)}
	r.lo, _ = low.Int64()
	r.hi, _ = t.Max().Int64()
	if t.Overflow == Sat || t.Overflow == SatSym {
		r.below, r.above = r.lo, r.hi
	}
	switch {
	case drop <= 0:
		r.left = uint(-drop)
		return r, from.Width-drop <= 63
	case drop > 62 || from.Width > 62:
		return r, false
	}
	r.drop, r.half, r.mask = uint(drop), 1<<(drop-1), 1<<drop-1
	return r, true
}

// run converts a into z and counts the values outside the range. random is for stochastic rounding.
func (r *resize) run(z, a, random []int64) (over int64) {
	if len(a) == 1 && len(z) > 1 {
		// One value, many random words.
		for i := range z {
			z[i] = a[0]
		}
		a = z
	}
	a = a[:len(z)]
	switch {
	case r.drop == 0:
		for i, v := range a {
			z[i] = v << r.left
		}
	case r.t.Rounding == Trn:
		for i, v := range a {
			z[i] = v >> r.drop
		}
	case r.t.Rounding == Rnd:
		for i, v := range a {
			z[i] = (v + r.half) >> r.drop
		}
	case r.t.Rounding == RndMinInf:
		for i, v := range a {
			z[i] = (v + r.half - 1) >> r.drop
		}
	case r.t.Rounding == TrnZero:
		for i, v := range a {
			z[i] = (v + v>>63&r.mask) >> r.drop
		}
	case r.t.Rounding == RndZero:
		// Ties down for positive values, up for negative ones.
		for i, v := range a {
			z[i] = (v + r.half - 1 - v>>63) >> r.drop
		}
	case r.t.Rounding == RndInf:
		for i, v := range a {
			z[i] = (v + r.half + v>>63) >> r.drop
		}
	case r.t.Rounding == RndConv:
		for i, v := range a {
			z[i] = (v + r.half - 1 + v>>r.drop&1) >> r.drop
		}
	default:
		for i, v := range a {
			word := random[min(i, len(random)-1)]
			if r.drop <= 32 {
				word >>= 32 - r.drop
			} else {
				word <<= r.drop - 32
			}
			z[i] = (v + word) >> r.drop
		}
	}
	lo, hi := r.lo, r.hi
	for i, v := range z {
		if v < lo || v > hi {
			over++
			z[i] = r.outside(v)
		}
	}
	return over
}

// outside is the overflow mode's word for a value beyond the range.
func (r *resize) outside(v int64) int64 {
	switch {
	case r.t.Overflow != Wrap && v < r.lo:
		return r.below
	case r.t.Overflow != Wrap:
		return r.above
	case r.t.Signed:
		return v << r.wrap >> r.wrap
	}
	return int64(uint64(v) << r.wrap >> r.wrap)
}

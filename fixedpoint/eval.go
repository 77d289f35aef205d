package fixedpoint

// Eval computes the outputs and the overflows of all Resizes for one set of input words, exactly and
// slowly: the reference for Kernel. The graph has passed Check; in holds one word per input.
func (g *Graph) Eval(in []int64) (out []int64, overflow []bool) {
	if want := len(g.Inputs()); len(in) != want {
		g.fail("%d input words; want %d", len(in), want)
	}
	out = make([]int64, len(g.outputs))
	overflow = make([]bool, len(g.Resizes()))
	g.eval(make([]Int, len(g.nodes)), in, out, overflow)
	return out, overflow
}

// eval is Eval with the room for its results and for the value of every node.
func (g *Graph) eval(values []Int, in, out []int64, overflow []bool) {
	inputs, resizes := 0, 0
	for i := range g.nodes {
		n := &g.nodes[i]
		// operand is an argument's raw value at the node's binary point.
		operand := func(k int) Int { return values[n.Args[k]].Shl(n.Format.Frac - g.nodes[n.Args[k]].Format.Frac) }
		switch n.Op {
		case OpInput:
			values[i] = n.Format.Int(in[inputs])
			inputs++
		case OpConst:
			values[i] = n.Format.Int(n.Word)
		case OpAdd:
			values[i] = operand(0).Add(operand(1))
		case OpSub:
			values[i] = operand(0).Sub(operand(1))
		case OpMul:
			values[i] = values[n.Args[0]].Mul(values[n.Args[1]])
		case OpNeg:
			values[i] = values[n.Args[0]].Neg()
		case OpShift:
			values[i] = values[n.Args[0]]
		case OpClip:
			values[i] = clip(values[n.Args[0]], NewInt(n.Lo), NewInt(n.Hi))
		case OpNonZero:
			values[i] = Int{}
			if values[n.Args[0]] != (Int{}) {
				values[i] = NewInt(1)
			}
		case OpResize:
			var random uint32
			if n.Type.Rounding == Stochastic {
				random = uint32(values[n.Args[1]].low64())
			}
			var word int64
			word, overflow[resizes] = n.Type.Resize(values[n.Args[0]], g.nodes[n.Args[0]].Format.Frac, random)
			values[i] = n.Format.Int(word)
			resizes++
		case OpDiv:
			values[i] = Int{}
			if b := values[n.Args[1]]; b.Sign() > 0 {
				values[i] = scale(values[n.Args[0]], g.quotient(n)).Div(b)
			}
		case OpSqrt:
			values[i] = scale(values[n.Args[0]], g.root(n)).Sqrt()
		case OpTable:
			values[i] = n.Table.At(values[n.Args[0]], g.nodes[n.Args[0]].Format)
		}
	}
	for i, o := range g.outputs {
		out[i] = g.nodes[o.Value].Format.Word(values[o.Value])
	}
}

// quotient is the power of two that a dividend's raw value is multiplied by, so that the quotient of raw values is the node's.
// Where it is below 0 the bits that go make no difference: floor(a 2^-n / b) = floor(floor(a 2^-n) / b).
func (g *Graph) quotient(n *Node) int {
	return n.Format.Frac + g.nodes[n.Args[1]].Format.Frac - g.nodes[n.Args[0]].Format.Frac
}

// root is the same for the raw value of which the root is taken.
func (g *Graph) root(n *Node) int { return 2*n.Format.Frac - g.nodes[n.Args[0]].Format.Frac }

// scale is floor(v * 2^n).
func scale(v Int, n int) Int {
	if n < 0 {
		return v.Shr(-n)
	}
	return v.Shl(n)
}

func clip(v, lo, hi Int) Int {
	switch {
	case v.Cmp(lo) < 0:
		return lo
	case v.Cmp(hi) > 0:
		return hi
	}
	return v
}

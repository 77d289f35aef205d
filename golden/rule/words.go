package rule

import (
	fx "corinfo/fixedpoint"
)

// Typing tells the formats of a formula's operands and the types that it rounds into.
type Typing struct {
	Type     func(tensor string) fx.Type // of the formula's layer or matrix
	Sum      func(name string) fx.Format
	Total    func(word string) fx.Format
	Shared   func(word string) bool
	Signal   func(word string) bool
	Synapse  func(name string) fx.Format // of an update's synapse w, and of the words beside it
	Products fx.Format                   // of an update's sum
}

// TotalInput is the name of the input that is the sum of a word over a layer.
const TotalInput = "sum"

// Operand is what an input of a formula in words is to be given.
type Operand struct {
	Source Source
	Name   string
}

// Words reads the formula in words, as operations on fixed-point numbers, and tells what its inputs are, in their order.
// Results come first: w_next of a word w; then delta, the change of a signal, and moved, 1 where a watched word is another
// than before. Of a synapse they are w_next, those of the words beside it, active, 1 where the sum of products is not zero,
// and moved, 1 where w is another than before.
//
// What the neurons of a layer share, and a function's value, is multiplied by present, which is 0 where a neuron is missing
// to fill up a vector or the lanes: like all that it has, its words are to stay 0.
func (g *Graph) Words(t Typing) (*fx.Graph, []Operand) {
	r := wordReader{g: g, t: t, out: fx.NewGraph(g.Name), rounded: map[string]bool{}, there: -1}
	r.values = make([]fx.Value, len(g.Nodes))
	for i := range g.Nodes {
		if n := &g.Nodes[i]; n.Op == OpOperand {
			r.rounded[n.Name] = true
		}
	}
	for i := range g.Nodes {
		r.values[i] = r.node(&g.Nodes[i])
	}
	r.results()
	return r.out, r.operands
}

type wordReader struct {
	g        *Graph
	t        Typing
	out      *fx.Graph
	operands []Operand
	values   []fx.Value
	rounded  map[string]bool // names in use
	there    fx.Value        // present; below 0: not asked for yet
}

// input adds an input; still: it stands still while values are under way.
func (r *wordReader) input(source Source, name, as string, f fx.Format, still bool) fx.Value {
	r.operands = append(r.operands, Operand{source, name})
	if still {
		return r.out.Constant(as, f)
	}
	return r.out.Input(as, f)
}

func (r *wordReader) node(n *Node) fx.Value {
	arg := func(k int) fx.Value { return r.values[n.Args[k]] }
	switch n.Op {
	case OpLiteral:
		return r.out.Const(n.Name, int64(n.Literal), fx.U(1, 0))
	case OpAdd:
		return r.out.Add(arg(0), arg(1))
	case OpSub:
		return r.out.Sub(arg(0), arg(1))
	case OpMul:
		return r.out.Mul(arg(0), arg(1))
	case OpClip:
		f := r.format(arg(0))
		return r.out.Clip(arg(0), 0, unit(f))
	case OpRelu:
		f := r.format(arg(0))
		return r.out.Clip(arg(0), 0, largest(f))
	case OpNonZero:
		return r.out.NonZero(arg(0))
	case OpDivide:
		return r.out.Div(arg(0), arg(1), r.t.Type(n.Name).Frac+1)
	case OpRoot:
		return r.out.Sqrt(arg(0), r.t.Type(n.Name).Frac+1)
	case OpFunction:
		return r.out.Mul(r.present(), r.out.Table(arg(0), n.Function.Table()))
	case OpRound:
		return r.round(n, arg(0))
	}
	return r.operand(n)
}

func (r *wordReader) format(v fx.Value) fx.Format { return r.out.Nodes()[v].Format }

// round is a resize; a stochastic one draws a random word, which the formula gets as an operand: random for the synapse, random
// and the tensor's kind for a word beside it.
func (r *wordReader) round(n *Node, v fx.Value) fx.Value {
	name, t := n.Name, r.t.Type(n.Name)
	if n.As != "" {
		name = n.As
	} else if r.rounded[name] {
		name += "_rounded"
	}
	if t.Rounding == fx.Stochastic {
		random := "random"
		if &r.g.Nodes[r.g.Results[0].Value] != n { // of a word beside the synapse
			random += "_" + n.Name
		}
		return r.out.ResizeStochastic(name, v, r.input(FromRandom, random, random, fx.U(32, 0), false), t)
	}
	return r.out.Resize(name, v, t)
}

func (r *wordReader) operand(n *Node) fx.Value {
	in := func(as string, f fx.Format) fx.Value { return r.input(n.Source, n.Name, as, f, false) }
	switch n.Source {
	case FromWord:
		f := r.t.Type(n.Name).Format
		if r.t.Shared != nil && r.t.Shared(n.Name) {
			return r.out.Mul(r.present(), r.input(FromWord, n.Name, n.Name, f, true))
		}
		return in(n.Name, f)
	case FromEarlier:
		return in(n.Name+"_earlier", r.t.Type(n.Name).Format)
	case FromSum:
		return in(n.Name, r.t.Sum(n.Name))
	case FromPresent:
		return r.present()
	case FromTotal:
		return in(TotalInput, r.t.Total(n.Name))
	case FromLargest:
		return in("largest", r.t.Type(n.Name).Format)
	case FromLabel:
		return in(n.Name, fx.U(1, 0))
	case FromSynapse:
		return in(n.Name, r.t.Synapse(n.Name))
	case FromProducts:
		return in(n.Name, r.t.Products)
	}
	c := r.g.Setting(n.Name)
	f := fx.U(c.Bits, 0)
	if c.Tensor != "" {
		f = r.t.Type(c.Tensor).Format
	}
	return r.input(FromConstant, n.Name, n.Name, f, true)
}

// present is the operand that tells whether there is a neuron at all.
func (r *wordReader) present() fx.Value {
	if r.there < 0 {
		r.there = r.input(FromPresent, "present", "present", fx.U(1, 0), false)
	}
	return r.there
}

// Setting is the constant of a name.
func (g *Graph) Setting(name string) *Constant {
	for i := range g.Constants {
		if g.Constants[i].Name == name {
			return &g.Constants[i]
		}
	}
	panic("rule: " + g.Name + " has no constant " + name)
}

// results adds the outputs.
func (r *wordReader) results() {
	unread := map[string]fx.Value{} // words that the formula gives and does not read
	before := func(word string) fx.Value {
		for i, n := range r.g.Nodes {
			if n.Op == OpOperand && n.Name == word && (n.Source == FromWord || n.Source == FromSynapse) {
				return r.values[i]
			}
		}
		if _, ok := unread[word]; !ok {
			unread[word] = r.operand(&Node{Op: OpOperand, Source: FromWord, Name: word})
		}
		return unread[word]
	}
	for _, next := range r.g.Results {
		r.out.Output(next.Word+"_next", r.values[next.Value])
	}
	if at := r.products(); at >= 0 {
		r.out.Output("active", r.out.NonZero(r.values[at]))
		r.out.Output("moved", r.out.NonZero(r.out.Sub(r.values[r.g.Results[0].Value], before("w"))))
		return
	}
	for _, next := range r.g.Results {
		if r.t.Signal != nil && r.t.Signal(next.Word) {
			r.out.Output("delta", r.out.Sub(r.values[next.Value], before(next.Word)))
		}
	}
	var moved []fx.Value
	for _, next := range r.g.Results {
		for _, word := range r.g.Watched {
			if word == next.Word {
				moved = append(moved, r.out.NonZero(r.out.Sub(r.values[next.Value], before(word))))
			}
		}
	}
	switch len(moved) {
	case 0:
	case 1:
		r.out.Output("moved", moved[0])
	default:
		any := moved[0]
		for _, m := range moved[1:] {
			any = r.out.Add(any, m)
		}
		r.out.Output("moved", r.out.NonZero(any))
	}
}

// products is the node of an update's sum of products; below 0: it is no update.
func (r *wordReader) products() int {
	for i, n := range r.g.Nodes {
		if n.Op == OpOperand && n.Source == FromProducts {
			return i
		}
	}
	return -1
}

// unit is the raw value of 1 in a format, or the format's largest where 1 is out of its range.
func unit(f fx.Format) int64 {
	switch {
	case f.Frac < 0:
		return 0 // the only value in [0, 1] that such a format has
	case f.Frac > 62:
		return largest(f)
	}
	return min(int64(1)<<f.Frac, largest(f))
}

// largest is a format's largest raw value; 0 where that is no int64: a network that limits such a value is refused.
func largest(f fx.Format) int64 {
	if !f.FitsInt64() {
		return 0
	}
	return f.Word(f.Max())
}

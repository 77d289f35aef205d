package rule

import "fmt"

// Op is the operation of a node of a formula.
type Op uint8

// Operations. All but Round are exact in words, quotients and roots cut off one bit beyond the type of tensor Name,
// functions by their tables; what they are in real numbers goes without saying.
const (
	OpOperand Op = iota
	OpLiteral    // Node.Literal, a whole number
	OpAdd
	OpSub
	OpMul
	OpClip     // into [0, 1]
	OpRelu     // max(v, 0)
	OpNonZero  // 1 where v is not 0, else 0
	OpDivide   // a / b, 0 where b is not above 0
	OpRoot     // square root, 0 of what is below 0
	OpFunction // Node.Function
	OpRound    // in words: into the type of tensor Name; in real numbers: nothing
)

// Source tells what an operand is.
type Source uint8

// Sources of operands.
const (
	FromWord     Source = iota // a word of the neuron, or one that all neurons of the layer share
	FromEarlier                // a word of the neuron as the earlier of two compared phases left it (factors only)
	FromSum                    // an exact sum of projections
	FromTotal                  // the sum of a word over all neurons of the layer
	FromLargest                // the largest of a word over all neurons of the layer
	FromLabel                  // 1 for the label's neuron of the last layer while learning, else 0
	FromConstant               // a setting, or what follows from one
	FromSynapse                // the synapse itself, or a word beside it (updates only)
	FromProducts               // the sum over a mini-batch of products of factors (updates only)
	FromPresent                // 1; in words 0 where a neuron is missing to fill up a vector or the lanes
	FromRandom                 // in words: the random word of a stochastic rounding
)

// Value is a node of a formula: its index in Graph.Nodes.
type Value int

// Node is one operation. Fields that the operation does not need are zero.
type Node struct {
	Op       Op
	Args     []Value
	Name     string    // of the operand, or of the tensor whose type OpRound rounds into
	As       string    // what the result is called in a pipeline; empty: as the tensor
	Source   Source    // OpOperand
	Literal  int       // OpLiteral
	Function *Function // OpFunction
}

// Next is a result: the word of the neuron, or the factor, that a value becomes.
type Next struct {
	Word  string
	Value Value
}

// Graph is a formula, written once and read three ways: in real numbers, in words, and as a pipeline. It names its
// operands by what they are within the layer that it serves.
type Graph struct {
	Name      string
	Nodes     []Node // operands before those who use them
	Results   []Next
	Constants []Constant
	Watched   []string // results that have to stand still for a phase to end early
	Guarded   []string // results that must not overflow then: with a smaller step they may come out otherwise
}

// Constant is an operand that stands still for all neurons of a step. Its type is that of tensor Tensor, or the
// unsigned integers of Bits bits where Tensor is empty.
type Constant struct {
	Name   string
	Tensor string
	Bits   int
	At     func(Moment) float64
	// Scheduled: it may be another for every mini-batch, not only for every epoch.
	Scheduled bool
}

// Moment is what a constant may depend on.
type Moment struct {
	Beta      int  // sign of the nudging: 0 in a free phase, +1, -1
	Iteration int  // of the phase, from 0
	Epoch     int  // from 0
	Update    int  // mini-batches applied before this one
	Inference bool // the sample is not learned
}

func (g *Graph) add(n Node) Value {
	for _, a := range n.Args {
		if a < 0 || int(a) >= len(g.Nodes) {
			panic(fmt.Sprintf("rule: %s: operand %d of %d nodes", g.Name, a, len(g.Nodes)))
		}
	}
	g.Nodes = append(g.Nodes, n)
	return Value(len(g.Nodes) - 1)
}

// operand is the node of an operand, made when it is first named.
func (g *Graph) operand(source Source, name string) Value {
	for i, n := range g.Nodes {
		if n.Op == OpOperand && n.Source == source && n.Name == name {
			return Value(i)
		}
	}
	return g.add(Node{Op: OpOperand, Source: source, Name: name})
}

// Word is a word of the neuron, or one that the neurons of its layer share.
func (g *Graph) Word(name string) Value { return g.operand(FromWord, name) }

// Earlier is a word as the earlier of the two compared phases left it.
func (g *Graph) Earlier(name string) Value { return g.operand(FromEarlier, name) }

// Sum is an exact sum of projections into the neuron.
func (g *Graph) Sum(name string) Value { return g.operand(FromSum, name) }

// Total is the exact sum of a word over the neurons of the layer.
func (g *Graph) Total(word string) Value { return g.operand(FromTotal, word) }

// Label is 1 for the neuron of the sample's class, else 0.
func (g *Graph) Label() Value { return g.operand(FromLabel, "y") }

// Largest is the largest of a word over the neurons of the layer.
func (g *Graph) Largest(word string) Value { return g.operand(FromLargest, word) }

// Present is 1. What is added to nothing but constants is to be multiplied by it: in words it is 0 where a neuron is missing to
// fill up a vector or the lanes, whose words are to stay 0.
func (g *Graph) Present() Value { return g.operand(FromPresent, "present") }

// Synapse is the synapse that an update changes.
func (g *Graph) Synapse() Value { return g.operand(FromSynapse, "w") }

// Beside is a word beside the synapse, by its name.
func (g *Graph) Beside(name string) Value { return g.operand(FromSynapse, name) }

// Products is the exact sum of an update's products of factors over the mini-batch.
func (g *Graph) Products() Value { return g.operand(FromProducts, "sum") }

// Constant is a constant with the type of a tensor.
func (g *Graph) Constant(name, tensor string, at func(Moment) float64) Value {
	g.Constants = append(g.Constants, Constant{Name: name, Tensor: tensor, At: at})
	return g.operand(FromConstant, name)
}

// Integer is a constant that is a whole number of some bits, without a sign.
func (g *Graph) Integer(name string, bits int, at func(Moment) float64) Value {
	g.Constants = append(g.Constants, Constant{Name: name, Bits: bits, At: at})
	return g.operand(FromConstant, name)
}

// One is the number 1.
func (g *Graph) One() Value { return g.add(Node{Op: OpLiteral, Name: "one", Literal: 1}) }

// Add is a + b.
func (g *Graph) Add(a, b Value) Value { return g.add(Node{Op: OpAdd, Args: []Value{a, b}}) }

// Sub is a - b.
func (g *Graph) Sub(a, b Value) Value { return g.add(Node{Op: OpSub, Args: []Value{a, b}}) }

// Mul is a b.
func (g *Graph) Mul(a, b Value) Value { return g.add(Node{Op: OpMul, Args: []Value{a, b}}) }

// Clip limits v to 0 .. 1.
func (g *Graph) Clip(v Value) Value { return g.add(Node{Op: OpClip, Args: []Value{v}}) }

// Relu is max(v, 0).
func (g *Graph) Relu(v Value) Value { return g.add(Node{Op: OpRelu, Args: []Value{v}}) }

// NonZero is 1 where v is not 0, else 0.
func (g *Graph) NonZero(v Value) Value { return g.add(Node{Op: OpNonZero, Args: []Value{v}}) }

// Divide is a / b in the type of a tensor; 0 where b is not above 0.
func (g *Graph) Divide(tensor string, a, b Value) Value {
	return g.Round(tensor, g.add(Node{Op: OpDivide, Name: tensor, Args: []Value{a, b}}))
}

// Root is the square root of v in the type of a tensor; 0 where v is below 0.
func (g *Graph) Root(tensor string, v Value) Value {
	return g.Round(tensor, g.add(Node{Op: OpRoot, Name: tensor, Args: []Value{v}}))
}

// Apply is a function of v.
func (g *Graph) Apply(f *Function, v Value) Value {
	return g.add(Node{Op: OpFunction, Function: f, Args: []Value{v}})
}

// Round brings v into the type of a tensor; overflows are counted under its name.
func (g *Graph) Round(tensor string, v Value) Value {
	return g.add(Node{Op: OpRound, Name: tensor, Args: []Value{v}})
}

// As names the result of a rounding, where its tensor's name says too little.
func (g *Graph) As(name string, v Value) Value {
	g.Nodes[v].As = name
	return v
}

// Next makes v the next word of the neuron, or of the layer in a formula of the layer.
func (g *Graph) Next(word string, v Value) { g.Results = append(g.Results, Next{word, v}) }

// Watch names results that have to be what they were for a phase to end early: those that the next steps follow from.
func (g *Graph) Watch(words ...string) { g.Watched = append(g.Watched, words...) }

// Guard names results of which an overflow counts as a change: another step size may lead elsewhere.
func (g *Graph) Guard(words ...string) { g.Guarded = append(g.Guarded, words...) }

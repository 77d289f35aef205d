package fixedpoint

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"strings"
)

// Op is the operation of a node.
type Op uint8

const (
	OpInput Op = iota
	OpConst
	OpAdd
	OpSub
	OpMul
	OpNeg
	OpShift   // times 2^Shift: the binary point moves
	OpClip    // into [Lo, Hi]
	OpNonZero // 1 if the operand is not zero, else 0
	OpResize  // into Type; a second operand is the random word
	OpDiv     // floor(a / b), 0 where b is not above 0
	OpSqrt    // floor(sqrt(a)), 0 where a is negative
	OpTable   // the function that Table holds, linear between its entries
)

var opNames = [...]string{"input", "const", "add", "sub", "mul", "neg", "shift", "clip", "nonzero", "resize", "div", "sqrt", "table"}

// String is the operation's name.
func (o Op) String() string { return opNames[o] }

// Value is a node of a graph, the index into Nodes.
type Value int

// Node is one operation. Fields that the operation does not need are zero.
type Node struct {
	Op     Op
	Name   string
	Static bool // OpInput: stands still while values are under way
	Format Format
	Args   []Value
	Type   Type   // OpResize
	Shift  int    // OpShift
	Lo, Hi int64  // OpClip: raw bounds at the operand's binary point
	Word   int64  // OpConst
	Table  *Table // OpTable
}

// Output is a named result.
type Output struct {
	Name  string
	Value Value
}

// Graph is a directed acyclic graph of fixed-point operations. Operations are exact and their formats
// derived; only Resize, and Div and Sqrt by their floor, lose bits. Nodes stand in the order in which they were made, operands first.
type Graph struct {
	Name    string
	nodes   []Node
	outputs []Output
	names   map[string]bool
}

// GraphError is the panic value of a wrongly built graph: the caller's mistake.
type GraphError struct{ Graph, Problem string }

func (e GraphError) Error() string { return "fixedpoint: graph " + e.Graph + ": " + e.Problem }

// NewGraph makes an empty graph.
func NewGraph(name string) *Graph { return &Graph{Name: name, names: map[string]bool{}} }

func (g *Graph) fail(format string, args ...any) {
	panic(GraphError{g.Name, fmt.Sprintf(format, args...)})
}

func (g *Graph) add(n Node) Value {
	for _, a := range n.Args {
		if a < 0 || int(a) >= len(g.nodes) {
			g.fail("%v of unknown value %d", n.Op, a)
		}
	}
	g.nodes = append(g.nodes, n)
	return Value(len(g.nodes) - 1)
}

func (g *Graph) format(v Value) Format {
	if v < 0 || int(v) >= len(g.nodes) {
		g.fail("unknown value %d", v)
	}
	return g.nodes[v].Format
}

// legalName is what Go, Verilog and VHDL take as a name.
var legalName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)

func (g *Graph) claim(name string) {
	if !legalName.MatchString(name) {
		g.fail("name %q is not a letter followed by letters, digits and _", name)
	}
	if g.names[name] {
		g.fail("name %q is used twice", name)
	}
	g.names[name] = true
}

// Input is an operand from outside, a word of at most MaxWord bits.
func (g *Graph) Input(name string, f Format) Value {
	g.claim(name)
	return g.add(Node{Op: OpInput, Name: name, Format: f})
}

// Constant is an operand from outside that changes only between runs: hardware doesn't delay it.
func (g *Graph) Constant(name string, f Format) Value {
	v := g.Input(name, f)
	g.nodes[v].Static = true
	return v
}

// Const is a fixed word of f.
func (g *Graph) Const(name string, word int64, f Format) Value {
	g.claim(name)
	if !f.Contains(f.Int(word)) {
		g.fail("%s: %d is not a word of %v", name, word, f)
	}
	return g.add(Node{Op: OpConst, Name: name, Format: f, Word: word})
}

// Add is a + b.
func (g *Graph) Add(a, b Value) Value {
	return g.add(Node{Op: OpAdd, Format: AddFormat(g.format(a), g.format(b)), Args: []Value{a, b}})
}

// Sub is a - b.
func (g *Graph) Sub(a, b Value) Value {
	return g.add(Node{Op: OpSub, Format: SubFormat(g.format(a), g.format(b)), Args: []Value{a, b}})
}

// Mul is a * b.
func (g *Graph) Mul(a, b Value) Value {
	return g.add(Node{Op: OpMul, Format: MulFormat(g.format(a), g.format(b)), Args: []Value{a, b}})
}

// Neg is -a.
func (g *Graph) Neg(a Value) Value {
	return g.add(Node{Op: OpNeg, Format: NegFormat(g.format(a)), Args: []Value{a}})
}

// Shift is a * 2^n: the same bits, another binary point.
func (g *Graph) Shift(a Value, n int) Value {
	return g.add(Node{Op: OpShift, Format: ShiftFormat(g.format(a), n), Args: []Value{a}, Shift: n})
}

// Clip limits a to [lo, hi], raw values of a's format.
func (g *Graph) Clip(a Value, lo, hi int64) Value {
	f := g.format(a)
	legal := f.Check() != nil || f.Contains(NewInt(lo)) && f.Contains(NewInt(hi)) // Check reports formats too wide
	if lo > hi || !legal {
		g.fail("clip of %v to [%d, %d]", f, lo, hi)
	}
	return g.add(Node{Op: OpClip, Format: f, Args: []Value{a}, Lo: lo, Hi: hi})
}

// NonZero is 1 if a is not zero, else 0, in u1f0.
func (g *Graph) NonZero(a Value) Value {
	g.format(a)
	return g.add(Node{Op: OpNonZero, Format: U(1, 0), Args: []Value{a}})
}

// Resize rounds a into t and counts overflows under the name.
func (g *Graph) Resize(name string, a Value, t Type) Value {
	if t.Rounding == Stochastic {
		g.fail("%s: stochastic rounding needs a random word: ResizeStochastic", name)
	}
	g.claim(name)
	g.format(a)
	return g.add(Node{Op: OpResize, Name: name, Format: t.Format, Args: []Value{a}, Type: t})
}

// ResizeStochastic is Resize for stochastic rounding; random has the format u32f0.
func (g *Graph) ResizeStochastic(name string, a, random Value, t Type) Value {
	if t.Rounding != Stochastic || g.format(random) != U(32, 0) {
		g.fail("%s: want stochastic rounding and a random word of u32f0", name)
	}
	g.claim(name)
	g.format(a)
	return g.add(Node{Op: OpResize, Name: name, Format: t.Format, Args: []Value{a, random}, Type: t})
}

// Output makes v a result, of at most MaxWord bits.
func (g *Graph) Output(name string, v Value) {
	g.claim(name)
	g.format(v)
	g.outputs = append(g.outputs, Output{name, v})
}

// Nodes are all operations, operands before those who use them. The caller does not change them.
func (g *Graph) Nodes() []Node { return g.nodes }

// Outputs are the results in the order in which they were declared.
func (g *Graph) Outputs() []Output { return g.outputs }

func (g *Graph) pick(op Op) (list []Value) {
	for i, n := range g.nodes {
		if n.Op == op {
			list = append(list, Value(i))
		}
	}
	return list
}

// Inputs are the input nodes in the order in which they were made.
func (g *Graph) Inputs() []Value { return g.pick(OpInput) }

// Resizes are the resize nodes in the order in which they were made.
func (g *Graph) Resizes() []Value { return g.pick(OpResize) }

// Check tells of a node that is wider than the arithmetic here: MaxWidth within, MaxWord at the border. Its errors are WidthErrors.
func (g *Graph) Check() error {
	border := func(v Value) error {
		f := g.nodes[v].Format
		if f.Width <= MaxWord {
			return nil
		}
		return g.wide(v, fmt.Errorf("format %v: width %d is outside 1 to %d bits", f, f.Width, MaxWord), "shorten %s")
	}
	for i, n := range g.nodes {
		for _, f := range g.within(&n) {
			if err := f.Check(); err != nil {
				return g.wide(Value(i), err, "bring their binary points closer together")
			}
		}
		if n.Op == OpInput || n.Op == OpConst || n.Op == OpResize {
			if err := border(Value(i)); err != nil {
				return err
			}
		}
	}
	for _, o := range g.outputs {
		if err := border(o.Value); err != nil {
			return err
		}
	}
	return nil
}

// within are the formats of a node's value and of what it is computed by.
func (g *Graph) within(n *Node) []Format {
	switch n.Op {
	case OpSqrt:
		return []Format{n.Format, g.radicand(n)}
	case OpTable:
		return []Format{n.Format, n.Table.argument(g.nodes[n.Args[0]].Format)}
	}
	return []Format{n.Format}
}

// WidthError tells of a node whose exact value is too wide.
type WidthError struct {
	Graph  string
	Words  []Node // the inputs, constants and rounded values that it is computed from
	Err    error  // which format, and what is wrong with it
	Remedy string // %s in it is the widest word
}

func (g *Graph) wide(v Value, err error, remedy string) *WidthError {
	return &WidthError{g.Name, g.Words(v), err, remedy}
}

func (e *WidthError) Error() string {
	same := func(name string) string { return name }
	return e.Text(same, same)
}

func (e *WidthError) Unwrap() error { return e.Err }

// Text is the error's with other names for the words, and for what of them to shorten.
func (e *WidthError) Text(rename, shorten func(name string) string) string {
	list, widest := make([]string, len(e.Words)), e.Words[0]
	for i, n := range e.Words {
		list[i] = fmt.Sprintf("%s (%v)", rename(n.Name), n.Format)
		if n.Format.Width > widest.Format.Width {
			widest = n
		}
	}
	remedy := strings.ReplaceAll(e.Remedy, "%s", shorten(widest.Name))
	return fmt.Sprintf("graph %s: the exact value of %s: %v: %s", e.Graph, strings.Join(list, ", "), e.Err, remedy)
}

// Words are the inputs, constants and rounded values that a value is computed from, each once.
func (g *Graph) Words(v Value) (list []Node) {
	seen := map[Value]bool{}
	var visit func(v Value)
	visit = func(v Value) {
		n := g.nodes[v]
		switch {
		case seen[v]:
		case n.Name != "":
			list = append(list, n)
		default:
			for _, a := range n.Args {
				visit(a)
			}
		}
		seen[v] = true
	}
	visit(v)
	return list
}

// Fingerprint tells structures and formats apart, not the graph's name.
func (g *Graph) Fingerprint() string {
	var b strings.Builder
	for _, n := range g.nodes {
		fmt.Fprintf(&b, "%v %s %t %v %v %v %d %d %d %d %v\n",
			n.Op, n.Name, n.Static, n.Format, n.Args, n.Type, n.Shift, n.Lo, n.Hi, n.Word, n.Table)
	}
	fmt.Fprint(&b, g.outputs)
	return fmt.Sprintf("%x", sha256.Sum256([]byte(b.String())))
}

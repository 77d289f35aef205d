package fixedpoint

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"testing"

	"corinfo/fixedpoint/vector"
)

// randomGraph is a graph of random operations whose values have up to limit bits.
func randomGraph(rng *rand.Rand, limit int) *Graph {
	g := NewGraph("random")
	width := func() int { return 1 + rng.IntN(min(limit, MaxWord)) }
	frac := func() int { return rng.IntN(24) - 4 }
	format := func() Format {
		f := Format{width(), frac(), rng.IntN(2) == 0}
		if rng.IntN(4) > 0 {
			f.Width = 1 + (f.Width-1)/3
		}
		return f
	}
	var values []Value
	for i := range 1 + rng.IntN(4) {
		if rng.IntN(4) == 0 {
			values = append(values, g.Constant(fmt.Sprintf("constant%d", i), format()))
		} else {
			values = append(values, g.Input(fmt.Sprintf("input%d", i), format()))
		}
	}
	word := g.Input("random", U(32, 0))
	for i := range rng.IntN(3) {
		f := format()
		values = append(values, g.Const(fmt.Sprintf("const%d", i), randomWord(rng, f), f))
	}
	pick := func() Value { return values[rng.IntN(len(values))] }
	resize := func(v Value) Value {
		name := fmt.Sprintf("resize%d", len(g.nodes))
		t := randomType(rng, width(), g.format(v).Frac-rng.IntN(g.format(v).Width+4)+2)
		if rng.IntN(8) == 0 {
			t.Frac = g.format(v).Frac - 58 - rng.IntN(8) // about the most that int64 can drop
		}
		if t.Rounding == Stochastic {
			return g.ResizeStochastic(name, v, word, t)
		}
		return g.Resize(name, v, t)
	}
	for range 3 + rng.IntN(16) {
		a, b := pick(), pick()
		f := g.format(a)
		var v Value
		// An operation that would pass the limit rounds its operand instead.
		grown := func(f Format, make func() Value) {
			if f.Width > limit || f.Check() != nil {
				v = resize(a)
			} else {
				v = make()
			}
		}
		switch rng.IntN(10) {
		case 8:
			divisor := g.format(b)
			frac := f.Frac - divisor.Frac + rng.IntN(24) - 8
			switch rng.IntN(3) {
			case 0:
				grown(DivFormat(f, divisor, frac), func() Value { return g.Div(a, b, frac) })
			case 1:
				frac = (f.Frac + rng.IntN(24) - 8) >> 1
				grown(Format{Width: f.Width + 2*frac - f.Frac + 2, Signed: true}, func() Value { return g.Sqrt(a, frac) })
			default:
				table := randomTable(rng, width())
				grown(Union(table.Of(f), table.argument(f)), func() Value { return g.Table(a, table) })
			}
		case 0:
			grown(AddFormat(f, g.format(b)), func() Value { return g.Add(a, b) })
		case 1:
			grown(SubFormat(f, g.format(b)), func() Value { return g.Sub(a, b) })
		case 2:
			grown(MulFormat(f, g.format(b)), func() Value { return g.Mul(a, b) })
		case 3:
			grown(NegFormat(f), func() Value { return g.Neg(a) })
		case 4:
			v = g.Shift(a, rng.IntN(7)-3)
		case 5:
			if !f.FitsInt64() {
				continue
			}
			lo, hi := randomWord(rng, f), randomWord(rng, f)
			v = g.Clip(a, min(lo, hi), max(lo, hi))
		case 6:
			v = g.NonZero(a)
		default:
			v = resize(a)
		}
		values = append(values, v)
	}
	few := rng.IntN(2) == 0 // most values stay within the graph
	for i, v := range values {
		if few && i < len(values)-1 && rng.IntN(6) > 0 {
			continue
		}
		if g.format(v).Width <= MaxWord {
			g.Output(fmt.Sprintf("output%d", i), v)
			if rng.IntN(8) == 0 {
				g.Output(fmt.Sprintf("again%d", i), v)
			}
		}
	}
	return g
}

// TestKernelMatchesEval holds the compiled evaluation of random graphs against Eval, word by word and overflow
// by overflow, for vectors around the block's length and inputs of one word.
func TestKernelMatchesEval(t *testing.T) {
	rng := random(t)
	graphs := 1500
	if testing.Short() {
		graphs /= 10
	}
	compiled, exact := 0, 0
	for range graphs {
		limit := []int{12, 40, 62, 63, 64, 64, 65, 130, 250}[rng.IntN(9)]
		g := randomGraph(rng, limit)
		var wanted []string // all where none is
		for _, o := range g.outputs {
			if rng.IntN(4) == 0 {
				wanted = append(wanted, o.Name)
			}
		}
		kernel, err := g.Compile(wanted...)
		if err != nil {
			t.Fatalf("%+v: %v", g.nodes, err)
		}
		if kernel.Slow() != nil {
			exact++
		} else {
			compiled++
		}
		compareKernel(t, rng, g, kernel, []int{1, 2, 255, 256, 257, 513}[rng.IntN(6)])
	}
	if compiled < graphs/4 || exact < graphs/16 { // about one in eight falls back
		t.Errorf("%d graphs compiled, %d fell back: too few of one", compiled, exact)
	}
}

// TestKernelInEveryInstructionSet repeats the tests of what runs on vectors without AVX-512 and without assembly.
func TestKernelInEveryInstructionSet(t *testing.T) {
	for _, set := range []string{"avx2", "go"} {
		test := exec.Command(os.Args[0], "-test.run=^(TestKernelMatchesEval|TestLongSums|TestDrawColumn)$", "-test.v")
		test.Env = append(os.Environ(), vector.Variable+"="+set)
		out, err := test.CombinedOutput()
		if err != nil || bytes.Count(out, []byte("--- PASS: ")) != 3 {
			t.Errorf("%s: %v\n%s", set, err, out)
		}
	}
}

// TestLongSums holds sums of more terms than one step takes against Eval.
func TestLongSums(t *testing.T) {
	rng := random(t)
	for range 30 {
		g := NewGraph("long")
		sum := g.Input("start", S(12, 3))
		for i := range 2 + rng.IntN(3*maxTerms) {
			v := g.Input(fmt.Sprintf("v%d", i), S(1+rng.IntN(20), rng.IntN(9)))
			switch rng.IntN(4) {
			case 0:
				v = g.Mul(v, g.Constant(fmt.Sprintf("c%d", i), S(1+rng.IntN(30), rng.IntN(9))))
			case 1:
				v = g.Neg(g.Shift(v, rng.IntN(3)))
			}
			if AddFormat(g.format(sum), g.format(v)).Width > 62 { // no rounding in int64
				break
			}
			if rng.IntN(2) == 0 {
				sum = g.Sub(sum, v)
			} else {
				sum = g.Add(v, sum)
			}
		}
		g.Output("rounded", g.Resize("sum", sum, Type{S(16, 2), Rnd, Sat}))
		kernel, err := g.Compile()
		if err != nil || kernel.Slow() != nil {
			t.Fatalf("%+v: %v", g.nodes, err)
		}
		compareKernel(t, rng, g, kernel, 1+rng.IntN(600))
	}
}

// TestFewSteps holds an update like Adam's, of random types, against Eval, and counts its steps: means that fade are one sum of two
// products each, by factors of 32 bits or more, and a quotient, a root and the terms that they are of are one step with their rounding.
func TestFewSteps(t *testing.T) {
	rng := random(t)
	long, replaced := 0, 0
	for range 300 {
		g := NewGraph("adam")
		anyType := func(f Format) Type { return Type{f, Rounding(rng.IntN(int(Stochastic))), Overflow(rng.IntN(4))} }
		w, d, m, v := g.Input("w", S(16, 14)), g.Input("d", S(8+rng.IntN(13), 16)), g.Input("m", S(24, 20)), g.Input("v", U(31, 28+rng.IntN(3)))
		fresh, few := g.Constant("fresh", U(17, 20)), g.Constant("few", U(1+rng.IntN(17), 20))
		correction, epsilon, rate := g.Constant("correction", U(17, 16)), g.Constant("epsilon", U(8, 30)), g.Constant("rate", U(17, 26))
		mean := g.Resize("mean", g.Add(m, g.Mul(fresh, g.Sub(d, m))), anyType(S(24, 20)))
		square := g.Resize("square", g.Add(v, g.Mul(few, g.Sub(g.Mul(d, d), v))), anyType(U(31, 30)))
		root := g.Resize("root", g.Sqrt(square, 16), anyType(U(16, 15)))
		step := g.Resize("step", g.Div(g.Mul(correction, mean), g.Add(root, epsilon), 15), anyType(S(16, 14)))
		next := g.ResizeStochastic("weight", g.Add(w, g.Mul(rate, step)), g.Input("random", U(32, 0)), Type{S(16, 14), Stochastic, Sat})
		g.Output("w_next", next)
		g.Output("m_next", mean)
		g.Output("v_next", square)
		g.Output("moved", g.NonZero(g.Sub(next, w)))
		kernel, err := g.Compile("w_next", "m_next", "v_next")
		if err != nil || len(kernel.steps) != 6 {
			t.Fatalf("%v, %d steps; want the square of d and 5 rounded values:\n%+v", err, len(kernel.steps), kernel.steps)
		}
		for _, s := range kernel.steps {
			long += s.long
		}
		replaced += compareKernel(t, rng, g, kernel, 1+rng.IntN(600))
	}
	if long == 0 || replaced < 600 {
		t.Errorf("%d factors of more than 32 bits, %d inputs replaced", long, replaced)
	}
}

// compareKernel gives the number of inputs that outputs have replaced.
func compareKernel(t *testing.T, rng *rand.Rand, g *Graph, kernel *Kernel, n int) (replaced int) {
	t.Helper()
	var in, out [][]int64
	for _, v := range g.Inputs() {
		words := make([]int64, n)
		if g.nodes[v].Static || rng.IntN(6) == 0 {
			words = words[:1]
		}
		for i := range words {
			words[i] = randomWord(rng, g.nodes[v].Format)
		}
		in = append(in, words)
	}
	before := make([][]int64, len(in))
	for i := range in {
		before[i] = slices.Clone(in[i])
	}
	for range kernel.outputs {
		out = append(out, make([]int64, n))
	}
	r := kernel.NewRunner()
	const runs = 2 // the second finds what the first left
	for range runs {
		r.Run(n, in, out)
	}
	overflows := make([]int64, len(g.Resizes()))
	element := make([]int64, len(in))
	for e := range n {
		for i, words := range in {
			element[i] = words[min(e, len(words)-1)]
		}
		want, over := g.Eval(element)
		for i, o := range over {
			if o {
				overflows[i] += runs
			}
		}
		for i, o := range kernel.outputs {
			if out[i][e] != want[o] {
				t.Fatalf("%+v\n%s of element %d of %d, inputs %d: got %d, want %d", g.nodes, g.outputs[o].Name, e, n, element, out[i][e], want[o])
			}
		}
	}
	if !slices.Equal(r.Overflows(), overflows) {
		t.Fatalf("%+v\n%d elements: overflows %d, want %d", g.nodes, n, r.Overflows(), overflows)
	}
	for i := range in {
		if !slices.Equal(in[i], before[i]) {
			t.Fatalf("%+v\ninput %d was changed", g.nodes, i)
		}
	}
	return compareReplaced(t, kernel, n, in, out)
}

// compareReplaced gives outputs in the place of the inputs that they replace, of which it gives the number.
func compareReplaced(t *testing.T, kernel *Kernel, n int, in, want [][]int64) (replaced int) {
	t.Helper()
	r := kernel.NewRunner()
	own, out := slices.Clone(in), make([][]int64, len(want))
	for output := range want {
		for input := range in {
			if out[output] == nil && len(in[input]) == n && &own[input][0] == &in[input][0] && r.Replaces(output, input) {
				own[input] = slices.Clone(in[input])
				out[output] = own[input]
				replaced++
			}
		}
		if out[output] == nil {
			out[output] = make([]int64, n)
		}
	}
	r.Run(n, own, out)
	for output := range want {
		if !slices.Equal(out[output], want[output]) {
			t.Fatalf("%+v\n%s in the place of an input: got %d, want %d", kernel.g.nodes, kernel.g.outputs[kernel.outputs[output]].Name, out[output], want[output])
		}
	}
	return replaced
}

// TestKernelAtTheRails converts the values where int64 is about to overflow, by every mode: sources of
// 62 to 64 bits, up to 64 bits dropped or added.
func TestKernelAtTheRails(t *testing.T) {
	rng := random(t)
	compiled := 0
	for _, source := range []Format{U(61, 0), U(62, 0), S(62, 0), U(63, 0), S(63, 0), S(64, 0), U(64, 0)} {
		values := []int64{0, 1, 2, -1, -2, math.MaxInt64, math.MaxInt64 - 1, math.MinInt64, math.MinInt64 + 1}
		for bit := 55; bit < 64; bit++ {
			p := int64(1) << bit
			values = append(values, p, p-1, p+1, -p, -p-1, -p+1, math.MaxInt64-p, math.MaxInt64-p+1)
		}
		values = slices.DeleteFunc(values, func(v int64) bool {
			return source.Word(source.Int(v)) != v || !source.Contains(source.Int(v))
		})
		for drop := -64; drop <= 66; drop++ {
			if drop > -60 && drop < 60 && drop%8 > 1 {
				continue
			}
			for q := range roundingNames {
				for o := range overflowNames {
					to := Type{Format{[]int{1, 5, 63, 64}[rng.IntN(4)], -drop, rng.IntN(2) == 0}, Rounding(q), Overflow(o)}
					g := NewGraph("rail")
					v, word := g.Input("in", source), g.Input("random", U(32, 0))
					if to.Rounding == Stochastic {
						g.Output("out", g.ResizeStochastic("converted", v, word, to))
					} else {
						g.Output("out", g.Resize("converted", v, to))
					}
					kernel, err := g.Compile()
					if err != nil {
						t.Fatal(err)
					}
					if kernel.Slow() == nil {
						compiled++
					}
					got := [][]int64{make([]int64, len(values))}
					r := kernel.NewRunner()
					draw := []int64{0, math.MaxUint32, int64(rng.Uint32())}[rng.IntN(3)]
					r.Run(len(values), [][]int64{values, {draw}}, got)
					overflows := int64(0)
					for i, v := range values {
						want, over := oracleResize(scaled(integer(source, v), 0), 0, to, uint32(draw))
						if over {
							overflows++
						}
						if got[0][i] != pattern(want) {
							t.Fatalf("%d of %v to %v, random %08x: got %d, want %v", v, source, to, draw, got[0][i], want)
						}
					}
					if r.Overflows()[0] != overflows {
						t.Fatalf("%v to %v: %d overflows, want %d", source, to, r.Overflows()[0], overflows)
					}
				}
			}
		}
	}
	t.Logf("%d conversions compiled", compiled)
	if compiled < 1000 {
		t.Error("too few conversions compiled")
	}
}

// A runner refuses vectors of other lengths.
func TestRunPanics(t *testing.T) {
	g := NewGraph("add")
	g.Output("sum", g.Add(g.Add(g.Input("a", S(8, 0)), g.Input("b", S(8, 0))), g.Constant("c", S(8, 0))))
	kernel, err := g.Compile()
	if err != nil {
		t.Fatal(err)
	}
	a, b, c, z := make([]int64, 3), make([]int64, 2), make([]int64, 1), make([]int64, 3)
	for _, call := range []struct {
		want    string
		in, out [][]int64
	}{
		{"fixedpoint: graph add: 1 inputs and 1 outputs; want 3 and 1", [][]int64{a}, [][]int64{z}},
		{"fixedpoint: graph add: 3 inputs and 0 outputs; want 3 and 1", [][]int64{a, a, c}, nil},
		{"fixedpoint: graph add: input b has 2 words; want 3 or 1", [][]int64{a, b, c}, [][]int64{z}},
		{"fixedpoint: graph add: constant c has 3 words; want 1", [][]int64{a, a, a}, [][]int64{z}},
		{"fixedpoint: graph add: output sum has room for 2 words; want 3", [][]int64{a, a, c}, [][]int64{b}},
	} {
		func() {
			defer func() {
				err, _ := recover().(error)
				var graph GraphError
				if !errors.As(err, &graph) || err.Error() != call.want {
					t.Errorf("got %v, want %s", err, call.want)
				}
			}()
			kernel.NewRunner().Run(3, call.in, call.out)
		}()
	}
}

// What is too wide is told with the words that it is of: within a graph, at its border, and for the compiled evaluation.
func TestWideGraphs(t *testing.T) {
	for _, c := range []struct {
		of        func(g *Graph, x, y Value) Value
		err, slow string
	}{
		{func(g *Graph, x, y Value) Value {
			return g.Resize("r", g.Add(g.Mul(g.Mul(x, x), g.Mul(x, x)), y), Type{Format: S(8, 0)})
		}, "graph wide: the exact value of x (s64f0), y (s24f9): format s266f9: width 266 is outside 1 to 256 bits: bring their binary points closer together", ""},
		{func(g *Graph, x, y Value) Value { return g.Sub(y, x) },
			"graph wide: the exact value of y (s24f9), x (s64f0): format s74f9: width 74 is outside 1 to 64 bits: shorten x", ""},
		{func(g *Graph, x, y Value) Value { return g.Resize("r", g.Add(y, x), Type{Format: S(8, 0)}) },
			"", "graph wide: the exact value of y (s24f9), x (s64f0): format s74f9: more than 64 bits: shorten x"},
		{func(g *Graph, x, y Value) Value { return g.Resize("r", x, Type{Format: S(8, -1), Rounding: Rnd}) },
			"", "graph wide: the exact value of x (s64f0): format s64f0, rounded into ap_fixed<8,9,RND,WRAP>: more than 64 bits: shorten x"},
		{func(g *Graph, x, y Value) Value { return g.Resize("r", y, Type{Format: S(8, -1), Rounding: Rnd}) }, "", ""},
	} {
		g := NewGraph("wide")
		g.Output("z", c.of(g, g.Input("x", S(64, 0)), g.Input("y", S(24, 9))))
		kernel, err := g.Compile()
		if err != nil || c.err != "" {
			if fmt.Sprint(err) != c.err {
				t.Errorf("got %v, want %s", err, c.err)
			}
			continue
		}
		if slow := kernel.Slow(); (slow != nil || c.slow != "") && (slow == nil || slow.Error() != c.slow) {
			t.Errorf("got %v, want %s", slow, c.slow)
		}
	}
}

package hdlgen

import (
	"bytes"
	"cmp"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	fx "corinfo/fixedpoint"
	"corinfo/golden/goldentest"
	vl "corinfo/hdlgen/verilog"
	"corinfo/rtl"
)

// needTool skips a test without its tool.
var needTool = goldentest.NeedTool

// command runs a tool in a folder and gives what it prints.
func command(dir, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	out, err := command(dir, name, args...)
	require.NoError(t, err, "%s %v\n%s", name, args, out)
	return out
}

// testSeed draws from a random seed that the log names; CORINFO_SEED repeats it.
func testSeed(t *testing.T) *rand.Rand {
	t.Helper()
	return rand.New(rand.NewPCG(goldentest.Seed(t), 7))
}

// Every pipeline must give, in Icarus, the words and overflows of Graph.Eval, and lint clean in Verilator.
func TestPipelineMatchesEval(t *testing.T) {
	needTool(t, "iverilog")
	needTool(t, "verilator")
	rng := testSeed(t)
	dir := t.TempDir()
	graphs := 60
	if testing.Short() {
		graphs = 12
	}
	for i := range graphs {
		g := randomGraph(rng, fmt.Sprintf("graph%d", i))
		target := FastTarget
		if i%2 == 1 {
			target = Target{ReadCycles: 1, OperandCycles: i / 2 % 2, RoundBits: rng.IntN(40), RingCycles: []int{0, 3, 3 + rng.IntN(6)}[rng.IntN(3)]}
		}
		comparePipeline(t, rng, dir, g, target, 64, i%5 == 0)
	}
}

// Every rounding and overflow mode over every word of a small source.
func TestPipelineResizesExhaustively(t *testing.T) {
	needTool(t, "iverilog")
	rng := testSeed(t)
	dir := t.TempDir()
	for _, signed := range []bool{true, false} {
		for _, frac := range []int{-2, 0, 3, 7, 11} {
			g := fx.NewGraph("resizes")
			source := g.Input("source", fx.Format{Width: 7, Frac: 4, Signed: signed})
			random := g.Input("random", fx.U(32, 0))
			for q := fx.Trn; q <= fx.Stochastic; q++ {
				for o := fx.Wrap; o <= fx.SatSym; o++ {
					for _, toSigned := range []bool{true, false} {
						typ := fx.Type{Format: fx.Format{Width: 4, Frac: frac, Signed: toSigned}, Rounding: q, Overflow: o}
						name := fmt.Sprintf("r_%v_%v_%t", q, o, toSigned)
						var v fx.Value
						if q == fx.Stochastic {
							v = g.ResizeStochastic(name, source, random, typ)
						} else {
							v = g.Resize(name, source, typ)
						}
						g.Output("o_"+name, v)
					}
				}
			}
			g.Output("o_random", random)
			comparePipeline(t, rng, dir, g, Target{ReadCycles: 1, RoundBits: 128 * (int(frac) & 1)}, 128, true)
		}
	}
}

// comparePipeline holds the text that Pipeline prints for a graph against Graph.Eval.
func comparePipeline(t *testing.T, rng *rand.Rand, dir string, g *fx.Graph, target Target, vectors int, lint bool) {
	t.Helper()
	text, latency := printed(t, g, target)
	if lint {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "dut.v"), []byte(text), 0o644))
		files := []string{"dut.v"}
		for _, name := range cellsOf(text) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), rtl.Text(name), 0o644))
			files = append(files, name)
		}
		run(t, dir, "verilator", append([]string{"--lint-only", "-Wall", "--top-module", "dut"}, files...)...)
	}
	b := newBench(t, dir, g, latency, randomVectors(rng, g, vectors))
	difference, err := b.difference(text)
	require.NoError(t, err)
	require.Empty(t, difference, "%+v\n%s", g.Nodes(), text)
}

// cellsOf are the files of the library that a pipeline's text instantiates.
func cellsOf(text string) []string {
	var modules []string
	for _, match := range regexp.MustCompile(`(?m)^  (corinfo_\w+) #\(`).FindAllStringSubmatch(text, -1) {
		modules = append(modules, match[1])
	}
	return rtl.Needed(modules)
}

// printed is the text of a graph's pipeline, a module dut.
func printed(t *testing.T, g *fx.Graph, target Target) (text string, latency int) {
	t.Helper()
	m, latency, err := Pipeline("dut", g, target, []string{"dut: a pipeline under test."})
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, vl.Fprint(&b, m))
	return b.String(), latency
}

// randomVectors draws a word for every input and cycle; constants stand still, and a first input that is small
// takes every word.
func randomVectors(rng *rand.Rand, g *fx.Graph, count int) [][]int64 {
	vectors := make([][]int64, count)
	for e := range vectors {
		for k, v := range g.Inputs() {
			n := g.Nodes()[v]
			w := randomWord(rng, n.Format)
			switch {
			case n.Static && e > 0:
				w = vectors[0][k]
			case k == 0 && n.Format.Width <= 7:
				w = n.Format.Word(n.Format.Min().Add(fx.NewInt(int64(e % (1 << n.Format.Width)))))
			}
			vectors[e] = append(vectors[e], w)
		}
	}
	return vectors
}

// A bench runs modules of a graph's ports in Icarus over vectors, in a folder of its own.
type bench struct {
	language string // of the text, as Icarus names it; "": -g2005
	dir      string
	want     []string // by cycle: outputs and overflows that Graph.Eval gives, "" where constants change under way
}

// newBench writes the test bench of a graph and what it reads. Before constants change, the last vector stays
// until its results are out.
func newBench(t *testing.T, dir string, g *fx.Graph, latency int, vectors [][]int64) *bench {
	t.Helper()
	b := &bench{dir: dir}
	nodes, inputs := g.Nodes(), g.Inputs()
	var stimulus strings.Builder
	var inWidth, outWidth int
	apply := func(in []int64) {
		line := new(big.Int)
		inWidth = 0
		for k, v := range inputs {
			appendBits(line, nodes[v].Format.Width, in[k])
			inWidth += nodes[v].Format.Width
		}
		fmt.Fprintf(&stimulus, "%x\n", line)
	}
	for e, in := range vectors {
		if e > 0 && changes(g, vectors[e-1], in) {
			for range latency {
				apply(vectors[e-1])
				b.want = append(b.want, "")
			}
		}
		apply(in)
		out, over := g.Eval(in)
		line := new(big.Int)
		outWidth = 0
		for i, o := range g.Outputs() {
			w := nodes[o.Value].Format.Width
			appendBits(line, w, out[i])
			outWidth += w
		}
		for _, o := range over {
			bit := int64(0)
			if o {
				bit = 1
			}
			appendBits(line, 1, bit)
			outWidth++
		}
		b.want = append(b.want, fmt.Sprintf("%0*x", (outWidth+3)/4, line))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "in.hex"), []byte(stimulus.String()), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "tb.v"), []byte(testbench(g, latency, len(b.want), inWidth, outWidth)), 0o644))
	return b
}

// changes tells whether constants differ between two vectors.
func changes(g *fx.Graph, a, b []int64) bool {
	for k, v := range g.Inputs() {
		if g.Nodes()[v].Static && a[k] != b[k] {
			return true
		}
	}
	return false
}

// testbench applies a line of in.hex per cycle and prints the results. Every third cycle has an edge before it in which
// the pipeline stands still.
func testbench(g *fx.Graph, latency, cycles, inWidth, outWidth int) string {
	nodes := g.Nodes()
	var ins, outs, binds []string
	var tb strings.Builder
	fmt.Fprintf(&tb, "module tb;\nreg clk = 0, enable = 1;\nreg [%d:0] in [0:%d];\n", inWidth-1, cycles-1)
	for _, v := range g.Inputs() {
		n := nodes[v]
		ins = append(ins, n.Name)
		binds = append(binds, fmt.Sprintf(".%s_i(%s)", n.Name, n.Name))
		fmt.Fprintf(&tb, "reg [%d:0] %s;\n", n.Format.Width-1, n.Name)
	}
	result := func(name string, width int) {
		fmt.Fprintf(&tb, "wire [%d:0] %s;\n", width-1, name)
		outs = append(outs, name)
		binds = append(binds, fmt.Sprintf(".%s(%s)", name, name))
	}
	for _, o := range g.Outputs() {
		result(o.Name+"_o", nodes[o.Value].Format.Width)
	}
	for _, v := range g.Resizes() {
		result(nodes[v].Name+"_overflow_o", 1)
	}
	fmt.Fprintf(&tb, "wire [%d:0] out = {%s};\n", outWidth-1, strings.Join(outs, ", "))
	fmt.Fprintf(&tb, "dut u_dut(.clk_i(clk), .enable_i(enable), %s);\ninteger i;\n", strings.Join(binds, ", "))
	fmt.Fprintf(&tb, "initial begin\n$readmemh(\"in.hex\", in);\nfor (i = 0; i < %d; i = i + 1) begin\n", cycles+latency)
	fmt.Fprintf(&tb, "if (i < %d) {%s} = in[i];\n#1;\nif (i >= %d) $display(\"%%x\", out);\n"+
		"if (i %% 3 == 1) begin\n#1 enable = 0;\n#1 clk = 1;\n#1 clk = 0;\nenable = 1;\nend\n#4 clk = 1;\n#5 clk = 0;\nend\nend\nendmodule\n", cycles, strings.Join(ins, ", "), latency)
	return tb.String()
}

// difference runs a text of the module dut, with the library's cells that it lacks, and tells the first result that is not as Graph.Eval has it, "" if
// all are. An error is a text that Icarus refuses.
func (b *bench) difference(text string) (string, error) {
	for _, name := range cellsOf(text) {
		if cell := string(rtl.Text(name)); !strings.Contains(text, "\nmodule "+strings.TrimSuffix(name, ".v")+" ") {
			text += cell
		}
	}
	if err := os.WriteFile(filepath.Join(b.dir, "dut.v"), []byte(text), 0o644); err != nil {
		return "", err
	}
	if out, err := command(b.dir, "iverilog", cmp.Or(b.language, "-g2005"), "-Wall", "-Wno-timescale", "-o", "tb.vvp", "dut.v", "tb.v"); err != nil {
		return "", fmt.Errorf("iverilog: %w\n%s", err, out)
	}
	out, err := command(b.dir, "vvp", "-n", "tb.vvp")
	if err != nil {
		return "", fmt.Errorf("vvp: %w\n%s", err, out)
	}
	got := strings.Split(strings.TrimSpace(out), "\n")
	if len(got) != len(b.want) {
		return "", fmt.Errorf("%d results; want %d\n%s", len(got), len(b.want), out)
	}
	for i, w := range b.want {
		if w != "" && got[i] != w {
			return fmt.Sprintf("vector %d: got %s, want %s", i, got[i], w), nil
		}
	}
	return "", nil
}

func appendBits(line *big.Int, width int, word int64) {
	mask := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), uint(width)), big.NewInt(1))
	line.Lsh(line, uint(width))
	line.Or(line, mask.And(mask, big.NewInt(word)))
}

func randomWord(rng *rand.Rand, f fx.Format) int64 {
	switch rng.IntN(6) {
	case 0:
		return f.Word(f.Min())
	case 1:
		return f.Word(f.Max())
	case 2:
		return 0
	}
	w := rng.Uint64()
	if f.Signed {
		return int64(w) >> (64 - f.Width)
	}
	return int64(w >> (64 - f.Width))
}

// randomTable is a table in whose domain some arguments of a format lie.
func randomTable(rng *rand.Rand, a fx.Format) *fx.Table {
	t := &fx.Table{Name: "random", Low: rng.IntN(9) - 6, Step: rng.IntN(5), Format: fx.Format{Width: 1 + rng.IntN(20), Frac: rng.IntN(20), Signed: rng.IntN(2) == 0}}
	t.Log2Size = rng.IntN(4) - rng.IntN(t.Step+1)
	for range t.Segments() + 1 {
		t.Entries = append(t.Entries, randomWord(rng, t.Format))
	}
	return t
}

func randomGraph(rng *rand.Rand, name string) *fx.Graph {
	g := fx.NewGraph(name)
	var values []fx.Value
	limit := 2 + rng.IntN(24)
	for i := range 2 + rng.IntN(3) {
		f := fx.Format{Width: 1 + rng.IntN(limit), Frac: rng.IntN(20) - 4, Signed: rng.IntN(3) > 0}
		if rng.IntN(4) == 0 {
			values = append(values, g.Constant(fmt.Sprintf("k%d", i), f))
		} else {
			values = append(values, g.Input(fmt.Sprintf("in%d", i), f))
		}
	}
	random := g.Input("random", fx.U(32, 0))
	pick := func() fx.Value {
		for {
			if v := values[rng.IntN(len(values))]; g.Nodes()[v].Format.Width < 60 {
				return v
			}
		}
	}
	for i := range 2 + rng.IntN(8) {
		switch rng.IntN(11) {
		case 9:
			a, b := pick(), pick()
			f, d := g.Nodes()[a].Format, g.Nodes()[b].Format
			frac := f.Frac - d.Frac + rng.IntN(24) - 12
			if fx.DivFormat(f, d, frac).Width < 60 {
				values = append(values, g.Div(a, b, frac))
			}
		case 10:
			a := pick()
			if f := g.Nodes()[a].Format; rng.IntN(2) == 0 {
				values = append(values, g.Table(a, randomTable(rng, f)))
			} else {
				values = append(values, g.Sqrt(a, (f.Frac+rng.IntN(24)-12)>>1))
			}
		case 0:
			values = append(values, g.Add(pick(), pick()))
		case 1:
			values = append(values, g.Sub(pick(), pick()))
		case 2:
			values = append(values, g.Mul(pick(), pick()))
		case 3:
			values = append(values, g.Neg(pick()))
		case 4:
			values = append(values, g.Shift(pick(), rng.IntN(9)-4))
		case 5:
			values = append(values, g.NonZero(pick()))
		case 6:
			a := pick()
			f := g.Nodes()[a].Format
			lo, hi := randomWord(rng, f), randomWord(rng, f)
			values = append(values, g.Clip(a, min(lo, hi), max(lo, hi)))
		default:
			typ := fx.Type{Format: fx.Format{Width: 1 + rng.IntN(30), Frac: rng.IntN(24) - 4, Signed: rng.IntN(3) > 0},
				Rounding: fx.Rounding(rng.IntN(8)), Overflow: fx.Overflow(rng.IntN(4))}
			name := fmt.Sprintf("resize%d", i)
			if typ.Rounding == fx.Stochastic {
				values = append(values, g.ResizeStochastic(name, pick(), random, typ))
			} else {
				values = append(values, g.Resize(name, pick(), typ))
			}
		}
	}
	g.Output("out_random", random)
	outputs := 0
	for _, v := range values {
		if g.Nodes()[v].Format.Width <= fx.MaxWord {
			g.Output(fmt.Sprintf("out%d", outputs), v)
			outputs++
		}
	}
	return g
}

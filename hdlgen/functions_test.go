package hdlgen

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	fx "corinfo/fixedpoint"
	"corinfo/rtl"
)

// functionGraphs are quotients, roots and tables of all kinds of formats.
func functionGraphs(rng *rand.Rand) (list []*fx.Graph) {
	formats := []fx.Format{fx.S(1, 0), fx.U(1, 1), fx.S(2, 1), fx.U(2, -1), fx.S(7, 4), fx.U(7, 3), fx.S(6, -2), fx.U(5, 9)}
	for _, a := range formats {
		g := fx.NewGraph(fmt.Sprintf("functions_%v", a))
		x := g.Input("x", a)
		for i, b := range formats {
			y := g.Input(fmt.Sprintf("y%d", i), b)
			for _, shift := range []int{-a.Width - 1, -1, 0, 3} {
				frac := a.Frac - b.Frac + shift
				g.Output(fmt.Sprintf("q%d", len(g.Outputs())), g.Div(x, y, frac))
			}
		}
		for shift := -3; shift < 8; shift++ {
			g.Output(fmt.Sprintf("r%d", len(g.Outputs())), g.Sqrt(x, (a.Frac+shift)>>1))
		}
		for range 8 {
			g.Output(fmt.Sprintf("t%d", len(g.Outputs())), g.Table(x, randomTable(rng, a)))
		}
		list = append(list, g)
	}
	return list
}

// Quotients, roots and tables of every word of short formats, divisors drawn, in both latencies of a memory.
func TestFunctionPipelines(t *testing.T) {
	needTool(t, "iverilog")
	needTool(t, "verilator")
	rng := testSeed(t)
	dir := t.TempDir()
	for i, g := range functionGraphs(rng) {
		comparePipeline(t, rng, dir, g, Target{ReadCycles: 1 + i%2, RingCycles: []int{0, 4}[rng.IntN(2)]}, 400, true)
	}
}

// adam is a graph with everything in it: a step of m / (sqrt(v) + epsilon), and the known tables.
func adam() *fx.Graph {
	g := fx.NewGraph("adam")
	step := fx.Type{Format: fx.S(18, 14), Rounding: fx.Rnd, Overflow: fx.Sat}
	root := g.Add(g.Sqrt(g.Input("v", fx.U(24, 30)), 20), g.Constant("epsilon", fx.U(8, 20)))
	m := g.Input("m", fx.S(18, 17))
	g.Output("step", g.Resize("rounded", g.Div(m, root, 15), step))
	x := g.Input("x", fx.S(16, 10))
	g.Output("sigmoid", g.Table(x, fx.SigmoidTable()))
	g.Output("exp", g.Table(x, fx.ExpTable()))
	return g
}

// Known tables, a quotient of a root and more give the same words in Icarus and, compiled, in Verilator; Icarus and Yosys
// have nothing to say about the text.
func TestFunctionsInEverySimulator(t *testing.T) {
	for _, tool := range []string{"iverilog", "verilator", "yosys"} {
		needTool(t, tool)
	}
	rng := testSeed(t)
	dir := t.TempDir()
	g := adam()
	comparePipeline(t, rng, dir, g, FastTarget, 500, true)

	text, latency := printed(t, g, FastTarget)
	b := newBench(t, dir, g, latency, randomVectors(rng, g, 3000))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "dut.v"), []byte(text), 0o644))
	files := []string{"dut.v"}
	for _, name := range cellsOf(text) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), rtl.Text(name), 0o644))
		files = append(files, name)
	}
	require.Contains(t, files, "corinfo_divide.v")
	require.Contains(t, files, "corinfo_root.v")

	lint := []string{"-g2005", "-Wall", "-Wno-timescale", "-s", "dut", "-o", "lint.vvp"}
	said := run(t, dir, "iverilog", append(lint, files...)...)
	require.Empty(t, said)
	read := "read_verilog " + strings.Join(files, " ") + "; hierarchy -check -top dut; proc"
	said = run(t, dir, "yosys", "-q", "-e", ".*", "-p", read+"; check -assert")
	require.Empty(t, said)

	build := []string{"--binary", "-Wno-fatal", "-Wno-lint", "-O0", "--top-module", "tb", "-Mdir", "built", "tb.v"}
	run(t, dir, "verilator", append(build, files...)...)
	out := run(t, dir, filepath.Join(dir, "built", "Vtb"))
	got := strings.Split(strings.TrimSpace(out), "\n")
	for i, want := range b.want {
		require.Equal(t, want, got[i], "vector %d", i)
	}
	// All words of a table lie in a memory that is read into a register.
	said = run(t, dir, "yosys", "-p", read+"; opt -full; memory -nomap; stat dut")
	require.Regexp(t, `\$mem_v2 +2\n`, said)
	require.NotRegexp(t, `\$pmux`, said)
}

// Single tokens changed in a pipeline of functions and in the cells are found by vectors.
func TestFunctionMutants(t *testing.T) {
	needTool(t, "iverilog")
	rng := testSeed(t)
	dir := t.TempDir()
	g := fx.NewGraph("mutants")
	x, y := g.Input("x", fx.S(6, 3)), g.Input("y", fx.S(4, 1))
	g.Output("q", g.Div(x, y, 4))
	g.Output("r", g.Sqrt(g.Input("z", fx.S(8, 4)), 2))
	g.Output("u", g.Div(g.Input("w", fx.U(5, 0)), g.Input("d", fx.U(3, 0)), 0))
	table := &fx.Table{Name: "bent", Low: -2, Log2Size: 2, Step: 1, Format: fx.S(6, 4), Entries: []int64{-32, 31, 5, -7, 13, -32, 1, 30, -20}}
	g.Output("t", g.Table(x, table))
	text, latency := printed(t, g, FastTarget)
	vectors := randomVectors(rng, g, 2000)
	for i := range 64 * 16 { // every dividend by every divisor
		vectors[i][0], vectors[i][1] = int64(i%64-32), int64(i/64-8)
	}
	for i := range 256 {
		vectors[i][2], vectors[i][3], vectors[i][4] = int64(i-128), int64(i%32), int64(i/32)
	}
	b := newBench(t, dir, g, latency, append(vectors, aimedVectors(rng, g, 2)...))
	watched := text
	for _, name := range cellsOf(text) {
		text += string(rtl.Text(name))
		with, properties := rtl.WithProperties(name, rtl.Text(name))
		watched += string(with) + string(properties)
	}
	difference, err := b.difference(text)
	require.NoError(t, err)
	require.Empty(t, difference)
	b.language = "-g2012"
	difference, err = b.difference(watched)
	require.NoError(t, err)
	require.Empty(t, difference)
	for _, violation := range [][3]string{
		{"assign fits = !less[RestW];", "assign fits = less[RestW];", "corinfo_divide: a quotient is not the floor"},
		{"positive_q[Bits-1] ? wide ^ {Width{flip}} : {Width{1'b0}}", "wide ^ {Width{flip}}", "corinfo_divide: a quotient by what is not above 0 is not 0"},
		{"2'b01", "2'b00", "corinfo_root: a root is not the floor"},
	} {
		require.Contains(t, watched, violation[0])
		_, err = b.difference(strings.ReplaceAll(watched, violation[0], violation[1]))
		require.ErrorContains(t, err, violation[2])
	}
	b.language = ""
	found := 0
	for _, mutant := range [][2]string{
		{"quotient_q <= positive_q[Bits-1] ? ", "quotient_q <= positive_q[0] ? "},
		{"wide ^ {Width{flip}}", "wide"},
		{"assign fits = !less[RestW];", "assign fits = less[RestW];"},
		{"assign fits = shifted >= {1'b0, divisor};", "assign fits = shifted > {1'b0, divisor};"},
		{"|divisor_i[RestW-1:0] && !", "!"},
		{"DivisorSigned != 0 && divisor_i[DivisorWidth-1]", "1'b0"},
		{"^ {Bits{negative}}", ""},
		{"rest_q    <= fits ? less[RestW-1:0] :", "rest_q    <= !fits ? less[RestW-1:0] :"},
		{"divisor_q <= divisor;", "divisor_q <= ~divisor;"},
		{"2'b01", "2'b00"},
		{"assign fits = shifted >= trial;", "assign fits = shifted > trial;"},
		{"radicand_q <= radicand[Left", "radicand_q <= ~radicand[Left"},
		{"rest_q     <= fits ?", "rest_q     <= !fits ?"},
		{"root_q[0] <= fits;", "root_q[0] <= 1'b1;"},
		{"_index_3 <= ", "_index_3 <= 3'h1 ^ "},
		{"_place_4 <= ", "_place_4 <= ~"},
		{"z_1[7] ? ", "1'b0 ? "},
		{"}}, x_1}) - ", "}}, x_1}) + "},
	} {
		changed := strings.ReplaceAll(text, mutant[0], mutant[1])
		require.NotEqual(t, text, changed, mutant[0])
		difference, err := b.difference(changed)
		require.NoError(t, err, mutant[1])
		require.NotEmpty(t, difference, mutant[1])
		found++
	}
	t.Logf("%d mutants found", found)
}

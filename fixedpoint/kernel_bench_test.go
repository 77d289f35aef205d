package fixedpoint

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// BenchmarkKernel evaluates a synapse's update, w' = round(w + rate round(sum)), over vectors, in time per element.
func BenchmarkKernel(b *testing.B) {
	for _, bits := range []int{32, 64} { // of the sum; at 64 rounding passes int64, so Eval is under test
		for _, rounding := range []Rounding{Trn, Rnd, RndConv, Stochastic} {
			b.Run(fmt.Sprintf("%d-bit/%v", bits, rounding), func(b *testing.B) {
				g := NewGraph("synapse")
				w := g.Input("w", S(16, 14))
				sum := g.Input("sum", S(bits, 24))
				rate := g.Constant("rate", U(16, 20))
				change := g.Mul(rate, g.Resize("update", sum, Type{S(24, 20), Rnd, Sat}))
				stored := Type{S(16, 14), rounding, Sat}
				var next Value
				if rounding == Stochastic {
					next = g.ResizeStochastic("weight", g.Add(w, change), g.Input("random", U(32, 0)), stored)
				} else {
					next = g.Resize("weight", g.Add(w, change), stored)
				}
				g.Output("next", next)
				g.Output("moved", g.NonZero(g.Sub(next, w)))
				benchmarkGraph(b, g)
			})
		}
	}
}

// BenchmarkKernelSoma evaluates a settling step, the other hot graph of a network.
func BenchmarkKernelSoma(b *testing.B) {
	g := NewGraph("soma")
	state := Type{U(16, 16), Rnd, Sat}
	potential := Type{S(20, 16), Rnd, Sat}
	current := Type{S(24, 16), Rnd, Sat}
	k := S(18, 12)
	sums := S(42, 28)
	basal, feedback, lateral := g.Input("basal", sums), g.Input("feedback", sums), g.Input("lateral", sums)
	r, u := g.Input("r", state.Format), g.Input("u", potential.Format)
	eta, kCurrent, kR, kU := g.Constant("eta", k), g.Constant("k_current", k), g.Constant("k_r", k), g.Constant("k_u", k)
	towards := g.Add(g.Mul(kCurrent, g.Resize("current", g.Add(basal, feedback), current)), g.Resize("lateral_rounded", lateral, current))
	drive := g.Resize("drive", g.Add(towards, g.Sub(g.Mul(kR, r), g.Mul(kU, u))), current)
	next := g.Resize("potential", g.Add(u, g.Mul(eta, drive)), potential)
	s := g.Resize("state", g.Clip(next, 0, 1<<16), state)
	g.Output("u_next", next)
	g.Output("r_next", s)
	g.Output("delta", g.Sub(s, r))
	g.Output("moved", g.NonZero(g.Sub(next, u)))
	benchmarkGraph(b, g)
}

// BenchmarkFunctions evaluates quotients, roots and tables: short ones, those of up to 63 bits, and those that Eval computes.
func BenchmarkFunctions(b *testing.B) {
	for _, c := range []struct {
		name string
		make func(g *Graph) Value
	}{
		{"div/40-bit", func(g *Graph) Value { return g.Div(g.Input("a", S(18, 17)), g.Input("b", U(18, 18)), 20) }},
		{"div/62-bit", func(g *Graph) Value { return g.Div(g.Input("a", S(32, 31)), g.Input("b", U(31, 31)), 30) }},
		{"div/100-bit", func(g *Graph) Value {
			return g.Resize("r", g.Div(g.Input("a", S(32, 31)), g.Input("b", U(31, 31)), 68), Type{S(32, 30), Rnd, Sat})
		}},
		{"sqrt/44-bit", func(g *Graph) Value { return g.Sqrt(g.Input("a", U(24, 30)), 25) }},
		{"sqrt/62-bit", func(g *Graph) Value { return g.Sqrt(g.Input("a", U(31, 31)), 31) }},
		{"sqrt/80-bit", func(g *Graph) Value { return g.Sqrt(g.Input("a", U(31, 31)), 40) }},
		{"table/sigmoid", func(g *Graph) Value { return g.Table(g.Input("a", S(18, 13)), SigmoidTable()) }},
		{"table/exp", func(g *Graph) Value { return g.Table(g.Input("a", S(18, 13)), ExpTable()) }},
		{"adam", func(g *Graph) Value { // m / (sqrt(v) + epsilon), rounded
			root := g.Add(g.Sqrt(g.Input("v", U(24, 30)), 20), g.Constant("epsilon", U(8, 20)))
			return g.Resize("step", g.Div(g.Input("m", S(18, 17)), root, 15), Type{S(18, 14), Rnd, Sat})
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			g := NewGraph("function")
			g.Output("y", c.make(g))
			benchmarkGraph(b, g)
		})
	}
}

func benchmarkGraph(b *testing.B, g *Graph) {
	const n = 500
	kernel, err := g.Compile()
	if err != nil {
		b.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	var in, out [][]int64
	for _, v := range g.Inputs() {
		node := g.Nodes()[v]
		words := make([]int64, n)
		if node.Static {
			words = words[:1]
		}
		for i := range words {
			words[i] = int64(rng.Uint64()) >> (64 - node.Format.Width)
			if !node.Format.Signed {
				words[i] &= 1<<node.Format.Width - 1
			}
		}
		in = append(in, words)
	}
	for range g.Outputs() {
		out = append(out, make([]int64, n))
	}
	r := kernel.NewRunner()
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		r.Run(n, in, out)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/element")
	b.ReportMetric(float64(len(g.Nodes())), "nodes")
}

func BenchmarkDraw(b *testing.B) {
	key := NewKey(1, 2, 3)
	var sum uint32
	for i := range b.N {
		sum += key.Draw(7, uint16(i))
	}
	if sum == 1 {
		b.Log(sum)
	}
}

func BenchmarkResize(b *testing.B) {
	t := Type{S(16, 14), RndConv, Sat}
	var sum int64
	for i := range b.N {
		w, _ := t.Resize(NewInt(int64(i)*0x1234567), 28, 0)
		sum += w
	}
	if sum == 1 {
		b.Log(sum)
	}
}

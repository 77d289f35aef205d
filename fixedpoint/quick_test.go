package fixedpoint

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The pairs were made by the vendor's own headers.
func TestReferencePairs(t *testing.T) {
	files, _ := filepath.Glob("testdata/ap_fixed*.json")
	if dir := os.Getenv("CORINFO_REFERENCE"); dir != "" {
		more, _ := filepath.Glob(filepath.Join(dir, "ap_fixed*.json"))
		files = append(files, more...)
	}
	if len(files) == 0 {
		t.Fatal("no reference files")
	}
	type format struct {
		Width        int
		IntegerBits  int `json:"integer_bits"`
		Signed       bool
		Quantization string
		Overflow     string
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var reference struct {
				Cases []struct {
					Source, Destination format
					Pairs               [][2]int64
				}
			}
			if err := json.Unmarshal(text, &reference); err != nil {
				t.Fatal(err)
			}
			for _, c := range reference.Cases {
				d := c.Destination
				name := "ap_ufixed<"
				if d.Signed {
					name = "ap_fixed<"
				}
				typ, err := ParseType(name + strings.Join([]string{itoa(d.Width), itoa(d.IntegerBits), d.Quantization, d.Overflow}, ",") + ">")
				if err != nil {
					t.Fatal(err)
				}
				source := Format{c.Source.Width, c.Source.Width - c.Source.IntegerBits, c.Source.Signed}
				for _, p := range c.Pairs {
					if got, _ := typ.Resize(source.Int(p[0]), source.Frac, 0); got != p[1] {
						t.Errorf("%v -> %v: %d gives %d, want %d", source, typ, p[0], got, p[1])
					}
				}
			}
		})
	}
}

func itoa(n int) string { return string([]byte(jsonInt(n))) }

func jsonInt(n int) []byte { b, _ := json.Marshal(n); return b }

func TestSpeckVector(t *testing.T) {
	keys := make([]uint16, 22)
	expand(0x09080100, 0x1110, 0, keys) // l1 = 1110 needs l2 = 1918
	keys = make([]uint16, 22)
	expand(0x0908_0100, 0x18_1110, 0x19, keys)
	if got := encrypt(keys, 0x6574, 0x694c); got != 0xa86842f2 {
		t.Errorf("got %08x, want a86842f2", got)
	}
}

// Kernel against Eval on random graphs.
func TestKernelMatchesEval(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	for range 300 {
		g := randomGraph(rng)
		k, err := g.Compile()
		if err != nil {
			continue
		}
		r := k.NewRunner()
		n := 1 + rng.IntN(600)
		var in [][]int64
		for _, v := range g.Inputs() {
			f := g.Nodes()[v].Format
			length := n
			if rng.IntN(4) == 0 {
				length = 1
			}
			words := make([]int64, length)
			for i := range words {
				words[i] = randomWord(rng, f)
			}
			in = append(in, words)
		}
		var out [][]int64
		for range g.Outputs() {
			out = append(out, make([]int64, n))
		}
		r.Run(n, in, out)
		counts := make([]int64, len(g.Resizes()))
		for e := range n {
			one := make([]int64, len(in))
			for i, v := range in {
				one[i] = v[min(e, len(v)-1)]
			}
			words, over := g.Eval(one)
			for i, w := range words {
				if out[i][e] != w {
					t.Fatalf("element %d output %d: got %d, want %d\n%+v", e, i, out[i][e], w, g.Nodes())
				}
			}
			for i, o := range over {
				if o {
					counts[i]++
				}
			}
		}
		for i, c := range counts {
			if r.Overflows()[i] != c {
				t.Fatalf("overflows of resize %d: got %d, want %d", i, r.Overflows()[i], c)
			}
		}
	}
}

func randomWord(rng *rand.Rand, f Format) int64 {
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

func randomGraph(rng *rand.Rand) *Graph {
	g := NewGraph("random")
	var values []Value
	limit := 3 + rng.IntN(24)
	for i := range 2 + rng.IntN(3) {
		values = append(values, g.Input("in"+itoa(i), Format{1 + rng.IntN(limit), rng.IntN(20) - 4, rng.IntN(3) > 0}))
	}
	random := g.Input("random", U(32, 0))
	pick := func() Value { return values[rng.IntN(len(values))] }
	for i := range 3 + rng.IntN(8) {
		var v Value
		switch rng.IntN(8) {
		case 0:
			v = g.Add(pick(), pick())
		case 1:
			v = g.Sub(pick(), pick())
		case 2:
			v = g.Mul(pick(), pick())
		case 3:
			v = g.Neg(pick())
		case 4:
			v = g.Shift(pick(), rng.IntN(9)-4)
		case 5:
			v = g.NonZero(pick())
		case 6:
			a := pick()
			f := g.Nodes()[a].Format
			if f.Width > 40 {
				v = a
				break
			}
			lo, hi := randomWord(rng, f), randomWord(rng, f)
			v = g.Clip(a, min(lo, hi), max(lo, hi))
		default:
			typ := Type{Format{1 + rng.IntN(30), rng.IntN(24) - 4, rng.IntN(3) > 0}, Rounding(rng.IntN(8)), Overflow(rng.IntN(4))}
			if typ.Rounding == Stochastic {
				v = g.ResizeStochastic("resize"+itoa(i), pick(), random, typ)
			} else {
				v = g.Resize("resize"+itoa(i), pick(), typ)
			}
		}
		values = append(values, v)
	}
	outputs := 0
	for _, v := range values {
		if g.Nodes()[v].Format.Width <= MaxWord {
			g.Output("out"+itoa(outputs), v)
			outputs++
		}
	}
	return g
}

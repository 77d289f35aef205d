package fixedpoint

import (
	"fmt"
	"math/big"
	"testing"
)

// TestOperationsExhaustively holds Eval of every exact operation against math/big: all pairs of words of all
// formats to 8 bits, with the binary points in line and at two random distances.
func TestOperationsExhaustively(t *testing.T) {
	rng := random(t)
	distances := []int{0, 1 + rng.IntN(9), -1 - rng.IntN(9)}
	if testing.Short() {
		distances = distances[rng.IntN(3):][:1]
	}
	for _, distance := range distances {
		base := rng.IntN(40) - 20
		for _, a := range allFormats(8, base) {
			t.Run(fmt.Sprintf("%v at %d", a, distance), func(t *testing.T) {
				t.Parallel()
				for _, b := range allFormats(8, base+distance) {
					exhaustPair(t, a, b)
				}
			})
		}
	}
}

func exhaustPair(t *testing.T, a, b Format) {
	g := NewGraph("pair")
	x, y := g.Input("x", a), g.Input("y", b)
	g.Output("add", g.Add(x, y))
	g.Output("sub", g.Sub(x, y))
	g.Output("mul", g.Mul(x, y))
	g.Output("neg", g.Neg(x))
	g.Output("shift", g.Shift(x, 3))
	g.Output("nonzero", g.NonZero(x))
	frac := max(a.Frac, b.Frac)
	align := func(f Format, word int64) *big.Int {
		v := integer(f, word)
		return v.Lsh(v, uint(frac-f.Frac))
	}
	raw := func(f Format) (low, high int64) {
		low, _ = f.Min().Int64()
		high, _ = f.Max().Int64()
		return low, high
	}
	check := func(x, y int64, out []int64, output int, want *big.Int) {
		f := g.nodes[g.outputs[output].Value].Format
		if v, ok := FromBig(want); !ok || !f.Contains(v) {
			t.Fatalf("%s of %d of %v and %d of %v: %v does not hold %v", g.outputs[output].Name, x, a, y, b, f, want)
		}
		if out[output] != pattern(want) {
			t.Fatalf("%s of %d of %v and %d of %v: got %d, want %v", g.outputs[output].Name, x, a, y, b, out[output], want)
		}
	}
	values, out := make([]Int, len(g.nodes)), make([]int64, len(g.outputs))
	lowX, highX := raw(a)
	lowY, highY := raw(b)
	z := new(big.Int)
	for x := lowX; x <= highX; x++ {
		for y := lowY; y <= highY; y++ {
			g.eval(values, []int64{x, y}, out, nil)
			p, q := align(a, x), align(b, y)
			check(x, y, out, 0, z.Add(p, q))
			check(x, y, out, 1, z.Sub(p, q))
			check(x, y, out, 2, z.Mul(integer(a, x), integer(b, y)))
			check(x, y, out, 3, z.Neg(integer(a, x)))
			check(x, y, out, 4, integer(a, x))
			check(x, y, out, 5, big.NewInt(int64(integer(a, x).CmpAbs(z.SetInt64(0)))))
		}
	}
	sum, product := g.nodes[g.outputs[0].Value].Format, g.nodes[g.outputs[2].Value].Format
	if sum.Frac != frac || product.Frac != a.Frac+b.Frac || g.nodes[g.outputs[4].Value].Format.Frac != a.Frac-3 {
		t.Fatalf("%v and %v: binary points of %v, %v", a, b, sum, product)
	}
}

// TestClip holds Clip against its definition, over all words and bounds of formats to 5 bits.
func TestClip(t *testing.T) {
	for _, f := range allFormats(5, 2) {
		low, _ := f.Min().Int64()
		high, _ := f.Max().Int64()
		for lo := low; lo <= high; lo++ {
			for hi := lo; hi <= high; hi++ {
				g := NewGraph("clip")
				g.Output("out", g.Clip(g.Input("x", f), lo, hi))
				for x := low; x <= high; x++ {
					want := x
					if x < lo {
						want = lo
					} else if x > hi {
						want = hi
					}
					if out, _ := g.Eval([]int64{x}); out[0] != want {
						t.Fatalf("%d of %v into [%d, %d]: got %d", x, f, lo, hi, out[0])
					}
				}
			}
		}
	}
}

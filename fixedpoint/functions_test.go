package fixedpoint

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// The oracle of functions: their definitions in rational numbers.

// value is what a stored word of f stands for.
func value(f Format, word int64) *big.Rat { return scaled(integer(f, word), -f.Frac) }

func oracleDiv(a, b *big.Rat, frac int) *big.Int {
	if b.Sign() <= 0 {
		return new(big.Int)
	}
	q := new(big.Rat).Quo(a, b)
	return floorOf(q.Mul(q, power(frac)))
}

// isRoot tells whether root is the largest integer whose square is not above a 4^frac.
func isRoot(root *big.Int, a *big.Rat, frac int) bool {
	if a.Sign() < 0 {
		return root.Sign() == 0
	}
	x := new(big.Rat).Mul(a, power(2*frac))
	square := func(n *big.Int) *big.Rat { return new(big.Rat).SetInt(new(big.Int).Mul(n, n)) }
	return root.Sign() >= 0 && square(root).Cmp(x) <= 0 && square(new(big.Int).Add(root, big.NewInt(1))).Cmp(x) > 0
}

func oracleTable(t *Table, x *big.Rat) *big.Rat {
	low := new(big.Rat).SetInt64(int64(t.Low))
	high := new(big.Rat).Add(low, power(t.Log2Size))
	if x.Cmp(low) < 0 {
		x = low
	}
	if x.Cmp(high) > 0 {
		x = high
	}
	place := new(big.Rat).Sub(x, low)
	place.Mul(place, power(t.Step)) // in segments
	segment := min(int(floorOf(place).Int64()), len(t.Entries)-2)
	place.Sub(place, new(big.Rat).SetInt64(int64(segment)))
	from, to := value(t.Format, t.Entries[segment]), value(t.Format, t.Entries[segment+1])
	to.Sub(to, from)
	return from.Add(from, to.Mul(to, place))
}

// raw is a rational number in last places of f; it is a value of f.
func rawOf(t *testing.T, f Format, x *big.Rat) *big.Int {
	t.Helper()
	places := new(big.Rat).Mul(x, power(f.Frac))
	v, ok := FromBig(places.Num())
	if !places.IsInt() || !ok || !f.Contains(v) {
		t.Fatalf("%v does not hold %v", f, x)
	}
	return places.Num()
}

func contained(t *testing.T, f Format, v *big.Int) {
	t.Helper()
	if raw, ok := FromBig(v); !ok || !f.Contains(raw) {
		t.Fatalf("%v does not hold %v", f, v)
	}
}

// words are all words of a format, or count of them.
func words(rng *rand.Rand, f Format, count int) (list []int64) {
	if f.Width > 16 {
		for range count {
			list = append(list, randomWord(rng, f))
		}
		return list
	}
	low, _ := f.Min().Int64()
	high, _ := f.Max().Int64()
	for w := low; w <= high; w++ {
		list = append(list, w)
	}
	return list
}

// compute runs a graph of one output over vectors, by its kernel.
func compute(t *testing.T, g *Graph, in ...[]int64) (out []int64, compiled bool) {
	t.Helper()
	kernel, err := g.Compile()
	if err != nil {
		t.Fatal(err)
	}
	out = make([]int64, len(in[0]))
	kernel.NewRunner().Run(len(out), in, [][]int64{out})
	return out, kernel.Slow() == nil
}

// TestDivExhaustively holds quotients of all pairs of words of short formats against the oracle, by Eval and by the kernel.
func TestDivExhaustively(t *testing.T) {
	rng := random(t)
	var pairs [][2]Format
	for _, a := range allFormats(5, 0) {
		for _, b := range allFormats(5, 0) {
			a.Frac, b.Frac = rng.IntN(20)-10, rng.IntN(20)-10
			pairs = append(pairs, [2]Format{a, b})
		}
	}
	for _, signs := range []int{0, 1, 2, 3} { // and some of 16 bits together
		width := 8
		if signs > 1 {
			width = 11
		}
		pairs = append(pairs, [2]Format{{width, rng.IntN(12), signs&1 == 0}, {16 - width, rng.IntN(12), signs&2 == 0}})
	}
	for _, pair := range pairs {
		a, b := pair[0], pair[1]
		for _, shift := range []int{-60 - rng.IntN(20), -1 - rng.IntN(a.Width+2), 0, 1 + rng.IntN(12), 30 + rng.IntN(34-a.Width)} {
			frac := a.Frac - b.Frac + shift
			g := NewGraph("div")
			g.Output("q", g.Div(g.Input("a", a), g.Input("b", b), frac))
			f := g.nodes[2].Format
			if f.Frac != frac || f.Signed != a.Signed {
				t.Fatalf("%v by %v to %d: %v", a, b, frac, f)
			}
			var x, y []int64
			for _, v := range words(rng, a, 0) {
				for _, w := range words(rng, b, 0) {
					x, y = append(x, v), append(y, w)
				}
			}
			got, _ := compute(t, g, x, y)
			for i := range x {
				want := oracleDiv(value(a, x[i]), value(b, y[i]), frac)
				contained(t, f, want)
				slow, _ := g.Eval([]int64{x[i], y[i]})
				if got[i] != pattern(want) || slow[0] != got[i] {
					t.Fatalf("%d of %v by %d of %v to %d: got %d, Eval %d, want %v", x[i], a, y[i], b, frac, got[i], slow[0], want)
				}
			}
		}
	}
}

// TestDivAtTheRails divides where a quotient is about to become the next one, and where float64 or int64 are about to
// be too short.
func TestDivAtTheRails(t *testing.T) {
	rng := random(t)
	compiled, exact := 0, 0
	for range 3000 {
		a := Format{1 + rng.IntN(64), rng.IntN(40), rng.IntN(2) == 0}
		b := Format{1 + rng.IntN(64), rng.IntN(40), rng.IntN(2) == 0}
		width := []int{20, 51, 52, 53, 54, 62, 63, 64, 65, 100}[rng.IntN(10)] // of the quotient
		shift := width - a.Width
		frac := a.Frac - b.Frac + shift
		x, y := make([]int64, 40), make([]int64, 40)
		for i := range x {
			x[i], y[i] = randomWord(rng, a), randomWord(rng, b)
			// A dividend next to a multiple of the divisor.
			if divisor := integer(b, y[i]); divisor.Sign() > 0 && rng.IntN(4) > 0 {
				v := scaled(integer(a, x[i]), shift)
				k := floorOf(v.Quo(v, new(big.Rat).SetInt(divisor)))
				near := scaled(k.Mul(k, divisor), -shift)
				v.SetInt(floorOf(near))
				n, ok := FromBig(new(big.Int).Add(v.Num(), big.NewInt(int64(rng.IntN(3)-1))))
				if ok && a.Contains(n) {
					x[i] = a.Word(n)
				}
			}
		}
		g := NewGraph("div")
		q := g.Div(g.Input("a", a), g.Input("b", b), frac)
		f := g.nodes[q].Format
		low := Format{min(f.Width, 64), f.Frac, f.Signed}
		wrapped := q
		if f.Width > 64 { // its lowest bits
			wrapped = g.Resize("low", q, Type{low, Trn, Wrap})
		}
		g.Output("q", wrapped)
		got, fast := compute(t, g, x, y)
		if fast {
			compiled++
		} else {
			exact++
		}
		for i := range x {
			want := oracleDiv(value(a, x[i]), value(b, y[i]), frac)
			contained(t, f, want)
			want, _ = oracleLimit(want, Type{low, Trn, Wrap})
			if got[i] != pattern(want) {
				t.Fatalf("%d of %v by %d of %v to %d, %v: got %d, want %v", x[i], a, y[i], b, frac, f, got[i], want)
			}
		}
	}
	if compiled < 500 || exact < 500 {
		t.Errorf("%d compiled, %d exact", compiled, exact)
	}
}

// TestSqrtExhaustively holds the roots of all words of formats to 16 bits against the oracle.
func TestSqrtExhaustively(t *testing.T) {
	rng := random(t)
	for _, a := range allFormats(16, 0) {
		a.Frac = rng.IntN(24) - 4
		for _, frac := range []int{a.Frac/2 - 30 - rng.IntN(20), a.Frac/2 - 1 - rng.IntN(6), a.Frac / 2, a.Frac/2 + rng.IntN(18)} {
			g := NewGraph("root")
			g.Output("r", g.Sqrt(g.Input("a", a), frac))
			x := words(rng, a, 0)
			got, _ := compute(t, g, x)
			f := g.nodes[1].Format
			if f.Frac != frac || f.Signed {
				t.Fatalf("%v to %d: %v", a, frac, f)
			}
			for i := range x {
				root := integer(f, got[i])
				contained(t, f, root)
				if !isRoot(root, value(a, x[i]), frac) {
					t.Fatalf("root of %d of %v to %d: got %d", x[i], a, frac, got[i])
				}
				if i%16 == 0 {
					if slow, _ := g.Eval(x[i : i+1]); slow[0] != got[i] {
						t.Fatalf("root of %d of %v to %d: Eval %d, kernel %d", x[i], a, frac, slow[0], got[i])
					}
				}
			}
		}
	}
}

// TestSqrtAtTheRails takes roots next to squares, and where float64 or int64 are about to be too short.
func TestSqrtAtTheRails(t *testing.T) {
	rng := random(t)
	compiled, exact := 0, 0
	for range 3000 {
		a := Format{1 + rng.IntN(64), rng.IntN(40), rng.IntN(2) == 0}
		width := []int{20, 51, 52, 53, 54, 62, 63, 64, 65, 127, 128}[rng.IntN(11)] // of the radicand, or one more
		frac := (width - a.Width + a.Frac) >> 1
		x := make([]int64, 40)
		for i := range x {
			x[i] = randomWord(rng, a)
			if v := value(a, x[i]); v.Sign() > 0 && rng.IntN(4) > 0 {
				n := floorOf(v.Mul(v, power(a.Frac)))
				if rng.IntN(2) == 0 { // the word next to a square in raw units
					n.Sqrt(n)
					n.Mul(n, n)
				} else { // in units of the radicand
					r := scaled(n, 2*frac-a.Frac)
					s := floorOf(r)
					s.Sqrt(s)
					n = floorOf(scaled(s.Mul(s, s), a.Frac-2*frac))
				}
				if near, ok := FromBig(n.Add(n, big.NewInt(int64(rng.IntN(3)-1)))); ok && a.Contains(near) {
					x[i] = a.Word(near)
				}
			}
		}
		g := NewGraph("root")
		r := g.Sqrt(g.Input("a", a), frac)
		g.Output("r", r)
		f := g.nodes[r].Format
		got, fast := compute(t, g, x)
		if fast {
			compiled++
		} else {
			exact++
		}
		for i := range x {
			root := integer(f, got[i])
			contained(t, f, root)
			if !isRoot(root, value(a, x[i]), frac) {
				t.Fatalf("root of %d of %v to %d: got %d", x[i], a, frac, got[i])
			}
		}
	}
	if compiled < 500 || exact < 500 {
		t.Errorf("%d compiled, %d exact", compiled, exact)
	}
}

// TestWideFunctions holds quotients and roots of values of up to 256 bits against the oracle.
func TestWideFunctions(t *testing.T) {
	rng := random(t)
	wide, refused := 0, 0
	for range 4000 {
		g := NewGraph("wide")
		var word []int64
		exact := func(name string) (v Value, x *big.Rat) { // a product of up to three words
			x = big.NewRat(1, 1)
			for i := range 1 + rng.IntN(3) {
				f := Format{1 + rng.IntN(64), rng.IntN(30), rng.IntN(2) == 0}
				w := randomWord(rng, f)
				word = append(word, w)
				in := g.Input(fmt.Sprintf("%s%d", name, i), f)
				if x.Mul(x, value(f, w)); i == 0 {
					v = in
				} else {
					v = g.Mul(v, in)
				}
			}
			return v, x
		}
		a, x := exact("a")
		b, y := exact("b")
		div, root := g.Div(a, b, rng.IntN(160)-40), g.Sqrt(a, rng.IntN(100)-20)
		q, r := g.nodes[div].Format, g.nodes[root].Format
		if err := g.Check(); err != nil {
			refused++
			if q.Width < 255 && g.radicand(&g.nodes[root]).Width < 255 {
				t.Fatal(err)
			}
			continue
		}
		// All bits, by pieces of 64.
		piece := func(v Value, at int) int64 {
			h := *g
			h.names, h.outputs = map[string]bool{}, nil
			low := h.Resize("piece", v, Type{U(64, h.format(v).Frac-at), Trn, Wrap})
			h.Output("out", low)
			out, _ := h.Eval(word)
			return out[0]
		}
		whole := func(v Value) *big.Int {
			z := new(big.Int)
			for at := 192; at >= 0; at -= 64 {
				z.Lsh(z, 64).Or(z, new(big.Int).SetUint64(uint64(piece(v, at))))
			}
			if z.Bit(255) == 1 {
				z.Sub(z, new(big.Int).Lsh(big.NewInt(1), 256))
			}
			return z
		}
		if q.Width > 128 {
			wide++
		}
		got, want := whole(div), oracleDiv(x, y, q.Frac)
		contained(t, q, want)
		if got.Cmp(want) != 0 {
			t.Fatalf("%v by %v to %v: got %v, want %v", x, y, q, got, want)
		}
		got = whole(root)
		contained(t, r, got)
		if !isRoot(got, x, r.Frac) {
			t.Fatalf("root of %v to %v: got %v", x, r, got)
		}
	}
	if wide < 200 || refused < 4 {
		t.Errorf("%d of more than 128 bits, %d refused", wide, refused)
	}
}

// A floor to one bit more, rounded by RND, is the quotient or root rounded by RND.
func TestRoundedFunctions(t *testing.T) {
	rng := random(t)
	for range 300 {
		a, b := Format{1 + rng.IntN(20), rng.IntN(16), rng.IntN(2) == 0}, U(1+rng.IntN(12), rng.IntN(16))
		to := Type{S(20, rng.IntN(12)), Rnd, Sat}
		g := NewGraph("rounded")
		x, y := g.Input("x", a), g.Input("y", b)
		g.Output("quotient", g.Resize("q", g.Div(x, y, to.Frac+1), to))
		g.Output("root", g.Resize("r", g.Sqrt(x, to.Frac+1), to))
		for range 50 {
			v, w := randomWord(rng, a), randomWord(rng, b)
			if rng.IntN(3) == 0 && w > 0 { // ties, where the binary points allow them
				v = min(w*int64(2*rng.IntN(40)+1), 1<<(a.Width-1)-1)
			}
			out, _ := g.Eval([]int64{v, w})
			if w > 0 {
				want, _ := oracleResize(new(big.Rat).Quo(value(a, v), value(b, w)), 0, to, 0)
				if out[0] != pattern(want) {
					t.Fatalf("%d of %v by %d of %v to %v: got %d, want %v", v, a, w, b, to, out[0], want)
				}
			}
			// The nearest to the root: between the halves around it.
			if v > 0 && out[1] < 1<<19-1 {
				halves := big.NewInt(2 * out[1])
				in := value(a, v)
				in.Mul(in, power(2*to.Frac+2))
				low, high := new(big.Int).Sub(halves, big.NewInt(1)), new(big.Int).Add(halves, big.NewInt(1))
				square := func(n *big.Int) *big.Rat { return new(big.Rat).SetInt(n.Mul(n, n)) }
				if out[1] > 0 && square(low).Cmp(in) > 0 || square(high).Cmp(in) <= 0 {
					t.Fatalf("root of %d of %v to %v: got %d", v, a, to, out[1])
				}
			}
		}
	}
}

// An Int divides and roots up to its ends.
func TestIntFunctions(t *testing.T) {
	one := NewInt(1)
	top := Format{256, 0, true}.Max()
	low := Format{256, 0, true}.Min()
	for _, x := range []Int{{}, one, one.Neg(), top, top.Sub(one), low, low.Add(one), one.Shl(254), one.Shl(128), NewUint(math.MaxUint64)} {
		for _, y := range []Int{one, NewInt(2), NewUint(math.MaxUint64), one.Shl(64), one.Shl(64).Add(one), one.Shl(254), top, top.Sub(one)} {
			want := floorOf(new(big.Rat).SetFrac(x.Big(), y.Big()))
			if got := x.Div(y); got.Big().Cmp(want) != 0 {
				t.Errorf("%v / %v: got %v, want %v", x, y, got, want)
			}
		}
		if root := x.Sqrt(); !isRoot(root.Big(), new(big.Rat).SetInt(x.Big()), 0) {
			t.Errorf("root of %v: got %v", x, root)
		}
	}
}

func randomTable(rng *rand.Rand, width int) *Table {
	t := &Table{Name: "random", Low: rng.IntN(40) - 20, Step: rng.IntN(7), Format: Format{width, rng.IntN(24) - 4, rng.IntN(2) == 0}}
	t.Log2Size = rng.IntN(9-t.Step) - rng.IntN(t.Step+1)
	for range t.Segments() + 1 {
		t.Entries = append(t.Entries, randomWord(rng, t.Format))
	}
	return t
}

// TestTable holds tables against the oracle: all words of formats to 16 bits, some of wider ones, entries of any width.
func TestTable(t *testing.T) {
	rng := random(t)
	for i := range 60 {
		table := randomTable(rng, 1+rng.IntN(32))
		if i%4 == 0 {
			table = randomTable(rng, 1+rng.IntN(64))
		}
		// Few of the arguments are beyond the domain.
		a := Format{1 + rng.IntN(16), 0, rng.IntN(3) > 0}
		if i%3 == 0 {
			a.Width = 17 + rng.IntN(24)
		}
		a.Frac = a.Width - 3 - rng.IntN(6)
		if i < 2 {
			table, a = []*Table{SigmoidTable(), ExpTable()}[i], S(16, 11)
		}
		if i%25 == 2 {
			a.Frac = -rng.IntN(5)
		}
		g := NewGraph("table")
		v := g.Table(g.Input("x", a), table)
		f := g.nodes[v].Format
		if f.Frac != table.Format.Frac+max(a.Frac-table.Step, 0) || f.Signed != table.Format.Signed {
			t.Fatalf("%v of %v: %v", table, a, f)
		}
		piece := Type{Format{min(f.Width, 64), f.Frac, f.Signed}, Trn, Wrap}
		if g.Output("y", v); f.Width > 64 {
			g.outputs[0].Value = g.Resize("low", v, piece)
		}
		x := words(rng, a, 2000)
		got, _ := compute(t, g, x)
		for i := range x {
			want := rawOf(t, f, oracleTable(table, value(a, x[i])))
			low, _ := oracleLimit(want, piece)
			if got[i] != pattern(low) {
				t.Fatalf("%v at %d of %v: got %d, want %v", table, x[i], a, got[i], want)
			}
			if i%16 == 0 {
				if slow, _ := g.Eval(x[i : i+1]); slow[0] != got[i] {
					t.Fatalf("%v at %d of %v: Eval %d, kernel %d", table, x[i], a, slow[0], got[i])
				}
			}
		}
	}
}

// interval are integers in units of 2^-places below and above a number.
type interval struct{ below, above *big.Int }

const places = 200

// powersOfE are e^-(i / 2^step), i = 0.. n, from the series of e^-(1 / 2^step) and products.
func powersOfE(step, n int) (list []interval) {
	x := power(-step)
	x.Neg(x)
	sum, term := big.NewRat(1, 1), big.NewRat(1, 1)
	for k := int64(1); k < 60; k++ { // an alternating series of falling terms: off by the next one at most
		term.Mul(term, x)
		term.Quo(term, big.NewRat(k, 1))
		sum.Add(sum, term)
	}
	base := floorOf(new(big.Rat).Mul(sum, power(places)))
	factor := interval{new(big.Int).Sub(base, big.NewInt(1)), new(big.Int).Add(base, big.NewInt(2))}
	unit := new(big.Int).Lsh(big.NewInt(1), places)
	e := interval{unit, unit}
	for range n + 1 {
		list = append(list, e)
		below, above := new(big.Int).Mul(e.below, factor.below), new(big.Int).Mul(e.above, factor.above)
		e = interval{below.Rsh(below, places), above.Rsh(above, places)}
		e.above.Add(e.above, big.NewInt(1))
	}
	return list
}

// round gives the nearest word, which is certain, ties up.
func (v interval) round(t *testing.T, frac int) int64 {
	t.Helper()
	half := power(-1)
	at := func(n *big.Int) int64 { return floorOf(half.Add(scaled(n, frac-places), power(-1))).Int64() }
	if at(v.below) != at(v.above) {
		t.Fatalf("%v: either of two words", v)
	}
	return at(v.below)
}

// TestEntries holds the entries of the known tables against intervals of integers around the function's values.
func TestEntries(t *testing.T) {
	exp, e := ExpTable(), powersOfE(6, 1024)
	for i := range exp.Entries {
		if want := e[1024-i].round(t, 17); exp.Entries[i] != want {
			t.Errorf("exp, entry %d: got %d, want %d", i, exp.Entries[i], want)
		}
	}
	sigmoid, e := SigmoidTable(), powersOfE(5, 256)
	unit := new(big.Int).Lsh(big.NewInt(1), places)
	square := new(big.Int).Lsh(big.NewInt(1), 2*places)
	for i := 0; i <= 256; i++ {
		// For x >= 0: 1 / (1 + e^-x), and 1 minus it at -x.
		below, above := new(big.Int).Add(unit, e[i].above), new(big.Int).Add(unit, e[i].below)
		v := interval{new(big.Int).Quo(square, below), above.Quo(square, above)}
		v.above.Add(v.above, big.NewInt(1))
		if i == 0 { // 1/2 exactly
			v = interval{new(big.Int).Rsh(unit, 1), new(big.Int).Rsh(unit, 1)}
		}
		mirrored := interval{new(big.Int).Sub(unit, v.above), new(big.Int).Sub(unit, v.below)}
		if want := v.round(t, 17); sigmoid.Entries[256+i] != want {
			t.Errorf("sigmoid, entry %d: got %d, want %d", 256+i, sigmoid.Entries[256+i], want)
		}
		if want := mirrored.round(t, 17); sigmoid.Entries[256-i] != want {
			t.Errorf("sigmoid, entry %d: got %d, want %d", 256-i, sigmoid.Entries[256-i], want)
		}
	}
}

// TestTableErrors measures how far the tables are from their functions: docs/ARITHMETIC.md states it.
func TestTableErrors(t *testing.T) {
	for _, c := range []struct {
		table   *Table
		f       func(x float64) float64
		limit   float64 // within the domain
		outside float64
	}{
		{SigmoidTable(), func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }, 1.5e-5, 3.4e-4},
		{ExpTable(), func(x float64) float64 { return math.Exp(min(x, 0)) }, 3.4e-5, 1.2e-7},
	} {
		const frac = 12
		a := S(18, frac)
		g := NewGraph("error")
		v := g.Table(g.Input("x", a), c.table)
		g.Output("y", v)
		var x []int64
		for w := int64(c.table.Low-8) << frac; w <= int64(c.table.Low+1<<c.table.Log2Size+8)<<frac; w++ {
			x = append(x, w)
		}
		y, _ := compute(t, g, x)
		largest, at, outside := 0.0, 0.0, 0.0
		for i := range x {
			p := a.Float(x[i])
			off := math.Abs(g.nodes[v].Format.Float(y[i]) - c.f(p))
			switch {
			case p < float64(c.table.Low) || p > float64(c.table.Low+1<<c.table.Log2Size):
				outside = max(outside, off)
			case off > largest:
				largest, at = off, p
			}
		}
		t.Logf("%s: %.3g at %g, %.3g beyond the domain", c.table.Name, largest, at, outside)
		if largest > c.limit || largest < 0.8*c.limit || outside > c.outside {
			t.Errorf("%s: off by %g within the domain and %g beyond it; stated %g and %g", c.table.Name, largest, outside, c.limit, c.outside)
		}
	}
}

// Formulas are exact to the precision that is asked for, and a table's entry is asked for until it is certain.
func TestNewTable(t *testing.T) {
	for _, x := range []float64{-700, -16, -3.3, -1e-9, 0, 1e-9, 0.7, 3, 700} {
		for name, f := range map[string]struct {
			big func(*big.Float, uint) *big.Float
			go_ func(float64) float64
		}{"exp": {Exp, math.Exp}, "sigmoid": {Sigmoid, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }}} {
			fine, coarse := f.big(big.NewFloat(x), 900), f.big(big.NewFloat(x), 80)
			rough, _ := fine.Float64()
			if want := f.go_(x); math.Abs(rough-want) > 1e-13*want {
				t.Errorf("%s of %g: got %g, want %g", name, x, rough, want)
			}
			off := new(big.Float).Sub(fine, coarse)
			if off.Sign() != 0 && off.MantExp(nil) > fine.MantExp(nil)-80 {
				t.Errorf("%s of %g: 80 bits off by %g", name, x, off)
			}
		}
	}
	asked := uint(0)
	near := func(x *big.Float, precision uint) *big.Float { // a little below 1/2 everywhere
		asked = max(asked, precision)
		y := new(big.Float).SetPrec(2000).SetFloat64(0.5)
		if x.Sign() != 0 {
			y.Sub(y, new(big.Float).SetMantExp(big.NewFloat(1), -500))
		}
		return y
	}
	table := NewTable("ties", -1, 1, 0, S(4, 0), near)
	if !slices.Equal(table.Entries, []int64{0, 1, 0}) || asked != tie {
		t.Errorf("entries %d after %d bits", table.Entries, asked)
	}
	negative := NewTable("negative", -3, 2, 1, S(4, 0), func(x *big.Float, _ uint) *big.Float { return x })
	if want := []int64{-3, -2, -2, -1, -1, 0, 0, 1, 1}; !slices.Equal(negative.Entries, want) {
		t.Errorf("identity: %d, want %d", negative.Entries, want)
	}
}

// What cannot be a table is refused with a reason, and so is an operation on unknown values.
func TestFunctionPanics(t *testing.T) {
	g := NewGraph("graph")
	x := g.Input("x", S(8, 0))
	of := func(low, size, step int, f Format, entries ...int64) func() {
		return func() { g.Table(x, &Table{"t", low, size, step, f, entries}) }
	}
	for want, f := range map[string]func(){
		"graph graph: table t: low end 2097152; want -1048576 to 1048576":             of(1<<21, 0, 0, S(8, 0), 1, 2),
		"graph graph: table t: size 2^1 in steps of 2^--1; want":                      of(0, 1, -1, S(8, 0), 1, 2),
		"graph graph: table t: size 2^-3 in steps of 2^-2; want":                      of(0, -3, 2, S(8, 0), 1, 2),
		"graph graph: table t: size 2^9 in steps of 2^-8; want steps of 1 or less, 1": of(0, 9, 8, S(8, 0), 1, 2),
		"graph graph: table t: entries of s65f0; want 1 to 64 bits":                   of(0, 0, 0, S(65, 0), 1, 2),
		"graph graph: table t: 3 entries; want 2":                                     of(0, 0, 0, S(8, 0), 1, 2, 3),
		"graph graph: table t: entry 1 is 128: no word of s8f0":                       of(0, 0, 0, S(8, 0), 1, 128),
		"graph graph: unknown value 77":                                               func() { g.Div(x, 77, 0) },
		"graph graph: unknown value 78":                                               func() { g.Sqrt(78, 0) },
		"table big: the value at 0 is no word of u17f17":                              func() { NewTable("big", -1, 0, 0, U(17, 17), Exp) },
		"table big: table big: size 2^40 in steps":                                    func() { NewTable("big", -1, 40, 0, U(17, 17), Exp) },
	} {
		func() {
			defer func() {
				err, _ := recover().(error)
				var graph GraphError
				var table TableError
				if !errors.As(err, &graph) && !errors.As(err, &table) || !strings.HasPrefix(err.Error(), "fixedpoint: "+want) {
					t.Errorf("got %v, want %s", err, want)
				}
			}()
			f()
		}()
	}
	g.Output("y", g.Sqrt(x, 128))
	const wide = "graph graph: the exact value of x (s8f0): format s264f256: width 264 is outside 1 to 256 bits: " +
		"bring their binary points closer together"
	if err := g.Check(); err == nil || err.Error() != wide {
		t.Errorf("got %v", err)
	}
}

// A quotient of constants stays one value for all elements; fingerprints tell tables apart.
func TestFunctionsOfConstants(t *testing.T) {
	rng := random(t)
	for range 40 {
		g := NewGraph("single")
		x := g.Input("x", S(12, 3))
		a, b := g.Constant("a", S(20, 9)), g.Constant("b", S(14, 6))
		q, r, y := g.Div(a, b, 10), g.Sqrt(a, 8), g.Table(b, randomTable(rng, 12))
		g.Output("sum", g.Add(x, g.Add(q, g.Add(r, y))))
		g.Output("quotient", g.Div(x, r, 4))
		g.Output("reverse", g.Div(r, x, 4))
		g.Output("root", r)
		kernel, err := g.Compile()
		if err != nil || kernel.Slow() != nil {
			t.Fatal(err)
		}
		single := 0
		for _, s := range kernel.steps {
			if s.single && (s.op == OpDiv || s.op == OpSqrt || s.op == OpTable) {
				single++
			}
		}
		if single != 3 {
			t.Fatalf("%d of 3 functions are single", single)
		}
		compareKernel(t, rng, g, kernel, 1+rng.IntN(600))
	}
	with := func(entry int64) string {
		g := NewGraph("table")
		g.Output("y", g.Table(g.Input("x", S(8, 0)), &Table{"t", 0, 0, 0, S(8, 0), []int64{0, entry}}))
		return g.Fingerprint()
	}
	if one, again := with(1), with(1); one == with(2) || one != again {
		t.Error("fingerprints do not tell tables")
	}
}

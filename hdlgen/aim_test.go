package hdlgen

import (
	"math/big"
	"math/rand/v2"
	"slices"

	fx "corinfo/fixedpoint"
)

// An aimer finds input words that bring a value inside a graph to where it wants it: to the rails of a format, to
// a tie, to the bounds of a clip. Random words hardly ever do.
type aimer struct {
	g      *fx.Graph
	nodes  []fx.Node
	rng    *rand.Rand
	values []fx.Int // by node, of the inputs so far
	inputs map[fx.Value]int64
	locked map[fx.Value]bool // inputs that stay as they are
	forced fx.Value          // a node that has the value force, whatever its operands; -1: none
	force  fx.Int
}

// aimedVectors are vectors that aim at every place where a pipeline decides, under constants of several sizes,
// and random ones.
func aimedVectors(rng *rand.Rand, g *fx.Graph, constants int) (vectors [][]int64) {
	a := &aimer{g: g, nodes: g.Nodes(), rng: rng, values: make([]fx.Int, len(g.Nodes())), inputs: map[fx.Value]int64{}, forced: -1}
	keep := func() {
		var in []int64
		for _, v := range g.Inputs() {
			in = append(in, a.inputs[v])
		}
		vectors = append(vectors, in)
	}
	for range constants {
		a.drawConstants()
		for range 50 {
			a.locked = nil
			a.draw()
			keep()
		}
		for i := range a.nodes {
			for _, target := range a.targets(fx.Value(i)) {
				if rng.IntN(2) == 0 {
					continue
				}
				a.locked = nil
				a.draw()
				a.aimThrice(target)
				keep()
				// A result that is off by one shows where the roundings after it are about to go the other way.
				for v := fx.Value(i); v >= 0; v = a.after(v) {
					a.locked = a.cone(a.nodes[v].Args[0], a.locked)
					if v > fx.Value(i) {
						a.aimThrice(a.tie(v))
						keep()
					}
					if a.nodes[v].Op == fx.OpResize && a.nodes[v].Type.Rounding == fx.Stochastic {
						for _, carry := range []bool{true, false} {
							a.aimRandom(v, carry)
							keep()
						}
					}
				}
			}
		}
	}
	return vectors
}

// sensitiveVectors are vectors in which some node's value, were it one more or one less, would give other outputs: for every
// node, and on its own for every situation that its text tells apart. What no draw shows, nothing may.
func sensitiveVectors(rng *rand.Rand, g *fx.Graph, draws int) (vectors [][]int64) {
	a := &aimer{g: g, nodes: g.Nodes(), rng: rng, values: make([]fx.Int, len(g.Nodes())), inputs: map[fx.Value]int64{}, forced: -1}
	type wish struct {
		node      fx.Value
		situation int64
		step      int64
	}
	const enough = 2
	granted := map[wish]int{}
	var resizes []fx.Value
	for i, n := range a.nodes {
		if n.Op == fx.OpResize {
			resizes = append(resizes, fx.Value(i))
		}
	}
	for draw := range draws {
		if draw%20 == 0 {
			a.drawConstants()
		}
		a.locked = nil
		a.draw()
		if draw%2 == 1 && len(resizes) > 0 { // near a place where a resize decides
			v := resizes[rng.IntN(len(resizes))]
			t := a.tie(v)
			if rng.IntN(2) == 0 {
				f := a.nodes[v].Format
				end := []fx.Int{f.Min(), f.Max()}[rng.IntN(2)].Add(fx.NewInt(rng.Int64N(5) - 2))
				t.raw = scale(end, a.nodes[t.v].Format.Frac-f.Frac)
			}
			a.aimThrice(t)
		}
		base := slices.Clone(a.values)
		keep := false
		for i := range a.nodes {
			v := fx.Value(i)
			if a.nodes[i].Op == fx.OpInput || a.nodes[i].Op == fx.OpConst {
				continue
			}
			for _, step := range []int64{1, -1} {
				w := wish{v, a.situation(v), step}
				if granted[w] == enough {
					continue
				}
				a.forced, a.force = v, base[v].Add(fx.NewInt(step))
				a.evalFrom(i)
				shows := slices.ContainsFunc(g.Outputs(), func(o fx.Output) bool { return a.values[o.Value] != base[o.Value] })
				a.forced = -1
				copy(a.values[i:], base[i:])
				if shows {
					granted[w]++
					keep = true
				}
			}
		}
		if keep {
			var in []int64
			for _, v := range g.Inputs() {
				in = append(in, a.inputs[v])
			}
			vectors = append(vectors, in)
		}
	}
	return vectors
}

// situation tells apart what a node's text treats on its own: where in its range a resize is, and the word of a narrow constant.
func (a *aimer) situation(v fx.Value) int64 {
	n := a.nodes[v]
	switch n.Op {
	case fx.OpMul:
		for _, x := range n.Args {
			if a.nodes[x].Static && a.nodes[x].Format.Width <= 3 {
				return a.inputs[x]
			}
		}
	case fx.OpResize:
		low, high := n.Format.Min(), n.Format.Max()
		raw := scale(a.values[n.Args[0]], n.Format.Frac-a.nodes[n.Args[0]].Format.Frac)
		switch {
		case raw.Cmp(low) < 0:
			return -2
		case raw.Cmp(low) == 0:
			return -1
		case raw.Cmp(high) > 0:
			return 2
		case raw.Cmp(high) == 0:
			return 1
		}
	}
	return 0
}

func (a *aimer) aimThrice(t target) {
	for range 3 {
		a.aim(t.v, t.raw)
	}
}

// cone adds the inputs that a value depends on to a set.
func (a *aimer) cone(v fx.Value, set map[fx.Value]bool) map[fx.Value]bool {
	if set == nil {
		set = map[fx.Value]bool{}
	}
	if a.nodes[v].Op == fx.OpInput {
		set[v] = true
	}
	for _, x := range a.nodes[v].Args {
		set = a.cone(x, set)
	}
	return set
}

// after is the first resize whose value depends on another value, -1 if there is none.
func (a *aimer) after(v fx.Value) fx.Value {
	depends := map[fx.Value]bool{v: true}
	for i, n := range a.nodes {
		for _, x := range n.Args {
			if depends[x] {
				if n.Op == fx.OpResize {
					return fx.Value(i)
				}
				depends[fx.Value(i)] = true
			}
		}
	}
	return -1
}

// tie is, or is one below, a value in the middle of two results of a resize, or one of them.
func (a *aimer) tie(v fx.Value) target {
	n := a.nodes[v]
	drop := a.nodes[n.Args[0]].Format.Frac - n.Format.Frac
	// Near the value that is there: inputs may be locked.
	raw := scale(scale(a.values[n.Args[0]], -drop).Add(fx.NewInt(a.rng.Int64N(7)-3)), drop)
	if drop > 0 && a.rng.IntN(4) > 0 {
		raw = raw.Add(fx.NewInt(1).Shl(drop - 1))
	}
	return target{n.Args[0], raw.Add(fx.NewInt(-a.rng.Int64N(2)))}
}

type target struct {
	v   fx.Value
	raw fx.Int
}

// targets are the values to aim at on behalf of a node.
func (a *aimer) targets(v fx.Value) (list []target) {
	n := a.nodes[v]
	near := func(v fx.Value, raw fx.Int, offsets ...int64) {
		for _, o := range offsets {
			list = append(list, target{v, raw.Add(fx.NewInt(o))})
		}
	}
	switch n.Op {
	case fx.OpResize:
		from := a.nodes[n.Args[0]].Format
		drop := from.Frac - n.Format.Frac
		low, high := n.Type.Range()
		one := fx.NewInt(1)
		places := []fx.Int{low.Sub(one).Sub(one), low.Sub(one), low, low.Add(one), high.Sub(one), high, high.Add(one), one.Neg(), {}, one}
		for range 5 {
			places = append(places, a.sensitive(v))
		}
		for _, last := range places {
			raw := scale(last, drop)
			near(n.Args[0], raw, -1, 0, 1)
			if drop > 0 {
				if drop > 1 {
					near(n.Args[0], raw, 1<<min(drop-2, 60))
				}
				tie := raw.Add(one.Shl(drop - 1))
				near(n.Args[0], tie, -2, -1, 0, 1)
				if drop > 1 {
					near(n.Args[0], tie, 1<<min(drop-2, 60))
				}
			}
		}
		near(n.Args[0], from.Min(), 0, 1)
		near(n.Args[0], from.Max(), -1, 0)
	case fx.OpClip:
		near(n.Args[0], fx.NewInt(n.Lo), -1, 0, 1)
		near(n.Args[0], fx.NewInt(n.Hi), -1, 0, 1)
	case fx.OpNonZero:
		near(n.Args[0], fx.Int{}, -1, 0, 1)
	case fx.OpDiv:
		near(n.Args[1], fx.Int{}, -1, 0, 1)
		near(v, fx.NewInt(a.rng.Int64N(9)-4), 0)
		near(v, n.Format.Min(), 0)
		near(v, n.Format.Max(), 0)
	case fx.OpSqrt:
		near(n.Args[0], fx.Int{}, -1, 0, 1)
		near(v, fx.NewInt(a.rng.Int64N(9)), 0)
		near(v, n.Format.Max(), 0)
	case fx.OpTable:
		shift := a.nodes[n.Args[0]].Format.Frac
		near(n.Args[0], scale(fx.NewInt(int64(n.Table.Low)), shift), -1, 0, 1)
		near(n.Args[0], scale(fx.NewInt(int64(n.Table.Low)), shift).Add(scale(fx.NewInt(1), n.Table.Log2Size+shift)), -1, 0, 1)
		for range 8 {
			segment := scale(fx.NewInt(a.rng.Int64N(int64(n.Table.Segments()))), shift-n.Table.Step)
			near(n.Args[0], scale(fx.NewInt(int64(n.Table.Low)), shift).Add(segment), -1, 0, 1)
		}
	case fx.OpAdd, fx.OpSub:
		for _, v := range n.Args {
			near(v, a.nodes[v].Format.Min(), 0)
			near(v, a.nodes[v].Format.Max(), 0)
		}
	}
	return list
}

// sensitive is a result of a resize such that the next one gives other outputs, if there is one soon.
func (a *aimer) sensitive(v fx.Value) (word fx.Int) {
	outputs := func(word fx.Int) (list []fx.Int) {
		a.forced, a.force = v, word
		a.eval()
		for _, o := range a.g.Outputs() {
			list = append(list, a.values[o.Value])
		}
		return list
	}
	for range 64 {
		word = a.nodes[v].Format.Int(randomWord(a.rng, a.nodes[v].Format))
		if !slices.Equal(outputs(word), outputs(word.Add(fx.NewInt(1)))) {
			break
		}
	}
	a.forced = -1
	a.eval()
	return word
}

// scale is v * 2^n, rounded down.
func scale(v fx.Int, n int) fx.Int {
	if n < 0 {
		return v.Shr(-n)
	}
	return v.Shl(n)
}

// drawConstants sets the inputs that stand still: random words, powers of two, or a ladder of powers in which the
// products of one begin where those of another end, so that sums of them take every value.
func (a *aimer) drawConstants() {
	const powers, ladder = 1, 2
	style := a.rng.IntN(4)
	factors := a.factors()
	start := a.rng.IntN(max(1, len(factors))) // of the ladder
	place := 0                                // of the last bit of the ladder's next product
	for i, x := range factors {
		f := a.nodes[x.constant].Format
		w := randomWord(a.rng, f)
		e := a.rng.IntN(f.Width)
		if i == start {
			place = -x.product.Frac
		}
		if style >= ladder && i >= start {
			e = place + x.product.Frac
			place += x.other.Width - 1
			if (e < 0 || f.Width <= e+1) && a.rng.IntN(2) == 0 {
				w = 0
			}
		}
		if style >= powers && e >= 0 && e < f.Width-1 {
			w = 1 << e
			if f.Signed && a.rng.IntN(2) == 0 {
				w = -w
			}
		}
		a.inputs[x.constant] = w
	}
}

type factor struct {
	constant       fx.Value
	other, product fx.Format
}

// factors are the products with constants, the finest first.
func (a *aimer) factors() (list []factor) {
	for _, n := range a.nodes {
		if n.Op == fx.OpMul {
			for k, v := range n.Args {
				if a.nodes[v].Static {
					list = append(list, factor{v, a.nodes[n.Args[1-k]].Format, n.Format})
				}
			}
		}
	}
	a.rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	slices.SortStableFunc(list, func(x, y factor) int { return y.product.Frac - x.product.Frac })
	return list
}

func (a *aimer) draw() {
	for _, v := range a.g.Inputs() {
		if !a.nodes[v].Static {
			a.inputs[v] = randomWord(a.rng, a.nodes[v].Format)
		}
	}
	a.eval()
}

// at is a value at another binary point, at or below its own.
func (a *aimer) at(v fx.Value, to fx.Format) fx.Int {
	return a.values[v].Shl(to.Frac - a.nodes[v].Format.Frac)
}

// eval computes every node of the inputs so far. Graph.Eval has only the outputs; what is compared is from there.
func (a *aimer) eval() { a.evalFrom(0) }

// evalFrom computes a node and those behind it.
func (a *aimer) evalFrom(first int) {
	for i := first; i < len(a.nodes); i++ {
		n := a.nodes[i]
		value := fx.Int{}
		switch n.Op {
		case fx.OpInput:
			value = n.Format.Int(a.inputs[fx.Value(i)])
		case fx.OpConst:
			value = n.Format.Int(n.Word)
		case fx.OpAdd:
			value = a.at(n.Args[0], n.Format).Add(a.at(n.Args[1], n.Format))
		case fx.OpSub:
			value = a.at(n.Args[0], n.Format).Sub(a.at(n.Args[1], n.Format))
		case fx.OpMul:
			value = a.values[n.Args[0]].Mul(a.values[n.Args[1]])
		case fx.OpNeg:
			value = a.values[n.Args[0]].Neg()
		case fx.OpShift:
			value = a.values[n.Args[0]]
		case fx.OpClip:
			value = clamp(a.values[n.Args[0]], fx.NewInt(n.Lo), fx.NewInt(n.Hi))
		case fx.OpNonZero:
			if a.values[n.Args[0]] != value {
				value = fx.NewInt(1)
			}
		case fx.OpResize:
			random := uint32(0)
			if n.Type.Rounding == fx.Stochastic {
				random = uint32(a.inputs[n.Args[1]])
			}
			word, _ := n.Type.Resize(a.values[n.Args[0]], a.nodes[n.Args[0]].Format.Frac, random)
			value = n.Format.Int(word)
		case fx.OpDiv:
			if b := a.values[n.Args[1]]; b.Sign() > 0 {
				value = scale(a.values[n.Args[0]], n.Format.Frac+a.nodes[n.Args[1]].Format.Frac-a.nodes[n.Args[0]].Format.Frac).Div(b)
			}
		case fx.OpSqrt:
			value = scale(a.values[n.Args[0]], 2*n.Format.Frac-a.nodes[n.Args[0]].Format.Frac).Sqrt()
		case fx.OpTable:
			value = n.Table.At(a.values[n.Args[0]], a.nodes[n.Args[0]].Format)
		}
		if fx.Value(i) == a.forced {
			value = a.force
		}
		a.values[i] = value
	}
}

func clamp(v, low, high fx.Int) fx.Int {
	switch {
	case v.Cmp(low) < 0:
		return low
	case v.Cmp(high) > 0:
		return high
	}
	return v
}

// aim moves the inputs that a node depends on so that its raw value comes close to the target.
func (a *aimer) aim(v fx.Value, raw fx.Int) {
	n := a.nodes[v]
	switch n.Op {
	case fx.OpInput:
		if !n.Static && !a.locked[v] {
			a.inputs[v] = n.Format.Word(clamp(raw, n.Format.Min(), n.Format.Max()))
			a.eval()
		}
	case fx.OpShift, fx.OpClip, fx.OpNonZero:
		a.aim(n.Args[0], raw)
	case fx.OpNeg:
		a.aim(n.Args[0], raw.Neg())
	case fx.OpResize:
		a.aim(n.Args[0], scale(raw, a.nodes[n.Args[0]].Format.Frac-n.Format.Frac))
	case fx.OpDiv:
		x, y := n.Args[0], n.Args[1]
		shift := a.nodes[x].Format.Frac - a.nodes[y].Format.Frac - n.Format.Frac
		if a.values[y].Sign() > 0 {
			a.aim(x, scale(raw.Mul(a.values[y]), shift))
		}
	case fx.OpSqrt:
		a.aim(n.Args[0], scale(raw.Mul(raw), a.nodes[n.Args[0]].Format.Frac-2*n.Format.Frac))
	case fx.OpAdd, fx.OpSub, fx.OpMul:
		for _, k := range a.rng.Perm(2) {
			x, y := n.Args[k], n.Args[1-k]
			var need fx.Int
			switch {
			case n.Op == fx.OpMul:
				if a.values[y].Sign() == 0 {
					continue
				}
				need, _ = fx.FromBig(new(big.Int).Quo(raw.Big(), a.values[y].Big()))
				a.aim(x, need)
				continue
			case n.Op == fx.OpAdd:
				need = raw.Sub(a.at(y, n.Format))
			case k == 0:
				need = raw.Add(a.at(y, n.Format))
			default:
				need = a.at(y, n.Format).Sub(raw)
			}
			a.aim(x, need.Shr(n.Format.Frac-a.nodes[x].Format.Frac))
		}
	}
}

// aimRandom sets the random word of a stochastic rounding to the least that carries, or to the one below.
func (a *aimer) aimRandom(v fx.Value, carry bool) {
	n := a.nodes[v]
	drop := a.nodes[n.Args[0]].Format.Frac - n.Format.Frac
	if drop <= 0 {
		return
	}
	raw := a.values[n.Args[0]]
	need := raw.Shr(drop).Add(fx.NewInt(1)).Shl(drop).Sub(raw) // up to the next multiple
	word := scale(need, 32-drop)
	if !carry {
		word = word.Sub(fx.NewInt(1))
	}
	a.aim(n.Args[1], word)
}

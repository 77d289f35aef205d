package rule

import (
	"fmt"
	"math"

	fx "corinfo/fixedpoint"
)

// builder collects a description. Its methods panic where a rule contradicts itself: the author's mistake.
type builder struct{ d *Description }

func newBuilder(layers []int) *builder { return &builder{&Description{Layers: layers}} }

// K is the last layer.
func (b *builder) K() int { return len(b.d.Layers) - 1 }

// tensor adds one, of a layer or matrix, or the only one of its kind where index is below 0.
func (b *builder) tensor(kind string, index int, use Use, t fx.Type, about string) int {
	b.d.Tensors = append(b.d.Tensors, Tensor{kind, index, use, t, about})
	return len(b.d.Tensors) - 1
}

// input adds the word x of layer 0.
func (b *builder) input(t fx.Type) int {
	at := b.tensor("x", -1, OfWord, t, "input")
	b.d.Words = append(b.d.Words, Word{Name: "x", Signal: true, Fixed: true, Tensor: at})
	return len(b.d.Words) - 1
}

// word adds a word of layer k; its tensor has its name.
func (b *builder) word(name string, k int, t fx.Type, about string) int {
	b.d.Words = append(b.d.Words, Word{Name: name, Layer: k, Tensor: b.tensor(name, k, OfWord, t, about)})
	return len(b.d.Words) - 1
}

// signal adds a word whose changes are broadcast.
func (b *builder) signal(name string, k int, t fx.Type, about string) int {
	w := b.word(name, k, t, about)
	b.d.Words[w].Signal = true
	return w
}

// shared adds a word that the neurons of layer k share.
func (b *builder) shared(name string, k int, t fx.Type, about string) int {
	w := b.word(name, k, t, about)
	b.d.Words[w].Shared = true
	return w
}

// sum adds a sum of layer k, which projections into it fill.
func (b *builder) sum(name string, k int) int {
	b.d.Sums = append(b.d.Sums, Sum{Name: name, Layer: k})
	return len(b.d.Sums) - 1
}

// project adds a projection with a tensor of its name and index.
func (b *builder) project(kind string, index, from, to int, p Projection, t fx.Type, about string) int {
	p.Name = fmt.Sprint(kind, index)
	p.From, p.To, p.Mirror = from, to, -1
	p.Rows, p.Cols = b.d.Layers[b.d.Sums[to].Layer], b.d.Width(from)
	p.Tensor = b.tensor(kind, index, OfSynapse, t, about)
	return b.join(p)
}

// mirror adds the transpose of a projection, from a signal into a sum.
func (b *builder) mirror(of, from, to int) int {
	p := b.d.Projections[of]
	p.Name += "'"
	p.From, p.To, p.Mirror = from, to, of
	p.Rows, p.Cols = p.Cols, p.Rows
	return b.join(p)
}

func (b *builder) join(p Projection) int {
	at := len(b.d.Projections)
	b.d.Projections = append(b.d.Projections, p)
	b.d.Sums[p.To].Projections = append(b.d.Sums[p.To].Projections, at)
	return at
}

// step adds a step of layer k.
func (b *builder) step(name string, k int, formula func(g *Graph)) int {
	g := &Graph{Name: name}
	formula(g)
	b.d.Steps = append(b.d.Steps, Step{Name: name, Layer: k, Graph: g})
	return len(b.d.Steps) - 1
}

// keep adds a factor that is a word.
func (b *builder) keep(word int, roles ...Role) int {
	w := b.d.Words[word]
	b.d.Factors = append(b.d.Factors, Factor{Name: w.Name, Layer: w.Layer, Word: word, Roles: roles})
	return len(b.d.Factors) - 1
}

// keepEach adds a factor of each of some words, in the same roles.
func (b *builder) keepEach(words []int, roles ...Role) (factors []int) {
	for _, word := range words {
		factors = append(factors, b.keep(word, roles...))
	}
	return factors
}

// factor adds a factor of layer k that a formula makes, with a tensor of its name.
func (b *builder) factor(name string, k int, t fx.Type, about string, formula func(g *Graph) Value, roles ...Role) int {
	b.tensor(name, k, OfWord, t, about)
	g := &Graph{Name: name}
	g.Next(name, g.Round(name, formula(g)))
	b.d.Factors = append(b.d.Factors, Factor{Name: name, Layer: k, Word: -1, Graph: g, Roles: roles})
	return len(b.d.Factors) - 1
}

// update adds the update of a projection; formula gives the synapse's next value.
func (b *builder) update(u Update, formula func(g *Graph) Value) {
	p := &b.d.Projections[u.Projection]
	t := b.d.Tensors[p.Tensor]
	u.Graph = &Graph{Name: "synapse"}
	next := formula(u.Graph)
	u.Graph.Results = append([]Next{{"w", u.Graph.As("weight", u.Graph.Round(t.Kind, next))}}, u.Graph.Results...)
	b.d.Updates = append(b.d.Updates, u)
}

// Width is the number of elements of a word: the neurons of its layer, or 1 where they share it.
func (d *Description) Width(word int) int {
	if w := d.Words[word]; !w.Shared {
		return d.Layers[w.Layer]
	}
	return 1
}

// Word is the index of a word of a layer, below 0 where it has none of the name.
func (d *Description) Word(name string, layer int) int {
	for i, w := range d.Words {
		if w.Name == name && w.Layer == layer {
			return i
		}
	}
	return -1
}

// Sum is the index of a sum of a layer, below 0 where it has none of the name.
func (d *Description) Sum(name string, layer int) int {
	for i, s := range d.Sums {
		if s.Name == name && s.Layer == layer {
			return i
		}
	}
	return -1
}

// Tensor is the index of a tensor by its kind and index, or by its kind where there is one of it; below 0: none.
func (d *Description) Tensor(kind string, index int) int {
	for i, t := range d.Tensors {
		if t.Kind == kind && (t.Index == index || t.Index < 0) {
			return i
		}
	}
	return -1
}

// String is the tensor's name.
func (t Tensor) String() string {
	if t.Index < 0 {
		return t.Kind
	}
	return fmt.Sprint(t.Kind, t.Index)
}

// Word lengths where the network file is silent: 18 bits is the operand of a hardware multiplier on every FPGA family
// that the generator targets, 16 bits is the usual width of a block RAM.
const (
	operandBits = 18
	synapseBits = 16
)

// Fit is the type of some bits, rounding to nearest and saturating, whose range is the narrowest that holds every value up
// to bound in magnitude (bound > 0) when it is rounded. A power of two itself takes one more bit, so that the bound is inside
// the range on both sides of zero.
func Fit(bits int, bound float64, signed bool) fx.Type {
	bound = min(bound, math.MaxFloat64)
	_, integer := math.Frexp(bound)
	f := fx.U(bits, bits-integer)
	if signed {
		f = fx.S(bits, bits-1-integer)
	}
	t := fx.Type{Format: f, Rounding: fx.Rnd, Overflow: fx.Sat}
	if _, overflow, err := t.FromFloat(bound); overflow || err != nil { // it is rounded up to a power of two
		t.Frac--
	}
	return t
}

// operand is a signed type of a multiplier's operand for values up to bound.
func operand(bound float64) fx.Type { return Fit(operandBits, bound, true) }

// magnitude is operand without the sign: as many bits behind it.
func magnitude(bound float64) fx.Type { return Fit(operandBits-1, bound, false) }

// synapse is a stored synapse's type for values up to bound.
func synapse(bound float64) fx.Type {
	t := Fit(synapseBits, bound, true)
	t.Rounding = fx.Stochastic
	return t
}

// nearest is a type that rounds to nearest.
func nearest(t fx.Type) fx.Type {
	t.Rounding = fx.Rnd
	return t
}

// unsigned is a type of a state: bits of which frac are behind the binary point.
func unsigned(bits, frac int) fx.Type {
	return fx.Type{Format: fx.U(bits, frac), Rounding: fx.Rnd, Overflow: fx.Sat}
}

// one adds the unit that is always 1: what biases project from.
func (b *builder) one() int {
	at := b.tensor("one", -1, OfConstant, fx.Type{Format: fx.U(1, 0)}, "")
	b.d.Words = append(b.d.Words, Word{Name: "one", Shared: true, Signal: true, Fixed: true, Tensor: at})
	return len(b.d.Words) - 1
}

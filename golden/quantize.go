package golden

import (
	"context"
	"maps"
	"math"
	"slices"
	"strings"

	fx "corinfo/fixedpoint"
)

// Limits of a choice by range.
const (
	// guardBits are spare integer bits on top of a recorded range: synapses and what follows from them move
	// on while learning, and other samples reach further.
	guardBits = 1
	// finestPlaces is how many binary places a chosen format's last place may lie below that of the default:
	// exact sums need the room of both ends, and a range of next to nothing says little about later ones.
	finestPlaces = 16
)

// Scope is what one chosen format serves.
type Scope uint8

const (
	// AllLayers share one format per kind of tensor, the one that holds the widest of their ranges. Layers whose
	// formats are the same share their pipelines in hardware.
	AllLayers Scope = iota
	// EachLayer has formats of its own: up to the last bit of fraction that its range leaves, for pipelines of its own.
	EachLayer
)

// ChooseFormats gives the formats of a network whose values span the recorded ranges: the network's own,
// untouched, and for every other recorded tensor one with the word length, sign, rounding and overflow
// of the default (ResolveFormats) and the fewest integer bits that hold the range and a guard of one bit, but
// with at most 16 places more of fraction than the default.
//
//   - Tensors of one scope get the most integer bits that one of them wants, and the longest of their word lengths.
//   - x and the r of an antisparse layer are bounded by construction: they get the range 0 to 1 and no guard.
//   - A chosen u has at least the integer bits of r, and is wider than the default where the fraction of r
//     takes that; qu and q likewise.
//   - A tensor whose recorded range is missing, zero or not finite takes the format of others in its scope; without any it
//     keeps the default.
//
// Constants (eta, nu, coefficient, rate, gamma) follow from the settings and not from ranges: they are left to
// ResolveFormats.
func ChooseFormats(n *Network, r Ranges, scope Scope) map[string]fx.Type {
	chosen := maps.Clone(n.Formats)
	if chosen == nil {
		chosen = map[string]fx.Type{}
	}
	choices := n.choices(r, scope)
	for _, c := range choices {
		chosen[c.key] = c.format()
	}
	// A potential depends on the states that were chosen.
	q := *n
	q.Formats = chosen
	types := ResolveFormats(&q).Types()
	for _, c := range choices {
		state, potential := potentials[c.kind]
		if !potential {
			continue
		}
		t := chosen[c.key]
		for _, k := range c.layers {
			t = holding(t, types[tensorName(state, k)].Format)
		}
		chosen[c.key] = t
	}
	return chosen
}

// potentials are the kinds of tensors that must hold every value of another one.
var potentials = map[string]string{"u": "r", "qu": "q"}

// choice is a format to be chosen, and what is known of the tensors that it serves.
type choice struct {
	key, kind string // of the network file's formats: W0, W; and W
	layers    []int  // the indexes of the tensors
	fits      []fx.Type
	defaults  []fx.Type // of tensors whose ranges tell nothing
}

// format is the choice: by the ranges, if one tells something.
func (c *choice) format() fx.Type {
	if len(c.fits) > 0 {
		return widest(c.fits)
	}
	return widest(c.defaults)
}

// choices are the formats that the network leaves open for the recorded tensors.
func (n *Network) choices(r Ranges, scope Scope) []*choice {
	var list []*choice
	byKey := map[string]*choice{}
	// The visitor gives no error.
	_ = ResolveFormats(n).each(func(kind string, index int, t fx.Type) error {
		name := typeName(kind, index)
		span, recorded := r[name]
		_, own := n.Formats[name]
		if _, all := n.Formats[kind]; all || own || !recorded {
			return nil
		}
		key := kind
		if scope == EachLayer {
			key = name
		}
		c := byKey[key]
		if c == nil {
			c = &choice{key: key, kind: kind}
			byKey[key] = c
			list = append(list, c)
		}
		c.layers = append(c.layers, index)
		guard := guardBits
		if _, sparse := n.SparseLayer(index); kind == "x" || kind == "r" && !sparse {
			span, guard = Range{0, 1}, 0
		}
		if fitted, told := fit(t, span, guard); told {
			c.fits = append(c.fits, fitted)
		} else {
			c.defaults = append(c.defaults, t)
		}
		return nil
	})
	return list
}

// widest is a type of the longest word and the most integer bits of some, and of a sign if one has it; it rounds and
// overflows as the first does.
func widest(types []fx.Type) fx.Type {
	w := types[0]
	integer := integerPlaces(w.Format)
	for _, t := range types[1:] {
		w.Width, w.Signed = max(w.Width, t.Width), w.Signed || t.Signed
		integer = max(integer, integerPlaces(t.Format))
	}
	w.Frac = w.Width - integer
	if w.Signed {
		w.Frac--
	}
	return w
}

// SharedFormats is a copy of a network in which all layers share one format per kind of tensor, as ChooseFormats would
// have it: the longest of their words and the most of their integer bits. Constants keep theirs.
func SharedFormats(n *Network) *Network {
	q := *n
	q.Formats = map[string]fx.Type{}
	types := map[string][]fx.Type{}
	// The visitor gives no error.
	_ = ResolveFormats(n).each(func(kind string, index int, t fx.Type) error {
		if slices.Contains(constantKinds, kind) {
			q.Formats[typeName(kind, index)] = t
			return nil
		}
		types[kind] = append(types[kind], t)
		return nil
	})
	for kind, list := range types {
		q.Formats[kind] = widest(list)
	}
	for potential, state := range potentials {
		if t, ok := q.Formats[potential]; ok {
			q.Formats[potential] = holding(t, q.Formats[state].Format)
		}
	}
	return &q
}

// fit moves the binary point of a type to the fewest integer bits that hold the range, plus guard. Negative values of a
// type without a sign, and all of a type whose only value is 0, are out of range wherever the point is: they do not count.
// told is false where nothing does: the type stays.
func fit(t fx.Type, r Range, guard int) (fitted fx.Type, told bool) {
	if bottom, top := t.Range(); bottom == top {
		return t, false
	}
	if !t.Signed {
		r = Range{max(r.Min, 0), max(r.Max, 0)}
	}
	bound := max(math.Abs(r.Min), math.Abs(r.Max))
	if !(bound > 0) || math.IsInf(bound, 0) {
		return t, false
	}
	finest := t.Frac + finestPlaces
	_, integer := math.Frexp(bound)
	t.Frac = t.Width - integer + 1 // one place more than unsigned values of bound have
	for !holds(t, r) {
		t.Frac--
	}
	t.Frac = min(t.Frac-guard, finest)
	return t, true
}

// holds tells whether both ends of a range fit a type.
func holds(t fx.Type, r Range) bool {
	for _, v := range [2]float64{r.Min, r.Max} {
		if _, overflow, err := t.FromFloat(v); overflow || err != nil {
			return false
		}
	}
	return true
}

// holding makes room for every state of a format in the type of a potential: first by moving its binary
// point, then, where that would cut the fraction of states off, by widening it.
func holding(u fx.Type, r fx.Format) fx.Type {
	if fx.Union(u.Format, r) == u.Format {
		return u
	}
	u.Frac = min(u.Frac, u.Width-1-integerPlaces(r))
	u.Format = fx.Union(u.Format, r)
	return u
}

// integerPlaces is the number of bits in front of the binary point, without the sign.
func integerPlaces(f fx.Format) int {
	if f.Signed {
		return f.Width - 1 - f.Frac
	}
	return f.Width - f.Frac
}

// Quantize is the simple way from a float run to formats: it runs the samples through inference and, in
// mini-batches at the rates of epoch 0, through learning on a copy of the weights, records the ranges and
// returns a copy of the network with the formats that ChooseFormats picks, and the ranges. The last
// mini-batch is filled up from the first samples. Samples are pixels of layers[0] bytes each.
//
// Where a format of the network's own does not hold the recorded range, the samples run once more to count what does
// not fit: misfits are by tensor, in order of names. Inputs and synapses are left to StartMachine.
//
// Errors are wrong usage: no samples, labels or pixels that are not the network's, a network or formats of the network's
// own that NewArithmetic refuses.
func Quantize(ctx context.Context, n *Network, w *Weights, samples [][]uint8, labels []int, scope Scope) (*Network, Ranges, []Misfit, error) {
	if err := checkCalibration(n, samples, labels); err != nil {
		return nil, nil, nil, err
	}
	ranges := Ranges{}
	if err := calibrate(ctx, n, w, samples, labels, &recorder{ranges: ranges}); err != nil {
		return nil, nil, nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(ranges)) {
		r := ranges[name]
		// An infinite end has an infinite or undefined width, and so has NaN.
		if width := r.Max - r.Min; math.IsNaN(width) || math.IsInf(width, 0) {
			return nil, nil, nil, usagef("quantize: %s ran away to %v .. %v: learning diverges at these rates; lower learning.feedforward and learning.feedback or lengthen the batch", name, r.Min, r.Max)
		}
	}
	q := *n
	q.Formats = ChooseFormats(n, ranges, scope)
	a, err := NewArithmetic(&q)
	if err != nil {
		return nil, nil, nil, err
	}
	short := map[string]*Misfit{}
	types := a.Formats.Types()
	for name, t := range types {
		if r, ok := ranges[name]; ok && !strings.ContainsAny(name[:1], "xWFC") && !holds(t, r) {
			short[name] = &Misfit{Tensor: name, Type: t.String()}
		}
	}
	if len(short) > 0 {
		if err := calibrate(ctx, n, w, samples, labels, &recorder{types: types, misfits: short}); err != nil {
			return nil, nil, nil, err
		}
	}
	var misfits []Misfit
	for _, name := range slices.Sorted(maps.Keys(short)) {
		misfits = append(misfits, *short[name])
	}
	return &q, ranges, misfits, nil
}

func checkCalibration(n *Network, samples [][]uint8, labels []int) error {
	if len(samples) == 0 || len(samples) != len(labels) {
		return usagef("quantize: %d calibration samples with %d labels; give at least one sample and a label for each", len(samples), len(labels))
	}
	for i, pixels := range samples {
		if len(pixels) != n.Layers[0] {
			return usagef("quantize: sample %d has %d pixels; layer 0 has %d neurons", i, len(pixels), n.Layers[0])
		}
		if outputs := n.Layers[n.K()]; labels[i] < 0 || labels[i] >= outputs {
			return usagef("quantize: sample %d has label %d; the output layer has %d neurons", i, labels[i], outputs)
		}
	}
	return nil
}

// calibrate runs inference and learning on a copy of the weights under a recorder.
func calibrate(ctx context.Context, n *Network, w *Weights, samples [][]uint8, labels []int, r *recorder) error {
	m, err := NewFloatModel[float64](n, w)
	if err != nil {
		return err
	}
	m.recorder = r
	m.recordSynapses()
	m.ClassifyBatch(samples, make([]int, len(samples)))
	batch := make([][]uint8, n.Learning.Batch)
	classes := make([]int, len(batch))
	for start, negative := 0, false; start < len(samples); start += len(batch) {
		if err := ctx.Err(); err != nil {
			return err
		}
		for i := range batch {
			at := (start + i) % len(samples)
			batch[i], classes[i] = samples[at], labels[at]
		}
		m.LearnBatch(batch, classes, negative)
		negative = n.Learning.RandomSign && !negative
	}
	return nil
}

package calibrate

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	fx "corinfo/fixedpoint"
	"corinfo/golden"
	"corinfo/golden/arithmetic"
	"corinfo/golden/float"
	"corinfo/golden/network"
	"corinfo/golden/rule"
	"corinfo/golden/weights"
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
// of the rule's default and the fewest integer bits that hold the range and a guard of one bit, but
// with at most 16 places more of fraction than the default.
//
//   - Tensors of one scope get the most integer bits that one of them wants, and the longest of their word lengths.
//   - The input, and a word that its formula limits to 0 .. 1, are bounded by construction: they get that range and no guard.
//   - A word that a phase sets to another word has at least that one's integer bits, and is wider than the default where
//     the other's fraction takes that.
//   - A tensor whose recorded range is missing, zero or not finite takes the format of others in its scope; without any it
//     keeps the default.
//
// Constants follow from the settings and not from ranges: they keep their defaults.
func ChooseFormats(n *network.Network, r Ranges, scope Scope) map[string]fx.Type {
	chosen := maps.Clone(n.Formats)
	if chosen == nil {
		chosen = map[string]fx.Type{}
	}
	d := n.Describe()
	choices := choicesOf(n, d, r, scope)
	for _, c := range choices {
		chosen[c.key] = c.format()
	}
	holdCopies(d, choices, chosen)
	return chosen
}

// choice is a format to be chosen, and what is known of the tensors that it serves.
type choice struct {
	key      string // of the network file's formats: W0, or W
	tensors  []int
	fits     []fx.Type
	defaults []fx.Type // of tensors whose ranges tell nothing
}

// format is the choice: by the ranges, if one tells something.
func (c *choice) format() fx.Type {
	if len(c.fits) > 0 {
		return widest(c.fits)
	}
	return widest(c.defaults)
}

// choicesOf are the formats that the network leaves open for the recorded tensors.
func choicesOf(n *network.Network, d *rule.Description, r Ranges, scope Scope) []*choice {
	var list []*choice
	byKey := map[string]*choice{}
	types := arithmetic.Resolve(d, n.Formats)
	for i, t := range d.Tensors {
		span, recorded := r[t.String()]
		_, all := n.Formats[t.Kind]
		_, own := n.Formats[t.String()]
		if all || own || !recorded {
			continue
		}
		key := t.Kind
		if scope == EachLayer {
			key = t.String()
		}
		c := byKey[key]
		if c == nil {
			c = &choice{key: key}
			byKey[key] = c
			list = append(list, c)
		}
		c.tensors = append(c.tensors, i)
		guard := guardBits
		if bound, ok := bounded(n, d, i); ok {
			span, guard = bound, 0
		}
		if fitted, told := fit(types[i], span, guard); told {
			c.fits = append(c.fits, fitted)
		} else {
			c.defaults = append(c.defaults, types[i])
		}
	}
	return list
}

// holdCopies makes room in chosen formats for what phases set their words to: see rule.Copy.
func holdCopies(d *rule.Description, choices []*choice, chosen map[string]fx.Type) {
	types := arithmetic.Resolve(d, chosen)
	for _, p := range d.Phases {
		for _, copy := range p.Begin {
			to, from := d.Words[copy.To].Tensor, d.Words[copy.From].Tensor
			for _, c := range choices {
				if slices.Contains(c.tensors, to) {
					chosen[c.key] = holding(chosen[c.key], types[from].Format)
				}
			}
		}
	}
}

// SharedFormats is a copy of a network in which all layers share one format per kind of tensor, as ChooseFormats would
// have it: the longest of their words and the most of their integer bits. Constants keep theirs.
func SharedFormats(n *network.Network) *network.Network {
	q, d := *n, n.Describe()
	q.Formats = map[string]fx.Type{}
	var choices []*choice
	byKind := map[string]*choice{}
	for i, t := range arithmetic.Resolve(d, n.Formats) {
		x := d.Tensors[i]
		if x.Use == rule.OfConstant {
			q.Formats[x.String()] = t
			continue
		}
		c := byKind[x.Kind]
		if c == nil {
			c = &choice{key: x.Kind}
			byKind[x.Kind] = c
			choices = append(choices, c)
		}
		c.tensors, c.fits = append(c.tensors, i), append(c.fits, t)
	}
	for _, c := range choices {
		q.Formats[c.key] = c.format()
	}
	holdCopies(d, choices, q.Formats)
	return &q
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

// bounded is the range of a tensor whose values cannot leave it: the input, and what a formula limits to 0 .. 1.
func bounded(n *network.Network, d *rule.Description, tensor int) (Range, bool) {
	if d.Words[d.Word("x", 0)].Tensor == tensor {
		low, high := n.Dataset.Normalize.Range()
		return Range{low, high}, true
	}
	t := d.Tensors[tensor]
	for _, s := range d.Steps {
		for _, v := range s.Graph.Nodes {
			if s.Layer == t.Index && v.Op == rule.OpRound && v.Name == t.Kind && s.Graph.Nodes[v.Args[0]].Op == rule.OpClip {
				return Range{0, 1}, true
			}
		}
	}
	return Range{}, false
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
// own that arithmetic.New refuses.
func Quantize(ctx context.Context, n *network.Network, w weights.Weights, samples [][]uint8, labels []int, scope Scope) (*network.Network, Ranges, []Misfit, error) {
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
			return nil, nil, nil, golden.Usagef("quantize: %s ran away to %v .. %v: learning diverges at these rates; lower the learning rates or lengthen the batch", name, r.Min, r.Max)
		}
	}
	q := *n
	q.Formats = ChooseFormats(n, ranges, scope)
	d := q.Describe()
	if _, err := arithmetic.New(d, q.Learning.Batch, q.Formats, q.Dataset.Normalize.Inputs()); err != nil {
		return nil, nil, nil, fmt.Errorf("%w: %w", golden.ErrUsage, err)
	}
	short := map[string]*Misfit{}
	types := Types(d, q.Formats)
	for _, t := range d.Tensors {
		if r, ok := ranges[t.String()]; ok && t.Kind != "x" && t.Use != rule.OfSynapse && !holds(types[t.String()], r) {
			short[t.String()] = &Misfit{Tensor: t.String(), Type: types[t.String()].String()}
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

func checkCalibration(n *network.Network, samples [][]uint8, labels []int) error {
	if len(samples) == 0 || len(samples) != len(labels) {
		return golden.Usagef("quantize: %d calibration samples with %d labels; give at least one sample and a label for each",
			len(samples), len(labels))
	}
	for i, pixels := range samples {
		if len(pixels) != n.Layers[0] {
			return golden.Usagef("quantize: sample %d has %d pixels; layer 0 has %d neurons", i, len(pixels), n.Layers[0])
		}
		if outputs := n.Layers[n.K()]; labels[i] < 0 || labels[i] >= outputs {
			return golden.Usagef("quantize: sample %d has label %d; the output layer has %d neurons", i, labels[i], outputs)
		}
	}
	return nil
}

// calibrate runs inference and learning on a copy of the weights under a recorder.
func calibrate(ctx context.Context, n *network.Network, w weights.Weights, samples [][]uint8, labels []int, r *recorder) error {
	m, err := float.New[float64](n.Describe(), n.Learning.Batch, n.Dataset.Normalize.Inputs(), w)
	if err != nil {
		return err
	}
	m.Record(r.note)
	m.Classify(samples, make([]int, len(samples)))
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
		m.Learn(batch, classes, negative)
		negative = n.Learning.RandomSign && !negative
	}
	return nil
}

// Types are the types of all tensors by their names in a network file, with an index where there are several: x, r1, W0.
func Types(d *rule.Description, chosen map[string]fx.Type) map[string]fx.Type {
	types := map[string]fx.Type{}
	for i, t := range arithmetic.Resolve(d, chosen) {
		types[d.Tensors[i].String()] = t
	}
	return types
}

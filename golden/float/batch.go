package float

import (
	"math"

	"corinfo/golden/rule"
	"corinfo/golden/simd"
)

// batch is the activity of some samples, a row each.
type batch[T simd.Float] struct {
	rows    int
	words   []simd.Matrix[T]            // those of every neuron, and the fixed ones
	shared  [][]T                       // those that the neurons of a layer share, by sample
	fixed   []simd.Matrix[T]            // by sum: its part that stands still; no rows where there is none
	steps   [][]simd.Matrix[T]          // by step: scratch
	factors [][]simd.Matrix[T]          // by factor: scratch
	saved   map[string][]simd.Matrix[T] // by phase that another starts from: its words
	savedQ  map[string][][]T            // and shared words
	earlier []simd.Matrix[T]            // by word: as the earlier of the compared phases left it
	y       simd.Matrix[T]              // 1 for the label's neuron
	labels  []int
	classes []int // when the answer was due
}

func newBatch[T simd.Float](m *Model[T], rows int) *batch[T] {
	d := m.d
	b := &batch[T]{rows: rows, labels: make([]int, rows), classes: make([]int, rows), saved: map[string][]simd.Matrix[T]{},
		savedQ: map[string][][]T{},
		y:      simd.NewStates[T](rows, d.Layers[len(d.Layers)-1]), earlier: make([]simd.Matrix[T], len(d.Words))}
	b.words, b.shared = newWords[T](d, rows)
	for w, x := range d.Words {
		if x.One() {
			for i := range rows {
				b.words[w].Set(i, 0, 1)
			}
		}
	}
	for s := range d.Sums {
		if b.fixed = append(b.fixed, simd.Matrix[T]{}); m.sums[s].fixed != nil {
			b.fixed[s] = simd.NewStates[T](rows, d.Layers[d.Sums[s].Layer])
		}
	}
	scratch := func(f *formula) (list []simd.Matrix[T]) {
		if f == nil {
			return nil
		}
		for range f.scratch {
			list = append(list, simd.NewStates[T](rows, d.Layers[f.layer]))
		}
		return list
	}
	for _, f := range m.steps {
		b.steps = append(b.steps, scratch(f))
	}
	for i, f := range m.factors {
		b.factors = append(b.factors, scratch(f))
		if f == nil {
			continue
		}
		for _, n := range d.Factors[i].Graph.Nodes {
			if n.Op == rule.OpOperand && n.Source == rule.FromEarlier {
				b.earlier[d.Word(n.Name, f.layer)] = simd.NewStates[T](rows, d.Layers[f.layer])
			}
		}
	}
	for _, p := range d.Phases {
		if p.From != "" {
			b.saved[p.From], b.savedQ[p.From] = newWords[T](d, rows)
		}
	}
	return b
}

// newWords has room for the words of some samples.
func newWords[T simd.Float](d *rule.Description, rows int) (words []simd.Matrix[T], shared [][]T) {
	for w, x := range d.Words {
		words, shared = append(words, simd.Matrix[T]{}), append(shared, nil)
		if x.Shared && !x.Fixed {
			shared[w] = make([]T, rows)
		} else {
			words[w] = simd.NewStates[T](rows, d.Width(w))
		}
	}
	return words, shared
}

func (b *batch[T]) setLabel(i, label int) {
	b.labels[i] = label
	y := b.y.Row(i)
	clear(y)
	y[label] = 1
}

// site is where a formula works: some samples of a batch, or some synapses.
type site[T simd.Float] struct {
	b        *batch[T]
	span     simd.Span
	scratch  []simd.Matrix[T]
	result   simd.Matrix[T]   // of a factor
	synapses []simd.Matrix[T] // of an update: the weights, then the words beside them
	products simd.Matrix[T]   // of an update
}

// view is the matrix of a ref.
func (x *site[T]) view(r ref) simd.Matrix[T] {
	switch r.kind {
	case inWord:
		return x.b.words[r.index].Slice(x.span.From, x.span.To)
	case inEarlier:
		return x.b.earlier[r.index].Slice(x.span.From, x.span.To)
	case inLabels:
		return x.b.y.Slice(x.span.From, x.span.To)
	case inResult:
		return x.result
	case inSynapses:
		return x.synapses[r.index]
	case inProducts:
		return x.products
	}
	return x.scratch[r.index].Slice(x.span.From, x.span.To)
}

// evaluate runs a formula at a moment but for its sums, which accumulate has made.
func (m *Model[T]) evaluate(f *formula, at *moment[T], x *site[T]) {
	var room [8]simd.Term[T]
	for i := range f.ops {
		o := &f.ops[i]
		if o.code == opAccumulate {
			continue
		}
		if o.code == opNote {
			if m.record != nil {
				m.note(o.tensor, f.layer, x.view(o.a))
			}
			continue
		}
		to := x.view(o.to)
		switch o.code {
		case opCombine:
			if o.label != nil && at.pulls[i] != 0 && x.b == m.learning { // inference has no labels
				x.b.pull(at.pulls[i], x.view(o.label.into), x.span)
			}
			terms := room[:0]
			for k, t := range o.terms {
				terms = append(terms, simd.Term[T]{Factor: at.factors[i][k], Values: x.view(t.from)})
			}
			switch {
			case o.varying:
				x.b.combine(f, o, at, terms, to, x.span)
			case len(terms) == 0:
				to.Clear()
			case len(terms) == 1 && len(o.offsets) == 1 && f.varying == nil && terms[0].Factor == 1:
				simd.Offset(to, terms[0].Values, at.offsets[i][0])
				continue
			default:
				simd.Combine(to, terms)
			}
			if o.offsets != nil {
				x.offset(f, o, at, at.offsets[i], to)
			}
		case opLimit:
			ceiling := T(1)
			if o.above {
				ceiling = T(math.Inf(1))
			}
			simd.Limit(to, x.view(o.a), ceiling)
		case opMultiply:
			simd.MultiplyElements(to, x.view(o.a), x.view(o.b))
		case opDivide:
			simd.DivideElements(to, x.view(o.a), x.view(o.b), at.factors[i][0])
		case opRoot:
			simd.Roots(to, x.view(o.a))
		case opNonZero:
			simd.NonZeros(to, x.view(o.a))
		case opFunction:
			apply(o.of, to, x.view(o.a))
		case opCopy:
			simd.Copy(to, x.view(o.a))
		}
	}
}

// apply sets z to a function of the elements of a.
func apply[T simd.Float](f *rule.Function, z, a simd.Matrix[T]) {
	switch f {
	case rule.Exp:
		simd.Exp(z, a)
	case rule.Sigmoid:
		simd.Sigmoid(z, a)
	default:
		for i := range a.Rows {
			to := z.Row(i)
			for j, v := range a.Row(i) {
				to[j] = T(f.At(float64(v)))
			}
		}
	}
}

// vary works out, in values, what of a formula is one value for a sample.
func (b *batch[T]) vary(f *formula, values []float64, sample int) {
	for _, v := range f.varying {
		if w := f.words[v]; w >= 0 {
			values[v] = float64(b.shared[w][sample])
		} else {
			calculate(&f.graph.Nodes[v], values, v)
		}
	}
}

// combine is a sum of terms with factors that are one value for a sample.
func (b *batch[T]) combine(f *formula, o *op, at *moment[T], terms []simd.Term[T], to simd.Matrix[T], s simd.Span) {
	values, row := append([]float64(nil), at.values...), make([]simd.Term[T], len(terms))
	for i := range to.Rows {
		b.vary(f, values, s.From+i)
		for k, t := range terms {
			row[k] = simd.Term[T]{Factor: T(o.terms[k].value(values)), Values: t.Values.Slice(i, i+1)}
		}
		simd.Combine(to.Slice(i, i+1), row)
	}
}

// pull adds to the elements of the samples' labels.
func (b *batch[T]) pull(add T, into simd.Matrix[T], s simd.Span) {
	for i := range into.Rows {
		into.Row(i)[b.labels[s.From+i]] += add
	}
}

// offset adds what is one value for all neurons of a sample; still are the offsets, which some formulas have by sample.
func (x *site[T]) offset(f *formula, o *op, at *moment[T], still []T, z simd.Matrix[T]) {
	if f.varying == nil {
		for _, add := range still {
			simd.Offset(z, z, add)
		}
		return
	}
	values := append([]float64(nil), at.values...)
	for i := range z.Rows {
		x.b.vary(f, values, x.span.From+i)
		for k := range still {
			simd.Offset(z.Slice(i, i+1), z.Slice(i, i+1), T(o.offsets[k].value(values)))
		}
	}
}

// accumulate computes the sums of a formula from the words as they are now.
func (m *Model[T]) accumulate(f *formula, x *site[T]) {
	b, s := x.b, x.span
	for i := range f.ops {
		o := &f.ops[i]
		if o.code != opAccumulate {
			continue
		}
		to, filled := x.view(o.to), false
		for _, sum := range o.sums {
			if m.sums[sum].fixed == nil {
				continue
			}
			part := b.fixed[sum].Slice(s.From, s.To)
			if filled {
				simd.Combine(to, []simd.Term[T]{{Factor: 1, Values: to}, {Factor: 1, Values: part}})
			} else {
				simd.Copy(to, part)
				filled = true
			}
		}
		for _, sum := range o.sums {
			for _, p := range m.sums[sum].moving {
				m.project(filled, to, b, p, s)
				filled = true
			}
		}
		if !filled {
			for i := range to.Rows {
				clear(to.Row(i))
			}
		}
	}
}

// project adds a projection of the words as they are now to a sum, or makes it the sum.
func (m *Model[T]) project(add bool, to simd.Matrix[T], b *batch[T], p int, s simd.Span) {
	keep := T(0)
	if add {
		keep = 1
	}
	simd.Multiply(keep, to, b.words[m.d.Projections[p].From].Slice(s.From, s.To), m.synapses[p])
}

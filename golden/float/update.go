package float

import (
	"math"
	"runtime"

	"corinfo/golden/rule"
	"corinfo/golden/simd"
)

// makeFactors has room for the factors of a mini-batch, and for those that the rates scale.
func (m *Model[T]) makeFactors() {
	rows := m.learning.rows
	for _, f := range m.d.Factors {
		switch {
		case f.Graph == nil && m.d.Words[f.Word].Fixed:
			m.kept = append(m.kept, m.learning.words[f.Word])
		case f.Second:
			m.kept = append(m.kept, simd.NewStates[T](rows, m.d.Layers[f.Layer]))
		default:
			m.kept = append(m.kept, simd.NewStates[T](rows*len(f.Roles), m.d.Layers[f.Layer]))
		}
	}
	for _, u := range m.d.Updates {
		post := m.d.Factors[u.Terms[0].Post]
		m.scaled = append(m.scaled, simd.NewStates[T](rows*len(u.Terms), m.d.Layers[post.Layer]))
		m.roots = append(m.roots, simd.Matrix[T]{})
		if m.d.Projections[u.Projection].Symmetric {
			m.roots[len(m.roots)-1] = simd.NewStates[T](rows*len(u.Terms), m.d.Layers[post.Layer])
		}
	}
}

// whole are all samples of a mini-batch.
func (m *Model[T]) whole() simd.Span { return simd.Span{From: 0, To: m.learning.rows} }

// rows are those of some samples of a factor in a role: role plus comes first.
func (m *Model[T]) rows(factor int, role rule.Role, s simd.Span) simd.Matrix[T] {
	start := 0
	if role == rule.Minus && len(m.d.Factors[factor].Roles) > 1 {
		start = m.learning.rows
	}
	return m.kept[factor].Slice(start+s.From, start+s.To)
}

// product is an update as one product of matrices: synapses = keep synapses + pre' post.
type product[T simd.Float] struct {
	keep      T
	pre, post simd.Matrix[T]
	to        simd.Matrix[T]
}

// update applies the factors of a mini-batch to the synapses that they were made with.
func (m *Model[T]) update(sign int) {
	m.recordProducts(sign)
	var products []product[T]
	for i := range m.d.Updates {
		if m.optimizers[i] == nil {
			of, by, _ := m.d.Updates[i].Linear(m.moment())
			products = append(products, m.products(i, of, by, sign)...)
		}
	}
	workers := runtime.GOMAXPROCS(0)
	if m.record != nil {
		workers = 1
	}
	for _, o := range m.optimizers {
		if o != nil {
			o.prepare(m, sign, workers)
		}
	}
	simd.Parallel(workers, func(worker, workers int) {
		for _, p := range products {
			s := simd.Part(p.to.Rows, worker, workers)
			simd.MultiplyTransposed(p.keep, p.to, p.pre, p.post, s.From, s.To)
		}
		for _, o := range m.optimizers {
			if o != nil {
				o.update(m, worker, workers)
			}
		}
	})
	for _, o := range m.optimizers {
		if o != nil {
			o.mirror(m)
		}
	}
	m.step++
	m.recordSynapses()
}

// moment is that of the update under way.
func (m *Model[T]) moment() rule.Moment { return rule.Moment{Epoch: m.epoch, Update: m.step} }

// products gives an update's products, w' = of w + by sum, and, where an optimizer does not copy them, those of the projections that
// mirror it.
func (m *Model[T]) products(update int, of, by float64, sign int) []product[T] {
	u := &m.d.Updates[update]
	if u.Signed {
		by *= float64(sign)
	}
	pre, post := m.presynaptic(u), m.scaled[update]
	if m.d.Projections[u.Projection].Symmetric {
		// Both factors carry the root: c_i c_j and c_j c_i round alike, and the matrix stays symmetric.
		pre = m.roots[update]
		m.scaleTerms(pre, u, math.Sqrt(math.Abs(by)))
		simd.Combine(post, []simd.Term[T]{{Factor: T(math.Copysign(1, by)), Values: pre}})
	} else {
		m.scaleTerms(post, u, by)
	}
	var list []product[T]
	add := func(keep T, pre, post simd.Matrix[T]) {
		list = append(list, product[T]{keep, pre, post, m.synapses[u.Projection]})
		for at, p := range m.d.Projections {
			if p.Mirror == u.Projection && m.optimizers[update] == nil {
				list = append(list, product[T]{keep, post, pre, m.synapses[at]})
			}
		}
	}
	if pre.Rows == post.Rows {
		add(T(of), pre, post)
		return list
	}
	keep := T(of)
	for from := 0; from < post.Rows; from += pre.Rows { // a presynaptic factor that is the same in both phases
		add(keep, pre, post.Slice(from, from+pre.Rows))
		keep = 1
	}
	return list
}

// presynaptic are the presynaptic factors of an update, with the rows of its terms.
func (m *Model[T]) presynaptic(u *rule.Update) simd.Matrix[T] {
	if len(u.Terms) == 1 {
		return m.rows(u.Terms[0].Pre, u.Terms[0].Role, m.whole())
	}
	return m.kept[u.Terms[0].Pre]
}

// scaleTerms sets to to the postsynaptic factors of the terms by a rate: rows of role plus first, as the presynaptic ones have them.
func (m *Model[T]) scaleTerms(to simd.Matrix[T], u *rule.Update, by float64) {
	n := m.learning.rows
	for i := range u.Terms {
		t := &u.Terms[i]
		at := 0
		if len(u.Terms) > 1 && t.Role == rule.Minus {
			at = n
		}
		m.scaleTerm(to.Slice(at, at+n), t, by)
	}
}

func (m *Model[T]) scaleTerm(to simd.Matrix[T], t *rule.Term, by float64) {
	if t.Negative {
		by = -by
	}
	from := m.rows(t.Post, t.Role, m.whole())
	simd.Combine(to, []simd.Term[T]{{Factor: T(by), Values: from}})
}

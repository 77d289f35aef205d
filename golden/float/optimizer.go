package float

import (
	"corinfo/golden/rule"
	"corinfo/golden/simd"
)

// optimizer is an update that is no product of matrices alone: its formula has words beside the synapses. Panel by panel
// and some rows at a time, it sums the products and runs the formula over them, so that all that it needs stays in cache.
type optimizer[T simd.Float] struct {
	at       int // update
	f        *formula
	now      moment[T]
	products []product[T]
	rooms    [][]simd.Matrix[T] // by worker: the sums, then the formula's scratch
}

// optimizerRows are the rows of a panel that are updated at a time.
const optimizerRows = 64

// newOptimizer is nil where an update is linear.
func newOptimizer[T simd.Float](d *rule.Description, update int) *optimizer[T] {
	u := &d.Updates[update]
	if _, _, linear := u.Linear(rule.Moment{}); linear {
		return nil
	}
	return &optimizer[T]{at: update, f: compileUpdate(d, u)}
}

// prepare works out what the rows of an update share; sign is that of beta.
func (o *optimizer[T]) prepare(m *Model[T], sign, workers int) {
	o.now = newMoment[T](o.f, m.moment())
	o.products = m.products(o.at, 0, 1, sign)
	for len(o.rooms) < workers {
		var room []simd.Matrix[T]
		for range 1 + o.f.scratch {
			room = append(room, simd.NewSynapses[T](optimizerRows, simd.PanelColumns[T]()))
		}
		o.rooms = append(o.rooms, room)
	}
}

// update is a worker's part.
func (o *optimizer[T]) update(m *Model[T], worker, workers int) {
	projection := m.d.Updates[o.at].Projection
	words := append([]simd.Matrix[T]{m.synapses[projection]}, m.beside[projection]...)
	x := &site[T]{synapses: make([]simd.Matrix[T], len(words)), scratch: make([]simd.Matrix[T], o.f.scratch)}
	room := o.rooms[worker]
	s := simd.Part(words[0].Rows, worker, workers)
	for p := range words[0].Panels() {
		for from := s.From; from < s.To; from += optimizerRows {
			to := min(from+optimizerRows, s.To)
			for i, w := range words {
				x.synapses[i] = w.Panel(p, from, to)
			}
			like := func(i int) simd.Matrix[T] { return room[i].Panel(0, 0, to-from).Narrow(x.synapses[0].Cols) }
			x.products, x.span = like(0), simd.Span{From: 0, To: to - from}
			for i := range x.scratch {
				x.scratch[i] = like(1 + i)
			}
			for i, product := range o.products {
				simd.MultiplyTransposed(T(min(i, 1)), x.products, product.pre.Columns(from, to),
					product.post.Panel(p, 0, product.post.Rows), 0, to-from)
			}
			m.evaluate(o.f, &o.now, x)
		}
	}
}

// mirror copies the synapses into the projections that mirror them.
func (o *optimizer[T]) mirror(m *Model[T]) {
	projection := m.d.Updates[o.at].Projection
	for at, p := range m.d.Projections {
		if p.Mirror == projection {
			simd.Transpose(m.synapses[at], m.synapses[projection])
		}
	}
}

package machine

import (
	"slices"

	fx "corinfo/fixedpoint"
	"corinfo/fixedpoint/vector"
	"corinfo/golden/rule"
)

// updater applies updates to columns of projections; one goroutine uses it at a time.
type updater struct {
	m             *Machine
	runners       []*fx.Runner // by update
	terms         vector.Terms
	words, sums   []int64
	next          []int64
	draws         [][]int64 // random words: of the weights, then of the words beside them
	later         [][]int64 // what becomes of the words beside a column's synapses
	active, moved []int64
	in, out       [][]int64
	summed        []int64 // terms, by update: Counts.UpdateTerms
	lost          []int64 // by update
	columns       []int64 // written, by update
}

func newUpdater(m *Machine) *updater {
	rows := 0
	u := &updater{m: m, lost: make([]int64, len(m.d.Updates)), summed: make([]int64, len(m.d.Updates)), columns: make([]int64, len(m.d.Updates))}
	for i, x := range m.d.Updates {
		rows = max(rows, vector.Padded(m.d.Projections[x.Projection].Rows))
		u.runners = append(u.runners, newRunner(m.A.Updates[i].Graph))
	}
	for _, words := range []*[]int64{&u.words, &u.sums, &u.next, &u.active, &u.moved} {
		*words = make([]int64, rows)
	}
	u.draws = append(u.draws, make([]int64, rows))
	for _, p := range m.d.Projections {
		for len(u.later) < len(p.Words) {
			u.later = append(u.later, make([]int64, rows))
			u.draws = append(u.draws, make([]int64, rows))
		}
	}
	return u
}

// apply updates every projection from the samples held, all from the synapses before the update: the
// factors were kept when the samples settled.
func (m *Machine) apply(t *Trace) {
	m.schedule()
	for i := range m.d.Updates {
		projection := m.d.Updates[i].Projection
		keys := m.keys(projection)
		columns := m.d.Projections[projection].Cols
		if t == nil {
			m.spread(columns, func(worker, j int) { m.updaters[worker].column(i, j, keys) })
			continue
		}
		for j := range columns {
			if u := m.updaters[0]; u.column(i, j, keys) {
				t.Writes = append(t.Writes, u.written(projection, j))
			}
		}
	}
	m.batch = 0
	m.update++
	m.updates++
}

// written is the column that was updated last.
func (u *updater) written(projection, column int) Write {
	rows := u.m.d.Projections[projection].Rows
	w := Write{Projection: projection, Column: column, Words: slices.Clone(u.next[:rows])}
	for row, word := range w.Words {
		if old := u.words[row]; word != old {
			w.Moved++
			if word^old < 0 {
				w.Turned++
			}
		}
	}
	return w
}

// keys are those of the random words of a projection's synapses, then of the words beside them: by the number of the tensor, which is
// its place among the synapses, and after all of those among the words beside.
func (m *Machine) keys(projection int) (keys []fx.Key) {
	number := len(m.stored)
	for i, p := range m.stored {
		if p == projection {
			keys = append(keys, fx.NewKey(m.seed, m.update, uint8(i)))
			for k := range m.d.Projections[p].Words {
				keys = append(keys, fx.NewKey(m.seed, m.update, uint8(number+k)))
			}
		}
		number += len(m.d.Projections[p].Words)
	}
	return keys
}

// column updates the synapses of presynaptic neuron j, unless every product is zero and they keep their words then; it
// tells whether it wrote.
func (u *updater) column(at, j int, keys []fx.Key) bool {
	m, update, x := u.m, &u.m.d.Updates[at], &u.m.A.Updates[at]
	p := &m.d.Projections[update.Projection]
	u.gather(at, j)
	if len(u.terms.List) == 0 && !update.Always {
		return false
	}
	u.summed[at] += int64(max(1, len(u.terms.List)))
	u.columns[at]++
	n, padded := vector.Full(p.Rows), vector.Padded(p.Rows) // synapses beyond the last row are zero and stay so
	if u.terms.Long = 0; !x.Short {
		u.terms.Long = len(u.terms.List)
	}
	vector.Sum(u.sums[:padded], &u.terms, 0)
	words := u.words[:n]
	m.synapses[update.Projection].read(j, words)

	u.in = u.in[:0]
	rates := m.rates[at]
	for _, o := range x.Operands {
		switch o.Source {
		case rule.FromSynapse:
			u.in = append(u.in, u.synapse(update.Projection, o.Name, j, words)[:n])
		case rule.FromProducts:
			u.in = append(u.in, u.sums[:n])
		case rule.FromConstant:
			u.in, rates = append(u.in, rates[:1]), rates[1:]
		case rule.FromRandom:
			// A symmetric projection draws by the unordered pair, for both of its synapses.
			k := m.drawn(p, o.Name)
			keys[k].DrawColumn(u.draws[k][:padded], uint16(j), p.Symmetric)
			u.in = append(u.in, u.draws[k][:n])
		}
	}
	next, active, moved := u.next[:n], u.active[:n], u.moved[:n]
	u.out = append(u.out[:0], next)
	for k := range p.Words {
		u.out = append(u.out, u.later[k][:n])
	}
	u.out = append(u.out, active, moved)
	u.runners[at].Run(n, u.in, u.out)
	u.lost[at] += vector.Lost(u.sums[:n], next, words)
	m.synapses[update.Projection].write(j, next)
	for k := range p.Words {
		m.beside[update.Projection][k].write(j, u.later[k][:n])
	}
	for _, mirror := range m.mirrors[update.Projection] {
		for i, word := range next[:p.Rows] {
			m.synapses[mirror].set(j, i, word)
		}
	}
	return true
}

// synapse are the words of a column by their name in the formula: weights, or words beside them, where they lie.
func (u *updater) synapse(projection int, name string, column int, weights []int64) []int64 {
	for k, word := range u.m.d.Projections[projection].Words {
		if word.Name == name {
			return u.m.beside[projection][k].words(column)
		}
	}
	return weights
}

// drawn is whose random word an operand is: 0 the weight's, else that of a word beside it.
func (m *Machine) drawn(p *rule.Projection, operand string) int {
	for k, word := range p.Words {
		if operand == "random_"+m.d.Tensors[word.Tensor].Kind {
			return 1 + k
		}
	}
	return 0
}

// source is a term of an update from one of the samples held.
type source struct {
	pre, post []int64
	of        *sample
	negative  bool
	signed    bool // the sign of the sample's beta counts too
}

// sources are those of an update, sample by sample; the words behind them change with every mini-batch.
func (m *Machine) sources(update *rule.Update) (list []source) {
	rows := vector.Padded(m.d.Projections[update.Projection].Rows)
	for _, v := range m.held {
		for _, t := range update.Terms {
			factors := v.factors[roleIndex(t.Role)]
			list = append(list, source{pre: factors[t.Pre], post: factors[t.Post][:rows], of: v, negative: t.Negative, signed: update.Signed})
		}
	}
	return list
}

// gather lists the nonzero presynaptic factors of column j over the mini-batch, sample by sample.
func (u *updater) gather(update, j int) {
	u.terms.List = u.terms.List[:0]
	sources := u.m.terms[update]
	for i := range sources {
		s := &sources[i]
		pre := s.pre[j]
		if pre == 0 {
			continue
		}
		if s.negative != (s.signed && s.of.negative) {
			pre = -pre
		}
		u.terms.List = append(u.terms.List, vector.Term{Factor: pre, Values: s.post})
	}
}

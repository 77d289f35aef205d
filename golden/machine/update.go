package machine

import (
	"slices"

	fx "corinfo/fixedpoint"
	"corinfo/fixedpoint/vector"
	"corinfo/golden/arithmetic"
	"corinfo/golden/rule"
)

// updater applies updates to columns of projections; one goroutine uses it at a time. It works on groups of columns, side by side in
// its rooms: a graph costs as much for the few synapses of one column as for some hundred.
type updater struct {
	m       *Machine
	runners []*fx.Runner // by update
	terms   vector.Terms
	group   []int // columns
	sums    []int64
	words   [][]int64   // the weights, then the words beside them
	later   [][][]int64 // by update: what becomes of them
	draws   [][]int64   // random words, of the same
	in, out [][]int64
	summed  []int64 // terms, by update: Counts.UpdateTerms
	lost    []int64 // by update
	columns []int64 // written, by update
}

// groupRows is how many rows a group of columns has at most, unless a column has more.
const groupRows = 1024

// updateTable is what an update needs of the description, looked up once.
type updateTable struct {
	rows, padded int     // of a column in a group; what is written where 16-bit vectors are
	columns      int     // of a group
	words        int     // of a synapse
	inputs       []input // in the order of the graph's inputs; at: which of the words, or of the constants
	outputs      []string
}

func newUpdateTable(a *arithmetic.Arithmetic, at int) updateTable {
	p := &a.D.Projections[a.D.Updates[at].Projection]
	t := updateTable{rows: vector.Full(p.Rows), padded: vector.Padded(p.Rows), words: 1 + len(p.Words)}
	t.columns = max(1, groupRows/t.rows)
	constants := 0
	for _, o := range a.Updates[at].Operands {
		in := input{source: o.Source}
		if o.Source == rule.FromConstant {
			in.at = constants
			constants++
		}
		for k, word := range p.Words {
			if o.Source == rule.FromSynapse && o.Name == word.Name || o.Source == rule.FromRandom &&
				o.Name == "random_"+a.D.Tensors[word.Tensor].Kind {
				in.at = 1 + k
			}
		}
		t.inputs = append(t.inputs, in)
	}
	for _, o := range a.Updates[at].Graph.Outputs()[:t.words] {
		t.outputs = append(t.outputs, o.Name)
	}
	return t
}

func newUpdater(m *Machine) *updater {
	u := &updater{m: m, lost: make([]int64, len(m.d.Updates)), summed: make([]int64, len(m.d.Updates)),
		columns: make([]int64, len(m.d.Updates))}
	room, words := 0, 0
	for i := range m.tables {
		t := &m.tables[i]
		room, words = max(room, t.columns*t.rows+vector.Rows), max(words, t.words)
		u.runners = append(u.runners, newRunner(m.A.Updates[i].Graph, t.outputs...))
	}
	u.sums = make([]int64, room)
	for range words {
		u.words, u.draws = append(u.words, make([]int64, room)), append(u.draws, make([]int64, room))
	}
	for i := range m.tables {
		u.later = append(u.later, u.rooms(i, room))
	}
	return u
}

// rooms are for the words after an update: in the place of those before, unless these are looked at later, as weights are.
func (u *updater) rooms(update, room int) [][]int64 {
	t := &u.m.tables[update]
	later := slices.Clone(u.words[:t.words])
	later[0] = make([]int64, room)
	for at, in := range t.inputs {
		if in.source == rule.FromSynapse && in.at > 0 && !u.runners[update].Replaces(in.at, at) {
			later[in.at] = make([]int64, room)
		}
	}
	return later
}

// apply updates every projection from the samples held, all from the synapses before the update: the
// factors were kept when the samples settled.
func (m *Machine) apply(t *Trace) {
	m.schedule()
	for i := range m.d.Updates {
		projection := m.d.Updates[i].Projection
		for at := range m.terms[i] {
			x := &m.terms[i][at]
			x.idle = !slices.ContainsFunc(x.post, func(word int64) bool { return word != 0 })
		}
		keys := m.keys(projection)
		columns, group := m.d.Projections[projection].Cols, m.tables[i].columns
		groups := (columns + group - 1) / group
		if t == nil {
			m.spread(groups, func(worker, g int) { m.updaters[worker].apply(i, g*group, min((g+1)*group, columns), keys) })
			continue
		}
		for g := range groups {
			u := m.updaters[0]
			u.apply(i, g*group, min((g+1)*group, columns), keys)
			for at := range u.group {
				t.Writes = append(t.Writes, u.written(i, at))
			}
		}
	}
	m.batch = 0
	m.update++
	m.updates++
}

// written is a column of the group that was updated last.
func (u *updater) written(update, at int) Write {
	first, projection := at*u.m.tables[update].rows, u.m.d.Updates[update].Projection
	rows := u.m.d.Projections[projection].Rows
	w := Write{Projection: projection, Column: u.group[at], Words: slices.Clone(u.later[update][0][first:][:rows])}
	for row, word := range w.Words {
		if old := u.words[0][first+row]; word != old {
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

// apply updates the synapses of presynaptic neurons from .. to-1, but for columns of which every product is zero and which keep their
// words then.
func (u *updater) apply(at, from, to int, keys []fx.Key) {
	u.group = u.group[:0]
	for j := from; j < to; j++ {
		u.gather(at, j)
		if len(u.terms.List) > 0 || u.m.d.Updates[at].Always {
			u.take(at, j, keys)
		}
	}
	if len(u.group) == 0 {
		return
	}
	t := &u.m.tables[at]
	n := len(u.group) * t.rows
	u.in, u.out = u.in[:0], u.out[:0]
	for _, in := range t.inputs {
		switch in.source {
		case rule.FromSynapse:
			u.in = append(u.in, u.words[in.at][:n])
		case rule.FromProducts:
			u.in = append(u.in, u.sums[:n])
		case rule.FromConstant:
			u.in = append(u.in, u.m.rates[at][in.at:][:1])
		case rule.FromRandom:
			u.in = append(u.in, u.draws[in.at][:n])
		}
	}
	for k := range t.words {
		u.out = append(u.out, u.later[at][k][:n])
	}
	u.runners[at].Run(n, u.in, u.out)
	u.lost[at] += vector.Lost(u.sums[:n], u.later[at][0], u.words[0])
	for i, j := range u.group {
		u.put(at, j, i*t.rows)
	}
}

// take adds column j, whose terms are gathered, to the group.
func (u *updater) take(at, j int, keys []fx.Key) {
	m, t, projection := u.m, &u.m.tables[at], u.m.d.Updates[at].Projection
	first := len(u.group) * t.rows
	u.group = append(u.group, j)
	u.summed[at] += int64(max(1, len(u.terms.List)))
	u.columns[at]++
	if !m.A.Updates[at].Short {
		u.terms.Long = len(u.terms.List)
	}
	// Synapses beyond the last row are zero and stay so.
	vector.Sum(u.sums[first:][:t.rows], &u.terms, 0)
	m.synapses[projection].read(j, u.words[0][first:][:t.rows])
	for k, words := range m.beside[projection] {
		words.read(j, u.words[1+k][first:])
	}
	for _, in := range t.inputs {
		if in.source == rule.FromRandom { // a symmetric projection draws by the unordered pair, for both of its synapses
			keys[in.at].DrawColumn(u.draws[in.at][first:][:t.padded], uint16(j), m.d.Projections[projection].Symmetric)
		}
	}
}

// put stores what has become of column j, of which the group's words begin at first.
func (u *updater) put(at, j, first int) {
	m, rows, projection := u.m, u.m.tables[at].rows, u.m.d.Updates[at].Projection
	next := u.later[at][0][first:][:rows]
	m.synapses[projection].write(j, next)
	for k, words := range m.beside[projection] {
		words.write(j, u.later[at][1+k][first:][:rows])
	}
	for _, mirror := range m.mirrors[projection] {
		for i, word := range next[:m.d.Projections[projection].Rows] {
			m.synapses[mirror].set(j, i, word)
		}
	}
}

// source is a term of an update from one of the samples held.
type source struct {
	pre, post []int64
	of        *sample
	negative  bool
	signed    bool // the sign of the sample's beta counts too
	idle      bool // every postsynaptic factor is zero
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

// gather lists the nonzero presynaptic factors of column j over the mini-batch, sample by sample, of those that are not idle.
func (u *updater) gather(update, j int) {
	u.terms = vector.Terms{List: u.terms.List[:0]}
	sources := u.m.terms[update]
	for i := range sources {
		s := &sources[i]
		pre := s.pre[j]
		if pre == 0 || s.idle {
			continue
		}
		if s.negative != (s.signed && s.of.negative) {
			pre = -pre
		}
		u.terms.List = append(u.terms.List, vector.Term{Factor: pre, Values: s.post})
	}
}

package golden

import (
	"slices"
	"strconv"

	fx "corinfo/fixedpoint"
	"corinfo/fixedpoint/vector"
)

// updater applies updates to columns of matrices; one goroutine uses it at a time.
type updater struct {
	m             *Machine
	runners       []*fx.Runner // by matrix
	terms         vector.Terms
	words, sums   []int64
	next, draw    []int64
	active, moved []int64
	scalars       [2]int64
	in, out       [][]int64
	summed        []int64 // terms, by matrix: Counts.UpdateTerms
	lost          []int64 // by matrix
}

func newUpdater(m *Machine) *updater {
	rows := 0
	graphs := make([]*fx.Graph, len(m.A.Matrices))
	for i, x := range m.A.Matrices {
		rows = max(rows, vector.Padded(x.Rows))
		graphs[i] = x.Graph
	}
	u := &updater{m: m, runners: compile(graphs), in: make([][]int64, 5), out: make([][]int64, 3), lost: make([]int64, len(graphs)), summed: make([]int64, len(graphs))}
	for _, words := range []*[]int64{&u.words, &u.sums, &u.next, &u.draw, &u.active, &u.moved} {
		*words = make([]int64, rows)
	}
	return u
}

// apply updates every matrix from the samples held, all from the weights before the update: the
// factors were recorded when the samples settled.
func (m *Machine) apply(t *Trace) {
	for _, i := range m.A.Program {
		if i.Op != OpUpdate {
			continue
		}
		x := &m.A.Matrices[i.Matrix]
		key := fx.NewKey(m.seed, m.update, uint8(i.Matrix))
		if t != nil {
			for j := range x.Cols {
				if u := m.updaters[0]; u.column(i, j, &key) {
					t.Writes = append(t.Writes, u.written(i.Matrix, j))
				}
			}
			continue
		}
		m.spread(x.Cols, func(worker, j int) { m.updaters[worker].column(i, j, &key) })
	}
	m.batch = 0
	m.update++
	m.counts.Updates++
}

// column updates the synapses of presynaptic neuron j, unless every product is zero and the matrix
// keeps its words then; it tells whether it wrote.
func (u *updater) column(i Instruction, j int, key *fx.Key) bool {
	m, x := u.m, &u.m.A.Matrices[i.Matrix]
	u.gather(i, j)
	if len(u.terms.List) == 0 && x.Kind != Lateral {
		return false
	}
	u.summed[i.Matrix] += int64(max(1, len(u.terms.List)))
	n, padded := vector.Full(x.Rows), vector.Padded(x.Rows) // synapses beyond the last row are zero and stay so
	u.terms.Long = !x.Short
	vector.Sum(u.sums[:padded], &u.terms, 0)
	words := u.words[:n]
	m.synapses[i.Matrix].read(j, words)

	in := append(u.in[:0], words, u.sums[:n])
	u.scalars = [2]int64{m.rates[i.Matrix], m.A.Gamma}
	in = append(in, u.scalars[:1])
	if x.Kind == Lateral {
		in = append(in, u.scalars[1:])
	}
	if x.Type.Rounding == fx.Stochastic {
		// The lateral matrix is symmetric: both of its synapses draw by the unordered pair.
		key.DrawColumn(u.draw[:padded], uint16(j), x.Kind == Lateral)
		in = append(in, u.draw[:n])
	}
	next, active, moved := u.next[:n], u.active[:n], u.moved[:n]
	u.runners[i.Matrix].Run(n, in, append(u.out[:0], next, active, moved))
	u.lost[i.Matrix] += vector.Lost(active, moved)
	m.synapses[i.Matrix].write(j, next)
	return true
}

// written is the column that was updated last.
func (u *updater) written(matrix, column int) Write {
	rows := u.m.A.Matrices[matrix].Rows
	w := Write{Matrix: matrix, Column: column, Words: slices.Clone(u.next[:rows])}
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

// gather lists the nonzero presynaptic factors of column j over the mini-batch, sample by sample.
func (u *updater) gather(i Instruction, j int) {
	x := &u.m.A.Matrices[i.Matrix]
	u.terms.List = u.terms.List[:0]
	add := func(pre int64, negate bool, post []int64) {
		if pre == 0 {
			return
		}
		if negate {
			pre = -pre
		}
		u.terms.List = append(u.terms.List, vector.Term{Factor: pre, Values: post[:vector.Padded(x.Rows)]})
	}
	for _, v := range u.m.held {
		switch {
		case x.Kind == Lateral:
			add(v.c[x.Pre][j], false, v.c[x.Post])
		case x.Kind == Feedforward && x.Pre == 0:
			last := Plus
			if i.Negate {
				last = Minus
			}
			add(v.x[j], v.negative != i.Negate, v.e[last][1])
		case x.Kind == Feedforward:
			add(v.kept[Minus][x.Pre][j], !v.negative, v.e[Minus][x.Post])
			add(v.kept[Plus][x.Pre][j], v.negative, v.e[Plus][x.Post])
		default:
			add(v.kept[Minus][x.Pre][j], !v.negative, v.d[Minus][x.Post])
			add(v.kept[Plus][x.Pre][j], v.negative, v.d[Plus][x.Post])
		}
	}
}

// overflows adds the counts of this updater by tensor.
func (u *updater) overflows(counts map[string]int64) {
	for i, x := range u.m.A.Matrices {
		over := u.runners[i].Overflows()
		counts["d"+x.Name()] += over[0]
		counts[x.Name()] += over[1]
	}
}

// tensorName is a kind with its index: u1, dW0.
func tensorName(kind string, index int) string { return kind + strconv.Itoa(index) }

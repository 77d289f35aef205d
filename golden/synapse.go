package golden

import (
	"strconv"

	fx "corinfo/fixedpoint"
)

// updater applies updates to columns of matrices; one goroutine uses it at a time.
type updater struct {
	m             *Machine
	runners       []*fx.Runner // by matrix
	terms         []term
	rows          []int // that may change in this column
	every         []int // 0, 1, 2, ...
	words, sums   []int64
	old, some     []int64 // of the rows that may change
	next, draw    []int64
	active, moved []int64
	scalars       [2]int64
	in, out       [][]int64
	summed        []int64 // terms, by matrix: Counts.UpdateTerms
	lost          []int64 // by matrix
}

// term is one product of a synapse's sum: the presynaptic factor, signed, and the postsynaptic
// factors of all rows.
type term struct {
	pre  int64
	post []int64
}

func newUpdater(m *Machine) *updater {
	rows := 0
	graphs := make([]*fx.Graph, len(m.A.Matrices))
	for i, x := range m.A.Matrices {
		rows = max(rows, x.Rows)
		graphs[i] = x.Graph
	}
	u := &updater{m: m, runners: compile(graphs), rows: make([]int, rows), in: make([][]int64, 5), out: make([][]int64, 3), lost: make([]int64, len(graphs)), summed: make([]int64, len(graphs))}
	for _, words := range []*[]int64{&u.words, &u.sums, &u.old, &u.some, &u.next, &u.draw, &u.active, &u.moved} {
		*words = make([]int64, rows)
	}
	for row := range rows {
		u.every = append(u.every, row)
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
				if m.updaters[0].column(i, j, &key) {
					words := make([]int64, x.Rows)
					m.synapses[i.Matrix].read(j, words)
					t.Writes = append(t.Writes, Write{Matrix: i.Matrix, Column: j, Words: words})
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
	if len(u.terms) == 0 && x.Kind != Lateral {
		return false
	}
	sums := u.sums[:x.Rows]
	u.total(sums)
	u.summed[i.Matrix] += int64(max(1, len(u.terms)))

	words := u.words[:x.Rows]
	m.synapses[i.Matrix].read(j, words)
	rows := u.changing(x, sums)
	if len(rows) == 0 {
		return true
	}
	n := len(rows)
	old, some := words, sums
	if n < x.Rows {
		old, some = u.old[:n], u.some[:n]
		for at, row := range rows {
			old[at], some[at] = words[row], sums[row]
		}
	}
	in := append(u.in[:0], old, some)
	u.scalars = [2]int64{m.rates[i.Matrix], m.A.Gamma}
	in = append(in, u.scalars[:1])
	if x.Kind == Lateral {
		in = append(in, u.scalars[1:])
	}
	if x.Type.Rounding == fx.Stochastic {
		draw := u.draw[:n]
		for at, row := range rows {
			// The lateral matrix is symmetric: both of its synapses draw by the unordered pair.
			a, b := row, j
			if x.Kind == Lateral && b > a {
				a, b = b, a
			}
			draw[at] = int64(key.Draw(uint16(a), uint16(b)))
		}
		in = append(in, draw)
	}
	next, active, moved := u.next[:n], u.active[:n], u.moved[:n]
	u.runners[i.Matrix].Run(n, in, append(u.out[:0], next, active, moved))
	for at, row := range rows {
		words[row] = next[at]
		u.lost[i.Matrix] += active[at] &^ moved[at]
	}
	m.synapses[i.Matrix].write(j, words)
	return true
}

// total sums the terms by row, four at a time.
func (u *updater) total(sums []int64) {
	clear(sums)
	terms := u.terms
	for ; len(terms) >= 4; terms = terms[4:] {
		n := len(sums)
		a, b, c, d := terms[0].post[:n], terms[1].post[:n], terms[2].post[:n], terms[3].post[:n]
		x, y, z, w := terms[0].pre, terms[1].pre, terms[2].pre, terms[3].pre
		for row := range sums {
			sums[row] += a[row]*x + b[row]*y + c[row]*z + d[row]*w
		}
	}
	for _, t := range terms {
		post := t.post[:len(sums)]
		for row := range sums {
			sums[row] += t.pre * post[row]
		}
	}
}

// changing lists the rows whose synapses may change. A sum of zero leaves a synapse of W and F as it
// is, unless SAT_SYM takes the word that it has away.
func (u *updater) changing(x *Matrix, sums []int64) []int {
	if x.Kind == Lateral || x.Type.Overflow == fx.SatSym {
		return u.every[:x.Rows]
	}
	rows := u.rows[:0]
	for row, sum := range sums {
		if sum != 0 {
			rows = append(rows, row)
		}
	}
	return rows
}

// gather lists the nonzero presynaptic factors of column j over the mini-batch, sample by sample.
func (u *updater) gather(i Instruction, j int) {
	x := &u.m.A.Matrices[i.Matrix]
	u.terms = u.terms[:0]
	add := func(pre int64, negate bool, post []int64) {
		if pre == 0 {
			return
		}
		if negate {
			pre = -pre
		}
		u.terms = append(u.terms, term{pre, post})
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

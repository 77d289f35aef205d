package machine

import (
	mathbits "math/bits"
	"slices"

	fx "corinfo/fixedpoint"
	"corinfo/fixedpoint/vector"
	"corinfo/golden/arithmetic"
	"corinfo/golden/rule"
)

// sample is the activity of one sample and what learning keeps of it. Slices are as long as vectors want; what is
// beyond the last neuron is zero, as its synapses are, and stays so: all types round zero to zero.
type sample struct {
	words    [][]int64    // by word
	sums     [][]int64    // by sum
	saved    [][][]int64  // by phase that another starts from: its words
	earlier  [][]int64    // by word that a factor compares: as the earlier of the compared phases left it
	factors  [2][][]int64 // by role, minus and plus, and factor; those of no role are in both
	negative bool
	scores   []int64 // the readout when the answer is due
	class    int     // index of the largest score, the lowest of equals
}

// roleIndex is a role's place in sample.factors.
func roleIndex(r rule.Role) int {
	if r == rule.Plus {
		return 1
	}
	return 0
}

func newSample(a *arithmetic.Arithmetic) *sample {
	d := a.D
	room := func(n int) []int64 { return make([]int64, n, vector.Padded(n)) }
	s := &sample{words: newWords(d), saved: make([][][]int64, len(d.Phases)), earlier: make([][]int64, len(d.Words))}
	for w, x := range d.Words {
		if x.One() {
			s.words[w][0] = 1 // the unit that is always 1
		}
	}
	for _, x := range d.Sums {
		s.sums = append(s.sums, room(d.Layers[x.Layer]))
	}
	for i, p := range d.Phases {
		for _, q := range d.Phases {
			if q.From == p.Name {
				s.saved[i] = newWords(d)
			}
		}
	}
	for role := range s.factors {
		for i, f := range d.Factors {
			switch {
			case f.Graph == nil && d.Words[f.Word].Fixed:
				s.factors[role] = append(s.factors[role], s.words[f.Word])
			case role == 1 && f.Second:
				s.factors[role] = append(s.factors[role], s.factors[0][i])
			default:
				s.factors[role] = append(s.factors[role], room(d.Layers[f.Layer]))
			}
			if f.Second {
				for _, n := range f.Graph.Nodes {
					if n.Op == rule.OpOperand && n.Source == rule.FromEarlier {
						s.earlier[d.Word(n.Name, f.Layer)] = room(d.Layers[f.Layer])
					}
				}
			}
		}
	}
	return s
}

func newWords(d *rule.Description) (words [][]int64) {
	for w := range d.Words {
		n := d.Width(w)
		words = append(words, make([]int64, n, vector.Padded(n)))
	}
	return words
}

// stepTable is what a step needs of the description, looked up once.
type stepTable struct {
	neurons int          // 1 in a step of shared words
	inputs  []input      // in the order of the graph's inputs
	results []int        // words
	outs    int          // outputs of the graph
	moved   int          // the output that tells whether a watched word moved; below 0: none
	signal  int          // the result whose change the output after the results is; below 0: none
	guarded []int        // roundings of guarded results
	words   [4][][]int64 // constants, by moments below and iteration: one per constant input
}

// Moments that have constants of their own: of inference, and of learning by the sign of beta.
const (
	inferring = iota
	free
	positive
	negative
)

type input struct {
	source rule.Source
	at     int // word, sum, or the constant's place
}

// newInput finds an operand of a formula of a layer; constants have no place yet.
func newInput(d *rule.Description, o rule.Operand, layer int) input {
	in := input{source: o.Source}
	switch o.Source {
	case rule.FromWord, rule.FromTotal, rule.FromLargest, rule.FromEarlier:
		in.at = d.Word(o.Name, layer)
	case rule.FromSum:
		in.at = d.Sum(o.Name, layer)
	}
	return in
}

func newStepTable(a *arithmetic.Arithmetic, at int) stepTable {
	d, s, f := a.D, a.D.Steps[at], &a.Steps[at]
	t := stepTable{neurons: d.Layers[s.Layer], outs: len(f.Graph.Outputs()), moved: -1, signal: -1, guarded: f.Guarded}
	if s.Shared {
		t.neurons = 1
	}
	var constants []string
	for _, o := range f.Operands {
		in := newInput(d, o, s.Layer)
		if o.Source == rule.FromConstant {
			in.at = len(constants)
			constants = append(constants, o.Name)
		}
		t.inputs = append(t.inputs, in)
	}
	for i, next := range s.Graph.Results {
		w := d.Word(next.Word, s.Layer)
		t.results = append(t.results, w)
		if d.Words[w].Signal {
			t.signal = i
		}
	}
	if len(s.Graph.Watched) > 0 {
		t.moved = t.outs - 1
	}
	longest := 0
	for _, p := range d.Phases {
		longest = max(longest, p.Iterations)
	}
	for moment := range t.words {
		for iteration := range longest {
			m := rule.Moment{Beta: [...]int{positive: 1, negative: -1}[moment], Iteration: iteration, Inference: moment == inferring}
			var words []int64
			for _, name := range constants {
				words = append(words, a.Constant(f, name, m))
			}
			t.words[moment] = append(t.words[moment], words)
		}
	}
	return t
}

// settler runs samples; one goroutine uses it at a time.
type settler struct {
	m                       *Machine
	d                       *rule.Description
	runners, factors        []*fx.Runner // by step, by factor
	outs                    [][][]int64  // by step: room for the outputs of its graph
	from                    [][]int      // by word: the projections from it
	pending                 []event
	occupied                []uint8 // bits: which values are not zero
	room                    eventWords
	y, delta                []int64
	present                 [][]int64 // by layer: 1 for every neuron, 0 beyond the last
	in, out                 [][]int64
	scalars                 []int64
	spare                   *sample
	events                  []int64 // by word
	products, denseProducts int64
	steps                   int64
	ran, kept               []int64 // how often: by step, by factor
	changed                 []bool  // by step: what step told last
	input                   []int64 // raw words of a sample given as pixels
}

func newSettler(m *Machine) *settler {
	d := m.d
	largest := 0
	for _, n := range d.Layers {
		largest = max(largest, vector.Full(n))
	}
	s := &settler{m: m, d: d, from: make([][]int, len(d.Words)), occupied: make([]uint8, (largest+7)/8),
		y: make([]int64, largest), delta: make([]int64, largest), events: make([]int64, len(d.Words)),
		ran: make([]int64, len(d.Steps)), changed: make([]bool, len(d.Steps)), kept: make([]int64, len(d.Factors)),
		input: make([]int64, d.Layers[0])}
	for i := range d.Steps {
		s.runners = append(s.runners, newRunner(m.A.Steps[i].Graph))
		var outs [][]int64
		for range m.steps[i].outs {
			outs = append(outs, make([]int64, vector.Full(m.steps[i].neurons)))
		}
		s.outs = append(s.outs, outs)
	}
	for i := range d.Factors {
		if m.A.Factors[i].Graph == nil {
			s.factors = append(s.factors, nil)
			continue
		}
		s.factors = append(s.factors, newRunner(m.A.Factors[i].Graph))
	}
	for i, p := range d.Projections {
		s.from[p.From] = append(s.from[p.From], i)
	}
	for _, n := range d.Layers {
		present := make([]int64, vector.Full(n))
		for i := range n {
			present[i] = 1
		}
		s.present = append(s.present, present)
	}
	return s
}

// scratch is a sample of the settler's own, for inference.
func (s *settler) scratch() *sample {
	if s.spare == nil {
		s.spare = newSample(s.m.A)
	}
	return s.spare
}

// runPixels is run without a trace for a sample of pixels.
func (s *settler) runPixels(v *sample, pixels []uint8, c Command) {
	s.m.A.Input(pixels, s.input)
	s.run(v, s.input, c, nil)
}

// run processes a sample up to the answer, or to the end of its last phase.
func (s *settler) run(v *sample, x []int64, c Command, t *Trace) {
	s.begin(v, x)
	v.negative = c.Negative
	second := false
	for i := range s.d.Phases {
		p := &s.d.Phases[i]
		if p.Learning && !c.Learn {
			continue
		}
		s.phase(v, i, c, t)
		if p.Answer {
			v.answer(s.d)
		}
		if c.Learn && p.Keep != rule.NoRole {
			s.keep(v, p.Keep, second)
			second = true
		}
	}
}

func (v *sample) answer(d *rule.Description) {
	v.scores = append(v.scores[:0], v.words[d.Readout]...)
	v.class = 0
	for i, score := range v.scores {
		if score > v.scores[v.class] {
			v.class = i
		}
	}
}

// begin clears a sample, takes its input and broadcasts what stands still.
func (s *settler) begin(v *sample, x []int64) {
	for _, sum := range v.sums {
		clear(sum)
	}
	for w, words := range v.words {
		if !s.d.Words[w].Fixed {
			clear(words)
		}
	}
	copy(v.words[s.m.x], x)
	for w, word := range s.d.Words {
		if word.Fixed {
			s.broadcast(v, w, v.words[w], s.m.Dense)
		}
	}
}

// broadcast brings the changes of a signal to the sums that it enters; all: those of zero too.
func (s *settler) broadcast(v *sample, word int, changes []int64, all bool) {
	fan := int64(0)
	for _, p := range s.from[word] {
		fan += int64(s.d.Projections[p].Rows)
	}
	s.denseProducts += fan * int64(len(changes))
	s.collect(changes, all)
	s.events[word] += int64(len(s.pending))
	s.products += fan * int64(len(s.pending))
	for _, p := range s.from[word] {
		s.m.synapses[p].add(v.sums[s.d.Projections[p].To], s.pending, &s.room)
	}
}

// collect makes events of the values that are not zero, or of all.
func (s *settler) collect(values []int64, all bool) {
	s.pending = s.pending[:0]
	if all {
		for j, d := range values {
			s.pending = append(s.pending, event{j, d})
		}
		return
	}
	vector.Occupied(s.occupied, values)
	for at, some := range s.occupied[:(len(values)+7)/8] {
		for ; some != 0; some &= some - 1 {
			j := 8*at + mathbits.TrailingZeros8(some)
			s.pending = append(s.pending, event{j, values[j]})
		}
	}
}

// phase runs one phase.
func (s *settler) phase(v *sample, at int, c Command, t *Trace) {
	p := &s.d.Phases[at]
	if p.From != "" {
		for i := range s.d.Phases {
			if s.d.Phases[i].Name == p.From {
				s.restore(v, v.saved[i])
			}
		}
	}
	for _, c := range p.Begin {
		shift := s.m.A.Word(c.To).Frac - s.m.A.Word(c.From).Frac
		to := v.words[c.To]
		for i, word := range v.words[c.From] {
			to[i] = word << shift
		}
	}
	moment := inferring
	switch {
	case !c.Learn:
	case p.Beta == 0:
		moment = free
	case p.Beta > 0 != c.Negative:
		moment = positive
	default:
		moment = negative
	}
	for iteration := range p.Iterations {
		changed := false
		for _, group := range p.Order {
			for _, step := range group {
				s.changed[step] = s.step(v, step, s.m.steps[step].words[moment][iteration], c)
				changed = changed || s.changed[step]
			}
			for _, step := range group {
				s.commit(v, step)
				if t != nil {
					t.keep(v, at, iteration, step, &s.m.steps[step], s.changed[step])
				}
			}
		}
		if p.EarlyEnd && !changed {
			break
		}
	}
	for w, words := range v.saved[at] {
		copy(words, v.words[w])
	}
}

// restore goes back to words that were kept; what changes by that is broadcast.
func (s *settler) restore(v *sample, saved [][]int64) {
	for w, word := range s.d.Words {
		if word.Fixed {
			continue
		}
		if word.Signal {
			delta := s.delta[:len(v.words[w])]
			for i := range delta {
				delta[i] = saved[w][i] - v.words[w][i]
			}
			s.broadcast(v, w, delta, s.m.Dense)
		}
		copy(v.words[w], saved[w])
	}
}

func (t *Trace) keep(v *sample, phase, iteration, step int, table *stepTable, changed bool) {
	r := Record{Phase: phase, Iteration: iteration, Step: step, Changed: changed}
	for _, w := range table.results {
		r.Words = append(r.Words, append([]int64(nil), v.words[w]...))
	}
	t.Records = append(t.Records, r)
}

// step computes the next words of a layer, which commit makes its words, and tells whether a watched one changed, or a
// guarded one overflowed.
func (s *settler) step(v *sample, at int, constants []int64, c Command) (changed bool) {
	table, layer := &s.m.steps[at], s.d.Steps[at].Layer
	n := table.neurons
	if !s.d.Steps[at].Shared {
		n = vector.Full(n)
	}
	s.in, s.scalars = s.in[:0], append(s.scalars[:0], make([]int64, len(table.inputs))...)
	labelled := false
	for i, in := range table.inputs {
		scalar := s.scalars[i : i+1]
		switch in.source {
		case rule.FromWord:
			words := v.words[in.at]
			if s.d.Words[in.at].Shared {
				s.in = append(s.in, words[:1])
			} else {
				s.in = append(s.in, words[:n])
			}
		case rule.FromSum:
			s.in = append(s.in, v.sums[in.at][:n])
		case rule.FromTotal:
			for _, word := range v.words[in.at] {
				scalar[0] += word
			}
			s.in = append(s.in, scalar)
		case rule.FromLargest:
			scalar[0] = slices.Max(v.words[in.at])
			s.in = append(s.in, scalar)
		case rule.FromLabel:
			if layer == len(s.d.Layers)-1 && c.Learn && c.Label < s.d.Layers[layer] {
				s.y[c.Label], labelled = 1, true
			}
			s.in = append(s.in, s.y[:n])
		case rule.FromPresent:
			s.in = append(s.in, s.present[layer])
		case rule.FromConstant:
			scalar[0] = constants[in.at]
			s.in = append(s.in, scalar)
		}
	}
	s.out = s.out[:0]
	for _, out := range s.outs[at] {
		s.out = append(s.out, out[:n])
	}
	runner, before := s.runners[at], int64(0)
	for _, w := range table.guarded {
		before -= runner.Overflows()[w]
	}
	runner.Run(n, s.in, s.out)
	s.ran[at]++
	if labelled {
		s.y[c.Label] = 0
	}
	for _, w := range table.guarded {
		before += runner.Overflows()[w]
	}
	if changed = before != 0; table.moved >= 0 {
		for _, moved := range s.out[table.moved] {
			if moved != 0 {
				return true
			}
		}
	}
	return changed
}

// commit makes what step has computed the words of the layer and broadcasts what has changed.
func (s *settler) commit(v *sample, at int) {
	table := &s.m.steps[at]
	for i, w := range table.results {
		copy(v.words[w], s.outs[at][i])
	}
	if s.d.Steps[at].Shared {
		return
	}
	s.steps++
	if table.signal >= 0 {
		w := table.results[table.signal]
		s.broadcast(v, w, s.outs[at][len(table.results)][:len(v.words[w])], s.m.Dense)
	}
}

// keep takes the factors of a phase that has ended. second: the other phase's are there already.
func (s *settler) keep(v *sample, role rule.Role, second bool) {
	for i := range s.d.Factors {
		f := &s.d.Factors[i]
		if f.Second && !second || !f.Second && !slices.Contains(f.Roles, role) {
			continue
		}
		to := v.factors[roleIndex(role)][i]
		if f.Graph == nil {
			copy(to, v.words[f.Word])
			continue
		}
		n := vector.Full(len(to))
		s.in = s.in[:0]
		for _, in := range s.m.factors[i] {
			switch in.source {
			case rule.FromWord:
				s.in = append(s.in, v.words[in.at][:n])
			case rule.FromEarlier:
				s.in = append(s.in, v.earlier[in.at][:n])
			case rule.FromSum:
				s.in = append(s.in, v.sums[in.at][:n])
			}
		}
		s.out = append(s.out[:0], to[:n])
		s.factors[i].Run(n, s.in, s.out)
		s.kept[i]++
	}
	if !second {
		for w, words := range v.earlier {
			copy(words, v.words[w])
		}
	}
}

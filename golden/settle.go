package golden

import (
	mathbits "math/bits"

	fx "corinfo/fixedpoint"
	"corinfo/fixedpoint/vector"
)

// sample is the activity of one sample and what learning keeps of it. Slices are indexed by layer.
type sample struct {
	x                        []int64
	r, u                     [][]int64
	q, qu                    []int64      // of the interneurons of sparse layers
	basal, feedback, lateral [][]int64    // exact sums, raw words of Sums
	kept                     [2][][]int64 // by role: states r
	e, d                     [2][][]int64 // by role: errors
	c                        [][]int64    // C r of the phase with role Plus
	negative                 bool
	scores                   []int64 // r_K after the free phase
	class                    int     // index of the largest score, the lowest of equals
}

func newSample(a *Arithmetic) *sample {
	layers := func() [][]int64 {
		out := make([][]int64, len(a.Network.Layers))
		for k, n := range a.Network.Layers {
			// Neurons beyond the last are zero, as their synapses are, and stay so: all types round zero to zero.
			out[k] = make([]int64, n, vector.Padded(n))
		}
		return out
	}
	s := &sample{x: make([]int64, a.Network.Layers[0]), r: layers(), u: layers(), q: make([]int64, len(a.Network.Layers)), qu: make([]int64, len(a.Network.Layers)), basal: layers(), feedback: layers(), lateral: layers(), c: layers()}
	for role := range s.kept {
		s.kept[role], s.e[role], s.d[role] = layers(), layers(), layers()
	}
	return s
}

// settler runs samples through the program; one goroutine uses it at a time.
type settler struct {
	m                          *Machine
	a                          *Arithmetic
	soma, record, interneuron  []*fx.Runner
	into, own, back            []*columns // by presynaptic layer: W, C, F
	pending                    []event
	occupied                   []uint8 // bits: which values are not zero
	room                       eventWords
	uNext, rNext, delta, moved []int64
	y                          []int64
	present                    [][]int64 // by sparse layer: 1 for every neuron, 0 beyond the last
	in, out                    [][]int64
	spare                      *sample
	recorded                   [][3]int64 // overflows of e, d and c by layer, of factors that are read
	events                     []int64    // by layer
	products, denseProducts    int64
	steps                      int64
	constants                  [7]int64
	interneurons               [7]int64 // room for the words of a step of an interneuron
	input                      []int64  // raw words of a sample given as pixels
}

func newSettler(m *Machine) *settler {
	a := m.A
	K := a.Network.K()
	largest := 0
	for _, n := range a.Network.Layers {
		largest = max(largest, vector.Full(n))
	}
	s := &settler{m: m, a: a, soma: compile(a.Soma), record: compile(a.Record), interneuron: compile(a.Interneuron),
		into: make([]*columns, K+1), own: make([]*columns, K+1), back: make([]*columns, K+1),
		uNext: make([]int64, largest), rNext: make([]int64, largest), delta: make([]int64, largest), moved: make([]int64, largest), y: make([]int64, largest),
		occupied: make([]uint8, (largest+7)/8),
		present:  make([][]int64, K+1),
		in:       make([][]int64, 14), out: make([][]int64, 4), recorded: make([][3]int64, K+1), events: make([]int64, K+1), input: make([]int64, a.Network.Layers[0])}
	for k := range s.present {
		if a.Interneuron[k] != nil {
			n := a.Network.Layers[k]
			s.present[k] = make([]int64, vector.Full(n))
			for i := range n {
				s.present[k][i] = 1
			}
		}
	}
	for i := range a.Matrices {
		x := &a.Matrices[i]
		t := m.synapses[i]
		switch x.Kind {
		case Feedforward:
			s.into[x.Pre] = t
		case Feedback:
			s.back[x.Pre] = t
		case Lateral:
			s.own[x.Pre] = t
		}
	}
	return s
}

// scratch is a sample of the settler's own, for inference.
func (s *settler) scratch() *sample {
	if s.spare == nil {
		s.spare = newSample(s.a)
	}
	return s.spare
}

// runPixels is run without a trace for a sample of pixels.
func (s *settler) runPixels(v *sample, pixels []uint8, c Command) {
	s.a.QuantizeInput(pixels, s.input)
	s.run(v, s.input, c, nil)
}

// run executes the program on one sample up to the point where the sample is done.
func (s *settler) run(v *sample, x []int64, c Command, t *Trace) {
	changed := false
	for at := 0; ; at++ {
		i := &s.a.Program[at]
		switch i.Op {
		case OpClear:
			s.clear(v)
		case OpLoad:
			s.load(v, x)
		case OpSettle:
			stepped := s.settle(v, i, c)
			changed = changed || stepped
			if t != nil {
				t.keep(i, v, stepped)
			}
			if i.Last {
				if i.Exit > 0 && !changed {
					at = i.Exit - 1
				}
				changed = false
			}
		case OpRecord:
			s.keepFactors(v, i)
		case OpResult:
			v.result()
		case OpInferred:
			if !c.Learn {
				return
			}
		case OpSampled:
			return
		}
	}
}

func (t *Trace) keep(i *Instruction, v *sample, changed bool) {
	k, n := i.Layer, len(v.u[i.Layer])
	words := make([]int64, 2*n)
	copy(words, v.u[k])
	copy(words[n:], v.r[k])
	t.Records = append(t.Records, Record{Phase: i.Phase, Iteration: i.Iteration, Layer: k, U: words[:n], R: words[n:], QU: v.qu[k], Q: v.q[k], Changed: changed})
}

func (v *sample) result() {
	v.scores = append(v.scores[:0], v.r[len(v.r)-1]...)
	v.class = 0
	for i, score := range v.scores {
		if score > v.scores[v.class] {
			v.class = i
		}
	}
}

func (s *settler) clear(v *sample) {
	for k := range v.r {
		for _, words := range [][]int64{v.r[k], v.u[k], v.basal[k], v.feedback[k], v.lateral[k]} {
			clear(words)
		}
	}
	clear(v.q)
	clear(v.qu)
}

func (s *settler) load(v *sample, x []int64) {
	copy(v.x, x)
	t := s.into[0]
	s.denseProducts += int64(len(x) * t.rows)
	s.collect(x, s.m.Dense)
	s.events[0] += int64(len(s.pending))
	s.products += int64(len(s.pending) * t.rows)
	t.add(v.basal[1], s.pending, &s.room)
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

// settle computes the new potentials and states of one layer and tells whether any changed.
func (s *settler) settle(v *sample, i *Instruction, c Command) bool {
	k, a := i.Layer, s.a
	n := vector.Full(len(v.r[k]))
	r, u := v.r[k][:n], v.u[k][:n]
	if i.Restart {
		l := &a.Formats.Layer[k]
		restart(u, r, l.U, l.R)
		if l.Interneuron != nil {
			restart(v.qu[k:k+1], v.q[k:k+1], l.Interneuron.QU, l.Interneuron.Q)
		}
	}
	sign := 0
	switch {
	case i.Phase == Free:
	case (i.Phase == Nudged) != c.Negative:
		sign = 1
	default:
		sign = 2
	}
	f := &a.Coefficients[k][sign]
	y := s.y[:n] // zero, but for the label's neuron while learning
	if k == a.Network.K() && c.Learn {
		y[c.Label] = 1
		defer func() { y[c.Label] = 0 }()
	}
	runner := s.soma[k]
	before := overflowsOf(runner, somaPotential)
	in := append(s.in[:0], v.basal[k][:n], v.feedback[k][:n], v.lateral[k][:n], r, u, y)
	s.constants = [7]int64{i.Eta, f.Current, f.Lateral, f.R, f.Y, f.U, v.q[k]}
	for j := range s.constants[:6] {
		in = append(in, s.constants[j:j+1])
	}
	if a.Interneuron[k] != nil {
		in = append(in, s.present[k], s.constants[6:])
	}
	runner.Run(n, in, append(s.out[:0], s.uNext[:n], s.rNext[:n], s.delta[:n], s.moved[:n]))
	s.steps++

	// A potential that overflowed counts as changed: at a smaller step size it may come out otherwise.
	changed := overflowsOf(runner, somaPotential) != before
	for _, moved := range s.moved[:n] {
		if moved != 0 {
			changed = true
			break
		}
	}
	copy(u, s.uNext[:n])
	copy(r, s.rNext[:n])
	if a.Interneuron[k] != nil && s.inhibit(v, k) {
		changed = true
	}
	s.spread(v, k)
	return changed
}

// inhibit computes a step of the interneuron of layer k, whose states are new, and tells whether it changed.
func (s *settler) inhibit(v *sample, k int) bool {
	sum := int64(0)
	for _, word := range v.r[k] {
		sum += word
	}
	runner := s.interneuron[k]
	before := overflowsOf(runner, interneuronPotential)
	w := &s.interneurons
	*w = [7]int64{sum, v.qu[k], v.q[k], s.a.Nu[k]}
	in, out := append(s.in[:0], w[0:1], w[1:2], w[2:3], w[3:4]), append(s.out[:0], w[4:5], w[5:6], w[6:7])
	runner.Run(1, in, out)
	v.qu[k], v.q[k] = w[4], w[5]
	return w[6] != 0 || overflowsOf(runner, interneuronPotential) != before
}

// Positions of the soma graph's roundings.
const (
	somaCurrent = iota
	somaLateral
	somaDrive
	somaPotential
	somaState
)

// Positions of the interneuron graph's roundings.
const (
	interneuronExcess = iota
	interneuronPotential
	interneuronState
)

func overflowsOf(r *fx.Runner, resize int) int64 { return r.Overflows()[resize] }

// restart sets potentials to their states, u := r; Formats.check has made sure that every state is a potential.
func restart(u, r []int64, potential, state fx.Type) {
	shift := potential.Frac - state.Frac
	for i, word := range r {
		u[i] = word << shift
	}
}

// spread brings the changes of layer k's states to the sums that they enter.
func (s *settler) spread(v *sample, k int) {
	into, own, back := s.into[k], s.own[k], s.back[k]
	fan := int64(own.rows)
	if into != nil {
		fan += int64(into.rows)
	}
	if back != nil {
		fan += int64(back.rows)
	}
	n := len(v.r[k])
	s.denseProducts += fan * int64(n)
	if s.m.Dense {
		// All sums anew, from all states.
		s.collect(v.r[k], true)
		clear(v.lateral[k])
		if into != nil {
			clear(v.basal[k+1])
		}
		if back != nil {
			clear(v.feedback[k-1])
		}
	} else {
		s.collect(s.delta[:n], false)
	}
	s.events[k] += int64(len(s.pending))
	s.products += fan * int64(len(s.pending))
	own.add(v.lateral[k], s.pending, &s.room)
	if into != nil {
		into.add(v.basal[k+1], s.pending, &s.room)
	}
	if back != nil {
		back.add(v.feedback[k-1], s.pending, &s.room)
	}
}

// keepFactors records what learning needs of layer k in this phase.
func (s *settler) keepFactors(v *sample, i *Instruction) {
	k, n := i.Layer, vector.Full(len(v.r[i.Layer]))
	copy(v.kept[i.Role][k], v.r[k])
	reference := v.basal[k][:n]
	if k == 1 && i.Second {
		// The state of the other phase, at the accumulator's binary point.
		reference = s.delta[:n]
		shift := s.a.Sums.Basal.Frac - s.a.Formats.Layer[1].R.Frac
		for j, word := range v.kept[1-i.Role][1][:n] {
			reference[j] = word << shift
		}
	}
	c := s.uNext[:n]
	if i.Role == Plus {
		c = v.c[k][:n]
	}
	runner := s.record[k]
	var before [3]int64
	copy(before[:], runner.Overflows())
	runner.Run(n, append(s.in[:0], reference, v.feedback[k][:n], v.lateral[k][:n], v.r[k][:n]), append(s.out[:0], v.e[i.Role][k][:n], v.d[i.Role][k][:n], c))
	after := runner.Overflows()
	uses := i.uses(s.a.Network.K())
	for j := range before {
		if uses[j] {
			s.recorded[k][j] += after[j] - before[j]
		}
	}
}

// uses tells which of the factors e, d and c of a record some update reads.
func (i *Instruction) uses(K int) [3]bool {
	return [3]bool{i.Layer > 1 || i.Second, i.Layer < K, i.Role == Plus}
}

// overflows adds the counts of this settler by tensor.
func (s *settler) overflows(counts map[string]int64) {
	for k := 1; k < len(s.soma); k++ {
		soma := s.soma[k].Overflows()
		for i, kind := range [...]string{somaCurrent: "current", somaLateral: "lateral", somaDrive: "drive", somaPotential: "u", somaState: "r"} {
			counts[tensorName(kind, k)] += soma[i]
		}
		for i, kind := range [...]string{"e", "d", "c"} {
			counts[tensorName(kind, k)] += s.recorded[k][i]
		}
		if s.interneuron[k] == nil {
			continue
		}
		interneuron := s.interneuron[k].Overflows()
		for i, kind := range [...]string{interneuronExcess: "excess", interneuronPotential: "qu", interneuronState: "q"} {
			counts[tensorName(kind, k)] += interneuron[i]
		}
	}
}

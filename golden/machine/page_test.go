package machine_test

import (
	"fmt"
	"math/big"
	"slices"

	fx "corinfo/fixedpoint"
	"corinfo/golden/machine"
	"corinfo/golden/rule"
)

// page is docs/ARITHMETIC.md written out in rational numbers, from the pages alone: it shares no arithmetic,
// formulas or program with the model. Here is what all rules have in common; a rule's own page is in a file of its own.
// Vectors and matrices start at layer and matrix 0.
type page struct {
	s         *rule.Settings
	seed      uint32
	types     func(kind string, index int) fx.Type
	matrices  map[string]matrix // W0, b1, ...
	beside    map[string]matrix // words beside synapses: mW0, vb1, ...
	epoch     int
	r         [][]*big.Rat
	x         []*big.Rat
	events    []int64 // by layer
	roundings map[string]int64
	overflows map[string]int64
	lost      map[string]int64
	update    uint32
	held      []*kept
	records   []record
	writes    []machine.Write
	scores    []*big.Rat
	current   *kept
	own       rulePage
}

// rulePage is what a rule's own page says.
type rulePage interface {
	// settle runs the phases of a sample, with the answer, and keeps what learning needs; label is below 0 in inference.
	settle(p *page, sign, label int)
	// names are the stored matrices in their order; optimized tells the kinds of those that learn by the optimizer.
	names(K int) (list []string, optimized string)
	// rate is rate(m) of a rate m; the scale s is that of 1.
	rate(p *page, m float64) float64
	// learn updates all matrices.
	learn(p *page)
}

// comparing is the page of a rule that compares two phases.
type comparing interface {
	// start begins a sample: words are 0.
	start(p *page)
	// phase runs one; sign is that of beta, 0 in the free phase; label is below 0 in inference.
	phase(p *page, phase, iterations, sign, label int, learn bool)
	// keep keeps what learning needs of a phase: role 1 is plus, 0 minus; later: it is the second that is kept.
	keep(p *page, role int, later bool)
	// snapshot gives a function that goes back to the words as they are now.
	snapshot(p *page) func()
}

type matrix [][]*big.Rat

// record is the result of a step, by the names of its layer's words.
type record struct {
	phase, iteration, layer int
	step                    string
	words                   [][]int64
	changed                 bool // what keeps the phase from ending
}

// kept is what learning keeps of a sample; [0] is the role minus, [1] plus.
type kept struct {
	x        []*big.Rat
	r        [2][][]*big.Rat
	e, d     [2][][]*big.Rat
	c        [][]*big.Rat
	negative bool
}

func (p *page) K() int { return len(p.s.Layers) - 1 }

// into rounds into a tensor's type and counts.
func (p *page) into(kind string, k int, v *big.Rat) *big.Rat {
	w, overflow := round(p.types(kind, k), v, 0, 0)
	p.count(fmt.Sprintf("%s%d", kind, k), overflow)
	return w
}

// count is "Counters" of a rounding.
func (p *page) count(tensor string, overflow bool) {
	p.roundings[tensor]++
	if overflow {
		p.overflows[tensor]++
	}
}

// constant is a setting in its type.
func (p *page) constant(kind string, v float64) *big.Rat {
	w, _ := round(p.types(kind, 0), new(big.Rat).SetFloat64(v), 0, 0)
	return w
}

func product(m matrix, v []*big.Rat) []*big.Rat {
	out := zeros(len(m))
	for i, row := range m {
		for j, w := range row {
			out[i].Add(out[i], times(w, v[j]))
		}
	}
	return out
}

// transposed is a matrix mirrored.
func transposed(m matrix) matrix {
	t := make(matrix, len(m[0]))
	for j := range t {
		for i := range m {
			t[j] = append(t[j], m[i][j])
		}
	}
	return t
}

// state is what layer k broadcasts.
func (p *page) state(k int) []*big.Rat {
	if k == 0 {
		return p.x
	}
	return p.r[k]
}

// eta is the step size of an iteration in its type.
func (p *page) eta(s int, learn bool) *big.Rat { return p.constant("eta", p.stepSize(s, learn)) }

// stepSize is "Step sizes".
func (p *page) stepSize(s int, learn bool) float64 {
	t := p.s.Settling.Step
	eta := t.Start
	switch t.Rule {
	case "divide_by_loop_index":
		eta = max(eta/float64(s+1), t.Stop)
	case "divide_by_slow_loop_index":
		eta = max(eta/(1+float64(s)*t.Decay), t.Stop)
	}
	if !learn && t.Inference > 0 {
		eta = t.Inference
	}
	return eta
}

// run is one sample. It returns the class.
func (p *page) run(x []*big.Rat, learn bool, label int, negative bool) int {
	p.records, p.writes = nil, nil
	K := p.K()
	p.current = &kept{x: x, negative: negative, c: make([][]*big.Rat, K+1)}
	for role := range 2 {
		p.current.r[role], p.current.e[role], p.current.d[role] = make([][]*big.Rat, K+1), make([][]*big.Rat, K+1), make([][]*big.Rat, K+1)
	}
	p.r = make([][]*big.Rat, K+1)
	for k := 1; k <= K; k++ {
		p.r[k] = zeros(p.s.Layers[k])
	}
	p.x = x
	for _, v := range x {
		if v.Sign() != 0 {
			p.events[0]++
		}
	}
	if !learn {
		label = -1
	}
	sign := 1
	if negative {
		sign = -1
	}
	p.own.settle(p, sign, label)
	class := 0
	for i, score := range p.scores {
		if score.Cmp(p.scores[class]) > 0 {
			class = i
		}
	}
	if !learn {
		return class
	}
	if p.held = append(p.held, p.current); len(p.held) == p.s.Learning.Batch {
		p.own.learn(p)
		p.held = nil
		p.update++
	}
	return class
}

// compare is "Phases" of a rule that compares two.
func (p *page) compare(c comparing, sign, label int) {
	K, s, learn := p.K(), &p.s.Settling, label >= 0
	c.start(p)
	c.phase(p, 0, s.FreeIterations, 0, label, learn)
	p.scores = p.r[K]
	if !learn {
		return
	}
	switch p.s.Learning.Contrast {
	case "third":
		c.phase(p, 1, s.NudgedIterations, sign, label, learn)
		c.keep(p, 1, false)
		c.phase(p, 2, s.NudgedIterations, -sign, label, learn)
		c.keep(p, 0, true)
	case "centred":
		back := c.snapshot(p)
		c.phase(p, 1, s.NudgedIterations, sign, label, learn)
		c.keep(p, 1, false)
		ended := p.r
		back()
		for k := 1; k <= K; k++ { // what changes by going back is broadcast
			p.broadcast(k, ended[k], p.r[k])
		}
		c.phase(p, 2, s.NudgedIterations, -sign, label, learn)
		c.keep(p, 0, true)
	default:
		c.keep(p, 0, false)
		c.phase(p, 1, s.NudgedIterations, sign, label, learn)
		c.keep(p, 1, true)
	}
}

// broadcast counts the events of a signal of layer k, and tells whether there are any.
func (p *page) broadcast(k int, before, after []*big.Rat) (changed bool) {
	for i := range after {
		if after[i].Cmp(before[i]) != 0 {
			p.events[k]++
			changed = true
		}
	}
	return changed
}

// pair is one product of an update's sum: post[i] pre[j].
type pair struct {
	sign      int64
	post, pre []*big.Rat
}

// pairs are those of all samples held; b is the sign of a sample's beta.
func (p *page) pairs(of func(k *kept, b int64) []pair) (list []pair) {
	for _, k := range p.held {
		b := int64(1)
		if k.negative {
			b = -1
		}
		list = append(list, of(k, b)...)
	}
	return list
}

// later is the factor of the phase that was kept second: that of plus, or, with two nudged phases, minus.
func (p *page) later() (role int, sign int64) {
	if p.s.Learning.Contrast != "free" {
		return 0, -1
	}
	return 1, 1
}

// comparedRate is rate(m) of the rules that compare two phases.
func (p *page) comparedRate(m float64) float64 {
	l := p.s.Learning
	if l.Contrast != "free" {
		m /= 2
	}
	return m / (l.Beta * float64(l.Batch))
}

// number is a matrix's in the order of its rule's page.
func (p *page) number(name string) int {
	names, _ := p.own.names(p.K())
	return slices.Index(names, name)
}

// next gives the next word of synapse (i, j), whose sum is S; random is the word that a tensor's number draws there.
type next func(i, j int, S *big.Rat, random func(tensor int) uint32) *big.Rat

// change updates one matrix. symmetric ones draw by the unordered pair; always: columns without products are written too.
func (p *page) change(kind string, k int, list []pair, symmetric, always bool, next next) {
	stored, name := p.types(kind, k), fmt.Sprint(kind, k)
	m := p.matrices[name]
	for j := range m[0] {
		used := always
		for _, x := range list {
			used = used || x.pre[j].Sign() != 0 && slices.ContainsFunc(x.post, func(word *big.Rat) bool { return word.Sign() != 0 })
		}
		if !used {
			continue
		}
		write := machine.Write{Projection: p.number(name), Column: j}
		for i := range m {
			S := rat(0)
			for _, x := range list {
				S.Add(S, times(rat(x.sign), times(x.post[i], x.pre[j])))
			}
			w := next(i, j, S, func(tensor int) uint32 {
				if symmetric {
					return speck(p.seed, p.update, tensor, max(i, j), min(i, j))
				}
				return speck(p.seed, p.update, tensor, i, j)
			})
			if S.Sign() != 0 && w.Cmp(m[i][j]) == 0 {
				p.lost[name]++
			}
			m[i][j] = w
			write.Words = append(write.Words, word(stored, w))
		}
		p.writes = append(p.writes, write)
	}
}

// store rounds an exact value of so many fraction bits into the type of a stored tensor, which may draw a random word, and counts.
func (p *page) store(kind string, k int, v *big.Rat, frac int, random uint32) *big.Rat {
	w, overflow := round(p.types(kind, k), v, frac, random)
	p.count(fmt.Sprint(kind, k), overflow)
	return w
}

func words(t fx.Type, values []*big.Rat) (list []int64) {
	for _, v := range values {
		list = append(list, word(t, v))
	}
	return list
}

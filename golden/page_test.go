package golden_test

import (
	"fmt"
	"math/big"

	fx "corinfo/fixedpoint"
	"corinfo/golden"
)

// page is docs/ARITHMETIC.md written out in rational numbers, from the page alone: it shares no arithmetic,
// graphs or program with the model. Vectors and matrices start at layer and matrix 0.
type page struct {
	n         *golden.Network
	types     func(kind string, index int) fx.Type
	W, F, C   []matrix
	r, u      [][]*big.Rat
	q, qu     []*big.Rat // by layer; of sparse ones
	events    []int64
	overflows map[string]int64
	lost      map[string]int64
	update    uint32
	held      []*kept
	records   []golden.Record
	writes    []golden.Write
	scores    []*big.Rat
	current   *kept
}

type matrix [][]*big.Rat

// kept is what learning keeps of a sample; [0] is the role minus, [1] plus.
type kept struct {
	x        []*big.Rat
	r        [2][][]*big.Rat
	e, d     [2][][]*big.Rat
	c        [][]*big.Rat
	negative bool
}

// into rounds into a tensor's type and counts.
func (p *page) into(kind string, k int, v *big.Rat) *big.Rat {
	w, overflow := round(p.types(kind, k), v, 0, 0)
	if overflow {
		p.overflows[fmt.Sprintf("%s%d", kind, k)]++
	}
	return w
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

func (p *page) K() int { return len(p.n.Layers) - 1 }

// state is what layer k broadcasts.
func (p *page) state(k int) []*big.Rat {
	if k == 0 {
		return p.current.x
	}
	return p.r[k]
}

func (p *page) basal(k int) []*big.Rat   { return product(p.W[k-1], p.state(k-1)) }
func (p *page) lateral(k int) []*big.Rat { return product(p.C[k], p.r[k]) }
func (p *page) feedback(k int) []*big.Rat {
	if k == p.K() {
		return zeros(p.n.Layers[k])
	}
	return product(p.F[k], p.r[k+1])
}

// run is one sample; sign is that of beta. It returns the class.
func (p *page) run(x []*big.Rat, learn bool, label int, negative bool) int {
	p.records, p.writes = nil, nil
	p.current = &kept{x: x, negative: negative, c: make([][]*big.Rat, p.K()+1)}
	for role := range 2 {
		p.current.r[role], p.current.e[role], p.current.d[role] = make([][]*big.Rat, p.K()+1), make([][]*big.Rat, p.K()+1), make([][]*big.Rat, p.K()+1)
	}
	p.r, p.u = make([][]*big.Rat, p.K()+1), make([][]*big.Rat, p.K()+1)
	for k := 1; k <= p.K(); k++ {
		p.r[k], p.u[k] = zeros(p.n.Layers[k]), zeros(p.n.Layers[k])
	}
	p.q, p.qu = zeros(p.K()+1), zeros(p.K()+1)
	for _, v := range x {
		if v.Sign() != 0 {
			p.events[0]++
		}
	}
	if !learn {
		label = -1
	}
	p.phase(golden.Free, p.n.Settling.FreeIterations, 0, label)
	class := 0
	p.scores = p.r[p.K()]
	for i, score := range p.scores {
		if score.Cmp(p.scores[class]) > 0 {
			class = i
		}
	}
	if !learn {
		return class
	}
	sign := 1
	if negative {
		sign = -1
	}
	if p.n.Learning.ThreePhase {
		p.phase(golden.Nudged, p.n.Settling.NudgedIterations, sign, label)
		p.keep(1, 0)
		p.phase(golden.Third, p.n.Settling.NudgedIterations, -sign, label)
		p.keep(0, 1)
	} else {
		p.keep(0, 0)
		p.phase(golden.Nudged, p.n.Settling.NudgedIterations, sign, label)
		p.keep(1, 1)
	}
	if p.held = append(p.held, p.current); len(p.held) == p.n.Learning.Batch {
		p.learn()
		p.held = nil
		p.update++
	}
	return class
}

// phase is "Settling".
func (p *page) phase(phase golden.Phase, iterations, sign, label int) {
	K, n := p.K(), p.n
	for k := 1; k <= K; k++ {
		p.u[k], p.qu[k] = p.r[k], p.q[k]
	}
	beta := float64(sign) * n.Learning.Beta
	for s := range iterations {
		eta := n.Settling.Step.Start
		switch n.Settling.Step.Rule {
		case "divide_by_loop_index":
			eta = max(eta/float64(s+1), n.Settling.Step.Stop)
		case "divide_by_slow_loop_index":
			eta = max(eta/(1+float64(s)*n.Settling.Step.Decay), n.Settling.Step.Stop)
		}
		step := p.constant("eta", eta)
		still := true
		for k := 1; k <= K; k++ {
			kCurrent, kLateral, kR, kY, kU := p.constant("coefficient", 1/n.Epsilon), rat(2), p.constant("coefficient", n.Leak), rat(0), p.constant("coefficient", n.Leak+2/n.Epsilon)
			if k == K {
				kLateral, kR, kY, kU = rat(1), p.constant("coefficient", n.Leak-beta), p.constant("coefficient", beta), p.constant("coefficient", n.Leak+1/n.Epsilon+1)
			}
			basal, feedback, lateral := p.basal(k), p.feedback(k), p.lateral(k)
			u, r := zeros(n.Layers[k]), zeros(n.Layers[k])
			changed := false
			for i := range u {
				y := rat(0)
				if k == K && i == label {
					y = rat(1)
				}
				current := p.into("current", k, plus(basal[i], feedback[i]))
				lat := p.into("lateral", k, lateral[i])
				drive := plus(plus(times(kCurrent, current), times(kLateral, lat)), plus(times(kR, p.r[k][i]), times(kY, y)))
				drive = minus(drive, times(kU, p.u[k][i]))
				drive = p.into("drive", k, minus(drive, p.q[k]))
				before := p.overflows[fmt.Sprintf("u%d", k)]
				u[i] = p.into("u", k, plus(p.u[k][i], times(step, drive)))
				if u[i].Cmp(p.u[k][i]) != 0 || p.overflows[fmt.Sprintf("u%d", k)] != before {
					changed = true
				}
				r[i] = p.into("r", k, p.clip(k, u[i]))
				if r[i].Cmp(p.r[k][i]) != 0 {
					p.events[k]++
				}
			}
			p.u[k], p.r[k] = u, r
			record := golden.Record{Phase: phase, Iteration: s, Layer: k}
			if nu := p.nu(k); nu != nil {
				if p.inhibit(k, nu) {
					changed = true
				}
				record.QU, record.Q = word(p.types("qu", k), p.qu[k]), word(p.types("q", k), p.q[k])
			}
			for i := range u {
				record.U = append(record.U, word(p.types("u", k), u[i]))
				record.R = append(record.R, word(p.types("r", k), r[i]))
			}
			record.Changed = changed
			still = still && !changed
			p.records = append(p.records, record)
		}
		if still && n.Settling.EarlyEnd {
			return
		}
	}
}

// nu is the step size of layer k's interneuron, nil where it has none.
func (p *page) nu(k int) *big.Rat {
	for i, layer := range p.n.Sparse.Layers {
		if layer == k {
			w, _ := round(p.types("nu", k), new(big.Rat).SetFloat64(p.n.Sparse.Nu[i]), 0, 0)
			return w
		}
	}
	return nil
}

// inhibit is "Interneurons"; it tells of a change.
func (p *page) inhibit(k int, nu *big.Rat) bool {
	sum := rat(-1)
	for _, r := range p.r[k] {
		sum.Add(sum, r)
	}
	name := fmt.Sprintf("qu%d", k)
	before := p.overflows[name]
	excess := p.into("excess", k, plus(sum, minus(p.q[k], p.qu[k])))
	qu := p.into("qu", k, plus(p.qu[k], times(nu, excess)))
	q := rat(0)
	if qu.Sign() > 0 {
		q = qu
	}
	q = p.into("q", k, q)
	changed := qu.Cmp(p.qu[k]) != 0 || q.Cmp(p.q[k]) != 0 || p.overflows[name] != before
	p.qu[k], p.q[k] = qu, q
	return changed
}

// clip is u' limited to 0 and, in a layer that is not sparse, the largest multiple of u's last place that is not above 1.
func (p *page) clip(k int, u *big.Rat) *big.Rat {
	if p.nu(k) != nil {
		if u.Sign() < 0 {
			return rat(0)
		}
		return u
	}
	places := power(p.types("u", k).Frac)
	one := times(floor(places), power(-p.types("u", k).Frac))
	switch {
	case u.Sign() < 0:
		return rat(0)
	case u.Cmp(one) > 0:
		return one
	}
	return u
}

// keep is "What learning keeps": of the phase with this role, the earlier or the later of the two.
func (p *page) keep(role, later int) {
	for k := 1; k <= p.K(); k++ {
		p.current.r[role][k] = p.r[k]
		basal, feedback, lateral := p.basal(k), p.feedback(k), p.lateral(k)
		e, d, c := zeros(len(basal)), zeros(len(basal)), zeros(len(basal))
		for i, r := range p.r[k] {
			if k >= 2 {
				e[i] = p.into("e", k, minus(r, basal[i]))
			} else if later == 1 {
				e[i] = p.into("e", k, minus(r, p.current.r[1-role][1][i]))
			}
			if k < p.K() {
				d[i] = p.into("d", k, minus(r, feedback[i]))
			}
			if role == 1 {
				c[i] = p.into("c", k, lateral[i])
			}
		}
		p.current.e[role][k], p.current.d[role][k] = e, d
		if role == 1 {
			p.current.c[k] = c
		}
	}
}

// pair is one product of an update's sum: post[i] pre[j].
type pair struct {
	sign      int64
	post, pre []*big.Rat
}

// learn is "Updates": every matrix from the factors kept, in the order of the tensors' numbers.
func (p *page) learn() {
	l, K := p.n.Learning, p.K()
	tensor := 0
	rate := func(mu float64) *big.Rat {
		if l.ThreePhase {
			mu /= 2
		}
		return p.constant("rate", mu/(l.Beta*float64(l.Batch)))
	}
	pairs := func(of func(k *kept, b int64) []pair) (list []pair) {
		for _, k := range p.held {
			b := int64(1)
			if k.negative {
				b = -1
			}
			list = append(list, of(k, b)...)
		}
		return list
	}
	for k := range K {
		list := pairs(func(s *kept, b int64) []pair {
			switch {
			case k == 0 && l.ThreePhase:
				return []pair{{-b, s.e[0][1], s.x}}
			case k == 0:
				return []pair{{b, s.e[1][1], s.x}}
			}
			return []pair{{b, s.e[1][k+1], s.r[1][k]}, {-b, s.e[0][k+1], s.r[0][k]}}
		})
		p.change("W", k, tensor, p.W[k], list, rate(l.Feedforward[k]))
		tensor++
	}
	for k := 1; k < K; k++ {
		list := pairs(func(s *kept, b int64) []pair {
			return []pair{{b, s.d[1][k], s.r[1][k+1]}, {-b, s.d[0][k], s.r[0][k+1]}}
		})
		p.change("F", k, tensor, p.F[k], list, rate(l.Feedback[k-1]))
		tensor++
	}
	for k := 1; k <= K; k++ {
		list := pairs(func(s *kept, _ int64) []pair { return []pair{{1, s.c[k], s.c[k]}} })
		p.change("C", k, tensor, p.C[k], list, p.constant("rate", 1/(p.n.Lambda*float64(l.Batch))))
		tensor++
	}
}

func (p *page) change(kind string, k, tensor int, m matrix, list []pair, rate *big.Rat) {
	stored, update := p.types(kind, k), p.types("d"+kind, k)
	gamma := p.constant("gamma", (1-p.n.Lambda)/p.n.Lambda)
	// Fraction bits of the exact value that the store rounds.
	frac := max(stored.Frac, p.types("rate", 0).Frac+update.Frac)
	if kind == "C" {
		frac = max(frac, p.types("gamma", 0).Frac+stored.Frac)
	}
	name := fmt.Sprintf("%s%d", kind, k)
	for j := range m[0] {
		used := kind == "C"
		for _, x := range list {
			used = used || x.pre[j].Sign() != 0
		}
		if !used {
			continue
		}
		write := golden.Write{Matrix: tensor, Column: j}
		for i := range m {
			S := rat(0)
			for _, x := range list {
				S.Add(S, times(rat(x.sign), times(x.post[i], x.pre[j])))
			}
			rounded, overflow := round(update, S, 0, 0)
			if overflow {
				p.overflows["d"+name]++
			}
			step := times(rate, rounded)
			next := plus(m[i][j], step)
			a, b := i, j
			if kind == "C" {
				next = minus(plus(m[i][j], times(gamma, m[i][j])), step)
				a, b = max(i, j), min(i, j)
			}
			next, overflow = round(stored, next, frac, speck(p.n.Seed, p.update, tensor, a, b))
			if overflow {
				p.overflows[name]++
			}
			if S.Sign() != 0 && next.Cmp(m[i][j]) == 0 {
				p.lost[name]++
			}
			m[i][j] = next
			write.Words = append(write.Words, word(stored, next))
		}
		p.writes = append(p.writes, write)
	}
}

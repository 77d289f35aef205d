package machine_test

import (
	"fmt"
	"math/big"

	"corinfo/golden/rule"
)

// corInfoMaxPage is docs/ARITHMETIC.md's page of CorInfoMax.
type corInfoMaxPage struct {
	o     *rule.CorInfoMax
	u     [][]*big.Rat
	q, qu []*big.Rat // by layer
}

func (c *corInfoMaxPage) start(p *page) {
	c.u = make([][]*big.Rat, p.K()+1)
	for k := 1; k <= p.K(); k++ {
		c.u[k] = zeros(p.s.Layers[k])
	}
	c.q, c.qu = zeros(p.K()+1), zeros(p.K()+1)
}

func (c *corInfoMaxPage) snapshot(p *page) func() {
	r, q := append([][]*big.Rat(nil), p.r...), append([]*big.Rat(nil), c.q...)
	return func() { p.r, c.q = append([][]*big.Rat(nil), r...), append([]*big.Rat(nil), q...) }
}

func (c *corInfoMaxPage) basal(p *page, k int) []*big.Rat {
	return product(p.matrices[fmt.Sprint("W", k-1)], p.state(k-1))
}

func (c *corInfoMaxPage) feedback(p *page, k int) []*big.Rat {
	if k == p.K() {
		return zeros(p.s.Layers[k])
	}
	return product(p.matrices[fmt.Sprint("F", k)], p.r[k+1])
}

func (c *corInfoMaxPage) lateral(p *page, k int) []*big.Rat {
	if !c.o.Lateral {
		return zeros(p.s.Layers[k])
	}
	return product(p.matrices[fmt.Sprint("C", k)], p.r[k])
}

// phase is "Settling".
func (c *corInfoMaxPage) phase(p *page, phase, iterations, sign, label int, learn bool) {
	K, o := p.K(), c.o
	for k := 1; k <= K; k++ {
		c.u[k], c.qu[k] = p.r[k], c.q[k]
	}
	beta := float64(sign) * p.s.Learning.Beta
	for s := range iterations {
		step := p.eta(s, learn)
		still := true
		for k := 1; k <= K; k++ {
			setting := func(v float64) *big.Rat { return p.constant("coefficient", v) }
			kCurrent, kLateral, kR, kY, kU := setting(1/o.Epsilon), rat(2), setting(o.Leak), rat(0), setting(o.Leak+2/o.Epsilon)
			if k == K {
				kLateral, kR, kY, kU = rat(1), setting(o.Leak-beta), setting(beta), setting(o.Leak+1/o.Epsilon+1)
			}
			basal, feedback, lateral := c.basal(p, k), c.feedback(p, k), c.lateral(p, k)
			u, r, moved := zeros(p.s.Layers[k]), zeros(p.s.Layers[k]), false
			for i := range u {
				y := rat(0)
				if k == K && i == label {
					y = rat(1)
				}
				current := p.into("current", k, plus(basal[i], feedback[i]))
				lat := rat(0)
				if o.Lateral {
					lat = p.into("lateral", k, lateral[i])
				}
				drive := plus(plus(times(kCurrent, current), times(kLateral, lat)), plus(times(kR, p.r[k][i]), times(kY, y)))
				drive = minus(drive, times(kU, c.u[k][i]))
				drive = p.into("drive", k, minus(drive, c.q[k]))
				before := p.overflows[fmt.Sprintf("u%d", k)]
				u[i] = p.into("u", k, plus(c.u[k][i], times(step, drive)))
				if u[i].Cmp(c.u[k][i]) != 0 || p.overflows[fmt.Sprintf("u%d", k)] != before {
					moved = true
				}
				r[i] = p.into("r", k, c.clip(p, k, u[i]))
				if r[i].Cmp(p.r[k][i]) != 0 {
					p.events[k]++
				}
			}
			c.u[k], p.r[k] = u, r
			p.records = append(p.records, record{phase, s, k, "soma", [][]int64{words(p.types("u", k), u), words(p.types("r", k), r)}, moved})
			still = still && !moved
			if nu := c.nu(p, k); nu != nil {
				moved := c.inhibit(p, k, nu)
				still = still && !moved
				p.records = append(p.records, record{phase, s, k, "interneuron", [][]int64{{word(p.types("qu", k), c.qu[k])}, {word(p.types("q", k), c.q[k])}}, moved})
			}
		}
		if still && p.s.Settling.EarlyEnd {
			return
		}
	}
}

// nu is the step size of layer k's interneuron, nil where it has none.
func (c *corInfoMaxPage) nu(p *page, k int) *big.Rat {
	for i, layer := range c.o.Sparse.Layers {
		if layer == k {
			w, _ := round(p.types("nu", k), new(big.Rat).SetFloat64(c.o.Sparse.Nu[i]), 0, 0)
			return w
		}
	}
	return nil
}

// inhibit is "Interneurons"; it tells of a change.
func (c *corInfoMaxPage) inhibit(p *page, k int, nu *big.Rat) bool {
	sum := rat(-1)
	for _, r := range p.r[k] {
		sum.Add(sum, r)
	}
	name := fmt.Sprintf("qu%d", k)
	before := p.overflows[name]
	excess := p.into("excess", k, plus(sum, minus(c.q[k], c.qu[k])))
	qu := p.into("qu", k, plus(c.qu[k], times(nu, excess)))
	q := rat(0)
	if qu.Sign() > 0 {
		q = qu
	}
	q = p.into("q", k, q)
	changed := qu.Cmp(c.qu[k]) != 0 || q.Cmp(c.q[k]) != 0 || p.overflows[name] != before
	c.qu[k], c.q[k] = qu, q
	return changed
}

// clip is u' limited to 0 and, in a layer that is not sparse, the largest multiple of u's last place that is not above 1.
func (c *corInfoMaxPage) clip(p *page, k int, u *big.Rat) *big.Rat {
	if c.nu(p, k) != nil {
		if u.Sign() < 0 {
			return rat(0)
		}
		return u
	}
	return clipped(u, p.types("u", k).Frac)
}

// clipped is a value of so many fraction bits limited to 0 and the largest multiple of its last place that is not above 1.
func clipped(v *big.Rat, frac int) *big.Rat {
	one := times(floor(power(frac)), power(-frac))
	switch {
	case v.Sign() < 0:
		return rat(0)
	case v.Cmp(one) > 0:
		return one
	}
	return v
}

// keep is "What learning keeps".
func (c *corInfoMaxPage) keep(p *page, role int, later bool) {
	for k := 1; k <= p.K(); k++ {
		p.current.r[role][k] = p.r[k]
		basal, feedback, lateral := c.basal(p, k), c.feedback(p, k), c.lateral(p, k)
		e, d, f := zeros(len(basal)), zeros(len(basal)), zeros(len(basal))
		for i, r := range p.r[k] {
			if k >= 2 {
				e[i] = p.into("e", k, minus(r, basal[i]))
			} else if later {
				e[i] = p.into("e", k, minus(r, p.current.r[1-role][1][i]))
			}
			if k < p.K() {
				d[i] = p.into("d", k, minus(r, feedback[i]))
			}
			if role == 1 && c.o.Lateral {
				f[i] = p.into("c", k, lateral[i])
			}
		}
		p.current.e[role][k], p.current.d[role][k] = e, d
		if role == 1 {
			p.current.c[k] = f
		}
	}
}

func (c *corInfoMaxPage) settle(p *page, sign, label int) { p.compare(c, sign, label) }

func (c *corInfoMaxPage) rate(p *page, m float64) float64 { return p.comparedRate(m) }

func (c *corInfoMaxPage) names(K int) (list []string, optimized string) {
	for k := range K {
		list = append(list, fmt.Sprint("W", k))
	}
	for k := 1; k < K; k++ {
		list = append(list, fmt.Sprint("F", k))
	}
	for k := 1; k <= K && c.o.Lateral; k++ {
		list = append(list, fmt.Sprint("C", k))
	}
	return list, "WF"
}

// learn is "Updates": every matrix from the factors kept, in their order.
func (c *corInfoMaxPage) learn(p *page) {
	l, K := p.s.Learning, p.K()
	later, sign := p.later()
	for k := range K {
		p.descend("W", k, l.Feedforward[k], p.pairs(func(s *kept, b int64) []pair {
			if k == 0 {
				return []pair{{b * sign, s.e[later][1], s.x}}
			}
			return []pair{{b, s.e[1][k+1], s.r[1][k]}, {-b, s.e[0][k+1], s.r[0][k]}}
		}))
	}
	for k := 1; k < K; k++ {
		p.descend("F", k, l.Feedback[k-1], p.pairs(func(s *kept, b int64) []pair {
			return []pair{{b, s.d[1][k], s.r[1][k+1]}, {-b, s.d[0][k], s.r[0][k+1]}}
		}))
	}
	gamma := p.constant("gamma", (1-c.o.Lambda)/c.o.Lambda)
	rate := p.constant("rate", 1/(c.o.Lambda*float64(l.Batch)))
	for k := 1; k <= K && c.o.Lateral; k++ {
		list := p.pairs(func(s *kept, _ int64) []pair { return []pair{{1, s.c[k], s.c[k]}} })
		name, C := fmt.Sprint("C", k), p.types("C", k).Frac
		frac := max(C, p.types("rate", 0).Frac+p.types("dC", k).Frac, p.types("gamma", 0).Frac+C)
		p.change("C", k, list, true, true, func(i, j int, S *big.Rat, random func(int) uint32) *big.Rat {
			w := p.matrices[name][i][j]
			v := minus(plus(w, times(gamma, w)), times(rate, p.into("dC", k, S)))
			return p.store("C", k, v, frac, random(p.number(name)))
		})
	}
}

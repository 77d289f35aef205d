package machine_test

import (
	"fmt"
	"math/big"
)

// predictivePage is docs/ARITHMETIC.md's page of predictive coding and of its nudged form.
type predictivePage struct {
	activation string
	target     []float64 // nil: nudged
	f, e       [][]*big.Rat
}

func (c *predictivePage) nudged() bool { return c.target == nil }

func (c *predictivePage) names(K int) (list []string, optimized string) { return forwardNames(K), "Wb" }

func (c *predictivePage) rate(p *page, m float64) float64 {
	if c.nudged() {
		return m * (2 / p.s.Learning.Beta)
	}
	return m * (1 / float64(p.s.Learning.Batch))
}

// forwardSum is W_{k-1} times the signal of the layer below, and b_k.
func (p *page) forwardSum(k int, below []*big.Rat) []*big.Rat {
	sum := product(p.matrices[fmt.Sprint("W", k-1)], below)
	for i, b := range p.matrices[fmt.Sprint("b", k)] {
		sum[i] = plus(sum[i], b[0])
	}
	return sum
}

// settle is the program of phases.
func (c *predictivePage) settle(p *page, sign, label int) {
	K := p.K()
	p.events[0]++ // the unit that is always 1
	c.f, c.e = make([][]*big.Rat, K+1), make([][]*big.Rat, K+1)
	c.f[0] = p.x
	for k := 1; k <= K; k++ {
		c.f[k], c.e[k] = zeros(p.s.Layers[k]), zeros(p.s.Layers[k])
	}
	phase := 0
	for k := 1; k <= K; k++ {
		c.become(p, "forward", phase, 0, k, p.forwardSum(k, c.f[k-1]))
	}
	p.scores = p.r[K]
	if label < 0 {
		return
	}
	phase++
	if !c.nudged() {
		low, span := p.constant("target", c.target[0]), p.constant("target", c.target[1]-c.target[0])
		held := zeros(p.s.Layers[K])
		for i := range held {
			held[i] = low
			if i == label {
				held[i] = plus(span, low)
			}
		}
		c.become(p, "target", phase, 0, K, held)
		phase++
	}
	for s := range p.s.Settling.NudgedIterations {
		moved := c.errors(p, phase, s)
		moved = c.values(p, phase, s, sign, label) || moved
		if !moved && p.s.Settling.EarlyEnd {
			break
		}
	}
	phase++
	c.errors(p, phase, 0)
	for k := 1; k <= K; k++ {
		kept := c.e[k]
		if !c.nudged() {
			kept = zeros(p.s.Layers[k])
			for i, e := range c.e[k] {
				kept[i] = p.into("kept", k, e)
			}
		}
		p.current.r[1][k], p.current.e[1][k] = c.f[k], kept
	}
}

// become rounds the values of layer k, and their activities, and records; it tells whether values moved, or overflowed.
func (c *predictivePage) become(p *page, step string, phase, iteration, k int, exact []*big.Rat) (moved bool) {
	name := fmt.Sprint("r", k)
	overflows := p.overflows[name]
	r, f := zeros(len(exact)), zeros(len(exact))
	for i, v := range exact {
		r[i] = p.into("r", k, v)
		moved = moved || r[i].Cmp(p.r[k][i]) != 0
		if k < p.K() {
			f[i] = p.into("f", k, act(c.activation, r[i], one(p.types("r", k))))
		}
	}
	moved = moved || p.overflows[name] != overflows
	rec := record{phase, iteration, k, step, [][]int64{words(p.types("r", k), r)}, step == "value" && moved}
	if k < p.K() {
		rec.words = append(rec.words, words(p.types("f", k), f))
		p.broadcast(k, c.f[k], f)
	}
	p.records = append(p.records, rec)
	p.r[k], c.f[k] = r, f
	return moved
}

// errors are the error steps of all layers.
func (c *predictivePage) errors(p *page, phase, iteration int) (any bool) {
	for k := 1; k <= p.K(); k++ {
		e, moved := zeros(p.s.Layers[k]), false
		for i, basal := range p.forwardSum(k, c.f[k-1]) {
			e[i] = p.into("e", k, minus(p.r[k][i], basal))
			moved = moved || e[i].Cmp(c.e[k][i]) != 0
		}
		if k > 1 {
			p.broadcast(k, c.e[k], e)
		}
		c.e[k] = e
		any = any || moved
		p.records = append(p.records, record{phase, iteration, k, "error", [][]int64{words(p.types("e", k), e)}, moved})
	}
	return any
}

// values are the value steps: they read errors, and what is their own.
func (c *predictivePage) values(p *page, phase, s, sign, label int) (any bool) {
	K := p.K()
	eta := p.eta(s, true)
	if c.nudged() {
		eta = p.constant("eta", 2*p.stepSize(s, true))
	}
	for k := 1; k <= K; k++ {
		if k == K && !c.nudged() {
			continue
		}
		drive := zeros(p.s.Layers[k])
		if k < K {
			for i, feedback := range product(transposed(p.matrices[fmt.Sprint("W", k)]), c.e[k+1]) {
				drive[i] = minus(p.slope(c.activation, k, c.f[k][i], feedback), c.e[k][i])
			}
		} else {
			beta := p.constant("beta", float64(sign)*p.s.Learning.Beta)
			for i := range drive {
				y := rat(0)
				if i == label {
					y = rat(1)
				}
				drive[i] = minus(times(beta, minus(y, p.r[k][i])), c.e[k][i])
			}
		}
		for i, v := range drive {
			drive[i] = plus(p.r[k][i], times(eta, p.into("drive", k, v)))
		}
		moved := c.become(p, "value", phase, s, k, drive)
		any = any || moved
	}
	return any
}

// learn is "Updates".
func (c *predictivePage) learn(p *page) {
	p.learnFromErrors(func(b int64) int64 {
		if c.nudged() {
			return b
		}
		return 1
	})
}

// learnFromErrors are updates from products of errors and activities; sign is theirs, of the sign of a sample's beta.
func (p *page) learnFromErrors(sign func(b int64) int64) {
	l, K := p.s.Learning, p.K()
	for k := range K {
		p.descend("W", k, l.Feedforward[k], p.pairs(func(s *kept, b int64) []pair {
			if k == 0 {
				return []pair{{sign(b), s.e[1][1], s.x}}
			}
			return []pair{{sign(b), s.e[1][k+1], s.r[1][k]}}
		}))
	}
	for k := 1; k <= K; k++ {
		p.descend("b", k, l.Feedforward[k-1], p.pairs(func(s *kept, b int64) []pair {
			return []pair{{sign(b), s.e[1][k], []*big.Rat{rat(1)}}}
		}))
	}
}

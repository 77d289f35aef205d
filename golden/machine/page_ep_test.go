package machine_test

import (
	"fmt"
	"math/big"

	"corinfo/golden/rule"
)

// equilibriumPage is docs/ARITHMETIC.md's page of equilibrium propagation and, with lateral synapses, of contrastive
// similarity matching.
type equilibriumPage struct {
	lateral *rule.CSM // nil: ep
}

func (c *equilibriumPage) start(p *page) { p.events[0]++ } // the unit that is always 1

func (c *equilibriumPage) snapshot(p *page) func() {
	r := append([][]*big.Rat(nil), p.r...)
	return func() { p.r = append([][]*big.Rat(nil), r...) }
}

// phase is "Settling": all layers from the old states.
func (c *equilibriumPage) phase(p *page, phase, iterations, sign, label int, learn bool) {
	K := p.K()
	for s := range iterations {
		step := p.eta(s, learn)
		still := true
		next, moved := make([][]*big.Rat, K+1), make([]bool, K+1)
		for k := 1; k <= K; k++ {
			kY, kR := rat(0), p.constant("coefficient", 1)
			if k == K {
				pull := 2 * float64(sign) * p.s.Learning.Beta
				kY, kR = p.constant("coefficient", pull), p.constant("coefficient", 1+pull)
			}
			input := product(p.matrices[fmt.Sprint("W", k-1)], p.state(k-1))
			bias := p.matrices[fmt.Sprint("b", k)]
			for i := range input {
				input[i] = plus(input[i], bias[i][0])
			}
			if k < K {
				for i, v := range product(transposed(p.matrices[fmt.Sprint("W", k)]), p.r[k+1]) {
					input[i] = plus(input[i], v)
				}
				if c.lateral != nil {
					for i, v := range product(p.matrices[fmt.Sprint("M", k)], p.r[k]) {
						input[i] = minus(input[i], v)
					}
				}
			}
			next[k] = zeros(p.s.Layers[k])
			frac := max(p.types("r", k).Frac, p.types("eta", 0).Frac+p.types("drive", k).Frac)
			for i, r := range p.r[k] {
				y := rat(0)
				if k == K && i == label {
					y = rat(1)
				}
				drive := p.into("drive", k, minus(plus(input[i], times(kY, y)), times(kR, r)))
				before := p.overflows[fmt.Sprint("r", k)]
				next[k][i] = p.into("r", k, clipped(plus(r, times(step, drive)), frac))
				if next[k][i].Cmp(r) != 0 {
					p.events[k]++
					moved[k] = true
				}
				moved[k] = moved[k] || p.overflows[fmt.Sprint("r", k)] != before
			}
		}
		for k := 1; k <= K; k++ {
			p.r[k] = next[k]
			p.records = append(p.records, record{phase, s, k, "soma", [][]int64{words(p.types("r", k), next[k])}, moved[k]})
			still = still && !moved[k]
		}
		if still && p.s.Settling.EarlyEnd {
			return
		}
	}
}

// keep is "What learning keeps".
func (c *equilibriumPage) keep(p *page, role int, later bool) {
	for k := 1; k <= p.K(); k++ {
		p.current.r[role][k] = p.r[k]
		e := zeros(len(p.r[k]))
		for i, r := range p.r[k] {
			if later {
				e[i] = p.into("e", k, minus(r, p.current.r[1-role][k][i]))
			}
		}
		p.current.e[role][k] = e
	}
}

func (c *equilibriumPage) settle(p *page, sign, label int) { p.compare(c, sign, label) }

func (c *equilibriumPage) rate(p *page, m float64) float64 { return p.comparedRate(m) }

func (c *equilibriumPage) names(K int) (list []string, optimized string) {
	list = forwardNames(K)
	for k := 1; k < K && c.lateral != nil; k++ {
		list = append(list, fmt.Sprint("M", k))
	}
	return list, "Wb"
}

// forwardNames are W_0.., b_1..
func forwardNames(K int) (list []string) {
	for k := range K {
		list = append(list, fmt.Sprint("W", k))
	}
	for k := 1; k <= K; k++ {
		list = append(list, fmt.Sprint("b", k))
	}
	return list
}

// learn is "Updates".
func (c *equilibriumPage) learn(p *page) {
	l, K := p.s.Learning, p.K()
	later, sign := p.later()
	one := []*big.Rat{rat(1)}
	for k := range K {
		p.descend("W", k, l.Feedforward[k], p.pairs(func(s *kept, b int64) []pair {
			if k == 0 {
				return []pair{{b * sign, s.e[later][1], s.x}}
			}
			return []pair{{b, s.r[1][k+1], s.r[1][k]}, {-b, s.r[0][k+1], s.r[0][k]}}
		}))
	}
	for k := 1; k <= K; k++ {
		p.descend("b", k, l.Feedforward[k-1], p.pairs(func(s *kept, b int64) []pair { return []pair{{b * sign, s.e[later][k], one}} }))
	}
	for k := 1; k < K && c.lateral != nil; k++ {
		alpha := c.lateral.Lateral[k-1]
		rate := p.constant("rate", -alpha*p.decay()/(2*l.Beta*float64(l.Batch)))
		decay := p.constant("decay", -alpha/(2*l.Beta))
		list := p.pairs(func(s *kept, b int64) []pair { return []pair{{b, s.r[1][k], s.r[1][k]}} })
		name := fmt.Sprint("M", k)
		frac := max(p.types("M", k).Frac, p.types("rate", 0).Frac+p.types("dM", k).Frac)
		frac = max(frac, p.types("decay", 0).Frac+frac)
		p.change("M", k, list, true, true, func(i, j int, S *big.Rat, random func(int) uint32) *big.Rat {
			g := plus(p.matrices[name][i][j], times(rate, p.into("dM", k, S)))
			return p.store("M", k, minus(g, times(decay, g)), frac, random(p.number(name)))
		})
	}
}

package machine_test

import (
	"fmt"
	"math/big"

	"corinfo/golden/rule"
)

// backpropPage is docs/ARITHMETIC.md's page of backpropagation and of feedback alignment.
type backpropPage struct {
	o       *rule.Backprop
	aligned bool
}

func (c *backpropPage) names(K int) (list []string, optimized string) {
	list = forwardNames(K)
	for k := 1; k < K && c.aligned; k++ {
		list = append(list, fmt.Sprint("B", k))
	}
	return list, "Wb"
}

func (c *backpropPage) rate(p *page, m float64) float64 {
	N := float64(p.s.Learning.Batch)
	if c.o.Loss == "mse" {
		return m * (2 / (N * float64(p.s.Layers[p.K()])))
	}
	return m * (1 / N)
}

// settle is "FA's passes".
func (c *backpropPage) settle(p *page, _, label int) {
	K := p.K()
	p.events[0]++ // the unit that is always 1
	keep := func(phase, k int, step, kind string, v []*big.Rat) {
		p.records = append(p.records, record{phase, 0, k, step, [][]int64{words(p.types(kind, k), v)}, false})
	}
	for k := 1; k <= K; k++ {
		r := p.forwardSum(k, p.state(k-1))
		for i, basal := range r {
			if k < K {
				basal = act(c.o.Activation, basal, rat(1)) // biases have a bit in front of the binary point: sums hold 1
			}
			r[i] = p.into("r", k, basal)
		}
		if k < K {
			p.broadcast(k, p.r[k], r)
		}
		p.r[k] = r
		keep(0, k, "forward", "r", r)
	}
	p.scores = p.r[K]
	if label < 0 {
		return
	}

	out := append([]*big.Rat(nil), p.r[K]...) // what the targets are subtracted from
	if c.o.Loss == "cross_entropy" {
		top := out[0]
		for _, r := range out {
			if r.Cmp(top) > 0 {
				top = r
			}
		}
		top = p.into("top", K, top)
		keep(1, K, "largest", "top", []*big.Rat{top})
		exp, sum := zeros(len(out)), rat(0)
		for i, r := range out {
			exp[i] = p.into("exp", K, exponential(minus(r, top)))
			sum = plus(sum, exp[i])
		}
		keep(1, K, "exponential", "exp", exp)
		norm := p.into("norm", K, div(rat(1), sum, p.types("norm", K).Frac+1))
		keep(1, K, "normalize", "norm", []*big.Rat{norm})
		for i := range out {
			out[i] = times(norm, exp[i])
		}
	}
	e := make([][]*big.Rat, K+1)
	for k := K; k >= 1; k-- {
		e[k] = zeros(p.s.Layers[k])
		switch {
		case k == K:
			for i := range e[k] {
				y := rat(0)
				if i == label {
					y = rat(1)
				}
				e[k][i] = p.into("e", k, minus(out[i], y))
			}
		default:
			back := p.matrices[fmt.Sprint("B", k)]
			if !c.aligned {
				back = transposed(p.matrices[fmt.Sprint("W", k)])
			}
			for i, feedback := range product(back, e[k+1]) {
				e[k][i] = p.into("e", k, p.slope(c.o.Activation, k, p.r[k][i], feedback))
			}
		}
		if k > 1 {
			p.broadcast(k, zeros(len(e[k])), e[k])
		}
		keep(1, k, "backward", "e", e[k])
	}
	for k := 1; k <= K; k++ {
		p.current.r[1][k], p.current.e[1][k] = p.r[k], e[k]
	}
}

// learn is "Updates".
func (c *backpropPage) learn(p *page) { p.learnFromErrors(func(int64) int64 { return -1 }) }

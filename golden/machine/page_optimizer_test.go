package machine_test

import (
	"fmt"
	"math"
	"math/big"
	"strings"
)

// The section "Optimizers" of docs/ARITHMETIC.md, and "Rates decay", in rational numbers.

// squared is a^n by repeated squaring.
func squared(a float64, n uint64) float64 {
	p := 1.0
	for n > 0 {
		if n%2 == 1 {
			p = p * a
		}
		a = a * a
		n = n / 2
	}
	return p
}

// decay is f, what multiplies all rates.
func (p *page) decay() float64 {
	d := p.s.Learning.Decay
	a := d.Factor
	for _, stage := range d.Then {
		if p.epoch >= stage.From {
			a = stage.Factor
		}
	}
	if d.Batches > 0 {
		return squared(a, uint64(p.update)/uint64(d.Batches))
	}
	return squared(a, uint64(p.epoch)/uint64(max(1, d.Every)))
}

// besides are the words that the optimizer keeps beside the synapses, by their names, with their tensors' numbers.
func (p *page) besides() (names []string, number map[string]int) {
	letters := map[string][]string{"momentum": {"m"}, "adam": {"m", "v"}}[p.s.Learning.Optimizer.Kind]
	list, optimized := p.own.names(p.K())
	number = map[string]int{}
	for _, matrix := range list {
		for _, letter := range letters {
			if strings.Contains(optimized, matrix[:1]) {
				number[letter+matrix] = len(list) + len(names)
				names = append(names, letter+matrix)
			}
		}
	}
	return names, number
}

// descend updates a matrix by the optimizer.
func (p *page) descend(kind string, k int, mu float64, list []pair) {
	o := p.s.Learning.Optimizer
	s := p.own.rate(p, 1)
	rate := p.constant("rate", p.own.rate(p, mu*p.decay()))
	name := fmt.Sprint(kind, k)
	_, besides := p.besides()
	W, D := p.types(kind, k).Frac, p.types("d"+kind, k).Frac
	of := func(constant string) int { return p.types(constant, 0).Frac }
	var step next
	switch o.Kind {
	case "sgd":
		frac, shrink := max(W, of("rate")+D), rat(0)
		if o.WeightDecay > 0 {
			shrink = p.constant("shrink", mu*p.decay()*o.WeightDecay)
			frac = max(frac, of("shrink")+W)
		}
		step = func(i, j int, S *big.Rat, random func(int) uint32) *big.Rat {
			w := p.matrices[name][i][j]
			v := minus(plus(w, times(rate, p.into("d"+kind, k, S))), times(shrink, w))
			return p.store(kind, k, v, frac, random(p.number(name)))
		}
	case "momentum":
		momentum, shrink := p.constant("momentum", o.Momentum), rat(0)
		M := p.types("m"+kind, k).Frac
		frac := max(D, of("momentum")+M)
		if o.WeightDecay > 0 {
			shrink = p.constant("shrink", o.WeightDecay/s)
			frac = max(frac, of("shrink")+W)
		}
		step = func(i, j int, S *big.Rat, random func(int) uint32) *big.Rat {
			w, m := p.matrices[name][i][j], p.beside["m"+name]
			v := minus(plus(p.into("d"+kind, k, S), times(momentum, m[i][j])), times(shrink, w))
			m[i][j] = p.store("m"+kind, k, v, frac, random(besides["m"+name]))
			return p.store(kind, k, plus(w, times(rate, m[i][j])), max(W, of("rate")+M), random(p.number(name)))
		}
	case "adam":
		t := uint64(p.update) + 1
		rate = p.constant("rate", mu*p.decay())
		correction := p.constant("correction", math.Sqrt(1-squared(o.Beta2, t))/(1-squared(o.Beta1, t)))
		small := o.Epsilon / s
		if !o.PlainRoot {
			small = small * math.Sqrt(1-squared(o.Beta2, t))
		}
		epsilon, fresh1, fresh2 := p.constant("epsilon", small), p.constant("fresh", 1-o.Beta1), p.constant("fresh", 1-o.Beta2)
		root, quotient := p.types("root"+kind, k), p.types("step"+kind, k)
		M, V := p.types("m"+kind, k).Frac, p.types("v"+kind, k).Frac
		step = func(i, j int, S *big.Rat, random func(int) uint32) *big.Rat {
			w, m, v := p.matrices[name][i][j], p.beside["m"+name], p.beside["v"+name]
			d := p.into("d"+kind, k, S)
			m[i][j] = p.store("m"+kind, k, plus(m[i][j], times(fresh1, minus(d, m[i][j]))), max(M, of("fresh")+max(D, M)), random(besides["m"+name]))
			v[i][j] = p.store("v"+kind, k, plus(v[i][j], times(fresh2, minus(times(d, d), v[i][j]))), max(V, of("fresh")+max(2*D, V)), random(besides["v"+name]))
			r := p.into("root"+kind, k, sqrt(v[i][j], root.Frac+1))
			q := p.into("step"+kind, k, div(times(correction, m[i][j]), plus(r, epsilon), quotient.Frac+1))
			return p.store(kind, k, plus(w, times(rate, q)), max(W, of("rate")+quotient.Frac), random(p.number(name)))
		}
	default:
		panic(o.Kind)
	}
	p.change(kind, k, list, false, o.Kind != "sgd" || o.WeightDecay > 0, step)
}

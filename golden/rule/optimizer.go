package rule

import (
	"math"

	fx "corinfo/fixedpoint"
)

// Optimizer turns the gradient of a mini-batch into the change of a synapse. The zero value is plain descent. A kind has the
// settings that Uses tells; the others mean nothing to it.
type Optimizer struct {
	Kind        string  `yaml:"kind" doc:"sgd, plain descent; momentum; adam; left out: sgd"`
	Momentum    float64 `yaml:"momentum" doc:"what is kept of the buffer, to which the gradient is added; left out: 0.9"`
	WeightDecay float64 `yaml:"weight_decay" doc:"this times the synapse is added to its gradient; left out: 0"`
	Beta1       float64 `yaml:"beta1" doc:"what the mean m of gradients keeps; left out: 0.9"`
	Beta2       float64 `yaml:"beta2" doc:"what the mean v of their squares keeps; left out: 0.999"`
	Epsilon     float64 `yaml:"epsilon" doc:"added to the root of v; left out: 1e-8"`
	PlainRoot   bool    `yaml:"plain_root" doc:"epsilon is added to sqrt(v), as in the code of predictive coding; false: to sqrt(v / (1 - beta2^t)), as in PyTorch; left out: false"`
}

// Kinds of optimizers.
const (
	SGD      = "sgd"
	Momentum = "momentum"
	Adam     = "adam"
)

// DefaultOptimizer is what a network file that is silent has.
func DefaultOptimizer() Optimizer {
	return Optimizer{Kind: SGD, Momentum: 0.9, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}
}

// gradient is how a projection learns by the optimizer. Its sum of terms, times a scale, is the direction that it goes, the
// negative of a gradient.
type gradient struct {
	kind       string // of the synapses' tensor, of which others have their names: W has dW, mW, vW
	index      int
	projection int
	terms      []Term
	signed     bool                     // the sign of beta turns the terms
	mu         float64                  // learning rate of the network file
	rate       func(mu float64) float64 // mu times the scale
	bound      float64                  // of the sum, for its default type
}

// descend adds the update of a projection.
//
// The optimizer's words are those of the sum itself, of which scale is left to constants: descent by mu scale sum; momentum by
// mu scale buffer, buffer' = momentum buffer + sum - (weight_decay / scale) w; and Adam, whose quotient scale leaves alone, by
// mu correction m' / (sqrt(v') + epsilon / scale), where in mini-batch t = 1, 2, ...
//
//	correction = sqrt(1 - beta2^t) / (1 - beta1^t), and epsilon is multiplied by sqrt(1 - beta2^t) unless PlainRoot
func (s *Settings) descend(b *builder, x gradient) {
	u := Update{Projection: x.projection, Terms: x.terms, Signed: x.signed, Rate: s.falling(x.mu)}
	switch s.Learning.Optimizer.Kind {
	case Adam:
		u.Always = true
		s.adam(b, u, x)
	case Momentum:
		u.Always = true
		s.momentum(b, u, x)
	default:
		u.Always = s.Learning.Optimizer.WeightDecay > 0
		s.plain(b, u, x)
	}
}

// falling is a learning rate as it falls.
func (s *Settings) falling(mu float64) func(Moment) float64 {
	return func(m Moment) float64 { return mu * s.Learning.Decay.At(m) }
}

func (s *Settings) adam(b *builder, u Update, x gradient) {
	o, scale, mu := s.Learning.Optimizer, x.rate(1), s.falling(x.mu)
	// Adam divides the size of a sum away, so that small ones count: words are long behind the binary point, and what is
	// large saturates. Where v has vanished and m has not, a step saturates too, near what it is while sums keep their sign.
	b.tensor("d"+x.kind, x.index, OfProducts, Fit(20, x.bound/4, true), "sums of a mini-batch")
	m := b.beside(x.projection, "m", x.kind, x.index, fading(Fit(24, x.bound/4, true)), "Adam's means of the sums")
	v := b.beside(x.projection, "v", x.kind, x.index, Fit(31, x.bound/20*(x.bound/20), false), "Adam's means of their squares")
	root, quotient := "root"+x.kind, "step"+x.kind
	b.tensor(root, x.index, OfValue, Fit(16, x.bound/20, false), "root of v")
	b.tensor(quotient, x.index, OfValue, Fit(16, 1, true), "correction m / (root + epsilon)")
	b.update(u, func(g *Graph) Value {
		// 1 - beta^t of the update under way
		rest := func(beta float64, at Moment) float64 { return 1 - power(beta, at.Update+1) }
		rate := g.Constant("rate", "rate", mu)
		correction := g.Constant("correction", "correction",
			func(at Moment) float64 { return math.Sqrt(rest(o.Beta2, at)) / rest(o.Beta1, at) })
		epsilon := g.Constant("epsilon", "epsilon", func(at Moment) float64 {
			if o.PlainRoot {
				return o.Epsilon / scale
			}
			return o.Epsilon / scale * math.Sqrt(rest(o.Beta2, at))
		})
		fresh1 := g.Constant("fresh1", "fresh", func(Moment) float64 { return 1 - o.Beta1 })
		fresh2 := g.Constant("fresh2", "fresh", func(Moment) float64 { return 1 - o.Beta2 })
		g.Setting("rate").Scheduled, g.Setting("correction").Scheduled, g.Setting("epsilon").Scheduled = s.Learning.Decay.Batches > 0, true, !o.PlainRoot
		w, products := g.Synapse(), g.As("update", g.Round("d"+x.kind, g.Products()))
		mean, square := g.Beside("m"), g.Beside("v")
		mean = g.As("mean", g.Round(m, g.Add(mean, g.Mul(fresh1, g.Sub(products, mean)))))
		square = g.As("square", g.Round(v, g.Add(square, g.Mul(fresh2, g.Sub(g.Mul(products, products), square)))))
		step := g.As("step", g.Divide(quotient, g.Mul(correction, mean), g.Add(g.As("root", g.Root(root, square)), epsilon)))
		g.Next("m", mean)
		g.Next("v", square)
		return g.Add(w, g.Mul(rate, step))
	})
}

func (s *Settings) momentum(b *builder, u Update, x gradient) {
	o, scale, mu := s.Learning.Optimizer, x.rate(1), s.falling(x.mu)
	b.tensor("d"+x.kind, x.index, OfProducts, operand(x.bound), "sums of a mini-batch, before the learning rate")
	m := b.beside(x.projection, "m", x.kind, x.index, fading(Fit(24, x.bound/(1-o.Momentum), true)), "buffer of the momentum")
	b.update(u, func(g *Graph) Value {
		rate := g.Constant("rate", "rate", func(at Moment) float64 { return x.rate(mu(at)) })
		kept := g.Constant("momentum", "momentum", func(Moment) float64 { return o.Momentum })
		g.Setting("rate").Scheduled = s.Learning.Decay.Batches > 0
		w, products := g.Synapse(), g.As("update", g.Round("d"+x.kind, g.Products()))
		buffer := g.Add(products, g.Mul(kept, g.Beside("m")))
		if o.WeightDecay > 0 {
			buffer = g.Sub(buffer, g.Mul(g.Constant("shrink", "shrink", func(Moment) float64 { return o.WeightDecay / scale }), w))
		}
		buffer = g.As("buffer", g.Round(m, buffer))
		g.Next("m", buffer)
		return g.Add(w, g.Mul(rate, buffer))
	})
}

func (s *Settings) plain(b *builder, u Update, x gradient) {
	o, mu := s.Learning.Optimizer, s.falling(x.mu)
	b.tensor("d"+x.kind, x.index, OfProducts, operand(x.bound), "sums of a mini-batch, before the learning rate")
	b.update(u, func(g *Graph) Value {
		w, products := g.Synapse(), g.Products()
		rate := g.Constant("rate", "rate", func(at Moment) float64 { return x.rate(mu(at)) })
		g.Setting("rate").Scheduled = s.Learning.Decay.Batches > 0
		change := g.Add(w, g.Mul(rate, g.As("update", g.Round("d"+x.kind, products))))
		if o.WeightDecay > 0 {
			decay := g.Constant("shrink", "shrink", func(at Moment) float64 { return mu(at) * o.WeightDecay })
			g.Setting("shrink").Scheduled = s.Learning.Decay.Batches > 0
			change = g.Sub(change, g.Mul(decay, w))
		}
		return change
	})
}

// fading is a type that rounds to zero: a mean of sums that are 0 comes to 0. To nearest it would stop some places before, and
// the synapse go on for ever.
func fading(t fx.Type) fx.Type {
	t.Rounding = fx.TrnZero
	return t
}

// beside adds a word beside the synapses of a projection and gives the kind of its tensor.
func (b *builder) beside(projection int, name, kind string, index int, t fx.Type, about string) string {
	at := b.tensor(name+kind, index, OfBeside, t, about)
	p := &b.d.Projections[projection]
	p.Words = append(p.Words, Beside{name, at})
	return name + kind
}

// rates adds the types of the optimizer's constants: mu is the largest learning rate of the network file, plain the largest
// that multiplies sums in plain descent, scale the smallest of the sums' scales, and other the largest rate that the rule itself has.
func (s *Settings) rates(b *builder, mu, plain, scale, other float64) {
	o := s.Learning.Optimizer
	switch o.Kind {
	case Adam:
		b.tensor("rate", -1, OfConstant, magnitude(math.Max(mu, other)), "learning rate")
		b.tensor("correction", -1, OfConstant, magnitude(1), "of Adam's first mini-batches")
		b.tensor("epsilon", -1, OfConstant, Fit(8, o.Epsilon/scale, false), "Adam's, in the scale of the sums")
		b.tensor("fresh", -1, OfConstant, magnitude(math.Max(1-o.Beta1, 1-o.Beta2)), "1 - beta1 and 1 - beta2 of Adam")
		return
	case Momentum:
		b.tensor("momentum", -1, OfConstant, magnitude(o.Momentum), "what the momentum's buffer keeps")
		if o.WeightDecay > 0 {
			b.tensor("shrink", -1, OfConstant, magnitude(o.WeightDecay/scale), "weight decay, in the scale of the sums")
		}
	default:
		if o.WeightDecay > 0 {
			b.tensor("shrink", -1, OfConstant, magnitude(mu*o.WeightDecay), "learning rate x weight decay")
		}
	}
	b.tensor("rate", -1, OfConstant, magnitude(math.Max(plain, other)), "learning rate x scale of the sums")
}

package rule

import (
	"math"
	"slices"
)

// Backprop are the settings that only backpropagation and feedback alignment have.
type Backprop struct {
	Loss       string `yaml:"loss" doc:"mse, the mean over samples and outputs; cross_entropy, of a softmax, the mean over samples"`
	Activation string `yaml:"activation" doc:"of hidden neurons: linear, relu, hard_sigmoid or sigmoid; the output is linear"`
}

// Losses that there are.
const (
	MSE          = "mse"
	CrossEntropy = "cross_entropy"
)

// backprop describes backpropagation, and Feedback Alignment (Lillicrap et al. 2016) where the errors go down through synapses
// B of their own that stand still: one pass upwards, one downwards.
//
//	basal = W r of the layer below + b, feedback = W' e of the layer above, or B e
//	r = round(activation(basal)), in the last layer round(basal)
//	e = round(r - y) in the last layer, or round(exp(r - max r) / sum of those - y) by cross-entropy; round(feedback activation'(r)) below
//
// What an error lacks to be the loss's gradient, 2 / (N n) or 1 / N, is in the learning rates.
func backprop(s *Settings, aligned bool) *Description {
	own, b := s.Own.(*Backprop), newBuilder(s.Layers)
	K, batch := b.K(), float64(s.Learning.Batch)

	r, e := []int{b.input(s.input())}, []int{-1}
	one := b.one()
	for k := 1; k <= K; k++ {
		if k < K {
			r = append(r, b.signal("r", k, activity(own.Activation), "activities of the neurons"))
		} else {
			r = append(r, b.word("r", k, operand(31), "outputs"))
		}
		if k < K {
			b.slopes(own.Activation, k, 7)
		}
		if k > 1 {
			e = append(e, b.signal("e", k, Fit(15, 1, true), "errors, which go down"))
		} else {
			e = append(e, b.word("e", k, Fit(15, 1, true), "errors"))
		}
	}
	basal, feedback := make([]int, K+1), make([]int, K+1)
	for k := 1; k <= K; k++ {
		basal[k] = b.sum("basal", k)
	}
	for k := 1; k < K; k++ {
		feedback[k] = b.sum("feedback", k)
	}
	W, bias := b.stack(r, one, basal, func(fan float64) float64 { return 1 / math.Sqrt(fan) })
	for k := 1; k < K; k++ {
		if !aligned {
			b.mirror(W[k], e[k+1], feedback[k])
			continue
		}
		B := b.project("B", k, e[k+1], feedback[k], Projection{Init: XavierUniform, Scale: 1}, nearest(synapse(1.5)),
			"feedback synapses, which stand still")
		b.d.Opposed = append(b.d.Opposed, [2]int{W[k], B})
	}

	scale := 1 / batch
	if own.Loss == MSE {
		scale = 2 / (batch * float64(s.Layers[K]))
	}
	s.rates(b, slices.Max(s.Learning.Feedforward), slices.Max(s.Learning.Feedforward)*scale, scale, 0)

	forward := Phase{Name: "forward", Iterations: 1, Answer: true}
	backward := Phase{Name: "backward", Iterations: 1, Learning: true, Keep: Plus}
	for k := 1; k <= K; k++ {
		forward.Order = append(forward.Order, []int{b.step("forward", k, func(g *Graph) {
			value := g.Sum("basal")
			if k < K {
				value = g.activate(own.Activation, value)
			}
			g.Next("r", g.As("state", g.Round("r", value)))
		})})
	}
	if own.Loss == CrossEntropy {
		backward.Order = b.softmax(K)
	}
	for k := K; k >= 1; k-- {
		backward.Order = append(backward.Order, []int{b.step("backward", k, func(g *Graph) {
			var error Value
			switch {
			case k < K:
				error = g.slope(own.Activation, g.Word("r"), g.Sum("feedback"))
			case own.Loss == MSE:
				error = g.Sub(g.Word("r"), g.Label())
			default:
				error = g.Sub(g.Mul(g.Word("norm"), g.Word("exp")), g.Label())
			}
			g.Next("e", g.As("error", g.Round("e", error)))
		})})
	}
	b.d.Phases = []Phase{forward, backward}
	b.d.Readout, b.d.States = r[K], r

	pre := append([]int{b.keep(r[0])}, b.keepEach(r[1:K], Plus)...)
	post := b.keepEach(e[1:], Plus)
	s.learnFromErrors(b, W, bias, pre, b.keep(one), post, true, false, batch, func(mu float64) float64 { return mu * scale })
	return b.d
}

// stack adds the synapses W and biases b of all layers, from signals into sums; they start uniform within bound(neurons below).
func (b *builder) stack(from []int, one int, into []int, bound func(fan float64) float64) (W, bias []int) {
	K := b.K()
	bias = make([]int, K+1)
	for k := range K {
		fan := float64(b.d.Layers[k])
		W = append(W, b.project("W", k, from[k], into[k+1], Projection{Init: Uniform, Bound: bound(fan), Scale: 1},
			synapse(1.5), "synapses, as stored"))
	}
	for k := 1; k <= K; k++ {
		within := 1 / math.Sqrt(float64(b.d.Layers[k-1]))
		bias[k] = b.project("b", k, one, into[k], Projection{Init: Uniform, Bound: within, Scale: 1}, synapse(1.5), "biases")
	}
	return W, bias
}

// softmax adds the words and steps of a softmax of layer k's outputs, which is exp norm, and gives the order of the steps.
func (b *builder) softmax(k int) [][]int {
	b.shared("top", k, operand(31), "largest output")
	b.word("exp", k, unsigned(18, 17), "exp(output - largest output)")
	b.shared("norm", k, unsigned(18, 17), "1 / the sum of those")
	largest := b.step("largest", k, func(g *Graph) { g.Next("top", g.Round("top", g.Largest("r"))) })
	exponential := b.step("exponential", k, func(g *Graph) { g.Next("exp", g.Round("exp", g.Apply(Exp, g.Sub(g.Word("r"), g.Word("top"))))) })
	normalize := b.step("normalize", k, func(g *Graph) { g.Next("norm", g.Divide("norm", g.One(), g.Total("exp"))) })
	b.d.Steps[largest].Shared, b.d.Steps[normalize].Shared = true, true
	return [][]int{{largest}, {exponential}, {normalize}}
}

// learnFromErrors adds the updates of W and b from the sum of e pre', or of its negative, for values of that up to bound; post, pre
// and unit are factors, by projection.
func (s *Settings) learnFromErrors(b *builder, W, bias, pre []int, unit int, post []int, negative, signed bool, bound float64, rate func(mu float64) float64) {
	terms := func(k, pre int) []Term { return []Term{{Post: post[k], Pre: pre, Role: Plus, Negative: negative}} }
	for k := range W {
		s.descend(b, gradient{"W", k, W[k], terms(k, pre[k]), signed, s.Learning.mu(k), rate, bound})
	}
	for k := range W {
		s.descend(b, gradient{"b", k + 1, bias[k+1], terms(k, unit), signed, s.Learning.mu(k), rate, bound})
	}
}

// checkBackprop refuses what backpropagation and feedback alignment cannot work with; section is that of the rule.
func checkBackprop(section string) func(s *Settings, report Report) {
	return func(s *Settings, report Report) {
		own := s.Own.(*Backprop)
		report.forward(s)
		report.oneOf(section+".loss", own.Loss, []string{MSE, CrossEntropy})
		report.oneOf(section+".activation", own.Activation, Activations)
	}
}

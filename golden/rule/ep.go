package rule

import (
	"math"
	"slices"
)

// CSM are the settings that only Contrastive Similarity Matching has (arXiv 2002.10378).
type CSM struct {
	Lateral []float64 `yaml:"lateral" doc:"alpha of M1, M2, ..., below 0: one per hidden layer"`
}

// equilibrium describes Equilibrium Propagation (Scellier and Bengio 2017): the feedback synapses are the feedforward ones
// mirrored, and all layers step together from the old states.
//
//	basal = W r of the layer below + b, feedback = W' r of the layer above, lateral = M r of a hidden layer itself (csm)
//	drive = round(basal + feedback - lateral + k_y y - k_r r), k_y being 2 beta in the last layer, else 0, and k_r 1 more
//	r'    = round(clip(r + eta drive, 0, 1))
func equilibrium(s *Settings) *Description {
	own, similarity := s.Own.(*CSM)
	b := newBuilder(s.Layers)
	K, batch := b.K(), float64(s.Learning.Batch)

	r := []int{b.input(s.input())}
	one := b.one()
	for k := 1; k <= K; k++ {
		r = append(r, b.signal("r", k, unsigned(15, 14), "states of the neurons, 0 to 1"))
		b.tensor("drive", k, OfValue, operand(31), "change of a state before its step size")
	}
	basal, feedback, lateral := make([]int, K+1), make([]int, K+1), make([]int, K+1)
	for k := 1; k <= K; k++ {
		basal[k] = b.sum("basal", k)
		feedback[k] = b.sum("feedback", k) // of the last layer: zero, so that all layers have one formula
		if similarity {
			lateral[k] = b.sum("lateral", k)
		}
	}
	W, bias, M := make([]int, K), make([]int, K+1), make([]int, K)
	for k := range K {
		W[k] = b.project("W", k, r[k], basal[k+1], Projection{Init: XavierUniform, Scale: 1}, synapse(1.5), "synapses, as stored")
		if k > 0 {
			b.mirror(W[k], r[k+1], feedback[k])
		}
	}
	for k := 1; k <= K; k++ {
		bias[k] = b.project("b", k, one, basal[k], Projection{Init: Zero}, synapse(1.5), "biases")
	}
	for k := 1; k < K && similarity; k++ {
		M[k] = b.project("M", k, r[k], lateral[k], Projection{Symmetric: true, Init: XavierSquared, Scale: 1}, synapse(3), "lateral synapses")
	}

	s.equilibriumConstants(b, own)
	var all []int
	for k := 1; k <= K; k++ {
		all = append(all, b.step("soma", k, func(g *Graph) {
			nudging := func(m Moment) float64 {
				if k < K {
					return 0
				}
				return 2 * float64(m.Beta) * s.Learning.Beta
			}
			input := g.Add(g.Sum("basal"), g.Sum("feedback"))
			if similarity {
				input = g.Sub(input, g.Sum("lateral"))
			}
			r, y := g.Word("r"), g.Label()
			eta := g.Constant("eta", "eta", s.Settling.Step.Eta)
			kY := g.Constant("k_y", "coefficient", nudging)
			kR := g.Constant("k_r", "coefficient", func(m Moment) float64 { return 1 + nudging(m) })
			// The sums are there last: hardware has added the rest up by then.
			drive := g.Round("drive", g.Add(input, g.Sub(g.Mul(kY, y), g.Mul(kR, r))))
			g.Next("r", g.As("state", g.Round("r", g.Clip(g.Add(r, g.Mul(eta, drive))))))
			g.Watch("r")
			g.Guard("r")
		}))
	}
	b.d.Phases = s.contrast([][]int{all}, nil)
	b.d.Readout, b.d.States = r[K], r

	// The input is the same in both phases: what W_0 and the biases learn from is the difference of the states.
	x, unit := b.keep(r[0]), b.keep(one)
	kept, change := make([]int, K+1), make([]int, K+1)
	for k := 1; k <= K; k++ {
		kept[k] = b.keep(r[k], Minus, Plus)
		change[k] = b.factor("e", k, operand(1), "differences of states that W0 and the biases learn from",
			func(g *Graph) Value { return g.Sub(g.Word("r"), g.Earlier("r")) })
		b.d.Factors[change[k]].Second = true
	}
	difference := func(post, pre int) []Term { return []Term{{Post: post, Pre: pre, Negative: s.Learning.twoSided()}} }
	for k := range K {
		terms := compared(kept[k+1], kept[k])
		if k == 0 {
			terms = difference(change[1], x)
		}
		s.descend(b, gradient{"W", k, W[k], terms, true, s.Learning.mu(k), s.Learning.rate, batch})
	}
	for k := 1; k <= K; k++ {
		s.descend(b, gradient{"b", k, bias[k], difference(change[k], unit), true, s.Learning.mu(k - 1), s.Learning.rate, batch})
	}
	for k := 1; k < K && similarity; k++ {
		b.tensor("dM", k, OfProducts, operand(batch), "sums of a mini-batch, before the learning rate")
		// M' = (M - alpha / (2 beta N) sum) (1 + alpha / (2 |beta|)): the first with the sign of beta and falling with the
		// epochs, the second with neither.
		b.update(Update{Projection: M[k], Terms: []Term{{Post: kept[k], Pre: kept[k], Role: Plus}}, Signed: true,
			Always: true}, func(g *Graph) Value {
			alpha := own.Lateral[k-1]
			w, products := g.Synapse(), g.Products()
			rate := g.Constant("rate", "rate", func(m Moment) float64 {
				return -alpha * s.Learning.Decay.At(m) / (2 * s.Learning.Beta * batch)
			})
			g.Setting("rate").Scheduled = s.Learning.Decay.Batches > 0
			decay := g.Constant("decay", "decay", func(Moment) float64 { return -alpha / (2 * s.Learning.Beta) })
			grown := g.Add(w, g.Mul(rate, g.As("update", g.Round("dM", products))))
			return g.Sub(grown, g.Mul(decay, grown))
		})
	}
	return b.d
}

// equilibriumConstants adds the types of the settings.
func (s *Settings) equilibriumConstants(b *builder, own *CSM) {
	l, batch := s.Learning, float64(s.Learning.Batch)
	mu, other := slices.Max(l.Feedforward), 0.0
	if own != nil && len(own.Lateral) > 0 {
		for _, alpha := range own.Lateral {
			other = math.Max(other, -alpha/(2*l.Beta*batch))
		}
		b.tensor("decay", -1, OfConstant, magnitude(-slices.Min(own.Lateral)/(2*l.Beta)), "decay of M")
	}
	b.tensor("eta", -1, OfConstant, magnitude(math.Max(s.Settling.Step.Start, s.Settling.Step.Inference)), "step sizes")
	b.tensor("coefficient", -1, OfConstant, operand(1+2*l.Beta), "2 beta and 1 + 2 beta")
	s.rates(b, mu, mu/(l.Beta*batch), l.rate(1), other)
}

package rule

import "slices"

// HebbRule is contrastive Hebbian learning, as a line of Rules has it.
var HebbRule = Rule{
	Name:     "hebb",
	About:    "contrastive Hebbian learning",
	Own:      func() any { return nil },
	Not:      []string{"learning.feedback", "learning.contrast", "learning.random_sign"},
	Check:    checkEP, // a rate for every W
	Describe: Hebb,
}

// Hebb describes contrastive Hebbian learning: what fires together while the label pulls is joined, what fires together
// without it is parted. docs/RULES.md goes through it line by line.
func Hebb(s *Settings) *Description {
	b := newBuilder(s.Layers)
	K, batch := b.K(), float64(s.Learning.Batch)

	// What a neuron keeps: its state, which is broadcast.
	r := []int{b.input(s.input())}
	for k := 1; k <= K; k++ {
		r = append(r, b.signal("r", k, unsigned(12, 11), "states of the neurons, 0 to 1"))
		b.tensor("drive", k, OfValue, operand(15), "change of a state before its step size")
	}
	b.tensor("eta", -1, OfConstant, magnitude(s.Settling.Step.Start), "step size")
	b.tensor("pull", -1, OfConstant, operand(1+s.Learning.Beta), "1, and the pull of the label")
	b.tensor("rate", -1, OfConstant, magnitude(slices.Max(s.Learning.Feedforward)/batch), "learning rate / N")

	// The sums that it sees, and the synapses that fill them: W from the layer below, W transposed from the layer above.
	W := make([]int, K)
	below, above := make([]int, K+1), make([]int, K+1)
	for k := 1; k <= K; k++ {
		below[k], above[k] = b.sum("below", k), b.sum("above", k)
	}
	for k := range K {
		W[k] = b.project("W", k, r[k], below[k+1], Projection{Init: XavierUniform, Scale: 1}, synapse(1.5), "synapses, as stored")
		if k > 0 {
			b.mirror(W[k], r[k+1], above[k])
		}
	}

	// What it does: r' = round(clip(r + eta round(below + above - r + pull (y - r)))).
	var order [][]int
	for k := 1; k <= K; k++ {
		pull := func(m Moment) float64 {
			if k < K || m.Beta == 0 {
				return 0
			}
			return s.Learning.Beta
		}
		order = append(order, []int{b.step("neuron", k, func(g *Graph) {
			r, y := g.Word("r"), g.Label()
			leak := g.Constant("leak", "pull", func(m Moment) float64 { return 1 + pull(m) })
			label := g.Constant("label", "pull", pull)
			eta := g.Constant("eta", "eta", s.Settling.Step.Eta)
			drive := g.Sub(g.Add(g.Add(g.Sum("below"), g.Sum("above")), g.Mul(label, y)), g.Mul(leak, r))
			next := g.Add(r, g.Mul(eta, g.Round("drive", drive)))
			g.Next("r", g.As("state", g.Round("r", g.Clip(next))))
			g.Watch("r")
			g.Guard("r")
		})})
	}
	b.d.Phases = s.contrast(order, nil)
	b.d.Readout, b.d.States = r[K], r

	// What learning keeps, and how a synapse learns: w' = round(w + rate round(sum of r+ r+' - r- r-')).
	kept := []int{b.keep(r[0])}
	for k := 1; k <= K; k++ {
		kept = append(kept, b.keep(r[k], Minus, Plus))
	}
	for k := range K {
		b.tensor("dW", k, OfProducts, operand(batch), "sums of a mini-batch, before the learning rate")
		b.update(Update{Projection: W[k], Terms: compared(kept[k+1], kept[k])}, func(g *Graph) Value {
			w, sum := g.Synapse(), g.Products()
			rate := g.Constant("rate", "rate", func(m Moment) float64 { return s.Learning.Feedforward[k] * s.Learning.Decay.At(m) / batch })
			return g.Add(w, g.Mul(rate, g.As("update", g.Round("dW", sum))))
		})
	}
	return b.d
}

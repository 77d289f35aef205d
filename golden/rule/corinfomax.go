package rule

import (
	"fmt"
	"math"
	"slices"
)

// CorInfoMax are the settings that only Correlative Information Maximization has (arXiv 2306.04810).
type CorInfoMax struct {
	Epsilon float64 `yaml:"epsilon" doc:"regulariser of the inverse correlations, above 0"`
	Lambda  float64 `yaml:"lambda" doc:"forgetting factor of the lateral synapses, between 0 and 1"`
	Leak    float64 `yaml:"leak" doc:"g, 0 or more"`
	Lateral bool    `yaml:"lateral" doc:"false: there are no lateral synapses; left out: true"`
	Sparse  Sparse  `yaml:"sparse"`
}

// Sparse names the layers on the sparse polytope, where states are 0 or more and their sum is held near 1 or below by an
// inhibitory interneuron; the other layers are on the antisparse one, 0 to 1 each. The zero value: no layer is sparse.
type Sparse struct {
	Layers []int     `yaml:"layers" doc:"ascending; 1 is the first above the input; left out: none, all states are clipped to 0 .. 1"`
	Nu     []float64 `yaml:"nu" doc:"step size of each one's interneuron, above 0, at most 1"`
}

// gamma is (1 - lambda) / lambda: lateral synapses are kept as C = gamma B.
func (o *CorInfoMax) gamma() float64 { return (1 - o.Lambda) / o.Lambda }

// nu is the step size of a sparse layer's interneuron.
func (o *CorInfoMax) nu(k int) (nu float64, sparse bool) {
	if i := slices.Index(o.Sparse.Layers, k); i >= 0 {
		return o.Sparse.Nu[i], true
	}
	return 0, false
}

// corInfoMax describes the rule: neurons settle one layer after the other on the newest states of the others, with feedback
// synapses of their own and lateral ones.
//
//	basal = W r of the layer below, feedback = F r of the layer above, lateral = C r of the layer itself
func corInfoMax(s *Settings) *Description {
	o, b := s.Own.(*CorInfoMax), newBuilder(s.Layers)
	K, gamma := b.K(), o.gamma()

	// A layer's tensors follow one another in the network file.
	r, u := []int{b.input(s.input())}, []int{-1}
	q, qu := make([]int, K+1), make([]int, K+1)
	for k := 1; k <= K; k++ {
		// Nothing clips the states of a sparse layer at 1: in long runs the largest come near 10, see docs/RESULTS.md.
		state, scale := unsigned(11, 10), 1.0
		_, sparse := o.nu(k)
		if sparse {
			state, scale = unsigned(14, 10), 2
		}
		r = append(r, b.signal("r", k, state, "states of the neurons"))
		u = append(u, b.word("u", k, operand(7*scale), "potentials: states before they are clipped"))
		b.tensor("current", k, OfValue, operand(15*scale), "W r + F r of a neuron")
		if o.Lateral {
			b.tensor("lateral", k, OfValue, operand(8*gamma), "C r of a neuron")
		}
		b.tensor("drive", k, OfValue, operand(15*scale/o.Epsilon), "change of a potential before its step size")
		if sparse {
			q[k], qu[k] = s.interneuronWords(b, k)
		}
	}

	batch := float64(s.Learning.Batch)
	basal, feedback, lateral := make([]int, K+1), make([]int, K+1), make([]int, K+1)
	for k := 1; k <= K; k++ {
		basal[k] = b.sum("basal", k)
		feedback[k] = b.sum("feedback", k) // of the last layer: zero, so that all layers have one formula
		if o.Lateral {
			lateral[k] = b.sum("lateral", k)
		}
	}
	xavier := Projection{Init: XavierUniform, Scale: 1}
	W, F, C := make([]int, K), make([]int, K), make([]int, K+1)
	for k := range K {
		W[k] = b.project("W", k, r[k], basal[k+1], xavier, synapse(1.5), "feedforward synapses, as stored")
	}
	for k := 1; k < K; k++ {
		F[k] = b.project("F", k, r[k+1], feedback[k], xavier, synapse(1.5), "feedback synapses")
		b.d.Opposed = append(b.d.Opposed, [2]int{W[k], F[k]})
	}
	for k := 1; k <= K && o.Lateral; k++ {
		C[k] = b.project("C", k, r[k], lateral[k], Projection{Symmetric: true, Init: XavierSquared, Scale: gamma,
			Unscaled: fmt.Sprint("B", k)},
			// B starts near the identity, and its products with states stay within a few units of it.
			synapse(2*gamma), "lateral synapses")
	}

	s.corInfoMaxConstants(b)
	var order [][]int
	var begin []Copy
	for k := 1; k <= K; k++ {
		order = append(order, []int{b.step("soma", k, func(g *Graph) { s.soma(g, k) })})
		begin = append(begin, Copy{u[k], r[k]})
		if _, sparse := o.nu(k); sparse {
			at := b.step("interneuron", k, func(g *Graph) { s.interneuron(g, k) })
			b.d.Steps[at].Shared = true
			order = append(order, []int{at})
			begin = append(begin, Copy{qu[k], q[k]})
		}
	}
	b.d.Phases = s.contrast(order, begin)
	b.d.Readout, b.d.States = r[K], r
	b.d.Information = &Information{Epsilon: o.Epsilon, Forward: W, Backward: append([]int{-1}, F[1:]...)}

	// e and d are what a layer's synapses did not foresee. The input is the same in both phases, so that W_0 x cancels: e_1 is
	// the difference of the states.
	x := b.keep(r[0])
	kept, e, d, c := make([]int, K+1), make([]int, K+1), make([]int, K+1), make([]int, K+1)
	for k := 1; k <= K; k++ {
		_, sparse := o.nu(k)
		size := 7.0
		if sparse {
			size *= 2
		}
		kept[k] = b.keep(r[k], Minus, Plus)
		if k == 1 {
			e[k] = b.factor("e", k, operand(size), "errors that W learns from",
				func(g *Graph) Value { return g.Sub(g.Word("r"), g.Earlier("r")) })
			b.d.Factors[e[k]].Second = true
		} else {
			e[k] = b.factor("e", k, operand(size), "errors that W learns from",
				func(g *Graph) Value { return g.Sub(g.Word("r"), g.Sum("basal")) }, Minus, Plus)
		}
		if k < K {
			d[k] = b.factor("d", k, operand(size), "errors that F learns from",
				func(g *Graph) Value { return g.Sub(g.Word("r"), g.Sum("feedback")) }, Minus, Plus)
		}
		if o.Lateral {
			c[k] = b.factor("c", k, operand(8*gamma), "C r that C learns from", func(g *Graph) Value { return g.Sum("lateral") }, Plus)
		}
	}
	for k := range K {
		terms := compared(e[k+1], kept[k])
		if k == 0 {
			terms = []Term{{Post: e[1], Pre: x, Negative: s.Learning.twoSided()}}
		}
		s.descend(b, gradient{"W", k, W[k], terms, true, s.Learning.mu(k), s.Learning.rate, batch})
	}
	for k := 1; k < K; k++ {
		s.descend(b, gradient{"F", k, F[k], compared(d[k], kept[k+1]), true, s.Learning.Feedback[k-1], s.Learning.rate, batch})
	}
	for k := 1; k <= K && o.Lateral; k++ {
		b.tensor("dC", k, OfProducts, operand(batch*8*gamma*gamma), "")
		b.update(Update{Projection: C[k], Terms: []Term{{Post: c[k], Pre: c[k], Role: Plus}}, Always: true}, func(g *Graph) Value {
			// C' = C / lambda - rate sum, 1 / lambda being 1 + gamma.
			w, sum := g.Synapse(), g.Products()
			rate := g.Constant("rate", "rate", func(Moment) float64 { return 1 / (o.Lambda * batch) })
			growth := g.Constant("gamma", "gamma", func(Moment) float64 { return gamma })
			return g.Sub(g.Add(w, g.Mul(growth, w)), g.Mul(rate, g.As("update", g.Round("dC", sum))))
		})
	}
	return b.d
}

// corInfoMaxConstants adds the types of the settings.
func (s *Settings) corInfoMaxConstants(b *builder) {
	o, l := s.Own.(*CorInfoMax), s.Learning
	largest := math.Max(1/o.Epsilon, o.Leak+l.Beta)
	largest = math.Max(largest, o.Leak+math.Max(2/o.Epsilon, 1/o.Epsilon+1))
	batch := float64(l.Batch)
	mu := slices.Max(append(slices.Clone(l.Feedforward), l.Feedback...))
	b.tensor("eta", -1, OfConstant, magnitude(math.Max(s.Settling.Step.Start, s.Settling.Step.Inference)), "step sizes")
	b.tensor("coefficient", -1, OfConstant, operand(largest), "1/epsilon, leak, beta and their sums")
	s.rates(b, mu, mu/(l.Beta*batch), l.rate(1), 1/(o.Lambda*batch))
	b.tensor("gamma", -1, OfConstant, magnitude(o.gamma()), "")
}

// soma is one settling step of one neuron:
//
//	current = round(basal + feedback)
//	drive   = round(k_current current + k_lateral lateral + k_r r + k_y y - k_u u - q)
//	u'      = round(u + eta drive)
//	r'      = round(clip(u', 0, 1)), in a sparse layer round(max(u', 0))
//
// which is du = -g u + (basal - u)/epsilon + (apical - u)/epsilon in a hidden layer, with apical = epsilon (2 C r + g r) + F r, and
// du = -g u + (basal - u)/epsilon + apical - u in the last, with apical = C r + g r - beta (r - y).
func (s *Settings) soma(g *Graph, k int) {
	o, K := s.Own.(*CorInfoMax), len(s.Layers)-1
	_, sparse := o.nu(k)
	setting := func(v float64) func(Moment) float64 { return func(Moment) float64 { return v } }
	nudged := func(of func(beta float64) float64) func(Moment) float64 {
		return func(m Moment) float64 { return of(float64(m.Beta) * s.Learning.Beta) }
	}
	kR, kY, kU := setting(o.Leak), setting(0), setting(o.Leak+2/o.Epsilon)
	two := 2.0
	if k == K {
		two = 1
		kR = nudged(func(beta float64) float64 { return o.Leak - beta })
		kY = nudged(func(beta float64) float64 { return beta })
		kU = setting(o.Leak + 1/o.Epsilon + 1)
	}
	current := g.Round("current", g.Add(g.Sum("basal"), g.Sum("feedback")))
	r, u, y := g.Word("r"), g.Word("u"), g.Label()
	eta := g.Constant("eta", "eta", s.Settling.Step.Eta)
	current = g.Mul(g.Constant("k_current", "coefficient", setting(1/o.Epsilon)), current)
	// The current is there last: hardware has added the rest up by then.
	rest := g.Add(g.Mul(g.Constant("k_r", "coefficient", kR), r), g.Mul(g.Constant("k_y", "coefficient", kY), y))
	leaving := g.Mul(g.Constant("k_u", "coefficient", kU), u)
	if o.Lateral {
		lateral := g.Mul(g.Integer("k_lateral", 2, setting(two)), g.Round("lateral", g.Sum("lateral")))
		rest = g.Add(rest, g.Sub(lateral, leaving))
	} else {
		rest = g.Sub(rest, leaving)
	}
	if sparse {
		rest = g.Sub(rest, g.Word("q"))
	}
	drive := g.Round("drive", g.Add(current, rest))
	potential := g.As("potential", g.Round("u", g.Add(u, g.Mul(eta, drive))))
	g.Next("u", potential)
	if sparse {
		g.Next("r", g.As("state", g.Round("r", g.Relu(potential))))
	} else {
		g.Next("r", g.As("state", g.Round("r", g.Clip(potential))))
	}
	g.Watch("u")
	g.Guard("u")
}

// interneuronWords adds the words and types of a sparse layer's interneuron: its state q and potential q_u.
func (s *Settings) interneuronWords(b *builder, k int) (q, qu int) {
	o := s.Own.(*CorInfoMax)
	nu, _ := o.nu(k)
	iterations := s.Settling.FreeIterations + s.Settling.NudgedIterations
	if s.Learning.twoSided() {
		iterations += s.Settling.NudgedIterations
	}
	// The sum of states that are all 1, or of one as large as u may be. q grows by nu of it in every iteration
	// at most, and beyond what a drive holds it would be of no use.
	excess := math.Max(float64(s.Layers[k]), 15)
	inhibition := math.Min(nu*float64(iterations)*excess, 30/o.Epsilon)
	b.tensor("excess", k, OfValue, operand(excess), "what the sum of the states exceeds 1 by")
	// It is a sum of small steps, and a design has one per sparse layer, not per neuron: it need not be short.
	qu = b.shared("qu", k, Fit(24, inhibition, true), "potential of the interneuron, in steps of nu excess")
	q = b.shared("q", k, Fit(operandBits, inhibition, false), "state of the interneuron, which inhibits the layer")
	b.tensor("nu", k, OfConstant, magnitude(nu), "nu")
	return q, qu
}

// interneuron is the step of a sparse layer's interneuron after the layer's states:
//
//	excess = round(sum r' - 1 + q - q_u)
//	q_u'   = round(q_u + nu excess)
//	q'     = round(max(q_u', 0))
func (s *Settings) interneuron(g *Graph, k int) {
	nu, _ := s.Own.(*CorInfoMax).nu(k)
	total, qu, q := g.Total("r"), g.Word("qu"), g.Word("q")
	step := g.Constant("nu", "nu", func(Moment) float64 { return nu })
	excess := g.Round("excess", g.Add(g.Sub(q, qu), g.Sub(total, g.One())))
	potential := g.As("potential", g.Round("qu", g.Add(qu, g.Mul(step, excess))))
	g.Next("qu", potential)
	g.Next("q", g.As("state", g.Round("q", g.Relu(potential))))
	g.Watch("qu", "q")
	g.Guard("qu")
}

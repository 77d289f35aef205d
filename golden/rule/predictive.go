package rule

import (
	"math"
	"slices"
)

// PC are the settings that only predictive coding has.
type PC struct {
	Activation string    `yaml:"activation" doc:"of hidden neurons: linear, relu, hard_sigmoid or sigmoid; the output is linear"`
	Target     []float64 `yaml:"target" doc:"what the outputs are held at while learning: of other classes and of the label's; left out: [0.03, 0.97]"`
}

// PCNudge are the settings that only nudged predictive coding has.
type PCNudge struct {
	Activation string `yaml:"activation" doc:"of hidden neurons: linear, relu, hard_sigmoid or sigmoid; the output is linear"`
}

// predictive describes predictive coding (Whittington and Bogacz 2017), whose outputs are held at targets, and its nudged form
// (Millidge et al. 2022), whose outputs a small beta pulls. Values r settle on errors e, which go down mirrored synapses.
//
//	basal = W f of the layer below + b, feedback = W' e of the layer above, f = round(activation(r)) of hidden layers
//	e = round(r - basal)
//	r = round(r + eta round(feedback activation'(r) - e)); nudged the outputs too: round(r + eta round(beta (y - r) - e))
//
// All errors change together, then all values. The nudged form's energy is without the 1/2: its steps are 2 eta.
func predictive(s *Settings) *Description {
	b := newBuilder(s.Layers)
	nudged, activation, target := true, "", []float64(nil)
	switch own := s.Own.(type) {
	case *PC:
		nudged, activation, target = false, own.Activation, own.Target
	case *PCNudge:
		activation = own.Activation
	}
	K := b.K()

	// Outputs that are held at targets have errors below 1, hidden neurons such of an eighth of that at most: theirs have places for it, and
	// what learning keeps of both has one format, that of one pipeline. A small beta makes small errors of all neurons: nudged, they and the
	// values have places for them.
	value, bound, finer := Fit(22, 15, true), 15.0/16, 8.0
	if nudged {
		value, bound, finer = Fit(28, 31, true), 8*s.Learning.Beta, 1
	}
	output, hidden := Fit(15, bound, true), Fit(15, bound/finer, true)
	largest := hidden.Float(hidden.Word(hidden.Max()))
	f, r, e := []int{b.input(s.input())}, []int{-1}, []int{-1}
	one := b.one()
	for k := 1; k <= K; k++ {
		r = append(r, b.word("r", k, value, "values of the neurons"))
		if k < K {
			f = append(f, b.signal("f", k, activity(activation), "activities: the activation of values"))
		}
		small := hidden
		if k == K {
			small = output
		}
		if k > 1 {
			e = append(e, b.signal("e", k, small, "errors: what the layer below did not foresee"))
		} else {
			e = append(e, b.word("e", k, small, "errors: what the layer below did not foresee"))
		}
		if k < K {
			b.slopes(activation, k, 7*largest)
		}
		if nudged || k < K {
			b.tensor("drive", k, OfValue, Fit(18, 4*largest, true), "change of a value before its step size")
		}
	}
	basal, feedback := make([]int, K+1), make([]int, K+1)
	for k := 1; k <= K; k++ {
		basal[k] = b.sum("basal", k)
	}
	for k := 1; k < K; k++ {
		feedback[k] = b.sum("feedback", k)
	}
	W, bias := b.stack(f, one, basal, func(fan float64) float64 { return math.Sqrt(6 / fan) })
	for k := 1; k < K; k++ {
		b.mirror(W[k], e[k+1], feedback[k])
	}

	eta, scale := s.Settling.Step.Eta, 1/float64(s.Learning.Batch)
	if nudged {
		eta, scale = func(m Moment) float64 { return 2 * s.Settling.Step.Eta(m) }, 2/s.Learning.Beta
		b.tensor("beta", -1, OfConstant, operand(s.Learning.Beta), "strength of the label's pull")
	} else {
		b.tensor("target", -1, OfConstant, operand(math.Max(math.Abs(target[0]), math.Abs(target[1]))+math.Abs(target[0])),
			"what the outputs are held at")
	}
	b.tensor("eta", -1, OfConstant, magnitude(2*s.Settling.Step.Start), "step sizes")
	s.rates(b, slices.Max(s.Learning.Feedforward), slices.Max(s.Learning.Feedforward)*scale, scale, 0)

	forward := Phase{Name: "forward", Iterations: 1, Answer: true}
	var errors, values []int
	for k := 1; k <= K; k++ {
		forward.Order = append(forward.Order, []int{b.step("forward", k, func(g *Graph) {
			predictiveValue(g, k < K, activation, g.Sum("basal"))
		})})
		errors = append(errors, b.step("error", k, func(g *Graph) {
			g.Next("e", g.As("error", g.Round("e", g.Sub(g.Word("r"), g.Sum("basal")))))
			g.Watch("e")
		}))
	}
	for k := 1; k < K || nudged && k == K; k++ {
		values = append(values, b.step("value", k, func(g *Graph) {
			r, drive := g.Word("r"), Value(0)
			if k < K {
				drive = g.Sub(g.slope(activation, g.Word("f"), g.Sum("feedback")), g.Word("e"))
			} else {
				beta := func(m Moment) float64 { return float64(m.Beta) * s.Learning.Beta }
				drive = g.Sub(g.Mul(g.Constant("beta", "beta", beta), g.Sub(g.Label(), r)), g.Word("e"))
			}
			step := g.Mul(g.Constant("eta", "eta", eta), g.Round("drive", drive))
			predictiveValue(g, k < K, activation, g.Add(r, step))
			g.Watch("r")
			g.Guard("r")
		}))
	}
	settle := Phase{Name: "settling", Iterations: s.Settling.NudgedIterations, Order: [][]int{errors, values},
		EarlyEnd: s.Settling.EarlyEnd, Learning: true}
	last := Phase{Name: "errors", Iterations: 1, Order: [][]int{errors}, Learning: true, Keep: Plus}
	b.d.Phases = []Phase{forward, settle, last}
	if nudged {
		b.d.Phases[1].Beta = 1
	} else {
		hold := b.step("target", K, func(g *Graph) {
			low := g.Mul(g.Constant("low", "target", func(Moment) float64 { return target[0] }), g.Present())
			pull := g.Mul(g.Constant("span", "target", func(Moment) float64 { return target[1] - target[0] }), g.Label())
			g.Next("r", g.As("state", g.Round("r", g.Add(pull, low))))
		})
		b.d.Phases = slices.Insert(b.d.Phases, 1, Phase{Name: "target", Iterations: 1, Order: [][]int{{hold}}, Learning: true})
	}
	b.d.Readout, b.d.States = r[K], append(slices.Clone(f), r[K])

	pre := append([]int{b.keep(f[0])}, b.keepEach(f[1:], Plus)...)
	var post []int
	if nudged {
		post = b.keepEach(e[1:], Plus)
	} else {
		kept := Fit(18, bound, true)
		for k := 1; k <= K; k++ {
			post = append(post, b.factor("kept", k, kept, "errors as learning keeps them", func(g *Graph) Value { return g.Word("e") }, Plus))
		}
	}
	s.learnFromErrors(b, W, bias, pre, b.keep(one), post, false, nudged, bound*float64(s.Learning.Batch),
		func(mu float64) float64 { return mu * scale })
	return b.d
}

// predictiveValue makes v the value of a neuron, and its activation the activity of a hidden one.
func predictiveValue(g *Graph, hidden bool, activation string, v Value) {
	v = g.As("state", g.Round("r", v))
	g.Next("r", v)
	if hidden {
		g.Next("f", g.As("activity", g.Round("f", g.activate(activation, v))))
	}
}

// checkPC refuses what predictive coding cannot work with.
func checkPC(s *Settings, report Report) {
	own := s.Own.(*PC)
	report.forward(s)
	report.oneOf("pc.activation", own.Activation, Activations)
	if len(own.Target) != 2 || own.Target[0] >= own.Target[1] {
		report("pc.target", "%v; want two numbers, the first below the second", own.Target)
	}
}

// checkPCNudge refuses what nudged predictive coding cannot work with.
func checkPCNudge(s *Settings, report Report) {
	report.forward(s)
	report.oneOf("pc-nudge.activation", s.Own.(*PCNudge).Activation, Activations)
}

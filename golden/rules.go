package golden

import fx "corinfo/fixedpoint"

// The arithmetic of CorInfoMax as graphs of fixed-point operations, each written once: Go evaluates
// them here and hdlgen prints them as pipelines. docs/ARITHMETIC.md gives the same formulas in
// mathematical notation.

// Sums are the formats of the exact accumulators. One format per kind serves every layer, so that
// layers with equal types share one pipeline.
type Sums struct {
	Basal    fx.Format // W r
	Feedback fx.Format // F r
	Lateral  fx.Format // C r
}

// somaGraph is one settling step of one neuron (docs/ARITHMETIC.md, "Settling"):
//
//	current = round(basal + feedback)
//	drive   = round(k_current current + k_lateral lateral + k_r r + k_y y - k_u u - q)
//	u'      = round(u + eta drive)
//	r'      = round(clip(u', 0, 1))
//
// The k are constants of the layer and the phase, see Coefficients. basal and feedback are exact. Only a sparse layer has
// q, the state of its interneuron, and its r' = round(max(u', 0)). present is 0 where a neuron is missing, to fill up a
// vector or the lanes: like all that it has, its u is to stay 0, which the inhibition would move.
func somaGraph(sums Sums, l LayerTypes, eta, coefficient fx.Format) *fx.Graph {
	g := fx.NewGraph("soma")
	basal := g.Input("basal", sums.Basal)
	feedback := g.Input("feedback", sums.Feedback)
	lateral := g.Input("lateral", sums.Lateral)
	r := g.Input("r", l.R.Format)
	u := g.Input("u", l.U.Format)
	y := g.Input("y", fx.U(1, 0))
	step := g.Constant("eta", eta)
	kCurrent := g.Constant("k_current", coefficient)
	kLateral := g.Constant("k_lateral", lateralFactor)
	kR := g.Constant("k_r", coefficient)
	kY := g.Constant("k_y", coefficient)
	kU := g.Constant("k_u", coefficient)

	current := g.Resize("current", g.Add(basal, feedback), l.Current)
	scaled := g.Mul(kLateral, g.Resize("lateral_rounded", lateral, l.Lateral))
	// The current is there last: hardware has added the rest up by then.
	rest := g.Add(g.Add(g.Mul(kR, r), g.Mul(kY, y)), g.Sub(scaled, g.Mul(kU, u)))
	ceiling := unit(l.U.Format)
	if q := l.Interneuron; q != nil {
		rest = g.Sub(rest, g.Mul(g.Input("present", fx.U(1, 0)), g.Constant("q", q.Q.Format)))
		ceiling = l.U.Word(l.U.Max())
	}
	drive := g.Resize("drive", g.Add(g.Mul(kCurrent, current), rest), l.Drive)
	potential := g.Resize("potential", g.Add(u, g.Mul(step, drive)), l.U)
	state := g.Resize("state", g.Clip(potential, 0, ceiling), l.R)
	g.Output("u_next", potential)
	g.Output("r_next", state)
	g.Output("delta", g.Sub(state, r))
	g.Output("moved", g.NonZero(g.Sub(potential, u)))
	return g
}

// interneuronGraph is the step of a sparse layer's interneuron after the layer's states (docs/ARITHMETIC.md, "Interneurons"):
//
//	excess = round(sum - 1 + q - q_u)
//	q_u'   = round(q_u + nu excess)
//	q'     = round(max(q_u', 0))
//
// sum is that of the layer's n new states, exact. moved tells that q_u' or q' is another word than before.
func interneuronGraph(n int, l LayerTypes) *fx.Graph {
	t := l.Interneuron
	g := fx.NewGraph("interneuron")
	sum := g.Input("sum", fx.SumFormat(l.R.Format, n)) // as wide as C r at most, which NewArithmetic has checked
	qu := g.Input("qu", t.QU.Format)
	q := g.Input("q", t.Q.Format)
	nu := g.Constant("nu", t.Nu.Format)

	// The sum is there last: hardware has added the rest up by then.
	rest := g.Sub(g.Sub(q, qu), g.Const("one", 1, fx.U(1, 0)))
	excess := g.Resize("excess", g.Add(sum, rest), t.Excess)
	potential := g.Resize("potential", g.Add(qu, g.Mul(nu, excess)), t.QU)
	state := g.Resize("state", g.Clip(potential, 0, t.QU.Word(t.QU.Max())), t.Q)
	g.Output("qu_next", potential)
	g.Output("q_next", state)
	g.Output("moved", g.NonZero(g.Add(g.NonZero(g.Sub(potential, qu)), g.NonZero(g.Sub(state, q)))))
	return g
}

// unit is the raw value of 1 in a potential's format, or the format's largest where 1 is out of its range.
func unit(f fx.Format) int64 {
	largest := f.Word(f.Max())
	switch {
	case f.Frac < 0:
		return 0 // the only potential in [0, 1] that such a format has
	case f.Frac > 62:
		return largest
	}
	return min(int64(1)<<f.Frac, largest)
}

// lateralFactor is the format of k_lateral: 2 for hidden layers (epsilon 2 C r / epsilon), 1 for the output.
var lateralFactor = fx.U(2, 0)

// recordGraph gives the factors that learning keeps of a neuron at the end of a phase (docs/ARITHMETIC.md, "What learning keeps"):
//
//	e = round(r - reference), d = round(r - feedback), c = round(lateral)
//
// reference is W r of the layer below; for layer 1, whose input is the same in both phases, it is
// the state recorded in the earlier phase, so that e_1 is the difference of the two.
func recordGraph(sums Sums, l LayerTypes) *fx.Graph {
	g := fx.NewGraph("record")
	reference := g.Input("reference", sums.Basal)
	feedback := g.Input("feedback", sums.Feedback)
	lateral := g.Input("lateral", sums.Lateral)
	r := g.Input("r", l.R.Format)
	g.Output("e_next", g.Resize("e", g.Sub(r, reference), l.E))
	g.Output("d_next", g.Resize("d", g.Sub(r, feedback), l.D))
	g.Output("c_next", g.Resize("c", lateral, l.C))
	return g
}

// synapseGraph is the update of one synapse of W or F: w' = round(w + rate round(sum)),
// sum the exact sum of products over the mini-batch.
func synapseGraph(sum fx.Format, update, stored fx.Type, rate fx.Format) *fx.Graph {
	g := fx.NewGraph("synapse")
	w := g.Input("w", stored.Format)
	total := g.Input("sum", sum)
	factor := g.Constant("rate", rate)
	change := g.Mul(factor, g.Resize("update", total, update))
	store(g, w, total, g.Add(w, change), stored)
	return g
}

// lateralGraph is the update of one lateral synapse: C' = round(C + gamma C - rate round(sum)), with
// 1/lambda = 1 + gamma and rate = 1/(lambda N).
func lateralGraph(sum fx.Format, update, stored fx.Type, rate, gamma fx.Format) *fx.Graph {
	g := fx.NewGraph("lateral")
	w := g.Input("w", stored.Format)
	total := g.Input("sum", sum)
	factor := g.Constant("rate", rate)
	growth := g.Constant("gamma", gamma)
	change := g.Mul(factor, g.Resize("update", total, update))
	store(g, w, total, g.Sub(g.Add(w, g.Mul(growth, w)), change), stored)
	return g
}

// store rounds a synapse into its memory word, drawing a random word where its type is stochastic. An
// update with active = 1 and moved = 0 was lost to rounding.
func store(g *fx.Graph, w, sum, v fx.Value, t fx.Type) {
	var next fx.Value
	if t.Rounding == fx.Stochastic {
		next = g.ResizeStochastic("weight", v, g.Input("random", fx.U(32, 0)), t)
	} else {
		next = g.Resize("weight", v, t)
	}
	g.Output("w_next", next)
	g.Output("active", g.NonZero(sum))
	g.Output("moved", g.NonZero(g.Sub(next, w)))
}

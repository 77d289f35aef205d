package lockstep

import (
	"math/rand/v2"
	"strconv"

	fx "corinfo/fixedpoint"
	"corinfo/golden/network"
	"corinfo/golden/rule"
	"corinfo/hdlgen"
)

func oneOf[T any](rng *rand.Rand, list ...T) T { return list[rng.IntN(len(list))] }

func toss(rng *rand.Rand) bool { return rng.IntN(2) == 0 }

// between is a number from low to high.
func between(rng *rand.Rand, low, high int) int { return low + rng.IntN(high-low+1) }

// drawCase draws a case; the model may refuse it.
func drawCase(rng *rand.Rand, name string) *randomCase {
	c := &randomCase{network: drawNetwork(rng, name)}
	lanes := c.network.Hardware.Lanes
	most := lanes
	if c.network.Learning.Optimizer.Kind == rule.Adam {
		most = min(most, 3) // its long pipelines take long to simulate
	}
	for c.Units = between(rng, 1, most); lanes%c.Units != 0; c.Units = between(rng, 1, most) {
	}
	c.Target = hdlgen.Target{ReadCycles: between(rng, 1, 2), OperandCycles: between(rng, 0, 1), RoundBits: oneOf(rng, 0, 16, between(rng, 1, 64), 128),
		WireCycles: between(rng, 0, 2), RingCycles: oneOf(rng, 0, 3, between(rng, 3, 9)), Family: hdlgen.FastTarget.Family}
	batch := c.network.Learning.Batch
	c.Seed, c.Wild, c.Zeros, c.Inference, c.Learning = rng.Uint64(), toss(rng), oneOf(rng, 0, 33, 90), rng.IntN(3), batch*between(rng, 1, 2)+rng.IntN(2)
	if rng.IntN(8) == 0 {
		c.Learning = rng.IntN(batch)
	}
	if !c.network.Hardware.Learning {
		c.Learning = 0
	}
	if c.Inference+c.Learning == 0 {
		c.Inference = 1
	}
	if rng.IntN(4) == 0 {
		c.Ended = &ended{rng.IntN(c.Inference + c.Learning), oneOf(rng, "C", "S", "R", "W"), rng.IntN(30), rng.IntN(60)}
	}
	c.Reset, c.Mixed, c.Closing = rng.IntN(3), toss(rng), rng.IntN(3) == 0
	if toss(rng) {
		c.Stall = between(rng, 1, 65535)
	}
	drawFormats(rng, c.network)
	return c
}

func drawNetwork(rng *rand.Rand, name string) *network.Network {
	n := &network.Network{Name: "tester", Rule: name, Seed: rng.Uint32()}
	n.Dataset.Name = "mnist"
	for range oneOf(rng, 2, 3, 3, 4, 4, 5, 6) {
		n.Layers = append(n.Layers, between(rng, 1, between(rng, 1, oneOf(rng, 8, 8, 16, 40))))
	}
	start := oneOf(rng, 0.05, 0.1, 0.4, 1)
	n.Settling = rule.Settling{FreeIterations: between(rng, 1, 6), NudgedIterations: between(rng, 1, 6), EarlyEnd: toss(rng),
		Step: rule.StepSize{Rule: oneOf(rng, "constant", "divide_by_loop_index", "divide_by_slow_loop_index"), Start: start, Stop: start * oneOf(rng, 0, 0.1, 0.5, 1),
			Decay: oneOf(rng, 0, 0.01, 0.5), Inference: oneOf(rng, 0, 0, 0.3)}}
	n.Learning = rule.Learning{Batch: oneOf(rng, 1, 2, 3, between(rng, 1, 8)), Beta: oneOf(rng, 0.25, 0.5, 1, 2), RandomSign: true, Contrast: oneOf(rng, rule.WithFree, rule.WithThird, rule.WithCentred),
		Epochs: 1, Decay: rule.Decay{Factor: oneOf(rng, 1, 0.5), Batches: oneOf(rng, 0, 1, 2)}, Optimizer: rule.DefaultOptimizer()}
	o := &n.Learning.Optimizer
	*o = rule.Optimizer{Kind: oneOf(rng, rule.SGD, rule.SGD, rule.SGD, rule.SGD, rule.SGD, rule.Momentum, rule.Momentum, rule.Momentum, rule.Adam), Momentum: oneOf(rng, 0.9, 0.5), WeightDecay: oneOf(rng, 0, 0, 0.001, 0.25),
		Beta1: oneOf(rng, 0.9, 0.5), Beta2: oneOf(rng, 0.999, 0.9), Epsilon: oneOf(rng, 1e-8, 0.01), PlainRoot: toss(rng)}
	for k := range n.K() {
		n.Learning.Feedforward = append(n.Learning.Feedforward, oneOf(rng, 0.1, 0.5, 1, 0, 3))
		if k > 0 && name == "corinfomax" {
			n.Learning.Feedback = append(n.Learning.Feedback, oneOf(rng, 0, 0.1, 0.5, 1))
		}
	}
	n.Own = rule.Named(name).Own()
	switch own := n.Own.(type) {
	case *rule.CorInfoMax:
		own.Epsilon, own.Lambda, own.Leak = oneOf(rng, 0.05, 0.15, 0.4, 1, 2), oneOf(rng, 0.5, 0.9, 0.99, 0.99999), oneOf(rng, 0, 0.1, 0.5, 1)
		own.Lateral = rng.IntN(4) > 0
		for k := 1; k <= n.K(); k++ {
			if rng.IntN(3) == 0 {
				own.Sparse.Layers, own.Sparse.Nu = append(own.Sparse.Layers, k), append(own.Sparse.Nu, oneOf(rng, 0.001, 0.01, 0.3, 1))
			}
		}
	case *rule.CSM:
		n.Learning.Contrast = rule.WithFree
		for range n.K() - 1 {
			own.Lateral = append(own.Lateral, oneOf(rng, -0.3, -0.05))
		}
	case *rule.PC:
		own.Activation, own.Target = oneOf(rng, rule.Activations...), oneOf(rng, []float64{0.03, 0.97}, []float64{0, 1}, []float64{-0.5, 0.25})
	case *rule.PCNudge:
		own.Activation = oneOf(rng, rule.Activations...)
	case *rule.Backprop:
		own.Activation, own.Loss = oneOf(rng, rule.Activations...), oneOf(rng, rule.MSE, rule.CrossEntropy)
	}
	n.Hardware = network.Hardware{Lanes: between(rng, 1, 17), Contexts: between(rng, 1, 4), Learning: rng.IntN(6) > 0, Mode: oneOf(rng, "events", "events", "dense"), HostTables: toss(rng), Schedule: toss(rng), EpochSamples: 16}
	return n
}

// drawFormats gives each kind of tensor its default, one type for all layers, or one for each.
func drawFormats(rng *rand.Rand, n *network.Network) {
	n.Formats = map[string]fx.Type{}
	compared := n.Rule == "corinfomax" || n.Rule == "ep" || n.Rule == "csm"
	d := n.Describe()
	defaults := func() (list map[string]fx.Type) {
		list = map[string]fx.Type{}
		for _, t := range d.Tensors {
			list[t.String()] = t.Default
			if c, ok := n.Formats[t.Kind]; ok {
				list[t.String()] = c
			}
			if c, ok := n.Formats[t.String()]; ok {
				list[t.String()] = c
			}
		}
		return list
	}
	drawn := map[string]int{}
	for _, t := range d.Tensors {
		if t.Kind == "one" {
			continue
		}
		how, ok := drawn[t.Kind]
		if !ok {
			how = rng.IntN(3)
			if n.Learning.Optimizer.Kind == rule.Adam && t.Use != rule.OfWord {
				how = min(how, 1) // one long pipeline for all matrices: many take long to simulate
			}
			drawn[t.Kind] = how
		}
		name, f := t.Kind, t.Default.Format
		if t.Index >= 0 && how == 2 {
			name = t.String()
		}
		if _, done := n.Formats[name]; done || how == 0 {
			continue
		}
		var next fx.Type
		switch {
		case t.Kind == "x":
			width := between(rng, 1, 10)
			next = drawModes(rng, fx.U(width, width-between(rng, 0, 2)), false)
		case compared && t.Kind == "r":
			// 1 is inside the range of a state, or just above it, or, with a fraction of -1 bits, between 0 and the next.
			frac := between(rng, -1, 11)
			whole := 1 + 2*max(0, -frac)
			next = drawModes(rng, oneOf(rng, fx.U(frac+whole, frac), fx.U(max(frac, 1), max(frac, 1)), fx.S(frac+whole+1, frac)), false)
		case t.Kind == "u":
			holds := defaults()["r"+strconv.Itoa(t.Index)].Format
			frac := holds.Frac + oneOf(rng, 0, between(rng, 0, 7))
			whole := holds.Width - holds.Frac + between(rng, 0, 3)
			next = drawModes(rng, fx.S(frac+whole+1, frac), false)
			if !holds.Signed && rng.IntN(8) == 0 {
				next = drawModes(rng, fx.U(frac+whole, frac), false)
			}
		case t.Kind == "q":
			cut := between(rng, 0, 8)
			f.Width, f.Frac = f.Width-cut, f.Frac-cut
			next = drawModes(rng, f, false)
		case t.Kind == "qu":
			next = drawModes(rng, f, false)
		case t.Kind == "exp" || t.Kind == "norm":
			width := between(rng, 2, 18)
			next = drawModes(rng, fx.U(width, width-between(rng, 0, 2)), false)
		case t.Use == rule.OfConstant:
			cut := between(rng, 0, 4)
			f.Width, f.Frac = f.Width-cut, f.Frac-cut
			next = drawModes(rng, f, false)
		case t.Use == rule.OfBeside:
			next = drawModes(rng, f, false)
			if toss(rng) {
				next = drawNear(rng, f, false)
			}
		default:
			next = drawNear(rng, f, t.Use == rule.OfSynapse)
		}
		n.Formats[name] = next
	}
}

// drawModes draws the way into a format.
func drawModes(rng *rand.Rand, f fx.Format, stored bool) fx.Type {
	t := fx.Type{Format: f, Rounding: fx.Rounding(rng.IntN(int(fx.Stochastic))), Overflow: fx.Overflow(rng.IntN(int(fx.SatSym) + 1))}
	if stored && toss(rng) {
		t.Rounding = fx.Stochastic
	}
	return t
}

// drawNear draws a type with about the range of a format, at most one bit more; some are wide, some without a sign.
func drawNear(rng *rand.Rand, f fx.Format, stored bool) fx.Type {
	whole := f.Width - f.Frac - between(rng, -1, 3)
	width := oneOf(rng, between(rng, 1, 10), between(rng, 8, 20), between(rng, 12, 18))
	if rng.IntN(12) == 0 {
		width = between(rng, 20, 40)
	}
	near := fx.S(width, width-whole)
	if !f.Signed || rng.IntN(12) == 0 {
		near = fx.U(width, width-whole+1)
	}
	return drawModes(rng, near, stored)
}

// anyWord draws a word from the whole range of a format.
func anyWord(rng *rand.Rand, f fx.Format) int64 {
	word := rng.Uint64()
	if spare := fx.MaxWord - f.Width; f.Signed {
		return int64(word) >> spare
	} else {
		return int64(word >> spare)
	}
}

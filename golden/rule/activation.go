package rule

import (
	"fmt"

	fx "corinfo/fixedpoint"
)

// Activations are the functions from a neuron's value to what it tells others.
var Activations = []string{"linear", "relu", "hard_sigmoid", "sigmoid"}

// activate is an activation of v.
func (g *Graph) activate(activation string, v Value) Value {
	switch activation {
	case "linear":
		return v
	case "relu":
		return g.Relu(v)
	case "hard_sigmoid":
		return g.Clip(v)
	case "sigmoid":
		return g.Apply(Sigmoid, v)
	}
	panic(fmt.Sprintf("rule: no activation %q", activation))
}

// slope is v times the derivative of an activation where it came to f; a sigmoid's factors are rounded as slopes says.
func (g *Graph) slope(activation string, f, v Value) Value {
	switch activation {
	case "relu":
		return g.Mul(g.NonZero(f), v)
	case "hard_sigmoid": // 1 between the limits, 0 at them
		return g.Mul(g.NonZero(g.Mul(f, g.Sub(g.One(), f))), v)
	case "sigmoid":
		return g.Mul(g.Round("slope", g.Mul(f, g.Sub(g.One(), f))), g.Round("current", v))
	}
	return v
}

// slopes adds the types that slope rounds into, for values up to bound: operands of one multiplier.
func (b *builder) slopes(activation string, k int, bound float64) {
	if activation == "sigmoid" {
		b.tensor("slope", k, OfValue, unsigned(13, 14), "derivative of the activation")
		b.tensor("current", k, OfValue, operand(bound), "feedback before that multiplies it")
	}
}

// activity is the default type of what an activation gives: 15 bits, so that its changes have 16.
func activity(activation string) fx.Type {
	switch activation {
	case "linear":
		return Fit(15, 15, true)
	case "relu":
		return Fit(15, 15, false)
	case "sigmoid":
		return unsigned(15, 15)
	}
	return unsigned(15, 14)
}

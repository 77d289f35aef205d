package fixedpoint_test

import (
	"fmt"

	fx "corinfo/fixedpoint"
)

// Values are rounded into a type as ap_fixed does, and what does not fit is told.
func ExampleType_FromFloat() {
	t, err := fx.ParseType("ap_fixed<6,2,RND,SAT>")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, x := range []float64{0.3, -1.03125, 5} {
		word, overflow, _ := t.FromFloat(x)
		fmt.Println(word, t.Float(word), overflow)
	}
	// Output:
	// 5 0.3125 false
	// -16 -1 false
	// 31 1.9375 true
}

// The formats of exact results follow from those of their operands.
func ExampleMulFormat() {
	weight, state := fx.S(16, 14), fx.U(11, 10)
	product := fx.MulFormat(weight, state)
	fmt.Println(product, fx.SumFormat(product, 784))
	// Output: s27f24 s37f24
}

// A graph is arithmetic written once: here it is evaluated, and hdlgen prints it as a pipeline.
func ExampleGraph() {
	stored := fx.Type{Format: fx.S(8, 6), Rounding: fx.RndConv, Overflow: fx.Sat}
	g := fx.NewGraph("synapse")
	w := g.Input("w", stored.Format)
	sum := g.Input("sum", fx.S(10, 6))
	rate := g.Constant("rate", fx.U(4, 5))
	g.Output("w_next", g.Resize("weight", g.Add(w, g.Mul(rate, sum)), stored))
	if err := g.Check(); err != nil {
		fmt.Println(err)
		return
	}
	out, overflow := g.Eval([]int64{40, 100, 8}) // w 0.625, sum 1.5625, rate 0.25
	fmt.Println(stored.Float(out[0]), overflow[0])
	// Output: 1.015625 false
}

package hdlgen

import (
	"fmt"

	fx "corinfo/fixedpoint"
)

// cutAtRate parts the graph of a synapse's update at the product with the learning rate, which all matrices share
// one multiplier for: head gives its other factor as output "factor" and what does not depend on the product,
// tail takes the product as input "change" and gives the rest.
func cutAtRate(g *fx.Graph) (head, tail *fx.Graph, err error) {
	nodes := g.Nodes()
	product := fx.Value(-1)
	var factor fx.Value
	for i, n := range nodes {
		if n.Op != fx.OpMul {
			continue
		}
		for k, a := range n.Args {
			if nodes[a].Op == fx.OpInput && nodes[a].Name == "rate" {
				product, factor = fx.Value(i), n.Args[1-k]
			}
		}
	}
	if product < 0 {
		return nil, nil, fmt.Errorf("graph %s has no product with the learning rate", g.Name)
	}
	depends := make([]bool, len(nodes))
	for i, n := range nodes {
		depends[i] = fx.Value(i) == product
		for _, a := range n.Args {
			depends[i] = depends[i] || depends[a]
		}
	}
	head, tail = fx.NewGraph(g.Name+"_head"), fx.NewGraph(g.Name+"_tail")
	early := copier{nodes, head, map[fx.Value]fx.Value{}}
	late := copier{nodes, tail, map[fx.Value]fx.Value{}}
	head.Output("factor", early.copy(factor))
	late.made[product] = tail.Input("change", nodes[product].Format)
	for _, o := range g.Outputs() {
		if depends[o.Value] {
			tail.Output(o.Name, late.copy(o.Value))
		} else {
			head.Output(o.Name, early.copy(o.Value))
		}
	}
	return head, tail, nil
}

// copier copies values of a graph, with what they are made from, into another.
type copier struct {
	nodes []fx.Node
	to    *fx.Graph
	made  map[fx.Value]fx.Value
}

func (c *copier) copy(v fx.Value) fx.Value {
	if at, ok := c.made[v]; ok {
		return at
	}
	n := c.nodes[v]
	arg := make([]fx.Value, len(n.Args))
	for i, a := range n.Args {
		arg[i] = c.copy(a)
	}
	var at fx.Value
	switch n.Op {
	case fx.OpInput:
		if n.Static {
			at = c.to.Constant(n.Name, n.Format)
		} else {
			at = c.to.Input(n.Name, n.Format)
		}
	case fx.OpConst:
		at = c.to.Const(n.Name, n.Word, n.Format)
	case fx.OpAdd:
		at = c.to.Add(arg[0], arg[1])
	case fx.OpSub:
		at = c.to.Sub(arg[0], arg[1])
	case fx.OpMul:
		at = c.to.Mul(arg[0], arg[1])
	case fx.OpNeg:
		at = c.to.Neg(arg[0])
	case fx.OpShift:
		at = c.to.Shift(arg[0], n.Shift)
	case fx.OpClip:
		at = c.to.Clip(arg[0], n.Lo, n.Hi)
	case fx.OpNonZero:
		at = c.to.NonZero(arg[0])
	case fx.OpDiv:
		at = c.to.Div(arg[0], arg[1], n.Format.Frac)
	case fx.OpSqrt:
		at = c.to.Sqrt(arg[0], n.Format.Frac)
	case fx.OpTable:
		at = c.to.Table(arg[0], n.Table)
	case fx.OpResize:
		if n.Type.Rounding == fx.Stochastic {
			at = c.to.ResizeStochastic(n.Name, arg[0], arg[1], n.Type)
		} else {
			at = c.to.Resize(n.Name, arg[0], n.Type)
		}
	}
	c.made[v] = at
	return at
}

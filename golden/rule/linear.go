package rule

import "fmt"

// Linear reads the formula of an update in real numbers in an epoch: w' = of w + by sum. It panics where the formula is not
// linear in the synapse and the sum of products.
func (u *Update) Linear(epoch int) (of, by float64) {
	type value struct{ w, sum, still float64 }
	g := u.Graph
	values := make([]value, len(g.Nodes))
	for i, n := range g.Nodes {
		arg := func(k int) value { return values[n.Args[k]] }
		v := &values[i]
		switch {
		case n.Op == OpOperand && n.Source == FromSynapse:
			v.w = 1
		case n.Op == OpOperand && n.Source == FromProducts:
			v.sum = 1
		case n.Op == OpOperand:
			v.still = g.Setting(n.Name).At(Moment{Epoch: epoch})
		case n.Op == OpLiteral:
			v.still = float64(n.Literal)
		case n.Op == OpAdd:
			*v = value{arg(0).w + arg(1).w, arg(0).sum + arg(1).sum, arg(0).still + arg(1).still}
		case n.Op == OpSub:
			*v = value{arg(0).w - arg(1).w, arg(0).sum - arg(1).sum, arg(0).still - arg(1).still}
		case n.Op == OpMul && (arg(0).w == 0 && arg(0).sum == 0):
			k, x := arg(0).still, arg(1)
			*v = value{k * x.w, k * x.sum, k * x.still}
		case n.Op == OpMul && (arg(1).w == 0 && arg(1).sum == 0):
			x, k := arg(0), arg(1).still
			*v = value{k * x.w, k * x.sum, k * x.still}
		case n.Op == OpRound:
			*v = arg(0)
		default:
			panic(fmt.Sprintf("rule: the update of projection %d is not linear", u.Projection))
		}
	}
	last := values[g.Results[0].Value]
	return last.w, last.sum
}

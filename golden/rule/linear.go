package rule

// Linear reads the formula of an update in real numbers at a moment, where it is linear in the synapse and the sum of
// products alone: w' = of w + by sum. It is not where there are words beside the synapse.
func (u *Update) Linear(at Moment) (of, by float64, linear bool) {
	type value struct{ w, sum, still float64 }
	g := u.Graph
	values := make([]value, len(g.Nodes))
	for i, n := range g.Nodes {
		arg := func(k int) value { return values[n.Args[k]] }
		v := &values[i]
		switch {
		case n.Op == OpOperand && n.Source == FromSynapse && n.Name == "w":
			v.w = 1
		case n.Op == OpOperand && n.Source == FromProducts:
			v.sum = 1
		case n.Op == OpOperand && n.Source == FromConstant:
			v.still = g.Setting(n.Name).At(at)
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
			return 0, 0, false
		}
	}
	last := values[g.Results[0].Value]
	return last.w, last.sum, true
}

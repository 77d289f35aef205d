package float

import (
	"math"

	"corinfo/golden/rule"
	"corinfo/golden/simd"
)

// moment is what a formula's constants come to at a moment, worked out once for all samples.
type moment[T simd.Float] struct {
	values  []float64 // by node: constants, as they are in the settings, and what follows from them
	factors [][]T     // by operation and term
	offsets [][]T     // by operation and offset; of those that are one value for a sample only, of no use
	pulls   []T       // by operation: what is added to the label's element
}

// Moments of phases that have constants of their own: of inference, and of learning by the sign of beta.
const (
	inferring = iota
	free
	positive
	negative
)

// momentOf is the kind of a phase's moments; beta is the sign that it has.
func momentOf(learn bool, beta int) int {
	switch {
	case !learn:
		return inferring
	case beta > 0:
		return positive
	case beta < 0:
		return negative
	}
	return free
}

// moments are those of a formula's iterations, by kind.
func moments[T simd.Float](f *formula, iterations, epoch int) (list [4][]moment[T]) {
	for kind := range list {
		for i := range iterations {
			list[kind] = append(list[kind], newMoment[T](f, rule.Moment{Beta: [4]int{positive: 1, negative: -1}[kind],
				Iteration: i, Epoch: epoch, Inference: kind == inferring}))
		}
	}
	return list
}

func newMoment[T simd.Float](f *formula, at rule.Moment) moment[T] {
	m := moment[T]{values: make([]float64, len(f.graph.Nodes)), factors: make([][]T, len(f.ops)),
		offsets: make([][]T, len(f.ops)), pulls: make([]T, len(f.ops))}
	for i := range f.graph.Nodes {
		if n := &f.graph.Nodes[i]; n.Op == rule.OpOperand && n.Source == rule.FromConstant {
			m.values[i] = f.graph.Setting(n.Name).At(at)
		} else {
			calculate(n, m.values, i)
		}
	}
	for i := range f.ops {
		o := &f.ops[i]
		for _, t := range o.terms {
			m.factors[i] = append(m.factors[i], T(t.value(m.values)))
		}
		if o.code == opDivide {
			m.factors[i] = []T{T(o.factor.value(m.values))}
		}
		for _, x := range o.offsets {
			m.offsets[i] = append(m.offsets[i], T(x.value(m.values)))
		}
		if l := o.label; l != nil {
			if strength := l.factor.value(m.values); strength != 0 {
				m.pulls[i] = T(strength / l.by.value(m.values))
			}
		}
	}
	return m
}

// calculate works out node i, no operand but present, from the values of those before it.
func calculate[T simd.Float](n *rule.Node, values []T, i int) {
	arg := func(k int) T { return values[n.Args[k]] }
	switch n.Op {
	case rule.OpOperand:
		if n.Source == rule.FromPresent {
			values[i] = 1
		}
	case rule.OpLiteral:
		values[i] = T(n.Literal)
	case rule.OpAdd:
		values[i] = arg(0) + arg(1)
	case rule.OpSub:
		values[i] = arg(0) - arg(1)
	case rule.OpMul: // the conversion forbids a fused multiplication, which some processors have
		values[i] = T(arg(0) * arg(1))
	case rule.OpClip:
		values[i] = min(max(arg(0), 0), 1)
	case rule.OpRelu:
		values[i] = max(arg(0), 0)
	case rule.OpNonZero:
		values[i] = 0
		if arg(0) != 0 {
			values[i] = 1
		}
	case rule.OpDivide:
		values[i] = 0
		if arg(1) > 0 {
			values[i] = arg(0) / arg(1)
		}
	case rule.OpRoot:
		values[i] = T(math.Sqrt(math.Max(float64(arg(0)), 0)))
	case rule.OpFunction:
		values[i] = T(n.Function.At(float64(arg(0))))
	case rule.OpRound:
		values[i] = arg(0)
	}
}

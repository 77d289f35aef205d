package study

import (
	"cmp"
	"math"
	"slices"
)

// Summary is a point over its seeds.
type Summary struct {
	Point       Point
	Rows        []*Row  // one per seed
	Chosen      *Row    // the first seed's that loses no more than the study allows by itself; if none does, the first one's
	Good        bool    // all of them have figures
	Accuracy    float64 // mean; 0 where it is not good
	Low, High   float64 // of the seeds
	Loss        float64 // mean percentage points below the float runs
	Meets       bool    // good, and the loss is not above the study's
	SynapseBits float64 // means, as those that follow
	Hardware    bool    // it has the figures that follow
	MemoryBits  float64
	Multipliers float64
	Cycles      float64
}

// Loss is how many percentage points a row's accuracy is below its float run's; both are done.
func (r *Row) Loss() float64 { return 100 * (r.Float.Result.Accuracy - r.Result.Accuracy) }

// summarize takes the rows of a point, all done.
func summarize(s *Study, rows []*Row) Summary {
	x := Summary{Point: rows[0].Point, Rows: rows, Chosen: rows[0], Good: true, Hardware: true, Low: math.Inf(1), High: math.Inf(-1)}
	share := 1 / float64(len(rows))
	for _, r := range rows {
		x.Good = x.Good && r.Result.Good()
		x.Accuracy += share * r.Result.Accuracy
		x.Low, x.High = min(x.Low, r.Result.Accuracy), max(x.High, r.Result.Accuracy)
		x.Loss += share * r.Loss()
		x.SynapseBits += share * float64(r.Result.SynapseBits)
		x.Hardware = x.Hardware && r.Result.MemoryBits > 0
		x.MemoryBits += share * float64(r.Result.MemoryBits)
		x.Multipliers += share * float64(r.Result.Multipliers)
		x.Cycles += share * r.Result.Cycles
	}
	if !x.Good {
		x.Accuracy, x.Low, x.High = 0, 0, 0
	}
	within := func(loss float64) bool {
		const rounding = 1e-9 // of the sum above: a loss of exactly the limit is within it
		return loss <= s.Search.MaxLoss+rounding
	}
	x.Meets = x.Good && within(x.Loss)
	if i := slices.IndexFunc(rows, func(r *Row) bool { return r.Result.Good() && within(r.Loss()) }); i >= 0 {
		x.Chosen = rows[i]
	}
	return x
}

// summary is that of a point whose trials are done.
func (f *follower) summary(p Point, epochs int) Summary {
	for _, x := range f.plan.summaries(epochs, p) {
		return x
	}
	return Summary{Point: p}
}

// Summaries are those of the points that are done to the study's last epoch, in the order of the plan.
func (p *Plan) Summaries() []Summary { return p.summaries(p.Study.Epochs, nil) }

// summaries are those of all points, or of one.
func (p *Plan) summaries(epochs int, only Point) []Summary {
	var list []Summary
	for i := 0; i < len(p.Rows); i++ {
		r := p.Rows[i]
		if r.Point == nil || r.Epochs != epochs || only != nil && !slices.Equal(only, r.Point) {
			continue
		}
		if slices.ContainsFunc(list, func(x Summary) bool { return slices.Equal(x.Point, r.Point) }) {
			continue
		}
		var rows []*Row
		for _, other := range p.Rows[i:] {
			if other.Point != nil && other.Epochs == epochs && slices.Equal(other.Point, r.Point) && other.Result != nil &&
				other.Float.Result != nil {
				rows = append(rows, other)
			}
		}
		if len(rows) == len(p.Study.Seeds) {
			list = append(list, summarize(p.Study, rows))
		}
	}
	return list
}

// Cost is a figure that points are compared by.
type Cost struct {
	Name   string
	Design bool // of the hardware: not all have it
	Of     func(*Summary) float64
}

var (
	synapseBits = Cost{"synapse bits", false, func(x *Summary) float64 { return x.SynapseBits }}
	hardware    = []Cost{
		{"memory bits", true, func(x *Summary) float64 { return x.MemoryBits }},
		{"multipliers", true, func(x *Summary) float64 { return x.Multipliers }},
		{"cycles", true, func(x *Summary) float64 { return x.Cycles }},
	}
)

// Has tells whether a point has the figure.
func (c Cost) Has(x *Summary) bool { return x.Good && (x.Hardware || !c.Design) }

// Text is the figure, empty where the point has none.
func (c Cost) Text(x *Summary) string {
	if !c.Has(x) {
		return ""
	}
	return Decimals(c.Of(x), 0)
}

// Columns are the costs that points are shown with: those of the hardware where any has it, the synapses' bits where any has none.
func Columns(list []Summary) []Cost {
	var columns []Cost
	if !CostOf(list).Design {
		columns = append(columns, synapseBits)
	}
	if len(columns) == 0 || slices.ContainsFunc(list, func(x Summary) bool { return hardware[0].Has(&x) }) {
		columns = append(columns, hardware...)
	}
	return columns
}

// CostOf is what points are compared by: memory bits, or synapse bits where some of them have no hardware.
func CostOf(list []Summary) Cost {
	if slices.ContainsFunc(list, func(x Summary) bool { return x.Good && !x.Hardware }) {
		return synapseBits
	}
	return hardware[0]
}

// Recommended is the point that meets the study's loss at the lowest cost; of equals the one with fewer
// multipliers, fewer cycles, higher accuracy. nil: none meets it.
func (p *Plan) Recommended() *Summary {
	var best *Summary
	list := p.Summaries()
	cost := CostOf(list)
	for _, x := range list {
		if x.Meets && (best == nil || cmp.Or(cmp.Compare(cost.Of(&x), cost.Of(best)), cmp.Compare(x.Multipliers, best.Multipliers),
			cmp.Compare(x.Cycles, best.Cycles), cmp.Compare(best.Accuracy, x.Accuracy)) < 0) {
			best = &x
		}
	}
	return best
}

// Front are the summaries that no other one beats in accuracy without costing more, in the order of cost; those without the
// figure are left out.
func Front(list []Summary, cost Cost) []Summary {
	list = slices.DeleteFunc(slices.Clone(list), func(x Summary) bool { return !cost.Has(&x) })
	slices.SortStableFunc(list, func(a, b Summary) int {
		return cmp.Or(cmp.Compare(cost.Of(&a), cost.Of(&b)), cmp.Compare(b.Accuracy, a.Accuracy))
	})
	var front []Summary
	for _, x := range list {
		if len(front) == 0 || x.Accuracy > front[len(front)-1].Accuracy {
			front = append(front, x)
		}
	}
	return front
}

// Best are the best summaries by the values of one axis, whatever the others are; nil where no good point has the value.
func Best(list []Summary, axis, values int) []*Summary {
	best := make([]*Summary, values)
	for i := range list {
		x := &list[i]
		if at := x.Point[axis]; x.Good && (best[at] == nil || x.Accuracy > best[at].Accuracy) {
			best[at] = x
		}
	}
	return best
}

package study

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"corinfo/golden/calibrate"
	"corinfo/golden/network"
)

// Point is a choice of a value of every axis, by its index.
type Point []int

// Row is a trial of a study's plan.
type Row struct {
	Point  Point // nil: a float run that serves several points
	Serves Point // of a float run: the first of these points
	Seed   uint32
	Epochs int // of training
	Key    string
	Trial  *Trial
	Float  *Row    // of a point: the float run that it is held against
	Result *Result // nil: not done
}

// Plan is a study as far as its results tell: all trials that are known to be wanted, in an order that depends on the
// study and the results alone.
type Plan struct {
	Study *Study
	Rows  []*Row
	Open  []*Row // those without a result
	Whole bool   // no further trial will be wanted
}

// planner makes trials and remembers them: a plan is made anew after every result.
type planner struct {
	study   *Study
	data    *datasets
	version string
	points  map[string]*network.Network // with all settings that are not formats, by point
	trials  map[string]*Row             // without result, by point, seed and epochs
}

func newPlanner(s *Study, data *datasets, version string) *planner {
	return &planner{study: s, data: data, version: version, points: map[string]*network.Network{}, trials: map[string]*Row{}}
}

// plan follows the search as far as the results lead.
func (p *planner) plan(results func(key string) *Result) (*Plan, error) {
	f := &follower{planner: p, results: results, plan: &Plan{Study: p.study}, rows: map[string]*Row{}}
	whole := f.search()
	if f.err != nil {
		return nil, f.err
	}
	f.plan.Whole = whole && len(f.plan.Open) == 0
	return f.plan, nil
}

// follower goes through a search from its beginning. It asks for points with try, and goes on only where all are done.
type follower struct {
	*planner
	results func(key string) *Result
	plan    *Plan
	rows    map[string]*Row
	err     error
}

// search tells whether it came to its end.
func (f *follower) search() bool {
	s := f.study
	switch s.Search.Method {
	case MinPlusOne:
		return f.minPlusOne()
	case MaxMinusOne:
		return f.maxMinusOne()
	}
	points := s.points()
	for _, epochs := range s.Search.Halving.Epochs {
		if !f.try(epochs, points...) {
			return false
		}
		slices.SortStableFunc(points, func(a, b Point) int {
			return cmp.Compare(f.summary(b, epochs).Accuracy, f.summary(a, epochs).Accuracy)
		})
		points = points[:max(1, int(math.Ceil(s.Search.Halving.Keep*float64(len(points)))))]
	}
	return f.try(s.Epochs, points...)
}

// points are those of a search that does not depend on results.
func (s *Study) points() []Point {
	grid := func(yield func(Point) bool) {
		p := make(Point, len(s.Axes))
		for {
			if !yield(slices.Clone(p)) {
				return
			}
			at := len(p) - 1
			for ; at >= 0; at-- {
				if p[at]++; p[at] < len(s.Axes[at].Values) {
					break
				}
				p[at] = 0
			}
			if at < 0 {
				return
			}
		}
	}
	switch s.Search.Method {
	case OneAtATime:
		list := []Point{make(Point, len(s.Axes))}
		for i := range s.Axes {
			for v := 1; v < len(s.Axes[i].Values); v++ {
				p := make(Point, len(s.Axes))
				p[i] = v
				list = append(list, p)
			}
		}
		return list
	case Random:
		size := 1
		for i := range s.Axes {
			size = min(size*len(s.Axes[i].Values), math.MaxInt32)
		}
		rng, seen, list := rand.New(rand.NewPCG(uint64(s.Search.Seed), 0)), map[string]bool{}, []Point{}
		for len(list) < min(s.Search.Count, size) {
			p := make(Point, len(s.Axes))
			for i := range p {
				p[i] = rng.IntN(len(s.Axes[i].Values))
			}
			if name := fmt.Sprint(p); !seen[name] {
				seen[name] = true
				list = append(list, p)
			}
		}
		return list
	}
	return slices.Collect(grid)
}

// top is the point of all last values.
func (s *Study) top() Point {
	p := make(Point, len(s.Axes))
	for i := range p {
		p[i] = len(s.Axes[i].Values) - 1
	}
	return p
}

// moved is a point with one axis at another value.
func (p Point) moved(axis, value int) Point {
	q := slices.Clone(p)
	q[axis] = value
	return q
}

// minPlusOne shortens each axis alone, all others at their longest, to the last value before the loss is exceeded; from
// there it lengthens, one value at a time, the axis that gives the best accuracy, until the loss is met.
func (f *follower) minPlusOne() bool {
	s, top := f.study, f.study.top()
	if !f.try(s.Epochs, top) {
		return false
	}
	if !f.meets(top) {
		return true // nothing to search for
	}
	alone := []Point{}
	for i := range top {
		for v := top[i] - 1; v >= 0; v-- {
			alone = append(alone, top.moved(i, v))
		}
	}
	if !f.try(s.Epochs, alone...) {
		return false
	}
	at := slices.Clone(top)
	for i := range top {
		for v := top[i] - 1; v >= 0 && f.meets(top.moved(i, v)); v-- {
			at[i] = v
		}
	}
	for {
		if !f.try(s.Epochs, at) {
			return false
		}
		if f.meets(at) {
			return true
		}
		var next []Point
		for i := range at {
			if at[i] < top[i] {
				next = append(next, at.moved(i, at[i]+1))
			}
		}
		if !f.try(s.Epochs, next...) {
			return false
		}
		at = f.best(next) // not empty: the top meets the loss
	}
}

// maxMinusOne shortens, one value at a time, the axis that leaves the best accuracy, as long as the loss is met.
func (f *follower) maxMinusOne() bool {
	s, at := f.study, f.study.top()
	if !f.try(s.Epochs, at) {
		return false
	}
	for f.meets(at) {
		var next []Point
		for i := range at {
			if at[i] > 0 {
				next = append(next, at.moved(i, at[i]-1))
			}
		}
		if !f.try(s.Epochs, next...) {
			return false
		}
		next = slices.DeleteFunc(next, func(p Point) bool { return !f.meets(p) })
		if len(next) == 0 {
			break
		}
		at = f.best(next)
	}
	return true
}

// best is the point of the highest accuracy, of equals that of the lowest cost, of these the first.
func (f *follower) best(points []Point) Point {
	var list []Summary
	for _, p := range points {
		list = append(list, f.summary(p, f.study.Epochs))
	}
	cost := CostOf(list)
	return slices.MinFunc(list, func(a, b Summary) int {
		return cmp.Or(cmp.Compare(b.Accuracy, a.Accuracy), cmp.Compare(cost.Of(&a), cost.Of(&b)))
	}).Point
}

func (f *follower) meets(p Point) bool { return f.summary(p, f.study.Epochs).Meets }

// try puts the trials of points into the plan, and tells whether all are done.
func (f *follower) try(epochs int, points ...Point) bool {
	done := true
	for _, p := range points {
		for _, seed := range f.study.Seeds {
			done = f.tryOne(p, seed, epochs) && done
			if f.err != nil {
				return false
			}
		}
	}
	return done
}

func (f *follower) tryOne(p Point, seed uint32, epochs int) bool {
	float := f.add(func() (*Row, error) { return f.floatRow(p, seed) }, fmt.Sprint("float", p, seed))
	if f.err != nil {
		return false
	}
	if f.study.Kind == Inference && float.Result == nil {
		return false // its ranges are wanted first
	}
	row := f.add(func() (*Row, error) { return f.pointRow(p, seed, epochs, float) }, fmt.Sprint(p, seed, epochs))
	return f.err == nil && row.Result != nil && float.Result != nil
}

// add puts a trial into the plan, once.
func (f *follower) add(make func() (*Row, error), name string) *Row {
	known := f.trials[name]
	if known == nil {
		if known, f.err = make(); f.err != nil {
			return nil
		}
		f.trials[name] = known
	}
	id := known.Key
	if known.Point != nil {
		id = name
	}
	row := f.rows[id]
	if row != nil {
		return row
	}
	own := *known
	row = &own
	if row.Result == nil {
		row.Result = f.results(row.Key)
	}
	if row.Float != nil {
		row.Float = f.rows[row.Float.Key]
	}
	f.rows[id] = row
	f.plan.Rows = append(f.plan.Rows, row)
	if row.Result == nil {
		f.plan.Open = append(f.plan.Open, row)
	}
	return row
}

// network is the base network with a point's settings, but for formats.
func (p *planner) network(at Point) (*network.Network, error) {
	name := fmt.Sprint(at)
	if n := p.points[name]; n != nil {
		return n.Clone(), nil
	}
	n := p.study.base(at).Clone()
	if err := p.study.apply(n, at, false); err != nil {
		return nil, err
	}
	p.points[name] = n
	return n.Clone(), nil
}

// apply sets a point's values, either those of formats or the others.
func (s *Study) apply(n *network.Network, at Point, formats bool) error {
	for i := range s.Axes {
		for _, set := range s.Axes[i].Set {
			if set != wholeNetwork && formatSetting(s.base(at), set) == formats {
				if err := Set(n, set, string(s.Axes[i].Values[at[i]])); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// trial makes a row of a network.
func (p *planner) trial(kind string, n *network.Network, seed uint32, epochs int) (*Row, error) {
	n.Seed = seed
	n.Learning.Epochs = epochs
	data, err := p.data.of(n)
	if err != nil {
		return nil, err
	}
	s := p.study
	t := &Trial{Kind: kind, Network: string(n.YAML()), Samples: s.Samples, Test: s.Test, Calibrate: s.Calibrate,
		Data: data.Checksum, Version: p.version}
	if t.Samples >= data.Train.Len() {
		t.Samples = 0
	}
	if t.Test >= data.Test.Len() {
		t.Test = 0
	}
	return &Row{Seed: seed, Epochs: epochs, Trial: t}, nil
}

// floatRow is the float run of a point: what it is without formats.
func (p *planner) floatRow(at Point, seed uint32) (*Row, error) {
	n, err := p.network(at)
	if err != nil {
		return nil, err
	}
	n.Formats, n.Hardware = nil, network.Hardware{Lanes: 16, Contexts: 1, Learning: true,
		Mode: "events"} // so that all points without other differences share it
	row, err := p.trial(Float, n, seed, p.study.Epochs)
	if err != nil {
		return nil, err
	}
	if p.study.Run != "" {
		row.Trial.Run, row.Trial.RunSum, row.Trial.Samples = p.study.Run, p.study.run, 0
	}
	row.Serves = at
	row.Key, err = row.Trial.Key()
	return row, err
}

// pointRow is the trial of a point: of learning with the network's formats or their defaults, of inference with those
// chosen from the ranges of the float run where the network has none, either with the point's.
func (p *planner) pointRow(at Point, seed uint32, epochs int, float *Row) (*Row, error) {
	n, err := p.network(at)
	if err != nil {
		return nil, err
	}
	if p.study.Kind == Inference {
		if !float.Result.Good() {
			return &Row{Point: at, Seed: seed, Epochs: epochs, Float: float, Result: &Result{Refused: "its float run diverged"}}, nil
		}
		n.Formats = calibrate.ChooseFormats(n, calibrate.RangesOf(float.Result.Ranges), p.study.scope())
	}
	if err := p.study.apply(n, at, true); err != nil {
		return nil, err
	}
	row, err := p.trial(p.study.Kind, n, seed, epochs)
	if err != nil {
		return nil, err
	}
	row.Point, row.Float = at, float
	if p.study.Kind == Inference {
		row.Trial.Float = float.Key
	}
	row.Key, err = row.Trial.Key()
	return row, err
}

package report

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"

	fx "corinfo/fixedpoint"
	"corinfo/golden/calibrate"
	"corinfo/golden/network"
	"corinfo/golden/plots"
	"corinfo/golden/rule"
	"corinfo/sim/study"
)

func draw(c *plots.Chart, title string) figure {
	return figure{Title: title, SVG: template.HTML(c.SVG(title)), Wide: c.Wide}
}

func key(i int, name string) legend { return legend{template.CSS(plots.Colour(i)), name} }

// family is the points that are one line: all, or those of one value of the first axis whose values are names.
type family struct {
	name string
	list []study.Summary
}

// families divides points, for lines over an axis.
func families(s *study.Study, list []study.Summary, over int) []family {
	for i := range s.Axes {
		if _, numbers := s.Axes[i].Numbers(); numbers || i == over || len(s.Axes[i].Values) < 2 {
			continue
		}
		var all []family
		for v, name := range s.Axes[i].Values {
			all = append(all, family{string(name), slices.DeleteFunc(slices.Clone(list),
				func(x study.Summary) bool { return x.Point[i] != v })})
		}
		return all
	}
	return []family{{"", list}}
}

// accuracy has a plot for every axis of numbers.
func accuracy(plan *study.Plan, list []study.Summary) section {
	s := plan.Study
	x := section{Title: "Accuracy against the values of each axis",
		Reading: "For every value the best point that has it, whatever the other axes are; the band spans the seeds. Dashed: the mean of the float runs."}
	level, runs := 0.0, 0.0
	for _, r := range plan.Rows {
		if r.Point == nil && r.Result != nil && r.Result.Good() {
			level, runs = level+100*r.Result.Accuracy, runs+1
		}
	}
	for i := range s.Axes {
		values, numbers := s.Axes[i].Numbers()
		if len(s.Axes[i].Values) < 2 {
			continue
		}
		c := &plots.Chart{X: s.Axes[i].Name(), Y: "accuracy (%)"}
		c.PercentY()
		if !numbers {
			values = nil
			for v, name := range s.Axes[i].Values {
				values, c.XNames = append(values, float64(v)), append(c.XNames, string(name))
			}
			c.LimitX(-0.5, float64(len(values))-0.5)
		} else if !slices.ContainsFunc(values, func(v float64) bool { return v != math.Trunc(v) }) {
			c.WholeX()
		}
		f := []legend{}
		for line, group := range families(s, list, i) {
			var marks []plots.Mark
			for v, best := range study.Best(group.list, i, len(values)) {
				if best != nil {
					marks = append(marks, plots.Mark{X: values[v], Y: 100 * best.Accuracy, Low: 100 * best.Low, High: 100 * best.High})
				}
			}
			slices.SortFunc(marks, func(a, b plots.Mark) int { return cmp.Compare(a.X, b.X) })
			if len(marks) == 0 {
				continue
			}
			if numbers {
				c.Line(line, marks)
			} else {
				c.Dots(line, marks)
			}
			if group.name != "" {
				f = append(f, key(line, group.name))
			}
		}
		if runs > 0 {
			c.Level(level/runs, slices.Min(values), slices.Max(values))
		}
		drawn := draw(c, "Accuracy by "+s.Axes[i].Name())
		drawn.Legend = f
		x.Figures = append(x.Figures, drawn)
	}
	return x
}

// axisOf is the first axis of numbers that sets tensors of a use, or -1.
func axisOf(s *study.Study, use rule.Use) int {
	return slices.IndexFunc(s.Axes, func(a study.Axis) bool {
		_, numbers := a.Numbers()
		tensor, field, _ := strings.Cut(a.Set[0], ".")
		return numbers && field != "" && len(a.Values) > 1 && slices.ContainsFunc(s.Tensors(), func(t rule.Tensor) bool {
			return t.Use == use && (t.Kind == tensor || t.String() == tensor)
		})
	})
}

// heat is the map of synapse bits and state bits, or of the first two axes.
func heat(s *study.Study, list []study.Summary) section {
	i, j := axisOf(s, rule.OfSynapse), axisOf(s, rule.OfWord)
	if i < 0 || j < 0 {
		var many []int
		for at := range s.Axes {
			if len(s.Axes[at].Values) > 1 {
				many = append(many, at)
			}
		}
		if len(many) < 2 {
			return section{}
		}
		i, j = many[0], many[1]
	}
	a, b := s.Axes[i], s.Axes[j]
	best := map[[2]int]float64{}
	low, high := 1.0, 0.0
	for _, x := range list {
		if x.Good {
			at := [2]int{x.Point[i], x.Point[j]}
			best[at] = max(best[at], x.Accuracy)
		}
	}
	for _, v := range best {
		low, high = min(low, v), max(high, v)
	}
	var cells []plots.Cell
	c := &plots.Chart{X: a.Name(), Y: b.Name()}
	for v, name := range a.Values {
		c.XNames = append(c.XNames, string(name))
		for w := range b.Values {
			if accuracy, ok := best[[2]int{v, w}]; ok {
				// Half the shades are for the last point of accuracy: that is where one chooses.
				shade := 1.0
				if high > low {
					shade = 1 - math.Sqrt((high-accuracy)/(high-low))
				}
				cells = append(cells, plots.Cell{X: v, Y: w, Shade: shade, Text: fmt.Sprintf("%.1f", 100*accuracy)})
			}
		}
	}
	for _, name := range b.Values {
		c.YNames = append(c.YNames, string(name))
	}
	if len(cells) < 2 {
		return section{}
	}
	c.Cells(cells)
	c.LimitX(-0.5, float64(len(a.Values))-0.5)
	c.LimitY(-0.5, float64(len(b.Values))-0.5)
	return section{Title: "Accuracy by two axes", Reading: "Accuracy in percent of the best point of each pair, whatever the other axes are. Empty: not tried, or refused.",
		Figures: []figure{draw(c, fmt.Sprintf("Accuracy by %s and %s", a.Name(), b.Name()))}}
}

// pareto has a plot for every cost that points differ in.
func pareto(list []study.Summary, recommended *study.Summary) section {
	x := section{Title: "What accuracy costs", Reading: "Every point, and the line of those that no other beats at the same cost. Ring: the recommended one. Costs are those of corinfo estimate."}
	columns := study.Columns(list)
	good := slices.DeleteFunc(slices.Clone(list), func(x study.Summary) bool { return !x.Good })
	if !columns[0].Design {
		x.Reading = "Every point, and the line of those that no other beats at the same cost. Ring: the recommended one. Synapse bits are those of all synapses; "
		x.Reading += "memory, multipliers and cycles are those of corinfo estimate, of the points that have hardware."
	}
	for _, cost := range columns {
		name, axis, unit := strings.TrimSuffix(cost.Name, " bits"), cost.Name, 1.0
		switch cost.Name {
		case "cycles":
			axis = "cycles per inference"
		case name + " bits":
			axis, unit = name+" (kbit)", 1000
		}
		c := &plots.Chart{X: axis, Y: "accuracy (%)"}
		c.PercentY()
		if unit == 1 {
			c.WholeX()
		}
		mark := func(x *study.Summary) plots.Mark { return plots.Mark{X: cost.Of(x) / unit, Y: 100 * x.Accuracy} }
		var all, front []plots.Mark
		for i := range list {
			if cost.Has(&list[i]) {
				all = append(all, mark(&list[i]))
			}
		}
		if !slices.ContainsFunc(all, func(m plots.Mark) bool { return m.X != all[0].X }) {
			if len(all) > 1 {
				of := "All points"
				if len(all) < len(good) {
					of = "All points with hardware"
				}
				x.Reading += fmt.Sprintf(" %s need the same %s: %s.", of, name, study.Decimals(all[0].X, 0))
			}
			continue
		}
		for _, best := range study.Front(list, cost) {
			front = append(front, mark(&best))
		}
		c.Dots(5, all)
		c.Line(0, front)
		if recommended != nil && cost.Has(recommended) {
			c.Ring(mark(recommended))
		}
		x.Figures = append(x.Figures, draw(c, "Accuracy against "+name))
	}
	return x
}

// sensitivity ranks the axes by what their worst value costs.
func sensitivity(s *study.Study, list []study.Summary) section {
	type axis struct {
		name        string
		drop        float64
		worst, safe string
	}
	var all []axis
	for i := range s.Axes {
		best := study.Best(list, i, len(s.Axes[i].Values))
		worst, top, x := -1, 0.0, axis{name: s.Axes[i].Name(), safe: "-"}
		for v, p := range best {
			if p == nil {
				continue
			}
			top = max(top, p.Accuracy)
			if worst < 0 || p.Accuracy < best[worst].Accuracy {
				worst = v
			}
			if p.Meets && x.safe == "-" {
				x.safe = string(s.Axes[i].Values[v])
			}
		}
		if worst >= 0 && len(best) > 1 {
			x.drop, x.worst = 100*(top-best[worst].Accuracy), string(s.Axes[i].Values[worst])
			all = append(all, x)
		}
	}
	if len(all) == 0 {
		return section{}
	}
	slices.SortStableFunc(all, func(a, b axis) int { return cmp.Compare(b.drop, a.drop) })
	c := &plots.Chart{X: "points of accuracy lost at the worst value"}
	t := &table{Head: []string{"axis", "points lost", "at its value", "first value within the loss"}}
	var drops []float64
	for _, x := range all {
		drops = append(drops, x.drop)
		c.YNames = append([]string{x.name}, c.YNames...)
		t.Rows = append(t.Rows, []string{x.name, study.Decimals(x.drop, 2), x.worst, x.safe})
	}
	c.Bars(drops)
	return section{Title: "Sensitivity", Reading: "How much accuracy each axis can cost: its worst value against its best, whatever the other axes are.",
		Figures: []figure{draw(c, "Sensitivity of the axes")}, Table: t}
}

// spans has the box plot of the tensors' magnitudes over what their formats represent.
func spans(ranges []calibrate.TensorRange) section {
	c := &plots.Chart{X: "log2 of the magnitude", Wide: true}
	t := &table{Head: []string{"tensor", "format", "min", "max", "proposed integer bits", "SQNR (dB)"}}
	var list []plots.Box
	for i, x := range slices.Backward(ranges) {
		stored, err := fx.ParseType(x.Format)
		if err != nil {
			continue
		}
		c.YNames = append(c.YNames, x.Tensor)
		box := plots.Box{Y: len(ranges) - 1 - i, ShadeFrom: float64(-stored.Frac), ShadeTo: float64(stored.Width - stored.Frac)}
		if stored.Signed {
			box.ShadeTo--
		}
		log := func(v float64) float64 { return math.Log2(v) }
		most := max(-x.Min, x.Max)
		if lowest := x.Magnitudes["1"]; lowest > 0 {
			box.Lowest, box.Low, box.Median, box.High, box.Most = log(lowest), log(x.Magnitudes["25"]), log(x.Magnitudes["50"]), log(x.Magnitudes["75"]), log(most)
		} else {
			box.Empty = true
		}
		list = append(list, box)
	}
	if len(list) == 0 {
		return section{}
	}
	for _, x := range ranges {
		noise := "exact"
		if x.SQNR != nil {
			noise = study.Decimals(*x.SQNR, 1)
		}
		t.Rows = append(t.Rows, []string{x.Tensor, x.Format, fmt.Sprintf("%.3g", x.Min), fmt.Sprintf("%.3g", x.Max),
			fmt.Sprint(x.IntegerBits), noise})
	}
	c.Boxes(list)
	return section{Title: "Ranges",
		Reading: "Magnitudes of the values that are not 0: a line from the lowest hundredth to the largest, a box of the middle half, a mark at the median. Shaded: from the last place of the format to the end of its range. What lies to the left is rounded away, to the right it saturates. Proposed integer bits hold the range and have one bit of guard, but for x and r, which are bounded.",
		Figures: []figure{draw(c, "Ranges of the tensors over their formats")}, Table: t}
}

// updates has the histogram of update sizes in last places of the synapses.
func updates(n *network.Network, ranges []calibrate.TensorRange) section {
	d := n.Describe()
	formats := calibrate.Types(d, n.Formats)
	c := &plots.Chart{X: "log2 of the update in last places", Y: "share of updates (%)"}
	var f []legend
	most, left, right := 0.0, -1.0, 1.0
	line := 0
	for i := range d.Updates {
		u := &d.Updates[i]
		p := &d.Projections[u.Projection]
		at := slices.IndexFunc(ranges, func(x calibrate.TensorRange) bool { return x.Tensor == d.SumOf(u) })
		if at < 0 || ranges[at].Values == ranges[at].Zeros {
			continue
		}
		x := &ranges[at]
		_, rate, linear := u.Linear(rule.Moment{})
		if !linear {
			continue // an optimizer's words are between
		}
		shift := math.Log2(math.Abs(rate)) + float64(formats[d.Tensors[p.Tensor].String()].Frac)
		if math.IsInf(shift, 0) {
			continue // not learned
		}
		counts := map[int]float64{}
		for _, m := range []calibrate.Magnitude{x.Negative, x.Positive} {
			for i, count := range m.Counts {
				counts[int(math.Floor((float64(m.First+i)+0.5)/4+shift))] += float64(count)
			}
		}
		first, last := math.MaxInt, math.MinInt
		for at := range counts {
			first, last = min(first, at), max(last, at)
		}
		first = max(first, last-24)
		var marks []plots.Mark
		for at := first; at <= last; at++ {
			share := 100 * counts[at] / float64(x.Values-x.Zeros)
			most = max(most, share)
			marks = append(marks, plots.Mark{X: float64(at) + 0.5, Y: share})
		}
		left, right = min(left, float64(first)), max(right, float64(last+1))
		c.Line(line, marks)
		f = append(f, key(line, p.Name))
		line++
	}
	if line == 0 {
		return section{}
	}
	c.LimitX(left, right)
	c.LimitY(0, 1.05*most)
	c.Border(0, 0, most)
	c.Border(-1, 0, most)
	drawn := draw(c, "Updates in last places")
	drawn.Legend = f
	return section{Title: "Update size against the last place",
		Reading: "Updates of a mini-batch, rate times sum, at the rates of the first epoch, in last places (LSB) of their synapses; those of 0 are left out. Left of the dashed lines, at one and at half a last place, an update is lost when it is rounded to nearest, and is kept by chance when it is rounded stochastically.",
		Figures: []figure{drawn}}
}

// rates is the table of overflows and lost updates of a point's chosen seed.
func rates(x *study.Summary, which string) section {
	t := &table{Head: []string{"tensor", "overflows", "of roundings", "updates lost"}}
	r := x.Chosen.Result
	names := map[string]bool{}
	for name := range r.Overflows {
		names[name] = true
	}
	for name := range r.Lost {
		names[name] = true
	}
	sorted := []string{}
	for name := range names {
		if r.Overflows[name].Count > 0 || r.Lost[name].Of > 0 {
			sorted = append(sorted, name)
		}
	}
	slices.Sort(sorted)
	for _, name := range sorted {
		lost := ""
		if l, ok := r.Lost[name]; ok {
			lost = percent(l.Share())
		}
		o := r.Overflows[name]
		t.Rows = append(t.Rows, []string{name, fmt.Sprintf("%.4g %%", 100*o.Share()), fmt.Sprint(o.Of), lost})
	}
	if len(t.Rows) == 0 {
		t.Rows = [][]string{{"all", "0 %", fmt.Sprint(study.Total(r.Overflows).Of), ""}}
	}
	reading := "Of " + which + ": values outside their format, of all that were rounded into it."
	if r.Lost != nil {
		reading += " Updates lost: sums that were not zero and left the synapse as it was, of synapses x mini-batches."
	}
	return section{Title: "Saturation and lost updates", Reading: reading, Table: t}
}

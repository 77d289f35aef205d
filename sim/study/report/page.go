// Package report makes the page of a study: one HTML file with all its plots, which needs nothing else. It depends on the
// plan's results alone.
package report

import (
	"bytes"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"strings"

	"corinfo/golden/calibrate"
	"corinfo/golden/network"
	"corinfo/sim/study"
)

//go:embed page.html.tmpl
var pageText string

var pageTemplate = template.Must(template.New("page").Option("missingkey=error").Parse(pageText))

// page is what the template shows.
type page struct {
	Name, Network, Dataset, Kind, Method string
	Done, Known, Seeds                   int
	Whole                                bool
	MaxLoss, Cost                        string
	Hardware                             bool   // the recommended point has some
	Float                                string // accuracy of the float runs
	Facts                                []fact // of the recommended point
	Sections                             []section
	Points                               table
	PointsLeftOut                        int
	File                                 string // the recommended network file
	Chosen                               string // what it reaches by itself
	Limit                                int    // training samples of the study; 0: all
	Weights                              bool   // it has a run beside it
	CSV                                  template.URL
}

type fact struct{ Name, Value string }

// section is a heading with figures.
type section struct {
	Title, Reading string // and how to read it
	Figures        []figure
	Table          *table
	Half           bool // stands beside another one on a wide page
}

// figure is a plot with its title and legend.
type figure struct {
	Title  string
	SVG    template.HTML
	Legend []legend
	Wide   bool
}

type legend struct {
	Colour template.CSS
	Name   string
}

type table struct {
	Head []string
	Rows [][]string
}

// Wide tells whether a phone is too narrow for a table.
func (t table) Wide() bool { return len(t.Head) > 3 }

// maxPoints is how many points the page lists; the table has all.
const maxPoints = 200

// Page is the report of a plan, as far as its trials are done. ranges are those of the recommended point, beside its
// formats; nil: none is recommended.
func Page(plan *study.Plan, ranges []calibrate.TensorRange) ([]byte, error) {
	s := plan.Study
	list := plan.Summaries()
	p := page{Name: s.Name, Network: strings.Join(s.Networks(), ", "), Dataset: strings.Join(s.Datasets(), ", "),
		Kind: s.Kind, Method: s.Search.Method, Known: len(plan.Rows),
		Done: len(plan.Rows) - len(plan.Open), Seeds: len(s.Seeds), Whole: plan.Whole, MaxLoss: trim(s.Search.MaxLoss), Cost: study.CostOf(list).Name, Float: floatAccuracy(plan),
		CSV: template.URL("data:text/csv;base64," + base64.StdEncoding.EncodeToString(plan.CSV()))}
	shown, title := plan.Recommended(), "the recommended point"
	if shown != nil {
		row := shown.Chosen
		p.File, p.Weights, p.Limit = row.Trial.Network, s.Kind == study.Inference, s.Samples
		p.Chosen = fmt.Sprintf("seed %d: %s of the first %d test samples, %s points below float", row.Seed,
			percent(row.Result.Accuracy), row.Result.Tested, study.Decimals(row.Loss(), 2))
		p.Facts, p.Hardware = facts(s, shown), shown.Hardware
	} else if shown = mostAccurate(list); shown != nil {
		title = "the most accurate point"
		ranges = shown.Chosen.Result.Ranges
	}
	add := func(x section) {
		if len(x.Figures) > 0 || x.Table != nil && len(x.Table.Rows) > 0 {
			p.Sections = append(p.Sections, x)
		}
	}
	add(accuracy(plan, list))
	add(heat(s, list))
	add(sensitivity(s, list))
	add(pareto(list, plan.Recommended()))
	if ranges == nil {
		ranges = floatRanges(plan)
	}
	add(spans(ranges))
	if shown != nil {
		n, err := network.Parse("trial", []byte(shown.Chosen.Trial.Network))
		if err != nil {
			return nil, err
		}
		add(updates(n, ranges))
		add(rates(shown, title))
	}
	pair(p.Sections)
	p.Points, p.PointsLeftOut = points(s, list)
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// pair puts neighbouring sections that have one thing to show beside each other, so that a wide page is full.
func pair(list []section) {
	small := func(x *section) bool { return len(x.Figures) == 0 || len(x.Figures) == 1 && !x.Figures[0].Wide }
	for i := 0; i+1 < len(list); i++ {
		if small(&list[i]) && small(&list[i+1]) {
			list[i].Half, list[i+1].Half = true, true
			i++
		}
	}
}

// facts are the figures of the recommended point.
func facts(s *study.Study, x *study.Summary) []fact {
	var list []fact
	for i := range s.Axes {
		list = append(list, fact{s.Axes[i].Name(), string(s.Axes[i].Values[x.Point[i]])})
	}
	list = append(list, fact{"accuracy", percent(x.Accuracy) + seeds(x)}, fact{"loss against float", study.Decimals(x.Loss, 2) + " points"})
	if !x.Hardware {
		return append(list, fact{"synapses", study.Decimals(x.SynapseBits, 0) + " bits"})
	}
	return append(list, fact{"memory", study.Decimals(x.MemoryBits, 0) + " bits"}, fact{"multipliers", study.Decimals(x.Multipliers, 0)},
		fact{"cycles per inference", study.Decimals(x.Cycles, 0)})
}

func seeds(x *study.Summary) string {
	if len(x.Rows) == 1 {
		return ""
	}
	return fmt.Sprintf(" (%s to %s)", percent(x.Low), percent(x.High))
}

func percent(v float64) string { return study.Decimals(100*v, 2) + " %" }

func trim(v float64) string { return strings.TrimSuffix(fmt.Sprintf("%.2f", v), ".00") }

// floatAccuracy is that of the float runs, from the worst to the best.
func floatAccuracy(plan *study.Plan) string {
	low, high, none := 1.0, 0.0, true
	for _, r := range plan.Rows {
		if r.Point == nil && r.Result != nil && r.Result.Good() {
			low, high, none = min(low, r.Result.Accuracy), max(high, r.Result.Accuracy), false
		}
	}
	switch {
	case none:
		return "not known yet"
	case low == high:
		return percent(low)
	}
	return percent(low) + " to " + percent(high)
}

func floatRanges(plan *study.Plan) []calibrate.TensorRange {
	for _, r := range plan.Rows {
		if r.Result != nil && r.Result.Ranges != nil {
			return r.Result.Ranges
		}
	}
	return nil
}

func mostAccurate(list []study.Summary) *study.Summary {
	var best *study.Summary
	for i := range list {
		if list[i].Good && (best == nil || list[i].Accuracy > best.Accuracy) {
			best = &list[i]
		}
	}
	return best
}

// points is the table of points, and how many it has not.
func points(s *study.Study, list []study.Summary) (table, int) {
	t := table{}
	for i := range s.Axes {
		t.Head = append(t.Head, s.Axes[i].Name())
	}
	columns := study.Columns(list)
	t.Head = append(t.Head, "accuracy", "loss")
	for _, c := range columns {
		t.Head = append(t.Head, c.Name)
	}
	for i := range list[:min(len(list), maxPoints)] {
		x := &list[i]
		var row []string
		for j, v := range x.Point {
			row = append(row, string(s.Axes[j].Values[v]))
		}
		if !x.Good {
			row = append(row, "refused or diverged", "")
		} else {
			row = append(row, percent(x.Accuracy)+seeds(x), study.Decimals(x.Loss, 2))
		}
		for _, c := range columns {
			row = append(row, c.Text(x))
		}
		t.Rows = append(t.Rows, row)
	}
	return t, max(0, len(list)-maxPoints)
}

package plots

import (
	"fmt"
	"math"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"

	"corinfo/golden"
)

// accuracy is the panel of accuracies by epoch.
func accuracy(run *golden.Checkpoint) []panel {
	if len(run.History) == 0 {
		return nil
	}
	var train, test plotter.XYs
	for _, e := range run.History {
		if e.TrainAccuracy != nil {
			train = append(train, plotter.XY{X: float64(e.Epoch), Y: 100 * *e.TrainAccuracy})
		}
		test = append(test, plotter.XY{X: float64(e.Epoch), Y: 100 * e.TestAccuracy})
	}
	p := newPanel(run.Network.Name+": accuracy", "epoch", "accuracy (%)")
	if train != nil {
		p.add(series{"training samples,", train, vermilion, draw.BoxGlyph{}, false})
		p.legend.Add("as they are learned")
	}
	p.add(series{"test samples", test, blue, draw.CircleGlyph{}, false})
	p.byEpoch(run.History[len(run.History)-1].Epoch)
	p.room(1, 0, 100.5)
	return []panel{p}
}

// angle is the panel of angles between feedforward and feedback synapses, from epoch 0 on.
func angle(run *golden.Checkpoint) []panel {
	p := newPanel(run.Network.Name+": asymmetry of feedforward and feedback synapses", "epoch", "angle (degrees)")
	some := false
	for k := 1; k < run.Network.K(); k++ {
		points := byEpoch(run, func(m *golden.NetworkMetrics) (float64, bool) {
			for _, a := range m.Angles {
				if a.Layer == k {
					return a.Degrees, true
				}
			}
			return 0, false
		})
		if points != nil {
			some = true
			p.add(series{fmt.Sprintf("W%d and F%d transposed", k, k), points, palette[(k-1)%len(palette)], shape(k), false})
		}
	}
	if !some {
		return nil
	}
	p.byEpoch(run.Epoch)
	p.room(5, 0, 180)
	return []panel{p}
}

// information has a panel for every pair of neighbouring layers.
func information(run *golden.Checkpoint) []panel {
	var panels []panel
	for k := range run.Network.K() {
		title := fmt.Sprintf("%s: correlative information of layers %d and %d", run.Network.Name, k, k+1)
		p := newPanel(title, "epoch", "information (nats)")
		some := false
		for _, x := range []struct {
			series series
			value  func(i *golden.Information) *float64
		}{
			{series{name: "best regularised prediction", color: green, shape: draw.PyramidGlyph{}}, func(i *golden.Information) *float64 { return &i.Nats }},
			{series{name: fmt.Sprintf("forward, by W%d", k), color: blue, shape: draw.CircleGlyph{}}, func(i *golden.Information) *float64 { return &i.Forward }},
			{series{name: fmt.Sprintf("backward, by F%d", k), color: vermilion, shape: draw.BoxGlyph{}, dashed: true}, func(i *golden.Information) *float64 { return i.Backward }},
		} {
			s := x.series
			s.points = byEpoch(run, func(m *golden.NetworkMetrics) (float64, bool) {
				if k >= len(m.Information) {
					return 0, false
				}
				nats := x.value(&m.Information[k])
				if nats == nil {
					return 0, false
				}
				return *nats, true
			})
			if s.points != nil {
				some = true
				p.add(s)
			}
		}
		if some {
			p.byEpoch(run.Epoch)
			p.room(0.1, math.Inf(-1), math.Inf(1))
			panels = append(panels, p)
		}
	}
	return panels
}

// byEpoch lists a figure from before learning and of every epoch, as far as there is one.
func byEpoch(run *golden.Checkpoint, figure func(m *golden.NetworkMetrics) (v float64, ok bool)) plotter.XYs {
	var points plotter.XYs
	add := func(epoch int, m *golden.NetworkMetrics) {
		if v, ok := figure(m); ok {
			points = append(points, plotter.XY{X: float64(epoch), Y: v})
		}
	}
	if run.Start != nil {
		add(0, run.Start)
	}
	for i := range run.History {
		add(run.History[i].Epoch, &run.History[i].NetworkMetrics)
	}
	return points
}

// shape tells series apart where colour does not.
func shape(i int) draw.GlyphDrawer {
	shapes := []draw.GlyphDrawer{draw.CircleGlyph{}, draw.BoxGlyph{}, draw.PyramidGlyph{}, draw.PlusGlyph{}, draw.CrossGlyph{}, draw.RingGlyph{}}
	return shapes[i%len(shapes)]
}

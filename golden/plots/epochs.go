package plots

import (
	"fmt"
	"math"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"

	"corinfo/golden/training"
)

// accuracy is the panel of accuracies by epoch.
func accuracy(run *training.Checkpoint) []panel {
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

// angle is the panel of angles between synapses there and back, from epoch 0 on.
func angle(run *training.Checkpoint) []panel {
	p := newPanel(run.Network.Name+": asymmetry of feedforward and feedback synapses", "epoch", "angle (degrees)")
	some := false
	d := run.Network.Describe()
	for i, pair := range d.Opposed {
		there, back := &d.Projections[pair[0]], &d.Projections[pair[1]]
		points := byEpoch(run, func(m *training.NetworkMetrics) (float64, bool) {
			for _, a := range m.Angles {
				if a.Layer == d.Words[there.From].Layer {
					return a.Degrees, true
				}
			}
			return 0, false
		})
		if points != nil {
			some = true
			p.add(series{fmt.Sprintf("%s and %s transposed", there.Name, back.Name), points, palette[i%len(palette)], shape(i + 1), false})
		}
	}
	if !some {
		return nil
	}
	p.byEpoch(run.Epoch)
	p.room(5, 0, 180)
	return []panel{p}
}

// information has a panel for every pair of neighbouring layers, of a rule to which it means something.
func information(run *training.Checkpoint) []panel {
	d := run.Network.Describe()
	if d.Information == nil {
		return nil
	}
	by := func(direction string, list []int, k int) string {
		if list[k] < 0 {
			return direction
		}
		return fmt.Sprintf("%s, by %s", direction, d.Projections[list[k]].Name)
	}
	var panels []panel
	for k := range run.Network.K() {
		title := fmt.Sprintf("%s: correlative information of layers %d and %d", run.Network.Name, k, k+1)
		p := newPanel(title, "epoch", "information (nats)")
		some := false
		for _, x := range []struct {
			series series
			value  func(i *training.Information) *float64
		}{
			{series{name: "best regularised prediction", color: green, shape: draw.PyramidGlyph{}}, func(i *training.Information) *float64 { return &i.Nats }},
			{series{name: by("forward", d.Information.Forward, k), color: blue, shape: draw.CircleGlyph{}}, func(i *training.Information) *float64 { return &i.Forward }},
			{series{name: by("backward", d.Information.Backward, k), color: vermilion, shape: draw.BoxGlyph{}, dashed: true}, func(i *training.Information) *float64 { return i.Backward }},
		} {
			s := x.series
			s.points = byEpoch(run, func(m *training.NetworkMetrics) (float64, bool) {
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
func byEpoch(run *training.Checkpoint, figure func(m *training.NetworkMetrics) (v float64, ok bool)) plotter.XYs {
	var points plotter.XYs
	add := func(epoch int, m *training.NetworkMetrics) {
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

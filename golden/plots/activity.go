package plots

import (
	"fmt"
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"corinfo/golden/training"
)

// The axis of shares is logarithmic, for most states are exactly 0: it has powers of 10 of percents.
const leastPower, mostPower = -2, 2

// activity has a panel for every layer: how its states were distributed before learning and are now.
func activity(run *training.Checkpoint) []panel {
	if len(run.History) == 0 {
		return nil
	}
	last := &run.History[len(run.History)-1]
	d := run.Network.Describe()
	var panels []panel
	for k := 1; k <= run.Network.K(); k++ {
		now, ok := activityOf(&last.NetworkMetrics, k)
		if !ok {
			continue
		}
		title := fmt.Sprintf("%s: activity of layer %d (%d neurons)", run.Network.Name, k, run.Network.Layers[k])
		p := newPanel(title, fmt.Sprint("state ", d.Words[d.States[k]].Name, k), "share of states (%)")
		before, started := training.Activity{}, false
		if run.Start != nil {
			before, started = activityOf(run.Start, k)
		}
		above := now.Histogram[training.ActivityBins] > 0
		if started {
			above = above || before.Histogram[training.ActivityBins] > 0
			p.bars("epoch 0 (initial)", before, orange, 0)
		}
		p.bars(fmt.Sprintf("epoch %d", last.Epoch), now, blue, 1)
		p.plot.X.Min, p.plot.X.Max = -0.12, 1.12
		ticks := []plot.Tick{{Value: -besides, Label: "= 0"}, {Value: 1 + besides, Label: "= 1"}}
		for i := range 6 {
			ticks = append(ticks, plot.Tick{Value: float64(i) / 5, Label: strconv.FormatFloat(float64(i)/5, 'f', 1, 64)})
		}
		if above {
			p.plot.X.Max = 1.21
			ticks = append(ticks, plot.Tick{Value: 1 + 2*besides + 0.02, Label: "> 1"})
		}
		p.plot.X.Tick.Marker = plot.ConstantTicks(ticks)
		p.plot.Y.Min, p.plot.Y.Max = leastPower, mostPower
		var shares []plot.Tick
		for power := leastPower; power <= mostPower; power++ {
			shares = append(shares, plot.Tick{Value: float64(power), Label: strconv.FormatFloat(math.Pow10(power), 'f', -1, 64)})
		}
		p.plot.Y.Tick.Marker = plot.ConstantTicks(shares)
		panels = append(panels, p)
	}
	return panels
}

// activityOf finds a layer's activity with a histogram that is whole.
func activityOf(m *training.NetworkMetrics, layer int) (training.Activity, bool) {
	for _, a := range m.Activity {
		if a.Layer == layer && len(a.Histogram) == training.ActivityBins+1 {
			return a, true
		}
	}
	return training.Activity{}, false
}

// besides is how far beside the histogram the bars of states that are exactly 0 and exactly 1 stand.
const besides = 0.07

// bars are one of two neighbours in every place of a histogram.
type bars struct {
	color color.Color
	boxes [][3]float64 // left, right, power of 10 of the share in percent
}

// bars adds the histogram of an activity.
func (p *panel) bars(name string, a training.Activity, c color.Color, side int) {
	b := newBars(a, c, side)
	p.plot.Add(b)
	p.legend.Add(name, b)
}

// newBars are the bars of an activity; side is 0 for the left bar of two, 1 for the right one.
func newBars(a training.Activity, c color.Color, side int) bars {
	total := 0
	for _, n := range a.Histogram {
		total += n
	}
	b := bars{color: c}
	add := func(middle, count float64) {
		const half = 0.42 / training.ActivityBins
		left := middle - half + float64(side)*half
		b.boxes = append(b.boxes, [3]float64{left, left + half, math.Log10(100 * count / float64(max(total, 1)))})
	}
	zeros, ones := math.Round(a.Zero*float64(total)), math.Round(a.One*float64(total))
	add(-besides, zeros)
	for i, n := range a.Histogram[:training.ActivityBins] {
		count := float64(n)
		switch i {
		case 0:
			count -= zeros
		case training.ActivityBins - 1:
			count -= ones
		}
		add((float64(i)+0.5)/training.ActivityBins, count)
	}
	add(1+besides, ones)
	add(1+2*besides+0.02, float64(a.Histogram[training.ActivityBins]))
	return b
}

// Plot draws the bars that reach above the axis; 0 % is far below it.
func (b bars) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for _, box := range b.boxes {
		if box[2] > p.Y.Min {
			fill(c, b.color, vg.Rectangle{Min: vg.Point{X: x(box[0]), Y: y(p.Y.Min)}, Max: vg.Point{X: x(box[1]), Y: y(box[2])}})
		}
	}
}

// Thumbnail is the bars' sign in a legend.
func (b bars) Thumbnail(c *draw.Canvas) { fill(*c, b.color, c.Rectangle) }

func fill(c draw.Canvas, with color.Color, r vg.Rectangle) {
	c.SetColor(with)
	c.Fill(r.Path())
}

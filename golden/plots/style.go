package plots

import (
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Colours that are told apart with any kind of colour vision (Okabe and Ito), and in grey.
var (
	paper     = color.RGBA{255, 255, 255, 255}
	grid      = color.RGBA{225, 225, 225, 255}
	blue      = color.RGBA{0, 114, 178, 255}
	vermilion = color.RGBA{213, 94, 0, 255}
	orange    = color.RGBA{230, 159, 0, 255}
	green     = color.RGBA{0, 158, 115, 255}
	palette   = []color.RGBA{blue, vermilion, green, {204, 121, 167, 255}, orange, {86, 180, 233, 255}, {0, 0, 0, 255}}
)

// panel is a plot with its legend, which stands beside it.
type panel struct {
	plot   *plot.Plot
	legend plot.Legend
}

func newPanel(title, x, y string) panel {
	p := panel{plot.New(), plot.NewLegend()}
	p.plot.BackgroundColor = nil // the figure's or the page's
	p.plot.Title.Text, p.plot.X.Label.Text, p.plot.Y.Label.Text = title, x, y
	sans := func(style *text.Style, size vg.Length) { style.Font.Variant, style.Font.Size = "Sans", size }
	sans(&p.plot.Title.TextStyle, 11)
	p.plot.Title.Padding = 6
	for _, axis := range []*plot.Axis{&p.plot.X, &p.plot.Y} {
		sans(&axis.Label.TextStyle, 10)
		sans(&axis.Tick.Label, 9)
		axis.Label.Padding = 4
		axis.Tick.Marker = evenTicks{1e-3}
	}
	p.legend.Top, p.legend.Left = true, true
	sans(&p.legend.TextStyle, 9)
	p.legend.Padding = 5
	lines := plotter.NewGrid()
	lines.Vertical.Color, lines.Horizontal.Color = grid, grid
	p.plot.Add(lines)
	return p
}

// left is the room that the vertical axis takes.
func (p *panel) left(c draw.Canvas) vg.Length { return p.plot.DataCanvas(c).Min.X - c.Min.X }

// series is a line of figures by epoch.
type series struct {
	name   string
	points plotter.XYs
	color  color.Color
	shape  draw.GlyphDrawer
	dashed bool
}

// add draws a series with a mark at every epoch.
func (p *panel) add(s series) {
	line := &plotter.Line{XYs: s.points, LineStyle: draw.LineStyle{Color: s.color, Width: 1.4}}
	if s.dashed {
		line.Dashes = []vg.Length{6, 3}
	}
	marks := &plotter.Scatter{XYs: s.points, GlyphStyle: draw.GlyphStyle{Color: s.color, Radius: 2.4, Shape: s.shape}}
	p.plot.Add(line, marks)
	p.legend.Add(s.name, line, marks)
}

// byEpoch sets up an axis of epochs from 0 to the last.
func (p *panel) byEpoch(last int) {
	p.plot.X.Min, p.plot.X.Max = 0, float64(max(last, 1))
	p.plot.X.Tick.Marker = evenTicks{1}
}

// room widens the vertical axis beyond the data by a twentieth, and to at least span, within low and high.
func (p *panel) room(span, low, high float64) {
	y := &p.plot.Y
	more := max((y.Max-y.Min)/20, (span-(y.Max-y.Min))/2)
	y.Min, y.Max = max(y.Min-more, low), min(y.Max+more, high)
}

// evenTicks are at most 8 ticks at steps of 1, 2 or 5 times a power of 10, from least on.
type evenTicks struct{ least float64 }

func (e evenTicks) Ticks(low, high float64) []plot.Tick {
	step := e.least
	for i := 0; (high-low)/step > 7; i++ {
		step *= []float64{2, 2.5, 2}[i%3]
	}
	digits := max(0, int(math.Ceil(-math.Log10(step)-1e-9)))
	var ticks []plot.Tick
	for i := math.Ceil(low / step); i*step <= high; i++ {
		value := i*step + 0 // no -0
		ticks = append(ticks, plot.Tick{Value: value, Label: strconv.FormatFloat(value, 'f', digits, 64)})
	}
	return ticks
}

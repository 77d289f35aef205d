package plots

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"regexp"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Chart is a drawing within a page: without a title or a legend, which the page has in its own letters, and in colours
// of a light or a dark page: texts and axes have the page's, lines of the grid its variable --grid.
type Chart struct {
	X, Y string // of the axes
	// Ticks are the marks of an axis whose values are names: 0, 1, ...; nil: numbers.
	XNames, YNames []string
	Wide           bool // twice as wide as high; else a little wider than high
	plotters       []plot.Plotter
	least          [2]float64 // distance of ticks
	low, high      [2]float64 // ends of an axis, where they are fixed
	fixed          [2]bool
	percent        bool // the vertical axis
}

// Mark is a point of a line, with the range of its band.
type Mark struct{ X, Y, Low, High float64 }

// Colour is that of the i-th line, as a page writes it.
func Colour(i int) string {
	c := lineColour(i)
	return fmt.Sprintf("#%02X%02X%02X", c.R, c.G, c.B)
}

func lineColour(i int) color.RGBA { return palette[i%(len(palette)-1)] } // black, the last, is not seen on a dark page

// Line adds the i-th line through marks in their order, with a mark at each if there are few, and a band where Low and High
// differ.
func (c *Chart) Line(i int, marks []Mark) {
	var points, band plotter.XYs
	spread := false
	for _, m := range marks {
		points = append(points, plotter.XY{X: m.X, Y: m.Y})
		band = append(band, plotter.XY{X: m.X, Y: m.High})
		spread = spread || m.Low < m.High
	}
	for j := len(marks) - 1; j >= 0; j-- {
		band = append(band, plotter.XY{X: marks[j].X, Y: marks[j].Low})
	}
	ink := lineColour(i)
	if spread {
		pale := color.NRGBA{ink.R, ink.G, ink.B, 50}
		c.plotters = append(c.plotters, &plotter.Polygon{XYs: []plotter.XYs{band}, Color: pale})
	}
	if len(points) > 1 {
		c.plotters = append(c.plotters, &plotter.Line{XYs: points, LineStyle: draw.LineStyle{Color: ink, Width: 1.4}})
	}
	if len(points) <= 32 {
		c.Dots(i, marks)
	}
}

// Dots adds marks of the i-th colour and shape.
func (c *Chart) Dots(i int, marks []Mark) {
	var points plotter.XYs
	for _, m := range marks {
		points = append(points, plotter.XY{X: m.X, Y: m.Y})
	}
	c.plotters = append(c.plotters, &plotter.Scatter{XYs: points, GlyphStyle: draw.GlyphStyle{Color: lineColour(i),
		Radius: 2.6, Shape: shape(i + 1)}})
}

// Ring adds a ring around one mark.
func (c *Chart) Ring(m Mark) {
	c.plotters = append(c.plotters, &plotter.Scatter{XYs: plotter.XYs{{X: m.X, Y: m.Y}},
		GlyphStyle: draw.GlyphStyle{Color: color.Black, Radius: 5, Shape: draw.RingGlyph{}}})
}

// Level adds a dashed horizontal line.
func (c *Chart) Level(y, from, to float64) {
	c.plotters = append(c.plotters, &plotter.Line{XYs: plotter.XYs{{X: from, Y: y}, {X: to, Y: y}},
		LineStyle: draw.LineStyle{Color: color.Black, Width: 0.8, Dashes: []vg.Length{4, 3}}})
}

// Border adds a dashed vertical line.
func (c *Chart) Border(x, from, to float64) {
	c.plotters = append(c.plotters, &plotter.Line{XYs: plotter.XYs{{X: x, Y: from}, {X: x, Y: to}},
		LineStyle: draw.LineStyle{Color: color.Black, Width: 0.8, Dashes: []vg.Length{4, 3}}})
}

// WholeX puts the ticks of the horizontal axis at whole numbers.
func (c *Chart) WholeX() { c.least[0] = 1 }

// PercentY keeps the vertical axis within what a percentage can be, with room for a mark at 100.
func (c *Chart) PercentY() { c.percent = true }

// LimitX and LimitY set the ends of an axis, which are those of the data otherwise.
func (c *Chart) LimitX(low, high float64) { c.limit(0, low, high) }
func (c *Chart) LimitY(low, high float64) { c.limit(1, low, high) }

func (c *Chart) limit(axis int, low, high float64) {
	c.low[axis], c.high[axis], c.fixed[axis] = low, high, true
}

// Cell is a rectangle of a heat map, at the X-th and Y-th name, of a shade 0..1 with a text.
type Cell struct {
	X, Y  int
	Shade float64
	Text  string
}

// Cells adds a heat map.
func (c *Chart) Cells(cells []Cell) { c.plotters = append(c.plotters, heatMap(cells)) }

type heatMap []Cell

// Plot draws the cells.
func (h heatMap) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for _, cell := range h {
		low, high := vg.Point{X: x(float64(cell.X) - 0.49), Y: y(float64(cell.Y) - 0.49)}, vg.Point{X: x(float64(cell.X) + 0.49), Y: y(float64(cell.Y) + 0.49)}
		shade := min(max(cell.Shade, 0), 1)
		// From a dark blue to a pale yellow: lightness alone orders them, for any kind of colour vision.
		mix := func(a, b float64) uint8 { return uint8(math.Round(a + shade*(b-a))) }
		c.SetColor(color.RGBA{mix(20, 250), mix(50, 235), mix(110, 150), 255})
		c.Fill(vg.Rectangle{Min: low, Max: high}.Path())
		style := p.X.Tick.Label
		style.XAlign, style.YAlign = draw.XCenter, draw.YCenter
		style.Color = color.RGBA{250, 250, 250, 255}
		if shade > 0.55 {
			style.Color = color.RGBA{17, 17, 17, 255}
		}
		c.FillText(style, vg.Point{X: (low.X + high.X) / 2, Y: (low.Y + high.Y) / 2}, cell.Text)
	}
}

// DataRange is that of the cells.
func (h heatMap) DataRange() (xmin, xmax, ymin, ymax float64) {
	for _, cell := range h {
		xmax, ymax = max(xmax, float64(cell.X)), max(ymax, float64(cell.Y))
	}
	return -0.5, xmax + 0.5, -0.5, ymax + 0.5
}

// Box is a horizontal box at the Y-th name: a shaded range behind, a line from the lowest to the highest, a box of the
// middle half with a mark at the median.
type Box struct {
	Y                               int
	ShadeFrom, ShadeTo              float64
	Lowest, Low, Median, High, Most float64
	Empty                           bool // no values: nothing but the shade
}

// Boxes adds boxes.
func (c *Chart) Boxes(list []Box) { c.plotters = append(c.plotters, boxes(list)) }

type boxes []Box

// Plot draws the boxes.
func (b boxes) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	fill := func(ink color.Color, x0, x1, y0, y1 float64) {
		c.SetColor(ink)
		c.Fill(vg.Rectangle{Min: vg.Point{X: x(x0), Y: y(y0)}, Max: vg.Point{X: x(x1), Y: y(y1)}}.Path())
	}
	for _, box := range b {
		at := float64(box.Y)
		fill(color.NRGBA{green.R, green.G, green.B, 60}, box.ShadeFrom, box.ShadeTo, at-0.42, at+0.42)
		if box.Empty {
			continue
		}
		c.StrokeLine2(draw.LineStyle{Color: blue, Width: 1}, x(box.Lowest), y(at), x(box.Most), y(at))
		fill(color.NRGBA{blue.R, blue.G, blue.B, 150}, box.Low, box.High, at-0.25, at+0.25)
		c.StrokeLine2(draw.LineStyle{Color: vermilion, Width: 1.6}, x(box.Median), y(at-0.3), x(box.Median), y(at+0.3))
	}
}

// DataRange is that of shades and boxes.
func (b boxes) DataRange() (xmin, xmax, ymin, ymax float64) {
	xmin, xmax = math.Inf(1), math.Inf(-1)
	for _, box := range b {
		xmin, xmax = min(xmin, box.ShadeFrom), max(xmax, box.ShadeTo)
		if !box.Empty {
			xmin, xmax = min(xmin, box.Lowest), max(xmax, box.Most)
		}
		ymax = max(ymax, float64(box.Y))
	}
	return xmin, xmax, -0.6, ymax + 0.6
}

// Bars adds a horizontal bar from 0 to each value, at the names from the top.
func (c *Chart) Bars(values []float64) { c.plotters = append(c.plotters, levels(values)) }

type levels []float64

// Plot draws the bars.
func (b levels) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	c.SetColor(blue)
	for i, v := range b {
		at := float64(len(b) - 1 - i)
		c.Fill(vg.Rectangle{Min: vg.Point{X: x(min(v, 0)), Y: y(at - 0.3)}, Max: vg.Point{X: x(max(v, 0)), Y: y(at + 0.3)}}.Path())
	}
}

// DataRange is that of the bars.
func (b levels) DataRange() (xmin, xmax, ymin, ymax float64) {
	for _, v := range b {
		xmin, xmax = min(xmin, v), max(xmax, v)
	}
	return xmin, xmax, -0.6, float64(len(b)) - 0.4
}

// SVG is the chart as an element of a page; label says what it shows to who does not see it.
func (c *Chart) SVG(label string) string {
	p := newPanel("", c.X, c.Y).plot
	p.BackgroundColor = nil
	p.Add(c.plotters...)
	for i, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Min, axis.Max = ends(axis.Min, axis.Max)
		if i == 1 && c.percent {
			axis.Min, axis.Max = max(axis.Min, 0), min(axis.Max, 100.5)
		}
		if c.fixed[i] {
			axis.Min, axis.Max = c.low[i], c.high[i]
		}
		if c.least[i] > 0 {
			axis.Tick.Marker = evenTicks{c.least[i]}
		}
		if names := [][]string{c.XNames, c.YNames}[i]; names != nil {
			axis.Tick.Marker = namedTicks(names)
		}
	}
	width, height := 4.4*vg.Inch, 3.1*vg.Inch
	if c.Wide {
		width = 6.6 * vg.Inch
	}
	if rows := vg.Length(len(c.YNames)); rows > 12 {
		height = (rows*0.21 + 0.6) * vg.Inch
	}
	svg := vgsvg.New(width, height)
	p.Draw(draw.Crop(draw.New(svg), 4, -10, 4, -8))
	var text bytes.Buffer
	_, _ = svg.WriteTo(&text) // memory takes all
	return inline(text.String(), label)
}

// ends are those of an axis over data from low to high: with room for marks at the ends, and for a single value, which has no
// scale of its own, a tenth of it and at least 1 to both sides.
func ends(low, high float64) (from, to float64) {
	room := (high - low) / 25
	if !(low < high) {
		room = max(1, math.Abs(low)/10)
	}
	return low - room, high + room
}

type namedTicks []string

func (n namedTicks) Ticks(low, high float64) []plot.Tick {
	var ticks []plot.Tick
	for i, name := range n {
		if x := float64(i); x >= low && x <= high {
			ticks = append(ticks, plot.Tick{Value: x, Label: name})
		}
	}
	return ticks
}

var (
	svgSize  = regexp.MustCompile(`<svg width="[^"]*" height="[^"]*"`)
	svgWords = strings.NewReplacer("#000000", "currentColor", fmt.Sprintf("#%02X%02X%02X", grid.R, grid.G, grid.B), "var(--grid)",
		"font-family:Liberation Sans", "font-family:Liberation Sans,Arial,Helvetica,sans-serif")
	quotes = strings.NewReplacer("&", "&amp;", "<", "&lt;", `"`, "&quot;")
)

// inline makes an element of an SVG file, as wide as its place.
func inline(file, label string) string {
	at := strings.Index(file, "<svg")
	file = svgSize.ReplaceAllLiteralString(file[max(at, 0):], `<svg role="img" aria-label="`+quotes.Replace(label)+`"`)
	return svgWords.Replace(file)
}

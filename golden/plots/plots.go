// Package plots draws the figures of a run's training, as PNG and SVG. What they show comes from the checkpoint
// alone: the same checkpoint gives the same files.
package plots

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"corinfo/golden"
	"corinfo/golden/training"
)

// figure is one drawing: panels below each other, and what they have in common.
type figure struct {
	name   string // of the file, without its ending
	panels []panel
}

const (
	width       = 7.5 * vg.Inch
	panelHeight = 2.9 * vg.Inch
	wider       = 1.15 // a reader's letters against those that legends are measured in
	resolution  = 150  // dots per inch of PNG
)

// Write draws the figures of a run into a folder, which it makes, and returns the files in the order of drawing. A
// figure of which the run has no data, as one that an earlier version has trained, is left out. What a process left
// that was killed while it wrote goes.
func Write(dir string, run *training.Checkpoint) ([]string, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	golden.RemoveLeftovers(dir)
	var files []string
	for _, f := range figures(run) {
		for _, format := range []struct {
			ending string
			render func() io.WriterTo
		}{{".png", f.png}, {".svg", f.svg}} {
			var content bytes.Buffer
			if _, err := format.render().WriteTo(&content); err != nil {
				return nil, fmt.Errorf("figure %s: %w", f.name, err)
			}
			path := filepath.Join(dir, f.name+format.ending)
			if err := golden.WriteFile(path, content.Bytes()); err != nil {
				return nil, err
			}
			files = append(files, path)
		}
	}
	return files, nil
}

// figures are those that a run has data for.
func figures(run *training.Checkpoint) []figure {
	var list []figure
	for _, f := range []figure{
		{"accuracy", accuracy(run)},
		{"angle", angle(run)},
		{"information", information(run)},
		{"activity", activity(run)},
	} {
		if len(f.panels) > 0 {
			list = append(list, f)
		}
	}
	return list
}

func (f figure) height() vg.Length { return panelHeight * vg.Length(len(f.panels)) }

func (f figure) png() io.WriterTo {
	c := vgimg.NewWith(vgimg.UseWH(width, f.height()), vgimg.UseDPI(resolution))
	f.draw(draw.New(c))
	return vgimg.PngCanvas{Canvas: c}
}

func (f figure) svg() io.WriterTo {
	c := vgsvg.New(width, f.height())
	f.draw(draw.New(c))
	var text bytes.Buffer
	_, _ = c.WriteTo(&text) // memory takes all
	// Fonts of the same widths, for readers that have not this one.
	const family = "font-family:Liberation Sans"
	return bytes.NewBuffer(bytes.ReplaceAll(text.Bytes(), []byte(family), []byte(family+",Arial,Helvetica,sans-serif")))
}

// draw draws the panels with their axes in line, and their legends in a column beside them.
func (f figure) draw(c draw.Canvas) {
	const margin = 10
	c.SetColor(paper)
	c.Fill(c.Rectangle.Path())
	c = draw.Crop(c, margin, -margin, margin, -margin)
	legends, axes := vg.Length(0), vg.Length(0)
	for i := range f.panels {
		p := &f.panels[i]
		box := p.legend.Rectangle(c)
		legends = max(legends, wider*(box.Max.X-box.Min.X))
		axes = max(axes, p.left(c))
	}
	height := (c.Max.Y - c.Min.Y) / vg.Length(len(f.panels))
	for i := range f.panels {
		p := &f.panels[i]
		top := height * vg.Length(i)
		row := draw.Crop(c, 0, 0, c.Max.Y-c.Min.Y-top-height, -top)
		row = draw.Crop(row, 0, 0, margin/2, -margin/2)
		body := draw.Crop(row, axes-p.left(c), -legends-2*margin, 0, 0)
		p.plot.Draw(body)
		data := p.plot.DataCanvas(body)
		p.legend.Draw(draw.Crop(row, row.Max.X-row.Min.X-legends, 0, 0, data.Max.Y-row.Max.Y))
	}
}

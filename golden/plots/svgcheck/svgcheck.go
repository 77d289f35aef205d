// Package svgcheck is for tests: it finds what is wrong with the texts of an SVG drawing, measured in a font of usual widths.
// It knows what our drawings have: texts, rectangles and paths in groups, with transforms, classes and style sheets.
package svgcheck

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/font/liberation"

	stdfnt "golang.org/x/image/font"
)

const (
	// wider is how much wider than the measured font, which is as wide as Arial and Helvetica, a reader's may be; DejaVu
	// Sans, what Linux has for sans-serif, is up to a sixth wider.
	wider = 1.15
	// Parts of the font's size that its letters take above and below their line.
	above, below = 0.75, 0.2
	// clear is the room between a text and the border of its box, in the drawing's units.
	clear = 2.0
)

// box is a rectangle in the drawing's units, y downwards.
type box struct{ x0, y0, x1, y1 float64 }

func (b box) meets(o box) bool { return b.x0 < o.x1 && o.x0 < b.x1 && b.y0 < o.y1 && o.y0 < b.y1 }
func (b box) within(o box, room float64) bool {
	return b.x0 >= o.x0+room && b.x1 <= o.x1-room && b.y0 >= o.y0 && b.y1 <= o.y1
}

// around is the smallest box of points.
func around(points ...[2]float64) box {
	b := box{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, p := range points {
		b = box{min(b.x0, p[0]), min(b.y0, p[1]), max(b.x1, p[0]), max(b.y1, p[1])}
	}
	return b
}

type text struct {
	words string
	box
}

// affine is a transform: x' = a x + c y + e, y' = b x + d y + f.
type affine [6]float64

func (t affine) of(x, y float64) [2]float64 {
	return [2]float64{t[0]*x + t[2]*y + t[4], t[1]*x + t[3]*y + t[5]}
}

func (t affine) then(u affine) affine { // u within t
	return affine{t[0]*u[0] + t[2]*u[1], t[1]*u[0] + t[3]*u[1], t[0]*u[2] + t[2]*u[3], t[1]*u[2] + t[3]*u[3],
		t[0]*u[4] + t[2]*u[5] + t[4], t[1]*u[4] + t[3]*u[5] + t[5]}
}

// element is an open element: where it is, and how its texts look.
type element struct {
	place affine
	style map[string]string
}

var (
	transforms   = regexp.MustCompile(`(\w+)\(([^)]*)\)`)
	rules        = regexp.MustCompile(`([^{}]+)\{([^{}]*)\}`)
	pathCommands = regexp.MustCompile(`([MLHVCZ])([^MLHVCZ]*)`)
	pathNumbers  = regexp.MustCompile(`-?[\d.]+(?:e-?\d+)?`)
	shorthand    = regexp.MustCompile(`^(?:(\d+|bold) )?([\d.]+)px `)
)

func numbers(s string) (list []float64) {
	for _, word := range pathNumbers.FindAllString(s, -1) {
		v, _ := strconv.ParseFloat(word, 64)
		list = append(list, v)
	}
	return list
}

func transform(s string) (affine, error) {
	t := affine{1, 0, 0, 1, 0, 0}
	for _, m := range transforms.FindAllStringSubmatch(s, -1) {
		n := numbers(m[2])
		switch {
		case m[1] == "translate" && len(n) == 2:
			t = t.then(affine{1, 0, 0, 1, n[0], n[1]})
		case m[1] == "scale" && len(n) == 2:
			t = t.then(affine{n[0], 0, 0, n[1], 0, 0})
		case m[1] == "rotate" && len(n) == 1:
			sin, cos := math.Sincos(n[0] * math.Pi / 180)
			t = t.then(affine{cos, sin, -sin, cos, 0, 0})
		default:
			return t, fmt.Errorf("transform %q: not known here", s)
		}
	}
	return t, nil
}

// declare adds the declarations of a style to those that hold.
func declare(style map[string]string, declarations string) {
	for d := range strings.SplitSeq(declarations, ";") {
		name, value, _ := strings.Cut(d, ":")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if m := shorthand.FindStringSubmatch(value); name == "font" && m != nil {
			style["font-size"] = m[2]
			if m[1] != "" {
				style["font-weight"] = m[1]
			}
		} else if name != "" {
			style[name] = value
		}
	}
}

// sheet is the style sheet of a drawing: selectors, a name or .class, with their declarations.
type sheet [][2]string

func (s sheet) apply(style map[string]string, name string, classes []string) {
	for _, rule := range s {
		for selector := range strings.SplitSeq(rule[0], ",") {
			selector = strings.TrimSpace(selector)
			class, isClass := strings.CutPrefix(selector, ".")
			if selector == name || isClass && slices.Contains(classes, class) {
				declare(style, rule[1])
			}
		}
	}
}

// drawing is what Check looks at.
type drawing struct {
	view  box
	texts []text
	boxes []box
	wires [][2][2]float64 // straight parts of arrows
}

// Check lists what is wrong with the texts of a drawing: they leave it, cross or touch the border of a box, meet each other, or
// lie on an arrow. An error is a drawing that it cannot read.
func Check(file []byte) (flaws []string, err error) {
	d, err := read(file)
	if err != nil {
		return nil, err
	}
	if len(d.texts) == 0 {
		return nil, errors.New("no text: nothing to check")
	}
	for i, t := range d.texts {
		if !t.within(d.view, 0) {
			flaws = append(flaws, fmt.Sprintf("%q leaves the drawing: %.1f of %.1f", t.words, t.box, d.view))
		}
		for _, b := range d.boxes {
			if t.meets(b) && !t.within(b, clear) {
				flaws = append(flaws, fmt.Sprintf("%q touches a box: %.1f and %.1f", t.words, t.box, b))
			}
		}
		for _, o := range d.texts[i+1:] {
			if t.meets(o.box) {
				flaws = append(flaws, fmt.Sprintf("%q and %q meet: %.1f and %.1f", t.words, o.words, t.box, o.box))
			}
		}
		for _, w := range d.wires {
			if t.meets(around(w[0], w[1])) || t.meets(line(w)) {
				flaws = append(flaws, fmt.Sprintf("%q lies on an arrow: %.1f and %.1f", t.words, t.box, w))
			}
		}
	}
	return flaws, nil
}

// line is an arrow's straight part with its width.
func line(w [2][2]float64) box {
	b := around(w[0], w[1])
	return box{b.x0 - 0.5, b.y0 - 0.5, b.x1 + 0.5, b.y1 + 0.5}
}

func read(file []byte) (*drawing, error) {
	d := &drawing{}
	var css sheet
	stack := []element{{affine{1, 0, 0, 1, 0, 0}, map[string]string{"font-size": "16"}}}
	var words, styles strings.Builder
	var at [2]float64
	hidden := 0 // within definitions
	for decoder := xml.NewDecoder(bytes.NewReader(file)); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return d, nil
		}
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.CharData:
			words.Write(token)
			styles.Write(token)
		case xml.StartElement:
			name, value := token.Name.Local, map[string]string{}
			for _, a := range token.Attr {
				value[a.Name.Local] = a.Value
			}
			number := func(name string) float64 { v, _ := strconv.ParseFloat(value[name], 64); return v }
			top := stack[len(stack)-1]
			e := element{top.place, map[string]string{}}
			for k, v := range top.style { // what is inherited, and no more
				if strings.HasPrefix(k, "font") || strings.HasPrefix(k, "text") {
					e.style[k] = v
				}
			}
			for _, k := range []string{"font-size", "font-weight", "text-anchor", "fill", "stroke"} {
				if v, ok := value[k]; ok {
					e.style[k] = v
				}
			}
			css.apply(e.style, name, strings.Fields(value["class"]))
			declare(e.style, value["style"])
			t, err := transform(value["transform"])
			if err != nil {
				return nil, err
			}
			e.place = top.place.then(t)
			stack = append(stack, e)
			switch {
			case name == "defs" || name == "marker":
				hidden++
			case hidden > 0 && name != "style":
			case name == "svg":
				if v := numbers(value["viewBox"]); len(v) == 4 {
					d.view = box{v[0], v[1], v[0] + v[2], v[1] + v[3]}
				}
			case name == "text":
				words.Reset()
				at = [2]float64{number("x"), number("y")}
			case name == "style":
				styles.Reset()
			case name == "rect":
				x, y := number("x"), number("y")
				d.box(around(e.place.of(x, y), e.place.of(x+number("width"), y+number("height"))))
			case name == "path":
				d.path(value["d"], &e)
			}
		case xml.EndElement:
			e := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			switch token.Name.Local {
			case "defs", "marker":
				hidden--
			case "style":
				sheetText := regexp.MustCompile(`(?s)@media[^{]*\{.*?\}\}`).ReplaceAllString(styles.String(), "")
				for _, m := range rules.FindAllStringSubmatch(sheetText, -1) {
					css = append(css, [2]string{m[1], m[2]})
				}
			case "text":
				b, err := measured(words.String(), at, &e)
				if err != nil {
					return nil, err
				}
				d.texts = append(d.texts, text{words.String(), b})
			}
		}
	}
}

// box takes a rectangle that may be a text's box; the paper, and what no text has room in, is none.
func (d *drawing) box(b box) {
	if !d.view.within(b, 0) && b.y1-b.y0 > 4 {
		d.boxes = append(d.boxes, b)
	}
}

// path takes rectangles and the straight parts of arrows.
func (d *drawing) path(commands string, e *element) {
	arrow := e.style["marker-end"] != ""
	var points [][2]float64
	var x, y float64
	closed, curved := false, false
	for _, m := range pathCommands.FindAllStringSubmatch(commands, -1) {
		n := numbers(m[2])
		from := e.place.of(x, y)
		switch m[1] {
		case "M", "L":
			x, y = n[len(n)-2], n[len(n)-1]
		case "H":
			x = n[0]
		case "V":
			y = n[0]
		case "C":
			x, y, curved = n[4], n[5], true
		case "Z":
			closed = true
			continue
		}
		points = append(points, e.place.of(x, y))
		if arrow && m[1] != "M" && m[1] != "C" {
			d.wires = append(d.wires, [2][2]float64{from, e.place.of(x, y)})
		}
	}
	if closed && !curved && len(points) == 4 && points[0][0] == points[3][0] && points[1][0] == points[2][0] && points[0][1] == points[1][1] {
		d.box(around(points...))
	}
}

var fonts = font.NewCache(liberation.Collection())

// measured is where a text lies.
func measured(words string, at [2]float64, e *element) (box, error) {
	size, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSuffix(e.style["font-size"], "px"), "pt"), 64)
	if err != nil {
		return box{}, fmt.Errorf("text %q: font size %q", words, e.style["font-size"])
	}
	face := font.Font{Typeface: "Liberation", Variant: "Sans"}
	if w := e.style["font-weight"]; w == "bold" || w == "600" {
		face.Weight = stdfnt.WeightBold
	}
	cached := fonts.Lookup(face, font.Length(size))
	width := wider * float64(cached.Width(words))
	x := at[0]
	switch e.style["text-anchor"] {
	case "middle":
		x -= width / 2
	case "end":
		x -= width
	}
	y := at[1]
	return around(e.place.of(x, y-above*size), e.place.of(x+width, y-above*size), e.place.of(x, y+below*size),
		e.place.of(x+width, y+below*size)), nil
}

package design

import (
	"bytes"
	"embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"text/template"

	fx "corinfo/fixedpoint"
	"corinfo/hdlgen"
	vl "corinfo/hdlgen/verilog"
)

//go:embed *.v.tmpl
var templateFiles embed.FS

// templates are the texts of the modules that are printed for every design: of a neuron unit, of layers' words and of the top.
var templates = template.Must(template.New("").Option("missingkey=error").Funcs(template.FuncMap{
	"add":      func(a, b int) int { return a + b },
	"mul":      func(a, b int) int { return a * b },
	"max":      func(a, b int) int { return max(a, b) },
	"one":      one,
	"msb":      func(width int) int { return width - 1 },
	"wide":     wide,
	"extended": extended,
	"padded":   func(name string, width, to int) string { return extended(name, fx.Format{Width: width}, to) },
	"concat":   func(list []string) string { return "{" + strings.Join(list, ", ") + "}" },
	"names":    names,
	"prefixed": prefixed,
}).ParseFS(templateFiles, "*.v.tmpl"))

// printed is the text of a module: its template, and behind it what tells linters of nets that nothing reads.
func (m *module) printed(name string, data any) ([]byte, error) {
	var text bytes.Buffer
	if err := templates.ExecuteTemplate(&text, name+".v.tmpl", data); err != nil {
		return nil, err
	}
	m.named = map[string]int{}
	for _, net := range results.FindAllString(text.String(), -1) {
		m.named[net]++
	}
	if err := templates.ExecuteTemplate(&text, "end", data); err != nil {
		return nil, err
	}
	return vl.WrapText(text.Bytes()), nil
}

// results are the nets of formulas' results.
var results = regexp.MustCompile(`\bf\d+_\w+`)

// wire is a net of some bits.
type wire struct {
	Name  string
	Width int
}

func names(list []wire) (names []string) {
	for _, x := range list {
		names = append(names, x.Name)
	}
	return names
}

func prefixed(prefix string, names []string) (list []string) {
	for _, name := range names {
		list = append(list, prefix+name)
	}
	return list
}

// sideBySide are the nets of words in the order of a concatenation: the first lowest.
func sideBySide(prefix string, words []Storage) (list []string) {
	for _, x := range slices.Backward(words) {
		list = append(list, prefix+x.Name)
	}
	return list
}

// wide is the range of a net, and nothing of one that is a bit.
func wide(width int) string {
	if width == 1 {
		return ""
	}
	return fmt.Sprintf("[%d:0] ", width-1)
}

// extended is a net of a format as a signed one of a width.
func extended(name string, f fx.Format, width int) string { return extendedFrom(name, name, f, width) }

// extendedFrom is the word of a format in the lowest bits of a net, taken, as a signed one of a width.
func extendedFrom(net, taken string, f fx.Format, width int) string {
	switch {
	case width <= f.Width:
		return taken
	case f.Signed:
		return fmt.Sprintf("{{%d{%s[%d]}}, %s}", width-f.Width, net, f.Width-1, taken)
	}
	return fmt.Sprintf("{%d'd0, %s}", width-f.Width, taken)
}

// taken is a word of a format out of a wider net.
func taken(name string, low int, f fx.Format, width int) string {
	if low == 0 && width == f.Width {
		return name
	}
	if f.Width == 1 {
		return fmt.Sprintf("%s[%d]", name, low)
	}
	return fmt.Sprintf("%s[%d:%d]", name, low+f.Width-1, low)
}

// module is what the template of a module knows of the design: the plan, its widths, and which formulas the module computes.
type module struct {
	*Plan
	W       *shape
	own     []int          // numbers of the formulas
	named   map[string]int // how often the text names each of their results
	operand func(f *Formula, at int, format fx.Format) string
}

// module is a module that computes the formulas of which a condition is true.
func (p *Plan) module(s *shape, computes func(f *Formula) bool) module {
	m := module{Plan: p, W: s}
	for i, f := range p.Formulas {
		if computes(f) && f.hasPipeline() {
			m.own = append(m.own, i)
		}
	}
	return m
}

// Provenance tells where the module comes from, in the lines of its head.
func (m *module) Provenance() string {
	var text strings.Builder
	for _, line := range hdlgen.Provenance(m.Network) {
		text.WriteString(strings.TrimRight("// "+line, " ") + "\n")
	}
	return text.String()
}

// TraceW are the bits of a neuron's words.
func (m *module) TraceW() int { return bitsOf(m.Words) }

// LaneSumsW are the bits of a lane's sums, SumsW of those of all lanes of a unit.
func (m *module) LaneSumsW() int { return len(m.Kinds) * m.W.Sum }
func (m *module) SumsW() int     { return m.Subs * m.LaneSumsW() }

// PairW are the bits of factors that lie together, in each of a unit's Pairs.
func (m *module) PairW() int { return m.Pair() * m.W.Factor }
func (m *module) Pairs() int { return m.Subs / m.Pair() }

// pipeline is the instance of a formula's pipeline.
type pipeline struct {
	At        int
	Module    string
	Inputs    []struct{ Name, Net string }
	Overflows []string // roundings that tell of values outside their format
	Outputs   []wire
}

// Pipelines are those of the module's formulas.
func (m *module) Pipelines() (list []pipeline) {
	for _, at := range m.own {
		f := m.Formulas[at]
		nodes := f.Graph.Nodes()
		x := pipeline{At: at, Module: m.moduleName(at)}
		for i, v := range f.Graph.Inputs() {
			x.Inputs = append(x.Inputs, struct{ Name, Net string }{nodes[v].Name, m.operand(f, i, nodes[v].Format)})
		}
		for _, v := range f.Graph.Resizes() {
			x.Overflows = append(x.Overflows, nodes[v].Name)
		}
		for _, o := range f.Graph.Outputs() {
			x.Outputs = append(x.Outputs, wire{o.Name, nodes[o.Value].Format.Width})
		}
		list = append(list, x)
	}
	return list
}

// either is the value of the formula under way among those that have one, of is not "" for; 0 of others.
func (m *module) either(width int, of func(at int, f *Formula) string) string {
	var list []string
	for _, at := range m.own {
		switch v := of(at, m.Formulas[at]); {
		case v == "":
		case v == "1'b1":
			list = append(list, fmt.Sprintf("uses_q[%d]", at))
		case width == 1:
			list = append(list, fmt.Sprintf("(uses_q[%d] && %s)", at, v))
		default:
			list = append(list, fmt.Sprintf("({%d{uses_q[%d]}} & %s)", width, at, v))
		}
	}
	switch {
	case list == nil:
		return fmt.Sprintf("%d'd0", width)
	case width == 1:
		return strings.Join(list, " || ")
	}
	return strings.Join(list, " | ")
}

// Moved is whether a step changes what an early end waits for.
func (m *module) Moved() string {
	return m.either(1, func(at int, f *Formula) string {
		var list []string
		if _, ok := f.output("moved"); ok && f.Use != OfSynapse {
			list = append(list, fmt.Sprintf("f%d_moved", at))
		}
		for _, i := range f.Guarded {
			list = append(list, fmt.Sprintf("f%d_overflow%d", at, i))
		}
		if list == nil {
			return ""
		}
		return "(" + strings.Join(list, " || ") + ")"
	})
}

// Raised is what formulas raise for the counters: whether each of their roundings overflows, and behind them whether a
// synapse loses its update.
func (m *module) Raised() []string {
	list := make([]string, m.Flags)
	for k := range list {
		list[k] = m.either(1, func(at int, f *Formula) string {
			switch roundings := len(f.Graph.Resizes()); {
			case k < roundings:
				return fmt.Sprintf("f%d_overflow%d", at, k)
			case k == roundings && f.Use == OfSynapse:
				return fmt.Sprintf("(f%d_active && !f%d_moved)", at, at)
			}
			return ""
		})
	}
	return list
}

// Unused are outputs of formulas that the text names where they are declared and at their pipeline alone.
func (m *module) Unused() (list []string) {
	for _, x := range m.Pipelines() {
		for _, name := range x.nets() {
			if m.named[name] <= 2 {
				list = append(list, name)
			}
		}
	}
	return list
}

// nets are the pipeline's results.
func (x *pipeline) nets() (list []string) {
	for _, o := range x.Outputs {
		list = append(list, fmt.Sprintf("f%d_%s", x.At, o.Name))
	}
	for k := range x.Overflows {
		list = append(list, fmt.Sprintf("f%d_overflow%d", x.At, k))
	}
	return list
}

// next is a formula's output for a word, as wide as the word is at most; "": it has none.
func (x *Storage) next(at int, f *Formula) string {
	format, ok := f.output(x.Name + "_next")
	if !ok {
		return ""
	}
	v := fmt.Sprintf("f%d_%s_next", at, x.Name)
	if format.Width < x.Width {
		v = fmt.Sprintf("{%d'd0, %s}", x.Width-format.Width, v)
	}
	return v
}

// output is a formula's output by name; ok tells whether it has it.
func (f *Formula) output(name string) (format fx.Format, ok bool) {
	for _, o := range f.Graph.Outputs() {
		if o.Name == name {
			return f.Graph.Nodes()[o.Value].Format, true
		}
	}
	return fx.Format{}, false
}

// SmallStyle is how small memories whose words are there at once are made: the generic family's and others' tools choose.
func (p *Plan) SmallStyle() string {
	if p.Target.Distributed {
		return "distributed"
	}
	return "auto"
}

// Pair is how many lanes' factors are in a memory together: two, if lanes come in pairs.
func (p *Plan) Pair() int {
	if p.Subs%2 == 0 {
		return 2
	}
	return 1
}

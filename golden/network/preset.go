package network

import (
	"bytes"
	"embed"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	fx "corinfo/fixedpoint"
	"corinfo/golden"
	"corinfo/golden/rule"
)

// presets are network files without comments but a line at the top: the settings behind the numbers of the paper, and a
// smaller network for a first try.
//
//go:embed presets/*.yaml
var presets embed.FS

// Presets are the names that Preset knows.
func Presets() []string {
	entries, _ := presets.ReadDir("presets") // embedded
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	// The small one first, which the README begins with.
	slices.SortStableFunc(names, func(a, b string) int {
		if a == "tiny" || b == "tiny" {
			return map[bool]int{true: -1, false: 1}[a == "tiny"]
		}
		return strings.Compare(a, b)
	})
	return names
}

// Preset is the text of a commented network file to start from. An unknown name is ErrUsage.
func Preset(name string) ([]byte, error) {
	text, err := presets.ReadFile("presets/" + name + ".yaml")
	if err != nil {
		return nil, golden.Usagef("no preset %q; there are %s", name, strings.Join(Presets(), ", "))
	}
	n, err := Parse("preset "+name, text)
	if err != nil {
		panic("network: " + err.Error())
	}
	about, _, _ := strings.Cut(string(text), "\n")
	return n.Commented(strings.TrimPrefix(about, "# ")), nil
}

// commentColumn is where the comments of settings begin.
const commentColumn = 32

// Commented is the network as a file in which every setting is explained; about is its first line. Parse reads it back
// to the same network.
func (n *Network) Commented(about string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s\n", about)
	n.comment(&b, "", "", reflect.ValueOf(n).Elem())
	return b.Bytes()
}

// comment writes the settings of a section; path is what stands before their keys. What the network lacks is left out.
func (n *Network) comment(b *bytes.Buffer, indent, path string, v reflect.Value) {
	for i := range v.NumField() {
		f, field := v.Type().Field(i), v.Field(i)
		key, doc := f.Tag.Get("yaml"), f.Tag.Get("doc")
		switch {
		case n.Lacks(path + key):
		case field.Kind() == reflect.Interface:
			if !field.IsNil() {
				fmt.Fprintf(b, "\n%s: # of this rule alone\n", n.Rule)
				n.comment(b, indent+"  ", n.Rule+".", field.Elem().Elem())
			}
		case key == "formats":
			n.commentFormats(b)
		case field.Kind() == reflect.Struct:
			if indent == "" {
				b.WriteString("\n")
			}
			if field.IsZero() || field.Interface() == any(rule.DefaultOptimizer()) { // all of it is left out: a section of comments
				fmt.Fprintf(b, "%s# %s:\n", indent, key)
				n.comment(b, indent+"#   ", path+key+".", field)
				continue
			}
			fmt.Fprintf(b, "%s%s:\n", indent, key)
			n.comment(b, indent+"  ", path+key+".", field)
		default:
			if key == "rule" && indent == "" {
				doc = rule.Named(n.Rule).About
			}
			line(b, indent, key, field, doc)
		}
	}
}

// line writes a setting and its comment; a setting that is left out is a comment itself.
func line(b *bytes.Buffer, indent, key string, field reflect.Value, doc string) {
	text := valueText(field)
	setting := fmt.Sprintf("%s%s: %s", indent, key, text)
	optional := strings.Contains(doc, "left out")
	if text == "" || optional && field.IsZero() && field.Kind() != reflect.Bool {
		if !strings.Contains(indent, "#") {
			indent += "# "
		}
		setting = strings.TrimRight(fmt.Sprintf("%s%s: %s", indent, key, text), " ")
	}
	if doc == "" {
		fmt.Fprintln(b, setting)
		return
	}
	fmt.Fprintf(b, "%-*s # %s\n", commentColumn-1, setting, doc)
}

const formatsText = `
# Word lengths of the fixed-point model and of the hardware, used by fixed arithmetic only. ap_fixed<W,I,Q,O> (signed) and ap_ufixed<W,I,Q,O>
# (unsigned) mean what they mean to high-level synthesis tools: W bits (1 to 64), I of them before the binary point (the sign among them; may be
# negative or above W), so that the last place is 2^(I-W).
#   Q, a value between two words:  TRN (down), TRN_ZERO, RND (nearest, ties up), RND_ZERO, RND_INF, RND_MIN_INF, RND_CONV (ties to even),
#                                  STOCHASTIC (up with the probability of its distance; stored synapses only); left out: TRN
#   O, a value outside the range:  SAT (nearest end), SAT_ZERO (0), SAT_SYM (as SAT, the lower end being minus the upper), WRAP; left out: WRAP
# A name without an index is that of all layers or matrices; one with an index goes before it: W names all of W0, W1, ... A tensor that is left out
# has the format shown here; ` + "`corinfo quantize`" + ` chooses formats from a float run.
formats:
`

// commentFormats writes the network's own formats, and every other tensor with its default as a comment.
func (n *Network) commentFormats(b *bytes.Buffer) {
	b.WriteString(formatsText)
	for _, name := range slices.Sorted(maps.Keys(n.Formats)) {
		fmt.Fprintf(b, "  %s: %v\n", name, n.Formats[name])
	}
	d := n.Describe()
	done := map[string]bool{}
	for _, t := range d.Tensors {
		if t.About == "" || done[t.Kind] {
			continue
		}
		done[t.Kind] = true
		about := t.About
		for _, group := range sameDefault(d, t.Kind) {
			fmt.Fprintf(b, "  # %-40s # %s\n", fmt.Sprintf("%s: %v", group.name, group.t), about)
			about = "likewise"
		}
	}
}

type defaultOf struct {
	name string
	t    fx.Type
}

// sameDefault lists the defaults of a kind: one where all layers have the same.
func sameDefault(d *rule.Description, kind string) (list []defaultOf) {
	for _, t := range d.Tensors {
		if t.Kind == kind {
			list = append(list, defaultOf{t.String(), t.Default})
		}
	}
	if !slices.ContainsFunc(list, func(x defaultOf) bool { return x.t != list[0].t }) {
		return []defaultOf{{kind, list[0].t}}
	}
	return list
}

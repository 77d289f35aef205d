package weights

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"corinfo/golden"
	"corinfo/golden/rule"
)

// Files name matrices as the rule does, or, where they are those of a stack of linear layers, as its modules do: of
// torch.nn.Linear and equinox.nn.Linear, LAYER.weight [n_post, n_pre] and LAYER.bias [n_post].

const (
	weightSuffix = "weight"
	biasSuffix   = "bias"
)

// linear are the stored projections that one linear layer computes with.
type linear struct{ weight, bias int } // bias below 0: it has none

// stackOf finds the linear layers of a network, from the input on: one projection from each layer to the next, and the
// projection of the unit that is always 1 beside it. What else is stored belongs to no linear layer. nil: it is no stack.
func stackOf(d *rule.Description) []linear {
	stack := make([]linear, len(d.Layers)-1)
	for k := range stack {
		stack[k] = linear{-1, -1}
	}
	for _, at := range d.Stored() {
		p := d.Projections[at]
		from, to := d.Words[p.From], d.Sums[p.To].Layer
		var place *int
		switch {
		case to == 0:
			continue
		case from.One():
			place = &stack[to-1].bias
		case from.Layer == to-1 && !from.Shared:
			place = &stack[to-1].weight
		default:
			continue
		}
		if *place >= 0 {
			return nil
		}
		*place = at
	}
	if slices.ContainsFunc(stack, func(l linear) bool { return l.weight < 0 }) {
		return nil
	}
	return stack
}

// ParseLayers reads what the layers of a network are called in a file: "rule" or nothing for the rule's own names of
// its matrices (nil), "torch" for those of a torch.nn.Sequential with a function after each Linear, 0, 2, 4, ..., or a
// name for each, separated by commas. golden.ErrUsage: others.
func ParseLayers(d *rule.Description, text string) ([]string, error) {
	if text == "" || text == "rule" {
		return nil, nil
	}
	stack := stackOf(d)
	if stack == nil {
		return nil, golden.Usagef("--names %.100q: the network is no stack of linear layers, which have one matrix from each layer to the next; "+
			"leave --names out", text)
	}
	var layers []string
	if text == "torch" {
		for k := range stack {
			layers = append(layers, fmt.Sprint(2*k))
		}
		return layers, nil
	}
	layers = strings.Split(text, ",")
	if len(layers) != len(stack) {
		return nil, golden.Usagef("--names %.100q has %d names; want rule, torch, or %d with commas between, one for each layer of synapses",
			text, len(layers), len(stack))
	}
	for k, layer := range layers {
		switch {
		case !validLayer(layer) || layer == "":
			return nil, golden.Usagef("--names: %.100q is no name for a layer; want up to %d printable characters", layer, maxLayerName)
		case slices.Contains(layers[:k], layer):
			return nil, golden.Usagef("--names: two layers %s; give each a name of its own", layer)
		}
	}
	return layers, nil
}

// maxLayerName is above every path to a module that a library prints.
const maxLayerName = 200

func validLayer(name string) bool {
	return len(name) <= maxLayerName && !strings.ContainsFunc(name,
		func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar })
}

// arrayName is the name of an array of a layer; the layer of a bare module has none.
func arrayName(layer, suffix string) string {
	if layer == "" {
		return suffix
	}
	return layer + "." + suffix
}

// layerOf is the layer of an array's name.
func layerOf(name string) (layer string, ok bool) {
	for _, suffix := range []string{weightSuffix, biasSuffix} {
		if name == suffix {
			return "", true
		}
		if layer, ok := strings.CutSuffix(name, "."+suffix); ok && validLayer(layer) {
			return layer, true
		}
	}
	return "", false
}

var digits = regexp.MustCompile(`[0-9]+|[^0-9]+`)

// compareLayers tells which of two layers comes first by the first number in which their names differ; known: their
// names differ in a number before they differ in anything else.
func compareLayers(a, b string) (order int, known bool) {
	as, bs := digits.FindAllString(a, -1), digits.FindAllString(b, -1)
	for i := range min(len(as), len(bs)) {
		if as[i] == bs[i] {
			continue
		}
		if as[i][0] > '9' || as[i][0] < '0' || bs[i][0] > '9' || bs[i][0] < '0' {
			return 0, false
		}
		x, y := strings.TrimLeft(as[i], "0"), strings.TrimLeft(bs[i], "0")
		order := cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y))
		return order, order != 0
	}
	return 0, false
}

// findLayers are the layers that the names of a file's arrays tell of, in their order. nil: it has the rule's own names.
func findLayers(d *rule.Description, names []string) ([]string, error) {
	var layers []string
	seen := map[string]bool{}
	for _, name := range names {
		if layer, ok := layerOf(name); ok && !seen[layer] {
			seen[layer] = true
			layers = append(layers, layer)
		}
	}
	stack := stackOf(d)
	switch {
	case layers == nil || stack == nil:
		return nil, nil
	case len(layers) != len(stack):
		shown := strings.Join(layers[:min(len(layers), 10)], ", ")
		if len(layers) > 10 {
			shown += ", ..."
		}
		plural := "s"
		if len(layers) == 1 {
			plural = ""
		}
		return nil, golden.Usagef("%d linear layer%s: %s; the network has %d: the file must hold these alone", len(layers),
			plural, shown, len(stack))
	}
	slices.SortStableFunc(layers, func(a, b string) int { order, _ := compareLayers(a, b); return order })
	for i, b := range layers {
		for _, a := range layers[:i] {
			if order, known := compareLayers(a, b); !known || order > 0 {
				return nil, golden.Usagef("no number tells whether layer %s or %s comes first: say it by --names %s",
					a, b, strings.Join(layers, ","))
			}
		}
	}
	return layers, nil
}

// fileName is what a stored projection is called in a file.
type fileName struct {
	name   string
	vector bool // its one column is held as a vector
}

// fileNames are those of all stored projections, where layers name a stack or the rule its matrices.
func fileNames(d *rule.Description, layers []string) map[int]fileName {
	names := map[int]fileName{}
	for _, at := range d.Stored() {
		names[at] = fileName{d.Projections[at].Name, false}
	}
	if layers == nil {
		return names
	}
	for k, l := range stackOf(d) {
		names[l.weight] = fileName{arrayName(layers[k], weightSuffix), false}
		if l.bias >= 0 {
			names[l.bias] = fileName{arrayName(layers[k], biasSuffix), true}
		}
	}
	return names
}

// found is the array of a file that holds a stored projection.
type found struct {
	projection int
	entry      int // of the file
	name       string
	unscaled   bool // it is held without its scale
}

// find tells which array of a file is which stored projection, in their order: all of a network and no others. Without
// layers the file's names tell whose they are.
func find(d *rule.Description, entries []string, layers []string) ([]found, error) {
	if layers == nil {
		var err error
		if layers, err = findLayers(d, entries); err != nil {
			return nil, err
		}
	}
	var names, others []string
	known := fileNames(d, layers)
	scaled := map[string]bool{} // of the names, those that have another
	for _, at := range d.Stored() {
		names = append(names, known[at].name)
		if other := d.Projections[at].Unscaled; other != "" {
			others, scaled[known[at].name] = append(others, other), true
		}
	}
	place := map[string]int{}
	first, other := "", "" // of those that have two names, one under each
	for i, name := range entries {
		_, doubled := place[name]
		switch {
		case !slices.Contains(names, name) && !slices.Contains(others, name):
			all := append(names[:len(names):len(names)], others...)
			hint := strings.Join(names, ", ")
			if others != nil {
				hint += ", or " + strings.Join(others, ", ") + " in the place of the last"
			}
			return nil, golden.Usagef("unknown array %.100q; did you mean %q? The network has %s",
				name, golden.Nearest(name[:min(len(name), 100)], all), hint)
		case doubled:
			return nil, golden.Usagef("two arrays %s; leave one out", name)
		case scaled[name]:
			first = name
		case slices.Contains(others, name):
			other = name
		}
		place[name] = i
	}
	if first != "" && other != "" {
		return nil, golden.Usagef("both %s and %s; give all of these matrices under one of their names", other, first)
	}
	var list []found
	var missing []string
	hint := ""
	for _, at := range d.Stored() {
		f := found{projection: at, name: known[at].name}
		if p := d.Projections[at]; other != "" && p.Unscaled != "" {
			f.name, f.unscaled = p.Unscaled, true
		}
		var ok bool
		if f.entry, ok = place[f.name]; !ok {
			missing = append(missing, f.name)
			if known[at].vector {
				hint = "; zeros stand for a bias that a layer does not have"
			}
		}
		list = append(list, f)
	}
	if missing != nil {
		return nil, golden.Usagef("missing %s; the file must hold every matrix of the network%s", strings.Join(missing, ", "), hint)
	}
	return list, nil
}

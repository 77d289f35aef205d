package golden

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	fx "corinfo/fixedpoint"
)

// FormatKinds are the tensors whose types the network file may set; each may carry an index: W, W0.
var FormatKinds = []string{"x", "r", "u", "current", "lateral", "drive", "e", "d", "c", "W", "F", "C", "dW", "dF", "dC", "eta", "coefficient", "rate", "gamma"}

// LoadNetwork reads a network file.
func LoadNetwork(path string) (*Network, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: network file: %w; `corinfo init` makes one", ErrUsage, err)
	}
	return ParseNetwork(path, text)
}

// ParseNetwork reads the text of a network file; name stands for it in errors. It refuses unknown keys and
// values out of range, and reports all of them together, each with its line and column.
func ParseNetwork(name string, text []byte) (*Network, error) {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %s", ErrUsage, name, yaml.FormatError(err, false, true))
	}
	p := &networkFile{name: name, at: map[string]*ast.MappingValueNode{}}
	n := &Network{Rule: "corinfomax", Settling: Settling{EarlyEnd: true}, Learning: Learning{RandomSign: true, Decay: Decay{Factor: 1, Then: 1}},
		Hardware: Hardware{Lanes: 16, Mode: "events"}}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return nil, usagef("%s: empty network file", name)
	}
	p.keys("", file.Docs[0].Body, reflect.TypeOf(*n))
	if p.problems == nil {
		if err := yaml.Unmarshal(text, n); err != nil {
			return nil, fmt.Errorf("%w: %s: %s", ErrUsage, name, yaml.FormatError(err, false, true))
		}
		p.values(n)
	}
	if p.problems != nil {
		return nil, fmt.Errorf("%w: %w", ErrUsage, errors.Join(p.problems...))
	}
	return n, nil
}

// networkFile is a file being checked: its keys by path, and what is wrong with them.
type networkFile struct {
	name     string
	at       map[string]*ast.MappingValueNode
	problems []error
}

// report adds a problem at a key; the position is that of the nearest key around it that the file has.
func (p *networkFile) report(path, format string, args ...any) {
	where := p.name
	for at := path; ; {
		if node, ok := p.at[at]; ok {
			pos := node.Key.GetToken().Position
			where = fmt.Sprintf("%s:%d:%d", p.name, pos.Line, pos.Column)
			break
		}
		cut := strings.LastIndex(at, ".")
		if cut < 0 {
			break
		}
		at = at[:cut]
	}
	p.problems = append(p.problems, fmt.Errorf("%s: %s: %s", where, path, fmt.Sprintf(format, args...)))
}

// keys checks a mapping's keys against the fields of a struct, recursively.
func (p *networkFile) keys(prefix string, node ast.Node, t reflect.Type) {
	var values []*ast.MappingValueNode
	switch x := node.(type) {
	case *ast.MappingNode:
		values = x.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{x}
	default:
		p.report(strings.TrimSuffix(prefix, "."), "want keys with values here")
		return
	}
	known := map[string]reflect.Type{}
	var names []string
	for i := range t.NumField() {
		key := t.Field(i).Tag.Get("yaml")
		known[key] = t.Field(i).Type
		names = append(names, key)
	}
	for _, v := range values {
		key := v.Key.GetToken().Value
		path := prefix + key
		p.at[path] = v
		field, ok := known[key]
		switch {
		case !ok:
			p.report(path, "unknown key; did you mean %q?", nearest(key, names))
		case field.Kind() == reflect.Struct:
			p.keys(path+".", v.Value, field)
		case field.Kind() == reflect.Map:
			p.formats(path+".", v.Value)
		}
	}
}

var formatKey = regexp.MustCompile(`^([a-zA-Z]+?)([0-9]*)$`)

// formats checks the keys and the notation of the formats.
func (p *networkFile) formats(prefix string, node ast.Node) {
	var values []*ast.MappingValueNode
	switch x := node.(type) {
	case *ast.MappingNode:
		values = x.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{x}
	case *ast.NullNode:
		return
	default:
		p.report(strings.TrimSuffix(prefix, "."), "want tensors with formats here")
		return
	}
	for _, v := range values {
		key := v.Key.GetToken().Value
		p.at[prefix+key] = v
		parts := formatKey.FindStringSubmatch(key)
		kind := key
		if parts != nil {
			kind = parts[1]
		}
		found := false
		for _, k := range FormatKinds {
			found = found || k == kind
		}
		if !found {
			p.report(prefix+key, "unknown tensor; did you mean %q?", nearest(kind, FormatKinds))
			continue
		}
		if _, err := fx.ParseType(v.Value.GetToken().Value); err != nil {
			p.report(prefix+key, "%v", err)
		}
	}
}

// values checks the ranges of all settings.
func (p *networkFile) values(n *Network) {
	positive := func(path string, v float64) {
		if !(v > 0) || math.IsInf(v, 0) {
			p.report(path, "%v; want a positive number", v)
		}
	}
	count := func(path string, v, low int) {
		if v < low {
			p.report(path, "%d; want at least %d", v, low)
		}
	}
	oneOf := func(path, v string, allowed ...string) {
		for _, a := range allowed {
			if v == a {
				return
			}
		}
		p.report(path, "%q; want one of %s", v, strings.Join(allowed, ", "))
	}
	if !regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,39}$`).MatchString(n.Name) {
		p.report("name", "%q; want a letter, then up to 39 letters, digits or underscores: it prefixes every Verilog module", n.Name)
	}
	oneOf("rule", n.Rule, "corinfomax")
	oneOf("dataset.name", n.Dataset.Name, "mnist", "fashion", "idx")
	if n.Dataset.Name == "idx" && n.Dataset.Path == "" {
		p.report("dataset.path", "missing; a dataset of idx files needs its folder")
	}
	if len(n.Layers) < 2 {
		p.report("layers", "%d layers; want at least 2: the input and the output", len(n.Layers))
	}
	for k, size := range n.Layers {
		if size < 1 {
			p.report("layers", "layer %d has %d neurons; want at least 1", k, size)
		}
	}
	positive("epsilon", n.Epsilon)
	if !(n.Lambda > 0 && n.Lambda < 1) {
		p.report("lambda", "%v; want a number between 0 and 1", n.Lambda)
	}
	if !(n.Leak >= 0) || math.IsInf(n.Leak, 0) {
		p.report("leak", "%v; want 0 or a positive number", n.Leak)
	}
	count("settling.free_iterations", n.Settling.FreeIterations, 1)
	count("settling.nudged_iterations", n.Settling.NudgedIterations, 1)
	oneOf("settling.step.rule", n.Settling.Step.Rule, "constant", "divide_by_loop_index", "divide_by_slow_loop_index")
	positive("settling.step.start", n.Settling.Step.Start)
	if s := n.Settling.Step; s.Rule != "constant" {
		if !(s.Stop >= 0 && s.Stop <= s.Start) {
			p.report("settling.step.stop", "%v; want a number from 0 to start", s.Stop)
		}
		if s.Rule == "divide_by_slow_loop_index" && (!(s.Decay >= 0) || math.IsInf(s.Decay, 0)) {
			p.report("settling.step.decay", "%v; want 0 or a positive number", s.Decay)
		}
	}
	count("learning.batch", n.Learning.Batch, 1)
	positive("learning.beta", n.Learning.Beta)
	rates := func(path string, list []float64, want int) {
		if len(list) != max(want, 0) {
			p.report(path, "%d rates; the layers want %d", len(list), max(want, 0))
		}
		for _, mu := range list {
			if !(mu >= 0) || math.IsInf(mu, 0) {
				p.report(path, "%v; want 0 or a positive number", mu)
			}
		}
	}
	rates("learning.feedforward", n.Learning.Feedforward, n.K())
	rates("learning.feedback", n.Learning.Feedback, n.K()-1)
	positive("learning.decay.factor", n.Learning.Decay.Factor)
	positive("learning.decay.then", n.Learning.Decay.Then)
	count("learning.decay.epochs", n.Learning.Decay.Epochs, 0)
	count("learning.epochs", n.Learning.Epochs, 1)
	count("hardware.lanes", n.Hardware.Lanes, 1)
	oneOf("hardware.mode", n.Hardware.Mode, "events", "dense")
	for key := range n.Formats {
		if index := formatKey.FindStringSubmatch(key)[2]; index != "" {
			if i, err := strconv.Atoi(index); err != nil || i > n.K() {
				p.report("formats."+key, "no layer or matrix %s in a network of %d layers", index, len(n.Layers))
			}
		}
	}
}

// nearest is the candidate with the smallest edit distance.
func nearest(word string, candidates []string) string {
	best, least := "", math.MaxInt
	for _, c := range candidates {
		if d := distance(word, c); d < least {
			best, least = c, d
		}
	}
	return best
}

// distance is the Levenshtein distance.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		previous := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := previous
			if a[i] != b[j] {
				cost = 1 + min(previous, row[j], row[j+1])
			}
			previous, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}

// YAML is the network as a file without comments; ParseNetwork reads it back to the same network.
func (n *Network) YAML() []byte {
	text, err := yaml.MarshalWithOptions(n, yaml.Indent(2), yaml.Flow(false))
	if err != nil {
		panic("golden: " + err.Error()) // plain data: cannot fail
	}
	return bytes.TrimLeft(text, "\n")
}

// Fingerprint is the SHA-256 of the network, comments and order of keys aside.
func (n *Network) Fingerprint() string { return fmt.Sprintf("%x", sha256.Sum256(n.YAML())) }

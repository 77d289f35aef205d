package network

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	fx "corinfo/fixedpoint"
	"corinfo/golden"
	"corinfo/golden/dataset"
	"corinfo/golden/rule"
)

// The largest network file or other YAML file, and the most lists and mappings that it may open: the parser's time grows
// with the square of both. 86 layers with every format set take less.
const (
	MaxYAMLFile = 80 << 10 // bytes
	maxBrackets = 1000
)

// Load reads a network file. Its data set's folder, which the file gives relative to itself, becomes an absolute
// path: whatever holds the network from then on may be moved or used from elsewhere.
func Load(path string) (*Network, error) {
	text, err := golden.ReadFile(path, MaxYAMLFile)
	if err != nil {
		return nil, fmt.Errorf("%w: network file: %w; `corinfo init` makes one", golden.ErrUsage, err)
	}
	n, err := Parse(path, text)
	if err != nil {
		return nil, err
	}
	if n.Dataset.Path == "" && n.Dataset.Name == "cifar10" {
		n.Dataset.Path = dataset.CIFARFolder
	}
	if n.Dataset.Path == "" || filepath.IsAbs(n.Dataset.Path) {
		return n, nil
	}
	n.Dataset.Path, err = filepath.Abs(filepath.Join(filepath.Dir(path), n.Dataset.Path))
	return n, err
}

// Parse reads the text of a network file; name stands for it in errors. It refuses unknown keys,
// values of another kind and values out of range, and reports all of them together, one a line, each with
// its line and column. A text that is not YAML is reported alone.
func Parse(name string, text []byte) (*Network, error) {
	n := &Network{Settling: rule.Settling{EarlyEnd: true},
		Learning: rule.Learning{RandomSign: true, Contrast: rule.WithFree, Decay: rule.Decay{Factor: 1}, Optimizer: rule.DefaultOptimizer()},
		Hardware: Hardware{Lanes: 16, Contexts: 1, Learning: true, Mode: "events"}}
	if err := parseYAML(name, "network file; `corinfo init` makes one", text, n, func(p *networkFile) { p.values(n) }); err != nil {
		return nil, err
	}
	return n, nil
}

// ParseYAML reads a file of other settings as Parse reads a network file, into a struct by the yaml tags of its
// fields. what is the kind of file, as "study file". check looks at the values that were read: report tells of one that
// is wrong by its path, as "search.count" or "axes[2].values", and wanted whether a key was read that must be there.
func ParseYAML(name, what string, text []byte, into any, check func(report func(path, format string, args ...any), wanted func(path string) bool)) error {
	return parseYAML(name, what, text, into, func(p *networkFile) { check(p.report, p.wanted) })
}

// parseYAML reads one file; what is its kind, and after a semicolon who makes one.
func parseYAML(name, what string, text []byte, into any, check func(*networkFile)) error {
	kind, _, _ := strings.Cut(what, ";")
	if len(text) > MaxYAMLFile {
		return golden.Usagef("%s: more than %d bytes; this is no %s", name, MaxYAMLFile, kind)
	}
	nesting := 0
	for _, opens := range []string{"[", "{", "- ", "? "} {
		nesting += bytes.Count(text, []byte(opens))
	}
	if nesting > maxBrackets {
		return golden.Usagef("%s: more than %d opening brackets and dashes; this is no %s", name, maxBrackets, kind)
	}
	if line, column, ok := badText(text); !ok {
		return golden.Usagef("%s:%d:%d: not UTF-8 text; this is no %s", name, line, column, kind)
	}
	file, err := parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return syntaxError(name, err)
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return golden.Usagef("%s: empty %s", name, what)
	}
	if len(file.Docs) > 1 {
		return golden.Usagef("%s: %d YAML documents; want one", name, len(file.Docs))
	}
	p := &networkFile{name: name, kind: kind, at: map[string]*token.Position{}, reported: map[string]bool{}, guessed: map[string]bool{}}
	if n, ok := into.(*Network); ok {
		p.ownSection(file.Docs[0].Body, n)
	}
	p.mapping("", file.Docs[0].Body, reflect.ValueOf(into).Elem())
	if !p.reported[""] {
		check(p)
	}
	if p.problems != nil {
		return fmt.Errorf("%w: %w", golden.ErrUsage, p.join())
	}
	return nil
}

// badText finds what is not UTF-8 or a control character, which no network file needs and YAML refuses.
func badText(text []byte) (line, column int, ok bool) {
	line, column = 1, 1
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if r == utf8.RuneError && size == 1 || unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' {
			return line, column, false
		}
		column++
		if r == '\n' {
			line, column = line+1, 1
		}
		text = text[size:]
	}
	return line, column, true
}

// syntaxError is an error of the YAML parser in one line.
func syntaxError(name string, err error) error {
	var e yaml.Error
	if errors.As(err, &e) && e.GetToken() != nil {
		pos := e.GetToken().Position
		return golden.Usagef("%s:%d:%d: not YAML: %s", name, pos.Line, pos.Column, e.GetMessage())
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return golden.Usagef("%s: not YAML: %s", name, first)
}

// problem is what is wrong with a key.
type problem struct {
	line, column int
	err          error
}

// networkFile is a file being read: the places of its keys by path, and what is wrong with them.
type networkFile struct {
	name     string
	kind     string // what it should be, in the words of an error
	at       map[string]*token.Position
	reported map[string]bool // paths whose values were not read; their ranges are not looked at
	guessed  map[string]bool // paths that an unknown key was taken for; that they are missing need not be said too
	problems []problem
	rule     *rule.Rule               // that the file names; nil: none that there is
	own      map[string]reflect.Value // the section that the rule has of its own, by its key
}

// ownSection finds the rule, whose name decides on a section of its own.
func (p *networkFile) ownSection(node ast.Node, n *Network) {
	values, ok := node.(*ast.MappingNode)
	if !ok {
		return
	}
	for _, x := range values.Values {
		if text, ok := x.Value.(*ast.StringNode); ok && x.Key.GetToken().Value == "rule" {
			if p.rule = rule.Named(text.Value); p.rule != nil && p.rule.Own() != nil {
				n.Own = p.rule.Own()
				p.own = map[string]reflect.Value{p.rule.Name: reflect.ValueOf(n.Own).Elem()}
			}
		}
	}
}

// report adds a problem at a key; the position is that of the nearest key around it that the file has.
func (p *networkFile) report(path, format string, args ...any) {
	where, line, column := p.name, math.MaxInt, 0
	for at := path; ; {
		if pos, ok := p.at[at]; ok {
			line, column = pos.Line, pos.Column
			where = fmt.Sprintf("%s:%d:%d", p.name, line, column)
			break
		}
		cut := strings.LastIndex(at, ".")
		if cut < 0 {
			break
		}
		at = at[:cut]
	}
	if path != "" {
		path += ": "
	}
	p.problems = append(p.problems, problem{line, column, fmt.Errorf("%s: %s%s", where, path, fmt.Sprintf(format, args...))})
}

// refuse reports a value that is not read.
func (p *networkFile) refuse(path, format string, args ...any) {
	p.report(path, format, args...)
	p.reported[path] = true
}

// join gives the problems in the file's order, those of missing keys last.
func (p *networkFile) join() error {
	slices.SortStableFunc(p.problems, func(a, b problem) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.column, b.column))
	})
	var list []error
	for _, x := range p.problems {
		list = append(list, x.err)
	}
	return errors.Join(list...)
}

// mapping reads keys and values into a struct or into the map of formats. A key without a value, all of
// whose lines are comments, is as good as none.
func (p *networkFile) mapping(path string, node ast.Node, v reflect.Value) {
	var values []*ast.MappingValueNode
	switch x := node.(type) {
	case *ast.MappingNode:
		values = x.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{x}
	case *ast.NullNode:
		return
	default:
		p.refuse(path, "%s; want keys with values", kindOf(node))
		return
	}
	fields := map[string]reflect.Value{}
	var names []string
	if v.Kind() == reflect.Struct {
		for i := range v.NumField() {
			if key := v.Type().Field(i).Tag.Get("yaml"); key != "-" {
				fields[key] = v.Field(i)
				names = append(names, key)
			}
		}
	}
	if path == "" {
		for key, section := range p.own {
			fields[key] = section
			names = append(names, key)
		}
	}
	seen := map[string]*token.Position{}
	for _, x := range values {
		at := x.Key.GetToken().Position
		key := x.Key.GetToken().Value
		inner := key
		if path != "" {
			inner = path + "." + key
		}
		if first := seen[key]; first != nil {
			p.at[inner] = at
			p.refuse(inner, "the same key again; the first is in line %d", first.Line)
			continue
		}
		seen[key], p.at[inner] = at, at
		if v.Kind() == reflect.Map {
			p.format(inner, key, x.Value, v)
			continue
		}
		field, ok := fields[key]
		if !ok && v.Type() == reflect.TypeFor[Network]() && rule.Named(key) != nil {
			if p.rule != nil { // else the rule is what is wrong
				p.refuse(inner, "a section of rule %s; this network's rule is %s", key, p.rule.Name)
			}
			continue
		}
		if !ok {
			guess := golden.Nearest(key, names)
			p.refuse(inner, "unknown key; did you mean %q?", guess)
			if path != "" {
				guess = path + "." + guess
			}
			p.guessed[guess] = true
			continue
		}
		p.value(inner, x.Value, field)
	}
}

// value reads one value into a field.
func (p *networkFile) value(path string, node ast.Node, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct, reflect.Map:
		p.mapping(path, node, v)
	case reflect.Slice:
		list, ok := node.(*ast.SequenceNode)
		if !ok {
			p.refuse(path, "%s; want a list: [a, b]", kindOf(node))
			return
		}
		v.SetZero()
		for i, x := range list.Values {
			element, inner := reflect.New(v.Type().Elem()).Elem(), path
			if element.Kind() == reflect.Struct {
				inner = fmt.Sprintf("%s[%d]", path, i)
				p.at[inner] = x.GetToken().Position
			}
			p.value(inner, x, element)
			v.Set(reflect.Append(v, element))
		}
	default:
		if problem := setScalar(node, v); problem != "" {
			p.refuse(path, "%s; %s", kindOf(node), problem)
		}
	}
}

// Scalar is a number, a text or a truth value as the file's characters have it.
type Scalar string

var (
	wholeNumber = regexp.MustCompile(`^[-+]?(0|[1-9][0-9]*)$`) // 010 would be 8 to some readers, 10 to others
	realNumber  = regexp.MustCompile(`^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?$`)
)

// setScalar reads a number, a text or a truth value and tells what is wanted in place of another.
// Numbers are read from the file's characters, so that they mean the same to every YAML reader.
func setScalar(node ast.Node, v reflect.Value) (problem string) {
	text, plain := "", false
	switch node.(type) {
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode, *ast.StringNode, *ast.BoolNode:
		t := node.GetToken()
		text, plain = strings.TrimSpace(t.Value), t.Type != token.SingleQuoteType && t.Type != token.DoubleQuoteType
	}
	_, isString := node.(*ast.StringNode)
	switch v.Kind() {
	case reflect.Int:
		x, err := strconv.ParseInt(text, 10, 64)
		if !plain || !wholeNumber.MatchString(text) {
			return "want a whole number"
		}
		if err != nil {
			return "too large"
		}
		v.SetInt(x)
	case reflect.Uint32:
		x, err := strconv.ParseUint(strings.TrimPrefix(text, "+"), 10, 32)
		if !plain || !wholeNumber.MatchString(text) || err != nil {
			return fmt.Sprintf("want a whole number from 0 to %d", uint32(math.MaxUint32))
		}
		v.SetUint(x)
	case reflect.Float64:
		x, err := strconv.ParseFloat(text, 64)
		if !plain || !realNumber.MatchString(text) || err != nil {
			return "want a finite number"
		}
		v.SetFloat(x)
	case reflect.Bool:
		if _, ok := node.(*ast.BoolNode); !ok || text != "true" && text != "false" {
			return "want true or false"
		}
		v.SetBool(text == "true")
	case reflect.String:
		if v.Type() == reflect.TypeFor[Scalar]() && text != "" {
			v.SetString(text)
			break
		}
		if !isString && text != "" {
			return "want text: put it in quotes"
		}
		if !isString {
			return "want text"
		}
		v.SetString(node.(*ast.StringNode).Value)
	}
	return ""
}

// kindOf tells what a node is, in the words of an error.
func kindOf(node ast.Node) string {
	switch x := node.(type) {
	case nil, *ast.NullNode:
		return "no value"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "keys with values"
	case *ast.SequenceNode:
		return "a list"
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode:
		return "an anchor or alias"
	case *ast.TagNode:
		return "a tag"
	case *ast.LiteralNode:
		return "a block of text"
	default:
		return strconv.Quote(x.GetToken().Value)
	}
}

// format reads the type of one tensor.
func (p *networkFile) format(path, key string, node ast.Node, formats reflect.Value) {
	text, ok := node.(*ast.StringNode)
	if !ok {
		p.refuse(path, "%s; want a format, as ap_fixed<16,2,RND,SAT>", kindOf(node))
		return
	}
	t, err := fx.ParseType(text.Value)
	if err != nil {
		p.refuse(path, "%v", err)
		return
	}
	if formats.IsNil() {
		formats.Set(reflect.MakeMap(formats.Type()))
	}
	formats.SetMapIndex(reflect.ValueOf(key), reflect.ValueOf(t))
}

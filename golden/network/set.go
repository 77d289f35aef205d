package network

import (
	"maps"
	"reflect"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"corinfo/golden"
	"corinfo/golden/rule"
)

// Clone is a network whose settings may be changed: Set, and Formats.
func (n *Network) Clone() *Network {
	own := *n
	own.Formats = maps.Clone(n.Formats)
	if n.Own != nil {
		section := reflect.New(reflect.TypeOf(n.Own).Elem())
		section.Elem().Set(reflect.ValueOf(n.Own).Elem())
		own.Own = section.Interface()
	}
	return &own
}

// Paths are those of all settings of the network file but formats: learning.beta, corinfomax.lambda.
func (n *Network) Paths() []string {
	var paths []string
	n.settings(func(path string, _ reflect.Value) { paths = append(paths, path) })
	return paths
}

func (n *Network) settings(visit func(path string, v reflect.Value)) {
	settings("", reflect.ValueOf(n).Elem(), func(path string, v reflect.Value) {
		if !n.Lacks(path) {
			visit(path, v)
		}
	})
}

// settings visits those of a section. That of a network's rule stands in the place of Own.
func settings(section string, v reflect.Value, visit func(path string, v reflect.Value)) {
	for i := range v.NumField() {
		key, field := v.Type().Field(i).Tag.Get("yaml"), v.Field(i)
		if field.Kind() == reflect.Interface {
			if field.IsNil() {
				continue
			}
			key, field = v.FieldByName("Rule").String(), field.Elem().Elem()
		}
		switch field.Kind() {
		case reflect.Map:
		case reflect.Struct:
			settings(section+key+".", field, visit)
		default:
			visit(section+key, field)
		}
	}
}

// Set changes one setting, named by its path, to what the network file would have behind its key: a list is [0.5, 0.25].
// With another kind of optimizer, the settings that it lacks are those of a file that is silent. What the setting cannot be, and
// what it makes of the network, is ErrUsage.
func (n *Network) Set(path, value string) error {
	var field reflect.Value
	n.settings(func(at string, v reflect.Value) {
		if at == path {
			field = v
		}
	})
	if !field.IsValid() {
		section, _, _ := strings.Cut(path, ".")
		if rule.Named(section) != nil && section != n.Rule {
			return golden.Usagef("%s: a setting of rule %s; this network's rule is %s", path, section, n.Rule)
		}
		if n.Lacks(path) {
			return golden.Usagef("%s: %s has no such setting", path, n.without(path))
		}
		return golden.Usagef("%s: unknown setting; did you mean %q?", path, Meant(path, n.Paths()))
	}
	if strings.ContainsAny(value, "\r\n") {
		return golden.Usagef("%s: %q; want one line", path, value)
	}
	file, err := parser.ParseBytes([]byte(value), 0)
	if err != nil || len(file.Docs) != 1 || file.Docs[0].Body == nil {
		return golden.Usagef("%s: %q; want what the network file has there", path, value)
	}
	p := &networkFile{name: "network", at: map[string]*token.Position{}, reported: map[string]bool{}, guessed: map[string]bool{}}
	p.value(path, file.Docs[0].Body, field)
	n.forget()
	if err = p.join(); err == nil {
		_, err = Parse("network", n.YAML()) // it knows what goes together
	}
	if err == nil {
		return nil
	}
	text := strings.TrimPrefix(err.Error(), golden.ErrUsage.Error()+": ")
	return golden.Usagef("%s", strings.ReplaceAll(placeInText.ReplaceAllString(text, ""), "\n", "; "))
}

// without names what lacks a setting: the rule or the kind of optimizer.
func (n *Network) without(path string) string {
	if r := rule.Named(n.Rule); r != nil && r.Lacks(path) {
		return n.Rule
	}
	return n.Learning.Optimizer.Kind
}

// forget sets what the kind of optimizer lacks to what it is in a file that is silent.
func (n *Network) forget() {
	silent := rule.DefaultOptimizer()
	o, of := reflect.ValueOf(&n.Learning.Optimizer).Elem(), reflect.ValueOf(silent)
	for i := range o.NumField() {
		if !n.Learning.Optimizer.Uses(o.Type().Field(i).Tag.Get("yaml")) {
			o.Field(i).Set(of.Field(i))
		}
	}
}

// placeInText is where an error is in a text that no one sees.
var placeInText = regexp.MustCompile(`(?m)^network(:\d+:\d+)?: `)

// Meant is the setting that an unknown name is most like, be it by the end of its path alone.
func Meant(name string, paths []string) string {
	whole, list := map[string]string{}, []string{}
	for _, path := range paths {
		for _, part := range []string{path, path[strings.LastIndex(path, ".")+1:]} {
			if whole[part] == "" {
				whole[part] = path
				list = append(list, part)
			}
		}
	}
	return whole[golden.Nearest(name, list)]
}

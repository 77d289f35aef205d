package study

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	fx "corinfo/fixedpoint"
	"corinfo/golden"
)

// Fields of a format that a setting may name.
var formatFields = []string{"width", "integer", "fraction", "rounding", "overflow"}

// Set changes one setting of a network. A setting is a key of the network file, with dots, as learning.beta or
// settling.step.rule; or a tensor of its formats with one of
//
//	width      word length; the bits in front of the binary point stay
//	integer    bits in front of the binary point, as ap_fixed counts them; the word length stays
//	fraction   bits behind it; those in front stay
//	rounding   TRN, RND, RND_CONV, STOCHASTIC, ...
//	overflow   SAT, SAT_SYM, WRAP, ...
//
// as W.width (all layers) or W0.width; or a tensor alone, whose value is a whole format. What a format has besides is what
// the network's formats say, or their defaults: set the other settings first. Errors are wrong usage.
func Set(n *golden.Network, setting, value string) error {
	if formatSetting(n, setting) {
		return setFormat(n, setting, value)
	}
	keys := []string{}
	v, path := reflect.ValueOf(n).Elem(), setting
	for path != "" {
		key, rest, _ := strings.Cut(path, ".")
		keys = keys[:0]
		var field reflect.Value
		for i := range v.NumField() {
			name := v.Type().Field(i).Tag.Get("yaml")
			keys = append(keys, name)
			if name == key {
				field = v.Field(i)
			}
		}
		if !field.IsValid() {
			if path == setting {
				keys = append(keys, tensors(n)...)
			}
			return usagef("%s: unknown setting; did you mean %q?", setting, strings.TrimSuffix(setting, path)+golden.Nearest(key, keys))
		}
		v, path = field, rest
		if v.Kind() != reflect.Struct {
			break
		}
	}
	if path != "" {
		return usagef("%s: unknown setting; nothing is below %s", setting, strings.TrimSuffix(setting, "."+path))
	}
	if err := setScalar(v, value); err != nil {
		return usagef("%s: %v", setting, err)
	}
	if _, err := golden.ParseNetwork("network", n.YAML()); err != nil { // it knows the ranges
		return usagef("%s", placeInText.ReplaceAllString(reason(err), ""))
	}
	return nil
}

func setScalar(v reflect.Value, value string) (err error) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(value)
	case reflect.Bool:
		var x bool
		if x, err = strconv.ParseBool(value); err == nil {
			v.SetBool(x)
		}
	case reflect.Int:
		var x int64
		if x, err = strconv.ParseInt(value, 10, 64); err == nil {
			v.SetInt(x)
		}
	case reflect.Uint32:
		var x uint64
		if x, err = strconv.ParseUint(value, 10, 32); err == nil {
			v.SetUint(x)
		}
	case reflect.Float64:
		var x float64
		if x, err = strconv.ParseFloat(value, 64); err == nil {
			v.SetFloat(x)
		}
	default:
		return fmt.Errorf("not a single value; a study cannot set it")
	}
	if err != nil {
		return fmt.Errorf("%q; want a value of the kind that the network file has there", value)
	}
	return nil
}

// formatSetting tells whether a setting is one of formats.
func formatSetting(n *golden.Network, setting string) bool {
	tensor, _, _ := strings.Cut(setting, ".")
	return len(named(golden.ResolveFormats(n).Types(), tensor)) > 0
}

// floatSetting tells whether float runs differ by a setting: neither formats nor hardware matter to them.
func floatSetting(n *golden.Network, setting string) bool {
	return !formatSetting(n, setting) && !strings.HasPrefix(setting, "hardware.")
}

// named are the tensors of a name: one, or all layers' of a kind.
func named(types map[string]fx.Type, tensor string) []string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(types)) {
		if name == tensor || kindOf(name) == tensor {
			list = append(list, name)
		}
	}
	return list
}

// kindOf is a tensor's name without its layer.
func kindOf(tensor string) string { return strings.TrimRight(tensor, "0123456789") }

// placeInText is where an error is in a text that no one sees.
var placeInText = regexp.MustCompile(`network:\d+:\d+: `)

// reason is an error of wrong usage without saying so, for errors that do.
func reason(err error) string {
	return strings.ReplaceAll(err.Error(), golden.ErrUsage.Error()+": ", "")
}

// tensors are the kinds of tensors that have formats.
func tensors(n *golden.Network) []string {
	var list []string
	for name := range golden.ResolveFormats(n).Types() {
		list = append(list, kindOf(name))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func setFormat(n *golden.Network, setting, value string) error {
	tensor, field, _ := strings.Cut(setting, ".")
	types := golden.ResolveFormats(n).Types()
	formats := maps.Clone(n.Formats)
	if formats == nil {
		formats = map[string]fx.Type{}
	}
	names := named(types, tensor)
	same := true
	for _, name := range names {
		t, err := changed(types[name], field, value)
		if err != nil {
			return usagef("%s: %v", setting, err)
		}
		formats[name] = t
		same = same && t == formats[names[0]]
	}
	if same { // one line of the network file says it
		t := formats[names[0]]
		for _, name := range names {
			delete(formats, name)
		}
		formats[tensor] = t
	}
	n.Formats = formats
	return nil
}

// changed is a type with another value in one field, or another type where field is empty.
func changed(t fx.Type, field, value string) (fx.Type, error) {
	if field == "" {
		return fx.ParseType(value)
	}
	integer := t.Width - t.Frac
	if field == "rounding" || field == "overflow" {
		q, o := t.Rounding.String(), t.Overflow.String()
		if field == "rounding" {
			q = value
		} else {
			o = value
		}
		kind := "ap_ufixed"
		if t.Signed {
			kind = "ap_fixed"
		}
		return fx.ParseType(fmt.Sprintf("%s<%d,%d,%s,%s>", kind, t.Width, integer, q, o))
	}
	bits, err := strconv.Atoi(value)
	if err != nil && slices.Contains(formatFields, field) {
		return t, fmt.Errorf("%q; want a whole number of bits", value)
	}
	switch field {
	case "width":
		t.Width, t.Frac = bits, bits-integer
	case "integer":
		t.Frac = t.Width - bits
	case "fraction":
		t.Width, t.Frac = integer+bits, bits
	default:
		return t, fmt.Errorf("unknown field %q of a format; did you mean %q?", field, golden.Nearest(field, formatFields))
	}
	return t, t.Check()
}

// clone is a network whose settings may be changed.
func clone(n *golden.Network) *golden.Network {
	own := *n
	own.Formats = maps.Clone(n.Formats)
	return &own
}

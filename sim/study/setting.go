package study

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	fx "corinfo/fixedpoint"
	"corinfo/golden"
	"corinfo/golden/calibrate"
	"corinfo/golden/network"
	"corinfo/golden/rule"
)

// Fields of a format that a setting may name.
var formatFields = []string{"width", "integer", "fraction", "rounding", "overflow"}

// Set changes one setting of a network. A setting is a path of the network file, as learning.beta or settling.step.start; or a
// tensor of its formats with one of
//
//	width      word length; the bits in front of the binary point stay
//	integer    bits in front of the binary point, as ap_fixed counts them; the word length stays
//	fraction   bits behind it; those in front stay
//	rounding   TRN, RND, RND_CONV, STOCHASTIC, ...
//	overflow   SAT, SAT_SYM, WRAP, ...
//
// as W.width (all layers) or W0.width; or a tensor alone, whose value is a whole format. What a format has besides is what
// the network's formats say, or their defaults: set the other settings first. Errors are wrong usage.
func Set(n *network.Network, setting, value string) error {
	if formatSetting(n, setting) {
		return setFormat(n, setting, value)
	}
	section, field, _ := strings.Cut(setting, ".")
	switch known := append(tensors(n), n.Paths()...); {
	case setting == "rule":
		return usagef("rule: a rule has settings of its own; take whole networks: {set: [network], values: [..]}")
	case slices.Contains(formatFields, field) && !slices.Contains(known, setting):
		return usagef("%s: unknown setting; did you mean %q?", setting, golden.Nearest(section, tensors(n)))
	case !slices.Contains(known, setting) && rule.Named(section) == nil && !n.Lacks(setting):
		return usagef("%s: unknown setting; did you mean %q?", setting, network.Meant(setting, known))
	}
	return n.Set(setting, value)
}

// formatSetting tells whether a setting is one of formats.
func formatSetting(n *network.Network, setting string) bool {
	tensor, _, _ := strings.Cut(setting, ".")
	return len(named(calibrate.Types(n.Describe(), n.Formats), tensor)) > 0
}

// floatSetting tells whether float runs differ by a setting: neither formats nor hardware matter to them.
func floatSetting(n *network.Network, setting string) bool {
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

// reason is an error of wrong usage without saying so, for errors that do.
func reason(err error) string {
	return strings.ReplaceAll(err.Error(), golden.ErrUsage.Error()+": ", "")
}

// tensors are the kinds of tensors that have formats.
func tensors(n *network.Network) []string {
	var list []string
	for name := range calibrate.Types(n.Describe(), n.Formats) {
		list = append(list, kindOf(name))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func setFormat(n *network.Network, setting, value string) error {
	tensor, field, _ := strings.Cut(setting, ".")
	types := calibrate.Types(n.Describe(), n.Formats)
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

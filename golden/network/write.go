package network

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	fx "corinfo/fixedpoint"
)

// YAML is the network as a file without comments; Parse reads it back to the same network. Lists,
// texts, formats and sections that are empty are left out.
func (n *Network) YAML() []byte {
	var b bytes.Buffer
	n.writeFields(&b, "", "", reflect.ValueOf(n).Elem())
	return b.Bytes()
}

// Fingerprint is the SHA-256 of the network, comments and order of keys aside.
func (n *Network) Fingerprint() string {
	own := *n
	own.Dataset.Path = "" // where data lie is not what they are
	return fmt.Sprintf("%x", sha256.Sum256(own.YAML()))
}

// writeFields writes the fields of a struct, one a line; path is what stands before their keys. The section of a network's rule
// stands in the place of Own; what the network lacks is left out.
func (n *Network) writeFields(b *bytes.Buffer, indent, path string, v reflect.Value) {
	for i := range v.NumField() {
		key, field := v.Type().Field(i).Tag.Get("yaml"), v.Field(i)
		if field.Kind() == reflect.Interface {
			if field.IsNil() {
				continue
			}
			key, field = v.FieldByName("Rule").String(), field.Elem().Elem()
		}
		if n.Lacks(path + key) {
			continue
		}
		switch x := field.Interface().(type) {
		case map[string]fx.Type:
			if len(x) == 0 {
				continue
			}
			fmt.Fprintf(b, "%s%s:\n", indent, key)
			for _, tensor := range slices.Sorted(maps.Keys(x)) {
				fmt.Fprintf(b, "%s  %s: %v\n", indent, tensor, x[tensor])
			}
			continue
		}
		switch field.Kind() {
		case reflect.Struct:
			var inner bytes.Buffer
			n.writeFields(&inner, indent+"  ", path+key+".", field)
			if inner.Len() > 0 {
				fmt.Fprintf(b, "%s%s:\n%s", indent, key, &inner)
			}
		default:
			if text := valueText(field); text != "" {
				fmt.Fprintf(b, "%s%s: %s\n", indent, key, text)
			}
		}
	}
}

// valueText writes a value or a list in one line; empty for an empty text or list.
func valueText(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Slice:
		var list []string
		for j := range v.Len() {
			list = append(list, valueText(v.Index(j)))
		}
		if list == nil {
			return ""
		}
		return "[" + strings.Join(list, ", ") + "]"
	case reflect.Struct:
		var list []string
		for i := range v.NumField() {
			list = append(list, v.Type().Field(i).Tag.Get("yaml")+": "+valueText(v.Field(i)))
		}
		return "{" + strings.Join(list, ", ") + "}"
	case reflect.String:
		if v.Len() == 0 {
			return ""
		}
	}
	return scalarText(v)
}

// plainText needs no quotes in YAML, unless it is one of wordsOfYAML.
var (
	plainText   = regexp.MustCompile(`^[A-Za-z/][A-Za-z0-9_./-]*$`)
	wordsOfYAML = regexp.MustCompile(`(?i)^(true|false|null|yes|no|on|off|y|n|nan|inf)$`)
)

// scalarText writes one value so that setScalar reads the same.
func scalarText(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	case reflect.String:
		s := v.String()
		if plainText.MatchString(s) && !wordsOfYAML.MatchString(s) {
			return s
		}
		var quoted bytes.Buffer // a JSON text is a YAML text
		e := json.NewEncoder(&quoted)
		e.SetEscapeHTML(false)
		_ = e.Encode(s)
		return strings.TrimSpace(quoted.String())
	}
	return fmt.Sprint(v.Interface())
}

package goldentest

import (
	"regexp"
	"slices"
	"strings"
)

var (
	// verilogBlank are comments, strings, attributes and directives.
	verilogBlank = regexp.MustCompile(`(?m)//.*$|"[^"\n]*"|^\s*` + "`" + `.*$|\(\*[^)]*\*\)`)
	// verilogWord are numbers, names, names of ports that are connected, and marks.
	verilogWord = regexp.MustCompile(`\d*'s?[bdh]\w+|\.?[A-Za-z_$][\w$]*|\d+|[^\s\w]`)
	// declares begin a declaration.
	declares = []string{"wire", "reg", "integer", "genvar", "localparam", "parameter", "input", "output", "inout"}
)

// UsedEarly are the nets, variables and parameters of Verilog modules that are used before they are declared: tools differ in what they
// make of that.
func UsedEarly(text string) (list []string) {
	declared, used := map[string]bool{}, map[string]bool{}
	declaring, value, depth := false, false, 0
	for _, word := range verilogWord.FindAllString(verilogBlank.ReplaceAllString(text, ""), -1) {
		switch {
		case word == "module":
			clear(declared)
			clear(used)
		case slices.Contains(declares, word):
			declaring, value, depth = true, false, 0
		case word == ";":
			declaring = false
		case strings.Contains("([{", word):
			depth++
		case strings.Contains(")]}", word):
			if depth--; depth < 0 { // the end of the ports
				declaring = false
			}
		case declaring && depth == 0 && word == "=":
			value = true
		case declaring && depth == 0 && word == ",":
			value = false
		case !regexp.MustCompile(`^[A-Za-z_]`).MatchString(word):
		case declaring && !value && depth == 0:
			if used[word] && !declared[word] {
				list = append(list, word)
			}
			declared[word] = true
		default:
			used[word] = true
		}
	}
	return list
}

package design

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/constraints"
	"corinfo/golden/goldentest"
	"corinfo/golden/network"
	"corinfo/hdlgen"
	"corinfo/rtl"
)

var update = flag.Bool("update", false, "rewrite the golden texts")

// built is every file of a design.
func built(t *testing.T, n *network.Network, lanes int) map[string][]byte {
	t.Helper()
	return builtFor(t, n, lanes, Units(lanes), hdlgen.FastTarget)
}

// builtFor is built for a family, with a number of neuron units.
func builtFor(t *testing.T, n *network.Network, lanes, units int, target hdlgen.Target) map[string][]byte {
	t.Helper()
	p, err := New(n, lanes, units, target)
	require.NoError(t, err)
	files, _, err := Build(p, start(t, n))
	require.NoError(t, err)
	return files
}

// emitted tells the files that hdlgen prints from those of the library.
func emitted(name string) bool { return !strings.HasPrefix(name, "library/") }

// goldenDesigns are the designs whose text is kept: two of CorInfoMax, one of words beside synapses, words that layers share and registers on
// wires, and one that only classifies.
func goldenDesigns(t *testing.T) map[string]map[string][]byte {
	adam := goldentest.Under(testNetwork(t, []int{3, 2, 2}, 2, "hardware: {contexts: 2}\n"), "bp")
	classifies := goldentest.Under(testNetwork(t, []int{3, 2}, 1, "hardware: {learning: false}\n"), "ep")
	ecp5, err := constraints.GetFamily("ecp5")
	require.NoError(t, err)
	return map[string]map[string][]byte{
		"adam":       builtFor(t, adam, 4, 2, ecp5.Target),
		"classifies": built(t, classifies, 1),
		"events":     built(t, testNetwork(t, []int{3, 2, 2}, 1, ""), 1),
		"dense":      built(t, testNetwork(t, []int{3, 2}, 2, "hardware: {mode: dense}\nformats: {r: 'ap_ufixed<5,1,RND_CONV,SAT>', W: 'ap_fixed<7,2,TRN_ZERO,SAT_SYM>'}\n"), 2),
	}
}

// sums matches what in a design's own files follows from other texts: checksums, and the versions of cores.
var sums = regexp.MustCompile(`[0-9a-f]{64}|[0-9.]+-r[0-9]+`)

// withoutSums is a file's text without what follows from other texts, those of the library among them.
func withoutSums(name string, text []byte) []byte {
	if name != "corinfo.json" && path.Ext(name) != ".core" {
		return text
	}
	return sums.ReplaceAll(text, []byte("..."))
}

// firstDifference shows the first line in which two texts differ; "" if none does.
func firstDifference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(a), len(b)) {
		if i >= len(a) || i >= len(b) || a[i] != b[i] {
			return fmt.Sprintf("line %d\n- %s\n+ %s", i+1, strings.Join(a[min(i, len(a)):min(i+1, len(a))], ""), strings.Join(b[min(i, len(b)):min(i+1, len(b))], ""))
		}
	}
	return ""
}

// The emitted text of four tiny designs is what testdata keeps: a change shows in review. -update rewrites it.
func TestGoldenText(t *testing.T) {
	kept := map[string]bool{}
	for design, files := range goldenDesigns(t) {
		for name, text := range files {
			if !emitted(name) {
				continue
			}
			text := withoutSums(name, text)
			file := filepath.Join("testdata", design, filepath.FromSlash(name))
			kept[file] = true
			if *update {
				require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
				require.NoError(t, os.WriteFile(file, text, 0o644))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err, "go test ./hdlgen/design -update makes it")
			require.Empty(t, firstDifference(string(want), string(text)), "%s: go test ./hdlgen/design -update takes the new text", file)
		}
	}
	require.NoError(t, filepath.WalkDir("testdata", func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() && !kept[path] {
			if *update {
				return os.Remove(path)
			}
			err = fmt.Errorf("%s: no design makes it; go test ./hdlgen/design -update removes it", path)
		}
		return err
	}))
}

// Emitted text is deterministic, at most 120 columns wide and without blanks at the ends of lines; registers have no
// initial value, every generate block a name, and nothing is used before it is declared.
func TestEmittedText(t *testing.T) {
	for _, c := range []struct {
		layers       []int
		lanes, batch int
		more         string
	}{
		{[]int{784, 64, 10}, 16, 20, ""},
		{[]int{12, 9, 8, 7, 6, 5}, 3, 2, "formats: {r1: 'ap_ufixed<9,1,RND,SAT>', W: 'ap_fixed<7,1,TRN,WRAP>', u2: 'ap_fixed<16,4,RND_CONV,SAT_SYM>'}\n"},
	} {
		n := testNetwork(t, c.layers, c.batch, c.more)
		files, again := built(t, n, c.lanes), built(t, n, c.lanes)
		for name, text := range files {
			require.True(t, bytes.Equal(text, again[name]), name)
			if !strings.HasSuffix(name, ".v") {
				continue
			}
			require.Empty(t, unnamedBlocks(string(text)), name)
			require.Empty(t, usedEarly(string(text)), name)
			for i, line := range strings.Split(string(text), "\n") {
				at := fmt.Sprintf("%s:%d: %s", name, i+1, line)
				require.Equal(t, strings.TrimRight(line, " \t"), line, at)
				require.LessOrEqual(t, len(line), 120, at)
				if emitted(name) {
					require.NotRegexp(t, regexp.MustCompile(`\[0 \+`), line, at)
					require.NotContains(t, line, "initial ", at)
				} else if strings.Contains(line, "initial ") && !slices.Contains([]string{"corinfo_delay.v", "corinfo_ring.v", "corinfo_ram.v", "corinfo_reset.v", "corinfo_status.v", "corinfo_table.v"}, path.Base(name)) {
					require.Fail(t, "a register or a memory with an initial value", at)
				}
			}
		}
	}
}

// unnamedBlocks are the lines of a module that open a generate block without a name: a begin outside of processes and
// functions that no name follows, and an if, a for or a case there without begin.
func unnamedBlocks(text string) (lines []int) {
	text = regexp.MustCompile(`//[^\n]*|"[^"\n]*"`).ReplaceAllString(text, "")
	spans := regexp.MustCompile(`\w+|[^\s\w]`).FindAllStringIndex(text, -1)
	at := 0
	word := func() string {
		if at >= len(spans) {
			return ""
		}
		return text[spans[at][0]:spans[at][1]]
	}
	line := func() int { return 1 + strings.Count(text[:spans[at][0]], "\n") }
	// balanced passes over what stands in brackets.
	balanced := func() {
		for depth := 0; word() != ""; at++ {
			switch word() {
			case "(":
				depth++
			case ")":
				depth--
			}
			if depth == 0 {
				at++
				return
			}
		}
	}
	// process passes over one statement of a process.
	var process func()
	process = func() {
		switch word() {
		case "begin", "case", "casez":
			for depth := 0; word() != ""; at++ {
				switch word() {
				case "begin", "case", "casez":
					depth++
				case "end", "endcase":
					depth--
				}
				if depth == 0 {
					at++
					return
				}
			}
		case "if", "for", "while", "repeat":
			is := word()
			at++
			balanced()
			process()
			if is == "if" && word() == "else" {
				at++
				process()
			}
		case "@":
			if at++; word() == "(" {
				balanced()
			} else {
				at++
			}
			process()
		default:
			for word() != ";" && word() != "" {
				at++
			}
			at++
		}
	}
	for word() != "" {
		switch word() {
		case "always", "initial":
			at++
			process()
		case "function", "task":
			for end := "end" + word(); word() != end && word() != ""; {
				at++
			}
		case "if", "for", "case", "else":
			is, opened := word(), line()
			if at++; word() == "(" {
				balanced()
			}
			if word() != "begin" && (is != "else" || word() != "if") {
				lines = append(lines, opened)
			}
		case "begin":
			opened := line()
			if at++; word() != ":" {
				lines = append(lines, opened)
			}
		default:
			at++
		}
	}
	return lines
}

// The check above sees what has no name, and nothing else.
func TestUnnamedBlocks(t *testing.T) {
	for text, want := range map[string][]int{
		"for (i = 0; i < 1; i = i + 1) begin : gen_lane\nend":                                                                         nil,
		"for (i = 0; i < (1 + 2); i = i + 1) begin\nend":                                                                              {1},
		"\nif (A) begin : gen_a\nend else begin\nend":                                                                                 {3},
		"if (A) begin : gen_a\nend else if (B) begin : gen_b\nend":                                                                    nil,
		"if (A) assign b = c;\nelse assign b = d;":                                                                                    {1, 2},
		"always @(posedge clk_i) begin\nif (a) begin\nb <= c;\nend\nend\ngenerate\nif (x) begin":                                      {7},
		"always @(posedge clk_i) if (a) b <= c; else begin\nfor (i = 0; i < 2; i = i + 1) begin\nend\nend\nif (x) begin // : no name": {5},
		"always @* begin\ncase (a)\n1: begin\nend\ndefault: ;\nendcase\nend\nbegin":                                                   {8},
		"initial if (File != \"begin\") $readmemh(File, words);\nbegin : named\nend":                                                  nil,
		"function [3:0] f(input a);\nbegin\nif (a) begin\nend\nend\nendfunction\nfor (;;) begin":                                      {7},
	} {
		require.Equal(t, want, unnamedBlocks(text), text)
	}
	library, err := rtl.Files.ReadFile("corinfo_control.v")
	require.NoError(t, err)
	named := regexp.MustCompile(`begin : gen_\w+`)
	require.Len(t, unnamedBlocks(named.ReplaceAllString(string(library), "begin")), len(named.FindAll(library, -1)))
	require.NotEmpty(t, named.FindAll(library, -1))
}

var (
	// verilogBlank are comments, strings, attributes and directives.
	verilogBlank = regexp.MustCompile(`(?m)//.*$|"[^"\n]*"|^\s*` + "`" + `.*$|\(\*[^)]*\*\)`)
	// verilogWord are numbers, names, names of ports that are connected, and marks; verilogName those that are names.
	verilogWord = regexp.MustCompile(`\d*'s?[bdh]\w+|\.?[A-Za-z_$][\w$]*|\d+|[^\s\w]`)
	verilogName = regexp.MustCompile(`^[A-Za-z_]`)
	// declares begin a declaration.
	declares = []string{"wire", "reg", "integer", "genvar", "localparam", "parameter", "input", "output", "inout"}
)

// usedEarly are the nets, variables and parameters of Verilog modules that are used before they are declared: tools differ in what they
// make of that.
func usedEarly(text string) (list []string) {
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
		case !verilogName.MatchString(word):
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

// The check of declarations sees what is used before its own.
func TestUsedEarly(t *testing.T) {
	for text, want := range map[string][]string{
		"module m (input wire a, output wire b);\nassign b = a;\nendmodule":                                            nil,
		"module m (output wire b);\nassign b = c;\nwire c, d;\nendmodule":                                              {"c"},
		"module m #(parameter W = 2) (input wire [W-1:0] a);\nm u_m (.a(b[W]));\nwire x = a, b;\nendmodule":            {"b"},
		"module m;\nwire [N:0] a; // N\nlocalparam N = 2;\nendmodule\nmodule n;\nwire N;\nassign N = 1'b0;\nendmodule": {"N"},
		"module m;\nu u_u (.a(1'b0), .b(\"b\"));\nwire a, b;\nendmodule":                                               nil,
	} {
		require.Equal(t, want, usedEarly(text), text)
	}
}

// Text does not grow with the network, the samples in flight or the lanes.
func TestTextSize(t *testing.T) {
	of := func(layers []int, lanes, contexts int) map[string][]byte {
		return built(t, testNetwork(t, layers, 1, fmt.Sprintf("hardware: {contexts: %d}\n", contexts)), lanes)
	}
	small := of([]int{784, 64, 10}, 16, 1)
	for _, c := range []struct {
		layers          []int
		lanes, contexts int
	}{
		{[]int{784, 500, 10}, 16, 1},
		{[]int{784, 64, 10}, 16, 2},
		{[]int{784, 64, 10}, 16, 4},
		{[]int{784, 64, 10}, 64, 1},
		{[]int{784, 500, 10}, 250, 4},
	} {
		large := of(c.layers, c.lanes, c.contexts)
		for name, text := range small {
			if path.Ext(name) != ".v" {
				continue
			}
			require.InDelta(t, len(text), len(large[name]), 0.03*float64(len(text)), "%s of %v", name, c)
		}
		for name := range large {
			if path.Ext(name) == ".v" {
				require.Contains(t, small, name, "a module more")
			}
		}
	}
}

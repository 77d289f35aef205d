package sim

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A mutation is one token of a module replaced by another that compiles.
type mutation struct {
	file                string
	statement, replaced string // on one line
}

func (m mutation) String() string {
	return fmt.Sprintf("%s: %s -> %s", m.file, m.statement, m.replaced)
}

// hash orders mutations by what they change, not by where it stands.
func (m mutation) hash() string { return fmt.Sprintf("%x", sha256.Sum256([]byte(m.String()))) }

// constant replaces the digits of a constant: none, one, the last bit inverted.
func constant(base int) func(string) []string {
	return func(old string) []string {
		v, err := strconv.ParseUint(old, base, 64)
		if err != nil {
			return nil
		}
		return []string{"0", "1", strconv.FormatUint(v^1, base)}
	}
}

// other replaces a token by others.
func other(list ...string) func(string) []string { return func(string) []string { return list } }

// swaps are the tokens that mutations replace: group 1. Patterns keep to places where the other token is legal.
var swaps = []struct {
	pattern *regexp.Regexp
	with    func(old string) []string
}{
	{regexp.MustCompile(` (\+) `), other("-")},
	{regexp.MustCompile(` (-) `), other("+")},
	{regexp.MustCompile(` (\*) `), other("+")},
	{regexp.MustCompile(` (==) `), other("!=")},
	{regexp.MustCompile(` (!=) `), other("==")},
	{regexp.MustCompile(` (&&) `), other("||")},
	{regexp.MustCompile(` (\|\|) `), other("&&")},
	{regexp.MustCompile(` (<) `), other(">")},
	{regexp.MustCompile(` (>) `), other("<")},
	{regexp.MustCompile(` (\^) `), other("&")},
	{regexp.MustCompile(`\d'd(\d+)`), constant(10)},
	{regexp.MustCompile(`\d'h([0-9a-f]+)`), constant(16)},
	{regexp.MustCompile(`1'b([01])\b`), other("0", "1")},
	{regexp.MustCompile(`\? ([A-Za-z]\w+) : \w+`), other("0")},
	{regexp.MustCompile(`[(&|] ?(!)\w`), other("")},
	{regexp.MustCompile(`:(\d+)\]`), func(old string) []string {
		n, _ := strconv.Atoi(old)
		return []string{strconv.Itoa(n + 1), strconv.Itoa(max(0, n-1))}
	}},
	// What a register or a net takes, what a condition asks, what an instance is given.
	{regexp.MustCompile(`^[^?]* <= (\w+(?:\[[^\]]*\])?);`), func(old string) []string { return []string{"~" + old} }},
	{regexp.MustCompile(`^assign \w+ = (\w+(?:\[[^\]]*\])?);`), func(old string) []string { return []string{"~" + old} }},
	{regexp.MustCompile(`if \((\w+)\) begin`), func(old string) []string { return []string{"!" + old} }},
	{regexp.MustCompile(`^\.\w+_i *\((\w+(?:\[[^\]]*\])?)\),?$`), func(old string) []string {
		if old == "clk_i" {
			return nil // an edge is not a token
		}
		return []string{"~" + old}
	}},
	// A number of an instance: a width, a depth, a number of cycles.
	{regexp.MustCompile(`^\.\w+ *\((\d+)\),?$`), func(old string) []string {
		n, _ := strconv.Atoi(old)
		return []string{strconv.Itoa(max(n-1, 1-n))}
	}},
}

// extension opens the count of an extension's bits, {(N - 1){1'b0}}: those beyond the width are cut off.
var extension = regexp.MustCompile(`\{\([^(){}]*$`)

// statement is what mutations change: assignments, conditions and the operands of instances; no declarations.
var statement = regexp.MustCompile(`(?m)^ +(assign [^;]*;|[\w \[\]{}:,*+-]+ <= [^;]*;|\w+ += [^;]*;|[\w ]*if \([^;]*?\) begin|` +
	`\.\w+ *\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\),?)$`)

// oneLine is a statement without its line breaks.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// mutationsOf lists every mutation of a module's text.
func mutationsOf(file, text string) (all []mutation) {
	met := map[string]bool{}
	for _, span := range statement.FindAllStringIndex(text, -1) {
		words := oneLine(text[span[0]:span[1]])
		if strings.Contains(words, "//") || strings.Contains(words, "unused") {
			continue // the latter is what lint asks for: nothing reads it
		}
		for _, s := range swaps {
			for _, at := range s.pattern.FindAllStringSubmatchIndex(words, -1) {
				if extension.MatchString(words[:at[2]]) {
					continue
				}
				for _, with := range s.with(words[at[2]:at[3]]) {
					m := mutation{file, words, words[:at[2]] + with + words[at[3]:]}
					if m.replaced != words && !met[m.String()] {
						met[m.String()] = true
						all = append(all, m)
					}
				}
			}
		}
	}
	return all
}

// apply gives a module's text with the mutation, if it has the statement.
func (m mutation) apply(text string) (changed string, ok bool) {
	for _, span := range statement.FindAllStringIndex(text, -1) {
		if oneLine(text[span[0]:span[1]]) == m.statement {
			return text[:span[0]] + "  " + m.replaced + text[span[1]:], true
		}
	}
	return "", false
}

// mutationCases are the designs that a mutant must pass to survive; together they have every module.
var mutationCases = []testCase{
	{layers: []int{12, 9, 8, 5}, lanes: 3, batch: 1, rule: "divide_by_slow_loop_index", formats: "default", early: true, wild: true, contexts: 3},
	{layers: []int{7, 5, 4}, lanes: 2, batch: 2, rule: "constant", formats: "coarse", stall: true, dense: true, early: true},
	{layers: []int{7, 5, 4}, lanes: 3, batch: 2, rule: "constant", formats: "uneven", three: true, wild: true, contexts: 2},
	{layers: []int{7, 6, 4}, lanes: 4, batch: 3, rule: "constant", formats: "default", early: true, contexts: 2, wires: 2, sparse: true},
	// More columns than are fetched ahead, without terms.
	{layers: []int{4, 26, 3}, lanes: 2, batch: 1, rule: "constant", formats: "still", early: true, sparse: true},
}

// exempt are mutations that no run can tell from the design, with the reason.
var exempt = []struct {
	mutant *regexp.Regexp // of mutation.String()
	reason string
}{
	{regexp.MustCompile(`^corinfo_products.v: assign sum_re_o.* -> .*\(read \|\| read_context == `), "reads more, words that no one takes"},
	{regexp.MustCompile(`^corinfo_control.v: start_q <= 1'b0; -> start_q <= 1'b1;$`), "in reset no instruction settles or records, and a pass that starts for neither does nothing"},
	{regexp.MustCompile(`^corinfo_events.v: item_(clear|slot|lane|column|stride) = (1'b0|\{\w+\{1'b0\}\}); -> `), "replaced in every case: the chosen context is one of those that there are"},
}

// exemption is the reason for which nothing can find a mutation, "" if something must.
func exemption(m mutation) string {
	for _, e := range exempt {
		if e.mutant.MatchString(m.String()) {
			return e.reason
		}
	}
	return ""
}

// pipelineFile are the modules that hdlgen's TestPipelineMutants mutates: vectors know their corners better than a run.
var pipelineFile = regexp.MustCompile(`^tester_(soma|record|update|synapse|interneuron)\d*\.v$`)

// TestMutants changes single tokens in every module of designs, the library's and the emitted ones, but for the pipelines: the lock
// step finds every mutant that is not listed as exempt, and none that is. CORINFO_MUTANTS sets how many of each module, "all"
// for every one, without it it is one of a third of them; CORINFO_MUTANT is a regular expression of those to try.
func TestMutants(t *testing.T) {
	needTool(t, "iverilog")
	count, whole := countOf(t, "CORINFO_MUTANTS", 0)
	few := count == 0 && !whole // the first of a third of the modules
	switch {
	case whole:
		count = math.MaxInt
	case few:
		count = 1
	}
	designs := make([]*mutant, len(mutationCases))
	modules := map[string][]mutation{}
	for i, c := range mutationCases {
		d := c.generate(t)
		o := c.options(d, Icarus, rand.New(rand.NewPCG(3, 4)))
		o.Inference = append(o.Inference, Sample{X: make([]int64, d.Network.Layers[0])}) // ends early
		designs[i] = &mutant{dir: d.Dir, o: o}
		for _, path := range d.Manifest.Files {
			file := filepath.Base(path)
			if pipelineFile.MatchString(file) {
				continue
			}
			text, err := os.ReadFile(filepath.Join(d.Dir, path))
			require.NoError(t, err)
			for _, m := range mutationsOf(file, string(text)) {
				if !slices.Contains(modules[file], m) {
					modules[file] = append(modules[file], m)
				}
			}
		}
	}
	for _, e := range exempt {
		matches := false
		for _, all := range modules {
			matches = matches || slices.ContainsFunc(all, func(m mutation) bool { return e.mutant.MatchString(m.String()) })
		}
		require.True(t, matches, "no mutation is like %v: it says nothing any more", e.mutant)
	}
	var only *regexp.Regexp
	if text := os.Getenv("CORINFO_MUTANT"); text != "" {
		only, count = regexp.MustCompile(text), math.MaxInt
	}
	tried, found, same := 0, 0, 0
	for _, file := range slices.Sorted(maps.Keys(modules)) {
		t.Run(file, func(t *testing.T) {
			all := modules[file]
			// In the order of hashes: the same mutants every time, and another line elsewhere draws no others.
			slices.SortFunc(all, func(a, b mutation) int { return cmp.Compare(a.hash(), b.hash()) })
			if few && only == nil && all[0].hash()[63] > '4' {
				t.Skip("CORINFO_MUTANTS=1 tries one of it")
			}
			if only != nil {
				all = slices.DeleteFunc(all, func(m mutation) bool { return !only.MatchString(m.String()) })
			}
			here := map[string]int{}
			for _, m := range all[:min(count, len(all))] {
				verdict, reason := m.kill(t, designs), exemption(m)
				switch {
				case verdict == "broken":
					here["do not run"]++
					t.Logf("does not run: %v", m)
				case verdict != "":
					here["found"]++
					if verdict == "time" {
						t.Logf("does not end: %v", m) // or the machine is slow
					}
					if reason != "" {
						t.Errorf("%v: found by %s: not exempt at all, %s", m, verdict, reason)
					}
				case reason != "":
					here["exempt"]++
				default:
					here["survive"]++
					t.Errorf("survives: %v", m)
				}
			}
			t.Logf("%s: %d of %d mutants: %v", file, min(count, len(all)), len(all), here)
			tried, found, same = tried+min(count, len(all)), found+here["found"], same+here["exempt"]
		})
	}
	t.Logf("%d mutants: %d found, %d exempt", tried, found, same)
}

// mutant is a design that mutations are tried on.
type mutant struct {
	dir   string
	o     Options
	whole [2]bool // it passes without a mutation, without and with a closing part
}

// run gives what differs in the design as it stands: "" nothing, "broken" it does not compile.
func (d *mutant) run(t *testing.T, closing bool) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	o := d.o
	o.Closing = closing
	report, err := Cosim(ctx, reopen(t, d.dir), o)
	switch {
	case ctx.Err() != nil:
		return "time" // a loop without delay
	case err != nil && strings.Contains(err.Error(), "iverilog in "):
		return "broken"
	case err != nil:
		return "an error"
	case report.Mismatch != nil:
		return report.Mismatch.Tensor
	}
	return ""
}

// kill runs the designs that have the statement with the mutation, and says what found it: "" nothing, "broken" it does not
// compile. Samples alone find most of them, the closing part most of the others.
func (m mutation) kill(t *testing.T, designs []*mutant) string {
	t.Helper()
	for i, closing := range []bool{false, true} {
		for _, d := range designs {
			path := verilogPath(d.dir, m.file)
			text, err := os.ReadFile(path)
			if os.IsNotExist(err) {
				continue
			}
			require.NoError(t, err)
			changed, ok := m.apply(string(text))
			if !ok {
				continue
			}
			if !d.whole[i] {
				require.Empty(t, d.run(t, closing), "a design without a mutation")
				d.whole[i] = true
			}
			require.NoError(t, os.WriteFile(path, []byte(changed), 0o644))
			verdict := d.run(t, closing)
			require.NoError(t, os.WriteFile(path, text, 0o644))
			if verdict != "" {
				return verdict
			}
		}
	}
	return ""
}

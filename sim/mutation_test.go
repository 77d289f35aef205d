package sim

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A mutation is one token of a module replaced by another that compiles.
type mutation struct {
	file     string
	offset   int // in the file
	within   int // in the line
	old, new string
	line     string
}

// hash orders mutations by what they change, not by where it stands.
func (m mutation) hash() string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(m.file+m.line+m.old+m.new+fmt.Sprint(m.within))))
}

func (m mutation) String() string {
	return fmt.Sprintf("%s:%d %q -> %q in %s", m.file, m.offset, m.old, m.new, m.line)
}

// swaps are the tokens that mutations replace. Patterns keep to places where the other token is legal.
var swaps = []struct {
	pattern *regexp.Regexp // group 1 is replaced
	with    []string
}{
	{regexp.MustCompile(` (\+) `), []string{"-"}},
	{regexp.MustCompile(` (-) `), []string{"+"}},
	{regexp.MustCompile(` (==) `), []string{"!="}},
	{regexp.MustCompile(` (!=) `), []string{"=="}},
	{regexp.MustCompile(` (&&) `), []string{"||"}},
	{regexp.MustCompile(` (\|\|) `), []string{"&&"}},
	{regexp.MustCompile(` (<) `), []string{">"}},
	{regexp.MustCompile(` (>) `), []string{"<"}},
	{regexp.MustCompile(`\d's?h([0-9a-f]+)[ ;}),]`), []string{"0", "1"}},
	{regexp.MustCompile(`1'b([01])\b`), []string{"0", "1"}},
	{regexp.MustCompile(`\? ([a-z]\w+) : \w+`), []string{"0"}},
	{regexp.MustCompile(`[(&|] ?(!)\w`), []string{""}},
}

// extension opens the count of an extension's zeros, {(N - 1){1'b0}}: the bits beyond are cut off.
var extension = regexp.MustCompile(`\{\(\w+ $`)

// statement lines are what mutations change: assignments in a module's body, no declarations of widths.
var statement = regexp.MustCompile(`(?m)^\s+(assign .*|.* <= .*|.*if \(.*|[&|?:(+].*;|\s+[&|:].*)$`)

// equivalent marks lines whose change no output can show or that only cost time, with the reason.
var equivalent = []struct{ text, reason string }{
	{"unused", "what lint asks for: nothing reads it"},
	{"_room_q", "fetches fewer ahead: the same products, later"},
	{"rst_i", "after a reset from any state nothing else shows"},
}

// mutationsOf lists every mutation of a module's text.
func mutationsOf(file, text string) (all []mutation) {
	for _, span := range statement.FindAllStringIndex(text, -1) {
		line := text[span[0]:span[1]]
		skip := strings.Contains(line, "//") && strings.Index(line, "//") < 6
		for _, e := range equivalent {
			skip = skip || strings.Contains(line, e.text)
		}
		if skip {
			continue
		}
		for _, s := range swaps {
			for _, at := range s.pattern.FindAllStringSubmatchIndex(line, -1) {
				old := line[at[2]:at[3]]
				if extension.MatchString(line[:at[2]]) {
					continue
				}
				for _, with := range s.with {
					if with != old {
						all = append(all, mutation{file, span[0] + at[2], at[2], old, with, strings.TrimSpace(line)})
					}
				}
			}
		}
	}
	return all
}

// mutationCases are the designs that a mutant must pass to survive.
var mutationCases = []testCase{
	{layers: []int{12, 9, 8, 5}, lanes: 3, batch: 1, rule: "divide_by_slow_loop_index", formats: "default", early: true, wild: true},
	{layers: []int{7, 5, 4}, lanes: 2, batch: 2, rule: "constant", formats: "coarse", stall: true, early: true},
	{layers: []int{7, 5, 4}, lanes: 3, batch: 2, rule: "constant", formats: "uneven", three: true, wild: true},
}

// mutatedModules are the modules whose mutants are drawn.
var mutatedModules = []string{"tester_soma", "tester_record", "tester_synapse", "corinfo_lane", "corinfo_terms", "corinfo_broadcast", "corinfo_event_queue", "corinfo_sequencer"}

// least is the share of mutants that the lock step must find. What survives is mostly the end of a range that no
// value of the samples leaves, and padding below the last place that is kept.
const least = 0.8

// Single tokens changed at random in the emitted modules and the library's: the lock step finds them. What
// survives is logged. CORINFO_MUTANTS sets how many, "all" for every one.
func TestMutants(t *testing.T) {
	needTool(t, "iverilog")
	count, whole := countOf(t, "CORINFO_MUTANTS", 24)
	designs := make([]*mutant, len(mutationCases))
	for i, c := range mutationCases {
		d := c.generate(t)
		designs[i] = &mutant{c, d.Dir, c.options(d, Icarus, rand.New(rand.NewPCG(3, 4)))}
	}
	var all []mutation
	seen := map[string]bool{}
	for _, d := range designs {
		files, err := filepath.Glob(filepath.Join(d.dir, "rtl", "*.v"))
		require.NoError(t, err)
		for _, path := range files {
			name := filepath.Base(path)
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			for _, prefix := range mutatedModules {
				if strings.HasPrefix(name, prefix) {
					for _, m := range mutationsOf(name, string(text)) {
						if !seen[m.String()] {
							seen[m.String()] = true
							all = append(all, m)
						}
					}
				}
			}
		}
	}
	// In the order of hashes: the same mutants every time, and another line elsewhere draws no others.
	slices.SortFunc(all, func(a, b mutation) int { return cmp.Compare(a.hash(), b.hash()) })
	if whole || count > len(all) {
		count = len(all)
	}
	killed, broken := 0, 0
	for _, m := range all[:count] {
		switch verdict := m.kill(t, designs); verdict {
		case "":
			t.Logf("survives: %v", m)
		case "broken":
			broken++
		default:
			killed++
		}
	}
	score := float64(killed) / float64(max(1, count-broken))
	t.Logf("%d mutants of %d: %d found, %d do not compile or run, score %.3f", count, len(all), killed, broken, score)
	require.GreaterOrEqual(t, score, least)
}

// mutant is a design that mutations are tried on.
type mutant struct {
	c   testCase
	dir string
	o   Options
}

// kill runs the designs that have the module with the mutation, and says what found it: "" nothing, "broken" it
// does not compile.
func (m mutation) kill(t *testing.T, designs []*mutant) string {
	for _, d := range designs {
		path := filepath.Join(d.dir, "rtl", m.file)
		text, err := os.ReadFile(path)
		if err != nil || m.offset+len(m.old) > len(text) || string(text[m.offset:m.offset+len(m.old)]) != m.old {
			continue
		}
		changed := string(text[:m.offset]) + m.new + string(text[m.offset+len(m.old):])
		require.NotEqual(t, string(text), changed)
		require.NoError(t, os.WriteFile(path, []byte(changed), 0o644))
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
		report, err := Cosim(ctx, reopen(t, d.dir), d.o)
		late := ctx.Err() != nil
		cancel()
		require.NoError(t, os.WriteFile(path, text, 0o644))
		if late {
			return "time" // a loop without delay
		}
		if err != nil {
			return "broken"
		}
		if report.Mismatch != nil {
			return report.Mismatch.Tensor
		}
	}
	return ""
}

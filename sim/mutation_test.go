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

// A mutation is one token of a library module replaced by another that compiles.
type mutation struct {
	file                string
	from, to            int // the statement's bytes in the file
	statement, replaced string
}

func (m mutation) String() string {
	return fmt.Sprintf("%s: %s -> %s", m.file, m.statement, m.replaced)
}

// hash orders mutations by what they change, not by where it stands.
func (m mutation) hash() string { return fmt.Sprintf("%x", sha256.Sum256([]byte(m.String()))) }

// swaps are the tokens that mutations replace: group 1. Patterns keep to places where the other token is legal.
var swaps = []struct {
	pattern *regexp.Regexp
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
	{regexp.MustCompile(` (\^) `), []string{"&"}},
	{regexp.MustCompile(`\d'd(\d+)`), []string{"0", "1"}},
	{regexp.MustCompile(`1'b([01])\b`), []string{"0", "1"}},
	{regexp.MustCompile(`\? ([A-Za-z]\w+) : \w+`), []string{"0"}},
	{regexp.MustCompile(`[(&|] ?(!)\w`), []string{""}},
}

// extension opens the count of an extension's bits, {(N - 1){1'b0}}: those beyond the width are cut off.
var extension = regexp.MustCompile(`\{\([^(){}]*$`)

// statement is what mutations change: assignments, conditions and the operands of instances; no declarations.
var statement = regexp.MustCompile(`(?m)^ +(assign [^;]*;|[\w \[\]{}:,*+-]+ <= [^;]*;|\w+ += [^;]*;|[\w ]*if \([^;]*?\) begin|\.\w+ *\([^\n]*\),?)$`)

// hidden are parts of statements whose change the lock step cannot show, with the reason.
var hidden = []struct{ text, reason string }{
	{"unused", "what lint asks for: nothing reads it"},
	{"_room_q", "fetches fewer ahead: the same products, later"},
	{".settling_i", "a time that neither the model nor the harness sees"},
	{".updating_i", "a time that neither the model nor the harness sees"},
	{"write_q", "only the host writes so; hosts of the co-simulation read"},
	{"rst_i", "after a reset from any state nothing else shows"},
}

// mutationsOf lists every mutation of a module's text.
func mutationsOf(file, text string) (all []mutation) {
	met := map[string]bool{}
	for _, span := range statement.FindAllStringIndex(text, -1) {
		words := strings.Join(strings.Fields(text[span[0]:span[1]]), " ")
		skip := strings.Contains(words, "//")
		for _, h := range hidden {
			skip = skip || strings.Contains(words, h.text)
		}
		if skip {
			continue
		}
		for _, s := range swaps {
			for _, at := range s.pattern.FindAllStringSubmatchIndex(words, -1) {
				if extension.MatchString(words[:at[2]]) {
					continue
				}
				for _, with := range s.with {
					m := mutation{file, span[0], span[1], words, words[:at[2]] + with + words[at[3]:]}
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

// mutationCases are the designs that a mutant must pass to survive.
var mutationCases = []testCase{
	{layers: []int{12, 9, 8, 5}, lanes: 3, batch: 1, rule: "divide_by_slow_loop_index", formats: "default", early: true, wild: true, contexts: 3},
	{layers: []int{7, 5, 4}, lanes: 2, batch: 2, rule: "constant", formats: "coarse", stall: true, dense: true, early: true},
	{layers: []int{7, 5, 4}, lanes: 3, batch: 2, rule: "constant", formats: "uneven", three: true, wild: true, contexts: 2},
}

// least is the share of mutants that the lock step must find.
const least = 0.8

// Single tokens changed in the library's modules: the lock step finds them. What survives is logged. The emitted
// pipelines have hdlgen's TestPipelineMutants. CORINFO_MUTANTS sets how many, "all" for every one.
func TestMutants(t *testing.T) {
	needTool(t, "iverilog")
	count, whole := countOf(t, "CORINFO_MUTANTS", 20)
	designs := make([]*mutant, len(mutationCases))
	for i, c := range mutationCases {
		d := c.generate(t)
		o := c.options(d, Icarus, rand.New(rand.NewPCG(3, 4)))
		o.Inference = append(o.Inference, Sample{X: make([]int64, d.Network.Layers[0])}) // ends early
		designs[i] = &mutant{d.Dir, o}
	}
	// The library's modules that some design has in its list; the folder of every design has all of them.
	used := map[string]bool{}
	for _, d := range designs {
		for _, file := range reopen(t, d.dir).Manifest.Files {
			if strings.HasPrefix(file, "library/") {
				used[filepath.Base(file)] = true
			}
		}
	}
	var all []mutation
	for file := range used {
		text, err := os.ReadFile(verilogPath(designs[0].dir, file))
		require.NoError(t, err)
		all = append(all, mutationsOf(file, string(text))...)
	}
	// In the order of hashes: the same mutants every time, and another line elsewhere draws no others.
	slices.SortFunc(all, func(a, b mutation) int { return cmp.Compare(a.hash(), b.hash()) })
	if whole || count > len(all) {
		count = len(all)
	}
	killed, broken := 0, 0
	for _, m := range all[:count] {
		verdict := m.kill(t, designs)
		switch verdict {
		case "":
			t.Logf("survives: %v", m)
		case "broken":
			broken++
			t.Logf("does not run: %v", m)
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
	dir string
	o   Options
}

// kill runs the designs with the mutation, and says what found it: "" nothing, "broken" it does not compile.
func (m mutation) kill(t *testing.T, designs []*mutant) string {
	t.Helper()
	for _, d := range designs {
		path := verilogPath(d.dir, m.file)
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, m.statement, strings.Join(strings.Fields(string(text[m.from:m.to])), " "), "%s differs between designs", m.file)
		changed := string(text[:m.from]) + m.replaced + string(text[m.to:])
		require.NoError(t, os.WriteFile(path, []byte(changed), 0o644))
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
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

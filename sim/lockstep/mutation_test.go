package lockstep

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

	"corinfo/golden/goldentest"
	"corinfo/golden/network"
	"corinfo/golden/rule"
	"corinfo/hdlgen"
	"corinfo/hdlgen/design"
	"corinfo/sim"
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

// number replaces the digits of a constant: none, one, the last bit inverted.
func number(base int) func(string) []string {
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
	{regexp.MustCompile(`\d'd(\d+)`), number(10)},
	{regexp.MustCompile(`\d'h([0-9a-f]+)`), number(16)},
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
var mutationCases = []closingCase{
	{rule: "corinfomax", layers: []int{7, 5, 4}, batch: 2, lanes: 4, units: 2, contexts: 2, wires: 1, change: func(n *network.Network) {
		goldentest.CorInfoMax(n).Sparse = rule.Sparse{Layers: []int{1}, Nu: []float64{0.1}}
		n.Learning.Contrast = rule.WithCentred
	}},
	{rule: "ep", layers: []int{6, 5, 4, 3}, batch: 3, lanes: 3, units: 3, contexts: 3, change: func(n *network.Network) {
		hostTables(n)
		scheduled(n)
	}},
	{rule: "fa", layers: []int{4, 9, 3}, batch: 1, lanes: 4, units: 1, contexts: 1, change: func(n *network.Network) { n.Hardware.Mode = "dense" }},
	{rule: "bp", layers: []int{4, 3, 2}, batch: 2, lanes: 2, units: 1, contexts: 2, change: hostTables},
}

// exempt are mutants that no bit of these designs tells from them, with the reason.
var exempt = map[string]string{
	"corinfo_control.v: if (reset) begin -> if (!reset) begin": "whose events go first, the oldest sample's or always the first context's, " +
		"is a matter of cycles alone",

	"corinfo_control.v: oldest_q <= {ContextW{1'b0}}; -> oldest_q <= {ContextW{1'b1}};": "the first sample to come sets it",

	"corinfo_counters.v: turn_q <= 8'd0; -> turn_q <= 8'd1;": "turns go round, whichever is first",

	"corinfo_grant.v: owner_q <= {ContextW{1'b0}}; -> owner_q <= {ContextW{1'b1}};": "which sample has its turn first is a matter of cycles alone",

	"corinfo_grant.v: assign starting[c] = start_q && owner_q == Index[ContextW-1:0]; -> " +
		"assign starting[c] = start_q && owner_q != Index[ContextW-1:0];": "a sample whose step starts has no event that could go, or is held; " +
		"others wait for a cycle",

	"corinfo_terms.v: fill_q <= rst_i ? 2'd0 : {fill_q[0], start_i}; -> " +
		"fill_q <= rst_i ? 2'd1 : {fill_q[0], start_i};": "a column is asked about behind a reset, and again when an update begins",

	"corinfo_join.v: assign write_neuron_o = update_i ? update_row_i : steps_row_i; -> " +
		"assign write_neuron_o = update_i ? 0 : steps_row_i;": "it tells padding, whose sums are 0 in an update: nothing overflows or is lost",

	"corinfo_status.v: assign late = late_q && limit_q != 32'd0 && busy_i && !progress_i && !updating_i; -> " +
		"assign late = late_q && limit_q != 32'd0 && busy_i && progress_i && !updating_i;": "no watchdog is set here; TestStatus finds it",

	"corinfo_synapses.v: assign beside_o = {BesideW{1'b0}}; -> assign beside_o = {BesideW{1'b1}};": "where there are no words beside synapses " +
		"nothing reads them",

	"corinfo_divide.v: assign positive = |divisor_i[RestW-1:0] && !(DivisorSigned != 0 && divisor_i[DivisorWidth-1]); -> " +
		"assign positive = |divisor_i[RestW-1:0] && !(DivisorSigned == 0 && divisor_i[DivisorWidth-1]);": "no divisor of a rule gets that far; " +
		"hdlgen's TestFunctionMutants has every word",
}

// glue are the modules that hdlgen's TestPipelineMutants does not mutate: the library, and what joins the formulas' pipelines.
var glue = regexp.MustCompile(`^(corinfo_\w+|tester|tester_unit|tester_shared)\.v$`)

// TestTokenMutants changes single tokens in every module of designs, the library's and the emitted ones, but for the pipelines: the lock
// step or a property finds every mutant. CORINFO_MUTANTS sets how many of each module, "all" for every one; CORINFO_MUTANT is a regular
// expression of those to try. Without either, TestMutants' own are enough.
func TestTokenMutants(t *testing.T) {
	count := 0
	if text := os.Getenv("CORINFO_MUTANTS"); text == "all" {
		count = math.MaxInt
	} else if text != "" {
		var err error
		count, err = strconv.Atoi(text)
		require.NoError(t, err)
	}
	var only *regexp.Regexp
	if text := os.Getenv("CORINFO_MUTANT"); text != "" {
		only, count = regexp.MustCompile(text), math.MaxInt
	}
	if count == 0 {
		t.Skip("CORINFO_MUTANTS=1 tries one of each module")
	}
	designs := make([]*mutant, len(mutationCases))
	modules := map[string][]mutation{}
	for i, c := range mutationCases {
		rng := rand.New(rand.NewPCG(3, uint64(i)))
		d := c.generate(t, rng)
		o := sim.Options{Simulator: sim.Icarus, Inference: samplesOf(d, 2, rng), Learning: samplesOf(d, c.batch+1, rng), Properties: true}
		o.Inference = append(o.Inference, hdlgen.Sample{X: make([]int64, c.layers[0])}) // ends early
		for _, s := range o.Learning {
			s.X[0] = -1 // all ones, of which a zero is told
			if x := d.Plan.A.InputType().Format; !x.Signed {
				s.X[0] = x.Word(x.Max())
			}
		}
		designs[i] = &mutant{d: d, o: o}
		for _, path := range d.Manifest.Files {
			file := filepath.Base(path)
			if !glue.MatchString(file) {
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
	for name := range exempt {
		file, _, _ := strings.Cut(name, ":")
		require.True(t, slices.ContainsFunc(modules[file], func(m mutation) bool { return m.String() == name }), "no mutant is %s any more", name)
	}
	tried, found := 0, 0
	for _, file := range slices.Sorted(maps.Keys(modules)) {
		t.Run(file, func(t *testing.T) {
			all := modules[file]
			// In the order of hashes: the same mutants every time, and another line elsewhere draws no others.
			slices.SortFunc(all, func(a, b mutation) int { return cmp.Compare(a.hash(), b.hash()) })
			if only != nil {
				all = slices.DeleteFunc(all, func(m mutation) bool { return !only.MatchString(m.String()) })
			}
			here := map[string]int{}
			for _, m := range all[:min(count, len(all))] {
				verdict, reason := m.kill(t, designs), exempt[m.String()]
				switch {
				case reason != "":
					here["exempt"]++
					require.Empty(t, verdict, "%v is found, although %s", m, reason)
				case verdict == "broken":
					here["do not run"]++
					t.Logf("does not run: %v", m)
				case verdict == "":
					here["survive"]++
					t.Errorf("survives: %v", m)
				default:
					here["found"]++
					if verdict == "time" {
						t.Logf("does not end: %v", m) // or the machine is slow
					}
				}
			}
			t.Logf("%s: %d of %d mutants: %v", file, min(count, len(all)), len(all), here)
			tried, found = tried+min(count, len(all)), found+here["found"]
		})
	}
	t.Logf("%d mutants: %d found", tried, found)
}

// mutant is a design that mutations are tried on.
type mutant struct {
	d     *design.Design
	o     sim.Options
	whole [2]time.Duration // that it takes without a mutation, without and with a closing part; 0: not tried yet
}

// slow is how many times as long as without it a design with a mutation may take, and a minute at least: others use the machine too.
const slow = 10

// run gives what differs in the design as it stands, within a time: "" nothing, "broken" it does not compile.
func (d *mutant) run(t *testing.T, closing bool, limit time.Duration) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	o := d.o
	o.Closing = closing
	report, err := Cosim(ctx, d.d, o)
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
			path := verilogPath(d.d.Dir, m.file)
			text, err := os.ReadFile(path)
			if os.IsNotExist(err) {
				continue
			}
			require.NoError(t, err)
			changed, ok := m.apply(string(text))
			if !ok {
				continue
			}
			if d.whole[i] == 0 {
				start := time.Now()
				require.Empty(t, d.run(t, closing, time.Hour), "a design without a mutation")
				d.whole[i] = time.Since(start)
			}
			require.NoError(t, os.WriteFile(path, []byte(changed), 0o644))
			verdict := d.run(t, closing, max(time.Minute, slow*d.whole[i]))
			require.NoError(t, os.WriteFile(path, text, 0o644))
			if verdict != "" {
				return verdict
			}
		}
	}
	return ""
}

package hdlgen

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	fx "corinfo/fixedpoint"
	"corinfo/golden/goldentest"
	"corinfo/golden/training"
	vl "corinfo/hdlgen/verilog"
)

// mutatedFormats are the lines of the networks whose pipelines are mutated: those of their rule's section, and their formats.
var mutatedFormats = []struct{ name, own, lines string }{
	{"default", "", ""},
	{"uneven", "", `formats: {x: 'ap_ufixed<7,1,TRN,SAT>', r: 'ap_ufixed<9,1,RND_CONV,SAT>', r1: 'ap_fixed<10,2,TRN_ZERO,SAT_SYM>',
  u: 'ap_fixed<17,4,RND_INF,SAT>', u1: 'ap_fixed<14,4,RND_CONV,SAT_SYM>', current: 'ap_fixed<14,5,RND_MIN_INF,SAT_SYM>',
  current2: 'ap_fixed<12,4,TRN_ZERO,SAT>', lateral: 'ap_fixed<13,-2,RND_ZERO,SAT>', drive: 'ap_fixed<15,8,TRN,SAT_SYM>',
  e: 'ap_fixed<13,3,RND_CONV,SAT_ZERO>', e1: 'ap_fixed<9,2,TRN_ZERO,SAT>', d: 'ap_fixed<11,3,RND_INF,SAT_SYM>',
  c: 'ap_fixed<12,-3,RND_CONV,SAT>', W: 'ap_fixed<11,2,RND_ZERO,SAT_SYM>', W0: 'ap_fixed<13,2,STOCHASTIC,SAT>',
  F: 'ap_fixed<9,2,STOCHASTIC,SAT_SYM>', C: 'ap_fixed<14,-4,TRN_ZERO,SAT_ZERO>', C1: 'ap_fixed<12,-4,RND_CONV,SAT_SYM>',
  dW: 'ap_fixed<14,6,RND_CONV,SAT>', dF: 'ap_fixed<12,5,TRN_ZERO,SAT_SYM>', dC: 'ap_fixed<15,0,RND_MIN_INF,SAT>'}
`},
	{"coarse", "", `formats: {x: 'ap_ufixed<3,0,RND,SAT>', r: 'ap_ufixed<5,0,RND,SAT>', u: 'ap_fixed<7,1,RND,SAT>', current: 'ap_fixed<5,0,RND,SAT>',
  lateral: 'ap_fixed<6,-5,TRN,SAT>', drive: 'ap_fixed<8,3,RND,SAT>', e: 'ap_fixed<4,-1,RND,SAT>', d: 'ap_fixed<5,-1,RND,SAT_SYM>',
  c: 'ap_fixed<5,-7,RND,SAT>', W: 'ap_fixed<4,0,STOCHASTIC,SAT>', F: 'ap_fixed<5,0,RND,SAT>', C: 'ap_fixed<5,-5,STOCHASTIC,SAT>',
  dW: 'ap_fixed<5,-1,RND,SAT>', dF: 'ap_fixed<4,-1,TRN,WRAP>', dC: 'ap_fixed<5,-12,RND,SAT>'}
`},
	{"sparse", "sparse: {layers: [1, 2], nu: [0.3, 0.01]}", `formats: {excess2: 'ap_fixed<9,4,RND_CONV,SAT>', qu2: 'ap_fixed<16,4,TRN_ZERO,SAT_SYM>', q2: 'ap_ufixed<9,2,RND_INF,SAT>'}
`},
}

// A pipelineMutant is a pipeline's text with one token replaced by another that compiles.
type pipelineMutant struct {
	of        *mutatedPipeline
	statement string // on one line
	changed   string
	text      string // of the whole module
}

func (m pipelineMutant) String() string {
	return fmt.Sprintf("%s: %s -> %s", m.of.name, m.statement, m.changed)
}

// hash orders mutants by what they change, not by where it stands.
func (m pipelineMutant) hash() string { return fmt.Sprintf("%x", sha256.Sum256([]byte(m.String()))) }

// A mutatedPipeline is a pipeline of a design, its module renamed to dut, and the benches that its mutants run on.
type mutatedPipeline struct {
	name    string // formats and module
	graph   *fx.Graph
	text    string
	latency int
	benches [2]*bench // of aimed vectors, which find most mutants, and of those in which a last place shows
}

// run gives the first difference of a text to the graph.
func (p *mutatedPipeline) run(t *testing.T, text string) (difference string, err error) {
	t.Helper()
	for i := range p.benches {
		if p.benches[i] == nil {
			rng := rand.New(rand.NewPCG(1, 2)) // always the same: a mutant is found or is not
			vectors := aimedVectors(rng, p.graph, 16)
			if i == 1 {
				vectors = append(sensitiveVectors(rng, p.graph, 200000), rareVectors[p.name]...)
			}
			p.benches[i] = newBench(t, t.TempDir(), p.graph, p.latency, vectors)
			difference, err := p.benches[i].difference(p.text)
			require.NoError(t, err, p.name)
			require.Empty(t, difference, p.name)
		}
		if difference, err = p.benches[i].difference(text); difference != "" || err != nil {
			break
		}
	}
	return difference, err
}

// rareVectors are operands that draws seldom or never meet.
var rareVectors = map[string][][]int64{
	// TRN_ZERO drops one bit of a negative sum, its last: -33 2^33 - 33 31775 + 2 2^19 = -33 2^33 + 1.
	// And a quarter of a last place, no bit of it but the highest: -2^33 + 2^31.
	"uneven update4": {{-33, -1 << 15, 2, 31775}, {-1, -32 << 15, 128, 0}},
	// RND_CONV of a sum that is one above a tie: -33 2^33 - 33 31775 - 910 36 2^17 = -33 2^33 - 2^32 + 1.
	// And three quarters of a last place: 3 2^31.
	"uneven update3": {{-33, 910 << 15, 36, 31775}, {0, -384 << 15, 128, 0}},
	// RND of a sum that is one below a tie: 5 13107 = 2^16 - 1.
	"coarse update2": {{0, 5 << 6, 13107}},
	// A drive, then a potential, that is one below the tie.
	"coarse soma1": {
		{0, 0, 0, 15, 1, 0, 65536, 0, 0, 4096, 0, 1},
		{0, 0, 0, 0, 0, 1, 96469, 0, 0, 0, -125 * 256, 0},
	},
	// Negative potentials with one bit below the last place: -1 2^16 + 2^15, -1 2^16 + 2^14.
	"sparse interneuron2": {{1024 + 32, -1, 0, 1 << 15}, {1024 + 32, -1, 0, 1 << 14}},
}

// mutatedPipelines are the distinct pipelines of the rule's formulas in the formats above.
func mutatedPipelines(t *testing.T) (list []*mutatedPipeline) {
	t.Helper()
	met := map[string]bool{}
	for _, f := range mutatedFormats {
		n := goldentest.FromFile(t, []int{5, 4, 3}, 2, f.own, f.lines)
		a, err := training.Arithmetic(n)
		require.NoError(t, err)
		add := func(kind string, i int, g *fx.Graph) {
			if g == nil || met[g.Fingerprint()] {
				return
			}
			met[g.Fingerprint()] = true
			module, latency, err := Pipeline("dut", g, FastTarget, nil)
			require.NoError(t, err)
			var text bytes.Buffer
			require.NoError(t, vl.Fprint(&text, module))
			list = append(list, &mutatedPipeline{name: fmt.Sprintf("%s %s%d", f.name, kind, i), graph: g, text: text.String(), latency: latency})
		}
		for i := range a.Steps {
			add(a.D.Steps[i].Name, a.D.Steps[i].Layer, a.Steps[i].Graph)
		}
		for i := range a.Factors {
			add(a.D.Factors[i].Name, a.D.Factors[i].Layer, a.Factors[i].Graph)
		}
		for i := range a.Updates {
			add("update", i, a.Updates[i].Graph)
		}
	}
	return list
}

// pipelineStatement is an assignment or an update of a register, over all of its lines.
var pipelineStatement = regexp.MustCompile(`(?m)^ +(assign [^;]*;|\w+ +<= [^;]*;)`)

// pipelineSwaps are the tokens that mutants replace: group 1.
var pipelineSwaps = []struct {
	pattern *regexp.Regexp
	with    func(old string) []string
}{
	{regexp.MustCompile(` (\+|-|\*|==|!=|&&|\|\||<|>) `), func(old string) []string {
		return map[string][]string{"+": {"-"}, "-": {"+"}, "*": {"+"}, "==": {"!="}, "!=": {"=="}, "&&": {"||"}, "||": {"&&"}, "<": {">"}, ">": {"<"}}[old]
	}},
	// Constants: none, one, the last bit inverted.
	{regexp.MustCompile(`\d's?h([0-9a-f]+)`), func(old string) []string {
		v, err := strconv.ParseUint(old, 16, 64)
		if err != nil {
			return nil
		}
		return []string{"0", "1", fmt.Sprintf("%x", v^1)}
	}},
	// The first bit that is kept, the highest of those that are dropped.
	{regexp.MustCompile(`:(\d+)\]`), beside},
	{regexp.MustCompile(`\|\w+\[(\d+):`), func(old string) []string { return beside(old)[1:] }},
	{regexp.MustCompile(`[(&|] ?(!)\w`), func(string) []string { return []string{""} }},
	{regexp.MustCompile(` (\|)\w+(?:\[\d+:\d+\])?;`), func(string) []string { return []string{"&", "^"} }},
}

// pipelineBit is one bit of a net.
var pipelineBit = regexp.MustCompile(`(\w+)\[(\d+)\]`)

// otherBits are the bits to take instead of one: those beside it, but the last for a sign, which often is a
// copy of what is beside it.
func otherBits(text, net, index string) []string {
	if regexp.MustCompile(`\[` + index + `:0\] +` + net + `(_i)?[;, ]`).MatchString(text) {
		return []string{"0"}
	}
	return beside(index)
}

func beside(old string) []string {
	n, _ := strconv.Atoi(old)
	return []string{strconv.Itoa(n + 1), strconv.Itoa(max(0, n-1))}
}

// mutantsOf lists every mutant of a pipeline.
func mutantsOf(p *mutatedPipeline) (all []pipelineMutant) {
	met := map[string]bool{}
	for _, span := range pipelineStatement.FindAllStringIndex(p.text, -1) {
		statement := strings.Join(strings.Fields(p.text[span[0]:span[1]]), " ")
		if strings.Contains(statement, "_unused") {
			continue // what lint asks for: nothing reads it
		}
		replace := func(from, to int, others []string) {
			for _, with := range others {
				changed := statement[:from] + with + statement[to:]
				if changed != statement && !met[changed] {
					met[changed] = true
					all = append(all, pipelineMutant{p, statement, changed, p.text[:span[0]] + "  " + changed + p.text[span[1]:]})
				}
			}
		}
		for _, s := range pipelineSwaps {
			for _, at := range s.pattern.FindAllStringSubmatchIndex(statement, -1) {
				replace(at[2], at[3], s.with(statement[at[2]:at[3]]))
			}
		}
		for _, at := range pipelineBit.FindAllStringSubmatchIndex(statement, -1) {
			replace(at[4], at[5], otherBits(p.text, statement[at[2]:at[3]], statement[at[4]:at[5]]))
		}
	}
	return all
}

// equivalentMutants are those that no operands can tell from the pipeline, with the reason. Most are about the
// state, which is rounded from a potential that was clipped at 0.
var equivalentMutants = []struct {
	mutant *regexp.Regexp // of pipelineMutant.String()
	reason string
}{
	{regexp.MustCompile(`-> clip\w+ <= \w+\[(17|16|13)\] \? \d+'sh[01] : \|\w+\[(16:14|15:13|12:10)\] \? \d+'sh(400|40|200)[01] : \w+;$`),
		"the last bit of the bounds 0 and 1 is rounded away in the state"},
	{regexp.MustCompile(`^sparse .*-> clip\w+ <= potential_\d+\[\d+\] \? \d+'sh1 : potential_\d+;$`),
		"the last bit of the bound 0 is rounded away in the state"},
	{regexp.MustCompile(`^default soma1: .*-> (assign state_overflow = |state_\d+ <= )([&^]state_rounded\[14:11\]|\|state_rounded\[(13:11|14:12)\])(;| \? .*)$`),
		"no state is outside: these bits are zero"},
	{regexp.MustCompile(`^uneven soma2: .*-> (assign state_overflow = |state_\d+ <= )([&^]state_rounded\[12:9\]|\|state_rounded\[(11:9|12:10)\])(;| \? .*)$`),
		"no state is outside: these bits are zero"},
	{regexp.MustCompile(`^(default soma1|uneven soma2): .*-> state_\d+ <= \|state_rounded\[(14:11|12:9)\] \? \(state_rounded\[\d+\] \? \d+'h\w+ : \d+'h\w+\) : state_rounded\[(10|8):0\];$`),
		"no state is outside, so that the limits are not used"},
	{regexp.MustCompile(`^uneven soma1: .*-> (assign state_overflow = |state_\d+ <= \$signed\()state_rounded\[12:(9|10)\] != \{4\{state_rounded\[12\]\}\} (\|\||&&) state_rounded\[9:[01]\] == 10'h20[01](;| \?)`),
		"no state is outside or has the lowest word"},
	{regexp.MustCompile(`^uneven soma1: .*-> assign (state_rest = |state_up = clip\w+\[13\] && |state_rounded = \$signed\(\{clip\w+\[13\], clip\w+\[13:2\]\}\) - )`),
		"TRN_ZERO goes up from negative values only"},
	{regexp.MustCompile(`^coarse soma1: .*-> (assign state_overflow = |state_\d+ <= )(\^state_rounded\[6:5\]|\|state_rounded\[5:5\])(;| \?)`),
		"no state is negative: its sign is zero"},
	{regexp.MustCompile(`^coarse soma1: .*-> state_\d+ <= \|state_rounded\[6:5\] \? \(state_rounded\[(6\] \? 5'h1|0\] \? 5'h0) : 5'h1f\) : state_rounded\[4:0\];$`),
		"the one state outside is 1, which has neither bit"},
	{regexp.MustCompile(`^sparse (soma[12]|interneuron1): .*-> (assign state_overflow = |state_\d+ <= )(\^state_rounded\w*\[(15:14|19:18)\]|\|state_rounded\w*\[(14:14|18:18)\])(;| \?)`),
		"no state is negative: its sign is zero"},
	{regexp.MustCompile(`^sparse (soma[12]|interneuron1): .*-> state_\d+ <= \|state_rounded\w*\[(15:14|19:18)\] \? \(state_rounded\w*\[((15|19)\] \? \d+'h1|0\] \? \d+'h0) : \d+'h3ffff?\) : state_rounded\w*\[\d+:0\];$`),
		"the one state outside is a power of two, which has neither bit"},
	{regexp.MustCompile(`^sparse interneuron2: .*-> (assign state_overflow = |state_\d+ <= )(\^state_rounded\[11:9\]|\|state_rounded\[10:9\])(;| \?)`),
		"no state is negative, and none reaches twice the limit and more"},
	{regexp.MustCompile(`^sparse interneuron2: .*-> state_\d+ <= \|state_rounded\[11:9\] \? \(state_rounded\[11\] \? 9'h1 :`), "no state is negative"},
	{regexp.MustCompile(`^sparse interneuron2: .*-> assign state_(rest = |up = clip12_\d\[4\] && \(state_rest \|\| !clip12_\d\[0\]\))`),
		"RND_INF looks at what lies below the half of negative values only"},
	{regexp.MustCompile(`^sparse interneuron\d: .*-> nonzero19_\d+ <= \^add18_\d+;$`), "a sum of two bits is never 3"},
	{regexp.MustCompile(`^sparse interneuron1: .*-> potential_\d+ <= .*24'h(0|1|800001) : 24'h7fffff\)`),
		"the excess of a q_u so low is positive: nothing overflows downwards"},
	// Three places of k_lateral lateral are finer than all else in the sum, whose tie has none of them.
	{regexp.MustCompile(`^(default|sparse) soma\d?: .*-> lateral_rounded_\d <= .*\? \(lateral_rounded_rounded_\d\[\d+\] \? 18'h(20000 : 18'h1fffe|20001 : 18'h1ffff)\)`),
		"1 to 3 times the limit and 1 to 3 less end in the same way beside a tie"},
	{regexp.MustCompile(`^(default|sparse) soma\d?: .*-> mul\d+_\d+ <= .*, lateral_rounded_\d\} : 20'h1\) \+`),
		"of k_lateral 0 or 2 the product is even: one more reaches no tie"},
	{regexp.MustCompile(`^coarse update3: .*-> update_\d+ <= \$signed\(update_rounded\[5:4\] != \{2\{update_rounded\[5\]\}\} \? \(update_rounded\[[05]\] \? 5'h(0|1|10|11) : 5'hf\) : update_rounded\[4:0\]\);$`),
		"the one value outside is 16, by rounding up: it is positive and even"},
	{regexp.MustCompile(`^coarse update3: .*-> weight_\d+ <= .*\(weight_rounded\[0\] \? 5'h10 : 5'hf\)`),
		"a change is less than a last place: outside are 16, which is even, and -17, which is odd"},
}

// equivalent is the reason for which nothing can find a mutant, "" if something must.
func equivalent(m pipelineMutant) string {
	for _, e := range equivalentMutants {
		if e.mutant.MatchString(m.String()) {
			return e.reason
		}
	}
	return ""
}

// TestPipelineMutants changes single tokens in the pipelines that designs of several formats have: vectors find every
// mutant that is not listed as equivalent, and none that is. CORINFO_MUTANTS sets how many of each pipeline, "all" for every one; CORINFO_MUTANT is a regular expression of those to try.
func TestPipelineMutants(t *testing.T) {
	needTool(t, "iverilog")
	count := 1
	switch text := os.Getenv("CORINFO_MUTANTS"); text {
	case "":
	case "all":
		count = math.MaxInt
	default:
		var err error
		count, err = strconv.Atoi(text)
		require.NoError(t, err, "CORINFO_MUTANTS: want a number or all")
	}
	var only *regexp.Regexp
	if text := os.Getenv("CORINFO_MUTANT"); text != "" {
		only, count = regexp.MustCompile(text), math.MaxInt
	}
	used := make([]bool, len(equivalentMutants))
	tried, found, same := 0, 0, 0
	for _, p := range mutatedPipelines(t) {
		all := mutantsOf(p)
		require.NotEmpty(t, all, p.name)
		for i, e := range equivalentMutants {
			used[i] = used[i] || slices.ContainsFunc(all, func(m pipelineMutant) bool { return e.mutant.MatchString(m.String()) })
		}
		// In the order of hashes: the same mutants every time, and another line elsewhere draws no others.
		slices.SortFunc(all, func(a, b pipelineMutant) int { return cmp.Compare(a.hash(), b.hash()) })
		if only != nil {
			all = slices.DeleteFunc(all, func(m pipelineMutant) bool { return !only.MatchString(m.String()) })
		}
		here := map[string]int{}
		for _, m := range all[:min(count, len(all))] {
			difference, err := m.of.run(t, m.text)
			reason := equivalent(m)
			switch {
			case err != nil:
				here["do not compile"]++
				t.Logf("does not compile: %v: %v", m, err)
			case difference != "":
				here["found"]++
				if reason != "" {
					t.Errorf("%v: found, %s: not equivalent at all, %s", m, difference, reason)
				}
			case reason != "":
				here["equivalent"]++
			default:
				here["survive"]++
				t.Errorf("survives: %v", m)
			}
		}
		t.Logf("%s: %d of %d mutants: %v", p.name, min(count, len(all)), len(all), here)
		tried, found, same = tried+min(count, len(all)), found+here["found"], same+here["equivalent"]
	}
	t.Logf("%d mutants: %d found, %d equivalent", tried, found, same)
	for i, e := range equivalentMutants {
		require.True(t, used[i], "no mutant is like %v: it says nothing any more", e.mutant)
	}
}

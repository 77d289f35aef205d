package hdlgen

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	fx "corinfo/fixedpoint"
	"corinfo/hdlgen/settling"
)

// mutatedFormats are the formats' lines of the networks whose pipelines are mutated.
var mutatedFormats = []struct{ name, lines string }{
	{"default", ""},
	{"uneven", `formats: {x: 'ap_ufixed<7,1,TRN,SAT>', r: 'ap_ufixed<9,1,RND_CONV,SAT>', r1: 'ap_fixed<10,2,TRN_ZERO,SAT_SYM>',
  u: 'ap_fixed<17,4,RND_INF,SAT>', u1: 'ap_fixed<14,4,RND_CONV,SAT_SYM>', current: 'ap_fixed<14,5,RND_MIN_INF,SAT_SYM>',
  current2: 'ap_fixed<12,4,TRN_ZERO,SAT>', lateral: 'ap_fixed<13,-2,RND_ZERO,SAT>', drive: 'ap_fixed<15,8,TRN,SAT_SYM>',
  e: 'ap_fixed<13,3,RND_CONV,SAT_ZERO>', e1: 'ap_fixed<9,2,TRN_ZERO,SAT>', d: 'ap_fixed<11,3,RND_INF,SAT_SYM>',
  c: 'ap_fixed<12,-3,RND_CONV,SAT>', W: 'ap_fixed<11,2,RND_ZERO,SAT_SYM>', W0: 'ap_fixed<13,2,STOCHASTIC,SAT>',
  F: 'ap_fixed<9,2,STOCHASTIC,SAT_SYM>', C: 'ap_fixed<14,-4,TRN_ZERO,SAT_ZERO>', C1: 'ap_fixed<12,-4,RND_CONV,SAT_SYM>',
  dW: 'ap_fixed<14,6,RND_CONV,SAT>', dF: 'ap_fixed<12,5,TRN_ZERO,SAT_SYM>', dC: 'ap_fixed<15,0,RND_MIN_INF,SAT>'}
`},
	{"coarse", `formats: {x: 'ap_ufixed<3,0,RND,SAT>', r: 'ap_ufixed<5,0,RND,SAT>', u: 'ap_fixed<7,1,RND,SAT>', current: 'ap_fixed<5,0,RND,SAT>',
  lateral: 'ap_fixed<6,-5,TRN,SAT>', drive: 'ap_fixed<8,3,RND,SAT>', e: 'ap_fixed<4,-1,RND,SAT>', d: 'ap_fixed<5,-1,RND,SAT_SYM>',
  c: 'ap_fixed<5,-7,RND,SAT>', W: 'ap_fixed<4,0,STOCHASTIC,SAT>', F: 'ap_fixed<5,0,RND,SAT>', C: 'ap_fixed<5,-5,STOCHASTIC,SAT>',
  dW: 'ap_fixed<5,-1,RND,SAT>', dF: 'ap_fixed<4,-1,TRN,WRAP>', dC: 'ap_fixed<5,-12,RND,SAT>'}
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

// A mutatedPipeline is a pipeline and the bench that its mutants run on.
type mutatedPipeline struct {
	name    string
	graph   *fx.Graph
	text    string
	latency int
	bench   *bench
}

// run gives the first difference of a text to the graph.
func (p *mutatedPipeline) run(t *testing.T, text string) (string, error) {
	t.Helper()
	if p.bench == nil {
		rng := rand.New(rand.NewPCG(1, 2)) // always the same: a mutant is found or is not
		vectors := aimedVectors(rng, p.graph, 16)
		vectors = append(vectors, rareVectors[p.name]...)
		p.bench = newBench(t, t.TempDir(), p.graph, p.latency, vectors)
		difference, err := p.bench.difference(p.text)
		require.NoError(t, err, p.name)
		require.Empty(t, difference, p.name)
	}
	return p.bench.difference(text)
}

// rareVectors are operands that aiming seldom or never meets.
var rareVectors = map[string][][]int64{
	// TRN_ZERO drops one bit of a negative sum: its last, -33 (2^33 + 31775) + 2 2^19 = -33 2^33 + 1, or its highest two.
	"uneven synapse C2": {{-33, -2 << 15, 1, 31775}, {-33, -512 << 15, 8, 0}, {-33, -512 << 15, 16, 0}},
	// A drive, then a potential, that is one below the tie.
	"coarse soma 1": {
		{0, 0, 0, 15, 1, 0, 65536, 0, 0, 4096, 0, 1},
		{0, 0, 0, 0, 0, 1, 96469, 0, 0, 0, -125 * 256, 0},
	},
}

// mutatedPipelines are the distinct soma, record and synapse pipelines of the formats above.
func mutatedPipelines(t *testing.T) (list []*mutatedPipeline) {
	t.Helper()
	met := map[string]bool{}
	for _, f := range mutatedFormats {
		a, err := settling.New(testNetwork(t, []int{5, 4, 3}, 2, f.lines))
		require.NoError(t, err)
		add := func(name string, g *fx.Graph) {
			if g == nil || met[g.Fingerprint()] {
				return
			}
			met[g.Fingerprint()] = true
			text, latency := printed(t, g, FastTarget)
			list = append(list, &mutatedPipeline{name: f.name + " " + name, graph: g, text: text, latency: latency})
		}
		for k := range a.Soma {
			add(fmt.Sprintf("soma %d", k), a.Soma[k])
			add(fmt.Sprintf("record %d", k), a.Record[k])
		}
		for i := range a.Matrices {
			add("synapse "+a.Matrices[i].Name(), a.Matrices[i].Graph)
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
// state, which is rounded from a potential that was clipped to [0, 1].
var equivalentMutants = []struct {
	mutant *regexp.Regexp // of pipelineMutant.String()
	reason string
}{
	{regexp.MustCompile(`-> clip\w+ <= \w+\[(17|16|13)\] \? \d+'sh[01] : \|\w+\[(16:14|15:13|12:10)\] \? \d+'sh(400|40|200)[01] : \w+;$`),
		"the last bit of the bounds 0 and 1 is rounded away in the state"},
	{regexp.MustCompile(`^(default|uneven) soma \d: state_.* -> state_\d+ <= (\$signed\()?state_outside \? \(state_rounded\[\d+\] \? \d+'h\w+ : \d+'h\w+\) : state_rounded\[\d+:0\]\)?;$`),
		"these states hold 1, so that none is outside and the limits are not used"},
	{regexp.MustCompile(`^default soma \d: .* -> assign state_outside = [|&^]state_rounded\[1[34]:1[12]\];$`),
		"no state is outside: these bits are zero"},
	{regexp.MustCompile(`^uneven soma 2: .* -> assign state_outside = [|&^]state_rounded\[1[12]:(9|10)\];$`),
		"no state is outside: these bits are zero"},
	{regexp.MustCompile(`^uneven soma 1: .* -> assign state_outside = state_rounded\[12:(9|10)\] != \{4\{state_rounded\[12\]\}\} (\|\||&&) state_rounded\[9:[01]\] == 10'h20[01];$`),
		"no state is outside or has the lowest word"},
	{regexp.MustCompile(`^uneven soma 1: .* -> assign (state_rest = |state_up = clip\w+\[13\] && |state_rounded = \$signed\(\{clip\w+\[13\], clip\w+\[13:2\]\}\) - )`),
		"TRN_ZERO goes up from negative values only"},
	{regexp.MustCompile(`^coarse soma 1: .* -> assign state_outside = [|^]state_rounded\[[56]:5\];$`),
		"no state is negative: its sign is zero"},
	{regexp.MustCompile(`^coarse soma 1: .* -> state_\d+ <= state_outside \? \(state_rounded\[[06]\] \? 5'h[01] : 5'h1f\) : state_rounded\[4:0\];$`),
		"the one state outside is 1, which has neither bit"},
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

// Single tokens changed in the emitted pipelines of three sets of formats: vectors find nearly every mutant that is
// not equivalent, and none that is said to be. CORINFO_MUTANTS sets how many, "all" for every one.
func TestPipelineMutants(t *testing.T) {
	needTool(t, "iverilog")
	count := 60
	var all []pipelineMutant
	for _, p := range mutatedPipelines(t) {
		all = append(all, mutantsOf(p)...)
	}
	switch text := os.Getenv("CORINFO_MUTANTS"); text {
	case "":
	case "all":
		count = len(all)
	default:
		var err error
		count, err = strconv.Atoi(text)
		require.NoError(t, err, "CORINFO_MUTANTS: want a number or all")
	}
	// In the order of hashes: the same mutants every time, and another line elsewhere draws no others.
	slices.SortFunc(all, func(a, b pipelineMutant) int { return cmp.Compare(a.hash(), b.hash()) })
	count = min(count, len(all))
	killed, broken, same := 0, 0, 0
	for _, m := range all[:count] {
		difference, err := m.of.run(t, m.text)
		reason := equivalent(m)
		switch {
		case err != nil:
			broken++
			t.Logf("BROKEN %v: %v", m, err)
		case difference != "":
			killed++
			if reason != "" {
				t.Errorf("%v: found, %s: not equivalent at all, %s", m, difference, reason)
			}
		case reason != "":
			same++
		default:
			t.Logf("survives: %v", m)
		}
	}
	score := float64(killed) / float64(max(1, count-same-broken))
	t.Logf("%d mutants of %d: %d found, %d equivalent, %d do not compile, score %.3f", count, len(all), killed, same, broken, score)
	require.GreaterOrEqual(t, score, leastOfPipelines)
}

// leastOfPipelines is the share of mutants that vectors must find. The rest change the last bit of a sum in a way that
// the rounding behind it nearly always hides.
const leastOfPipelines = 0.95

package sim

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden/goldentest"
	"corinfo/golden/network"
	"corinfo/golden/rule"
	"corinfo/golden/training"
	"corinfo/hdlgen"
	"corinfo/hdlgen/design"
)

// needTool skips a test without its tool.
var needTool = goldentest.NeedTool

// testSeed draws from a random seed that the log names; CORINFO_SEED repeats it.
func testSeed(t *testing.T) *rand.Rand {
	t.Helper()
	return rand.New(rand.NewPCG(goldentest.Seed(t), 7))
}

// testCase is a design to run tools on.
type testCase struct {
	layers       []int
	lanes, batch int
	units        int    // 0: as many as there are by default
	contexts     int    // 0: one
	rule         string // of the step size
	formats      string // key of formatSets
	three, dense bool
	early        bool
	shallow      bool // pipelines cut as little as can be
	wires        int  // registers on the wires to the lanes
	sparse       bool // all layers
}

// small is a design with all layers, for tools that need one.
var small = testCase{layers: []int{12, 9, 8, 5}, lanes: 3, batch: 1, rule: "divide_by_slow_loop_index", formats: "default"}

// formatSets are the formats' lines of a network file.
var formatSets = map[string]string{
	"default": "",
	"uneven": `formats:
  x: ap_ufixed<7,1,TRN,SAT>
  r: ap_ufixed<9,1,RND_CONV,SAT>
  r1: ap_fixed<10,2,TRN_ZERO,SAT_SYM>
  u: ap_fixed<17,4,RND_INF,SAT>
  u1: ap_fixed<14,4,RND_CONV,SAT_SYM>
  current: ap_fixed<14,5,RND_MIN_INF,SAT_SYM>
  current2: ap_fixed<12,4,TRN_ZERO,SAT>
  lateral: ap_fixed<13,-2,RND_ZERO,SAT>
  drive: ap_fixed<15,8,TRN,SAT_SYM>
  e: ap_fixed<13,3,RND_CONV,SAT_ZERO>
  e1: ap_fixed<9,2,TRN_ZERO,SAT>
  d: ap_fixed<11,3,RND_INF,SAT_SYM>
  c: ap_fixed<12,-3,RND_CONV,SAT>
  W: ap_fixed<11,2,RND_ZERO,SAT_SYM>
  W0: ap_fixed<13,2,STOCHASTIC,SAT>
  F: ap_fixed<9,2,STOCHASTIC,SAT_SYM>
  C: ap_fixed<14,-4,TRN_ZERO,SAT_ZERO>
  C1: ap_fixed<12,-4,RND_CONV,SAT_SYM>
  dW: ap_fixed<14,6,RND_CONV,SAT>
  dF: ap_fixed<12,5,TRN_ZERO,SAT_SYM>
  dC: ap_fixed<15,0,RND_MIN_INF,SAT>
`,
	// So fine that the stochastic rounding of synapses drops no bits, of states of one bit.
	"exact": `formats:
  r: ap_ufixed<1,0,RND,SAT>
  dW: ap_fixed<5,4,RND,SAT>
  dF: ap_fixed<5,4,RND,SAT>
  dC: ap_fixed<5,4,RND,SAT>
  W: ap_fixed<20,2,STOCHASTIC,SAT>
  F: ap_fixed<19,2,STOCHASTIC,SAT>
  C: ap_fixed<40,2,STOCHASTIC,SAT>
`,
	// So coarse that the second layer's interneuron never moves, and no column of C has a term.
	"still": `formats:
  qu2: ap_fixed<8,4,RND,SAT>
  q2: ap_ufixed<7,3,RND,SAT>
  c: ap_fixed<4,5,RND,SAT>
`,
	"coarse": `formats:
  x: ap_ufixed<3,0,RND,SAT>
  r: ap_ufixed<5,0,RND,SAT>
  u: ap_fixed<7,1,RND,SAT>
  current: ap_fixed<5,0,RND,SAT>
  lateral: ap_fixed<6,-5,TRN,SAT>
  drive: ap_fixed<8,3,RND,SAT>
  e: ap_fixed<4,-1,RND,SAT>
  d: ap_fixed<5,-1,RND,SAT_SYM>
  c: ap_fixed<5,-7,RND,SAT>
  W: ap_fixed<4,0,STOCHASTIC,SAT>
  F: ap_fixed<5,0,RND,SAT>
  C: ap_fixed<5,-5,STOCHASTIC,SAT>
  dW: ap_fixed<5,-1,RND,SAT>
  dF: ap_fixed<4,-1,TRN,WRAP>
  dC: ap_fixed<5,-12,RND,SAT>
`,
}

func (c testCase) String() string {
	on := func(b bool, name string) string {
		if b {
			return " " + name
		}
		return ""
	}
	return fmt.Sprintf("%v lanes %d contexts %d batch %d %s %s", c.layers, c.lanes, max(1, c.contexts), c.batch, c.rule, c.formats) + on(c.three, "three-phase") + on(c.dense, "dense") + on(c.early, "early end") + on(c.shallow, "shallow") + on(c.wires > 0, fmt.Sprintf("wires %d", c.wires)) + on(c.sparse, "sparse")
}

func (c testCase) network(t *testing.T) *network.Network {
	t.Helper()
	rates := func(n int, value string) string {
		return "[" + strings.TrimSuffix(strings.Repeat(value+", ", max(n, 0)), ", ") + "]"
	}
	mode := "events"
	if c.dense {
		mode = "dense"
	}
	sparse := ""
	if c.sparse {
		layers, nu := "1", "0.3"
		for k := 2; k < len(c.layers); k++ {
			layers, nu = fmt.Sprintf("%s, %d", layers, k), nu+", 0.01"
		}
		sparse = fmt.Sprintf("  sparse: {layers: [%s], nu: [%s]}\n", layers, nu)
	}
	start := 0.05
	if c.formats == "coarse" {
		start = 0.4
	}
	text := fmt.Sprintf(`name: tester
dataset: {name: mnist}
layers: [%s]
rule: corinfomax
corinfomax:
  epsilon: 0.15
  lambda: 0.99
  leak: 0.5
%ssettling: {free_iterations: 5, nudged_iterations: 3, early_end: %t, step: {rule: %s, start: %g, stop: 0.001, decay: 0.01}}
learning: {batch: %d, beta: 1, feedforward: %s, feedback: %s, epochs: 1, contrast: %s}
hardware: {lanes: %d, contexts: %d, mode: %s}
seed: 7
%s`, strings.Trim(strings.Join(strings.Fields(fmt.Sprint(c.layers)), ","), "[]"), sparse, c.early, c.rule, start, c.batch, rates(len(c.layers)-1, "0.5"), rates(len(c.layers)-2, "0.15"),
		map[bool]string{false: rule.WithFree, true: rule.WithThird}[c.three], c.lanes, max(1, c.contexts), mode, formatSets[c.formats])
	n, err := network.Parse("test.yaml", []byte(text))
	require.NoError(t, err)
	return n
}

func (c testCase) target() hdlgen.Target {
	target := hdlgen.FastTarget
	if c.shallow {
		target = shallowTarget
	}
	target.WireCycles = c.wires
	if c.wires == 2 { // as far as a board's
		target.RingCycles = 6
	}
	return target
}

// shallowTarget cuts pipelines as little as the library can.
var shallowTarget = hdlgen.Target{ReadCycles: 1, OperandCycles: 0, RoundBits: 128, Family: hdlgen.FastTarget.Family}

// planned is a case's network for a target, and its bit-true model.
func (c testCase) planned(t *testing.T, name string, target hdlgen.Target) (*design.Plan, *training.FixedLearner) {
	t.Helper()
	n := c.network(t)
	n.Name = name
	units := c.units
	if units == 0 {
		units = design.Units(c.lanes)
	}
	p, err := design.New(n, c.lanes, units, target)
	require.NoError(t, err)
	l, _, err := training.StartMachine(n, nil)
	require.NoError(t, err)
	return p, l
}

// named is the design of a case under a name of its own, in dir/name.
func (c testCase) named(t *testing.T, dir, name string) *design.Design {
	t.Helper()
	p, l := c.planned(t, name, c.target())
	_, err := design.Generate(p, l, nil, nil, filepath.Join(dir, name), hdlgen.RefuseEdited)
	require.NoError(t, err)
	return reopen(t, filepath.Join(dir, name))
}

// generate makes the design of a case.
func (c testCase) generate(t *testing.T) *design.Design {
	t.Helper()
	return c.named(t, t.TempDir(), "tester")
}

func reopen(t *testing.T, dir string) *design.Design {
	t.Helper()
	d, err := design.Open(dir)
	require.NoError(t, err)
	return d
}

// randomSamples draws inputs with many zeros, as digits have.
func randomSamples(p *design.Plan, count int, rng *rand.Rand) []hdlgen.Sample {
	n := p.Network
	samples := make([]hdlgen.Sample, count)
	negative := false
	for i := range samples {
		if i%n.Learning.Batch == 0 {
			negative = rng.IntN(2) == 0
		}
		pixels := make([]uint8, n.Layers[0])
		for j := range pixels {
			if rng.IntN(3) > 0 {
				pixels[j] = uint8(rng.IntN(256))
			}
		}
		samples[i] = hdlgen.Sample{X: make([]int64, len(pixels)), Label: rng.IntN(n.Layers[n.K()]), Negative: negative}
		p.QuantizeInput(pixels, samples[i].X)
	}
	return samples
}

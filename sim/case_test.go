package sim

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden/network"
	"corinfo/golden/rule"
	"corinfo/golden/weights"
	"corinfo/hdlgen"
	"corinfo/hdlgen/settling"
)

// needTool skips a test without its tool, except where CI asks for all of them.
func needTool(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is not installed", name)
		}
		t.Skipf("%s is not installed", name)
	}
}

// testSeed is a random seed that the log names; CORINFO_SEED repeats it.
func testSeed(t *testing.T) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	if text := os.Getenv("CORINFO_SEED"); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		require.NoError(t, err)
	}
	t.Logf("CORINFO_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 7))
}

// countOf is how many cases to draw: a variable of the environment sets it, "all" asks for all that there are.
func countOf(t *testing.T, variable string, otherwise int) (count int, all bool) {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise, false
	}
	if text == "all" {
		return otherwise, true
	}
	count, err := strconv.Atoi(text)
	require.NoError(t, err, "%s: want a number or all", variable)
	return count, false
}

// testCase is one design to hold against the model.
type testCase struct {
	layers       []int
	lanes, batch int
	contexts     int    // 0: one
	rule         string // of the step size
	formats      string // key of formatSets
	three, dense bool
	early        bool
	stall        bool
	wild         bool // synapses over their whole range, large steps: everything saturates
	shallow      bool // pipelines cut as little as can be
	wires        int  // registers on the wires to the lanes
	sparse       bool // all layers
}

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
	return fmt.Sprintf("%v lanes %d contexts %d batch %d %s %s", c.layers, c.lanes, max(1, c.contexts), c.batch, c.rule, c.formats) + on(c.three, "three-phase") + on(c.dense, "dense") + on(c.early, "early end") + on(c.stall, "stalls") + on(c.shallow, "shallow") + on(c.wires > 0, fmt.Sprintf("wires %d", c.wires)) + on(c.sparse, "sparse")
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
	if c.formats == "coarse" || c.wild {
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

// generate makes the design of a case with weights that let states move.
func (c testCase) generate(t *testing.T) *hdlgen.Design {
	t.Helper()
	a, err := settling.New(c.network(t))
	require.NoError(t, err)
	machine := settling.NewMachine(a)
	_, err = machine.SetWeights(weights.Initial(a.Network.Describe(), a.Network.Seed))
	require.NoError(t, err)
	if c.formats == "coarse" || c.wild {
		wild(a, machine)
	}
	dir := filepath.Join(t.TempDir(), "design")
	_, err = hdlgen.Generate(a, machine, c.lanes, c.target(), dir)
	require.NoError(t, err)
	return reopen(t, dir)
}

// shallowTarget cuts pipelines as little as the library can.
var shallowTarget = hdlgen.Target{ReadCycles: 1, FactorCycles: 0, RoundBits: 128}

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

// wild draws every synapse from the whole range of its format, so that sums saturate.
func wild(a *settling.Arithmetic, machine *settling.Machine) {
	rng := rand.New(rand.NewPCG(5, 6))
	for i, x := range a.Matrices {
		for row := range x.Rows {
			for column := range x.Cols {
				if x.Kind == settling.Lateral && column < row {
					machine.SetSynapse(i, row, column, machine.Synapse(i, column, row))
					continue
				}
				machine.SetSynapse(i, row, column, rng.Int64N(1<<x.Type.Width)-1<<(x.Type.Width-1))
			}
		}
	}
}

func reopen(t *testing.T, dir string) *hdlgen.Design {
	t.Helper()
	d, err := hdlgen.OpenDesign(dir)
	require.NoError(t, err)
	return d
}

// randomSamples draws inputs with many zeros, as digits have.
func randomSamples(d *hdlgen.Design, count int, rng *rand.Rand) []Sample {
	samples := make([]Sample, count)
	negative := false
	for i := range samples {
		if i%d.Network.Learning.Batch == 0 {
			negative = rng.IntN(2) == 0
		}
		pixels := make([]uint8, d.Network.Layers[0])
		for j := range pixels {
			if rng.IntN(3) > 0 {
				pixels[j] = uint8(rng.IntN(256))
			}
		}
		samples[i] = Sample{X: make([]int64, len(pixels)), Label: rng.IntN(d.Network.Layers[d.Network.K()]), Negative: negative}
		d.Arithmetic.QuantizeInput(pixels, samples[i].X)
	}
	return samples
}

package sim

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	fx "corinfo/fixedpoint"
	"corinfo/golden"
	"corinfo/golden/calibrate"
	"corinfo/golden/dataset"
	"corinfo/golden/network"
	"corinfo/golden/rule"
	"corinfo/hdlgen"
	"corinfo/hdlgen/settling"
)

// extreme is a tensor with a format at the end of what there is.
type extreme struct {
	kind   string
	format fx.Format
}

func (e extreme) String() string { return fmt.Sprintf("%s as %v", e.kind, e.format) }

// extremes are all tensors by the shortest and the longest words, with and without a sign, and the binary point at both ends,
// near the default's, and far away on either side.
func extremes() (list []extreme) {
	defaults := calibrate.Types(extremeNetwork().Describe(), extremeNetwork().Formats)
	for _, kind := range tensorKinds(extremeNetwork()) {
		usual := defaults[kind]
		for _, index := range []string{"0", "1", "2"} {
			if t, ok := defaults[kind+index]; ok && usual.Width == 0 {
				usual = t
			}
		}
		for _, width := range []int{1, 2, 3, 31, 32, 33, 62, 63, 64} {
			for _, signed := range []bool{true, false} {
				whole := usual.Width - usual.Frac // in front of the default's binary point
				if usual.Signed && !signed {
					whole--
				} else if signed && !usual.Signed {
					whole++
				}
				integers := []int{-192, -40, 0, 1, whole, whole + 1, width, width + 40, 256}
				slices.Sort(integers)
				for _, integer := range slices.Compact(integers) {
					list = append(list, extreme{kind, fx.Format{Width: width, Frac: width - integer, Signed: signed}})
				}
			}
		}
	}
	return list
}

// tensorKinds are those of a network whose types a file may set.
func tensorKinds(n *network.Network) (kinds []string) {
	for _, t := range n.Describe().Tensors {
		if !slices.Contains(kinds, t.Kind) {
			kinds = append(kinds, t.Kind)
		}
	}
	return kinds
}

// extremeNetwork has every kind of tensor.
func extremeNetwork() *network.Network {
	return &network.Network{Name: "tester", Rule: "corinfomax", Dataset: dataset.Source{Name: "mnist"}, Layers: []int{3, 3, 2},
		Own: &rule.CorInfoMax{Epsilon: 0.4, Lambda: 0.9, Leak: 0.5, Lateral: true,
			Sparse: rule.Sparse{Layers: []int{1}, Nu: []float64{0.3}}},
		Settling: rule.Settling{FreeIterations: 3, NudgedIterations: 2, Step: rule.StepSize{Rule: "constant", Start: 0.4}},
		Learning: rule.Learning{Batch: 2, Beta: 1, Feedforward: []float64{1, 1}, Feedback: []float64{1}, Contrast: rule.WithFree, Epochs: 1, Decay: rule.Decay{Factor: 1}, Optimizer: rule.DefaultOptimizer()},
		Hardware: network.Hardware{Lanes: 2, Contexts: 1, Learning: true, Mode: "events"}, Seed: 7, Formats: map[string]fx.Type{}}
}

// draw makes a case of an extreme: how it is rounded, the data and the hardware are drawn. Around it is what is usual, or
// the least that there is: single neurons, states of one bit and short synapses, so that exact sums have room for it.
func (e extreme) draw(rng *rand.Rand, least bool) *randomCase {
	c := &randomCase{network: extremeNetwork()}
	n := c.network
	n.Hardware = network.Hardware{Lanes: between(rng, 1, 3), Contexts: between(rng, 1, 2), Learning: true, Mode: oneOf(rng, "events", "dense")}
	n.Learning.Contrast = oneOf(rng, rule.WithFree, rule.WithThird)
	c.Target = hdlgen.Target{ReadCycles: between(rng, 1, 2), FactorCycles: between(rng, 0, 1), RoundBits: oneOf(rng, 0, 16, 128)}
	c.Wild, c.Reset, c.Seed = toss(rng), rng.IntN(3), rng.Uint64()
	if least {
		n.Layers, n.Learning.Batch, c.Wild = []int{1, 1, 1}, 1, true
		n.Formats["x"], n.Formats["r"] = fx.Type{Format: fx.U(1, 0)}, fx.Type{Format: fx.U(1, 0)}
		for _, kind := range []string{"W", "F", "C"} {
			n.Formats[kind] = fx.Type{Format: fx.S(3, 0)}
		}
	}
	c.Inference, c.Learning = 1, 2*n.Learning.Batch
	e.set(rng, n)
	return c
}

// set gives a network the extreme. A potential holds its states: where it does not, its format follows.
func (e extreme) set(rng *rand.Rand, n *network.Network) {
	n.Formats[e.kind] = drawModes(rng, e.format, slices.Contains([]string{"W", "F", "C"}, e.kind))
	if potential, ok := map[string]string{"r": "u", "q": "qu"}[e.kind]; ok {
		wide := calibrate.Types(n.Describe(), n.Formats)[potential+"1"]
		if wide.Format = fx.Union(wide.Format, e.format); wide.Width <= fx.MaxWord {
			n.Formats[potential] = wide
		}
	}
}

// What refuses a format, after "wrong input: formats: ".
var (
	tooWide  = regexp.MustCompile(`^the (?:exact sum|hardware's accumulator) .*\bneeds (\d+) bits.*; at most (64): (?:shorten|bring the binary points of) (.*)$`)
	tooFar   = regexp.MustCompile(`^.*graph \w+: the exact value of (.*): format \w+f-?\d+: width (\d+) is outside 1 to (\d+) bits`)
	cannot   = regexp.MustCompile(`^(q?u\d): (\S+) cannot hold every (?:state )?([rq]\d) of (\S+), and`)
	limited  = regexp.MustCompile(`^\w+: the exact value of (\w+) \(u(\d+)f-?\d+\) is limited and longer than (64) bits with a sign`)
	positive = regexp.MustCompile(`^(r\d): (\S+) holds no positive state`)
	negative = regexp.MustCompile(`^(x): (\S+); inputs are not negative`)
	outside  = regexp.MustCompile(`^(\w+)(?:[: ].*)?: (\S+) does not fit (\S+) \(range`)
	vanishes = regexp.MustCompile(`^(\w+)(?:[: ].*)?: (\S+) is rounded to zero in ([^ ;]+);`)
)

// truth tells what is wrong with a refusal: it names another tensor, or its figures are no reason.
func (e extreme) truth(refusal error) error {
	text, ours := strings.CutPrefix(refusal.Error(), golden.ErrUsage.Error()+": formats: ")
	if !ours {
		return fmt.Errorf("not about formats: %w", refusal)
	}
	named, reason := "", false
	typed := func(text string) fx.Type {
		t, err := fx.ParseType(text)
		if err != nil {
			reason = false
		}
		return t
	}
	number := func(text string) float64 {
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			reason = false
		}
		return v
	}
	ends := func(t fx.Type) (low, high float64) {
		bottom, top := t.Range()
		return t.Float(t.Word(bottom)), t.Float(t.Word(top))
	}
	whole := func(t fx.Type) int { // bits in front of the binary point without the sign
		if t.Signed {
			return t.Width - t.Frac - 1
		}
		return t.Width - t.Frac
	}
	if m := tooWide.FindStringSubmatch(text); m != nil {
		named, reason = m[3], number(m[1]) > number(m[2])
	} else if m := tooFar.FindStringSubmatch(text); m != nil {
		named, reason = m[1], number(m[2]) > number(m[3])
	} else if m := cannot.FindStringSubmatch(text); m != nil {
		u, r := typed(m[2]), typed(m[4])
		named, reason = m[1]+" "+m[3], r.Frac > u.Frac || whole(r) > whole(u) || r.Signed && !u.Signed
	} else if m := limited.FindStringSubmatch(text); m != nil {
		named, reason = m[1], number(m[2])+1 > number(m[3])
	} else if m := positive.FindStringSubmatch(text); m != nil {
		_, high := ends(typed(m[2]))
		named, reason = m[1], high == 0
	} else if m := negative.FindStringSubmatch(text); m != nil {
		named, reason = m[1], typed(m[2]).Signed
	} else if m := outside.FindStringSubmatch(text); m != nil {
		_, overflow, err := typed(m[3]).FromFloat(number(m[2])) // the ends themselves may be no float64
		named, reason = m[1], overflow && err == nil
	} else if m := vanishes.FindStringSubmatch(text); m != nil {
		named, reason = m[1], math.Abs(number(m[2])) < math.Ldexp(1, -typed(m[3]).Frac)
	}
	switch {
	case !reason:
		return fmt.Errorf("no reason that is true: %w", refusal)
	case !regexp.MustCompile(`\b` + e.kind + `\d?\b`).MatchString(named):
		return fmt.Errorf("not about %s: %w", e.kind, refusal)
	}
	return nil
}

// Every refusal of an extreme format is for a reason that is true, and names it.
func TestExtremeFormatsRefused(t *testing.T) {
	rng := testSeed(t)
	refused := 0
	for _, e := range extremes() {
		c := e.draw(rng, toss(rng))
		_, err := settling.New(c.network)
		if err == nil && e.kind == "x" { // whose sign the design refuses, not the model
			_, _, err = c.arithmetic()
		}
		if err != nil {
			refused++
			require.ErrorIs(t, err, golden.ErrUsage, "%v\n%s", e, c.file())
			require.NoError(t, e.truth(err), "%v\n%s", e, c.file())
		}
	}
	require.Positive(t, refused)
}

// Every tensor at the shortest and the longest words that is not refused elaborates in all three tools without a warning
// and runs in lock step, on Icarus, and one in ten on Verilator too. CORINFO_EXTREMES sets how many are drawn of them; all:
// every one.
func TestExtremeFormatsRun(t *testing.T) {
	for _, tool := range []string{"verilator", "iverilog", "yosys"} {
		needTool(t, tool)
	}
	rng := testSeed(t)
	count, all := countOf(t, "CORINFO_EXTREMES", 8)
	list := extremes()
	rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	list = append([]extreme{{"rate", fx.U(64, 64)}}, list...) // as long as a word of the host
	var cases []*randomCase
	for i := 0; i < 2*len(list) && (all || len(cases) < count); i++ {
		c := list[i/2].draw(rng, i%2 == 1)
		if _, _, err := c.arithmetic(); err != nil {
			continue
		}
		// Every other one has more of them, as far as they get on with one another.
		for range 4 * (len(cases) % 2) {
			more := c.clone()
			list[rng.IntN(len(list))].set(rng, more.network)
			if _, _, err := more.arithmetic(); err == nil {
				c = more
			}
		}
		cases = append(cases, c)
	}
	for i, c := range cases {
		c.Icarus = true
		simulators := []Simulator{Icarus}
		if i%10 == 9 {
			simulators = c.simulators()
		}
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			require.NoError(t, c.lint(t), "%s", c.file())
			for _, simulator := range simulators {
				_, err := c.run(t.Context(), simulator, nil)
				require.NoError(t, err, "on %s\n%s", simulator, c.file())
			}
		})
	}
}

// lint has all linters read the case's design.
func (c *randomCase) lint(t *testing.T) error {
	t.Helper()
	a, _, err := c.arithmetic()
	require.NoError(t, err)
	machine, err := c.machine(a)
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "design")
	m, err := hdlgen.Generate(a, machine, c.network.Hardware.Lanes, c.Target, dir)
	require.NoError(t, err)
	said, err := lint(t.Context(), dir, m)
	if err == nil && said != "" {
		err = errors.New(said)
	}
	return err
}

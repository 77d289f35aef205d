package lockstep

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	fx "corinfo/fixedpoint"
	"corinfo/golden"
	"corinfo/golden/calibrate"
	"corinfo/golden/goldentest"
	"corinfo/golden/network"
	"corinfo/golden/rule"
	"corinfo/golden/training"
	"corinfo/hdlgen"
	"corinfo/sim"
)

// extreme is a kind of tensor of a rule with a format at the end of what there is.
type extreme struct {
	rule, kind string
	stored     bool
	format     fx.Format
}

func (e extreme) String() string { return fmt.Sprintf("%s as %v under %s", e.kind, e.format, e.rule) }

// extremes are all kinds of tensors, each under one of the rules that have it, by the shortest and the longest words, with and without
// a sign, and the binary point at both ends, near the default's, and far away on either side.
func extremes(rng *rand.Rand) (list []extreme) {
	of := map[string][]string{}
	tensors := map[string]rule.Tensor{}
	for _, name := range rule.Names() {
		for _, t := range extremeNetwork(name, rng).Describe().Tensors {
			if t.Kind != "one" && !slices.Contains(of[t.Kind], name) {
				of[t.Kind], tensors[t.Kind] = append(of[t.Kind], name), t
			}
		}
	}
	kinds := make([]string, 0, len(of))
	for kind := range of {
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	for _, kind := range kinds {
		t := tensors[kind]
		usual := t.Default
		for _, width := range []int{1, 2, 3, 31, 32, 33, 62, 63, 64} {
			for _, signed := range []bool{true, false} {
				whole := usual.Width - usual.Frac // in front of the default's binary point
				if usual.Signed && !signed {
					whole--
				} else if signed && !usual.Signed {
					whole++
				}
				integers := []int{-40, 0, whole, width, width + 40}
				slices.Sort(integers)
				for _, integer := range slices.Compact(integers) {
					list = append(list, extreme{oneOf(rng, of[kind]...), kind, t.Use == rule.OfSynapse, fx.Format{Width: width, Frac: width - integer, Signed: signed}})
				}
			}
		}
	}
	return list
}

// extremeNetwork is a small one of a rule, with every kind of tensor that it may have.
func extremeNetwork(name string, rng *rand.Rand) *network.Network {
	n := ruleNetwork(name, []int{3, 3, 2}, 2, rng)
	n.Settling.FreeIterations, n.Settling.NudgedIterations = 3, 2
	if own, ok := n.Own.(*rule.CorInfoMax); ok {
		own.Sparse = rule.Sparse{Layers: []int{1}, Nu: []float64{0.3}}
	}
	return n
}

// draw makes a case of an extreme: how it is rounded, the data and the hardware are drawn. Around it is what is usual, or
// the least that there is: single neurons, inputs of one bit and short synapses, so that exact sums have room for it.
func (e extreme) draw(rng *rand.Rand, least bool) *randomCase {
	c := &randomCase{network: extremeNetwork(e.rule, rng)}
	n := c.network
	n.Formats = map[string]fx.Type{}
	n.Hardware = network.Hardware{Lanes: between(rng, 1, 3), Contexts: between(rng, 1, 2), Learning: true, Mode: oneOf(rng, "events", "dense")}
	c.Units = 1
	c.Target = hdlgen.Target{ReadCycles: between(rng, 1, 2), OperandCycles: between(rng, 0, 1), RoundBits: oneOf(rng, 0, 16, 128), Family: plainTarget.Family}
	c.Wild, c.Reset, c.Seed = toss(rng), rng.IntN(3), rng.Uint64()
	if least {
		n.Layers, n.Learning.Batch, c.Wild = []int{1, 1, 1}, 1, true
		for _, t := range n.Describe().Tensors {
			if t.Use == rule.OfSynapse {
				n.Formats[t.Kind] = fx.Type{Format: fx.S(3, 0)}
			}
		}
		n.Formats["x"] = fx.Type{Format: fx.U(1, 0)}
	}
	c.Inference, c.Learning = 1, 2*n.Learning.Batch
	e.set(rng, n)
	return c
}

// set gives a network the extreme. A potential holds its states: where it does not, its format follows.
func (e extreme) set(rng *rand.Rand, n *network.Network) {
	n.Formats[e.kind] = drawModes(rng, e.format, e.stored)
	if potential, ok := map[string]string{"r": "u", "q": "qu"}[e.kind]; ok {
		if wide, known := calibrate.Types(n.Describe(), n.Formats)[potential+"1"]; known {
			if wide.Format = fx.Union(wide.Format, e.format); wide.Width <= fx.MaxWord {
				n.Formats[potential] = wide
			}
		}
	}
}

// Every refusal of an extreme format is wrong input and names the tensor.
func TestExtremeFormatsRefused(t *testing.T) {
	rng := rand.New(rand.NewPCG(20, goldentest.Seed(t)))
	refused := 0
	for _, e := range extremes(rng) {
		c := e.draw(rng, toss(rng))
		if _, err := training.Arithmetic(c.network); err != nil {
			refused++
			require.ErrorIs(t, err, golden.ErrUsage, "%v\n%s", e, c.file())
			require.Regexp(t, `formats: .*\b`+e.kind+`\d*\b`, strings.ReplaceAll(err.Error(), "\n", " "), "%v\n%s", e, c.file())
		}
	}
	require.Positive(t, refused)
}

// Every tensor at the shortest and the longest words that is not refused elaborates in all three tools without a warning
// and runs in lock step, on Icarus, and one in ten on Verilator too. CORINFO_EXTREMES sets how many are drawn of them; all:
// every one.
func TestExtremeFormatsRun(t *testing.T) {
	rng := rand.New(rand.NewPCG(21, goldentest.Seed(t)))
	count, all := 4, os.Getenv("CORINFO_EXTREMES") == "all"
	if s := os.Getenv("CORINFO_EXTREMES"); s != "" && !all {
		var err error
		count, err = strconv.Atoi(s)
		require.NoError(t, err)
	}
	list := extremes(rng)
	rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	var cases []*randomCase
	for i := 0; i < 2*len(list) && (all || len(cases) < count); i++ {
		c := list[i/2].draw(rng, i%2 == 1)
		if _, err := c.plan(); err != nil {
			require.ErrorIs(t, err, golden.ErrUsage, "%v\n%s", list[i/2], c.file())
			continue
		}
		cases = append(cases, c)
	}
	for i, c := range cases {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			p, err := c.plan()
			require.NoError(t, err)
			l, err := c.model(p)
			require.NoError(t, err)
			require.Empty(t, lint(t, generated(t, p, l)), "%s", c.file())
			_, err = c.run(t.Context(), sim.Icarus, nil)
			require.NoError(t, err, "on Icarus\n%s", c.file())
			if i%10 == 9 {
				_, err = c.run(t.Context(), sim.Verilator, nil)
				require.NoError(t, err, "on Verilator\n%s", c.file())
			}
		})
	}
}

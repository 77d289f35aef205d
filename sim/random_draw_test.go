package sim

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	fx "corinfo/fixedpoint"
	"corinfo/golden"
	"corinfo/golden/calibrate"
	"corinfo/golden/goldentest"
	"corinfo/golden/network"
	"corinfo/golden/rule"
	"corinfo/hdlgen"
	"corinfo/hdlgen/settling"
)

// axes draw a case, one matter each, on what those before have drawn.
var axes = []func(rng *rand.Rand, c *randomCase){drawLayers, drawSparse, drawSettling, drawLearning, drawHardware, drawData, drawFormats}

// drawCase draws a case whose run takes at most that many lanes x cycles. What the model or the generator of designs
// refuses, and that must be as wrong input, is drawn again, as is a network in which states do not move.
func drawCase(t testing.TB, rng *rand.Rand, most int) *randomCase {
	t.Helper()
	for range 10000 {
		c := &randomCase{network: &network.Network{Rule: "corinfomax", Own: &rule.CorInfoMax{Lateral: true}}}
		for _, axis := range axes {
			axis(rng, c)
		}
		a, takes, err := c.arithmetic()
		if err != nil {
			require.ErrorIs(t, err, golden.ErrUsage, "%s", c.file())
			continue
		}
		if takes <= most && c.moves(t, a) {
			return c
		}
	}
	require.Fail(t, "no case in 10000 draws")
	return nil
}

// moves tells whether states change at least as often as samples come.
func (c *randomCase) moves(t testing.TB, a *settling.Arithmetic) bool {
	t.Helper()
	m, err := c.machine(a)
	require.NoError(t, err)
	o := c.options(a, Icarus)
	for _, s := range o.Inference {
		m.Run(s.X, settling.Command{}, nil)
	}
	for _, s := range o.Learning {
		m.Run(s.X, settling.Command{Learn: true, Label: s.Label, Negative: s.Negative}, nil)
	}
	counts := m.Counts()
	return counts.Events-counts.LayerEvents[0] >= int64(c.Inference+c.Learning)
}

func oneOf[T any](rng *rand.Rand, list ...T) T { return list[rng.IntN(len(list))] }

func toss(rng *rand.Rand) bool { return rng.IntN(2) == 0 }

// between is a number from low to high.
func between(rng *rand.Rand, low, high int) int { return low + rng.IntN(high-low+1) }

func drawLayers(rng *rand.Rand, c *randomCase) {
	n := c.network
	n.Name, n.Rule, n.Dataset.Name, n.Seed = "tester", "corinfomax", "mnist", rng.Uint32()
	for range between(rng, 2, 5) {
		n.Layers = append(n.Layers, between(rng, 1, between(rng, 1, 40)))
	}
}

// drawSparse puts half of the networks on the sparse polytope, in some layers.
func drawSparse(rng *rand.Rand, c *randomCase) {
	n := c.network
	if toss(rng) {
		return
	}
	for k := 1; k <= n.K(); k++ {
		if toss(rng) {
			goldentest.CorInfoMax(n).Sparse.Layers = append(goldentest.CorInfoMax(n).Sparse.Layers, k)
			goldentest.CorInfoMax(n).Sparse.Nu = append(goldentest.CorInfoMax(n).Sparse.Nu, oneOf(rng, 0.001, 0.01, 0.3, 1))
		}
	}
}

func drawSettling(rng *rand.Rand, c *randomCase) {
	n := c.network
	goldentest.CorInfoMax(n).Epsilon = oneOf(rng, 0.05, 0.15, 0.4, 1, 2)
	goldentest.CorInfoMax(n).Lambda = oneOf(rng, 0.5, 0.9, 0.99, 0.99999)
	goldentest.CorInfoMax(n).Leak = oneOf(rng, 0, 0.1, 0.5, 1)
	start := oneOf(rng, 0.05, 0.1, 0.4, 1)
	n.Settling = rule.Settling{FreeIterations: between(rng, 1, 6), NudgedIterations: between(rng, 1, 6), EarlyEnd: toss(rng), Step: rule.StepSize{
		Rule: oneOf(rng, "constant", "divide_by_loop_index", "divide_by_slow_loop_index"), Start: start, Stop: start * oneOf(rng, 0, 0.1, 0.5, 1), Decay: oneOf(rng, 0, 0.01, 0.5)}}
}

func drawLearning(rng *rand.Rand, c *randomCase) {
	n := c.network
	n.Learning = rule.Learning{Batch: between(rng, 1, 8), Beta: oneOf(rng, 0.25, 0.5, 1, 2), RandomSign: true, Contrast: []string{rule.WithFree, rule.WithThird}[rng.IntN(2)], Epochs: 1, Decay: rule.Decay{Factor: 1},
		Optimizer: rule.DefaultOptimizer()}
	for k := range n.K() {
		n.Learning.Feedforward = append(n.Learning.Feedforward, oneOf(rng, 0, 0.1, 0.5, 1, 3))
		if k > 0 {
			n.Learning.Feedback = append(n.Learning.Feedback, oneOf(rng, 0, 0.1, 0.5, 1))
		}
	}
}

func drawHardware(rng *rand.Rand, c *randomCase) {
	c.network.Hardware = network.Hardware{Lanes: between(rng, 1, 17), Contexts: between(rng, 1, 4), Learning: true, Mode: oneOf(rng, "events", "dense")}
	c.Target = hdlgen.Target{ReadCycles: between(rng, 1, 2), FactorCycles: between(rng, 0, 1), RoundBits: oneOf(rng, 0, 16, between(rng, 1, 64), 128),
		WireCycles: between(rng, 0, 2), RingCycles: oneOf(rng, 0, 3, between(rng, 3, 9))}
}

// drawData draws up to two mini-batches, at times with a sample more, or too few for one.
func drawData(rng *rand.Rand, c *randomCase) {
	batch := c.network.Learning.Batch
	c.Wild, c.Zeros, c.Reset, c.Seed = toss(rng), oneOf(rng, 0, 33, 90), rng.IntN(3), rng.Uint64()
	c.Inference, c.Learning = rng.IntN(3), batch*between(rng, 1, 2)+rng.IntN(2)
	if rng.IntN(8) == 0 {
		c.Learning = rng.IntN(batch)
	}
	if c.Inference+c.Learning == 0 {
		c.Inference = 1
	}
	if toss(rng) {
		c.Stall = between(rng, 1, 65535)
	}
}

// drawFormats gives each tensor its default, one type for all layers, or one for each.
func drawFormats(rng *rand.Rand, c *randomCase) {
	n := c.network
	n.Formats = map[string]fx.Type{}
	types := func() map[string]fx.Type { return calibrate.Types(n.Describe(), n.Formats) }
	each := func(kind string, low, high int, draw func(index int) fx.Type) {
		switch rng.IntN(3) {
		case 1:
			n.Formats[kind] = draw(high)
		case 2:
			for k := low; k <= high; k++ {
				n.Formats[kind+strconv.Itoa(k)] = draw(k)
			}
		}
	}
	once := func(kind string, draw func() fx.Type) {
		if toss(rng) {
			n.Formats[kind] = draw()
		}
	}
	K := n.K()
	once("x", func() fx.Type {
		width := between(rng, 1, 10)
		return drawModes(rng, fx.U(width, width-between(rng, 0, 2)), false)
	})
	// 1 is inside the range of a state, or just above it, or, with a fraction of -1 bits, between 0 and the next.
	each("r", 1, K, func(int) fx.Type {
		f := between(rng, -1, 11)
		whole := 1 + 2*max(0, -f)
		return drawModes(rng, oneOf(rng, fx.U(f+whole, f), fx.U(max(f, 1), max(f, 1)), fx.S(f+whole+1, f)), false)
	})
	states := types()
	each("u", 1, K, func(k int) fx.Type {
		holds := states["r"+strconv.Itoa(k)].Format
		f := holds.Frac + oneOf(rng, 0, between(rng, 0, 7))
		whole := holds.Width - holds.Frac + between(rng, 0, 3)
		if !holds.Signed && rng.IntN(8) == 0 {
			return drawModes(rng, fx.U(f+whole, f), false)
		}
		return drawModes(rng, fx.S(f+whole+1, f), false)
	})
	// The defaults say how large the values of the others are.
	defaults := types()
	near := func(kind string, low, high int, stored bool) {
		each(kind, low, high, func(k int) fx.Type { return drawNear(rng, defaults[kind+strconv.Itoa(k)].Format, stored) })
	}
	for _, kind := range []string{"current", "lateral", "drive", "e", "c"} {
		near(kind, 1, K, false)
	}
	near("W", 0, K-1, true)
	near("dW", 0, K-1, false)
	near("C", 1, K, true)
	near("dC", 1, K, false)
	near("d", 1, K, false)
	for _, k := range goldentest.CorInfoMax(n).Sparse.Layers {
		near("excess", k, k, false)
		// q_u holds q: its default does, with any shorter fraction.
		each("q", k, k, func(k int) fx.Type {
			f := defaults["q"+strconv.Itoa(k)].Format
			cut := between(rng, 0, 8)
			f.Width, f.Frac = f.Width-cut, f.Frac-cut
			return drawModes(rng, f, false)
		})
		each("qu", k, k, func(k int) fx.Type { return drawModes(rng, defaults["qu"+strconv.Itoa(k)].Format, false) })
		each("nu", k, k, func(k int) fx.Type { return drawModes(rng, defaults["nu"+strconv.Itoa(k)].Format, false) })
	}
	if K > 1 {
		near("F", 1, K-1, true)
		near("dF", 1, K-1, false)
	}
	for _, kind := range []string{"eta", "coefficient", "rate", "gamma"} {
		once(kind, func() fx.Type {
			f := defaults[kind].Format
			whole, width := f.Width-f.Frac+between(rng, 0, 2), between(rng, 4, 20)
			f.Width, f.Frac = width, width-whole
			return drawModes(rng, f, false)
		})
	}
}

// drawModes draws the way into a format.
func drawModes(rng *rand.Rand, f fx.Format, stored bool) fx.Type {
	t := fx.Type{Format: f, Rounding: fx.Rounding(rng.IntN(int(fx.Stochastic))), Overflow: fx.Overflow(rng.IntN(int(fx.SatSym) + 1))}
	if stored && toss(rng) {
		t.Rounding = fx.Stochastic
	}
	return t
}

// drawNear draws a type with about the range of a format, at most one bit more; some are wide, some without a sign.
func drawNear(rng *rand.Rand, f fx.Format, stored bool) fx.Type {
	whole := f.Width - f.Frac - between(rng, -1, 3)
	width := oneOf(rng, between(rng, 1, 10), between(rng, 8, 20), between(rng, 12, 18))
	if rng.IntN(12) == 0 {
		width = between(rng, 20, 40)
	}
	near := fx.S(width, width-whole)
	if rng.IntN(8) == 0 {
		near = fx.U(width, width-whole+1)
	}
	return drawModes(rng, near, stored)
}

package sim

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	fx "corinfo/fixedpoint"
	"corinfo/golden/calibrate"
)

// Whatever case the search starts from, it ends at the one that has just what the failure needs.
func TestReduceFindsTheSmallest(t *testing.T) {
	rng := testSeed(t)
	fails := func(c *randomCase) bool {
		n := c.network
		return n.K() >= 2 && n.Layers[2] > 3 && calibrate.Types(n.Describe(), n.Formats)["u2"].Rounding == fx.RndConv
	}
	found := 0
	for found < 8 {
		c := drawCase(t, rng, verilatorWork)
		if !fails(c) {
			continue
		}
		found++
		first := string(c.file())
		small := reduce(c, fails)
		require.Equal(t, first, string(c.file()), "the case that it starts from changes")
		n := small.network
		require.Equal(t, []int{1, 1, 4}, n.Layers, first)
		require.Equal(t, []int{1, 1, 1, 1}, []int{n.Hardware.Lanes, n.Learning.Batch, n.Settling.FreeIterations, n.Settling.NudgedIterations}, first)
		require.Equal(t, []float64{1, 1}, n.Learning.Feedforward, first)
		require.Equal(t, []float64{1}, n.Learning.Feedback, first)
		require.Equal(t, 1, small.Inference+small.Learning, first)
		require.Equal(t, shallowTarget, small.Target, first)
		require.Len(t, n.Formats, 1, "%s\nis reduced to\n%s", first, small.file())
		for key, u := range n.Formats {
			require.Equal(t, "u", kindOf(key))
			require.Equal(t, fx.Type{Format: fx.S(18, 14), Rounding: fx.RndConv, Overflow: fx.Sat}, u, first)
		}
	}
}

// A layer that is left out takes its own formats along, and those above move down.
func TestReduceLayersKeepsFormats(t *testing.T) {
	c := drawCase(t, rand.New(rand.NewPCG(1, 1)), verilatorWork)
	n := c.network
	n.Layers, n.Learning.Feedforward, n.Learning.Feedback = []int{2, 3, 4, 5}, []float64{0, 1, 2}, []float64{1, 2}
	mark := func(width int) fx.Type { return fx.Type{Format: fx.S(width, 0)} }
	n.Formats = map[string]fx.Type{"x": mark(9), "r1": mark(11), "r2": mark(12), "r3": mark(13), "W0": mark(20), "W1": mark(21), "W2": mark(22), "F1": mark(31), "F2": mark(32), "C": mark(40)}
	var got []string
	for _, s := range reduceLayers(c) {
		var kept []string
		for _, key := range []string{"x", "r1", "r2", "r3", "W0", "W1", "W2", "F1", "F2", "C"} {
			if f, ok := s.network.Formats[key]; ok {
				kept = append(kept, fmt.Sprintf("%s:%d", key, f.Width))
			}
		}
		got = append(got, fmt.Sprint(s.network.Layers, s.network.Learning.Feedforward, s.network.Learning.Feedback, kept))
	}
	require.Equal(t, []string{
		"[3 4 5] [1 2] [2] [x:9 r1:12 r2:13 W0:21 W1:22 F1:32 C:40]",
		"[2 4 5] [0 2] [2] [x:9 r1:12 r2:13 W0:20 W1:22 F1:32 C:40]",
		"[2 3 5] [0 1] [1] [x:9 r1:11 r2:13 W0:20 W1:21 F1:31 C:40]",
		"[2 3 4] [0 1] [1] [x:9 r1:11 r2:12 W0:20 W1:21 F1:31 C:40]",
	}, got)
}

// One sign wrong in the Verilog is brought down to a network of single neurons, which still shows it.
func TestReduceABrokenDesign(t *testing.T) {
	needTool(t, "iverilog")
	rng := testSeed(t)
	// Whether a product is of the role minus: W0 alone has products of one role.
	broken := func(dir string) error {
		path := verilogPath(dir, "corinfo_terms.v")
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		changed := strings.Replace(string(text), "? !role_q : negate_i", "? role_q : negate_i", 1)
		if changed == string(text) {
			return fmt.Errorf("%s does not have the line to break", path)
		}
		return os.WriteFile(path, []byte(changed), 0o644)
	}
	run := func(ctx context.Context, c *randomCase, simulator Simulator) error {
		_, err := c.run(ctx, simulator, broken)
		return err
	}
	var c *randomCase
	var failed errMismatch
	for c == nil || c.network.K() < 2 || c.Learning < c.network.Learning.Batch || !errors.As(run(t.Context(), c, Icarus), &failed) {
		c = drawCase(t, rng, icarusWork/10)
	}
	path, said, err := smallestFailure(t.Context(), c, Icarus, failed, run)
	require.NoError(t, err)
	defer os.Remove(path)
	t.Logf("from %v: %s", c.network.Layers, said)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, said, string(text))
	small, err := parseCase(path, text)
	require.NoError(t, err)
	require.True(t, small.Icarus)
	n := small.network
	require.Equal(t, []int{1, 1, 1}, n.Layers)
	require.Equal(t, []int{1, 1}, []int{n.Hardware.Lanes, n.Learning.Batch})
	require.Equal(t, 1, small.Learning+small.Inference) // the closing part, which learns too, comes after one
	require.Error(t, run(t.Context(), small, Icarus))
	_, err = small.run(t.Context(), Icarus, nil)
	require.NoError(t, err, "without the wrong sign nothing fails")
}

package sim

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A rehearsed model is built of what one inference and one mini-batch go through, once, and is the same design.
func TestRehearsedModel(t *testing.T) {
	needTool(t, "verilator")
	d := testCase{layers: []int{6, 5, 4}, lanes: 2, batch: 3, rule: "constant", formats: "default"}.generate(t)
	t.Setenv("CORINFO_CACHE", t.TempDir())
	o := Options{Simulator: Verilator, Learning: randomSamples(d, 7, rand.New(rand.NewPCG(3, 4))), Inference: randomSamples(d, 2, rand.New(rand.NewPCG(5, 6)))}
	c := &cosimulation{d: d, o: o, commands: o.commands(), how: Recipe{Simulator: Verilator, Effort: Rehearsed}, quiet: 10000}
	ctx := context.Background()

	profiles := 0
	rehearse := func(ctx context.Context, path string) error {
		require.NoError(t, c.rehearse(ctx, path))
		list, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*.gcda"))
		require.NoError(t, err)
		profiles += len(list)
		return nil
	}
	var err error
	c.model, err = compile(ctx, d.Dir, d.Manifest, c.how, rehearse)
	require.NoError(t, err)
	require.Positive(t, profiles)
	once := profiles
	_, err = compile(ctx, d.Dir, d.Manifest, c.how, rehearse)
	require.NoError(t, err)
	require.Equal(t, once, profiles)

	c.divide(1)
	runs, err := c.simulate(ctx, t.TempDir())
	require.NoError(t, err)
	require.Len(t, runs, 1)
	require.Nil(t, runs[0].mismatch)
	all := c.totals(runs)
	require.Equal(t, 7, all.Learned)
	require.Positive(t, all.Synapses)
}

package sim

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whatever the registers and memories hold before the reset, a design does the same, byte by byte of its trace.
func TestInitialState(t *testing.T) {
	needTool(t, "verilator")
	rng := testSeed(t)
	for _, c := range []testCase{
		{layers: []int{20, 13, 7}, lanes: 8, batch: 1, rule: "divide_by_slow_loop_index", formats: "coarse", dense: true, early: true, three: true, stall: true},
		{layers: []int{12, 9, 8, 5}, lanes: 3, batch: 3, rule: "constant", formats: "uneven"},
	} {
		d := c.generate(t)
		o := c.options(d, Verilator, rng)
		m, err := compile(context.Background(), d.Dir, d.Manifest, Recipe{Simulator: Verilator}, nil)
		require.NoError(t, err)
		folder := t.TempDir()
		path, err := writeStimulus(folder, stimulusOf(d, o))
		require.NoError(t, err)
		var first []byte
		for _, reset := range []int{0, 1, 2} {
			for seed := range 1 + 4*(reset/2) {
				cmd := exec.Command(m.command[0], "+stimulus="+path,
					fmt.Sprintf("+verilator+rand+reset+%d", reset), fmt.Sprintf("+verilator+seed+%d", seed+1))
				cmd.Dir = d.Dir
				trace, err := cmd.Output()
				require.NoError(t, err)
				if first == nil {
					first = trace
				}
				require.True(t, bytes.Equal(first, trace), "%v: another trace from initial state %d, seed %d", c, reset, seed+1)
			}
		}
		require.Regexp(t, regexp.MustCompile(`\nQ \d+\n$`), string(first))
		require.Empty(t, mustGlob(t, filepath.Join(d.Dir, "sim", "*")))
	}
}

func mustGlob(t *testing.T, pattern string) []string {
	t.Helper()
	list, err := filepath.Glob(pattern)
	require.NoError(t, err)
	return list
}

package sim

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden"
)

// A run that passes has a waveform of all of its samples and nothing of its read-back, from either simulator in either format.
func TestWaveOfPassingRun(t *testing.T) {
	d := testCase{layers: []int{6, 5, 4}, lanes: 2, batch: 3, rule: "constant", formats: "default"}.generate(t)
	rng := testSeed(t)
	inference, learned := randomSamples(d, 2, rng), randomSamples(d, 3, rng)
	for simulator, compiler := range compilers {
		for _, format := range []Waveform{FST, VCD} {
			t.Run(fmt.Sprint(simulator, format), func(t *testing.T) {
				needTool(t, compiler)
				file := filepath.Join(t.TempDir(), "run"+string(format))
				o := Options{Simulator: simulator, Inference: inference, Learning: learned, Again: true, Wave: file}
				r, err := Cosim(t.Context(), d, o)
				require.NoError(t, err)
				require.Nil(t, r.Mismatch)
				require.Equal(t, file, r.Wave)
				o.Wave = ""
				without, err := Cosim(t.Context(), d, o)
				require.NoError(t, err)
				require.Equal(t, without.values(), r.values())
				cycles := r.values()["cycles"] // of the samples: the design's own count, which stands still in the read-back
				text, err := os.ReadFile(file)
				require.NoError(t, err)
				if format == VCD {
					edges := int64(countEdges(t, string(text), "clk_i"))
					require.InDelta(t, cycles, edges, 20)
				} else {
					// The header: a block of type 0 and 329 bytes, then the first and the last time.
					require.Zero(t, text[0])
					require.EqualValues(t, 329, binary.BigEndian.Uint64(text[1:]))
					require.Greater(t, binary.BigEndian.Uint64(text[17:]), uint64(2*cycles-20))
				}
				left, err := filepath.Glob(filepath.Join(filepath.Dir(file), ".corinfo-*"))
				require.NoError(t, err)
				require.Empty(t, left)
			})
		}
	}
}

// countEdges counts the rising edges of the outermost signal of a name.
func countEdges(t *testing.T, text, name string) (edges int) {
	t.Helper()
	code := ""
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		switch {
		case code == "" && len(fields) > 4 && fields[0] == "$var" && fields[4] == name:
			code = fields[3]
		case code != "" && strings.TrimSpace(line) == "1"+code:
			edges++
		}
	}
	require.NotEmpty(t, code)
	return edges
}

func TestWaveErrors(t *testing.T) {
	d := testCase{layers: []int{6, 5, 4}, lanes: 2, batch: 3, rule: "constant", formats: "default"}.generate(t)
	dir := t.TempDir()
	for file, words := range map[string]string{"run.vcdx": ".fst or .vcd", "run": ".fst or .vcd", "none/run.fst": "no folder"} {
		_, err := Cosim(t.Context(), d, Options{Simulator: Icarus, Inference: make([]Sample, 1), Wave: filepath.Join(dir, file)})
		require.ErrorIs(t, err, golden.ErrUsage)
		require.ErrorContains(t, err, words)
	}
	_, err := Cosim(t.Context(), d, Options{Simulator: Icarus, Inference: make([]Sample, 9), Learning: make([]Sample, 3), Again: true, Wave: filepath.Join(dir, "run.vcd")})
	require.ErrorIs(t, err, golden.ErrUsage)
	require.ErrorContains(t, err, "21 samples; it may have 20")
}

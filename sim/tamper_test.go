package sim

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden"
	"corinfo/hdlgen"
)

// small is the design that tampering tests change: its Icarus model is ready in no time.
var small = testCase{layers: []int{12, 9, 8, 5}, lanes: 3, batch: 1, rule: "divide_by_slow_loop_index", formats: "default"}

// cosimSmall runs a (changed) design on Icarus.
func cosimSmall(t *testing.T, d *hdlgen.Design) *Report {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	report, err := Cosim(context.Background(), d, Options{Simulator: Icarus, Inference: randomSamples(d, 1, rng), Learning: randomSamples(d, 2, rng)})
	require.NoError(t, err)
	return report
}

// flipBit changes the lowest bit of one word of a memory image.
func flipBit(t *testing.T, dir, image string, line int) {
	t.Helper()
	flipDigit(t, dir, image, line, 0)
}

// flipDigit changes the lowest bit of a digit of one word of a memory image; digit 0 is the lowest.
func flipDigit(t *testing.T, dir, image string, line, place int) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(image))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	lines := strings.Split(string(text), "\n")
	word := lines[line]
	at := len(word) - 1 - place
	digit := strings.IndexByte("0123456789abcdef", word[at])
	lines[line] = word[:at] + string("0123456789abcdef"[digit^1]) + word[at+1:]
	require.NotEqual(t, word, lines[line])
	require.NoError(t, os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o644))
}

// agree brings the manifest's checksum of an image up to date.
func agree(t *testing.T, dir, image string, old hdlgen.Manifest) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, image))
	require.NoError(t, err)
	sum := sha256.Sum256(text)
	manifest, err := os.ReadFile(filepath.Join(dir, "corinfo.json"))
	require.NoError(t, err)
	for _, i := range old.Images {
		if i.File == image {
			changed := strings.Replace(string(manifest), old.Checksums[image], hex.EncodeToString(sum[:]), 1)
			require.NotEqual(t, string(manifest), changed)
			// Its own sum with it.
			var m hdlgen.Manifest
			require.NoError(t, json.Unmarshal([]byte(changed), &m))
			m.Sum = ""
			text, err := json.Marshal(m)
			require.NoError(t, err)
			m.Sum = fmt.Sprintf("%x", sha256.Sum256(text))
			text, err = json.Marshal(m)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(filepath.Join(dir, "corinfo.json"), text, 0o644))
		}
	}
}

// A flipped bit in a memory image is refused; with a checksum that agrees, the lock step finds it.
func TestFlippedImages(t *testing.T) {
	needTool(t, "iverilog")
	for _, c := range []struct {
		image string
		line  int
		check func(t *testing.T, m *Mismatch)
	}{
		{"images/tester_lane_001.hex", 2, func(t *testing.T, m *Mismatch) { // W0, column 0: its first effect is on a state of layer 1
			require.Contains(t, []string{"u1", "r1"}, m.Tensor)
			require.Equal(t, 1, m.Layer)
			require.Equal(t, 7, m.Neuron) // slot 2 of lane 1 of 3
			require.Equal(t, "free", m.Phase)
		}},
		{"images/tester_constants.hex", 0, func(t *testing.T, m *Mismatch) { // 1/epsilon of layer 1, free phase
			require.Equal(t, "u1", m.Tensor)
			require.Equal(t, "free", m.Phase)
		}},
		{"images/tester_program.hex", 3, func(t *testing.T, m *Mismatch) { require.NotEmpty(t, m.Tensor) }}, // the opcode of a step
		{"images/tester_rates.hex", 0, func(t *testing.T, m *Mismatch) { // the rate of W0
			require.Contains(t, []string{"W0", "rate of W0"}, m.Tensor)
		}},
	} {
		t.Run(filepath.Base(c.image), func(t *testing.T) {
			d := small.generate(t)
			manifest := *d.Manifest
			flipBit(t, d.Dir, c.image, c.line)
			_, err := hdlgen.OpenDesign(d.Dir)
			require.ErrorIs(t, err, golden.ErrDamaged)
			require.ErrorContains(t, err, fmt.Sprintf("%s is not the one that was generated: line %d", c.image, c.line+1))
			if c.line == 2 {
				require.ErrorContains(t, err, "W0 row 7 column 0")
			}
			agree(t, d.Dir, c.image, manifest)
			report := cosimSmall(t, reopen(t, d.Dir))
			require.NotNil(t, report.Mismatch)
			t.Log(report.Mismatch)
			c.check(t, report.Mismatch)
			checkWave(t, report.Mismatch)
		})
	}
}

// A synapse that settling has no use for yet is found at the end, with its place in the memory.
func TestFlippedSynapseNamesItsPlace(t *testing.T) {
	needTool(t, "iverilog")
	d := small.generate(t)
	manifest := *d.Manifest
	lane, address := d.Layout.Address(0, 4, 7)
	image := "images/tester_lane_001.hex"
	require.Equal(t, 1, lane)
	flipBit(t, d.Dir, image, address)
	agree(t, d.Dir, image, manifest)
	d = reopen(t, d.Dir)
	zero := Sample{X: make([]int64, 12)}
	report, err := Cosim(context.Background(), d, Options{Simulator: Icarus, Inference: []Sample{zero}})
	require.NoError(t, err)
	m := report.Mismatch
	require.NotNil(t, m)
	require.Equal(t, []any{"W0", 7, 4, lane, address}, []any{m.Tensor, m.Row, m.Column, m.Lane, m.Address})
}

// checkWave holds that a mismatch left a waveform.
func checkWave(t *testing.T, m *Mismatch) {
	t.Helper()
	text, err := os.ReadFile(m.Wave)
	require.NoError(t, err, m.Detail)
	require.Greater(t, len(text), 1000)
	if strings.HasSuffix(m.Wave, ".vcd") {
		require.Contains(t, string(text), "$enddefinitions")
		require.Contains(t, string(text), "\n#"+strconv.FormatInt(40+10*m.Cycle, 10)) // four cycles of reset, 10 time units each
	}
}

// verilogPath is the path of a module's file in a design's folder.
func verilogPath(dir, file string) string {
	if strings.HasPrefix(file, "corinfo_") {
		return filepath.Join(dir, "library", file)
	}
	return filepath.Join(dir, "rtl", file)
}

// replaceIn changes the first place of old in a file of the design.
func replaceIn(t *testing.T, d *hdlgen.Design, file, old, new string) {
	t.Helper()
	path := verilogPath(d.Dir, file)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	changed := strings.Replace(string(text), old, new, 1)
	require.NotEqual(t, string(text), changed, "%s has no %q", file, old)
	require.NoError(t, os.WriteFile(path, []byte(changed), 0o644))
}

// One operator, rounding constant, shift or sign changed in the Verilog makes the lock step fail and name the place.
func TestTamperedVerilog(t *testing.T) {
	needTool(t, "iverilog")
	for _, c := range []struct{ name, file, old, new, tensor string }{
		{"operator", "tester_soma.v", "state_14}) - $signed(", "state_14}) + $signed(", "u"},
		{"rounding constant", "tester_soma.v", "potential_up});", "1'b0});", "u1"},
		{"shift", "tester_soma.v", "u_9, 17'h0}", "1'b0, u_9, 16'h0}", "u1"},
		{"sign of beta", "corinfo_context.v", "((sign == 2'd1) != negative)", "((sign == 2'd1) == negative)", "u3"},
		{"role of a phase", "corinfo_learn.v", ".last_role_i    (!negate_i)", ".last_role_i    (negate_i)", "W0"},
		{"negate", "corinfo_terms.v", "? !role_q : negate_i", "? role_q : negate_i", "W1"},
		{"operator of the update", "tester_synapse0.v", ") + $signed(", ") - $signed(", "W0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := small.generate(t)
			replaceIn(t, d, c.file, c.old, c.new)
			report := cosimSmall(t, reopen(t, d.Dir))
			require.NotNil(t, report.Mismatch)
			t.Log(report.Mismatch)
			require.Contains(t, report.Mismatch.Tensor, c.tensor)
			require.NotEqual(t, report.Mismatch.Expected, report.Mismatch.Got)
			checkWave(t, report.Mismatch)
		})
	}
}

// An output that is unknown after reset is a mismatch.
func TestUnknownOutput(t *testing.T) {
	needTool(t, "iverilog")
	d := small.generate(t)
	replaceIn(t, d, "corinfo_result.v", "class_o       <= {LabelW{1'b0}};", "class_o       <= {LabelW{1'bx}};")
	report := cosimSmall(t, d)
	require.NotNil(t, report.Mismatch)
	require.Equal(t, "outputs", report.Mismatch.Tensor)
	require.Contains(t, report.Mismatch.Detail, "unknown")
}

// A design that stops is found, too.
func TestDeadLock(t *testing.T) {
	needTool(t, "iverilog")
	d := small.generate(t)
	replaceIn(t, d, "corinfo_context.v", "assign quiet = ", "assign quiet = !update && ")
	report := cosimSmall(t, d)
	require.NotNil(t, report.Mismatch)
	require.Equal(t, "time", report.Mismatch.Tensor)
}

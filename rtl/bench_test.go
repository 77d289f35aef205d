package rtl

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// runBench compiles a bench with the modules that it tests, files by their names, in Icarus without a warning, and gives what it prints.
// Memory images (.hex) are beside it.
func runBench(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	arguments := []string{"-g2012", "-Wall", "-Wno-timescale", "-o", "bench"}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(files[name]), 0o644))
		if !strings.HasSuffix(name, ".hex") {
			arguments = append(arguments, name)
		}
	}
	run := func(name string, arguments ...string) string {
		cmd := exec.Command(name, arguments...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s %v\n%s", name, arguments, out)
		return string(out)
	}
	require.Empty(t, run("iverilog", arguments...))
	return run("vvp", "-n", "bench")
}

package sim

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/hdlgen"
)

// small is the design that tampering tests change: its Icarus model is ready in no time.
var small = testCase{layers: []int{12, 9, 8, 5}, lanes: 3, batch: 1, rule: "divide_by_slow_loop_index", formats: "default"}

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

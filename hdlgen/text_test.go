package hdlgen

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden"
)

var update = flag.Bool("update", false, "rewrite the golden texts")

// built is every file of a design.
func built(t *testing.T, n *golden.Network, lanes int) map[string][]byte {
	t.Helper()
	a, err := golden.NewArithmetic(n)
	require.NoError(t, err)
	machine := golden.NewMachine(a)
	_, err = machine.SetWeights(golden.InitialWeights(n, n.Seed))
	require.NoError(t, err)
	files, _, err := Build(a, lanes, FastTarget, machine.Synapse)
	require.NoError(t, err)
	return files
}

// emitted tells the files that hdlgen prints from those of the library.
func emitted(name string) bool { return !strings.HasPrefix(name, libraryFolder+"/") }

// goldenDesigns are the designs whose text is kept.
func goldenDesigns(t *testing.T) map[string]map[string][]byte {
	return map[string]map[string][]byte{
		"events": built(t, testNetwork(t, []int{3, 2, 2}, 1, ""), 1),
		"dense":  built(t, testNetwork(t, []int{3, 2}, 2, "hardware: {mode: dense}\nformats: {r: 'ap_ufixed<5,1,RND_CONV,SAT>', W: 'ap_fixed<7,2,TRN_ZERO,SAT_SYM>'}\n"), 2),
	}
}

// librarySums matches what in a design's own files depends on the library's text.
var librarySums = regexp.MustCompile(`("library/[^"]*": ")[0-9a-f]+|("[^"/]*\.core": ")[0-9a-f]+|(:)[0-9.]+-r[0-9]+`)

// withoutLibrary is a file's text without what depends on the library's: kept texts are of what hdlgen prints.
func withoutLibrary(name string, text []byte) []byte {
	if name != manifestFile && path.Ext(name) != ".core" {
		return text
	}
	return librarySums.ReplaceAll(text, []byte("${1}${2}${3}..."))
}

// firstDifference shows the first line in which two texts differ; "" if none does.
func firstDifference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range max(len(a), len(b)) {
		if i >= len(a) || i >= len(b) || a[i] != b[i] {
			return fmt.Sprintf("line %d\n- %s\n+ %s", i+1, strings.Join(a[min(i, len(a)):min(i+1, len(a))], ""), strings.Join(b[min(i, len(b)):min(i+1, len(b))], ""))
		}
	}
	return ""
}

// The emitted text of two tiny designs is what testdata keeps: a change shows in review. -update rewrites it.
func TestGoldenText(t *testing.T) {
	kept := map[string]bool{}
	for design, files := range goldenDesigns(t) {
		for name, text := range files {
			if !emitted(name) {
				continue
			}
			text := withoutLibrary(name, text)
			file := filepath.Join("testdata", design, filepath.FromSlash(name))
			kept[file] = true
			if *update {
				require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
				require.NoError(t, os.WriteFile(file, text, 0o644))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err, "go test ./hdlgen -update makes it")
			require.Empty(t, firstDifference(string(want), string(text)), "%s: go test ./hdlgen -update takes the new text", file)
		}
	}
	require.NoError(t, filepath.WalkDir("testdata", func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() && !kept[path] {
			if *update {
				return os.Remove(path)
			}
			err = fmt.Errorf("%s: no design makes it; go test ./hdlgen -update removes it", path)
		}
		return err
	}))
}

// Emitted text is deterministic, at most 100 columns wide and without blanks at the ends of lines; registers have no
// initial value and every generate block a name.
func TestEmittedText(t *testing.T) {
	for _, c := range []struct {
		layers       []int
		lanes, batch int
		more         string
	}{
		{[]int{784, 64, 10}, 16, 20, ""},
		{[]int{12, 9, 8, 7, 6, 5}, 3, 2, "formats: {r1: 'ap_ufixed<9,1,RND,SAT>', W: 'ap_fixed<7,1,TRN,WRAP>', u2: 'ap_fixed<16,4,RND_CONV,SAT_SYM>'}\n"},
	} {
		n := testNetwork(t, c.layers, c.batch, c.more)
		files, again := built(t, n, c.lanes), built(t, n, c.lanes)
		for name, text := range files {
			require.True(t, bytes.Equal(text, again[name]), name)
			if !strings.HasSuffix(name, ".v") {
				continue
			}
			for i, line := range strings.Split(string(text), "\n") {
				at := fmt.Sprintf("%s:%d: %s", name, i+1, line)
				require.Equal(t, strings.TrimRight(line, " \t"), line, at)
				require.NotRegexp(t, regexp.MustCompile(`\bbegin\s*$`), generateOnly(line), at)
				require.LessOrEqual(t, len(line), 100, at)
				if emitted(name) {
					require.NotRegexp(t, regexp.MustCompile(`\{1\{|\[0 \+|\[1 \* |\+: 1\]`), line, at)
					require.NotContains(t, line, "initial ", at)
				} else if strings.Contains(line, "initial ") && !slices.Contains([]string{"corinfo_delay.v", "corinfo_ring.v", "corinfo_ram.v"}, path.Base(name)) {
					require.Fail(t, "a register or a memory with an initial value", at)
				}
			}
		}
	}
}

// generateOnly is the line if it opens a generate loop, which needs a block name behind begin, else "".
func generateOnly(line string) string {
	if regexp.MustCompile(`^\s*for \(.*; (\w+) = \w+ \+ 1\) begin`).MatchString(line) && !strings.Contains(line, "integer") && strings.Contains(line, "gen_") {
		return line
	}
	return ""
}

// Text does not grow with the network.
func TestTextSize(t *testing.T) {
	small := built(t, testNetwork(t, []int{784, 64, 10}, 1, ""), 16)
	large := built(t, testNetwork(t, []int{784, 500, 10}, 1, ""), 16)
	for name, text := range small {
		if strings.HasSuffix(name, ".v") {
			require.InEpsilon(t, len(text), len(large[name]), 0.02, name)
		}
	}
}

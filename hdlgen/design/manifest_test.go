package design

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden"
	"corinfo/hdlgen"
)

// sealed is a manifest's text with the sum that agrees with it, as one from elsewhere may have.
func sealed(t *testing.T, text []byte) []byte {
	t.Helper()
	var m hdlgen.Manifest
	require.NoError(t, json.Unmarshal(text, &m))
	m.Sum = ""
	own, err := json.Marshal(m)
	require.NoError(t, err)
	m.Sum = fmt.Sprintf("%x", sha256.Sum256(own))
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	require.NoError(t, encoder.Encode(m))
	return out.Bytes()
}

// What the network does not tell is held against the manifest's own sum: a target that gives the same figures, and those of a self-test.
func TestManifestSum(t *testing.T) {
	n := testNetwork(t, []int{3, 2, 2}, 1, "")
	dir := filepath.Join(t.TempDir(), "design")
	_, err := Generate(planned(t, n, 2), start(t, n), testBoard(t), nil, dir, hdlgen.RefuseEdited)
	require.NoError(t, err)
	path := filepath.Join(dir, "corinfo.json")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(text), string(sealed(t, text)))
	for name, change := range map[string]func(m *hdlgen.Manifest){
		"target":   func(m *hdlgen.Manifest) { m.Target.WireCycles++ },
		"checksum": func(m *hdlgen.Manifest) { m.Board.Checksum = "768d2f06" },
		"steps":    func(m *hdlgen.Manifest) { m.Board.Steps++ },
		"words":    func(m *hdlgen.Manifest) { m.Board.Images[1].Words++ },
		"version":  func(m *hdlgen.Manifest) { m.Version = "9" },
		"sums":     func(m *hdlgen.Manifest) { m.Checksums[m.Files[0]] = m.Checksums[m.Files[1]] },
		"sum":      func(m *hdlgen.Manifest) { m.Sum = "" },
	} {
		var m hdlgen.Manifest
		require.NoError(t, json.Unmarshal(text, &m))
		change(&m)
		changed, err := json.Marshal(m)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, changed, 0o644))
		_, err = Open(dir)
		require.ErrorIs(t, err, golden.ErrDamaged, name)
		require.ErrorContains(t, err, path, name)
	}
	// Another layout of the same is none.
	require.NoError(t, os.WriteFile(path, append([]byte("\n"), text...), 0o644))
	_, err = Open(dir)
	require.NoError(t, err)
}

// What a manifest says of a board is what generate would write for the board of that name, or the design is refused: file names and
// the top module reach tools, and files are made and removed by them.
func TestManifestIsNotBelieved(t *testing.T) {
	n := testNetwork(t, []int{3, 2, 2}, 1, "")
	dir := filepath.Join(t.TempDir(), "design")
	_, err := Generate(planned(t, n, 2), start(t, n), testBoard(t), nil, dir, hdlgen.RefuseEdited)
	require.NoError(t, err)
	path := filepath.Join(dir, "corinfo.json")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	for name, change := range map[string]func(m, board map[string]any){
		"file":         func(_, b map[string]any) { b["files"].([]any)[0] = "x.v; exec -- id > PWNED; #" },
		"file outside": func(_, b map[string]any) { b["files"].([]any)[0] = "../../x.v" },
		"one file more": func(_, b map[string]any) {
			b["files"] = append(b["files"].([]any), "/etc/passwd")
		},
		"model":      func(_, b map[string]any) { b["models"].([]any)[0] = "/etc/passwd" },
		"top":        func(_, b map[string]any) { b["top"] = "../../../victim" },
		"top's name": func(_, b map[string]any) { b["top"] = "tester_other" },
		"pins":       func(_, b map[string]any) { b["pins"] = "--help" },
		"board":      func(_, b map[string]any) { b["name"] = "../ecp5" },
		"no board":   func(_, b map[string]any) { b["name"] = "" },
		"frequency":  func(_, b map[string]any) { b["mhz"] = 1e9 },
		"PLL":        func(_, b map[string]any) { b["pll"].(map[string]any)["input"] = 3 },
		"image":      func(_, b map[string]any) { b["images"].([]any)[0].(map[string]any)["file"] = "../image.hex" },
		"no image":   func(_, b map[string]any) { b["images"] = []any{} },
		"checksum":   func(_, b map[string]any) { b["checksum"] = "$(id)" },
		"steps":      func(_, b map[string]any) { b["steps"] = -1 },
		"Verilog":    func(m, _ map[string]any) { m["files"].([]any)[0] = "rtl/a.v; shell id" },
		"family":     func(m, _ map[string]any) { m["target"].(map[string]any)["family"] = "x; shell id" },
		"name":       func(m, _ map[string]any) { m["name"] = "$(id)" },
	} {
		var m map[string]any
		require.NoError(t, json.Unmarshal(text, &m))
		change(m, m["board"].(map[string]any))
		changed, err := json.Marshal(m)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, sealed(t, changed), 0o644))
		_, err = Open(dir)
		require.Error(t, err, name)
		require.NotContains(t, err.Error(), "its checksum differs", name)
		require.True(t, bytes.Contains([]byte(err.Error()), []byte("corinfo.json")), "%s: %v", name, err)
		require.ErrorIs(t, err, golden.ErrDamaged, name)
	}
	require.NoError(t, os.WriteFile(path, text, 0o644))
	_, err = Open(dir)
	require.NoError(t, err)
	// The self-test's images are those that were generated.
	require.NoError(t, os.WriteFile(filepath.Join(dir, "board/images/tester_steps.hex"), []byte("0\n"), 0o644))
	_, err = Open(dir)
	require.ErrorIs(t, err, golden.ErrDamaged)
	require.ErrorContains(t, err, "steps.hex")
}

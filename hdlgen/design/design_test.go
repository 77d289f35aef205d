package design

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	fx "corinfo/fixedpoint"
	"corinfo/golden"
	"corinfo/golden/goldentest"
	"corinfo/golden/network"
	"corinfo/golden/rule"
	"corinfo/golden/training"
	"corinfo/hdlgen"
)

// testNetwork is a network file of the given layers with rates that match them.
func testNetwork(t *testing.T, layers []int, batch int, more string) *network.Network {
	t.Helper()
	return goldentest.FromFile(t, layers, batch, "", more)
}

// planned is a network on lanes, with as many neuron units as they have by default.
func planned(t *testing.T, n *network.Network, lanes int) *Plan {
	t.Helper()
	p, err := New(n, lanes, Units(lanes), hdlgen.FastTarget)
	require.NoError(t, err)
	return p
}

// start is the bit-true model of a network with its initial synapses.
func start(t *testing.T, n *network.Network) *training.FixedLearner {
	t.Helper()
	l, _, err := training.StartMachine(n, nil)
	require.NoError(t, err)
	return l
}

func testDesign(t *testing.T, n *network.Network, lanes int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "design")
	_, err := Generate(planned(t, n, lanes), start(t, n), nil, nil, dir, hdlgen.RefuseEdited)
	require.NoError(t, err)
	return dir
}

// Folders that are no design, or a damaged one, are refused with what is wrong.
func TestOpenDesignRefuses(t *testing.T) {
	good := testDesign(t, testNetwork(t, []int{5, 3, 2}, 1, ""), 2)
	_, err := Open(good)
	require.NoError(t, err)
	_, err = Open(testDesign(t, testNetwork(t, []int{5, 3, 2}, 1, ""), 300))
	require.NoError(t, err, "with more lanes than a byte counts")
	_, err = Open(t.TempDir())
	require.ErrorIs(t, err, golden.ErrUsage)
	for _, c := range []struct {
		file   string
		damage func(path string) error
		kind   error
	}{
		{"corinfo.json", os.Remove, golden.ErrUsage},
		{"corinfo.json", func(path string) error { return os.Truncate(path, 100) }, golden.ErrDamaged},
		{"images/tester_lane_0001.hex", os.Remove, golden.ErrDamaged},
		{"images/tester_lane_0001.hex", func(path string) error { return os.Truncate(path, 12) }, golden.ErrDamaged},
		{"images/tester_program.hex", func(path string) error { return os.WriteFile(path, nil, 0o644) }, golden.ErrDamaged},
		{"checkpoint", os.Remove, golden.ErrUsage},
		{"checkpoint", func(path string) error { return os.Truncate(path, 200) }, golden.ErrDamaged},
	} {
		dir := testDesign(t, testNetwork(t, []int{5, 3, 2}, 1, ""), 2)
		require.NoError(t, c.damage(filepath.Join(dir, filepath.FromSlash(c.file))))
		_, err := Open(dir)
		require.ErrorIs(t, err, c.kind, c.file)
		if c.kind == golden.ErrDamaged {
			require.ErrorContains(t, err, c.file)
		}
	}
	for _, c := range []struct{ old, new, words string }{
		{`"lanes"`, `"lane"`, `unknown field "lane"`},
		{`"context"`, `"contexts"`, `unknown field "contexts"`},
		{`"lanes": 2`, `"lanes": 4`, "is not as it was written"},
		{"\n}\n", "\n}\n{}\n", "more than one JSON object"},
	} {
		dir := testDesign(t, testNetwork(t, []int{5, 3, 2}, 1, ""), 2)
		path := filepath.Join(dir, "corinfo.json")
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Contains(t, string(text), c.old)
		require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(text), c.old, c.new, 1)), 0o644))
		_, err = Open(dir)
		require.ErrorIs(t, err, golden.ErrDamaged)
		require.ErrorContains(t, err, c.words)
	}
	// Verilog may be changed by hand.
	top := filepath.Join(good, "rtl", "tester.v")
	text, err := os.ReadFile(top)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(top, append(text, "// mine\n"...), 0o644))
	_, err = Open(good)
	require.NoError(t, err)
}

// What a host writes has at most 63 bits.
func TestWordsOfTheHost(t *testing.T) {
	for kind, text := range map[string]string{"mW": "ap_fixed<64,20,TRN_ZERO,SAT>", "rate": "ap_ufixed<64,2>"} {
		n := testNetwork(t, []int{5, 3, 2}, 1, "")
		n.Learning.Optimizer.Kind, n.Learning.Optimizer.Momentum = rule.Momentum, 0.9
		f, err := fx.ParseType(text)
		require.NoError(t, err)
		n.Formats = map[string]fx.Type{kind: f}
		_, err = New(n, 2, 1, hdlgen.FastTarget)
		require.ErrorIs(t, err, golden.ErrUsage, kind)
		require.ErrorContains(t, err, "at most 63", kind)
	}
}

// Generate refuses foreign folders, wrong lanes and reserved names, and leaves nothing behind.
func TestGenerateRefuses(t *testing.T) {
	n := testNetwork(t, []int{5, 3, 2}, 1, "")
	p, l := planned(t, n, 2), start(t, n)
	parent := t.TempDir()
	foreign := filepath.Join(parent, "foreign")
	require.NoError(t, os.MkdirAll(foreign, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(foreign, "mine.txt"), nil, 0o644))
	file := filepath.Join(parent, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	for _, dir := range []string{foreign, file} {
		_, err := Generate(p, l, nil, nil, dir, hdlgen.RefuseEdited)
		require.ErrorIs(t, err, golden.ErrUsage)
		require.ErrorContains(t, err, dir)
	}
	for _, lanes := range []int{-1, 0, network.MaxLanes + 1} {
		_, err := New(n, lanes, max(1, lanes), hdlgen.FastTarget)
		require.ErrorIs(t, err, golden.ErrUsage)
		require.ErrorContains(t, err, fmt.Sprintf("%d lanes", lanes))
	}
	n.Name = "wire"
	_, err := Generate(p, l, nil, nil, filepath.Join(parent, "design"), hdlgen.RefuseEdited)
	require.ErrorIs(t, err, golden.ErrUsage)
	require.ErrorContains(t, err, "reserved")
	n.Name = "tester"
	entries, err := os.ReadDir(parent)
	require.NoError(t, err)
	require.Len(t, entries, 2)
	_, err = os.Stat(filepath.Join(foreign, "mine.txt"))
	require.NoError(t, err)
}

// A disk that is full, here a limit on the size of files, leaves the design that was there and nothing else.
func TestGenerateOnAFullDisk(t *testing.T) {
	if dir := os.Getenv("CORINFO_FULL_DISK"); dir != "" {
		signal.Ignore(syscall.SIGXFSZ)
		n := testNetwork(t, []int{50, 30, 2}, 1, "")
		_, err := Generate(planned(t, n, 1), start(t, n), nil, nil, dir, hdlgen.RefuseEdited)
		require.ErrorIs(t, err, syscall.EFBIG)
		return
	}
	dir := testDesign(t, testNetwork(t, []int{5, 3, 2}, 1, ""), 2)
	cmd := exec.Command("sh", "-c", `ulimit -f 8 && exec "$0" -test.run '^TestGenerateOnAFullDisk$'`, os.Args[0])
	cmd.Env = append(os.Environ(), "CORINFO_FULL_DISK="+dir)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	_, err = Open(dir)
	require.NoError(t, err)
	entries, err := os.ReadDir(filepath.Dir(dir))
	require.NoError(t, err)
	require.Len(t, entries, 1)
	// Generated again, a design takes the place of the one before.
	n := testNetwork(t, []int{6, 4, 3}, 1, "")
	_, err = Generate(planned(t, n, 1), start(t, n), nil, nil, dir, hdlgen.RefuseEdited)
	require.NoError(t, err)
	d, err := Open(dir)
	require.NoError(t, err)
	require.Equal(t, []int{6, 4, 3}, d.Plan.Network.Layers)
}

// A program that is too long for an instruction's field is refused with what to change.
func TestProgramTooLong(t *testing.T) {
	n := testNetwork(t, []int{5, 3, 2}, 1, "")
	n.Settling.FreeIterations = 1 << 15
	_, err := New(n, 1, 1, hdlgen.FastTarget)
	require.ErrorIs(t, err, golden.ErrUsage)
	require.ErrorContains(t, err, "a program of 65572 instructions")
	require.ErrorContains(t, err, "use fewer layers or iterations")
}

// TestDesignNamesItsProgram: version and revision are in the manifest, the version in every printed module; a design stays
// one for the programs of other commits and of other versions that print the same.
func TestDesignNamesItsProgram(t *testing.T) {
	dir := testDesign(t, testNetwork(t, []int{5, 3, 2}, 1, ""), 2)
	m, err := hdlgen.ReadManifest(dir)
	require.NoError(t, err)
	require.Equal(t, golden.Version, m.Version)
	require.Equal(t, golden.Revision(), m.Revision)
	for _, name := range m.Files {
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		printed := strings.HasPrefix(name, "rtl/")
		require.Equal(t, printed, strings.Contains(string(text), "Generated by corinfo "+golden.Version+" "), name)
	}
	path := filepath.Join(dir, "corinfo.json")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	other := strings.Replace(string(text), `"version": "`+golden.Version+`"`, `"version": "0.0.1",`+"\n"+`  "revision": "0123456789ab"`, 1)
	require.NotEqual(t, string(text), other)
	require.NoError(t, os.WriteFile(path, sealed(t, []byte(other)), 0o644))
	d, err := Open(dir)
	require.NoError(t, err)
	require.Equal(t, "0123456789ab", d.Manifest.Revision)

	require.NoError(t, os.WriteFile(path, []byte(strings.Replace(other, `"batch": 1`, `"batch": 2`, 1)), 0o644))
	_, err = Open(dir)
	require.ErrorIs(t, err, golden.ErrDamaged)
	require.ErrorContains(t, err, `"0.0.1"`)
}

package sim

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden"
	"corinfo/hdlgen"
)

// What the folders are called that the cache and the design stand in is the user's choice: no shell, make or Verilog compiler
// takes a name apart, or runs what stands in it.
func TestFoldersOfAnyName(t *testing.T) {
	needTool(t, "verilator")
	needTool(t, "iverilog")
	small := small.generate(t)
	for _, name := range []string{"üx and a space", "$(touch made)`touch made`", "a'b\"c", "a\nb", "-o", "100%", "#x;touch made;"} {
		above := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.Mkdir(above, 0o755))
		dir := filepath.Join(above, "design")
		require.NoError(t, os.CopyFS(dir, os.DirFS(small.Dir)))
		d, err := hdlgen.OpenDesign(dir)
		require.NoError(t, err)
		t.Setenv("CORINFO_CACHE", filepath.Join(above, "cache"))
		for _, simulator := range []Simulator{Icarus, Verilator} {
			r, err := Cosim(context.Background(), d, Options{Simulator: simulator, Inference: randomSamples(d, 1, testSeed(t))})
			require.NoError(t, err, "%s in %q", simulator, name)
			require.Zero(t, r.Mismatches)
			require.Positive(t, r.ComparedStates)
		}
		made, err := filepath.Glob(filepath.Join(filepath.Dir(above), "*", "made"))
		require.NoError(t, err)
		require.Empty(t, made)
		require.NoFileExists(t, "made")
	}
}

// Nothing is written, or removed, where a link in a design leads.
func TestLinksOutOfADesign(t *testing.T) {
	ctx := context.Background()
	for _, folder := range []string{"sim", "board", "board/build"} {
		d := boardDesign(t, small, testSeed(t))
		elsewhere := filepath.Join(t.TempDir(), "elsewhere")
		require.NoError(t, os.MkdirAll(filepath.Join(elsewhere, "build"), 0o755))
		mine := []string{"checkpoint", d.Manifest.Board.Top + ".json", "yosys.done", "build/yosys.log"}
		for _, name := range mine {
			require.NoError(t, os.WriteFile(filepath.Join(elsewhere, name), []byte("mine"), 0o644))
		}
		link := filepath.Join(d.Dir, folder)
		require.NoError(t, os.RemoveAll(link))
		require.NoError(t, os.Symlink(elsewhere, link))
		onPath(t, false, map[string]string{"yosys": "exit 1\n", "nextpnr-ecp5": "exit 1\n", "ecppack": "exit 1\n"})
		_, err := Synth(ctx, d, SynthOptions{})
		if folder == "sim" {
			_, err = Cosim(ctx, d, Options{Simulator: Icarus, Learning: randomSamples(d, 2, testSeed(t)), SaveEvery: 1})
		}
		require.ErrorIs(t, err, golden.ErrUsage, folder)
		require.ErrorContains(t, err, link)
		require.ErrorContains(t, err, "not a folder")
		for _, name := range mine {
			text, err := os.ReadFile(filepath.Join(elsewhere, name))
			require.NoError(t, err)
			require.Equal(t, "mine", string(text))
		}
		entries, err := os.ReadDir(elsewhere)
		require.NoError(t, err)
		require.Len(t, entries, 4)
	}
}

// What a link in the folder of synthesis leads to is neither read as a product nor written by a tool; Verilog that a link leads out to
// is not read.
func TestLinksOfSynthesis(t *testing.T) {
	d := boardDesign(t, small, testSeed(t))
	top := d.Manifest.Board.Top
	build := filepath.Join(d.Dir, synthFolder)
	require.NoError(t, os.MkdirAll(build, 0o755))
	mine := filepath.Join(t.TempDir(), "mine")
	require.NoError(t, os.WriteFile(mine, []byte("mine"), 0o644))
	for _, name := range []string{top + ".json", top + ".ys", "yosys.log", "yosys.done"} {
		require.NoError(t, os.Symlink(mine, filepath.Join(build, name)))
	}
	onPath(t, false, map[string]string{"yosys": "[ $1 = -V ] && echo yosys 1 && exit; echo netlist > board/build/" + top + ".json\n", "nextpnr-ecp5": "exit 1\n", "ecppack": "exit 1\n"})
	_, err := Synth(context.Background(), d, SynthOptions{})
	require.Error(t, err)
	text, err := os.ReadFile(mine)
	require.NoError(t, err)
	require.Equal(t, "mine", string(text))

	source := filepath.Join(d.Dir, d.Manifest.Files[0])
	require.NoError(t, os.Remove(source))
	require.NoError(t, os.Symlink(mine, source))
	_, err = Synth(context.Background(), d, SynthOptions{})
	require.ErrorIs(t, err, golden.ErrDamaged)
	require.ErrorContains(t, err, d.Manifest.Files[0])
}

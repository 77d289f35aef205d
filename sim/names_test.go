package sim

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden"
)

// Nothing is written, or removed, where a link in a design leads.
func TestLinksOutOfADesign(t *testing.T) {
	ctx := context.Background()
	for _, folder := range []string{"board", "board/build"} {
		d := boardDesign(t, small, testSeed(t))
		elsewhere := filepath.Join(t.TempDir(), "elsewhere")
		require.NoError(t, os.MkdirAll(filepath.Join(elsewhere, "build"), 0o755))
		mine := []string{d.Manifest.Board.Top + ".json", "yosys.done", "build/yosys.log"}
		for _, name := range mine {
			require.NoError(t, os.WriteFile(filepath.Join(elsewhere, name), []byte("mine"), 0o644))
		}
		link := filepath.Join(d.Dir, folder)
		require.NoError(t, os.RemoveAll(link))
		require.NoError(t, os.Symlink(elsewhere, link))
		onPath(t, false, map[string]string{"yosys": "exit 1\n", "nextpnr-ecp5": "exit 1\n", "ecppack": "exit 1\n"})
		_, err := Synth(ctx, d.Dir, d.Manifest, SynthOptions{})
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
		require.Len(t, entries, 3)
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
	_, err := Synth(context.Background(), d.Dir, d.Manifest, SynthOptions{})
	require.Error(t, err)
	text, err := os.ReadFile(mine)
	require.NoError(t, err)
	require.Equal(t, "mine", string(text))

	source := filepath.Join(d.Dir, d.Manifest.Files[0])
	require.NoError(t, os.Remove(source))
	require.NoError(t, os.Symlink(mine, source))
	_, err = Synth(context.Background(), d.Dir, d.Manifest, SynthOptions{})
	require.ErrorIs(t, err, golden.ErrDamaged)
	require.ErrorContains(t, err, d.Manifest.Files[0])
}

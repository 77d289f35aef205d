package design

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/constraints"
	"corinfo/golden"
	"corinfo/golden/training"
	"corinfo/hdlgen"
)

func testBoard(t *testing.T) *hdlgen.Board {
	t.Helper()
	named, err := constraints.Get("ulx3s-85f")
	require.NoError(t, err)
	return &hdlgen.Board{Board: named, MHz: 100, Classify: []hdlgen.Sample{{X: []int64{256, 0, 90}, Label: 1}},
		Learn: []hdlgen.Sample{{X: []int64{0, 200, 256}, Label: 1, Negative: true}}}
}

// A design with a board opens again, is replaced by itself, and keeps what its synthesis has made out of the way; a design without
// one has no trace of it.
func TestBoardFolder(t *testing.T) {
	n := testNetwork(t, []int{3, 2, 2}, 1, "")
	p, l := planned(t, n, 2), start(t, n)
	before := l.Tensors()
	dir := filepath.Join(t.TempDir(), "design")
	m, err := Generate(p, l, testBoard(t), nil, dir, hdlgen.RefuseEdited)
	require.NoError(t, err)
	require.Equal(t, before, l.Tensors(), "the self-test learned in the caller's model")
	require.Equal(t, 3, m.Board.Steps)
	for file, sum := range m.Checksums {
		text, err := os.ReadFile(filepath.Join(dir, file))
		require.NoError(t, err)
		require.Equal(t, sum, fmt.Sprintf("%x", sha256.Sum256(text)), file)
	}
	require.Subset(t, slices.Collect(maps.Keys(m.Checksums)), slices.Concat(m.Board.Files, m.Board.Models, []string{m.Board.Pins, "board/" + m.Board.Top + ".f"}))
	d, err := Open(dir)
	require.NoError(t, err)
	require.Equal(t, m.Board, d.Manifest.Board)
	for _, i := range m.Board.Images {
		require.Contains(t, m.Checksums, i.File)
	}
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "board/build"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "board/build", "yosys.log"), nil, 0o644))
	again, err := Generate(p, l, testBoard(t), nil, dir, hdlgen.RefuseEdited)
	require.NoError(t, err)
	require.Equal(t, m, again)
	require.NoFileExists(t, filepath.Join(dir, "board/build", "yosys.log"))
	plain, err := Generate(p, l, nil, nil, dir, hdlgen.RefuseEdited)
	require.NoError(t, err)
	require.Nil(t, plain.Board)
	require.NoDirExists(t, filepath.Join(dir, "board"))
}

// The checksum and the expected classes depend on what the test learns and on the synapses it starts from.
func TestSelfTestExpects(t *testing.T) {
	n := testNetwork(t, []int{3, 5, 4}, 1, "")
	sum := func(change func(b *hdlgen.Board, l *training.FixedLearner)) string {
		l, b := start(t, n), testBoard(t)
		change(b, l)
		m, err := Generate(planned(t, n, 2), l, b, nil, filepath.Join(t.TempDir(), "design"), hdlgen.RefuseEdited)
		require.NoError(t, err)
		return m.Board.Checksum
	}
	all := map[string]bool{}
	for i, change := range []func(b *hdlgen.Board, l *training.FixedLearner){
		func(*hdlgen.Board, *training.FixedLearner) {},
		func(b *hdlgen.Board, _ *training.FixedLearner) { b.Learn[0].Negative = false },
		func(b *hdlgen.Board, _ *training.FixedLearner) { b.Learn[0].Label = 0 },
		func(b *hdlgen.Board, _ *training.FixedLearner) { b.Learn[0].X[1] = 80 },
		func(_ *hdlgen.Board, l *training.FixedLearner) { l.SetSynapse(0, 0, 0, l.Synapse(0, 0, 0)+1) },
	} {
		c := sum(change)
		require.False(t, all[c], "change %d leaves the checksum %s", i, c)
		all[c] = true
	}
}

func TestBoardRefuses(t *testing.T) {
	n := testNetwork(t, []int{3, 2, 2}, 2, "")
	for want, change := range map[string]func(b *hdlgen.Board){
		"whole mini-batches of 2": func(*hdlgen.Board) {}, // one sample to learn
		"at least one":            func(b *hdlgen.Board) { b.Classify, b.Learn = nil, append(b.Learn, b.Learn...) },
		"10 to 400 MHz":           func(b *hdlgen.Board) { b.MHz = 5 },
		"nearest":                 func(b *hdlgen.Board) { b.MHz = 11 },
	} {
		b := testBoard(t)
		change(b)
		dir := filepath.Join(t.TempDir(), "design")
		_, err := Generate(planned(t, n, 2), start(t, n), b, nil, dir, hdlgen.RefuseEdited)
		require.ErrorIs(t, err, golden.ErrUsage, want)
		require.ErrorContains(t, err, want)
		require.NoDirExists(t, dir)
	}
}

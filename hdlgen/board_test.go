package hdlgen

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/constraints"
	"corinfo/golden"
	"corinfo/golden/weights"
	"corinfo/hdlgen/settling"
)

func testBoard(t *testing.T) *Board {
	t.Helper()
	named, err := constraints.Get("ulx3s-85f")
	require.NoError(t, err)
	return &Board{Board: named, MHz: 100, Classify: []TestSample{{X: []int64{256, 0, 90}, Label: 1}},
		Learn: []TestSample{{X: []int64{0, 200, 256}, Label: 1, Negative: true}}}
}

// What pack writes, unpacked as corinfo_selftest does, is the sample: at all lengths of runs around the longest that a word tells.
func TestPackedDigits(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	samples := [][]int64{{0}, {5}, {0, 0}, {0, 7}, {7, 0}}
	for _, zeros := range []int{253, 254, 255, 256, 257, 510, 511, 512, 513} {
		samples = append(samples, make([]int64, zeros), append(make([]int64, zeros), 9), append(append([]int64{3}, make([]int64, zeros)...), 9, 0))
	}
	for range 200 {
		x := make([]int64, 1+rng.IntN(900))
		for i := range x {
			if rng.IntN(1+rng.IntN(300)) == 0 {
				x[i] = rng.Int64N(512)
			}
		}
		samples = append(samples, x)
	}
	for _, x := range samples {
		s := &selfTest{digits: &image{}}
		words := s.pack(x, 9)
		lines := strings.Fields(s.digits.text.String())
		require.Len(t, lines, words)
		var got []int64
		for _, line := range lines {
			word, err := strconv.ParseInt(line, 16, 64)
			require.NoError(t, err)
			require.Less(t, word, int64(1)<<17)
			got = append(append(got, make([]int64, word>>9)...), word&511)
		}
		require.Equal(t, x, got)
	}
}

// A design with a board opens again, is replaced by itself, and keeps what its synthesis has made out of the way; a design without
// one has no trace of it.
func TestBoardFolder(t *testing.T) {
	a, err := settling.New(testNetwork(t, []int{3, 2, 2}, 1, ""))
	require.NoError(t, err)
	machine := settling.NewMachine(a)
	_, err = machine.SetWeights(weights.Initial(a.Network.Describe(), a.Network.Seed))
	require.NoError(t, err)
	before := machine.Tensors()
	dir := filepath.Join(t.TempDir(), "design")
	m, err := GenerateFor(testBoard(t), nil, a, machine, 2, FastTarget, dir, RefuseEdited)
	require.NoError(t, err)
	require.Equal(t, before, machine.Tensors(), "the self-test learned in the caller's machine")
	require.Equal(t, 3, m.Board.Steps)
	for file, sum := range m.Checksums {
		text, err := os.ReadFile(filepath.Join(dir, file))
		require.NoError(t, err)
		require.Equal(t, sum, checksum(text), file)
	}
	require.Subset(t, slices.Collect(maps.Keys(m.Checksums)), slices.Concat(m.Board.Files, m.Board.Models, []string{m.Board.Pins, m.Board.list()}))
	d, err := OpenDesign(dir)
	require.NoError(t, err)
	require.Equal(t, m.Board, d.Manifest.Board)
	for _, i := range m.Board.Images {
		require.Contains(t, m.Checksums, i.File)
	}
	require.NoError(t, os.MkdirAll(filepath.Join(dir, buildFolder), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, buildFolder, "yosys.log"), nil, 0o644))
	again, err := GenerateFor(testBoard(t), nil, a, machine, 2, FastTarget, dir, RefuseEdited)
	require.NoError(t, err)
	require.Equal(t, m, again)
	require.NoFileExists(t, filepath.Join(dir, buildFolder, "yosys.log"))
	plain, err := Generate(a, machine, 2, FastTarget, dir)
	require.NoError(t, err)
	require.Nil(t, plain.Board)
	require.NoDirExists(t, filepath.Join(dir, boardFolder))
}

// The checksum and the expected classes depend on what the test learns and on the synapses it starts from.
func TestSelfTestExpects(t *testing.T) {
	a, err := settling.New(testNetwork(t, []int{3, 5, 4}, 1, ""))
	require.NoError(t, err)
	sum := func(change func(b *Board, machine *settling.Machine)) string {
		machine := settling.NewMachine(a)
		_, err := machine.SetWeights(weights.Initial(a.Network.Describe(), a.Network.Seed))
		require.NoError(t, err)
		b := testBoard(t)
		change(b, machine)
		m, err := GenerateFor(b, nil, a, machine, 2, FastTarget, filepath.Join(t.TempDir(), "design"), RefuseEdited)
		require.NoError(t, err)
		return m.Board.Checksum
	}
	all := map[string]bool{}
	for i, change := range []func(b *Board, machine *settling.Machine){
		func(*Board, *settling.Machine) {},
		func(b *Board, _ *settling.Machine) { b.Learn[0].Negative = false },
		func(b *Board, _ *settling.Machine) { b.Learn[0].Label = 0 },
		func(b *Board, _ *settling.Machine) { b.Learn[0].X[1] = 80 },
		func(_ *Board, machine *settling.Machine) { machine.SetSynapse(0, 0, 0, machine.Synapse(0, 0, 0)+1) },
	} {
		c := sum(change)
		require.False(t, all[c], "change %d leaves the checksum %s", i, c)
		all[c] = true
	}
}

func TestBoardRefuses(t *testing.T) {
	a, err := settling.New(testNetwork(t, []int{3, 2, 2}, 2, ""))
	require.NoError(t, err)
	machine := settling.NewMachine(a)
	for want, change := range map[string]func(b *Board){
		"whole mini-batches of 2": func(*Board) {}, // one sample to learn
		"at least one":            func(b *Board) { b.Classify, b.Learn = nil, append(b.Learn, b.Learn...) },
		"10 to 400 MHz":           func(b *Board) { b.MHz = 5 },
		"nearest":                 func(b *Board) { b.MHz = 11 },
	} {
		b := testBoard(t)
		change(b)
		dir := filepath.Join(t.TempDir(), "design")
		_, err := GenerateFor(b, nil, a, machine, 2, FastTarget, dir, RefuseEdited)
		require.ErrorIs(t, err, golden.ErrUsage, want)
		require.ErrorContains(t, err, want)
		require.NoDirExists(t, dir)
	}
}

// The memories and multipliers that a design takes of a device are those of Yosys 0.23's synth_ecp5 for 784-128-10 on 16 lanes: 184
// block memories, 11 of each lane and 8 of the input, and 112 multipliers, 7 of each lane.
func TestFit(t *testing.T) {
	a, err := settling.New(testNetwork(t, []int{784, 128, 10}, 20, ""))
	require.NoError(t, err)
	e, err := Estimate(a, 16, FastTarget, nil)
	require.NoError(t, err)
	named, err := constraints.Get("ulx3s-85f")
	require.NoError(t, err)
	f := e.Fit(named)
	require.Equal(t, Use{184, 208}, f.BRAM)
	require.Equal(t, Use{112, 156}, f.DSP)
	require.True(t, f.Fits)
	require.Equal(t, e.Multipliers, f.DSP.Used, "no factor is wider than a multiplier")
	require.Len(t, f.Memories, len(e.Memories))
	large, err := Estimate(a, 32, FastTarget, nil)
	require.NoError(t, err)
	require.False(t, large.Fit(named).Fits)
	for _, m := range []struct{ words, width, blocks int }{
		{1024, 18, 1}, {1025, 18, 2}, {512, 36, 1}, {16384, 1, 1}, {2048, 9, 1}, {7514, 16, 8}, {9, 37, 0}, {360, 36, 1},
	} {
		require.Equal(t, m.blocks, memoryFit(MemoryBits{Words: m.words, Width: m.width, Memories: 1}).Blocks, fmt.Sprint(m))
	}
}

package hdlgen

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

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
		s := &selfTest{digits: &MemoryImage{}}
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

// A memory takes as many blocks as Yosys 0.23's synth_ecp5 gives it.
func TestMemoryFit(t *testing.T) {
	for _, m := range []struct{ words, width, blocks int }{
		{1024, 18, 1}, {1025, 18, 2}, {512, 36, 1}, {16384, 1, 1}, {2048, 9, 1}, {7514, 16, 8}, {9, 37, 0}, {360, 36, 1},
	} {
		require.Equal(t, m.blocks, memoryFit(MemoryBits{Words: m.words, Width: m.width, Memories: 1}).Blocks, fmt.Sprint(m))
	}
}

package fixedpoint

import (
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// drawer gives the words of one key by row and column.
type drawer func(seed, update uint32, tensor uint8) func(row, column uint16) uint32

func speck(seed, update uint32, tensor uint8) func(row, column uint16) uint32 {
	key := NewKey(seed, update, tensor)
	return key.Draw
}

// statistic is a figure that is standard normal for independent uniform words.
type statistic struct {
	kind, where string
	z           float64
}

// drawStatistics looks at the words of one key and of its neighbours. It takes no word twice for one
// statistic, so that a drawer may as well give a new random word at every call.
func drawStatistics(d drawer, seed, update uint32, tensor uint8) (list []statistic) {
	note := func(kind string, z float64, where string, args ...any) {
		list = append(list, statistic{kind, fmt.Sprintf(where, args...), z})
	}
	const rows, columns = 128, 256
	table := make([][]uint32, rows)
	draw := d(seed, update, tensor)
	var parts [4][256]int
	for row := range table {
		for column := range columns {
			word := draw(uint16(row), uint16(column))
			table[row] = append(table[row], word)
			for i := range parts {
				parts[i][word>>(8*i)&0xff]++
			}
		}
	}
	for i := range parts {
		note("frequency", uniform(parts[i][:]), "bits %d up", 8*i)
	}
	// Rounding uses the top d bits.
	for _, d := range []int{4, 8, 16, 32} {
		var all []uint32
		for _, line := range table {
			all = append(all, line...)
		}
		note("mean", meanOf(all, d), "top %d bits", d)
		for _, lag := range []int{1, 2, 3, 5, 16, 64} {
			var a, b, c, e []uint32
			for row, line := range table {
				a, b = append(a, line[lag:]...), append(b, line[:columns-lag]...)
				if row >= lag {
					c, e = append(c, line...), append(e, table[row-lag]...)
				}
			}
			note("lag", correlation(a, b, d), "top %d bits, columns %d apart", d, lag)
			note("lag", correlation(c, e, d), "top %d bits, rows %d apart", d, lag)
		}
	}
	// One bit of an index or of the key makes about half of the bits differ, and none of them more
	// often than others.
	flip := func(what string, bit int, other func(i uint16) (row, column, row2, column2 uint16), next func(row, column uint16) uint32) {
		const n = 1 << 13
		var each [32]int
		var pairs [256]int
		total := 0
		for i := range uint16(n) {
			row, column, row2, column2 := other(i)
			v, w := draw(row, column), next(row2, column2)
			pairs[v>>28<<4|w>>28]++
			for x := v ^ w; x != 0; x &= x - 1 {
				each[bits.TrailingZeros32(x)]++
				total++
			}
		}
		for i, c := range each {
			note("difference", share(c, n), "bit %d, between neighbours in bit %d of %s", i, bit, what)
		}
		note("difference", share(total, 32*n), "neighbours in bit %d of %s", bit, what)
		note("frequency", uniform(pairs[:]), "top 4 bits of neighbours in bit %d of %s", bit, what)
	}
	same := func(i uint16) (row, column, row2, column2 uint16) { return i >> 7, i & 127, i >> 7, i & 127 }
	for bit := range 16 {
		// gap is i with a 0 put in at the bit.
		gap := func(i uint16) uint16 { return i>>bit<<(bit+1) | i&(1<<bit-1) }
		flip("row", bit, func(i uint16) (row, column, row2, column2 uint16) {
			return gap(i >> 7), i & 127, gap(i>>7) ^ 1<<bit, i & 127
		}, draw)
		flip("column", bit, func(i uint16) (row, column, row2, column2 uint16) {
			return i >> 7, gap(i & 127), i >> 7, gap(i&127) ^ 1<<bit
		}, draw)
	}
	for bit := range 32 {
		flip("seed", bit, same, d(seed^1<<bit, update, tensor))
		if bit < 24 {
			flip("update", bit, same, d(seed, update^1<<bit, tensor))
		}
		if bit < 8 {
			flip("tensor", bit, same, d(seed, update, tensor^1<<bit))
		}
	}
	// The words of the same few synapses in consecutive updates.
	const updates = 2048
	runs := make([][]uint32, 8)
	for i := range uint32(updates) {
		draw := d(seed, update+i, tensor)
		for synapse := range runs {
			runs[synapse] = append(runs[synapse], draw(uint16(synapse/4), uint16(synapse%4)))
		}
	}
	for synapse, run := range runs {
		for _, d := range []int{4, 8, 16, 32} {
			note("mean", meanOf(run, d), "top %d bits, synapse %d over updates", d, synapse)
			for lag := 1; lag < 4; lag++ {
				note("lag", correlation(run[lag:], run[:updates-lag], d), "top %d bits, synapse %d, updates %d apart", d, synapse, lag)
			}
		}
		if synapse > 0 {
			note("lag", correlation(run, runs[synapse-1], 16), "top 16 bits, synapses %d and %d over updates", synapse-1, synapse)
		}
	}
	return list
}

// centred is the top d bits of a word as a number of mean 0 and variance 1.
func centred(word uint32, d int) float64 {
	levels := math.Ldexp(1, d)
	return (float64(word>>(32-d)) - (levels-1)/2) / math.Sqrt((levels*levels-1)/12)
}

func meanOf(words []uint32, d int) float64 {
	sum := 0.0
	for _, w := range words {
		sum += centred(w, d)
	}
	return sum / math.Sqrt(float64(len(words)))
}

func correlation(a, b []uint32, d int) float64 {
	sum := 0.0
	for i, w := range a {
		sum += centred(w, d) * centred(b[i], d)
	}
	return sum / math.Sqrt(float64(len(a)))
}

// share is that of count in n, a half being expected.
func share(count, n int) float64 { return (2*float64(count) - float64(n)) / math.Sqrt(float64(n)) }

// uniform is the chi-square of equal frequencies, brought to a normal variable (Wilson and Hilferty 1931).
func uniform(counts []int) float64 {
	total := 0
	for _, c := range counts {
		total += c
	}
	expected := float64(total) / float64(len(counts))
	chi := 0.0
	for _, c := range counts {
		chi += (float64(c) - expected) * (float64(c) - expected) / expected
	}
	freedom := float64(len(counts) - 1)
	v := 2 / (9 * freedom)
	return (math.Cbrt(chi/freedom) - (1 - v)) / math.Sqrt(v)
}

// TestDrawStatistics looks for unequal frequencies and for dependence between the words of neighbours.
// The keys are as plain as those in use. CORINFO_DRAW_SEEDS=n tests n random keys in place of them.
func TestDrawStatistics(t *testing.T) {
	keys := [][3]uint32{{0, 0, 0}, {0, 1, 2}, {1, 0, 1}, {1, 300, 3}, {7, 70_000, 0}, {12345, 2, 5}}
	limit := 5.2 // of some 20,000 figures, all fixed
	if text := os.Getenv("CORINFO_DRAW_SEEDS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatalf("CORINFO_DRAW_SEEDS: %v", err)
		}
		rng := random(t)
		keys, limit = nil, 6.5
		for range n {
			keys = append(keys, [3]uint32{rng.Uint32() >> rng.IntN(32), rng.Uint32() >> (8 + rng.IntN(24)), rng.Uint32() >> 24 >> rng.IntN(8)})
		}
	}
	worst := statistic{}
	count := 0
	for _, key := range keys {
		for _, s := range drawStatistics(speck, key[0], key[1], uint8(key[2])) {
			count++
			if math.Abs(s.z) > math.Abs(worst.z) {
				worst = s
			}
			if math.Abs(s.z) > limit {
				t.Errorf("seed %d, update %d, tensor %d: %s of %s is %.1f standard deviations off", key[0], key[1], key[2], s.kind, s.where, s.z)
			}
		}
	}
	t.Logf("%d figures, the worst %.1f standard deviations off: %s of %s", count, worst.z, worst.kind, worst.where)
}

// The figures of independent words are standard normal, so that the limit means what it says.
func TestDrawStatisticsOfRandomWords(t *testing.T) {
	rng := random(t)
	fresh := func(uint32, uint32, uint8) func(uint16, uint16) uint32 {
		return func(uint16, uint16) uint32 { return rng.Uint32() }
	}
	square, count := map[string]float64{}, map[string]float64{}
	for range 3 {
		for _, s := range drawStatistics(fresh, 0, 0, 0) {
			square[s.kind] += s.z * s.z
			count[s.kind]++
			if math.Abs(s.z) > 6 {
				t.Errorf("%s of %s is %.1f standard deviations off", s.kind, s.where, s.z)
			}
		}
	}
	for kind, n := range count {
		// The figures of one kind share words, so their squares vary a little more than 2/n.
		if v := square[kind] / n; math.Abs(v-1) > 10*math.Sqrt(2/n) {
			t.Errorf("%s: variance %.3f over %v figures, want 1", kind, v, n)
		}
	}
}

// Without Warmup, neighbours in tensor and update depend on each other: the figures must show it, and those
// of words that repeat in the next row.
func TestDrawStatisticsFindDependence(t *testing.T) {
	worst := func(d drawer) float64 {
		most := 0.0
		for _, s := range drawStatistics(d, 0, 0, 0) {
			most = max(most, math.Abs(s.z))
		}
		return most
	}
	cold := func(seed, update uint32, tensor uint8) func(row, column uint16) uint32 {
		keys := make([]uint16, Rounds)
		expand(seed, update, tensor, keys)
		return func(row, column uint16) uint32 { return encrypt(keys, row, column) }
	}
	rng := rand.New(rand.NewPCG(1, 2))
	words := map[[2]uint16]uint32{}
	repeated := func(uint32, uint32, uint8) func(row, column uint16) uint32 {
		return func(row, column uint16) uint32 {
			at := [2]uint16{row / 2, column}
			if words[at] == 0 {
				words[at] = rng.Uint32()
			}
			return words[at]
		}
	}
	for name, d := range map[string]drawer{"no warm-up": cold, "repeated rows": repeated} {
		if z := worst(d); z < 20 {
			t.Errorf("%s: the worst figure is %.1f standard deviations off", name, z)
		}
	}
}

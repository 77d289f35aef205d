package fixedpoint

import (
	"fmt"
	"math"
	"testing"
)

// The test vector of the cipher's designers, at all 22 rounds.
func TestSpeckVector(t *testing.T) {
	keys := make([]uint16, 22)
	expand(0x0908_0100, 0x18_1110, 0x19, keys) // key words 1918 1110 0908 0100
	if got := encrypt(keys, 0x6574, 0x694c); got != 0xa868_42f2 {
		t.Errorf("got %08x, want a86842f2", got)
	}
}

// Draw against the cipher as its designers write it, one key word at a time.
func TestDrawIsReducedSpeck(t *testing.T) {
	rng := random(t)
	ror := func(x uint32, n int) uint32 { return (x>>n | x<<(16-n)) & 0xffff }
	for range 2000 {
		seed, update, tensor := rng.Uint32(), rng.Uint32(), uint8(rng.Uint32())
		row, column := uint16(rng.Uint32()), uint16(rng.Uint32())
		k := seed & 0xffff
		l := []uint32{seed >> 16, update & 0xffff, uint32(tensor)<<8 | update>>16&0xff}
		x, y := uint32(row), uint32(column)
		for i := range uint32(8) {
			x = (ror(x, 7)+y)&0xffff ^ k
			y = ror(y, 14) ^ x
			l = append(l, (k+ror(l[i], 7))&0xffff^i)
			k = ror(k, 14) ^ l[i+3]
		}
		key := NewKey(seed, update, tensor)
		if got := key.Draw(row, column); got != x<<16|y {
			t.Fatalf("seed %d, update %d, tensor %d, (%d, %d): got %08x, want %08x", seed, update, tensor, row, column, got, x<<16|y)
		}
		if other := NewKey(seed, update+1<<24, tensor); other != key {
			t.Fatalf("update %d does not count modulo 2^24", update)
		}
	}
}

// TestDrawStatistics looks for unequal frequencies of the words' parts and for dependence between the words of
// neighbours in row, column, update, tensor and seed. The keys are fixed and as plain as those in use.
func TestDrawStatistics(t *testing.T) {
	const rows, columns = 256, 256
	for seed := range uint32(3) {
		for update := range uint32(3) {
			key := NewKey(seed, update, 0)
			neighbours := map[string]Key{
				"row": key, "column": key,
				"update": NewKey(seed, update+1, 0), "tensor": NewKey(seed, update, 1), "seed": NewKey(seed+1, update, 0),
			}
			var parts [4][256]int
			pairs := map[string]*[256]int{}
			var sum, bits float64
			for name := range neighbours {
				pairs[name] = new([256]int)
			}
			for row := range uint16(rows) {
				for column := range uint16(columns) {
					word := key.Draw(row, column)
					sum += float64(word) / (1 << 32)
					for i := range parts {
						parts[i][word>>(8*i)&0xff]++
					}
					for name, other := range neighbours {
						r, c := row, column
						switch name {
						case "row":
							r++
						case "column":
							c++
						}
						next := other.Draw(r, c)
						pairs[name][word>>28<<4|next>>28]++
						bits += float64(popcount(word ^ next))
					}
				}
			}
			where := fmt.Sprintf("seed %d, update %d: ", seed, update)
			for i := range parts {
				uniform(t, fmt.Sprintf("%sbits %d up", where, 8*i), parts[i][:])
			}
			for name, counts := range pairs {
				uniform(t, where+"top bits of neighbours in "+name, counts[:])
			}
			const n = rows * columns
			if z := (sum/n - 0.5) * math.Sqrt(12*n); math.Abs(z) > 5 {
				t.Errorf("%smean of the words is %.1f standard deviations off", where, z)
			}
			m := float64(n * len(neighbours) * 32)
			if z := (bits/m - 0.5) * 2 * math.Sqrt(m); math.Abs(z) > 5 {
				t.Errorf("%sshare of bits that differ between neighbours is %.1f standard deviations off", where, z)
			}
		}
	}
}

func popcount(x uint32) (n int) {
	for ; x != 0; x &= x - 1 {
		n++
	}
	return n
}

// uniform is the chi-square test of equal frequencies, at 5 standard deviations of its normal approximation.
func uniform(t *testing.T, what string, counts []int) {
	t.Helper()
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
	if z := (chi - freedom) / math.Sqrt(2*freedom); math.Abs(z) > 5 {
		t.Errorf("%s: chi-square %.1f at %v degrees of freedom, %.1f standard deviations off", what, chi, freedom, z)
	}
}

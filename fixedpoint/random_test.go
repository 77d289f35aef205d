package fixedpoint

import "testing"

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
		for i := range uint32(16) {
			if i >= 8 {
				x = (ror(x, 7)+y)&0xffff ^ k
				y = ror(y, 14) ^ x
			}
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

// TestDrawColumn holds whole columns against Draw, also around the largest row.
func TestDrawColumn(t *testing.T) {
	rng := random(t)
	for _, n := range []int{0, 1, 15, 16, 31, 32, 33, 100, 1000, 1 << 16} {
		for _, symmetric := range []bool{false, true} {
			key, column := NewKey(rng.Uint32(), rng.Uint32(), uint8(rng.Uint32())), uint16(rng.IntN(max(n, 1)))
			got := make([]int64, n)
			key.DrawColumn(got, column, symmetric)
			for row, word := range got {
				a, b := uint16(row), column
				if symmetric && b > a {
					a, b = b, a
				}
				if want := key.Draw(a, b); word != int64(want) {
					t.Fatalf("row %d of %d, column %d, symmetric %t: got %08x, want %08x", row, n, column, symmetric, word, want)
				}
			}
		}
	}
}

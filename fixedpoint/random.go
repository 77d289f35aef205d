package fixedpoint

import (
	"math/bits"

	"corinfo/fixedpoint/vector"
)

// Rounds is the number of rounds of the cipher that draws random words.
const Rounds = 8

// Warmup is the number of round keys that the key schedule makes before the first one in use. The
// last of the key's words enter only the third and fourth round key; without it, words under keys that differ in
// those, neighbouring updates and tensors, differ too little.
const Warmup = 8

// Key holds the round keys of one update of one tensor. Random words are drawn by index, not in
// sequence: a word depends on (seed, update, tensor, row, column) alone, so that hardware with any number
// of lanes and software with any number of threads draw the same. The generator is the block cipher
// Speck32/64 (Beaulieu et al. 2013) with Rounds rounds in place of 22, from the round keys after the
// first Warmup.
type Key [Rounds]uint16

// NewKey expands the key. update counts modulo 2^24.
func NewKey(seed, update uint32, tensor uint8) Key {
	var keys [Warmup + Rounds]uint16
	expand(seed, update, tensor, keys[:])
	return Key(keys[Warmup:])
}

func expand(seed, update uint32, tensor uint8, keys []uint16) {
	k := uint16(seed)
	l := [3]uint16{uint16(seed >> 16), uint16(update), uint16(tensor)<<8 | uint16(update>>16)&0xff}
	for i := range keys {
		keys[i] = k
		next := (k + bits.RotateLeft16(l[i%3], -7)) ^ uint16(i)
		l[i%3] = next
		k = bits.RotateLeft16(k, 2) ^ next
	}
}

// Draw is the word of one element: the encryption of (row, column), row's half in the upper bits.
func (k *Key) Draw(row, column uint16) uint32 {
	return encrypt(k[:], row, column)
}

// DrawColumn sets out to the words of rows 0.. of a column: Draw(row, column), or, symmetric, Draw(larger, smaller).
func (k *Key) DrawColumn(out []int64, column uint16, symmetric bool) {
	for i := vector.Draw(out, (*[Rounds]uint16)(k), column, symmetric); i < len(out); i++ {
		row := uint16(i)
		if symmetric {
			out[i] = int64(k.Draw(max(row, column), min(row, column)))
		} else {
			out[i] = int64(k.Draw(row, column))
		}
	}
}

func encrypt(keys []uint16, x, y uint16) uint32 {
	for _, k := range keys {
		x = (bits.RotateLeft16(x, -7) + y) ^ k
		y = bits.RotateLeft16(y, 2) ^ x
	}
	return uint32(x)<<16 | uint32(y)
}

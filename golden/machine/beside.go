package machine

import (
	fx "corinfo/fixedpoint"
	"corinfo/fixedpoint/vector"
)

// beside is the memory of a word beside every synapse of a matrix, column after column as the synapses are, in 32 bits where they hold
// the word: mini-batches read and write all of it.
type beside struct {
	stride int // words from a column to the next, the rows and then zeros
	short  []int32
	long   []int64
}

func newBeside(rows, cols int, f fx.Format) *beside {
	b := &beside{stride: vector.Full(rows)}
	if f.FitsInt32() {
		b.short = make([]int32, b.stride*cols)
	} else {
		b.long = make([]int64, b.stride*cols)
	}
	return b
}

func (b *beside) at(row, column int) int64 {
	if b.short != nil {
		return int64(b.short[column*b.stride+row])
	}
	return b.long[column*b.stride+row]
}

func (b *beside) set(row, column int, word int64) {
	if b.short != nil {
		b.short[column*b.stride+row] = int32(word)
	} else {
		b.long[column*b.stride+row] = word
	}
}

// read copies a column into out, which has room for b.stride.
func (b *beside) read(column int, out []int64) {
	out = out[:b.stride]
	if from := column * b.stride; b.short != nil {
		vector.Widen(out, b.short[from:from+b.stride])
	} else {
		copy(out, b.long[from:])
	}
}

// write stores a column; what is beyond the last row is zero.
func (b *beside) write(column int, in []int64) {
	if from := column * b.stride; b.short != nil {
		vector.Narrow(b.short[from:from+b.stride], in)
	} else {
		copy(b.long[from:from+b.stride], in)
	}
}

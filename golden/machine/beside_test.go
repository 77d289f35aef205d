package machine

import (
	"math/rand/v2"
	"slices"
	"testing"

	fx "corinfo/fixedpoint"
	"corinfo/fixedpoint/vector"
)

// TestBeside writes columns and single words of both lengths, at the ends of their formats, and finds them again, and nothing in other
// columns or beyond the last row.
func TestBeside(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, f := range []fx.Format{fx.S(24, 20), fx.U(31, 30), fx.S(32, 0), fx.U(32, 0), fx.S(64, 3)} {
		for _, rows := range []int{1, 8, 13, 500} {
			const cols = 3
			low, _ := f.Min().Int64()
			high, _ := f.Max().Int64()
			b := newBeside(rows, cols, f)
			if short := b.short != nil; short != f.FitsInt32() {
				t.Fatalf("%v: 32 bits %t", f, short)
			}
			word := func() int64 { return []int64{0, low, high, high - 1}[rng.IntN(4)] }
			var want [cols][]int64
			for j := range want {
				column := make([]int64, vector.Full(rows))
				for i := range rows {
					column[i] = word()
				}
				want[j] = column
				b.write(j, column)
			}
			for range 20 {
				j, i := rng.IntN(cols), rng.IntN(rows)
				want[j][i] = word()
				b.set(i, j, want[j][i])
			}
			for j, column := range want {
				got := make([]int64, len(column)+1)
				if b.read(j, got); !slices.Equal(got, append(slices.Clone(column), 0)) {
					t.Errorf("%v, column %d of %d rows: got %d, want %d and nothing behind", f, j, rows, got, column)
				}
				for i := range rows {
					if b.at(i, j) != column[i] {
						t.Errorf("%v, %d rows: word %d of column %d is %d, want %d", f, rows, i, j, b.at(i, j), column[i])
					}
				}
			}
		}
	}
}

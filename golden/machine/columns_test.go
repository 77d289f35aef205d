package machine

import (
	"math/rand/v2"
	"slices"
	"testing"

	fx "corinfo/fixedpoint"
	"corinfo/fixedpoint/vector"
)

// TestColumns holds the narrow and the wide memory against plain arithmetic, with synapses and changes at
// the ends of their ranges as often as not.
func TestColumns(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	narrow := 0
	for range 3000 {
		rows, cols := 1+rng.IntN(9), 1+rng.IntN(7)
		if rng.IntN(10) == 0 {
			rows += rng.IntN(300)
		}
		word := fx.Format{Width: 1 + rng.IntN(20), Signed: rng.IntN(2) == 0}
		fixed := rng.IntN(2) == 0
		delta := fx.Format{Width: 1 + rng.IntN(20), Signed: !fixed || rng.IntN(2) == 0}
		if !fixed {
			delta.Width++ // the difference of two, which is never the lowest word
		}
		c := newColumns(rows, cols, rng.IntN(4), word, delta, fixed)
		if c.wide == nil {
			narrow++
		}
		draw := func(f fx.Format) int64 {
			low, _ := f.Min().Int64()
			high, _ := f.Max().Int64()
			return []int64{low, high, low + rng.Int64N(high-low+1)}[rng.IntN(3)]
		}
		change := func(v int64) int64 {
			if low, _ := delta.Min().Int64(); !fixed && v == low {
				return v + 1
			}
			return v
		}
		want := make([][]int64, cols)
		for j := range want {
			for i := range rows {
				want[j] = append(want[j], draw(word))
				c.set(i, j, want[j][i])
			}
		}
		if j := rng.IntN(cols); rng.IntN(2) == 0 {
			for i := range rows {
				want[j][i] = draw(word)
			}
			c.write(j, want[j])
		}
		got := make([]int64, rows)
		for j := range cols {
			c.read(j, got)
			if !slices.Equal(got, want[j]) {
				t.Fatalf("%v, %d rows: column %d reads %d, want %d", word, rows, j, got, want[j])
			}
			for i := range rows {
				if c.at(i, j) != want[j][i] {
					t.Fatalf("%v, %d rows: row %d of column %d is %d, want %d", word, rows, i, j, c.at(i, j), want[j][i])
				}
			}
		}
		sums, sum := make([]int64, rows, vector.Padded(rows)), make([]int64, rows)
		var events []event
		rails := rng.IntN(4) == 0 // all of one sign, as large as can be: the sum in 32 bits comes to its end
		if rails {
			for j := range want {
				for i := range rows {
					want[j][i], _ = word.Min().Int64()
					c.set(i, j, want[j][i])
				}
			}
		}
		for range rng.IntN(2*eventsAtOnce + 10) {
			e := event{rng.IntN(cols), change(draw(delta))}
			if rails {
				lowest, _ := delta.Min().Int64()
				e.delta = change(lowest)
			}
			events = append(events, e)
			for i := range sum {
				sum[i] += want[e.column][i] * e.delta << c.shift
			}
		}
		c.add(sums, events, &eventWords{})
		if !slices.Equal(sums, sum) {
			t.Fatalf("%v times %v, shift %d, events %v of %v: got %d, want %d", word, delta, c.shift, events, want, sums, sum)
		}
	}
	if narrow < 1000 || narrow > 2900 {
		t.Errorf("%d of 3000 memories are narrow", narrow)
	}
}

package machine_test

import (
	"errors"
	"slices"
	"testing"

	fx "corinfo/fixedpoint"
	"corinfo/golden/arithmetic"
	"corinfo/golden/machine"
	"corinfo/golden/rule"
)

// TestTypesNeverPanic: whatever the types are, there is a machine that runs, or an error that tells what is wrong.
func TestTypesNeverPanic(t *testing.T) {
	for _, r := range rule.Rules {
		t.Run(r.Name, func(t *testing.T) {
			rng := random(t)
			made := 0
			for range 1500 {
				n := randomNetwork(rng, r.Name, rng.IntN(2) == 0)
				d := r.Describe(n.s)
				var kinds []string
				for _, x := range d.Tensors {
					if !slices.Contains(kinds, x.Kind) {
						kinds = append(kinds, x.Kind)
					}
				}
				for range 1 + rng.IntN(3) {
					width := 1 + rng.IntN(64)
					n.formats[oneOf(rng, kinds...)] = fx.Type{Format: fx.Format{Width: width, Frac: rng.IntN(width+40) - 20, Signed: rng.IntN(2) == 0},
						Rounding: fx.Rounding(rng.IntN(8)), Overflow: fx.Overflow(rng.IntN(4))}
				}
				a, err := arithmetic.New(d, n.s.Learning.Batch, n.formats, pixels())
				if err != nil {
					if !errors.Is(err, arithmetic.ErrFormats) {
						t.Fatalf("%v: %v", n, err)
					}
					continue
				}
				made++
				m := machine.New(a, n.seed)
				newPage(t, rng, n, m)
				x := make([]int64, n.s.Layers[0])
				for j := range x {
					x[j] = a.Type("x", 0).Word(a.Type("x", 0).Max())
				}
				for range n.s.Learning.Batch {
					m.Run(x, machine.Command{Learn: true}, nil)
				}
			}
			if made < 100 {
				t.Errorf("only %d machines", made)
			}
		})
	}
}

package simd

import "fmt"

// Step is a settling step of a layer: u += Eta (Current current + Lateral lateral + R r + U u + Offset), then
// r = min(max(u, 0), Ceiling).
type Step[T Float] struct {
	Current, Lateral, R, U, Offset, Eta, Ceiling T
}

// Apply does the step for sample i of matrices of states of one shape.
func (s *Step[T]) Apply(i int, u, r, current, lateral Matrix[T]) {
	us, rs, currents, laterals := u.padded(i), r.padded(i), current.padded(i), lateral.padded(i)
	if len(us) != len(rs) || len(us) != len(currents) || len(us) != len(laterals) {
		panic(fmt.Sprintf("simd: a step of %d potentials, %d states, %d and %d currents", len(us), len(rs), len(currents), len(laterals)))
	}
	inUse[T]().step(len(us), &us[0], &rs[0], &currents[0], &laterals[0], s.Current, s.Lateral, s.R, s.U, s.Offset, s.Eta, s.Ceiling)
}

// Sum is the sum of a slice, in an order that does not depend on the processor.
func Sum[T Float](values []T) T {
	var sums [8]T
	for ; len(values) >= len(sums); values = values[len(sums):] {
		for i := range sums {
			sums[i] += values[i]
		}
	}
	for i, v := range values {
		sums[i] += v
	}
	return ((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7]))
}

package machine_test

import (
	"testing"

	"corinfo/golden/arithmetic"
	"corinfo/golden/goldentest"
	"corinfo/golden/machine"
	"corinfo/golden/rule"
	"corinfo/golden/weights"
)

// BenchmarkLearn is of the default types.
func BenchmarkLearn(b *testing.B) {
	goldentest.BenchmarkMNIST(b, func(b *testing.B, d *rule.Description, batch int) func([][]uint8, []int, bool) int {
		a, err := arithmetic.New(d, batch, nil, pixels())
		if err != nil {
			b.Fatal(err)
		}
		m := machine.New(a, 0)
		set(b, m, weights.Initial(d, 0))
		return m.Learn
	})
}

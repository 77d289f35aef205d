package float

import (
	"testing"

	"corinfo/golden/goldentest"
	"corinfo/golden/rule"
	"corinfo/golden/simd"
	"corinfo/golden/weights"
)

func BenchmarkLearn(b *testing.B) {
	b.Run("float32", func(b *testing.B) { goldentest.BenchmarkMNIST(b, startModel[float32]) })
	b.Run("float64", func(b *testing.B) { goldentest.BenchmarkMNIST(b, startModel[float64]) })
}

func startModel[T simd.Float](b *testing.B, d *rule.Description, batch int) func([][]uint8, []int, bool) int {
	m, err := New[T](d, batch, pixels(), weights.Initial(d, 0))
	if err != nil {
		b.Fatal(err)
	}
	return m.Learn
}

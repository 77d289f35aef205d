// Package simd holds the vector kernels of the float model: products of matrices and settling steps on float32 and
// float64, in AVX-512, AVX2 or plain Go, whichever the processor has. All give the same bits: every element
// of a product is one chain of fused multiply-adds in the order of the terms, whatever tiles it is cut into.
//
// The assembly is written by the program in asm.
package simd

//go:generate sh -c "cd asm && go run . -out ../kernels_amd64.s -stubs ../kernels_amd64.go -pkg simd"

import (
	"os"
	"time"
	"unsafe"

	"corinfo/fixedpoint/vector"
)

// Float is the type of an element.
type Float interface{ float32 | float64 }

// kernels are the inner loops for one element type in one instruction set.
type kernels[T Float] struct {
	name  string
	lanes int // elements of a vector
	tiles []tile[T]
	peak  func(rounds int)
	elementwise[T]
}

// elementwise are loops over n elements, a multiple of a vector; z may be one of the operands.
type elementwise[T Float] struct {
	combine1 func(n int, z, a *T, ka T)
	combine2 func(n int, z, a, b *T, ka, kb T)
	combine3 func(n int, z, a, b, c *T, ka, kb, kc T)
	combine4 func(n int, z, a, b, c, d *T, ka, kb, kc, kd T)
	limit    func(n int, z, a *T, ceiling T)
	multiply func(n int, z, a, b *T)
	divide   func(n int, z, a, b *T, factor T)
	root     func(n int, z, a *T)
	offset   func(n int, z, a *T, add T)
	nonZero  func(n int, z, a *T, one T)
	exp      func(n int, z, a *T)
	sigmoid  func(n int, z, a *T)
}

// tile is a kernel for rows x two vectors of a product.
type tile[T Float] struct {
	rows int
	// run sets c = keep c + sum over terms of a b; strides are in bytes.
	run func(terms int, a *T, aRow, aTerm int, b *T, bTerm int, c *T, cRow int, keep T)
}

// Variable names the instruction set to use in place of the best that the processor has: avx512, avx2 or go.
const Variable = vector.Variable

// In use, chosen at start.
var (
	use32 = choose(available32(), os.Getenv(Variable))
	use64 = choose(available64(), os.Getenv(Variable))
)

// choose picks the wanted kernels, or the first where there are none of that name.
func choose[T Float](list []kernels[T], wanted string) *kernels[T] {
	for i := range list {
		if list[i].name == wanted {
			return &list[i]
		}
	}
	return &list[0]
}

// inUse are the kernels of an element type.
func inUse[T Float]() *kernels[T] {
	var zero T
	if unsafe.Sizeof(zero) == 4 {
		return any(use32).(*kernels[T])
	}
	return any(use64).(*kernels[T])
}

// Name is the instruction set in use: avx512, avx2 or go.
func Name() string { return use32.name }

// Peak measures how many multiply-adds a second one core does on T in the instruction set in use, in registers
// alone, over about the given time: the bound of any product.
func Peak[T Float](d time.Duration) float64 {
	k := inUse[T]()
	each := float64(2 * k.tiles[0].rows * k.lanes)
	best := 0.0
	for start := time.Now(); time.Since(start) < d; {
		const rounds = 100_000
		before := time.Now()
		k.peak(rounds)
		best = max(best, each*rounds/time.Since(before).Seconds())
	}
	return best
}

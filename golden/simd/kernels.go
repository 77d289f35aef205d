package simd

import (
	"math"
	"unsafe"
)

// goLanes is the width of the vectors that the plain Go kernels stand in for.
const goLanes = 8

// plain are the kernels in Go: the definition that those in assembly are held to.
func plain[T Float]() kernels[T] {
	k := kernels[T]{name: "go", lanes: goLanes, step: plainStep[T], peak: plainPeak[T]}
	for _, rows := range []int{2, 1} {
		k.tiles = append(k.tiles, tile[T]{rows, func(terms int, a *T, aRow, aTerm int, b *T, bTerm int, c *T, cRow int, keep T) {
			for r := range rows {
				plainTile(terms, at(a, r*aRow), aTerm, b, bTerm, at(c, r*cRow), keep)
			}
		}})
	}
	return k
}

// at is a pointer that lies bytes further.
func at[T Float](p *T, bytes int) *T { return (*T)(unsafe.Add(unsafe.Pointer(p), bytes)) }

func plainTile[T Float](terms int, a *T, aTerm int, b *T, bTerm int, c *T, keep T) {
	sums := (*[2 * goLanes]T)(unsafe.Pointer(c))
	for i := range sums {
		sums[i] *= keep
	}
	for t := range terms {
		x, row := *at(a, t*aTerm), (*[2 * goLanes]T)(unsafe.Pointer(at(b, t*bTerm)))
		for i := range sums {
			sums[i] = fma(row[i], x, sums[i])
		}
	}
}

func plainStep[T Float](n int, u, r, current, lateral *T, kCurrent, kLateral, kR, kU, offset, eta, ceiling T) {
	us, rs := unsafe.Slice(u, n), unsafe.Slice(r, n)
	currents, laterals := unsafe.Slice(current, n), unsafe.Slice(lateral, n)
	for i := range us {
		drive := currents[i] * kCurrent
		drive = fma(laterals[i], kLateral, drive)
		drive = fma(rs[i], kR, drive)
		drive = fma(us[i], kU, drive)
		us[i] = fma(drive+offset, eta, us[i])
		state := us[i] // in this form NaN stays NaN
		if state < 0 {
			state = 0
		}
		if state > ceiling {
			state = ceiling
		}
		rs[i] = state
	}
}

func plainPeak[T Float](rounds int) {
	var sums [2 * 2 * goLanes]T
	for range rounds {
		for i := range sums {
			sums[i] = fma(sums[i], 0, sums[i])
		}
	}
}

// fma is x y + z, rounded once.
func fma[T Float](x, y, z T) T {
	if unsafe.Sizeof(x) == 8 {
		return T(math.FMA(float64(x), float64(y), float64(z)))
	}
	return T(fma32(float32(x), float32(y), float32(z)))
}

// fma32 is x y + z, rounded once: float64 holds the product exactly, and the sum is rounded to odd, which has
// the bits to spare that make the second rounding right (Boldo and Melquiond, "Emulation of a FMA and correctly
// rounded sums", 2008).
func fma32(x, y, z float32) float32 {
	product, addend := float64(x)*float64(y), float64(z)
	sum := product + addend
	bits := math.Float64bits(sum)
	if bits&1 == 0 && !math.IsInf(sum, 0) { // NaN passes through
		// Knuth's two-sum: sum + rest is exact.
		other := sum - product
		rest := (product - (sum - other)) + (addend - other)
		if rest > 0 == (sum > 0) && rest != 0 {
			sum = math.Float64frombits(bits + 1)
		} else if rest != 0 {
			sum = math.Float64frombits(bits - 1)
		}
	}
	return float32(sum)
}

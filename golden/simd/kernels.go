package simd

import (
	"math"
	"unsafe"
)

// goLanes is the width of the vectors that the plain Go kernels stand in for.
const goLanes = 8

// plain are the kernels in Go: the definition that those in assembly are held to.
func plain[T Float]() kernels[T] {
	k := kernels[T]{name: "go", lanes: goLanes, peak: plainPeak[T], elementwise: elementwise[T]{
		plainCombine1[T], plainCombine2[T], plainCombine3[T], plainCombine4[T], plainLimit[T], plainMultiply[T], plainDivide[T], plainRoot[T],
		plainOffset[T], plainNonZero[T], plainExp[T], plainSigmoid[T]}}
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

// normal is v, 0 where it is not a normal number, but NaN: combine, multiply and divide make no others.
func normal[T Float](v T) T {
	if smallest := T(smallestNormal[T]()); v < smallest && v > -smallest {
		return 0
	}
	return v
}

// smallestNormal is the smallest number above 0 with all its bits.
func smallestNormal[T Float]() float64 {
	var zero T
	if unsafe.Sizeof(zero) == 4 {
		return 0x1p-126
	}
	return 0x1p-1022
}

func plainCombine1[T Float](n int, z, a *T, ka T) {
	zs, as := unsafe.Slice(z, n), unsafe.Slice(a, n)
	for i, v := range as {
		zs[i] = normal(v * ka)
	}
}

func plainCombine2[T Float](n int, z, a, b *T, ka, kb T) {
	zs, as, bs := unsafe.Slice(z, n), unsafe.Slice(a, n), unsafe.Slice(b, n)
	for i, v := range as {
		zs[i] = normal(fma(bs[i], kb, v*ka))
	}
}

func plainCombine3[T Float](n int, z, a, b, c *T, ka, kb, kc T) {
	zs, as, bs, cs := unsafe.Slice(z, n), unsafe.Slice(a, n), unsafe.Slice(b, n), unsafe.Slice(c, n)
	for i, v := range as {
		zs[i] = normal(fma(cs[i], kc, fma(bs[i], kb, v*ka)))
	}
}

func plainCombine4[T Float](n int, z, a, b, c, d *T, ka, kb, kc, kd T) {
	zs, as, bs := unsafe.Slice(z, n), unsafe.Slice(a, n), unsafe.Slice(b, n)
	cs, ds := unsafe.Slice(c, n), unsafe.Slice(d, n)
	for i, v := range as {
		zs[i] = normal(fma(ds[i], kd, fma(cs[i], kc, fma(bs[i], kb, v*ka))))
	}
}

func plainLimit[T Float](n int, z, a *T, ceiling T) {
	zs := unsafe.Slice(z, n)
	for i, v := range unsafe.Slice(a, n) { // in this form NaN stays NaN
		if v < 0 {
			v = 0
		}
		if v > ceiling {
			v = ceiling
		}
		zs[i] = v
	}
}

func plainMultiply[T Float](n int, z, a, b *T) {
	zs, bs := unsafe.Slice(z, n), unsafe.Slice(b, n)
	for i, v := range unsafe.Slice(a, n) {
		zs[i] = normal(v * bs[i])
	}
}

func plainDivide[T Float](n int, z, a, b *T, factor T) {
	zs, bs := unsafe.Slice(z, n), unsafe.Slice(b, n)
	for i, v := range unsafe.Slice(a, n) {
		q := T(0)
		if bs[i] > 0 {
			q = T(v*factor) / bs[i]
		}
		zs[i] = normal(q)
	}
}

func plainRoot[T Float](n int, z, a *T) {
	zs := unsafe.Slice(z, n)
	for i, v := range unsafe.Slice(a, n) { // in this form -0 and NaN stay; the root of a float32 too is rounded once
		if v < 0 {
			v = 0
		}
		zs[i] = T(math.Sqrt(float64(v)))
	}
}

func plainOffset[T Float](n int, z, a *T, add T) {
	zs := unsafe.Slice(z, n)
	for i, v := range unsafe.Slice(a, n) {
		zs[i] = v + add
	}
}

func plainNonZero[T Float](n int, z, a *T, one T) {
	zs := unsafe.Slice(z, n)
	for i, v := range unsafe.Slice(a, n) {
		zs[i] = 0
		if v != 0 {
			zs[i] = one
		}
	}
}

// expConstants are those of e^x on float32: x is limited to low .. high, its power of two taken off by log2(e), a number whose
// addition rounds to whole numbers, and -ln 2 in two parts; what is left goes into a polynomial, the highest power first. Of all x
// in low .. high the result is at most 2.74 units in the last place off, at -27.379168; sigmoids at most 3.52, at -16.983305. Their
// limits are -high and -low.
var expConstants = [13]float32{-87, 88, math.Log2E, 3 << 22, -0.693359375, 2.12194440e-4,
	1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5, 1, 1}

func exp32(x float32) float32 {
	c := &expConstants
	if x < c[0] {
		x = c[0]
	}
	if x > c[1] {
		x = c[1]
	}
	whole := fma32(x, c[2], c[3])
	p := whole - c[3]
	x = fma32(p, c[4], x)
	x = fma32(p, c[5], x)
	p = c[6]
	for _, next := range c[7:] {
		p = fma32(p, x, next)
	}
	return math.Float32frombits(math.Float32bits(p) + math.Float32bits(whole)<<23)
}

func plainExp[T Float](n int, z, a *T) {
	zs := unsafe.Slice(z, n)
	for i, v := range unsafe.Slice(a, n) {
		if unsafe.Sizeof(v) == 4 {
			zs[i] = T(exp32(float32(v)))
		} else {
			zs[i] = T(math.Exp(float64(v)))
		}
	}
}

func plainSigmoid[T Float](n int, z, a *T) {
	zs := unsafe.Slice(z, n)
	for i, v := range unsafe.Slice(a, n) {
		if unsafe.Sizeof(v) == 4 {
			zs[i] = 1 / (1 + T(exp32(float32(0-v))))
		} else {
			zs[i] = T(1 / (1 + math.Exp(-float64(v))))
		}
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

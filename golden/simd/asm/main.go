// Asm writes the AMD64 kernels of package simd: `go generate ./golden/simd` from the project's root. It is a module
// of its own, so that building corinfo needs no avo.
package main

import (
	"fmt"
	"strings"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// isa is an instruction set with vectors of bytes bytes.
type isa struct {
	name  string
	bytes int
	rows  []int // of the tiles, each two vectors wide: as many as the registers hold, and fractions
}

var isas = []isa{
	{"AVX512", 64, []int{10, 5, 2, 1}},
	{"AVX2", 32, []int{5, 2, 1}},
}

func (i isa) vector() reg.VecVirtual {
	if i.bytes == 64 {
		return ZMM()
	}
	return YMM()
}

func (i isa) zero() reg.VecVirtual {
	v := i.vector()
	if i.bytes == 64 {
		VPXORQ(v, v, v)
	} else {
		VPXOR(v, v, v)
	}
	return v
}

// float is an element type and its instructions.
type float struct {
	name, suffix     string
	size             int
	broadcast        func(ops ...Op)
	load, mul, fma   func(ops ...Op)
	maximum, minimum func(ops ...Op)
	add, div, sqrt   func(ops ...Op)
	sub              func(ops ...Op)
	cmp              func(ops ...Op)
	maskedDiv        func(by, of, mask, to Op) // 0 where the mask is not set
	maskedLoad       func(from, mask, to Op)
}

var floats = []float{
	{"float32", "32", 4, VBROADCASTSS, VMOVUPS, VMULPS, VFMADD231PS, VMAXPS, VMINPS, VADDPS, VDIVPS, VSQRTPS, VSUBPS, VCMPPS, VDIVPS_Z, VMOVUPS_Z},
	{"float64", "64", 8, VBROADCASTSD, VMOVUPD, VMULPD, VFMADD231PD, VMAXPD, VMINPD, VADDPD, VDIVPD, VSQRTPD, VSUBPD, VCMPPD, VDIVPD_Z, VMOVUPD_Z},
}

func main() {
	ConstraintExpr("amd64")
	for _, i := range isas {
		for _, f := range floats {
			for _, rows := range i.rows {
				tile(i, f, rows)
			}
			for terms := 1; terms <= 4; terms++ {
				combine(i, f, terms)
			}
			limit(i, f)
			multiply(i, f)
			divide(i, f)
			root(i, f)
			offset(i, f)
			nonZero(i, f)
			peak(i, f)
		}
		exponential(i, false)
		exponential(i, true)
	}
	Generate()
}

// argument is a scalar argument in all elements of a vector.
func argument(i isa, f float, name string) reg.VecVirtual {
	v := i.vector()
	address, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	f.broadcast(address.Addr, v)
	return v
}

// tile is c = keep c + a b for rows x two vectors of c.
func tile(i isa, f float, rows int) {
	TEXT(fmt.Sprintf("tile%dx%s%s", rows, f.suffix, i.name), NOSPLIT, fmt.Sprintf(
		"func(terms int, a *%[1]s, aRow, aTerm int, b *%[1]s, bTerm int, c *%[1]s, cRow int, keep %[1]s)", f.name))
	Doc(fmt.Sprintf("tile%dx%s%s sets c = keep c + sum over terms of a b for %d rows of %d columns; strides are in bytes.",
		rows, f.suffix, i.name, rows, 2*i.bytes/f.size))
	terms := Load(Param("terms"), GP64())
	a, aRow, aTerm := Load(Param("a"), GP64()), Load(Param("aRow"), GP64()), Load(Param("aTerm"), GP64())
	b, bTerm := Load(Param("b"), GP64()), Load(Param("bTerm"), GP64())
	c, cRow := Load(Param("c"), GP64()), Load(Param("cRow"), GP64())
	keep := argument(i, f, "keep")

	sums := make([][2]reg.VecVirtual, rows)
	at := GP64()
	MOVQ(c, at)
	for r := range sums {
		for v := range sums[r] {
			sums[r][v] = i.vector()
			f.mul(Mem{Base: at, Disp: v * i.bytes}, keep, sums[r][v])
		}
		if r+1 < rows {
			ADDQ(cRow, at)
		}
	}

	// Row r of a lies at a + r aRow: an odd multiple of aRow times a power of 2.
	multiples := map[int]reg.GPVirtual{1: aRow.(reg.GPVirtual)}
	address := func(r int) Mem {
		if r == 0 {
			return Mem{Base: a}
		}
		odd, scale := r, uint8(1)
		for odd%2 == 0 {
			odd, scale = odd/2, scale*2
		}
		return Mem{Base: a, Index: multiples[odd], Scale: scale}
	}
	for odd := 3; odd < rows; odd += 2 {
		multiples[odd] = GP64()
		LEAQ(Mem{Base: multiples[odd-2], Index: aRow, Scale: 2}, multiples[odd])
	}

	label := fmt.Sprintf("terms%d", rows)
	end := fmt.Sprintf("end%d", rows)
	TESTQ(terms, terms)
	JZ(LabelRef(end))
	Label(label)
	columns := [2]reg.VecVirtual{i.vector(), i.vector()}
	for v := range columns {
		f.load(Mem{Base: b, Disp: v * i.bytes}, columns[v])
	}
	for r := range sums {
		x := i.vector()
		f.broadcast(address(r), x)
		for v := range columns {
			f.fma(columns[v], x, sums[r][v])
		}
	}
	ADDQ(aTerm, a)
	ADDQ(bTerm, b)
	DECQ(terms)
	JNZ(LabelRef(label))
	Label(end)

	for r := range sums {
		for v := range sums[r] {
			f.load(sums[r][v], Mem{Base: c, Disp: v * i.bytes})
		}
		if r+1 < rows {
			ADDQ(cRow, c)
		}
	}
	VZEROUPPER()
	RET()
}

// combine is z = ka a + kb b + ... for n elements, n a multiple of a vector: a product, then fused multiply-adds in this order.
// What it makes is 0 or a normal number, as what multiply and divide make.
func combine(i isa, f float, terms int) {
	names := []string{"a", "b", "c", "d"}[:terms]
	var factors []string
	for _, name := range names {
		factors = append(factors, "k"+name)
	}
	TEXT(fmt.Sprintf("combine%dx%s%s", terms, f.suffix, i.name), NOSPLIT, fmt.Sprintf(
		"func(n int, z, %s *%[2]s, %[3]s %[2]s)", strings.Join(names, ", "), f.name, strings.Join(factors, ", ")))
	Doc(fmt.Sprintf("combine%dx%s%s sets z to the sum of %d vectors by their factors; n is a multiple of %d.",
		terms, f.suffix, i.name, terms, i.bytes/f.size))
	n := Load(Param("n"), GP64())
	pointers := []reg.Register{Load(Param("z"), GP64())}
	var factor []reg.VecVirtual
	for t, name := range names {
		pointers = append(pointers, Load(Param(name), GP64()))
		factor = append(factor, argument(i, f, factors[t]))
	}
	flush := flusher(i, f)
	elements(i, f, n, pointers, func() {
		sum := i.vector()
		f.mul(Mem{Base: pointers[1]}, factor[0], sum)
		for t := 1; t < terms; t++ {
			f.fma(Mem{Base: pointers[1+t]}, factor[t], sum)
		}
		flush(sum)
		f.load(sum, Mem{Base: pointers[0]})
	})
}

// limits are, by element type, all bits but the sign and the smallest normal number.
var limits = map[string][2]Mem{
	"float32": {ConstData("magnitude32", U32(1<<31-1)), ConstData("smallest32", U32(1<<23))},
	"float64": {ConstData("magnitude64", U64(1<<63-1)), ConstData("smallest64", U64(1<<52))},
}

// flusher loads what it takes to make numbers that are not normal 0, and gives what does so to a vector: on many processors arithmetic
// with them takes ten times as long, and a mean that decays rounds to one of them for ever.
func flusher(i isa, f float) func(v reg.VecVirtual) {
	magnitude, smallest := i.vector(), i.vector()
	f.broadcast(limits[f.name][0], magnitude)
	f.broadcast(limits[f.name][1], smallest)
	return func(v reg.VecVirtual) {
		of := i.vector()
		if i.bytes == 64 {
			normal := K()
			VPANDQ(v, magnitude, of)
			f.cmp(Imm(notLess), smallest, of, normal)
			f.maskedLoad(v, normal, v)
		} else {
			VPAND(v, magnitude, of)
			f.cmp(Imm(notLess), smallest, of, of)
			VPAND(of, v, v)
		}
	}
}

// elements is a loop over n elements that lie at some pointers, a vector at a time.
func elements(i isa, f float, n reg.Register, pointers []reg.Register, body func()) {
	TESTQ(n, n)
	JZ(LabelRef("end"))
	Label("elements")
	body()
	for _, p := range pointers {
		ADDQ(Imm(uint64(i.bytes)), p)
	}
	SUBQ(Imm(uint64(i.bytes/f.size)), n)
	JNZ(LabelRef("elements"))
	Label("end")
	VZEROUPPER()
	RET()
}

// limit is z = min(max(a, 0), ceiling) for n elements.
func limit(i isa, f float) {
	TEXT("limit"+f.suffix+i.name, NOSPLIT, fmt.Sprintf("func(n int, z, a *%[1]s, ceiling %[1]s)", f.name))
	Doc(fmt.Sprintf("limit%s%s limits n elements to 0 .. ceiling; n is a multiple of %d.", f.suffix, i.name, i.bytes/f.size))
	n, z, a := Load(Param("n"), GP64()), Load(Param("z"), GP64()), Load(Param("a"), GP64())
	ceiling, zero := argument(i, f, "ceiling"), i.zero()
	elements(i, f, n, []reg.Register{z, a}, func() {
		v := i.vector()
		f.load(Mem{Base: a}, v)
		f.maximum(v, zero, v) // NaN stays NaN: the first operand here is the one that it comes from
		f.minimum(v, ceiling, v)
		f.load(v, Mem{Base: z})
	})
}

// multiply is z = a b for n elements.
func multiply(i isa, f float) {
	TEXT("multiply"+f.suffix+i.name, NOSPLIT, fmt.Sprintf("func(n int, z, a, b *%[1]s)", f.name))
	Doc(fmt.Sprintf("multiply%s%s multiplies n pairs of elements; n is a multiple of %d.", f.suffix, i.name, i.bytes/f.size))
	n, z := Load(Param("n"), GP64()), Load(Param("z"), GP64())
	a, b := Load(Param("a"), GP64()), Load(Param("b"), GP64())
	flush := flusher(i, f)
	elements(i, f, n, []reg.Register{z, a, b}, func() {
		v := i.vector()
		f.load(Mem{Base: a}, v)
		f.mul(Mem{Base: b}, v, v)
		flush(v)
		f.load(v, Mem{Base: z})
	})
}

// Predicates of comparisons.
const (
	notEqual = 4  // or unordered
	notLess  = 5  // or unordered
	greater  = 30 // and ordered
)

// divide is z = factor a / b for n elements, 0 where b is not above 0.
func divide(i isa, f float) {
	TEXT("divide"+f.suffix+i.name, NOSPLIT, fmt.Sprintf("func(n int, z, a, b *%[1]s, factor %[1]s)", f.name))
	Doc(fmt.Sprintf("divide%s%s divides n pairs of elements, the first times factor, to 0 where the divisor is not above 0; n is a multiple of %d.", f.suffix, i.name, i.bytes/f.size))
	n, z := Load(Param("n"), GP64()), Load(Param("z"), GP64())
	a, b := Load(Param("a"), GP64()), Load(Param("b"), GP64())
	factor, zero, flush := argument(i, f, "factor"), i.zero(), flusher(i, f)
	elements(i, f, n, []reg.Register{z, a, b}, func() {
		v, by := i.vector(), i.vector()
		f.mul(Mem{Base: a}, factor, v)
		f.load(Mem{Base: b}, by)
		if i.bytes == 64 {
			above := K()
			f.cmp(Imm(greater), zero, by, above)
			f.maskedDiv(by, v, above, v)
		} else {
			above := i.vector()
			f.cmp(Imm(greater), zero, by, above)
			f.div(by, v, v)
			VPAND(above, v, v)
		}
		flush(v)
		f.load(v, Mem{Base: z})
	})
}

// root is z = the square root of a for n elements, 0 of those below 0.
func root(i isa, f float) {
	TEXT("root"+f.suffix+i.name, NOSPLIT, fmt.Sprintf("func(n int, z, a *%[1]s)", f.name))
	Doc(fmt.Sprintf("root%s%s takes the roots of n elements, 0 of those below 0; n is a multiple of %d.", f.suffix, i.name, i.bytes/f.size))
	n, z, a := Load(Param("n"), GP64()), Load(Param("z"), GP64()), Load(Param("a"), GP64())
	zero := i.zero()
	elements(i, f, n, []reg.Register{z, a}, func() {
		v := i.vector()
		f.load(Mem{Base: a}, v)
		f.maximum(v, zero, v) // NaN stays NaN
		f.sqrt(v, v)
		f.load(v, Mem{Base: z})
	})
}

// offset is z = a + add for n elements.
func offset(i isa, f float) {
	TEXT("offset"+f.suffix+i.name, NOSPLIT, fmt.Sprintf("func(n int, z, a *%[1]s, add %[1]s)", f.name))
	Doc(fmt.Sprintf("offset%s%s adds one value to n elements; n is a multiple of %d.", f.suffix, i.name, i.bytes/f.size))
	n, z, a := Load(Param("n"), GP64()), Load(Param("z"), GP64()), Load(Param("a"), GP64())
	add := argument(i, f, "add")
	elements(i, f, n, []reg.Register{z, a}, func() {
		v := i.vector()
		f.add(Mem{Base: a}, add, v)
		f.load(v, Mem{Base: z})
	})
}

// nonZero is z = one where a is not 0, else 0, for n elements.
func nonZero(i isa, f float) {
	TEXT("nonZero"+f.suffix+i.name, NOSPLIT, fmt.Sprintf("func(n int, z, a *%[1]s, one %[1]s)", f.name))
	Doc(fmt.Sprintf("nonZero%s%s sets n elements to one where those of a are not 0; n is a multiple of %d.", f.suffix, i.name, i.bytes/f.size))
	n, z, a := Load(Param("n"), GP64()), Load(Param("z"), GP64()), Load(Param("a"), GP64())
	one, zero := argument(i, f, "one"), i.zero()
	elements(i, f, n, []reg.Register{z, a}, func() {
		v := i.vector()
		f.load(Mem{Base: a}, v)
		if i.bytes == 64 {
			some := K()
			f.cmp(Imm(notEqual), zero, v, some)
			f.maskedLoad(one, some, v)
		} else {
			f.cmp(Imm(notEqual), zero, v, v)
			VPAND(one, v, v)
		}
		f.load(v, Mem{Base: z})
	})
}

// exponential is z = e^a for n elements of float32, or 1 / (1 + e^-a): see plainExp, whose constants come with the call.
func exponential(i isa, sigmoid bool) {
	f, name := floats[0], "exp32"
	if sigmoid {
		name = "sigmoid32"
	}
	TEXT(name+i.name, NOSPLIT, "func(n int, z, a, constants *float32)")
	Doc(fmt.Sprintf("%s%s is of n elements, a multiple of %d.", name, i.name, i.bytes/f.size))
	n, z := Load(Param("n"), GP64()), Load(Param("z"), GP64())
	a, constants := Load(Param("a"), GP64()), Load(Param("constants"), GP64())
	c := func(at int) reg.VecVirtual { // they are more than AVX2 has registers
		v := i.vector()
		f.broadcast(Mem{Base: constants, Disp: 4 * at}, v)
		return v
	}
	const low, high, log2e, magic, ln2high, ln2low, polynomial, one = 0, 1, 2, 3, 4, 5, 6, 12
	zero := i.zero()
	elements(i, f, n, []reg.Register{z, a}, func() {
		x, p := i.vector(), i.vector()
		f.load(Mem{Base: a}, x)
		if sigmoid {
			f.sub(x, zero, x)
		}
		f.maximum(x, c(low), x) // NaN stays NaN
		f.minimum(x, c(high), x)
		whole := c(magic)
		f.fma(x, c(log2e), whole) // its low bits are the power of two
		f.sub(c(magic), whole, p)
		f.fma(p, c(ln2high), x)
		f.fma(p, c(ln2low), x)
		p = c(polynomial)
		for at := polynomial + 1; at <= one; at++ { // Horner: p = p x + next
			sum := c(at)
			f.fma(p, x, sum)
			p = sum
		}
		VPSLLD(Imm(23), whole, whole)
		VPADDD(whole, p, p)
		if sigmoid {
			f.add(p, c(one), p)
			f.div(p, c(one), p)
		}
		f.load(p, Mem{Base: z})
	})
}

// peak is 20 (AVX-512) or 10 independent chains of multiply-add without memory.
func peak(i isa, f float) {
	TEXT("peak"+f.suffix+i.name, NOSPLIT, "func(rounds int)")
	Doc(fmt.Sprintf("peak%s%s does rounds x %d independent multiply-adds in registers, rounds > 0.", f.suffix, i.name, 2*i.rows[0]*i.bytes/f.size))
	rounds := Load(Param("rounds"), GP64())
	x := i.zero()
	sums := make([]reg.VecVirtual, 2*i.rows[0])
	for s := range sums {
		sums[s] = i.zero()
	}
	Label("rounds")
	for s := range sums {
		f.fma(x, x, sums[s])
	}
	DECQ(rounds)
	JNZ(LabelRef("rounds"))
	VZEROUPPER()
	RET()
}

// Asm writes the AMD64 kernels of package vector: `go generate ./fixedpoint/vector` from the project's root. It is a
// module of its own, so that building corinfo needs no avo.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// isa is an instruction set with vectors of bytes bytes.
type isa struct {
	name  string
	bytes int
}

var isas = []isa{{"AVX512", 64}, {"AVX2", 32}}

func main() {
	ConstraintExpr("amd64")
	constants()
	for _, i := range isas {
		arithmetic(i)
		sums(i, false)
		sums(i, true)
		roundRandom(i)
		narrow(i)
		lost(i)
		occupied(i)
		draw(i)
		for _, vectors := range []int{4, 1} {
			events(i, vectors)
		}
	}
	Generate()
}

func (i isa) wide() bool { return i.bytes == 64 }

func (i isa) vector() reg.VecVirtual {
	if i.wide() {
		return ZMM()
	}
	return YMM()
}

func (i isa) load(from, to Op) {
	if i.wide() {
		VMOVDQU64(from, to)
	} else {
		VMOVDQU(from, to)
	}
}

func (i isa) or(a, b, z Op) {
	if i.wide() {
		VPORQ(a, b, z)
	} else {
		VPOR(a, b, z)
	}
}

func (i isa) xor(a, b, z Op) {
	if i.wide() {
		VPXORQ(a, b, z)
	} else {
		VPXOR(a, b, z)
	}
}

func (i isa) zero() reg.VecVirtual {
	v := i.vector()
	i.xor(v, v, v)
	return v
}

// everywhere is an argument in all elements of a vector.
func (i isa) everywhere(name string) reg.VecVirtual { return i.broadcast(argument(name)) }

func (i isa) broadcast(word Op) reg.VecVirtual {
	x, v := XMM(), i.vector()
	VMOVQ(word, x)
	VPBROADCASTQ(x, v)
	return v
}

func (i isa) number(n uint64) reg.VecVirtual {
	r := GP64()
	MOVQ(U64(n), r)
	return i.broadcast(r)
}

// argument is a 64-bit argument of the function in a register.
func argument(name string) reg.Register { return Load(Param(name), GP64()) }

// count is an argument that counts shifts.
func count(name string) reg.VecVirtual {
	x := XMM()
	VMOVQ(argument(name), x)
	return x
}

// giveTotal returns the sum of a vector's elements.
func (i isa) giveTotal(v reg.VecVirtual) {
	total, half := GP64(), YMM()
	if i.wide() {
		VEXTRACTI64X4(Imm(1), v, half)
		VPADDQ(half, v.AsY(), v.AsY())
	}
	VEXTRACTI128(Imm(1), v.AsY(), half.AsX())
	VPADDQ(half.AsX(), v.AsX(), v.AsX())
	VPSHUFD(Imm(0xee), v.AsX(), half.AsX())
	VPADDQ(half.AsX(), v.AsX(), v.AsX())
	VMOVQ(v.AsX(), total)
	Store(total, ReturnIndex(0))
	finish()
}

func finish() {
	VZEROUPPER()
	RET()
}

// declare begins a function.
func declare(i isa, name, signature, doc string, args ...any) {
	TEXT(name+i.name, NOSPLIT, "func"+signature)
	Doc(name + i.name + " " + fmt.Sprintf(doc, args...))
}

// elements is a loop over n int64, n a positive multiple of 8: body gets the elements of the operands and gives those
// of z.
func (i isa) elements(operands []string, z string, body func(x []reg.VecVirtual) Op) {
	n, at := argument("n"), GP64()
	var bases []reg.Register
	for _, name := range operands {
		bases = append(bases, argument(name))
	}
	var to reg.Register
	if z != "" {
		to = argument(z)
	}
	XORQ(at, at)
	Label("elements")
	for offset := 0; offset < 64; offset += i.bytes {
		var x []reg.VecVirtual
		for _, base := range bases {
			v := i.vector()
			i.load(Mem{Base: base, Index: at, Scale: 8, Disp: offset}, v)
			x = append(x, v)
		}
		if result := body(x); to != nil {
			i.load(result, Mem{Base: to, Index: at, Scale: 8, Disp: offset})
		}
	}
	ADDQ(Imm(8), at)
	CMPQ(at, n)
	JNE(LabelRef("elements"))
}

// arithmetic are exact operations.
func arithmetic(i isa) {
	declare(i, "mul", "(n int, z, a, b *int64)", "sets z = a b of 32-bit factors.")
	i.elements([]string{"a", "b"}, "z", func(v []reg.VecVirtual) Op {
		VPMULDQ(v[1], v[0], v[0])
		return v[0]
	})
	finish()

	declare(i, "clip", "(n int, z, a *int64, lo, hi int64)", "sets z = min(max(a, lo), hi).")
	lo, hi := i.everywhere("lo"), i.everywhere("hi")
	i.elements([]string{"a"}, "z", func(v []reg.VecVirtual) Op {
		if i.wide() {
			VPMAXSQ(lo, v[0], v[0])
			VPMINSQ(hi, v[0], v[0])
			return v[0]
		}
		beyond := i.vector()
		VPCMPGTQ(v[0], lo, beyond)
		VBLENDVPD(beyond, lo, v[0], v[0])
		VPCMPGTQ(hi, v[0], beyond)
		VBLENDVPD(beyond, hi, v[0], v[0])
		return v[0]
	})
	finish()

	declare(i, "nonZero", "(n int, z, a *int64)", "sets z = 1 where a is not 0, else 0.")
	one := i.number(1)
	zero := i.zero()
	i.elements([]string{"a"}, "z", func(v []reg.VecVirtual) Op {
		if i.wide() {
			VPMINUQ(one, v[0], v[0])
		} else {
			VPCMPEQQ(zero, v[0], v[0])
			VPANDN(one, v[0], v[0])
		}
		return v[0]
	})
	finish()
}

// sums are linear: the first terms are added, the next subtracted, shifted left by their factors; the values of the
// others are multiplied by them.
func sums(i isa, round bool) {
	name, results, does := "sum", "", "sets z to the sum of a constant and terms: plus are added and minus subtracted, shifted left by their factors, "+
		"times multiplied by them, of 32 bits both"
	if round {
		name, results = "sumRound", ", drop uint64, lo, hi, below, above int64) (outside int64"
		does += ", then shifts z right by drop; below or above take the place of what is beyond lo..hi then, and their number is given"
	}
	declare(i, name, "(n int, z, terms *int64, plus, minus, times int, constant int64"+results+")", does+". n is a positive multiple of 8.")
	constant := i.everywhere("constant")
	convert, end := func(reg.VecVirtual) {}, finish
	if round {
		convert, end = conversion(i)
	}
	z, at := argument("z"), GP64()
	XORQ(at, at)
	for _, vectors := range []int{4, 64 / i.bytes} {
		rows := vectors * i.bytes / 8
		block, next := fmt.Sprintf("block%d", rows), fmt.Sprintf("next%d", rows)
		Label(block)
		left := argument("n")
		SUBQ(at, left)
		CMPQ(left, U32(rows))
		JLT(LabelRef(next))
		totals := make([]reg.VecVirtual, vectors)
		for v := range totals {
			totals[v] = i.vector()
			i.load(constant, totals[v])
		}
		term := argument("terms")
		for _, kind := range []string{"plus", "minus", "times"} {
			loop, skip := fmt.Sprintf("%s%d", kind, rows), fmt.Sprintf("skip_%s%d", kind, rows)
			count, values, factor, shift := argument(kind), GP64(), i.vector(), XMM()
			TESTQ(count, count)
			JZ(LabelRef(skip))
			Label(loop)
			if kind == "times" {
				VPBROADCASTQ(Mem{Base: term}, factor)
			} else {
				VMOVQ(Mem{Base: term}, shift)
			}
			MOVQ(Mem{Base: term, Disp: 8}, values)
			for v := range totals {
				x, from := i.vector(), Mem{Base: values, Index: at, Scale: 8, Disp: v * i.bytes}
				if kind == "times" {
					VPMULDQ(from, factor, x)
				} else {
					i.load(from, x)
					VPSLLQ(shift, x, x)
				}
				if kind == "minus" {
					VPSUBQ(x, totals[v], totals[v])
				} else {
					VPADDQ(x, totals[v], totals[v])
				}
			}
			ADDQ(Imm(termBytes), term)
			DECQ(count)
			JNZ(LabelRef(loop))
			Label(skip)
		}
		for v := range totals {
			convert(totals[v])
			i.load(totals[v], Mem{Base: z, Index: at, Scale: 8, Disp: v * i.bytes})
		}
		ADDQ(Imm(uint64(rows)), at)
		JMP(LabelRef(block))
		Label(next)
	}
	end()
}

// termBytes is the size of a Term: its factor, and the header of the slice of its values.
const termBytes = 32

// conversion shifts right and looks at the range, outside of which few results are, if any.
func conversion(i isa) (convert func(v reg.VecVirtual), end func()) {
	drop, lo, hi := count("drop"), i.everywhere("lo"), i.everywhere("hi")
	replaceLow, replaceHigh := i.everywhere("below"), i.everywhere("above")
	outside, some := GP64(), GP64()
	XORQ(outside, outside)
	sign := i.vector() // where an arithmetic shift leaves the sign
	if !i.wide() {
		i.load(i.number(1<<63), sign)
		VPSRLQ(drop, sign, sign)
	}
	labels := 0
	convert = func(v reg.VecVirtual) {
		inside := fmt.Sprintf("inside%d", labels)
		labels++
		if i.wide() {
			below, above := K(), K()
			VPSRAQ(drop, v, v)
			VPCMPQ(Imm(1), lo, v, below)
			VPCMPQ(Imm(6), hi, v, above)
			KORTESTB(below, above)
			JZ(LabelRef(inside))
			VMOVDQA64(replaceLow, below, v)
			VMOVDQA64(replaceHigh, above, v)
			KORB(above, below, below)
			KMOVB(below, some.As32())
		} else {
			VPSRLQ(drop, v, v)
			i.xor(sign, v, v)
			VPSUBQ(sign, v, v)
			below, above, beyond := i.vector(), i.vector(), i.vector()
			VPCMPGTQ(v, lo, below)
			VPCMPGTQ(hi, v, above)
			VPOR(above, below, beyond)
			VMOVMSKPD(beyond, some.As32())
			TESTL(some.As32(), some.As32())
			JZ(LabelRef(inside))
			VBLENDVPD(below, replaceLow, v, v)
			VBLENDVPD(above, replaceHigh, v, v)
		}
		POPCNTQ(some, some)
		ADDQ(some, outside)
		Label(inside)
	}
	return convert, func() {
		Store(outside, ReturnIndex(0))
		finish()
	}
}

// roundRandom rounds stochastically.
func roundRandom(i isa) {
	declare(i, "roundRandom", "(n int, z, a, random *int64, down, up, drop uint64, lo, hi, below, above int64) (outside int64)",
		"sets z = (a + random>>down<<up) >> drop, but below or above where that is beyond lo..hi, and gives their number.")
	convert, end := conversion(i)
	down, up := count("down"), count("up")
	i.elements([]string{"a", "random"}, "z", func(v []reg.VecVirtual) Op {
		VPSRLQ(down, v[1], v[1])
		VPSLLQ(up, v[1], v[1])
		VPADDQ(v[1], v[0], v[0])
		convert(v[0])
		return v[0]
	})
	end()
}

// narrow brings words to and from 16 bits.
func narrow(i isa) {
	loop := func(body func(narrow, wide Mem)) {
		n, at := argument("n"), GP64()
		to, from := argument("z"), argument("a")
		XORQ(at, at)
		Label("elements")
		body(Mem{Base: to, Index: at, Scale: 1}, Mem{Base: from, Index: at, Scale: 1})
		ADDQ(Imm(8), at)
		CMPQ(at, n)
		JNE(LabelRef("elements"))
		finish()
	}

	declare(i, "widen", "(n int, z *int64, a *int16)", "sets z = a.")
	loop(func(z, a Mem) {
		z.Scale, a.Scale = 8, 2
		for offset := 0; offset < 64; offset += i.bytes {
			v := i.vector()
			VPMOVSXWQ(a.Offset(offset/4), v)
			i.load(v, z.Offset(offset))
		}
	})

	declare(i, "narrow", "(n int, z *int16, a *int64)", "sets z = a, which fits.")
	loop(func(z, a Mem) {
		z.Scale, a.Scale = 2, 8
		v := i.vector()
		i.load(a, v)
		if i.wide() {
			VPMOVQW(v, z)
			return
		}
		upper, high := i.vector(), XMM()
		i.load(a.Offset(32), upper)
		VSHUFPS(Imm(0x88), upper, v, v) // the lower halves: elements 0 1 4 5 and 2 3 6 7
		VPERMQ(Imm(0xd8), v, v)
		VEXTRACTI128(Imm(1), v, high)
		VPACKSSDW(high, v.AsX(), high)
		VMOVDQU(high, z)
	})
}

// lost counts.
func lost(i isa) {
	declare(i, "lost", "(n int, a, b *int64) (count int64)", "gives the sum of a &^ b.")
	counts := i.zero()
	i.elements([]string{"a", "b"}, "", func(v []reg.VecVirtual) Op {
		if i.wide() {
			VPANDNQ(v[0], v[1], v[0])
		} else {
			VPANDN(v[0], v[1], v[0])
		}
		VPADDQ(v[0], counts, counts)
		return nil
	})
	i.giveTotal(counts)
}

// occupied finds what is not zero.
func occupied(i isa) {
	declare(i, "occupied", "(n int, z *uint8, a *int64)", "sets bit e of z, bit e%%8 of byte e/8, where a is not 0.")
	n, z, a := argument("n"), argument("z"), argument("a")
	zero := i.zero()
	bits, more := GP32(), GP32()
	Label("elements")
	if i.wide() {
		v, some := i.vector(), K()
		i.load(Mem{Base: a}, v)
		VPTESTMQ(v, v, some)
		KMOVB(some, bits)
	} else {
		v, w := i.vector(), i.vector()
		VPCMPEQQ(Mem{Base: a}, zero, v)
		VPCMPEQQ(Mem{Base: a, Disp: 32}, zero, w)
		VMOVMSKPD(v, bits)
		VMOVMSKPD(w, more)
		SHLL(Imm(4), more)
		ORL(more, bits)
		NOTL(bits)
	}
	MOVB(bits.As8(), Mem{Base: z})
	ADDQ(Imm(64), a)
	INCQ(z)
	SUBQ(Imm(8), n)
	JNZ(LabelRef("elements"))
	finish()
}

var (
	iota   Mem    // the words 0, 1, 2, ...
	halves [2]Mem // of two vectors of doublewords, interleaved by VPUNPCK, where the elements lie in order
)

func constants() {
	iota = GLOBL("iota", RODATA|NOPTR)
	for n := range 32 {
		DATA(2*n, U16(n))
	}
	for h := range halves {
		halves[h] = GLOBL(fmt.Sprintf("half%d", h), RODATA|NOPTR)
		for n, q := range []int{0, 1, 8, 9, 2, 3, 10, 11} {
			DATA(8*n, U64(q+4*h))
		}
	}
}

// orders loads what inOrder needs.
func (i isa) orders() (indices [2]reg.VecVirtual) {
	if i.wide() {
		for h := range indices {
			indices[h] = i.vector()
			i.load(halves[h], indices[h])
		}
	}
	return indices
}

// inOrder brings the doublewords of two vectors, interleaved by VPUNPCKL and VPUNPCKH, in order.
func (i isa) inOrder(low, high reg.VecVirtual, indices [2]reg.VecVirtual) (ordered [2]reg.VecVirtual) {
	for h := range ordered {
		ordered[h] = i.vector()
		if i.wide() {
			VMOVDQA64(low, ordered[h])
			VPERMT2Q(high, indices[h], ordered[h])
		} else {
			VPERM2I128(Imm([]uint64{0x20, 0x31}[h]), high, low, ordered[h])
		}
	}
	return ordered
}

// extend gives the upper or lower half of the doublewords of v as quadwords, by VPMOVSXDQ or VPMOVZXDQ.
func (i isa) extend(v reg.VecVirtual, upper bool, move func(ops ...Op)) reg.VecVirtual {
	z := i.vector()
	switch {
	case i.wide() && upper:
		half := YMM()
		VEXTRACTI64X4(Imm(1), v, half)
		move(half, z)
	case i.wide():
		move(v.AsY(), z)
	case upper:
		half := XMM()
		VEXTRACTI128(Imm(1), v, half)
		move(half, z)
	default:
		move(v.AsX(), z)
	}
	return z
}

// draw encrypts blocks of Speck32/64, one per word of a vector.
func draw(i isa) {
	const rounds = 8
	words := i.bytes / 2
	declare(i, "draw", "(n int, z *int64, keys *uint16, row, column uint64, symmetric uint64)",
		"sets z to the random words of the rows row.. of a column, n a positive multiple of %d.", words)
	n, z, keys, symmetric := argument("n"), argument("z"), argument("keys"), argument("symmetric")
	word := func(from Op) reg.VecVirtual {
		x, v := XMM(), i.vector()
		VMOVQ(from, x)
		VPBROADCASTW(x, v)
		return v
	}
	row, column := word(argument("row")), word(argument("column"))
	VPADDW(iota, row, row)
	step := GP64()
	MOVQ(U64(words), step)
	ahead := word(step)
	key := make([]reg.VecVirtual, rounds)
	for k := range key {
		key[k] = i.vector()
		VPBROADCASTW(Mem{Base: keys, Disp: 2 * k}, key[k])
	}
	Label("blocks")
	x, y, t := i.vector(), i.vector(), i.vector()
	i.load(row, x)
	i.load(column, y)
	TESTQ(symmetric, symmetric)
	JZ(LabelRef("pair"))
	VPMAXUW(row, column, x)
	VPMINUW(row, column, y)
	Label("pair")
	for k := range key {
		VPSRLW(Imm(7), x, t)
		VPSLLW(Imm(9), x, x)
		i.or(t, x, x)
		VPADDW(y, x, x)
		i.xor(key[k], x, x)
		VPSLLW(Imm(2), y, t)
		VPSRLW(Imm(14), y, y)
		i.or(t, y, y)
		i.xor(x, y, y)
	}
	VPUNPCKLWD(x, y, t)
	VPUNPCKHWD(x, y, y)
	at := 0
	for _, v := range i.inOrder(t, y, i.orders()) {
		for _, upper := range []bool{false, true} {
			i.load(i.extend(v, upper, func(ops ...Op) { VPMOVZXDQ(ops...) }), Mem{Base: z, Disp: at})
			at += i.bytes
		}
	}
	VPADDW(ahead, row, row)
	ADDQ(U32(at), z)
	SUBQ(U32(words), n)
	JNZ(LabelRef("blocks"))
	finish()
}

// events adds products of columns with changes: of two columns at once, for as many rows as vectors hold words.
func events(i isa, vectors int) {
	rows := vectors * i.bytes / 2
	declare(i, fmt.Sprintf("events%d", vectors), "(pairs int, words *int16, at *int64, deltas *int16, sums *int64, shift uint64)",
		"adds the products of pairs of columns, which begin at words[at], with their deltas, shifted left, to the sums of %d rows; pairs > 0.", rows)
	pairs, words, columns, deltas := argument("pairs"), argument("words"), argument("at"), argument("deltas")
	totals := make([][2]reg.VecVirtual, vectors)
	for v := range totals {
		totals[v] = [2]reg.VecVirtual{i.zero(), i.zero()}
	}
	first, second := GP64(), GP64()
	Label("pairs")
	MOVQ(Mem{Base: columns}, first)
	MOVQ(Mem{Base: columns, Disp: 8}, second)
	delta := i.vector()
	VPBROADCASTD(Mem{Base: deltas}, delta)
	for v := range totals {
		a, b, low := i.vector(), i.vector(), i.vector()
		i.load(Mem{Base: words, Index: first, Scale: 2, Disp: v * i.bytes}, a)
		i.load(Mem{Base: words, Index: second, Scale: 2, Disp: v * i.bytes}, b)
		VPUNPCKLWD(b, a, low)
		VPUNPCKHWD(b, a, a)
		VPMADDWD(delta, low, low)
		VPMADDWD(delta, a, a)
		VPADDD(low, totals[v][0], totals[v][0])
		VPADDD(a, totals[v][1], totals[v][1])
	}
	ADDQ(Imm(16), columns)
	ADDQ(Imm(4), deltas)
	DECQ(pairs)
	JNZ(LabelRef("pairs"))

	sums, shift, indices := argument("sums"), count("shift"), i.orders()
	offset := 0
	for v := range totals {
		for _, ordered := range i.inOrder(totals[v][0], totals[v][1], indices) {
			for _, upper := range []bool{false, true} {
				x := i.extend(ordered, upper, func(ops ...Op) { VPMOVSXDQ(ops...) })
				VPSLLQ(shift, x, x)
				VPADDQ(Mem{Base: sums, Disp: offset}, x, x)
				i.load(x, Mem{Base: sums, Disp: offset})
				offset += i.bytes
			}
		}
	}
	finish()
}

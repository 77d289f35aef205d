package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

var (
	places Mem    // the words 0, 1, 2, ...
	top    Mem    // the word of the highest bit
	halves [2]Mem // of two vectors of doublewords, interleaved by VPUNPCK, where the elements lie in order
)

func constants() {
	places = GLOBL("places", RODATA|NOPTR)
	for n := range 32 {
		DATA(2*n, U16(n))
	}
	top = GLOBL("top", RODATA|NOPTR)
	DATA(0, U64(1<<63))
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
	VPADDW(places, row, row)
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
		if i.wide() {
			VPTERNLOGD(Imm(0x56), x, t, y) // (y | t) ^ x
			continue
		}
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

package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

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

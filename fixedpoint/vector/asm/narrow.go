package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

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

	declare(i, "widen16", "(n int, z *int64, a *int16)", "sets z = a.")
	loop(func(z, a Mem) {
		z.Scale, a.Scale = 8, 2
		for offset := 0; offset < 64; offset += i.bytes {
			v := i.vector()
			VPMOVSXWQ(a.Offset(offset/4), v)
			i.load(v, z.Offset(offset))
		}
	})

	declare(i, "widen32", "(n int, z *int64, a *int32)", "sets z = a.")
	const ahead = 2048 // bytes: one part after the other of a large memory is read so
	loop(func(z, a Mem) {
		z.Scale, a.Scale = 8, 4
		for offset := 0; offset < 64; offset += i.bytes {
			v := i.vector()
			PREFETCHT0(a.Offset(ahead + offset/2))
			VPMOVSXDQ(a.Offset(offset/2), v)
			i.load(v, z.Offset(offset))
		}
	})

	// lower are the lower halves of 8 elements of a, of AVX2.
	lower := func(a Mem) reg.VecVirtual {
		v, upper := i.vector(), i.vector()
		i.load(a, v)
		i.load(a.Offset(32), upper)
		VSHUFPS(Imm(0x88), upper, v, v) // the lower halves: elements 0 1 4 5 and 2 3 6 7
		VPERMQ(Imm(0xd8), v, v)
		return v
	}

	declare(i, "narrow16", "(n int, z *int16, a *int64)", "sets z = a, which fits.")
	loop(func(z, a Mem) {
		z.Scale, a.Scale = 2, 8
		if i.wide() {
			v := i.vector()
			i.load(a, v)
			VPMOVQW(v, z)
			return
		}
		v, high := lower(a), XMM()
		VEXTRACTI128(Imm(1), v, high)
		VPACKSSDW(high, v.AsX(), high)
		VMOVDQU(high, z)
	})

	declare(i, "narrow32", "(n int, z *int32, a *int64)", "sets z = a, which fits.")
	loop(func(z, a Mem) {
		z.Scale, a.Scale = 4, 8
		if i.wide() {
			v := i.vector()
			i.load(a, v)
			VPMOVQD(v, z)
			return
		}
		i.load(lower(a), z)
	})
}

// lost counts.
func lost(i isa) {
	declare(i, "lost", "(n int, sums, next, words *int64) (count int64)",
		"gives the number of elements whose sum is not 0 but whose next word is the word.")
	counts, zero, one := i.zero(), i.zero(), i.number(1)
	i.elements([]string{"sums", "next", "words"}, "", func(v []reg.VecVirtual) Op {
		if i.wide() {
			some := K()
			VPTESTMQ(v[0], v[0], some)
			VPCMPEQQ(v[2], v[1], some, some)
			VPADDQ(one, counts, some, counts)
			return nil
		}
		VPCMPEQQ(zero, v[0], v[0])
		VPCMPEQQ(v[2], v[1], v[1])
		VPANDN(v[1], v[0], v[0])
		VPSUBQ(v[0], counts, counts)
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

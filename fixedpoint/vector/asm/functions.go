package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// functions are quotients and roots in float64, which holds their operands, and interpolation.
func functions(i isa) {
	const short = " What is divided or rooted is below 2^52 in magnitude."

	declare(i, "div", "(n int, z, a, b *int64, factorA, constantA, factorB, constantB int64, right uint64, rounding *uint64) (outside int64)",
		"sets z = floor((a factorA + constantA >> right) / (b factorB + constantB)), 0 where that is not above 0, rounded, and gives how many "+
			"are outside the limits."+short)
	dividend, divisor := i.operand("factorA", "constantA"), i.operand("factorB", "constantB")
	shift := i.shiftRight(count("right"))
	r, zero := i.rounding().hold(), i.zero()
	quotient := i.quotient(zero)
	i.elements([]string{"a", "b"}, "z", func(v []reg.VecVirtual) Op {
		a, b := v[0], v[1]
		dividend(a)
		divisor(b)
		shift(a, a)
		quotient(a, b)
		r.byValue([]reg.VecVirtual{a})
		return a
	})
	r.give()

	declare(i, "sqrt", "(n int, z, a *int64, factor, constant int64, right uint64, rounding *uint64) (outside int64)",
		"sets z = floor(sqrt(a factor + constant >> right)), 0 where that is negative, rounded, and gives how many are outside the limits."+short)
	radicand := i.operand("factor", "constant")
	shift = i.shiftRight(count("right"))
	r, zero = i.rounding().hold(), i.zero()
	toFloat, toInt := i.floats()
	i.elements([]string{"a"}, "z", func(v []reg.VecVirtual) Op {
		a := v[0]
		radicand(a)
		if i.wide() {
			VPMAXSQ(zero, a, a)
		} else {
			positive := i.vector()
			VPCMPGTQ(zero, a, positive)
			VPAND(positive, a, a)
		}
		shift(a, a)
		x := i.vector()
		toFloat(a, x)
		VSQRTPD(x, x)
		toInt(x, a)
		r.byValue([]reg.VecVirtual{a})
		return a
	})
	r.give()

	declare(i, "interpolate", "(n int, z, a, segments *int64, left, part uint64, low, high, last int64)",
		"limits a << left to low..high, and sets z to the line there: an entry, the high half of its segment, shifted left by part, and the "+
			"difference to the next, the low half, times the place in the segment.")
	left, part, low, high, last := count("left"), count("part"), i.everywhere("low"), i.everywhere("high"), i.everywhere("last")
	segments := argument("segments")
	var sign reg.VecVirtual // of 32 bits
	if !i.wide() {
		sign = i.number(1 << 31)
	}
	limit := func(v, lo, hi reg.VecVirtual) {
		if i.wide() {
			if lo != nil {
				VPMAXSQ(lo, v, v)
			}
			VPMINSQ(hi, v, v)
			return
		}
		beyond := i.vector()
		if lo != nil {
			VPCMPGTQ(v, lo, beyond)
			VBLENDVPD(beyond, lo, v, v)
		}
		VPCMPGTQ(hi, v, beyond)
		VBLENDVPD(beyond, hi, v, v)
	}
	i.elements([]string{"a"}, "z", func(v []reg.VecVirtual) Op {
		a, at, segment := v[0], i.vector(), i.zero()
		VPSLLQ(left, a, a)
		limit(a, low, high)
		VPSUBQ(low, a, a)
		VPSRLQ(part, a, at)
		limit(at, nil, last)
		i.gather(Mem{Base: segments, Index: at, Scale: 8}, segment)
		VPSLLQ(part, at, at)
		VPSUBQ(at, a, a)
		VPMULDQ(segment, a, a)
		if i.wide() {
			VPSRAQ(Imm(32), segment, segment)
		} else {
			VPSRLQ(Imm(32), segment, segment)
			i.xor(sign, segment, segment)
			VPSUBQ(sign, segment, segment)
		}
		VPSLLQ(part, segment, segment)
		VPADDQ(segment, a, a)
		return a
	})
	finish()
}

// quotient sets a to the floor of a / b, or to 0 where b is not above 0; b is overwritten.
func (i isa) quotient(zero reg.VecVirtual) func(a, b reg.VecVirtual) {
	toFloat, toInt := i.floats()
	if i.wide() {
		return func(a, b reg.VecVirtual) {
			positive := K()
			VPCMPQ(Imm(greater), zero, b, positive)
			toFloat(a, a)
			toFloat(b, b)
			VDIVPD(b, a, a)
			VCVTPD2QQ_RD_SAE_Z(a, positive, a)
		}
	}
	return func(a, b reg.VecVirtual) {
		// The complement of a negative dividend, -a - 1, is not negative; the floor is the complement of its truncated quotient.
		sign, x, y := i.vector(), i.vector(), i.vector()
		VPCMPGTQ(a, zero, sign)
		i.xor(sign, a, a)
		toFloat(a, x)
		toFloat(b, y)
		VDIVPD(y, x, x)
		toInt(x, a)
		i.xor(sign, a, a)
		VPCMPGTQ(zero, b, b)
		VPAND(b, a, a)
	}
}

// gather loads the elements at indices.
func (i isa) gather(from Mem, to reg.VecVirtual) {
	if i.wide() {
		all := K()
		KXNORB(all, all, all)
		VPGATHERQQ(from, all, to)
		return
	}
	all := i.vector()
	VPCMPEQQ(all, all, all)
	VPGATHERQQ(all, from, to)
}

// operand multiplies by a factor and adds a constant, two arguments.
func (i isa) operand(by, plus string) func(v reg.VecVirtual) {
	f, constant := i.factor(i.everywhere(by)), i.everywhere(plus)
	return func(v reg.VecVirtual) {
		i.times(v, f)
		VPADDQ(constant, v, v)
	}
}

// floats are the ways between integers of 0 to 2^52 - 1 and float64; back it is truncation. AVX2 has no such instructions, but from
// 2^52 on the last place of a float64 is 1.
func (i isa) floats() (toFloat, toInt func(from, to reg.VecVirtual)) {
	if i.wide() {
		return func(from, to reg.VecVirtual) { VCVTQQ2PD(from, to) }, func(from, to reg.VecVirtual) { VCVTTPD2QQ(from, to) }
	}
	base := i.number(0x433 << 52) // 2^52
	return func(from, to reg.VecVirtual) {
			VPOR(base, from, to)
			VSUBPD(base, to, to)
		}, func(from, to reg.VecVirtual) {
			const towards0, exact = 3, 8
			VROUNDPD(Imm(towards0|exact), from, to)
			VADDPD(base, to, to)
			VPXOR(base, to, to)
		}
}

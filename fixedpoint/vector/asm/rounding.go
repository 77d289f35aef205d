package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Fields of a Rounding.
const (
	fieldDrop = iota
	fieldAddend
	fieldSign
	fieldMask
	fieldDown
	fieldUp
	fieldLo
	fieldHi
	fieldBelow
	fieldAbove
)

// rounding is the argument of a kernel that tells how to round, and its result, the number of values outside the limits.
type rounding struct {
	i             isa
	at            reg.Register
	outside, some reg.GPVirtual
	held          map[int]reg.VecVirtual // fields that stay in registers
	labels        int
}

func (i isa) rounding() *rounding {
	r := &rounding{i: i, at: argument("rounding"), outside: GP64(), some: GP64()}
	XORQ(r.outside, r.outside)
	return r
}

// hold keeps in registers what byValue needs for every value, where there are so many registers.
func (r *rounding) hold() *rounding {
	if !r.i.wide() {
		return r
	}
	held := map[int]reg.VecVirtual{}
	for _, field := range []int{fieldMask, fieldAddend, fieldLo, fieldHi} {
		held[field] = r.everywhere(field)
	}
	for _, field := range []int{fieldSign, fieldDrop} {
		held[field] = r.count(field)
	}
	r.held = held
	return r
}

// give ends the kernel.
func (r *rounding) give() {
	Store(r.outside, ReturnIndex(0))
	finish()
}

func (r *rounding) everywhere(field int) reg.VecVirtual {
	if v, ok := r.held[field]; ok {
		return v
	}
	v := r.i.vector()
	VPBROADCASTQ(Mem{Base: r.at, Disp: 8 * field}, v)
	return v
}

func (r *rounding) count(field int) reg.VecVirtual {
	if x, ok := r.held[field]; ok {
		return x
	}
	x := XMM()
	VMOVQ(Mem{Base: r.at, Disp: 8 * field}, x)
	return x
}

// byValue rounds by what may depend on the values.
func (r *rounding) byValue(values []reg.VecVirtual) {
	shift, mask, addend := r.i.shiftRight(r.count(fieldSign)), r.everywhere(fieldMask), r.everywhere(fieldAddend)
	for _, v := range values {
		x := r.i.vector()
		shift(v, x)
		r.i.and(mask, x, x)
		VPADDQ(addend, v, v)
		VPADDQ(x, v, v)
	}
	r.limit(r.drop(values))
}

// drop shifts values right.
func (r *rounding) drop(values []reg.VecVirtual) []reg.VecVirtual {
	shift := r.i.shiftRight(r.count(fieldDrop))
	for _, v := range values {
		shift(v, v)
	}
	return values
}

// limit replaces values outside the limits; there are few, if any.
func (r *rounding) limit(values []reg.VecVirtual) {
	inside := fmt.Sprintf("inside%d", r.labels)
	r.labels++
	lo, hi := r.everywhere(fieldLo), r.everywhere(fieldHi)
	if r.i.wide() {
		r.anyWide(values, lo, hi)
	} else {
		r.any(values, lo, hi)
	}
	JZ(LabelRef(inside))
	replaceLow, replaceHigh := r.everywhere(fieldBelow), r.everywhere(fieldAbove)
	for _, v := range values {
		if r.i.wide() {
			below, above := K(), K()
			VPCMPQ(Imm(less), lo, v, below)
			VPCMPQ(Imm(greater), hi, v, above)
			VMOVDQA64(replaceLow, below, v)
			VMOVDQA64(replaceHigh, above, v)
			KORB(above, below, below)
			KMOVB(below, r.some.As32())
		} else {
			below, above := r.beyond(v, lo, hi)
			VBLENDVPD(below, replaceLow, v, v)
			VBLENDVPD(above, replaceHigh, v, v)
			VPOR(above, below, below)
			VMOVMSKPD(below, r.some.As32())
		}
		POPCNTQ(r.some, r.some)
		ADDQ(r.some, r.outside)
	}
	Label(inside)
}

// Predicates of VPCMPQ.
const (
	less    = 1
	greater = 6
)

// anyWide clears the zero flag where some value is outside, by the smallest and the largest of them.
func (r *rounding) anyWide(values []reg.VecVirtual, lo, hi reg.VecVirtual) {
	smallest, largest := values[0], values[0]
	if len(values) > 1 {
		smallest, largest = r.i.vector(), r.i.vector()
		VPMINSQ(values[0], values[1], smallest)
		VPMAXSQ(values[0], values[1], largest)
		for _, v := range values[2:] {
			VPMINSQ(v, smallest, smallest)
			VPMAXSQ(v, largest, largest)
		}
	}
	below, above := K(), K()
	VPCMPQ(Imm(less), lo, smallest, below)
	VPCMPQ(Imm(greater), hi, largest, above)
	KORTESTB(below, above)
}

// any is that of AVX2.
func (r *rounding) any(values []reg.VecVirtual, lo, hi reg.VecVirtual) {
	some, above := r.beyond(values[0], lo, hi)
	VPOR(above, some, some)
	for _, v := range values[1:] {
		below, above := r.beyond(v, lo, hi)
		VPOR(below, some, some)
		VPOR(above, some, some)
	}
	VPTEST(some, some)
}

// beyond are the masks of the elements below lo and above hi, of AVX2.
func (r *rounding) beyond(v, lo, hi reg.VecVirtual) (below, above reg.VecVirtual) {
	below, above = r.i.vector(), r.i.vector()
	VPCMPGTQ(v, lo, below)
	VPCMPGTQ(hi, v, above)
	return below, above
}

// shiftRight shifts arithmetically by a count.
func (i isa) shiftRight(count reg.VecVirtual) func(from, to reg.VecVirtual) {
	if i.wide() {
		return func(from, to reg.VecVirtual) { VPSRAQ(count, from, to) }
	}
	sign := i.vector() // where the shift leaves the sign
	VPBROADCASTQ(top, sign)
	VPSRLQ(count, sign, sign)
	return func(from, to reg.VecVirtual) {
		VPSRLQ(count, from, to)
		i.xor(sign, to, to)
		VPSUBQ(sign, to, to)
	}
}

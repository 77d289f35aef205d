package main

import (
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

	declare(i, "mulLong", "(n int, z, a, b *int64)", "sets z = a b.")
	i.elements([]string{"a", "b"}, "z", func(v []reg.VecVirtual) Op {
		i.times(v[0], i.factor(v[1]))
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

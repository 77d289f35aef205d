package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// What becomes of a sum, by the names of the kernels: nothing, or it is rounded by adding the same to all, by what depends on the
// value, or by random words.
const (
	exact    = "sum"
	bySame   = "sumRound"
	byValue  = "sumRoundByValue"
	byRandom = "sumRoundRandom"
)

// sums are linear: the first terms are added, the next subtracted, shifted left by their factors; the values of the
// others are multiplied by them.
func sums(i isa, name string) {
	signature := "(n int, z, terms *int64, plus, minus, times, long int, constant int64"
	does := "sets z to the sum of a constant and terms: plus are added and minus subtracted, shifted left by their factors, " +
		"times multiplied by them, of 32 bits both, long by those of 64"
	switch name {
	case exact:
		signature += ")"
	case bySame:
		signature += ", rounding *uint64) (outside int64)"
		does += ", then drops bits; the constant holds what rounding adds; it gives how many are outside the limits"
	case byValue:
		signature += ", rounding *uint64) (outside int64)"
		does += ", then rounds it and gives how many are outside the limits"
	case byRandom:
		signature += ", rounding *uint64, random *int64) (outside int64)"
		does += ", then rounds it by random words and gives how many are outside the limits"
	}
	declare(i, name, signature, does+". n is a positive multiple of 8.")
	constant := i.everywhere("constant")
	convert, end := func([]reg.VecVirtual, reg.Register) {}, finish
	switch name {
	case bySame:
		r := i.rounding()
		convert, end = func(totals []reg.VecVirtual, _ reg.Register) { r.limit(r.drop(totals)) }, r.give
	case byValue:
		r := i.rounding()
		convert, end = func(totals []reg.VecVirtual, _ reg.Register) { r.byValue(totals) }, r.give
	case byRandom:
		r, random := i.rounding(), argument("random")
		convert, end = func(totals []reg.VecVirtual, at reg.Register) {
			down, up := r.count(fieldDown), r.count(fieldUp)
			for v, total := range totals {
				x := i.vector()
				i.load(Mem{Base: random, Index: at, Scale: 8, Disp: v * i.bytes}, x)
				VPSRLQ(down, x, x)
				VPSLLQ(up, x, x)
				VPADDQ(x, total, total)
			}
			r.limit(r.drop(totals))
		}, r.give
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
		i.terms(totals, at)
		convert(totals, at)
		for v := range totals {
			i.load(totals[v], Mem{Base: z, Index: at, Scale: 8, Disp: v * i.bytes})
		}
		ADDQ(Imm(uint64(rows)), at)
		JMP(LabelRef(block))
		Label(next)
	}
	end()
}

// terms adds those of the arguments to the totals, values from place at on.
func (i isa) terms(totals []reg.VecVirtual, at reg.Register) {
	rows := len(totals) * i.bytes / 8
	term := argument("terms")
	for _, kind := range []string{"plus", "minus", "times", "long"} {
		loop, skip := fmt.Sprintf("%s%d", kind, rows), fmt.Sprintf("skip_%s%d", kind, rows)
		count, values, shift, short := argument(kind), GP64(), XMM(), i.vector()
		var long factor
		TESTQ(count, count)
		JZ(LabelRef(skip))
		Label(loop)
		switch kind {
		case "times":
			VPBROADCASTQ(Mem{Base: term}, short)
		case "long":
			VPBROADCASTQ(Mem{Base: term}, short)
			long = i.factor(short)
		default:
			VMOVQ(Mem{Base: term}, shift)
		}
		MOVQ(Mem{Base: term, Disp: 8}, values)
		for v := range totals {
			x, from := i.vector(), Mem{Base: values, Index: at, Scale: 8, Disp: v * i.bytes}
			switch kind {
			case "times":
				VPMULDQ(from, short, x)
			case "long":
				i.load(from, x)
				i.times(x, long)
			default:
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
}

// termBytes is the size of a Term: its factor, and the header of the slice of its values.
const termBytes = 32

// factor is one of 64 bits, with its upper half where a product wants it.
type factor struct{ whole, upper reg.VecVirtual }

func (i isa) factor(whole reg.VecVirtual) factor {
	f := factor{whole: whole}
	if !i.wide() {
		f.upper = i.vector()
		VPSRLQ(Imm(32), whole, f.upper)
	}
	return f
}

// times sets v to the lower 64 bits of its product.
func (i isa) times(v reg.VecVirtual, f factor) {
	if i.wide() {
		VPMULLQ(f.whole, v, v)
		return
	}
	across, low := i.vector(), i.vector()
	VPMULUDQ(f.whole, v, low)
	VPMULUDQ(f.upper, v, across)
	VPSRLQ(Imm(32), v, v)
	VPMULUDQ(f.whole, v, v)
	VPADDQ(across, v, v)
	VPSLLQ(Imm(32), v, v)
	VPADDQ(low, v, v)
}

package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// events adds products of columns with changes: of two columns at once, for as many rows as vectors hold words. Products are
// summed in 32 bits, over some pairs at a time.
func events(i isa, vectors int) {
	rows := vectors * i.bytes / 2
	declare(i, fmt.Sprintf("events%d", vectors), "(pairs, atOnce int, words *int16, at *int64, deltas *int16, sums *int64, shift uint64)",
		"adds the products of pairs of columns, which begin at words[at], with their deltas, shifted left, to the sums of %d rows; atOnce of them fit 32 bits; pairs > 0, atOnce > 0.", rows)
	pairs, words, columns, deltas, atOnce := argument("pairs"), argument("words"), argument("at"), argument("deltas"), argument("atOnce")
	sums, shift, indices := argument("sums"), count("shift"), i.orders()
	Label("some")
	left := GP64()
	MOVQ(atOnce, left)
	CMPQ(pairs, left)
	CMOVQLT(pairs, left)
	SUBQ(left, pairs)
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
	DECQ(left)
	JNZ(LabelRef("pairs"))

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
	TESTQ(pairs, pairs)
	JNZ(LabelRef("some"))
	finish()
}

package vector

import "golang.org/x/sys/cpu"

// available are the kernels that the processor has, best first.
func available() []kernels {
	var list []kernels
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL {
		list = append(list, kernels{name: "avx512", words: 32, add: addAVX512, sub: subAVX512, addOne: addOneAVX512, subFrom: subFromAVX512,
			mul: mulAVX512, mulOne: mulOneAVX512, clip: clipAVX512, nonZero: nonZeroAVX512, round: roundAVX512, roundRandom: roundRandomAVX512,
			widen: widenAVX512, narrow: narrowAVX512, lost: lostAVX512, occupied: occupiedAVX512, draw: drawAVX512, sum: sumAVX512, events4: events4AVX512, events1: events1AVX512})
	}
	if cpu.X86.HasAVX2 && cpu.X86.HasPOPCNT {
		list = append(list, kernels{name: "avx2", words: 16, add: addAVX2, sub: subAVX2, addOne: addOneAVX2, subFrom: subFromAVX2,
			mul: mulAVX2, mulOne: mulOneAVX2, clip: clipAVX2, nonZero: nonZeroAVX2, round: roundAVX2, roundRandom: roundRandomAVX2,
			widen: widenAVX2, narrow: narrowAVX2, lost: lostAVX2, occupied: occupiedAVX2, draw: drawAVX2, sum: sumAVX2, events4: events4AVX2, events1: events1AVX2})
	}
	return append(list, kernels{name: "go"})
}

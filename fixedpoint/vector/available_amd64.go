package vector

import "golang.org/x/sys/cpu"

// available are the kernels that the processor has, best first.
func available() []kernels {
	var list []kernels
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL {
		list = append(list, kernels{"avx512", 32, sumAVX512, sumRoundAVX512, sumRoundByValueAVX512, sumRoundRandomAVX512, mulAVX512, mulLongAVX512, clipAVX512, nonZeroAVX512,
			widen16AVX512, widen32AVX512, narrow16AVX512, narrow32AVX512, lostAVX512, occupiedAVX512, divAVX512, sqrtAVX512, interpolateAVX512,
			drawAVX512, events4AVX512, events1AVX512})
	}
	if cpu.X86.HasAVX2 && cpu.X86.HasPOPCNT {
		list = append(list, kernels{"avx2", 16, sumAVX2, sumRoundAVX2, sumRoundByValueAVX2, sumRoundRandomAVX2, mulAVX2, mulLongAVX2, clipAVX2, nonZeroAVX2,
			widen16AVX2, widen32AVX2, narrow16AVX2, narrow32AVX2, lostAVX2, occupiedAVX2, divAVX2, sqrtAVX2, interpolateAVX2,
			drawAVX2, events4AVX2, events1AVX2})
	}
	return append(list, kernels{name: "go"})
}

package simd

import "golang.org/x/sys/cpu"

// available32 are the kernels on float32 that the processor has, best first.
func available32() []kernels[float32] {
	return available(
		kernels[float32]{"avx512", 16, []tile[float32]{{10, tile10x32AVX512}, {5, tile5x32AVX512}, {2, tile2x32AVX512}, {1, tile1x32AVX512}},
			peak32AVX512, elementwise[float32]{combine1x32AVX512, combine2x32AVX512, combine3x32AVX512, combine4x32AVX512,
				limit32AVX512, multiply32AVX512, divide32AVX512, root32AVX512, offset32AVX512, nonZero32AVX512, constant(exp32AVX512), constant(sigmoid32AVX512)}},
		kernels[float32]{"avx2", 8, []tile[float32]{{5, tile5x32AVX2}, {2, tile2x32AVX2}, {1, tile1x32AVX2}},
			peak32AVX2, elementwise[float32]{combine1x32AVX2, combine2x32AVX2, combine3x32AVX2, combine4x32AVX2,
				limit32AVX2, multiply32AVX2, divide32AVX2, root32AVX2, offset32AVX2, nonZero32AVX2, constant(exp32AVX2), constant(sigmoid32AVX2)}})
}

// available64 are the kernels on float64 that the processor has, best first.
func available64() []kernels[float64] {
	return available(
		kernels[float64]{"avx512", 8, []tile[float64]{{10, tile10x64AVX512}, {5, tile5x64AVX512}, {2, tile2x64AVX512}, {1, tile1x64AVX512}},
			peak64AVX512, elementwise[float64]{combine1x64AVX512, combine2x64AVX512, combine3x64AVX512, combine4x64AVX512,
				limit64AVX512, multiply64AVX512, divide64AVX512, root64AVX512, offset64AVX512, nonZero64AVX512, plainExp[float64], plainSigmoid[float64]}},
		kernels[float64]{"avx2", 4, []tile[float64]{{5, tile5x64AVX2}, {2, tile2x64AVX2}, {1, tile1x64AVX2}},
			peak64AVX2, elementwise[float64]{combine1x64AVX2, combine2x64AVX2, combine3x64AVX2, combine4x64AVX2,
				limit64AVX2, multiply64AVX2, divide64AVX2, root64AVX2, offset64AVX2, nonZero64AVX2, plainExp[float64], plainSigmoid[float64]}})
}

// constant gives a kernel of exponentials its constants.
func constant(f func(n int, z, a, constants *float32)) func(n int, z, a *float32) {
	return func(n int, z, a *float32) { f(n, z, a, &expConstants[0]) }
}

func available[T Float](avx512, avx2 kernels[T]) []kernels[T] {
	var list []kernels[T]
	if cpu.X86.HasAVX512F {
		list = append(list, avx512)
	}
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		list = append(list, avx2)
	}
	return append(list, plain[T]())
}

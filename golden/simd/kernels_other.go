//go:build !amd64

package simd

func available32() []kernels[float32] { return []kernels[float32]{plain[float32]()} }

func available64() []kernels[float64] { return []kernels[float64]{plain[float64]()} }

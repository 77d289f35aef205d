//go:build !amd64

package vector

// available are the kernels that the processor has.
func available() []kernels { return []kernels{{name: "go"}} }

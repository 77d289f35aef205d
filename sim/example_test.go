package sim_test

import (
	"fmt"

	"corinfo/sim"
)

// What co-simulation says of the first bit that differs.
func ExampleMismatch() {
	m := &sim.Mismatch{Cycle: 1115, Tensor: "u1", Phase: "free", Iteration: 1, Layer: 1, Neuron: 0,
		Expected: "4037 (0.24639892578125)", Got: "8312 (0.50732421875)"}
	fmt.Println(m)
	// Output:
	// mismatch at cycle 1115, sample 0 (inference): u1, free phase, iteration 1, layer 1, neuron 0
	//   expected 4037 (0.24639892578125)
	//   got      8312 (0.50732421875)
}

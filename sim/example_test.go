package sim_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"corinfo/golden/network"
	"corinfo/hdlgen"
	"corinfo/hdlgen/settling"
	"corinfo/sim"
)

const exampleNetwork = `name: example
dataset: {name: mnist}
layers: [4, 3, 2]
rule: corinfomax
corinfomax:
  epsilon: 0.15
  lambda: 0.99
  leak: 0.5
settling: {free_iterations: 5, nudged_iterations: 3, step: {rule: constant, start: 0.05}}
learning: {batch: 2, beta: 1, feedforward: [1, 0.7], feedback: [0.15], epochs: 1}
seed: 1
`

// exampleDesign generates a design into a folder.
func exampleDesign(dir string) (*hdlgen.Design, error) {
	network, err := network.Parse("example.yaml", []byte(exampleNetwork))
	if err != nil {
		return nil, err
	}
	machine, _, err := settling.StartMachine(network, nil)
	if err != nil {
		return nil, err
	}
	if _, err := hdlgen.Generate(machine.A, machine, 2, hdlgen.FastTarget, dir); err != nil {
		return nil, err
	}
	return hdlgen.OpenDesign(dir)
}

// A design in lock step with the bit-true model, on Icarus: it prints "2 samples learned, 0 mismatches", and a test runs it where
// Icarus is installed.
func ExampleCosim() {
	folder, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	design, err := exampleDesign(filepath.Join(folder, "design"))
	if err != nil {
		fmt.Println(err)
		return
	}
	samples := []sim.Sample{{X: []int64{256, 128, 0, 0}, Label: 0}, {X: []int64{0, 0, 64, 256}, Label: 1}}
	report, err := sim.Cosim(context.Background(), design, sim.Options{Simulator: sim.Icarus, Learning: samples})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d samples learned, %d mismatches\n", report.Learned, report.Mismatches)
}

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

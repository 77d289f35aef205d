package hdlgen_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"corinfo/golden/network"
	"corinfo/hdlgen"
	"corinfo/hdlgen/settling"
)

const exampleNetwork = `name: example
dataset: {name: mnist}
layers: [784, 64, 10]
rule: corinfomax
corinfomax:
  epsilon: 0.15
  lambda: 0.99999
  leak: 0.5
settling: {free_iterations: 30, nudged_iterations: 10, step: {rule: constant, start: 0.05}}
learning: {batch: 20, beta: 1, feedforward: [1, 0.7], feedback: [0.15], epochs: 1}
seed: 1
`

func exampleArithmetic() (*settling.Arithmetic, error) {
	network, err := network.Parse("example.yaml", []byte(exampleNetwork))
	if err != nil {
		return nil, err
	}
	return settling.New(network)
}

// All files of a design of 16 lanes, its memories starting from the weights that the seed draws. Generate writes them.
func ExampleBuild() {
	a, err := exampleArithmetic()
	if err != nil {
		fmt.Println(err)
		return
	}
	machine, _, err := settling.StartMachine(a.Network, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	files, manifest, err := hdlgen.Build(a, 16, hdlgen.FastTarget, machine.Synapse)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if strings.HasPrefix(name, "rtl/") {
			fmt.Println(name)
		}
	}
	w1 := manifest.Matrices[1]
	fmt.Printf("%s: %d x %d, %s, synapse (row, column) at %d + %d column + row / %d\n", w1.Name, w1.Rows, w1.Cols, w1.Format, w1.Base, w1.Stride, manifest.Lanes)
	// Output:
	// rtl/example.v
	// rtl/example_lane.v
	// rtl/example_record.v
	// rtl/example_soma.v
	// rtl/example_synapse0.v
	// rtl/example_synapse1.v
	// rtl/example_update0.v
	// rtl/example_update1.v
	// rtl/example_update2.v
	// W1: 10 x 64, ap_fixed<16,2,STOCHASTIC,SAT>, synapse (row, column) at 3136 + 5 column + row / 16
}

// What a design takes, before any tool runs.
func ExampleEstimate() {
	a, err := exampleArithmetic()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, lanes := range []int{8, 16} {
		e, err := hdlgen.Estimate(a, lanes, hdlgen.FastTarget, nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%d lanes: %.0f cycles per inference, %d multipliers, %d bits of memory\n", lanes, e.CyclesPerInference, e.Multipliers, e.MemoryBits)
	}
	// Output:
	// 8 lanes: 30516 cycles per inference, 56 multipliers, 1333364 bits of memory
	// 16 lanes: 16275 cycles per inference, 112 multipliers, 1333364 bits of memory
}

package lockstep_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"corinfo/golden/network"
	"corinfo/golden/training"
	"corinfo/hdlgen"
	"corinfo/hdlgen/design"
	"corinfo/sim"
	"corinfo/sim/lockstep"
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

// exampleDesign generates a design of two lanes and one neuron unit into a folder.
func exampleDesign(dir string) (*design.Design, error) {
	n, err := network.Parse("example.yaml", []byte(exampleNetwork))
	if err != nil {
		return nil, err
	}
	plan, err := design.New(n, 2, 1, hdlgen.FastTarget)
	if err != nil {
		return nil, err
	}
	learner, _, err := training.StartMachine(n, nil)
	if err != nil {
		return nil, err
	}
	if _, err := design.Generate(plan, learner, nil, nil, dir, hdlgen.RefuseEdited); err != nil {
		return nil, err
	}
	return design.Open(dir)
}

// A design in lock step with the bit-true model, on Icarus.
func ExampleCosim() {
	folder, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	d, err := exampleDesign(filepath.Join(folder, "design"))
	if err != nil {
		fmt.Println(err)
		return
	}
	samples := []hdlgen.Sample{{X: []int64{256, 128, 0, 0}, Label: 0}, {X: []int64{0, 0, 64, 256}, Label: 1}}
	report, err := lockstep.Cosim(context.Background(), d, sim.Options{Simulator: sim.Icarus, Learning: samples})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d samples learned, %d mismatches\n", report.Learned, report.Mismatches)
	// Output: 2 samples learned, 0 mismatches
}

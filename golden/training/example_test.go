package training_test

import (
	"context"
	"fmt"
	"os"

	"corinfo/golden/dataset"
	"corinfo/golden/machine"
	"corinfo/golden/network"
	"corinfo/golden/training"
)

// A network of 4-8-2 neurons. Formats that the file does not name have defaults.
const exampleNetwork = `name: example
dataset: {name: idx, path: samples}
rule: corinfomax
layers: [4, 8, 2]
corinfomax: {epsilon: 0.15, lambda: 0.99999, leak: 0.5}
settling: {free_iterations: 20, nudged_iterations: 10, step: {rule: divide_by_slow_loop_index, start: 0.05, stop: 0.001, decay: 0.01}}
learning: {batch: 2, beta: 1, random_sign: true, feedforward: [1, 0.7], feedback: [0.15], epochs: 3}
seed: 1
`

// exampleData are two patterns, one of each class, some times over.
func exampleData() *dataset.Data {
	set := dataset.Set{Size: 4}
	for i := range 20 {
		patterns := [][]uint8{{255, 255, 0, 0}, {0, 0, 255, 255}}
		set.Pixels = append(set.Pixels, patterns[i%2]...)
		set.Labels = append(set.Labels, uint8(i%2))
	}
	return &dataset.Data{Name: "example", Train: set, Test: set}
}

// A bit-true training: the same words as those of the hardware.
func ExampleTrain() {
	n, err := network.Parse("example.yaml", []byte(exampleNetwork))
	if err != nil {
		fmt.Println(err)
		return
	}
	run, misfits, err := training.NewCheckpoint(n, training.Fixed, n.Seed)
	if err != nil || len(misfits) > 0 {
		fmt.Println(misfits, err)
		return
	}
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	if _, err := training.Train(context.Background(), run, exampleData(), training.TrainOptions{Dir: dir}); err != nil {
		fmt.Println(err)
		return
	}
	for _, epoch := range run.History {
		fmt.Printf("epoch %d: %.0f %% of the test samples\n", epoch.Epoch, 100*epoch.TestAccuracy)
	}
	// Output:
	// epoch 1: 50 % of the test samples
	// epoch 2: 100 % of the test samples
	// epoch 3: 100 % of the test samples
}

// One sample through the bit-true machine, every settling step of every layer on record.
func ExampleStartMachine() {
	n, err := network.Parse("example.yaml", []byte(exampleNetwork))
	if err != nil {
		fmt.Println(err)
		return
	}
	m, _, err := training.StartMachine(n, nil) // with the weights that the seed draws
	if err != nil {
		fmt.Println(err)
		return
	}
	x := make([]int64, 4)
	m.A.Input([]uint8{255, 128, 0, 0}, x)
	var trace machine.Trace
	class := m.Run(x, machine.Command{}, &trace)
	first := trace.Records[0]
	d := m.A.D
	fmt.Println("input", x)
	fmt.Println(d.Phases[first.Phase].Name, "phase, iteration", first.Iteration, "layer", d.Steps[first.Step].Layer, "u", first.Words[0], "r", first.Words[1])
	fmt.Println(len(trace.Records), "steps, scores", trace.Scores, "class", class)
	// Output:
	// input [256 129 0 0]
	// free phase, iteration 0 layer 1 u [-2017 2214 1283 -2902 883 -1441 -3526 4474] r [0 138 80 0 55 0 0 280]
	// 40 steps, scores [385 0] class 0
}

package golden_test

import (
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"testing"

	"corinfo/golden"
)

// digits are random samples with the density of MNIST's: 19 of 100 pixels are not zero.
func digits(rng *rand.Rand, n *golden.Network, count int) (samples [][]uint8, labels []int) {
	for range count {
		pixels := make([]uint8, n.Layers[0])
		for j := range pixels {
			if rng.IntN(100) < 19 {
				pixels[j] = uint8(1 + rng.IntN(255))
			}
		}
		samples = append(samples, pixels)
		labels = append(labels, rng.IntN(n.Layers[n.K()]))
	}
	return samples, labels
}

// digitNetwork has the settings of the paper's MNIST runs.
func digitNetwork(layers []int, batch int) *golden.Network {
	n := &golden.Network{Name: "digits", Layers: layers, Epsilon: 0.15, Lambda: 0.99999, Leak: 0.5, Seed: 3,
		Settling: golden.Settling{FreeIterations: 30, NudgedIterations: 10, EarlyEnd: true, Step: golden.Step{Rule: "divide_by_slow_loop_index", Start: 0.05, Stop: 0.001, Decay: 0.01}},
		Learning: golden.Learning{Batch: batch, Beta: 1, RandomSign: true, Epochs: 1, Decay: golden.Decay{Factor: 1, Then: 1}},
	}
	for k := range n.K() {
		n.Learning.Feedforward = append(n.Learning.Feedforward, []float64{1, 0.7}[min(k, 1)])
		if k > 0 {
			n.Learning.Feedback = append(n.Learning.Feedback, 0.15)
		}
	}
	return n
}

// startMachine has the initial weights of the network's seed.
func startMachine(tb testing.TB, n *golden.Network) *golden.Machine {
	tb.Helper()
	a, err := golden.NewArithmetic(n)
	if err != nil {
		tb.Fatal(err)
	}
	m := golden.NewMachine(a)
	if _, err := m.SetWeights(golden.InitialWeights(n, n.Seed)); err != nil {
		tb.Fatal(err)
	}
	return m
}

func allSynapses(m *golden.Machine) (words [][]int64) {
	for i, x := range m.A.Matrices {
		var list []int64
		for row := range x.Rows {
			for col := range x.Cols {
				list = append(list, m.Synapse(i, row, col))
			}
		}
		words = append(words, list)
	}
	return words
}

func sameMachine(t *testing.T, where string, got, want *golden.Machine) {
	t.Helper()
	for i, words := range allSynapses(want) {
		if !slices.Equal(allSynapses(got)[i], words) {
			t.Fatalf("%s: %s differs", where, want.A.Matrices[i].Name())
		}
	}
}

// TestBatchesMatchRun holds the parallel LearnBatch and ClassifyBatch, on any number of processors, against
// Run, sample by sample: the same synapses, classes and counts.
func TestBatchesMatchRun(t *testing.T) {
	rng := random(t)
	for _, layers := range [][]int{{40, 12, 7}, {30, 9, 8, 5}, {100, 75, 10}} {
		n := digitNetwork(layers, 6)
		n.Lambda = 0.99 // so that C learns visibly
		samples, labels := digits(rng, n, 3*n.Learning.Batch)
		serial := startMachine(t, n)
		raw := make([]int64, layers[0])
		classes := make([]int, len(samples))
		for i, pixels := range samples {
			serial.A.QuantizeInput(pixels, raw)
			serial.Run(raw, golden.Command{Learn: true, Label: labels[i], Negative: i/n.Learning.Batch == 1}, nil)
		}
		for i, pixels := range samples {
			serial.A.QuantizeInput(pixels, raw)
			classes[i] = serial.Run(raw, golden.Command{}, nil)
		}
		start := startMachine(t, n)
		if slices.EqualFunc(allSynapses(start), allSynapses(serial), slices.Equal[[]int64]) {
			t.Fatal("nothing was learnt")
		}
		for _, processors := range []int{1, 2, 5, 8} {
			func() {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
				m := startMachine(t, n)
				for b := range 3 {
					from, to := b*n.Learning.Batch, (b+1)*n.Learning.Batch
					m.LearnBatch(samples[from:to], labels[from:to], b == 1)
				}
				got := make([]int, len(samples))
				m.ClassifyBatch(samples, got)
				if !slices.Equal(got, classes) {
					t.Fatalf("%v, %d processors: classes %v, want %v", layers, processors, got, classes)
				}
				sameMachine(t, "LearnBatch", m, serial)
				if got, want := m.Counts(), serial.Counts(); !reflect.DeepEqual(got, want) {
					t.Fatalf("%v, %d processors: counts %+v, want %+v", layers, processors, got, want)
				}
				if m.Step() != 3 {
					t.Fatalf("%d updates", m.Step())
				}
			}()
		}
	}
}

// A phase that ends early leaves the states, classes and synapses of one that runs on.
func TestEarlyEndChangesNothing(t *testing.T) {
	rng := random(t)
	shorter := 0
	for i := range 60 {
		n := randomNetwork(rng, i%4 == 0)
		n.Settling.EarlyEnd = true
		n.Settling.FreeIterations += 6
		full := *n
		full.Settling.EarlyEnd = false
		var machines []*golden.Machine
		var traces [2][]golden.Trace
		words := rng.Uint64()
		inputs := rng.Uint64()
		for at, network := range []*golden.Network{n, &full} {
			a, err := golden.NewArithmetic(network)
			if err != nil {
				break
			}
			m := golden.NewMachine(a)
			newPage(t, rand.New(rand.NewPCG(words, 0)), network, m)
			rng := rand.New(rand.NewPCG(inputs, 0))
			for range 2 * n.Learning.Batch {
				raw := make([]int64, n.Layers[0])
				low, _ := a.Formats.X.Min().Int64()
				for j := range raw {
					raw[j] = low + rng.Int64N(1<<a.Formats.X.Width)
				}
				var trace golden.Trace
				m.Run(raw, golden.Command{Learn: true, Label: rng.IntN(n.Layers[n.K()]), Negative: rng.IntN(2) == 0}, &trace)
				traces[at] = append(traces[at], trace)
			}
			machines = append(machines, m)
		}
		if len(machines) < 2 {
			continue
		}
		sameMachine(t, "early end", machines[0], machines[1])
		for s := range traces[0] {
			a, b := &traces[0][s], &traces[1][s]
			if a.Class != b.Class || !slices.Equal(a.Scores, b.Scores) || !reflect.DeepEqual(a.Writes, b.Writes) {
				t.Fatalf("%+v: sample %d: class %d %v and %d %v", *n, s, a.Class, a.Scores, b.Class, b.Scores)
			}
			if len(a.Records) < len(b.Records) {
				shorter++
			}
			type place struct {
				phase golden.Phase
				layer int
			}
			last := map[place]golden.Record{}
			at := 0
			for _, record := range b.Records {
				key := place{record.Phase, record.Layer}
				if at < len(a.Records) && a.Records[at].Phase == record.Phase && a.Records[at].Iteration == record.Iteration && a.Records[at].Layer == record.Layer {
					last[key] = a.Records[at]
					at++
				}
				// Past the early end, the states stand still.
				if !slices.Equal(last[key].U, record.U) || !slices.Equal(last[key].R, record.R) {
					t.Fatalf("%+v: sample %d: %+v, with early end %+v", *n, s, record, last[key])
				}
			}
			if at != len(a.Records) {
				t.Fatalf("%+v: sample %d: %d of %d records are in the full run", *n, s, at, len(a.Records))
			}
		}
		early, all := machines[0].Counts(), machines[1].Counts()
		if early.Events != all.Events || !reflect.DeepEqual(early.Lost, all.Lost) {
			t.Fatalf("%+v: counts %+v and %+v", *n, early, all)
		}
	}
	if shorter == 0 {
		t.Error("no phase ended early")
	}
}

// Events are the nonzero inputs and changed states of the trace, and nothing else costs products.
func TestEventsAreThoseOfTheTrace(t *testing.T) {
	rng := random(t)
	n := digitNetwork([]int{50, 14, 9, 4}, 2)
	m := startMachine(t, n)
	samples, labels := digits(rng, n, 4)
	raw := make([]int64, n.Layers[0])
	events := make([]int64, n.K()+1)
	for i, pixels := range samples {
		m.A.QuantizeInput(pixels, raw)
		for _, x := range raw {
			if x != 0 {
				events[0]++
			}
		}
		var trace golden.Trace
		m.Run(raw, golden.Command{Learn: i > 0, Label: labels[i]}, &trace)
		states := make([][]int64, n.K()+1)
		for _, record := range trace.Records {
			for j, r := range record.R {
				if states[record.Layer] == nil && r != 0 || states[record.Layer] != nil && r != states[record.Layer][j] {
					events[record.Layer]++
				}
			}
			states[record.Layer] = record.R
		}
	}
	counts := m.Counts()
	if !slices.Equal(counts.LayerEvents, events) {
		t.Errorf("events %d, want %d", counts.LayerEvents, events)
	}
	// Fan-out: W and, above the input, C and F.
	products := events[0]*14 + events[1]*(9+14) + events[2]*(4+9+14) + events[3]*(4+9)
	if counts.Products != products {
		t.Errorf("%d products, want %d", counts.Products, products)
	}
}

func TestLearnBatchPanics(t *testing.T) {
	n := digitNetwork([]int{5, 3}, 2)
	samples, labels := digits(rand.New(rand.NewPCG(1, 1)), n, 2)
	for name, use := range map[string]func(m *golden.Machine){
		"golden: LearnBatch of 1 samples onto 0 held; the mini-batch is 2": func(m *golden.Machine) { m.LearnBatch(samples[:1], labels[:1], false) },
		"golden: LearnBatch of 2 samples onto 1 held; the mini-batch is 2": func(m *golden.Machine) {
			m.Run(make([]int64, 5), golden.Command{Learn: true}, nil)
			m.LearnBatch(samples, labels, false)
		},
	} {
		func() {
			defer func() {
				if got := recover(); got != name {
					t.Errorf("got %v, want %s", got, name)
				}
			}()
			use(startMachine(t, n))
		}()
	}
}

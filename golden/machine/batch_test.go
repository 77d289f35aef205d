package machine_test

import (
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"corinfo/golden/arithmetic"
	"corinfo/golden/goldentest"
	"corinfo/golden/machine"
	"corinfo/golden/rule"
	"corinfo/golden/weights"
)

// digits are random samples with the density of MNIST's: 19 of 100 pixels are not zero.
func digits(rng *rand.Rand, s *rule.Settings, count int) (samples [][]uint8, labels []int) {
	for range count {
		pixels := make([]uint8, s.Layers[0])
		for j := range pixels {
			if rng.IntN(100) < 19 {
				pixels[j] = uint8(1 + rng.IntN(255))
			}
		}
		samples = append(samples, pixels)
		labels = append(labels, rng.IntN(s.Layers[len(s.Layers)-1]))
	}
	return samples, labels
}

// digitSettings are those of MNIST runs.
func digitSettings(name string, layers []int, batch int) *rule.Settings {
	n := goldentest.Network(layers, batch)
	n.Settling.EarlyEnd = true
	return goldentest.Under(n, name).Settings()
}

// startMachine has the types of the rule and the initial weights of a seed.
func startMachine(t testing.TB, name string, s *rule.Settings) *machine.Machine {
	t.Helper()
	d := rule.Named(name).Describe(s)
	a, err := arithmetic.New(d, s.Learning.Batch, nil, pixels())
	require.NoError(t, err)
	m := machine.New(a, 3)
	set(t, m, weights.Initial(d, 3))
	return m
}

// allSynapses are the words of all projections, those that mirror others and those beside synapses too.
func allSynapses(m *machine.Machine) (words [][]int64) {
	for i, p := range m.A.D.Projections {
		var list []int64
		for row := range p.Rows {
			for col := range p.Cols {
				list = append(list, m.Synapse(i, row, col))
				for k := range p.Words {
					list = append(list, m.Beside(i, k, row, col))
				}
			}
		}
		words = append(words, list)
	}
	return words
}

func sameMachine(t *testing.T, where string, got, want *machine.Machine) {
	t.Helper()
	have := allSynapses(got)
	for i, words := range allSynapses(want) {
		if !slices.Equal(have[i], words) {
			t.Fatalf("%s: %s differs", where, want.A.D.Projections[i].Name)
		}
	}
}

// TestBatchesMatchRun holds the parallel Learn and Classify, on any number of processors, against Run, sample by sample: the
// same synapses, classes and counts.
func TestBatchesMatchRun(t *testing.T) {
	rng := random(t)
	for _, r := range rule.Rules {
		for _, layers := range [][]int{{40, 12, 7}, {30, 9, 8, 5}, {100, 75, 10}} {
			batchesMatchRun(t, rng, r.Name, layers)
		}
	}
}

func batchesMatchRun(t *testing.T, rng *rand.Rand, name string, layers []int) {
	s := digitSettings(name, layers, 6)
	batch := s.Learning.Batch
	if own, ok := s.Own.(*rule.CorInfoMax); ok {
		own.Lambda = 0.99 // so that C learns visibly
	}
	samples, labels := digits(rng, s, 3*batch)
	serial := startMachine(t, name, s)
	raw := make([]int64, layers[0])
	classes := make([]int, len(samples))
	for i, pixels := range samples {
		serial.A.Input(pixels, raw)
		serial.Run(raw, machine.Command{Learn: true, Label: labels[i], Negative: i/batch == 1}, nil)
	}
	for i, pixels := range samples {
		serial.A.Input(pixels, raw)
		classes[i] = serial.Run(raw, machine.Command{}, nil)
	}
	start := startMachine(t, name, s)
	if slices.EqualFunc(allSynapses(start), allSynapses(serial), slices.Equal[[]int64]) {
		t.Fatal("nothing was learnt")
	}
	for _, processors := range []int{1, 2, 5, 8} {
		func() {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
			m := startMachine(t, name, s)
			for b := range 3 {
				from, to := b*batch, (b+1)*batch
				m.Learn(samples[from:to], labels[from:to], b == 1)
			}
			got := make([]int, len(samples))
			m.Classify(samples, got)
			if !slices.Equal(got, classes) {
				t.Fatalf("%s %v, %d processors: classes %v, want %v", name, layers, processors, got, classes)
			}
			sameMachine(t, "Learn", m, serial)
			if got, want := m.Counts(), serial.Counts(); !reflect.DeepEqual(got, want) {
				t.Fatalf("%s %v, %d processors: counts %+v, want %+v", name, layers, processors, got, want)
			}
			if m.Step() != 3 {
				t.Fatalf("%d updates", m.Step())
			}
		}()
	}
}

// A phase that ends early leaves the states, classes and synapses of one that runs on.
func TestEarlyEndChangesNothing(t *testing.T) {
	for _, r := range rule.Rules {
		if r.Lacks("settling") {
			continue
		}
		t.Run(r.Name, func(t *testing.T) {
			rng := random(t)
			shorter := 0
			for i := range 60 {
				shorter += endsEarly(t, rng, randomNetwork(rng, r.Name, i%4 == 0))
			}
			if shorter == 0 {
				t.Error("no phase ended early")
			}
		})
	}
}

// endsEarly compares a network with one that runs on, and counts the samples that took fewer steps.
func endsEarly(t *testing.T, rng *rand.Rand, n *network) (shorter int) {
	n.s.Settling.EarlyEnd = true
	n.s.Settling.FreeIterations += 6
	if rule.Named(n.rule).Lacks("settling.free_iterations") {
		n.s.Settling.NudgedIterations += 30
	}
	settings := *n.s
	settings.Settling.EarlyEnd = false
	full := *n
	full.s = &settings
	var machines []*machine.Machine
	var traces [2][]machine.Trace
	words := rng.Uint64()
	inputs := rng.Uint64()
	for at, network := range []*network{n, &full} {
		a, err := arithmetic.New(rule.Named(network.rule).Describe(network.s), network.s.Learning.Batch, network.formats, pixels())
		if err != nil {
			return 0
		}
		m := machine.New(a, network.seed)
		newPage(t, rand.New(rand.NewPCG(words, 0)), network, m)
		rng := rand.New(rand.NewPCG(inputs, 0))
		x := a.Type("x", 0)
		low, _ := x.Min().Int64()
		for range 2 * a.Samples {
			raw := make([]int64, n.s.Layers[0])
			for j := range raw {
				raw[j] = low + rng.Int64N(1<<x.Width)
			}
			var trace machine.Trace
			m.Run(raw, machine.Command{Learn: true, Label: rng.IntN(n.s.Layers[len(n.s.Layers)-1]), Negative: rng.IntN(2) == 0}, &trace)
			traces[at] = append(traces[at], trace)
		}
		machines = append(machines, m)
	}
	sameMachine(t, "early end", machines[0], machines[1])
	for s := range traces[0] {
		a, b := &traces[0][s], &traces[1][s]
		if a.Class != b.Class || !slices.Equal(a.Scores, b.Scores) || !reflect.DeepEqual(a.Writes, b.Writes) {
			t.Fatalf("%v: sample %d: class %d %v and %d %v", n, s, a.Class, a.Scores, b.Class, b.Scores)
		}
		if len(a.Records) < len(b.Records) {
			shorter++
		}
		type place struct{ phase, step int }
		last := map[place]machine.Record{}
		at := 0
		for _, record := range b.Records {
			key := place{record.Phase, record.Step}
			if at < len(a.Records) && a.Records[at].Phase == record.Phase && a.Records[at].Iteration == record.Iteration && a.Records[at].Step == record.Step {
				last[key] = a.Records[at]
				at++
			}
			// Past the early end, the words stand still.
			if !reflect.DeepEqual(last[key].Words, record.Words) {
				t.Fatalf("%v: sample %d: %+v, with early end %+v", n, s, record, last[key])
			}
		}
		if at != len(a.Records) {
			t.Fatalf("%v: sample %d: %d of %d records are in the full run", n, s, at, len(a.Records))
		}
	}
	early, all := machines[0].Counts(), machines[1].Counts()
	if early.Events != all.Events || !reflect.DeepEqual(early.Lost, all.Lost) {
		t.Fatalf("%v: counts %+v and %+v", n, early, all)
	}
	return shorter
}

// Events are the nonzero inputs and changed states of the trace, and nothing else costs products.
func TestEventsAreThoseOfTheTrace(t *testing.T) {
	rng := random(t)
	s := digitSettings("corinfomax", []int{50, 14, 9, 4}, 2)
	m := startMachine(t, "corinfomax", s)
	samples, labels := digits(rng, s, 4)
	raw := make([]int64, s.Layers[0])
	events := make([]int64, len(s.Layers))
	for i, pixels := range samples {
		m.A.Input(pixels, raw)
		for _, x := range raw {
			if x != 0 {
				events[0]++
			}
		}
		var trace machine.Trace
		m.Run(raw, machine.Command{Learn: i > 0, Label: labels[i]}, &trace)
		states := make([][]int64, len(s.Layers))
		for _, record := range trace.Records {
			layer := m.A.D.Steps[record.Step].Layer
			for j, r := range record.Words[1] {
				if states[layer] == nil && r != 0 || states[layer] != nil && r != states[layer][j] {
					events[layer]++
				}
			}
			states[layer] = record.Words[1]
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

// TestDenseEvents: in dense mode every input and, after every step, every state of the layer is an event, and the bits are the same.
func TestDenseEvents(t *testing.T) {
	s := digitSettings("corinfomax", []int{9, 6, 4}, 2)
	s.Settling.FreeIterations, s.Settling.NudgedIterations, s.Settling.EarlyEnd = 5, 3, false
	dense, events := startMachine(t, "corinfomax", s), startMachine(t, "corinfomax", s)
	dense.Dense = true
	samples, labels := digits(rand.New(rand.NewPCG(1, 1)), s, 2)
	require.Equal(t, dense.Learn(samples, labels, false), events.Learn(samples, labels, false))
	require.Equal(t, allSynapses(events), allSynapses(dense))
	counts := dense.Counts()
	require.Equal(t, []int64{2 * 9, 2 * 8 * 6, 2 * 8 * 4}, counts.LayerEvents)
	require.Less(t, events.Counts().Events, counts.Events)
}

func TestLearnPanics(t *testing.T) {
	s := digitSettings("corinfomax", []int{5, 3}, 2)
	samples, labels := digits(rand.New(rand.NewPCG(1, 1)), s, 2)
	for name, use := range map[string]func(m *machine.Machine){
		"machine: 1 samples onto 0 held; the mini-batch is 2": func(m *machine.Machine) { m.Learn(samples[:1], labels[:1], false) },
		"machine: 2 samples onto 1 held; the mini-batch is 2": func(m *machine.Machine) {
			m.Run(make([]int64, 5), machine.Command{Learn: true}, nil)
			m.Learn(samples, labels, false)
		},
	} {
		require.PanicsWithValue(t, name, func() { use(startMachine(t, "corinfomax", s)) })
	}
}

// A label that no neuron has pulls none up, whether the padding of a layer has one of that number or not.
func TestLabelOfNoClass(t *testing.T) {
	for _, r := range rule.Rules {
		s := digitSettings(r.Name, []int{12, 7, 5}, 1)
		samples, _ := digits(rand.New(rand.NewPCG(31, 0)), s, 6)
		learned := func(label int) ([][]int64, machine.Counts) {
			m := startMachine(t, r.Name, s)
			raw := make([]int64, s.Layers[0])
			for _, pixels := range samples {
				m.A.Input(pixels, raw)
				m.Run(raw, machine.Command{Learn: true, Label: label}, nil)
			}
			return allSynapses(m), m.Counts()
		}
		far, counts := learned(1 << 20)
		for label := 5; label < 9; label++ {
			synapses, count := learned(label)
			require.Equal(t, far, synapses, "%s, label %d", r.Name, label)
			require.Equal(t, counts, count, "%s, label %d", r.Name, label)
		}
	}
}

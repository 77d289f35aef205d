package calibrate

import (
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"corinfo/golden/float"
	"corinfo/golden/goldentest"
	"corinfo/golden/network"
	"corinfo/golden/rule"
	"corinfo/golden/weights"
)

func TestRangesInclude(t *testing.T) {
	r := Ranges{}
	r.include("u1", 2, 3)
	if got := r["u1"]; got != (Range{2, 3}) {
		t.Errorf("first: got %v", got)
	}
	r.include("u1", -1, 2.5)
	r.include("u1", 0, 7)
	if got, want := r["u1"], (Range{-1, 7}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestRecordNames: every tensor that has a type is recorded, constants aside, and nothing else.
func TestRecordNames(t *testing.T) {
	var networks []*network.Network
	for _, layers := range [][]int{{5, 2}, {5, 1, 2}, {12, 9, 8, 5}} {
		n := goldentest.Network(layers, 2)
		goldentest.CorInfoMax(n).Sparse = sparseLayers(len(layers) - 1)
		networks = append(networks, n)
	}
	for _, r := range rule.Rules {
		networks = append(networks, goldentest.Of(r.Name))
	}
	for _, n := range networks {
		m := newFloat(t, n, initial(n))
		ranges := recorded(m)
		samples, labels := goldentest.Samples(rand.New(rand.NewPCG(1, 1)), n, n.Learning.Batch)
		m.Learn(samples, labels, false)
		want := formatNames(n)
		if got := slices.Sorted(maps.Keys(ranges)); !slices.Equal(got, want) {
			t.Errorf("%s %v: got %v, want %v", n.Rule, n.Layers, got, want)
		}
	}
}

// formatNames are the tensors of a network with their indices, constants aside, sorted.
func formatNames(n *network.Network) []string {
	var names []string
	for _, x := range n.Describe().Tensors {
		if x.Use != rule.OfConstant {
			names = append(names, x.String())
		}
	}
	slices.Sort(names)
	return names
}

// recorded makes a float model tell of ranges.
func recorded(m *float.Model[float64]) Ranges {
	r := Ranges{}
	m.Record((&recorder{ranges: r}).note)
	return r
}

func newFloat(t *testing.T, n *network.Network, w weights.Weights) *float.Model[float64] {
	t.Helper()
	m, err := float.New[float64](n.Describe(), n.Learning.Batch, n.Dataset.Normalize.Inputs(), w)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// initial are the weights of a network by some seed.
func initial(n *network.Network) weights.Weights { return weights.Initial(n.Describe(), 7) }

// TestRecordValues holds ranges against a network of one synapse each, followed by hand.
func TestRecordValues(t *testing.T) {
	for _, c := range []struct {
		name     string
		contrast string
		negative bool
	}{{"two phases", rule.WithFree, false}, {"two phases, negative", rule.WithFree, true}, {"three phases", rule.WithThird, false}, {"centred", rule.WithCentred, false}} {
		t.Run(c.name, func(t *testing.T) {
			n := goldentest.Network([]int{1, 1}, 1)
			goldentest.CorInfoMax(n).Epsilon, goldentest.CorInfoMax(n).Leak, goldentest.CorInfoMax(n).Lambda = 0.5, 0.5, 0.9
			n.Settling = rule.Settling{FreeIterations: 1, NudgedIterations: 1, Step: rule.StepSize{Rule: "constant", Start: 0.25}}
			n.Learning.Contrast = c.contrast
			const w, lateral = 0.4, 0.1
			start := initial(n)
			start.Named("W0").Set(0, 0, w)
			start.Named("C1").Set(0, 0, lateral)
			m := newFloat(t, n, start)
			ranges := recorded(m)
			m.Learn([][]uint8{{51}}, []int{0}, c.negative)

			// One neuron: du = (w x - u)/epsilon + C r + g (r - u) - beta (r - 1) - u, and u = r at the start of a phase.
			const x = 0.2
			step := func(r, beta float64) (drive, next float64) {
				drive = (w*x-r)/0.5 + lateral*r - beta*(r-1) - r
				return drive, math.Min(1, math.Max(0, r+0.25*drive))
			}
			beta := 1.0
			if c.negative {
				beta = -1
			}
			var drive [3]float64
			r := [4]float64{0: 0}
			drive[0], r[1] = step(r[0], 0)
			drive[1], r[2] = step(r[1], beta)
			states, drives := r[:3], drive[:2]
			plus, minus, sign := r[2], r[1], 1.0
			if c.contrast != rule.WithFree {
				from := r[2]
				if c.contrast == rule.WithCentred {
					from = r[1]
				}
				drive[2], r[3] = step(from, -beta)
				states, drives = r[:4], drive[:3]
				minus, sign = r[3], -1
			}
			e := sign * (plus - minus)
			sum := beta * (plus - minus) * x
			factor := lateral * plus
			want := map[string][]float64{
				"x": {x}, "r1": states[1:], "current1": {w * x}, "drive1": drives, "e1": {e}, "dW0": {sum},
				"c1": {factor}, "dC1": {factor * factor},
				"C1": {lateral, (lateral - factor*factor) / 0.9},
			}
			for i := range drives {
				from := states[i]
				if i == 2 && c.contrast == rule.WithCentred {
					from = states[1]
				}
				want["lateral1"] = append(want["lateral1"], lateral*from)
				want["u1"] = append(want["u1"], from+0.25*drives[i])
			}
			phases := beta
			if c.contrast != rule.WithFree {
				phases *= 2
			}
			want["W0"] = []float64{w, w + n.Learning.Feedforward[0]/phases*(plus-minus)*x}
			for name, values := range want {
				got := ranges[name]
				if low, high := slices.Min(values), slices.Max(values); math.Abs(got.Min-low) > 1e-15 || math.Abs(got.Max-high) > 1e-15 {
					t.Errorf("%s: got %v, want %v", name, got, Range{low, high})
				}
			}
		})
	}
}

// TestRecordInterneuron holds the ranges of a sparse layer against one of a single synapse, followed by hand.
func TestRecordInterneuron(t *testing.T) {
	n := goldentest.Network([]int{1, 1}, 1)
	goldentest.CorInfoMax(n).Epsilon, goldentest.CorInfoMax(n).Leak = 0.5, 0.5
	goldentest.CorInfoMax(n).Sparse = rule.Sparse{Layers: []int{1}, Nu: []float64{0.4}}
	n.Settling = rule.Settling{FreeIterations: 4, NudgedIterations: 1, Step: rule.StepSize{Rule: "constant", Start: 0.25}}
	const w = 5.0
	start := initial(n)
	start.Named("W0").Set(0, 0, w)
	start.Named("C1").Set(0, 0, 0)
	m := newFloat(t, n, start)
	ranges := recorded(m)
	m.Classify([][]uint8{{255}}, make([]int, 1))

	var r, u, q, qu float64
	seen := map[string][]float64{}
	for range 4 {
		drive := (w-u)/0.5 + 0.5*(r-u) - u - q
		u += 0.25 * drive
		r = math.Max(0, u)
		excess := r - 1 + q - qu
		qu += 0.4 * excess
		q = math.Max(0, qu)
		for name, v := range map[string]float64{"drive1": drive, "u1": u, "r1": r, "excess1": excess, "qu1": qu, "q1": q} {
			seen[name] = append(seen[name], v)
		}
	}
	if q == 0 || r <= 1 {
		t.Errorf("q = %v, r = %v: the interneuron does nothing", q, r)
	}
	for name, values := range seen {
		got := ranges[name]
		if low, high := slices.Min(values), slices.Max(values); math.Abs(got.Min-low) > 1e-14 || math.Abs(got.Max-high) > 1e-14 {
			t.Errorf("%s: got %v, want %v", name, got, Range{low, high})
		}
	}
}

// TestRecordChangesNothing: a recorder sees the run and leaves its bits alone; nil ends it.
func TestRecordChangesNothing(t *testing.T) {
	n := goldentest.Network([]int{20, 13, 7}, 3)
	rng := rand.New(rand.NewPCG(goldentest.Seed(t), 0))
	watched, alone := newFloat(t, n, initial(n)), newFloat(t, n, initial(n))
	ranges := recorded(watched)
	if _, ok := ranges["W0"]; !ok {
		t.Error("synapses are not noted at once")
	}
	for range 3 {
		samples, labels := goldentest.Samples(rng, n, 3)
		watched.Learn(samples, labels, true)
		alone.Learn(samples, labels, true)
	}
	if !reflect.DeepEqual(watched.Weights(), alone.Weights()) {
		t.Error("recording changed the synapses")
	}
	for _, x := range watched.Weights() {
		if r, values := ranges[x.Name], x.RawMatrix().Data; slices.Min(values) < r.Min || slices.Max(values) > r.Max {
			t.Errorf("%s is outside the recorded %v", x.Name, r)
		}
	}
	kept := maps.Clone(ranges)
	watched.Record(nil)
	samples, labels := goldentest.Samples(rng, n, 3)
	watched.Learn(samples, labels, false)
	if !maps.Equal(ranges, kept) {
		t.Error("recorded after the end")
	}
}

// TestRecordSums: a mini-batch moves the synapses by what was recorded of its sums, times the rates.
func TestRecordSums(t *testing.T) {
	seed := goldentest.Seed(t)
	for i, contrast := range []string{rule.WithFree, rule.WithThird, rule.WithCentred} {
		n := goldentest.Network([]int{20, 13, 9, 7}, 3)
		n.Learning.Contrast, n.Learning.Beta, goldentest.CorInfoMax(n).Lambda = contrast, 0.5, 0.9
		m := newFloat(t, n, initial(n))
		samples, labels := goldentest.Samples(rand.New(rand.NewPCG(seed, uint64(i))), n, 3)
		ranges := recorded(m)
		before := m.Weights()
		m.Learn(samples, labels, true)
		phases := 1.0
		if contrast != rule.WithFree {
			phases = 2
		}
		for j, x := range m.Weights() {
			var rate float64
			index := int(x.Name[1] - '0')
			old, values := before[j].RawMatrix().Data, x.RawMatrix().Data
			switch x.Name[0] {
			case 'W':
				rate = n.Learning.Feedforward[index] / (phases * n.Learning.Beta * 3)
			case 'F':
				rate = n.Learning.Feedback[index-1] / (phases * n.Learning.Beta * 3)
			case 'C':
				rate = -1 / (goldentest.CorInfoMax(n).Lambda * 3)
				for i := range old {
					old[i] /= goldentest.CorInfoMax(n).Lambda
				}
			}
			for i := range values {
				values[i] = (values[i] - old[i]) / rate
			}
			got, low, high := ranges["d"+x.Name], slices.Min(values), slices.Max(values)
			if math.Abs(got.Min-low) > 1e-12 || math.Abs(got.Max-high) > 1e-12 || low == high {
				t.Errorf("d%s: got %v, want %v", x.Name, got, Range{low, high})
			}
		}
	}
}

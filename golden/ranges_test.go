package golden

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
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
	for _, layers := range [][]int{{5, 2}, {5, 1, 2}, {12, 9, 8, 5}} {
		n := floatNetwork(layers, 2)
		n.Sparse = sparseLayers(len(layers) - 1)
		m := newFloat(t, n)
		ranges := Ranges{}
		m.Record(ranges)
		samples, labels, _, _ := floatSamples(rand.New(rand.NewPCG(1, 1)), n, 2)
		m.LearnBatch(samples, labels, false)
		want := formatNames(ResolveFormats(n))
		if got := slices.Sorted(maps.Keys(ranges)); !slices.Equal(got, want) {
			t.Errorf("%v: got %v, want %v", layers, got, want)
		}
	}
}

// formatNames are the tensors of formats with their indices, constants aside, sorted.
func formatNames(f *Formats) []string {
	names := []string{"x"}
	for k := 1; k < len(f.Layer); k++ {
		for _, kind := range []string{"r", "u", "current", "lateral", "drive", "e", "c", "C", "dC"} {
			names = append(names, tensorName(kind, k))
		}
		if k < len(f.W) {
			names = append(names, tensorName("d", k))
		}
		if f.Layer[k].Interneuron != nil {
			names = append(names, tensorName("excess", k), tensorName("qu", k), tensorName("q", k))
		}
	}
	for k := range f.W {
		names = append(names, tensorName("W", k), tensorName("dW", k))
		if k > 0 {
			names = append(names, tensorName("F", k), tensorName("dF", k))
		}
	}
	slices.Sort(names)
	return names
}

// TestRecordValues holds ranges against a network of one synapse each, followed by hand.
func TestRecordValues(t *testing.T) {
	for _, c := range []struct {
		name       string
		threePhase bool
		negative   bool
	}{{"two phases", false, false}, {"two phases, negative", false, true}, {"three phases", true, false}} {
		t.Run(c.name, func(t *testing.T) {
			n := floatNetwork([]int{1, 1}, 1)
			n.Epsilon, n.Leak, n.Lambda = 0.5, 0.5, 0.9
			n.Settling = Settling{FreeIterations: 1, NudgedIterations: 1, Step: Step{Rule: "constant", Start: 0.25}}
			n.Learning.ThreePhase = c.threePhase
			m := newFloat(t, n)
			const w, lateral = 0.4, 0.1
			m.w[0].Set(0, 0, w)
			m.c[1].Set(0, 0, lateral)
			ranges := Ranges{}
			m.Record(ranges)
			m.LearnBatch([][]uint8{{51}}, []int{0}, c.negative)

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
			if c.threePhase {
				drive[2], r[3] = step(r[2], -beta)
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
				want["lateral1"] = append(want["lateral1"], lateral*states[i])
				want["u1"] = append(want["u1"], states[i]+0.25*drives[i])
			}
			phases := beta
			if c.threePhase {
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
	n := floatNetwork([]int{1, 1}, 1)
	n.Epsilon, n.Leak = 0.5, 0.5
	n.Sparse = Sparse{Layers: []int{1}, Nu: []float64{0.4}}
	n.Settling = Settling{FreeIterations: 4, NudgedIterations: 1, Step: Step{Rule: "constant", Start: 0.25}}
	m := newFloat(t, n)
	const w = 5.0
	m.w[0].Set(0, 0, w)
	m.c[1].Set(0, 0, 0)
	ranges := Ranges{}
	m.Record(ranges)
	m.ClassifyBatch([][]uint8{{255}}, make([]int, 1))

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
	n := floatNetwork([]int{20, 13, 7}, 3)
	rng := rand.New(rand.NewPCG(floatSeed(t), 0))
	watched, alone := newFloat(t, n), newFloat(t, n)
	ranges := Ranges{}
	watched.Record(ranges)
	if _, ok := ranges["W0"]; !ok {
		t.Error("synapses are not noted at once")
	}
	for range 3 {
		samples, labels, _, _ := floatSamples(rng, n, 3)
		watched.LearnBatch(samples, labels, true)
		alone.LearnBatch(samples, labels, true)
	}
	if !sameTensors(watched.Tensors(), alone.Tensors()) {
		t.Error("recording changed the synapses")
	}
	for _, x := range watched.Tensors() {
		if r := ranges[x.Name]; slices.Min(x.Values) < r.Min || slices.Max(x.Values) > r.Max {
			t.Errorf("%s is outside the recorded %v", x.Name, r)
		}
	}
	kept := maps.Clone(ranges)
	watched.Record(nil)
	samples, labels, _, _ := floatSamples(rng, n, 3)
	watched.LearnBatch(samples, labels, false)
	if !maps.Equal(ranges, kept) {
		t.Error("recorded after the end")
	}
}

// TestRecordSums: a mini-batch moves the synapses by what was recorded of its sums, times the rates.
func TestRecordSums(t *testing.T) {
	seed := floatSeed(t)
	for i, threePhase := range []bool{false, true} {
		n := floatNetwork([]int{20, 13, 9, 7}, 3)
		n.Learning.ThreePhase, n.Learning.Beta, n.Lambda = threePhase, 0.5, 0.9
		m := newFloat(t, n)
		samples, labels, _, _ := floatSamples(rand.New(rand.NewPCG(seed, uint64(i))), n, 3)
		ranges := Ranges{}
		m.Record(ranges)
		before := m.Tensors()
		m.LearnBatch(samples, labels, true)
		phases := 1.0
		if threePhase {
			phases = 2
		}
		for j, x := range m.Tensors() {
			var rate float64
			index := int(x.Name[1] - '0')
			old := before[j].Values
			switch x.Name[0] {
			case 'W':
				rate = n.Learning.Feedforward[index] / (phases * n.Learning.Beta * 3)
			case 'F':
				rate = n.Learning.Feedback[index-1] / (phases * n.Learning.Beta * 3)
			case 'C':
				rate = -1 / (n.Lambda * 3)
				for i := range old {
					old[i] /= n.Lambda
				}
			}
			for i := range x.Values {
				x.Values[i] = (x.Values[i] - old[i]) / rate
			}
			got, low, high := ranges["d"+x.Name], slices.Min(x.Values), slices.Max(x.Values)
			if math.Abs(got.Min-low) > 1e-12 || math.Abs(got.Max-high) > 1e-12 || low == high {
				t.Errorf("d%s: got %v, want %v", x.Name, got, Range{low, high})
			}
		}
	}
}

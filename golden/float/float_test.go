package float

import (
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"corinfo/golden"
	"corinfo/golden/goldentest"
	"corinfo/golden/network"
	"corinfo/golden/rule"
	"corinfo/golden/simd"
	"corinfo/golden/weights"
)

// starting is a float64 model with initial weights.
func starting(t testing.TB, n *network.Network) *Model[float64] {
	t.Helper()
	return newFloat(t, n, weights.Initial(n.Describe(), 7))
}

// wideOf is a network of several panels in its hidden layers, under a rule.
func wideOf(name string) *network.Network {
	n := goldentest.Of(name)
	n.Layers = []int{90, 90, 70, 3}
	n.Learning.Batch = 7
	n.Learning.Feedforward = append(n.Learning.Feedforward, n.Learning.Feedforward[1])
	switch own := n.Own.(type) {
	case *rule.CorInfoMax:
		n.Learning.Feedback = append(n.Learning.Feedback, 0.15)
	case *rule.CSM:
		own.Lateral = append(own.Lateral, -0.05)
	}
	return n
}

func TestFloatProcessors(t *testing.T) {
	for _, r := range rule.Rules {
		seed := goldentest.Seed(t)
		n := wideOf(r.Name)
		var all []weights.Weights
		var classes [][]int
		for _, processors := range []int{1, 2, 5} {
			before := runtime.GOMAXPROCS(processors)
			rng := rand.New(rand.NewPCG(seed, 0))
			m := starting(t, n)
			for range 3 {
				samples, labels := goldentest.Samples(rng, n, 7)
				m.Learn(samples, labels, rng.IntN(2) == 0)
			}
			samples, _ := goldentest.Samples(rng, n, classifyRows+3)
			class := make([]int, len(samples))
			m.Classify(samples, class)
			runtime.GOMAXPROCS(before)
			all, classes = append(all, m.Weights()), append(classes, class)
		}
		for i := 1; i < len(all); i++ {
			if !reflect.DeepEqual(all[i], all[0]) || !slices.Equal(classes[i], classes[0]) {
				t.Errorf("%s: run %d differs from that on one processor", r.Name, i)
			}
		}
	}
}

// TestFloat32 holds the float32 model near the float64 one: as far off as its roundings.
func TestFloat32(t *testing.T) {
	for _, r := range rule.Rules {
		t.Run(r.Name, func(t *testing.T) {
			n := wideOf(r.Name)
			n.Layers, n.Learning.Batch = []int{40, 30, 20, 7}, 5
			switch own := n.Own.(type) {
			case *rule.CorInfoMax:
				own.Sparse = rule.Sparse{Layers: []int{2}, Nu: []float64{0.1}}
			case *rule.CSM, nil: // larger steps make these networks sensitive: float64 with weights rounded to float32 goes as far off
				n.Settling.Step.Start, n.Learning.Feedforward = 0.1, []float64{0.05, 0.05, 0.05}
			}
			// Adam moves a synapse by about the rate however small the sums are that it has seen: where they are no more than
			// roundings, two models part. What bounds this is epsilon: a sum that errs by d moves a synapse by rate d / epsilon
			// too far. The usual 1e-8 is below the roundings of float32.
			n.Learning.Optimizer.Epsilon = 1e-3
			exact := starting(t, n)
			m, err := New[float32](n.Describe(), n.Learning.Batch, n.Dataset.Normalize.Inputs(), exact.Weights())
			require.NoError(t, err)
			rng := rand.New(rand.NewPCG(goldentest.Seed(t), 0))
			for range 20 {
				samples, labels := goldentest.Samples(rng, n, 5)
				exact.Learn(samples, labels, false)
				m.Learn(samples, labels, false)
			}
			for i, x := range exact.Weights() {
				got := m.Weights()[i].RawMatrix().Data
				bound := 0.0
				for _, v := range x.RawMatrix().Data {
					bound = max(bound, math.Abs(v))
				}
				same := true
				for j, v := range x.RawMatrix().Data {
					require.InDelta(t, v, got[j], 2e-5*bound, "%s[%d]", x.Name, j)
					require.Equal(t, float64(float32(got[j])), got[j])
					same = same && v == got[j]
				}
				require.False(t, same, "%s is that of float64", x.Name)
			}
			other, err := New[float32](n.Describe(), n.Learning.Batch, n.Dataset.Normalize.Inputs(), weights.Initial(n.Describe(), 1))
			require.NoError(t, err)
			require.NoError(t, other.SetWeights(m.Weights()))
			require.Equal(t, m.Weights(), other.Weights())
		})
	}
}

// TestFloat32Range: weights that float32 does not hold are refused, and what overflows in one sample leaves the samples
// after it alone.
func TestFloat32Range(t *testing.T) {
	n := goldentest.Network([]int{4, 3, 2}, 1)
	d, inputs := n.Describe(), n.Dataset.Normalize.Inputs()
	w := weights.Initial(d, 1)
	for i := range 3 {
		w.Named("W0").Set(i, 0, 3e38)
	}
	m, err := New[float32](d, 1, inputs, w)
	require.NoError(t, err)
	dark, bright := []uint8{0, 200, 100, 50}, []uint8{255, 255, 255, 255}
	want := m.States([][]uint8{dark})
	require.True(t, slices.ContainsFunc(m.States([][]uint8{bright})[1].RawMatrix().Data, math.IsNaN), "nothing overflows")
	require.Equal(t, want, m.States([][]uint8{dark}))

	w.Named("F1").Set(1, 0, -1e39)
	const said = "F1 row 1 column 0: -1e+39 is beyond float32; take arithmetic float"
	_, err = New[float32](d, 1, inputs, w)
	require.ErrorIs(t, err, golden.ErrUsage)
	require.ErrorContains(t, err, said)
	before := m.Weights()
	err = m.SetWeights(w)
	require.ErrorIs(t, err, golden.ErrUsage)
	require.ErrorContains(t, err, said)
	require.Equal(t, before, m.Weights())
	_, err = New[float64](d, 1, inputs, w)
	require.NoError(t, err)
}

func TestFloatClassifyBlocks(t *testing.T) {
	n := goldentest.Network([]int{20, 13, 7}, 3)
	m := starting(t, n)
	samples, _ := goldentest.Samples(rand.New(rand.NewPCG(goldentest.Seed(t), 0)), n, 2*classifyRows+1)
	together, alone := make([]int, len(samples)), make([]int, len(samples))
	m.Classify(samples, together)
	for i := range samples {
		m.Classify(samples[i:i+1], alone[i:i+1])
	}
	if !slices.Equal(together, alone) {
		t.Errorf("together %v, one by one %v", together, alone)
	}
	if slices.Max(together) == slices.Min(together) {
		t.Error("one class only: nothing is tested")
	}
	m.Classify(nil, nil)
}

func TestLargest(t *testing.T) {
	for _, c := range []struct {
		scores []float64
		want   int
	}{{[]float64{0}, 0}, {[]float64{0, 0, 0}, 0}, {[]float64{0.1, 1, 1}, 1}, {[]float64{0.1, 0.2, 0.3}, 2}} {
		if got := largest(c.scores); got != c.want {
			t.Errorf("%v: got %d, want %d", c.scores, got, c.want)
		}
	}
}

// TestFloatSymmetry: rounding leaves symmetric matrices as symmetric as they were, and mirrors what they mirror.
func TestFloatSymmetry(t *testing.T) {
	for _, r := range rule.Rules {
		n := wideOf(r.Name)
		if own, ok := n.Own.(*rule.CorInfoMax); ok {
			own.Lambda = 0.98
		}
		d := n.Describe()
		w := weights.Initial(d, 7)
		for i, at := range d.Stored() {
			if d.Projections[at].Symmetric {
				for row := range d.Projections[at].Rows {
					for col := range row {
						w[i].Set(row, col, w[i].At(col, row))
					}
				}
			}
		}
		m := newFloat(t, n, w)
		rng := rand.New(rand.NewPCG(goldentest.Seed(t), 0))
		for range 5 {
			samples, labels := goldentest.Samples(rng, n, n.Learning.Batch)
			m.Learn(samples, labels, rng.IntN(2) == 0)
		}
		for i, x := range m.Weights() {
			at := d.Stored()[i]
			learns := slices.ContainsFunc(d.Updates, func(u rule.Update) bool { return u.Projection == at })
			if mat.Equal(x.Dense, w[i].Dense) == learns {
				t.Errorf("%s: that %s learns is %v", r.Name, x.Name, !learns)
			}
			if d.Projections[at].Symmetric && !mat.Equal(x.Dense, x.T()) {
				t.Errorf("%s: %s is not symmetric", r.Name, x.Name)
			}
		}
		for i, p := range d.Projections {
			if p.Mirror >= 0 && !mat.Equal(weightsOf(m.synapses[i]), weightsOf(m.synapses[p.Mirror]).T()) {
				t.Errorf("%s: %s is no mirror", r.Name, p.Name)
			}
		}
	}
}

// TestFloatWeights: the model has copies of weights in the order of the description, and what it refuses it does not take.
func TestFloatWeights(t *testing.T) {
	n := goldentest.Network([]int{12, 9, 8, 5}, 2)
	d := n.Describe()
	w := weights.Initial(d, 1)
	m := newFloat(t, n, w)
	got := m.Weights()
	require.Equal(t, w, got)
	for i, at := range d.Stored() {
		rows, cols := got[i].Dims()
		p := d.Projections[at]
		require.Equal(t, []any{p.Name, p.Rows, p.Cols}, []any{got[i].Name, rows, cols})
	}
	m.Weights()[0].Set(0, 0, 99)
	w[1].Set(0, 0, 99)
	require.Equal(t, got, m.Weights(), "no copies")

	other := starting(t, n)
	require.NotEqual(t, got, other.Weights(), "equal from the start: nothing is tested")
	before := other.Weights()
	for _, c := range []struct {
		name   string
		change func(w weights.Weights) weights.Weights
		want   error
		text   string
	}{
		{"short list", func(w weights.Weights) weights.Weights { return w[1:] }, golden.ErrUsage, "7 matrices; the network has 8"},
		{"order", func(w weights.Weights) weights.Weights { w[0], w[1] = w[1], w[0]; return w }, golden.ErrUsage, "W0 is missing"},
		{"shape", func(w weights.Weights) weights.Weights { w[3].Dense = mat.NewDense(8, 9, nil); return w }, golden.ErrUsage, "F1 is 8 x 9"},
		{"missing matrix", func(w weights.Weights) weights.Weights { w[6].Dense = nil; return w }, golden.ErrUsage, "C2 is missing"},
		{"NaN", func(w weights.Weights) weights.Weights { w[7].Set(2, 3, math.NaN()); return w }, golden.ErrDamaged, "row 2 column 3 is NaN"},
		{"infinity", func(w weights.Weights) weights.Weights { w[1].Set(2, 3, math.Inf(1)); return w }, golden.ErrDamaged, "W1 row 2 column 3 is +Inf"},
	} {
		err := other.SetWeights(c.change(m.Weights()))
		require.ErrorIs(t, err, c.want, c.name)
		require.ErrorContains(t, err, c.text, c.name)
		_, err = New[float64](d, 2, n.Dataset.Normalize.Inputs(), c.change(m.Weights()))
		require.ErrorIs(t, err, c.want, c.name)
	}
	require.Equal(t, before, other.Weights(), "refused weights were taken")
	require.NoError(t, other.SetWeights(got))
	require.Equal(t, got, other.Weights())
}

// TestFloatEpochs: rates fall with the epochs.
func TestFloatEpochs(t *testing.T) {
	for _, r := range rule.Rules {
		n := goldentest.Of(r.Name)
		n.Learning.Decay = rule.Decay{Factor: 0.95}
		samples, labels := goldentest.Samples(rand.New(rand.NewPCG(goldentest.Seed(t), 0)), n, n.Learning.Batch)
		// change is how far one mini-batch of an epoch moves each matrix.
		change := func(epoch int) (norms []float64) {
			m := starting(t, n)
			before := m.Weights()
			m.SetEpoch(epoch)
			m.Learn(samples, labels, false)
			for i, x := range m.Weights() {
				x.Sub(x.Dense, before[i].Dense)
				norms = append(norms, mat.Norm(x.Dense, 2))
			}
			return norms
		}
		d, first, fourth := n.Describe(), change(0), change(3)
		fallen := 0
		for i, at := range d.Stored() {
			for _, u := range d.Updates {
				if u.Projection == at && u.Rate != nil {
					require.InDelta(t, math.Pow(0.95, 3), fourth[i]/first[i], 1e-6, "%s %s", r.Name, d.Projections[at].Name)
					fallen++
				}
			}
		}
		require.GreaterOrEqual(t, fallen, 3)
	}
}

// optimizers are those that a run of any rule may have.
var optimizers = []rule.Optimizer{
	rule.DefaultOptimizer(),
	{Kind: rule.SGD, WeightDecay: 0.01},
	{Kind: rule.Momentum, Momentum: 0.8, WeightDecay: 0.01},
	{Kind: rule.Adam, Beta1: 0.8, Beta2: 0.98, Epsilon: 1e-4},
	{Kind: rule.Adam, Beta1: 0.8, Beta2: 0.98, Epsilon: 1e-4, PlainRoot: true},
}

// TestFloatContinues: weights, words beside them and the number of mini-batches are all that a model goes on from, to the same bits.
func TestFloatContinues(t *testing.T) {
	for _, r := range rule.Rules {
		for _, o := range optimizers {
			n := wideOf(r.Name)
			n.Learning.Optimizer, n.Learning.Decay = o, rule.Decay{Factor: 0.7, Batches: 2}
			rng := rand.New(rand.NewPCG(goldentest.Seed(t), 0))
			whole, other := starting(t, n), starting(t, n)
			for i := range 5 {
				if i == 3 {
					require.NoError(t, other.SetWeights(whole.Weights()))
					require.NoError(t, other.SetBeside(whole.Beside()))
					other.SetStep(3)
				}
				samples, labels := goldentest.Samples(rng, n, n.Learning.Batch)
				negative := rng.IntN(2) == 0
				whole.Learn(samples, labels, negative)
				if i >= 3 {
					other.Learn(samples, labels, negative)
				}
			}
			require.Equal(t, whole.Weights(), other.Weights(), "%s by %v", r.Name, o)
			require.Equal(t, whole.Beside(), other.Beside(), "%s by %v", r.Name, o)

			words := map[string]int{rule.Momentum: 1, rule.Adam: 2}[o.Kind]
			for _, u := range n.Describe().Updates {
				if p := n.Describe().Projections[u.Projection]; !p.Symmetric {
					require.Len(t, p.Words, words, "%s of %s by %v", p.Name, r.Name, o)
				}
			}
			for _, x := range whole.Beside() {
				require.NotZero(t, mat.Norm(x.Dense, 2), "%s of %s by %v", x.Name, r.Name, o)
			}
			if words == 0 {
				require.Empty(t, whole.Beside())
				continue
			}
			first := whole.Beside()[0].Name
			require.ErrorIs(t, other.SetBeside(whole.Beside()[1:]), golden.ErrUsage)
			require.ErrorContains(t, other.SetBeside(whole.Beside()[1:]), first+" is missing")
			beside := whole.Beside()
			beside[0].Dense = mat.NewDense(1, 2, nil)
			require.ErrorContains(t, other.SetBeside(beside), first+" is 1 x 2; the network wants ")
		}
	}
}

// TestFloatRecord: recording tells of every tensor but constants, by its name, and changes no result.
func TestFloatRecord(t *testing.T) {
	for _, r := range rule.Rules {
		for _, o := range optimizers {
			n := goldentest.Of(r.Name)
			n.Learning.Optimizer = o
			if own, ok := n.Own.(*rule.CorInfoMax); ok {
				own.Sparse = rule.Sparse{Layers: []int{2}, Nu: []float64{0.1}}
			}
			d := n.Describe()
			silent, telling := starting(t, n), starting(t, n)
			told, values := map[string][]float64{}, map[string]int{}
			var lock sync.Mutex
			telling.Record(func(tensor string, list []float64) {
				lock.Lock()
				defer lock.Unlock()
				told[tensor] = list
				values[tensor] += len(list)
			})
			rng := rand.New(rand.NewPCG(goldentest.Seed(t), 0))
			for range 2 {
				samples, labels := goldentest.Samples(rng, n, n.Learning.Batch)
				silent.Learn(samples, labels, false)
				telling.Learn(samples, labels, false)
			}
			require.Equal(t, silent.Weights(), telling.Weights(), "%s by %v", r.Name, o)
			require.Equal(t, silent.Beside(), telling.Beside(), "%s by %v", r.Name, o)
			for _, tensor := range d.Tensors {
				if tensor.Use == rule.OfConstant {
					require.NotContains(t, told, tensor.String())
				} else {
					require.NotEmpty(t, told[tensor.String()], "%s of %s by %v", tensor, r.Name, o)
					delete(told, tensor.String())
				}
			}
			require.Empty(t, told, "%s by %v: of no tensor", r.Name, o)
			for i := range d.Updates { // each sum once a mini-batch
				p := &d.Projections[d.Updates[i].Projection]
				require.Equal(t, 2*p.Rows*p.Cols, values[d.SumOf(&d.Updates[i])], "sums of %s of %s by %v", p.Name, r.Name, o)
			}
		}
	}
}

// TestFloatResults: results all follow from the words before the step, whatever their order: a word may become what another was, two
// may become the same value, or each the other.
func TestFloatResults(t *testing.T) {
	for _, c := range []struct {
		name    string
		results func(g *rule.Graph)
		want    [2]float64 // of a and b, both 0 at first, after three steps
	}{
		{"sum, then what was", func(g *rule.Graph) { g.Next("a", g.Add(g.Word("a"), g.One())); g.Next("b", g.Word("a")) }, [2]float64{3, 2}},
		{"what was, then sum", func(g *rule.Graph) { g.Next("b", g.Word("a")); g.Next("a", g.Add(g.Word("a"), g.One())) }, [2]float64{3, 2}},
		{"one value for both", func(g *rule.Graph) {
			v := g.Add(g.Word("a"), g.One())
			g.Next("a", v)
			g.Next("b", v)
		}, [2]float64{3, 3}},
		{"one value the other way round", func(g *rule.Graph) {
			v := g.Add(g.Word("a"), g.One())
			g.Next("b", v)
			g.Next("a", v)
		}, [2]float64{3, 3}},
		{"each the other", func(g *rule.Graph) { g.Next("a", g.Add(g.Word("b"), g.One())); g.Next("b", g.Word("a")) }, [2]float64{2, 1}},
		{"each the other's", func(g *rule.Graph) { g.Next("b", g.Word("a")); g.Next("a", g.Add(g.Word("b"), g.One())) }, [2]float64{2, 1}},
		{"itself", func(g *rule.Graph) { g.Next("a", g.Word("a")); g.Next("b", g.Add(g.Word("b"), g.One())) }, [2]float64{0, 3}},
	} {
		g := &rule.Graph{Name: "step"}
		c.results(g)
		for k, word := range []string{"a", "b"} {
			d := &rule.Description{Layers: []int{1, 40},
				Tensors: []rule.Tensor{{Kind: "x", Index: -1}, {Kind: "a", Index: 1}, {Kind: "b", Index: 1}},
				Words:   []rule.Word{{Name: "x", Signal: true, Fixed: true}, {Name: "a", Layer: 1, Tensor: 1}, {Name: "b", Layer: 1, Tensor: 2}},
				Steps:   []rule.Step{{Name: "step", Layer: 1, Graph: g}},
				Phases:  []rule.Phase{{Name: "only", Iterations: 3, Order: [][]int{{0}}, Answer: true}},
				Readout: 1, States: []int{0, 1 + k}}
			m, err := New[float64](d, 1, pixels(), nil)
			require.NoError(t, err)
			for i, v := range m.States([][]uint8{{7}, {9}})[1].RawMatrix().Data {
				require.Equal(t, c.want[k], v, "%s: %s of neuron %d", c.name, word, i)
			}
		}
	}
}

// TestFloatAllocations: a settling step of buffers that exist allocates little, whatever the number of samples.
func TestFloatAllocations(t *testing.T) {
	n := goldentest.Network([]int{20, 13, 7}, 3)
	m := starting(t, n)
	all := simd.Span{From: 0, To: 3}
	phase := &m.d.Phases[1]
	if got := testing.AllocsPerRun(10, func() { m.phase(m.learning, all, phase, true, 1, 10) }); got != 0 {
		t.Errorf("%v allocations in a phase of 10 iterations, want none", got)
	}
}

func TestFloatLearnPanics(t *testing.T) {
	n := goldentest.Network([]int{5, 3}, 2)
	samples, labels := goldentest.Samples(rand.New(rand.NewPCG(1, 1)), n, 2)
	require.PanicsWithValue(t, "float: 1 samples and 1 labels; the mini-batch is 2", func() { starting(t, n).Learn(samples[:1], labels[:1], false) })
	require.PanicsWithValue(t, "float: sample of 4 pixels; the input has 5", func() { starting(t, n).Learn([][]uint8{samples[0][:4], samples[1]}, labels, false) })
}

package golden

import (
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"
)

func newFloat(t testing.TB, n *Network) *FloatModel[float64] {
	t.Helper()
	m, err := NewFloatModel[float64](n, InitialWeights(n, 7))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// sameTensors tells whether two models have the same bits.
func sameTensors(a, b []Tensor) bool {
	return slices.EqualFunc(a, b, func(a, b Tensor) bool {
		return a.Name == b.Name && a.Rows == b.Rows && a.Cols == b.Cols && slices.Equal(a.Values, b.Values)
	})
}

func TestFloatProcessors(t *testing.T) {
	seed := floatSeed(t)
	// Hidden layers of several panels.
	n := floatNetwork([]int{90, 90, 70, 3}, 7)
	var tensors [][]Tensor
	var classes [][]int
	for _, processors := range []int{1, 2, 5} {
		before := runtime.GOMAXPROCS(processors)
		rng := rand.New(rand.NewPCG(seed, 0))
		m := newFloat(t, n)
		for range 3 {
			samples, labels, _, _ := floatSamples(rng, n, 7)
			m.LearnBatch(samples, labels, rng.IntN(2) == 0)
		}
		samples, _, _, _ := floatSamples(rng, n, classifyRows+3)
		class := make([]int, len(samples))
		m.ClassifyBatch(samples, class)
		runtime.GOMAXPROCS(before)
		tensors, classes = append(tensors, m.Tensors()), append(classes, class)
	}
	for i := 1; i < len(tensors); i++ {
		if !sameTensors(tensors[i], tensors[0]) || !slices.Equal(classes[i], classes[0]) {
			t.Errorf("run %d differs from that on one processor", i)
		}
	}
}

// TestFloat32 holds the float32 model near the float64 one: as far off as its roundings.
func TestFloat32(t *testing.T) {
	n := floatNetwork([]int{40, 30, 20, 7}, 5)
	n.Sparse = Sparse{Layers: []int{2}, Nu: []float64{0.1}}
	exact := newFloat(t, n)
	m, err := NewFloatModel[float32](n, exact.Weights())
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(floatSeed(t), 0))
	for range 20 {
		samples, labels, _, _ := floatSamples(rng, n, 5)
		exact.LearnBatch(samples, labels, false)
		m.LearnBatch(samples, labels, false)
	}
	for i, x := range exact.Tensors() {
		got := m.Tensors()[i]
		bound := 0.0
		for _, v := range x.Values {
			bound = max(bound, math.Abs(v))
		}
		same := true
		for j, v := range x.Values {
			require.InDelta(t, v, got.Values[j], 1e-4*bound, "%s[%d]", x.Name, j)
			require.Equal(t, float64(float32(got.Values[j])), got.Values[j])
			same = same && v == got.Values[j]
		}
		require.False(t, same, "%s is that of float64", x.Name)
	}
	other, err := NewFloatModel[float32](n, InitialWeights(n, 1))
	require.NoError(t, err)
	require.NoError(t, other.SetTensors(m.Tensors()))
	require.True(t, sameTensors(other.Tensors(), m.Tensors()))
}

// TestFloat32Range: weights that float32 does not hold are refused, and what overflows in one sample leaves the
// samples after it alone.
func TestFloat32Range(t *testing.T) {
	n := floatNetwork([]int{4, 3, 2}, 1)
	w := InitialWeights(n, 1)
	for i := range 3 {
		w.W[0].Set(i, 0, 3e38)
	}
	m, err := NewFloatModel[float32](n, w)
	require.NoError(t, err)
	dark, bright := []uint8{0, 200, 100, 50}, []uint8{255, 255, 255, 255}
	want := m.States([][]uint8{dark})
	require.True(t, slices.ContainsFunc(m.States([][]uint8{bright})[1].RawMatrix().Data, math.IsNaN), "nothing overflows")
	require.Equal(t, want, m.States([][]uint8{dark}))

	w.F[1].Set(1, 0, -1e39)
	const said = "F1 row 1 column 0: -1e+39 is beyond float32; take arithmetic float"
	_, err = NewFloatModel[float32](n, w)
	require.ErrorIs(t, err, ErrUsage)
	require.ErrorContains(t, err, said)
	before := m.Tensors()
	err = m.SetTensors(w.tensors())
	require.ErrorIs(t, err, ErrUsage)
	require.ErrorContains(t, err, said)
	require.True(t, sameTensors(before, m.Tensors()))
	_, _, err = NewCheckpointOf(n, Float32, 1, w)
	require.ErrorIs(t, err, ErrUsage)
	require.ErrorContains(t, err, said)
	_, _, err = NewCheckpointOf(n, Float, 1, w)
	require.NoError(t, err)

	c, _, err := NewCheckpoint(n, Float32, 1)
	require.NoError(t, err)
	for i, x := range InitialWeights(n, 1).tensors() {
		for j, v := range x.Values {
			require.Equal(t, float64(float32(v)), c.Tensors[i].Values[j], "%s[%d]", x.Name, j)
		}
	}
}

func TestFloatClassifyBlocks(t *testing.T) {
	n := floatNetwork([]int{20, 13, 7}, 3)
	m := newFloat(t, n)
	samples, _, _, _ := floatSamples(rand.New(rand.NewPCG(floatSeed(t), 0)), n, 2*classifyRows+1)
	together, alone := make([]int, len(samples)), make([]int, len(samples))
	m.ClassifyBatch(samples, together)
	for i := range samples {
		m.ClassifyBatch(samples[i:i+1], alone[i:i+1])
	}
	if !slices.Equal(together, alone) {
		t.Errorf("together %v, one by one %v", together, alone)
	}
	if slices.Max(together) == slices.Min(together) {
		t.Error("one class only: nothing is tested")
	}
	m.ClassifyBatch(nil, nil)
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

// TestFloatLateralSymmetry: rounding leaves C as symmetric as it was.
func TestFloatLateralSymmetry(t *testing.T) {
	n := floatNetwork([]int{20, 70, 13, 7}, 3)
	n.Lambda = 0.98
	w := InitialWeights(n, 7)
	for _, c := range w.C[1:] {
		size, _ := c.Dims()
		for i := range size {
			for j := range i {
				c.Set(i, j, c.At(j, i))
			}
		}
	}
	m, err := NewFloatModel[float64](n, w)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(floatSeed(t), 0))
	for range 5 {
		samples, labels, _, _ := floatSamples(rng, n, 3)
		m.LearnBatch(samples, labels, rng.IntN(2) == 0)
	}
	for k, c := range m.Weights().C {
		if k == 0 {
			continue
		}
		if mat.Equal(c, w.C[k]) {
			t.Errorf("C%d did not learn", k)
		}
		if !mat.Equal(c, c.T()) {
			t.Errorf("C%d is not symmetric", k)
		}
	}
}

func TestFloatTensors(t *testing.T) {
	n := floatNetwork([]int{12, 9, 8, 5}, 2)
	w := InitialWeights(n, 1)
	m, err := NewFloatModel[float64](n, w)
	if err != nil {
		t.Fatal(err)
	}
	list := m.Tensors()
	a, err := NewArithmetic(n)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != len(a.Matrices) {
		t.Fatalf("%d tensors, want %d", len(list), len(a.Matrices))
	}
	for i, x := range a.Matrices {
		if list[i].Name != x.Name() || list[i].Rows != x.Rows || list[i].Cols != x.Cols {
			t.Errorf("tensor %d: got %s %d x %d, want %s %d x %d", i, list[i].Name, list[i].Rows, list[i].Cols, x.Name(), x.Rows, x.Cols)
		}
	}
	if got, want := list[0].Values[12+5], w.W[0].At(1, 5); got != want {
		t.Errorf("W0[1][5]: got %v, want %v", got, want)
	}
	if got := m.Weights(); !mat.Equal(got.W[2], w.W[2]) || !mat.Equal(got.F[1], w.F[1]) || !mat.Equal(got.C[3], w.C[3]) {
		t.Error("Weights differ from those given")
	}
	m.Weights().W[0].Set(0, 0, 99)
	if !sameTensors(m.Tensors(), list) {
		t.Error("Weights are not copies")
	}

	other := newFloat(t, n)
	if sameTensors(other.Tensors(), list) {
		t.Fatal("equal from the start: nothing is tested")
	}
	before := other.Tensors()
	for _, c := range []struct {
		name   string
		change func(list []Tensor) []Tensor
		want   error
	}{
		{"short list", func(l []Tensor) []Tensor { return l[1:] }, ErrUsage},
		{"order", func(l []Tensor) []Tensor { l[0], l[1] = l[1], l[0]; return l }, ErrUsage},
		{"shape", func(l []Tensor) []Tensor { l[4].Rows++; return l }, ErrUsage},
		{"words", func(l []Tensor) []Tensor { l[7].Words, l[7].Values = make([]int64, 25), nil; return l }, ErrUsage},
		{"length", func(l []Tensor) []Tensor { l[7].Values = l[7].Values[1:]; return l }, ErrDamaged},
		{"NaN", func(l []Tensor) []Tensor {
			l[7].Values = slices.Clone(l[7].Values)
			l[7].Values[3] = math.NaN()
			return l
		}, ErrDamaged},
	} {
		if err := other.SetTensors(c.change(slices.Clone(list))); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
	if !sameTensors(other.Tensors(), before) {
		t.Error("refused tensors were taken")
	}
	if err := other.SetTensors(list); err != nil {
		t.Fatal(err)
	}
	if !sameTensors(other.Tensors(), list) {
		t.Error("SetTensors gives other tensors back")
	}
}

func TestFloatWeightsRefused(t *testing.T) {
	n := floatNetwork([]int{12, 9, 5}, 2)
	for _, c := range []struct {
		name   string
		change func(w *Weights)
		want   error
		text   string
	}{
		{"shape", func(w *Weights) { w.F[1] = mat.NewDense(5, 9, nil) }, ErrUsage, "F1 is 5 x 9"},
		{"missing matrix", func(w *Weights) { w.C[2] = nil }, ErrUsage, "C2 is missing"},
		{"another depth", func(w *Weights) { w.W = w.W[:1] }, ErrUsage, "1 of W"},
		{"infinity", func(w *Weights) { w.W[1].Set(2, 3, math.Inf(1)) }, ErrDamaged, "W1 row 2 column 3"},
	} {
		w := InitialWeights(n, 1)
		c.change(w)
		if _, err := NewFloatModel[float64](n, w); !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: got %v, want %v with %q", c.name, err, c.want, c.text)
		}
	}
}

func TestFloatEpochs(t *testing.T) {
	n := floatNetwork([]int{12, 9, 5}, 2)
	samples, labels, _, _ := floatSamples(rand.New(rand.NewPCG(floatSeed(t), 0)), n, 2)
	// change is how far one mini-batch of an epoch moves W0 and F1.
	change := func(epoch int) (float64, float64) {
		m := newFloat(t, n)
		before := m.Weights()
		m.SetEpoch(epoch)
		m.LearnBatch(samples, labels, false)
		after := m.Weights()
		after.W[0].Sub(after.W[0], before.W[0])
		after.F[1].Sub(after.F[1], before.F[1])
		return mat.Norm(after.W[0], 2), mat.Norm(after.F[1], 2)
	}
	w0, f0 := change(0)
	w3, f3 := change(3)
	want := math.Pow(n.Learning.Decay.Factor, 3)
	if math.Abs(w3/w0-want) > 1e-6 || math.Abs(f3/f0-want) > 1e-6 {
		t.Errorf("epoch 3 moves W0 %v, F1 %v times as far as epoch 0; want %v", w3/w0, f3/f0, want)
	}
}

// TestFloatAllocations: a settling step of buffers that exist allocates nothing.
func TestFloatAllocations(t *testing.T) {
	n := floatNetwork([]int{20, 13, 7}, 3)
	m := newFloat(t, n)
	all := span{0, 3}
	if got := testing.AllocsPerRun(10, func() { m.settle(m.learning, all, 1, 10) }); got != 0 {
		t.Errorf("%v allocations in a phase of 10 iterations, want none", got)
	}
}

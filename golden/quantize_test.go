package golden

import (
	"errors"
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	fx "corinfo/fixedpoint"
)

// quantizeShapes are those of the designs that get built and simulated, and one without a hidden layer.
var quantizeShapes = [][]int{{784, 64, 10}, {20, 13, 7}, {12, 9, 8, 5}, {5, 1, 2}, {5, 2}}

// sparseLayers is a choice of sparse layers, of step sizes that differ.
func sparseLayers(layers ...int) (s Sparse) {
	for i, k := range layers {
		s.Layers, s.Nu = append(s.Layers, k), append(s.Nu, []float64{0.01, 1e-6, 0.3}[i])
	}
	return s
}

func TestQuantize(t *testing.T) {
	seed := floatSeed(t)
	for i, layers := range quantizeShapes {
		for _, batch := range []int{1, 3, 20} {
			n := floatNetwork(layers, batch)
			switch batch {
			case 1:
				n.Sparse = sparseLayers(1)
			case 3:
				n.Sparse = sparseLayers(1, len(layers)-1)
				if len(layers) == 2 {
					n.Sparse = Sparse{}
				}
			}
			w := InitialWeights(n, 3)
			samples, labels, _, _ := floatSamples(rand.New(rand.NewPCG(seed, uint64(i))), n, 30)
			q, ranges, _, err := Quantize(t.Context(), n, w, samples, labels)
			if err != nil {
				t.Errorf("%v batch %d: %v", layers, batch, err)
				continue
			}
			if n.Formats != nil {
				t.Fatal("the network given was changed")
			}
			if !reflect.DeepEqual(w, InitialWeights(n, 3)) {
				t.Fatal("the weights given were changed")
			}
			a, err := NewArithmetic(q)
			if err != nil {
				t.Fatal(err)
			}
			if len(q.Formats) != len(ranges) {
				t.Errorf("%v batch %d: %d formats of %d ranges", layers, batch, len(q.Formats), len(ranges))
			}
			defaults := typesByName(n)
			for name, r := range ranges {
				f := q.Formats[name]
				if !holds(f, r) {
					t.Errorf("%v batch %d: %s: %v does not hold %v", layers, batch, name, f, r)
				}
				if _, sparse := n.SparseLayer(int(name[len(name)-1] - '0')); name == "x" || name[0] == 'r' && !sparse { // bounded: 0 to 1
					continue
				}
				if r == (Range{}) { // an interneuron that was never active
					continue
				}
				// One integer bit less holds the range, two less don't: the guard is one bit and no more.
				narrow := f
				narrow.Frac++
				if !holds(narrow, r) {
					t.Errorf("%v batch %d: %s: %v holds %v without a guard", layers, batch, name, f, r)
				}
				narrow.Frac++
				clamped := name[0] == 'u' || name[:2] == "qu" || f.Frac == defaults[name].Frac+finestPlaces
				if holds(narrow, r) && !clamped {
					t.Errorf("%v batch %d: %s: %v is wider than %v needs", layers, batch, name, f, r)
				}
				// qu is wider than the default where q, of a much smaller range, has a fraction that takes that.
				if f.Width != defaults[name].Width && !(name[:2] == "qu" && f.Width > defaults[name].Width) || f.Signed != defaults[name].Signed {
					t.Errorf("%v batch %d: %s: %v is not as long as the default %v", layers, batch, name, f, defaults[name])
				}
			}
			misfits, err := NewMachine(a).SetWeights(w)
			if err != nil || misfits != nil {
				t.Errorf("%v batch %d: weights don't fit: %v %v", layers, batch, misfits, err)
			}
		}
	}
}

// typesByName are the resolved types of a network: r1, dW0, x.
func typesByName(n *Network) map[string]fx.Type {
	f := ResolveFormats(n)
	types := map[string]fx.Type{"x": f.X}
	_ = f.each(func(kind string, index int, t fx.Type) error {
		types[tensorName(kind, index)] = t
		return nil
	})
	return types
}

// TestChooseFormatsTable: word length, sign, rounding and overflow are the default's, the binary point follows
// from the range.
func TestChooseFormatsTable(t *testing.T) {
	n := floatNetwork([]int{12, 9, 5, 4}, 2)
	n.Sparse = sparseLayers(3)
	tiny := 0x1p-60
	for _, c := range []struct {
		tensor string
		r      Range
		want   string
	}{
		{"x", Range{0, 0.3}, "ap_ufixed<9,1,RND,SAT>"},
		{"r1", Range{0, 0.3}, "ap_ufixed<11,1,RND,SAT>"},
		{"W0", Range{-0.4, 0.45}, "ap_fixed<16,1,STOCHASTIC,SAT>"},
		{"W0", Range{-0.5, 0.45}, "ap_fixed<16,1,STOCHASTIC,SAT>"},
		{"W0", Range{-0.4, 0.5}, "ap_fixed<16,2,STOCHASTIC,SAT>"},
		{"W1", Range{0.2, 3}, "ap_fixed<16,4,STOCHASTIC,SAT>"},
		{"drive1", Range{-1000, 2}, "ap_fixed<18,12,RND,SAT>"},
		{"dW0", Range{0, tiny}, "ap_fixed<18,-13,RND,SAT>"}, // default I = 3: W reaches 2 to the sum of 2 samples
		{"e1", Range{0, 0}, ""},
		{"e2", Range{math.NaN(), math.NaN()}, "ap_fixed<18,4,RND,SAT>"},
		{"d1", Range{0, math.Inf(1)}, "ap_fixed<18,4,RND,SAT>"},
		{"u1", Range{-200, 100}, "ap_fixed<20,10,RND,SAT>"}, // 18 bits would cut the fraction of r off
		{"u2", Range{-0.1, 0.4}, "ap_fixed<18,2,RND,SAT>"},  // holds 1, the largest r
		{"r3", Range{0, 2.5}, "ap_ufixed<14,3,RND,SAT>"},    // a sparse layer
		{"excess3", Range{-1, 0.7}, "ap_fixed<18,2,RND,SAT>"},
		{"q3", Range{0, 0.3}, "ap_ufixed<18,0,RND,SAT>"},
		{"q3", Range{0, 0}, "ap_ufixed<18,3,RND,SAT>"},
		{"qu3", Range{-0.3, 0.2}, "ap_fixed<24,4,RND,SAT>"}, // holds every q3
	} {
		got := ChooseFormats(n, Ranges{c.tensor: c.r})
		want := ResolveFormats(n).Layer[1].E.String()
		if c.want != "" {
			want = c.want
		}
		if len(got) != 1 || got[c.tensor].String() != want {
			t.Errorf("%s %v: got %v, want %s", c.tensor, c.r, got, want)
		}
	}
}

// TestQuantizeOwnFormats: the network's own formats stay, by either name, and the others suit them.
func TestQuantizeOwnFormats(t *testing.T) {
	for _, c := range []struct {
		name string
		own  map[string]string
	}{
		{"all of a kind", map[string]string{"W": "ap_fixed<8,2,RND,SAT>", "dC": "ap_fixed<30,3>"}},
		{"one of a kind", map[string]string{"W1": "ap_fixed<8,2,RND,SAT>", "u2": "ap_fixed<20,5>"}},
		{"long states", map[string]string{"r": "ap_ufixed<24,1,RND,SAT>"}},
		{"signed states", map[string]string{"r1": "ap_fixed<12,3,RND,SAT>"}},
		{"input", map[string]string{"x": "ap_ufixed<4,1,RND,SAT>"}},
		{"constants", map[string]string{"eta": "ap_ufixed<12,0,RND,SAT>", "rate": "ap_ufixed<20,1,RND,SAT>"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := floatNetwork([]int{12, 9, 8, 5}, 2)
			n.Formats = map[string]fx.Type{}
			for name, text := range c.own {
				f, err := fx.ParseType(text)
				if err != nil {
					t.Fatal(err)
				}
				n.Formats[name] = f
			}
			given := maps.Clone(n.Formats)
			samples, labels, _, _ := floatSamples(rand.New(rand.NewPCG(floatSeed(t), 0)), n, 5)
			q, ranges, _, err := Quantize(t.Context(), n, InitialWeights(n, 3), samples, labels)
			if err != nil {
				t.Fatal(err)
			}
			if !maps.Equal(n.Formats, given) {
				t.Error("the network given was changed")
			}
			resolved := typesByName(q)
			_ = ResolveFormats(q).each(func(kind string, index int, f fx.Type) error {
				for _, name := range []string{tensorName(kind, index), kind} {
					if own, ok := given[name]; ok {
						if f != own {
							t.Errorf("%s: got %v, want the network's own %v", name, f, own)
						}
						return nil
					}
				}
				if r, ok := ranges[tensorName(kind, index)]; ok && kind != "r" && !holds(f, r) {
					t.Errorf("%s%d: %v does not hold %v", kind, index, f, r)
				}
				return nil
			})
			for k := 1; k < len(q.Layers); k++ {
				r, u := resolved[tensorName("r", k)], resolved[tensorName("u", k)]
				if fx.Union(r.Format, u.Format) != u.Format {
					t.Errorf("u%d %v does not hold every r%d %v", k, u, k, r)
				}
			}
		})
	}
}

// TestQuantizeReportsMisfits: a format of the network's own that is too short is kept, and said so when weights
// are converted.
func TestQuantizeReportsMisfits(t *testing.T) {
	n := floatNetwork([]int{12, 9, 5}, 2)
	short, err := fx.ParseType("ap_fixed<8,1,RND,SAT>")
	if err != nil {
		t.Fatal(err)
	}
	n.Formats = map[string]fx.Type{"F1": short}
	w := InitialWeights(n, 3)
	w.F[1].Set(1, 2, 1.25)
	w.F[1].Set(4, 0, -5.5)
	samples, labels, _, _ := floatSamples(rand.New(rand.NewPCG(floatSeed(t), 0)), n, 5)
	q, _, _, err := Quantize(t.Context(), n, w, samples, labels)
	if err != nil {
		t.Fatal(err)
	}
	a, err := NewArithmetic(q)
	if err != nil {
		t.Fatal(err)
	}
	misfits, err := NewMachine(a).SetWeights(w)
	if err != nil {
		t.Fatal(err)
	}
	want := []Misfit{{Tensor: "F1", Type: short.String(), Count: 2, Of: 45, Worst: -5.5, Bits: 4}}
	if !reflect.DeepEqual(misfits, want) {
		t.Errorf("got %+v, want %+v", misfits, want)
	}
}

// TestQuantizeCountsMisfits: a format of the network's own for what settling computes is held against every value of
// the calibration, layer by layer.
func TestQuantizeCountsMisfits(t *testing.T) {
	n := floatNetwork([]int{12, 9, 5}, 2)
	short := fx.Type{Format: fx.S(10, 10), Rounding: fx.Rnd, Overflow: fx.Sat} // -0.5 to 0.499
	unsigned := fx.Type{Format: fx.U(18, 12), Rounding: fx.Rnd, Overflow: fx.Sat}
	n.Formats = map[string]fx.Type{"drive": short, "current2": unsigned}
	samples, labels, _, _ := floatSamples(rand.New(rand.NewPCG(floatSeed(t), 0)), n, 6)
	_, ranges, misfits, err := Quantize(t.Context(), n, InitialWeights(n, 3), samples, labels)
	if err != nil {
		t.Fatal(err)
	}
	settlings := 6*30 + 6*40 // inference, and learning in mini-batches of 2
	for i, want := range []Misfit{
		{Tensor: "current2", Type: unsigned.String(), Of: 5 * settlings, Sign: true},
		{Tensor: "drive1", Type: short.String(), Of: 9 * settlings},
		{Tensor: "drive2", Type: short.String(), Of: 5 * settlings},
	} {
		if i >= len(misfits) {
			t.Fatalf("got %+v, want %v next", misfits, want.Tensor)
		}
		got, r := misfits[i], ranges[want.Tensor]
		worst := r.Max
		if -r.Min > worst || want.Sign {
			worst = r.Min
		}
		if got.Tensor != want.Tensor || got.Type != want.Type || got.Of != want.Of || got.Sign != want.Sign || got.Count == 0 || got.Count > got.Of || got.Worst != worst {
			t.Errorf("got %+v, want %+v with the worst %v", got, want, worst)
		}
		if needs := (fx.Type{Format: fx.S(40, 40-got.Bits), Overflow: fx.Sat}); !holds(needs, Range{got.Worst, got.Worst}) {
			t.Errorf("%+v: %d bits do not hold the worst", got, got.Bits)
		}
	}
	if len(misfits) != 3 {
		t.Errorf("got %+v, want 3", misfits)
	}
}

func TestQuantizeRefuses(t *testing.T) {
	n := floatNetwork([]int{12, 9, 5}, 2)
	good := [][]uint8{make([]uint8, 12)}
	bad := *n
	bad.Formats = map[string]fx.Type{"eta": {Format: fx.U(4, 2), Rounding: fx.Rnd, Overflow: fx.Sat}}
	wild := *n
	wild.Learning.Feedforward = []float64{1e300, 1e300}
	potentials := *n
	potentials.Formats = map[string]fx.Type{"u": {Format: fx.S(8, 5), Rounding: fx.Rnd, Overflow: fx.Sat}}
	pixels := make([]uint8, 12)
	pixels[3] = 200
	for _, c := range []struct {
		name    string
		n       *Network
		samples [][]uint8
		labels  []int
		want    string
	}{
		{"no samples", n, nil, nil, "0 calibration samples"},
		{"labels", n, good, []int{1, 2}, "1 calibration samples with 2 labels"},
		{"pixels", n, [][]uint8{{1}}, []int{1}, "sample 0 has 1 pixels"},
		{"label", n, good, []int{5}, "label 5"},
		{"short potentials", &potentials, good, []int{1}, "cannot hold every state r1"},
		{"own format", &bad, good, []int{1}, "eta"},
		{"divergence", &wild, [][]uint8{pixels, pixels, pixels, pixels, pixels, pixels}, []int{0, 1, 2, 3, 4, 0}, "ran away"},
	} {
		if _, _, _, err := Quantize(t.Context(), c.n, InitialWeights(n, 1), c.samples, c.labels); !errors.Is(err, ErrUsage) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want one with %q", c.name, err, c.want)
		}
	}
	w := InitialWeights(n, 1)
	w.W[0].Set(0, 0, math.NaN())
	if _, _, _, err := Quantize(t.Context(), n, w, good, []int{1}); !errors.Is(err, ErrDamaged) {
		t.Errorf("NaN weight: got %v", err)
	}
}

// TestDefaultFormats: a network without formats of its own has an arithmetic, its constants included.
func TestDefaultFormats(t *testing.T) {
	for _, layers := range quantizeShapes {
		for _, batch := range []int{1, 3, 20} {
			n := floatNetwork(layers, batch)
			a, err := NewArithmetic(n)
			if err != nil {
				t.Errorf("%v batch %d: %v", layers, batch, err)
				continue
			}
			for i, rate := range a.Rates(0) {
				if rate == 0 {
					t.Errorf("%v batch %d: the rate of %s is rounded to zero", layers, batch, a.Matrices[i].Name())
				}
			}
			if eta := a.Formats.Eta.Float(a.etaWords()[0]); math.Abs(eta-0.05) > 1e-5 {
				t.Errorf("eta: got %v, want 0.05", eta)
			}
			if gamma := a.Formats.Gamma.Float(a.Gamma) * n.Lambda / (1 - n.Lambda); math.Abs(gamma-1) > 1e-4 {
				t.Errorf("gamma: %v of its value", gamma)
			}
		}
	}
}

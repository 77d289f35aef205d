package calibrate

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	fx "corinfo/fixedpoint"
	"corinfo/golden"
	"corinfo/golden/arithmetic"
	"corinfo/golden/goldentest"
	"corinfo/golden/network"
	"corinfo/golden/rule"
	"corinfo/golden/weights"
)

// quantizeShapes are those of the designs that get built and simulated, and one without a hidden layer.
var quantizeShapes = [][]int{{784, 64, 10}, {20, 13, 7}, {12, 9, 8, 5}, {5, 1, 2}, {5, 2}}

// sparseLayers is a choice of sparse layers, of step sizes that differ.
func sparseLayers(layers ...int) (s rule.Sparse) {
	for i, k := range layers {
		s.Layers, s.Nu = append(s.Layers, k), append(s.Nu, []float64{0.01, 1e-6, 0.3}[i])
	}
	return s
}

func TestQuantize(t *testing.T) {
	seed := goldentest.Seed(t)
	for i, layers := range quantizeShapes {
		for _, batch := range []int{1, 3, 20} {
			n := goldentest.Network(layers, batch)
			switch batch {
			case 1:
				goldentest.CorInfoMax(n).Sparse = sparseLayers(1)
			case 3:
				goldentest.CorInfoMax(n).Sparse = sparseLayers(1, len(layers)-1)
				if len(layers) == 2 {
					goldentest.CorInfoMax(n).Sparse = rule.Sparse{}
				}
			}
			w := weights.Initial(n.Describe(), 3)
			samples, labels := goldentest.Samples(rand.New(rand.NewPCG(seed, uint64(i))), n, 30)
			q, ranges, _, err := Quantize(t.Context(), n, w, samples, labels, EachLayer)
			if err != nil {
				t.Errorf("%v batch %d: %v", layers, batch, err)
				continue
			}
			if n.Formats != nil {
				t.Fatal("the network given was changed")
			}
			if !reflect.DeepEqual(w, weights.Initial(n.Describe(), 3)) {
				t.Fatal("the weights given were changed")
			}
			arithmeticOf(t, q)
			if len(q.Formats) != len(ranges) {
				t.Errorf("%v batch %d: %d formats of %d ranges", layers, batch, len(q.Formats), len(ranges))
			}
			defaults := typesByName(n)
			for name, r := range ranges {
				f := q.Formats[name]
				if !holds(f, r) {
					t.Errorf("%v batch %d: %s: %v does not hold %v", layers, batch, name, f, r)
				}
				if sparse := slices.Contains(goldentest.CorInfoMax(n).Sparse.Layers, int(name[len(name)-1]-'0')); name == "x" || name[0] == 'r' && !sparse { // bounded: 0 to 1
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
			types := Types(q.Describe(), q.Formats)
			for _, m := range w {
				miss := Misfit{}
				if miss.Values(m.RawMatrix().Data, types[m.Name]); miss.Count > 0 {
					t.Errorf("%v batch %d: weights don't fit: %s %+v", layers, batch, m.Name, miss)
				}
			}
		}
	}
}

// TestQuantizeSharesFormats: one format per kind of tensor serves all layers, holds every layer's range and has a guard of
// one bit where the widest range needs all others. The network says nothing layer by layer.
func TestQuantizeSharesFormats(t *testing.T) {
	seed := goldentest.Seed(t)
	for i, layers := range quantizeShapes {
		for _, sparse := range []rule.Sparse{{}, sparseLayers(1), sparseLayers(1, len(layers)-1)} {
			if len(layers) == 2 && len(sparse.Layers) == 2 {
				continue
			}
			n := goldentest.Network(layers, 3)
			goldentest.CorInfoMax(n).Sparse = sparse
			samples, labels := goldentest.Samples(rand.New(rand.NewPCG(seed, uint64(i))), n, 12)
			q, ranges, _, err := Quantize(t.Context(), n, weights.Initial(n.Describe(), 3), samples, labels, AllLayers)
			if err != nil {
				t.Errorf("%v %v: %v", layers, sparse, err)
				continue
			}
			widestRange := Ranges{}
			for name, r := range ranges {
				kind := strings.TrimRight(name, "0123456789")
				widestRange.include(kind, r.Min, r.Max)
			}
			if len(q.Formats) != len(widestRange) {
				t.Errorf("%v %v: formats of %d kinds of tensors in %v", layers, sparse, len(widestRange), q.Formats)
			}
			defaults := typesByName(n)
			for kind, r := range widestRange {
				f, ok := q.Formats[kind]
				if !ok || !holds(f, r) {
					t.Errorf("%v %v: %s: %v does not hold %v", layers, sparse, kind, f, r)
				}
				if kind == "x" || kind == "r" || kind == "u" || kind == "q" || kind == "qu" {
					continue // bounded, or made to hold states
				}
				narrow, coarsest := f, 0
				narrow.Frac += 1 + guardBits
				for name, d := range defaults {
					if strings.TrimRight(name, "0123456789") == kind {
						coarsest = d.Frac + finestPlaces
					}
				}
				if holds(narrow, r) && f.Frac < coarsest {
					t.Errorf("%v %v: %s: %v is wider than %v needs", layers, sparse, kind, f, r)
				}
			}
			if same := SharedFormats(q); !maps.Equal(typesByName(same), typesByName(q)) {
				t.Errorf("%v %v: formats that are shared are not what sharing gives", layers, sparse)
			}
		}
	}
}

// TestChooseSharedFormatsTable: the widest range of all layers decides, and the network's own formats stay out of it.
func TestChooseSharedFormatsTable(t *testing.T) {
	own := map[string]fx.Type{"W1": {Format: fx.S(5, 1)}, "drive": {Format: fx.S(20, 10)}}
	for _, c := range []struct {
		name   string
		sparse []int
		own    map[string]fx.Type
		ranges Ranges
		want   map[string]string
	}{
		{"the widest", nil, nil, Ranges{"W0": {-0.4, 0.45}, "W1": {0.2, 3}, "W2": {-1, 0}}, map[string]string{"W": "ap_fixed<16,4,STOCHASTIC,SAT>"}},
		{"nothing known of one", nil, nil, Ranges{"e1": {0, 0}, "e2": {-0.4, 0.4}}, map[string]string{"e": "ap_fixed<18,1,RND,SAT>"}},
		{"nothing known", nil, nil, Ranges{"e1": {0, 0}, "e2": {math.NaN(), 1}}, map[string]string{"e": "ap_fixed<18,4,RND,SAT>"}},
		{"one of its own", nil, own, Ranges{"W0": {-0.4, 0.45}, "W1": {-9, 9}, "W2": {-1, 0}, "drive1": {-1, 1}},
			map[string]string{"W": "ap_fixed<16,2,STOCHASTIC,SAT>", "W1": "ap_fixed<5,4,TRN,WRAP>", "drive": "ap_fixed<20,10,TRN,WRAP>"}},
		{"states", nil, nil, Ranges{"r1": {0, 0.3}, "r2": {0, 1}, "u1": {-0.4, 0.4}, "u2": {-200, 100}}, map[string]string{"r": "ap_ufixed<11,1,RND,SAT>", "u": "ap_fixed<20,10,RND,SAT>"}},
		{"states of both polytopes", []int{3}, nil, Ranges{"r1": {0, 0.3}, "r3": {0, 2.5}, "u1": {-0.4, 0.4}}, map[string]string{"r": "ap_ufixed<14,3,RND,SAT>", "u": "ap_fixed<18,4,RND,SAT>"}},
		{"interneurons", []int{1, 3}, nil, Ranges{"q1": {0, 0}, "q3": {0, 0.3}, "qu1": {-0.1, 0.1}, "qu3": {-3, 0}}, map[string]string{"q": "ap_ufixed<18,0,RND,SAT>", "qu": "ap_fixed<24,4,RND,SAT>"}},
	} {
		n := goldentest.Network([]int{12, 9, 5, 4}, 2)
		goldentest.CorInfoMax(n).Sparse = sparseLayers(c.sparse...)
		n.Formats = c.own
		got := map[string]string{}
		for key, f := range ChooseFormats(n, c.ranges, AllLayers) {
			got[key] = f.String()
		}
		if !maps.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

// typesByName are the resolved types of a network: r1, dW0, x.
func typesByName(n *network.Network) map[string]fx.Type { return Types(n.Describe(), n.Formats) }

// arithmeticOf is the network in words.
func arithmeticOf(t *testing.T, n *network.Network) *arithmetic.Arithmetic {
	t.Helper()
	a, err := arithmetic.New(n.Describe(), n.Learning.Batch, n.Formats, n.Dataset.Normalize.Inputs())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestChooseFormatsTable: word length, sign, rounding and overflow are the default's, the binary point follows
// from the range.
func TestChooseFormatsTable(t *testing.T) {
	n := goldentest.Network([]int{12, 9, 5, 4}, 2)
	goldentest.CorInfoMax(n).Sparse = sparseLayers(3)
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
		got := ChooseFormats(n, Ranges{c.tensor: c.r}, EachLayer)
		want := typesByName(n)["e1"].String()
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
		for _, scope := range []Scope{AllLayers, EachLayer} {
			t.Run(fmt.Sprint(c.name, scope), func(t *testing.T) {
				n := goldentest.Network([]int{12, 9, 8, 5}, 2)
				n.Formats = map[string]fx.Type{}
				for name, text := range c.own {
					f, err := fx.ParseType(text)
					if err != nil {
						t.Fatal(err)
					}
					n.Formats[name] = f
				}
				given := maps.Clone(n.Formats)
				samples, labels := goldentest.Samples(rand.New(rand.NewPCG(goldentest.Seed(t), 0)), n, 5)
				q, ranges, _, err := Quantize(t.Context(), n, weights.Initial(n.Describe(), 3), samples, labels, scope)
				if err != nil {
					t.Fatal(err)
				}
				if !maps.Equal(n.Formats, given) {
					t.Error("the network given was changed")
				}
				resolved := typesByName(q)
				for _, x := range q.Describe().Tensors {
					f := resolved[x.String()]
					own, ok := given[x.String()]
					if !ok {
						own, ok = given[x.Kind]
					}
					if ok && f != own {
						t.Errorf("%v: got %v, want the network's own %v", x, f, own)
					}
					if r, recorded := ranges[x.String()]; recorded && !ok && x.Kind != "r" && !holds(f, r) {
						t.Errorf("%v: %v does not hold %v", x, f, r)
					}
				}
				for k := 1; k < len(q.Layers); k++ {
					r, u := resolved[fmt.Sprint("r", k)], resolved[fmt.Sprint("u", k)]
					if fx.Union(r.Format, u.Format) != u.Format {
						t.Errorf("u%d %v does not hold every r%d %v", k, u, k, r)
					}
				}
			})
		}
	}
}

// TestQuantizeCountsMisfits: a format of the network's own for what settling computes is held against every value of
// the calibration, layer by layer.
func TestQuantizeCountsMisfits(t *testing.T) {
	n := goldentest.Network([]int{12, 9, 5}, 2)
	short := fx.Type{Format: fx.S(10, 10), Rounding: fx.Rnd, Overflow: fx.Sat} // -0.5 to 0.499
	unsigned := fx.Type{Format: fx.U(18, 12), Rounding: fx.Rnd, Overflow: fx.Sat}
	n.Formats = map[string]fx.Type{"drive": short, "current2": unsigned}
	samples, labels := goldentest.Samples(rand.New(rand.NewPCG(goldentest.Seed(t), 0)), n, 6)
	_, ranges, misfits, err := Quantize(t.Context(), n, weights.Initial(n.Describe(), 3), samples, labels, EachLayer)
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
	n := goldentest.Network([]int{12, 9, 5}, 2)
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
		n       *network.Network
		samples [][]uint8
		labels  []int
		want    string
	}{
		{"no samples", n, nil, nil, "0 calibration samples"},
		{"labels", n, good, []int{1, 2}, "1 calibration samples with 2 labels"},
		{"pixels", n, [][]uint8{{1}}, []int{1}, "sample 0 has 1 pixels"},
		{"label", n, good, []int{5}, "label 5"},
		{"short potentials", &potentials, good, []int{1}, "u1: ap_fixed<8,3,RND,SAT> cannot hold every r1"},
		{"own format", &bad, good, []int{1}, "eta"},
		{"divergence", &wild, [][]uint8{pixels, pixels, pixels, pixels, pixels, pixels}, []int{0, 1, 2, 3, 4, 0}, "ran away"},
	} {
		if _, _, _, err := Quantize(t.Context(), c.n, weights.Initial(n.Describe(), 1), c.samples, c.labels, AllLayers); !errors.Is(err, golden.ErrUsage) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want one with %q", c.name, err, c.want)
		}
	}
	w := weights.Initial(n.Describe(), 1)
	w.Named("W0").Set(0, 0, math.NaN())
	if _, _, _, err := Quantize(t.Context(), n, w, good, []int{1}, AllLayers); !errors.Is(err, golden.ErrDamaged) {
		t.Errorf("NaN weight: got %v", err)
	}
}

// TestDefaultFormats: a network without formats of its own has an arithmetic, its constants included.
func TestDefaultFormats(t *testing.T) {
	for _, layers := range quantizeShapes {
		for _, batch := range []int{1, 3, 20} {
			n := goldentest.Network(layers, batch)
			a := arithmeticOf(t, n)
			value := func(f *arithmetic.Formula, name, tensor string) float64 {
				return a.Type(tensor, 1).Float(a.Constant(f, name, rule.Moment{}))
			}
			for i := range a.Updates {
				u, p := &a.Updates[i].Formula, a.D.Projections[a.D.Updates[i].Projection]
				if value(u, "rate", "rate") == 0 {
					t.Errorf("%v batch %d: the rate of %s is rounded to zero", layers, batch, p.Name)
				}
				lambda := goldentest.CorInfoMax(n).Lambda
				if p.Symmetric && math.Abs(value(u, "gamma", "gamma")*lambda/(1-lambda)-1) > 1e-4 {
					t.Errorf("gamma: %v", value(u, "gamma", "gamma"))
				}
			}
			if eta := value(&a.Steps[0], "eta", "eta"); math.Abs(eta-0.05) > 1e-5 {
				t.Errorf("eta: got %v, want 0.05", eta)
			}
		}
	}
}

// TestFitEnds: a place for the binary point is found for every type and range, those that no place holds among them, and it
// is the one that the ends of the range need.
func TestFitEnds(t *testing.T) {
	values := []float64{0, 0.3, -0.3, 1, -1, 0.9999999, -0.9999999, 5.5, -5.5, 0x1p-60, -0x1p-60, 1e300, -1e300, 5e-324, -5e-324}
	for _, width := range []int{1, 2, 3, 18, 63, 64} {
		for _, signed := range []bool{true, false} {
			for q := fx.Trn; q <= fx.Stochastic; q++ {
				for o := fx.Wrap; o <= fx.SatSym; o++ {
					for i, low := range values {
						for _, high := range values[i:] {
							given := fx.Type{Format: fx.Format{Width: width, Frac: 4, Signed: signed}, Rounding: q, Overflow: o}
							r := Range{min(low, high), max(low, high)}
							got, told := fit(given, r, 0)
							bottom, top := given.Range()
							if bottom == top || r.Max <= 0 && (r.Min == 0 || !signed) {
								if got != given || told {
									t.Errorf("%v %v: got %v; nothing says where its point is to be", given, r, got)
								}
								continue
							}
							if !signed {
								r.Min = max(r.Min, 0)
							}
							finer := got
							finer.Frac++
							if !told || !holds(got, r) || holds(finer, r) && got.Frac < given.Frac+finestPlaces {
								t.Errorf("%v %v: got %v", given, r, got)
							}
						}
					}
				}
			}
		}
	}
}

// TestFitHoldsItsBound: also one that is rounded up to a power of two.
func TestFitHoldsItsBound(t *testing.T) {
	for _, c := range []struct {
		bound    float64
		integers int // without the sign
	}{{0.9999999, 1}, {0.99999, 0}, {1, 1}, {math.Nextafter(1, 0), 1}, {1.99999, 1}, {1.9999999, 2}, {3.99999999, 3}, {15 / 0.15, 7}, {0x1p-40, -39}, {math.MaxFloat64, 1025}, {5e-324, -1073}} {
		for _, signed := range []bool{true, false} {
			f := rule.Fit(18, c.bound, signed)
			want := fx.Type{Format: fx.Format{Width: 18, Frac: 18 - c.integers, Signed: signed}, Rounding: fx.Rnd, Overflow: fx.Sat}
			if signed {
				want.Frac--
			}
			if f != want || !holds(f, Range{-c.bound, c.bound}) && signed || !holds(f, Range{0, c.bound}) {
				t.Errorf("%v: got %v, want %v", c.bound, f, want)
			}
		}
	}
	for _, v := range []float64{0.9999999, 0.99999999999, math.Nextafter(1, 0)} {
		n := goldentest.Network([]int{5, 3}, 2)
		n.Settling.Step.Start = v
		arithmeticOf(t, n) // a step size of v fits
	}
}

// TestDistributionsOfUnsignedTypes: a type that cannot hold a negative value is described beside those values.
func TestDistributionsOfUnsignedTypes(t *testing.T) {
	for _, text := range []string{"ap_ufixed<18,4>", "ap_ufixed<3,1,TRN,SAT>", "ap_fixed<1,1,TRN,SAT_SYM>", "ap_ufixed<64,0,RND_MIN_INF,SAT_ZERO>"} {
		f, err := fx.ParseType(text)
		if err != nil {
			t.Fatal(err)
		}
		plain := goldentest.Network([]int{5, 4, 3}, 2)
		goldentest.CorInfoMax(plain).Sparse = sparseLayers(1)
		kinds := map[string]bool{}
		for _, x := range plain.Describe().Tensors {
			kinds[x.Kind] = true
		}
		for kind := range kinds {
			n := *plain
			n.Formats = map[string]fx.Type{kind: f}
			samples, labels := goldentest.Samples(rand.New(rand.NewPCG(goldentest.Seed(t), 1)), &n, 4)
			list, err := Distributions(t.Context(), &n, weights.Initial(n.Describe(), 3), samples, labels)
			if err != nil || len(list) < 10 {
				t.Errorf("%s %s: %d tensors, %v", kind, text, len(list), err)
			}
		}
	}
}

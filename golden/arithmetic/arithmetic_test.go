package arithmetic_test

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	fx "corinfo/fixedpoint"
	"corinfo/golden/arithmetic"
	"corinfo/golden/dataset"
	"corinfo/golden/goldentest"
	"corinfo/golden/network"
	"corinfo/golden/rule"
)

// Wrong types are refused with the tensor and the remedy.
func TestArithmeticErrors(t *testing.T) {
	sparse := func(n *network.Network) {
		goldentest.CorInfoMax(n).Sparse = rule.Sparse{Layers: []int{2}, Nu: []float64{0.01}}
	}
	for _, c := range []struct {
		formats map[string]string
		change  func(n *network.Network)
		want    string
	}{
		{map[string]string{"W": "ap_fixed<50,2>"}, nil, "formats: the exact sum basal needs 66 bits with a sign; at most 64: shorten W, x or r"},
		{map[string]string{"F1": "ap_fixed<60,2>"}, nil, "formats: the exact sum feedback needs 73 bits with a sign; at most 64: shorten F or r"},
		{map[string]string{"C2": "ap_fixed<60,2>"}, nil, "formats: the exact sum lateral needs 73 bits with a sign; at most 64: shorten C or r"},
		{map[string]string{"e": "ap_fixed<60,3>"}, nil, "formats: the exact sum of products of W0 needs 72 bits with a sign; at most 64: shorten e1 or x"},
		{map[string]string{"c": "ap_fixed<32,1>"}, nil, "formats: the exact sum of products of C1 needs 67 bits with a sign; at most 64: shorten c1"},
		{map[string]string{"F": "ap_fixed<2,250>"}, nil, "formats: soma1: graph soma: the exact value of basal of W, x, r (s32f24), feedback of F, r (s15f-238): format s278f24: width 278 is outside"},
		{map[string]string{"F1": "ap_fixed<2,200>", "dF1": "ap_fixed<18,-40>"}, nil,
			"formats: update of F1: graph synapse: the exact value of F1 (s2f-198), rate ("},
		{map[string]string{"eta": "ap_ufixed<4,0>"}, nil, "formats: eta of soma1: 0.05 is rounded to zero in ap_ufixed<4,0,TRN,WRAP>; give it more fraction bits"},
		{map[string]string{"eta": "ap_ufixed<8,-5>"}, nil, "formats: eta of soma1: 0.05 does not fit ap_ufixed<8,-5,TRN,WRAP> (range 0 to 0.0311279296875)"},
		{map[string]string{"coefficient": "ap_fixed<12,4>"}, nil, "formats: coefficient: k_u of soma1: 13.833333333333334 does not fit ap_fixed<12,4,TRN,WRAP> (range -8 to 7.99609375)"},
		{map[string]string{"coefficient": "ap_ufixed<12,4>"}, nil, "formats: coefficient: k_r of soma2: -0.5 does not fit ap_ufixed<12,4,TRN,WRAP> (range 0 to 15.99609375)"},
		{map[string]string{"rate": "ap_ufixed<8,8,RND>"}, func(n *network.Network) { n.Learning.Feedforward, n.Learning.Feedback = []float64{8, 8}, []float64{8} }, "formats: rate of C1: 0.25000250002500024 is rounded to zero in ap_ufixed<8,8,RND,WRAP>; give it more fraction bits"},
		{map[string]string{"rate": "ap_ufixed<8,-1>"}, func(n *network.Network) { n.Learning.Feedforward[1] = 100 }, "formats: rate of W1: 25 does not fit ap_ufixed<8,-1,TRN,WRAP>"},
		{map[string]string{"gamma": "ap_ufixed<16,0>"}, nil, "formats: gamma of C1: 1.0000100000954499e-05 is rounded to zero in ap_ufixed<16,0,TRN,WRAP>; give it more fraction bits"},
		{map[string]string{"u1": "ap_fixed<18,8>"}, func(n *network.Network) { n.Formats["r1"] = parse(t, "ap_ufixed<12,1>") },
			"formats: u1: ap_fixed<18,8,TRN,WRAP> cannot hold every r1 of ap_ufixed<12,1,TRN,WRAP>, and u1 := r1 when a phase starts; give u1 at least the fraction bits and range of r1, and a sign"},
		{map[string]string{"u": "ap_fixed<11,1>"}, nil, "formats: u1: ap_fixed<11,1,TRN,WRAP> cannot hold every r1"},
		{map[string]string{"u2": "ap_ufixed<64,1>"}, nil, "formats: soma2: the exact value of u (u64f63) is limited and longer than 64 bits with a sign: use ap_fixed or shorten it"},
		{map[string]string{"r2": "ap_fixed<1,1>"}, nil, "formats: r2: ap_fixed<1,1,TRN,WRAP> holds no positive state; use ap_ufixed"},
		{map[string]string{"e2": "ap_fixed<18,3,STOCHASTIC>"}, nil, "formats: e2: STOCHASTIC rounding is for the stored synapses only: W, F, C"},
		{map[string]string{"x": "ap_ufixed<9,1,STOCHASTIC>"}, nil, "formats: x: STOCHASTIC rounding is for the stored synapses only: W, F, C"},
		{map[string]string{"dW": "ap_fixed<18,3,STOCHASTIC>"}, nil, "formats: dW0: STOCHASTIC rounding is for the stored synapses only: W, F, C"},
		{map[string]string{"qu2": "ap_fixed<9,4>"}, sparse, "formats: qu2: ap_fixed<9,4,TRN,WRAP> cannot hold every q2 of ap_ufixed<18,3,RND,SAT>, and qu2 := q2 when a phase starts; give qu2 at least the fraction bits and range of q2, and a sign"},
		{map[string]string{"qu2": "ap_ufixed<64,4>"}, sparse, "formats: interneuron2: the exact value of qu (u64f60) is limited and longer than 64 bits with a sign: use ap_fixed or shorten it"},
		{map[string]string{"nu": "ap_ufixed<6,0>"}, sparse, "formats: nu of interneuron2: 0.01 is rounded to zero in ap_ufixed<6,0,TRN,WRAP>; give it more fraction bits"},
		{map[string]string{"excess": "ap_fixed<18,3,STOCHASTIC>"}, sparse, "formats: excess2: STOCHASTIC rounding is for the stored synapses only: W, F, C"},
	} {
		n := digitNetwork([]int{20, 4, 3}, 4)
		n.Formats = map[string]fx.Type{}
		for name, text := range c.formats {
			n.Formats[name] = parse(t, text)
		}
		if c.change != nil {
			c.change(n)
		}
		_, err := arithmeticOf(n)
		if err == nil || !errors.Is(err, arithmetic.ErrFormats) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v:\ngot  %v\nwant %s", c.formats, err, c.want)
		}
	}
}

// digitNetwork has the settings of the paper's MNIST runs.
func digitNetwork(layers []int, batch int) *network.Network {
	n := goldentest.Network(layers, batch)
	for k := range n.Learning.Feedforward {
		n.Learning.Feedforward[k] = []float64{1, 0.7}[min(k, 1)]
	}
	return n
}

func arithmeticOf(n *network.Network) (*arithmetic.Arithmetic, error) {
	return arithmetic.New(n.Describe(), n.Learning.Batch, n.Formats, n.Dataset.Normalize.Inputs())
}

func parse(t *testing.T, text string) fx.Type {
	t.Helper()
	typ, err := fx.ParseType(text)
	if err != nil {
		t.Fatal(err)
	}
	return typ
}

// The exact formats of 784-500-10 with default types and N = 20, worked out by hand from the page.
func TestDerivedFormats(t *testing.T) {
	a, err := arithmeticOf(digitNetwork([]int{784, 500, 10}, 20))
	if err != nil {
		t.Fatal(err)
	}
	checkSums(t, a, map[string]fx.Format{"basal": fx.S(37, 24), "feedback": fx.S(31, 24), "lateral": fx.S(36, 40)})
	for i, want := range []struct {
		name    string
		product fx.Format
		shift   int
		sum     fx.Format
	}{
		{"W0", fx.S(25, 22), 2, fx.S(33, 22)},
		{"W1", fx.S(28, 24), 0, fx.S(36, 24)},
		{"F1", fx.S(28, 24), 0, fx.S(36, 24)},
		{"C1", fx.S(28, 40), 0, fx.S(42, 60)},
		{"C2", fx.S(28, 40), 0, fx.S(42, 60)},
	} {
		p, x := a.D.Projections[i], a.Projections[i]
		if u := a.Updates[i]; a.D.Updates[i].Projection != i || p.Name != want.name || x.Product != want.product || x.Shift != want.shift || u.Sum != want.sum {
			t.Errorf("got %s %v shift %d, sum %v; want %+v", p.Name, x.Product, x.Shift, u.Sum, want)
		}
	}
}

// checkSums holds the format of every sum against that of its name.
func checkSums(t *testing.T, a *arithmetic.Arithmetic, want map[string]fx.Format) {
	t.Helper()
	for i, s := range a.D.Sums {
		if a.Sums[i] != want[s.Name] {
			t.Errorf("%s of layer %d: got %v, want %v", s.Name, s.Layer, a.Sums[i], want[s.Name])
		}
	}
}

// The formats of 784-500-10 with both layers sparse, worked out by hand from the page: hidden nu 1e-6, output nu 0.01.
func TestSparseFormats(t *testing.T) {
	n := digitNetwork([]int{784, 500, 10}, 20)
	n.Settling.FreeIterations, n.Settling.NudgedIterations = 30, 10
	goldentest.CorInfoMax(n).Sparse = rule.Sparse{Layers: []int{1, 2}, Nu: []float64{1e-6, 0.01}}
	a, err := arithmeticOf(n)
	if err != nil {
		t.Fatal(err)
	}
	checkSums(t, a, map[string]fx.Format{"basal": fx.S(39, 24), "feedback": fx.S(34, 24), "lateral": fx.S(39, 40)})
	rounded := func(f fx.Format) fx.Type { return fx.Type{Format: f, Rounding: fx.Rnd, Overflow: fx.Sat} }
	found := 0
	for i, s := range a.D.Steps {
		if !s.Shared {
			continue
		}
		found++
		f := &a.Steps[i]
		want := map[int]fx.Format{1: fx.U(23, 10), 2: fx.U(18, 10)}[s.Layer] // of 500 and 10 states of 14 bits
		if got := f.Graph.Nodes()[f.Graph.Inputs()[f.Input(rule.FromTotal, "r")]].Format; got != want {
			t.Errorf("sum of layer %d: got %v, want %v", s.Layer, got, want)
		}
	}
	if found != 2 {
		t.Errorf("%d interneurons", found)
	}
	for k, want := range map[int]map[string]fx.Format{
		1: {"excess": fx.S(18, 8), "qu": fx.S(24, 28), "q": fx.U(18, 23), "nu": fx.U(17, 36)},
		2: {"excess": fx.S(18, 13), "qu": fx.S(24, 20), "q": fx.U(18, 15), "nu": fx.U(17, 23)},
	} {
		for kind, format := range want {
			if got := a.Type(kind, k); got != rounded(format) {
				t.Errorf("%s%d: got %v, want %v", kind, k, got, rounded(format))
			}
		}
	}
}

// Equilibrium propagation limits an exact value, which may be too long, and has a unit that is always 1.
func TestEquilibriumErrors(t *testing.T) {
	n := goldentest.Of("ep")
	n.Formats = map[string]fx.Type{"eta": parse(t, "ap_ufixed<40,0>"), "drive2": parse(t, "ap_fixed<40,6>")}
	_, err := arithmeticOf(n)
	require.ErrorIs(t, err, arithmetic.ErrFormats)
	require.EqualError(t, err, "formats: soma2: the exact value of r (u15f14), eta (u40f40), drive (s40f34) is limited and longer than 64 bits with a sign: "+
		"bring their binary points closer together, or shorten them")
	n.Formats = map[string]fx.Type{"one": parse(t, "ap_ufixed<9,1>")}
	_, err = arithmeticOf(n)
	require.EqualError(t, err, "formats: one: it is always 1, and of ap_ufixed<1,1,TRN,WRAP> alone; leave it out")
}

// A sum over a layer that is no word is told with the tensor to shorten.
func TestWideTotal(t *testing.T) {
	n := goldentest.Of("bp")
	n.Own.(*rule.Backprop).Loss = rule.CrossEntropy
	n.Formats = map[string]fx.Type{"exp": parse(t, "ap_ufixed<63,1>")}
	_, err := arithmeticOf(n)
	require.ErrorIs(t, err, arithmetic.ErrFormats)
	require.EqualError(t, err, "formats: normalize2: graph normalize: the exact value of sum of exp2 (u66f62): format u66f62: width 66 is outside 1 to 64 bits: "+
		"shorten exp2")
}

// TestSlow: values beyond int64 make a formula slow, and nothing else does.
func TestSlow(t *testing.T) {
	for _, c := range []struct{ kind, format, want string }{
		{"rate", "ap_ufixed<17,-4>", ""},
		{"rate", "ap_ufixed<60,-4>", "update of W0: graph synapse: the exact value of rate (u60f64), stepW (s16f14): format s76f78: more than 64 bits: shorten rate"},
		{"W", "ap_fixed<44,2>", ""},
	} {
		n := goldentest.Of("bp")
		n.Formats = map[string]fx.Type{c.kind: parse(t, c.format)}
		a, err := arithmeticOf(n)
		require.NoError(t, err)
		if slow := a.Slow(); c.want == "" {
			require.Empty(t, slow, "%s %s", c.kind, c.format)
		} else {
			require.Equal(t, c.want, slow[0], "%s %s", c.kind, c.format)
		}
	}
}

// TestDefaults holds the defaults of 784-500-10 and mini-batches of 20 against the tables of docs/ARITHMETIC.md, worked out by hand.
func TestDefaults(t *testing.T) {
	shared := map[string]string{"x": "ap_ufixed<9,1,RND,SAT>", "eta": "ap_ufixed<17,-4,RND,SAT>", "rate": "ap_ufixed<17,-4,RND,SAT>",
		"W": "ap_fixed<16,2,STOCHASTIC,SAT>", "dW": "ap_fixed<18,6,RND,SAT>"}
	equilibrium := map[string]string{"r": "ap_ufixed<15,1,RND,SAT>", "drive": "ap_fixed<18,6,RND,SAT>", "e": "ap_fixed<18,2,RND,SAT>",
		"b": "ap_fixed<16,2,STOCHASTIC,SAT>", "db": "ap_fixed<18,6,RND,SAT>", "coefficient": "ap_fixed<18,3,RND,SAT>"}
	for name, c := range map[string]struct {
		rule   string
		change func(n *network.Network)
		want   []map[string]string // by kind or tensor
	}{
		"corinfomax": {"corinfomax", nil, []map[string]string{shared, {"r": "ap_ufixed<11,1,RND,SAT>", "u": "ap_fixed<18,4,RND,SAT>",
			"current": "ap_fixed<18,5,RND,SAT>", "lateral": "ap_fixed<18,-12,RND,SAT>", "drive": "ap_fixed<18,8,RND,SAT>", "e": "ap_fixed<18,4,RND,SAT>",
			"d": "ap_fixed<18,4,RND,SAT>", "c": "ap_fixed<18,-12,RND,SAT>", "F": "ap_fixed<16,2,STOCHASTIC,SAT>", "C": "ap_fixed<16,-14,STOCHASTIC,SAT>",
			"dF": "ap_fixed<18,6,RND,SAT>", "dC": "ap_fixed<18,-24,RND,SAT>", "coefficient": "ap_fixed<18,5,RND,SAT>", "gamma": "ap_ufixed<17,-16,RND,SAT>"}}},
		"sparse output": {"corinfomax", func(n *network.Network) {
			goldentest.CorInfoMax(n).Sparse = rule.Sparse{Layers: []int{2}, Nu: []float64{0.01}}
			goldentest.CorInfoMax(n).Lateral = false
		}, []map[string]string{shared, {"r1": "ap_ufixed<11,1,RND,SAT>", "r2": "ap_ufixed<14,4,RND,SAT>", "u1": "ap_fixed<18,4,RND,SAT>", "u2": "ap_fixed<18,5,RND,SAT>",
			"current1": "ap_fixed<18,5,RND,SAT>", "current2": "ap_fixed<18,6,RND,SAT>", "drive1": "ap_fixed<18,8,RND,SAT>", "drive2": "ap_fixed<18,9,RND,SAT>",
			"excess": "ap_fixed<18,5,RND,SAT>", "qu": "ap_fixed<24,4,RND,SAT>", "q": "ap_ufixed<18,3,RND,SAT>", "nu": "ap_ufixed<17,-6,RND,SAT>",
			"e1": "ap_fixed<18,4,RND,SAT>", "e2": "ap_fixed<18,5,RND,SAT>", "d": "ap_fixed<18,4,RND,SAT>", "F": "ap_fixed<16,2,STOCHASTIC,SAT>",
			"dF": "ap_fixed<18,6,RND,SAT>", "coefficient": "ap_fixed<18,5,RND,SAT>", "gamma": "ap_ufixed<17,-16,RND,SAT>"}}},
		"ep": {"ep", nil, []map[string]string{shared, equilibrium}},
		"larger steps of inference, inputs on both sides of 0": {"ep", func(n *network.Network) {
			n.Settling.Step.Inference = 0.5
			n.Dataset.Normalize = dataset.Normalize{Mean: []float64{0.5}, Deviation: []float64{0.25}}
		}, []map[string]string{shared, equilibrium, {"x": "ap_fixed<10,3,RND,SAT>", "eta": "ap_ufixed<17,0,RND,SAT>"}}},
		"csm": {"csm", nil, []map[string]string{shared, equilibrium, {"M": "ap_fixed<16,3,STOCHASTIC,SAT>", "dM": "ap_fixed<18,6,RND,SAT>",
			"decay": "ap_ufixed<17,-4,RND,SAT>"}}},
	} {
		t.Run(name, func(t *testing.T) {
			n := digitNetwork([]int{784, 500, 10}, 20)
			if c.rule != n.Rule {
				other := goldentest.Of(c.rule)
				n.Rule, n.Own, n.Learning.Feedback = c.rule, other.Own, nil
			}
			if c.change != nil {
				c.change(n)
			}
			want := map[string]string{}
			for _, list := range c.want {
				maps.Copy(want, list)
			}
			d := n.Describe()
			seen := map[string]bool{}
			for i, got := range arithmetic.Resolve(d, nil) {
				x := d.Tensors[i]
				if x.Kind == "one" {
					continue
				}
				key := x.String()
				if want[key] == "" {
					key = x.Kind
				}
				seen[key] = true
				require.Equal(t, want[key], got.String(), "%v", x)
			}
			require.Len(t, seen, len(want))
		})
	}
}

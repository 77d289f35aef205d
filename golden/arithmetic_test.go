package golden_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	fx "corinfo/fixedpoint"
	"corinfo/golden"
)

// Wrong types are refused with the tensor and the remedy.
func TestArithmeticErrors(t *testing.T) {
	sparse := func(n *golden.Network) { n.Sparse = golden.Sparse{Layers: []int{2}, Nu: []float64{0.01}} }
	for _, c := range []struct {
		formats map[string]string
		change  func(n *golden.Network)
		want    string
	}{
		{map[string]string{"W": "ap_fixed<50,2>"}, nil, "formats: the exact accumulator of W r needs 66 bits; at most 64: shorten W, x or r"},
		{map[string]string{"F1": "ap_fixed<60,2>"}, nil, "formats: the exact accumulator of F r needs 73 bits; at most 64: shorten F or r"},
		{map[string]string{"C2": "ap_fixed<60,2>"}, nil, "formats: the exact accumulator of C r needs 73 bits; at most 64: shorten C or r"},
		{map[string]string{"e": "ap_fixed<60,3>"}, nil, "formats: the exact update sum of W0 needs 72 bits; at most 64: shorten e1 or x"},
		{map[string]string{"c": "ap_fixed<32,1>"}, nil, "formats: the exact update sum of C1 needs 67 bits; at most 64: shorten c1"},
		{map[string]string{"eta": "ap_ufixed<4,0>"}, nil, "formats: eta of iteration 0: 0.05 is rounded to zero in ap_ufixed<4,0,TRN,WRAP>; give it more fraction bits"},
		{map[string]string{"eta": "ap_ufixed<8,-5>"}, nil, "formats: eta of iteration 0: 0.05 does not fit ap_ufixed<8,-5,TRN,WRAP> (range 0 to 0.0311279296875)"},
		{map[string]string{"coefficient": "ap_fixed<12,4>"}, nil, "formats: coefficient g + 2/epsilon: 13.833333333333334 does not fit ap_fixed<12,4,TRN,WRAP> (range -8 to 7.99609375)"},
		{map[string]string{"coefficient": "ap_ufixed<12,4>"}, nil, "formats: coefficient g - beta: -0.5 does not fit ap_ufixed<12,4,TRN,WRAP> (range 0 to 15.99609375)"},
		{map[string]string{"rate": "ap_ufixed<8,8,RND>"}, nil, "formats: rate: 0.25000250002500024 is rounded to zero in ap_ufixed<8,8,RND,WRAP>; give it more fraction bits"},
		{map[string]string{"rate": "ap_ufixed<8,-1>"}, func(n *golden.Network) { n.Learning.Feedforward[1] = 100 }, "formats: rate of W1: 25 does not fit ap_ufixed<8,-1,TRN,WRAP>"},
		{map[string]string{"gamma": "ap_ufixed<16,0>"}, nil, "formats: gamma: 1.0000100000954499e-05 is rounded to zero in ap_ufixed<16,0,TRN,WRAP>; give it more fraction bits"},
		{map[string]string{"u1": "ap_fixed<18,8>"}, func(n *golden.Network) { n.Formats["r1"] = parse(t, "ap_ufixed<12,1>") },
			"formats: u1: ap_fixed<18,8,TRN,WRAP> cannot hold every state r1 of ap_ufixed<12,1,TRN,WRAP>, and u := r when a phase starts; give u at least the fraction bits and range of r, and a sign"},
		{map[string]string{"u": "ap_fixed<11,1>"}, nil, "formats: u1: ap_fixed<11,1,TRN,WRAP> cannot hold every state r1"},
		{map[string]string{"u2": "ap_ufixed<64,1>"}, nil, "formats: u2: ap_ufixed<64,1,TRN,WRAP> is longer than the 63 bits of an unsigned potential; use ap_fixed or shorten it"},
		{map[string]string{"r2": "ap_fixed<1,1>"}, nil, "formats: r2: ap_fixed<1,1,TRN,WRAP> holds no positive state; use ap_ufixed"},
		{map[string]string{"e2": "ap_fixed<18,3,STOCHASTIC>"}, nil, "formats: e2: STOCHASTIC rounding is for the stored synapses W, F and C only"},
		{map[string]string{"x": "ap_ufixed<9,1,STOCHASTIC>"}, nil, "formats: x0: STOCHASTIC rounding is for the stored synapses W, F and C only"},
		{map[string]string{"dW": "ap_fixed<18,3,STOCHASTIC>"}, nil, "formats: dW0: STOCHASTIC rounding is for the stored synapses W, F and C only"},
		{map[string]string{"qu2": "ap_fixed<9,4>"}, sparse, "formats: qu2: ap_fixed<9,4,TRN,WRAP> cannot hold every q2 of ap_ufixed<18,3,RND,SAT>, and q_u := q when a phase starts; give qu at least the fraction bits and range of q, and a sign"},
		{map[string]string{"qu2": "ap_ufixed<64,4>"}, sparse, "formats: qu2: ap_ufixed<64,4,TRN,WRAP> is longer than the 63 bits of an unsigned potential; use ap_fixed or shorten it"},
		{map[string]string{"nu": "ap_ufixed<6,0>"}, sparse, "formats: nu of layer 2: 0.01 is rounded to zero in ap_ufixed<6,0,TRN,WRAP>; give it more fraction bits"},
		{map[string]string{"excess": "ap_fixed<18,3,STOCHASTIC>"}, sparse, "formats: excess2: STOCHASTIC rounding is for the stored synapses W, F and C only"},
		{nil, func(n *golden.Network) { n.Layers[1] = 65537 }, "layers: layer 1 has 65537 neurons; at most 65536"},
	} {
		n := digitNetwork([]int{20, 4, 3}, 4)
		n.Formats = map[string]fx.Type{}
		for name, text := range c.formats {
			n.Formats[name] = parse(t, text)
		}
		if c.change != nil {
			c.change(n)
		}
		_, err := golden.NewArithmetic(n)
		if err == nil || !errors.Is(err, golden.ErrUsage) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v:\ngot  %v\nwant %s", c.formats, err, c.want)
		}
	}
}

func parse(t *testing.T, text string) fx.Type {
	t.Helper()
	typ, err := fx.ParseType(text)
	if err != nil {
		t.Fatal(err)
	}
	return typ
}

// Whatever the types are, NewArithmetic makes a machine that runs, or tells what is wrong.
func TestArithmeticNeverPanics(t *testing.T) {
	rng := random(t)
	made := 0
	for range 3000 {
		n := randomNetwork(rng, rng.IntN(2) == 0)
		if n.Formats == nil {
			n.Formats = map[string]fx.Type{}
		}
		for range 1 + rng.IntN(3) {
			kind := golden.FormatKinds[rng.IntN(len(golden.FormatKinds))]
			width := 1 + rng.IntN(64)
			n.Formats[kind] = fx.Type{Format: fx.Format{Width: width, Frac: rng.IntN(width+40) - 20, Signed: rng.IntN(2) == 0}, Rounding: fx.Rounding(rng.IntN(8)), Overflow: fx.Overflow(rng.IntN(4))}
		}
		a, err := golden.NewArithmetic(n)
		if err != nil {
			if !errors.Is(err, golden.ErrUsage) {
				t.Fatalf("%+v: %v", *n, err)
			}
			continue
		}
		made++
		m := golden.NewMachine(a)
		newPage(t, rng, n, m)
		x := make([]int64, n.Layers[0])
		for j := range x {
			x[j] = a.Formats.X.Word(a.Formats.X.Max())
		}
		for range n.Learning.Batch {
			m.Run(x, golden.Command{Learn: true}, nil)
		}
	}
	if made < 100 {
		t.Errorf("only %d machines", made)
	}
}

// What does not fit when weights are converted is reported by tensor; NaN and infinity are errors.
func TestSetWeights(t *testing.T) {
	n := digitNetwork([]int{4, 3, 2}, 1)
	n.Formats = map[string]fx.Type{"W1": parse(t, "ap_fixed<8,2,RND,SAT>")}
	a, err := golden.NewArithmetic(n)
	if err != nil {
		t.Fatal(err)
	}
	m := golden.NewMachine(a)
	w := golden.InitialWeights(n, 1)
	w.W[1].Set(0, 0, 2)
	w.W[1].Set(1, 2, -9)
	w.W[1].Set(1, 1, -2)
	misfits, err := m.SetWeights(w)
	if err != nil || len(misfits) != 1 || misfits[0] != (golden.Misfit{Tensor: "W1", Type: "ap_fixed<8,2,RND,SAT>", Count: 2, Of: 6, Worst: -9, Bits: 5}) {
		t.Errorf("got %+v, %v", misfits, err)
	}
	if got := m.Synapse(1, 1, 2); got != -128 {
		t.Errorf("-9 became %d", got)
	}
	w.F[1].Set(2, 1, math.NaN())
	if _, err := m.SetWeights(w); !errors.Is(err, golden.ErrDamaged) || !strings.Contains(err.Error(), "weights: F1 row 2 column 1 is NaN") {
		t.Errorf("NaN: got %v", err)
	}
}

// The exact formats of 784-500-10 with default types and N = 20, worked out by hand from the page.
func TestDerivedFormats(t *testing.T) {
	a, err := golden.NewArithmetic(digitNetwork([]int{784, 500, 10}, 20))
	if err != nil {
		t.Fatal(err)
	}
	if want := (golden.Sums{Basal: fx.S(37, 24), Feedback: fx.S(31, 24), Lateral: fx.S(36, 40)}); a.Sums != want {
		t.Errorf("accumulators %v, want %v", a.Sums, want)
	}
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
		x := a.Matrices[i]
		if x.Name() != want.name || x.Product != want.product || x.Shift != want.shift || x.Sum != want.sum {
			t.Errorf("got %s %v shift %d, sum %v; want %+v", x.Name(), x.Product, x.Shift, x.Sum, want)
		}
	}
}

// The formats of 784-500-10 with both layers sparse, worked out by hand from the page: hidden nu 1e-6, output nu 0.01.
func TestSparseFormats(t *testing.T) {
	n := digitNetwork([]int{784, 500, 10}, 20)
	n.Settling.FreeIterations, n.Settling.NudgedIterations = 30, 10
	n.Sparse = golden.Sparse{Layers: []int{1, 2}, Nu: []float64{1e-6, 0.01}}
	a, err := golden.NewArithmetic(n)
	if err != nil {
		t.Fatal(err)
	}
	if want := (golden.Sums{Basal: fx.S(39, 24), Feedback: fx.S(34, 24), Lateral: fx.S(39, 40)}); a.Sums != want {
		t.Errorf("sums %v, want %v", a.Sums, want)
	}
	rounded := func(f fx.Format) fx.Type { return fx.Type{Format: f, Rounding: fx.Rnd, Overflow: fx.Sat} }
	for k, sum := range map[int]fx.Format{1: fx.U(23, 10), 2: fx.U(18, 10)} { // of 500 and 10 states of 14 bits
		if got := a.Interneuron[k].Nodes()[0].Format; got != sum {
			t.Errorf("sum of layer %d: got %v, want %v", k, got, sum)
		}
	}
	for k, want := range map[int]golden.InterneuronTypes{
		1: {Excess: rounded(fx.S(18, 8)), QU: rounded(fx.S(24, 28)), Q: rounded(fx.U(18, 23)), Nu: rounded(fx.U(17, 36))},
		2: {Excess: rounded(fx.S(18, 13)), QU: rounded(fx.S(24, 20)), Q: rounded(fx.U(18, 15)), Nu: rounded(fx.U(17, 23))},
	} {
		if got := a.Formats.Layer[k].Interneuron; got == nil || *got != want {
			t.Errorf("layer %d: got %+v, want %+v", k, got, want)
		}
	}
}

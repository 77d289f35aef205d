package golden_test

import (
	"bytes"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"testing"

	fx "corinfo/fixedpoint"
	"corinfo/fixedpoint/vector"
	"corinfo/golden"
)

// random gives a generator and prints its seed; CORINFO_SEED repeats a run.
func random(t *testing.T) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	if text := os.Getenv("CORINFO_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("CORINFO_SEED: %v", err)
		}
	}
	t.Logf("CORINFO_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func oneOf[T any](rng *rand.Rand, list ...T) T { return list[rng.IntN(len(list))] }

// randomNetwork is a small network with random settings and, without defaults, random types.
func randomNetwork(rng *rand.Rand, defaults bool) *golden.Network {
	n := &golden.Network{
		Name:    "random",
		Layers:  oneOf(rng, []int{2, 1}, []int{3, 2}, []int{5, 4, 3}, []int{6, 1, 2}, []int{4, 5, 3, 2}, []int{1, 3, 3}),
		Epsilon: oneOf(rng, 0.15, 0.4, 1),
		Lambda:  oneOf(rng, 0.9, 0.99),
		Leak:    oneOf(rng, 0.5, 0.1),
		Settling: golden.Settling{FreeIterations: 1 + rng.IntN(9), NudgedIterations: 1 + rng.IntN(6), EarlyEnd: rng.IntN(2) == 0,
			Step: golden.Step{Rule: oneOf(rng, "constant", "divide_by_loop_index", "divide_by_slow_loop_index"), Start: oneOf(rng, 0.05, 0.2), Stop: 0.04, Decay: oneOf(rng, 0.01, 0.5)}},
		Learning: golden.Learning{Batch: oneOf(rng, 1, 3), Beta: oneOf(rng, 1, 0.5, 2), ThreePhase: rng.IntN(2) == 0, Epochs: 1, Decay: golden.Decay{Factor: 1, Then: 1}},
		Seed:     rng.Uint32(),
		Formats:  map[string]fx.Type{},
	}
	if rng.IntN(20) == 0 { // vectors, and what is left over
		n.Layers = []int{1 + rng.IntN(40), 8 + rng.IntN(40), 1 + rng.IntN(12)}
	}
	for k := range n.K() {
		n.Learning.Feedforward = append(n.Learning.Feedforward, oneOf(rng, 1, 0.3, 0))
		if k > 0 {
			n.Learning.Feedback = append(n.Learning.Feedback, oneOf(rng, 0.5, 0.2))
		}
	}
	if rng.IntN(2) == 0 {
		for k := 1; k <= n.K(); k++ {
			if rng.IntN(2) == 0 {
				n.Sparse.Layers, n.Sparse.Nu = append(n.Sparse.Layers, k), append(n.Sparse.Nu, oneOf(rng, 1, 0.3, 0.05, 0.004))
			}
		}
	}
	if defaults {
		return n
	}
	mode := func(f fx.Format, stored bool) fx.Type {
		t := fx.Type{Format: f, Rounding: fx.Rounding(rng.IntN(7)), Overflow: fx.Overflow(rng.IntN(4))}
		if stored && rng.IntN(2) == 0 {
			t.Rounding = fx.Stochastic
		}
		return t
	}
	signed := func(low, high, integer int) fx.Format {
		width := low + rng.IntN(high-low+1)
		return fx.S(width, width-integer-rng.IntN(2))
	}
	set := func(kind string, low int, make func() fx.Type) {
		if rng.IntN(2) == 0 {
			n.Formats[kind] = make()
			return
		}
		for k := low; k <= n.K(); k++ {
			n.Formats[kind+strconv.Itoa(k)] = make()
		}
	}
	n.Formats["x"] = mode(fx.Format{Width: 2 + rng.IntN(7), Frac: rng.IntN(7), Signed: rng.IntN(3) == 0}, false)
	n.Formats["eta"] = mode(fx.U(14, 11+rng.IntN(4)), false)
	n.Formats["coefficient"] = mode(fx.S(19, 6+rng.IntN(8)), false)
	n.Formats["rate"] = mode(fx.U(16, 12-rng.IntN(4)), false)
	n.Formats["gamma"] = mode(fx.U(14, 8+rng.IntN(7)), false)
	// 1 is inside the range of a state, or just above it, or, with negative fraction, between 0 and the next.
	fraction := rng.IntN(12) - 1
	integer := 2 + 2*max(0, -fraction)
	set("r", 1, func() fx.Type {
		return mode(oneOf(rng, fx.U(fraction+integer-1, fraction), fx.U(max(fraction, 1), max(fraction, 1)), fx.S(fraction+integer, fraction)), false)
	})
	set("u", 1, func() fx.Type {
		more := oneOf(rng, rng.IntN(7), 0)
		return mode(fx.S(fraction+more+integer+rng.IntN(3), fraction+more), false)
	})
	n.Formats["nu"] = mode(fx.U(12, 9+rng.IntN(3)), false)
	set("excess", 1, func() fx.Type { return mode(signed(4, 12, 4), false) })
	set("q", 1, func() fx.Type {
		return mode(oneOf(rng, fx.U(fraction+3, fraction+2), fx.U(fraction+5, fraction+2), fx.S(fraction+4, fraction+2)), false)
	})
	set("qu", 1, func() fx.Type {
		more := oneOf(rng, rng.IntN(9), 0)
		return mode(fx.S(fraction+more+6+rng.IntN(3), fraction+2+more), false)
	})
	for _, c := range []struct { // in this order: a seed repeats its networks
		kind    string
		integer int
	}{{"current", 3}, {"lateral", 1}, {"drive", 5}, {"e", 2}, {"d", 2}, {"c", 1}} {
		set(c.kind, 1, func() fx.Type { return mode(signed(5, 16, c.integer), false) })
	}
	for _, kind := range []string{"W", "F", "C"} {
		set(kind, 0, func() fx.Type { return mode(signed(3, 14, 2), true) })
		set("d"+kind, 0, func() fx.Type { return mode(signed(3, 16, 2), false) })
	}
	return n
}

// newPage gives a page and a machine the same random synapses.
func newPage(t *testing.T, rng *rand.Rand, n *golden.Network, m *golden.Machine) *page {
	t.Helper()
	K := n.K()
	p := &page{n: n, W: make([]matrix, K), F: make([]matrix, K), C: make([]matrix, K+1), events: make([]int64, K+1), overflows: map[string]int64{}, lost: map[string]int64{}}
	p.types = func(kind string, index int) fx.Type {
		if t, ok := n.Formats[kind+strconv.Itoa(index)]; ok {
			return t
		}
		if t, ok := n.Formats[kind]; ok {
			return t
		}
		return pageDefault(n, kind, index)
	}
	tensor := 0
	fill := func(kind string, k, rows, cols int) matrix {
		typ := p.types(kind, k)
		x := make(matrix, rows)
		for i := range x {
			x[i] = make([]*big.Rat, cols)
			for j := range x[i] {
				limit := int64(1) << (typ.Width - 1)
				raw := rng.Int64N(2*limit) - limit
				if typ.Overflow == fx.SatSym && raw == -limit {
					raw = 0
				}
				if kind == "C" && j < i {
					raw = word(typ, x[j][i])
				}
				x[i][j] = value(typ, raw)
			}
			if kind == "C" {
				for j := range i {
					x[i][j] = x[j][i]
				}
			}
		}
		for i := range x {
			for j := range x[i] {
				m.SetSynapse(tensor, i, j, word(typ, x[i][j]))
			}
		}
		tensor++
		return x
	}
	for k := range K {
		p.W[k] = fill("W", k, n.Layers[k+1], n.Layers[k])
	}
	for k := 1; k < K; k++ {
		p.F[k] = fill("F", k, n.Layers[k], n.Layers[k+1])
	}
	for k := 1; k <= K; k++ {
		p.C[k] = fill("C", k, n.Layers[k], n.Layers[k])
	}
	return p
}

// pageDefault is the table of default types.
func pageDefault(n *golden.Network, kind string, k int) fx.Type {
	l, gamma, N := n.Learning, (1-n.Lambda)/n.Lambda, float64(n.Learning.Batch)
	nu, scale := 0.0, 1.0
	for i, layer := range n.Sparse.Layers {
		if layer == k {
			nu, scale = n.Sparse.Nu[i], 2
		}
	}
	iterations := n.Settling.FreeIterations + n.Settling.NudgedIterations
	if l.ThreePhase {
		iterations += n.Settling.NudgedIterations
	}
	excess := max(float64(n.Layers[k]), 15)
	inhibition := min(nu*float64(iterations)*excess, 30/n.Epsilon)
	fit := func(bits int, bound float64, signed bool) fx.Type {
		integer := 0
		for math.Ldexp(1, integer) <= bound {
			integer++
		}
		for math.Ldexp(1, integer-1) > bound {
			integer--
		}
		t := fx.Type{Format: fx.U(bits, bits-integer), Rounding: fx.Rnd, Overflow: fx.Sat}
		if signed {
			t.Format = fx.S(bits, bits-integer-1)
		}
		return t
	}
	stored := func(bound float64) fx.Type {
		t := fit(16, bound, true)
		t.Rounding = fx.Stochastic
		return t
	}
	switch kind {
	case "x":
		return fx.Type{Format: fx.U(9, 8), Rounding: fx.Rnd, Overflow: fx.Sat}
	case "r":
		if nu > 0 {
			return fit(14, 15, false)
		}
		return fx.Type{Format: fx.U(11, 10), Rounding: fx.Rnd, Overflow: fx.Sat}
	case "u", "e", "d":
		return fit(18, scale*7, true)
	case "excess":
		return fit(18, excess, true)
	case "qu":
		return fit(24, inhibition, true)
	case "q":
		return fit(18, inhibition, false)
	case "nu":
		return fit(17, nu, false)
	case "current":
		return fit(18, scale*15, true)
	case "lateral", "c":
		return fit(18, 8*gamma, true)
	case "drive":
		return fit(18, scale*15/n.Epsilon, true)
	case "W", "F":
		return stored(1.5)
	case "C":
		return stored(2 * gamma)
	case "dW", "dF":
		return fit(18, N, true)
	case "dC":
		return fit(18, N*8*gamma*gamma, true)
	case "eta":
		return fit(17, n.Settling.Step.Start, false)
	case "coefficient":
		return fit(18, max(1/n.Epsilon, n.Leak+l.Beta, n.Leak+2/n.Epsilon, n.Leak+1/n.Epsilon+1), true)
	case "rate":
		bound := 1 / (n.Lambda * N)
		for _, mu := range append(slices.Clone(l.Feedforward), l.Feedback...) {
			bound = max(bound, mu/(l.Beta*N))
		}
		return fit(17, bound, false)
	case "gamma":
		return fit(17, gamma, false)
	}
	panic(kind)
}

// TestMachineIsThePage holds every state of every iteration, every written synapse, classes and counters of the
// machine, in events and in dense mode, against docs/ARITHMETIC.md written out in rational numbers.
func TestMachineIsThePage(t *testing.T) {
	rng := random(t)
	networks := 150
	if testing.Short() {
		networks /= 5
	}
	refused, moved, early, sparseEarly, inhibited, lost, overflown := 0, 0, 0, 0, 0, 0, 0
	for i := range networks {
		n := randomNetwork(rng, i%5 == 0)
		if i%5 == 1 { // sparse phases seldom end early: these have the time to
			n.Sparse.Layers, n.Sparse.Nu = []int{1 + rng.IntN(n.K())}, []float64{oneOf(rng, 1, 0.3)}
			n.Settling.EarlyEnd, n.Settling.FreeIterations, n.Settling.Step.Rule = true, 40, "constant"
		}
		a, err := golden.NewArithmetic(n)
		if err != nil {
			refused++
			continue
		}
		m := golden.NewMachine(a)
		p := newPage(t, rng, n, m)
		dense := golden.NewMachine(a)
		dense.Dense = true
		for tensor, x := range a.Matrices {
			for row := range x.Rows {
				for col := range x.Cols {
					dense.SetSynapse(tensor, row, col, m.Synapse(tensor, row, col))
				}
			}
		}
		if i%3 == 0 {
			p.update = rng.Uint32()
			m.SetStep(p.update)
			dense.SetStep(p.update)
		}
		for sample := range 2*n.Learning.Batch + 2 {
			X := p.types("x", 0)
			raw := make([]int64, n.Layers[0])
			x := make([]*big.Rat, len(raw))
			for j := range raw {
				if raw[j] = rng.Int64N(1 << X.Width); X.Signed {
					raw[j] -= 1 << (X.Width - 1)
				}
				if rng.IntN(3) == 0 {
					raw[j] = 0
				}
				x[j] = value(X, raw[j])
			}
			c := golden.Command{Learn: sample != 1 && sample != 2*n.Learning.Batch, Label: rng.IntN(n.Layers[n.K()]), Negative: rng.IntN(2) == 0}
			where := fmt.Sprintf("network %d, %+v, sample %d, %+v", i, *n, sample, c)
			class := p.run(x, c.Learn, c.Label, c.Negative)
			for _, machine := range []*golden.Machine{m, dense} {
				var trace golden.Trace
				got := machine.Run(raw, c, &trace)
				if machine.Dense {
					where += ", dense"
				}
				compareTrace(t, where, p, &trace)
				if got != class || trace.Class != class {
					t.Fatalf("%s: class %d and %d, want %d", where, got, trace.Class, class)
				}
				for j, score := range p.scores {
					if trace.Scores[j] != word(p.types("r", n.K()), score) {
						t.Fatalf("%s: score %d: got %d, want %v", where, j, trace.Scores[j], score)
					}
				}
			}
			moved += len(p.writes)
			if c.Learn && len(p.records) < n.K()*(n.Settling.FreeIterations+n.Settling.NudgedIterations) {
				early++
				sparseEarly += min(1, len(n.Sparse.Layers))
			}
			for _, r := range p.records {
				if r.Q != 0 {
					inhibited++
				}
			}
		}
		compareCounts(t, fmt.Sprintf("network %d, %+v", i, *n), p, m, dense)
		for _, v := range p.lost {
			lost += int(v)
		}
		for _, v := range p.overflows {
			overflown += int(v)
		}
	}
	t.Logf("%d networks, %d refused; %d columns written, %d samples ended early, %d of sparse networks, %d steps left an interneuron active, %d updates lost, %d overflows",
		networks, refused, moved, early, sparseEarly, inhibited, lost, overflown)
	if refused > networks/3 || moved == 0 || early == 0 || sparseEarly == 0 || inhibited == 0 || lost == 0 || overflown == 0 {
		t.Error("the networks do not show everything")
	}
}

// TestMachineInEveryInstructionSet repeats TestMachineIsThePage without AVX-512 and without assembly; a processor that
// has less than the set named uses what it has.
func TestMachineInEveryInstructionSet(t *testing.T) {
	for _, set := range []string{"avx2", "go"} {
		test := exec.Command(os.Args[0], "-test.run=^TestMachineIsThePage$", "-test.v")
		test.Env = append(os.Environ(), vector.Variable+"="+set)
		out, err := test.CombinedOutput()
		if err != nil || !bytes.Contains(out, []byte("--- PASS: TestMachineIsThePage")) {
			t.Errorf("%s: %v\n%s", set, err, out)
		}
	}
}

func compareTrace(t *testing.T, where string, p *page, trace *golden.Trace) {
	t.Helper()
	if len(trace.Records) != len(p.records) {
		t.Fatalf("%s: %d settling steps, want %d", where, len(trace.Records), len(p.records))
	}
	for i, want := range p.records {
		got := trace.Records[i]
		if got.Phase != want.Phase || got.Iteration != want.Iteration || got.Layer != want.Layer || !slices.Equal(got.U, want.U) || !slices.Equal(got.R, want.R) ||
			got.QU != want.QU || got.Q != want.Q || got.Changed != want.Changed {
			t.Fatalf("%s:\ngot  %+v\nwant %+v", where, got, want)
		}
	}
	if len(trace.Writes) != len(p.writes) {
		t.Fatalf("%s: %d columns written, want %d", where, len(trace.Writes), len(p.writes))
	}
	for i, want := range p.writes {
		got := trace.Writes[i]
		if got.Matrix != want.Matrix || got.Column != want.Column || !slices.Equal(got.Words, want.Words) {
			t.Fatalf("%s:\ngot  %+v\nwant %+v", where, got, want)
		}
	}
}

func compareCounts(t *testing.T, where string, p *page, m, dense *golden.Machine) {
	t.Helper()
	got, all := m.Counts(), dense.Counts()
	if !slices.Equal(got.LayerEvents, p.events) {
		t.Fatalf("%s: events %d, want %d", where, got.LayerEvents, p.events)
	}
	total := int64(0)
	for _, n := range p.events {
		total += n
	}
	if got.Events != total || all.Products != got.DenseProducts || got.Steps != all.Steps || got.DenseProducts != all.DenseProducts ||
		!slices.Equal(got.UpdateTerms, all.UpdateTerms) || got.Updates != all.Updates || got.Products > all.Products {
		t.Fatalf("%s: counts %+v, dense %+v", where, got, all)
	}
	for _, c := range []struct {
		what      string
		got, want map[string]int64
	}{{"overflows", got.Overflows, p.overflows}, {"lost", got.Lost, p.lost}, {"dense overflows", all.Overflows, p.overflows}, {"dense lost", all.Lost, p.lost}} {
		for name, n := range c.want {
			if c.got[name] != n {
				t.Fatalf("%s: %s of %s: %d, want %d", where, c.what, name, c.got[name], n)
			}
		}
		for name, n := range c.got {
			if c.want[name] != n {
				t.Fatalf("%s: %s of %s: %d, want %d", where, c.what, name, n, c.want[name])
			}
		}
	}
}

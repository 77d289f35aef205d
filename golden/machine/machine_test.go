package machine_test

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
	"corinfo/golden/arithmetic"
	"corinfo/golden/machine"
	"corinfo/golden/rule"
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

// network is a small network with random settings and types.
type network struct {
	rule    string
	s       *rule.Settings
	seed    uint32
	formats map[string]fx.Type
}

// String names a network in failures.
func (n *network) String() string {
	return fmt.Sprintf("%s %+v %+v %v", n.rule, *n.s, n.s.Own, n.formats)
}

// randomNetwork draws one; with defaults, its types are those of the rule.
func randomNetwork(rng *rand.Rand, name string, defaults bool) *network {
	n := &network{rule: name, seed: rng.Uint32(), formats: map[string]fx.Type{}}
	n.s = &rule.Settings{
		Layers: oneOf(rng, []int{2, 1}, []int{3, 2}, []int{5, 4, 3}, []int{6, 1, 2}, []int{4, 5, 3, 2}, []int{1, 3, 3}),
		Settling: rule.Settling{
			FreeIterations: 1 + rng.IntN(9), NudgedIterations: 1 + rng.IntN(6), EarlyEnd: rng.IntN(2) == 0,
			Step: rule.StepSize{Rule: oneOf(rng, "constant", "divide_by_loop_index", "divide_by_slow_loop_index"), Start: oneOf(rng, 0.05, 0.2, 0.5),
				Stop: 0.04, Decay: oneOf(rng, 0.01, 0.5), Inference: oneOf(rng, 0, 0, 0.3)},
		},
		Learning: rule.Learning{Batch: oneOf(rng, 1, 3), Beta: oneOf(rng, 1, 0.5, 2), Contrast: oneOf(rng, "free", "third", "centred"),
			Decay: rule.Decay{Factor: oneOf(rng, 1, 0.9), Every: rng.IntN(3), Batches: oneOf(rng, 0, 0, 1, 2)}},
	}
	n.s.Learning.Optimizer = randomOptimizer(rng)
	if rng.IntN(3) == 0 {
		n.s.Learning.Decay.Then = []rule.Stage{{From: 1, Factor: 0.8}, {From: 3, Factor: 0.5}}
	}
	if rng.IntN(20) == 0 { // vectors, and what is left over
		n.s.Layers = []int{1 + rng.IntN(40), 8 + rng.IntN(40), 1 + rng.IntN(12)}
	}
	K := len(n.s.Layers) - 1
	for k := range K {
		n.s.Learning.Feedforward = append(n.s.Learning.Feedforward, oneOf(rng, 1, 0.3, 0))
		if k > 0 {
			n.s.Learning.Feedback = append(n.s.Learning.Feedback, oneOf(rng, 0.5, 0.2))
		}
	}
	switch name {
	case "corinfomax":
		own := &rule.CorInfoMax{Epsilon: oneOf(rng, 0.15, 0.4, 1), Lambda: oneOf(rng, 0.9, 0.99), Leak: oneOf(rng, 0.5, 0.1), Lateral: rng.IntN(4) > 0}
		for k := 1; k <= K; k++ {
			if rng.IntN(4) == 0 {
				own.Sparse.Layers, own.Sparse.Nu = append(own.Sparse.Layers, k), append(own.Sparse.Nu, oneOf(rng, 1, 0.3, 0.05, 0.004))
			}
		}
		n.s.Own = own
	case "csm":
		own := &rule.CSM{}
		for range K - 1 {
			own.Lateral = append(own.Lateral, oneOf(rng, -0.3, -0.05))
		}
		n.s.Own, n.s.Learning.Contrast = own, "free"
	case "pc":
		n.s.Own = &rule.PC{Activation: oneOf(rng, rule.Activations...), Target: oneOf(rng, []float64{0.03, 0.97}, []float64{0, 1}, []float64{-0.5, 0.25})}
	case "pc-nudge":
		n.s.Own = &rule.PCNudge{Activation: oneOf(rng, rule.Activations...)}
	case "fa", "bp":
		n.s.Own = &rule.Backprop{Activation: oneOf(rng, rule.Activations...), Loss: oneOf(rng, "mse", "cross_entropy")}
	}
	if slices.Max(n.s.Learning.Feedforward) == 0 {
		n.s.Learning.Feedforward[0] = 0.3
	}
	if !defaults {
		randomFormats(rng, n)
	}
	if rng.IntN(3) == 0 { // normalized inputs
		n.s.Low, n.s.High = oneOf(rng, -0.81, -0.3), oneOf(rng, 0.92, 2)
	}
	return n
}

// randomOptimizer draws one of all kinds.
func randomOptimizer(rng *rand.Rand) rule.Optimizer {
	return rule.Optimizer{Kind: oneOf(rng, "sgd", "momentum", "adam"), Momentum: oneOf(rng, 0.9, 0.5), WeightDecay: oneOf(rng, 0, 0, 0.001, 0.25),
		Beta1: oneOf(rng, 0.9, 0.5), Beta2: oneOf(rng, 0.999, 0.9), Epsilon: oneOf(rng, 1e-8, 0.01), PlainRoot: rng.IntN(2) == 0}
}

// randomFormats draws short types of every tensor, of all layers together or of each.
func randomFormats(rng *rand.Rand, n *network) {
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
	K := len(n.s.Layers) - 1
	set := func(kind string, make func() fx.Type) {
		if rng.IntN(2) == 0 {
			n.formats[kind] = make()
			return
		}
		for k := range K + 1 {
			n.formats[kind+strconv.Itoa(k)] = make()
		}
	}
	n.formats["x"] = mode(fx.Format{Width: 2 + rng.IntN(7), Frac: rng.IntN(7), Signed: rng.IntN(3) == 0}, false)
	n.formats["eta"] = mode(fx.U(14, 11+rng.IntN(3)), false)
	n.formats["coefficient"] = mode(fx.S(19, 6+rng.IntN(8)), false)
	n.formats["rate"] = mode(fx.U(16, 12-rng.IntN(4)), false)
	n.formats["gamma"] = mode(fx.U(14, 8+rng.IntN(6)), false)
	n.formats["decay"] = mode(fx.U(12, 8+rng.IntN(4)), false)
	n.formats["nu"] = mode(fx.U(12, 9+rng.IntN(3)), false)
	// 1 is inside the range of a state, or just above it, or, with negative fraction, between 0 and the next.
	fraction := rng.IntN(12) - 1
	integer := 2 + 2*max(0, -fraction)
	state := func() fx.Type {
		return mode(oneOf(rng, fx.U(fraction+integer-1, fraction), fx.U(max(fraction, 1), max(fraction, 1)), fx.S(fraction+integer, fraction)), false)
	}
	set("r", func() fx.Type {
		_, compared := newRulePage(n.s.Own, n.rule).(comparing)
		if !compared && rng.IntN(3) > 0 {
			return mode(signed(5, 16, 3), false)
		}
		return state()
	})
	set("f", state)
	set("u", func() fx.Type {
		more := oneOf(rng, rng.IntN(7), 0)
		return mode(fx.S(fraction+more+integer+rng.IntN(3), fraction+more), false)
	})
	set("excess", func() fx.Type { return mode(signed(4, 12, 4), false) })
	set("q", func() fx.Type {
		return mode(oneOf(rng, fx.U(fraction+3, fraction+2), fx.U(fraction+5, fraction+2), fx.S(fraction+4, fraction+2)), false)
	})
	set("qu", func() fx.Type {
		more := oneOf(rng, rng.IntN(9), 0)
		return mode(fx.S(fraction+more+6+rng.IntN(3), fraction+2+more), false)
	})
	for _, c := range []struct { // in this order: a seed repeats its networks
		kind    string
		integer int
	}{{"current", 3}, {"lateral", 1}, {"drive", 5}, {"e", 2}, {"d", 2}, {"c", 1}} {
		set(c.kind, func() fx.Type { return mode(signed(5, 16, c.integer), false) })
	}
	for _, kind := range []string{"W", "F", "C", "b", "M", "B"} {
		set(kind, func() fx.Type { return mode(signed(3, 14, 2), true) })
		set("d"+kind, func() fx.Type { return mode(signed(3, 16, 2), false) })
	}
	fraction = rng.IntN(14) + 2
	set("top", func() fx.Type { return mode(signed(5, 16, 3), false) })
	for _, kind := range []string{"exp", "norm"} {
		set(kind, func() fx.Type { return mode(fx.U(fraction+rng.IntN(3), fraction), false) })
	}
	for _, kind := range []string{"W", "F", "b"} {
		set("m"+kind, func() fx.Type { return mode(signed(4, 20, 3), true) })
		set("v"+kind, func() fx.Type { return mode(oneOf(rng, fx.U(24, 20+rng.IntN(4)), fx.U(8, 6), fx.S(12, 9)), true) })
		set("root"+kind, func() fx.Type { return mode(fx.U(4+rng.IntN(12), 3+rng.IntN(10)), false) })
		set("step"+kind, func() fx.Type { return mode(signed(4, 16, 3), false) })
	}
	// Settings have to fit: the default types, a little shorter.
	for _, kind := range []string{"momentum", "shrink", "correction", "epsilon", "fresh", "beta", "target"} {
		if rng.IntN(2) == 0 {
			continue
		}
		if f, ok := optionalDefault(n.rule, n.s, kind); ok {
			cut := rng.IntN(3)
			n.formats[kind] = mode(fx.Format{Width: f.Width - cut, Frac: f.Frac - cut, Signed: f.Signed}, false)
		}
	}
}

// newRulePage is the page of a rule.
func newRulePage(own any, name string) rulePage {
	switch own := own.(type) {
	case *rule.CorInfoMax:
		return &corInfoMaxPage{o: own}
	case *rule.CSM:
		return &equilibriumPage{lateral: own}
	case *rule.PC:
		return &predictivePage{activation: own.Activation, target: own.Target}
	case *rule.PCNudge:
		return &predictivePage{activation: own.Activation}
	case *rule.Backprop:
		return &backpropPage{o: own, aligned: name == "fa"}
	}
	return &equilibriumPage{}
}

// optionalDefault is the default type of a setting that not every rule or optimizer has.
func optionalDefault(name string, s *rule.Settings, kind string) (t fx.Type, ok bool) {
	o := s.Learning.Optimizer
	switch kind {
	case "momentum":
		ok = o.Kind == "momentum"
	case "shrink":
		ok = o.Kind != "adam" && o.WeightDecay > 0
	case "beta":
		ok = name == "pc-nudge"
	case "target":
		ok = name == "pc"
	default:
		ok = o.Kind == "adam"
	}
	if ok {
		t = pageDefault(&page{s: s, own: newRulePage(s.Own, name)}, kind, 0)
	}
	return t, ok
}

// anyWord is a random word of a type.
func anyWord(rng *rand.Rand, t fx.Type) int64 {
	raw := int64(rng.Uint64() >> 1 >> (63 - min(t.Width, 63)))
	if t.Signed {
		raw -= int64(1) << (t.Width - 1)
	}
	if t.Signed && t.Overflow == fx.SatSym && raw == -1<<(t.Width-1) {
		return 0
	}
	return raw
}

// newPage gives a page and machines the same random synapses.
func newPage(t *testing.T, rng *rand.Rand, n *network, machines ...*machine.Machine) *page {
	t.Helper()
	d := machines[0].A.D
	p := &page{s: n.s, seed: n.seed, matrices: map[string]matrix{}, beside: map[string]matrix{}, own: newRulePage(n.s.Own, n.rule), events: make([]int64, len(n.s.Layers)),
		roundings: map[string]int64{}, overflows: map[string]int64{}, lost: map[string]int64{}}
	p.types = func(kind string, index int) fx.Type {
		if t, ok := n.formats[kind+strconv.Itoa(index)]; ok {
			return t
		}
		if t, ok := n.formats[kind]; ok {
			return t
		}
		return pageDefault(p, kind, index)
	}
	var names []string
	blank := rng.IntN(2) == 0 // words beside synapses begin with 0, or are those of a training under way
	for _, at := range d.Stored() {
		x := d.Projections[at]
		tensor := d.Tensors[x.Tensor]
		typ := p.types(tensor.Kind, tensor.Index)
		m := make(matrix, x.Rows)
		for i := range m {
			m[i] = make([]*big.Rat, x.Cols)
			for j := range m[i] {
				limit := int64(1) << (typ.Width - 1)
				raw := rng.Int64N(2*limit) - limit
				if typ.Overflow == fx.SatSym && raw == -limit {
					raw = 0
				}
				if x.Symmetric && j < i {
					raw = word(typ, m[j][i])
				}
				m[i][j] = value(typ, raw)
				for _, machine := range machines {
					machine.SetSynapse(at, i, j, raw)
				}
			}
		}
		p.matrices[x.Name] = m
		names = append(names, x.Name)
		for at2, b := range x.Words {
			typ := p.types(d.Tensors[b.Tensor].Kind, tensor.Index)
			words := make(matrix, x.Rows)
			for i := range words {
				words[i] = zeros(x.Cols)
				for j := range words[i] {
					if blank {
						continue
					}
					raw := anyWord(rng, typ)
					words[i][j] = value(typ, raw)
					for _, machine := range machines {
						machine.SetBeside(at, at2, i, j, raw)
					}
				}
			}
			p.beside[b.Name+x.Name] = words
		}
	}
	if want, _ := p.own.names(p.K()); !slices.Equal(names, want) {
		t.Fatalf("%v: matrices %v, want %v", n, names, want)
	}
	return p
}

// fit is that of "Types", ufit the same without a sign.
func fit(bits int, bound float64, signed bool) fx.Type {
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

// storedFit is fit(16, m) with STOCHASTIC.
func storedFit(bound float64) fx.Type {
	t := fit(16, bound, true)
	t.Rounding = fx.Stochastic
	return t
}

// positive is ap_ufixed of so many bits, of them behind the binary point, RND and SAT.
func positive(bits, frac int) fx.Type {
	return fx.Type{Format: fx.U(bits, frac), Rounding: fx.Rnd, Overflow: fx.Sat}
}

// activated is the default type of an activation's values.
func activated(activation string) fx.Type {
	switch activation {
	case "linear":
		return fit(15, 15, true)
	case "relu":
		return fit(15, 15, false)
	case "sigmoid":
		return positive(15, 15)
	}
	return positive(15, 14)
}

// pageDefault is the tables of default types.
func pageDefault(p *page, kind string, k int) fx.Type {
	s := p.s
	step := fit(17, max(s.Settling.Step.Start, s.Settling.Step.Inference), false)
	switch kind { // what the rules share
	case "x":
		if s.Low < 0 {
			return fit(10, max(-s.Low, s.High), true)
		}
		return positive(9, 8)
	case "W", "F", "b":
		return storedFit(1.5)
	case "dM":
		return fit(18, float64(s.Learning.Batch), true)
	case "slope":
		return positive(13, 14)
	case "dC":
	default:
		if t, ok := optimizerDefault(p, kind); ok {
			return t
		}
	}
	switch own := s.Own.(type) {
	case *rule.CorInfoMax:
		if kind == "eta" {
			return step
		}
		return corInfoMaxDefault(s, own, kind, k)
	case *rule.PC:
		switch kind {
		case "r":
			return fit(22, 15, true)
		case "target":
			low, high := math.Abs(own.Target[0]), math.Abs(own.Target[1])
			return fit(18, max(low, high)+low, true)
		case "e":
			if k == p.K() {
				return fit(15, 15.0/16, true)
			}
		case "kept":
			return fit(18, 15.0/16, true)
		}
		return predictiveDefault(s, kind, own.Activation, 15.0/128)
	case *rule.PCNudge:
		switch kind {
		case "r":
			return fit(28, 31, true)
		case "beta":
			return fit(18, s.Learning.Beta, true)
		}
		return predictiveDefault(s, kind, own.Activation, 8*s.Learning.Beta)
	case *rule.Backprop:
		switch kind {
		case "r":
			if k < p.K() {
				return activated(own.Activation)
			}
			return fit(18, 31, true)
		case "e":
			return fit(15, 1, true)
		case "B":
			return fit(16, 1.5, true)
		case "current":
			return fit(18, 7, true)
		case "top":
			return fit(18, 31, true)
		case "exp", "norm":
			return positive(18, 17)
		}
	default:
		switch kind {
		case "r":
			return positive(15, 14)
		case "drive":
			return fit(18, 31, true)
		case "e":
			return fit(18, 1, true)
		case "M":
			return storedFit(3)
		case "eta":
			return step
		case "coefficient":
			return fit(18, 1+2*s.Learning.Beta, true)
		case "decay":
			return fit(17, -slices.Min(own.(*rule.CSM).Lateral)/(2*s.Learning.Beta), false)
		}
	}
	panic(kind)
}

// predictiveDefault is what predictive coding and its nudged form share; bound is that of hidden neurons' errors.
func predictiveDefault(s *rule.Settings, kind, activation string, bound float64) fx.Type {
	e := fit(15, bound, true)
	switch kind {
	case "f":
		return activated(activation)
	case "e":
		return e
	case "drive":
		return fit(18, 4*math.Ldexp(1<<14-1, -e.Frac), true)
	case "current":
		return fit(18, 7*math.Ldexp(1<<14-1, -e.Frac), true)
	case "eta":
		return fit(17, 2*s.Settling.Step.Start, false)
	}
	panic(kind)
}

// optimizerDefault is the tables of "Optimizers".
func optimizerDefault(p *page, kind string) (t fx.Type, ok bool) {
	l, o := p.s.Learning, p.s.Learning.Optimizer
	N, s, M := float64(l.Batch), p.own.rate(p, 1), slices.Max(l.Feedforward)
	bound := N
	switch p.s.Own.(type) {
	case *rule.PC:
		bound = 15 * N / 16
	case *rule.PCNudge:
		bound = 8 * l.Beta * N
	}
	R := 0.0 // the rule's own rates
	switch own := p.s.Own.(type) {
	case *rule.CorInfoMax:
		R = 1 / (own.Lambda * N)
		M = max(M, slices.Max(append([]float64{0}, l.Feedback...)))
	case *rule.CSM:
		for _, alpha := range own.Lateral {
			R = max(R, -alpha/(2*l.Beta*N))
		}
	}
	scaled := M * s
	if _, compares := p.own.(comparing); compares {
		scaled = M / (l.Beta * N)
	}
	adam := o.Kind == "adam"
	switch kind {
	case "dW", "dF", "db":
		if adam {
			return fit(20, bound/4, true), true
		}
		return fit(18, bound, true), true
	case "mW", "mF", "mb":
		t := fit(24, bound/(1-o.Momentum), true)
		if adam {
			t = fit(24, bound/4, true)
		}
		t.Rounding = fx.TrnZero
		return t, true
	case "vW", "vF", "vb":
		return fit(31, bound/20*(bound/20), false), true
	case "rootW", "rootF", "rootb":
		return fit(16, bound/20, false), true
	case "stepW", "stepF", "stepb":
		return fit(16, 1, true), true
	case "rate":
		if adam {
			return fit(17, max(M, R), false), true
		}
		return fit(17, max(scaled, R), false), true
	case "momentum":
		return fit(17, o.Momentum, false), true
	case "shrink":
		if o.Kind == "momentum" {
			return fit(17, o.WeightDecay/s, false), true
		}
		return fit(17, M*o.WeightDecay, false), true
	case "correction":
		return fit(17, 1, false), true
	case "epsilon":
		return fit(8, o.Epsilon/s, false), true
	case "fresh":
		return fit(17, max(1-o.Beta1, 1-o.Beta2), false), true
	}
	return t, false
}

// corInfoMaxDefault is the table of CorInfoMax.
func corInfoMaxDefault(s *rule.Settings, o *rule.CorInfoMax, kind string, k int) fx.Type {
	l, N := s.Learning, float64(s.Learning.Batch)
	gamma := (1 - o.Lambda) / o.Lambda
	nu, scale := 0.0, 1.0
	for i, layer := range o.Sparse.Layers {
		if layer == k {
			nu, scale = o.Sparse.Nu[i], 2
		}
	}
	iterations := s.Settling.FreeIterations + s.Settling.NudgedIterations
	if l.Contrast != "free" {
		iterations += s.Settling.NudgedIterations
	}
	excess := max(float64(s.Layers[k]), 15)
	inhibition := min(nu*float64(iterations)*excess, 30/o.Epsilon)
	switch kind {
	case "r":
		if nu > 0 {
			return fit(14, 15, false)
		}
		return positive(11, 10)
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
		return fit(18, scale*15/o.Epsilon, true)
	case "C":
		return storedFit(2 * gamma)
	case "dC":
		return fit(18, N*8*gamma*gamma, true)
	case "coefficient":
		return fit(18, max(1/o.Epsilon, o.Leak+l.Beta, o.Leak+2/o.Epsilon, o.Leak+1/o.Epsilon+1), true)
	case "gamma":
		return fit(17, gamma, false)
	}
	panic(kind)
}

// seen counts what the networks of a test have shown.
type seen struct {
	networks, refused, written, early, sparseEarly, inhibited, lost, overflown int
	words, beside                                                              int            // compared
	kinds                                                                      map[string]int // networks by optimizer, activation and loss
}

// TestMachineIsThePage holds every word of every iteration, every written synapse, classes and counters of the
// machine, in events and in dense mode, against docs/ARITHMETIC.md written out in rational numbers; and every mirrored
// matrix against its original.
func TestMachineIsThePage(t *testing.T) {
	for _, r := range rule.Rules {
		t.Run(r.Name, func(t *testing.T) {
			rng := random(t)
			s := seen{networks: 150, kinds: map[string]int{}}
			if testing.Short() {
				s.networks /= 5
			}
			for i := range s.networks {
				comparePage(t, rng, i, r.Name, &s)
			}
			t.Logf("%+v", s)
			for _, kind := range kinds(r) {
				if s.kinds[kind] == 0 && !testing.Short() {
					t.Errorf("no network with %s", kind)
				}
			}
			settles := r.Name != "fa" && r.Name != "bp"
			if s.refused > s.networks/3 || s.written == 0 || settles && s.early == 0 || s.lost == 0 || s.overflown == 0 || s.beside == 0 {
				t.Error("the networks do not show everything")
			}
			if r.Name == "corinfomax" && (s.sparseEarly == 0 || s.inhibited == 0) {
				t.Error("the sparse networks do not show everything")
			}
		})
	}
}

// kinds are the optimizers, activations and losses of a rule.
func kinds(r rule.Rule) []string {
	list := []string{"sgd", "momentum", "adam"}
	switch r.Own().(type) {
	case *rule.PC, *rule.PCNudge:
		list = append(list, rule.Activations...)
	case *rule.Backprop:
		list = append(list, append([]string{"mse", "cross_entropy"}, rule.Activations...)...)
	}
	return list
}

func comparePage(t *testing.T, rng *rand.Rand, i int, name string, s *seen) {
	t.Helper()
	n := randomNetwork(rng, name, i%5 == 0)
	if own, ok := n.s.Own.(*rule.CorInfoMax); ok && i%5 == 1 { // sparse phases seldom end early: these have the time to
		own.Sparse = rule.Sparse{Layers: []int{1 + rng.IntN(len(n.s.Layers)-1)}, Nu: []float64{oneOf(rng, 1, 0.3)}}
		n.s.Settling.EarlyEnd, n.s.Settling.FreeIterations, n.s.Settling.Step.Rule = true, 40, "constant"
	}
	if _, ok := newRulePage(n.s.Own, name).(*predictivePage); ok && (i%5 == 1 || i%5 == 3) { // so do values and errors
		n.s.Settling.EarlyEnd, n.s.Settling.NudgedIterations, n.s.Settling.Step.Rule = true, 40, "constant"
	}
	d := rule.Named(name).Describe(n.s)
	a, err := arithmetic.New(d, n.s.Learning.Batch, n.formats, pixels())
	if err != nil {
		s.refused++
		return
	}
	s.kinds[n.s.Learning.Optimizer.Kind]++
	switch own := n.s.Own.(type) {
	case *rule.PC:
		s.kinds[own.Activation]++
	case *rule.PCNudge:
		s.kinds[own.Activation]++
	case *rule.Backprop:
		s.kinds[own.Activation]++
		s.kinds[own.Loss]++
	}
	m, dense := machine.New(a, n.seed), machine.New(a, n.seed)
	dense.Dense = true
	p := newPage(t, rng, n, m, dense)
	if i%3 == 0 {
		if p.update = rng.Uint32(); rng.IntN(2) == 0 {
			p.update %= 40
		}
		m.SetStep(p.update)
		dense.SetStep(p.update)
	}
	batch, K := n.s.Learning.Batch, len(n.s.Layers)-1
	for sample := range 2*batch + 2 {
		if sample == batch {
			p.epoch = rng.IntN(5)
			m.SetEpoch(p.epoch)
			dense.SetEpoch(p.epoch)
		}
		X := p.types("x", 0)
		raw := make([]int64, n.s.Layers[0])
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
		c := machine.Command{Learn: sample != 1 && sample != 2*batch, Label: rng.IntN(n.s.Layers[K]), Negative: rng.IntN(2) == 0}
		where := fmt.Sprintf("network %d, %v, sample %d, %+v", i, n, sample, c)
		class := p.run(x, c.Learn, c.Label, c.Negative)
		for _, machine_ := range []*machine.Machine{m, dense} {
			var trace machine.Trace
			got := machine_.Run(raw, c, &trace)
			if machine_.Dense {
				where += ", dense"
			}
			compareTrace(t, where, d, p, &trace)
			if len(p.writes) > 0 {
				s.beside += compareBeside(t, where, d, p, machine_)
			}
			if got != class || trace.Class != class {
				t.Fatalf("%s: class %d and %d, want %d", where, got, trace.Class, class)
			}
			for j, score := range p.scores {
				if trace.Scores[j] != word(p.types("r", K), score) {
					t.Fatalf("%s: score %d: got %d, want %v", where, j, trace.Scores[j], score)
				}
			}
		}
		s.written += len(p.writes)
		all := 0
		for _, phase := range d.Phases {
			for _, group := range phase.Order {
				all += phase.Iterations * len(group)
			}
		}
		for _, write := range p.writes {
			s.words += len(write.Words)
		}
		if c.Learn && len(p.records) < all {
			s.early++
			if own, ok := n.s.Own.(*rule.CorInfoMax); ok && len(own.Sparse.Layers) > 0 {
				s.sparseEarly++
			}
		}
		for _, r := range p.records {
			for _, list := range r.words {
				s.words += len(list)
			}
			if r.step == "interneuron" && r.words[1][0] != 0 {
				s.inhibited++
			}
		}
	}
	compareCounts(t, fmt.Sprintf("network %d, %v", i, n), p, m, dense)
	compareMirrors(t, d, m)
	for _, v := range p.lost {
		s.lost += int(v)
	}
	for _, v := range p.overflows {
		s.overflown += int(v)
	}
}

// pixels are the inputs of a single plane of 0 .. 1.
func pixels() [][256]float64 {
	var table [256]float64
	for p := range table {
		table[p] = float64(p) / 255
	}
	return [][256]float64{table}
}

// TestMachineInEveryInstructionSet repeats TestMachineIsThePage without AVX-512 and without assembly; a processor that
// has less than the set named uses what it has.
func TestMachineInEveryInstructionSet(t *testing.T) {
	for _, set := range []string{"avx2", "go"} {
		test := exec.Command(os.Args[0], "-test.run=^TestMachineIsThePage$", "-test.v", "-test.short")
		test.Env = append(os.Environ(), vector.Variable+"="+set)
		out, err := test.CombinedOutput()
		if err != nil || !bytes.Contains(out, []byte("--- PASS: TestMachineIsThePage")) {
			t.Errorf("%s: %v\n%s", set, err, out)
		}
	}
}

func compareTrace(t *testing.T, where string, d *rule.Description, p *page, trace *machine.Trace) {
	t.Helper()
	if len(trace.Records) != len(p.records) {
		t.Fatalf("%s: %d steps, want %d", where, len(trace.Records), len(p.records))
	}
	for i, want := range p.records {
		got := trace.Records[i]
		step := d.Steps[got.Step]
		same := got.Phase == want.phase && got.Iteration == want.iteration && step.Layer == want.layer && step.Name == want.step && got.Changed == want.changed && len(got.Words) == len(want.words)
		for j := range want.words {
			same = same && slices.Equal(got.Words[j], want.words[j])
		}
		if !same {
			t.Fatalf("%s:\ngot  %+v, %s of layer %d\nwant %+v", where, got, step.Name, step.Layer, want)
		}
	}
	if len(trace.Writes) != len(p.writes) {
		t.Fatalf("%s: %d columns written, want %d", where, len(trace.Writes), len(p.writes))
	}
	stored := d.Stored()
	for i, want := range p.writes {
		got := trace.Writes[i]
		if got.Projection != stored[want.Projection] || got.Column != want.Column || !slices.Equal(got.Words, want.Words) {
			t.Fatalf("%s:\ngot  %+v\nwant %+v", where, got, want)
		}
	}
}

// compareBeside holds the words beside synapses against the page, and tells how many there are.
func compareBeside(t *testing.T, where string, d *rule.Description, p *page, m *machine.Machine) (count int) {
	t.Helper()
	names, _ := p.besides()
	for _, at := range d.Stored() {
		x := d.Projections[at]
		for k, b := range x.Words {
			name := b.Name + x.Name
			if len(names) == 0 || names[0] != name {
				t.Fatalf("%s: %s beside synapses, want %v", where, name, names)
			}
			names = names[1:]
			typ := p.types(d.Tensors[b.Tensor].Kind, d.Tensors[b.Tensor].Index)
			for i, row := range p.beside[name] {
				for j, want := range row {
					if got := m.Beside(at, k, i, j); got != word(typ, want) {
						t.Fatalf("%s: %s[%d,%d] is %d, want %d", where, name, i, j, got, word(typ, want))
					}
					count++
				}
			}
		}
	}
	if len(names) > 0 {
		t.Fatalf("%s: no %v beside synapses", where, names)
	}
	return count
}

func compareCounts(t *testing.T, where string, p *page, m, dense *machine.Machine) {
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
	}{
		{"roundings", got.Roundings, p.roundings}, {"overflows", got.Overflows, p.overflows}, {"lost", got.Lost, p.lost},
		{"dense roundings", all.Roundings, p.roundings}, {"dense overflows", all.Overflows, p.overflows}, {"dense lost", all.Lost, p.lost},
	} {
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

// compareMirrors holds mirrored projections against those that they mirror.
func compareMirrors(t *testing.T, d *rule.Description, m *machine.Machine) {
	t.Helper()
	for at, p := range d.Projections {
		if p.Mirror < 0 {
			continue
		}
		for row := range p.Rows {
			for col := range p.Cols {
				if got, want := m.Synapse(at, row, col), m.Synapse(p.Mirror, col, row); got != want {
					t.Fatalf("%s row %d column %d is %d, what it mirrors %d", p.Name, row, col, got, want)
				}
			}
		}
	}
}

package golden

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	fx "corinfo/fixedpoint"
)

// Word lengths where the network file is silent: 18 bits is the operand of a hardware multiplier on
// every FPGA family that the generator targets, 16 bits is the usual width of a block RAM.
const (
	operandBits = 18
	synapseBits = 16
	// The potential of an interneuron is a sum of small steps, and a design has one per sparse layer, not per neuron.
	interneuronBits = 24
)

// LayerTypes are the types of one layer k = 1..K.
type LayerTypes struct {
	R       fx.Type // state r_k
	U       fx.Type // potential u_k
	Current fx.Type // W r + F r, rounded before it is scaled
	Lateral fx.Type // C r, rounded before it is scaled
	Drive   fx.Type // du
	E       fx.Type // error e_k of the feedforward synapses; e_1 is the difference of the states of two phases
	D       fx.Type // error d_k of the feedback synapses
	C       fx.Type // c_k = C r, the factor of the lateral update

	Interneuron *InterneuronTypes // nil: the layer is not sparse
}

// InterneuronTypes are the types of the inhibitory interneuron of a sparse layer.
type InterneuronTypes struct {
	Excess fx.Type // what its potential changes by, before nu
	QU     fx.Type // potential q_u
	Q      fx.Type // state q
	Nu     fx.Type // step size
}

// Formats are the types of every tensor of a network, its file's choices and, where it is silent,
// defaults derived from the network's settings.
type Formats struct {
	X           fx.Type      // input
	Layer       []LayerTypes // index k = 1..K; [0] unused
	W, F, C     []fx.Type    // synapses: W[k], k = 0..K-1; F[k], k = 1..K-1; C[k], k = 1..K
	DW, DF, DC  []fx.Type    // the batch sum of products of an update, before its rate; indexed as the synapses
	Eta         fx.Type      // step size of settling
	Coefficient fx.Type      // 1/epsilon, the leak, beta and their sums: the factors of the soma
	Rate        fx.Type      // learning rate over beta N; 1/(lambda N) for C
	Gamma       fx.Type      // (1-lambda)/lambda, the growth of C per update
}

// TypeFor returns the type of `bits` bits, rounding to nearest and saturating, whose range is the
// narrowest that holds every value up to bound in magnitude (bound > 0) when it is rounded. A power of two itself
// takes one more bit, so that the bound is inside the range on both sides of zero.
func TypeFor(bits int, bound float64, signed bool) fx.Type {
	bound = min(bound, math.MaxFloat64)
	_, integer := math.Frexp(bound)
	f := fx.U(bits, bits-integer)
	if signed {
		f = fx.S(bits, bits-1-integer)
	}
	t := fx.Type{Format: f, Rounding: fx.Rnd, Overflow: fx.Sat}
	if !holds(t, Range{0, bound}) { // it is rounded up to a power of two
		t.Frac--
	}
	return t
}

// ResolveFormats gives the type of every tensor: the file's own ("W1" before "W"), else a default
// whose range follows from the network's settings.
func ResolveFormats(n *Network) *Formats {
	K := n.K()
	gamma := (1 - n.Lambda) / n.Lambda
	batch := float64(n.Learning.Batch)
	// B starts near the identity and its products with states stay within a few units of it:
	// 8 gamma leaves three bits for C r.
	of := func(kind string, index int, fallback fx.Type) fx.Type {
		if t, ok := n.Formats[kind+strconv.Itoa(index)]; ok {
			return t
		}
		if t, ok := n.Formats[kind]; ok {
			return t
		}
		return fallback
	}
	coefficient := math.Max(1/n.Epsilon, n.Leak+n.Learning.Beta)
	coefficient = math.Max(coefficient, n.Leak+math.Max(2/n.Epsilon, 1/n.Epsilon+1))
	rate := 1 / (n.Lambda * batch)
	for k := range K {
		rate = math.Max(rate, n.Learning.Feedforward[k]/(n.Learning.Beta*batch))
		if k > 0 {
			rate = math.Max(rate, n.Learning.Feedback[k-1]/(n.Learning.Beta*batch))
		}
	}
	unit := func(bits, frac int) fx.Type {
		return fx.Type{Format: fx.U(bits, frac), Rounding: fx.Rnd, Overflow: fx.Sat}
	}
	synapse := func(bound float64) fx.Type {
		t := TypeFor(synapseBits, bound, true)
		t.Rounding = fx.Stochastic
		return t
	}
	f := &Formats{
		X:           of("x", 0, unit(9, 8)),
		Layer:       make([]LayerTypes, K+1),
		W:           make([]fx.Type, K),
		F:           make([]fx.Type, K),
		C:           make([]fx.Type, K+1),
		DW:          make([]fx.Type, K),
		DF:          make([]fx.Type, K),
		DC:          make([]fx.Type, K+1),
		Eta:         of("eta", 0, TypeFor(operandBits-1, n.Settling.Step.Start, false)),
		Coefficient: of("coefficient", 0, TypeFor(operandBits, coefficient, true)),
		Rate:        of("rate", 0, TypeFor(operandBits-1, rate, false)),
		Gamma:       of("gamma", 0, TypeFor(operandBits-1, gamma, false)),
	}
	for k := 1; k <= K; k++ {
		// Nothing clips the states of a sparse layer at 1: in long runs the largest come near 10, see docs/RESULTS.md.
		state, scale := unit(11, 10), 1.0
		if _, sparse := n.SparseLayer(k); sparse {
			state, scale = unit(14, 10), 2
		}
		f.Layer[k] = LayerTypes{
			R:       of("r", k, state),
			U:       of("u", k, TypeFor(operandBits, scale*7, true)),
			Current: of("current", k, TypeFor(operandBits, scale*15, true)),
			Lateral: of("lateral", k, TypeFor(operandBits, 8*gamma, true)),
			Drive:   of("drive", k, TypeFor(operandBits, scale*15/n.Epsilon, true)),
			E:       of("e", k, TypeFor(operandBits, scale*7, true)),
			D:       of("d", k, TypeFor(operandBits, scale*7, true)),
			C:       of("c", k, TypeFor(operandBits, 8*gamma, true)),

			Interneuron: interneuronTypes(n, k, of),
		}
		f.C[k] = of("C", k, synapse(2*gamma))
		f.DC[k] = of("dC", k, TypeFor(operandBits, batch*8*gamma*gamma, true))
	}
	for k := range K {
		f.W[k] = of("W", k, synapse(1.5))
		f.DW[k] = of("dW", k, TypeFor(operandBits, batch, true))
		if k > 0 {
			f.F[k] = of("F", k, synapse(1.5))
			f.DF[k] = of("dF", k, TypeFor(operandBits, batch, true))
		}
	}
	return f
}

// interneuronTypes are the types of layer k's interneuron, nil where it has none; of is the file's choice.
func interneuronTypes(n *Network, k int, of func(kind string, index int, fallback fx.Type) fx.Type) *InterneuronTypes {
	nu, sparse := n.SparseLayer(k)
	if !sparse {
		return nil
	}
	iterations := n.Settling.FreeIterations + n.Settling.NudgedIterations
	if n.Learning.ThreePhase {
		iterations += n.Settling.NudgedIterations
	}
	// The sum of states that are all 1, or of one as large as u may be. q grows by nu of it in every iteration
	// at most, and beyond what a drive holds it would be of no use.
	excess := math.Max(float64(n.Layers[k]), 15)
	inhibition := math.Min(nu*float64(iterations)*excess, 30/n.Epsilon)
	return &InterneuronTypes{
		Excess: of("excess", k, TypeFor(operandBits, excess, true)),
		QU:     of("qu", k, TypeFor(interneuronBits, inhibition, true)),
		Q:      of("q", k, TypeFor(operandBits, inhibition, false)),
		Nu:     of("nu", k, TypeFor(operandBits-1, nu, false)),
	}
}

// check refuses types that the arithmetic cannot work with, naming the tensor and the remedy.
func (f *Formats) check() error {
	for k := 1; k < len(f.Layer); k++ {
		l := f.Layer[k]
		if l.R.Signed && l.R.Width == 1 {
			return usagef("formats: r%d: %v holds no positive state; use ap_ufixed", k, l.R)
		}
		if !l.U.FitsInt64() {
			return usagef("formats: u%d: %v is longer than the 63 bits of an unsigned potential; use ap_fixed or shorten it", k, l.U)
		}
		if fx.Union(l.U.Format, l.R.Format) != l.U.Format {
			return usagef("formats: u%d: %v cannot hold every state r%d of %v, and u := r when a phase starts; "+
				"give u at least the fraction bits and range of r, and a sign", k, l.U, k, l.R)
		}
		if q := l.Interneuron; q != nil {
			if !q.QU.FitsInt64() {
				return usagef("formats: qu%d: %v is longer than the 63 bits of an unsigned potential; use ap_fixed or shorten it", k, q.QU)
			}
			if fx.Union(q.QU.Format, q.Q.Format) == q.QU.Format {
				continue
			}
			return usagef("formats: qu%d: %v cannot hold every q%d of %v, and q_u := q when a phase starts; "+
				"give qu at least the fraction bits and range of q, and a sign", k, q.QU, k, q.Q)
		}
	}
	stored := map[string]bool{"W": true, "F": true, "C": true}
	return f.each(func(kind string, index int, t fx.Type) error {
		if t.Rounding == fx.Stochastic && !stored[kind] {
			return usagef("formats: %s%d: STOCHASTIC rounding is for the stored synapses W, F and C only", kind, index)
		}
		return nil
	})
}

// Types are the types by the names of the network file, with an index where there are several: x, r1, W0.
func (f *Formats) Types() map[string]fx.Type {
	types := map[string]fx.Type{}
	_ = f.each(func(kind string, index int, t fx.Type) error { // the visitor gives no error
		types[typeName(kind, index)] = t
		return nil
	})
	return types
}

// typeName is the name of a type in the network file: without an index where there is one of the kind.
func typeName(kind string, index int) string {
	switch kind {
	case "x", "eta", "coefficient", "rate", "gamma":
		return kind
	}
	return tensorName(kind, index)
}

// each calls visit for every type, in a fixed order; constants and x have index 0.
func (f *Formats) each(visit func(kind string, index int, t fx.Type) error) error {
	type entry struct {
		kind  string
		index int
		t     fx.Type
	}
	list := []entry{{"x", 0, f.X}, {"eta", 0, f.Eta}, {"coefficient", 0, f.Coefficient}, {"rate", 0, f.Rate}, {"gamma", 0, f.Gamma}}
	for k := 1; k < len(f.Layer); k++ {
		l := f.Layer[k]
		list = append(list, entry{"r", k, l.R}, entry{"u", k, l.U}, entry{"current", k, l.Current}, entry{"lateral", k, l.Lateral},
			entry{"drive", k, l.Drive}, entry{"e", k, l.E}, entry{"d", k, l.D}, entry{"c", k, l.C},
			entry{"C", k, f.C[k]}, entry{"dC", k, f.DC[k]})
		if q := l.Interneuron; q != nil {
			list = append(list, entry{"excess", k, q.Excess}, entry{"qu", k, q.QU}, entry{"q", k, q.Q}, entry{"nu", k, q.Nu})
		}
	}
	for k := range f.W {
		list = append(list, entry{"W", k, f.W[k]}, entry{"dW", k, f.DW[k]})
		if k > 0 {
			list = append(list, entry{"F", k, f.F[k]}, entry{"dF", k, f.DF[k]})
		}
	}
	for _, e := range list {
		if err := visit(e.kind, e.index, e.t); err != nil {
			return err
		}
	}
	return nil
}

// convert brings a float64 setting into the type of a kind, and refuses what does not fit or vanishes. setting says what
// it is beside the kind: "", " of iteration 0", " g - beta".
func (n *Network) convert(kind, setting string, value float64, t fx.Type) (int64, error) {
	_, own := n.Formats[kind]
	if index := strings.TrimPrefix(setting, " of layer "); index != setting && !own {
		_, own = n.Formats[kind+index]
	}
	word, overflow, err := t.FromFloat(value)
	problem := ""
	switch {
	case err != nil:
		return 0, usagef("formats: %s%s: %v", kind, setting, err)
	case overflow:
		bottom, top := t.Range()
		problem = fmt.Sprintf("does not fit %v (range %g to %g)", t, t.Float(t.Word(bottom)), t.Float(t.Word(top)))
	case word == 0 && value != 0:
		problem = fmt.Sprintf("is rounded to zero in %v", t)
	default:
		return word, nil
	}
	remedy := "give it more fraction bits"
	switch {
	case overflow && value < 0 && !t.Signed:
		remedy = "give it a sign"
	case overflow:
		remedy = "give it more integer bits"
	}
	if !own {
		problem += ", the default"
		remedy = "formats: " + kind + " may set a longer one"
	}
	return 0, usagef("formats: %s%s: %g %s; %s", kind, setting, value, problem, remedy)
}

func usagef(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrUsage}, args...)...)
}

// integerBits is what ap_fixed's I must be at least to hold v.
func integerBits(v float64, signed bool) int {
	_, bits := math.Frexp(v)
	if signed {
		bits++
	}
	return bits
}

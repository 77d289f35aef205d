// Package settling is what the RTL of today can do of all that a rule may say: layers that settle one after the other on
// the sums basal, feedback and lateral, in two or three phases, with or without an interneuron per layer, and
// synapses W, F and C that learn from the factors e, d and c. It gives a description of that shape the form that
// the generator prints, and its bit-true model the form that co-simulation compares; it refuses all others.
package settling

import (
	"slices"

	"fmt"

	fx "corinfo/fixedpoint"
	"corinfo/golden"
	"corinfo/golden/arithmetic"
	"corinfo/golden/network"
	"corinfo/golden/rule"
	"corinfo/golden/training"
)

// Kind tells the three families of synapses apart.
type Kind uint8

const (
	Feedforward Kind = iota // W_k: layer k to layer k+1
	Feedback                // F_k: layer k+1 to layer k
	Lateral                 // C_k: layer k to itself, symmetric
)

// String gives the letter of the kind: W, F or C.
func (k Kind) String() string { return string("WFC"[k]) }

// Matrix is one matrix of synapses: Rows postsynaptic targets in layer Post, Cols presynaptic
// sources in layer Pre.
type Matrix struct {
	Kind       Kind
	Index      int // k of W_k, F_k or C_k
	Post, Pre  int
	Rows, Cols int
	Type       fx.Type   // of a stored synapse
	Update     fx.Type   // of the batch sum of products
	Change     fx.Format // of what settling multiplies a synapse by: a change of Pre's state, or its input
	Product    fx.Format // of one settling product, synapse x change of state
	Shift      int       // left shift that aligns a product with its accumulator's binary point
	Sum        fx.Format // of the exact sum of an update's products over a mini-batch
	Terms      int       // products per sample in that sum: 1 or 2 phases
	Graph      *fx.Graph // the update of one synapse
}

// Name is the matrix as users know it: W0, F1, C2.
func (m *Matrix) Name() string { return fmt.Sprintf("%v%d", m.Kind, m.Index) }

// Coefficients are the constants of the soma graph for one layer and one sign of beta, raw words of
// the type coefficient (Lateral: of an ap_ufixed<2,2>).
type Coefficients struct{ Current, Lateral, R, Y, U int64 }

// Sums are the formats of the exact accumulators. One format per kind serves every layer, so that
// layers with equal types share one pipeline.
type Sums struct {
	Basal    fx.Format // W r
	Feedback fx.Format // F r
	Lateral  fx.Format // C r
}

// LayerTypes are the types of one layer k = 1..K; see docs/ARITHMETIC.md.
type LayerTypes struct {
	R, U, Current, Lateral, Drive, E, D, C fx.Type

	Interneuron *InterneuronTypes // nil: the layer has none
}

// InterneuronTypes are the types of the inhibitory interneuron of a layer.
type InterneuronTypes struct{ Excess, QU, Q, Nu fx.Type }

// Formats are the types of all tensors.
type Formats struct {
	X           fx.Type
	Layer       []LayerTypes // index k = 1..K; [0] unused
	Eta         fx.Type
	Coefficient fx.Type
	Rate        fx.Type
	Gamma       fx.Type
	names       map[string]fx.Type
}

// Types are the types by the names of the network file, with an index where there are several: x, r1, W0.
func (f *Formats) Types() map[string]fx.Type { return f.names }

// Arithmetic is a network in the form that the generator prints.
type Arithmetic struct {
	*arithmetic.Arithmetic
	Network  *network.Network
	Formats  *Formats
	Matrices []Matrix // W_0.., F_1.., C_1..: the index of a matrix in this list is its tensor number
	Sums     Sums
	Soma     []*fx.Graph // index k = 1..K
	Record   []*fx.Graph // index k = 1..K
	// Interneuron and Nu, the raw word of its step size, have index k = 1..K; nil and 0 where a layer has none.
	Interneuron []*fx.Graph
	Nu          []int64
	// Coefficients[k][0] are those of the free phase, [1] of beta > 0, [2] of beta < 0.
	Coefficients [][3]Coefficients
	Gamma        int64 // raw word of Formats.Gamma
	Program      []Instruction
	steps        []int // by layer: the step of its neurons
	interneurons []int // by layer: that of its interneuron; below 0: none
	lateral      []int // by layer: the factor c
}

// New gives a network the form that the generator prints. What is wrong with its types, and a network that today's RTL cannot
// be, are ErrUsage.
func New(n *network.Network) (*Arithmetic, error) {
	exact, err := training.Arithmetic(n)
	if err != nil {
		return nil, err
	}
	if err := supported(n, exact.D); err != nil {
		return nil, err
	}
	a := &Arithmetic{Arithmetic: exact, Network: n}
	a.takeFormats()
	if err := a.takeSums(); err != nil {
		return nil, err
	}
	a.takeMatrices()
	a.takeSteps()
	a.Program = program(n, a.Matrices, a.etaWords())
	return a, nil
}

// ErrUnits marks networks that need a machine with neuron units: see hdlgen/design.
var ErrUnits = fmt.Errorf("%w: a machine with neuron units, which `corinfo generate` and `corinfo cosim` have", golden.ErrUsage)

// supported refuses what the lanes of this package have no place for.
func supported(n *network.Network, d *rule.Description) error {
	needs := func(format string, args ...any) error {
		return fmt.Errorf("%s needs %w", fmt.Sprintf(format, args...), ErrUnits)
	}
	K := n.K()
	if !n.Hardware.Learning {
		return needs("hardware.learning: false")
	}
	for k := 1; k <= K; k++ {
		if d.Word("u", k) < 0 || d.Tensor("current", k) < 0 || d.Tensor("e", k) < 0 || k < K && d.Tensor("d", k) < 0 {
			return needs("rule %s", n.Rule)
		}
		if d.Tensor("C", k) < 0 {
			return needs("lateral: false")
		}
	}
	if n.Learning.Contrast == rule.WithCentred {
		return needs("learning.contrast %s", rule.WithCentred)
	}
	beside := slices.ContainsFunc(d.Projections, func(p rule.Projection) bool { return len(p.Words) > 0 })
	if o := n.Learning.Optimizer; beside || o.WeightDecay > 0 {
		return needs("learning.optimizer %s, weight_decay %v", o.Kind, o.WeightDecay)
	}
	if n.Learning.Decay.Batches > 0 {
		return needs("learning.decay.batches")
	}
	if n.Settling.Step.Inference > 0 {
		return needs("settling.step.inference")
	}
	for plane, table := range n.Dataset.Normalize.Inputs() {
		if plane > 0 || table[0] != 0 || table[255] != 1 {
			return needs("dataset.normalize")
		}
	}
	return nil
}

func (a *Arithmetic) takeFormats() {
	d, K := a.D, a.Network.K()
	f := &Formats{Layer: make([]LayerTypes, K+1), names: map[string]fx.Type{}}
	for i, t := range d.Tensors {
		if t.About != "" || t.Use != rule.OfConstant || t.Kind != "one" {
			f.names[t.String()] = a.Types[i]
		}
	}
	f.X, f.Eta, f.Coefficient = a.Type("x", 0), a.Type("eta", 0), a.Type("coefficient", 0)
	f.Rate, f.Gamma = a.Type("rate", 0), a.Type("gamma", 0)
	for k := 1; k <= K; k++ {
		l := &f.Layer[k]
		l.R, l.U, l.Current, l.Lateral, l.Drive = a.Type("r", k), a.Type("u", k), a.Type("current", k), a.Type("lateral", k), a.Type("drive", k)
		l.E, l.C = a.Type("e", k), a.Type("c", k)
		switch { // the last layer has no d: that of the layer below, so that both share a pipeline
		case k < K:
			l.D = a.Type("d", k)
		case K > 1:
			l.D = f.Layer[K-1].D
		default:
			l.D = l.E
		}
		if d.Word("q", k) >= 0 {
			l.Interneuron = &InterneuronTypes{Excess: a.Type("excess", k), QU: a.Type("qu", k), Q: a.Type("q", k), Nu: a.Type("nu", k)}
		}
	}
	a.Formats = f
}

// takeSums takes the accumulators, and room for the states that the record pipeline subtracts from basal and feedback.
func (a *Arithmetic) takeSums() error {
	format := func(name string) fx.Format { return a.Arithmetic.Sums[a.D.Sum(name, 1)] }
	a.Sums = Sums{Basal: format("basal"), Feedback: format("feedback"), Lateral: format("lateral")}
	for k := 1; k <= a.Network.K(); k++ {
		r := a.Formats.Layer[k].R.Format
		states := fx.Union(r, fx.SubFormat(r, r))
		a.Sums.Basal, a.Sums.Feedback = fx.Union(a.Sums.Basal, states), fx.Union(a.Sums.Feedback, states)
	}
	for i, f := range []fx.Format{a.Sums.Basal, a.Sums.Feedback} {
		if name := [...]string{"basal", "feedback"}[i]; !f.FitsInt64() {
			return golden.Usagef("formats: the hardware's accumulator %s needs %d bits, with the states that learning subtracts from it; at most 64: "+
				"bring the binary points of %s together", name, f.Width, [...]string{"W, x and r", "F and r"}[i])
		}
	}
	return nil
}

func (a *Arithmetic) takeMatrices() {
	d := a.D
	for i := range d.Updates {
		u := &d.Updates[i]
		p, x := &d.Projections[u.Projection], &a.Projections[u.Projection]
		t := d.Tensors[p.Tensor]
		m := Matrix{Index: t.Index, Rows: p.Rows, Cols: p.Cols, Type: a.Types[p.Tensor], Update: a.Type("d"+t.Kind, t.Index),
			Change: x.Change, Product: x.Product, Sum: a.Updates[i].Sum, Terms: len(u.Terms), Graph: a.Updates[i].Graph,
			Post: d.Sums[p.To].Layer, Pre: d.Words[p.From].Layer}
		sum := a.Sums.Basal
		switch t.Kind {
		case "F":
			m.Kind, sum = Feedback, a.Sums.Feedback
		case "C":
			m.Kind, sum = Lateral, a.Sums.Lateral
		}
		m.Shift = sum.Frac - x.Product.Frac
		a.Matrices = append(a.Matrices, m)
	}
}

func (a *Arithmetic) takeSteps() {
	K := a.Network.K()
	a.Soma, a.Record, a.Interneuron = make([]*fx.Graph, K+1), make([]*fx.Graph, K+1), make([]*fx.Graph, K+1)
	a.Coefficients, a.Nu = make([][3]Coefficients, K+1), make([]int64, K+1)
	a.steps, a.interneurons = make([]int, K+1), make([]int, K+1)
	for k := range a.interneurons {
		a.interneurons[k] = -1
	}
	for i, s := range a.D.Steps {
		f := &a.Steps[i]
		if s.Shared {
			a.interneurons[s.Layer] = i
			a.Interneuron[s.Layer] = f.Graph
			a.Nu[s.Layer] = a.Constant(f, "nu", rule.Moment{})
			continue
		}
		a.steps[s.Layer] = i
		for sign, beta := range []int{0, 1, -1} {
			word := func(name string) int64 { return a.Constant(f, name, rule.Moment{Beta: beta}) }
			a.Coefficients[s.Layer][sign] = Coefficients{word("k_current"), word("k_lateral"), word("k_r"), word("k_y"), word("k_u")}
		}
		// The sums may be wider here: see takeSums.
		a.Soma[s.Layer], _ = s.Graph.Words(a.wide(s.Layer))
		a.Record[s.Layer] = recordGraph(a.Sums, a.Formats.Layer[s.Layer])
	}
	a.lateral = make([]int, K+1)
	for i, f := range a.D.Factors {
		if f.Name == "c" {
			a.lateral[f.Layer] = i
		}
	}
	for i := range a.D.Updates {
		if f := &a.Updates[i].Formula; f.Input(rule.FromConstant, "gamma") >= 0 {
			a.Gamma = a.Constant(f, "gamma", rule.Moment{})
		}
	}
}

// wide types the operands of a layer's soma.
func (a *Arithmetic) wide(layer int) rule.Typing {
	t := a.Typing(layer)
	t.Sum = func(name string) fx.Format {
		return map[string]fx.Format{"basal": a.Sums.Basal, "feedback": a.Sums.Feedback, "lateral": a.Sums.Lateral}[name]
	}
	return t
}

// recordGraph gives the factors that learning keeps of a neuron at the end of a phase:
//
//	e = round(r - reference), d = round(r - feedback), c = round(lateral)
//
// reference is W r of the layer below; for layer 1, whose input is the same in both phases, it is
// the state kept in the earlier phase, so that e_1 is the difference of the two.
func recordGraph(sums Sums, l LayerTypes) *fx.Graph {
	g := fx.NewGraph("record")
	reference := g.Input("reference", sums.Basal)
	feedback := g.Input("feedback", sums.Feedback)
	lateral := g.Input("lateral", sums.Lateral)
	r := g.Input("r", l.R.Format)
	g.Output("e_next", g.Resize("e", g.Sub(r, reference), l.E))
	g.Output("d_next", g.Resize("d", g.Sub(r, feedback), l.D))
	g.Output("c_next", g.Resize("c", lateral, l.C))
	return g
}

// etaWords are the step sizes of the iterations of a phase, raw words of Formats.Eta.
func (a *Arithmetic) etaWords() []int64 {
	n := a.Network
	words := make([]int64, max(n.Settling.FreeIterations, n.Settling.NudgedIterations))
	for s := range words {
		words[s] = a.Constant(&a.Steps[a.steps[1]], "eta", rule.Moment{Iteration: s})
	}
	return words
}

// Rates are the raw words of Formats.Rate of every matrix in an epoch, in the order of Matrices.
func (a *Arithmetic) Rates(epoch int) []int64 {
	var rates []int64
	for i := range a.Updates {
		rates = append(rates, a.Constant(&a.Updates[i].Formula, "rate", rule.Moment{Epoch: epoch}))
	}
	return rates
}

// QuantizeInput converts pixels to raw words of the input, into out.
func (a *Arithmetic) QuantizeInput(pixels []uint8, out []int64) { a.Input(pixels, out) }

// Of is the network.
func (a *Arithmetic) Of() *network.Network { return a.Network }

package golden

import (
	"errors"
	"fmt"

	fx "corinfo/fixedpoint"
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
	Short      bool      // both factors of those products, the presynaptic one signed, are int32
	Graph      *fx.Graph // the update of one synapse
}

// Name is the matrix as users know it: W0, F1, C2.
func (m *Matrix) Name() string { return fmt.Sprintf("%v%d", m.Kind, m.Index) }

// factors are the tensors whose products an update sums, in the words of an error.
func (m *Matrix) factors() string {
	switch {
	case m.Kind == Lateral:
		return fmt.Sprintf("c%d", m.Post)
	case m.Pre == 0:
		return fmt.Sprintf("e%d or x", m.Post)
	case m.Kind == Feedback:
		return fmt.Sprintf("d%d or r%d", m.Post, m.Pre)
	}
	return fmt.Sprintf("e%d or r%d", m.Post, m.Pre)
}

// Coefficients are the constants of the soma graph for one layer and one sign of beta, raw words of
// Formats.Coefficient (Lateral: of an ap_ufixed<2,2>).
type Coefficients struct{ Current, Lateral, R, Y, U int64 }

// Arithmetic is everything that the bit-true model and the hardware share: types, exact accumulator
// formats, graphs, constants and the program.
type Arithmetic struct {
	Network  *Network
	Formats  *Formats
	Matrices []Matrix // W_0.., F_1.., C_1..: the index of a matrix in this list is its tensor number
	Sums     Sums
	Soma     []*fx.Graph // index k = 1..K
	Record   []*fx.Graph // index k = 1..K
	// Interneuron and Nu, the raw word of its step size, have index k = 1..K; nil and 0 where a layer is not sparse.
	Interneuron []*fx.Graph
	Nu          []int64
	// Coefficients[k][0] are those of the free phase, [1] of beta > 0, [2] of beta < 0.
	Coefficients [][3]Coefficients
	Gamma        int64 // raw word of Formats.Gamma
	LateralRate  int64 // 1/(lambda N), raw word of Formats.Rate
	Program      []Instruction
	pixels       [256]int64 // raw words of Formats.X
}

// MaxNeurons is the largest layer: the generator of random words indexes rows and columns by 16 bits.
const MaxNeurons = 1 << 16

// MaxLanes is the largest number of lanes of a design, MaxContexts of samples that it has in flight.
const (
	MaxLanes    = 256
	MaxContexts = 4
)

// NewArithmetic resolves the types of a network and derives the rest from them. Its errors are wrong
// usage: a setting that does not fit its format, an accumulator beyond 64 bits.
func NewArithmetic(n *Network) (*Arithmetic, error) {
	a := &Arithmetic{Network: n, Formats: ResolveFormats(n)}
	if err := a.Formats.check(); err != nil {
		return nil, err
	}
	for k, size := range n.Layers {
		if size > MaxNeurons {
			return nil, usagef("layers: layer %d has %d neurons; at most %d", k, size, MaxNeurons)
		}
	}
	a.addMatrices()
	a.deriveSums()
	if err := a.buildGraphs(); err != nil {
		return nil, err
	}
	if err := a.convertConstants(); err != nil {
		return nil, err
	}
	a.Program = program(n, a.Matrices, a.etaWords())
	for p := range a.pixels {
		a.pixels[p], _, _ = a.Formats.X.FromFloat(float64(p) / 255)
	}
	return a, nil
}

// pre is the format of what layer k broadcasts while settling: its input or its state.
func (a *Arithmetic) pre(k int) fx.Format {
	if k == 0 {
		return a.Formats.X.Format
	}
	return a.Formats.Layer[k].R.Format
}

func (a *Arithmetic) addMatrices() {
	n, f, K := a.Network, a.Formats, a.Network.K()
	add := func(m Matrix, post, pre fx.Format) {
		m.Rows, m.Cols = n.Layers[m.Post], n.Layers[m.Pre]
		m.Change = change(a.pre(m.Pre), m.Pre)
		m.Product = fx.MulFormat(m.Type.Format, m.Change)
		m.Short = post.FitsInt32() && fx.NegFormat(pre).FitsInt32()
		term := fx.MulFormat(post, pre)
		m.Sum = fx.SumFormat(fx.Union(term, fx.NegFormat(term)), m.Terms*n.Learning.Batch)
		a.Matrices = append(a.Matrices, m)
	}
	for k := range K {
		terms := 2
		if k == 0 {
			terms = 1 // the input is the same in both phases: one product with the difference of the states
		}
		add(Matrix{Kind: Feedforward, Index: k, Post: k + 1, Pre: k, Type: f.W[k], Update: f.DW[k], Terms: terms},
			f.Layer[k+1].E.Format, a.pre(k))
	}
	for k := 1; k < K; k++ {
		add(Matrix{Kind: Feedback, Index: k, Post: k, Pre: k + 1, Type: f.F[k], Update: f.DF[k], Terms: 2},
			f.Layer[k].D.Format, a.pre(k+1))
	}
	for k := 1; k <= K; k++ {
		add(Matrix{Kind: Lateral, Index: k, Post: k, Pre: k, Type: f.C[k], Update: f.DC[k], Terms: 1},
			f.Layer[k].C.Format, f.Layer[k].C.Format)
	}
}

// change is the format of a change of what layer k broadcasts; the input is broadcast itself.
func change(f fx.Format, k int) fx.Format {
	if k == 0 {
		return f
	}
	return fx.SubFormat(f, f)
}

// deriveSums finds, per kind, the narrowest accumulator that holds every layer's sum exactly, and the
// states that learning subtracts from it.
func (a *Arithmetic) deriveSums() {
	var sums [3]fx.Format
	for k := 1; k <= a.Network.K(); k++ {
		r := a.Formats.Layer[k].R.Format
		for kind := range sums {
			sums[kind] = union(sums[kind], fx.Union(r, fx.SubFormat(r, r)))
		}
	}
	sums[Lateral] = fx.Format{}
	for _, m := range a.Matrices {
		sum := fx.SumFormat(fx.MulFormat(m.Type.Format, a.pre(m.Pre)), m.Cols)
		sums[m.Kind] = union(sums[m.Kind], sum)
	}
	for i := range a.Matrices {
		m := &a.Matrices[i]
		m.Shift = sums[m.Kind].Frac - m.Product.Frac
	}
	a.Sums = Sums{Basal: sums[Feedforward], Feedback: sums[Feedback], Lateral: sums[Lateral]}
}

// union is fx.Union with the zero Format as its neutral element.
func union(a, b fx.Format) fx.Format {
	if a == (fx.Format{}) {
		return b
	}
	return fx.Union(a, b)
}

func (a *Arithmetic) buildGraphs() error {
	f, K := a.Formats, a.Network.K()
	check := func(what string, sum fx.Format, factors string) error {
		if !sum.FitsInt64() {
			return usagef("formats: the exact %s needs %d bits; at most 64: shorten %s", what, fx.Union(sum, fx.S(1, sum.Frac)).Width, factors)
		}
		return nil
	}
	for kind, sum := range []fx.Format{a.Sums.Basal, a.Sums.Feedback, a.Sums.Lateral} {
		factors := fmt.Sprintf("%v or r", Kind(kind))
		if Kind(kind) == Feedforward {
			factors = "W, x or r"
		}
		if err := check(fmt.Sprintf("accumulator of %v r", Kind(kind)), sum, factors); err != nil {
			return err
		}
	}
	a.Soma, a.Record, a.Interneuron = make([]*fx.Graph, K+1), make([]*fx.Graph, K+1), make([]*fx.Graph, K+1)
	for k := 1; k <= K; k++ {
		if f.Layer[k].Interneuron != nil {
			a.Interneuron[k] = interneuronGraph(a.Network.Layers[k], f.Layer[k])
		}
		a.Soma[k] = somaGraph(a.Sums, f.Layer[k], f.Eta.Format, f.Coefficient.Format)
		a.Record[k] = recordGraph(a.Sums, f.Layer[k])
	}
	for i := range a.Matrices {
		m := &a.Matrices[i]
		if err := check("update sum of "+m.Name(), m.Sum, m.factors()); err != nil {
			return err
		}
		if m.Kind == Lateral {
			m.Graph = lateralGraph(m.Sum, m.Update, m.Type, f.Rate.Format, f.Gamma.Format)
		} else {
			m.Graph = synapseGraph(m.Sum, m.Update, m.Type, f.Rate.Format)
		}
		if err := m.Graph.Check(); err != nil {
			return usagef("formats: %s: %s", m.Name(), tensorNames(err, m.Name()))
		}
	}
	for k := 1; k <= K; k++ {
		for _, g := range []*fx.Graph{a.Soma[k], a.Record[k], a.Interneuron[k]} {
			if g == nil {
				continue
			}
			if err := g.Check(); err != nil {
				return usagef("formats: layer %d: %s", k, tensorNames(err, ""))
			}
		}
	}
	return nil
}

// tensorNames is the text of an error of a graph in which words have the names of the network file's formats; matrix is
// that of an update.
func tensorNames(err error, matrix string) string {
	names := map[string]string{
		"lateral_rounded": "lateral", "potential": "u", "w": matrix, "sum": "the sum", "update": "d" + matrix,
		"k_current": "coefficient", "k_r": "coefficient", "k_y": "coefficient", "k_u": "coefficient",
	}
	var wide *fx.WidthError
	if !errors.As(err, &wide) {
		return err.Error()
	}
	return wide.Text(func(name string) string {
		if tensor, ok := names[name]; ok {
			return tensor
		}
		return name
	})
}

func (a *Arithmetic) convertConstants() error {
	n, f, K := a.Network, a.Formats, a.Network.K()
	var err error
	word := func(kind, setting string, value float64, t fx.Type) int64 {
		w, e := n.convert(kind, setting, value, t)
		if err == nil {
			err = e
		}
		return w
	}
	a.Gamma = word("gamma", "", (1-n.Lambda)/n.Lambda, f.Gamma)
	a.LateralRate = word("rate", "", 1/(n.Lambda*float64(n.Learning.Batch)), f.Rate)
	a.Coefficients, a.Nu = make([][3]Coefficients, K+1), make([]int64, K+1)
	for k := 1; k <= K; k++ {
		if nu, sparse := n.SparseLayer(k); sparse {
			a.Nu[k] = word("nu", fmt.Sprintf(" of layer %d", k), nu, f.Layer[k].Interneuron.Nu)
		}
		for sign, beta := range [3]float64{0, n.Learning.Beta, -n.Learning.Beta} {
			c := Coefficients{
				Current: word("coefficient", " 1/epsilon", 1/n.Epsilon, f.Coefficient),
				Lateral: 2,
				R:       word("coefficient", " g", n.Leak, f.Coefficient),
				U:       word("coefficient", " g + 2/epsilon", n.Leak+2/n.Epsilon, f.Coefficient),
			}
			if k == K {
				c.Lateral = 1
				c.R = word("coefficient", " g - beta", n.Leak-beta, f.Coefficient)
				c.Y = word("coefficient", " beta", beta, f.Coefficient)
				c.U = word("coefficient", " g + 1/epsilon + 1", n.Leak+1/n.Epsilon+1, f.Coefficient)
			}
			a.Coefficients[k][sign] = c
		}
	}
	for s := range max(n.Settling.FreeIterations, n.Settling.NudgedIterations) {
		word("eta", fmt.Sprintf(" of iteration %d", s), n.Eta(s), f.Eta)
	}
	for k := range K {
		word("rate", fmt.Sprintf(" of W%d", k), a.rate(n.Learning.Feedforward[k]), f.Rate)
		if k > 0 {
			word("rate", fmt.Sprintf(" of F%d", k), a.rate(n.Learning.Feedback[k-1]), f.Rate)
		}
	}
	return err
}

// etaWords are the step sizes of the iterations of a phase, raw words of Formats.Eta.
func (a *Arithmetic) etaWords() []int64 {
	n := a.Network
	words := make([]int64, max(n.Settling.FreeIterations, n.Settling.NudgedIterations))
	for s := range words {
		words[s], _, _ = a.Formats.Eta.FromFloat(n.Eta(s))
	}
	return words
}

// rate scales a learning rate mu to what one mini-batch's sum is multiplied by: mu/(beta N), and
// mu/(2 beta N) where two nudged phases of opposite sign are compared. beta is its magnitude here;
// its sign turns the sign of the sum.
func (a *Arithmetic) rate(mu float64) float64 {
	l := a.Network.Learning
	if l.ThreePhase {
		mu /= 2
	}
	return mu / (l.Beta * float64(l.Batch))
}

// Rates are the raw words of Formats.Rate of every matrix in an epoch, in the order of Matrices. A
// rate that has decayed below half a unit of the format is zero.
func (a *Arithmetic) Rates(epoch int) []int64 {
	ff, fb := a.Network.LearningRate(epoch)
	rates := make([]int64, len(a.Matrices))
	for i, m := range a.Matrices {
		switch m.Kind {
		case Feedforward:
			rates[i], _, _ = a.Formats.Rate.FromFloat(a.rate(ff[m.Index]))
		case Feedback:
			rates[i], _, _ = a.Formats.Rate.FromFloat(a.rate(fb[m.Index-1]))
		case Lateral:
			rates[i] = a.LateralRate
		}
	}
	return rates
}

// QuantizeInput converts pixels (0..255 stands for 0..1) to raw words of Formats.X, into out.
func (a *Arithmetic) QuantizeInput(pixels []uint8, out []int64) {
	for i, p := range pixels {
		out[i] = a.pixels[p]
	}
}

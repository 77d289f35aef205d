// Package rule says what a network that learns locally computes: the words that a neuron keeps, the synapses between
// layers, the steps in which neurons settle, their order, and how synapses learn. A rule is one file, which describes
// all this once; the float model reads it as real numbers, the bit-true model as words, and the hardware is printed from it.
// docs/RULES.md is the guide. Models, data and files are left to others.
package rule

import fx "corinfo/fixedpoint"

// Description is a rule applied to a network: layers 0 (the input) to K. Indices point into its lists.
type Description struct {
	Layers      []int // neurons
	Tensors     []Tensor
	Words       []Word
	Sums        []Sum
	Projections []Projection
	Steps       []Step
	Phases      []Phase
	Factors     []Factor
	Updates     []Update
	Readout     int          // the word whose largest element is the class, when a phase with Answer has ended
	States      []int        // by layer: the word that is a neuron's activity
	Opposed     [][2]int     // projections there and back, whose angle tells how far from symmetric a network is
	Information *Information // nil: it means nothing to the rule
}

// Information says that the rule maximises the correlative information of neighbouring layers, and by which synapses.
type Information struct {
	Epsilon  float64
	Forward  []int // by layer k: the projection that predicts layer k + 1 from it
	Backward []int // by layer k: the projection that predicts it from layer k + 1; below 0: none
}

// Use tells what a tensor holds.
type Use uint8

// Uses of tensors.
const (
	OfWord     Use = iota // words of neurons
	OfValue               // values within a formula, before they go on
	OfSynapse             // synapses as stored: they may round by STOCHASTIC
	OfBeside              // words beside synapses: like them, they may round by STOCHASTIC
	OfProducts            // sums of an update's products over a mini-batch
	OfConstant            // settings, and what follows from them
)

// Tensor is everything that has one type. Its name in a network file is Kind and Index, or Kind alone for all of the kind.
type Tensor struct {
	Kind    string
	Index   int // below 0: there is one of the kind
	Use     Use
	Default fx.Type
	About   string // what it is, in a few words, for the network file
}

// Word is a number that each neuron of a layer keeps per sample, or one that they share.
type Word struct {
	Name   string
	Layer  int
	Shared bool // one for the layer
	Signal bool // its changes are broadcast: projections start from it
	Fixed  bool // it stands still while a sample is processed: the input, and the unit that is always 1
	Tensor int
}

// Input tells whether the word is the network's input.
func (w *Word) Input() bool { return w.Fixed && !w.Shared }

// One tells whether the word is the unit that is always 1.
func (w *Word) One() bool { return w.Fixed && w.Shared }

// Sum is an exact sum of projections into the neurons of a layer.
type Sum struct {
	Name        string
	Layer       int
	Projections []int // in the order in which real numbers are added
}

// Init tells how a projection's synapses begin.
type Init uint8

// Initial values, of a matrix of n_post x n_pre.
const (
	Zero          Init = iota
	XavierUniform      // uniform within sqrt(6 / (n_post + n_pre))
	XavierSquared      // V V', V Xavier-uniform
	Uniform            // uniform within Projection.Bound
)

// Projection is a matrix of synapses from a signal into a sum.
type Projection struct {
	Name      string
	From, To  int // a word, a sum
	Rows      int // postsynaptic neurons
	Cols      int // presynaptic neurons
	Tensor    int
	Symmetric bool // element (i, j) is (j, i): it learns so, and draws its random words so
	Mirror    int  // the projection whose transpose it is, learning the same bits; below 0: none
	Init      Init
	Bound     float64  // of Uniform
	Scale     float64  // of the initial values
	Unscaled  string   // what the matrix is called without Scale, if files of weights may hold it so: B1, if C1 is Scale B1
	Words     []Beside // beside the weight
}

// Beside is the tensor of a word of the synapses by its name in the update's formula: w is the weight.
func (p *Projection) Beside(name string) int {
	for _, x := range p.Words {
		if x.Name == name {
			return x.Tensor
		}
	}
	return p.Tensor
}

// Beside is a word that every synapse of a projection keeps beside its weight, 0 at first: an optimizer's.
type Beside struct {
	Name   string // in the update's formula: m
	Tensor int
}

// Step computes the next words of the neurons of a layer; Shared words have a step of their own.
type Step struct {
	Name   string
	Layer  int
	Shared bool // the step of words that the neurons share: once per layer and sample
	Graph  *Graph
}

// Role is the part of a phase in the updates, which compare two.
type Role uint8

// Roles.
const (
	NoRole Role = iota
	Plus        // its products are added
	Minus       // its products are subtracted
)

// Phase is a number of iterations under the same conditions.
type Phase struct {
	Name       string
	Beta       int    // sign of the nudging, +1 being the sample's own; 0: none
	Iterations int    // at least 1
	From       string // the phase whose end it starts from; empty: where the phase before it ended
	Begin      []Copy // done first
	// Order lists the steps of an iteration. Steps of a group all read what the group before left; a shared step reads
	// the new words of its layer.
	Order    [][]int
	EarlyEnd bool // it ends when nothing can change any more: the same result
	Learning bool // inference does without it
	Answer   bool // its end is the answer
	Keep     Role // what its end is to the updates
}

// Copy sets a word to another of its layer when a phase begins; no rounding changes it.
type Copy struct{ To, From int }

// Factor is what learning keeps of a neuron at the end of a phase: a word, or what a formula makes of sums and words.
type Factor struct {
	Name   string
	Layer  int
	Word   int    // where Graph is nil
	Graph  *Graph // its one result has the type of the tensor that it rounds into
	Second bool   // it is of both phases, and kept in the later one
	Roles  []Role // the phases whose factor some update reads; with Second none
}

// Term is a product of two factors in an update.
type Term struct {
	Post, Pre int  // factors
	Role      Role // of both, where they have roles
	Negative  bool
}

// Update is how a projection learns from a mini-batch. Its formula's operands are the synapse and the words beside it, the
// sum of the terms over the mini-batch, and constants; its results the synapse, then the words beside it in their order.
type Update struct {
	Projection int
	Terms      []Term
	Signed     bool // the sign of the sample's beta multiplies the terms
	Always     bool // the synapse may change where all products are zero
	Graph      *Graph
	Rate       func(Moment) float64 // the learning rate of the network file, for reports; nil: none that changes
}

package golden

import (
	"errors"
	"math"
	"slices"

	fx "corinfo/fixedpoint"
)

// ErrUsage marks an error of the user's settings or arguments.
var ErrUsage = errors.New("wrong input")

// ErrDamaged marks a file whose content is not what was written.
var ErrDamaged = errors.New("damaged data")

// Network is the network file. ParseNetwork has checked the values of every Network that it returns.
type Network struct {
	Name     string             `yaml:"name"` // a letter, then letters, digits, underscores: prefix of every Verilog module
	Dataset  Dataset            `yaml:"dataset"`
	Rule     string             `yaml:"rule"`    // corinfomax
	Layers   []int              `yaml:"layers"`  // neurons from input to output
	Epsilon  float64            `yaml:"epsilon"` // regulariser, > 0
	Lambda   float64            `yaml:"lambda"`  // forgetting factor of the lateral synapses, 0 < lambda < 1
	Leak     float64            `yaml:"leak"`    // g, >= 0
	Sparse   Sparse             `yaml:"sparse"`
	Settling Settling           `yaml:"settling"`
	Learning Learning           `yaml:"learning"`
	Seed     uint32             `yaml:"seed"` // of everything random
	Formats  map[string]fx.Type `yaml:"formats"`
	Hardware Hardware           `yaml:"hardware"`
}

// Dataset names the samples.
type Dataset struct {
	Name string `yaml:"name"` // mnist, fashion, cifar10, images or idx
	Path string `yaml:"path"` // its folder, absolute after LoadNetwork; empty: where the data set is usually installed
}

// Sparse names the layers on the sparse polytope, where states are 0 or more and their sum is held near 1 or below by an
// inhibitory interneuron; the other layers are on the antisparse one, 0 to 1 each. The zero value: no layer is sparse.
type Sparse struct {
	Layers []int     `yaml:"layers"` // ascending, 1..K
	Nu     []float64 `yaml:"nu"`     // step size of the interneuron of each of Layers, 0 < nu <= 1
}

// Settling are the neuron dynamics.
type Settling struct {
	FreeIterations   int  `yaml:"free_iterations"`
	NudgedIterations int  `yaml:"nudged_iterations"`
	Step             Step `yaml:"step"`
	EarlyEnd         bool `yaml:"early_end"` // a phase ends when nothing can change any more; same results
}

// Step is the rule of the step size eta_s of iteration s = 0, 1, ... of a phase; see Network.Eta.
type Step struct {
	Rule  string  `yaml:"rule"` // constant, divide_by_loop_index or divide_by_slow_loop_index
	Start float64 `yaml:"start"`
	Stop  float64 `yaml:"stop"`
	Decay float64 `yaml:"decay"`
}

// Learning are the synapse updates.
type Learning struct {
	Batch       int       `yaml:"batch"`       // samples of a mini-batch, N
	Beta        float64   `yaml:"beta"`        // nudging strength, > 0
	RandomSign  bool      `yaml:"random_sign"` // the sign of beta is drawn for every mini-batch
	ThreePhase  bool      `yaml:"three_phase"` // the nudged phase is compared with one of -beta, not with the free one
	Feedforward []float64 `yaml:"feedforward"` // mu of W_0 .. W_{K-1}
	Feedback    []float64 `yaml:"feedback"`    // mu of F_1 .. F_{K-1}
	Decay       Decay     `yaml:"decay"`
	Epochs      int       `yaml:"epochs"`
}

// Decay is the schedule of the learning rates; see Network.LearningRate.
type Decay struct {
	Factor float64 `yaml:"factor"`
	Epochs int     `yaml:"epochs"` // 0: Factor holds for all epochs
	Then   float64 `yaml:"then"`
}

// Hardware are the choices of the design.
type Hardware struct {
	Lanes    int    `yaml:"lanes"`
	Contexts int    `yaml:"contexts"` // samples in flight at once
	Mode     string `yaml:"mode"`     // events or dense
}

// K is the number of layers above the input.
func (n *Network) K() int { return len(n.Layers) - 1 }

// SparseLayer tells whether layer k is on the sparse polytope, and its interneuron's step size, 0 where it is not.
func (n *Network) SparseLayer(k int) (nu float64, sparse bool) {
	if i := slices.Index(n.Sparse.Layers, k); i >= 0 {
		return n.Sparse.Nu[i], true
	}
	return 0, false
}

// Eta is the step size of iteration s of a phase (docs/NETWORKS.md): it never grows with s.
func (n *Network) Eta(s int) float64 {
	t := n.Settling.Step
	switch t.Rule {
	case "divide_by_loop_index":
		return math.Max(t.Start/float64(s+1), t.Stop)
	case "divide_by_slow_loop_index":
		// The conversion forbids a fused multiplication, which some processors have.
		return math.Max(t.Start/(1+float64(float64(s)*t.Decay)), t.Stop)
	}
	return t.Start
}

// LearningRate are the rates of W and F in an epoch, counted from 0: mu Factor^epoch, and from epoch
// Decay.Epochs on mu Then^epoch. The second stage is a power of the whole epoch number too, not of the
// epochs since it began: the rates drop where it begins, as in the paper's runs (docs/NETWORKS.md).
func (n *Network) LearningRate(epoch int) (ff, fb []float64) {
	d := n.Learning.Decay
	base := d.Factor
	if d.Epochs > 0 && epoch >= d.Epochs {
		base = d.Then
	}
	factor := power(base, epoch)
	for _, mu := range n.Learning.Feedforward {
		ff = append(ff, mu*factor)
	}
	for _, mu := range n.Learning.Feedback {
		fb = append(fb, mu*factor)
	}
	return ff, fb
}

// power is base^n for n >= 0 by repeated squaring, as docs/ARITHMETIC.md defines it: math.Pow need not be the same on
// every processor.
func power(base float64, n int) float64 {
	p := 1.0
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			p *= base
		}
		base *= base
	}
	return p
}

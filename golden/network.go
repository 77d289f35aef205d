package golden

import (
	"errors"
	"math"

	fx "corinfo/fixedpoint"
)

// ErrUsage marks an error of the user's settings or arguments.
var ErrUsage = errors.New("wrong input")

// ErrDamaged marks a file whose content is not what was written.
var ErrDamaged = errors.New("damaged data")

// Network is the network file.
type Network struct {
	Name     string             `yaml:"name"`
	Dataset  Dataset            `yaml:"dataset"`
	Rule     string             `yaml:"rule"`
	Layers   []int              `yaml:"layers"`
	Epsilon  float64            `yaml:"epsilon"`
	Lambda   float64            `yaml:"lambda"`
	Leak     float64            `yaml:"leak"`
	Settling Settling           `yaml:"settling"`
	Learning Learning           `yaml:"learning"`
	Seed     uint32             `yaml:"seed"`
	Formats  map[string]fx.Type `yaml:"formats"`
	Hardware Hardware           `yaml:"hardware"`
}

// Dataset names the samples.
type Dataset struct {
	Name string `yaml:"name"`
	Path string `yaml:"path"`
}

// Settling are the neuron dynamics.
type Settling struct {
	FreeIterations   int  `yaml:"free_iterations"`
	NudgedIterations int  `yaml:"nudged_iterations"`
	Step             Step `yaml:"step"`
	EarlyEnd         bool `yaml:"early_end"`
}

// Step is the rule of the step size eta_s.
type Step struct {
	Rule  string  `yaml:"rule"`
	Start float64 `yaml:"start"`
	Stop  float64 `yaml:"stop"`
	Decay float64 `yaml:"decay"`
}

// Learning are the synapse updates.
type Learning struct {
	Batch       int       `yaml:"batch"`
	Beta        float64   `yaml:"beta"`
	RandomSign  bool      `yaml:"random_sign"`
	ThreePhase  bool      `yaml:"three_phase"`
	Feedforward []float64 `yaml:"feedforward"`
	Feedback    []float64 `yaml:"feedback"`
	Decay       Decay     `yaml:"decay"`
	Epochs      int       `yaml:"epochs"`
}

// Decay is the two-stage schedule of the learning rates.
type Decay struct {
	Factor float64 `yaml:"factor"`
	Epochs int     `yaml:"epochs"`
	Then   float64 `yaml:"then"`
}

// Hardware are the choices of the design.
type Hardware struct {
	Lanes int    `yaml:"lanes"`
	Mode  string `yaml:"mode"`
}

// K is the number of layers above the input.
func (n *Network) K() int { return len(n.Layers) - 1 }

// Eta is the step size of iteration s of a phase.
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

// LearningRate are the rates of W and F in an epoch.
func (n *Network) LearningRate(epoch int) (ff, fb []float64) {
	d := n.Learning.Decay
	factor := math.Pow(d.Factor, float64(epoch))
	if epoch >= d.Epochs {
		factor = math.Pow(d.Then, float64(epoch))
	}
	for _, mu := range n.Learning.Feedforward {
		ff = append(ff, mu*factor)
	}
	for _, mu := range n.Learning.Feedback {
		fb = append(fb, mu*factor)
	}
	return ff, fb
}

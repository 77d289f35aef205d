package rule

import (
	"math"

	fx "corinfo/fixedpoint"
)

// Settings are what a rule makes a description of: the sections of a network file that speak of it.
type Settings struct {
	Layers   []int // neurons from input to output
	Settling Settling
	Learning Learning
	Own      any // the rule's own section, as Rule.Own makes it; nil where it has none
	// Low and High are the ends of the inputs' range; both 0: they are 0 .. 1.
	Low, High float64
}

// input is the default type of the input.
func (s *Settings) input() fx.Type {
	if s.Low < 0 {
		return Fit(10, math.Max(-s.Low, s.High), true)
	}
	return unsigned(9, 8)
}

// Settling are the neuron dynamics. The doc of a field explains it in a network file.
type Settling struct {
	FreeIterations   int      `yaml:"free_iterations" doc:"settling iterations of a sample without the label"`
	NudgedIterations int      `yaml:"nudged_iterations" doc:"further ones, learning only, with the label's pull"`
	Step             StepSize `yaml:"step"`
	EarlyEnd         bool     `yaml:"early_end" doc:"a phase ends when nothing can change any more: same bits, fewer cycles; left out: true"`
}

// StepSize gives eta_s, the size of the step of iteration s = 0, 1, ... of a phase; see Eta.
type StepSize struct {
	Rule      string  `yaml:"rule" doc:"constant: start; divide_by_loop_index: max(start / (s + 1), stop); divide_by_slow_loop_index: max(start / (1 + s decay), stop)"`
	Start     float64 `yaml:"start" doc:"above 0"`
	Stop      float64 `yaml:"stop" doc:"0 to start; left out: 0"`
	Decay     float64 `yaml:"decay" doc:"0 or more; left out: 0"`
	Inference float64 `yaml:"inference" doc:"size of all steps of a sample that is not learned; 0 or left out: as while learning"`
}

// Eta is the step size of an iteration of a phase: it never grows with the iterations.
func (t StepSize) Eta(at Moment) float64 {
	s := at.Iteration
	if at.Inference && t.Inference > 0 {
		return t.Inference
	}
	switch t.Rule {
	case "divide_by_loop_index":
		return math.Max(t.Start/float64(s+1), t.Stop)
	case "divide_by_slow_loop_index":
		// The conversion forbids a fused multiplication, which some processors have.
		return math.Max(t.Start/(1+float64(float64(s)*t.Decay)), t.Stop)
	}
	return t.Start
}

// Learning are the synapse updates.
type Learning struct {
	Batch       int       `yaml:"batch" doc:"N, samples of a mini-batch: synapses change once per mini-batch; a smaller N wants smaller learning rates"`
	Beta        float64   `yaml:"beta" doc:"strength of the label's pull, above 0"`
	RandomSign  bool      `yaml:"random_sign" doc:"draw the sign of beta for every mini-batch; false: always positive; left out: true"`
	Contrast    string    `yaml:"contrast" doc:"what the nudged phase is compared with: free, the free phase; third, a phase of -beta after it; centred, one of -beta from the free state; left out: free"`
	Feedforward []float64 `yaml:"feedforward" doc:"learning rates of W0, W1, ...: one per layer above the input, or one for all"`
	Feedback    []float64 `yaml:"feedback" doc:"learning rates of F1, F2, ...: one per hidden layer"`
	Decay       Decay     `yaml:"decay"`
	Optimizer   Optimizer `yaml:"optimizer"`
	Epochs      int       `yaml:"epochs" doc:"passes through the training samples"`
}

// What the nudged phase of beta is compared with.
const (
	WithFree    = "free"    // the free phase
	WithThird   = "third"   // a phase of -beta that goes on from the nudged one
	WithCentred = "centred" // a phase of -beta that starts, as the nudged one, from the free state
)

// Decay is how rates fall with the epochs, or with the mini-batches: see At.
type Decay struct {
	Factor  float64 `yaml:"factor" doc:"rate x factor^(epoch / every), epochs counting from 0; left out: 1"`
	Every   int     `yaml:"every" doc:"epochs, the quotient being rounded down; left out: 1"`
	Batches int     `yaml:"batches" doc:"mini-batches in the place of epochs: rate x factor^(mini-batch / batches); left out: 0, epochs count"`
	Then    []Stage `yaml:"then" doc:"from an epoch on, another factor in the place of the first: [{from: 15, factor: 0.9}]; left out: none"`
}

// Stage is a factor in the place of the first from an epoch on.
type Stage struct {
	From   int     `yaml:"from"`
	Factor float64 `yaml:"factor"`
}

// At is what multiplies a rate: Factor to the power of the whole number of Every epochs, or Batches mini-batches, that
// have passed; from a stage's epoch on, its factor to that power. A stage's power is that of the whole epoch number too, not of
// the epochs since it began: rates drop where it begins, as in the paper's runs.
func (d Decay) At(m Moment) float64 {
	base := d.Factor
	for _, s := range d.Then {
		if m.Epoch >= s.From {
			base = s.Factor
		}
	}
	if d.Batches > 0 {
		return power(base, m.Update/d.Batches)
	}
	return power(base, m.Epoch/max(d.Every, 1))
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

// mu is the learning rate of W_k in the network file.
func (l *Learning) mu(k int) float64 {
	if len(l.Feedforward) == 1 {
		k = 0
	}
	return l.Feedforward[k]
}

// twoSided tells that phases of both signs are compared: twice beta apart.
func (l *Learning) twoSided() bool { return l.Contrast == WithThird || l.Contrast == WithCentred }

// rate is what an update multiplies its sum by: mu / (beta N), and half of it where phases are 2 beta apart. beta is
// its magnitude here; its sign turns the sign of the sum.
func (l *Learning) rate(mu float64) float64 {
	if l.twoSided() {
		mu /= 2
	}
	return mu / (l.Beta * float64(l.Batch))
}

// contrast lays out the phases of a sample: free, then what is compared. order is that of the steps of an iteration, begin
// what a phase starts with.
func (s *Settings) contrast(order [][]int, begin []Copy) []Phase {
	phase := func(name string, beta, iterations int, keep Role) Phase {
		return Phase{Name: name, Beta: beta, Iterations: iterations, Begin: begin, Order: order,
			EarlyEnd: s.Settling.EarlyEnd, Learning: beta != 0, Answer: beta == 0, Keep: keep}
	}
	free := phase("free", 0, s.Settling.FreeIterations, NoRole)
	nudged := phase("nudged", 1, s.Settling.NudgedIterations, Plus)
	other := phase(s.Learning.Contrast, -1, s.Settling.NudgedIterations, Minus)
	switch s.Learning.Contrast {
	case WithThird:
		return []Phase{free, nudged, other}
	case WithCentred:
		other.From = free.Name
		return []Phase{free, nudged, other}
	}
	free.Keep = Minus
	return []Phase{free, nudged}
}

// compared are the terms of an update that compares the two phases: post pre' of role plus less that of role minus.
func compared(post, pre int) []Term {
	return []Term{{Post: post, Pre: pre, Role: Minus, Negative: true}, {Post: post, Pre: pre, Role: Plus}}
}

package golden

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Limits of a network. The generator of random words numbers matrices, of which K layers have 3K - 1, by 8
// bits; the others keep a mistyped number from filling the memory.
const (
	MaxLayers     = 86
	maxSynapses   = 1 << 28
	maxBatch      = 1 << 16
	maxIterations = 1 << 16
	maxEpochs     = 1 << 20
)

// FormatKinds are the tensors whose types the network file may set: some are of all layers, the others
// may carry an index, as in W or W0.
var FormatKinds = []string{"x", "r", "u", "current", "lateral", "drive", "excess", "qu", "q", "nu", "e", "d", "c", "W", "F", "C", "dW", "dF", "dC", "eta", "coefficient", "rate", "gamma"}

// constantKinds are those of settings, not of what is computed.
var constantKinds = []string{"nu", "eta", "coefficient", "rate", "gamma"}

// interneuronKinds are the tensors that only a sparse layer has.
var interneuronKinds = []string{"excess", "qu", "q", "nu"}

var networkName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,39}$`)

// values checks the ranges of all settings that were read.
func (p *networkFile) values(n *Network) {
	if p.wanted("name") && !networkName.MatchString(n.Name) {
		p.report("name", "%q; want a letter, then up to 39 letters, digits or underscores: it prefixes every Verilog module", n.Name)
	}
	p.oneOf("rule", n.Rule, "corinfomax")
	if p.wanted("dataset.name") {
		p.oneOf("dataset.name", n.Dataset.Name, "mnist", "fashion", "cifar10", "images", "idx")
	}
	if name := n.Dataset.Name; (name == "idx" || name == "images") && n.Dataset.Path == "" && !p.reported["dataset.path"] {
		p.report("dataset.path", "missing; a dataset of %s files needs its folder", map[string]string{"idx": "idx", "images": "image"}[name])
	}
	p.layers(n)
	p.positive("epsilon", n.Epsilon)
	if p.wanted("lambda") && !(n.Lambda > 0 && n.Lambda < 1) {
		p.report("lambda", "%v; want a number between 0 and 1", n.Lambda)
	}
	p.notNegative("leak", n.Leak)
	p.sparse(n)
	p.settling(&n.Settling)
	p.learning(n)
	p.count("hardware.lanes", n.Hardware.Lanes, 1, MaxLanes)
	p.count("hardware.contexts", n.Hardware.Contexts, 1, MaxContexts)
	p.oneOf("hardware.mode", n.Hardware.Mode, "events", "dense")
	p.formatIndexes(n)
}

func (p *networkFile) layers(n *Network) {
	if !p.wanted("layers") {
		return
	}
	if len(n.Layers) < 2 || len(n.Layers) > MaxLayers {
		p.refuse("layers", "%d layers; want 2, the input and the output, to %d", len(n.Layers), MaxLayers)
		return
	}
	for k, size := range n.Layers {
		if size < 1 || size > MaxNeurons {
			p.refuse("layers", "layer %d has %d neurons; want 1 to %d", k, size, MaxNeurons)
		}
	}
	if p.reported["layers"] {
		return
	}
	if synapses := n.synapses(); synapses > maxSynapses {
		p.report("layers", "%d synapses; want at most %d", synapses, maxSynapses)
	}
}

// synapses is the number of elements of all W, F and C.
func (n *Network) synapses() int {
	count := 0
	for k := 1; k < len(n.Layers); k++ {
		count += n.Layers[k] * (n.Layers[k-1] + n.Layers[k])
		if k > 1 {
			count += n.Layers[k] * n.Layers[k-1]
		}
	}
	return count
}

// sparse checks the layers on the sparse polytope. A step size above 1 would make the interneuron's potential
// q_u overshoot where it leaks: q_u <- (1 - nu) q_u + nu (sum r - 1) while q is 0.
func (p *networkFile) sparse(n *Network) {
	const layers, nus = "sparse.layers", "sparse.nu"
	s := &n.Sparse
	high := MaxLayers - 1
	if len(n.Layers) >= 2 && !p.reported["layers"] {
		high = n.K()
	}
	for i, k := range s.Layers {
		switch {
		case p.reported[layers]:
		case k < 1 || k > high:
			p.report(layers, "layer %d; want 1, the first above the input, to %d", k, high)
		case i > 0 && k <= s.Layers[i-1]:
			p.report(layers, "layer %d after layer %d; want them in ascending order, each once", k, s.Layers[i-1])
		}
	}
	if !p.reported[layers] && !p.reported[nus] && len(s.Nu) != len(s.Layers) {
		p.report(nus, "%d values; sparse.layers wants %d, one per layer", len(s.Nu), len(s.Layers))
	}
	for _, nu := range s.Nu {
		if !p.reported[nus] && !(nu > 0 && nu <= 1) {
			p.report(nus, "%v; want a number above 0, at most 1", nu)
		}
	}
}

func (p *networkFile) settling(s *Settling) {
	if p.wanted("settling.free_iterations") {
		p.count("settling.free_iterations", s.FreeIterations, 1, maxIterations)
	}
	if p.wanted("settling.nudged_iterations") {
		p.count("settling.nudged_iterations", s.NudgedIterations, 1, maxIterations)
	}
	if p.wanted("settling.step.rule") {
		p.oneOf("settling.step.rule", s.Step.Rule, "constant", "divide_by_loop_index", "divide_by_slow_loop_index")
	}
	p.positive("settling.step.start", s.Step.Start)
	if p.notNegative("settling.step.stop", s.Step.Stop) && s.Step.Stop > s.Step.Start && !p.reported["settling.step.start"] {
		p.report("settling.step.stop", "%v; want a number from 0 to start, %v", s.Step.Stop, s.Step.Start)
	}
	p.notNegative("settling.step.decay", s.Step.Decay)
}

func (p *networkFile) learning(n *Network) {
	l := &n.Learning
	if p.wanted("learning.batch") {
		p.count("learning.batch", l.Batch, 1, maxBatch)
	}
	p.positive("learning.beta", l.Beta)
	p.rates("learning.feedforward", l.Feedforward, n.K())
	p.rates("learning.feedback", l.Feedback, n.K()-1)
	p.decay(&l.Decay)
	if p.wanted("learning.epochs") {
		p.count("learning.epochs", l.Epochs, 1, maxEpochs)
	}
}

// decay refuses rates that grow, which could leave their format, and half of a second stage, which would set
// the rates back to their start.
func (p *networkFile) decay(d *Decay) {
	const path = "learning.decay"
	if !p.reported[path+".factor"] && !(d.Factor > 0 && d.Factor <= 1) {
		p.report(path+".factor", "%v; want a number above 0, at most 1", d.Factor)
	}
	if !p.reported[path+".then"] && !(d.Then > 0 && d.Then <= 1) {
		p.refuse(path+".then", "%v; want a number above 0, at most 1", d.Then)
	}
	p.count(path+".epochs", d.Epochs, 0, maxEpochs)
	if p.reported[path+".epochs"] || p.reported[path+".then"] {
		return
	}
	if _, ok := p.at[path+".then"]; !ok && d.Epochs > 0 {
		p.report(path+".then", "missing; it takes the place of factor from epoch %d on", d.Epochs)
	}
	if d.Epochs == 0 && d.Then != 1 {
		p.report(path+".epochs", "missing; the epoch from which then takes the place of factor")
	}
}

// rates checks a list of learning rates, one per matrix.
func (p *networkFile) rates(path string, list []float64, want int) {
	if p.reported[path] {
		return
	}
	if len(list) != want && !p.reported["layers"] {
		p.report(path, "%d rates; the layers want %d", len(list), want)
	}
	for _, mu := range list {
		if mu < 0 {
			p.report(path, "%v; want 0 or a positive number", mu)
		}
	}
}

// formatIndexes refuses a tensor that the network doesn't have: its format would be ignored.
func (p *networkFile) formatIndexes(n *Network) {
	if p.reported["layers"] {
		return
	}
	for key := range n.Formats {
		parts := formatKey.FindStringSubmatch(key)
		kind, text := parts[1], parts[2]
		if text == "" {
			continue
		}
		low, high := 1, n.K()
		switch kind {
		case "x", "eta", "coefficient", "rate", "gamma":
			p.report("formats."+key, "%s has no index: the network has one", kind)
			continue
		case "W", "dW":
			low, high = 0, n.K()-1
		case "F", "dF":
			high = n.K() - 1
		}
		i, err := strconv.Atoi(text)
		switch inside := err == nil && i >= low && i <= high; {
		case !inside && low > high:
			p.report("formats."+key, "a network of %d layers has no %s", len(n.Layers), kind)
		case !inside:
			p.report("formats."+key, "a network of %d layers has %s%d to %s%d", len(n.Layers), kind, low, kind, high)
		case slices.Contains(interneuronKinds, kind) && !p.reported["sparse.layers"] && !slices.Contains(n.Sparse.Layers, i):
			p.report("formats."+key, "layer %d has no %s: sparse.layers does not name it", i, kind)
		}
	}
}

// wanted tells whether a key that every file must have was read, and reports it where it is missing.
func (p *networkFile) wanted(path string) bool {
	if p.reported[path] {
		return false
	}
	if _, ok := p.at[path]; ok {
		return true
	}
	for at := path; at != ""; at = at[:max(strings.LastIndex(at, "."), 0)] {
		if p.guessed[at] || p.reported[at] {
			return false
		}
	}
	p.refuse(path, "missing; every %s sets it", p.kind)
	return false
}

// positive checks a key that every file must have.
func (p *networkFile) positive(path string, v float64) {
	if p.wanted(path) && !(v > 0 && v <= math.MaxFloat64) {
		p.refuse(path, "%v; want a positive number", v)
	}
}

func (p *networkFile) notNegative(path string, v float64) bool {
	if v < 0 && !p.reported[path] {
		p.refuse(path, "%v; want 0 or a positive number", v)
	}
	return !p.reported[path]
}

func (p *networkFile) count(path string, v, low, high int) {
	if !p.reported[path] && (v < low || v > high) {
		p.report(path, "%d; want %d to %d", v, low, high)
	}
}

func (p *networkFile) oneOf(path, v string, allowed ...string) {
	if !p.reported[path] && !slices.Contains(allowed, v) {
		p.report(path, "%q; want one of %s", v, strings.Join(allowed, ", "))
	}
}

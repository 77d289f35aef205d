package network

import (
	"math"
	"regexp"
	"slices"
	"strings"

	"corinfo/golden"
	"corinfo/golden/arithmetic"
	"corinfo/golden/dataset"
	"corinfo/golden/rule"
)

// Limits of a network. The generator of random words numbers matrices by 8 bits; the others keep a mistyped number from
// filling the memory.
const (
	MaxLayers     = 86
	maxMatrices   = 1 << 8
	MaxSynapses   = 1 << 28
	maxBatch      = 1 << 16
	maxIterations = 1 << 16
	MaxEpochs     = 1 << 20
)

// MaxLanes is the largest number of lanes of a design, MaxContexts of samples that it has in flight.
const (
	MaxLanes    = 1024
	MaxContexts = 4
)

var networkName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,39}$`)

// values checks the ranges of all settings that were read.
func (p *networkFile) values(n *Network) {
	if p.wanted("name") && !networkName.MatchString(n.Name) {
		p.report("name", "%q; want a letter, then up to 39 letters, digits or underscores: it prefixes every Verilog module", n.Name)
	}
	if p.wanted("rule") {
		p.oneOf("rule", n.Rule, rule.Names()...)
	}
	p.source(&n.Dataset)
	p.layers(n)
	p.settling(&n.Settling)
	p.learning(&n.Learning)
	p.count("hardware.lanes", n.Hardware.Lanes, 1, MaxLanes)
	p.count("hardware.contexts", n.Hardware.Contexts, 1, MaxContexts)
	if n.Hardware.EpochSamples < 0 {
		p.report("hardware.epoch_samples", "%d; want 1 or more, or leave it out", n.Hardware.EpochSamples)
	}
	p.oneOf("hardware.mode", n.Hardware.Mode, "events", "dense")
	r := rule.Named(n.Rule)
	if r == nil {
		return
	}
	for _, path := range r.Not {
		if _, ok := p.at[path]; ok {
			p.refuse(path, "%s has no such setting", n.Rule)
		}
	}
	sound := !p.reported["layers"] && !p.reported["dataset.normalize.mean"] && !p.reported["dataset.normalize.deviation"]
	if sound && len(n.Layers) > 1 && (n.Own != nil || r.Own() == nil) {
		r.Check(n.Settings(), func(path, format string, args ...any) {
			if p.wanted(path) {
				p.refuse(path, format, args...)
			}
		})
	}
	if p.problems == nil {
		p.described(n)
	}
}

// described checks what only the description of the network tells: its size, and the names of its tensors.
func (p *networkFile) described(n *Network) {
	d := n.Describe()
	if synapses := d.Synapses(); synapses > MaxSynapses {
		p.report("layers", "%d synapses; want at most %d", synapses, MaxSynapses)
	}
	matrices := 0
	for _, at := range d.Stored() {
		matrices += 1 + len(d.Projections[at].Words)
	}
	if matrices > maxMatrices {
		p.report("layers", "%d layers have %d matrices; want at most %d", len(n.Layers), matrices, maxMatrices)
	}
	var kinds []string
	for _, t := range d.Tensors {
		if t.About != "" && !slices.Contains(kinds, t.Kind) {
			kinds = append(kinds, t.Kind)
		}
	}
	for key := range n.Formats {
		if slices.ContainsFunc(d.Tensors, func(t rule.Tensor) bool { return t.Kind == key || t.String() == key }) {
			continue
		}
		kind := strings.TrimRight(key, "0123456789")
		if slices.Contains(kinds, kind) {
			p.report("formats."+key, "the network has no %s, but %s", key, strings.Join(named(d, kind), ", "))
		} else {
			p.report("formats."+key, "unknown tensor; did you mean %q?", golden.Nearest(kind, kinds))
		}
	}
	x := arithmetic.Resolve(d, n.Formats)[d.Words[d.Word("x", 0)].Tensor]
	if low, _ := n.Dataset.Normalize.Range(); low < 0 && !x.Signed {
		p.report("formats.x", "%v holds no input below 0, and dataset.normalize makes some down to %.3g; use ap_fixed", x, low)
	}
}

// named are the tensors of a kind.
func named(d *rule.Description, kind string) (names []string) {
	for _, t := range d.Tensors {
		if t.Kind == kind {
			names = append(names, t.String())
		}
	}
	return names
}

func (p *networkFile) source(s *dataset.Source) {
	if p.wanted("dataset.name") {
		p.oneOf("dataset.name", s.Name, "mnist", "fashion", "cifar10", "images", "idx")
	}
	if (s.Name == "idx" || s.Name == "images") && s.Path == "" && !p.reported["dataset.path"] {
		p.report("dataset.path", "missing; a dataset of %s files needs its folder", map[string]string{"idx": "idx",
			"images": "image"}[s.Name])
	}
	const mean, deviation = "dataset.normalize.mean", "dataset.normalize.deviation"
	if p.reported[mean] || p.reported[deviation] {
		return
	}
	if planes := len(s.Normalize.Mean); planes != len(s.Normalize.Deviation) || planes > 3 {
		p.refuse(mean, "%d of mean and %d of deviation; want one of each per colour plane, 1 or 3", planes, len(s.Normalize.Deviation))
	}
	if i := slices.IndexFunc(s.Normalize.Deviation, func(v float64) bool { return !(v > 0) }); i >= 0 {
		p.refuse(deviation, "%v; want a positive number", s.Normalize.Deviation[i])
	}
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
		if size < 1 || size > golden.MaxNeurons {
			p.refuse("layers", "layer %d has %d neurons; want 1 to %d", k, size, golden.MaxNeurons)
		}
	}
	if planes := len(n.Dataset.Normalize.Mean); planes > 1 && n.Layers[0]%planes != 0 {
		p.refuse("layers", "%d inputs are no %d colour planes, for which dataset.normalize has values", n.Layers[0], planes)
	}
}

func (p *networkFile) settling(s *rule.Settling) {
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
	p.notNegative("settling.step.inference", s.Step.Inference)
}

func (p *networkFile) learning(l *rule.Learning) {
	if p.wanted("learning.batch") {
		p.count("learning.batch", l.Batch, 1, maxBatch)
	}
	p.positive("learning.beta", l.Beta)
	p.oneOf("learning.contrast", l.Contrast, rule.WithFree, rule.WithThird, rule.WithCentred)
	p.decay(&l.Decay)
	p.optimizer(&l.Optimizer)
	if p.wanted("learning.epochs") {
		p.count("learning.epochs", l.Epochs, 1, MaxEpochs)
	}
}

// optimizer refuses what no optimizer can work with.
func (p *networkFile) optimizer(o *rule.Optimizer) {
	const path = "learning.optimizer"
	p.oneOf(path+".kind", o.Kind, rule.SGD, rule.Momentum, rule.Adam)
	for key := range p.at {
		if name, ok := strings.CutPrefix(key, path+"."); ok && !p.reported[key] && !p.reported[path+".kind"] && !o.Uses(name) {
			p.refuse(key, "%s has no such setting", o.Kind)
		}
	}
	fraction := func(key string, v float64) {
		if !p.reported[path+key] && !(v >= 0 && v < 1) {
			p.refuse(path+key, "%v; want 0 or more, below 1", v)
		}
	}
	fraction(".momentum", o.Momentum)
	fraction(".beta1", o.Beta1)
	fraction(".beta2", o.Beta2)
	p.notNegative(path+".weight_decay", o.WeightDecay)
	if !p.reported[path+".epsilon"] && !(o.Epsilon > 0) {
		p.refuse(path+".epsilon", "%v; want a positive number", o.Epsilon)
	}
}

// decay refuses rates that grow, which could leave their format.
func (p *networkFile) decay(d *rule.Decay) {
	const path = "learning.decay"
	if !p.reported[path+".factor"] && !(d.Factor > 0 && d.Factor <= 1) {
		p.report(path+".factor", "%v; want a number above 0, at most 1", d.Factor)
	}
	p.count(path+".every", d.Every, 0, MaxEpochs)
	p.count(path+".batches", d.Batches, 0, math.MaxInt32)
	if d.Batches > 0 && (d.Every > 0 || d.Then != nil) {
		p.refuse(path+".batches", "%d beside every or then, which count epochs; leave one out", d.Batches)
	}
	for i, s := range d.Then {
		switch {
		case p.reported[path+".then"]:
		case !(s.Factor > 0 && s.Factor <= 1):
			p.refuse(path+".then", "a factor of %v; want a number above 0, at most 1", s.Factor)
		case s.From < 1 || i > 0 && s.From <= d.Then[i-1].From:
			p.refuse(path+".then", "from epoch %d; want epochs from 1 on, in ascending order", s.From)
		}
	}
}

// wanted tells whether a key that every file must have was read, and reports it where it is missing.
func (p *networkFile) wanted(path string) bool {
	if p.reported[path] || p.rule != nil && p.rule.Lacks(path) {
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
		p.refuse(path, "%q; want one of %s", v, strings.Join(allowed, ", "))
	}
}

// Package study finds out which word length costs how much accuracy. A study file names a network, axes over its formats
// and settings, and a search; a trial is one network with one seed, evaluated by golden and estimated by hdlgen. The
// table of results alone decides which trials come next, so that neither the number of workers nor their order nor what
// kills them changes it. What a trial is, and how it is done, is in trial.go and work.go; which ones there are, in plan.go;
// where they wait and where results stay, in store.go. Pages and plots of a finished study are left to study/report.
package study

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"corinfo/golden"
	"corinfo/golden/calibrate"
	"corinfo/golden/network"
	"corinfo/golden/rule"
	"corinfo/golden/training"
	"corinfo/hdlgen"
	"corinfo/hdlgen/design"
)

// Kinds of trials.
const (
	Float     = "float"     // a float32 training: what others are held against, and what inference trials quantize
	Inference = "inference" // a float run in the formats of the point, evaluated
	Learning  = "learning"  // bit-true training from scratch in the formats of the point
)

// Search methods.
const (
	Grid        = "grid"          // all points
	Random      = "random"        // Count points of the grid
	OneAtATime  = "one-at-a-time" // the first value of every axis, and each other value alone
	MinPlusOne  = "min+1"         // from the shortest words that suffice alone, lengthen the one that helps most until the loss is met
	MaxMinusOne = "max-1"         // from the longest words, shorten the one that hurts least until the loss is exceeded
)

// Study is a study file.
type Study struct {
	Name      string   `yaml:"name"`      // a letter, then letters, digits, underscores and dashes
	Network   string   `yaml:"network"`   // a preset, or a network file relative to the study file; empty with an axis of networks
	Kind      string   `yaml:"kind"`      // inference or learning
	Run       string   `yaml:"run"`       // inference: folder of a float run, relative to the study file; empty: the study trains it
	Seeds     []uint32 `yaml:"seeds"`     // every point is tried with each; empty: the network's
	Epochs    int      `yaml:"epochs"`    // of training; 0: the network's
	Samples   int      `yaml:"samples"`   // training samples in use, the first ones; 0: all
	Test      int      `yaml:"test"`      // test samples in use, the first ones; 0: all
	Calibrate int      `yaml:"calibrate"` // training samples over which ranges are recorded
	PerLayer  bool     `yaml:"per_layer"` // inference: formats chosen from ranges are each layer's own
	Axes      []Axis   `yaml:"axes"`
	Search    Search   `yaml:"search"`

	bases    []*network.Network // one, or by value of the axis of networks
	networks int                // that axis; below 0: none
	run      string             // SHA-256 of the run's checkpoint
}

// wholeNetwork is the setting of an axis whose values are networks, as those of the key network.
const wholeNetwork = "network"

// Axis is a list of values that settings take together.
type Axis struct {
	Set    []string         `yaml:"set"` // see Set
	Values []network.Scalar `yaml:"values"`
}

// Name is what the axis sets: W+F.width for the field of several tensors.
func (a *Axis) Name() string {
	tensors := make([]string, len(a.Set))
	for i, set := range a.Set {
		tensor, field, _ := strings.Cut(set, ".")
		if _, first, _ := strings.Cut(a.Set[0], "."); field != first {
			return strings.Join(a.Set, "+")
		}
		tensors[i] = tensor
		if field != "" && i == len(a.Set)-1 {
			tensors[i] += "." + field
		}
	}
	return strings.Join(tensors, "+")
}

// Numbers are the values if all are numbers.
func (a *Axis) Numbers() ([]float64, bool) {
	var list []float64
	for _, v := range a.Values {
		x, err := strconv.ParseFloat(string(v), 64)
		if err != nil {
			return nil, false
		}
		list = append(list, x)
	}
	return list, true
}

// Search says which points are tried, and which are good enough.
type Search struct {
	Method  string  `yaml:"method"`
	Count   int     `yaml:"count"`    // random: points
	Seed    uint32  `yaml:"seed"`     // random: of the draw
	MaxLoss float64 `yaml:"max_loss"` // percentage points of accuracy that a point may lose against float
	Halving Halving `yaml:"halving"`  // learning; off unless given
}

// Halving is successive halving: all points are trained for the first number of epochs, the best share of them for the
// next, and the best of those for the study's.
type Halving struct {
	Epochs []int   `yaml:"epochs"` // ascending, below the study's
	Keep   float64 `yaml:"keep"`   // share, above 0 and below 1
}

var studyName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,39}$`)

// Load reads a study file with its network. Its errors are wrong usage, with the place of all that is wrong in the file.
func Load(path string) (*Study, error) {
	text, err := golden.ReadFile(path, network.MaxYAMLFile)
	if err != nil {
		return nil, usagef("study file: %v; docs/STUDIES.md tells how to write one", err)
	}
	s := &Study{Calibrate: 200, Search: Search{Method: Grid, MaxLoss: 0.5, Halving: Halving{Keep: 0.5}}}
	err = network.ParseYAML(path, "study file", text, s, func(report func(string, string, ...any), wanted func(string) bool) {
		s.check(filepath.Dir(path), report, wanted)
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// check reports what is wrong, and completes the study.
func (s *Study) check(dir string, report func(path, format string, args ...any), wanted func(path string) bool) {
	oneOf := func(path, v string, allowed ...string) bool {
		if !slices.Contains(allowed, v) {
			report(path, "%q; want one of %s", v, strings.Join(allowed, ", "))
			return false
		}
		return true
	}
	notNegative := func(path string, v int) {
		if v < 0 {
			report(path, "%d; want 0 or a positive number", v)
		}
	}
	if wanted("name") && !studyName.MatchString(s.Name) {
		report("name", "%q; want a letter, then up to 39 letters, digits, underscores or dashes", s.Name)
	}
	if wanted("kind") {
		oneOf("kind", s.Kind, Inference, Learning)
	}
	if s.Kind == Learning && s.PerLayer {
		report("per_layer", "learning trials take no formats from ranges; leave it out")
	}
	notNegative("epochs", s.Epochs)
	if s.Epochs > network.MaxEpochs {
		report("epochs", "%d; want at most %d", s.Epochs, network.MaxEpochs)
	}
	notNegative("samples", s.Samples)
	notNegative("test", s.Test)
	if s.Calibrate < 1 {
		report("calibrate", "%d; want at least 1 sample", s.Calibrate)
	}
	for i, seed := range s.Seeds {
		if slices.Contains(s.Seeds[:i], seed) {
			report("seeds", "%d twice", seed)
		}
	}
	if s.Run != "" {
		s.loadRun(filepath.Join(dir, s.Run), report)
	}
	ready := s.loadNetworks(dir, report, wanted)
	if wanted("axes") && len(s.Axes) == 0 {
		report("axes", "none; want at least one, as {set: [W.width], values: [4, 6, 8]}")
	}
	known := oneOf("search.method", s.Search.Method, Grid, Random, OneAtATime, MinPlusOne, MaxMinusOne)
	if s.Search.Method == Random && s.Search.Count < 1 {
		report("search.count", "%d; want the number of points to draw", s.Search.Count)
	}
	if s.Search.MaxLoss < 0 {
		report("search.max_loss", "%v; want 0 or a positive number of percentage points", s.Search.MaxLoss)
	}
	greedy := known && (s.Search.Method == MinPlusOne || s.Search.Method == MaxMinusOne)
	for i := range s.Axes {
		s.checkAxis(i, ready, greedy, report, wanted)
	}
	s.checkHalving(greedy, report)
}

// loadNetworks reads the networks, and applies the file's epochs and seeds.
func (s *Study) loadNetworks(dir string, report func(path, format string, args ...any), wanted func(path string) bool) bool {
	s.networks = slices.IndexFunc(s.Axes, func(a Axis) bool { return slices.Contains(a.Set, wholeNetwork) })
	names, path := []network.Scalar{network.Scalar(s.Network)}, "network"
	switch {
	case s.networks < 0 && !wanted("network"):
		return false
	case s.networks >= 0 && s.Network != "":
		report("network", "%s; axes[%d] says which networks: leave it out", s.Network, s.networks)
		return false
	case s.networks >= 0:
		names, path = s.Axes[s.networks].Values, fmt.Sprintf("axes[%d].values", s.networks)
	}
	for _, name := range names {
		n, err := readNetwork(dir, string(name))
		if err != nil {
			report(path, "%s", reason(err))
			return false
		}
		s.bases = append(s.bases, n)
	}
	for i, n := range s.bases {
		first := s.bases[0]
		switch {
		case s.Epochs > 0:
			n.Learning.Epochs = s.Epochs
		case n.Learning.Epochs != first.Learning.Epochs:
			report("epochs", "missing; %s has %d, %s %d", names[0], first.Learning.Epochs, names[i], n.Learning.Epochs)
			return false
		}
		if len(s.Seeds) == 0 && n.Seed != first.Seed {
			report("seeds", "missing; %s has %d, %s %d", names[0], first.Seed, names[i], n.Seed)
			return false
		}
	}
	if len(s.bases) == 0 {
		return false
	}
	s.Epochs = s.bases[0].Learning.Epochs
	if len(s.Seeds) == 0 {
		s.Seeds = []uint32{s.bases[0].Seed}
	}
	return true
}

// readNetwork reads a preset, or a network file relative to a folder.
func readNetwork(dir, name string) (*network.Network, error) {
	if slices.Contains(network.Presets(), name) {
		text, err := network.Preset(name)
		if err != nil {
			return nil, err
		}
		return network.Parse(name, text)
	}
	file := name
	if !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	n, err := network.Load(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, usagef("%s: no such network file; presets are %s", name, strings.Join(network.Presets(), ", "))
	}
	return n, err
}

// base is the network of a point before its settings.
func (s *Study) base(at Point) *network.Network {
	if s.networks < 0 {
		return s.bases[0]
	}
	return s.bases[at[s.networks]]
}

// loadRun takes the checksum of the run's checkpoint: trials of another run are other trials.
func (s *Study) loadRun(dir string, report func(path, format string, args ...any)) {
	text, err := training.ReadCheckpoint(dir)
	switch {
	case s.Kind == Learning:
		report("run", "learning trials start from scratch; leave it out")
	case err != nil:
		report("run", "%s; want the folder of a float run, or leave it out", reason(err))
	case len(s.Seeds) > 1:
		report("seeds", "%d seeds; a run has one", len(s.Seeds))
	}
	s.Run, s.run = dir, fmt.Sprintf("%x", sha256.Sum256(text))
}

func (s *Study) checkAxis(i int, ready, greedy bool, report func(path, format string, args ...any), wanted func(path string) bool) {
	a, path := &s.Axes[i], fmt.Sprintf("axes[%d]", i)
	if !wanted(path+".set") || !wanted(path+".values") {
		return
	}
	if len(a.Set) == 0 {
		report(path+".set", "empty; want settings, as [W.width]")
	}
	if len(a.Values) == 0 {
		report(path+".values", "empty; want values, as [4, 6, 8]")
	}
	for j, v := range a.Values {
		if slices.Contains(a.Values[:j], v) {
			report(path+".values", "%s twice", v)
		}
	}
	if numbers, ok := a.Numbers(); greedy && (!ok || !slices.IsSorted(numbers)) {
		report(path+".values", "%s search goes from short words to long ones; want ascending numbers", s.Search.Method)
	}
	if !ready {
		return
	}
	for _, set := range a.Set {
		if problem := s.checkSetting(a, set); problem != "" {
			report(path+".set", "%s", problem)
			return
		}
		if set == wholeNetwork {
			continue
		}
		for i, base := range s.bases {
			for _, v := range a.Values {
				if err := Set(base.Clone(), set, string(v)); err != nil {
					problem := reason(err)
					if len(s.bases) > 1 {
						problem += ", in network " + s.Networks()[i]
					}
					report(path, "%s", problem)
					return
				}
			}
		}
	}
}

// checkSetting tells what is wrong with a setting as that of an axis, whatever its values.
func (s *Study) checkSetting(a *Axis, set string) string {
	switch {
	case set == "seed" || set == "learning.epochs":
		return set + "; the study's own keys seeds and epochs say that"
	case set == wholeNetwork && len(a.Set) > 1:
		return "network beside other settings; networks want an axis of their own"
	case set == wholeNetwork && a != &s.Axes[s.networks]:
		return "network again; one axis has networks"
	case strings.HasPrefix(set, "hardware."):
		for _, n := range s.bases {
			if _, err := design.New(n, n.Hardware.Lanes, design.Units(n.Hardware.Lanes), hdlgen.FastTarget); errors.Is(err, golden.ErrUsage) {
				return set + ": " + reason(err)
			}
		}
	case s.Kind == Inference && s.Run != "" && floatSetting(s.bases[0], set):
		return set + " changes how the run was trained; leave run out, so that the study trains for every value"
	}
	return ""
}

func (s *Study) checkHalving(greedy bool, report func(path, format string, args ...any)) {
	h := &s.Search.Halving
	if len(h.Epochs) == 0 {
		return
	}
	switch {
	case s.Kind != Learning:
		report("search.halving", "nothing to stop early in %s trials; leave it out", s.Kind)
	case greedy:
		report("search.halving", "%s search decides by whole trials; leave it out", s.Search.Method)
	}
	for i, e := range h.Epochs {
		if e < 1 || s.Epochs > 0 && e >= s.Epochs || i > 0 && e <= h.Epochs[i-1] {
			report("search.halving.epochs", "%v; want ascending numbers from 1 to below epochs, %d", h.Epochs, s.Epochs)
			break
		}
	}
	if !(h.Keep > 0 && h.Keep < 1) {
		report("search.halving.keep", "%v; want a share above 0 and below 1", h.Keep)
	}
}

func usagef(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{golden.ErrUsage}, args...)...)
}

// scope is what a format serves that is chosen from ranges.
func (s *Study) scope() calibrate.Scope {
	if s.PerLayer {
		return calibrate.EachLayer
	}
	return calibrate.AllLayers
}

// Networks are the names of the networks, as the file has them, and Datasets those of their data sets.
func (s *Study) Networks() []string {
	if s.networks < 0 {
		return []string{s.Network}
	}
	var names []string
	for _, v := range s.Axes[s.networks].Values {
		names = append(names, string(v))
	}
	return names
}

// Datasets are the names of the networks' data sets.
func (s *Study) Datasets() []string {
	var names []string
	for _, n := range s.bases {
		if !slices.Contains(names, n.Dataset.Name) {
			names = append(names, n.Dataset.Name)
		}
	}
	return names
}

// Tensors are those of the networks.
func (s *Study) Tensors() []rule.Tensor {
	var list []rule.Tensor
	for _, n := range s.bases {
		list = append(list, n.Describe().Tensors...)
	}
	return list
}

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
	Network   string   `yaml:"network"`   // a preset, or a network file relative to the study file
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

	base *golden.Network
	run  string // SHA-256 of the run's checkpoint
}

// Axis is a list of values that settings take together.
type Axis struct {
	Set    []string        `yaml:"set"` // see Set
	Values []golden.Scalar `yaml:"values"`
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
	text, err := golden.ReadFile(path, golden.MaxYAMLFile)
	if err != nil {
		return nil, usagef("study file: %v; docs/STUDIES.md tells how to write one", err)
	}
	s := &Study{Calibrate: 200, Search: Search{Method: Grid, MaxLoss: 0.5, Halving: Halving{Keep: 0.5}}}
	err = golden.ParseYAML(path, "study file", text, s, func(report func(string, string, ...any), wanted func(string) bool) {
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
	ready := wanted("network") && s.loadNetwork(dir, report)
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

// loadNetwork reads the base network and applies the file's epochs and seeds.
func (s *Study) loadNetwork(dir string, report func(path, format string, args ...any)) bool {
	var err error
	if slices.Contains(golden.Presets(), s.Network) {
		var text []byte
		if text, err = golden.Preset(s.Network); err == nil {
			s.base, err = golden.ParseNetwork(s.Network, text)
		}
	} else {
		file := s.Network
		if !filepath.IsAbs(file) {
			file = filepath.Join(dir, file)
		}
		if s.base, err = golden.LoadNetwork(file); err != nil && errors.Is(err, os.ErrNotExist) {
			err = usagef("no such network file; presets are %s", strings.Join(golden.Presets(), ", "))
		}
	}
	if err != nil {
		report("network", "%s", reason(err))
		return false
	}
	if s.Epochs > 0 {
		s.base.Learning.Epochs = s.Epochs
	}
	s.Epochs = s.base.Learning.Epochs
	if len(s.Seeds) == 0 {
		s.Seeds = []uint32{s.base.Seed}
	}
	return true
}

// loadRun takes the checksum of the run's checkpoint: trials of another run are other trials.
func (s *Study) loadRun(dir string, report func(path, format string, args ...any)) {
	text, err := golden.ReadCheckpoint(dir)
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
		for _, v := range a.Values {
			n := clone(s.base)
			if err := Set(n, set, string(v)); err != nil {
				report(path, "%s", reason(err))
				return
			}
			if s.Kind == Inference && floatSetting(n, set) && s.Run != "" {
				report(path+".set", "%s changes how the run was trained; leave run out, so that the study trains for every value", set)
				return
			}
			if set == "seed" || set == "learning.epochs" {
				report(path+".set", "%s; the study's own keys seeds and epochs say that", set)
				return
			}
		}
	}
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
func (s *Study) scope() golden.Scope {
	if s.PerLayer {
		return golden.EachLayer
	}
	return golden.AllLayers
}

// Dataset is the name of the base network's data set.
func (s *Study) Dataset() string { return s.base.Dataset.Name }

package design

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"corinfo/golden/training"
	"corinfo/hdlgen"
	vl "corinfo/hdlgen/verilog"
)

// Design is a generated project in a folder.
type Design struct {
	Dir      string
	Plan     *Plan
	Manifest *hdlgen.Manifest
	Learner  *training.FixedLearner // the bit-true model, with the synapses that the memories start from
}

// Build makes every file of a plan's design, its memories starting from the learner's words, and its manifest.
func Build(p *Plan, learner *training.FixedLearner) (files map[string][]byte, m *hdlgen.Manifest, err error) {
	n := p.Network
	if err := hdlgen.CheckName(n.Name); err != nil {
		return nil, nil, err
	}
	s, err := newShape(p)
	if err != nil {
		return nil, nil, err
	}
	modules, err := p.pipelines(hdlgen.Provenance(n))
	if err != nil {
		return nil, nil, err
	}
	files, m = map[string][]byte{}, hdlgen.NewManifest(n, p.Lanes, p.Target)
	m.Units, m.Counters, m.Latency = p.Units, p.Counters, map[string]int{}
	m.Widths = hdlgen.Widths{
		X: s.X, Label: s.Label, Score: s.Score, Context: s.Context,
		Words: bitsOf(p.Words), Shared: s.SharedW(), Synapse: s.Synapse, Beside: s.BesideW(),
	}
	instances := []string{"corinfo_control", "corinfo_lane", "corinfo_synapses", "corinfo_wire", "corinfo_queue",
		"corinfo_words", "corinfo_ram", "corinfo_choice"}
	if p.Learns() {
		instances = append(instances, "corinfo_random")
	}
	for _, module := range modules {
		instances = append(instances, module.Instances()...)
	}
	m.Files = hdlgen.AddLibrary(files, instances)
	put := func(name string, text []byte) {
		file := "rtl/" + name + ".v"
		files[file] = text
		m.Files = append(m.Files, file)
	}
	for _, module := range modules {
		var text bytes.Buffer
		if err := vl.Fprint(&text, module); err != nil {
			return nil, nil, err
		}
		put(module.Name, vl.WrapText(text.Bytes()))
	}
	for _, module := range []struct {
		name string
		text func(s *shape) ([]byte, error)
	}{{n.Name + "_unit", p.unitModule}, {n.Name + "_shared", p.sharedModule}, {n.Name, p.topModule}} {
		text, err := module.text(s)
		if err != nil {
			return nil, nil, err
		}
		if text != nil {
			put(module.name, text)
		}
	}
	for i, t := range p.D.Tensors {
		if t.Kind != "one" {
			m.Formats[t.String()] = p.A.Types[i].String()
		}
	}
	for i, f := range p.Formulas {
		if f.hasPipeline() {
			m.Latency[strings.TrimPrefix(p.moduleName(i), n.Name+"_")] = f.Latency
		}
	}
	for i, x := range p.D.Projections {
		if !p.Holds(i) {
			continue
		}
		signal, offset := p.offset(i)
		m.Matrices = append(m.Matrices, hdlgen.MatrixPlace{
			Name: x.Name, Rows: x.Rows, Cols: x.Cols,
			Base: signal.Base + offset, Stride: signal.Stride, Format: p.A.Types[x.Tensor].String(),
		})
	}
	images := p.images(s, learner.Machine, learner.Rates(0))
	for _, name := range slices.Sorted(maps.Keys(images)) {
		m.AddImage(files, name, images[name])
	}
	return files, m, hdlgen.AddProject(files, m, n)
}

// Generate writes a plan's design into a folder, whole or not at all; with a folder for a board, if it is not nil, and
// one of vectors, if they are not nil.
func Generate(p *Plan, learner *training.FixedLearner, b *hdlgen.Board, v *hdlgen.Vectors, dir string, edited hdlgen.Edited) (*hdlgen.Manifest, error) {
	files, m, err := Build(p, learner)
	if err == nil {
		err = p.addTo(files, m, b, v, learner)
	}
	if err == nil {
		err = hdlgen.AddManifest(files, m)
	}
	if err != nil {
		return nil, err
	}
	c := &training.Checkpoint{Network: p.Network, Arithmetic: training.Fixed, Seed: p.Network.Seed, Tensors: learner.Tensors()}
	return m, hdlgen.Write(files, c, dir, edited)
}

// Open reads a generated design. Its manifest and memory images must be those that were generated, from the design's own network and
// weights; the Verilog may have been changed. What differs is ErrDamaged.
func Open(dir string) (*Design, error) {
	m, err := hdlgen.ReadManifest(dir)
	if err != nil {
		return nil, err
	}
	c, err := training.LoadCheckpoint(dir)
	if err != nil {
		return nil, err
	}
	learner, _, err := training.StartMachine(c.Network, c)
	if err != nil {
		return nil, err
	}
	var want *hdlgen.Manifest
	var files map[string][]byte
	p, err := New(c.Network, m.Lanes, m.Units, m.Target)
	if err == nil {
		if files, want, err = Build(p, learner); err == nil && m.Board != nil {
			want.Board, err = m.Board.Rebuilt(want)
		}
		if err != nil {
			want = nil
		}
	}
	if err := m.Verify(dir, want, files, difference); err != nil {
		return nil, err
	}
	return &Design{Dir: dir, Plan: p, Manifest: m, Learner: learner}, nil
}

// difference names the first word in which an image is not what was generated.
func difference(want, got []byte) string {
	a, b := strings.Split(strings.TrimSuffix(string(want), "\n"), "\n"), strings.Split(strings.TrimSuffix(string(got), "\n"), "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d is %.20q, not %q", i+1, b[i], a[i])
		}
	}
	return fmt.Sprintf("%d words, not %d", len(b), len(a))
}

// LanesOfUnit is how many lanes a neuron unit serves at most, if nothing else is asked for.
const LanesOfUnit = 8

// Units is a number of neuron units for lanes: each serves as many as it can up to LanesOfUnit.
func Units(lanes int) int {
	for subs := min(LanesOfUnit, lanes); subs > 1; subs-- {
		if lanes%subs == 0 {
			return lanes / subs
		}
	}
	return lanes
}

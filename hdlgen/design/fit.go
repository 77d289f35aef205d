package design

import (
	"fmt"
	mathbits "math/bits"

	"corinfo/constraints"
	"corinfo/golden"
	"corinfo/golden/calibrate"
	"corinfo/golden/network"
	"corinfo/hdlgen"
)

// parts are the memories and multipliers of a plan; its cycles are not counted.
func (p *Plan) parts() (*hdlgen.Estimates, error) {
	s, err := newShape(p)
	if err != nil {
		return nil, err
	}
	e := &hdlgen.Estimates{Lanes: p.Lanes}
	if err := p.memories(s, e); err != nil {
		return nil, err
	}
	p.multipliers(s, e)
	return e, nil
}

// WithSharedFormats gives the parts that the plan of its network takes where all layers share one format per kind of tensor
// (calibrate.SharedFormats); nil if they are not fewer, or if the shared formats do not get on with one another.
func (p *Plan) WithSharedFormats() *hdlgen.Parts {
	own, err := p.parts()
	if err != nil {
		return nil
	}
	other, err := New(calibrate.SharedFormats(p.Network), p.Lanes, p.Units, p.Target)
	if err != nil {
		return nil
	}
	shared, err := other.parts()
	if err != nil || shared.Multipliers >= own.Multipliers && shared.Pipelines >= own.Pipelines {
		return nil
	}
	return &shared.Parts
}

// CheckFit refuses a design that cannot fit a board's device, and says what would (ErrUsage).
func (p *Plan) CheckFit(b *constraints.Board) error {
	e, err := p.parts()
	if err != nil {
		return err
	}
	f := e.Fit(b)
	if f.Fits {
		return nil
	}
	return fmt.Errorf("%w: %s on %d lanes and %d neuron units takes %d of %d multipliers, %d of %d block memories and at least %d of %d LUTs of %s (%s); %s",
		golden.ErrUsage, p.Network.Name, p.Lanes, p.Units, f.DSP.Used, f.DSP.Available, f.BRAM.Used, f.BRAM.Available, f.LUT.Used, f.LUT.Available, b.Name, b.Device,
		hdlgen.FitRemedy(MostLanes(p.Network, b)))
}

// MostLanes is the largest number of lanes with which a network fits a board's device, with as many neuron units as Units says; 0 if it
// does with none.
func MostLanes(n *network.Network, b *constraints.Board) int {
	for lanes := min(network.MaxLanes, b.Resources.DSP); lanes > 0; lanes-- { // each has a multiplier at least
		p, err := New(n, lanes, Units(lanes), b.Target)
		if err != nil {
			continue
		}
		if e, err := p.parts(); err == nil && e.Fit(b).Fits {
			return lanes
		}
	}
	return 0
}

// wordsInLUTs is how many words of neurons are in LUTs at most, as corinfo_words has it.
const wordsInLUTs = 64

func (p *Plan) memories(s *shape, e *hdlgen.Estimates) error {
	add := func(name string, words, width, memories int, fixed bool) *hdlgen.MemoryBits {
		if words == 0 || width == 0 || memories == 0 {
			return &hdlgen.MemoryBits{} // there is none
		}
		e.Memories = append(e.Memories, hdlgen.MemoryBits{
			Name: name, Words: words, Width: width, Memories: memories, Bits: words * width * memories,
			ReadOnly: fixed, InLUTs: name == "sums" || name == "events",
		})
		e.MemoryBits += words * width * memories
		return &e.Memories[len(e.Memories)-1]
	}
	n := p.Network
	fixed := !n.Hardware.HostTables
	sizes := p.tables(s.Constants)
	add("synapses", s.SynapseDepth, s.Synapse, p.Lanes, false)
	add("words beside synapses", s.SynapseDepth, s.Beside, p.Lanes, false)
	add("sums", 1<<s.SumAddr, s.Sum, p.Lanes*p.Contexts, false)
	if p.Learns() {
		add("factors", 1<<s.FactorAddr, p.Pair()*s.Factor, p.Lanes/p.Pair(), false)
		add("kept factors", 1<<s.KeptAddr, s.Kept, p.Units, false)
		add("input", max(2, n.Learning.Batch*n.Layers[0]), s.X, 1, false)
		if n.Learning.Batch > 1 {
			add("inputs that are not zero", max(2, n.Layers[0]), 1, 1, false)
		}
		add("updates", p.updateWords(), sizes[TableUpdates].Bits, 1, fixed)
		add("rates", p.updateWords(), s.UpdateConstants, 1, false)
		add("schedule", p.scheduleWords(), s.UpdateConstants+40, 1, true)
	}
	for _, w := range p.Words {
		add("words "+w.Name, p.Contexts<<s.Index, w.Width, p.Units, false).InLUTs = p.Contexts<<s.Index <= wordsInLUTs
	}
	add("words of layers", p.Contexts*len(n.Layers), s.Shared, 1, false)
	add("events", 1<<s.Queue, s.EventW(), p.Units*p.Contexts, false)
	images := p.tableImages(s)
	for _, t := range []struct {
		name   string
		number Table
		copies int
		fixed  bool
	}{
		{"program", TableProgram, p.Contexts, fixed},
		{"steps", TableSteps, 1, fixed},
		{"constants", TableConstants, 1, false},
		{"columns", TableColumns, 1, fixed},
		{"signals", TableSignals, 1, fixed},
		{"counters of flags", TableCounters, 1, fixed},
	} {
		m := add(t.name, sizes[t.number].Rows, sizes[t.number].Bits, t.copies, t.fixed)
		if !t.fixed {
			continue
		}
		var err error
		if m.Varying, err = varying(images[t.number]); err != nil {
			return err
		}
	}
	return nil
}

// varying is how many bits of an image's words are not the same in all of them, at least 1.
func varying(image []byte) (count int, err error) {
	rows, err := rowsOf(image)
	if err != nil || len(rows) == 0 {
		return 1, err
	}
	for part, first := range rows[0] {
		differ := uint32(0)
		for _, row := range rows {
			differ |= row[part] ^ first
		}
		count += mathbits.OnesCount32(differ)
	}
	return max(1, count), nil
}

// multipliers counts those of the lanes' products, of the formulas in every unit, and the one that finds columns.
func (p *Plan) multipliers(s *shape, e *hdlgen.Estimates) {
	e.AddMultiplier("mac", max(s.Factor, s.Synapse), s.Operand, p.Lanes)
	e.AddMultiplier("column", 17, 17, 1)
	for _, f := range p.Formulas {
		if !f.hasPipeline() {
			continue
		}
		e.Pipelines++
		for _, w := range hdlgen.MultipliersOf(f.Graph, p.Target) {
			e.AddMultiplier(f.Graph.Name, w[0], w[1], p.copies(f))
		}
	}
}

// copies is how many pipelines of a formula there are: one in every unit, or one of all layers.
func (p *Plan) copies(f *Formula) int {
	if f.Use == OfLayer {
		return 1
	}
	return p.Units
}

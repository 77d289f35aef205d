package design

import (
	"bytes"
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
	p.memories(s, e)
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

func (p *Plan) memories(s *shape, e *hdlgen.Estimates) {
	images := p.tableImages(s)
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
		add("updates", p.updateWords(), sizes[TableUpdates].Bits, 1, fixed)
		add("rates", p.updateWords(), s.UpdateConstants, 1, false)
		add("schedule", p.scheduleWords(), s.UpdateConstants+40, 1, true)
	}
	for _, w := range p.Words {
		add("words "+w.Name, p.Contexts<<s.Index, w.Width, p.Units, false).InLUTs = p.Contexts<<s.Index <= wordsInLUTs
	}
	add("words of layers", p.Contexts*len(n.Layers), s.Shared, 1, false)
	add("events", 1<<s.Queue, s.EventW(), p.Units*p.Contexts, false)
	table := func(name string, number Table, copies int, fixed bool) {
		if m := add(name, sizes[number].Rows, sizes[number].Bits, copies, fixed); fixed {
			m.Varying = varying(images[number])
		}
	}
	table("program", TableProgram, p.Contexts, fixed)
	table("steps", TableSteps, 1, fixed)
	table("constants", TableConstants, 1, false)
	table("columns", TableColumns, 1, fixed)
	table("signals", TableSignals, 1, fixed)
	table("counters of flags", TableCounters, 1, fixed)
}

// varying is how many bits of an image's words are not the same in all of them, at least 1.
func varying(image []byte) int {
	words := bytes.Fields(image)
	if len(words) == 0 {
		return 1
	}
	differ := make([]byte, len(words[0]))
	for _, word := range words {
		for i := range word {
			differ[i] |= digit(word[i]) ^ digit(words[0][i])
		}
	}
	count := 0
	for _, d := range differ {
		count += mathbits.OnesCount8(d)
	}
	return max(1, count)
}

// digit is the value of a hexadecimal digit, of those that images have.
func digit(c byte) byte {
	if c >= 'a' {
		return c - 'a' + 10
	}
	return c - '0'
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

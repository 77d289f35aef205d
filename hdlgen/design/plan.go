// Package design makes hardware of a rule: one machine for all rules, in which lanes hold synapses and sums, and neuron units
// what a rule's formulas compute. A Plan says where everything of a network is and in which order it is computed; printed it is
// Verilog and memory images.
package design

import (
	"slices"

	fx "corinfo/fixedpoint"
	"corinfo/golden"
	"corinfo/golden/arithmetic"
	"corinfo/golden/network"
	"corinfo/golden/rule"
	"corinfo/golden/training"
	"corinfo/hdlgen"
)

// Plan is a network on a machine of lanes and neuron units. Neuron i of a layer is in lane i mod Lanes, slot SlotBase + i / Lanes;
// unit u serves the lanes u Subs to u Subs + Subs - 1.
type Plan struct {
	Network  *network.Network
	A        *arithmetic.Arithmetic
	D        *rule.Description
	Target   hdlgen.Target
	Lanes    int
	Units    int
	Subs     int // lanes of a unit
	Contexts int // samples in flight

	Slots     int
	SlotBase  []int // by layer: first slot; layer 0 has none
	SlotCount []int // by layer

	Kinds           []string  // names of sums: their number is their place in a lane
	Words           []Storage // of a neuron
	Shared          []Storage // of a layer
	Signals         []Signal
	Walk            []Place
	Depth           int        // words of a lane's synapse memory
	Post            []Plane    // factors that lanes keep
	Pre             []Plane    // factors that units keep, to be broadcast
	Formulas        []*Formula // of steps, factors and updates
	Steps           []Step
	Rows            []Row
	Program         []Instruction
	Updates         []Update
	Beside          []Storage // words beside a synapse, by place
	UpdateConstants []Storage // constants of an update, by place
	Counters        []string  // of the host, by number
	Entries         []Entry   // of the design's own schedule; none: it has none
	Flags           int       // that a formula raises at most: roundings that overflow, and whether an update is lost

	rows   map[string]int // by what they hold
	prints map[*fx.Graph]string
	phases []rule.Phase // that the design runs
	used   []bool       // by word of the description: something in these phases writes or reads it
	fed    []bool       // by sum
}

// Place tells of a word of a column what its products are added to.
type Place struct {
	Projection int
	Slot       int // of its rows
	Kind       int
	Shift      int // of the change, to the sum's binary point
}

// New plans a network. What the machine cannot do is ErrUsage.
func New(n *network.Network, lanes, units int, target hdlgen.Target) (*Plan, error) {
	a, err := training.Arithmetic(n)
	if err != nil {
		return nil, err
	}
	if lanes < 1 || units < 1 || lanes%units != 0 || lanes > network.MaxLanes {
		return nil, golden.Usagef("hardware: %d lanes with %d neuron units; want 1 to %d lanes, a multiple of the units",
			lanes, units, network.MaxLanes)
	}
	p := &Plan{
		Network: n, A: a, D: a.D, Target: target,
		Lanes: lanes, Units: units, Subs: lanes / units, Contexts: n.Hardware.Contexts,
		rows: map[string]int{}, prints: map[*fx.Graph]string{},
	}
	if err := hdlgen.CheckTarget(target); err != nil {
		return nil, err
	}
	if err := p.refuse(); err != nil {
		return nil, err
	}
	p.needs()
	p.layOut()
	p.store()
	p.placeSynapses()
	if p.Learns() {
		p.planes()
	}
	p.program()
	p.updates()
	for _, f := range p.Formulas {
		_, latency, err := hdlgen.Pipeline("f", f.Graph, target, nil)
		if err != nil {
			return nil, err
		}
		if latency > maxLatency {
			return nil, golden.Usagef("formats: %s takes %d cycles, more than the %d that the machine counts: "+
				"use shorter types, or a target of larger sums", f.Graph.Name, latency, maxLatency)
		}
		f.Latency = latency
	}
	if err := p.count(); err != nil {
		return nil, err
	}
	if p.HasSchedule() {
		if p.Entries, err = p.entries(); err != nil {
			return nil, err
		}
	}
	if _, err := newShape(p); err != nil {
		return nil, err
	}
	return p, nil
}

// maxLatency is that of a formula: controls count it in 8 bits, and some cycles more.
const maxLatency = 250

func (p *Plan) refuse() error {
	d := p.D
	for _, pr := range d.Projections {
		for _, w := range pr.Words {
			if p.A.Types[w.Tensor].Rounding == fx.Stochastic {
				return golden.Usagef("formats: %v: words beside synapses have no stochastic rounding in hardware yet: "+
					"round them otherwise", d.Tensors[w.Tensor])
			}
		}
	}
	for _, phase := range d.Phases {
		for _, group := range phase.Order {
			shared := slices.IndexFunc(group, func(step int) bool { return d.Steps[step].Shared })
			if shared >= 0 && len(group) > 1 {
				return golden.Usagef("rule: step %s: words that a layer shares change together with others, "+
					"for which there is no hardware yet", d.Steps[group[shared]].Name)
			}
		}
	}
	for i := range d.Steps {
		for _, o := range p.A.Steps[i].Operands {
			if !d.Steps[i].Shared && (o.Source == rule.FromTotal || o.Source == rule.FromLargest) {
				return golden.Usagef("rule: step %s: a neuron's own step reads the layer's %s, for which there is no hardware yet",
					d.Steps[i].Name, o.Name)
			}
		}
	}
	return nil
}

// Learns tells whether the design learns; others classify only, and have nothing that only learning needs.
func (p *Plan) Learns() bool { return p.Network.Hardware.Learning }

// Groups tells whether changes of several steps wait for each other.
func (p *Plan) Groups() bool {
	return slices.ContainsFunc(p.Program, func(i Instruction) bool { return i.Hold })
}

// batch is how many samples the design keeps for an update.
func (p *Plan) batch() int {
	if p.Learns() {
		return p.Network.Learning.Batch
	}
	return 1
}

// tables are the sizes of all tables, by number.
func (p *Plan) tables(constantBits int) [tableCount]TableSize {
	return [tableCount]TableSize{
		TableConstants: {4 * max(1, len(p.Rows)), constantBits},
		TableProgram:   {max(2, len(p.Program)), instruction.bits()},
		TableSteps:     {max(2, len(p.Steps)), stepEntry.bits()},
		TableSignals:   {max(2, len(p.Signals)), signalEntry.bits()},
		TableColumns:   {max(2, len(p.Walk)), walkEntry.bits()},
		TableUpdates:   {p.updateWords(), updateEntry.bits()},
		TableCounters:  {max(2, len(p.Steps)) + p.updateWords(), 8 * p.Flags},
	}
}

// hostTables are those sizes, without the rows of tables that the host does not read and write.
func (p *Plan) hostTables(constantBits int) [tableCount]TableSize {
	sizes := p.tables(constantBits)
	for i := range sizes {
		if Table(i) != TableConstants && !p.Network.Hardware.HostTables {
			sizes[i].Rows = 0
		}
	}
	return sizes
}

// Dense are the cycles of an inference, about, in which every signal of every step is broadcast.
func (p *Plan) Dense() (cycles int) {
	for _, s := range p.Signals {
		if p.D.Words[s.Word].Fixed {
			cycles += s.Stride * p.D.Width(s.Word)
		}
	}
	for _, i := range p.Program {
		if i.Op == OpStep {
			st := &p.Steps[i.Step]
			cycles += 20 + p.SlotCount[st.Layer]*(p.Subs+len(p.Kinds))
			if st.Signal >= 0 {
				cycles += p.Signals[st.Signal].Stride * p.Network.Layers[st.Layer]
			}
		}
	}
	return cycles
}

// QuantizeInput converts pixels to raw words of the input, into out.
func (p *Plan) QuantizeInput(pixels []uint8, out []int64) { p.A.Input(pixels, out) }

package design

import "corinfo/hdlgen"

// logic estimates the LUTs of a design, as Yosys makes them for an ECP5: what a lane, a unit and the control take by
// their widths. What is in each of them whatever its widths was found by synthesis of the MNIST presets with smaller
// layers; TestLogicIsEstimated holds it within 20 %.
func (p *Plan) logic(s *shape, e *hdlgen.Estimates) {
	// An adder, and the choice of what it adds to; the choices among samples in flight, of a sum to add to and of one to hold.
	lane := 2*s.Sum + 2*(p.Contexts-1)*s.Sum
	// A unit's queue and addresses; the sums of its lanes.
	unit := 500 + len(p.Kinds)*s.Sum*hdlgen.Choice(p.Subs) + bitsOf(p.Words)
	control := 2000
	if p.Learns() {
		lane += max(s.Factor, s.Synapse)
		unit += 500 + (s.Synapse+s.Beside)*(hdlgen.Choice(p.Subs)+1) // random words, and its lanes' synapses
		control += 2100 + 12*(s.UpdateConstants+s.Beside)            // updates, and the host's fields
	}
	units := p.Units*unit + e.ChoiceOf("events")
	for _, w := range p.Words {
		units += e.ChoiceOf("words " + w.Name)
	}
	formulas := 0
	for _, f := range p.Formulas {
		formulas += p.copies(f) * hdlgen.LogicOf(f.Graph, p.Target)
	}
	e.AddLogic("lanes", p.Lanes*lane+e.ChoiceOf("sums")+e.ChoiceOf("synapses")+e.ChoiceOf("words beside synapses"))
	e.AddLogic("neuron units", units)
	e.AddLogic("formulas", formulas)
	e.AddLogic("control", control)
	e.AddLogic("memories", e.MemoryLUTs())
}

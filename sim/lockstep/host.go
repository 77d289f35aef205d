package lockstep

import (
	"corinfo/golden/machine"
	"corinfo/golden/rule"
	"corinfo/hdlgen/design"
)

// Regions of the host's addresses, as numbers.
const (
	regionSynapses  = int(design.RegionSynapses)
	regionConstants = int(design.RegionConstants)
	regionControl   = int(design.RegionControl)
	regionCounters  = int(design.RegionCounters)
	regionBeside    = int(design.RegionBeside)
	regionStatus    = int(design.RegionStatus)
	regionTables    = int(design.RegionTables)
)

// Words of the host's control: seed, number of the next mini-batch, samples of the open one; and of a design with a schedule of its own,
// what of it is in force.
const (
	controlSeed = iota
	controlNumber
	controlHeld
	controlSchedule
)

// Bits of controlSchedule.
const (
	scheduleConstants = 1
	scheduleSigns     = 2
	scheduleNegative  = 4 // read only: the sign that was drawn
)

// statusWords are how many the status has.
const statusWords = design.StatusReset + 1

// Errors in the status.
const (
	errorShort = 1 << 8 // a sample was too short
	errorLong  = 1 << 9 // or too long
	errorAbort = 1 << 11
)

// Of the status's word of the last reset the model knows the upper 32 bits, the commands taken before it, and of what it interrupted, which is
// a matter of cycles, the update in most cases.
const (
	knownOfReset  = int64(-1) << 32
	resetUpdating = 1 << 10
)

// controlWords are how many a design has.
func controlWords(p *design.Plan) int {
	if p.HasSchedule() {
		return controlSchedule + 1
	}
	return controlSchedule
}

// scheduleOf is what of its own schedule a design has in force after a reset.
func scheduleOf(p *design.Plan) int64 {
	if p.HasSchedule() {
		return scheduleConstants | scheduleSigns
	}
	return 0
}

// controlNames are those of the control's words.
var controlNames = [...]string{"seed", "number of the next mini-batch", "samples held", "what is in force of the design's own schedule"}

// placesOfUpdate is how many addresses an update's constants have.
const placesOfUpdate = 8

// in is an address of a region.
func in(region, place int) uint32 { return uint32(region)<<28 | uint32(place) }

// tablePart takes the address of a part of a table's row apart.
func tablePart(address uint32) (table design.Table, row, part int) {
	return design.Table(address >> 24 & 15), int(address >> 4 & (1<<20 - 1)), int(address & 15)
}

// tablesOf are the tables that the host reads and writes, by number: their rows in parts of 32 bits. Others are nil.
func tablesOf(p *design.Plan) (list [][][]uint32) {
	for _, table := range tablesOfHost(p) {
		list = append(list, table.Rows)
	}
	return list
}

// tablesOfHost are those of a plan, which has a shape.
func tablesOfHost(p *design.Plan) []design.HostTable {
	list, err := p.HostTables()
	if err != nil {
		panic(err)
	}
	return list[:]
}

func regionOf(address uint32) int { return int(address >> 28) }

// laneOf and placeOf take the address of a synapse's word apart.
func laneOf(address uint32) int {
	return int(address>>design.LaneShift) & (1<<(28-design.LaneShift) - 1)
}
func placeOf(address uint32) int { return int(address) & (1<<design.LaneShift - 1) }

// synapseAt is an address of a lane: the word of a region, 0 of the synapses themselves.
func synapseAt(region, lane, address int) uint32 { return in(region, lane<<design.LaneShift|address) }

// placed is the synapse at an address; ok: it is one, not padding.
func placed(p *design.Plan, address uint32) (projection, row, column int, ok bool) {
	projection, column, slot, ok := p.Column(placeOf(address))
	row = slot*p.Lanes + laneOf(address)
	return projection, row, column, ok && row < p.D.Projections[projection].Rows
}

// write lets a model do what the host writes.
func write(p *design.Plan, m *machine.Machine, address uint32, data int64) {
	switch region := regionOf(address); region {
	case regionConstants:
		m.SetConstant(p.Updates[placeOf(address)/placesOfUpdate].Update, placeOf(address)%placesOfUpdate, data)
	case regionControl:
		switch placeOf(address) {
		case controlSeed:
			m.SetSeed(uint32(data))
		case controlNumber:
			m.SetStep(uint32(data))
		}
	default:
		projection, row, column, ok := placed(p, address)
		switch pr := &p.D.Projections[projection]; {
		case !ok:
		case region == regionSynapses:
			m.SetSynapse(projection, row, column, data)
		case pr.Mirror < 0 && region-regionBeside < len(pr.Words): // a mirrored one has no words of its own in the model
			m.SetBeside(projection, region-regionBeside, row, column, data)
		}
	}
}

// constant is one of an update of the plan.
type constant struct {
	update, place int
	name          string
	scheduled     bool // it may be another for every mini-batch
}

// constantsOf are all of a plan's.
func constantsOf(p *design.Plan) (list []constant) {
	for i, u := range p.Updates {
		place := 0
		for _, o := range p.A.Updates[u.Update].Operands {
			if o.Source == rule.FromConstant {
				list = append(list, constant{i, place, o.Name, p.D.Updates[u.Update].Graph.Setting(o.Name).Scheduled})
				place++
			}
		}
	}
	return list
}

func (c *constant) address() uint32 { return in(regionConstants, placesOfUpdate*c.update+c.place) }

// at is the word for a mini-batch of the first epoch.
func (c *constant) at(p *design.Plan, number uint32) int64 {
	return p.A.Constant(&p.A.Updates[p.Updates[c.update].Update].Formula, c.name, rule.Moment{Update: int(number)})
}

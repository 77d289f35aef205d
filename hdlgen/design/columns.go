package design

import (
	"slices"
)

// Signal is a word whose changes are broadcast.
type Signal struct {
	Word   int // of the description
	Base   int // address of column 0
	Stride int // words of a column
	Walk   int // first word of its columns in Plan.Walk
}

// placeSynapses puts the synapses of a presynaptic neuron, its column, into consecutive words of every lane: projection after
// projection, slot after slot. Signal 0 is the input.
func (p *Plan) placeSynapses() {
	d := p.D
	for w := range d.Words {
		if !d.Words[w].Signal {
			continue
		}
		s := Signal{Word: w, Base: p.Depth, Walk: len(p.Walk)}
		for i, pr := range d.Projections {
			if pr.From != w || !p.Holds(i) {
				continue
			}
			layer := d.Sums[pr.To].Layer
			for slot := range p.SlotCount[layer] {
				p.Walk = append(p.Walk, Place{Projection: i, Slot: p.SlotBase[layer] + slot, Kind: p.kind(d.Sums[pr.To].Name),
					Shift: p.A.Projections[i].Shift})
				s.Stride++
			}
		}
		if s.Stride > 0 || len(p.Signals) == 0 {
			p.Signals = append(p.Signals, s)
			p.Depth += s.Stride * d.Width(w)
		}
	}
}

// signal is the signal of a word of the description; below 0: nobody listens.
func (p *Plan) signal(word int) int {
	return slices.IndexFunc(p.Signals, func(s Signal) bool { return s.Word == word && s.Stride > 0 })
}

// offset is where a projection's rows begin in a column.
func (p *Plan) offset(projection int) (signal *Signal, offset int) {
	signal = &p.Signals[p.signal(p.D.Projections[projection].From)]
	for p.Walk[signal.Walk+offset].Projection != projection {
		offset++
	}
	return signal, offset
}

// Address is where a synapse lives.
func (p *Plan) Address(projection, row, column int) (lane, address int) {
	s, offset := p.offset(projection)
	return row % p.Lanes, s.Base + column*s.Stride + offset + row/p.Lanes
}

// Column is the projection and the column of an address, in every lane, and its slot there: lane i holds row slot Lanes + i.
func (p *Plan) Column(address int) (projection, column, slot int, ok bool) {
	for _, s := range p.Signals {
		n := s.Stride * p.D.Width(s.Word)
		if address >= s.Base && address < s.Base+n {
			within := address - s.Base
			at := p.Walk[s.Walk+within%s.Stride]
			return at.Projection, within / s.Stride, at.Slot - p.SlotBase[p.D.Sums[p.D.Projections[at.Projection].To].Layer], true
		}
	}
	return 0, 0, 0, false
}

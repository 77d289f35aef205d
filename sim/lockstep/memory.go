package lockstep

import (
	"fmt"

	fx "corinfo/fixedpoint"
	"corinfo/hdlgen/design"
	"corinfo/sim"
)

// refused is an access of the host that the design refuses.
func (c *comparator) refused(cycle int64, address uint32) {
	if o := c.pass(); o == nil || !o.refused || c.refusing || o.address != address {
		c.fail(cycle, nil, "host", "the host's access to %08x is refused", address)
		return
	}
	c.refusing = true
}

// data is a word that the host reads.
func (c *comparator) data(cycle int64, address uint32, word uint64) {
	c.finishAll(cycle)
	o := c.expect(cycle, opRead)
	c.advance()
	if o == nil || o.address+uint32(c.read) != address {
		c.fail(cycle, nil, "host", "the host reads %08x, which nobody asked for", address)
		return
	}
	if o.refused != c.refusing {
		c.fail(cycle, nil, "host", "the host's access to %08x is not refused", address)
		return
	}
	switch {
	case o.refused && word != 0:
		c.fail(cycle, nil, "host", "the host reads %x at %08x, where there is no word", word, address)
	case o.refused:
	case regionOf(address) == regionCounters:
		c.counter(cycle, c.read, int64(word))
	default:
		c.memory(cycle, address, int64(word))
	}
	c.refusing = false
	if c.read++; c.read == o.count {
		c.read = 0
		c.at++
		c.run.read(cycle)
	}
}

// memory checks a word of the lanes, a constant or one of the control.
func (c *comparator) memory(cycle int64, address uint32, got int64) {
	if _, _, _, ok := placed(c.p, address); c.atEnd && (ok || regionOf(address) != regionSynapses &&
		(regionOf(address) < regionBeside || regionOf(address) == regionTables)) {
		c.words++
	}
	switch region := regionOf(address); region {
	case regionConstants:
		update, at, want := placeOf(address)/placesOfUpdate, placeOf(address)%placesOfUpdate, int64(0)
		name := c.p.D.Projections[c.p.Updates[update].Projection].Name
		if list := c.l.InForce(c.p.Updates[update].Update); at < len(list) {
			want = list[at]
		}
		if got != want {
			c.differ(cycle, nil, fmt.Sprintf("constant %d of %s's update", at, name), fmt.Sprint(got), fmt.Sprint(want))
		}
	case regionTables:
		table, row, part := tablePart(address)
		if want := int64(c.tables[table][row][part]); got != want {
			c.differ(cycle, nil, fmt.Sprintf("row %d of table %d, part %d", row, table, part), fmt.Sprintf("%x", got),
				fmt.Sprintf("%x", want))
		}
	case regionControl:
		at := placeOf(address)
		own := c.own
		if own&scheduleSigns != 0 && c.drawn() {
			own |= scheduleNegative
		}
		if want := [...]int64{int64(c.l.Seed()), int64(c.l.Step()), int64(c.l.Held()), own}[at]; got != want {
			c.differ(cycle, nil, controlNames[at], fmt.Sprint(got), fmt.Sprint(want))
		}
	case regionStatus: // a script reads it where no command is under way, but for the word of the last reset
		name, want := "status", c.errors
		switch placeOf(address) {
		case design.StatusAbort:
			name, want = "abort that is to come", 0
		case design.StatusWatchdog:
			name, want = "watchdog", c.watchdog
		case design.StatusReset:
			name, want = "what a reset interrupted", c.status[0]
			got &= c.status[1]
		}
		if got != want {
			c.differ(cycle, nil, name, fmt.Sprintf("%x", got), fmt.Sprintf("%x", want))
		}
	default:
		lane, at := laneOf(address), placeOf(address)
		projection, row, column, ok := placed(c.p, address)
		if !ok {
			if got != 0 { // padding stays zero
				c.onSynapse(c.differ(cycle, nil, "padding", fmt.Sprint(got), "0"), 0, 0, lane, at)
			}
			return
		}
		pr := &c.p.D.Projections[projection]
		name, want, f := pr.Name, int64(0), c.p.A.Types[pr.Tensor].Format
		if region == regionSynapses {
			want = c.l.Synapse(projection, row, column)
		} else {
			x := c.p.Beside[region-regionBeside]
			name, f = pr.Name+"."+x.Name, fx.Format{Width: x.Width, Signed: x.Signed}
			want = c.p.BesideWord(c.l, projection, region-regionBeside, row, column)
		}
		if got != want {
			m := c.differ(cycle, nil, name, sim.Word(got, f), sim.Word(want, f))
			m.Detail = "the word that the host reads"
			c.onSynapse(m, row, column, lane, at)
		}
	}
}

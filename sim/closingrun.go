package sim

import (
	"fmt"
	"strconv"

	"corinfo/golden/training"
	"corinfo/hdlgen"
	"corinfo/hdlgen/settling"
)

// closingRun follows a simulator and the model through the closing part. The model computes a command when the design shows
// the first of it: nothing runs ahead, for what a reset leaves depends on how far the design was.
type closingRun struct {
	*run
	steps    []closingStep
	at       int             // step under way
	given    int             // commands of it that the model has run
	done     int             // and of these, those that the design has done
	seen     int             // accesses of it, the late ones behind the others, that are done
	words    int             // of the one under way, that are read
	refusals int             // refused accesses of it
	base     settling.Counts // at the last reset
	resets   int
	before   []training.Tensor // synapses before the learning command that a reset ends
	either   map[uint32]int64  // by the host's address: words that such a reset may have let through, or not
	samples  totals            // of the run before the closing part
	cycles   *hdlgen.Cycles
	alone    hdlgen.Activity // of the step's samples, where each has the design for itself
	learned  hdlgen.Activity // since the last update
	updating int64           // cycles of updates since the last reset
	settled  int64           // settling cycles when the step began
}

// under tells whether a step is under way.
func (c *closingRun) under() bool { return c != nil && c.at < len(c.steps) }

// name is that of the step under way; "": none, or still the end of the samples.
func (c *closingRun) name() string {
	if !c.under() || c.at == 0 {
		return ""
	}
	return c.steps[c.at].name
}

func (s *closingStep) access(i int) *access {
	if i < len(s.accesses) {
		return &s.accesses[i]
	}
	return &s.late[i-len(s.accesses)]
}

// next is what the model says of the step's next command.
func (c *closingRun) next() (expected, bool) {
	if !c.under() || c.given == len(c.steps[c.at].commands) {
		return expected{}, false
	}
	s := &c.steps[c.at]
	c.write(len(s.accesses))
	x := &s.commands[c.given]
	if c.given++; c.given == len(s.commands) && s.reset != nil && x.kind.learns() {
		c.before = c.machine.Tensors()
	}
	e := c.expect(x)
	if s.alone() {
		c.alone.Add(c.d.Arithmetic, x.X, x.kind.learns(), e.trace)
	}
	if x.kind.learns() {
		c.learned.Add(c.d.Arithmetic, x.X, true, e.trace)
		if c.learned.Learned() == c.d.Network.Learning.Batch {
			c.updating += int64(c.cycles.Updates(&c.learned))
			c.learned = hdlgen.Activity{}
		}
	}
	return e, true
}

// alone tells whether every sample of the step has the design for itself, which waits for nothing: how long it settles is known.
func (s *closingStep) alone() bool { return s.single && s.stall == 0 && s.reset == nil }

// time is what a counter of cycles shows at the end of the step; known is false for what depends on who waits for whom.
func (c *closingRun) time(name string) (cycles int64, known bool) {
	switch {
	case name == "settling_cycles" && c.under() && c.steps[c.at].alone():
		return c.settled + int64(c.cycles.Settling(&c.alone)), true
	case name == "update_cycles" && c.resets > 0:
		return c.updating, true
	}
	return 0, false
}

// write lets the model do what the host writes before its i-th access of the step, or before it reads.
func (c *closingRun) write(i int) {
	for s := &c.steps[c.at]; c.seen < i; c.seen++ {
		if a := s.access(c.seen); a.count > 0 {
			return
		} else if a.apply != nil {
			a.apply(c.machine)
		}
	}
}

// ended tells whether all accesses of the step that read are done: what is read now are the counters at its end.
func (c *closingRun) ended() bool {
	s := &c.steps[c.at]
	for i := c.seen; i < len(s.accesses)+len(s.late); i++ {
		if s.access(i).count > 0 {
			return false
		}
	}
	return true
}

// read checks a word that the host reads.
func (c *closingRun) read(cycle int64, address uint32, text []byte) *Mismatch {
	s := &c.steps[c.at]
	c.write(len(s.accesses) + len(s.late))
	if c.seen >= len(s.accesses) { // the design is idle
		if m := c.complete(cycle); m != nil {
			return m
		}
	}
	if c.seen == len(s.accesses)+len(s.late) || s.access(c.seen).address+uint32(c.words) != address {
		return c.c.mismatch(cycle, nil, "host", "a word of address %08x is read, which nobody asked for", address)
	}
	refused := s.access(c.seen).refused
	if c.words++; c.words == s.access(c.seen).count {
		c.words = 0
		c.seen++
	}
	if refused {
		if word, err := strconv.ParseUint(string(text), 16, 64); err != nil || word != 0 {
			return c.c.mismatch(cycle, nil, "host", "a word of address %08x is read, where there is none", address)
		}
		return nil
	}
	return c.word(cycle, address, text, "the word that the host reads")
}

// refuse checks that the host's access should be refused.
func (c *closingRun) refuse(cycle int64, address uint32) *Mismatch {
	s := &c.steps[c.at]
	for refused, i := 0, 0; i < len(s.accesses); i++ {
		if s.accesses[i].refused {
			if refused == c.refusals && s.accesses[i].address == address {
				c.refusals++
				return nil
			}
			refused++
		}
	}
	return c.c.mismatch(cycle, nil, "host", "the host's access to %08x is refused", address)
}

// complete checks that all commands of the step did everything.
func (c *closingRun) complete(cycle int64) *Mismatch {
	if m := c.c.finishAll(cycle); m != nil {
		return m
	}
	if missing := len(c.steps[c.at].commands) - c.given; missing > 0 {
		return c.c.mismatch(cycle, nil, "state", "the design is idle, but did nothing of %d commands", missing)
	}
	return nil
}

// counted checks a counter at the end of a step; with the last one the step is over.
func (c *closingRun) counted(cycle int64, text []byte) *Mismatch {
	s := &c.steps[c.at]
	counts := c.counts()
	if m := c.counter(cycle, &counts, text); m != nil || len(c.counters) < len(c.d.Manifest.Counters) {
		return m
	}
	if m := c.complete(cycle); m != nil {
		return m
	}
	c.write(len(s.accesses) + len(s.late))
	for _, a := range s.accesses {
		if a.refused {
			c.refusals--
		}
	}
	if c.refusals != 0 {
		return c.c.mismatch(cycle, nil, "host", "%d accesses are not refused", -c.refusals)
	}
	if c.at == 0 {
		c.samples = c.finished(cycle, &counts)
	}
	for range len(s.commands) - c.done { // those that a reset ended
		c.progress(1)
	}
	c.settled = c.counters[hdlgen.CounterIndex("settling_cycles")]
	c.counters, c.either, c.alone = nil, nil, hdlgen.Activity{}
	c.at, c.given, c.done, c.seen, c.words, c.refusals = c.at+1, 0, 0, 0, 0, 0
	return nil
}

// reset follows the reset that ends the step's last command. An update is done as far as it was seen.
func (c *closingRun) reset(cycle int64) *Mismatch {
	s := &c.steps[c.at]
	if s.reset == nil {
		return c.c.mismatch(cycle, nil, "reset", "a reset that nobody asked for")
	}
	x := c.c.reset(len(s.commands) - c.given)
	c.write(len(s.accesses))
	c.given = len(s.commands)
	if s.reset.tag == 'W' && (x == nil || x.write == len(x.trace.Writes)) {
		return c.c.mismatch(cycle, nil, "reset", "the update was over before it")
	}
	if x != nil && x.kind.learns() {
		if err := c.undo(x); err != nil {
			return c.c.mismatch(cycle, nil, "reset", "%v", err)
		}
	}
	c.machine.Reset()
	c.base = c.machine.Counts()
	c.resets++
	c.learned, c.updating, c.settled = hdlgen.Activity{}, 0, 0
	return nil
}

// undo takes back what the design has not shown of an update.
func (c *closingRun) undo(x *flight) error {
	if err := c.machine.SetTensors(c.before); err != nil {
		return err
	}
	c.either = map[uint32]int64{}
	lanes := c.d.Manifest.Lanes
	unseen := c.unseen()
	for i := range x.trace.Writes {
		w := &x.trace.Writes[i]
		for row, word := range w.Words {
			if i < x.write || i == x.write && row < x.row*lanes {
				c.machine.SetSynapse(w.Matrix, row, w.Column, word)
				continue
			}
			if row%lanes == 0 {
				if unseen--; unseen < 0 {
					return nil
				}
			}
			lane, address := c.d.Layout.Address(w.Matrix, w.Column, row)
			c.either[uint32(hostSynapses+lane*hostLane+address)] = word
		}
	}
	return nil
}

// counts are the model's since the last reset.
func (r *run) counts() settling.Counts {
	now := r.machine.Counts()
	if r.closing == nil {
		return now
	}
	base := r.closing.base
	now.Events, now.Products, now.DenseProducts = now.Events-base.Events, now.Products-base.Products, now.DenseProducts-base.DenseProducts
	now.Steps, now.Updates = now.Steps-base.Steps, now.Updates-base.Updates
	for _, list := range [][2][]int64{{now.LayerEvents, base.LayerEvents}, {now.UpdateTerms, base.UpdateTerms}} {
		for i, n := range list[1] {
			list[0][i] -= n
		}
	}
	for _, list := range []([2]map[string]int64){{now.Overflows, base.Overflows}, {now.Lost, base.Lost}} {
		for tensor, n := range list[1] {
			list[0][tensor] -= n
		}
	}
	return now
}

// addressOf reads the host's address of a line.
func addressOf(text []byte) (address uint32, err error) {
	_, err = fmt.Sscanf(string(text), "%x", &address)
	return address, err
}

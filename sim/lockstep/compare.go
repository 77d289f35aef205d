package lockstep

import (
	"fmt"
	"slices"

	"corinfo/golden/machine"
	"corinfo/golden/training"
	"corinfo/hdlgen"
	"corinfo/hdlgen/design"
	"corinfo/sim"
)

// comparator follows what a design prints, line by line, with the model beside it. The model runs a command when the design shows the
// first of it: nothing runs ahead, for what a reset leaves depends on how far the design was.
type comparator struct {
	p      *design.Plan
	m      *hdlgen.Manifest
	l      *training.FixedLearner
	script *script
	reader *reader
	tables [][][]uint32 // as the host has left them
	own    int64        // what of the design's own schedule is in force
	entry  int          // of it that comes next
	run    *run         // it is told what happens

	at         int               // the script's step that is not over
	read       int               // words of it that have been read
	refusing   bool              // the refusal of its access was seen
	flights    []*flight         // by sample in flight
	queue      []*flight         // whose answer is still to come
	begun      int               // commands that the model has run, or that a reset ended before
	first      int               // of them, those up to the last reset or abort
	since      int               // of them, those up to the last reset that was no abort
	name       string            // step of the closing part
	negative   [2]bool           // signs of beta in the open mini-batch: positive, negative
	terms      [][]int           // by update of the plan and column: terms of the open mini-batch
	before     []training.Tensor // synapses before the command under way that a reset is to end
	due        *flight           // that command; nil: its reset or abort has come, or none is to
	status     [2]int64          // the status's word of the last reset, and which bits of it are known
	errors     int64             // bits of the status that stay until they are taken back
	watchdog   int64             // cycles that are set
	unmodelled bool              // counters hold what the model has not counted: of aborted commands, and of samples of the wrong length
	atEnd      bool              // every memory word is read back
	ended      bool

	base          machine.Counts // at the last reset
	steps         int64          // of neurons since then, factors and moves among them
	updateTerms   int64          // terms of updates since then
	busy, waiting int64          // cycles with a command under way, and of them those that waited for the harness
	counters      []int64        // read last

	states, synapses, words int64 // compared
	resets                  int
	mismatch                *sim.Mismatch
}

func newComparator(d *design.Design, l *training.FixedLearner, s *script, r *run) *comparator {
	c := &comparator{p: d.Plan, m: d.Manifest, l: l, script: s, reader: newReader(d.Plan), tables: tablesOf(d.Plan), run: r,
		flights: make([]*flight, d.Plan.Contexts), base: l.Counts(), status: [2]int64{0, knownOfReset | resetUpdating}}
	c.clearTerms()
	if d.Plan.HasSchedule() {
		l.HoldConstants() // it ends, and the host turns it off
		c.restart(scheduleOf(d.Plan))
	}
	return c
}

// restart has the design's own schedule begin with its first entry.
func (c *comparator) restart(own int64) {
	c.own, c.entry = own, 0
	c.advance()
}

// drawn tells whether the seed draws a negative beta for the mini-batch that is next.
func (c *comparator) drawn() bool {
	return training.Negative(&c.p.Network.Learning, c.l.Seed(), int(c.l.Step()))
}

// advance gives the model the constants that the design's own schedule has up to the mini-batch that is next.
func (c *comparator) advance() {
	for list := c.p.Entries; c.own&scheduleConstants != 0 && c.entry < len(list) && list[c.entry].Number <= c.l.Step(); c.entry++ {
		e := &list[c.entry]
		for place, word := range e.Constants {
			c.l.SetConstant(c.p.Updates[e.Update].Update, place, word)
		}
	}
}

func (c *comparator) clearTerms() {
	c.negative = [2]bool{}
	if c.terms == nil {
		for _, u := range c.p.Updates {
			c.terms = append(c.terms, make([]int, c.p.D.Projections[u.Projection].Cols))
		}
	}
	for _, columns := range c.terms {
		clear(columns)
	}
}

// fail keeps the first mismatch: of a command, if x is not nil, a tensor, and what is wrong.
func (c *comparator) fail(cycle int64, x *flight, tensor, format string, args ...any) *sim.Mismatch {
	if c.mismatch != nil {
		return &sim.Mismatch{}
	}
	c.mismatch = &sim.Mismatch{Cycle: cycle, Sample: c.begun, Step: c.name, Tensor: tensor, Detail: fmt.Sprintf(format, args...)}
	if x != nil {
		c.mismatch.Sample, c.mismatch.Learning = x.index, x.kind.learns()
	}
	return c.mismatch
}

// differ keeps the first mismatch of a word.
func (c *comparator) differ(cycle int64, x *flight, tensor, got, want string) *sim.Mismatch {
	m := c.fail(cycle, x, tensor, "")
	m.Expected, m.Got = want, got
	return m
}

func (c *comparator) op() *op {
	if c.at == len(c.script.ops) {
		return nil
	}
	return &c.script.ops[c.at]
}

// pass goes on in the script behind steps that say nothing when they are over; the model does what the host has written. It stops
// before one that the design shows: a command, words that are read, a refused access, the end of commands.
func (c *comparator) pass() *op {
	for o := c.op(); o != nil; o = c.op() {
		switch {
		case o.kind == opWrite && !o.refused && regionOf(o.address) == regionTables:
			table, row, part := tablePart(o.address)
			c.tables[table][row][part] = uint32(o.data)
		case o.kind == opWrite && !o.refused && o.address == in(regionStatus, design.StatusErrors):
			c.errors &^= o.data
		case o.kind == opWrite && !o.refused && o.address == in(regionStatus, design.StatusWatchdog):
			c.watchdog = o.data
		case o.kind == opWrite && !o.refused:
			c.advance()
			write(c.p, c.l.Machine, o.address, o.data)
			if o.address == in(regionControl, controlSchedule) {
				c.restart(o.data)
			} else if regionOf(o.address) == regionControl && c.p.HasSchedule() {
				c.restart(c.own)
			}
		case o.kind == opWrite && c.refusing:
			c.refusing = false
		case o.kind == opName:
			c.name = o.name
		case o.kind == opReadBack:
			c.name, c.atEnd = "", true
		case o.kind == opMeasure:
			c.run.measure()
		case o.kind == opBook:
			c.run.book()
		case o.kind != opStall:
			return o
		}
		c.at++
	}
	return nil
}

// expect is the script's step that a line is about, if it is of a kind.
func (c *comparator) expect(cycle int64, kind opKind) *op {
	o := c.pass()
	if o != nil && o.kind == opWrite {
		c.fail(cycle, nil, "host", "the host's access to %08x is not refused", o.address)
	}
	if o == nil || o.kind != kind {
		return nil
	}
	return o
}

// next runs the model on the next command, in a context; nil: there is none to be given.
func (c *comparator) next(cycle int64) *flight {
	o := c.expect(cycle, opCommand)
	if o == nil {
		return nil
	}
	c.at++
	x := &flight{command: o.command, index: c.begun}
	c.begin(x)
	context := (c.begun - c.first) % c.p.Contexts
	c.over(cycle, context)
	c.flights[context] = x
	c.queue = append(c.queue, x)
	c.begun++
	return x
}

// over books what a context has done.
func (c *comparator) over(cycle int64, context int) {
	if x := c.flights[context]; x != nil && x.missing() != "" {
		c.fail(cycle, x, "sample", "another comes, and it lacks %s", x.missing())
	} else if x != nil {
		c.run.finished(x)
	}
	c.flights[context] = nil
}

// begin runs the model on a command.
func (c *comparator) begin(x *flight) {
	c.advance()
	learn := x.kind.learns()
	if x.drawn && learn {
		x.Negative = c.drawn()
	}
	last := learn && c.l.Held() == c.p.Network.Learning.Batch-1
	c.unmodelled = c.unmodelled || x.length > 0
	if x.reset != nil {
		c.due = x
		if last {
			c.before = c.l.Tensors()
		}
	}
	switch {
	case x.length > c.p.Network.Layers[0]:
		c.errors |= errorLong
		return
	case x.length > 0:
		c.errors |= errorShort
		return
	}
	c.l.Run(x.X, machine.Command{Learn: learn, Label: x.Label, Negative: x.Negative}, &x.trace)
	x.visits = c.reader.visits(&x.trace, learn, last)
	for _, v := range x.visits {
		if c.p.Formulas[c.p.Steps[v.step].Formula].Use == design.OfNeurons {
			c.steps++
		}
	}
	if !learn {
		return
	}
	if x.Negative {
		c.negative[1] = true
	} else {
		c.negative[0] = true
	}
	c.sumTerms()
	if last {
		x.mixed = c.negative[0] && c.negative[1]
		x.writes = c.written()
		c.clearTerms()
	}
}

// sumTerms counts the presynaptic factors of the last sample that are not zero, where some postsynaptic one is not either.
func (c *comparator) sumTerms() {
	for i, u := range c.p.Updates {
		for _, t := range c.p.D.Updates[u.Update].Terms {
			pre, post := t.Pre, t.Post
			if u.Mirrored {
				pre, post = post, pre
			}
			if !slices.ContainsFunc(c.l.Factor(post, t.Role), func(word int64) bool { return word != 0 }) {
				continue
			}
			for column, word := range c.l.Factor(pre, t.Role)[:len(c.terms[i])] {
				if word != 0 {
					c.terms[i][column]++
				}
			}
		}
	}
}

// written are the columns that the mini-batch's updates write.
func (c *comparator) written() (list []columnWrite) {
	for i, u := range c.p.Updates {
		slots := c.p.SlotsOf(u.Projection)
		for column, terms := range c.terms[i] {
			if terms == 0 && !c.p.D.Updates[u.Update].Always {
				continue
			}
			list = append(list, columnWrite{i, column})
			c.updateTerms += int64(max(1, terms) * slots)
		}
	}
	return list
}

// reset follows that of the script: what is under way is dropped. The synapses are as before; those that an update may have written, the host
// writes again.
func (c *comparator) reset(cycle int64) {
	lost := 0
	for c.due == nil {
		o := c.expect(cycle, opCommand)
		if o == nil {
			c.fail(cycle, nil, "reset", "a reset that nobody asked for")
			return
		}
		c.at++
		c.begun++
		lost++
		if o.command.reset != nil {
			c.due = &flight{command: o.command}
		}
	}
	aborted := c.due.abort
	for i, x := range c.flights {
		if x != nil && x.done() {
			c.run.finished(x)
		} else if x != nil {
			lost++
		}
		c.flights[i] = nil
	}
	c.run.missed(lost)
	if c.before != nil {
		if err := c.l.SetTensors(c.before); err != nil {
			c.fail(cycle, nil, "reset", "%v", err)
			return
		}
	}
	c.resets++
	if aborted {
		c.errors |= errorAbort
	} else {
		c.status, c.since, c.errors, c.watchdog = c.interrupted(), c.begun, 0, 0
	}
	c.queue, c.first, c.due, c.before = nil, c.begun, nil, nil
	seed, number := c.l.Seed(), c.l.Step()
	c.l.Reset()
	if c.unmodelled = aborted; aborted { // what the host has written stays
		c.l.SetSeed(seed)
		c.l.SetStep(number)
	} else if c.p.HasSchedule() {
		c.restart(scheduleOf(c.p))
	}
	c.clearTerms()
	c.base, c.steps, c.updateTerms = c.l.Counts(), 0, 0
}

// interrupted is what the status tells of the reset that has come, and which bits of it the model knows: how many commands there were since
// the one before, and that an update was under way, if it had more synapses to visit than there are cycles.
func (c *comparator) interrupted() [2]int64 {
	visits := 0
	for _, w := range c.due.writes {
		visits += c.p.SlotsOf(c.p.Updates[w.update].Projection) * c.p.Subs
	}
	word, known := int64(c.begun-c.since)<<32, knownOfReset
	switch end, ways := c.due.reset, 2*c.p.Target.WireCycles+2; {
	case end.tag != 'W':
		known |= resetUpdating
	case visits > end.lines+end.cycles+ways:
		word, known = word|resetUpdating, known|resetUpdating
	}
	return [2]int64{word, known}
}

// of is the flight of a context: the one under way, or the next when that is done.
func (c *comparator) of(cycle int64, context int) *flight {
	for {
		x := c.flights[context]
		if x != nil && x.visit < len(x.visits) {
			return x
		}
		if x != nil {
			if missing := x.missing(); missing != "" {
				c.fail(cycle, x, "sample", "a step comes after the last one, and it lacks %s", missing)
				return nil
			}
			c.run.finished(x)
			c.flights[context] = nil
		}
		if c.next(cycle) == nil {
			c.fail(cycle, nil, "sample", "context %d does a step, but every command is done", context)
			return nil
		}
	}
}

// visiting is the step that a context is to show next, in a line that says which it shows.
func (c *comparator) visiting(cycle int64, context, number int) (*flight, *visit) {
	if context >= len(c.flights) {
		c.fail(cycle, nil, "context", "context %d does a step; there are %d", context, len(c.flights))
		return nil, nil
	}
	x := c.of(cycle, context)
	if x == nil {
		return nil, nil
	}
	v := &x.visits[x.visit]
	if v.step != number {
		m := c.fail(cycle, x, c.stepName(v.step), "the program's step %d is done; expected step %d", number, v.step)
		c.in(m, v, 0)
		return nil, nil
	}
	return x, v
}

// stepName is what a step of the plan is called.
func (c *comparator) stepName(step int) string {
	switch st := &c.p.Steps[step]; {
	case st.Step >= 0:
		return c.p.D.Steps[st.Step].Name
	case st.Factor >= 0:
		return c.p.D.Factors[st.Factor].Name
	}
	return "move"
}

// in tells a mismatch of which step and neuron it is.
func (c *comparator) in(m *sim.Mismatch, v *visit, neuron int) {
	m.Phase, m.Iteration, m.Layer, m.Neuron = c.p.D.Phases[v.phase].Name, max(0, v.iteration), c.p.Steps[v.step].Layer, neuron
}

// finishAll checks that all commands that were given did everything, oldest first.
func (c *comparator) finishAll(cycle int64) {
	for {
		at := -1
		for i, x := range c.flights {
			if x != nil && (at < 0 || x.index < c.flights[at].index) {
				at = i
			}
		}
		if at < 0 {
			return
		}
		x := c.flights[at]
		if missing := x.missing(); missing != "" {
			m := c.fail(cycle, x, "sample", "it is over without %s", missing)
			if x.visit < len(x.visits) {
				v := &x.visits[x.visit]
				m.Tensor = c.stepName(v.step)
				c.in(m, v, 0)
			} else if x.write < len(x.writes) {
				w := x.writes[x.write]
				m.Tensor, m.Column = c.p.D.Projections[c.p.Updates[w.update].Projection].Name, w.column
			}
			return
		}
		c.run.finished(x)
		c.flights[at] = nil
	}
}

// idle is the end of the commands that were given.
func (c *comparator) idle(cycle, busy, waiting int64) {
	c.finishAll(cycle)
	if c.expect(cycle, opIdle) == nil {
		c.fail(cycle, nil, "sample", "the design is idle, but did nothing of a command")
		return
	}
	c.at++
	c.busy, c.waiting = busy, waiting
	c.run.idle(cycle)
}

package sim

import (
	"bytes"
	"fmt"
	"strconv"

	fx "corinfo/fixedpoint"
	"corinfo/hdlgen"
	"corinfo/hdlgen/settling"
)

// comparator follows a simulator's trace line by line and knows what must come next. A design has several commands
// under way, each in a context of its own; they begin and end in the order in which they were given.
type comparator struct {
	d        *hdlgen.Design
	lanes    int
	source   func() (expected, bool) // what golden computed for the next command; false: there is none
	finished func(f *flight)         // told of every command that did everything that it must
	contexts []*flight               // what is under way, by context; nil: nothing
	waiting  []*flight               // by context: taken from source, not begun
	taken    int                     // commands taken from source
	origin   int                     // of them, those before the last reset: the next one begins in context 0
	answered int                     // commands whose class is known
	first    int                     // commands of the run before these
	offset   int64                   // of the part's cycles, before those of this simulator
	line     []byte                  // scratch
	words    []int64
	States   int64
	Synapse  int64
}

// flight is one command under way and how far its trace was seen.
type flight struct {
	expected
	index   int
	record  int // next state line: record and slot in its layer
	slot    int
	stepped int // records whose interneuron's step was seen, or that have none
	write   int // next synapse line
	row     int // slot of it
	score   int // next score line
	class   bool
	got     int // the class that the design gave
}

func newComparator(d *hdlgen.Design, source func() (expected, bool), finished func(f *flight)) *comparator {
	return &comparator{d: d, lanes: d.Manifest.Lanes, source: source, finished: finished, words: make([]int64, d.Manifest.Lanes),
		contexts: make([]*flight, d.Manifest.Contexts), waiting: make([]*flight, d.Manifest.Contexts)}
}

// next gives the command that a context is to do next; nil: there is none.
func (c *comparator) next(context int) *flight {
	for c.waiting[context] == nil {
		e, ok := c.source()
		if !ok {
			return nil
		}
		c.waiting[(c.taken-c.origin)%len(c.contexts)] = &flight{expected: e, index: c.taken}
		c.taken++
	}
	x := c.waiting[context]
	c.waiting[context] = nil
	return x
}

// mismatch starts a report at a line of a command; nil: of none.
func (c *comparator) mismatch(cycle int64, x *flight, tensor, detail string, args ...any) *Mismatch {
	m := &Mismatch{Cycle: cycle + c.offset, Sample: c.first + c.taken, Tensor: tensor, Detail: fmt.Sprintf(detail, args...)}
	if x != nil {
		m.Sample, m.Learning = c.first+x.index, x.kind.learns()
	}
	return m
}

// gather collects the words of a slot from a layer's, padding with zeros.
func (c *comparator) gather(all []int64, slot int) []int64 {
	for lane := range c.words {
		c.words[lane] = 0
		if i := slot*c.lanes + lane; i < len(all) {
			c.words[lane] = all[i]
		}
	}
	return c.words
}

// state checks one line of new potentials and states: context, slot, u, r.
func (c *comparator) state(cycle int64, contextText, slotText, u, r []byte) *Mismatch {
	context, err := strconv.ParseUint(string(contextText), 16, 16)
	if err != nil || int(context) >= len(c.contexts) {
		return c.mismatch(cycle, nil, "state", "context %s is written; there are %d", contextText, len(c.contexts))
	}
	x := c.contexts[context]
	if m := c.awaited(cycle, x); m != nil {
		return m
	}
	if x == nil || x.record == len(x.trace.Records) {
		if m := c.finish(cycle, int(context)); m != nil {
			return m
		}
		if x = c.next(int(context)); x == nil {
			return c.mismatch(cycle, nil, "state", "a state is written, but every command is done")
		}
		c.contexts[context] = x
	}
	rec := &x.trace.Records[x.record]
	at := func(tensor string, neuron int) *Mismatch {
		m := c.mismatch(cycle, x, tensor, "")
		m.Phase, m.Iteration, m.Layer, m.Neuron = rec.Phase.String(), rec.Iteration, rec.Layer, neuron
		return m
	}
	slot, err := strconv.ParseUint(string(slotText), 16, 16)
	if want := c.d.Layout.SlotBase[rec.Layer] + x.slot; err != nil || int(slot) != want {
		m := at("state", x.slot*c.lanes)
		m.Detail = fmt.Sprintf("slot %s is written; expected slot %x", slotText, want)
		return m
	}
	types := c.d.Arithmetic.Formats.Layer[rec.Layer]
	for _, bus := range []struct {
		name  string
		got   []byte
		all   []int64
		width int
		f     fx.Format
	}{{"u", u, rec.U, c.d.Manifest.Widths.U, types.U.Format}, {"r", r, rec.R, c.d.Manifest.Widths.R, types.R.Format}} {
		want := c.gather(bus.all, x.slot)
		if m := c.compare(bus.got, want, bus.width, bus.f, func(lane int) *Mismatch {
			return at(fmt.Sprintf("%s%d", bus.name, rec.Layer), x.slot*c.lanes+lane)
		}); m != nil {
			return m
		}
	}
	real := min(c.lanes, len(rec.U)-x.slot*c.lanes)
	c.States += 2 * int64(real)
	if x.slot++; x.slot == c.d.Layout.SlotCount[rec.Layer] {
		x.slot = 0
		x.record++
		if c.d.Arithmetic.Interneuron[rec.Layer] == nil {
			x.stepped++
		}
	}
	return nil
}

// awaited is a mismatch if a step of an interneuron should have come before what comes now.
func (c *comparator) awaited(cycle int64, x *flight) *Mismatch {
	if x == nil || x.slot > 0 || x.stepped == x.record {
		return nil
	}
	rec := &x.trace.Records[x.stepped]
	m := c.mismatch(cycle, x, fmt.Sprintf("q%d", rec.Layer), "the layer has new states, but this step of its interneuron is missing")
	m.Phase, m.Iteration, m.Layer = rec.Phase.String(), rec.Iteration, rec.Layer
	return m
}

// step checks a line of an interneuron: context, layer, q_u, q.
func (c *comparator) step(cycle int64, contextText, layerText, qu, q []byte) *Mismatch {
	context, err := strconv.ParseUint(string(contextText), 16, 16)
	if err != nil || int(context) >= len(c.contexts) || c.contexts[context] == nil {
		return c.mismatch(cycle, nil, "q", "context %s steps, but no sample is under way there", contextText)
	}
	x := c.contexts[context]
	if x.stepped == x.record {
		return c.mismatch(cycle, x, "q", "layer %s steps, but no such step is due", layerText)
	}
	rec := &x.trace.Records[x.stepped]
	at := func(tensor string) *Mismatch {
		m := c.mismatch(cycle, x, tensor, "")
		m.Phase, m.Iteration, m.Layer = rec.Phase.String(), rec.Iteration, rec.Layer
		return m
	}
	if layer, err := strconv.ParseUint(string(layerText), 16, 16); err != nil || int(layer) != rec.Layer {
		m := at("q")
		m.Detail = fmt.Sprintf("layer %s steps; expected layer %x", layerText, rec.Layer)
		return m
	}
	types := c.d.Arithmetic.Formats.Layer[rec.Layer].Interneuron
	for _, w := range []struct {
		name  string
		got   []byte
		want  int64
		width int
		f     fx.Format
	}{{"qu", qu, rec.QU, c.d.Manifest.Widths.QU, types.QU.Format}, {"q", q, rec.Q, c.d.Manifest.Widths.Q, types.Q.Format}} {
		words, err := unpack(string(w.got), 1, w.width)
		if err != nil || words[0] != w.want {
			m := at(fmt.Sprintf("%s%d", w.name, rec.Layer))
			m.Expected, m.Got = word(w.want, w.f), string(w.got)
			if err == nil {
				m.Got = word(words[0], w.f)
			}
			return m
		}
	}
	x.stepped++
	c.States += 2
	return nil
}

// compare checks a bus against the words of all lanes; at names the place of a lane.
func (c *comparator) compare(got []byte, want []int64, width int, f fx.Format, at func(lane int) *Mismatch) *Mismatch {
	c.line = pack(c.line[:0], want, width)
	if bytes.Equal(got, c.line) {
		return nil
	}
	words, err := unpack(string(got), c.lanes, width)
	if err != nil {
		m := at(0)
		m.Detail = err.Error()
		return m
	}
	for lane := range words {
		if words[lane] != want[lane] {
			m := at(lane)
			m.Lane = lane
			m.Expected, m.Got = word(want[lane], f), word(words[lane], f)
			return m
		}
	}
	m := at(0)
	m.Detail = fmt.Sprintf("bus %s; expected %s", got, c.line)
	return m
}

// updating is the command whose mini-batch is being applied; nil: none.
func (c *comparator) updating() *flight {
	for _, x := range c.contexts {
		if x != nil && x.write < len(x.trace.Writes) {
			return x
		}
	}
	return nil
}

// synapse checks one line of an update: address, words.
func (c *comparator) synapse(cycle int64, addressText, bus []byte) *Mismatch {
	x := c.updating()
	if x == nil {
		return c.mismatch(cycle, nil, "synapse", "address %s is written, but no further update is due", addressText)
	}
	w := &x.trace.Writes[x.write]
	matrix := &c.d.Arithmetic.Matrices[w.Matrix]
	_, want := c.d.Layout.Address(w.Matrix, w.Column, x.row*c.lanes)
	at := func(lane int) *Mismatch {
		m := c.mismatch(cycle, x, matrix.Name(), "")
		m.Row, m.Column, m.Lane, m.Address = x.row*c.lanes+lane, w.Column, lane, want
		return m
	}
	address, err := strconv.ParseUint(string(addressText), 16, 32)
	if err != nil || int(address) != want {
		m := at(0)
		m.Detail = fmt.Sprintf("address %s is written; expected %x", addressText, want)
		return m
	}
	if m := c.compare(bus, c.gather(w.Words, x.row), c.d.Manifest.Widths.Synapse, matrix.Type.Format, at); m != nil {
		return m
	}
	c.Synapse += int64(min(c.lanes, len(w.Words)-x.row*c.lanes))
	if x.row++; x.row*c.lanes >= len(w.Words) {
		x.row = 0
		x.write++
	}
	return nil
}

// turn is the command whose scores and class come next; nil: it has not begun.
func (c *comparator) turn() *flight {
	if x := c.contexts[(c.answered-c.origin)%len(c.contexts)]; x != nil && x.index == c.answered {
		return x
	}
	return nil
}

// result checks a score line: index, word.
func (c *comparator) result(cycle int64, index, bus []byte) *Mismatch {
	x := c.turn()
	if x == nil || x.score == len(x.trace.Scores) {
		return c.mismatch(cycle, x, "score", "score %s is one too many", index)
	}
	if i, err := strconv.ParseUint(string(index), 16, 32); err != nil || int(i) != x.score {
		return c.mismatch(cycle, x, "score", "score of neuron %s; expected neuron %d", index, x.score)
	}
	K := c.d.Network.K()
	want := x.trace.Scores[x.score]
	width := c.d.Manifest.Widths.R
	words, err := unpack(string(bus), 1, width)
	if err != nil || words[0] != want {
		m := c.mismatch(cycle, x, "score", "")
		m.Phase, m.Layer, m.Neuron = settling.Free.String(), K, x.score
		f := c.d.Arithmetic.Formats.Layer[K].R.Format
		m.Expected, m.Got = word(want, f), string(bus)
		if err == nil {
			m.Got = word(words[0], f)
		}
		return m
	}
	x.score++
	return nil
}

// answer checks the class.
func (c *comparator) answer(cycle int64, class []byte) *Mismatch {
	x := c.turn()
	got, err := strconv.ParseUint(string(class), 16, 32)
	if x == nil || err != nil || int(got) != x.trace.Class {
		m := c.mismatch(cycle, x, "class", "")
		m.Got = string(class)
		if x != nil {
			m.Expected = strconv.Itoa(x.trace.Class)
		}
		return m
	}
	x.class = true
	x.got = int(got)
	c.answered++
	return nil
}

// finish checks that what is under way in a context, if anything, did everything that it must.
func (c *comparator) finish(cycle int64, context int) *Mismatch {
	x := c.contexts[context]
	if x == nil {
		return nil
	}
	if m := c.awaited(cycle, x); m != nil {
		return m
	}
	switch t := x.trace; {
	case x.record < len(t.Records):
		r := t.Records[x.record]
		m := c.mismatch(cycle, x, fmt.Sprintf("u%d", r.Layer), "the sample is over, but this settling step is missing")
		m.Phase, m.Iteration, m.Layer = r.Phase.String(), r.Iteration, r.Layer
		return m
	case x.write < len(t.Writes):
		w := t.Writes[x.write]
		m := c.mismatch(cycle, x, c.d.Arithmetic.Matrices[w.Matrix].Name(), "the update is over, but this synapse was not written")
		m.Column = w.Column
		return m
	case x.score < len(t.Scores) || !x.class:
		return c.mismatch(cycle, x, "class", "the sample is over without all scores and a class")
	}
	c.contexts[context] = nil
	c.finished(x)
	return nil
}

// finishAll is finish for all contexts, in the order of their commands.
func (c *comparator) finishAll(cycle int64) *Mismatch {
	oldest := func() (context int, ok bool) {
		for i, x := range c.contexts {
			if x != nil && (!ok || x.index < c.contexts[context].index) {
				context, ok = i, true
			}
		}
		return context, ok
	}
	for context, ok := oldest(); ok; context, ok = oldest() {
		if m := c.finish(cycle, context); m != nil {
			return m
		}
	}
	return nil
}

// reset forgets all commands under way and some that have not begun; it tells which was given last, nil if none of it was
// seen.
func (c *comparator) reset(notBegun int) (last *flight) {
	for i := range c.contexts {
		for _, x := range []*flight{c.contexts[i], c.waiting[i]} {
			if notBegun == 0 && x != nil && x.index == c.taken-1 {
				last = x
			}
		}
		c.contexts[i], c.waiting[i] = nil, nil
	}
	c.taken += notBegun
	c.origin, c.answered = c.taken, c.taken
	return last
}

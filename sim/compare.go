package sim

import (
	"bytes"
	"fmt"
	"strconv"

	fx "corinfo/fixedpoint"
	"corinfo/golden"
	"corinfo/hdlgen"
)

// comparator follows a simulator's trace line by line and knows what must come next.
type comparator struct {
	d       *hdlgen.Design
	lanes   int
	command int           // index of the command under way
	learn   bool          // it is a learning command
	trace   *golden.Trace // what golden computed for it; nil: no command is under way
	record  int           // next state line: record and slot in its layer
	slot    int
	write   int // next synapse line
	row     int // slot of it
	score   int // next score line
	class   bool
	offset  int64  // of the run's cycles, before those of the model in a continued run
	line    []byte // scratch
	words   []int64
	States  int64
	Synapse int64
}

func newComparator(d *hdlgen.Design) *comparator {
	return &comparator{d: d, lanes: d.Manifest.Lanes, command: -1, words: make([]int64, d.Manifest.Lanes)}
}

// begin tells of the next command and what it must do.
func (c *comparator) begin(learn bool, t *golden.Trace) {
	c.command++
	c.learn, c.trace = learn, t
	c.record, c.slot, c.write, c.row, c.score, c.class = 0, 0, 0, 0, 0, false
}

// mismatch starts a report at a line.
func (c *comparator) mismatch(cycle int64, tensor, detail string, args ...any) *Mismatch {
	return &Mismatch{Cycle: cycle + c.offset, Sample: c.command, Learning: c.learn, Tensor: tensor, Detail: fmt.Sprintf(detail, args...)}
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

// state checks one line of new potentials and states: slot, u, r.
func (c *comparator) state(cycle int64, slotText, u, r []byte) *Mismatch {
	if c.trace == nil || c.record == len(c.trace.Records) {
		return c.mismatch(cycle, "state", "a state is written, but every settling step of this sample is done")
	}
	rec := &c.trace.Records[c.record]
	at := func(tensor string, neuron int) *Mismatch {
		m := c.mismatch(cycle, tensor, "")
		m.Phase, m.Iteration, m.Layer, m.Neuron = rec.Phase.String(), rec.Iteration, rec.Layer, neuron
		return m
	}
	slot, err := strconv.ParseUint(string(slotText), 16, 16)
	if want := c.d.Layout.SlotBase[rec.Layer] + c.slot; err != nil || int(slot) != want {
		m := at("state", c.slot*c.lanes)
		m.Detail = fmt.Sprintf("slot %s is written; expected slot %x", slotText, want)
		return m
	}
	types := c.d.Arithmetic.Formats.Layer[rec.Layer]
	for _, x := range []struct {
		name  string
		got   []byte
		all   []int64
		width int
		f     fx.Format
	}{{"u", u, rec.U, c.d.Manifest.Widths.U, types.U.Format}, {"r", r, rec.R, c.d.Manifest.Widths.R, types.R.Format}} {
		want := c.gather(x.all, c.slot)
		if m := c.compare(x.got, want, x.width, x.f, func(lane int) *Mismatch {
			return at(fmt.Sprintf("%s%d", x.name, rec.Layer), c.slot*c.lanes+lane)
		}); m != nil {
			return m
		}
	}
	real := min(c.lanes, len(rec.U)-c.slot*c.lanes)
	c.States += 2 * int64(real)
	if c.slot++; c.slot == c.d.Layout.SlotCount[rec.Layer] {
		c.slot = 0
		c.record++
	}
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

// synapse checks one line of an update: address, words.
func (c *comparator) synapse(cycle int64, addressText, bus []byte) *Mismatch {
	if c.trace == nil || c.write == len(c.trace.Writes) {
		return c.mismatch(cycle, "synapse", "address %s is written, but no further update is due", addressText)
	}
	w := &c.trace.Writes[c.write]
	x := &c.d.Arithmetic.Matrices[w.Matrix]
	_, want := c.d.Layout.Address(w.Matrix, w.Column, c.row*c.lanes)
	at := func(lane int) *Mismatch {
		m := c.mismatch(cycle, x.Name(), "")
		m.Row, m.Column, m.Lane, m.Address = c.row*c.lanes+lane, w.Column, lane, want
		return m
	}
	address, err := strconv.ParseUint(string(addressText), 16, 32)
	if err != nil || int(address) != want {
		m := at(0)
		m.Detail = fmt.Sprintf("address %s is written; expected %x", addressText, want)
		return m
	}
	if m := c.compare(bus, c.gather(w.Words, c.row), c.d.Manifest.Widths.Synapse, x.Type.Format, at); m != nil {
		return m
	}
	c.Synapse += int64(min(c.lanes, len(w.Words)-c.row*c.lanes))
	if c.row++; c.row*c.lanes >= len(w.Words) {
		c.row = 0
		c.write++
	}
	return nil
}

// result checks a score line: index, word.
func (c *comparator) result(cycle int64, index, bus []byte) *Mismatch {
	if c.trace == nil || c.score == len(c.trace.Scores) {
		return c.mismatch(cycle, "score", "score %s is one too many", index)
	}
	if i, err := strconv.ParseUint(string(index), 16, 32); err != nil || int(i) != c.score {
		return c.mismatch(cycle, "score", "score of neuron %s; expected neuron %d", index, c.score)
	}
	K := c.d.Network.K()
	want := c.trace.Scores[c.score]
	width := c.d.Manifest.Widths.R
	words, err := unpack(string(bus), 1, width)
	if err != nil || words[0] != want {
		m := c.mismatch(cycle, "score", "")
		m.Phase, m.Layer, m.Neuron = golden.Free.String(), K, c.score
		f := c.d.Arithmetic.Formats.Layer[K].R.Format
		m.Expected, m.Got = word(want, f), string(bus)
		if err == nil {
			m.Got = word(words[0], f)
		}
		return m
	}
	c.score++
	return nil
}

// answer checks the class.
func (c *comparator) answer(cycle int64, class []byte) *Mismatch {
	got, err := strconv.ParseUint(string(class), 16, 32)
	if c.trace == nil || c.class || err != nil || int(got) != c.trace.Class {
		m := c.mismatch(cycle, "class", "")
		m.Got = string(class)
		if c.trace != nil {
			m.Expected = strconv.Itoa(c.trace.Class)
		}
		return m
	}
	c.class = true
	return nil
}

// finish checks that a command did everything that it must.
func (c *comparator) finish(cycle int64) *Mismatch {
	switch t := c.trace; {
	case t == nil:
		return c.mismatch(cycle, "command", "the design finished a command that it was not given")
	case c.record < len(t.Records):
		r := t.Records[c.record]
		m := c.mismatch(cycle, fmt.Sprintf("u%d", r.Layer), "the sample is over, but this settling step is missing")
		m.Phase, m.Iteration, m.Layer = r.Phase.String(), r.Iteration, r.Layer
		return m
	case c.write < len(t.Writes):
		w := t.Writes[c.write]
		m := c.mismatch(cycle, c.d.Arithmetic.Matrices[w.Matrix].Name(), "the update is over, but this synapse was not written")
		m.Column = w.Column
		return m
	case c.score < len(t.Scores) || !c.class:
		return c.mismatch(cycle, "class", "the sample is over without all scores and a class")
	}
	c.trace = nil
	return nil
}

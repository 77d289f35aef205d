package lockstep

import (
	"fmt"
	"strconv"

	fx "corinfo/fixedpoint"
	"corinfo/sim"
)

// step is a line of neurons: of every unit one.
func (c *comparator) step(cycle int64, context, number, base int, all []byte) {
	x, v := c.visiting(cycle, context, number)
	if x == nil {
		return
	}
	st, shown := &c.p.Steps[number], &c.reader.steps[number]
	if want := x.lines/c.p.Subs*c.p.Lanes + x.lines%c.p.Subs; base != want {
		c.in(c.fail(cycle, x, c.stepName(number), "neuron %d is written; expected neuron %d", base, want), v, want)
		return
	}
	for u := range c.p.Units {
		neuron := base + u*c.p.Subs
		for i, storage := range shown.storage {
			want := int64(0)
			if neuron < c.p.Network.Layers[st.Layer] {
				want = v.words[i][neuron]
				c.states++
			}
			if got, ok := bits(all, u*c.m.Widths.Words+storage.Low, storage.Width); !ok || got != raw(want, shown.formats[i].Width) {
				c.in(c.differWord(cycle, x, shown.names[i], got, ok, want, shown.formats[i]), v, neuron)
				return
			}
		}
	}
	if x.lines++; x.lines == c.p.SlotCount[st.Layer]*c.p.Subs {
		x.lines = 0
		x.visit++
	}
}

// differWord keeps the mismatch of a word of a format: what the design shows in its place.
func (c *comparator) differWord(cycle int64, x *flight, tensor string, got uint64, known bool, want int64, f fx.Format) *sim.Mismatch {
	text := "unknown bits"
	if known {
		spare := 64 - f.Width
		word := int64(got << spare >> spare)
		if f.Signed {
			word = int64(got<<spare) >> spare
		}
		if text = sim.Word(word, f); got != raw(word, f.Width) {
			text += fmt.Sprintf(", and other bits above: %x", got)
		}
	}
	return c.differ(cycle, x, tensor, text, sim.Word(want, f))
}

// shared is a line of the words that a layer shares.
func (c *comparator) shared(cycle int64, context, number int, all []byte) {
	x, v := c.visiting(cycle, context, number)
	if x == nil {
		return
	}
	shown := &c.reader.steps[number]
	for i, storage := range shown.storage {
		c.states++
		if got, ok := bits(all, storage.Low, storage.Width); !ok || got != raw(v.words[i][0], shown.formats[i].Width) {
			c.in(c.differWord(cycle, x, shown.names[i], got, ok, v.words[i][0], shown.formats[i]), v, 0)
			return
		}
	}
	x.visit++
}

// updating is the command whose update is under way; nil: none.
func (c *comparator) updating() *flight {
	for _, x := range c.flights {
		if x != nil && x.write < len(x.writes) {
			return x
		}
	}
	return nil
}

// synapse is a line of synapses that an update writes: of every unit one.
func (c *comparator) synapse(cycle int64, address, sub int, words, besides []byte) {
	x := c.updating()
	if x == nil {
		c.fail(cycle, nil, "synapses", "address %d is written, but no update is due", address)
		return
	}
	w := x.writes[x.write]
	projection := c.p.Updates[w.update].Projection
	pr := &c.p.D.Projections[projection]
	_, first := c.p.Address(projection, 0, w.column)
	slot := x.words / c.p.Subs
	if want := x.words % c.p.Subs; address != first+slot || sub != want {
		m := c.fail(cycle, x, pr.Name, "address %d of every unit's lane %d is written; expected address %d, lane %d", address,
			sub, first+slot, want)
		m.Column, m.Lane, m.Address = w.column, want, first+slot
		return
	}
	for u := range c.p.Units {
		lane := u*c.p.Subs + sub
		row := slot*c.p.Lanes + lane
		real := row < pr.Rows
		check := func(name string, got uint64, known bool, want int64, width int, f fx.Format) bool {
			if known && got == raw(want, width) {
				return true
			}
			c.onSynapse(c.differWord(cycle, x, name, got&raw(-1, f.Width), known, want, f), row, w.column, lane, address)
			return false
		}
		want := int64(0)
		if real {
			want = c.l.Synapse(projection, row, w.column)
			c.synapses++
		}
		got, ok := bits(words, u*c.m.Widths.Synapse, c.m.Widths.Synapse)
		if !check(pr.Name, got, ok, want, c.m.Widths.Synapse, c.p.A.Types[pr.Tensor].Format) {
			return
		}
		for k, storage := range c.p.Beside {
			want := int64(0)
			if real {
				want = c.p.BesideWord(c.l, projection, k, row, w.column)
			}
			got, ok := bits(besides, u*c.m.Widths.Beside+storage.Low, storage.Width)
			if !check(pr.Name+"."+storage.Name, got, ok, want, storage.Width, fx.Format{Width: storage.Width, Signed: storage.Signed}) {
				return
			}
		}
	}
	if x.words++; x.words == c.p.SlotsOf(projection)*c.p.Subs {
		x.words = 0
		x.write++
	}
}

// onSynapse tells a mismatch of which synapse it is.
func (c *comparator) onSynapse(m *sim.Mismatch, row, column, lane, address int) {
	m.Row, m.Column, m.Lane, m.Address = row, column, lane, address
}

// answering is the command whose scores and class are due.
func (c *comparator) answering(cycle int64) *flight {
	if len(c.queue) == 0 {
		c.next(cycle)
	}
	if len(c.queue) == 0 {
		return nil
	}
	return c.queue[0]
}

func (c *comparator) score(cycle int64, index int, digits []byte) {
	x := c.answering(cycle)
	if x == nil || x.score == len(x.trace.Scores) {
		c.fail(cycle, x, "score", "score %d is one too many", index)
		return
	}
	if index != x.score {
		c.fail(cycle, x, "score", "score of neuron %d; expected neuron %d", index, x.score)
		return
	}
	want := x.trace.Scores[index]
	if got, ok := bits(digits, 0, c.m.Widths.Score); !ok || got != raw(want, c.m.Widths.Score) {
		f := c.p.A.Word(c.p.D.Readout).Format
		m := c.differWord(cycle, x, "score", got&raw(-1, f.Width), ok, want, f)
		m.Layer, m.Neuron = c.p.Network.K(), index
		return
	}
	x.score++
}

// refusal is the answer to a sample of the wrong length.
func (c *comparator) refusal(cycle int64) {
	x := c.answering(cycle)
	if x == nil || x.length == 0 {
		c.fail(cycle, x, "class", "an error in the place of a class")
		return
	}
	x.class = true
	c.queue = c.queue[1:]
}

// answer is a class.
func (c *comparator) answer(cycle int64, class int) {
	x := c.answering(cycle)
	if x == nil {
		c.fail(cycle, nil, "class", "an answer that nobody asked for")
		return
	}
	if x.length > 0 {
		c.fail(cycle, x, "class", "a class of %d words", x.length)
		return
	}
	if x.score < len(x.trace.Scores) {
		c.fail(cycle, x, "class", "a class after %d of %d scores", x.score, len(x.trace.Scores))
		return
	}
	if class != x.trace.Class {
		c.differ(cycle, x, "class", strconv.Itoa(class), strconv.Itoa(x.trace.Class))
		return
	}
	x.class, x.got = true, class
	c.queue = c.queue[1:]
}

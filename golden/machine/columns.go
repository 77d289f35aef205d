package machine

import (
	"math"

	fx "corinfo/fixedpoint"
	"corinfo/fixedpoint/vector"
)

// columns is the memory of one matrix, column after column: the synapses of one presynaptic neuron together.
//
// Settling multiplies whole columns by small changes of states. Where synapses and changes fit 16 bits and the sum
// of some of their products 32, words have 16 bits, and products are summed in 32 before they are added to the
// accumulators: of as many events as their changes allow, which are small where settling comes to its end. Both is exact.
type columns struct {
	rows, stride int   // stride: words from a column to the next, the rows and then zeros
	shift        int   // of a product to its accumulator's binary point
	largest      int64 // magnitude of a synapse
	narrow       []int16
	wide         []int64 // nil: words are narrow
}

// event is a change of one presynaptic state, or its value where all states are summed.
type event struct {
	column int
	delta  int64
}

// eventsAtOnce is the largest number of events that are added in one go.
const eventsAtOnce = 64

// eventWords is room for the events that columns.add takes at once.
type eventWords struct {
	at     [eventsAtOnce]int64
	deltas [eventsAtOnce]int16
}

// newColumns makes room for the synapses of a matrix. shift brings products with changes to the accumulators' binary point;
// fixed: a change is a value itself, not a difference of two.
func newColumns(rows, cols, shift int, synapse, change fx.Format, fixed bool) *columns {
	c := &columns{rows: rows, stride: vector.Padded(rows), shift: shift, largest: magnitude(synapse)}
	if fitsInt32(synapse, change, fixed) {
		c.narrow = make([]int16, c.stride*cols)
	} else {
		c.wide = make([]int64, c.stride*cols)
	}
	return c
}

// fitsInt32 tells whether a synapse and a change have 16 bits, and two of their products always fit 32.
func fitsInt32(synapse, change fx.Format, fixed bool) bool {
	if !synapse.FitsInt16() || !change.FitsInt16() {
		return false
	}
	most := magnitude(change)
	if !fixed { // never the lowest word of its format
		most, _ = change.Max().Int64()
	}
	return eventsIn32(magnitude(synapse), most) > 0
}

// magnitude is the largest of a format's words.
func magnitude(f fx.Format) int64 {
	low, _ := f.Min().Int64()
	high, _ := f.Max().Int64()
	return max(-low, high)
}

// eventsIn32 is the even number of products of magnitudes up to these, at most eventsAtOnce, whose sum always fits 32 bits.
func eventsIn32(synapse, change int64) int {
	return int(min(math.MaxInt32/(synapse*max(change, 1)), eventsAtOnce)) &^ 1
}

func (c *columns) at(row, column int) int64 {
	if c.wide == nil {
		return int64(c.narrow[column*c.stride+row])
	}
	return c.wide[column*c.stride+row]
}

func (c *columns) set(row, column int, word int64) {
	if c.wide == nil {
		c.narrow[column*c.stride+row] = int16(word)
	} else {
		c.wide[column*c.stride+row] = word
	}
}

// read copies a column's synapses into out, one per row, and zeros where out is longer, up to c.stride.
func (c *columns) read(column int, out []int64) {
	from := column * c.stride
	if c.wide == nil {
		vector.Widen(out, c.narrow[from:from+c.stride])
	} else {
		copy(out, c.wide[from:from+c.stride])
	}
}

// write stores a column's synapses; what is beyond the last row is zero.
func (c *columns) write(column int, in []int64) {
	from := column * c.stride
	if c.wide == nil {
		vector.Narrow(c.narrow[from:from+len(in)], in)
	} else {
		copy(c.wide[from:from+len(in)], in)
	}
}

// add adds the products of events to the sums of the rows, which have room for c.stride.
func (c *columns) add(sums []int64, events []event, room *eventWords) {
	sums = sums[:c.stride]
	if c.wide == nil {
		c.addNarrow(sums, events, room)
		return
	}
	for ; len(events) >= 4; events = events[4:] {
		c.addWide4(sums, (*[4]event)(events))
	}
	for _, e := range events {
		c.addWide(sums, e)
	}
}

func (c *columns) addNarrow(sums []int64, events []event, room *eventWords) {
	for len(events) > 0 {
		n := min(len(events), eventsAtOnce)
		most := int64(0)
		for i, e := range events[:n] {
			room.at[i], room.deltas[i] = int64(e.column*c.stride), int16(e.delta)
			most = max(most, e.delta, -e.delta)
		}
		events = events[n:]
		if n%2 == 1 { // in pairs: with a change of zero
			room.at[n], room.deltas[n] = room.at[n-1], 0
			n++
		}
		vector.AddColumns(sums, c.narrow, room.at[:n], room.deltas[:n], eventsIn32(c.largest, most), uint(c.shift))
	}
}

func (c *columns) addWide4(sums []int64, e *[4]event) {
	n := len(sums)
	a, b, d, f := c.wide[e[0].column*n:][:n], c.wide[e[1].column*n:][:n], c.wide[e[2].column*n:][:n], c.wide[e[3].column*n:][:n]
	x, y, z, w := e[0].delta<<c.shift, e[1].delta<<c.shift, e[2].delta<<c.shift, e[3].delta<<c.shift
	for i := range sums {
		sums[i] += a[i]*x + b[i]*y + d[i]*z + f[i]*w
	}
}

func (c *columns) addWide(sums []int64, e event) {
	a := c.wide[e.column*c.stride:][:len(sums)]
	delta := e.delta << c.shift
	for i, w := range a {
		sums[i] += w * delta
	}
}

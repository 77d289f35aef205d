package golden

import fx "corinfo/fixedpoint"

// columns is the memory of one matrix, column after column: the synapses of one presynaptic neuron together.
//
// Settling multiplies whole columns by small changes of states. Where four products fit 31 bits, one word
// holds two synapses, that of row i in its lower and that of row half+i in its upper 32 bits (as the sum
// lower + upper * 2^32 of signed numbers): one multiplication then makes two exact products.
type columns struct {
	rows, half int
	packed     bool
	shift      int // of a product to its accumulator's binary point
	words      []int64
}

// event is a change of one presynaptic state, or its value where all states are summed.
type event struct {
	column int
	delta  int64
}

// eventsAtOnce is the number of products that are summed before they are added to the accumulators.
const eventsAtOnce = 4

func newColumns(x *Matrix) *columns {
	c := &columns{rows: x.Rows, half: (x.Rows + 1) / 2, shift: x.Shift}
	widest := fx.SumFormat(x.Product, eventsAtOnce)
	if c.packed = widest.Width <= 31; c.packed {
		c.words = make([]int64, c.half*x.Cols)
	} else {
		c.words = make([]int64, c.rows*x.Cols)
	}
	return c
}

// unpack gives the two synapses, or sums of products, of a word.
func unpack(word int64) (lower, upper int64) {
	lower = int64(int32(word))
	return lower, (word - lower) >> 32
}

func (c *columns) at(row, column int) int64 {
	if !c.packed {
		return c.words[column*c.rows+row]
	}
	lower, upper := unpack(c.words[column*c.half+row%c.half])
	if row < c.half {
		return lower
	}
	return upper
}

func (c *columns) set(row, column int, word int64) {
	if !c.packed {
		c.words[column*c.rows+row] = word
		return
	}
	p := &c.words[column*c.half+row%c.half]
	lower, upper := unpack(*p)
	if row < c.half {
		lower = word
	} else {
		upper = word
	}
	*p = lower + upper<<32
}

// read copies a column's synapses into out, one per row.
func (c *columns) read(column int, out []int64) {
	if !c.packed {
		copy(out, c.words[column*c.rows:][:c.rows])
		return
	}
	lower, upper := out[:c.half], out[c.half:c.rows]
	pairs := c.words[column*c.half:][:c.half]
	for i, p := range pairs[:len(lower)] {
		lower[i], _ = unpack(p)
	}
	for i, p := range pairs[:len(upper)] {
		_, upper[i] = unpack(p)
	}
}

// write stores a column's synapses.
func (c *columns) write(column int, in []int64) {
	if !c.packed {
		copy(c.words[column*c.rows:][:c.rows], in)
		return
	}
	lower, upper := in[:c.half], in[c.half:c.rows]
	pairs := c.words[column*c.half:][:c.half]
	copy(pairs, lower)
	for i, w := range upper {
		pairs[i] += w << 32
	}
}

// add adds the products of events to the sums of the rows, which have room for an even number of rows.
func (c *columns) add(sums []int64, events []event) {
	for ; len(events) >= eventsAtOnce; events = events[eventsAtOnce:] {
		if c.packed {
			c.addPairs4(sums, (*[eventsAtOnce]event)(events))
		} else {
			c.addWords4(sums, (*[eventsAtOnce]event)(events))
		}
	}
	for _, e := range events {
		if c.packed {
			c.addPairs(sums, e)
		} else {
			c.addWords(sums, e)
		}
	}
}

func (c *columns) addPairs4(sums []int64, e *[eventsAtOnce]event) {
	n := c.half
	lower, upper := sums[:n], sums[n:2*n]
	a, b, d, f := c.words[e[0].column*n:][:n], c.words[e[1].column*n:][:n], c.words[e[2].column*n:][:n], c.words[e[3].column*n:][:n]
	upper, a, b, d, f = upper[:len(lower)], a[:len(lower)], b[:len(lower)], d[:len(lower)], f[:len(lower)]
	x, y, z, w := e[0].delta, e[1].delta, e[2].delta, e[3].delta
	shift := uint(c.shift) & 63
	for i := range lower {
		l, u := unpack(a[i]*x + b[i]*y + d[i]*z + f[i]*w)
		lower[i] += l << shift
		upper[i] += u << shift
	}
}

func (c *columns) addPairs(sums []int64, e event) {
	n := c.half
	lower, upper, a := sums[:n], sums[n:2*n], c.words[e.column*n:][:n]
	upper, a = upper[:len(lower)], a[:len(lower)]
	shift := uint(c.shift) & 63
	for i := range lower {
		l, u := unpack(a[i] * e.delta)
		lower[i] += l << shift
		upper[i] += u << shift
	}
}

func (c *columns) addWords4(sums []int64, e *[eventsAtOnce]event) {
	n := c.rows
	sums = sums[:n]
	a, b, d, f := c.words[e[0].column*n:][:n], c.words[e[1].column*n:][:n], c.words[e[2].column*n:][:n], c.words[e[3].column*n:][:n]
	a, b, d, f = a[:len(sums)], b[:len(sums)], d[:len(sums)], f[:len(sums)]
	x, y, z, w := e[0].delta<<c.shift, e[1].delta<<c.shift, e[2].delta<<c.shift, e[3].delta<<c.shift
	for i := range sums {
		sums[i] += a[i]*x + b[i]*y + d[i]*z + f[i]*w
	}
}

func (c *columns) addWords(sums []int64, e event) {
	a := c.words[e.column*c.rows:][:c.rows]
	sums = sums[:len(a)]
	delta := e.delta << c.shift
	for i, w := range a {
		sums[i] += w * delta
	}
}

package sim

import (
	"bytes"
	"fmt"
	"math/rand/v2"

	fx "corinfo/fixedpoint"
	"corinfo/hdlgen/settling"
)

// The closing part of a run plays what samples alone do not: results that are taken late, both signs of beta in a
// mini-batch, inputs at the ends of their range, the host's writes, and resets within samples and updates. The design goes
// through it where the last part ends, and the model follows, step by step.

// closingStep is one of its steps: accesses of the host, commands, and accesses that the host asks for while the last of
// them is still under way; then all counters are compared.
type closingStep struct {
	name     string
	stall    int // seed of stalls on the handshakes; 0: none
	accesses []access
	commands []command
	single   bool   // each waits until the one before is done
	reset    *reset // ends the last command
	late     []access
}

// access is one of the host's: a word written, or consecutive words read.
type access struct {
	address uint32
	count   int                       // words to be read; 0: it writes
	data    int64                     // what is written
	apply   func(m *settling.Machine) // the same for the model
	refused bool                      // no such word, or one that it does not fit: nothing changes
}

// reset ends a command, once it was taken, so many cycles after so many lines of the trace.
type reset struct {
	tag           byte // S, R or W: states, result, synapses written; C: no lines
	lines, cycles int
}

// closer draws the steps of a design's closing part: a function of its network and layout.
type closer struct {
	*cosimulation
	rng *rand.Rand
}

// closingSteps are all of them; the first, which does nothing, ends what is before.
func (c *cosimulation) closingSteps() []closingStep {
	d := &closer{c, rand.New(rand.NewPCG(uint64(c.d.Network.Seed), 0xc105e))}
	batch, contexts := c.d.Network.Learning.Batch, c.d.Manifest.Contexts
	control := access{address: hostControl, count: controlWords}
	mixed := d.mixed(max(batch, 2*batch*(2/batch))) // at least two
	half := len(mixed) / 2
	steps := []closingStep{
		{name: "the end of the samples"},
		{name: "the host writes and reads", accesses: d.everyRegion()},
		{name: "inputs and synapses at the ends of their range", stall: d.seed(), accesses: d.extremes(), commands: d.inputs(4 + contexts)},
	}
	// While all is cleared, while words come in.
	target := c.d.Manifest.Target
	cleared := c.d.Layout.Slots + 14 + 2*target.WireCycles + target.ReadCycles
	for _, cycles := range []int{4 + d.rng.IntN(cleared), cleared + 2, cleared + 3, cleared + 4 + d.rng.IntN(c.d.Network.Layers[0])} {
		steps = append(steps, closingStep{name: "a reset while a sample is taken", stall: d.seed(), commands: d.inputs(2)[1:],
			reset: &reset{'C', 0, cycles}})
	}
	// While events wait, are on their way, and become products.
	way := 2 * target.WireCycles
	for i, cycles := range []int{2, 4, 5, 7, 9 + way, 10 + way, 11 + way, 12 + way, 14 + way + d.rng.IntN(30)} {
		steps = append(steps, closingStep{name: "a reset while samples settle", stall: d.seed(), accesses: []access{control},
			commands: d.inputs(5)[5-1-i%contexts:], reset: &reset{'S', 1 + i/4, cycles}, late: []access{control}})
	}
	nudged := 2
	if batch == 2 { // else the second would close the mini-batch
		nudged = 1
	}
	return append(steps, []closingStep{
		{name: "a reset while a sample is nudged", accesses: d.numbers(7), commands: d.mixed(nudged), single: true,
			reset: &reset{'R', 1, 5 + d.rng.IntN(40)}, late: []access{control}},
		d.resetUpdate(),
		{name: "both signs of beta in a mini-batch, results taken late", stall: d.seed(), accesses: append(d.numbers(1<<24-1), d.rates()...),
			commands: mixed[:half]},
		{name: "both signs of beta in a mini-batch", commands: mixed[half:], single: true, late: []access{control}},
		{name: "samples after all", stall: d.seed(), commands: append(d.mixed(1), d.inputs(contexts)...), late: []access{control}},
	}...)
}

// summary tells what the steps are; nil: there are none.
func (c *cosimulation) summary() *Closing {
	if len(c.steps) == 0 {
		return nil
	}
	all := &Closing{Steps: len(c.steps) - 1}
	for i := range c.steps {
		s := &c.steps[i]
		all.Samples += len(s.commands)
		if s.reset != nil {
			all.Resets++
		}
		for j := range len(s.accesses) + len(s.late) {
			all.Words += max(1, s.access(j).count)
		}
	}
	return all
}

// samples are those of a closing part, if there is one.
func (c *Closing) samples() int {
	if c == nil {
		return 0
	}
	return c.Samples
}

func (d *closer) seed() int { return 1 + d.rng.IntN(1<<16-1) }

// resetUpdate learns a mini-batch and ends its first matrix's update after a few synapses. Its inputs have no zeros, so
// that it is known which synapses come first.
func (d *closer) resetUpdate() closingStep {
	s := closingStep{name: "a reset within an update", stall: d.seed(), accesses: d.numbers(int64(d.rng.Uint32())),
		commands: d.mixed(d.d.Network.Learning.Batch)}
	x := &d.d.Arithmetic.Matrices[0]
	s.reset = &reset{'W', min(3, x.Cols*d.d.Layout.SlotCount[x.Post]), 2}
	for i := range s.commands[0].X {
		s.commands[0].X[i] = d.largest()
	}
	// Every synapse that may be written by then, and some more.
	slots := s.reset.lines + s.reset.cycles + d.unseen() + 4
	for column := range x.Cols {
		count := min(slots, d.d.Layout.SlotCount[x.Post])
		for lane := range d.d.Manifest.Lanes {
			_, address := d.d.Layout.Address(0, column, 0)
			s.late = append(s.late, access{address: uint32(hostSynapses + lane*hostLane + address), count: count})
		}
		if slots -= count; slots == 0 {
			break
		}
	}
	s.late = append(s.late, access{address: hostControl, count: controlWords})
	return s
}

// unseen is how many words of a lane may be written when a reset comes without being shown any more: they are on the way.
func (c *cosimulation) unseen() int { return 2 * c.d.Manifest.Target.WireCycles }

// everyRegion writes words of every lane, the first and the last among them, every rate and the numbers, at the ends of
// their range and within, reads them back, and tries words that there are not.
func (d *closer) everyRegion() (all []access) {
	lanes, depth, matrices := d.d.Manifest.Lanes, d.d.Layout.Depth, d.d.Arithmetic.Matrices
	var back []access
	for lane := range lanes {
		for i := range 4 {
			address := []int{0, depth - 1, d.rng.IntN(depth), d.rng.IntN(depth)}[i]
			matrix, column, row, ok := d.d.Layout.Place(lane, address)
			if !ok {
				continue // stays zero
			}
			word := d.word(matrices[matrix].Type.Format, []int{1 + lane%2, 2 - lane%2, 0, 0}[i])
			a := d.synapse(matrix, row, column, word)
			all, back = append(all, a), append(back, access{address: a.address, count: 1})
		}
	}
	largest := int64(1)<<d.d.Arithmetic.Formats.Rate.Width - 1
	for i := range matrices {
		all = append(all, d.rate(i, largest-int64(i)))
	}
	all = append(all, d.numbers(1<<32-1)...)
	all = append(all, d.refused()...)
	all = append(append(all, back...), access{address: hostRates, count: len(matrices)}, access{address: hostControl, count: controlWords})
	all = append(all, d.numbers(int64(d.rng.Uint32()))...)
	return append(all, d.rates()...)
}

// refused are accesses to words that there are not, that may not be written or that do not fit, each by as little as can be.
func (d *closer) refused() (all []access) {
	write := func(address int, data int64) {
		all = append(all, access{address: uint32(address), data: data, refused: true})
	}
	lanes, depth, rates := d.d.Manifest.Lanes, d.d.Layout.Depth, len(d.d.Arithmetic.Matrices)
	if width := d.d.Manifest.Widths.Synapse; width < 64 {
		write(hostSynapses, 1<<(width-1))
		write(hostSynapses, -1<<(width-1)-1)
	}
	if width := d.d.Arithmetic.Formats.Rate.Width; width < 63 {
		write(hostRates, 1<<width)
	}
	beyond := []int{hostRates + rates, hostControl + controlWords, hostCounters + len(d.d.Manifest.Counters), 4 << 28}
	if depth < hostLane {
		write(hostSynapses+depth, 1)
		beyond = append(beyond, hostSynapses+depth)
	}
	if lanes < 256 {
		write(hostSynapses+lanes*hostLane, 1)
	}
	write(hostRates+rates, 1)
	write(hostControl, 1<<32)
	write(hostControl+controlUpdate, 1<<32)
	write(hostControl+controlWords-1, 1)
	write(hostCounters, 1)
	for region := 4; region < 16; region *= 2 {
		write(region<<28, 1)
	}
	for _, address := range beyond {
		all = append(all, access{address: uint32(address), count: 1, refused: true})
	}
	return all
}

// extremes writes the synapses of one neuron of every matrix to the highest word, and of another to the lowest: sums, states and
// what learning makes of them leave their formats.
func (d *closer) extremes() (all []access) {
	for i, x := range d.d.Arithmetic.Matrices {
		for side, row := range d.rng.Perm(x.Rows)[:min(2, x.Rows)] {
			word := d.word(x.Type.Format, 2-side)
			for column := range x.Cols {
				all = append(all, d.synapse(i, row, column, word))
			}
		}
	}
	return all
}

// synapse writes one.
func (d *closer) synapse(matrix, row, column int, word int64) access {
	lane, address := d.d.Layout.Address(matrix, column, row)
	return access{address: uint32(hostSynapses + lane*hostLane + address), data: word,
		apply: func(m *settling.Machine) { m.SetSynapse(matrix, row, column, word) }}
}

// word is the lowest of a format, the highest, or any.
func (d *closer) word(f fx.Format, which int) int64 {
	switch {
	case f.Width > 62:
		return d.rng.Int64N(1 << 62)
	case which == 1:
		return f.Word(f.Min())
	case which == 2:
		return f.Word(f.Max())
	}
	low := f.Word(f.Min())
	return low + d.rng.Int64N(f.Word(f.Max())-low+1)
}

// rate writes a matrix's learning rate.
func (d *closer) rate(matrix int, word int64) access {
	return access{address: uint32(hostRates + matrix), data: word, apply: func(m *settling.Machine) { m.SetRate(matrix, word) }}
}

// rates writes such as learning has, others than before, and reads them.
func (d *closer) rates() (all []access) {
	for i, word := range d.d.Arithmetic.Rates(0) {
		all = append(all, d.rate(i, word^1))
	}
	return append(all, access{address: hostRates, count: len(all)})
}

// numbers writes a seed and the number of the next update, and reads them.
func (d *closer) numbers(update int64) []access {
	seed := d.rng.Uint32() | 1<<31
	return []access{
		{address: hostControl, data: int64(seed), apply: func(m *settling.Machine) { m.SetSeed(seed) }},
		{address: hostControl + controlUpdate, data: update, apply: func(m *settling.Machine) { m.SetStep(uint32(update)) }},
		{address: hostControl, count: controlWords},
	}
}

// largest is the input's largest word.
func (d *closer) largest() int64 {
	f := d.d.Arithmetic.Formats.X.Format
	return f.Word(f.Max())
}

// inputs are inferences of the largest words, of words of the whole range, of zeros, of the last word alone, and of few words.
func (d *closer) inputs(count int) []command {
	list := make([]command, count)
	for i := range list {
		x := make([]int64, d.d.Network.Layers[0])
		for j := range x {
			switch word := d.rng.Int64N(d.largest() + 1); i % 5 {
			case 0:
				x[j] = d.largest()
			case 1:
				x[j] = word
			case 3:
				if j == len(x)-1 {
					x[j] = d.largest()
				}
			case 4:
				if d.rng.IntN(5) == 0 {
					x[j] = word
				}
			}
		}
		list[i] = command{Sample{X: x}, closingInference}
	}
	return list
}

// mixed are such samples to learn, each with a sign of beta of its own; both signs come if there are two samples.
func (d *closer) mixed(count int) []command {
	list := d.inputs(count)
	sign := d.rng.IntN(2)
	for i := range list {
		list[i].kind = closingLearning
		list[i].Label = d.rng.IntN(d.d.Network.Layers[d.d.Network.K()])
		list[i].Negative = (i+sign)%2 == 0
		if i > 1 {
			list[i].Negative = d.rng.IntN(2) == 0
		}
	}
	return list
}

// text is what a simulator is told.
func (s *closingStep) text(b *bytes.Buffer, counters int) {
	host := func(list []access) {
		for _, a := range list {
			if a.count > 0 {
				fmt.Fprintf(b, "G %x %x\n", a.address, a.count)
			} else {
				fmt.Fprintf(b, "H %x %x\n", a.address, uint64(a.data))
			}
		}
	}
	fmt.Fprintf(b, "S %x\n", s.stall)
	host(s.accesses)
	for i := range s.commands {
		if i+1 == len(s.commands) && s.reset != nil {
			fmt.Fprintf(b, "A %c %x %x\n", s.reset.tag, s.reset.lines, s.reset.cycles)
		}
		s.commands[i].text(b)
		if s.single && i+1 < len(s.commands) {
			b.WriteString("E\n")
		}
	}
	host(s.late)
	fmt.Fprintf(b, "E\nG %x %x\n", uint32(hostCounters), counters)
}

package lockstep

import (
	"math/rand/v2"
	"strings"

	fx "corinfo/fixedpoint"
	"corinfo/golden/network"
	"corinfo/hdlgen"
	"corinfo/hdlgen/design"
	"corinfo/sim"
)

// The closing part of a run plays what samples alone do not: results that are taken late, both signs of beta in a
// mini-batch, inputs at the ends of their range, samples of the wrong length, the host's writes and its aborts, and resets
// within samples and updates. The design goes through it where the last part ends, and the model follows, step by step; after each step all
// counters are compared.

// closer draws the steps of a design's closing part: a function of its network and layout.
type closer struct {
	*script
	d     *design.Design
	rng   *rand.Rand
	count sim.Closing
}

// close adds the closing part to a script.
func (c *cosimulation) close(s *script) *sim.Closing {
	d := &closer{script: s, d: c.d, rng: rand.New(rand.NewPCG(uint64(c.d.Plan.Network.Seed), 0xc105e))}
	p := c.d.Plan
	target, contexts := p.Target, p.Contexts
	way := 2 * target.WireCycles

	d.step("the host writes and reads", false)
	d.everyRegion()
	d.over()
	d.step("inputs and synapses at the ends of their range", true)
	d.extremes()
	d.play(d.inputs(4+contexts), nil, false)
	d.over()

	d.step("samples of the wrong length", true)
	d.write(in(regionStatus, design.StatusWatchdog), 1<<31-int64(d.rng.IntN(1<<20))) // more than it takes
	d.play(d.uneven(), nil, false)
	d.over()
	for _, taken := range []int64{errorShort, errorLong} { // one after the other
		d.read(in(regionStatus, 0), statusWords)
		d.write(in(regionStatus, design.StatusErrors), taken)
	}
	d.step("the host aborts", true)
	for _, end := range []reset{{'C', 0, 3 + d.rng.IntN(100)}, {'S', 1 + d.rng.IntN(9), d.rng.IntN(40)}} {
		commands := d.inputs(2 + contexts)
		commands[len(commands)-1].abort = true
		d.play(commands, &end, false)
		d.control()
	}
	d.play(d.inputs(1), nil, false)
	d.over()
	d.read(in(regionStatus, 0), statusWords)

	// While all is cleared, while words come in.
	cleared := p.Slots*(len(p.Kinds)+p.Subs) + 14 + way + target.ReadCycles
	for _, cycles := range []int{4 + d.rng.IntN(cleared), cleared, cleared + 1 + d.rng.IntN(4),
		cleared + 4 + d.rng.IntN(p.Network.Layers[0])} {
		d.step("a reset while a sample is taken", true)
		d.play(d.inputs(2)[1:], &reset{'C', 0, cycles}, false)
		d.over()
	}
	// While events wait, are on their way, and become products.
	for i, cycles := range []int{2, 4, 5, 7, 9 + way, 10 + way, 11 + way, 12 + way, 14 + way + d.rng.IntN(30)} {
		d.step("a reset while samples settle", true)
		d.control()
		d.play(d.inputs(5)[5-1-i%contexts:], &reset{'S', 1 + i/4, cycles}, false)
		d.control()
		d.over()
	}
	if len(p.Updates) > 0 {
		d.learns()
	}
	return &d.count
}

// learns is what only designs do that learn.
func (d *closer) learns() {
	batch := d.p.Network.Learning.Batch
	d.step("a reset while a sample is nudged", false)
	d.numbers(7)
	nudged := 2
	if batch == 2 { // else the second would close the mini-batch
		nudged = 1
	}
	d.play(d.mixed(nudged), &reset{'R', 1, 5 + d.rng.IntN(40)}, true)
	d.control()
	d.over()
	d.resetUpdate()

	mixed := d.mixed(max(batch, 2*batch*(2/batch))) // at least two
	half := len(mixed) / 2
	d.step("both signs of beta in a mini-batch, results taken late", true)
	if d.p.HasSchedule() {
		d.schedule(0) // it gives all samples one sign
	}
	d.numbers(1<<24 - 1)
	d.changeConstants()
	d.play(mixed[:half], nil, false)
	d.over()
	d.step("both signs of beta in a mini-batch", false)
	d.play(mixed[half:], nil, true)
	d.late()
	d.over()
	d.step("samples after all", true)
	if d.p.HasSchedule() {
		d.ownSchedule()
	}
	d.play(append(d.mixed(1), d.inputs(d.p.Contexts)...), nil, false)
	d.late()
	d.over()
}

// ownSchedule has either part of the design's own schedule work alone, then both, for other mini-batches and seeds: their signs are read.
func (d *closer) ownSchedule() {
	d.schedule(scheduleConstants)
	d.numbers(int64(1 + d.rng.IntN(3)))
	d.schedule(scheduleSigns)
	d.play(d.mixed(d.p.Network.Learning.Batch), nil, false)
	d.over()
	d.schedule(scheduleConstants | scheduleSigns)
	for range 12 {
		d.numbers(int64(d.rng.Uint32() >> d.rng.IntN(32)))
	}
}

// step begins one, with stalls or without.
func (d *closer) step(name string, stalls bool) {
	d.add(op{kind: opName, name: name})
	seed := 0
	if stalls {
		seed = 1 + d.rng.IntN(1<<16-1)
	}
	d.stall(seed)
	d.count.Steps++
}

// over ends one: all counters are compared.
func (d *closer) over() {
	d.idle()
	d.counters(len(d.d.Manifest.Counters))
}

// late reads words before all commands are done: the host waits for a synapse's.
func (d *closer) late() {
	d.read(in(regionSynapses, 0), 1)
	d.control()
}

// play gives commands, of which a reset may end the last; single: each waits until the one before is done.
func (d *closer) play(commands []command, end *reset, single bool) {
	for i := range commands {
		x := &commands[i]
		if i+1 == len(commands) {
			switch x.reset = end; {
			case x.abort:
				d.count.Aborts++
			case end != nil:
				d.count.Resets++
			}
		}
		d.run(x)
		if single && i+1 < len(commands) {
			d.idle()
		}
	}
	if end != nil {
		d.read(in(regionStatus, design.StatusReset), 1)
	}
	d.count.Samples += len(commands)
}

// uneven are samples of which every other one has a word too few, or many too many.
func (d *closer) uneven() []command {
	inputs := d.p.Network.Layers[0]
	list := d.inputs(6)
	for i, length := range []int{inputs - 1, inputs + 1, inputs + 1 + d.rng.IntN(inputs)} {
		if length > 0 {
			list[2*i].length = length
		}
	}
	return list
}

func (d *closer) write(address uint32, data int64) {
	d.script.write(address, data)
	d.count.Words++
}

func (d *closer) control() { d.read(in(regionControl, 0), controlWords(d.p)) }

// schedule writes what of the design's own schedule is to be in force.
func (d *closer) schedule(own int64) {
	d.write(in(regionControl, controlSchedule), own)
	d.control()
	d.readAllConstants()
}

func (d *closer) read(address uint32, count int) {
	d.script.read(address, count)
	d.count.Words += count
}

// refuse has the host try to write what a word does not take.
func (d *closer) refuse(address uint32, data int64) {
	d.add(op{kind: opWrite, address: address, data: data, refused: true})
	d.count.Words++
}

// missing has the host try to read and write where there is no word.
func (d *closer) missing(address uint32) {
	d.refuse(address, 0)
	d.add(op{kind: opRead, address: address, count: 1, refused: true})
	d.count.Words++
}

// everyRegion writes words of every lane, the first and the last among them, every constant and the numbers, at the ends of
// their range and within, reads them back, and tries words that there are not.
func (d *closer) everyRegion() {
	var back []uint32
	for lane := range d.p.Lanes {
		for i := range 4 {
			at := []int{0, d.p.Depth - 1, d.rng.IntN(d.p.Depth), d.rng.IntN(d.p.Depth)}[i]
			projection, row, column, ok := placed(d.p, synapseAt(regionSynapses, lane, at))
			if !ok {
				continue // stays zero
			}
			d.synapse(projection, row, column, []int{1 + lane%2, 2 - lane%2, 0, 0}[i])
			for region := range 1 + len(d.p.Beside) {
				if region > 0 {
					region += regionBeside - 1
				}
				back = append(back, synapseAt(region, lane, at))
			}
		}
	}
	for i := range d.constants {
		x := &d.constants[i] // that of a mirrored projection is the same
		d.write(x.address(), 1<<d.p.UpdateConstants[x.place].Width-1-int64((d.p.Updates[x.update].Update+x.place)&1))
	}
	d.numbers(1<<32 - 1)
	d.tables()
	d.refused()
	for _, address := range back {
		d.read(address, 1)
	}
	d.readAllConstants()
	d.control()
	d.read(in(regionStatus, 0), statusWords)
	d.numbers(int64(d.rng.Uint32()))
	d.changeConstants()
}

// tables changes rows of every table that the host has, the first and the last and one between them, part by part, and back again; and
// tries rows, parts and words that there are not.
func (d *closer) tables() {
	tables := tablesOfHost(d.p)
	for number, table := range tables {
		at := func(row, part int) uint32 { return design.Table(number).Address(row, part) }
		rows := table.Rows
		if rows == nil {
			d.missing(at(0, 0))
			continue
		}
		last, bits := len(rows)-1, table.Bits
		for _, row := range []int{0, last, d.rng.IntN(len(rows))} {
			for part, word := range rows[row] {
				other := word ^ (^uint32(0) >> max(0, 32*(part+1)-bits)) // every bit that it has
				d.write(at(row, part), int64(other))
				d.read(at(row, 0), len(rows[row]))
				d.write(at(row, part), int64(word))
			}
		}
		d.missing(at(last+1, 0))
		d.missing(at(last, len(rows[0])))
		d.refuse(at(last, 0), 1<<32)
		if bits%32 > 0 {
			d.refuse(at(0, bits/32), 1<<(bits%32))
		}
	}
	d.missing(design.Table(len(tables)).Address(0, 0))
}

// readAllConstants reads those of every update.
func (d *closer) readAllConstants() {
	for i := range d.p.Updates {
		d.read(in(regionConstants, placesOfUpdate*i), len(d.p.UpdateConstants))
	}
}

// refused are accesses to words that there are not, that may not be written or that do not fit, each by as little as can be.
func (d *closer) refused() {
	m, depth := d.d.Manifest, 0
	for _, i := range m.Images {
		if strings.Contains(i.File, "_lane_") {
			depth = i.Words // that of the memory, which may be more than its synapses
			break
		}
	}
	if width := m.Widths.Synapse; width < 64 {
		d.refuse(in(regionSynapses, 0), 1<<(width-1))
		d.refuse(in(regionSynapses, 0), -1<<(width-1)-1)
	}
	if depth < 1<<design.LaneShift {
		d.missing(synapseAt(regionSynapses, 0, depth))
	}
	lanes := d.p.Lanes
	if lanes < network.MaxLanes {
		d.missing(synapseAt(regionSynapses, lanes, 0))
	}
	for k := range 4 {
		if k < len(d.p.Beside) {
			x := d.p.Beside[k]
			width := x.Width
			if x.Signed {
				d.refuse(in(regionBeside+k, 0), -1<<(width-1)-1)
				width--
			}
			if width < 63 {
				d.refuse(in(regionBeside+k, 0), 1<<width)
			}
			continue
		}
		d.missing(in(regionBeside+k, 0))
	}
	for place := range placesOfUpdate {
		if place < len(d.p.UpdateConstants) {
			if width := d.p.UpdateConstants[place].Width; width < 63 {
				d.refuse(in(regionConstants, place), 1<<width)
			}
		} else {
			d.missing(in(regionConstants, place))
		}
	}
	d.missing(in(regionConstants, placesOfUpdate*max(2, len(d.p.Updates))))
	d.refuse(in(regionControl, controlSeed), 1<<32)
	d.refuse(in(regionControl, controlNumber), 1<<32)
	d.refuse(in(regionControl, controlHeld), 0)
	if d.p.HasSchedule() {
		d.refuse(in(regionControl, controlSchedule), 4)
	}
	d.missing(in(regionControl, controlWords(d.p)))
	d.refuse(in(regionCounters, 0), 0)
	d.missing(in(regionCounters, len(m.Counters)))
	for _, region := range []int{10, 12, 15} { // of these there is none
		d.missing(in(region, 0))
	}
}

// extremes writes the synapses of one neuron of every matrix to the highest word, and of another to the lowest: sums, states and
// what learning makes of them leave their formats.
func (d *closer) extremes() {
	for i, pr := range d.p.D.Projections {
		if pr.Mirror >= 0 || !d.p.Holds(i) {
			continue
		}
		for side, row := range d.rng.Perm(pr.Rows)[:min(2, pr.Rows)] {
			for column := range pr.Cols {
				d.weight(i, row, column, d.word(d.p.A.Types[pr.Tensor].Format, 2-side))
			}
		}
	}
}

// synapse writes one and the words beside it, wherever they are kept: which as word has it.
func (d *closer) synapse(projection, row, column, which int) {
	if of := d.p.D.Projections[projection].Mirror; of >= 0 {
		projection, row, column = of, column, row
	}
	pr := &d.p.D.Projections[projection]
	d.weight(projection, row, column, d.word(d.p.A.Types[pr.Tensor].Format, which))
	for k, x := range pr.Words[:min(len(pr.Words), len(d.p.Beside))] { // a design for inference only has none
		d.keep(projection, regionBeside+k, row, column, d.word(d.p.A.Types[x.Tensor].Format, which))
	}
}

func (d *closer) weight(projection, row, column int, word int64) {
	d.keep(projection, regionSynapses, row, column, word)
}

// keep writes a word of a synapse to its lane and to those of the projections that mirror it.
func (d *closer) keep(projection, region, row, column int, word int64) {
	lane, at := d.p.Address(projection, row, column)
	d.write(synapseAt(region, lane, at), word)
	for i, pr := range d.p.D.Projections {
		if pr.Mirror == projection && d.p.Holds(i) {
			lane, at := d.p.Address(i, column, row)
			d.write(synapseAt(region, lane, at), word)
		}
	}
}

// word is the lowest of a format, the highest, or any.
func (d *closer) word(f fx.Format, which int) int64 {
	low, high := f.Word(f.Min()), f.Word(f.Max())
	switch {
	case which == 1:
		return low
	case which == 2:
		return high
	}
	word := int64(d.rng.Uint64() >> 1)
	if spare := 64 - f.Width; f.Signed {
		return int64(d.rng.Uint64()) >> spare
	} else if spare > 0 {
		return word >> (spare - 1)
	}
	return word
}

// changeConstants writes such as learning has, others than before, and reads them. Scheduled ones are what their mini-batch has.
func (d *closer) changeConstants() {
	for i := range d.constants {
		x := &d.constants[i]
		word := x.at(d.p, d.number)
		if !x.scheduled {
			word ^= 1
		}
		d.write(x.address(), word)
	}
	d.readAllConstants()
}

// numbers writes a seed and the number of the next mini-batch, and reads them.
func (d *closer) numbers(number int64) {
	d.write(in(regionControl, controlSeed), int64(d.rng.Uint32()|1<<31))
	d.write(in(regionControl, controlNumber), number)
	d.control()
}

// mostRewritten bounds the synapses that the host writes again after a reset within an update.
const mostRewritten = 50_000

// resetUpdate learns a mini-batch and ends its updates after a few synapses. The host knows these, for it writes them before; and
// again after the reset, which may come before or behind a word that is on its way.
func (d *closer) resetUpdate() {
	p := d.p
	commands := d.mixed(p.Network.Learning.Batch)
	for i := range commands[0].X {
		commands[0].X[i] = d.largest() // no column of the input is skipped
	}
	pr := &p.D.Projections[p.Updates[0].Projection]
	end := &reset{'W', min(3, pr.Cols*p.SlotsOf(p.Updates[0].Projection)*p.Subs), 2}
	d.step("a reset within an update", true)
	d.numbers(int64(d.rng.Uint32()))
	var words []op
	first := len(d.ops)
	for _, u := range p.Updates {
		pr := &p.D.Projections[u.Projection]
		slots := p.SlotsOf(u.Projection)
		// Every column that may be written by then, and some more; all of them, if it is not known which come first.
		columns, always := min(pr.Cols, (end.lines+end.cycles+2*p.Target.WireCycles+5+slots-1)/slots), p.D.Updates[u.Update].Always
		if !always && !p.D.Words[pr.From].Fixed {
			columns = pr.Cols
		}
		if len(d.ops)-first+columns*pr.Rows > mostRewritten {
			break
		}
		for column := range columns {
			for row := range pr.Rows {
				d.synapse(u.Projection, row, column, 0)
			}
		}
		// One whose samples have no factors at all is passed over, and the next one writes the first words.
		if always && columns*slots*p.Subs > end.lines+end.cycles+2*p.Target.WireCycles {
			break
		}
	}
	words = append(words, d.ops[first:]...)
	d.play(commands, end, false)
	for _, w := range words {
		d.write(w.address, w.data)
	}
	for _, w := range words {
		d.read(w.address, 1)
	}
	d.control()
	d.over()
}

// largest is the input's largest word.
func (d *closer) largest() int64 {
	f := d.p.A.InputType().Format
	return f.Word(f.Max())
}

// inputs are inferences of the largest words, of words of the whole range, of zeros, of the last word alone, and of few words.
func (d *closer) inputs(count int) []command {
	list := make([]command, count)
	for i := range list {
		x := make([]int64, d.p.Network.Layers[0])
		for j := range x {
			switch word := d.word(d.p.A.InputType().Format, 0); i % 5 {
			case 0:
				x[j] = d.largest()
			case 1:
				x[j] = word
			case 3:
				if j == len(x)-1 {
					x[j] = d.word(d.p.A.InputType().Format, 2-d.rng.IntN(2))
				}
			case 4:
				if d.rng.IntN(5) == 0 {
					x[j] = word
				}
			}
		}
		list[i] = command{Sample: hdlgen.Sample{X: x}, kind: closingInference}
	}
	return list
}

// mixed are such samples to learn, each with a sign of beta of its own; both signs come if there are two samples.
func (d *closer) mixed(count int) []command {
	list := d.inputs(count)
	sign := d.rng.IntN(2)
	for i := range list {
		list[i].kind = closingLearning
		list[i].Label = d.rng.IntN(d.p.Network.Layers[d.p.Network.K()])
		if d.rng.IntN(5) == 0 { // of no class, if the port has such
			list[i].Label = d.rng.IntN(1 << d.d.Manifest.Widths.Label)
		}
		list[i].Negative = (i+sign)%2 == 0
		if i > 1 {
			list[i].Negative = d.rng.IntN(2) == 0
		}
	}
	return list
}

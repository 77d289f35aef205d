package lockstep

import (
	"bytes"
	"fmt"
	"slices"

	"corinfo/hdlgen"
	"corinfo/hdlgen/design"
	"corinfo/sim"
)

// A script is what a simulator is told, step by step: the same list makes the stimulus and tells the comparator what comes next.
type script struct {
	p         *design.Plan
	ops       []op
	number    uint32 // of the next mini-batch
	held      int    // samples of the open one
	constants []constant
	inForce   []int64 // by constant: the design's word
	own       int64   // what of the design's own schedule is in force
}

// op is one step of a script.
type op struct {
	kind    opKind
	command *command
	address uint32 // of an access
	count   int    // words to be read
	data    int64  // to be written; the seed of stalls
	refused bool   // there is no such word, or it does not take this one: nothing changes
	name    string // of the step of the closing part that begins
}

type opKind uint8

const (
	opCommand opKind = iota
	opWrite
	opRead
	opIdle     // wait until every command is done
	opStall    // from here on handshakes stall
	opName     // a step of the closing part begins
	opMeasure  // the samples are over: figures are taken here
	opBook     // a mini-batch is complete: a run may go on from here
	opReadBack // everything is read from here on
)

// kind tells which list of a run a command is of; the design gets the lists in this order.
type kind uint8

const (
	inference kind = iota
	learning
	inferenceAgain
	closingInference // of the closing part
	closingLearning
)

// learns tells whether commands of the kind learn.
func (k kind) learns() bool { return k == learning || k == closingLearning }

// command is one sample and what the design does with it.
type command struct {
	hdlgen.Sample
	kind   kind
	reset  *reset // ends it; nil: it is done
	abort  bool   // the host's, in place of the reset; it does not change what the host wrote, nor counters
	drawn  bool   // the design draws the sign of beta itself
	length int    // words that come of the sample; 0: as many as there are inputs. Other numbers are an error, and not learned
}

// reset comes so many cycles after so many lines of a kind that the design prints of the command: S, R or W. C with 0 lines:
// after it was taken.
type reset struct {
	tag           byte
	lines, cycles int
}

// newScript begins with a design that has just been reset, whose memories have the model's constants of the first mini-batch.
func newScript(p *design.Plan) *script {
	s := &script{p: p, constants: constantsOf(p), own: scheduleOf(p)}
	for i := range s.constants {
		s.inForce = append(s.inForce, s.constants[i].at(p, 0))
	}
	return s
}

func (s *script) add(o op) { s.ops = append(s.ops, o) }

// write has the host write a word.
func (s *script) write(address uint32, data int64) {
	switch {
	case address == in(regionControl, controlNumber):
		s.number = uint32(data)
	case address == in(regionControl, controlSchedule):
		s.own = data
		for i := range s.inForce {
			s.inForce[i] = -1 // not known here
		}
	case regionOf(address) == regionConstants:
		for i := range s.constants {
			if s.constants[i].address() == address {
				s.inForce[i] = data
			}
		}
	}
	s.add(op{kind: opWrite, address: address, data: data})
}

// read has the host read consecutive words.
func (s *script) read(address uint32, count int) {
	if count > 0 {
		s.add(op{kind: opRead, address: address, count: count})
	}
}

// schedule writes the constants that a mini-batch has and the design has not.
func (s *script) schedule(number uint32) {
	if s.own&scheduleConstants != 0 {
		return
	}
	for i := range s.constants {
		if x := &s.constants[i]; x.scheduled {
			if word := x.at(s.p, number); word != s.inForce[i] {
				s.write(x.address(), word)
			}
		}
	}
}

// run gives a command. Before a mini-batch the host writes the constants that it has.
func (s *script) run(x *command) {
	before := s.number
	if x.kind.learns() && x.length == 0 {
		if s.held == 0 {
			s.schedule(s.number)
		}
		if s.held++; s.held == s.p.Network.Learning.Batch {
			s.held = 0
			s.number++
		}
	}
	x.drawn = s.own&scheduleSigns != 0
	s.add(op{kind: opCommand, command: x})
	switch {
	case x.reset != nil && !x.abort:
		s.held, s.number, s.own = 0, 0, scheduleOf(s.p)
	case x.reset != nil && x.reset.tag != 'W': // an update that has begun is finished
		s.held, s.number = 0, before
	}
}

// idle waits until all commands are done.
func (s *script) idle() { s.add(op{kind: opIdle}) }

// stall has handshakes stall from here on, as a seed says; 0: no more.
func (s *script) stall(seed int) {
	if seed != 0 {
		seed = 1 + (seed-1)%(1<<16-1)
	}
	s.add(op{kind: opStall, data: int64(seed)})
}

// counters has the host read all counters.
func (s *script) counters(count int) { s.read(in(regionCounters, 0), count) }

// readBack has the host read every word of the lanes, the constants and the control.
func (s *script) readBack() {
	s.add(op{kind: opReadBack})
	for lane := range s.p.Lanes {
		s.read(synapseAt(regionSynapses, lane, 0), s.p.Depth)
		for k := range s.p.Beside {
			s.read(synapseAt(regionBeside+k, lane, 0), s.p.Depth)
		}
	}
	s.readConstants()
	s.readTables()
	s.read(in(regionControl, 0), controlWords(s.p))
}

// readTables has the host read every row of every table.
func (s *script) readTables() {
	for table, rows := range tablesOf(s.p) {
		for row, parts := range rows {
			s.read(design.Table(table).Address(row, 0), len(parts))
		}
	}
}

func (s *script) readConstants() {
	for i := range s.p.Updates {
		s.read(in(regionConstants, placesOfUpdate*i), len(s.p.UpdateConstants))
	}
}

// text is the stimulus; x is the width of the input's words.
func (s *script) text(x int) []byte {
	var b bytes.Buffer
	for i := range s.ops {
		switch o := &s.ops[i]; o.kind {
		case opCommand:
			o.command.text(&b, x)
		case opWrite:
			fmt.Fprintf(&b, "H %x %x\n", o.address, uint64(o.data))
		case opRead:
			fmt.Fprintf(&b, "G %x %x\n", o.address, o.count)
		case opIdle:
			b.WriteString("E\n")
		case opStall:
			fmt.Fprintf(&b, "S %x\n", o.data)
		}
	}
	b.WriteString("Q\n")
	return b.Bytes()
}

func (x *command) text(b *bytes.Buffer, width int) {
	if r := x.reset; r != nil {
		how := 'A'
		if x.abort {
			how = 'B'
		}
		fmt.Fprintf(b, "%c %c %x %x\n", how, r.tag, r.lines, r.cycles)
	}
	words := x.X
	if x.length > 0 {
		fmt.Fprintf(b, "V %x 1\n", x.length)
		words = slices.Concat(words, words)[:x.length] // at most twice as many as there are
	}
	if x.kind.learns() {
		negative := 0
		if x.Negative != x.drawn { // the wrong one where the design is to take none
			negative = 1
		}
		fmt.Fprintf(b, "L %x %d", x.Label, negative)
	} else {
		b.WriteString("I")
	}
	for _, word := range words {
		fmt.Fprintf(b, " %x", raw(word, width))
	}
	b.WriteByte('\n')
}

// raw is a word's bits.
func raw(word int64, width int) uint64 { return uint64(word) & (1<<uint(width) - 1) }

// commands are those of a run.
func commandsOf(o *sim.Options) (all []command) {
	list := func(samples []hdlgen.Sample, kind kind) {
		for _, s := range samples {
			all = append(all, command{Sample: s, kind: kind})
		}
	}
	list(o.Inference, inference)
	list(o.Learning, learning)
	if o.Again {
		list(o.Inference, inferenceAgain)
	}
	return all
}

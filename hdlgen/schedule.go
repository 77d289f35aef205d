package hdlgen

import (
	"math"

	"corinfo/hdlgen/settling"
)

// schedule plays commands through the design as corinfo_control does, event by event. Times are cycles: a register
// that is set in one shows in the next.
type schedule struct {
	*timing
	list     []sampleActivity
	learn    bool
	flights  []flight // by context
	accepted int      // commands
	loadFree int      // cycle from which the next command may be accepted; never: the last one's sample is on its way
	closing  bool     // a mini-batch is complete and its update not done
	passFree int      // cycle from which the pass may be granted
	owner    int      // of the pass
	served   int      // context whose item was taken last
	turn     int      // commands answered
	input    input
	scores   scores
	events   events
	settled  intervals
	products int // cycles in which the lanes multiply for events
}

// never is the time of what is not going to happen.
const never = math.MaxInt

// flight is what a context does.
type flight struct {
	sample  *sampleActivity
	command int
	last    bool   // completes its mini-batch
	at      int    // its instruction
	step    int    // settling steps begun
	start   int    // first cycle of the instruction; never once it has begun
	want    int    // cycle from which it wants the pass; never: it does not
	asks    int    // cycle from which it wants the scores or the update
	busy    int    // last cycle in which something is known to be under way for it
	items   []item // to be taken
	began   int    // first cycle of the instruction
	idle    int    // cycle from which it is free for a command; never: it has one
}

// item is an event, or the clearing of a sample's sums: when it may be taken and its products.
type item struct{ from, products int }

// input is the sample on its way in.
type input struct {
	context, word int
	next          int // cycle in which the next word may be taken
	event         int // cycle from which the word that waits may leave as an event; never: none waits
	busy          int // last cycle in which a word was there
}

// scores is the walk over the scores of a context.
type scores struct {
	context, left int
	from          int // cycle from which the next neuron may be asked for; never: none is
	done          int // cycle from which the next walk may start
}

// events is what leads from a take to the products.
type events struct {
	taken int           // events
	last  int           // cycle of the last take
	heads [room + 1]int // cycles in which the last events left the broadcast's queue
	begun int           // first product of the last event
	free  int           // first cycle without a product of it
}

// room is how many events may be on their way to the lanes or in the broadcast's queue before one more is refused.
const room = 15

// played is what a list of commands takes.
type played struct {
	cycles   int // until the design is idle
	settling int // of them: a sample is taken or settles
	products int // of them: the lanes multiply for events
}

// play runs commands back to back; learning ones are whole mini-batches.
func (t *timing) play(list []sampleActivity, learn bool) played {
	s := &schedule{timing: t, list: list, learn: learn, flights: make([]flight, t.contexts)}
	for i := range s.flights {
		s.flights[i] = flight{start: never, want: never, asks: never, idle: s.read()} // the program is read
	}
	s.input.next, s.input.event, s.scores.from, s.events.last = never, never, never, -1
	for s.advance() {
	}
	end := 0
	for _, f := range s.flights {
		end = max(end, f.idle)
	}
	return played{end, s.settled.total(), s.products}
}

// advance does what happens next; false: nothing is left.
func (s *schedule) advance() bool {
	now, do := never, func() {}
	at := func(cycle int, action func()) {
		if cycle < now {
			now, do = cycle, action
		}
	}
	if s.accepted < len(s.list) && s.loadFree != never && !s.closing {
		if f := &s.flights[s.accepted%len(s.flights)]; f.idle != never {
			at(max(f.idle, s.loadFree), func() { s.accept(f, now) })
		}
	}
	wanted := never
	for i := range s.flights {
		at(s.flights[i].start, func() { s.begin(i) })
		wanted = min(wanted, s.flights[i].want)
	}
	if wanted != never {
		at(max(wanted, s.passFree), func() { s.grant(now) })
	}
	if cycle := s.nextTake(); cycle != never {
		at(cycle, func() { s.take(cycle) })
	}
	do()
	return now != never
}

func (s *schedule) accept(f *flight, now int) {
	batch := s.a.Network.Learning.Batch
	*f = flight{sample: &s.list[s.accepted], command: s.accepted, last: s.learn && s.accepted%batch == batch-1,
		start: now + 2, want: never, asks: never, idle: never}
	s.accepted++
	s.loadFree, s.closing = never, f.last
}

// begin starts an instruction.
func (s *schedule) begin(context int) {
	f := &s.flights[context]
	now := f.start
	f.start, f.began, f.busy = never, now, now
	switch i := &s.a.Program[f.at]; i.Op {
	case settling.OpClear:
		f.items = append(f.items, item{now + 1, max(2, s.l.Slots)})
	case settling.OpLoad:
		s.input = input{context: context, next: now + 2, event: never}
		s.words()
	case settling.OpSettle, settling.OpRecord:
		f.want = now + 1
	case settling.OpResult:
		f.asks = now + 1
		s.answer()
	case settling.OpUpdate:
		f.asks = now + 1
		s.update()
	case settling.OpInferred, settling.OpSampled, settling.OpEnd:
		stops := i.Op == settling.OpEnd || i.Op == settling.OpInferred && !s.learn || i.Op == settling.OpSampled && !f.last
		if !stops {
			s.end(f, false)
			return
		}
		if i.Op == settling.OpEnd {
			s.closing = false
			s.loadFree = now + 3
		}
		f.idle = now + 3 + s.read()
		s.update()
	}
}

// end is called when everything of an instruction is known: the next one starts three cycles after the last busy one.
func (s *schedule) end(f *flight, leaves bool) {
	i := &s.a.Program[f.at]
	f.at++
	f.start = f.busy + 3
	if leaves {
		f.at = i.Exit
		f.start += s.read() + 1
	}
	if i.Op == settling.OpSettle || i.Op == settling.OpLoad {
		s.settled.add(f.began, f.start)
	}
}

// grant gives the pass to the next context in turn that wants it.
func (s *schedule) grant(now int) {
	for range s.flights {
		s.owner = (s.owner + 1) % len(s.flights)
		if s.flights[s.owner].want <= now {
			break
		}
	}
	f := &s.flights[s.owner]
	f.want = never
	i := &s.a.Program[f.at]
	slots := s.l.SlotCount[i.Layer]
	first := now + 2 // its first slot
	if i.Op == settling.OpRecord {
		f.busy = first + slots + s.read() + s.p.recordCycles + s.wires()
		s.passFree = f.busy + 1
		s.end(f, false)
		return
	}
	row := first + s.p.somaCycles + s.wires() + 2 // the first slot's changes are known
	f.busy = row + slots
	s.passFree = f.busy + 1
	if s.a.Interneuron[i.Layer] != nil {
		f.busy = max(f.busy, row-3+slots+s.p.interneurons.stepCycles(s.l.Lanes)) // a pass may start in the cycle after
	}
	step := &f.sample.steps[f.step]
	f.step++
	for j, changed := range step.changed {
		if changed || s.dense {
			f.items = append(f.items, item{max(row+2+j/s.l.Lanes, first+slots), s.l.Stride[i.Layer]})
		}
	}
	if len(f.items) == 0 {
		s.end(f, step.leaves)
	}
}

// words takes words of the input up to the next one that is an event.
func (s *schedule) words() {
	in := &s.input
	f := &s.flights[in.context]
	for ; in.word < len(f.sample.input); in.word++ {
		if f.sample.input[in.word] || s.dense {
			in.word++
			in.event = in.next + 1
			return
		}
		in.busy = in.next
		in.next++
	}
	in.event = never
	s.loadFree = in.busy + 2
	f.busy = max(f.busy, in.busy)
	s.end(f, false)
}

// nextTake is the cycle in which corinfo_events takes something; never: nothing is there.
func (s *schedule) nextTake() int {
	from := min(s.input.event, s.scores.from)
	for i := range s.flights {
		if items := s.flights[i].items; len(items) > 0 {
			from = min(from, items[0].from)
		}
	}
	if from == never {
		return never
	}
	e := &s.events
	from = max(from, e.last+1)
	// A take counts from the second cycle on, an event that has left the queue from the next one.
	counted := e.taken
	if from == e.last+1 {
		counted--
	}
	if n := counted - room; n >= 0 {
		from = max(from, e.heads[n%len(e.heads)]+1)
	}
	return from
}

// take serves the input, else the scores, else an item: of the context that was served last, if it has one.
func (s *schedule) take(now int) {
	s.events.last = now
	switch {
	case s.input.event <= now:
		f := &s.flights[s.input.context]
		f.busy = s.issue(now, s.l.Stride[0], true)
		s.input.next, s.input.busy = now, now
		s.words()
	case s.scores.from <= now:
		s.scores.from = now + 1
		if s.scores.left--; s.scores.left > 0 {
			return
		}
		s.scores.from = never
		f := &s.flights[s.scores.context]
		f.busy = now + s.fetch() + 3 // and the result is taken
		s.scores.done = f.busy + 3
		s.turn++
		s.end(f, false)
		s.answer()
	default:
		ready := func(f *flight) bool { return len(f.items) > 0 && f.items[0].from <= now }
		if !ready(&s.flights[s.served]) {
			for s.served = 0; !ready(&s.flights[s.served]); s.served++ {
			}
		}
		f := &s.flights[s.served]
		i := &s.a.Program[f.at]
		f.busy = max(f.busy, s.issue(now, f.items[0].products, i.Op != settling.OpClear))
		if f.items = f.items[1:]; len(f.items) == 0 {
			s.end(f, i.Op == settling.OpSettle && f.sample.steps[f.step-1].leaves)
		}
	}
}

// issue brings what was taken to the lanes and tells the last cycle in which its products are under way.
func (s *schedule) issue(now, products int, counts bool) (busy int) {
	e := &s.events
	head := max(now+2+s.fetch(), e.begun-1)
	e.heads[e.taken%len(e.heads)] = head
	e.taken++
	e.begun = max(head+2, e.free)
	e.free = e.begun + products
	if counts {
		s.products += products
	}
	return e.free - 1 + s.read()
}

// answer starts the walk over the scores for the context whose turn it is, if it asks.
func (s *schedule) answer() {
	for i := range s.flights {
		if f := &s.flights[i]; f.asks != never && f.command == s.turn && s.a.Program[f.at].Op == settling.OpResult {
			// The one before must have been taken.
			from := max(f.asks, s.scores.done)
			f.asks = never
			s.scores.context, s.scores.left, s.scores.from = i, s.a.Network.Layers[s.a.Network.K()], from+1
		}
	}
}

// update starts an update when nothing else is in flight.
func (s *schedule) update() {
	for i := range s.flights {
		f := &s.flights[i]
		if f.asks == never || s.a.Program[f.at].Op != settling.OpUpdate {
			continue
		}
		from := f.asks
		for j := range s.flights {
			if j != i {
				from = max(from, s.flights[j].idle) // never: its end asks again
			}
		}
		if from == never {
			continue
		}
		f.asks = never
		batch := s.a.Network.Learning.Batch
		f.busy = from + s.matrix(s.list[f.command+1-batch:f.command+1], s.a.Program[f.at].Matrix) - 3
		s.end(f, false)
	}
}

// intervals is a union of times, which come with ascending ends.
type intervals struct{ list [][2]int }

// add takes the cycles from a up to and without b.
func (v *intervals) add(a, b int) {
	for n := len(v.list); n > 0 && v.list[n-1][1] >= a; n = len(v.list) {
		a = min(a, v.list[n-1][0])
		b = max(b, v.list[n-1][1])
		v.list = v.list[:n-1]
	}
	v.list = append(v.list, [2]int{a, b})
}

func (v *intervals) total() (cycles int) {
	for _, x := range v.list {
		cycles += x[1] - x[0]
	}
	return cycles
}

package design

import (
	"slices"

	fx "corinfo/fixedpoint"
	"corinfo/golden/rule"
	"corinfo/hdlgen"
)

// schedule plays commands through a design as the control does, cycle by cycle; of values it knows only what an Activity tells.
type schedule struct {
	p       *Plan
	dense   bool
	list    []sampleActivity
	learn   bool
	cycle   int
	flights []flight

	accepted int
	loading  int // context whose sample is being taken; below 0: none
	served   int // context whose events are taken; below 0: none
	word     int // of the input
	waits    bool
	one      bool // the unit that is always 1 waits
	closing  bool // a mini-batch is complete, its update not done
	turn     int
	held     int // samples of the open mini-batch

	owner, free int // of the steps: context, and the cycle from which they may be granted
	pending     []arrival

	room, walkFree int
	placed         []event // whose columns are known, with the cycle
	updateEnd      int

	settling, products int
}

type stage int

const (
	idle stage = iota
	decode
	want
	running
	quieting
	answered
)

// flight is what a context does.
type flight struct {
	sample   *sampleActivity
	command  int
	at       int // its instruction
	record   int
	stage    stage
	from     int // cycle from which the stage holds
	done     int // of the unit that works for it
	allow    int // cycle from which its events may be taken
	moved    bool
	queues   [][]int // by neuron unit: events that wait, their strides
	waiting  int     // of them all
	coming   int     // of those pending
	busy     []int   // cycles in which events that were taken are over
	complete bool
}

// held tells whether changes wait for those of further steps.
func (f flight) held() bool { return f.allow == never }

// arrival is an event that a step will put into a queue.
type arrival struct{ cycle, context, unit, stride int }

// event is one on its way to the lanes.
type event struct{ cycle, context, stride int }

// Room for events between their take and their last product, as corinfo_events has it, and the cycles from a take to the queue
// of events whose columns are known.
const (
	eventRoom   = 15 // of 16 one is left
	placeCycles = 8
)

// answers are the cycles from the control to a unit and back.
func (p *Plan) answers() int { return 2 * p.Target.WireCycles }

// play takes a list of commands, all inferences or all learning samples in whole mini-batches.
func (p *Plan) play(list []sampleActivity, learn, dense bool) *schedule {
	s := &schedule{p: p, dense: dense, list: list, learn: learn, flights: make([]flight, p.Contexts), loading: -1, served: -1,
		room: eventRoom}
	for s.turn < len(list) || s.working() {
		before := s.mark()
		s.step()
		next := s.cycle + 1
		if s.mark() == before { // until some time comes, all cycles are like this one
			next = s.soonest()
		}
		if s.cycle >= s.updateEnd && s.working() {
			s.settling += next - s.cycle
		}
		s.cycle = next
	}
	return s
}

func (s *schedule) working() bool {
	return slices.ContainsFunc(s.flights, func(f flight) bool { return f.stage != idle })
}

// mark tells whether a cycle changed anything.
func (s *schedule) mark() uint64 {
	sum := uint64(14695981039346656037)
	add := func(list ...int) {
		for _, v := range list {
			sum = (sum ^ uint64(v)) * 1099511628211
		}
	}
	flag := map[bool]int{true: 1}
	add(s.accepted, s.loading, s.served, s.word, flag[s.waits], flag[s.one], flag[s.closing], s.turn, s.held, s.owner, s.free,
		len(s.pending), s.room, s.walkFree, len(s.placed), s.updateEnd)
	for i := range s.flights {
		f := &s.flights[i]
		add(f.at, f.record, int(f.stage), f.from, f.done, f.allow, f.waiting, len(f.busy))
	}
	return sum
}

// soonest is the first cycle behind this one that something waits for.
func (s *schedule) soonest() int {
	next := never
	at := func(cycles ...int) {
		for _, c := range cycles {
			if c > s.cycle {
				next = min(next, c)
			}
		}
	}
	at(s.free, s.walkFree-1, s.walkFree, s.updateEnd)
	if len(s.pending) > 0 {
		at(s.pending[0].cycle)
	}
	if len(s.placed) > 0 {
		at(s.placed[0].cycle)
	}
	for i := range s.flights {
		f := &s.flights[i]
		at(f.from, f.done, f.allow)
		at(f.busy...)
	}
	return next
}

// step is one cycle.
func (s *schedule) step() {
	s.accept()
	s.load()
	for c := range s.flights {
		s.context(c)
	}
	s.grant()
	for len(s.pending) > 0 && s.pending[0].cycle <= s.cycle {
		a := s.pending[0]
		f := &s.flights[a.context]
		f.queues[a.unit] = append(f.queues[a.unit], a.stride)
		f.waiting++
		f.coming--
		s.pending = s.pending[1:]
	}
	s.take()
	s.walk()
}

func (s *schedule) accept() {
	f := &s.flights[s.accepted%len(s.flights)]
	if s.accepted == len(s.list) || f.stage != idle || f.from > s.cycle || s.loading >= 0 || s.closing {
		return
	}
	*f = flight{sample: &s.list[s.accepted], command: s.accepted, stage: decode, from: s.cycle + 2, queues: make([][]int, s.p.Units)}
	s.loading = s.accepted % len(s.flights)
	s.word, s.waits = -1, false
	if s.learn {
		s.held++
		if s.held == s.p.Network.Learning.Batch {
			s.held, f.complete, s.closing = 0, true, true
		}
	}
	s.accepted++
}

// load takes a word of the sample in every cycle, while the one before has left.
func (s *schedule) load() {
	if s.loading < 0 || s.word < 0 {
		return
	}
	f := &s.flights[s.loading]
	if s.waits && s.room > 0 {
		s.event(s.loading, s.p.Signals[0].Stride)
		s.waits = false
	}
	if n := len(f.sample.input); s.word < n {
		if !s.waits {
			s.waits = f.sample.input[s.word] || s.dense
			s.word++
		}
		return
	}
	if s.waits {
		return
	}
	if !s.one && s.p.oneSignal() > 0 {
		s.one = true // from the next cycle on
		return
	}
	if s.one && s.room > 0 {
		s.event(s.loading, s.p.Signals[s.p.oneSignal()].Stride)
		s.one = false
	} else if s.one {
		return
	}
	f.stage, f.from = quieting, s.cycle+2
	s.loading = -1
}

// event takes one into the way to the lanes; a column without words is none.
func (s *schedule) event(context, stride int) {
	if stride == 0 {
		return
	}
	s.room--
	s.placed = append(s.placed, event{s.cycle + placeCycles + s.p.answers(), context, stride})
	s.flights[context].busy = append(s.flights[context].busy, -1)
}

// take takes an event of the sample that is served, from the first unit that has one, and chooses the sample that is served
// in the next cycle: the oldest that has events. A cycle is lost where that one's last event is taken in this.
func (s *schedule) take() {
	served := s.served
	s.served = -1
	for i := range s.flights {
		if c := (s.accepted + i) % len(s.flights); s.ready(c) {
			s.served = c
			break
		}
	}
	if s.room == 0 || s.loading >= 0 && s.waits || served < 0 || !s.ready(served) {
		return
	}
	f := &s.flights[served]
	unit := slices.IndexFunc(f.queues, func(queue []int) bool { return len(queue) > 0 })
	s.event(served, f.queues[unit][0])
	f.queues[unit] = f.queues[unit][1:]
	f.waiting--
}

// ready tells whether a sample has an event that may be taken.
func (s *schedule) ready(context int) bool {
	f := &s.flights[context]
	return f.waiting > 0 && f.allow <= s.cycle
}

// walk issues the products of the events, one after another.
func (s *schedule) walk() {
	if s.walkFree <= s.cycle && len(s.placed) > 0 && s.placed[0].cycle <= s.cycle {
		e := s.placed[0]
		s.placed = s.placed[1:]
		s.walkFree = s.cycle + e.stride
		busy := s.flights[e.context].busy
		busy[slices.Index(busy, -1)] = s.walkFree + s.p.Target.ReadCycles + 5
		s.products += e.stride
	}
	if s.walkFree == s.cycle+1 {
		s.room++
	}
}

// next goes on to another instruction.
func (s *schedule) next(c, at int) {
	f := &s.flights[c]
	f.at, f.stage, f.from = at, decode, s.cycle+2
}

func (s *schedule) context(c int) {
	f := &s.flights[c]
	if f.from > s.cycle {
		return
	}
	p := s.p
	i := &p.Program[f.at]
	leave := func() {
		at := f.at + 1
		if i.Last {
			if i.Exit > 0 && !f.moved {
				at = i.Exit
			}
			f.moved = false
		}
		s.next(c, at)
	}
	switch f.stage {
	case decode:
		switch {
		case i.Op == OpInferred && !s.learn, i.Op == OpSampled && !f.complete, i.Op == OpEnd:
			if i.Op == OpEnd {
				s.closing = false
			}
			f.stage, f.from = idle, s.cycle+1
		case i.Op == OpInferred, i.Op == OpSampled, i.Op == OpNudge:
			s.next(c, f.at+1)
		case i.Op == OpLoad:
			f.stage, f.from = running, s.cycle+2
			s.word = 0
		case i.Op == OpUpdate:
			if !s.alone(c) {
				return
			}
			end := s.cycle + 1 + p.updateCycles(s.list[f.command+1-p.Network.Learning.Batch:f.command+1], i.Step)
			f.stage, f.from = quieting, end
			s.updateEnd = end
		default:
			f.stage, f.from = want, s.cycle+1
		}
	case running:
		if i.Op == OpLoad || f.done > s.cycle {
			return
		}
		switch {
		case i.Op == OpAnswer:
			f.stage, f.from = answered, s.cycle+1
		case i.Op == OpStep && i.Hold:
			leave()
		default:
			f.stage, f.from = quieting, s.cycle+1
		}
	case answered: // the result is taken as soon as it is there
		s.turn++
		s.next(c, f.at+1)
	case quieting:
		f.busy = slices.DeleteFunc(f.busy, func(end int) bool { return end >= 0 && end <= s.cycle })
		if f.waiting == 0 && len(f.busy) == 0 && f.coming == 0 {
			leave()
		}
	}
}

// alone tells whether all other contexts are idle.
func (s *schedule) alone(c int) bool {
	for i := range s.flights {
		if i != c && s.flights[i].stage != idle {
			return false
		}
	}
	return true
}

// grant gives the steps to the next context that wants them, but within a group of steps to no other one.
func (s *schedule) grant() {
	if s.free > s.cycle {
		return
	}
	n := len(s.flights)
	grouped := slices.ContainsFunc(s.flights, flight.held)
	for k := range n {
		c := (s.owner + 1 + k) % n
		f := &s.flights[c]
		if grouped && !f.held() {
			continue
		}
		if f.stage != want || f.from > s.cycle || s.p.Program[f.at].Op == OpAnswer && s.turn != f.command {
			continue
		}
		s.owner = c
		s.run(c)
		return
	}
}

// run is one use of the steps: its end, and the events that it makes.
func (s *schedule) run(c int) {
	p, f := s.p, &s.flights[c]
	i := &p.Program[f.at]
	st := &p.Steps[i.Step]
	formula := p.Formulas[st.Formula]
	kinds := p.kindsOf(formula)
	visits := p.SlotCount[st.Layer] * (kinds + p.Subs)
	f.stage, f.from = running, s.cycle+1
	switch {
	case i.Op == OpClear:
		f.done = s.cycle + 5 + p.Slots*(len(p.Kinds)+p.Subs)
	case i.Op == OpAnswer:
		f.done = s.cycle + 7 + p.Network.Layers[st.Layer] + p.answers()
	case i.Op == OpShared:
		f.done = s.cycle + 4 + visits + 4 + p.Units + formula.Latency + 3 + p.answers()
	default:
		f.done = s.cycle + 6 + formula.Latency + visits
	}
	s.free = f.done
	f.done += p.answers() // all that the units answer is here
	f.allow = s.cycle + 5 + visits
	if i.Hold {
		f.allow = never
	}
	var changed []bool
	switch {
	case i.Op == OpClear || i.Op == OpAnswer:
	case st.Step >= 0:
		r := &f.sample.records[f.record]
		f.record++
		f.moved = f.moved || r.moved
		changed = r.changed
	case st.Signal >= 0:
		changed = f.sample.back[p.Signals[st.Signal].Word]
	}
	if st.Signal < 0 {
		return
	}
	stride := p.Signals[st.Signal].Stride
	known := len(s.pending)
	for n, some := range changed {
		if some || s.dense {
			sub := n % p.Lanes % p.Subs
			s.pending = append(s.pending, arrival{s.cycle + 7 + p.answers() + formula.Latency + n/p.Lanes*(kinds+p.Subs) + kinds + sub, c, n % p.Lanes / p.Subs, stride})
		}
	}
	// One step's come before the next one's; those of a slot do not come in the order of neurons.
	slices.SortStableFunc(s.pending[known:], func(a, b arrival) int { return a.cycle - b.cycle })
	f.coming += len(s.pending) - known
}

// never is the time of what is not going to happen.
const never = 1 << 60

// kindsOf is how many sums of a slot a formula reads.
func (p *Plan) kindsOf(f *Formula) (kinds int) {
	for _, o := range f.Operands {
		if o.Source == rule.FromSum {
			kinds = max(kinds, p.kind(o.Name)+1)
		}
	}
	return kinds
}

// updateCycles are those of a mini-batch's update of one projection: samples whose postsynaptic factors are not all zero are listed;
// their factors are fetched ahead, one a cycle; of an input that is zero in the whole mini-batch only one factor is fetched. Those that
// are not zero are terms, and every slot takes a product of each and a visit of every lane of a unit.
func (p *Plan) updateCycles(batch []sampleActivity, update int) int {
	u := &p.Updates[update]
	pr, x := &p.D.Projections[u.Projection], &p.D.Updates[u.Update]
	slots := p.SlotsOf(u.Projection)
	fromInput := p.D.Words[pr.From].Input()
	var listed [][]bool
	for i := range batch {
		for _, t := range x.Terms {
			pre, post := batch[i].factors[factorOf{t.Pre, t.Role}], batch[i].factors[factorOf{t.Post, t.Role}]
			if u.Mirrored {
				pre, post = post, pre
			}
			if slices.Contains(post, true) {
				listed = append(listed, pre)
			}
		}
	}
	fetched, busy, last := max(fx.Warmup+fx.Rounds, len(batch)*len(x.Terms))+4, 0, -p.Subs
	late := p.Target.ReadCycles + p.answers() + 4
	type work struct{ end, terms int }
	var ahead []work
	termRoom := 1 << termBits(p.Network.Learning.Batch)
	waiting := 0
	for j := range pr.Cols {
		if len(listed) == 0 && !x.Always {
			break
		}
		terms := 0
		fetches := max(1, len(listed))
		if len(batch) > 1 && fromInput && !slices.ContainsFunc(batch, func(s sampleActivity) bool { return s.input[j] }) {
			fetches = 1
		}
		for i := range fetches {
			fetched++
			for len(ahead) > 0 && (waiting >= termRoom-1 || len(ahead) >= 16) {
				fetched = max(fetched, ahead[0].end+3)
				waiting -= ahead[0].terms
				ahead = ahead[1:]
			}
			if i < len(listed) && listed[i][j] {
				terms++
			}
		}
		if terms == 0 && !x.Always {
			continue
		}
		start := max(fetched+late+2, busy)
		for range slots {
			start = max(start+max(1, terms), last+p.Subs)
			last = start
		}
		busy = start
		waiting += terms
		ahead = append(ahead, work{busy, terms})
		for len(ahead) > 0 && ahead[0].end < fetched {
			waiting -= ahead[0].terms
			ahead = ahead[1:]
		}
	}
	end := fetched + late
	if busy > 0 {
		end = max(end, busy+2+8+p.Target.ReadCycles+3+p.Subs+p.Formulas[u.Formula].Latency+3)
	}
	return end + 2
}

// Estimate tells what the plan's design takes; activity nil: the dense computation.
func Estimate(p *Plan, activity *Activity) (*hdlgen.Estimates, error) {
	s, err := newShape(p)
	if err != nil {
		return nil, err
	}
	e := &hdlgen.Estimates{Lanes: p.Lanes, Units: p.Units, Measured: activity != nil}
	dense := p.Network.Hardware.Mode == "dense" || activity == nil
	if activity == nil {
		activity = p.everything()
	}
	if n := len(activity.inferences); n > 0 {
		x := p.play(activity.inferences, false, dense)
		e.CyclesPerInference, e.SettlingCycles = float64(x.cycle)/float64(n), float64(x.settling)/float64(n)
		e.LanesBusy = float64(x.products) / float64(x.settling)
		e.LaneUtilisation = float64(p.useful(activity.inferences)) / float64(x.settling*p.Lanes)
	}
	if n, batch := len(activity.samples), p.Network.Learning.Batch; n > 0 {
		x := p.play(activity.samples, true, dense)
		e.CyclesPerLearning, e.LearningSettlingCycles = float64(x.cycle)/float64(n), float64(x.settling)/float64(n)
		for i := 0; i+batch <= n; i += batch {
			for u := range p.Updates {
				e.CyclesPerUpdate += float64(p.updateCycles(activity.samples[i:i+batch], u)) / float64(n/batch)
			}
		}
	}
	if err := p.memories(s, e); err != nil {
		return nil, err
	}
	p.multipliers(s, e)
	p.logic(s, e)
	return e, nil
}

// useful are the products of events without the padding of layers that the lanes do not divide.
func (p *Plan) useful(list []sampleActivity) (total int) {
	fan := func(word int) (n int) {
		for i, pr := range p.D.Projections {
			if pr.From == word && p.Holds(i) {
				n += pr.Rows
			}
		}
		return n
	}
	count := func(of []bool) (n int) {
		for _, x := range of {
			if x {
				n++
			}
		}
		return n
	}
	for i := range list {
		s := &list[i]
		total += count(s.input) * fan(p.Signals[0].Word)
		if one := p.oneSignal(); one > 0 {
			total += fan(p.Signals[one].Word)
		}
		for _, r := range s.records {
			if r.changed == nil {
				continue
			}
			for _, next := range p.D.Steps[r.step].Graph.Results {
				if w := p.D.Word(next.Word, p.D.Steps[r.step].Layer); p.D.Words[w].Signal {
					total += count(r.changed) * fan(w)
				}
			}
		}
	}
	return total
}

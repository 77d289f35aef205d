package lockstep

import (
	"bytes"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"corinfo/golden/machine"
	"corinfo/hdlgen/design"
	"corinfo/sim"
)

// Regions of the host's addresses, as numbers.
const (
	regionConstants = int(design.RegionConstants)
	regionControl   = int(design.RegionControl)
	regionCounters  = int(design.RegionCounters)
	regionBeside    = int(design.RegionBeside)
)

// Sample is one command: raw words of the input, or what it learns.
type Sample struct {
	X        []int64
	Learn    bool
	Label    int
	Negative bool
	Reset    *Reset // ends it; nil: it is done. The synapses are those of the start again then
	Abort    bool   // the host's, in place of the reset
	List     bool   // what is before it is done when it begins
	Length   int    // words that come of it; 0: as many as there are inputs, other numbers are an error
}

// Reset comes so many cycles after so many lines of a kind that the design prints of the command: S, R or W. C with 0 lines:
// after it was taken.
type Reset struct {
	Tag           byte
	Lines, Cycles int
}

// memory is a word of the design's lanes, by its address for the host.
type memory struct {
	address uint32
	word    int64
}

// wordsOf are the words of all synapses, and beside them, as a model has them.
func wordsOf(p *design.Plan, m *machine.Machine) (list []memory) {
	for lane := range p.Lanes {
		for at := range p.Depth {
			projection, column, slot, _ := p.Column(at)
			row := slot*p.Lanes + lane
			if row >= p.D.Projections[projection].Rows {
				continue
			}
			address := uint32(lane<<design.LaneShift | at)
			list = append(list, memory{address, m.Synapse(projection, row, column)})
			for k := range p.Beside {
				list = append(list, memory{uint32(regionBeside+k)<<28 | address, p.BesideWord(m, projection, k, row, column)})
			}
		}
	}
	return list
}

// stimulus gives the commands, with the constants of updates that the host writes before the mini-batches that have others, and
// reads everything back. After a command that a reset ends, the host writes all words of the start.
func (c *comparator) stimulus() []byte {
	var b bytes.Buffer
	if c.o.Stall != 0 {
		fmt.Fprintf(&b, "S %x\n", c.o.Stall)
	}
	p, m := c.p, c.m
	batch, step, inForce := m.Held(), m.Step(), constants(p, m)
	for _, s := range c.samples {
		if s.List {
			b.WriteString("E\n")
		}
		if s.Learn && batch == 0 && s.Length == 0 {
			// What the model will have in force for this mini-batch.
			for i, words := range constantsAt(p, m, step) {
				for place, word := range words {
					if word != inForce[i][place] {
						fmt.Fprintf(&b, "H %x %x\n", regionConstants<<28|8*i+place, word)
					}
				}
				inForce[i] = words
			}
		}
		if s.Reset != nil {
			how := 'A'
			if s.Abort {
				how = 'B'
			}
			fmt.Fprintf(&b, "E\n%c %c %x %x\n", how, s.Reset.Tag, s.Reset.Lines, s.Reset.Cycles)
		}
		x := s.X
		if s.Length > 0 {
			fmt.Fprintf(&b, "V %x 1\n", s.Length)
			x = slices.Concat(x, x)[:s.Length] // at most twice as many as there are
		}
		if s.Learn {
			neg := 0
			if s.Negative {
				neg = 1
			}
			fmt.Fprintf(&b, "L %x %x", s.Label, neg)
			if s.Length > 0 {
				batch-- // it is not learned
			}
			if batch++; batch == p.Network.Learning.Batch {
				batch = 0
				step++
			}
		} else {
			b.WriteString("I")
		}
		for _, x := range x {
			fmt.Fprintf(&b, " %x", raw(x, c.d.Manifest.Widths.X))
		}
		b.WriteString("\n")
		if s.Reset != nil {
			batch, step = 0, 0
			if s.Abort { // seed and number are not those of the start by themselves
				fmt.Fprintf(&b, "H %x %x\nH %x 0\n", regionControl<<28, p.Network.Seed, regionControl<<28|1)
			}
			for _, x := range c.start {
				fmt.Fprintf(&b, "H %x %x\n", x.address, uint64(x.word))
			}
		}
	}
	b.WriteString("E\n")
	for lane := range p.Lanes {
		fmt.Fprintf(&b, "G %x %x\n", lane<<design.LaneShift, p.Depth)
		for k := range p.Beside {
			fmt.Fprintf(&b, "G %x %x\n", (regionBeside+k)<<28|lane<<design.LaneShift, p.Depth)
		}
	}
	fmt.Fprintf(&b, "G %x %x\nG %x %x\nQ\n", regionControl<<28, controlWords, regionCounters<<28, len(p.Counters))
	return b.Bytes()
}

// constants are those in force of every update of the plan, mirrored ones too.
func constants(p *design.Plan, m *machine.Machine) (list [][]int64) {
	for _, u := range p.Updates {
		list = append(list, append([]int64(nil), m.InForce(u.Update)...))
	}
	return list
}

// constantsAt are those that will be in force for a mini-batch.
func constantsAt(p *design.Plan, m *machine.Machine, step uint32) (list [][]int64) {
	own := m.Step()
	m.SetStep(step)
	rates := m.Rates(0)
	m.SetStep(own)
	for _, u := range p.Updates {
		list = append(list, rates[u.Update])
	}
	return list
}

// flight is a command under way: what the model did of it, and how far the design has come.
type flight struct {
	trace   machine.Trace
	record  int
	visits  int
	command int
}

// controlWords are the host's: seed, number of the next mini-batch, samples of the open one.
const controlWords = 3

// comparator follows what a design prints, line by line, with the model beside it.
type comparator struct {
	p       *design.Plan
	d       *design.Design
	m       *machine.Machine
	o       sim.Options
	samples []Sample
	start   []memory       // words of the start
	counts  machine.Counts // of the model then
	first   int            // command behind the last reset
	resets  int
	flights []*flight // by sample in flight
	begun   int       // commands whose model has run
	queue   []*flight // whose answer is still to come
	scores  int       // of the next answer
	read    int       // words read back
	ended   bool

	states, synapses, words int64 // compared
	right                   int   // inferences whose class is their label
	lists                   [2]int64
	busy, waiting           int64 // cycles with a command under way, and of them those that waited for the stimulus
	lastEnd                 int64
	learning                time.Duration
	since                   time.Time
	counters                []int64
	mismatch                *sim.Mismatch
}

func newComparator(d *design.Design, samples []Sample, o sim.Options) *comparator {
	c := &comparator{p: d.Plan, d: d, m: d.Learner.Machine, o: o, samples: samples, flights: make([]*flight, d.Plan.Contexts), since: time.Now()}
	c.m.Dense = d.Plan.Network.Hardware.Mode == "dense" // counts events as the design does
	c.start, c.counts = wordsOf(c.p, c.m), c.m.Counts()
	return c
}

// fail keeps the first mismatch: of a command, if f is not nil, a tensor, and what is wrong.
func (c *comparator) fail(cycle string, f *flight, tensor, format string, args ...any) *sim.Mismatch {
	if c.mismatch != nil {
		return &sim.Mismatch{}
	}
	c.mismatch = &sim.Mismatch{Tensor: tensor, Detail: fmt.Sprintf(format, args...)}
	c.mismatch.Cycle, _ = strconv.ParseInt(cycle, 10, 64)
	if f != nil {
		c.mismatch.Sample, c.mismatch.Learning = f.command, c.samples[f.command].Learn
	}
	return c.mismatch
}

// differ keeps the first mismatch of a word.
func (c *comparator) differ(cycle string, f *flight, tensor string, got, want int64) *sim.Mismatch {
	m := c.fail(cycle, f, tensor, "")
	m.Expected, m.Got = fmt.Sprintf("%x", want), fmt.Sprintf("%x", got)
	return m
}

// next runs the model on the next command, in a context.
func (c *comparator) next() *flight {
	if c.begun == len(c.samples) {
		return nil
	}
	s := c.samples[c.begun]
	f := &flight{command: c.begun}
	if s.Length == 0 {
		c.m.Run(s.X, machine.Command{Learn: s.Learn, Label: s.Label, Negative: s.Negative}, &f.trace)
	}
	c.flights[(c.begun-c.first)%c.p.Contexts] = f
	c.queue = append(c.queue, f)
	c.begun++
	return f
}

// of is the flight of a context: its current one, or the next if that is done.
func (c *comparator) of(context int) *flight {
	for c.flights[context] == nil || c.flights[context].record == len(c.flights[context].trace.Records) {
		if c.next() == nil {
			return c.flights[context]
		}
		if f := c.flights[context]; f != nil && f.record < len(f.trace.Records) {
			return f
		}
	}
	return c.flights[context]
}

// reset is that of the command under way: the model goes on as the design, whose synapses the host writes anew.
func (c *comparator) reset(cycle string) {
	at := c.first
	for at < len(c.samples) && c.samples[at].Reset == nil {
		at++
	}
	if at == len(c.samples) || c.begun < at {
		c.fail(cycle, nil, "reset", "after %d commands", c.begun)
		return
	}
	c.resets++
	c.begun, c.first = at+1, at+1
	c.flights, c.queue, c.scores = make([]*flight, c.p.Contexts), nil, 0
	c.m.Reset()
	for _, x := range c.start {
		projection, column, slot, _ := c.p.Column(int(x.address & (1<<design.LaneShift - 1)))
		row := slot*c.p.Lanes + int(x.address>>design.LaneShift&1023)
		if region := int(x.address >> 28); region == 0 {
			c.m.SetSynapse(projection, row, column, x.word)
		} else if pr := &c.p.D.Projections[projection]; pr.Mirror < 0 && region-regionBeside < len(pr.Words) {
			c.m.SetBeside(projection, region-regionBeside, row, column, x.word)
		}
	}
}

// fields is how many every line of the protocol has; 0: any number.
var fields = map[byte]int{'S': 6, 'Y': 5, 'W': 6, 'O': 4, 'R': 4, 'D': 4, 'E': 4, 'Z': 2, 'N': 3, 'T': 2, 'Q': 2, 'X': 0, 'F': 0}

// line takes a line that the simulator printed.
func (c *comparator) line(f []string) {
	if n, known := fields[f[0][0]]; !known || n > 0 && len(f) != n {
		c.fail("0", nil, "protocol", "the simulator printed a line that is not of the protocol: %.60q", strings.Join(f, " "))
		return
	}
	switch f[0] {
	case "X":
		c.fail(f[1], nil, "outputs", "no known value: %s of handshakes, scores, class, host, steps, shared words, synapses", strings.Join(f[2:], " "))
	case "F":
		c.fail(f[1], nil, "simulator", "%s", strings.Join(f[2:], " "))
	case "Z":
		c.reset(f[1])
	case "S":
		c.step(f)
	case "Y":
		c.shared(f)
	case "W":
		c.synapse(f)
	case "O":
		c.score(f)
	case "R":
		c.answer(f)
	case "D":
		c.word(f)
	case "E":
		c.list(f)
	case "N":
		c.fail(f[1], nil, "host", "the host's access to %s is refused", f[2])
	case "T":
		c.fail(f[1], nil, "time", "the design does nothing any more: a dead lock")
	case "Q":
		if want := c.p.Lanes*c.p.Depth*(1+len(c.p.Beside)) + controlWords + len(c.p.Counters); c.read != want {
			c.fail(f[1], nil, "memory", "%d words were read back of %d", c.read, want)
			return
		}
		if c.resets == 0 { // the model counts on
			c.counted(f[1])
		}
		c.ended = true
	}
}

// list is the end of a list of commands, all of which are done.
func (c *comparator) list(f []string) {
	for i, x := range c.flights {
		if x != nil && x.record != len(x.trace.Records) {
			c.fail(f[1], x, "steps", "context %d has done %d of %d steps", i, x.record, len(x.trace.Records))
		}
	}
	if len(c.queue) > 0 {
		c.fail(f[1], nil, "class", "%d commands have no answer", len(c.queue))
	}
	cycle, _ := strconv.ParseInt(f[1], 10, 64)
	c.busy, _ = strconv.ParseInt(f[2], 10, 64)
	c.waiting, _ = strconv.ParseInt(f[3], 10, 64)
	at := 0
	if c.begun > 0 && c.samples[c.begun-1].Learn {
		at = 1
		c.learning += time.Since(c.since)
	}
	c.lists[at] += cycle - c.lastEnd
	c.lastEnd, c.since = cycle, time.Now()
}

// answer is a class.
func (c *comparator) answer(f []string) {
	class, _ := strconv.ParseInt(f[2], 16, 64)
	if len(c.queue) == 0 {
		c.next() // one of the wrong length shows nothing before
	}
	if len(c.queue) == 0 {
		c.fail(f[1], nil, "class", "an answer that nobody asked for")
		return
	}
	x := c.queue[0]
	if bad := c.samples[x.command].Length > 0; bad != (f[3] == "1") {
		c.fail(f[1], x, "class", "the answer's error is %s, of a sample of the wrong length: %v", f[3], bad)
	} else if !bad && (int(class) != x.trace.Class || c.scores != len(x.trace.Scores)) {
		c.differ(f[1], x, "class", class, int64(x.trace.Class))
	}
	if !c.samples[x.command].Learn && c.samples[x.command].Length == 0 && int(class) == c.samples[x.command].Label {
		c.right++
	}
	c.queue, c.scores = c.queue[1:], 0
	if c.o.Progress != nil {
		c.o.Progress(x.command+1, len(c.samples))
	}
}

// heard tells whether every signal goes to some sum: what nobody listens to is no event of the design.
func (c *comparator) heard() bool {
	for i, w := range c.p.D.Words {
		listens := false
		for at, pr := range c.p.D.Projections {
			listens = listens || pr.From == i && c.p.Holds(at)
		}
		if w.Signal && !listens {
			return false
		}
	}
	return true
}

// fieldOf is a word out of a port's digits.
func fieldOf(all *big.Int, low, width int) int64 {
	v := new(big.Int).Rsh(all, uint(low))
	mask := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), uint(width)), big.NewInt(1))
	return v.And(v, mask).Int64()
}

// raw is a word's bits.
func raw(word int64, width int) int64 { return word & (1<<uint(width) - 1) }

// record is the step of the model that a context's line is about; nil: it is about none, or something is wrong.
func (c *comparator) record(f []string) (*flight, *design.Step, *machine.Record) {
	context, _ := strconv.ParseInt(f[2], 16, 64)
	number, _ := strconv.ParseInt(f[3], 16, 64)
	if int(context) >= len(c.flights) || int(number) >= len(c.p.Steps) {
		c.fail(f[1], nil, "steps", "context %d, step %d", context, number)
		return nil, nil, nil
	}
	st := &c.p.Steps[number]
	if st.Step < 0 { // it moves words, or keeps a factor: what follows shows it
		return nil, nil, nil
	}
	x := c.of(int(context))
	if x == nil || x.record == len(x.trace.Records) {
		c.fail(f[1], x, c.p.D.Steps[st.Step].Name, "context %d does a step after the last one", context)
		return nil, nil, nil
	}
	r := &x.trace.Records[x.record]
	if r.Step != st.Step {
		c.fail(f[1], x, c.p.D.Steps[st.Step].Name, "of layer %d, where the model does %s of layer %d", st.Layer, c.p.D.Steps[r.Step].Name, c.p.D.Steps[r.Step].Layer)
		return nil, nil, nil
	}
	return x, st, r
}

// where tells a mismatch of which step and neuron it is.
func (c *comparator) where(m *sim.Mismatch, r *machine.Record, neuron int) {
	m.Phase, m.Iteration, m.Layer, m.Neuron = c.p.D.Phases[r.Phase].Name, r.Iteration, c.p.D.Steps[r.Step].Layer, neuron
}

func (c *comparator) step(f []string) {
	x, st, r := c.record(f)
	if x == nil {
		return
	}
	base, _ := strconv.ParseInt(f[4], 16, 64)
	all, _ := new(big.Int).SetString(f[5], 16)
	for u := range c.p.Units {
		neuron := int(base) + u*c.p.Subs
		for i, at := range st.Words {
			w := c.p.Words[at]
			got, want := fieldOf(all, u*c.d.Manifest.Widths.Words+w.Low, w.Width), int64(0)
			if neuron < len(r.Words[i]) {
				want = raw(r.Words[i][neuron], c.p.A.Word(c.p.D.Word(w.Name, st.Layer)).Width)
				c.states++
			}
			if got != want {
				c.where(c.differ(f[1], x, fmt.Sprint(w.Name, st.Layer), got, want), r, neuron)
				return
			}
		}
	}
	if x.visits++; x.visits == c.p.SlotCount[st.Layer]*c.p.Subs {
		x.visits = 0
		x.record++
	}
}

func (c *comparator) shared(f []string) {
	x, st, r := c.record(f)
	if x == nil {
		return
	}
	all, _ := new(big.Int).SetString(f[4], 16)
	for i, at := range st.Words {
		w := c.p.Shared[at]
		c.states++
		if got, want := fieldOf(all, w.Low, w.Width), raw(r.Words[i][0], c.p.A.Word(c.p.D.Word(w.Name, st.Layer)).Width); got != want {
			c.where(c.differ(f[1], x, fmt.Sprint(w.Name, st.Layer), got, want), r, 0)
			return
		}
	}
	x.record++
}

func (c *comparator) score(f []string) {
	for len(c.queue) == 0 {
		if c.next() == nil {
			c.fail(f[1], nil, "score", "a score that nobody asked for")
			return
		}
	}
	index, _ := strconv.ParseInt(f[2], 16, 64)
	v, _ := strconv.ParseUint(f[3], 16, 64)
	x := c.queue[0]
	if int(index) != c.scores || c.scores >= len(x.trace.Scores) {
		c.fail(f[1], x, "score", "score %d comes at place %d", index, c.scores)
	} else if want := raw(x.trace.Scores[index], c.d.Manifest.Widths.Score); int64(v) != want {
		c.differ(f[1], x, fmt.Sprintf("score %d", index), int64(v), want)
	}
	c.scores++
}

// want is the word of a synapse, or beside it.
func (c *comparator) want(projection, row, column, beside int) int64 {
	if beside < 0 {
		return c.m.Synapse(projection, row, column)
	}
	return c.p.BesideWord(c.m, projection, beside, row, column)
}

// placed tells a mismatch of which synapse it is.
func (c *comparator) placed(m *sim.Mismatch, row, column, lane, address int) {
	m.Row, m.Column, m.Lane, m.Address = row, column, lane, address
}

func (c *comparator) synapse(f []string) {
	address, _ := strconv.ParseInt(f[2], 16, 64)
	sub, _ := strconv.ParseInt(f[3], 16, 64)
	words, _ := new(big.Int).SetString(f[4], 16)
	besides, _ := new(big.Int).SetString(f[5], 16)
	projection, column, slot, ok := c.p.Column(int(address))
	if !ok {
		c.fail(f[1], nil, "synapses", "an update writes address %d, which has none", address)
		return
	}
	pr, widths := &c.p.D.Projections[projection], c.d.Manifest.Widths
	for u := range c.p.Units {
		lane := u*c.p.Subs + int(sub)
		row := slot*c.p.Lanes + lane
		check := func(name string, got, want int64) {
			if got != want {
				c.placed(c.differ(f[1], nil, name, got, want), row, column, lane, int(address))
			}
		}
		want := int64(0)
		if row < pr.Rows {
			want = raw(c.m.Synapse(projection, row, column), widths.Synapse)
			c.synapses++
		}
		check(pr.Name, fieldOf(words, u*widths.Synapse, widths.Synapse), want)
		for k, x := range c.p.Beside {
			want := int64(0)
			if row < pr.Rows {
				want = raw(c.want(projection, row, column, k), x.Width)
			}
			check(pr.Name+"."+x.Name, fieldOf(besides, u*widths.Beside+x.Low, x.Width), want)
		}
	}
}

// word checks a word read back.
func (c *comparator) word(f []string) {
	address, _ := strconv.ParseUint(f[2], 16, 32)
	v, _ := strconv.ParseUint(f[3], 16, 64)
	c.read++
	region := int(address >> 28)
	switch region {
	case regionControl:
		if want := [controlWords]int64{int64(c.m.Seed()), int64(c.m.Step()), int64(c.m.Held())}[address&3]; int64(v) != want {
			c.differ(f[1], nil, fmt.Sprintf("word %d of the control", address&3), int64(v), want)
		}
		return
	case regionCounters:
		c.counters = append(c.counters, int64(v))
		return
	}
	beside := region - regionBeside
	lane, at := int(address>>design.LaneShift&1023), int(address&(1<<design.LaneShift-1))
	projection, column, slot, _ := c.p.Column(at)
	row, want := slot*c.p.Lanes+lane, int64(0)
	if row < c.p.D.Projections[projection].Rows {
		want = c.want(projection, row, column, beside)
		c.words++
	}
	if int64(v) != want {
		c.placed(c.differ(f[1], nil, c.p.D.Projections[projection].Name, int64(v), want), row, column, lane, at)
	}
}

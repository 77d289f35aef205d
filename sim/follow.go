package sim

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"
	"time"

	"corinfo/hdlgen/settling"
)

// follow reads the trace to its end or the first mismatch.
func (r *run) follow(pipe io.Reader, traces <-chan expected) (m *Mismatch, last string, err error) {
	scanner := bufio.NewScanner(pipe)
	scanner.Buffer(make([]byte, 1<<20), 1<<24)
	var now *expected // of the command that was finished last
	r.c = newComparator(r.d, func() (e expected, ok bool) {
		if e, ok = <-traces; !ok && r.closing != nil {
			return r.closing.next()
		}
		return e, ok
	}, func(f *flight) {
		now = &f.expected
		r.ended(f)
		r.progress(1)
	})
	r.c.first = r.part.begin()
	for scanner.Scan() {
		line := scanner.Bytes()
		fields := bytes.Fields(line)
		if len(fields) < 2 {
			return nil, string(line), fmt.Errorf("%s printed a line that is not of the protocol", r.o.Simulator)
		}
		cycle, e := strconv.ParseInt(string(fields[1]), 10, 64)
		wants := map[byte]int{'S': 6, 'Y': 6, 'W': 4, 'O': 4, 'R': 3, 'D': 4, 'E': 4, 'X': 3, 'Z': 2, 'N': 3, 'T': 2, 'Q': 2}[line[0]]
		if e != nil || len(fields) != wants {
			return nil, string(line), fmt.Errorf("%s printed a line that is not of the protocol", r.o.Simulator)
		}
		switch line[0] {
		case 'S':
			m = r.c.state(cycle, fields[2], fields[3], fields[4], fields[5])
		case 'Y':
			m = r.c.step(cycle, fields[2], fields[3], fields[4], fields[5])
		case 'W':
			m = r.c.synapse(cycle, fields[2], fields[3])
		case 'O':
			m = r.c.result(cycle, fields[2], fields[3])
		case 'R':
			m = r.c.answer(cycle, fields[2])
		case 'E':
			if r.busy, r.waiting, e = decimals(fields[2], fields[3]); e != nil {
				return nil, string(line), e
			}
			if m = r.c.finishAll(cycle); m == nil {
				r.listed(cycle)
			}
		case 'D', 'N':
			address, e := addressOf(fields[2])
			if e != nil {
				return nil, string(line), e
			}
			switch {
			case line[0] == 'N' && r.closing.under():
				m = r.closing.refuse(cycle, address)
			case line[0] == 'N':
				m = r.c.mismatch(cycle, nil, "host", "the host's access to %08x is refused", address)
			case r.preamble > 0:
				m = r.ready(cycle, fields[3])
			case r.boundary:
				m, e = r.batchCounter(cycle, now, fields[3])
			case r.closing.under() && r.closing.ended() && address >= hostCounters:
				m = r.closing.counted(cycle, fields[3])
			case r.closing.under():
				m = r.closing.read(cycle, address, fields[3])
			default:
				m = r.data(cycle, address, fields[3])
			}
			if e != nil {
				return nil, string(line), e
			}
		case 'Z':
			if !r.closing.under() {
				return nil, string(line), fmt.Errorf("%s reset the design", r.o.Simulator)
			}
			m = r.closing.reset(cycle)
		case 'X':
			m = r.c.mismatch(cycle, nil, "outputs", "an output is unknown (x) after reset")
		case 'T':
			m = r.c.mismatch(cycle, nil, "time", "the design does nothing any more: a dead lock")
		case 'Q':
			done, total := r.done.Commands, r.part.To-r.part.From
			if want := r.words() + len(r.d.Manifest.Counters); done != total || r.memory != want || r.closing.under() {
				return nil, string(line), fmt.Errorf("%s ended after %d of %d samples and %d of %d words read back", r.o.Simulator, done, total, r.memory, want)
			}
			counts := r.counts()
			return nil, "", r.book(r.index, r.finished(cycle, &counts), true)
		}
		if m != nil {
			m.Step = r.closing.name()
			return m, "", nil
		}
		last = string(line[:min(len(line), 60)])
	}
	if err := scanner.Err(); err != nil {
		return nil, last, err
	}
	return nil, last, fmt.Errorf("%s stopped in the middle of sample %d", r.o.Simulator, r.part.From+r.done.Commands)
}

// decimals reads two counts.
func decimals(a, b []byte) (x, y int64, err error) {
	if x, err = strconv.ParseInt(string(a), 10, 64); err == nil {
		y, err = strconv.ParseInt(string(b), 10, 64)
	}
	return x, y, err
}

// ended books a command that did everything that it must.
func (r *run) ended(f *flight) {
	r.exercised.command(r.d, f)
	if f.kind >= closingInference {
		r.closing.done++
		r.current = nil
		return
	}
	r.done.Commands++
	right := 0
	if f.trace.Class == f.label {
		right = 1
	}
	switch f.kind {
	case inference:
		r.done.Samples++
		r.done.Correct += right
		r.current = &r.done.InferenceTime
	case learning:
		r.done.Learned++
		r.current = &r.done.LearningTime
		r.boundary = f.counts != nil
	case inferenceAgain:
		r.done.AgainModel += right
		if f.got == f.label {
			r.done.AgainRTL++
		}
		r.current = nil
	}
}

// listed books the time of a list of commands, all of which are done.
func (r *run) listed(cycle int64) {
	now := time.Now()
	if r.current != nil {
		*r.current += cycle - r.lastEnd
	}
	if r.current == &r.done.LearningTime {
		if r.learnTo.IsZero() {
			r.learnFrom = r.lastTime
		}
		r.learnTo = now
	}
	r.lastEnd, r.lastTime, r.current = cycle, now, nil
	if r.sampled == 0 && r.done.Commands == r.part.To-r.part.From {
		r.sampled = cycle
	}
}

// ready checks a word of the preamble of a run that begins elsewhere; the part's cycles go on with the last one.
func (r *run) ready(cycle int64, text []byte) *Mismatch {
	if r.preamble--; r.preamble < len(r.d.Manifest.Counters) {
		return r.started(cycle, text)
	}
	i := controlWords - 1 + len(r.d.Manifest.Counters) - r.preamble
	want := []int64{int64(r.d.Network.Seed), int64(r.updates(r.part.begin())), 0}[i]
	got, err := strconv.ParseUint(string(text), 16, 64)
	if err != nil || int64(got) != want {
		m := r.c.mismatch(cycle, nil, controlNames[i], "the word that the simulator starts with")
		m.Expected, m.Got = fmt.Sprint(want), string(text)
		return m
	}
	return nil
}

// started keeps a counter's word since the reset: the part does not count it.
func (r *run) started(cycle int64, text []byte) *Mismatch {
	got, err := strconv.ParseInt(string(text), 16, 64)
	if err != nil {
		return r.c.mismatch(cycle, nil, "counter "+r.d.Manifest.Counters[len(r.atReset)], "word %q is not a number", text)
	}
	if r.atReset = append(r.atReset, got); r.preamble == 0 {
		r.c.offset = r.part.Done.Cycle - cycle
		r.lastEnd, r.lastTime = cycle, time.Now()
	}
	return nil
}

// batchCounter checks a counter read after a mini-batch; with the last one the part has done so much.
func (r *run) batchCounter(cycle int64, e *expected, text []byte) (*Mismatch, error) {
	m := r.counter(cycle, e.counts, text)
	if m != nil || len(r.counters) < len(r.d.Manifest.Counters) {
		return m, nil
	}
	if err := r.book(r.index, r.finished(cycle, e.counts), false); err != nil {
		return nil, err
	}
	r.counters, r.boundary, r.lastEnd = nil, false, cycle
	return nil, nil
}

// counter checks the next counter of the design.
func (r *run) counter(cycle int64, counts *settling.Counts, text []byte) *Mismatch {
	name := r.d.Manifest.Counters[len(r.counters)]
	got, err := strconv.ParseInt(string(text), 16, 64)
	if err != nil {
		return r.c.mismatch(cycle, nil, "counter "+name, "word %q is not a number", text)
	}
	r.counters = append(r.counters, got)
	if want, known := r.expectedCounter(name, counts); known && want != got {
		m := r.c.mismatch(cycle, nil, "counter "+name, "")
		m.Expected, m.Got = fmt.Sprint(want), fmt.Sprint(got)
		return m
	}
	return nil
}

// controlNames are the host's control words.
var controlNames = [controlWords]string{"seed", "number of the next update", "samples held"}

// words is how many words are read back before the counters.
func (r *run) words() int {
	return r.d.Manifest.Lanes*r.d.Layout.Depth + len(r.d.Arithmetic.Matrices) + controlWords
}

// register is the i-th word after the synapses: the rates and the host's control words.
func (r *run) register(i int) (name string, want int64) {
	matrices := r.d.Arithmetic.Matrices
	if i -= len(matrices); i >= 0 {
		return controlNames[i], []int64{int64(r.machine.Seed()), int64(r.machine.Step()), int64(r.machine.Held())}[i]
	}
	i += len(matrices)
	return "rate of " + matrices[i].Name(), r.machine.Rates()[i]
}

// data checks the next word read back: the synapse memories lane by lane, the registers, then the counters.
func (r *run) data(cycle int64, address uint32, text []byte) *Mismatch {
	if r.memory++; address >= hostCounters {
		counts := r.counts()
		return r.counter(cycle, &counts, text)
	}
	r.done.Words++
	return r.word(cycle, address, text, "the word at the end")
}

// word checks a word that the host has read: a synapse or a register.
func (r *run) word(cycle int64, address uint32, text []byte, detail string) *Mismatch {
	bits, err := strconv.ParseUint(string(text), 16, 64)
	if err != nil {
		return r.c.mismatch(cycle, nil, "memory", "word %q is not a number", text)
	}
	got := int64(bits)
	if address >= hostRates {
		i := int(address % hostRates)
		if address >= hostControl {
			i += len(r.d.Arithmetic.Matrices)
		}
		name, want := r.register(i)
		if got == want {
			return nil
		}
		m := r.c.mismatch(cycle, nil, name, "%s", detail)
		m.Expected, m.Got = fmt.Sprint(want), fmt.Sprint(got)
		return m
	}
	lane, at := int(address/hostLane), int(address%hostLane)
	matrix, column, row, ok := r.d.Layout.Place(lane, at)
	if !ok {
		if got == 0 {
			return nil
		}
		m := r.c.mismatch(cycle, nil, "padding", "lane %d, address %d holds no synapse and must stay zero", lane, at)
		m.Lane, m.Address, m.Expected, m.Got = lane, at, "0", fmt.Sprint(got)
		return m
	}
	want := r.machine.Synapse(matrix, row, column)
	if got == want {
		return nil
	}
	if r.closing != nil {
		if late, may := r.closing.either[address]; may && got == late {
			r.machine.SetSynapse(matrix, row, column, got)
			return nil
		}
	}
	x := &r.d.Arithmetic.Matrices[matrix]
	m := r.c.mismatch(cycle, nil, x.Name(), "%s", detail)
	m.Row, m.Column, m.Lane, m.Address = row, column, lane, at
	m.Expected, m.Got = word(want, x.Type.Format), word(got, x.Type.Format)
	return m
}

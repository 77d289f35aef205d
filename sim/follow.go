package sim

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"
)

// follow reads the trace to its end or the first mismatch.
func (r *run) follow(pipe io.Reader, traces <-chan expected) (m *Mismatch, last string, err error) {
	scanner := bufio.NewScanner(pipe)
	scanner.Buffer(make([]byte, 1<<20), 1<<24)
	total := len(r.o.Inference) + len(r.o.Learning)
	memory := 0
	r.c = newComparator(r.d, func() (e expected, ok bool) {
		e, ok = <-traces
		return e, ok
	}, func(e expected) {
		r.ended(e)
		if r.o.Progress != nil {
			r.o.Progress(r.finished, total)
		}
	})
	for scanner.Scan() {
		line := scanner.Bytes()
		fields := bytes.Fields(line)
		if len(fields) < 2 {
			return nil, string(line), fmt.Errorf("%s printed a line that is not of the protocol", r.o.Simulator)
		}
		cycle, e := strconv.ParseInt(string(fields[1]), 10, 64)
		wants := map[byte]int{'S': 6, 'W': 4, 'O': 4, 'R': 3, 'D': 4, 'E': 4, 'X': 3, 'T': 2, 'Q': 2}[line[0]]
		if e != nil || len(fields) != wants {
			return nil, string(line), fmt.Errorf("%s printed a line that is not of the protocol", r.o.Simulator)
		}
		switch line[0] {
		case 'S':
			m = r.c.state(cycle, fields[2], fields[3], fields[4], fields[5])
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
			m = r.c.finishAll(cycle)
			r.ends = append(r.ends, cycle)
		case 'D':
			m = r.data(cycle, memory, fields[2], fields[3])
			memory++
		case 'X':
			m = r.c.mismatch(cycle, nil, "outputs", "an output is unknown (x) after reset")
		case 'T':
			m = r.c.mismatch(cycle, nil, "time", "the design does nothing any more: a dead lock")
		case 'Q':
			if want := r.words() + len(r.d.Manifest.Counters); r.finished != total || memory != want {
				return nil, string(line), fmt.Errorf("%s ended after %d of %d samples and %d of %d words read back", r.o.Simulator, r.finished, total, memory, want)
			}
			return nil, "", nil
		}
		if m != nil {
			return m, "", nil
		}
		last = string(line[:min(len(line), 60)])
	}
	if err := scanner.Err(); err != nil {
		return nil, last, err
	}
	return nil, last, fmt.Errorf("%s stopped in the middle of sample %d", r.o.Simulator, r.finished)
}

// decimals reads two counts.
func decimals(a, b []byte) (x, y int64, err error) {
	if x, err = strconv.ParseInt(string(a), 10, 64); err == nil {
		y, err = strconv.ParseInt(string(b), 10, 64)
	}
	return x, y, err
}

// ended books a command.
func (r *run) ended(e expected) {
	r.finished++
	if e.learn {
		r.report.Learned++
	} else {
		r.report.Samples++
		if e.trace.Class == e.label {
			r.correct++
		}
	}
}

// words is how many words are read back before the counters.
func (r *run) words() int {
	return r.d.Manifest.Lanes*r.d.Layout.Depth + len(r.d.Arithmetic.Matrices) + controlWords
}

// register is the i-th word after the synapses: the rates and the host's control words.
func (r *run) register(i int) (name string, want int64) {
	matrices := r.d.Arithmetic.Matrices
	switch i - len(matrices) {
	case 0:
		return "seed", int64(r.machine.Seed())
	case 1:
		return "number of the next update", int64(r.machine.Step())
	case 2:
		return "samples held", int64(len(r.o.Learning) % r.d.Network.Learning.Batch)
	}
	return "rate of " + matrices[i].Name(), r.machine.Rates()[i]
}

// data checks the i-th word read back: the synapse memories lane by lane, the registers, then the counters.
func (r *run) data(cycle int64, i int, _, text []byte) *Mismatch {
	got, err := strconv.ParseUint(string(text), 16, 64)
	if err != nil {
		return r.c.mismatch(cycle, nil, "memory", "word %q is not a number", text)
	}
	depth := r.d.Layout.Depth
	if i < r.d.Manifest.Lanes*depth {
		lane, address := i/depth, i%depth
		var want int64
		matrix, column, row, ok := r.d.Layout.Place(lane, address)
		if ok {
			want = r.machine.Synapse(matrix, row, column)
		}
		r.report.ComparedMemoryWords++
		if int64(got) == want {
			return nil
		}
		if !ok {
			m := r.c.mismatch(cycle, nil, "padding", "lane %d, address %d holds no synapse and must stay zero", lane, address)
			m.Lane, m.Address, m.Expected, m.Got = lane, address, "0", fmt.Sprint(int64(got))
			return m
		}
		m := r.c.mismatch(cycle, nil, r.d.Arithmetic.Matrices[matrix].Name(), "the synapse memory's word at the end")
		m.Row, m.Column, m.Lane, m.Address = row, column, lane, address
		f := r.d.Arithmetic.Matrices[matrix].Type.Format
		m.Expected, m.Got = word(want, f), word(int64(got), f)
		return m
	}
	if rest := i - r.d.Manifest.Lanes*depth; i < r.words() {
		name, want := r.register(rest)
		r.report.ComparedMemoryWords++
		if int64(got) == want {
			return nil
		}
		m := r.c.mismatch(cycle, nil, name, "the word at the end")
		m.Expected, m.Got = fmt.Sprint(want), fmt.Sprint(got)
		return m
	}
	r.counters = append(r.counters, int64(got))
	name := r.d.Manifest.Counters[len(r.counters)-1]
	r.report.Counters = append(r.report.Counters, Counter{name, int64(got)})
	if want, known := r.expectedCounter(name); known && want != int64(got) {
		m := r.c.mismatch(cycle, nil, "counter "+name, "")
		m.Expected, m.Got = fmt.Sprint(want), fmt.Sprint(got)
		return m
	}
	return nil
}

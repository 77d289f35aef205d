package lockstep

import (
	"bytes"
	"strings"
)

// fields is how many every line of the protocol has; 0: any number.
var fields = map[byte]int{'S': 6, 'Y': 5, 'W': 6, 'O': 4, 'R': 4, 'D': 4, 'E': 4, 'Z': 2, 'N': 3, 'T': 2, 'Q': 2, 'X': 0, 'F': 0}

// line takes a line that the simulator printed; false: it is none of the protocol.
func (c *comparator) line(text []byte) bool {
	f := bytes.Fields(text)
	if len(f) < 2 || len(f[0]) != 1 {
		return false
	}
	tag := f[0][0]
	n, known := fields[tag]
	cycle, ok := decimal(f[1])
	if !known || !ok || n > 0 && len(f) != n {
		return false
	}
	// The numbers of a line, hexadecimal but for those of E; words stay digits.
	numbers := func(of ...[]byte) (list []int) {
		for _, digits := range of {
			v, known := bits(digits, 0, min(63, 4*len(digits)))
			ok = ok && known
			list = append(list, int(v))
		}
		return list
	}
	switch tag {
	case 'X':
		c.fail(cycle, nil, "outputs", "unknown values after reset: %s of handshakes, scores, class, host, steps, shared words, synapses", joined(f[2:]))
	case 'F':
		c.fail(cycle, nil, "simulator", "%s", joined(f[2:]))
	case 'T':
		c.fail(cycle, nil, "time", "the design does nothing any more: a dead lock")
	case 'Z':
		c.reset(cycle)
	case 'S':
		if x := numbers(f[2], f[3], f[4]); ok {
			c.step(cycle, x[0], x[1], x[2], f[5])
		}
	case 'Y':
		if x := numbers(f[2], f[3]); ok {
			c.shared(cycle, x[0], x[1], f[4])
		}
	case 'W':
		if x := numbers(f[2], f[3]); ok {
			c.synapse(cycle, x[0], x[1], f[4], f[5])
		}
	case 'O':
		if x := numbers(f[2]); ok {
			c.score(cycle, x[0], f[3])
		}
	case 'R':
		if wrong := numbers(f[3]); ok && wrong[0] != 0 { // the class means nothing
			c.refusal(cycle)
		} else if x := numbers(f[2]); ok {
			c.answer(cycle, x[0])
		}
	case 'E':
		busy, first := decimal(f[2])
		waiting, second := decimal(f[3])
		if ok = first && second; ok {
			c.idle(cycle, busy, waiting)
		}
	case 'N':
		if x := numbers(f[2]); ok {
			c.refused(cycle, uint32(x[0]))
		}
	case 'D':
		word, known := bits(f[3], 0, 64)
		if x := numbers(f[2]); ok && known {
			c.data(cycle, uint32(x[0]), word)
		} else {
			ok = false
		}
	case 'Q':
		if c.expect(cycle, opIdle) != nil || c.op() != nil {
			c.fail(cycle, nil, "simulator", "the run is over before its end")
		}
		c.ended = true
	}
	return ok
}

func joined(list [][]byte) string {
	var words []string
	for _, w := range list {
		words = append(words, string(w))
	}
	return strings.Join(words, " ")
}

// decimal reads a count.
func decimal(digits []byte) (v int64, ok bool) {
	for _, d := range digits {
		if d < '0' || d > '9' {
			return 0, false
		}
		v = 10*v + int64(d-'0')
	}
	return v, len(digits) > 0
}

// bits are some of a port's, printed as hexadecimal digits, at most 64; ok: all of them are known.
func bits(digits []byte, low, width int) (v uint64, ok bool) {
	at := len(digits) - 1 - low/4
	for shift := -(low % 4); shift < width; shift += 4 {
		if at < 0 {
			return 0, false
		}
		d := digits[at]
		at--
		switch {
		case d >= '0' && d <= '9':
			d -= '0'
		case d >= 'a' && d <= 'f':
			d -= 'a' - 10
		default:
			return 0, false
		}
		if shift < 0 {
			v |= uint64(d) >> -shift
		} else {
			v |= uint64(d) << shift
		}
	}
	return v & raw(-1, width), true
}

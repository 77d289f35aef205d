package sim

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"corinfo/hdlgen/settling"
)

// Sample is one sample for a design: raw input words and, for learning, its label and the sign of beta.
type Sample struct {
	X        []int64
	Label    int
	Negative bool
}

// kind tells which list of a run a command is of; the design gets the lists in this order.
type kind int

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
	Sample
	kind kind
}

// golden is the command as the model takes it.
func (x *command) golden() settling.Command {
	return settling.Command{Learn: x.kind.learns(), Label: x.Label, Negative: x.Negative}
}

// commands are all of a run.
func (o *Options) commands() (all []command) {
	list := func(samples []Sample, kind kind) {
		for _, s := range samples {
			all = append(all, command{s, kind})
		}
	}
	list(o.Inference, inference)
	list(o.Learning, learning)
	if o.Again {
		list(o.Inference, inferenceAgain)
	}
	return all
}

// Regions of the host's addresses.
const (
	hostSynapses = 0 << 28
	hostRates    = 1 << 28
	hostControl  = 2 << 28
	hostCounters = 3 << 28
	hostLane     = 1 << 20
)

// Words of the host's control: seed, number of the next update, samples held.
const (
	controlUpdate = 1
	controlWords  = 3
)

// text is what a simulator is told.
func (x *command) text(b *bytes.Buffer) {
	if x.kind.learns() {
		negative := 0
		if x.Negative {
			negative = 1
		}
		fmt.Fprintf(b, "L %x %d\n", x.Label, negative)
	} else {
		b.WriteString("I\n")
	}
	for _, word := range x.X {
		fmt.Fprintf(b, "%x ", uint64(word))
	}
	b.WriteByte('\n')
}

// rehearsalText is what a simulator is told to find out where a run will spend its time: one inference, one mini-batch.
func (c *cosimulation) rehearsalText() []byte {
	var b bytes.Buffer
	short := Options{Inference: c.o.Inference[:min(1, len(c.o.Inference))], Learning: c.o.Learning[:min(c.d.Network.Learning.Batch, len(c.o.Learning))]}
	for _, x := range short.commands() {
		x.text(&b)
	}
	b.WriteString("E\nQ\n")
	return b.Bytes()
}

// stimulusText is what a simulator is told: the commands from one on, list by list, behind the run's last one the closing part, then the read-back. What begins elsewhere
// than the run gives the host the number of the next update first, and reads what has been counted since the reset.
func (c *cosimulation) stimulusText(from, to int) []byte {
	var b bytes.Buffer
	counters := func() { fmt.Fprintf(&b, "G %x %x\n", uint32(hostCounters), len(c.d.Manifest.Counters)) }
	if c.o.Stall != 0 {
		fmt.Fprintf(&b, "S %x\n", 1+(c.o.Stall-1)%(1<<16-1))
	}
	if from > 0 {
		fmt.Fprintf(&b, "H %x %x\nG %x %x\n", hostControl+controlUpdate, c.updates(from), hostControl, controlWords)
		counters()
	}
	for i := from; i < to; i++ {
		x := &c.commands[i]
		x.text(&b)
		boundary := c.mayStop(i)
		if boundary || i+1 == to || c.commands[i+1].kind != x.kind {
			b.WriteString("E\n") // the time of one list of commands ends before that of the next begins
		}
		if boundary {
			counters()
		}
	}
	if from == to {
		b.WriteString("E\n") // tells the cycles since the reset
	}
	if to == len(c.commands) {
		for i := range c.steps {
			c.steps[i].text(&b, len(c.d.Manifest.Counters))
		}
	}
	for lane := range c.d.Manifest.Lanes {
		fmt.Fprintf(&b, "G %x %x\n", hostSynapses+lane*hostLane, c.d.Layout.Depth)
	}
	fmt.Fprintf(&b, "G %x %x\nG %x %x\n", hostRates, len(c.d.Arithmetic.Matrices), hostControl, controlWords)
	counters()
	b.WriteString("Q\n")
	return b.Bytes()
}

// writeStimulus makes a file of a stimulus in a folder.
func writeStimulus(folder string, text []byte) (string, error) {
	f, err := os.CreateTemp(folder, "stimulus-*.txt")
	if err != nil {
		return "", err
	}
	path, err := filepath.Abs(f.Name())
	if err == nil {
		_, err = f.Write(text)
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		os.Remove(f.Name())
		return "", fmt.Errorf("write %s: %w", f.Name(), err)
	}
	return path, nil
}

// learned is how many of the commands before one learn.
func (c *cosimulation) learned(before int) int {
	return min(max(0, before-len(c.o.Inference)), len(c.o.Learning))
}

// updates are those that the commands before one make.
func (c *cosimulation) updates(before int) int { return c.learned(before) / c.d.Network.Learning.Batch }

// mayStop tells whether a checkpoint may be taken after a command: it completes a mini-batch.
func (c *cosimulation) mayStop(i int) bool {
	return c.o.SaveEvery > 0 && c.commands[i].kind == learning && c.learned(i+1)%c.d.Network.Learning.Batch == 0
}

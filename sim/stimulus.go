package sim

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"corinfo/hdlgen"
)

// newStimulus makes a file in the folder of all commands: inference first, then learning, the same inference again
// where that is asked for, then the read-back.
func newStimulus(folder string, d *hdlgen.Design, o Options, from totals) (string, error) {
	f, err := os.CreateTemp(folder, "stimulus-*.txt")
	if err != nil {
		return "", err
	}
	path, err := filepath.Abs(f.Name())
	if err == nil {
		_, err = f.Write(stimulus(d, o, from))
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

// stimulus is what is left of a run when those samples are through. A continued run gives the host the number of the
// next update first, and reads what has been counted since the reset.
func stimulus(d *hdlgen.Design, o Options, from totals) []byte {
	var b bytes.Buffer
	sample := func(s Sample) {
		for _, x := range s.X {
			fmt.Fprintf(&b, "%x ", uint64(x))
		}
		b.WriteByte('\n')
	}
	// The time of one list of commands ends before that of the next begins.
	wait := func() { b.WriteString("E\n") }
	classify := func(samples []Sample) {
		for _, s := range samples {
			b.WriteString("I\n")
			sample(s)
		}
		wait()
	}
	counters := func() { fmt.Fprintf(&b, "G %x %x\n", uint32(hostCounters), len(d.Manifest.Counters)) }
	if o.Resume {
		fmt.Fprintf(&b, "H %x %x\nG %x %x\n", hostControl+controlUpdate, from.updates(d), hostControl, controlWords)
		counters()
	}
	classify(o.Inference[from.Samples:])
	for i, s := range o.Learning[from.Learned:] {
		negative := 0
		if s.Negative {
			negative = 1
		}
		fmt.Fprintf(&b, "L %x %d\n", s.Label, negative)
		sample(s)
		if o.boundary(d, from.Learned+i) {
			wait()
			counters()
		}
	}
	wait()
	if o.Again {
		classify(o.Inference)
	}
	for lane := range d.Manifest.Lanes {
		fmt.Fprintf(&b, "G %x %x\n", hostSynapses+lane*hostLane, d.Layout.Depth)
	}
	fmt.Fprintf(&b, "G %x %x\nG %x %x\n", hostRates, len(d.Arithmetic.Matrices), hostControl, controlWords)
	counters()
	b.WriteString("Q\n")
	return b.Bytes()
}

// boundary tells whether a checkpoint may be taken after a learning sample: it completes a mini-batch.
func (o *Options) boundary(d *hdlgen.Design, i int) bool {
	return o.SaveEvery > 0 && (i+1)%d.Network.Learning.Batch == 0
}

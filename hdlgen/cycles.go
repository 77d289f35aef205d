package hdlgen

import (
	"corinfo/hdlgen/settling"
)

// Cycles tells exactly how long a design is busy with samples that the model ran.
type Cycles struct{ t *timing }

// NewCycles is that of a network on lanes. Errors are those of Build.
func NewCycles(a *settling.Arithmetic, lanes int, target Target) (*Cycles, error) {
	t, _, err := newTiming(a, lanes, target)
	if err != nil {
		return nil, err
	}
	t.dense = a.Network.Hardware.Mode == "dense"
	return &Cycles{t}, nil
}

// Settling is how long samples are taken or settle, each of which has the design for itself and waits for nothing.
func (c *Cycles) Settling(v *Activity) (cycles int) {
	for i := range v.inferences {
		cycles += c.t.play(v.inferences[i:i+1], false).settling
	}
	for i := range v.samples {
		cycles += c.t.play(v.samples[i:i+1], true).settling
	}
	return cycles
}

// Updates is how long synapses are updated: the cycles in which some matrix is, for all whole mini-batches.
func (c *Cycles) Updates(v *Activity) (cycles int) {
	for batch := c.t.a.Network.Learning.Batch; len(v.samples) >= batch; v = (&Activity{samples: v.samples[batch:]}) {
		for i := range c.t.a.Matrices {
			cycles += c.t.matrix(v.samples[:batch], i) - 1 // the first one belongs to the grant
		}
	}
	return cycles
}

// Learned is how many learning samples an activity has.
func (v *Activity) Learned() int { return len(v.samples) }

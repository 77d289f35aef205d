package design

import (
	"context"
	"errors"

	"corinfo/constraints"
	"corinfo/golden"
	"corinfo/golden/network"
	"corinfo/hdlgen"
)

// Choice is a number of neuron units and of samples in flight for a network on some lanes, and what they cost.
type Choice struct {
	Units              int     `json:"neuron_units"`
	Contexts           int     `json:"contexts"`
	CyclesPerInference float64 `json:"cycles_per_inference"`
	CyclesPerLearning  float64 `json:"cycles_per_learning_sample,omitempty"`
	LanesBusy          float64 `json:"lanes_busy"`
	Multipliers        int     `json:"multipliers"`
	Blocks             int     `json:"block_memories,omitempty"` // of a board's device
	Fits               bool    `json:"fits"`                     // it, or there is none
	Chosen             bool    `json:"chosen"`
}

// cycles are those that a choice is for: of learning, where the design learns.
func (c *Choice) cycles() float64 {
	if c.CyclesPerLearning > 0 {
		return c.CyclesPerLearning
	}
	return c.CyclesPerInference
}

// mostSubs is the most lanes of a unit that Choices tries, and enough how much slower than the fastest one its choice may be.
const (
	mostSubs = 16
	enough   = 1.1
)

// Choices are all neuron units with 1 to 16 lanes each and all numbers of samples in flight that New takes, with the cycles that
// Estimate gives; none at all is New's ErrUsage. Chosen is the one with the fewest multipliers, then the fewest samples in flight,
// of those that fit the board (nil: any) and take at most a tenth more cycles than the fastest that fits: per learning sample, or
// per inference where nothing is learned. None is chosen if none fits.
func Choices(ctx context.Context, n *network.Network, lanes int, target hdlgen.Target, b *constraints.Board, a *Activity) (
	list []Choice, err error) {
	var refused error
	for subs := min(mostSubs, lanes); subs > 0; subs-- {
		if lanes%subs != 0 {
			continue
		}
		for contexts := 1; contexts <= network.MaxContexts; contexts++ {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			other := *n
			other.Hardware.Contexts = contexts
			p, err := New(&other, lanes, lanes/subs, target)
			if errors.Is(err, golden.ErrUsage) { // more than the machine counts, as it is with few units
				refused = err
				continue
			} else if err != nil {
				return nil, err
			}
			e, err := Estimate(p, a)
			if err != nil {
				return nil, err
			}
			c := Choice{Units: p.Units, Contexts: contexts, LanesBusy: e.LanesBusy, Multipliers: e.Multipliers, Fits: true,
				CyclesPerInference: e.CyclesPerInference, CyclesPerLearning: e.CyclesPerLearning}
			if b != nil {
				f := e.Fit(b)
				c.Multipliers, c.Blocks, c.Fits = f.DSP.Used, f.BRAM.Used, f.Fits
			}
			list = append(list, c)
		}
	}
	if list == nil {
		return nil, refused
	}
	choose(list)
	return list, nil
}

// choose marks one.
func choose(list []Choice) {
	var fastest, chosen *Choice
	for i := range list {
		if c := &list[i]; c.Fits && (fastest == nil || c.cycles() < fastest.cycles()) {
			fastest = c
		}
	}
	for i := range list {
		c := &list[i]
		if !c.Fits || c.cycles() > enough*fastest.cycles() {
			continue
		}
		if chosen == nil || c.Multipliers < chosen.Multipliers || c.Multipliers == chosen.Multipliers && c.Contexts < chosen.Contexts {
			chosen = c
		}
	}
	if chosen != nil {
		chosen.Chosen = true
	}
}

package design

import (
	"fmt"

	"corinfo/constraints"
	"corinfo/golden"
	"corinfo/golden/calibrate"
	"corinfo/golden/network"
	"corinfo/hdlgen"
)

// parts are the memories and multipliers of a plan; its cycles are not counted.
func (p *Plan) parts() (*hdlgen.Estimates, error) {
	s, err := newShape(p)
	if err != nil {
		return nil, err
	}
	e := &hdlgen.Estimates{Lanes: p.Lanes}
	p.memories(s, e)
	p.multipliers(s, e)
	return e, nil
}

// WithSharedFormats gives the parts that the plan of its network takes where all layers share one format per kind of tensor
// (calibrate.SharedFormats); nil if they are not fewer, or if the shared formats do not get on with one another.
func (p *Plan) WithSharedFormats() *hdlgen.Parts {
	own, err := p.parts()
	if err != nil {
		return nil
	}
	other, err := New(calibrate.SharedFormats(p.Network), p.Lanes, p.Units, p.Target)
	if err != nil {
		return nil
	}
	shared, err := other.parts()
	if err != nil || shared.Multipliers >= own.Multipliers && shared.Pipelines >= own.Pipelines {
		return nil
	}
	return &shared.Parts
}

// CheckFit refuses a design that cannot fit a board's device, and says what would (ErrUsage).
func (p *Plan) CheckFit(b *constraints.Board) error {
	e, err := p.parts()
	if err != nil {
		return err
	}
	f := e.Fit(b)
	if f.Fits {
		return nil
	}
	return fmt.Errorf("%w: %s on %d lanes and %d neuron units takes %d of %d multipliers, %d of %d block memories and at least %d of %d LUTs of %s (%s); %s",
		golden.ErrUsage, p.Network.Name, p.Lanes, p.Units, f.DSP.Used, f.DSP.Available, f.BRAM.Used, f.BRAM.Available, f.LUT.Used, f.LUT.Available, b.Name, b.Device,
		hdlgen.FitRemedy(MostLanes(p.Network, b)))
}

// MostLanes is the largest number of lanes with which a network fits a board's device, with as many neuron units as Units says; 0 if it
// does with none.
func MostLanes(n *network.Network, b *constraints.Board) int {
	for lanes := min(MaxLanes, b.Resources.DSP); lanes > 0; lanes-- { // each has a multiplier at least
		p, err := New(n, lanes, Units(lanes), b.Target)
		if err != nil {
			continue
		}
		if e, err := p.parts(); err == nil && e.Fit(b).Fits {
			return lanes
		}
	}
	return 0
}

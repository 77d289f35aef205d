package design

import (
	"fmt"
	"slices"

	"corinfo/golden"
	"corinfo/golden/machine"
	"corinfo/golden/rule"
	"corinfo/golden/training"
	"corinfo/hdlgen"
)

// LaneShift is where a lane's number begins in an address of the host.
const LaneShift = 18

// traces are the ports of the top module that only a testbench reads.
func (p *Plan) traces(s *shape) []hdlgen.Port {
	return []hdlgen.Port{
		{Name: "trace_step_valid_o", Width: 1},
		{Name: "trace_step_context_o", Width: s.Context},
		{Name: "trace_step_number_o", Width: 8},
		{Name: "trace_step_neuron_o", Width: 16},
		{Name: "trace_step_words_o", Width: p.Units * bitsOf(p.Words)},
		{Name: "trace_shared_valid_o", Width: 1},
		{Name: "trace_shared_words_o", Width: s.SharedW()},
		{Name: "trace_synapse_valid_o", Width: 1},
		{Name: "trace_synapse_address_o", Width: 20},
		{Name: "trace_synapse_sub_o", Width: 16},
		{Name: "trace_synapse_words_o", Width: p.Units * s.Synapse},
		{Name: "trace_synapse_besides_o", Width: p.Units * s.BesideW()},
	}
}

// Player is the design as a self-test or a testbench sees it; its model starts from a learner's synapses.
func (p *Plan) Player(learner *training.FixedLearner) (*hdlgen.Player, error) {
	s, err := newShape(p)
	if err != nil {
		return nil, err
	}
	n := p.Network
	own := &training.FixedLearner{Machine: machine.New(p.A, n.Seed)}
	own.Dense = n.Hardware.Mode == "dense"
	if err := own.SetTensors(learner.Tensors()); err != nil {
		return nil, err
	}
	return &hdlgen.Player{
		Inputs: n.Layers[0], Outputs: n.Layers[n.K()], Batch: n.Learning.Batch,
		Lanes: p.Lanes, Depth: p.Depth, LaneShift: LaneShift, Marks: true,
		X: p.A.InputType(), Score: p.A.Word(p.D.Readout),
		Label: s.Label, ScoreWidth: s.Score, Synapse: s.Synapse,
		Traces: p.traces(s), Quiet: 1000 + 50*p.Dense(),
		Run: func(x hdlgen.Sample, learn bool) (scores []int64, class int) {
			var t machine.Trace
			own.Run(x.X, machine.Command{Learn: learn, Label: x.Label, Negative: x.Negative}, &t)
			return t.Scores, t.Class
		},
		Word: func(lane, address int) int64 {
			projection, column, slot, ok := p.Column(address)
			if row := slot*p.Lanes + lane; ok && row < p.D.Projections[projection].Rows {
				return own.Synapse(projection, row, column)
			}
			return 0
		},
	}, nil
}

// Scheduled tells whether constants of updates change with the mini-batches: the host has to write them, and who plays samples
// without a host can learn no more than one.
func (p *Plan) Scheduled() bool {
	for i := range p.D.Updates {
		if slices.ContainsFunc(p.D.Updates[i].Graph.Constants, func(c rule.Constant) bool { return c.Scheduled }) {
			return true
		}
	}
	return false
}

// addTo adds what a board and a testbench get to a design's files.
func (p *Plan) addTo(files map[string][]byte, m *hdlgen.Manifest, b *hdlgen.Board, v *hdlgen.Vectors, learner *training.FixedLearner) error {
	batch := p.Network.Learning.Batch
	if b != nil {
		if p.Scheduled() && len(b.Learn) > batch {
			b.Learn = b.Learn[:batch]
		}
		player, err := p.Player(learner)
		if err == nil {
			err = hdlgen.AddBoard(files, m, b, player)
		}
		if err != nil {
			return err
		}
	}
	if v != nil {
		if p.Scheduled() && len(v.Learn) > batch {
			return fmt.Errorf("%w: vectors: constants of updates change with every mini-batch, and a testbench without a host learns one: %d samples", golden.ErrUsage, batch)
		}
		player, err := p.Player(learner)
		if err == nil {
			err = hdlgen.AddVectors(files, m, v, player)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

package hdlgen

import (
	fx "corinfo/fixedpoint"
	"corinfo/hdlgen/settling"
)

// Player is a design as those see it who play samples into it, a self-test or a testbench, and the bit-true model of it, which is its own.
type Player struct {
	Inputs, Outputs, Batch, Lanes int
	Depth                         int // words of a lane's synapse memory
	LaneShift                     int // of a lane in an address of the host
	X, Score                      fx.Type
	Label, ScoreWidth, Synapse    int    // widths, as those of the ports
	Traces                        []Port // outputs that only a testbench of ours reads
	Marks                         bool   // the design has sample_last_i and result_error_o
	Quiet                         int    // cycles without an answer after which a testbench may give up
	// Run takes a sample to the model.
	Run func(x TestSample, learn bool) (scores []int64, class int)
	// Word is a word of a lane's synapse memory, as the model has it.
	Word func(lane, address int) int64
}

// Port is a port of a design.
type Port struct {
	Name  string
	Width int
}

// laneShift is that of the lanes without neuron units.
const laneShift = 20

// player is that of lanes without neuron units; the model starts from a machine's synapses.
func player(a *settling.Arithmetic, m *Manifest, machine *settling.Machine) (*Player, error) {
	l, s, err := layOut(a, m.Lanes)
	if err != nil {
		return nil, err
	}
	dense, err := Estimate(a, m.Lanes, m.Target, nil)
	if err != nil {
		return nil, err
	}
	own := settling.NewMachine(machine.A)
	own.SetSeed(machine.Seed())
	own.Dense = machine.Dense
	if err := own.SetTensors(machine.Tensors()); err != nil {
		return nil, err
	}
	K := a.Network.K()
	p := &Player{Inputs: a.Network.Layers[0], Outputs: a.Network.Layers[K], Batch: a.Network.Learning.Batch, Lanes: l.Lanes, Depth: l.Depth, LaneShift: laneShift,
		X: a.Formats.X, Score: a.Formats.Layer[K].R, Label: s.Label, ScoreWidth: s.R, Synapse: s.Word, Quiet: 1000 + 2*int(dense.CyclesPerLearning+dense.CyclesPerUpdate)}
	p.Traces = []Port{{"trace_state_valid_o", 1}, {"trace_state_context_o", s.Context}, {"trace_state_slot_o", 16}, {"trace_state_u_o", m.Lanes * s.U}, {"trace_state_r_o", m.Lanes * s.R},
		{"trace_synapse_valid_o", 1}, {"trace_synapse_address_o", 20}, {"trace_synapse_o", m.Lanes * s.Word}}
	if s.Q > 0 {
		p.Traces = append(p.Traces, Port{"trace_step_valid_o", 1}, Port{"trace_step_context_o", s.Context}, Port{"trace_step_layer_o", 8}, Port{"trace_step_qu_o", s.QU}, Port{"trace_step_q_o", s.Q})
	}
	p.Run = func(x TestSample, learn bool) (scores []int64, class int) {
		trace := &settling.Trace{}
		own.Run(x.X, settling.Command{Learn: learn, Label: x.Label, Negative: x.Negative}, trace)
		return trace.Scores, trace.Class
	}
	p.Word = func(lane, address int) int64 {
		if matrix, column, row, ok := l.Place(lane, address); ok {
			return own.Synapse(matrix, row, column)
		}
		return 0
	}
	return p, nil
}

package hdlgen

import fx "corinfo/fixedpoint"

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
	Run func(x Sample, learn bool) (scores []int64, class int)
	// Word is a word of a lane's synapse memory, as the model has it.
	Word func(lane, address int) int64
}

// Port is a port of a design.
type Port struct {
	Name  string
	Width int
}

package settling

import (
	"corinfo/golden/network"
	"corinfo/golden/rule"
)

// Opcode is what one instruction of the program does. The bit-true model executes the program here;
// hdlgen stores the same program in the sequencer's memory.
type Opcode uint8

const (
	OpClear    Opcode = iota // zero every state, potential and accumulator
	OpLoad                   // take one input sample; its nonzero elements are the events of layer 0
	OpSettle                 // one settling step of one layer, then the events of its changed states
	OpRecord                 // keep the states and errors of one layer for learning
	OpResult                 // give the class and the scores
	OpInferred               // an inference ends here
	OpSampled                // a learning sample ends here, unless it completes the mini-batch
	OpUpdate                 // update one matrix
	OpEnd                    // the mini-batch is done
)

// Phase names the phases of a learning sample.
type Phase uint8

const (
	Free   Phase = iota // beta = 0
	Nudged              // beta
	Third               // -beta, the third phase of the three-phase option
)

// String is the phase's name in reports.
func (p Phase) String() string { return [...]string{"free", "nudged", "third"}[p] }

// Role is the part that a recorded phase has in the updates of W and F.
type Role uint8

const (
	Minus Role = iota // its products are subtracted
	Plus              // its products are added; C learns from this phase
)

// Instruction is one step of the program. Fields that an opcode does not name are zero.
type Instruction struct {
	Op        Opcode
	Layer     int   // OpSettle, OpRecord, OpResult
	Phase     Phase // OpSettle, OpRecord
	Iteration int   // OpSettle: s within its phase
	Eta       int64 // OpSettle: raw word of Formats.Eta
	Restart   bool  // OpSettle: first iteration of a phase, u := r
	Last      bool  // OpSettle: the iteration is complete after this layer
	Exit      int   // OpSettle with Last: where to go on if nothing changed in the iteration; 0 where phases don't end early
	Role      Role  // OpRecord
	Second    bool  // OpRecord: the other role of this sample is already recorded
	Matrix    int   // OpUpdate
	Negate    bool  // OpUpdate: products change sign (the difference of states was taken as minus - plus)
}

// program lays out one sample (and the mini-batch's update) as a list without loops: CLEAR, LOAD, the
// free phase, RESULT; for learning the nudged phases with what they record; then the updates.
func program(n *network.Network, matrices []Matrix, eta []int64) []Instruction {
	var p []Instruction
	settle := func(phase Phase, iterations int) {
		start := len(p)
		for s := range iterations {
			for k := 1; k <= n.K(); k++ {
				p = append(p, Instruction{Op: OpSettle, Layer: k, Phase: phase, Iteration: s, Eta: eta[s], Restart: s == 0, Last: k == n.K()})
			}
		}
		if n.Settling.EarlyEnd {
			for i := start; i < len(p); i++ {
				if p[i].Last {
					p[i].Exit = len(p)
				}
			}
		}
	}
	record := func(phase Phase, role Role, second bool) {
		for k := 1; k <= n.K(); k++ {
			p = append(p, Instruction{Op: OpRecord, Layer: k, Phase: phase, Role: role, Second: second})
		}
	}
	p = append(p, Instruction{Op: OpClear}, Instruction{Op: OpLoad})
	settle(Free, n.Settling.FreeIterations)
	p = append(p, Instruction{Op: OpResult, Layer: n.K()}, Instruction{Op: OpInferred})
	if n.Learning.Contrast == rule.WithThird {
		settle(Nudged, n.Settling.NudgedIterations)
		record(Nudged, Plus, false)
		settle(Third, n.Settling.NudgedIterations)
		record(Third, Minus, true)
	} else {
		record(Free, Minus, false)
		settle(Nudged, n.Settling.NudgedIterations)
		record(Nudged, Plus, true)
	}
	p = append(p, Instruction{Op: OpSampled})
	for i, m := range matrices {
		p = append(p, Instruction{Op: OpUpdate, Matrix: i, Negate: n.Learning.Contrast == rule.WithThird && m.Kind == Feedforward && m.Index == 0})
	}
	return append(p, Instruction{Op: OpEnd})
}

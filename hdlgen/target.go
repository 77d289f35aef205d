package hdlgen

import (
	"fmt"

	"corinfo/golden"
)

// Target says how much a device does in a clock cycle; pipelines are cut accordingly. What a design computes does
// not depend on it, only in how many cycles.
type Target struct {
	ReadCycles   int `json:"read_cycles"`   // from an address of a block memory to its word: 1, or 2 with a register behind the choice of its blocks
	FactorCycles int `json:"factor_cycles"` // registers between what a pipeline is given and its multipliers: 0 or 1
	RoundBits    int `json:"round_bits"`    // widest sum of a rounding that is limited within the same cycle
	WireCycles   int `json:"wire_cycles"`   // registers on every wire from the control to the lanes, and on every wire back: 0 to 2
}

// FastTarget is for clocks near the limit of a device: nothing but wires between a block memory, a multiplier and
// the registers around them.
var FastTarget = Target{ReadCycles: 2, FactorCycles: 1, RoundBits: 16, WireCycles: 2}

// check refuses what the library cannot be built for.
func (t Target) check() error {
	if t.ReadCycles < 1 || t.ReadCycles > 2 || t.FactorCycles < 0 || t.FactorCycles > 1 || t.RoundBits < 0 || t.WireCycles < 0 || t.WireCycles > 2 {
		return fmt.Errorf("%w: target: %+v; want 1 or 2 cycles to read a memory, 0 or 1 before a multiplier, 0 or more bits of a rounding, and 0 to 2 registers on a wire", golden.ErrUsage, t)
	}
	return nil
}

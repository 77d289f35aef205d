package hdlgen

import (
	"fmt"

	"corinfo/constraints"
	"corinfo/golden"
)

// Target is what a design's pipelines are cut for.
type Target = constraints.Target

// FastTarget is that of the generic family: nothing but wires between a block memory, a multiplier and the registers
// around them, and no registers on the wires to the lanes, whose length nobody knows.
var FastTarget = func() Target {
	f, err := constraints.GetFamily(constraints.GenericFamily)
	if err != nil {
		panic("hdlgen: " + err.Error()) // it is in the list
	}
	return f.Target
}()

// CheckTarget refuses what the library cannot be built for.
func CheckTarget(t Target) error {
	if _, err := constraints.GetFamily(t.Family); err != nil {
		return fmt.Errorf("%w: target: %w", golden.ErrUsage, err)
	}
	if t.ReadCycles < 1 || t.ReadCycles > 2 || t.OperandCycles < 0 || t.OperandCycles > 1 || t.RoundBits < 0 ||
		t.WireCycles < 0 || t.WireCycles > 2 || t.RingCycles < 0 || t.RingCycles == 1 || t.RingCycles == 2 {
		return fmt.Errorf("%w: target: %+v; want 1 or 2 cycles to read a memory, 0 or 1 before an operation, 0 or more bits of a rounding, 0 to 2 registers on a wire, and 0 or at least 3 cycles in a ring", golden.ErrUsage, t)
	}
	return nil
}

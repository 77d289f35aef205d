package constraints

import (
	"fmt"
	"strings"
)

// Target says how much the devices of a family do in a clock cycle, and what memories they have; pipelines are cut
// accordingly. What a design computes does not depend on it, only in how many cycles.
type Target struct {
	// Family is the name of the family; "" is GenericFamily.
	Family string `json:"family"`
	// ReadCycles are those from an address of a block memory to its word: 1, or 2 with a register behind the choice of its blocks.
	ReadCycles int `json:"read_cycles"`
	// OperandCycles are the registers between what a pipeline is given, which may come out of a block memory, and its first operation: 0 or 1.
	OperandCycles int `json:"operand_cycles"`
	// RoundBits is the widest sum of a rounding that is limited within the same cycle.
	RoundBits int `json:"round_bits"`
	// WireCycles are the registers on every wire from the control to the lanes, and on every wire back: 0 to 2.
	WireCycles int `json:"wire_cycles"`
	// RingCycles is the shortest wait of a word in a pipeline, in cycles, for which a distributed memory takes the place of
	// registers: 3 or more, or 0 for none.
	RingCycles int `json:"ring_cycles"`
	// Distributed tells that there are distributed memories, and that a small memory whose word is added to at once must be one:
	// a block memory would be late.
	Distributed bool `json:"distributed"`
}

// Family is a family of devices: what a design for it is cut for, and how Yosys maps it.
type Family struct {
	Name   string
	Title  string
	Target Target
	// Synthesis are Yosys's commands for one module, TOP in them, outside any board: no buffers on its ports.
	Synthesis []string
}

// GenericFamily is the family of a design that is for no family: block memories, multipliers and LUTs, wherever they are.
const GenericFamily = "generic"

// families are all, the generic one first. That of ECP5 is measured on a board, where lanes lie all over the chip; the
// others follow what their data sheets say of memories and multipliers.
var families = []Family{
	{GenericFamily, "any device", Target{ReadCycles: 2, OperandCycles: 1, RoundBits: 16}, genericSynthesis},
	{"ecp5", "Lattice ECP5", Target{ReadCycles: 2, OperandCycles: 1, RoundBits: 16, WireCycles: 2, RingCycles: 6, Distributed: true},
		[]string{"synth_ecp5 -abc9 -top TOP"}},
	// Slow carry chains, few lanes, no distributed memories.
	{"ice40", "Lattice iCE40 UltraPlus", Target{ReadCycles: 2, OperandCycles: 1, RoundBits: 8}, []string{"synth_ice40 -dsp -top TOP"}},
	// A word that waits does so in shift registers of LUTs, which need no counter.
	{"xilinx7", "AMD 7 series", Target{ReadCycles: 2, OperandCycles: 1, RoundBits: 24, WireCycles: 1, Distributed: true},
		[]string{"synth_xilinx -family xc7 -noiopad -noclkbuf -top TOP"}},
	{"gowin", "Gowin LittleBee and Arora", Target{ReadCycles: 2, OperandCycles: 1, RoundBits: 16, WireCycles: 1, RingCycles: 6, Distributed: true},
		[]string{"synth_gowin -noiopads -top TOP"}},
	{"cyclonev", "Intel Cyclone V", Target{ReadCycles: 2, OperandCycles: 1, RoundBits: 24, WireCycles: 1, Distributed: true},
		[]string{"synth_intel_alm -family cyclonev -noiopad -noclkbuf -top TOP"}},
}

// genericSynthesis leaves memories as they are, makes multipliers of at most 18 x 18 bits as for ECP5, and maps the rest to LUTs
// with four inputs and flip-flops.
var genericSynthesis = []string{
	"hierarchy -check -top TOP",
	"proc", "flatten", "opt", "wreduce", "peepopt", "opt_clean",
	"techmap -map +/mul2dsp.v -D DSP_A_MAXWIDTH=18 -D DSP_B_MAXWIDTH=18 -D DSP_A_MINWIDTH=2 -D DSP_B_MINWIDTH=2 -D DSP_Y_MINWIDTH=9 -D DSP_NAME=MULTIPLIER",
	"chtype -set $mul t:$__soft_mul",
	"alumacc", "opt", "memory -nomap", "opt -fast -full",
	"techmap", "opt -fast", "abc -lut 4", "opt_clean",
}

// Families lists the families' names, the generic one first.
func Families() []string {
	list := make([]string, len(families))
	for i := range families {
		list[i] = families[i].Name
	}
	return list
}

// GetFamily is the family of a name, its target complete; ErrUnknown lists those that there are.
func GetFamily(name string) (*Family, error) {
	for _, f := range families {
		if f.Name == name || name == "" && f.Name == GenericFamily {
			f.Target.Family = f.Name
			return &f, nil
		}
	}
	return nil, fmt.Errorf("%w of devices %q; there is %s", ErrUnknownFamily, name, strings.Join(Families(), ", "))
}

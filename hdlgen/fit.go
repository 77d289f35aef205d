package hdlgen

import (
	"cmp"
	"fmt"
	"math"

	"corinfo/constraints"
)

// Fit is what of a device a design takes, as far as it is known before synthesis: its multipliers and memories, and about
// how many LUTs. The self-test is not in it.
type Fit struct {
	Board    string      `json:"board"`
	Device   string      `json:"device"`
	DSP      Use         `json:"dsp"`   // multipliers of 18 x 18 bits
	BRAM     Use         `json:"bram"`  // blocks of 18 Kbit
	LUT      Use         `json:"lut"`   // of small memories
	Logic    Use         `json:"logic"` // all LUTs, about: it does not decide whether the design fits
	Memories []MemoryFit `json:"memories"`
	Fits     bool        `json:"fits"`
}

// Use is how much of a resource is taken.
type Use struct {
	Used      int `json:"used"`
	Available int `json:"available"`
}

// MemoryFit is how one kind of memory is made: of blocks, or of LUTs where it is small.
type MemoryFit struct {
	Name   string `json:"name"`
	Blocks int    `json:"blocks"` // of all memories of the kind
	LUTs   int    `json:"luts"`

	deep int // blocks, or rows of distributed memory, that a word is chosen from
}

// Fit tells whether a design fits a board's device.
func (e *Estimates) Fit(b *constraints.Board) *Fit {
	f := &Fit{Board: b.Name, Device: b.Device, DSP: Use{0, b.Resources.DSP}, BRAM: Use{0, b.Resources.BRAM},
		LUT: Use{0, b.Resources.LUT}, Logic: Use{e.LUTs, b.Resources.LUT}}
	for _, m := range e.MultiplierKinds {
		f.DSP.Used += m.Count * multipliersFor(m.A, m.B)
	}
	for _, m := range e.Memories {
		one := memoryFit(m)
		f.BRAM.Used += one.Blocks
		f.LUT.Used += one.LUTs
		f.Memories = append(f.Memories, one)
	}
	f.Fits = f.DSP.Used <= f.DSP.Available && f.BRAM.Used <= f.BRAM.Available && f.LUT.Used <= f.LUT.Available
	return f
}

// multiplierWidth is the width of both factors of an ECP5's multiplier.
const multiplierWidth = 18

// multipliersFor is how many of them multiply words of these widths.
func multipliersFor(a, b int) int { return ceilDiv(a, multiplierWidth) * ceilDiv(b, multiplierWidth) }

// blockShapes are the words and widths that an ECP5's block memory can have.
var blockShapes = [][2]int{{16384, 1}, {8192, 2}, {4096, 4}, {2048, 9}, {1024, 18}, {512, 36}}

// Yosys takes block memory when distributed memory would take more than so many cells of 16 x 4 bits a block; such a cell
// is four LUTs and two that write. A small memory that is never written becomes logic, a LUT for 16 bits or fewer; a larger one
// is made of blocks without the bits that are the same in all words.
const (
	cellsPerBlock = 21
	lutsPerCell   = 6
	logicBits     = 8192
)

// memoryFit is how one kind of memory is made.
func memoryFit(m MemoryBits) MemoryFit {
	f := MemoryFit{Name: m.Name}
	if m.ReadOnly && m.Words*m.Width <= logicBits {
		f.LUTs = ceilDiv(m.Words*m.Width, 16) * m.Memories
		return f
	}
	blocks, width := math.MaxInt, cmp.Or(m.Varying, m.Width)
	for _, shape := range blockShapes { // of those with as few blocks the one with the longest columns
		if deep := ceilDiv(m.Words, shape[0]); deep*ceilDiv(width, shape[1]) < blocks {
			blocks, f.deep = deep*ceilDiv(width, shape[1]), deep
		}
	}
	if deep := ceilDiv(m.Words, 16); m.InLUTs || deep*ceilDiv(m.Width, 4) <= cellsPerBlock*blocks {
		f.LUTs, f.deep = deep*ceilDiv(m.Width, 4)*lutsPerCell*m.Memories, deep
	} else {
		f.Blocks = blocks * m.Memories
	}
	return f
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// FitRemedy says what to do about a design that does not fit, when most lanes would with their default neuron units.
func FitRemedy(most int) string {
	if most == 0 {
		return "it does with no number of lanes: use a smaller network, a smaller mini-batch or narrower formats"
	}
	return fmt.Sprintf("use --lanes %d, the most that fit with their default neuron units, fewer units, a smaller network or narrower formats", most)
}

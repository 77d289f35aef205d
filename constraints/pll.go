package constraints

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// PLL are the dividers of an ECP5's PLL (EHXPLLL) with its feedback from the output: oscillator x Feedback / Input
// comes out, and its own oscillator runs Output times as fast.
type PLL struct {
	Input    int     `json:"input"`    // 1..128
	Feedback int     `json:"feedback"` // 1..80
	Output   int     `json:"output"`   // 1..128
	MHz      float64 `json:"mhz"`      // what comes out
}

// Limits of the ECP5's PLL in MHz, from Lattice's ECP5 family data sheet.
const (
	minPhase, maxPhase           = 3.125, 400 // oscillator / Input
	minOutput, maxOutput         = 10, 400
	minOscillator, maxOscillator = 400, 800 // the PLL's own
)

// pllTolerance is the relative error up to which a frequency counts as the wanted one.
const pllTolerance = 0.005

// MHz is a frequency as people read it: at most two digits behind the point.
func MHz(mhz float64) string {
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(mhz, 'f', 2, 64), "0"), ".") + " MHz"
}

// PLL chooses the dividers that come nearest to a frequency: among equals the smallest Input, then the PLL's
// oscillator nearest to the middle of its range. A frequency that none comes near to is an error that names the nearest.
func (b *Board) PLL(mhz float64) (PLL, error) {
	if !(mhz >= minOutput && mhz <= maxOutput) {
		return PLL{}, fmt.Errorf("clock of %s: %s makes %d to %d MHz", MHz(mhz), b.Name, minOutput, maxOutput)
	}
	var best PLL
	const middle = (minOscillator + maxOscillator) / 2
	for input := 1; input <= 128; input++ {
		if phase := b.Clock.MHz / float64(input); phase < minPhase || phase > maxPhase {
			continue
		}
		for feedback := 1; feedback <= 80; feedback++ {
			out := b.Clock.MHz * float64(feedback) / float64(input)
			for output := 1; output <= 128; output++ {
				if own := out * float64(output); own < minOscillator || own > maxOscillator {
					continue
				}
				p := PLL{Input: input, Feedback: feedback, Output: output, MHz: out}
				nearer := math.Abs(out-mhz) - math.Abs(best.MHz-mhz)
				same := best.Input == input && best.Feedback == feedback
				central := math.Abs(out*float64(output)-middle) < math.Abs(best.MHz*float64(best.Output)-middle)
				if nearer < 0 || same && central {
					best = p
				}
			}
		}
	}
	if math.Abs(best.MHz-mhz) > pllTolerance*mhz {
		return PLL{}, fmt.Errorf("clock of %s: the nearest that the PLL of %s makes is %s", MHz(mhz), b.Name, MHz(best.MHz))
	}
	return best, nil
}

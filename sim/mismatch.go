package sim

import (
	"fmt"
	"strings"

	fx "corinfo/fixedpoint"
)

// Mismatch is the first difference between a design and the bit-true model. Fields that do not apply are
// zero or "".
type Mismatch struct {
	Cycle     int64  `json:"cycle"`
	Sample    int    `json:"sample"` // index among all commands
	Learning  bool   `json:"learning"`
	Step      string `json:"step,omitempty"` // of the closing part
	Phase     string `json:"phase,omitempty"`
	Iteration int    `json:"iteration"`
	Layer     int    `json:"layer"`
	Neuron    int    `json:"neuron"`
	Tensor    string `json:"tensor"` // u1, r1, W0, score, class, counter ...
	Row       int    `json:"row"`
	Column    int    `json:"column"`
	Lane      int    `json:"lane"`
	Address   int    `json:"address"`
	Expected  string `json:"expected"` // raw, and as a number in parentheses
	Got       string `json:"got"`
	Detail    string `json:"detail,omitempty"` // what is wrong where it is not a word
	Wave      string `json:"wave,omitempty"`   // waveform around the cycle
}

// String is a report of a few lines.
func (m *Mismatch) String() string {
	var b strings.Builder
	kind := "inference"
	if m.Learning {
		kind = "learning"
	}
	fmt.Fprintf(&b, "mismatch at cycle %d, sample %d (%s): %s", m.Cycle, m.Sample, kind, m.Tensor)
	if m.Step != "" {
		fmt.Fprintf(&b, ", in the closing part (%s)", m.Step)
	}
	if m.Phase != "" {
		fmt.Fprintf(&b, ", %s phase, iteration %d, layer %d, neuron %d", m.Phase, m.Iteration, m.Layer, m.Neuron)
	}
	if m.Row > 0 || m.Column > 0 || m.Lane > 0 || m.Address > 0 {
		fmt.Fprintf(&b, ", row %d, column %d (lane %d, address %d)", m.Row, m.Column, m.Lane, m.Address)
	}
	if m.Detail != "" {
		fmt.Fprintf(&b, "\n  %s", m.Detail)
	}
	if m.Expected != "" || m.Got != "" {
		fmt.Fprintf(&b, "\n  expected %s\n  got      %s", m.Expected, m.Got)
	}
	if m.Wave != "" {
		fmt.Fprintf(&b, "\n  waveform %s", m.Wave)
	}
	return b.String()
}

// Word prints a raw word and the number that it stands for.
func Word(raw int64, f fx.Format) string {
	return fmt.Sprintf("%d (%g)", raw, f.Float(raw))
}

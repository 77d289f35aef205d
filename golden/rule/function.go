package rule

import (
	"math"

	fx "corinfo/fixedpoint"
)

// Function is a function of a value: exact in real numbers, a table with interpolation in words.
type Function struct {
	Name  string
	At    func(float64) float64
	Table func() *fx.Table // made once
}

// The functions that there are. Beyond the ends of their tables they are as at the ends.
var (
	Sigmoid = &Function{"sigmoid", func(v float64) float64 { return 1 / (1 + math.Exp(-v)) }, fx.SigmoidTable}
	Exp     = &Function{"exp", math.Exp, fx.ExpTable}
)

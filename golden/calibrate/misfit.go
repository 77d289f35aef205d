package calibrate

import (
	"math"

	fx "corinfo/fixedpoint"
)

// Misfit tells of values that did not fit a tensor's type when they were converted.
type Misfit struct {
	Tensor string  `json:"tensor"`
	Type   string  `json:"type"`
	Count  int     `json:"count"` // values outside the range
	Of     int     `json:"of"`
	Worst  float64 `json:"worst"` // the value farthest from zero among them
	Bits   int     `json:"bits"`  // integer bits that it needs, in ap_fixed's count
	Sign   bool    `json:"sign"`  // the type is unsigned, and values are negative
}

// Values adds the values that a type does not hold.
func (s *Misfit) Values(values []float64, t fx.Type) {
	s.Of += len(values)
	bottom, top := t.Range()
	low, high := t.Float(t.Word(bottom)), t.Float(t.Word(top))
	for _, v := range values {
		if v >= low && v <= high {
			continue // nearly all, and without a conversion
		}
		if _, overflow, err := t.FromFloat(v); overflow && err == nil {
			s.Add(v, t.Signed)
		}
	}
}

// Add counts a value that a type does not hold.
func (s *Misfit) Add(v float64, signed bool) {
	s.Count++
	s.Sign = s.Sign || v < 0 && !signed
	if v*v > s.Worst*s.Worst {
		s.Worst = v
		s.Bits = integerBits(v, signed || v < 0)
	}
}

// integerBits is what ap_fixed's I must be at least to hold v.
func integerBits(v float64, signed bool) int {
	_, bits := math.Frexp(v)
	if signed {
		bits++
	}
	return bits
}

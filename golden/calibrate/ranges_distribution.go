package calibrate

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	mathbits "math/bits"
	"slices"

	fx "corinfo/fixedpoint"
	"corinfo/golden"
	"corinfo/golden/network"
	"corinfo/golden/rule"
	"corinfo/golden/weights"
)

// Distribution is how the values of a tensor are distributed, and the noise that its type adds to them.
type Distribution struct {
	Values, Zeros      int64
	NotFinite          int64     // of Values; they are in nothing else
	Min, Max           float64   // of the finite values; 0 without any
	Negative, Positive Magnitude // of the values on each side of 0

	signal, noise squares
}

// Magnitude is a histogram of magnitudes by quarters of a factor of 2: Counts[i] are at least 2^((First+i)/4) and below
// 2^((First+i+1)/4).
type Magnitude struct {
	First  int     `json:"first"`
	Counts []int64 `json:"counts"`
}

// quarters are the ends of quarters of [0.5, 1).
var quarters = [3]float64{math.Exp2(-0.75), math.Exp2(-0.5), math.Exp2(-0.25)}

// add counts a magnitude above 0.
func (m *Magnitude) add(v float64) {
	part, exponent := math.Frexp(v)
	at := 4 * (exponent - 1)
	for _, end := range quarters {
		if part >= end {
			at++
		}
	}
	m.count(at, 1)
}

func (m *Magnitude) count(at int, n int64) {
	switch {
	case len(m.Counts) == 0:
		m.First, m.Counts = at, []int64{0}
	case at < m.First:
		m.Counts = append(make([]int64, m.First-at), m.Counts...)
		m.First = at
	case at >= m.First+len(m.Counts):
		m.Counts = append(m.Counts, make([]int64, at+1-m.First-len(m.Counts))...)
	}
	m.Counts[at-m.First] += n
}

func (m *Magnitude) merge(other *Magnitude) {
	for i, n := range other.Counts {
		if n > 0 {
			m.count(other.First+i, n)
		}
	}
}

// squares is a sum of squares in whole units of 2^-10 squared last places of a type: whole numbers add to the same
// sum in any order.
type squares struct{ high, low uint64 }

const squareUnit = 1 << 10

func (s *squares) add(v float64) {
	var carry uint64
	s.low, carry = mathbits.Add64(s.low, uint64(min(math.Round(v*v*squareUnit), 1<<63)), 0)
	s.high += carry
}

func (s *squares) merge(other squares) {
	var carry uint64
	s.low, carry = mathbits.Add64(s.low, other.low, 0)
	s.high += other.high + carry
}

func (s squares) float() float64 { return float64(s.high)*(1<<64) + float64(s.low) }

// newDistribution describes values, and what is lost of them in a type.
func newDistribution(values []float64, t fx.Type) *Distribution {
	d := &Distribution{Min: math.Inf(1), Max: math.Inf(-1)}
	for _, v := range values {
		d.Values++
		if math.IsNaN(v) || math.IsInf(v, 0) {
			d.NotFinite++
			continue
		}
		d.Min, d.Max = min(d.Min, v), max(d.Max, v)
		switch {
		case v == 0:
			d.Zeros++
			continue
		case v < 0:
			d.Negative.add(-v)
		default:
			d.Positive.add(v)
		}
		word, _, _ := t.FromFloat(v) // finite values have no error
		d.signal.add(math.Ldexp(v, t.Frac))
		d.noise.add(math.Ldexp(v-t.Float(word), t.Frac))
	}
	return d
}

func (d *Distribution) merge(other *Distribution) {
	d.Values += other.Values
	d.Zeros += other.Zeros
	d.NotFinite += other.NotFinite
	d.Min, d.Max = min(d.Min, other.Min), max(d.Max, other.Max)
	d.Negative.merge(&other.Negative)
	d.Positive.merge(&other.Positive)
	d.signal.merge(other.signal)
	d.noise.merge(other.noise)
}

// SQNR is the ratio of the values' energy to that of their rounding and overflow errors in decibels, to 0.01. It is
// not known where there is no value but 0, or no error.
func (d *Distribution) SQNR() (decibels float64, known bool) {
	signal, noise := d.signal.float(), d.noise.float()
	if signal == 0 || noise == 0 {
		return 0, false
	}
	return math.Round(1000*math.Log10(signal/noise)) / 100, true
}

// Quantile is a value that a share 0..1 of the values does not exceed, to a quarter of a factor of 2, within Min and Max.
func (d *Distribution) Quantile(share float64) float64 {
	left := int64(math.Ceil(share * float64(d.Values-d.NotFinite)))
	take := func(n int64) bool { left -= n; return left <= 0 }
	within := func(v float64) float64 { return min(max(v, d.Min), d.Max) }
	if left <= 0 {
		return d.Min
	}
	for i, n := range slices.Backward(d.Negative.Counts) {
		if take(n) {
			return within(-math.Exp2(float64(d.Negative.First+i) / 4))
		}
	}
	if take(d.Zeros) {
		return 0
	}
	for i, n := range d.Positive.Counts {
		if take(n) {
			return within(math.Exp2(float64(d.Positive.First+i+1) / 4))
		}
	}
	return d.Max
}

// MagnitudeQuantile is Quantile of the magnitudes of the values that are not 0; 0 if there is none.
func (d *Distribution) MagnitudeQuantile(share float64) float64 {
	all := d.Negative
	all.Counts = slices.Clone(all.Counts)
	all.merge(&d.Positive)
	m := Distribution{Values: d.Values - d.NotFinite - d.Zeros, Max: max(-d.Min, d.Max), Positive: all}
	if m.Values == 0 {
		return 0
	}
	return m.Quantile(share)
}

// RangeFile is the file of a run's folder that holds the distributions of its tensors, a JSON list of TensorRange.
const RangeFile = "ranges.json"

// TensorRange is the distribution of a tensor beside its type.
type TensorRange struct {
	Tensor      string             `json:"tensor"`
	Format      string             `json:"format"`
	Values      int64              `json:"values"`
	Zeros       int64              `json:"zeros"`
	Min         float64            `json:"min"`
	Max         float64            `json:"max"`
	Percentiles map[string]float64 `json:"percentiles"`          // "1", "5", "25", "50", "75", "95", "99"; to a quarter of a factor of 2
	Magnitudes  map[string]float64 `json:"magnitudes"`           // the same of the magnitudes of values that are not 0
	Negative    Magnitude          `json:"negative"`             // histograms by magnitude
	Positive    Magnitude          `json:"positive"`             //
	IntegerBits int                `json:"integer_bits"`         // proposed, in ap_fixed's count: the fewest that hold the range, and the guard
	GuardBits   int                `json:"guard_bits"`           // of them; x and r are bounded and have none
	SQNR        *float64           `json:"sqnr_db"`              // of the type; null: no value but 0, or no error
	NotFinite   int64              `json:"not_finite,omitempty"` // values that are NaN or infinite
}

// Distributions runs samples through inference and, in mini-batches at the rates of epoch 0, through learning on a copy of
// the weights, in float64, and describes the values of every tensor beside the types of the network, by names in order.
// That network is n, whose synapses w may be those of a bit-true run. Samples are pixels of layers[0] bytes each. Errors
// are those of Quantize, but for values that run away: they are counted.
func Distributions(ctx context.Context, n *network.Network, w weights.Weights, samples [][]uint8, labels []int) ([]TensorRange, error) {
	if err := checkCalibration(n, samples, labels); err != nil {
		return nil, err
	}
	d := n.Describe()
	types := Types(d, n.Formats)
	r := &recorder{types: types, distributions: map[string]*Distribution{}}
	if err := calibrate(ctx, n, w, samples, labels, r); err != nil {
		return nil, err
	}
	var list []TensorRange
	for _, name := range slices.Sorted(maps.Keys(r.distributions)) {
		span, limited := bounded(n, d, tensorNamed(d, name))
		list = append(list, r.distributions[name].describe(name, types[name], span, limited))
	}
	return list, nil
}

// tensorNamed is the index of the tensor of a name, which there is.
func tensorNamed(d *rule.Description, name string) int {
	return slices.IndexFunc(d.Tensors, func(t rule.Tensor) bool { return t.String() == name })
}

// describe gives a tensor's figures; limited: its values cannot leave the span bound.
func (d *Distribution) describe(name string, t fx.Type, bound Range, limited bool) TensorRange {
	x := TensorRange{Tensor: name, Format: t.String(), Values: d.Values, Zeros: d.Zeros, NotFinite: d.NotFinite,
		Percentiles: map[string]float64{},
		Magnitudes:  map[string]float64{}, Negative: d.Negative, Positive: d.Positive, GuardBits: guardBits}
	if d.NotFinite < d.Values {
		x.Min, x.Max = d.Min, d.Max
		for _, percent := range []int{1, 5, 25, 50, 75, 95, 99} {
			x.Percentiles[fmt.Sprint(percent)] = d.Quantile(float64(percent) / 100)
			x.Magnitudes[fmt.Sprint(percent)] = d.MagnitudeQuantile(float64(percent) / 100)
		}
	}
	span := Range{x.Min, x.Max}
	if limited {
		span, x.GuardBits = bound, 0
	}
	proposed, _ := fit(t, span, x.GuardBits)
	x.IntegerBits = proposed.Width - proposed.Frac
	if decibels, known := d.SQNR(); known {
		x.SQNR = &decibels
	}
	return x
}

// RangesOf are the ends of the ranges, for ChooseFormats.
func RangesOf(list []TensorRange) Ranges {
	r := Ranges{}
	for _, x := range list {
		r[x.Tensor] = Range{x.Min, x.Max}
	}
	return r
}

// EncodeRanges is the text of a RangeFile: an object a line.
func EncodeRanges(list []TensorRange) ([]byte, error) {
	text := []byte("[\n")
	for i, x := range list {
		line, err := json.Marshal(x)
		if err != nil {
			return nil, fmt.Errorf("%w: range of %s: %w", golden.ErrDamaged, x.Tensor, err)
		}
		if i > 0 {
			text = append(text, ",\n"...)
		}
		text = append(text, line...)
	}
	return append(text, "\n]\n"...), nil
}

package training

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"corinfo/golden/rule"
	"corinfo/golden/weights"
)

// NetworkMetrics are figures of the synapses and of the states that they lead to. They are rounded to 1e-6, so that
// processors whose logarithms differ in the last place have the same checkpoints.
type NetworkMetrics struct {
	Angles      []weights.Angle `json:"angles"`      // of W_k and F_k transposed, k = 1..K-1
	Information []Information   `json:"information"` // of neighbouring layers; see CorrelativeInformation
	Activity    []Activity      `json:"activity"`    // of layers 1..K
}

// EpochMetrics are the figures of one epoch of training. Times are not among them: a checkpoint is a function
// of the network file, the seed and the data.
type EpochMetrics struct {
	Epoch         int      `json:"epoch"`          // counted from 1
	TrainAccuracy *float64 `json:"train_accuracy"` // of the samples as they were learned, each before its update; nil: not counted
	TestAccuracy  float64  `json:"test_accuracy"`
	Samples       int      `json:"samples"` // learned
	NetworkMetrics
}

// Score counts answers.
type Score struct{ Correct, Of int }

// Activity is how the states of a layer are distributed, over neurons and samples.
type Activity struct {
	Layer     int     `json:"layer"`
	Mean      float64 `json:"mean"`
	Zero      float64 `json:"zero"`      // share of states that are exactly 0
	One       float64 `json:"one"`       // share of states that are exactly 1
	Histogram []int   `json:"histogram"` // states in ActivityBins equal parts of 0 to 1, the first with all below 0, the last with 1 itself, and then above 1
}

// ActivityBins is the number of parts of 0 to 1 in an activity histogram.
const ActivityBins = 20

// MeasuredSamples is how many test samples, the first ones, NetworkMetrics are taken from; fewer if there are fewer.
const MeasuredSamples = 4 * evaluationBlock

// NewActivity describes the states of a layer, at least one. Below 0 are outputs of rules whose last layer is linear.
func NewActivity(layer int, states *mat.Dense) Activity {
	a := Activity{Layer: layer, Histogram: make([]int, ActivityBins+1)}
	samples, neurons := states.Dims()
	sum, zeros, ones := 0.0, 0, 0
	for i := range samples {
		for _, r := range states.RawRowView(i) {
			sum += r
			bin := ActivityBins
			switch {
			case r == 0:
				bin = 0
				zeros++
			case r == 1:
				bin = ActivityBins - 1
				ones++
			case r < 1:
				bin = max(0, min(int(r*ActivityBins), ActivityBins-1))
			}
			a.Histogram[bin]++
		}
	}
	all := samples * neurons
	a.Mean, a.Zero, a.One = rounded(sum/float64(all)), share(zeros, all), share(ones, all)
	return a
}

// measure takes the figures of synapses and their states r_0..r_K, indexed by layer, one row per sample. Errors are
// those of CorrelativeInformation.
func measure(d *rule.Description, w weights.Weights, states []*mat.Dense) (*NetworkMetrics, error) {
	m := &NetworkMetrics{Angles: w.Angles(d)}
	for i := range m.Angles {
		m.Angles[i].Degrees = rounded(m.Angles[i].Degrees)
	}
	if states == nil { // no test samples
		return m, nil
	}
	var err error
	if m.Information, err = CorrelativeInformation(d, w, states); err != nil {
		return nil, err
	}
	for i := range m.Information {
		x := &m.Information[i]
		x.Nats, x.Forward = rounded(x.Nats), rounded(x.Forward)
		if x.Backward != nil {
			*x.Backward = rounded(*x.Backward)
		}
	}
	for k := 1; k < len(states); k++ {
		m.Activity = append(m.Activity, NewActivity(k, states[k]))
	}
	return m, nil
}

func rounded(v float64) float64 { return math.Round(v*1e6) / 1e6 }

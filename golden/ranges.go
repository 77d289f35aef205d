package golden

// Range is what a tensor's values spanned during a run.
type Range struct {
	Min, Max float64
}

// Ranges are the recorded ranges by tensor: r1, current1, W0, dW0, with the names of the network file's formats.
type Ranges map[string]Range

package sim

import (
	"strings"
	"time"

	"corinfo/hdlgen"
)

// Options of a co-simulation.
type Options struct {
	Simulator Simulator
	Inference []hdlgen.Sample // labels are for the accuracy only
	Learning  []hdlgen.Sample
	Again     bool // classify the inference samples once more after learning
	Stall     int  // seed of stalls on the handshakes; 0: none
	Closing   bool // behind them the closing part; figures are of the samples alone
	Reset     int  // Verilator: initial state 0 zeros, 1 ones, 2 random
	// Properties of the library's modules end the run with an error where one is violated; they make it slower.
	Properties bool
	// Workers is how many simulators may run at a time, each with a part of the run; 0 is 1.
	Workers int
	// SaveEvery is the time between checkpoints, taken after mini-batches and kept in the design's folder sim until
	// the run is over; 0: none. Resume continues from the last one.
	SaveEvery time.Duration
	Resume    bool
	// Wave is the file of a waveform of the run, without its read-back: .fst or .vcd; "": none. Such a run is short (see CheckWave),
	// has one part and keeps no checkpoints.
	Wave     string
	Progress func(done, total int) // one call at a time
}

// Samples is how many a run has, those classified again among them, but for the closing part.
func (o *Options) Samples() int {
	count := len(o.Inference) + len(o.Learning)
	if o.Again {
		count += len(o.Inference)
	}
	return count
}

// Report is what a co-simulation found.
type Report struct {
	Samples             int       `json:"samples"`
	Learned             int       `json:"learned"`
	ComparedStates      int64     `json:"compared_states"`
	ComparedSynapses    int64     `json:"compared_synapses"`
	ComparedMemoryWords int64     `json:"compared_memory_words"`
	Mismatches          int       `json:"mismatches"`
	CyclesPerInference  float64   `json:"cycles_per_inference"`
	CyclesPerLearning   float64   `json:"cycles_per_learning_sample"`
	SettlingCycles      float64   `json:"settling_cycles"`  // in which some sample is taken or settles, of a command
	LanesBusy           float64   `json:"lanes_busy"`       // share of the settling cycles in which the lanes multiply for events
	LaneUtilisation     float64   `json:"lane_utilisation"` // useful products over lanes x settling cycles: without the padding of layers that L does not divide
	SkippedFraction     float64   `json:"skipped_fraction"` // dense products that events did not take
	Accuracy            float64   `json:"accuracy"`         // of the inference samples
	After               *After    `json:"accuracy_after_learning,omitempty"`
	Simulator           Simulator `json:"simulator"`
	Parts               int       `json:"parts"`   // of the run, each with a simulator of its own
	Seconds             float64   `json:"seconds"` // of this part of a continued run
	LearningPerSecond   float64   `json:"learning_samples_per_second"`
	BuildSeconds        float64   `json:"build_seconds"`
	Counters            []Counter `json:"counters,omitempty"`
	Wave                string    `json:"wave,omitempty"` // file
	Closing             *Closing  `json:"closing,omitempty"`
	NotExercised        []Gap     `json:"not_exercised,omitempty"`
	// Values that were outside the format of their tensor, and synapses whose sum was not zero but which kept their word, of the samples.
	Overflows map[string]int64 `json:"overflows,omitempty"` // by tensor
	Lost      map[string]int64 `json:"lost,omitempty"`      // by projection
	Mismatch  *Mismatch        `json:"mismatch"`
}

// Closing is what the closing part of a run did. Of all other figures only the states and synapses compared count it.
type Closing struct {
	Steps   int `json:"steps"`
	Samples int `json:"samples"` // classified or learned, those of the wrong length and those that a reset or an abort ended among them
	Words   int `json:"words"`   // that the host wrote or read
	Resets  int `json:"resets"`
	Aborts  int `json:"aborts"` // by the host
}

// After are the accuracies of the inference samples after learning, by the bit-true model and by the design.
type After struct {
	Model float64 `json:"model"`
	RTL   float64 `json:"rtl"`
}

// Counter is one of the design's counters after the run.
type Counter struct {
	Name  string `json:"name"`
	Value int64  `json:"value"`
}

// Gap is something that a run did not make the design do, and so did not compare.
type Gap struct {
	What string   `json:"what"`
	Of   []string `json:"of"` // tensors, matrices, phases or classes
}

// String is a gap in a line.
func (g Gap) String() string { return g.What + ": " + strings.Join(g.Of, " ") }

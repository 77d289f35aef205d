package study

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"corinfo/golden/calibrate"
	"corinfo/golden/network"
)

// Trial is one network with one seed: all that its result depends on.
type Trial struct {
	Kind      string `json:"kind"`
	Network   string `json:"network"`   // text of a network file, with the trial's seed, epochs and formats
	Samples   int    `json:"samples"`   // training samples in use; 0: all
	Test      int    `json:"test"`      // test samples in use; 0: all
	Calibrate int    `json:"calibrate"` // training samples over which ranges are recorded
	Data      string `json:"data"`      // checksum of the data set
	Float     string `json:"float"`     // inference: key of the float trial that is quantized
	Run       string `json:"run"`       // float: folder of the run that takes the place of a training
	RunSum    string `json:"run_sum"`   // SHA-256 of its checkpoint
	Version   string `json:"version"`   // of the program
}

// Key is a trial's name: a hash of the network, its seed, the data, the program's version and what else its result
// depends on, but not of where files lie.
func (t *Trial) Key() (string, error) {
	n, err := network.Parse("trial", []byte(t.Network))
	if err != nil {
		return "", err
	}
	own := *t
	own.Network, own.Run = n.Fingerprint(), ""
	text, err := json.Marshal(own)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", sha256.Sum256(text)), nil
}

// Rate is how many of how many.
type Rate struct {
	Count int64 `json:"count"`
	Of    int64 `json:"of"`
}

// Share is the part, 0 of none.
func (r Rate) Share() float64 {
	if r.Of == 0 {
		return 0
	}
	return float64(r.Count) / float64(r.Of)
}

// Result is what a trial gives: a function of the trial alone, so without times. Figures that a kind of trial has not are
// zero.
type Result struct {
	Refused     string                  `json:"refused,omitempty"`  // why the arithmetic cannot compute the network; there are no figures then
	Diverged    bool                    `json:"diverged,omitempty"` // learning met numbers that are not finite; there are no figures then
	Accuracy    float64                 `json:"accuracy"`
	Correct     int                     `json:"correct"`
	Tested      int                     `json:"tested"`
	History     []float64               `json:"history,omitempty"`      // accuracy after each epoch of training
	SynapseBits int                     `json:"synapse_bits,omitempty"` // of all synapses that are stored
	MemoryBits  int                     `json:"memory_bits,omitempty"`  // of the design; 0, as the next three, where the network has no hardware
	Multipliers int                     `json:"multipliers,omitempty"`
	Cycles      float64                 `json:"cycles,omitempty"`          // per inference
	Learning    float64                 `json:"learning_cycles,omitempty"` // per learning sample
	Overflows   map[string]Rate         `json:"overflows,omitempty"`       // by tensor, of the roundings
	Lost        map[string]Rate         `json:"lost,omitempty"`            // by matrix: updates lost to rounding, of synapses x mini-batches
	Ranges      []calibrate.TensorRange `json:"ranges,omitempty"`          // of float and learning trials
}

// Good tells whether a result has figures.
func (r *Result) Good() bool { return r.Refused == "" && !r.Diverged }
